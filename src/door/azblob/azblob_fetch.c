// SPDX-License-Identifier: EUPL-1.2
/* Bytes from a URL elsewhere: see azblob_fetch.h. */
#include "door/azblob/azblob_fetch.h"

#include <inttypes.h>
#include <string.h>

#include "codec/url.h"
#include "util/pipe.h"

#define PIPE_BYTES (1024 * 1024)
#define VERSION    "2021-08-06" /* what Azure itself is asked in, where a token needs one */

struct azblob_fetch {
    struct http_client *client;
    struct http_request request;
    struct http_response response;
    struct http_begun begun;
    struct pipe pipe;
    struct cancel cancel;
    struct call call; /* the thread's own */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool told;          /* guarded by lock: there is a head, or the failure to get one */
    bool fine;          /* guarded by lock: with told */
    struct err failure; /* guarded by lock: with told and not fine */
    struct pairs headers;
    uint64_t length;
};

static void tell(struct azblob_fetch *f, const struct err *failure)
{
    locked(&f->lock);
    if (f->told)
        return;
    f->told = true;
    f->fine = failure == NULL;
    if (failure)
        f->failure = *failure;
    (void)pthread_cond_broadcast(&f->changed);
}

static int on_head(struct http_begun *begun, const struct http_response *response,
                   struct call *call)
{
    struct azblob_fetch *f = container_of(begun, struct azblob_fetch, begun);

    if (response->content_length == HTTP_LENGTH_UNKNOWN)
        return err_set(&call->err, ERR_REMOTE, "the copy source does not say how long it is");
    if (pairs_get_nocase(&f->request.headers, "Range") && response->status != 206)
        return err_set(&call->err, ERR_REMOTE, "the copy source gives no ranges");
    f->length = response->content_length;
    pairs_copy(&f->headers, &response->headers);
    tell(f, NULL);
    return 0;
}

/* What an answer that says no means for the copy. */
static int refused(const struct azblob_fetch *f, struct err *e)
{
    static const struct {
        int status;
        enum err_code code;
    } codes[] = {{304, ERR_CHANGED},   {401, ERR_DENIED},    {403, ERR_DENIED},
                 {404, ERR_NOT_FOUND}, {410, ERR_NOT_FOUND}, {412, ERR_CHANGED},
                 {416, ERR_RANGE},     {429, ERR_BUSY},      {503, ERR_BUSY}};
    int status = f->response.status;
    enum err_code code = ERR_REMOTE;

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (codes[i].status == status)
            code = codes[i].code;
    return err_set(e, code, "the copy source answered %d", status);
}

static void *run(void *argument)
{
    struct azblob_fetch *f = argument;
    struct err *e = &f->call.err;
    int done = http_do(f->client, &f->request, &f->response, &f->pipe.sink, &f->begun, &f->call);

    if (done == 0 && f->response.status >= 300)
        done = refused(f, e);
    if (done < 0) {
        pipe_cut(&f->pipe, e);
        tell(f, e);
    } else {
        pipe_end(&f->pipe);
    }
    return NULL;
}

static void add_headers(struct http_request *request, const struct azblob_fetch_want *want)
{
    const struct {
        const char *name, *value;
    } given[] = {
        {"Authorization", want->authorization},
        {"x-ms-version", want->authorization ? VERSION : NULL},
        {"If-Match", want->if_match},
        {"If-None-Match", want->if_none_match},
        {"If-Modified-Since", want->if_modified_since},
        {"If-Unmodified-Since", want->if_unmodified_since},
    };

    for (size_t i = 0; i < ARRAY_SIZE(given); i++)
        if (given[i].value)
            http_request_header(request, given[i].name, given[i].value);
    if (want->has_range && want->last == UINT64_MAX)
        http_request_headerf(request, "Range", "bytes=%" PRIu64 "-", want->first);
    else if (want->has_range)
        http_request_headerf(request, "Range", "bytes=%" PRIu64 "-%" PRIu64, want->first,
                             want->last);
}

static struct azblob_fetch *fetch_new(struct http_client *client,
                                      const struct azblob_fetch_want *want, const struct call *call)
{
    struct azblob_fetch *f = xcalloc(1, sizeof(*f));

    f->client = client;
    f->request = (struct http_request){.method = "GET", .url = xstrdup(want->url)};
    f->response = (struct http_response)HTTP_RESPONSE_INIT;
    add_headers(&f->request, want);
    f->begun.begun = on_head;
    f->cancel.parent = call->cancel;
    f->call = call_child(call, &f->cancel);
    pipe_init(&f->pipe, PIPE_BYTES);
    (void)pthread_mutex_init(&f->lock, NULL);
    (void)pthread_cond_init(&f->changed, NULL);
    return f;
}

static void fetch_free(struct azblob_fetch *f)
{
    pipe_release(&f->pipe);
    http_request_release(&f->request);
    http_response_release(&f->response);
    pairs_release(&f->headers);
    (void)pthread_mutex_destroy(&f->lock);
    (void)pthread_cond_destroy(&f->changed);
    free(f);
}

static int wait_for_head(struct azblob_fetch *f, struct call *call)
{
    locked(&f->lock);
    while (!f->told)
        if (condition_wait(&f->changed, &f->lock, call) < 0)
            return -1;
    if (f->fine)
        return 0;
    call->err = f->failure;
    return -1;
}

int azblob_fetch_open(struct http_client *client, const struct azblob_fetch_want *want,
                      struct azblob_fetch **ret, struct call *call)
{
    auto_url struct url url = URL_INIT;

    if (url_parse(want->url, &url, &call->err) < 0)
        return -1;
    if (strcmp(url.scheme, "http") != 0 && strcmp(url.scheme, "https") != 0)
        return err_set(&call->err, ERR_INVALID, "a copy source is neither http:// nor https://");
    if (url.userinfo)
        return err_set(&call->err, ERR_INVALID, "a copy source names a user");
    struct azblob_fetch *f = fetch_new(client, want, call);
    if (pthread_create(&f->thread, NULL, run, f) != 0) {
        fetch_free(f);
        return err_set(&call->err, ERR_BUSY, "no thread can be had to read a copy source");
    }
    if (wait_for_head(f, call) < 0) {
        azblob_fetch_close(f);
        return -1;
    }
    *ret = f;
    return 0;
}

struct source *azblob_fetch_body(struct azblob_fetch *f)
{
    return &f->pipe.source;
}

uint64_t azblob_fetch_length(const struct azblob_fetch *f)
{
    return f->length;
}

const struct pairs *azblob_fetch_headers(const struct azblob_fetch *f)
{
    return &f->headers;
}

void azblob_fetch_close(struct azblob_fetch *f)
{
    if (!f)
        return;
    cancel_raise(&f->cancel);
    pipe_refuse(&f->pipe);
    (void)pthread_join(f->thread, NULL);
    fetch_free(f);
}

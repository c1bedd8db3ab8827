// SPDX-License-Identifier: EUPL-1.2
/* Both doors, and requests to them: see doors.h. */
#include "doors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/sharedkey.h"
#include "auth/sigv4.h"
#include "codec/url.h"
#include "door/azblob/azblob.h"
#include "door/s3/s3_door.h"
#include "http/server.h"

#define ANSWER_MAX (1024 * 1024)

struct doors {
    struct azblob *azure;
    struct s3_door *s3;
    struct http_server *servers[WAY_COUNT];
    struct http_client *client;
    struct sharedkey sharedkey;
    struct sigv4 sigv4;
};

static void must(int done, const struct err *e)
{
    if (done < 0) {
        (void)fprintf(stderr, "%s\n", e->text);
        abort();
    }
}

/* ---- Up and down ---- */

static void serve(struct doors *d, enum way_kind way, struct http_server_options options)
{
    struct err e = {0};

    options.listen = "127.0.0.1:0";
    must(http_server_start(&options, &d->servers[way], &e), &e);
}

struct doors *doors_open(struct service *service)
{
    struct doors *d = xcalloc(1, sizeof(*d));
    auto_secret struct secret secret = SECRET_INIT;
    struct azblob_options azure = {.service = service};
    struct s3_door_options s3 = {.service = service};
    struct http_client_options direct = {.proxy = ""};
    struct err e = {0};

    d->azure = azblob_new(&azure);
    d->s3 = s3_door_new(&s3);
    serve(d, WAY_AZURE,
          (struct http_server_options){.begin = azblob_begin,
                                       .handle = azblob_handle,
                                       .finished = azblob_finished,
                                       .argument = d->azure});
    serve(d, WAY_S3,
          (struct http_server_options){.begin = s3_door_begin,
                                       .handle = s3_door_handle,
                                       .finished = s3_door_finished,
                                       .argument = d->s3});
    secret_from_text(&secret, REAL_KEY);
    must(http_client_new(&direct, &d->client, &e), &e);
    must(sharedkey_init(&d->sharedkey, "acct", REAL_KEY, &e), &e);
    must(sigv4_init(&d->sigv4, "acct", &secret, NULL, "eu-1", &e), &e);
    return d;
}

void doors_close(struct doors *d)
{
    if (!d)
        return;
    http_client_free(d->client);
    for (size_t i = 0; i < WAY_COUNT; i++)
        http_server_free(d->servers[i]);
    azblob_free(d->azure);
    s3_door_free(d->s3);
    sharedkey_release(&d->sharedkey);
    sigv4_release(&d->sigv4);
    free(d);
}

/* ---- Requests ---- */

char *door_path(enum way_kind way, const char *name)
{
    auto_buf struct buf path = BUF_INIT(1024);

    buf_text(&path, way == WAY_AZURE ? "/acct/" REAL_CONTAINER : "/" REAL_CONTAINER);
    if (name) {
        buf_char(&path, '/');
        url_escape(&path, name, strlen(name), URL_KEEP_SLASH);
    }
    return buf_take(&path);
}

void errand_init(struct errand *e, struct doors *doors, enum way_kind way, const char *method,
                 const char *name, const char *query)
{
    auto_free char *path = door_path(way, name);

    *e = (struct errand){.doors = doors,
                         .way = way,
                         .request.method = method,
                         .response = HTTP_RESPONSE_INIT,
                         .bytes = BUF_INIT(ANSWER_MAX)};
    e->request.url = xasprintf("http://127.0.0.1:%d%s%s%s", http_server_port(doors->servers[way]),
                               path, query ? "?" : "", query ? query : "");
    /* Without bytes this is said. */
    if (*method == 'P')
        errand_body(e, "", 0);
}

void errand_release(struct errand *e)
{
    http_request_release(&e->request);
    http_response_release(&e->response);
    buf_release(&e->bytes);
    free(e->text);
}

void errand_header(struct errand *e, const char *name, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    http_request_header(&e->request, name, text);
}

void errand_conditions(struct errand *e, const struct reference *reference, const struct step *s)
{
    if (s->condition == IF_ABSENT)
        errand_header(e, "If-None-Match", "*");
    else if (s->condition != IF_ANYTHING)
        errand_header(e, "If-Match", "\"%s\"", reference_etag(reference, s));
}

void errand_body(struct errand *e, const void *bytes, size_t length)
{
    source_bytes_init(&e->body, bytes, length);
    e->request.body = &e->body.source;
    e->request.body_length = length;
}

void errand_text(struct errand *e, char *text)
{
    free(e->text);
    e->text = text;
    errand_body(e, text, strlen(text));
}

static void sign(struct errand *e)
{
    char hash[HASH_HEX_SIZE];
    struct err err = {0};

    if (e->way == WAY_AZURE) {
        http_request_header(&e->request, "x-ms-version", "2026-06-06");
        must(sharedkey_sign(&e->doors->sharedkey, &e->request, clock_wall(), &err), &err);
        return;
    }
    hash_hex(HASH_SHA256, e->request.body ? e->body.bytes : "", e->request.body_length, hash);
    must(sigv4_sign(&e->doors->sigv4, &e->request, hash, clock_wall(), &err), &err);
}

/* S3's code stands in the body. */
static const char *code_of(const struct errand *e, char text[60])
{
    const char *begin = strstr(e->response.error_body.data, "<Code>");

    if (e->way == WAY_AZURE)
        return errand_answer(e, "x-ms-error-code");
    (void)snprintf(text, 60, "%.*s", begin ? (int)strcspn(begin + 6, "<") : 0,
                   begin ? begin + 6 : "");
    return text;
}

void errand_run(struct errand *e)
{
    struct call call = CALL_INIT;
    struct sink_buf sink;
    char text[60];

    sign(e);
    sink_buf_init(&sink, &e->bytes);
    must(http_do(e->doors->client, &e->request, &e->response, &sink.sink, NULL, &call), &call.err);
    if (e->response.status >= 300)
        (void)snprintf(e->said, sizeof(e->said), "%d %s", e->response.status, code_of(e, text));
}

const char *errand_answer(const struct errand *e, const char *header)
{
    const char *value = http_response_header(&e->response, header);

    return value ? value : "";
}

int errand_number(const struct errand *e, const char *header)
{
    return (int)strtol(errand_answer(e, header), NULL, 10);
}

void errand_look(const struct errand *e, const char *metadata, struct seen *ret)
{
    const char *content = errand_answer(e, "Content-Type"), *etag = errand_answer(e, "ETag");
    size_t prefix = strlen(metadata);

    if (strncmp(content, "text/", 5) == 0)
        ret->content = content[5];
    if (!*e->said && *etag == '"')
        (void)snprintf(ret->etag, ETAG_LEN, "%.*s", (int)strcspn(etag + 1, "\""), etag + 1);
    /* Names of headers have no case, but their readers have eyes. */
    for (size_t i = 0; i < e->response.headers.count; i++) {
        const struct pair *header = &e->response.headers.list[i];
        if (strncmp(header->key, metadata, prefix) != 0)
            continue;
        if (strcmp(header->key + prefix, MODEL_KEY) == 0)
            ret->metadata = header->value[0];
        else if (strcmp(header->key + prefix, MODEL_KEY_LOW) == 0)
            ret->metadata_low = header->value[0];
    }
}

size_t errand_occurrences(const struct errand *e, const char *text)
{
    size_t count = 0;

    for (const char *at = e->bytes.data; (at = strstr(at, text)); at += strlen(text))
        count++;
    return count;
}

// SPDX-License-Identifier: EUPL-1.2
/* The client: a pool of libcurl handles.  See client.h. */
#include "http/client.h"

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "http/handle.h"
#include "util/clock.h"
#include "util/thread.h"

#define CONNECT_TIMEOUT (20 * CLOCK_SECOND)
#define STALL_TIMEOUT   (60 * CLOCK_SECOND)

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* libcurl wants this before any thread uses it; and a connection that the other side closed must
 * be an error, not a signal that ends the program. */
static void start_once(void)
{
    struct sigaction action;

    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
        action.sa_handler = SIG_IGN;
        (void)sigaction(SIGPIPE, &action, NULL);
    }
}

static void share_lock(CURL *curl, curl_lock_data data, curl_lock_access access, void *client)
{
    (void)curl;
    (void)access;
    (void)lock_take(&((struct http_client *)client)->share_locks[data]);
}

static void share_unlock(CURL *curl, curl_lock_data data, void *client)
{
    (void)curl;
    (void)pthread_mutex_unlock(&((struct http_client *)client)->share_locks[data]);
}

static void set_up_share(struct http_client *client)
{
    for (size_t i = 0; i < ARRAY_SIZE(client->share_locks); i++)
        (void)pthread_mutex_init(&client->share_locks[i], NULL);
    client->share = curl_share_init();
    if (!client->share)
        abort();
    (void)curl_share_setopt(client->share, CURLSHOPT_LOCKFUNC, share_lock);
    (void)curl_share_setopt(client->share, CURLSHOPT_UNLOCKFUNC, share_unlock);
    (void)curl_share_setopt(client->share, CURLSHOPT_USERDATA, client);
    (void)curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    (void)curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

int http_client_new(const struct http_client_options *options, struct http_client **ret,
                    struct err *e)
{
    static const struct http_client_options none = {0};
    struct x509_store_st *authorities = NULL;

    if (!options)
        options = &none;
    (void)pthread_once(&once, start_once);
    /* The system's are loaded when they are first wanted: it takes longer than many a command. */
    if (!options->insecure && options->ca_file &&
        http_tls_load(options->ca_file, &authorities, e) < 0)
        return -1;
    struct http_client *client = xcalloc(1, sizeof(*client));
    client->connect_timeout = options->connect_timeout ? options->connect_timeout : CONNECT_TIMEOUT;
    client->stall_timeout = options->stall_timeout ? options->stall_timeout : STALL_TIMEOUT;
    client->proxy = xstrdup_null(options->proxy);
    client->insecure = options->insecure;
    client->public_only = options->public_only;
    client->authorities = authorities;
    (void)pthread_mutex_init(&client->lock, NULL);
    set_up_share(client);
    *ret = client;
    return 0;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    while (client->idle) {
        struct http_handle *h = client->idle;
        client->idle = h->next;
        http_handle_free(h);
    }
    (void)curl_share_cleanup(client->share);
    for (size_t i = 0; i < ARRAY_SIZE(client->share_locks); i++)
        (void)pthread_mutex_destroy(&client->share_locks[i]);
    (void)pthread_mutex_destroy(&client->lock);
    http_tls_unload(client->authorities);
    free(client->proxy);
    free(client);
}

static struct http_handle *take_handle(struct http_client *client)
{
    {
        locked(&client->lock);
        struct http_handle *h = client->idle;
        if (h) {
            client->idle = h->next;
            return h;
        }
    }
    return http_handle_new(client);
}

static void put_back(struct http_handle *h)
{
    struct http_client *client = h->client;

    h->request = NULL;
    h->head.into = NULL;
    h->sink = NULL;
    h->begun = NULL;
    h->call = NULL;
    locked(&client->lock);
    h->next = client->idle;
    client->idle = h;
}

static bool is_loopback(const char *url)
{
    char place[300];
    struct in_addr address;

    http_place(url, place, sizeof(place));
    if (strncasecmp(place, "localhost:", 10) == 0 || strncmp(place, "[::1]:", 6) == 0)
        return true;
    place[strcspn(place, ":")] = '\0';
    return inet_pton(AF_INET, place, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static void begin(struct http_handle *h)
{
    struct http_response *response = h->head.into;

    pairs_release(&response->headers);
    buf_reset(&response->error_body);
    response->status = 0;
    response->content_length = HTTP_LENGTH_UNKNOWN;
    h->head = (struct http_head){.into = response};
    h->received = h->moved = h->head_bytes = 0;
    h->requests = 0;
    h->moved_at = clock_monotonic();
    h->ours = h->kept_off = false;
}

/* A kept connection may have been closed by the other side just as we began to send: nothing came
 * back, so the request can be sent again when its body can be read again. */
static bool was_stale(struct http_handle *h, CURLcode code)
{
    long connections = 0;
    struct http_request *request = h->request;

    if (code != CURLE_SEND_ERROR || h->ours || h->head_bytes > 0)
        return false;
    (void)curl_easy_getinfo(h->curl, CURLINFO_NUM_CONNECTS, &connections);
    if (connections > 0)
        return false;
    if (h->sent == 0)
        return true;
    if (!request->body->rewind || request->body->rewind(request->body, h->call) < 0)
        return false;
    h->sent = 0;
    return true;
}

static int exchange(struct http_handle *h)
{
    if (call_check(h->call) < 0 || http_handle_prepare(h) < 0)
        return -1;
    CURLcode code;
    bool again;
    int attempts = 0;
    h->sent = 0;
    do {
        begin(h);
        code = curl_easy_perform(h->curl);
        again = attempts++ < 2 && was_stale(h, code);
    } while (again);
    if (code != CURLE_OK)
        return http_failure(h, code);
    char place[300];
    if (!h->head.done) {
        http_place(h->request->url, place, sizeof(place));
        return err_set(&h->call->err, ERR_NETWORK, "%s: cut off before the whole answer came",
                       place);
    }
    if (h->kind == HTTP_KIND_TOGETHER) {
        struct source_bytes *bytes = source_as_bytes(h->request->body);
        bytes->at = bytes->length; /* as if it had been pulled */
        h->sent = h->request->body_length;
    }
    if (h->request->body && h->head.into->status < 300 && h->sent < h->request->body_length) {
        http_place(h->request->url, place, sizeof(place));
        return err_set(&h->call->err, ERR_REMOTE,
                       "%s: answered %d after reading only %llu of %llu bytes", place,
                       h->head.into->status, (unsigned long long)h->sent,
                       (unsigned long long)h->request->body_length);
    }
    return 0;
}

int http_do(struct http_client *client, struct http_request *request,
            struct http_response *response, struct sink *sink, struct http_begun *begun,
            struct call *call)
{
    if (client->insecure && !is_loopback(request->url) && strncmp(request->url, "https", 5) == 0)
        return err_set(&call->err, ERR_INVALID,
                       "insecure TLS is only for a loopback address; name the authority in "
                       "ca_file instead");
    struct http_handle *h = take_handle(client);
    if (!h)
        return err_set(&call->err, ERR_INTERNAL, "libcurl gives no handle");
    h->request = request;
    h->head.into = response;
    h->sink = sink;
    h->begun = begun;
    h->call = call;
    int result = exchange(h);
    put_back(h);
    return result;
}

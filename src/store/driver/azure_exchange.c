// SPDX-License-Identifier: EUPL-1.2
/* One request to Azure and its answer: URL, headers that every request has, credentials. */
#include <inttypes.h>
#include <string.h>

#include "codec/url.h"
#include "store/driver/azure_private.h"
#include "util/random.h"

void azure_exchange_release(struct azure_exchange *x)
{
    http_request_release(&x->request);
    http_response_release(&x->response);
    buf_release(&x->url);
    secret_release(&x->token);
}

static void put_path(struct buf *url, const char *container, const char *name)
{
    buf_char(url, '/');
    if (!container)
        return;
    url_escape(url, container, strlen(container), URL_KEEP_UNRESERVED);
    if (!name)
        return;
    buf_char(url, '/');
    url_escape(url, name, strlen(name), URL_KEEP_SLASH);
}

static void put_query(struct buf *url, bool *has_query, const char *key, const char *value)
{
    if (!*has_query)
        buf_char(url, '?');
    *has_query = true;
    query_add(url, key, value);
}

static void put_version(struct buf *url, bool *has_query, const struct object_key *key)
{
    if (!key->version)
        return;
    if (key->kind == VERSION_SNAPSHOT)
        put_query(url, has_query, "snapshot", key->version);
    else if (key->kind != VERSION_CURRENT)
        put_query(url, has_query, "versionid", key->version);
}

void azure_object_url(const struct azure *a, struct buf *url, const struct object_key *key)
{
    bool has_query = false;

    buf_text(url, a->endpoint);
    put_path(url, key->container, key->name);
    put_version(url, &has_query, key);
}

void azure_exchange_key(struct azure *a, struct azure_exchange *x, const char *method,
                        const struct object_key *key, char permission)
{
    azure_exchange_container(a, x, method, NULL, permission);
    buf_reset(&x->url);
    buf_text(&x->url, a->endpoint);
    put_path(&x->url, key->container, key->name);
    put_version(&x->url, &x->has_query, key);
}

void azure_exchange_container(struct azure *a, struct azure_exchange *x, const char *method,
                              const char *container, char permission)
{
    char id[33];

    x->request.method = method;
    x->permission = permission;
    buf_text(&x->url, a->endpoint);
    put_path(&x->url, container, NULL);
    random_hex(id, 16);
    azure_exchange_header(x, "x-ms-version", a->version);
    azure_exchange_header(x, "x-ms-client-request-id", id);
}

void azure_exchange_query(struct azure_exchange *x, const char *key, const char *value)
{
    put_query(&x->url, &x->has_query, key, value);
}

void azure_exchange_query_number(struct azure_exchange *x, const char *key, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    azure_exchange_query(x, key, text);
}

void azure_exchange_conditions(struct azure_exchange *x, const char *if_match, bool if_absent)
{
    if (if_match)
        http_request_headerf(&x->request, "If-Match", "\"%s\"", if_match);
    if (if_absent)
        azure_exchange_header(x, "If-None-Match", "*");
}

void azure_exchange_body(struct azure_exchange *x, struct source *body, uint64_t length)
{
    x->request.body = body;
    x->request.body_length = length;
}

const char *azure_answer(const struct azure_exchange *x, const char *header)
{
    return http_response_header(&x->response, header);
}

bool azure_refused_with(const struct azure_exchange *x, const char *code)
{
    const char *answered = azure_answer(x, "x-ms-error-code");

    return x->response.status >= 300 && answered && strcmp(answered, code) == 0;
}

/* Forget what signing added: it may be a secret. */
static void unsign(struct azure_exchange *x, size_t headers)
{
    struct pairs *p = &x->request.headers;

    while (p->count > headers) {
        explicit_bzero(p->list[p->count - 1].value, strlen(p->list[p->count - 1].value));
        pairs_remove(p, p->count - 1);
    }
    explicit_bzero(x->request.url, strlen(x->request.url));
    free(take(x->request.url));
}

static void forget_answer(struct azure_exchange *x)
{
    http_response_release(&x->response);
    x->response = (struct http_response)HTTP_RESPONSE_INIT;
}

static int send_once(struct azure *a, struct azure_exchange *x, bool renew, struct sink *sink,
                     struct http_begun *begun, struct call *call)
{
    size_t headers = x->request.headers.count;

    forget_answer(x);
    x->request.url = xstrdup(x->url.data);
    int result = azure_sign(a, x, renew, call);
    if (result == 0)
        result = http_do(a->client, &x->request, &x->response, sink, begun, call);
    unsign(x, headers);
    return result;
}

/* A refused token is worth a second try when the body, if there is one, can be sent again. */
static int may_renew(struct azure *a, struct azure_exchange *x, struct call *call)
{
    struct source *body = x->request.body;

    if (a->auth != AZURE_BEARER || x->response.status != 401)
        return 0;
    if (!body)
        return 1;
    if (!body->rewind)
        return 0;
    return body->rewind(body, call) < 0 ? -1 : 1;
}

int azure_exchange_do(struct azure *a, struct azure_exchange *x, struct sink *sink,
                      struct http_begun *begun, struct call *call)
{
    if (send_once(a, x, false, sink, begun, call) < 0)
        return -1;
    int again = may_renew(a, x, call);
    if (again < 0 || (again > 0 && send_once(a, x, true, sink, begun, call) < 0))
        return -1;
    return x->response.status < 300 ? 0 : azure_refusal(a, x, call);
}

int azure_exchange_text(struct azure *a, struct azure_exchange *x, struct buf *ret,
                        struct call *call)
{
    auto_buf struct buf text = BUF_INIT(AZURE_XML_MAX);
    struct sink_buf sink;

    sink_buf_init(&sink, &text);
    if (azure_exchange_do(a, x, &sink.sink, NULL, call) < 0)
        return -1;
    buf_release(ret);
    *ret = text;
    buf_init(&text, AZURE_XML_MAX);
    return 0;
}

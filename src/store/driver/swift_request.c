// SPDX-License-Identifier: EUPL-1.2
/* The Swift driver's requests: token, renewal, and what an answer that says no means. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "codec/url.h"
#include "store/driver/swift_internal.h"

char *swift_path(const char *container, const char *name)
{
    auto_buf struct buf path = BUF_INIT(URL_MAX);

    if (container) {
        buf_char(&path, '/');
        url_escape(&path, container, strlen(container), URL_KEEP_UNRESERVED);
    }
    if (name) {
        buf_char(&path, '/');
        url_escape(&path, name, strlen(name), URL_KEEP_SLASH);
    }
    return buf_take(&path);
}

char *swift_object_path(const struct object_key *key)
{
    auto_free char *path = swift_path(key->container, key->name);
    auto_buf struct buf query = BUF_INIT(URL_MAX);

    if (!key->version)
        return take(path);
    query_add(&query, "version-id", key->version);
    return xasprintf("%s?%s", path, query.data);
}

/* ---------------------------------------------------------------- sending */

static int send_once(struct swift *s, struct http_request *request, const char *path,
                     const struct keystone_access *access, struct http_response *response,
                     struct sink *sink, struct http_begun *begun, struct call *call)
{
    const char *base = s->storage_url ? s->storage_url : access->storage_url;

    free(request->url);
    request->url = xasprintf("%s%s", base, path);
    pairs_set(&request->headers, "X-Auth-Token", access->token);
    return http_do(s->client, request, response, sink, begun, call);
}

/* The body went out under a token that had expired: from its start again, where it can be. */
static int rewind_body(struct http_request *request, struct call *call)
{
    if (!request->body)
        return 0;
    if (!request->body->rewind)
        return err_set(&call->err, ERR_NETWORK,
                       "the token expired while a body was being sent that cannot be read twice: "
                       "there is a new token now, send it again");
    return request->body->rewind(request->body, call);
}

int swift_send(struct swift *s, struct http_request *request, const char *path,
               struct http_response *response, struct sink *sink, struct http_begun *begun,
               struct call *call)
{
    auto_keystone_access struct keystone_access access = KEYSTONE_ACCESS_INIT;

    if (keystone_access(s->auth, &access, call) < 0 ||
        send_once(s, request, path, &access, response, sink, begun, call) < 0)
        return -1;
    if (response->status != 401)
        return 0;
    keystone_refused(s->auth, &access);
    keystone_access_release(&access);
    http_response_release(response);
    *response = (struct http_response)HTTP_RESPONSE_INIT;
    if (keystone_access(s->auth, &access, call) < 0 || rewind_body(request, call) < 0)
        return -1;
    return send_once(s, request, path, &access, response, sink, begun, call);
}

/* ---------------------------------------------------------------- answers */

static const struct {
    int status;
    enum err_code code;
    const char *text;
} statuses[] = {
    {304, ERR_CHANGED, "the condition does not hold"},
    {400, ERR_INVALID, "the server does not accept the request"},
    {401, ERR_UNKNOWN_WHO, "a fresh token was refused too: check user, project and region"},
    {403, ERR_DENIED,
     "not permitted: give the user a role on the project or an entry in the "
     "container's access list"},
    {404, ERR_NOT_FOUND, "not there"},
    {405, ERR_UNSUPPORTED, "this server does not offer it"},
    {408, ERR_TIMEOUT, "the server gave up waiting for the body"},
    {409, ERR_CONFLICT, "its state does not permit this now"},
    {411, ERR_INVALID, "the server wants to know the length beforehand"},
    {412, ERR_CHANGED, "the condition does not hold: it was changed, or is there already"},
    {413, ERR_UNSUPPORTED, "larger than the server takes in one piece"},
    {416, ERR_RANGE, "the range lies outside the object"},
    {422, ERR_CORRUPT, "the MD5 of what arrived is not the one announced"},
    {429, ERR_BUSY, "too many requests"},
    {498, ERR_BUSY, "too many requests"},
    {499, ERR_NETWORK, "the connection was cut while the body was being sent"},
    {501, ERR_UNSUPPORTED, "this server does not offer it"},
    {503, ERR_BUSY, "the server is not available"},
    {507, ERR_NO_SPACE, "the server has no room left"},
};

/* The words of an error answer, if it has any: plain text, or what stands in <p> of Swift's HTML.
 * At most size - 1 printable characters of the first line. */
static void answer_words(const struct http_response *response, char *words, size_t size)
{
    const char *text = response->error_body.data, *stop = "\r\n";
    size_t length = 0;

    if (text[0] == '<') {
        text = strstr(text, "<p>");
        text = text ? text + 3 : "";
        stop = "<";
    }
    for (; *text && !strchr(stop, *text) && length + 1 < size; text++)
        words[length++] = isprint((unsigned char)*text) ? *text : '?';
    words[length] = '\0';
}

static int retry_after(const struct http_response *response)
{
    const char *text = http_response_header(response, "Retry-After");
    int seconds = 0;

    if (!text)
        return 0;
    for (; *text >= '0' && *text <= '9' && seconds < 86400; text++)
        seconds = seconds * 10 + (*text - '0');
    return *text ? 0 : seconds;
}

static enum err_code refine(int status, enum err_code code, const char *words, const char **text)
{
    if (status == 413 && (strstr(words, "quota") || strstr(words, "Quota"))) {
        *text = "the quota is used up: ask for more, or free some";
        return ERR_QUOTA;
    }
    if ((status == 400 && strstr(words, "name length")) ||
        (status == 412 && strstr(words, "UTF8"))) {
        *text = "the server cannot hold this name";
        return ERR_NAME;
    }
    if (status == 403 && strstr(words, "quota")) {
        *text = "the quota is used up: ask for more, or free some";
        return ERR_QUOTA;
    }
    return code;
}

int swift_refused(const struct http_response *response, struct call *call, const char *what, ...)
{
    char words[200], doing[600];
    enum err_code code = response->status >= 500 ? ERR_REMOTE : ERR_INVALID;
    const char *text = code == ERR_REMOTE ? "the server failed" : "the server refused";
    va_list arguments;

    va_start(arguments, what);
    (void)vsnprintf(doing, sizeof(doing), what, arguments);
    va_end(arguments);
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
        if (statuses[i].status == response->status) {
            code = statuses[i].code;
            text = statuses[i].text;
        }
    answer_words(response, words, sizeof(words));
    code = refine(response->status, code, words, &text);
    (void)err_set(&call->err, code, "%s: %s (HTTP %d%s%s)", doing, text, response->status,
                  *words ? ": " : "", words);
    call->err.retry_after = retry_after(response);
    return -1;
}

#define FORMAT_INTO(text, what)                                  \
    do {                                                         \
        va_list arguments_;                                      \
        va_start(arguments_, what);                              \
        (void)vsnprintf((text), sizeof(text), what, arguments_); \
        va_end(arguments_);                                      \
    } while (0)

int swift_simple(struct swift *s, struct http_request *request, const char *path,
                 struct http_response *response, struct sink *sink, struct call *call,
                 const char *what, ...)
{
    auto_response struct http_response mine = HTTP_RESPONSE_INIT;
    char doing[600];

    FORMAT_INTO(doing, what);
    if (!response)
        response = &mine;
    if (swift_send(s, request, path, response, sink, NULL, call) < 0)
        return err_prefix(&call->err, "%s", doing);
    if (response->status >= 300)
        return swift_refused(response, call, "%s", doing);
    return 0;
}

int swift_get_json(struct swift *s, const char *path, size_t limit, json_t **ret, struct call *call,
                   const char *what, ...)
{
    auto_request struct http_request request = {.method = "GET"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_buf struct buf body = BUF_INIT(limit);
    struct sink_buf sink;
    char doing[600];

    FORMAT_INTO(doing, what);
    sink_buf_init(&sink, &body);
    if (swift_simple(s, &request, path, &response, &sink.sink, call, "%s", doing) < 0)
        return -1;
    if (response.status == 204 || body.length == 0) {
        *ret = NULL;
        return 0;
    }
    if (json_parse(body.data, body.length, ret, &call->err) < 0) {
        call->err.code = ERR_REMOTE;
        return err_prefix(&call->err, "%s: the server's answer", doing);
    }
    return 0;
}

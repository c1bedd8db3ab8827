// SPDX-License-Identifier: EUPL-1.2
/* Plays scripted answers to a driver: see script.h. */
#include "script.h"

#include <stdio.h>
#include <strings.h>

struct script *script;
void (*script_check)(const struct http_request *request);

int wrap_http_do(struct http_client *client, struct http_request *request,
                 struct http_response *response, struct sink *sink, struct http_begun *begun,
                 struct call *call) __asm__("__wrap_http_do");

static void check_want(const struct http_request *request, const char *want)
{
    const char *colon = strstr(want, ": ");
    char name[100];

    if (*want == '!') {
        if (pairs_get_nocase(&request->headers, want + 1))
            fail_msg("%s was sent", want + 1);
        return;
    }
    (void)snprintf(name, sizeof(name), "%.*s", (int)(colon - want), want);
    const char *value = pairs_get_nocase(&request->headers, name);
    if (!value || strcmp(value, colon + 2) != 0)
        fail_msg("%s is '%s', not '%s'", name, value ? value : "(absent)", colon + 2);
}

static void check_request(const struct http_request *request, const struct exchange *x)
{
    if (strcmp(request->method, x->method) != 0 || !strstr(request->url, x->in_url))
        fail_msg("%s %s came, not %s ...%s", request->method, request->url, x->method, x->in_url);
    for (size_t i = 0; i < ARRAY_SIZE(x->wants) && x->wants[i]; i++)
        check_want(request, x->wants[i]);
    if (script_check)
        script_check(request);
}

static int answer(const struct exchange *x, struct http_response *response, struct sink *sink,
                  struct http_begun *begun, struct call *call)
{
    size_t n = x->length ? x->length : x->body ? strlen(x->body) : 0;

    if (x->status == 0)
        return err_set(&call->err, ERR_NETWORK, "the connection broke");
    response->status = x->status;
    response->content_length = n;
    for (size_t i = 0; i < ARRAY_SIZE(x->answers) && x->answers[i]; i++) {
        const char *colon = strstr(x->answers[i], ": ");
        pairs_add_n(&response->headers, x->answers[i], (size_t)(colon - x->answers[i]), colon + 2,
                    strlen(colon + 2));
        if (strncasecmp(x->answers[i], "Content-Length", 14) == 0)
            response->content_length = strtoull(colon + 2, NULL, 10);
    }
    if (x->status >= 300) {
        buf_bytes(&response->error_body, x->body ? x->body : "", n);
        return 0;
    }
    if (begun && begun->begun(begun, response, call) < 0)
        return -1;
    for (size_t at = 0; sink && at < n; at += 3)
        if (sink_write(sink, x->body + at, n - at < 3 ? n - at : 3, call) < 0)
            return -1;
    return 0;
}

int wrap_http_do(struct http_client *client, struct http_request *request,
                 struct http_response *response, struct sink *sink, struct http_begun *begun,
                 struct call *call)
{
    char bytes[65536] = {0}; /* tests send short bodies */
    uint64_t sent = 0;

    (void)client;
    if (script->at >= script->count)
        fail_msg("an unexpected request: %s %s", request->method, request->url);
    const struct exchange *x = &script->list[script->at++];
    check_request(request, x);
    while (request->body && sent < request->body_length) {
        assert_true(sent < sizeof(bytes) - 1);
        ssize_t got = source_read(request->body, bytes + sent, sizeof(bytes) - 1 - sent, call);
        if (got <= 0)
            return -1;
        sent += (uint64_t)got;
    }
    assert_int_equal(sent, request->body_length);
    if (x->in_body && !strstr(bytes, x->in_body))
        fail_msg("%s %s sent '%s', without '%s'", request->method, request->url, bytes, x->in_body);
    return answer(x, response, sink, begun, call);
}

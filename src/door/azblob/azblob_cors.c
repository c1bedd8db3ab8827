// SPDX-License-Identifier: EUPL-1.2
/*
 * Cross-origin requests: rules from the account's settings, the preflight, and the headers of
 * answers.  Source: REST reference, "Cross-Origin Resource Sharing (CORS) support".
 */
#include <string.h>
#include <strings.h>

#include "codec/json.h"
#include "door/azblob/azblob_private.h"

/* Whether one item of a comma list fits a text; prefixes: an item may end with '*'. */
static bool list_fits(const char *list, const char *text, size_t text_length, bool prefixes,
                      int (*compare)(const char *, const char *, size_t))
{
    while (list && *list) {
        size_t n;
        list += strspn(list, ", ");
        n = strcspn(list, ",");
        size_t length = n;
        while (length && list[length - 1] == ' ')
            length--;
        if (length == 1 && *list == '*')
            return true;
        if (prefixes && length && list[length - 1] == '*' && text_length >= length - 1 &&
            compare(list, text, length - 1) == 0)
            return true;
        if (length && length == text_length && compare(list, text, length) == 0)
            return true;
        list += n;
    }
    return false;
}

/* Every header the browser asks for, comma-separated, must be allowed. */
static bool headers_allowed(const char *allowed, const char *asked)
{
    while (asked && *asked) {
        size_t n;
        asked += strspn(asked, ", ");
        n = strcspn(asked, ", ");
        if (n && !list_fits(allowed, asked, n, true, strncasecmp))
            return false;
        asked += n;
    }
    return true;
}

struct question {
    const char *origin;
    const char *method;
    const char *headers; /* NULL: none are asked for */
};

/* The first rule that fits, among those of settings (kept by the caller); NULL: none. */
static const json_t *find_rule(const json_t *settings, const struct question *q)
{
    size_t i;
    const json_t *rule;

    json_array_foreach(json_object_get(settings, "cors"), i, rule)
    {
        if (list_fits(json_text(rule, "origins"), q->origin, strlen(q->origin), false, strncmp) &&
            list_fits(json_text(rule, "methods"), q->method, strlen(q->method), false, strncmp) &&
            headers_allowed(json_text(rule, "headers"), q->headers))
            return rule;
    }
    return NULL;
}

/* "*" stands only where the rule says so; then no credentials go with it. */
static void say_origin(struct azblob_request *r, const json_t *rule, const char *origin)
{
    const char *origins = json_text(rule, "origins");

    if (strcmp(origins, "*") == 0) {
        azblob_say(r, "Access-Control-Allow-Origin", "*");
        return;
    }
    azblob_say(r, "Access-Control-Allow-Origin", origin);
    azblob_say(r, "Access-Control-Allow-Credentials", "true");
    azblob_say(r, "Vary", "Origin");
}

void azblob_say_cors(struct azblob_request *r)
{
    const char *exposed;
    struct question q = {.origin = azblob_get(r, "Origin"), .method = r->head.method};

    if (!q.origin || !r->account.name || r->depth ||
        (r->operation && r->operation->handler == azblob_preflight))
        return;
    const json_t *rule = find_rule(r->settings, &q);
    if (!rule) {
        if (json_array_size(json_object_get(r->settings, "cors")))
            azblob_say(r, "Vary", "Origin");
        return;
    }
    say_origin(r, rule, q.origin);
    exposed = json_text(rule, "exposed");
    if (exposed && *exposed)
        azblob_say(r, "Access-Control-Expose-Headers", exposed);
}

int azblob_preflight(struct azblob_request *r, struct call *call)
{
    struct question q = {.origin = azblob_get(r, "Origin"),
                         .method = azblob_get(r, "Access-Control-Request-Method"),
                         .headers = azblob_get(r, "Access-Control-Request-Headers")};
    int64_t age = 0;

    if (!q.origin)
        return azblob_fail_header(r, AZBLOB_MISSING_REQUIRED_HEADER, "Origin", call);
    if (!q.method)
        return azblob_fail_header(r, AZBLOB_MISSING_REQUIRED_HEADER,
                                  "Access-Control-Request-Method", call);
    const json_t *rule = find_rule(r->settings, &q);
    if (!rule)
        return azblob_fail_with(r, AZBLOB_CORS_PREFLIGHT_FAILURE, "MessageDetails",
                                "No rule of the account allows this origin, method and headers.",
                                call);
    say_origin(r, rule, q.origin);
    azblob_say(r, "Access-Control-Allow-Methods", q.method);
    azblob_say(r, "Access-Control-Allow-Headers", q.headers);
    if (json_number(rule, "max_age", &age))
        azblob_sayf(r, "Access-Control-Max-Age", "%lld", (long long)age);
    return azblob_answer(r, 200);
}

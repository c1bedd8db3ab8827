// SPDX-License-Identifier: EUPL-1.2
/*
 * Which pages of other origins may use a bucket from a browser: the setting "cors", an array of
 * {id, origins, methods, headers, expose, max_age}.  The first rule that fits answers.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"

#define RULES_MAX 100

/* ---- Configuration ---- */

static const struct {
    const char *element;
    const char *key;
    bool needed;
} lists[] = {
    {"AllowedOrigin", "origins", true},
    {"AllowedMethod", "methods", true},
    {"AllowedHeader", "headers", false},
    {"ExposeHeader", "expose", false},
};

static bool method_is_known(const char *method)
{
    static const char *const methods[] = {"GET", "PUT", "POST", "DELETE", "HEAD"};
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcmp(methods[i], method) == 0)
            return true;
    return false;
}

/* The name of a header, in which '*' may stand. */
static bool is_header(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("!#$%&'*+-.^_`|~", *c) == NULL)
            return false;
    return name[0] != '\0';
}

static int read_list(struct s3_request *r, const struct xml_node *rule, size_t kind, json_t *into,
                     struct call *call)
{
    json_t *list = json_array();
    (void)json_object_set_new(into, lists[kind].key, list);
    for (const struct xml_node *n = xml_child(rule, lists[kind].element); n != NULL;
         n = xml_next(n)) {
        const char *star = strchr(n->text, '*');
        if (kind >= 2 && !is_header(n->text))
            return s3_failf(r, S3_INVALID_REQUEST, call,
                            "AllowedHeader \"%.200s\" contains invalid character.", n->text);
        if (strcmp(lists[kind].key, "methods") == 0 && !method_is_known(n->text))
            return s3_failf(r, S3_INVALID_REQUEST, call,
                            "Found unsupported HTTP method in CORS config. Unsupported method is "
                            "%.40s",
                            n->text);
        if (star != NULL && strchr(star + 1, '*') != NULL)
            return s3_failf(r, S3_INVALID_REQUEST, call,
                            "%s \"%.200s\" can not have more than one wildcard.",
                            lists[kind].element, n->text);
        (void)json_array_append_new(list, json_string(n->text));
    }
    if (lists[kind].needed && json_array_size(list) == 0)
        return s3_fail(r, S3_MALFORMED_XML, call);
    return 0;
}

static int read_rule(struct s3_request *r, const struct xml_node *rule, json_t *into,
                     struct call *call)
{
    const char *id = xml_text(rule, "ID");
    const char *age = xml_text(rule, "MaxAgeSeconds");
    if (id != NULL)
        (void)json_object_set_new(into, "id", json_string(id));
    if (age != NULL) {
        const char *digits = age + (*age == '-');
        if (*digits == '\0' || strlen(age) > 9 || strspn(digits, "0123456789") != strlen(digits))
            return s3_fail(r, S3_MALFORMED_XML, call);
        (void)json_object_set_new(into, "max_age", json_integer(strtol(age, NULL, 10)));
    }
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (read_list(r, rule, i, into, call) < 0)
            return -1;
    return 0;
}

int s3_put_cors(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    auto_json json_t *rules = json_array();
    if (s3_body_configuration(r, "CORSConfiguration", &node, call) < 0)
        return -1;
    for (const struct xml_node *n = xml_child(node, "CORSRule"); n != NULL; n = xml_next(n)) {
        json_t *rule = json_object();
        (void)json_array_append_new(rules, rule);
        if (json_array_size(rules) > RULES_MAX)
            return s3_fail(r, S3_MALFORMED_XML, call);
        if (read_rule(r, n, rule, call) < 0)
            return -1;
    }
    if (json_array_size(rules) == 0)
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (s3_setting_change(r, "cors", take(rules), call) < 0)
        return -1;
    return s3_answer(r, 200);
}

int s3_get_cors(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *rules;
    auto_buf struct buf body = BUF_INIT(8 * S3_CONFIGURATION_MAX);
    if (s3_setting_get(r, "cors", &settings, &rules, call) < 0)
        return -1;
    if (rules == NULL)
        return s3_fail(r, S3_NO_SUCH_CORS, call);
    s3_xml_root(&body, "CORSConfiguration");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        int64_t age;
        xml_open(&body, "CORSRule");
        if (json_text(rule, "id") != NULL)
            xml_element(&body, "ID", json_text(rule, "id"));
        for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
            const json_t *list = json_object_get(rule, lists[k].key);
            for (size_t j = 0; j < json_array_size(list); j++)
                xml_element(&body, lists[k].element, json_string_value(json_array_get(list, j)));
        }
        if (json_number(rule, "max_age", &age))
            buf_printf(&body, "<MaxAgeSeconds>%" PRId64 "</MaxAgeSeconds>", age);
        xml_close(&body, "CORSRule");
    }
    xml_close(&body, "CORSConfiguration");
    return s3_answer_xml(r, 200, &body);
}

int s3_delete_cors(struct s3_request *r, struct call *call)
{
    if (s3_setting_change(r, "cors", NULL, call) < 0)
        return -1;
    return s3_answer(r, 204);
}

/* ---- Asking the rules ---- */

/* At most one '*' in the pattern. */
static bool fits(const char *pattern, const char *text, size_t length, bool nocase)
{
    int (*compare)(const char *, const char *, size_t) = nocase ? strncasecmp : strncmp;
    const char *star = strchr(pattern, '*');
    size_t before = star != NULL ? (size_t)(star - pattern) : strlen(pattern);
    if (star == NULL)
        return before == length && compare(pattern, text, length) == 0;
    size_t after = strlen(star + 1);
    return length >= before + after && compare(pattern, text, before) == 0 &&
           compare(star + 1, text + length - after, after) == 0;
}

static const char *find(const json_t *rule, const char *key, const char *text, size_t length,
                        bool nocase)
{
    const json_t *list = json_object_get(rule, key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *pattern = json_string_value(json_array_get(list, i));
        if (pattern != NULL && fits(pattern, text, length, nocase))
            return pattern;
    }
    return NULL;
}

static bool headers_fit(const json_t *rule, const char *asked)
{
    for (const char *at = asked; at != NULL && *at != '\0';) {
        at += strspn(at, " \t,");
        size_t n = strcspn(at, ","), used = n;
        while (used > 0 && (at[used - 1] == ' ' || at[used - 1] == '\t'))
            used--;
        if (used > 0 && find(rule, "headers", at, used, true) == NULL)
            return false;
        at += n;
    }
    return true;
}

static char *joined(const json_t *list)
{
    auto_buf struct buf out = BUF_INIT(8 * S3_CONFIGURATION_MAX);
    for (size_t i = 0; i < json_array_size(list); i++)
        buf_printf(&out, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(list, i)));
    return out.length > 0 ? buf_take(&out) : NULL;
}

/* What was asked for, in small letters: "a, b"; NULL for nothing. */
static char *permitted_headers(const char *asked)
{
    auto_buf struct buf out = BUF_INIT(HTTP_ERROR_BODY_MAX);
    for (const char *at = asked; at != NULL && *at != '\0';) {
        at += strspn(at, " \t,");
        size_t n = strcspn(at, " \t,");
        if (n > 0 && out.length > 0)
            buf_text(&out, ", ");
        for (size_t i = 0; i < n; i++)
            buf_char(&out, (char)tolower((unsigned char)at[i]));
        at += n;
    }
    return out.length > 0 ? buf_take(&out) : NULL;
}

/* The first of those asked for that can be no header, heap; NULL: they all can. */
static char *no_header(const char *asked)
{
    for (const char *at = asked; at != NULL && *at != '\0';) {
        size_t n = strcspn(at, ",");
        auto_free char *name = xstrndup(at, n);
        char *start = name + strspn(name, " \t");
        size_t used = strlen(start);
        while (used > 0 && (start[used - 1] == ' ' || start[used - 1] == '\t'))
            start[--used] = '\0';
        if (used > 0 && !is_header(start))
            return xstrndup(at, n);
        at += n + (at[n] == ',');
    }
    return NULL;
}

/* The headers of a rule that fits; false when none does. */
static bool say_rule(struct s3_request *r, const json_t *rules, const char *origin,
                     const char *method, const char *headers)
{
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        const char *by = find(rule, "origins", origin, strlen(origin), false);
        int64_t age;
        if (by == NULL || find(rule, "methods", method, strlen(method), false) == NULL ||
            !headers_fit(rule, headers))
            continue;
        auto_free char *methods = joined(json_object_get(rule, "methods"));
        auto_free char *expose = joined(json_object_get(rule, "expose"));
        bool any = strcmp(by, "*") == 0;
        s3_say(r, "Access-Control-Allow-Origin", any ? "*" : origin);
        s3_say(r, "Access-Control-Allow-Methods", methods);
        auto_free char *permitted = permitted_headers(headers);
        s3_say(r, "Access-Control-Allow-Headers", permitted);
        s3_say(r, "Access-Control-Expose-Headers", expose);
        if (json_number(rule, "max_age", &age))
            s3_sayf(r, "Access-Control-Max-Age", "%" PRId64, age);
        if (!any)
            s3_say(r, "Access-Control-Allow-Credentials", "true");
        s3_say(r, "Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
        return true;
    }
    return false;
}

/* To every answer: what a rule permits the page that asked. */
void s3_say_cors(struct s3_request *r)
{
    const char *origin = s3_header(r, "origin");
    auto_json json_t *settings = NULL;
    json_t *rules;
    struct call aside = CALL_INIT;
    if (origin == NULL || strcmp(r->x->method, "OPTIONS") == 0 ||
        s3_setting_get(r, "cors", &settings, &rules, &aside) < 0 || rules == NULL)
        return;
    (void)say_rule(r, rules, origin, r->x->method, NULL);
}

int s3_preflight(struct s3_request *r, struct call *call)
{
    const char *origin = s3_header(r, "origin");
    const char *method = s3_header(r, "access-control-request-method");
    auto_json json_t *settings = NULL;
    json_t *rules;
    const char *headers = s3_header(r, "access-control-request-headers");
    if (origin == NULL || origin[0] == '\0')
        return s3_failf(r, S3_BAD_REQUEST, call,
                        "Insufficient information. Origin request header needed.");
    if (method == NULL || !method_is_known(method))
        return s3_failf(r, S3_BAD_REQUEST, call, "Invalid Access-Control-Request-Method: %.40s",
                        method != NULL ? method : "null");
    auto_free char *wrong = no_header(headers);
    if (wrong != NULL)
        return s3_failf(r, S3_BAD_REQUEST, call,
                        "Access-Control-Request-Headers \"%.200s\" contains invalid character.",
                        wrong);
    if (s3_setting_get(r, "cors", &settings, &rules, call) < 0)
        return -1;
    if (rules == NULL)
        return s3_failf(r, S3_CORS_FORBIDDEN, call,
                        "CORSResponse: CORS is not enabled for this bucket.");
    if (!say_rule(r, rules, origin, method, headers))
        return s3_fail(r, S3_CORS_FORBIDDEN, call);
    return s3_answer(r, 200);
}

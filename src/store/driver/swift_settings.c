// SPDX-License-Identifier: EUPL-1.2
/*
 * What is set on a Swift container, as JSON and back: docs/formats/container.md.
 *
 *     access      ".r:*" is "blob", with ".rlistings" "container"
 *     cors        one rule: Swift has origins, exposed headers and an age; it asks no more of
 *                 methods and headers than the access list does
 *     website     index, listing style; Swift names error pages by a suffix ("404error.html")
 *     versioning  X-Versions-Enabled
 *     quota       bytes and objects
 *     swift       access lists for named users, read and write: they name accounts of this one
 *                 cluster, so they are told and never applied
 *
 * Of an Azure account's own settings a rule for CORS is applied to each container that has none,
 * and the website to a container called $web.
 */
#include <inttypes.h>
#include <string.h>

#include "codec/json.h"
#include "store/driver/swift_internal.h"

#define WEB   "X-Container-Meta-Web-"
#define CORS  "X-Container-Meta-Access-Control-"
#define QUOTA "X-Container-Meta-Quota-"

/* ---------------------------------------------------------------- reading */

static void set_text(json_t *into, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(into, key, json_string(text));
}

static void set_number(json_t *into, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(into, key, json_integer(strtoll(text, NULL, 10)));
}

/* Words with spaces or commas between. */
static json_t *words(const char *text)
{
    json_t *list = json_array();

    while (text && *text) {
        size_t n = strcspn(text, " ,");
        if (n)
            json_array_append_new(list, json_stringn(text, n));
        text += n + (text[n] != '\0');
    }
    return list;
}

static void read_cors(const struct http_response *r, json_t *into)
{
    const char *origins = http_response_header(r, CORS "Allow-Origin");
    const char *age = http_response_header(r, CORS "Max-Age");

    if (!origins || !*origins)
        return;
    json_object_set_new(into, "cors",
                        json_pack("[{s:o,s:[s],s:[s],s:o,s:I}]", "origins", words(origins),
                                  "methods", "*", "headers", "*", "exposed",
                                  words(http_response_header(r, CORS "Expose-Headers")), "max_age",
                                  (json_int_t)(age ? strtoll(age, NULL, 10) : 0)));
}

static void read_website(const struct http_response *r, json_t *into)
{
    auto_json json_t *website = json_object();

    set_text(website, "index", http_response_header(r, WEB "Index"));
    set_text(website, "error_suffix", http_response_header(r, WEB "Error"));
    set_text(website, "listings", http_response_header(r, WEB "Listings"));
    set_text(website, "listings_css", http_response_header(r, WEB "Listings-CSS"));
    if (json_object_size(website))
        json_object_set(into, "website", website);
}

/* Whether the list says anything that "access" does not. */
static bool names_somebody(const char *readers)
{
    return readers && *readers && strcmp(readers, ".r:*") != 0 &&
           strcmp(readers, ".r:*,.rlistings") != 0;
}

static void read_lists(const struct http_response *r, json_t *into)
{
    auto_json json_t *lists = json_object();
    const char *readers = http_response_header(r, "X-Container-Read");

    if (names_somebody(readers))
        set_text(lists, "read", readers);
    set_text(lists, "write", http_response_header(r, "X-Container-Write"));
    if (json_object_size(lists))
        json_object_set(into, "swift", lists);
}

static void read_quota(const struct http_response *r, json_t *into)
{
    auto_json json_t *quota = json_object();

    set_number(quota, "bytes", http_response_header(r, QUOTA "Bytes"));
    set_number(quota, "objects", http_response_header(r, QUOTA "Count"));
    if (json_object_size(quota))
        json_object_set(into, "quota", quota);
}

static int read_all(struct swift *s, const char *container, json_t *into, struct call *call)
{
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_container struct container found = CONTAINER_INIT;

    if (swift_container_head(s, container, &response, call) < 0 ||
        swift_container_ops.stat(&s->store, container, &found, call) < 0)
        return -1;
    json_object_set_new(into, "access", json_string(found.access));
    if (found.versioning)
        json_object_set_new(into, "versioning", json_true());
    read_cors(&response, into);
    read_website(&response, into);
    read_quota(&response, into);
    read_lists(&response, into);
    return 0;
}

int swift_container_settings(struct store *store, const char *container, struct buf *ret_json,
                             struct call *call)
{
    auto_json json_t *settings = json_object();

    if (read_all(swift_of(store), container, settings, call) < 0)
        return -1;
    return json_write(ret_json, settings, &call->err);
}

/* --------------------------------------------------------------- applying */

/* A header value of a JSON text, or of a list's texts with a space between; false when it has
 * anything that a header cannot hold. */
static bool add_text(struct http_request *request, const char *header, const json_t *value)
{
    auto_buf struct buf text = BUF_INIT(8 * 1024);
    struct err ignored;
    size_t i;
    json_t *word;

    if (json_is_string(value)) {
        if (buf_add(&text, json_string_value(value), json_string_length(value), &ignored) < 0)
            return false;
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, word)
        {
            if (!json_is_string(word) || (i && buf_add(&text, " ", 1, &ignored) < 0) ||
                buf_add(&text, json_string_value(word), json_string_length(word), &ignored) < 0)
                return false;
        }
    } else {
        return false;
    }
    for (size_t at = 0; at < text.length; at++)
        if ((unsigned char)text.data[at] < 0x20 || text.data[at] == 0x7f)
            return false;
    http_request_header(request, header, text.data);
    return true;
}

/* One setting: 0 applied, 1 the server refuses it, -1 an error that will pass. */
static int post(struct swift *s, const char *container, struct http_request *request,
                struct call *call)
{
    auto_free char *path = swift_path(container, NULL);

    request->method = "POST";
    if (swift_simple(s, request, path, NULL, NULL, call, "set up container '%s'", container) == 0)
        return 0;
    if (err_is_passing(call->err.code) || call->err.code == ERR_CANCELLED ||
        call->err.code == ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    return 1;
}

static int apply_access(struct swift *s, const char *container, const json_t *value,
                        struct call *call)
{
    auto_request struct http_request request = {0}, again = {0};
    const char *word = json_string_value(value);
    auto_free char *segments = swift_segments_container(s, container);

    if (!word || (strcmp(word, "private") && strcmp(word, "blob") && strcmp(word, "container")))
        return 1;
    bool open = strcmp(word, "private") != 0;
    if (!open) {
        /* Closed to the public already: leave the users named in the list alone. */
        auto_container struct container found = CONTAINER_INIT;
        if (swift_container_ops.stat(&s->store, container, &found, call) < 0)
            return -1;
        if (strcmp(found.access, "private") == 0)
            return 0;
    }
    http_request_header(&request, open ? "X-Container-Read" : "X-Remove-Container-Read",
                        strcmp(word, "container") == 0 ? ".r:*,.rlistings" : ".r:*");
    int result = post(s, container, &request, call);
    if (result)
        return result;
    /* The bytes of large objects lie there; a container without any is fine. */
    http_request_header(&again, open ? "X-Container-Read" : "X-Remove-Container-Read", ".r:*");
    result = post(s, segments, &again, call);
    if (result < 0 && call->err.code == ERR_NOT_FOUND) {
        err_clear(&call->err);
        return 0;
    }
    return result;
}

static int apply_cors(struct swift *s, const char *container, const json_t *rules,
                      struct call *call)
{
    auto_request struct http_request request = {0};
    const json_t *rule = json_array_get(rules, 0);
    int64_t age;

    if (json_array_size(rules) != 1 ||
        !add_text(&request, CORS "Allow-Origin", json_object_get(rule, "origins")))
        return 1;
    if (json_array_size(json_object_get(rule, "exposed")) &&
        !add_text(&request, CORS "Expose-Headers", json_object_get(rule, "exposed")))
        return 1;
    if (json_number(rule, "max_age", &age) && age > 0)
        http_request_headerf(&request, CORS "Max-Age", "%" PRId64, age);
    return post(s, container, &request, call);
}

static int apply_website(struct swift *s, const char *container, const json_t *website,
                         struct call *call)
{
    static const struct {
        const char *key;
        const char *header;
    } parts[] = {
        {"index", WEB "Index"},
        {"error_suffix", WEB "Error"},
        {"listings", WEB "Listings"},
        {"listings_css", WEB "Listings-CSS"},
    };
    auto_request struct http_request request = {0};
    size_t carried = 0;

    if (!s->limits.website)
        return 1;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        const json_t *value = json_object_get(website, parts[i].key);
        carried += value && add_text(&request, parts[i].header, value);
    }
    if (!carried)
        return 1;
    int result = post(s, container, &request, call);
    /* A page by its full name, or a path, has no place here. */
    return result ? result : carried < json_object_size(website);
}

static int apply_versioning(struct swift *s, const char *container, const json_t *value,
                            struct call *call)
{
    auto_request struct http_request request = {0};

    if (json_is_true(value) && !s->limits.versioning)
        return 1;
    if (!s->limits.versioning)
        return 0;
    http_request_header(&request, "X-Versions-Enabled", json_is_true(value) ? "true" : "false");
    return post(s, container, &request, call);
}

static int apply_quota(struct swift *s, const char *container, const json_t *quota,
                       struct call *call)
{
    auto_request struct http_request request = {0};
    int64_t number;

    if (json_number(quota, "bytes", &number))
        http_request_headerf(&request, QUOTA "Bytes", "%" PRId64, number);
    if (json_number(quota, "objects", &number))
        http_request_headerf(&request, QUOTA "Count", "%" PRId64, number);
    return post(s, container, &request, call);
}

static const struct {
    const char *key;
    int (*apply)(struct swift *s, const char *container, const json_t *value, struct call *call);
} appliers[] = {
    {"access", apply_access},         {"cors", apply_cors},   {"website", apply_website},
    {"versioning", apply_versioning}, {"quota", apply_quota},
};

/* Servers answer 202 to settings they know nothing of: read back whether it is there. */
static int took(struct swift *s, const char *container, const char *key, const json_t *value,
                struct call *call)
{
    auto_json json_t *now = json_object();

    if (read_all(s, container, now, call) < 0)
        return -1;
    const json_t *there = json_object_get(now, key);
    if (json_is_string(value))
        return json_equal(there, value);
    if (json_is_boolean(value))
        return json_is_true(there) == json_is_true(value);
    return there != NULL;
}

/* Apply what from holds of this key, and take it out where that succeeds. */
static int apply_one(struct swift *s, const char *container, size_t index, json_t *from,
                     struct call *call)
{
    const char *key = appliers[index].key;
    const json_t *value = json_object_get(from, key);
    int result = value ? appliers[index].apply(s, container, value, call) : 1;

    if (result == 0) {
        int there = took(s, container, key, value, call);
        if (there > 0)
            json_object_del(from, key);
        result = there < 0 ? -1 : 0;
    }
    return result < 0 ? -1 : 0;
}

static int apply_account(struct swift *s, const char *container, json_t *left, struct call *call)
{
    json_t *account = json_object_get(left, "account");
    auto_json json_t *there = json_object();

    if (!json_is_object(account))
        return 0;
    if (read_all(s, container, there, call) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(appliers); i++) {
        const char *key = appliers[i].key;
        bool wanted = strcmp(key, "cors") == 0 ||
                      (strcmp(key, "website") == 0 && strcmp(container, "$web") == 0);
        if (wanted && !json_object_get(there, key) && apply_one(s, container, i, account, call) < 0)
            return -1;
    }
    if (json_object_size(account) == 0)
        json_object_del(left, "account");
    return 0;
}

int swift_container_apply(struct store *store, const char *container, const char *json,
                          struct buf *ret_left, struct call *call)
{
    struct swift *s = swift_of(store);
    auto_json json_t *left = NULL;

    if (json_parse(json, strlen(json), &left, &call->err) < 0)
        return -1;
    if (!json_is_object(left))
        return err_set(&call->err, ERR_INVALID, "container settings are a JSON object");
    json_object_del(left, "unread");
    for (size_t i = 0; i < ARRAY_SIZE(appliers); i++)
        if (apply_one(s, container, i, left, call) < 0)
            return -1;
    if (apply_account(s, container, left, call) < 0)
        return -1;
    return json_write(ret_left, left, &call->err);
}

// SPDX-License-Identifier: EUPL-1.2
/*
 * Websites: what browsers get of a bucket with a website configuration, under a host of its own.
 * Nobody signs here; what may be read is what everybody may read.  Errors are pages, and a path is
 * a path: no query names an operation.
 * Source: Amazon S3 User Guide, "Website endpoints", "Configuring a webpage redirect".
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "codec/json.h"
#include "codec/url.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"
#include "object/website.h"

#define PAGE_MAX (64 * 1024)
/* So much of a text of the request is told. */
#define TEXT_MAX 4096
/* The part of a host that says "website". */
#define LABEL "s3-website"
/* A domain is often "s3." and something; its websites are beside it. */
#define API_LABEL "s3."

/* ---- Which bucket ---- */

/* "bucket.s3-website" or "bucket.s3-website-region" of this length: the length of the bucket. */
static size_t before_label(const char *host, size_t length)
{
    size_t at = length;
    while (at > 0 && host[at - 1] != '.')
        at--;
    size_t label = length - at;
    if (at < 2 || label < strlen(LABEL) || strncasecmp(host + at, LABEL, strlen(LABEL)) != 0)
        return 0;
    return label == strlen(LABEL) || host[at + strlen(LABEL)] == '-' ? at - 1 : 0;
}

static size_t before_domain(const char *host, size_t length, const char *domain)
{
    size_t n = strlen(domain);
    bool ends = length > n + 1 && host[length - n - 1] == '.' &&
                strncasecmp(host + length - n, domain, n) == 0;
    return ends ? before_label(host, length - n - 1) : 0;
}

size_t s3_website_in_host(const struct s3_door *door, const char *host)
{
    size_t length = strcspn(host, ":");
    for (size_t i = 0; i < door->options.domain_count; i++) {
        const char *domain = door->options.domains[i];
        size_t found = before_domain(host, length, domain);
        if (found == 0 && strncasecmp(domain, API_LABEL, strlen(API_LABEL)) == 0)
            found = before_domain(host, length, domain + strlen(API_LABEL));
        if (found > 0)
            return found;
    }
    return 0;
}

/* ---- Errors ---- */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *words;
    } reasons[] = {
        {400, "Bad Request"},         {403, "Forbidden"},
        {404, "Not Found"},           {405, "Method Not Allowed"},
        {412, "Precondition Failed"}, {416, "Requested Range Not Satisfiable"},
        {501, "Not Implemented"},     {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].words;
    return status < 500 ? "Error" : "Internal Server Error";
}

static void list_item(struct buf *body, const char *word, const char *text)
{
    size_t n = strlen(text);
    buf_printf(body, "<li>%s: ", word);
    xml_escape_n(body, text, n < TEXT_MAX ? n : TEXT_MAX);
    buf_text(body, "</li>\n");
}

void s3_page_error(struct s3_request *r, const struct s3_code_row *row)
{
    auto_buf struct buf body = BUF_INIT(PAGE_MAX);
    const char *message = r->detail != NULL ? r->detail : row->message;
    const char *reason = reason_of(row->status);
    buf_printf(&body, "<html>\n<head><title>%d %s</title></head>\n<body>\n<h1>%d %s</h1>\n<ul>\n",
               row->status, reason, row->status, reason);
    list_item(&body, "Code", row->code);
    list_item(&body, "Message", message);
    if (r->key != NULL && row->status == 404)
        list_item(&body, "Key", r->key);
    list_item(&body, "RequestId", r->id);
    list_item(&body, "HostId", r->id);
    buf_text(&body, "</ul>\n<hr/>\n</body>\n</html>\n");
    s3_say(r, "x-amz-error-code", row->code);
    s3_say(r, "x-amz-error-message", row->message);
    (void)s3_answer_text(r, row->status, "text/html; charset=utf-8", &body);
}

/* ---- Redirects ---- */

/* To another key, on another host or this one. */
static int redirect(struct s3_request *r, int status, const char *protocol, const char *host,
                    const char *key)
{
    auto_buf struct buf location = BUF_INIT(URL_MAX);
    if (host == NULL && protocol != NULL)
        host = r->x->host;
    if (host != NULL)
        buf_printf(&location, "%s://%s",
                   protocol != NULL ? protocol
                   : r->secure      ? "https"
                                    : "http",
                   host);
    buf_char(&location, '/');
    url_escape(&location, key, strlen(key), URL_KEEP_SLASH);
    s3_say(r, "Location", location.data);
    return s3_answer(r, status);
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The first rule for this key and this status (0: before anything was looked for); NULL. */
static const json_t *find_rule(const json_t *website, const char *key, int status)
{
    const json_t *rule;
    size_t i;
    json_array_foreach(json_object_get(website, "rules"), i, rule)
    {
        const char *prefix = json_text(rule, "prefix"), *wanted = json_text(rule, "status");
        if (prefix != NULL && !begins(key, prefix))
            continue;
        if (wanted == NULL ? status == 0 : (int)strtol(wanted, NULL, 10) == status)
            return rule;
    }
    return NULL;
}

static int follow_rule(struct s3_request *r, const json_t *rule)
{
    const char *prefix = json_text(rule, "prefix"), *with = json_text(rule, "replace_prefix");
    const char *replace = json_text(rule, "replace"), *code = json_text(rule, "code");
    auto_free char *key = with != NULL
                              ? xasprintf("%s%s", with, r->key + (prefix ? strlen(prefix) : 0))
                              : xstrdup(replace != NULL ? replace : r->key);
    const char *protocol = json_text(rule, "protocol");
    const char *host = json_text(rule, "host");
    /* S3 names the host always: a rule may send http visitors to https. */
    return redirect(r, code != NULL ? (int)strtol(code, NULL, 10) : 301, protocol,
                    host != NULL ? host : r->x->host, key);
}

/* ---- Pages ---- */

static int may_read(void *argument, const char *name, struct call *call)
{
    struct s3_request *r = argument;
    if (s3_authorize_also(r, "s3:GetObject", r->bucket, name, call) == 0)
        return 1;
    if (r->code != S3_ACCESS_DENIED)
        return -1;
    r->code = S3_NONE;
    err_clear(&call->err);
    return 0;
}

static int answer_document(struct s3_request *r, struct outgoing *document, int status,
                           struct call *call)
{
    struct reading *reading = &document->reading;
    s3_say_object(r, &reading->object);
    if (reading->partial && status == 200) {
        status = 206;
        s3_sayf(r, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRId64, reading->offset,
                reading->offset + reading->length - 1, reading->object.size);
    }
    if (r->is_head) {
        uint64_t length = reading->length;
        outgoing_free(document);
        return s3_answer_length(r, status, length);
    }
    return s3_answer_stream(r, status, reading->length, outgoing_produce, document, outgoing_free,
                            call);
}

/* Neither a page nor a folder: a rule for it, the error document, or a page of our own. */
static int answer_failure(struct s3_request *r, const struct website *website,
                          const json_t *settings, enum s3_code code, struct call *call)
{
    const struct s3_code_row *row = s3_code_row(code);
    const json_t *rule = find_rule(settings, r->key, row->status);
    if (rule != NULL)
        return follow_rule(r, rule);
    struct outgoing *document = outgoing_new(r->door->options.service);
    int found = website_find_error(document->service, &r->place, website, &document->reading, call);
    if (found <= 0) {
        outgoing_free(document);
        return found < 0 ? -1 : s3_fail(r, code, call);
    }
    r->error_word = row->code;
    s3_say(r, "x-amz-error-code", row->code);
    s3_say(r, "x-amz-error-message", row->message);
    return answer_document(r, document, row->status, call);
}

/* What the conditions refuse tells the validators, as a GET does. */
static int refused(struct s3_request *r, const struct outgoing *document, struct call *call)
{
    const struct object_row *o = &document->reading.object;
    if (call->err.fault == FAULT_UNMODIFIED) {
        auto_free char *etag = s3_etag_of(o);
        s3_sayf(r, "ETag", "\"%s\"", etag);
        s3_say_time(r, "Last-Modified", o->modified);
    }
    if (call->err.fault == FAULT_RANGE)
        s3_sayf(r, "Content-Range", "bytes */%" PRId64, o->size);
    return -1;
}

static int answer_page(struct s3_request *r, const json_t *settings, struct call *call)
{
    const struct website website = {.index = json_text(settings, "index"),
                                    .error = json_text(settings, "error"),
                                    .redirects_folders = true,
                                    .may_read = may_read,
                                    .argument = r};
    struct conditions conditions;
    struct range range;
    enum website_outcome outcome;
    s3_range(r, &range);
    if (s3_conditions(r, &conditions, call) < 0)
        return -1;
    struct outgoing *document = outgoing_new(r->door->options.service);
    if (website_find(document->service, &r->place, &website, r->key, &conditions, &range, &outcome,
                     &document->reading, call) < 0) {
        int failed = refused(r, document, call);
        outgoing_free(document);
        return failed;
    }
    if (outcome == WEBSITE_PAGE)
        return answer_document(r, document, 200, call);
    outgoing_free(document);
    if (outcome == WEBSITE_FOLDER) {
        auto_free char *key = xasprintf("%s/", r->key);
        return redirect(r, 302, NULL, NULL, key);
    }
    return answer_failure(r, &website, settings,
                          outcome == WEBSITE_ABSENT ? S3_NO_SUCH_KEY : S3_ACCESS_DENIED, call);
}

int s3_get_page(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *website;
    if (s3_setting_get(r, "website", &settings, &website, call) < 0)
        return -1;
    if (website == NULL)
        return s3_fail(r, S3_NO_SUCH_WEBSITE, call);
    if (json_text(website, "redirect") != NULL)
        return redirect(r, 301, json_text(website, "protocol"), json_text(website, "redirect"),
                        r->key);
    const json_t *rule = find_rule(website, r->key, 0);
    return rule != NULL ? follow_rule(r, rule) : answer_page(r, website, call);
}

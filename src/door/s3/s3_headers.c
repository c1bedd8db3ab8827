// SPDX-License-Identifier: EUPL-1.2
/* What the S3 door reads out of headers and queries. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/base64.h"
#include "codec/date.h"
#include "codec/url.h"
#include "door/s3/s3_door_private.h"
#include "object/tags.h"

#define METADATA_MAX  2048
#define TAGS_MAX      10
#define TAG_KEY_MAX   128
#define TAG_VALUE_MAX 256

const char *s3_header(const struct s3_request *r, const char *header)
{
    return pairs_get_nocase(&r->x->headers, header);
}

const char *s3_query(const struct s3_request *r, const char *key)
{
    return pairs_get(&r->query, key);
}

bool s3_asks(const struct s3_request *r, const char *key)
{
    return pairs_get(&r->query, key) != NULL;
}

int s3_query_number(struct s3_request *r, const char *key, uint64_t max, unsigned *ret,
                    struct call *call)
{
    const char *text = s3_query(r, key);
    if (text == NULL)
        return 0;
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value > INT32_MAX)
        return s3_failf(r, S3_INVALID_ARGUMENT, call, "%s must be a whole number.", key);
    *ret = value > max ? (unsigned)max : (unsigned)value;
    return 0;
}

/* Dates that cannot be read do not condition anything (RFC 9110 section 13.1.3). */
static int64_t date_of(const char *text)
{
    int64_t time = TIME_UNKNOWN;
    struct err ignored = {0};
    if (text == NULL || date_parse_rfc1123(text, &time, &ignored) < 0)
        return TIME_UNKNOWN;
    return time;
}

int s3_conditions(struct s3_request *r, struct conditions *ret, struct call *call)
{
    (void)call;
    *ret = (struct conditions){.if_match = s3_header(r, "if-match"),
                               .if_none_match = s3_header(r, "if-none-match"),
                               .modified_since = date_of(s3_header(r, "if-modified-since")),
                               .unmodified_since = date_of(s3_header(r, "if-unmodified-since")),
                               .s3 = true};
    return 0;
}

int s3_source_conditions(struct s3_request *r, struct conditions *ret, struct call *call)
{
    (void)call;
    *ret = (struct conditions){
        .if_match = s3_header(r, "x-amz-copy-source-if-match"),
        .if_none_match = s3_header(r, "x-amz-copy-source-if-none-match"),
        .modified_since = date_of(s3_header(r, "x-amz-copy-source-if-modified-since")),
        .unmodified_since = date_of(s3_header(r, "x-amz-copy-source-if-unmodified-since")),
        .s3 = true};
    return 0;
}

/* ---- Tags ---- */

int s3_tags_check(struct s3_request *r, const struct pairs *tags, struct call *call)
{
    if (tags->count > TAGS_MAX)
        return s3_failf(r, S3_INVALID_TAG, call, "Object tags cannot be greater than %d", TAGS_MAX);
    for (size_t i = 0; i < tags->count; i++) {
        const struct pair *tag = &tags->list[i];
        if (tag->key[0] == '\0' || strlen(tag->key) > 4 * TAG_KEY_MAX ||
            strlen(tag->value) > 4 * TAG_VALUE_MAX || strncmp(tag->key, "aws:", 4) == 0)
            return s3_failf(r, S3_INVALID_TAG, call, "A tag's key or value is not valid.");
        for (size_t j = 0; j < i; j++)
            if (strcmp(tags->list[j].key, tag->key) == 0)
                return s3_failf(r, S3_INVALID_TAG, call,
                                "Cannot provide multiple Tags with the same key");
    }
    return 0;
}

int s3_tagging_parse(struct s3_request *r, const char *text, char **ret_json, struct call *call)
{
    auto_pairs struct pairs tags = PAIRS_INIT;
    if (query_parse(text, &tags, &call->err) < 0)
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL "
                        "query parameters without tag name duplicates.");
    if (s3_tags_check(r, &tags, call) < 0)
        return -1;
    free(*ret_json);
    *ret_json = pairs_to_json(&tags);
    return 0;
}

/* ---- What a write sets ---- */

static int metadata_of(struct s3_request *r, char **ret_json, struct call *call)
{
    auto_pairs struct pairs list = PAIRS_INIT;
    size_t size = 0;
    for (size_t i = 0; i < r->x->headers.count; i++) {
        const struct pair *header = &r->x->headers.list[i];
        if (strncasecmp(header->key, "x-amz-meta-", 11) != 0)
            continue;
        auto_free char *key = xstrdup(header->key + 11);
        for (char *c = key; *c != '\0'; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
        size += strlen(key) + strlen(header->value);
        const char *before = pairs_get(&list, key);
        auto_free char *joined =
            before != NULL ? xasprintf("%s,%s", before, header->value) : xstrdup(header->value);
        pairs_set(&list, key, joined);
    }
    if (size > METADATA_MAX)
        return s3_fail(r, S3_METADATA_TOO_LARGE, call);
    free(*ret_json);
    *ret_json = pairs_to_json(&list);
    return 0;
}

static int lock_of(struct s3_request *r, struct object_row *ret, struct call *call)
{
    const char *mode = s3_header(r, "x-amz-object-lock-mode");
    const char *until = s3_header(r, "x-amz-object-lock-retain-until-date");
    const char *hold = s3_header(r, "x-amz-object-lock-legal-hold");
    if ((mode == NULL) != (until == NULL))
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both "
                        "be supplied");
    if (mode != NULL) {
        bool governance = strcmp(mode, "GOVERNANCE") == 0;
        if (!governance && strcmp(mode, "COMPLIANCE") != 0)
            return s3_failf(r, S3_INVALID_ARGUMENT, call, "Unknown wormMode directive.");
        if (date_parse_iso8601(until, &ret->immutable_until, &call->err) < 0 ||
            ret->immutable_until <= r->now)
            return s3_failf(r, S3_INVALID_ARGUMENT, call,
                            "The retain until date must be in the future!");
        replace_string(&ret->immutable_mode, governance ? "governance" : "compliance");
    }
    if (hold != NULL && strcmp(hold, "ON") != 0 && strcmp(hold, "OFF") != 0)
        return s3_failf(r, S3_INVALID_ARGUMENT, call, "Legal Hold must be either of 'ON' or 'OFF'");
    ret->legal_hold = hold != NULL && strcmp(hold, "ON") == 0;
    return 0;
}

/* "aws-chunked" is how the body travels, not what it is. */
static char *encoding_of(const char *header)
{
    if (header == NULL)
        return NULL;
    auto_buf struct buf out = BUF_INIT(HTTP_ERROR_BODY_MAX);
    for (const char *at = header; *at != '\0';) {
        at += strspn(at, " \t,");
        size_t n = strcspn(at, ",");
        size_t used = n;
        while (used > 0 && (at[used - 1] == ' ' || at[used - 1] == '\t'))
            used--;
        if (used > 0 && !(used == 11 && strncasecmp(at, "aws-chunked", 11) == 0)) {
            buf_text(&out, out.length > 0 ? "," : "");
            buf_bytes(&out, at, used);
        }
        at += n;
    }
    return out.length > 0 ? buf_take(&out) : NULL;
}

static int storage_class_of(struct s3_request *r, struct object_row *ret, struct call *call)
{
    static const struct {
        const char *s3;
        const char *tier;
    } classes[] = {{"STANDARD", NULL},           {"STANDARD_IA", "Cool"},
                   {"ONEZONE_IA", "Cool"},       {"INTELLIGENT_TIERING", NULL},
                   {"REDUCED_REDUNDANCY", NULL}, {"GLACIER_IR", "Cold"}};
    const char *wanted = s3_header(r, "x-amz-storage-class");
    if (wanted == NULL)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
        if (strcmp(classes[i].s3, wanted) == 0) {
            replace_string(&ret->tier, classes[i].tier);
            return 0;
        }
    return s3_failf(r, S3_INVALID_ARGUMENT, call, "The storage class '%.40s' is not offered.",
                    wanted);
}

static int refuse_encryption(struct s3_request *r, struct call *call)
{
    const char *sse = s3_header(r, "x-amz-server-side-encryption");
    if (s3_header(r, "x-amz-server-side-encryption-customer-algorithm") != NULL ||
        (sse != NULL && strcmp(sse, "AES256") != 0))
        return s3_failf(r, S3_NOT_IMPLEMENTED, call,
                        "Server-side encryption with keys of the request or of a key service is "
                        "not offered.");
    return 0;
}

int s3_properties(struct s3_request *r, struct object_row *ret, struct call *call)
{
    replace_string(&ret->content_type, s3_header(r, "content-type"));
    replace_string(&ret->content_language, s3_header(r, "content-language"));
    replace_string(&ret->content_disposition, s3_header(r, "content-disposition"));
    replace_string(&ret->cache_control, s3_header(r, "cache-control"));
    replace_string(&ret->expires, s3_header(r, "expires"));
    free(ret->content_encoding);
    ret->content_encoding = encoding_of(s3_header(r, "content-encoding"));
    const char *tagging = s3_header(r, "x-amz-tagging");
    bool open;
    if (s3_acl_check(r, &open, call) < 0)
        return -1;
    if (tagging != NULL && s3_tagging_parse(r, tagging, &ret->tags, call) < 0)
        return -1;
    return refuse_encryption(r, call) < 0 || metadata_of(r, &ret->metadata, call) < 0 ||
                   lock_of(r, ret, call) < 0
               ? -1
               : storage_class_of(r, ret, call);
}

/* ---- Range ---- */

void s3_range(const struct s3_request *r, struct range *ret)
{
    const char *text = s3_header(r, "range");
    uint64_t first, last;
    int end = 0;
    *ret = (struct range){RANGE_ALL, 0, 0};
    if (text == NULL || strncasecmp(text, "bytes=", 6) != 0 || strchr(text, ',') != NULL)
        return;
    text += 6;
    if (sscanf(text, "-%" SCNu64 "%n", &last, &end) == 1 && text[end] == '\0' && text[1] >= '0')
        *ret = (struct range){RANGE_SUFFIX, 0, last};
    else if (*text >= '0' && *text <= '9' && sscanf(text, "%" SCNu64 "-%n", &first, &end) == 1 &&
             end > 0 && text[end] == '\0')
        *ret = (struct range){RANGE_FROM, first, UINT64_MAX};
    else if (*text >= '0' && *text <= '9' &&
             sscanf(text, "%" SCNu64 "-%" SCNu64 "%n", &first, &last, &end) == 2 &&
             text[end] == '\0' && first <= last)
        *ret = (struct range){RANGE_FROM, first, last};
}

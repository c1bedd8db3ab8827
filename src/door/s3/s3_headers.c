// SPDX-License-Identifier: EUPL-1.2
/* What the S3 door reads out of headers and queries. */
#include <ctype.h>
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

#define METADATA_MAX 2048

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
        return s3_fail_argument(r, key, text, call,
                                *text == '-' ? "Argument %s must be an integer between 0 and "
                                               "2147483647"
                                             : "Provided %s not an integer or within integer range",
                                *text == '-' ? text : key);
    *ret = value > max ? (unsigned)max : (unsigned)value;
    return 0;
}

int s3_number_of_part(struct s3_request *r, unsigned *ret, struct call *call)
{
    const char *text = s3_query(r, "partNumber");
    size_t n = text != NULL ? strlen(text) : 0;
    unsigned long number =
        n > 0 && n < 6 && strspn(text, "0123456789") == n ? strtoul(text, NULL, 10) : 0;
    if (number < 1 || number > S3_PARTS_MAX)
        return s3_fail_argument(r, "partNumber", text, call,
                                "Part number must be an integer between 1 and 10000, inclusive.");
    *ret = (unsigned)number;
    return 0;
}

int s3_version_check(struct s3_request *r, const char *version, struct call *call)
{
    int64_t ignored;
    struct err error = {0};
    size_t n = strlen(version);
    bool made_here = n == strlen("2026-11-22T10:00:00.1234567Z") &&
                     date_parse_iso8601(version, &ignored, &error) == 0;
    /* What other providers make, and a client may still have: not here, but no nonsense. */
    bool made_elsewhere = n >= 24 && n <= 128;
    for (const char *c = version; *c != '\0'; c++)
        made_elsewhere =
            made_elsewhere && (isalnum((unsigned char)*c) || strchr("._-", *c) != NULL);
    if (made_here || made_elsewhere || strcmp(version, "null") == 0)
        return 0;
    return s3_fail_argument(r, "versionId", version, call, "Invalid version id specified");
}

int s3_owner_check(struct s3_request *r, const char *header, struct call *call)
{
    const char *owner = s3_header(r, header);
    if (owner == NULL || r->account == NULL || strcmp(owner, r->account) == 0)
        return 0;
    return s3_fail(r, S3_ACCESS_DENIED, call);
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

int s3_write_conditions(struct s3_request *r, struct conditions *ret, struct call *call)
{
    if (s3_conditions(r, ret, call) < 0)
        return -1;
    /* Dates do not condition writes. */
    ret->modified_since = ret->unmodified_since = TIME_UNKNOWN;
    if (ret->if_none_match == NULL ||
        (strcmp(ret->if_none_match, "*") == 0 && ret->if_match == NULL))
        return 0;
    s3_explain(r, "Header", "If-None-Match");
    return s3_fail(r, S3_NOT_IMPLEMENTED, call);
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

int s3_tagging_parse(struct s3_request *r, const char *text, char **ret_json, struct call *call)
{
    auto_pairs struct pairs tags = PAIRS_INIT;
    bool good = query_parse(text, &tags, &call->err) == 0;
    for (size_t i = 0; i < tags.count && good; i++)
        good =
            tags.list[i].key[0] != '\0' && pairs_get(&tags, tags.list[i].key) == tags.list[i].value;
    if (!good)
        return s3_fail_argument(r, "x-amz-tagging", text, call,
                                "The header 'x-amz-tagging' shall be encoded as UTF-8 then "
                                "URLEncoded URL query parameters without tag name duplicates.");
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
        return s3_fail_argument(
            r, mode == NULL ? "x-amz-object-lock-mode" : "x-amz-object-lock-retain-until-date",
            NULL, call,
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode "
            "must both be supplied.");
    if (mode != NULL) {
        bool governance = strcmp(mode, "GOVERNANCE") == 0;
        if (!governance && strcmp(mode, "COMPLIANCE") != 0)
            return s3_failf(r, S3_INVALID_ARGUMENT, call, "Unknown wormMode directive.");
        if (date_parse_iso8601(until, &ret->immutable_until, &call->err) < 0)
            return s3_fail_argument(r, "x-amz-object-lock-retain-until-date", until, call,
                                    "The retain until date must be provided in ISO 8601 format");
        if (ret->immutable_until <= r->now)
            return s3_fail_argument(r, "x-amz-object-lock-retain-until-date", until, call,
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
    return s3_fail(r, S3_INVALID_STORAGE_CLASS, call);
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

/* Checked as S3 checks it, though nobody is redirected by an object here. */
static int check_redirect(struct s3_request *r, struct call *call)
{
    const char *to = s3_header(r, "x-amz-website-redirect-location");
    if (to == NULL || to[0] == '/' || strncmp(to, "http://", 7) == 0 ||
        strncmp(to, "https://", 8) == 0)
        return 0;
    return s3_fail(r, S3_INVALID_REDIRECT_LOCATION, call);
}

int s3_properties(struct s3_request *r, struct object_row *ret, struct call *call)
{
    const char *type = s3_header(r, "content-type");
    replace_string(&ret->content_type, type != NULL && type[0] != '\0' ? type : NULL);
    replace_string(&ret->content_language, s3_header(r, "content-language"));
    replace_string(&ret->content_disposition, s3_header(r, "content-disposition"));
    replace_string(&ret->cache_control, s3_header(r, "cache-control"));
    replace_string(&ret->expires, s3_header(r, "expires"));
    free(ret->content_encoding);
    ret->content_encoding = encoding_of(s3_header(r, "content-encoding"));
    const char *tagging = s3_header(r, "x-amz-tagging");
    const char *acl;
    if (s3_acl_check(r, false, &acl, call) < 0)
        return -1;
    if (tagging != NULL && s3_tagging_parse(r, tagging, &ret->tags, call) < 0)
        return -1;
    return refuse_encryption(r, call) < 0 || check_redirect(r, call) < 0 ||
                   metadata_of(r, &ret->metadata, call) < 0 || lock_of(r, ret, call) < 0
               ? -1
               : storage_class_of(r, ret, call);
}

/* ---- Range ---- */

/* Digits; as much as there can be where they say more. */
static const char *read_digits(const char *at, uint64_t *ret)
{
    size_t n = strspn(at, "0123456789");
    errno = 0;
    *ret = n > 0 ? strtoull(at, NULL, 10) : 0;
    if (errno != 0)
        *ret = UINT64_MAX;
    return at + n;
}

void s3_range(const struct s3_request *r, struct range *ret)
{
    const char *text = s3_header(r, "range");
    uint64_t first, last;
    *ret = (struct range){RANGE_ALL, 0, 0};
    if (text == NULL || strncasecmp(text, "bytes=", 6) != 0)
        return;
    text += 6;
    const char *dash = read_digits(text, &first);
    const char *end = *dash == '-' ? read_digits(dash + 1, &last) : dash;
    bool has_first = dash > text, has_last = end > dash + 1;
    if (*dash != '-' || *end != '\0' || (!has_first && !has_last))
        return;
    if (!has_first)
        *ret = (struct range){RANGE_SUFFIX, 0, last};
    else if (!has_last)
        *ret = (struct range){RANGE_FROM, first, UINT64_MAX};
    else if (first <= last)
        *ret = (struct range){RANGE_FROM, first, last};
}

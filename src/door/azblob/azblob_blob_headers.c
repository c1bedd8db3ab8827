// SPDX-License-Identifier: EUPL-1.2
/* What the operations on a blob read from their headers: see azblob_blob.h. */
#include <string.h>
#include <strings.h>

#include "codec/base64.h"
#include "crypto/crc.h"
#include "crypto/hash.h"
#include "door/azblob/azblob_blob.h"

#define DEFAULT_TYPE "application/octet-stream"

/* ---- Content headers ---- */

static const struct {
    const char *name;
    const char *plain; /* what serves in its place; NULL: nothing */
    size_t offset;
} content_headers[] = {
    {"x-ms-blob-content-type", "Content-Type", offsetof(struct object_row, content_type)},
    {"x-ms-blob-content-encoding", "Content-Encoding",
     offsetof(struct object_row, content_encoding)},
    {"x-ms-blob-content-language", "Content-Language",
     offsetof(struct object_row, content_language)},
    {"x-ms-blob-content-disposition", NULL, offsetof(struct object_row, content_disposition)},
    {"x-ms-blob-cache-control", "Cache-Control", offsetof(struct object_row, cache_control)},
};

int azblob_content_headers(struct azblob_request *r, enum azblob_properties which,
                           struct object_row *ret, bool *ret_given, struct call *call)
{
    unsigned char md5[MD5_SIZE];
    bool given = false;

    for (size_t i = 0; i < ARRAY_SIZE(content_headers); i++) {
        const char *value = azblob_get(r, content_headers[i].name);
        given |= value != NULL;
        if (!value && which == AZBLOB_PROPERTIES_PUT && content_headers[i].plain)
            value = azblob_get(r, content_headers[i].plain);
        /* An empty value takes the property away, as Azure has it. */
        if (value && *value)
            replace_string((char **)(void *)((char *)ret + content_headers[i].offset), value);
    }
    /* It is compared with a body only; elsewhere Azure keeps whatever it is told. */
    int there = azblob_header_digest(r, "x-ms-blob-content-md5",
                                     which == AZBLOB_PROPERTIES_PUT ? sizeof(md5) : 0,
                                     AZBLOB_INVALID_MD5, md5, call);
    if (there < 0)
        return -1;
    if (there)
        replace_string(&ret->content_md5, azblob_get(r, "x-ms-blob-content-md5"));
    if (ret_given)
        *ret_given = given || there;
    return 0;
}

/* ---- Times ---- */

static const char *const expiry_options[] = {"NeverExpire", "RelativeToNow", "RelativeToCreation",
                                             "Absolute"};
enum { EXPIRY_NEVER, EXPIRY_NOW, EXPIRY_CREATION, EXPIRY_ABSOLUTE };

/* The word's number in a list, without case; -1. */
static int word_number(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(word, list[i]) == 0)
            return (int)i;
    return -1;
}

/* Milliseconds from a moment on. */
static int expiry_relative(struct azblob_request *r, int64_t from, int64_t *ret, struct call *call)
{
    uint64_t milliseconds;
    int64_t until;

    int there = azblob_header_number(r, "x-ms-expiry-time", 0, INT64_MAX / CLOCK_MILLISECOND,
                                     &milliseconds, call);
    if (there < 0)
        return -1;
    if (!there)
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName", "x-ms-expiry-time",
                                call);
    if (__builtin_add_overflow(from, (int64_t)milliseconds * CLOCK_MILLISECOND, &until))
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-expiry-time", call);
    *ret = until;
    return 1;
}

int azblob_expiry(struct azblob_request *r, int64_t created, int64_t *ret, struct call *call)
{
    const char *option = azblob_get(r, "x-ms-expiry-option");
    int there;

    if (!option) {
        if (azblob_get(r, "x-ms-expiry-time"))
            return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName",
                                    "x-ms-expiry-option", call);
        return 0;
    }
    switch (word_number(option, expiry_options, ARRAY_SIZE(expiry_options))) {
    case EXPIRY_NEVER:
        *ret = TIME_UNKNOWN;
        return 1;
    case EXPIRY_NOW:
        return expiry_relative(r, r->now, ret, call);
    case EXPIRY_CREATION:
        return expiry_relative(r, created, ret, call);
    case EXPIRY_ABSOLUTE:
        there = azblob_header_date(r, "x-ms-expiry-time", ret, call);
        if (there > 0 && *ret <= r->now)
            return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-expiry-time", call);
        if (there)
            return there;
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName", "x-ms-expiry-time",
                                call);
    default:
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-expiry-option", call);
    }
}

int azblob_immutability(struct azblob_request *r, int64_t *ret_until, const char **ret_mode,
                        struct call *call)
{
    static const char *const modes[] = {"unlocked", "locked"};
    const char *mode = azblob_get(r, "x-ms-immutability-policy-mode");
    int number = mode ? word_number(mode, modes, ARRAY_SIZE(modes)) : 0;

    if (number < 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-immutability-policy-mode",
                                  call);
    int there = azblob_header_date(r, "x-ms-immutability-policy-until-date", ret_until, call);
    if (there < 0)
        return -1;
    if (!there) {
        if (mode)
            return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName",
                                    "x-ms-immutability-policy-until-date", call);
        return 0;
    }
    if (*ret_until <= r->now)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE,
                                  "x-ms-immutability-policy-until-date", call);
    *ret_mode = modes[number];
    return 1;
}

/* ---- The rest of what a write sets ---- */

int azblob_tier(struct azblob_request *r, const char **ret, struct call *call)
{
    static const char *const tiers[] = {"Hot", "Cool", "Cold", "Archive", "Smart", "Premium",
                                        "P4",  "P6",   "P10",  "P15",     "P20",   "P30",
                                        "P40", "P50",  "P60",  "P70",     "P80"};
    const char *tier = azblob_get(r, "x-ms-access-tier");

    if (!tier)
        return 0;
    int number = word_number(tier, tiers, ARRAY_SIZE(tiers));
    if (number < 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-access-tier", call);
    *ret = tiers[number];
    return 1;
}

int azblob_flag(struct azblob_request *r, const char *name, bool *ret, struct call *call)
{
    bool value = false;

    if (azblob_header_bool(r, name, &value, call) < 0)
        return -1;
    *ret = value;
    return 0;
}

int azblob_properties(struct azblob_request *r, enum azblob_properties which,
                      struct object_row *ret, struct call *call)
{
    const char *tier, *mode;
    bool tagged, hold;
    int there;

    if (azblob_content_headers(r, which, ret, NULL, call) < 0 ||
        azblob_metadata(r, &ret->metadata, call) < 0 ||
        azblob_tags_header(r, &ret->tags, &tagged, call) < 0)
        return -1;
    if (!ret->content_type)
        ret->content_type = xstrdup(DEFAULT_TYPE);
    if ((there = azblob_tier(r, &tier, call)) < 0)
        return -1;
    if (there) {
        ret->tier = xstrdup(tier);
        ret->tier_changed = r->now;
    }
    if ((there = azblob_immutability(r, &ret->immutable_until, &mode, call)) < 0)
        return -1;
    if (there)
        ret->immutable_mode = xstrdup(mode);
    if (azblob_flag(r, "x-ms-legal-hold", &hold, call) < 0)
        return -1;
    ret->legal_hold = hold;
    return azblob_expiry(r, r->now, &ret->goes_at, call) < 0 ? -1 : 0;
}

/* ---- Bodies and ranges ---- */

int azblob_body_between(struct azblob_request *r, uint64_t min, uint64_t max, struct call *call)
{
    if (r->body_length < min || (max == 0 && r->body_length > 0))
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "Content-Length", call);
    if (r->body_length > max) {
        auto_free char *limit = xasprintf("%llu", (unsigned long long)max);
        return azblob_fail_with(r, AZBLOB_REQUEST_BODY_TOO_LARGE, "MaxLimit", limit, call);
    }
    return 0;
}

int azblob_page_range(struct azblob_request *r, uint64_t *ret_offset, uint64_t *ret_length,
                      struct call *call)
{
    const char *name = azblob_get(r, "x-ms-range") ? "x-ms-range" : "Range";

    if (!azblob_get(r, name))
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName", "x-ms-range",
                                call);
    if (!r->has_range || r->range.kind != RANGE_FROM || r->range.last == UINT64_MAX)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, name, call);
    if (r->range.first % PAGE_SIZE_BYTES != 0 || (r->range.last + 1) % PAGE_SIZE_BYTES != 0)
        return azblob_fail(r, AZBLOB_INVALID_PAGE_RANGE, call);
    *ret_offset = r->range.first;
    *ret_length = r->range.last - r->range.first + 1;
    return 0;
}

int azblob_check_document(struct azblob_request *r, const struct buf *body,
                          struct azblob_digests *ret_digests, struct checksums *ret_sums,
                          struct call *call)
{
    unsigned char bytes[MD5_SIZE];
    struct azblob_digests digests = {0};
    struct checksums sums = {0};

    if (azblob_digests(r, "Content-MD5", &digests, call) < 0)
        return -1;
    hash_bytes(HASH_MD5, body->data, body->length, bytes);
    checksum_set(&sums, CHECKSUM_MD5, bytes);
    uint64_t crc = crc64_nvme(0, body->data, body->length);
    for (size_t i = 8; i-- > 0; crc >>= 8)
        bytes[i] = (unsigned char)crc;
    checksum_set(&sums, CHECKSUM_CRC64, bytes);
    if (checksums_compare(&digests.expected, &sums) < 0)
        return azblob_fail(r,
                           digests.expected.have & 1U << CHECKSUM_MD5 ? AZBLOB_MD5_MISMATCH
                                                                      : AZBLOB_CRC64_MISMATCH,
                           call);
    *ret_digests = digests;
    *ret_sums = sums;
    return 0;
}

int azblob_source_digests(struct azblob_request *r, struct azblob_digests *ret, struct call *call)
{
    struct azblob_digests digests = {.wanted = 1U << CHECKSUM_CRC64};
    unsigned char bytes[MD5_SIZE];

    int md5 = azblob_header_digest(r, "x-ms-source-content-md5", MD5_SIZE, AZBLOB_INVALID_MD5,
                                   bytes, call);
    if (md5 < 0)
        return -1;
    if (md5) {
        checksum_set(&digests.expected, CHECKSUM_MD5, bytes);
        digests.wanted |= 1U << CHECKSUM_MD5;
        digests.answer_md5 = true;
    }
    int crc = azblob_header_digest(r, "x-ms-source-content-crc64", 8, AZBLOB_INVALID_HEADER_VALUE,
                                   bytes, call);
    if (crc < 0)
        return -1;
    if (md5 && crc)
        return azblob_fail(r, AZBLOB_BOTH_CRC64_AND_MD5_HEADER_PRESENT, call);
    if (crc) {
        /* Ours is big-endian. */
        for (size_t i = 0; i < 4; i++) {
            unsigned char other = bytes[7 - i];
            bytes[7 - i] = bytes[i];
            bytes[i] = other;
        }
        checksum_set(&digests.expected, CHECKSUM_CRC64, bytes);
    }
    *ret = digests;
    return 0;
}

// SPDX-License-Identifier: EUPL-1.2
/* Reading what requests say in headers and query: see azblob_private.h. */
#include <string.h>
#include <strings.h>

#include "codec/base64.h"
#include "codec/date.h"
#include "crypto/crc.h"
#include "door/azblob/azblob_private.h"

const char *azblob_get(const struct azblob_request *r, const char *header)
{
    return pairs_get_nocase(r->head.headers, header);
}

const char *azblob_query(const struct azblob_request *r, const char *key)
{
    return pairs_get_nocase(&r->target.query, key);
}

const char *azblob_override(const struct azblob_request *r, const char *key)
{
    if (r->proof != AZBLOB_SAS_SERVICE && r->proof != AZBLOB_SAS_DELEGATION &&
        r->proof != AZBLOB_SAS_ACCOUNT)
        return NULL;
    return azblob_query(r, key);
}

/* A whole number without sign and within its bounds. */
static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    }
    if (value < min || value > max)
        return false;
    *ret = value;
    return true;
}

int azblob_header_number(struct azblob_request *r, const char *name, uint64_t min, uint64_t max,
                         uint64_t *ret, struct call *call)
{
    const char *text = azblob_get(r, name);

    if (!text)
        return 0;
    if (!read_number(text, min, max, ret))
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, name, call);
    return 1;
}

int azblob_query_number(struct azblob_request *r, const char *key, uint64_t min, uint64_t max,
                        uint64_t *ret, struct call *call)
{
    const char *text = azblob_query(r, key);
    uint64_t value;

    if (!text || !*text)
        return 0;
    if (!read_number(text, 0, UINT64_MAX, &value))
        return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, key,
                                 "Not a whole number.", call);
    if (value < min || value > max)
        return azblob_fail_query(r, AZBLOB_OUT_OF_RANGE_QUERY_PARAMETER_VALUE, key, NULL, call);
    *ret = value;
    return 1;
}

int azblob_header_bool(struct azblob_request *r, const char *name, bool *ret, struct call *call)
{
    const char *text = azblob_get(r, name);

    if (!text)
        return 0;
    if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, name, call);
    *ret = strcasecmp(text, "true") == 0;
    return 1;
}

int azblob_header_date(struct azblob_request *r, const char *name, int64_t *ret, struct call *call)
{
    const char *text = azblob_get(r, name);
    struct err ignored = {0};

    if (!text)
        return 0;
    if (date_parse_rfc1123(text, ret, &ignored) < 0 && date_parse_iso8601(text, ret, &ignored) < 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, name, call);
    return 1;
}

/* ---- Conditions ---- */

static int contradiction(struct azblob_request *r, const struct conditions *c, struct call *call)
{
    if ((c->if_match && c->if_none_match) ||
        (c->modified_since != TIME_UNKNOWN && c->unmodified_since != TIME_UNKNOWN))
        return azblob_fail(r, AZBLOB_MULTIPLE_CONDITION_HEADERS_NOT_SUPPORTED, call);
    return 0;
}

bool azblob_is_guid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (strlen(text) != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (form[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    return true;
}

int azblob_header_guid(struct azblob_request *r, const char *name, const char **ret,
                       struct call *call)
{
    const char *text = azblob_get(r, name);

    if (!text)
        return 0;
    if (!azblob_is_guid(text))
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, name, call);
    *ret = text;
    return 1;
}

/* The names that a request's conditions come by. */
struct condition_names {
    const char *match, *none_match, *modified, *unmodified;
};

static int etags_and_dates(struct azblob_request *r, const struct condition_names *names,
                           struct conditions *c, struct call *call)
{
    c->if_match = azblob_get(r, names->match);
    c->if_none_match = azblob_get(r, names->none_match);
    if (azblob_header_date(r, names->modified, &c->modified_since, call) < 0 ||
        azblob_header_date(r, names->unmodified, &c->unmodified_since, call) < 0)
        return -1;
    return 0;
}

int azblob_conditions(struct azblob_request *r, struct call *call)
{
    static const struct condition_names plain = {"If-Match", "If-None-Match", "If-Modified-Since",
                                                 "If-Unmodified-Since"};
    /* Tags are no part of what an ETag stands for, so the blob's own is named so. */
    static const struct condition_names of_blob = {"x-ms-blob-if-match", "x-ms-blob-if-none-match",
                                                   "x-ms-blob-if-modified-since",
                                                   "x-ms-blob-if-unmodified-since"};
    struct conditions c = CONDITIONS_INIT;
    bool tags = r->operation->handler == azblob_blob_get_tags ||
                r->operation->handler == azblob_blob_set_tags;

    c.if_tags = azblob_get(r, "x-ms-if-tags");
    if (etags_and_dates(r, tags ? &of_blob : &plain, &c, call) < 0 ||
        azblob_header_guid(r, "x-ms-lease-id", &c.lease, call) < 0)
        return -1;
    if (contradiction(r, &c, call) < 0)
        return -1;
    /* Whoever names a lease speaks of a blob that is there: Azure lets that go before the "*",
     * which libraries send with every upload that was not told to overwrite. */
    if (c.lease && same_string(c.if_none_match, "*") && r->operation->flags & AZBLOB_WRITES)
        c.if_none_match = NULL;
    /* Permission to create is none to overwrite. */
    if (r->create_only && !c.if_none_match)
        c.if_none_match = "*";
    r->conditions = c;
    return 0;
}

int azblob_source_conditions(struct azblob_request *r, struct conditions *ret, struct call *call)
{
    static const struct condition_names of_source = {
        "x-ms-source-if-match", "x-ms-source-if-none-match", "x-ms-source-if-modified-since",
        "x-ms-source-if-unmodified-since"};
    struct conditions c = CONDITIONS_INIT;

    c.if_tags = azblob_get(r, "x-ms-source-if-tags");
    if (etags_and_dates(r, &of_source, &c, call) < 0 ||
        azblob_header_guid(r, "x-ms-source-lease-id", &c.lease, call) < 0)
        return -1;
    if (contradiction(r, &c, call) < 0)
        return -1;
    *ret = c;
    return 0;
}

/* ---- Ranges ---- */

bool azblob_range_parse(const char *text, struct range *ret)
{
    struct range range = {.kind = RANGE_FROM, .last = UINT64_MAX};
    char first[21];
    size_t n;

    if (strncasecmp(text, "bytes=", 6) != 0)
        return false;
    text += 6;
    n = strspn(text, "0123456789");
    if (n == 0 || n >= sizeof(first) || text[n] != '-')
        return false;
    memcpy(first, text, n);
    first[n] = '\0';
    text += n + 1;
    if (!read_number(first, 0, INT64_MAX, &range.first))
        return false;
    if (*text && (!read_number(text, 0, UINT64_MAX, &range.last) || range.last < range.first))
        return false;
    *ret = range;
    return true;
}

void azblob_range(struct azblob_request *r)
{
    const char *text = azblob_get(r, "x-ms-range");

    if (!text)
        text = azblob_get(r, "Range");
    r->has_range = text && azblob_range_parse(text, &r->range);
}

/* ---- Digests ---- */

int azblob_header_digest(struct azblob_request *r, const char *name, size_t size,
                         enum azblob_code code, unsigned char *ret, struct call *call)
{
    const char *text = azblob_get(r, name);
    auto_buf struct buf bytes = BUF_INIT(64);
    struct err ignored = {0};

    if (!text)
        return 0;
    if (base64_decode(text, strlen(text), &bytes, &ignored) < 0 || (size && bytes.length != size))
        return azblob_fail_header(r, code, name, call);
    if (size)
        memcpy(ret, bytes.data, size);
    return 1;
}

int azblob_digests(struct azblob_request *r, const char *md5_header, struct azblob_digests *ret,
                   struct call *call)
{
    struct azblob_digests digests = {.wanted = 1U << CHECKSUM_CRC64};
    unsigned char md5[16], little[8], big[8];
    int has_md5 = 0, has_crc;

    if (md5_header && azblob_get(r, md5_header) && azblob_get(r, "x-ms-content-crc64"))
        return azblob_fail(r, AZBLOB_BOTH_CRC64_AND_MD5_HEADER_PRESENT, call);
    if (md5_header)
        has_md5 = azblob_header_digest(r, md5_header, sizeof(md5), AZBLOB_INVALID_MD5, md5, call);
    if (has_md5 < 0)
        return -1;
    has_crc = azblob_header_digest(r, "x-ms-content-crc64", sizeof(little),
                                   AZBLOB_INVALID_HEADER_VALUE, little, call);
    if (has_crc < 0)
        return -1;
    if (has_md5) {
        checksum_set(&digests.expected, CHECKSUM_MD5, md5);
        digests.wanted |= 1U << CHECKSUM_MD5;
        digests.answer_md5 = true;
    }
    if (has_crc) {
        for (size_t i = 0; i < sizeof(big); i++)
            big[i] = little[sizeof(little) - 1 - i];
        checksum_set(&digests.expected, CHECKSUM_CRC64, big);
    }
    *ret = digests;
    return 0;
}

void azblob_say_md5(struct azblob_request *r, const char *name, const struct checksums *sums)
{
    auto_buf struct buf text = BUF_INIT(64);

    if (!(sums->have & (1U << CHECKSUM_MD5)))
        return;
    base64_encode(&text, sums->md5, sizeof(sums->md5));
    azblob_say(r, name, text.data);
}

void azblob_say_crc64(struct azblob_request *r, const struct checksums *sums)
{
    char text[CRC64_TEXT];
    uint64_t crc = 0;

    if (!(sums->have & (1U << CHECKSUM_CRC64)))
        return;
    for (size_t i = 0; i < sizeof(sums->crc64); i++)
        crc = crc << 8 | sums->crc64[i];
    crc64_azure_text(text, crc);
    azblob_say(r, "x-ms-content-crc64", text);
}

void azblob_answer_digests(struct azblob_request *r, const struct azblob_digests *digests,
                           const struct checksums *sums)
{
    if (digests->answer_md5)
        azblob_say_md5(r, "Content-MD5", sums);
    azblob_say_crc64(r, sums);
}

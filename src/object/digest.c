// SPDX-License-Identifier: EUPL-1.2
/* Digests of a body on its way: see digest.h. */
#include "object/digest.h"

#include <inttypes.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/crc.h"
#include "object/fault.h"

static const struct {
    enum checksum_kind kind;
    enum hash_kind hash;
} hashed[] = {{CHECKSUM_MD5, HASH_MD5}, {CHECKSUM_SHA256, HASH_SHA256}, {CHECKSUM_SHA1, HASH_SHA1}};

static bool wants(const struct digest_source *d, enum checksum_kind kind)
{
    return (d->kinds & (1U << kind)) != 0;
}

static void update(struct digest_source *d, const void *bytes, size_t n)
{
    d->crc64 = crc64_nvme(d->crc64, bytes, n);
    if (wants(d, CHECKSUM_CRC32))
        d->crc32 = crc32_zip(d->crc32, bytes, n);
    if (wants(d, CHECKSUM_CRC32C))
        d->crc32c = crc32_castagnoli(d->crc32c, bytes, n);
    for (size_t i = 0; i < ARRAY_SIZE(hashed); i++)
        if (wants(d, hashed[i].kind))
            hash_update(&d->hashes[hashed[i].hash], bytes, n);
}

static ssize_t digest_read(struct source *s, void *bytes, size_t n, struct call *call)
{
    struct digest_source *d = container_of(s, struct digest_source, source);
    if (d->left == 0)
        return 0;
    ssize_t got = source_read(d->from, bytes, n < d->left ? n : (size_t)d->left, call);
    if (got == 0)
        (void)fault_set(&call->err, FAULT_BODY_SHORT,
                        "the body ended %" PRIu64 " bytes before its announced length", d->left);
    if (got <= 0) {
        d->failed = true;
        d->failure = call->err;
        return -1;
    }
    update(d, bytes, (size_t)got);
    d->left -= (uint64_t)got;
    return got;
}

void digest_init(struct digest_source *d, struct source *from, uint64_t size, unsigned kinds)
{
    *d = (struct digest_source){
        .source = {.read = digest_read}, .from = from, .left = size, .kinds = kinds};
    for (size_t i = 0; i < ARRAY_SIZE(hashed); i++)
        if (wants(d, hashed[i].kind))
            hash_init(&d->hashes[hashed[i].hash], hashed[i].hash);
}

void digest_release(struct digest_source *d)
{
    for (size_t i = 0; i < ARRAY_SIZE(hashed); i++)
        if (wants(d, hashed[i].kind))
            hash_release(&d->hashes[hashed[i].hash]);
}

uint64_t digest_crc64(const struct digest_source *d)
{
    return d->crc64;
}

static void set_number(struct checksums *into, enum checksum_kind kind, uint64_t value)
{
    unsigned char bytes[8];
    size_t n = checksum_size(kind);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(value >> (8 * (n - 1 - i)));
    checksum_set(into, kind, bytes);
}

void digest_final(struct digest_source *d, struct checksums *ret)
{
    *ret = (struct checksums){0};
    set_number(ret, CHECKSUM_CRC64, d->crc64);
    if (wants(d, CHECKSUM_CRC32))
        set_number(ret, CHECKSUM_CRC32, d->crc32);
    if (wants(d, CHECKSUM_CRC32C))
        set_number(ret, CHECKSUM_CRC32C, d->crc32c);
    for (size_t i = 0; i < ARRAY_SIZE(hashed); i++) {
        unsigned char digest[HASH_MAX_SIZE];
        if (!wants(d, hashed[i].kind))
            continue;
        hash_final(&d->hashes[hashed[i].hash], digest);
        checksum_set(ret, hashed[i].kind, digest);
    }
}

int digests_expected(const struct checksums *expected, const struct checksums *got, struct err *e)
{
    struct checksums want = *expected;
    struct checksums have = *got;
    for (int k = 0; k < CHECKSUM_KIND_COUNT; k++) {
        enum checksum_kind kind = (enum checksum_kind)k;
        unsigned bit = 1U << k;
        if ((want.have & have.have & bit) == 0 ||
            memcmp(checksum_bytes(&want, kind), checksum_bytes(&have, kind), checksum_size(kind)) ==
                0)
            continue;
        enum fault fault = kind == CHECKSUM_MD5     ? FAULT_MD5
                           : kind == CHECKSUM_CRC64 ? FAULT_CRC64
                                                    : FAULT_CHECKSUM;
        return fault_set(e, fault, "the body's %s is not the one announced", checksum_word(kind));
    }
    return 0;
}

char *checksums_json(const struct checksums *sums, const char *algorithm, const char *type,
                     const char *value)
{
    struct checksums copy = *sums;
    auto_json json_t *object = json_object();
    for (int k = 0; k < CHECKSUM_KIND_COUNT; k++) {
        enum checksum_kind kind = (enum checksum_kind)k;
        char text[65];
        if ((copy.have & (1U << k)) == 0)
            continue;
        hex_encode(text, checksum_bytes(&copy, kind), checksum_size(kind));
        (void)json_object_set_new(object, checksum_word(kind), json_string(text));
    }
    if (algorithm != NULL)
        (void)json_object_set_new(object, "s3_algorithm", json_string(algorithm));
    if (type != NULL)
        (void)json_object_set_new(object, "s3_type", json_string(type));
    if (value != NULL)
        (void)json_object_set_new(object, "s3_value", json_string(value));
    return json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
}

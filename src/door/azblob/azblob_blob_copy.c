// SPDX-License-Identifier: EUPL-1.2
/*
 * Copies of whole blobs: Copy Blob, Copy Blob From URL, Put Blob From URL, Abort Copy Blob.
 *
 * Inside the service a copy takes no bytes and is done at once, whichever of the three was asked
 * for.  From elsewhere the synchronous ones read the bytes while the client waits; Copy Blob leaves
 * that to the copier.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "crypto/crc.h"
#include "crypto/hash.h"
#include "door/azblob/azblob_blob.h"
#include "object/lease.h"

/* The longest source of a synchronous Copy Blob From URL. */
#define SYNC_MAX (256 * AZBLOB_MIB)

/* What is asked for. */
struct copying {
    struct object_row properties;
    bool headers_given;
    bool keep_headers;
    bool keep_metadata;
    bool keep_tags;
    struct azblob_digests digests; /* of the source */
    struct azblob_copy_source source;
    char id[AZBLOB_GUID_SIZE]; /* x-ms-copy-id; "" for Put Blob From URL, which is no copy */
};

static void copying_release(struct copying *c)
{
    azblob_copy_source_release(&c->source);
    object_row_release(&c->properties);
}

static int read_tag_option(struct azblob_request *r, struct copying *c, struct call *call)
{
    const char *option = azblob_get(r, "x-ms-copy-source-tag-option");

    if (!option || strcasecmp(option, "REPLACE") == 0)
        return 0;
    /* Either the source's or those given. */
    if (strcasecmp(option, "COPY") != 0 || azblob_get(r, "x-ms-tags"))
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-copy-source-tag-option",
                                  call);
    c->keep_tags = true;
    return 0;
}

static int read_copying(struct azblob_request *r, struct copying *c, struct call *call)
{
    bool seal;

    c->keep_headers = true;
    if (azblob_body_between(r, 0, 0, call) < 0 ||
        azblob_properties(r, AZBLOB_PROPERTIES_BLOB, &c->properties, call) < 0 ||
        read_tag_option(r, c, call) < 0 || azblob_source_digests(r, &c->digests, call) < 0 ||
        azblob_flag(r, "x-ms-seal-blob", &seal, call) < 0)
        return -1;
    /* What none has named is the source's, before it is the default. */
    if (!azblob_get(r, "x-ms-blob-content-type"))
        replace_string(&c->properties.content_type, NULL);
    c->keep_metadata = c->properties.metadata == NULL;
    c->properties.sealed = seal;
    return azblob_copy_source_find(r, &c->source, call);
}

/* ---- Inside the service ---- */

/* The source's bytes must be what the client says they are. */
static int verify_own(struct azblob_request *r, struct copying *c, struct checksums *ret,
                      struct call *call)
{
    auto_hash struct hash md5 = HASH_INIT;
    unsigned char digest[MD5_SIZE], bytes[16 * 1024];
    struct checksums sums = {0};
    uint64_t crc = 0;
    ssize_t n;

    if (!c->digests.expected.have)
        return 0;
    if (azblob_copy_source_open(r, &c->source, UINT64_MAX, call) < 0)
        return -1;
    hash_init(&md5, HASH_MD5);
    while ((n = source_read(c->source.body, bytes, sizeof(bytes), call)) > 0) {
        hash_update(&md5, bytes, (size_t)n);
        crc = crc64_nvme(crc, bytes, (size_t)n);
    }
    if (n < 0)
        return -1;
    hash_final(&md5, digest);
    checksum_set(&sums, CHECKSUM_MD5, digest);
    for (size_t i = 8; i-- > 0; crc >>= 8)
        digest[i] = (unsigned char)crc;
    checksum_set(&sums, CHECKSUM_CRC64, digest);
    *ret = sums;
    if (checksums_compare(&c->digests.expected, &sums) >= 0)
        return 0;
    return azblob_fail(r, c->digests.answer_md5 ? AZBLOB_MD5_MISMATCH : AZBLOB_CRC64_MISMATCH,
                       call);
}

/* Headers given go before the source's. */
static void merge_headers(struct object_row *into, const struct object_row *from)
{
    char **const given[] = {&into->content_type,     &into->content_encoding,
                            &into->content_language, &into->content_disposition,
                            &into->cache_control,    &into->content_md5};
    char *const source[] = {from->content_type,     from->content_encoding,
                            from->content_language, from->content_disposition,
                            from->cache_control,    from->content_md5};

    for (size_t i = 0; i < ARRAY_SIZE(given); i++)
        if (!*given[i])
            replace_string(given[i], source[i]);
}

static int copy_own(struct azblob_request *r, struct copying *c, bool to_block,
                    struct object_row *ret, struct checksums *ret_sums, struct call *call)
{
    auto_free char *copy = NULL;
    struct copy_request request = {.to = r->place,
                                   .conditions = r->conditions,
                                   .properties = &c->properties,
                                   .keep_headers = c->keep_headers && !c->headers_given,
                                   .keep_metadata = c->keep_metadata,
                                   .keep_tags = c->keep_tags,
                                   .keep_sealed = !azblob_get(r, "x-ms-seal-blob"),
                                   .to_type_block = to_block};

    /* Looked at first: its size is part of the copy's state, and what is copied is this state of
     * it or none. */
    if (azblob_copy_source_stat(r, &c->source, call) < 0 || verify_own(r, c, ret_sums, call) < 0)
        return -1;
    struct object_row *from = &c->source.object;
    if (to_block && from->type != OBJECT_BLOCK)
        return azblob_fail(r, AZBLOB_INVALID_SOURCE_BLOB_TYPE, call);
    if (c->keep_headers && c->headers_given)
        merge_headers(&c->properties, from);
    if (*c->id)
        copy = azblob_copy_json(c->id, c->source.url, AZBLOB_COPY_SUCCESS, (uint64_t)from->size,
                                (uint64_t)from->size, r->now, NULL);
    request.copy = copy;
    request.from = c->source.place;
    request.from_conditions = c->source.conditions;
    request.from_conditions.if_match = from->etag;
    request.from_conditions.if_none_match = NULL;
    if (service_copy(azblob_service(r), &request, ret, call) == 0)
        return 0;
    if (call->err.fault == FAULT_COPY_SOURCE)
        return azblob_fail_source(r, AZBLOB_CONTAINER_NOT_FOUND, call);
    return -1;
}

/* ---- From elsewhere, while the client waits ---- */

static void take_foreign(struct copying *c)
{
    struct object_row *from = &c->source.object;

    if (c->keep_headers)
        merge_headers(&c->properties, from);
    if (c->keep_metadata)
        replace_string(&c->properties.metadata, from->metadata);
}

static int pull_foreign(struct azblob_request *r, struct copying *c, uint64_t max,
                        struct object_row *ret, struct checksums *ret_sums, struct call *call)
{
    auto_free char *copy = NULL;
    struct put_request put = {.place = r->place,
                              .conditions = r->conditions,
                              .properties = &c->properties,
                              .type = OBJECT_BLOCK,
                              .expected = c->digests.expected,
                              .wanted = c->digests.wanted,
                              .keep_md5 = true};

    if (azblob_copy_source_open(r, &c->source, max, call) < 0)
        return -1;
    if (c->source.object.type != OBJECT_BLOCK)
        return azblob_fail(r, AZBLOB_INVALID_SOURCE_BLOB_TYPE, call);
    take_foreign(c);
    if (*c->id)
        copy = azblob_copy_json(c->id, c->source.url, AZBLOB_COPY_SUCCESS, c->source.length,
                                c->source.length, r->now, NULL);
    replace_string(&c->properties.copy, copy);
    put.body = c->source.body;
    put.size = c->source.length;
    return service_put(azblob_service(r), &put, ret, ret_sums, call);
}

/* ---- Copy Blob, Copy Blob From URL ---- */

static int answer_copy(struct azblob_request *r, const struct copying *c,
                       const struct object_row *row, const char *status)
{
    azblob_say_etag(r, row->etag, row->modified);
    if (row->versioned)
        azblob_say(r, "x-ms-version-id", row->version);
    azblob_say(r, "x-ms-copy-id", c->id);
    azblob_say(r, "x-ms-copy-status", status);
    return azblob_answer(r, 202);
}

/* Foreign and asynchronous: what is there afterwards is an empty blob that says "pending". */
static int begin_foreign(struct azblob_request *r, struct copying *c, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();

    if (azblob_copy_source_open(r, &c->source, UINT64_MAX, call) < 0)
        return -1;
    if (c->source.object.type != OBJECT_BLOCK)
        return azblob_fail(r, AZBLOB_INVALID_SOURCE_BLOB_TYPE, call);
    take_foreign(c);
    if (azblob_copier_start(r, &c->source, c->id, &c->properties, &row, call) < 0)
        return -1;
    return answer_copy(r, c, &row, AZBLOB_COPY_PENDING);
}

int azblob_blob_copy(struct azblob_request *r, struct call *call)
{
    cleanup(copying_release) struct copying c = {.properties = object_row_new()};
    auto_object_row struct object_row row = object_row_new();
    struct checksums sums = {0};
    bool sync;

    if (azblob_flag(r, "x-ms-requires-sync", &sync, call) < 0 || read_copying(r, &c, call) < 0)
        return -1;
    azblob_guid(c.id);
    if (c.source.own) {
        if (copy_own(r, &c, sync, &row, &sums, call) < 0)
            return -1;
    } else if (!sync) {
        return begin_foreign(r, &c, call);
    } else if (pull_foreign(r, &c, SYNC_MAX, &row, &sums, call) < 0) {
        return -1;
    }
    if (sync) {
        azblob_say(r, "Content-MD5", row.content_md5);
        azblob_say_crc64(r, &sums);
    }
    return answer_copy(r, &c, &row, AZBLOB_COPY_SUCCESS);
}

/* ---- Put Blob From URL ---- */

static int keep_source_headers(struct azblob_request *r, struct copying *c, struct call *call)
{
    auto_object_row struct object_row given = object_row_new();
    bool keep = true;

    if (azblob_header_bool(r, "x-ms-copy-source-blob-properties", &keep, call) < 0 ||
        azblob_content_headers(r, AZBLOB_PROPERTIES_BLOB, &given, &c->headers_given, call) < 0)
        return -1;
    c->keep_headers = keep;
    return 0;
}

int azblob_blob_put_from_url(struct azblob_request *r, struct call *call)
{
    cleanup(copying_release) struct copying c = {.properties = object_row_new()};
    auto_object_row struct object_row row = object_row_new();
    struct checksums sums = {0};
    const char *type = azblob_get(r, "x-ms-blob-type");

    if (!type || strcasecmp(type, "BlockBlob") != 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-blob-type", call);
    if (read_copying(r, &c, call) < 0 || keep_source_headers(r, &c, call) < 0)
        return -1;
    if ((c.source.own ? copy_own(r, &c, true, &row, &sums, call)
                      : pull_foreign(r, &c, AZBLOB_PUT_MAX, &row, &sums, call)) < 0)
        return -1;
    azblob_say_written(r, &row);
    azblob_say(r, "Content-MD5", row.content_md5);
    azblob_say_crc64(r, &sums);
    return azblob_answer(r, 201);
}

/* ---- Abort Copy Blob ---- */

int azblob_blob_abort_copy(struct azblob_request *r, struct call *call)
{
    const char *action = azblob_get(r, "x-ms-copy-action"), *id = azblob_query(r, "copyid");
    auto_object_row struct object_row row = object_row_new();
    const char *state, *status, *duration;

    if (!action || strcasecmp(action, "abort") != 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-copy-action", call);
    if (!id || !*id)
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_QUERY_PARAMETER, "QueryParameterName",
                                "copyid", call);
    if (!azblob_is_guid(id))
        return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, "copyid", NULL, call);
    if (service_stat(azblob_service(r), &r->place, &r->conditions, &row, call) < 0)
        return -1;
    lease_words(row.lease_state, row.lease_seconds, row.lease_until, r->now, &state, &status,
                &duration);
    if (strcmp(status, "locked") == 0 && !r->conditions.lease)
        return azblob_fail(r, AZBLOB_LEASE_ID_MISSING, call);
    auto_free char *copy =
        azblob_copy_again(row.copy, AZBLOB_COPY_ABORTED, UINT64_MAX, r->now, NULL);
    if (service_set_copy(azblob_service(r), &r->place, id, copy, call) < 0)
        return -1;
    return azblob_answer(r, 204);
}

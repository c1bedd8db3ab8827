// SPDX-License-Identifier: EUPL-1.2
/*
 * Any bytes as the XML bodies of the Azure door: service properties, stored policies, tags.  What
 * was taken is written and read again: the same must come out.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/xml.h"
#include "door/azblob/azblob_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct azblob door;
static const struct pairs no_headers;

static void request_init(struct azblob_request *r, struct source_bytes *body, const void *bytes,
                         size_t size)
{
    source_bytes_init(body, bytes, size);
    r->door = &door;
    r->head = (struct azblob_head){.method = "PUT", .headers = &no_headers, .body_length = size};
    r->body = &body->source;
    r->body_length = size;
}

static int read_properties(const void *bytes, size_t size, struct buf *ret)
{
    auto_azblob_request struct azblob_request r = {0};
    auto_xml struct xml_node *root = NULL;
    auto_json json_t *settings = json_object();
    struct source_bytes body;
    struct call call = CALL_INIT;

    request_init(&r, &body, bytes, size);
    if (azblob_read_xml(&r, 1 << 20, "StorageServiceProperties", &root, &call) < 0 ||
        azblob_properties_read(&r, root, settings, &call) < 0) {
        assert(r.code != AZBLOB_NONE);
        return -1;
    }
    azblob_properties_write(ret, settings);
    return 0;
}

static void try_properties(const void *bytes, size_t size)
{
    auto_buf struct buf once = BUF_INIT(1 << 24), twice = BUF_INIT(1 << 24);

    if (read_properties(bytes, size, &once) < 0)
        return;
    assert(read_properties(once.data, once.length, &twice) == 0);
    assert(strcmp(once.data, twice.data) == 0);
}

static void try_policies(const void *bytes, size_t size)
{
    auto_azblob_request struct azblob_request r = {0};
    auto_free char *json = NULL;
    struct source_bytes body;
    struct call call = CALL_INIT;

    request_init(&r, &body, bytes, size);
    if (azblob_policies_read(&r, &json, &call) < 0)
        assert(r.code != AZBLOB_NONE && !json);
}

static void try_tags(const void *bytes, size_t size)
{
    auto_azblob_request struct azblob_request r = {0};
    auto_buf struct buf text = BUF_INIT(1 << 20);
    auto_free char *json = NULL;
    struct source_bytes body;
    struct call call = CALL_INIT;

    request_init(&r, &body, bytes, size);
    buf_bytes(&text, bytes, size);
    if (azblob_tags_document(&r, &text, &json, &call) < 0)
        assert(r.code != AZBLOB_NONE && !json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1 << 19)
        return 0;
    try_properties(data, size);
    try_policies(data, size);
    try_tags(data, size);
    return 0;
}

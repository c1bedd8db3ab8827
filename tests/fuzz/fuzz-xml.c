// SPDX-License-Identifier: EUPL-1.2
/* XML: the stream reader in odd pieces finds what the tree has; limits hold. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/utf8.h"
#include "codec/xml-mend.h"
#include "codec/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count_start(void *context, const struct xml_event *event, struct err *e)
{
    size_t *count = context;

    (void)e;
    assert(event->depth >= 1 && event->depth <= XML_DEPTH_MAX && event->name[0]);
    (*count)++;
    return 0;
}

static int check_end(void *context, const struct xml_event *event, struct err *e)
{
    (void)context, (void)e;
    assert(strlen(event->text) == event->length && xml_char_ok(event->text, event->length));
    return 0;
}

static size_t count_nodes(const struct xml_node *node)
{
    size_t count = 0;

    for (; node; node = node->next)
        count += 1 + count_nodes(node->children);
    return count;
}

static void mend(const void *bytes, size_t size, size_t piece, struct buf *out)
{
    struct call call = CALL_INIT;
    struct sink_buf sink;
    struct xml_mender mender;
    int result = 0;

    sink_buf_init(&sink, out);
    xml_mender_init(&mender, &sink.sink);
    for (size_t at = 0; at < size && result == 0; at += piece)
        result = sink_write(&mender.sink, (const char *)bytes + at,
                            size - at < piece ? size - at : piece, &call);
    assert(result == 0 && xml_mender_finish(&mender, &call) == 0);
}

/* Mending comes to the same in any pieces, and leaves nothing to mend. */
static void check_mending(const uint8_t *data, size_t size, size_t piece)
{
    auto_buf struct buf whole = BUF_INIT(64 << 20), pieces = BUF_INIT(64 << 20);
    auto_buf struct buf again = BUF_INIT(64 << 20);

    mend(data, size, size ? size : 1, &whole);
    mend(data, size, piece, &pieces);
    mend(whole.data, whole.length, piece, &again);
    assert(whole.length == pieces.length && memcmp(whole.data, pieces.data, whole.length) == 0);
    assert(whole.length == again.length && memcmp(whole.data, again.data, whole.length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    size_t count = 0, piece = size % 13 + 1;
    auto_xml struct xml_node *root = NULL;
    auto_xml_reader struct xml_reader reader;
    int result = 0;

    xml_reader_init(&reader, XML_DOCUMENT_MAX, XML_DOCUMENT_MAX, count_start, check_end, &count);
    for (size_t at = 0; at < size && result == 0; at += piece)
        result = xml_reader_feed(&reader, data + at, size - at < piece ? size - at : piece, &e);
    if (result == 0)
        result = xml_reader_finish(&reader, &e);
    check_mending(data, size, piece);
    int parsed = xml_parse((const char *)data, size, &root, &e);
    assert(parsed == result);
    if (parsed == 0) {
        assert(count_nodes(root) == count);
        auto_buf struct buf out = BUF_INIT(64 << 20);
        xml_element(&out, "a", root->text);
        auto_xml struct xml_node *again = NULL;
        parsed = xml_parse(out.data, out.length, &again, &e);
        assert(parsed == 0 && strcmp(again->text, root->text) == 0);
    } else {
        assert(e.code == ERR_INVALID && !root);
    }
    return 0;
}

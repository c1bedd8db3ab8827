// SPDX-License-Identifier: EUPL-1.2
/* XML: the stream reader in odd pieces finds what the tree has; limits hold. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/utf8.h"
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

// SPDX-License-Identifier: EUPL-1.2
/* Small XML documents as trees, and writing XML: see xml.h. */
#include "codec/xml.h"

#include <string.h>

#include "codec/utf8.h"

/* A tree being built: at is the open element. */
struct builder {
    struct xml_node *root, *at;
};

static int build_start(void *context, const struct xml_event *event, struct err *e)
{
    struct builder *builder = context;
    struct xml_node *node = xcalloc(1, sizeof(*node));

    (void)e;
    node->name = xstrdup(event->name);
    node->text = xstrdup("");
    pairs_copy(&node->attributes, event->attributes);
    node->parent = builder->at;
    if (!builder->at)
        builder->root = node;
    else if (builder->at->last_child)
        builder->at->last_child->next = node;
    else
        builder->at->children = node;
    if (builder->at)
        builder->at->last_child = node;
    builder->at = node;
    return 0;
}

static int build_end(void *context, const struct xml_event *event, struct err *e)
{
    struct builder *builder = context;

    (void)e;
    if (!builder->at->children && event->length > 0)
        replace_string(&builder->at->text, event->text);
    builder->at = builder->at->parent;
    return 0;
}

int xml_parse(const char *text, size_t length, struct xml_node **ret, struct err *e)
{
    struct builder builder = {0};
    auto_xml_reader struct xml_reader reader;

    xml_reader_init(&reader, XML_DOCUMENT_MAX, XML_DOCUMENT_MAX, build_start, build_end, &builder);
    if (xml_reader_feed(&reader, text, length, e) < 0 || xml_reader_finish(&reader, e) < 0) {
        xml_free(builder.root);
        return -1;
    }
    *ret = builder.root;
    return 0;
}

/* Depth is bounded by the reader, so recursion is; siblings are walked. */
void xml_free(struct xml_node *node)
{
    while (node) {
        struct xml_node *next = node->next;
        xml_free(node->children);
        free(node->name);
        free(node->text);
        pairs_release(&node->attributes);
        free(node);
        node = next;
    }
}

void xml_free_p(struct xml_node **node)
{
    xml_free(*node);
}

struct xml_node *xml_child(const struct xml_node *node, const char *path)
{
    struct xml_node *found = NULL;

    while (node && *path) {
        size_t length = strcspn(path, "/");
        for (found = node->children; found; found = found->next)
            if (strlen(found->name) == length && memcmp(found->name, path, length) == 0)
                break;
        node = found;
        path += length + (path[length] == '/');
    }
    return found;
}

struct xml_node *xml_next(const struct xml_node *node)
{
    for (struct xml_node *next = node->next; next; next = next->next)
        if (strcmp(next->name, node->name) == 0)
            return next;
    return NULL;
}

const char *xml_text(const struct xml_node *node, const char *path)
{
    const struct xml_node *child = xml_child(node, path);

    return child ? child->text : NULL;
}

/* How a character is written, or NULL for as it is.  Readers turn line ends and tabs into other
 * white space where they stand bare. */
static const char *escape_of(uint32_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return c < 0x20 || c == 0xfffe || c == 0xffff ? "\xef\xbf\xbd" : NULL;
    }
}

static void escape(struct buf *b, const char *text, size_t length, bool breaks)
{
    size_t plain = 0; /* where the run of unescaped characters began */

    for (size_t i = 0, step; i < length; i += step) {
        uint32_t c = 0;
        step = utf8_read(text + i, length - i, &c);
        const char *escaped = step ? escape_of(c) : "\xef\xbf\xbd";
        if (step == 0)
            step = 1;
        if (!escaped || (!breaks && (c == '\t' || c == '\n')))
            continue;
        buf_bytes(b, text + plain, i - plain);
        buf_text(b, escaped);
        plain = i + step;
    }
    buf_bytes(b, text + plain, length - plain);
}

void xml_escape_n(struct buf *b, const char *text, size_t length)
{
    escape(b, text, length, true);
}

void xml_escape(struct buf *b, const char *text)
{
    xml_escape_n(b, text, strlen(text));
}

void xml_head(struct buf *b)
{
    buf_text(b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>");
}

void xml_open(struct buf *b, const char *name)
{
    buf_char(b, '<');
    buf_text(b, name);
    buf_char(b, '>');
}

void xml_close(struct buf *b, const char *name)
{
    buf_text(b, "</");
    buf_text(b, name);
    buf_char(b, '>');
}

void xml_element(struct buf *b, const char *name, const char *text)
{
    xml_open(b, name);
    escape(b, text, strlen(text), false);
    xml_close(b, name);
}

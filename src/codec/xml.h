// SPDX-License-Identifier: EUPL-1.2
/*
 * XML as storage services speak it: a reader for streams, a tree for small documents, a writer.
 *
 * Any bytes may be fed in.  Refused are: document types and with them entities (so no "billion
 * laughs"), more than XML_DEPTH_MAX elements inside each other, and what exceeds the ceilings
 * given. Namespaces are ignored: names are what stands after the last ':'.  Errors are ERR_INVALID
 * with line and column; the content is not quoted.
 */
#ifndef CODEC_XML_H
#define CODEC_XML_H

#include <stdbool.h>

#include "util/buf.h"
#include "util/pairs.h"
#include "util/stream.h"

#define XML_DEPTH_MAX    32
#define XML_DOCUMENT_MAX (16 * 1024 * 1024) /* what xml_parse() takes */

/* What the reader has come to. */
struct xml_event {
    const char *path; /* names from the root, "EnumerationResults/Blobs/Blob/Name"            */
    const char *name; /* the last of them                                                     */
    const char *text; /* in end(): the element's text, whole and unescaped; may be ""         */
    size_t length;
    const struct pairs *attributes; /* of this element, by local names */
    int depth;                      /* 1 for the root */
};

/*
 * A reader of a stream.  It is a sink, so that an HTTP body goes straight in, in pieces of any
 * size:
 *
 *     static int end(void *context, const struct xml_event *event, struct err *e)
 *     {
 *         struct page *page = context;
 *         if (strcmp(event->path, "EnumerationResults/Blobs/Blob/Name") == 0) ...
 *
 *     auto_xml_reader struct xml_reader reader;
 *     xml_reader_init(&reader, 64 * 1024, 64 * 1024 * 1024, NULL, end, page);
 *     ... sink_write(&reader.sink, ...) or xml_reader_feed(&reader, ...) ...
 *     xml_reader_finish(&reader, e)        (fails when the document was cut off)
 *
 * A callback returns 0, or -1 with e set: reading stops, and that error is what feed returns.
 * Elements with children have a text too (what follows the last child): white space, usually.
 * Either callback may be NULL.  All that an event points to lasts until the callback returns.
 */
typedef int xml_callback(void *context, const struct xml_event *event, struct err *e);

struct xml_reader {
    struct sink sink;
    xml_callback *start, *end;
    void *context;
    struct XML_ParserStruct *parser;
    struct buf path;
    struct buf text;
    size_t total, total_limit;
    int depth;
    bool failed;
    struct err err; /* when failed */
    struct {
        size_t path_length; /* of the parent's path */
        struct pairs attributes;
    } open[XML_DEPTH_MAX];
};
#define auto_xml_reader cleanup(xml_reader_release)

/* text_limit bounds the text of one element, total_limit the document. */
void xml_reader_init(struct xml_reader *r, size_t text_limit, size_t total_limit,
                     xml_callback *start, xml_callback *end, void *context);
must_check int xml_reader_feed(struct xml_reader *r, const void *bytes, size_t n, struct err *e);
/* The document must be complete now.  Nothing may be fed afterwards. */
must_check int xml_reader_finish(struct xml_reader *r, struct err *e);
void xml_reader_release(struct xml_reader *r);

/* An element of a small document. */
struct xml_node {
    char *name;
    char *text; /* "" where it has children */
    struct pairs attributes;
    struct xml_node *children; /* the first */
    struct xml_node *next;     /* sibling */
    struct xml_node *parent, *last_child;
};
#define auto_xml cleanup(xml_free_p)

/* Read a whole document; *ret is its root element. */
must_check int xml_parse(const char *text, size_t length, struct xml_node **ret, struct err *e);
/* NULL is fine. */
void xml_free(struct xml_node *node);
void xml_free_p(struct xml_node **node);

/* The first element at a path below node ("Owner/ID"); NULL when there is none, or for a NULL
 * node. */
struct xml_node *xml_child(const struct xml_node *node, const char *path);
/* The next sibling of the same name, or NULL. */
struct xml_node *xml_next(const struct xml_node *node);
/* The text of xml_child(), or NULL. */
const char *xml_text(const struct xml_node *node, const char *path);

/*
 * Writing, into a buf whose ceiling the caller knows to suffice (going over it asserts).
 *
 * xml_escape() makes text stand unchanged between tags and inside quotes.  What XML cannot hold at
 * all (see xml_char_ok() in codec/utf8.h: ask first) becomes U+FFFD.
 */
void xml_escape(struct buf *b, const char *text);
void xml_escape_n(struct buf *b, const char *text, size_t length);
/* <?xml version="1.0" encoding="utf-8"?> */
void xml_head(struct buf *b);
/* <name>, </name>, <name>escaped text</name>.  Between tags tabs and line feeds may stand as they
 * are, and do: readers that know only the five named entities (JavaScript's) get them right. */
void xml_open(struct buf *b, const char *name);
void xml_close(struct buf *b, const char *name);
void xml_element(struct buf *b, const char *name, const char *text);

#endif

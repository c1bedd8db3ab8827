// SPDX-License-Identifier: EUPL-1.2
/* The XML reader, over expat: see xml.h. */
#include "codec/xml.h"

#include <assert.h>
#include <expat.h>
#include <string.h>

#define PATH_LIMIT 4096

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');

    /* "<:>" and "<a:>" are well-formed; a name is never empty. */
    return colon && colon[1] ? colon + 1 : name;
}

/* Stop with what is in r->err. */
static void stop(struct xml_reader *r)
{
    r->failed = true;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static void stop_with(struct xml_reader *r, const char *why)
{
    (void)err_set(&r->err, ERR_INVALID, "XML line %lu column %lu: %s",
                  XML_GetCurrentLineNumber(r->parser), XML_GetCurrentColumnNumber(r->parser) + 1,
                  why);
    stop(r);
}

static void report(struct xml_reader *r, xml_callback *callback, size_t parent_length)
{
    struct xml_event event = {
        .path = r->path.data,
        .name = r->path.data + parent_length + (parent_length > 0),
        .text = r->text.data,
        .length = r->text.length,
        .attributes = &r->open[r->depth - 1].attributes,
        .depth = r->depth,
    };

    if (callback && callback(r->context, &event, &r->err) < 0)
        stop(r);
}

/* Expat may deliver a few more events after it was told to stop: the handlers ask r->failed. */
static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct xml_reader *r = user;
    size_t parent_length = r->path.length;

    if (r->failed)
        return;
    if (r->depth == XML_DEPTH_MAX) {
        stop_with(r, "elements are nested too deeply");
        return;
    }
    name = local_name(name);
    size_t length = strlen(name);
    if (parent_length + length + 1 > PATH_LIMIT) {
        stop_with(r, "the names of its elements are too long");
        return;
    }
    if (parent_length > 0)
        buf_char(&r->path, '/');
    buf_bytes(&r->path, name, length);
    buf_reset(&r->text);
    r->open[r->depth].path_length = parent_length;
    for (size_t i = 0; attributes[i]; i += 2)
        pairs_add(&r->open[r->depth].attributes, local_name(attributes[i]), attributes[i + 1]);
    r->depth++;
    report(r, r->start, parent_length);
}

static void on_end(void *user, const XML_Char *name)
{
    struct xml_reader *r = user;

    (void)name;
    if (r->failed)
        return;
    size_t parent_length = r->open[r->depth - 1].path_length;
    report(r, r->end, parent_length);
    r->depth--;
    pairs_release(&r->open[r->depth].attributes);
    r->path.length = parent_length;
    r->path.data[parent_length] = '\0';
    buf_reset(&r->text);
}

static void on_text(void *user, const XML_Char *text, int length)
{
    struct xml_reader *r = user;
    struct err e;

    if (!r->failed && buf_add(&r->text, text, (size_t)length, &e) < 0)
        stop_with(r, e.text);
}

static void on_doctype(void *user, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int has_subset)
{
    (void)name, (void)system, (void)public, (void)has_subset;
    stop_with(user, "document types and entities are not taken");
}

static int sink_write_reader(struct sink *s, const void *bytes, size_t n, struct call *call)
{
    return xml_reader_feed(container_of(s, struct xml_reader, sink), bytes, n, &call->err);
}

void xml_reader_init(struct xml_reader *r, size_t text_limit, size_t total_limit,
                     xml_callback *start, xml_callback *end, void *context)
{
    *r = (struct xml_reader){
        .sink = {sink_write_reader},
        .start = start,
        .end = end,
        .context = context,
        .parser = XML_ParserCreate(NULL),
        .path = BUF_INIT(PATH_LIMIT),
        .text = BUF_INIT(text_limit),
        .total_limit = total_limit,
    };
    if (!r->parser)
        abort(); /* no memory for a small thing */
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
}

void xml_reader_release(struct xml_reader *r)
{
    if (r->parser)
        XML_ParserFree(r->parser);
    r->parser = NULL;
    buf_release(&r->path);
    buf_release(&r->text);
    for (int i = 0; i < XML_DEPTH_MAX; i++)
        pairs_release(&r->open[i].attributes);
}

static int parse(struct xml_reader *r, const char *bytes, size_t n, bool last, struct err *e)
{
    if (!r->failed && XML_Parse(r->parser, bytes, (int)n, last) != XML_STATUS_OK && !r->failed)
        stop_with(r, XML_ErrorString(XML_GetErrorCode(r->parser)));
    if (r->failed) {
        *e = r->err;
        return -1;
    }
    return 0;
}

int xml_reader_feed(struct xml_reader *r, const void *bytes, size_t n, struct err *e)
{
    const size_t piece = 1 << 20;

    if (!r->failed && n > r->total_limit - r->total) {
        r->failed = true;
        (void)err_set(&r->err, ERR_INVALID, "XML: the document is larger than %zu bytes",
                      r->total_limit);
    }
    if (r->failed) {
        *e = r->err;
        return -1;
    }
    r->total += n;
    for (const char *at = bytes; n > 0;) {
        size_t step = n < piece ? n : piece;
        if (parse(r, at, step, false, e) < 0)
            return -1;
        at += step;
        n -= step;
    }
    return 0;
}

int xml_reader_finish(struct xml_reader *r, struct err *e)
{
    return parse(r, "", 0, true, e);
}

// SPDX-License-Identifier: EUPL-1.2
/* Bodies of requests: structured ones decoded, failures told from the store's: azblob_private.h. */
#include <string.h>
#include <strings.h>

#include "codec/xml.h"
#include "door/azblob/azblob_private.h"
#include "http/structured.h"

/* Between the server and the handler.  Remembers that it was the body that failed. */
struct azblob_body {
    struct source source;
    struct source *from;
    bool failed;
    struct structured_source *framed; /* NULL: the body is plain */
};

static ssize_t body_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct azblob_body *b = container_of(source, struct azblob_body, source);
    ssize_t got = source_read(b->from, bytes, n, call);

    if (got < 0)
        b->failed = true;
    return got;
}

static struct azblob_body *body_new(struct source *from, bool framed, uint64_t length)
{
    struct azblob_body *b = xcalloc(1, sizeof(*b));

    b->source.read = body_read;
    b->from = from;
    if (framed) {
        b->framed = xmalloc(sizeof(*b->framed));
        structured_source_init(b->framed, from, length);
        b->from = &b->framed->source;
    }
    return b;
}

void azblob_body_free(struct azblob_body *body)
{
    if (!body)
        return;
    free(body->framed);
    free(body);
}

enum azblob_code azblob_body_fault(const struct azblob_request *r, const struct err *e)
{
    if (!r->reader || !r->reader->failed)
        return AZBLOB_NONE;
    if (e->code == ERR_CORRUPT || e->code == ERR_REMOTE)
        return r->reader->framed && r->reader->framed->mismatch ? AZBLOB_CRC64_MISMATCH
                                                                : AZBLOB_INVALID_INPUT;
    return e->code == ERR_TIMEOUT ? AZBLOB_OPERATION_TIMED_OUT : AZBLOB_BODY_CUT;
}

bool azblob_wants_structured(const struct azblob_request *r)
{
    const char *text = azblob_get(r, "x-ms-structured-body");

    return text && strcasecmp(text, STRUCTURED_NAME) == 0;
}

static int open_framed(struct azblob_request *r, struct source *body, struct call *call)
{
    uint64_t length;
    int there;

    if (!azblob_wants_structured(r))
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-structured-body", call);
    there = azblob_header_number(r, "x-ms-structured-content-length", 0, INT64_MAX, &length, call);
    if (there < 0)
        return -1;
    if (there == 0)
        return azblob_fail_header(r, AZBLOB_MISSING_REQUIRED_HEADER,
                                  "x-ms-structured-content-length", call);
    r->reader = body_new(body, true, length);
    if (length == 0 && structured_source_empty(r->reader->framed, call) < 0) {
        r->reader->failed = true;
        return -1;
    }
    r->body = &r->reader->source;
    r->body_length = length;
    return 0;
}

int azblob_body_open(struct azblob_request *r, struct source *body, struct call *call)
{
    r->body = body;
    r->body_length = r->head.body_length;
    if ((r->operation->flags & AZBLOB_BODY) && azblob_get(r, "x-ms-structured-body"))
        return open_framed(r, body, call);
    /* What lies in memory cannot fail, and is best used in place. */
    if (source_as_bytes(body))
        return 0;
    r->reader = body_new(body, false, 0);
    r->body = &r->reader->source;
    return 0;
}

int azblob_read_body(struct azblob_request *r, size_t limit, struct buf *ret, struct call *call)
{
    char bytes[16 * 1024];
    ssize_t n;

    if (r->body_length > limit)
        return azblob_fail(r, AZBLOB_REQUEST_BODY_TOO_LARGE, call);
    while ((n = source_read(r->body, bytes, sizeof(bytes), call)) > 0) {
        if ((size_t)n > limit - ret->length)
            return azblob_fail(r, AZBLOB_REQUEST_BODY_TOO_LARGE, call);
        if (buf_add(ret, bytes, (size_t)n, &call->err) < 0)
            return -1;
    }
    return n < 0 ? -1 : 0;
}

int azblob_read_xml(struct azblob_request *r, size_t limit, const char *root, struct xml_node **ret,
                    struct call *call)
{
    auto_buf struct buf text = BUF_INIT(limit);
    auto_xml struct xml_node *document = NULL;

    if (azblob_read_body(r, limit, &text, call) < 0)
        return -1;
    /* A byte order mark is no part of the document. */
    size_t skip = text.length >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    if (xml_parse(text.data + skip, text.length - skip, &document, &call->err) < 0 ||
        strcmp(document->name, root) != 0)
        return azblob_fail(r, AZBLOB_INVALID_XML_DOCUMENT, call);
    *ret = take(document);
    return 0;
}

// SPDX-License-Identifier: EUPL-1.2
/* Bodies of batches: see azblob_multipart.h. */
#include "door/azblob/azblob_multipart.h"

#include <string.h>
#include <strings.h>

/* RFC 2046 allows 70. */
#define BOUNDARY_MAX 200

/* What is left to read. */
struct text {
    const char *at;
    const char *end;
};

static void part_release(struct multipart_part *p)
{
    free(p->content_id);
    free(p->method);
    free(p->path);
    free(p->query);
    pairs_release(&p->headers);
}

void multipart_release(struct multipart *m)
{
    for (size_t i = 0; i < m->count; i++)
        part_release(&m->list[i]);
    free(m->list);
    *m = (struct multipart){0};
}

char *multipart_boundary(const char *content_type)
{
    const char *at;
    size_t n;

    if (!content_type || strncasecmp(content_type, "multipart/mixed", 15) != 0)
        return NULL;
    at = content_type + 15;
    while ((at = strchr(at, ';'))) {
        at += 1 + strspn(at + 1, " \t");
        if (strncasecmp(at, "boundary=", 9) != 0)
            continue;
        at += 9;
        if (*at == '"') {
            at++;
            n = strcspn(at, "\"");
        } else {
            n = strcspn(at, "; \t");
        }
        return n > 0 && n <= BOUNDARY_MAX ? xstrndup(at, n) : NULL;
    }
    return NULL;
}

/* One line without its end; false when nothing is left. */
static bool next_line(struct text *t, const char **ret_line, size_t *ret_length)
{
    const char *end;
    size_t n;

    if (t->at == t->end)
        return false;
    end = memchr(t->at, '\n', (size_t)(t->end - t->at));
    n = (size_t)((end ? end : t->end) - t->at);
    *ret_line = t->at;
    *ret_length = n && t->at[n - 1] == '\r' ? n - 1 : n;
    t->at = end ? end + 1 : t->end;
    return true;
}

enum boundary_line { NO_BOUNDARY, BOUNDARY, LAST_BOUNDARY };

static enum boundary_line boundary_of(const char *line, size_t n, const char *boundary)
{
    size_t length = strlen(boundary);

    while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
        n--;
    if (n < 2 + length || line[0] != '-' || line[1] != '-' ||
        memcmp(line + 2, boundary, length) != 0)
        return NO_BOUNDARY;
    if (n == 2 + length)
        return BOUNDARY;
    return n == 4 + length && memcmp(line + 2 + length, "--", 2) == 0 ? LAST_BOUNDARY : NO_BOUNDARY;
}

static bool has_control(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 && text[i] != '\t')
            return true;
    return false;
}

/* Headers up to the empty line. */
static int read_headers(struct text *t, struct pairs *headers, struct err *e)
{
    const char *line;
    size_t n;

    while (next_line(t, &line, &n) && n) {
        const char *colon = memchr(line, ':', n);
        if (!colon || colon == line || has_control(line, n))
            return err_set(e, ERR_INVALID, "a part of the batch has a malformed header");
        if (headers->count == MULTIPART_HEADERS_MAX)
            return err_set(e, ERR_INVALID, "a part of the batch has too many headers");
        size_t name = (size_t)(colon - line), value = name + 1;
        while (value < n && (line[value] == ' ' || line[value] == '\t'))
            value++;
        while (n > value && (line[n - 1] == ' ' || line[n - 1] == '\t'))
            n--;
        pairs_add_n(headers, line, name, line + value, n - value);
    }
    return 0;
}

/* Of "https://host/path" what follows the host. */
static const char *skip_host(const char *target, const char *end)
{
    const char *at = target;

    if ((size_t)(end - at) < 8 ||
        (strncasecmp(at, "http://", 7) != 0 && strncasecmp(at, "https://", 8) != 0))
        return target;
    at += strncasecmp(at, "https", 5) == 0 ? 8 : 7;
    at = memchr(at, '/', (size_t)(end - at));
    return at ? at : end;
}

static int read_request_line(struct text *t, struct multipart_part *part, struct err *e)
{
    const char *line, *space, *target, *end, *question;
    size_t n;

    /* Some clients put an empty line more. */
    do {
        if (!next_line(t, &line, &n))
            return err_set(e, ERR_INVALID, "a part of the batch holds no request");
    } while (n == 0);
    space = memchr(line, ' ', n);
    if (has_control(line, n) || !space || space == line)
        return err_set(e, ERR_INVALID, "a part of the batch holds no request line");
    end = line + n;
    while (end > space && end[-1] != ' ')
        end--;
    if (end - 1 <= space || strncmp(end, "HTTP/1.", 7) != 0)
        return err_set(e, ERR_INVALID, "a part of the batch holds no request line");
    end--;
    target = skip_host(space + 1, end);
    if (target == end || *target != '/' || memchr(target, ' ', (size_t)(end - target)))
        return err_set(e, ERR_INVALID, "a part of the batch has a malformed target");
    question = memchr(target, '?', (size_t)(end - target));
    part->method = xstrndup(line, (size_t)(space - line));
    part->path = xstrndup(target, (size_t)((question ? question : end) - target));
    part->query = question ? xstrndup(question + 1, (size_t)(end - question - 1)) : NULL;
    return 0;
}

static int read_part(struct text part, struct multipart_part *ret, struct err *e)
{
    auto_pairs struct pairs mime = PAIRS_INIT;
    const char *type;

    if (read_headers(&part, &mime, e) < 0)
        return -1;
    type = pairs_get_nocase(&mime, "Content-Type");
    if (!type || strncasecmp(type, "application/http", 16) != 0)
        return err_set(e, ERR_INVALID, "a part of the batch is not application/http");
    ret->content_id = xstrdup_null(pairs_get_nocase(&mime, "Content-ID"));
    if (read_request_line(&part, ret, e) < 0)
        return -1;
    return read_headers(&part, &ret->headers, e);
}

static int add_part(struct multipart *m, struct text part, struct err *e)
{
    struct multipart_part *slot;

    if (m->count == MULTIPART_PARTS_MAX)
        return err_set(e, ERR_QUOTA, "a batch of more than %d requests", MULTIPART_PARTS_MAX);
    if (!m->list)
        m->list = xcalloc(MULTIPART_PARTS_MAX, sizeof(*m->list));
    slot = &m->list[m->count++];
    return read_part(part, slot, e);
}

static int parse(struct text t, const char *boundary, struct multipart *m, struct err *e)
{
    const char *line, *begin = NULL;
    size_t n;

    while (next_line(&t, &line, &n)) {
        enum boundary_line what = boundary_of(line, n, boundary);
        if (what == NO_BOUNDARY)
            continue;
        if (begin && add_part(m, (struct text){begin, line}, e) < 0)
            return -1;
        if (what == LAST_BOUNDARY)
            return 0;
        begin = t.at;
    }
    return err_set(e, ERR_INVALID, "the batch does not end with its boundary");
}

int multipart_parse(const char *body, size_t length, const char *boundary, struct multipart *ret,
                    struct err *e)
{
    auto_multipart struct multipart m = {0};

    if (memchr(body, '\0', length))
        return err_set(e, ERR_INVALID, "a zero byte in the batch");
    if (parse((struct text){body, body + length}, boundary, &m, e) < 0)
        return -1;
    *ret = m;
    m = (struct multipart){0};
    return 0;
}

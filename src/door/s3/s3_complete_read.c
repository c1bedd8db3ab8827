// SPDX-License-Identifier: EUPL-1.2
/* What a CompleteMultipartUpload lists: see s3_multipart.h. */
#include <stdlib.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/xml.h"
#include "door/s3/s3_multipart.h"

void s3_completion_release(struct s3_completion *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->list[i].etag);
        free(c->list[i].checksum);
    }
    free(c->list);
    *c = (struct s3_completion){0};
}

static int number_of(const char *text, unsigned *ret, struct err *e)
{
    size_t n = text != NULL ? strlen(text) : 0;
    bool negative = n > 1 && text[0] == '-';
    size_t digits = n - negative;
    if (digits == 0 || strspn(text + negative, "0123456789") != digits)
        return err_set(e, ERR_INVALID, "a part has no number");
    unsigned long value = digits < 6 ? strtoul(text + negative, NULL, 10) : S3_PARTS_MAX + 1;
    if (negative || value < 1)
        return err_set(e, ERR_RANGE, "%.20s", text);
    if (value > S3_PARTS_MAX)
        return err_set(e, ERR_NOT_FOUND, "no part has the number %.20s", text);
    *ret = (unsigned)value;
    return 0;
}

static char *unquoted(const char *text)
{
    size_t n = strlen(text);
    if (n >= 2 && text[0] == '"' && text[n - 1] == '"')
        return xstrndup(text + 1, n - 2);
    return xstrdup(text);
}

static bool is_base64(const char *text)
{
    auto_buf struct buf bytes = BUF_INIT(128);
    struct err ignored = {0};
    return base64_decode(text, strlen(text), &bytes, &ignored) == 0 && bytes.length > 0;
}

static int read_part(const struct xml_node *part, struct s3_part_choice *ret, struct err *e)
{
    const char *etag = xml_text(part, "ETag");
    if (number_of(xml_text(part, "PartNumber"), &ret->number, e) < 0)
        return -1;
    if (etag == NULL)
        return err_set(e, ERR_INVALID, "part %u has no ETag", ret->number);
    ret->etag = unquoted(etag);
    for (const struct xml_node *c = part->children; c != NULL; c = c->next) {
        const char *name;
        if (strncmp(c->name, "Checksum", 8) != 0)
            continue;
        if (s3_algorithm_parse(c->name + 8, &ret->kind, &name) < 0)
            return err_set(e, ERR_INVALID, "part %u has an unknown checksum", ret->number);
        ret->several = ret->several || ret->checksum != NULL || !is_base64(c->text);
        replace_string(&ret->checksum, c->text);
    }
    return 0;
}

int s3_completion_read(const struct xml_node *root, struct s3_completion *ret, struct err *e)
{
    auto_s3_completion struct s3_completion found = {0};
    unsigned before = 0;
    found.list = xcalloc(S3_PARTS_MAX, sizeof(*found.list));
    for (const struct xml_node *p = xml_child(root, "Part"); p != NULL; p = xml_next(p)) {
        if (found.count == S3_PARTS_MAX)
            return err_set(e, ERR_INVALID, "more than %d parts", S3_PARTS_MAX);
        struct s3_part_choice *choice = &found.list[found.count++];
        if (read_part(p, choice, e) < 0)
            return -1;
        if (choice->number <= before)
            return err_set(e, ERR_CONFLICT, "part %u after part %u", choice->number, before);
        before = choice->number;
    }
    if (found.count == 0)
        return err_set(e, ERR_INVALID, "no parts");
    *ret = found;
    found = (struct s3_completion){0};
    return 0;
}

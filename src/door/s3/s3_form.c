// SPDX-License-Identifier: EUPL-1.2
/* Forms and their policies: see s3_form.h. */
#include "door/s3/s3_form.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "codec/json.h"

#define LINE_MAX_BYTES 4096

/* ---- Bytes ---- */

/* As much as fits; at least one more byte unless the source has ended. */
static int fill(struct s3_form *f, struct call *call)
{
    if (f->at > 0) {
        memmove(f->buffer, f->buffer + f->at, f->filled - f->at);
        f->filled -= f->at;
        f->at = 0;
    }
    if (f->from_ended || f->filled == sizeof(f->buffer))
        return 0;
    ssize_t got = source_read(f->from, f->buffer + f->filled, sizeof(f->buffer) - f->filled, call);
    if (got < 0)
        return -1;
    f->from_ended = got == 0;
    f->filled += (size_t)got;
    return 0;
}

/* Bytes of the part, up to the delimiter, which is taken away: 0 then. */
static ssize_t read_part(struct s3_form *f, void *bytes, size_t n, struct call *call)
{
    if (f->part_ended)
        return 0;
    for (;;) {
        size_t there = f->filled - f->at;
        const char *start = f->buffer + f->at;
        const char *found = memmem(start, there, f->delimiter, f->delimiter_length);
        size_t usable = found != NULL                  ? (size_t)(found - start)
                        : there >= f->delimiter_length ? there - f->delimiter_length + 1
                                                       : 0;
        if (found == start) {
            f->at += f->delimiter_length;
            f->part_ended = true;
            return 0;
        }
        if (usable > 0) {
            usable = usable < n ? usable : n;
            memcpy(bytes, start, usable);
            f->at += usable;
            return (ssize_t)usable;
        }
        if (f->from_ended)
            return err_set(&call->err, ERR_INVALID, "the form ends inside a part");
        if (fill(f, call) < 0)
            return -1;
    }
}

static ssize_t read_file(struct source *s, void *bytes, size_t n, struct call *call)
{
    return read_part(container_of(s, struct s3_form, source), bytes, n, call);
}

/* A line without its CR LF. */
static int read_line(struct s3_form *f, char line[LINE_MAX_BYTES], struct call *call)
{
    for (;;) {
        const char *start = f->buffer + f->at;
        size_t there = f->filled - f->at;
        const char *end = memmem(start, there, "\r\n", 2);
        size_t n = end != NULL ? (size_t)(end - start) : there;
        if (n >= LINE_MAX_BYTES || (end == NULL && f->from_ended) || memchr(start, '\0', n) != NULL)
            return err_set(&call->err, ERR_INVALID, "a part of the form has a malformed head");
        if (end != NULL) {
            memcpy(line, start, n);
            line[n] = '\0';
            f->at += n + 2;
            return 0;
        }
        if (fill(f, call) < 0)
            return -1;
    }
}

/* ---- Parts ---- */

/* name="value" of a header's parameters; heap, NULL where it is not there. */
static char *parameter(const char *header, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = strchr(header, ';'); at != NULL; at = strchr(at, ';')) {
        at++;
        at += strspn(at, " \t");
        if (strncasecmp(at, name, length) != 0 || at[length] != '=')
            continue;
        at += length + 1;
        if (*at != '"')
            return xstrndup(at, strcspn(at, "; \t"));
        const char *end = strchr(at + 1, '"');
        return end != NULL ? xstrndup(at + 1, (size_t)(end - at - 1)) : NULL;
    }
    return NULL;
}

/* The head of a part: its name and, of a file, the file's. */
static int read_head(struct s3_form *f, char **ret_name, char **ret_file, struct call *call)
{
    char line[LINE_MAX_BYTES];
    for (int lines = 0; lines < 32; lines++) {
        if (read_line(f, line, call) < 0)
            return -1;
        if (line[0] == '\0' && *ret_name != NULL)
            return 0;
        if (strncasecmp(line, "content-disposition:", 20) != 0)
            continue;
        free(*ret_name);
        free(*ret_file);
        *ret_name = parameter(line, "name");
        *ret_file = parameter(line, "filename");
    }
    return err_set(&call->err, ERR_INVALID, "a part of the form has no name");
}

static int read_field(struct s3_form *f, const char *name, struct call *call)
{
    auto_buf struct buf value = BUF_INIT(S3_FORM_FIELDS_MAX);
    char bytes[4096];
    ssize_t got;
    while ((got = read_part(f, bytes, sizeof(bytes), call)) > 0)
        if (buf_add(&value, bytes, (size_t)got, &call->err) < 0)
            return -1;
    f->fields_size += strlen(name) + value.length + 16;
    if (got < 0)
        return -1;
    if (f->fields_size > S3_FORM_FIELDS_MAX || memchr(value.data, '\0', value.length) != NULL)
        return err_set(&call->err, ERR_INVALID, "the form has too much before its file");
    pairs_add(&f->fields, name, value.data);
    return 0;
}

int s3_form_fields(struct s3_form *f, struct call *call)
{
    char line[LINE_MAX_BYTES], ignored[256];
    ssize_t got;
    /* What stands before the first delimiter counts for nothing. */
    while ((got = read_part(f, ignored, sizeof(ignored), call)) > 0)
        continue;
    if (got < 0)
        return -1;
    while (f->file_name == NULL) {
        auto_free char *name = NULL, *file = NULL;
        if (read_line(f, line, call) < 0)
            return -1;
        if (strspn(line, " \t") != strlen(line))
            return err_set(&call->err, ERR_INVALID, "the form has no file");
        if (read_head(f, &name, &file, call) < 0)
            return -1;
        f->part_ended = false;
        if (strcasecmp(name, "file") == 0)
            f->file_name = file != NULL ? take(file) : xstrdup("");
        else if (read_field(f, name, call) < 0)
            return -1;
    }
    return 0;
}

int s3_form_init(struct s3_form *f, const char *content_type, struct source *from, struct err *e)
{
    static const char type[] = "multipart/form-data";
    auto_free char *boundary = NULL;
    if (content_type != NULL && strncasecmp(content_type, type, sizeof(type) - 1) == 0)
        boundary = parameter(content_type, "boundary");
    if (boundary == NULL || boundary[0] == '\0' || strlen(boundary) > 70)
        return err_set(e, ERR_INVALID, "no multipart/form-data with a boundary");
    *f = (struct s3_form){.source = {.read = read_file}, .from = from};
    f->delimiter_length =
        (size_t)snprintf(f->delimiter, sizeof(f->delimiter), "\r\n--%s", boundary);
    /* The first delimiter may be the body's first line. */
    memcpy(f->buffer, "\r\n", 2);
    f->filled = 2;
    return 0;
}

void s3_form_release(struct s3_form *f)
{
    pairs_release(&f->fields);
    free(f->file_name);
    f->file_name = NULL;
}

/* ---- The policy ---- */

struct check {
    const struct pairs *fields;
    const char *bucket;
    bool *met; /* of each field */
    struct s3_form_limits limits;
};

static bool is_exempt(const char *name)
{
    static const char *const names[] = {"x-amz-signature", "signature", "file", "policy",
                                        "awsaccesskeyid"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return strncasecmp(name, "x-ignore-", 9) == 0;
}

static int field_must(struct check *c, const char *name, const char *value, bool starts,
                      struct err *e)
{
    bool found = false, fits = false;
    for (size_t i = 0; i < c->fields->count; i++) {
        const struct pair *field = &c->fields->list[i];
        if (strcasecmp(field->key, name) != 0)
            continue;
        bool good = starts ? strncmp(field->value, value, strlen(value)) == 0
                           : strcmp(field->value, value) == 0;
        fits = found ? fits && good : good;
        found = true;
        c->met[i] = true;
    }
    if (strcasecmp(name, "bucket") == 0) {
        bool same =
            starts ? strncmp(c->bucket, value, strlen(value)) == 0 : strcmp(c->bucket, value) == 0;
        if (!same || (found && !fits))
            return err_set(e, ERR_DENIED, "the condition on the bucket does not hold");
        return 0;
    }
    if (!found ? !(starts && value[0] == '\0') : !fits)
        return err_set(e, ERR_DENIED, "the condition on %.100s does not hold", name);
    return 0;
}

static int range_must(struct check *c, const json_t *condition, struct err *e)
{
    const json_t *least = json_array_get(condition, 1), *most = json_array_get(condition, 2);
    if (!json_is_integer(least) || !json_is_integer(most) || json_integer_value(least) < 0 ||
        json_integer_value(most) < json_integer_value(least))
        return err_set(e, ERR_INVALID, "a content-length-range is malformed");
    c->limits.least = (uint64_t)json_integer_value(least);
    c->limits.most = (uint64_t)json_integer_value(most);
    return 0;
}

static int check_condition(struct check *c, json_t *condition, struct err *e)
{
    const char *name;
    json_t *value;
    if (json_is_object(condition)) {
        json_object_foreach(condition, name, value)
        {
            if (!json_is_string(value))
                return err_set(e, ERR_INVALID, "a condition is malformed");
            if (field_must(c, name, json_string_value(value), false, e) < 0)
                return -1;
        }
        return 0;
    }
    const char *operator= json_string_value(json_array_get(condition, 0));
    if (operator== NULL || json_array_size(condition) != 3)
        return err_set(e, ERR_INVALID, "a condition is malformed");
    if (strcasecmp(operator, "content-length-range") == 0)
        return range_must(c, condition, e);
    name = json_string_value(json_array_get(condition, 1));
    const char *text = json_string_value(json_array_get(condition, 2));
    bool starts = strcasecmp(operator, "starts-with") == 0;
    if (name == NULL || text == NULL || name[0] != '$' ||
        (!starts && strcasecmp(operator, "eq") != 0))
        return err_set(e, ERR_INVALID, "a condition is malformed");
    return field_must(c, name + 1, text, starts, e);
}

static int check_all(struct check *c, const json_t *conditions, struct err *e)
{
    if (!json_is_array(conditions) || json_array_size(conditions) > 1000)
        return err_set(e, ERR_INVALID, "the policy has no conditions");
    for (size_t i = 0; i < json_array_size(conditions); i++)
        if (check_condition(c, json_array_get(conditions, i), e) < 0)
            return -1;
    for (size_t i = 0; i < c->fields->count; i++)
        if (!c->met[i] && !is_exempt(c->fields->list[i].key))
            return err_set(e, ERR_DENIED, "Extra input fields: %.100s", c->fields->list[i].key);
    return 0;
}

int s3_form_permits(const char *policy, size_t length, const struct pairs *fields,
                    const char *bucket, int64_t now, struct s3_form_limits *ret, struct err *e)
{
    auto_json json_t *document = NULL;
    int64_t expiration;
    if (json_parse(policy, length, &document, e) < 0)
        return -1;
    const char *text = json_text(document, "expiration");
    if (text == NULL || date_parse_iso8601(text, &expiration, e) < 0)
        return err_set(e, ERR_INVALID, "the policy has no expiration");
    if (expiration <= now)
        return err_set(e, ERR_DENIED, "Policy expired.");
    auto_free bool *met = xcalloc(fields->count + 1, sizeof(*met));
    struct check c = {
        .fields = fields, .bucket = bucket, .met = met, .limits = {.most = UINT64_MAX}};
    if (check_all(&c, json_object_get(document, "conditions"), e) < 0)
        return -1;
    *ret = c.limits;
    return 0;
}

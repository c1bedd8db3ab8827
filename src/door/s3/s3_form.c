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
        while (f->filled - f->at < 2 && !f->from_ended)
            if (fill(f, call) < 0)
                return -1;
        if (f->filled - f->at >= 2 && memcmp(f->buffer + f->at, "--", 2) == 0)
            return 0;
        if (read_line(f, line, call) < 0)
            return -1;
        if (strspn(line, " \t") != strlen(line))
            return err_set(&call->err, ERR_INVALID, "the form's delimiters are malformed");
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
    bool *met;       /* of each field */
    bool bucket_met; /* the bucket counts as a field */
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

/* Each part of a list of types must begin so; other values stand for themselves. */
static bool begins(const char *name, const char *value, const char *start)
{
    size_t length = strlen(start);
    if (strcasecmp(name, "content-type") != 0)
        return strncmp(value, start, length) == 0;
    for (const char *at = value;;) {
        at += strspn(at, " ");
        if (strncmp(at, start, length) != 0)
            return false;
        at = strchr(at, ',');
        if (at == NULL)
            return true;
        at++;
    }
}

/* Every field of this name meets the condition; without one, only an empty start is met. */
static bool is_met(struct check *c, const char *name, const char *value, bool starts)
{
    bool found = false, fits = true;
    for (size_t i = 0; i < c->fields->count; i++) {
        const struct pair *field = &c->fields->list[i];
        if (strcasecmp(field->key, name) != 0)
            continue;
        fits =
            fits && (starts ? begins(name, field->value, value) : strcmp(field->value, value) == 0);
        found = true;
        c->met[i] = true;
    }
    if (strcasecmp(name, "bucket") == 0) {
        c->bucket_met = true;
        return fits && (starts ? begins(name, c->bucket, value) : strcmp(c->bucket, value) == 0);
    }
    return found ? fits : starts && value[0] == '\0';
}

/* JSON's number, or digits in a text. */
static bool whole_number(const json_t *value, uint64_t *ret)
{
    const char *text = json_string_value(value);
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *ret = (uint64_t)json_integer_value(value);
        return true;
    }
    if (text == NULL || *text == '\0' || strlen(text) > 18 ||
        strspn(text, "0123456789") != strlen(text))
        return false;
    *ret = strtoull(text, NULL, 10);
    return true;
}

static int simple_must(struct check *c, json_t *condition, struct err *e)
{
    const char *name;
    json_t *value;
    if (json_object_size(condition) != 1)
        return err_set(e, ERR_INVALID,
                       "Invalid Simple-Condition: Simple-Conditions must have exactly one property "
                       "specified.");
    json_object_foreach(condition, name, value)
    {
        const char *text = json_string_value(value);
        if (text == NULL)
            return err_set(e, ERR_INVALID, "Invalid Simple-Condition: value must be a string.");
        if (!is_met(c, name, text, false))
            return err_set(e, ERR_DENIED,
                           "Policy Condition failed: [\"eq\", \"$%.100s\", \"%.300s\"]", name,
                           text);
    }
    return 0;
}

static int list_must(struct check *c, json_t *condition, struct err *e)
{
    const char *word = json_string_value(json_array_get(condition, 0));
    bool starts = word != NULL && strcasecmp(word, "starts-with") == 0;
    bool range = word != NULL && strcasecmp(word, "content-length-range") == 0;
    if (word == NULL)
        return err_set(e, ERR_INVALID, "Invalid Condition: missing operation identifier.");
    if (!starts && !range && strcasecmp(word, "eq") != 0)
        return err_set(e, ERR_INVALID, "Invalid Condition: unknown operation '%.100s'.", word);
    if (json_array_size(condition) != 3)
        return err_set(e, ERR_INVALID, "Invalid %.100s: wrong number of arguments.", word);
    if (range)
        return whole_number(json_array_get(condition, 1), &c->limits.least) &&
                       whole_number(json_array_get(condition, 2), &c->limits.most) &&
                       c->limits.least <= c->limits.most
                   ? 0
                   : err_set(e, ERR_INVALID, "Invalid JSON.");
    const char *name = json_string_value(json_array_get(condition, 1));
    const char *text = json_string_value(json_array_get(condition, 2));
    if (name == NULL || text == NULL)
        return err_set(e, ERR_INVALID, "Invalid JSON.");
    if (name[0] == '$' && is_met(c, name + 1, text, starts))
        return 0;
    auto_free char *shown = json_dumps(condition, JSON_COMPACT);
    return err_set(e, ERR_DENIED, "Policy Condition failed: %.500s", shown != NULL ? shown : "");
}

static int check_all(struct check *c, const json_t *conditions, struct err *e)
{
    if (conditions == NULL)
        return err_set(e, ERR_INVALID, "Policy missing conditions.");
    if (!json_is_array(conditions) || json_array_size(conditions) > 1000)
        return err_set(e, ERR_INVALID, "Invalid 'conditions' value: must be a List.");
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        json_t *condition = json_array_get(conditions, i);
        if (!json_is_object(condition) && !json_is_array(condition))
            return err_set(e, ERR_INVALID, "Invalid condition test: must be a List or Object.");
        if ((json_is_object(condition) ? simple_must : list_must)(c, condition, e) < 0)
            return -1;
    }
    for (size_t i = 0; i < c->fields->count; i++)
        if (!c->met[i] && !is_exempt(c->fields->list[i].key))
            return err_set(e, ERR_DENIED, "Extra input fields: %.100s", c->fields->list[i].key);
    if (!c->bucket_met)
        return err_set(e, ERR_DENIED, "Extra input fields: bucket");
    return 0;
}

static int check_head(const json_t *document, int64_t now, struct err *e)
{
    const char *key;
    const json_t *value;
    int64_t expiration;
    json_object_foreach((json_t *)document, key,
                        value) if (strcmp(key, "expiration") != 0 &&
                                   strcmp(key, "conditions") !=
                                       0) return err_set(e, ERR_INVALID, "Unexpected: \"%.100s\"",
                                                         key);
    const json_t *text = json_object_get(document, "expiration");
    if (text == NULL)
        return err_set(e, ERR_INVALID, "Policy missing expiration.");
    if (!json_is_string(text))
        return err_set(e, ERR_INVALID, "Invalid JSON.");
    if (date_parse_iso8601(json_string_value(text), &expiration, e) < 0)
        return err_set(e, ERR_INVALID, "Invalid 'expiration' value: '%.100s'",
                       json_string_value(text));
    return expiration <= now ? err_set(e, ERR_DENIED, "Policy expired.") : 0;
}

int s3_form_permits(const char *policy, size_t length, const struct pairs *fields,
                    const char *bucket, int64_t now, struct s3_form_limits *ret, struct err *e)
{
    auto_json json_t *document = NULL;
    if (length == 0)
        return err_set(e, ERR_INVALID, "Expecting '{' but found End-of-Input");
    if (json_parse(policy, length, &document, e) < 0 || !json_is_object(document))
        return err_set(e, ERR_INVALID, "Invalid JSON.");
    if (check_head(document, now, e) < 0)
        return -1;
    auto_free bool *met = xcalloc(fields->count + 1, sizeof(*met));
    struct check c = {
        .fields = fields, .bucket = bucket, .met = met, .limits = {.most = UINT64_MAX}};
    if (check_all(&c, json_object_get(document, "conditions"), e) < 0)
        return -1;
    *ret = c.limits;
    return 0;
}

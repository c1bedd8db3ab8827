// SPDX-License-Identifier: EUPL-1.2
/*
 * The XML of ListObjectsV2, ListObjects and ListObjectVersions, element by element as it comes in:
 * see s3_private.h.
 */
#include <errno.h>
#include <string.h>

#include "codec/date.h"
#include "codec/url.h"
#include "codec/xml.h"
#include "store/driver/s3_private.h"

void s3_page_release(struct s3_page *p)
{
    object_list_release(&p->list);
    free(p->next_token);
    free(p->next_marker);
    free(p->next_version);
    free(p->last);
}

static bool is_entry(const char *name)
{
    return strcmp(name, "Contents") == 0 || strcmp(name, "Version") == 0 ||
           strcmp(name, "DeleteMarker") == 0;
}

int s3_page_start(void *context, const struct xml_event *event, struct err *e)
{
    struct s3_page *p = context;

    (void)e;
    if (event->depth != 2 || !is_entry(event->name))
        return 0;
    p->open = object_list_add(&p->list);
    if (strcmp(event->name, "DeleteMarker") == 0)
        p->open->kind = VERSION_MARKER;
    return 0;
}

/* Names are kept as they come until the whole answer is read: only then it is sure whether they are
 * URL-encoded. */
static int keep_name(const struct xml_event *event, char **ret, struct err *e)
{
    if (memchr(event->text, 0, event->length))
        return err_set(e, ERR_REMOTE, "a name in the listing holds a zero byte");
    replace_string(ret, event->text);
    return 0;
}

/* '+' is a space where the encoding is Amazon's; a plus itself is always encoded. */
static int decode_name(char **name, struct err *e)
{
    auto_buf struct buf plain = BUF_INIT(S3_XML_MAX);

    if (!*name || !strpbrk(*name, "%+"))
        return 0;
    if (url_unescape(&plain, *name, strlen(*name), true, e) < 0)
        return err_prefix(e, "a name in the listing");
    if (memchr(plain.data, 0, plain.length))
        return err_set(e, ERR_REMOTE, "a name in the listing holds a zero byte");
    free(*name);
    *name = buf_take(&plain);
    return 0;
}

/* Decode all names; the last of names and prefixes is where a listing without a marker goes on. */
static int finish_page(struct s3_page *p, struct err *e)
{
    const char *last = NULL;

    if (p->encoded && decode_name(&p->next_marker, e) < 0)
        return -1;
    for (size_t i = 0; i < p->list.count; i++) {
        char **name = &p->list.list[i].name;
        if (p->encoded && decode_name(name, e) < 0)
            return -1;
        if (!last || strcmp(*name, last) > 0)
            last = *name;
    }
    for (size_t i = 0; i < p->list.prefix_count; i++) {
        char **name = &p->list.prefixes[i];
        if (p->encoded && decode_name(name, e) < 0)
            return -1;
        if (!last || strcmp(*name, last) > 0)
            last = *name;
    }
    replace_string(&p->last, last);
    p->finished = true;
    return 0;
}

static int read_size(const char *text, uint64_t *ret, struct err *e)
{
    char *end = NULL;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return err_set(e, ERR_REMOTE, "a size in the listing is no number");
    *ret = value;
    return 0;
}

static void read_etag(const char *text, struct object *o)
{
    size_t length = strlen(text);

    if (length >= 2 && text[0] == '"' && text[length - 1] == '"') {
        text++;
        length -= 2;
    }
    free(o->etag);
    o->etag = length ? xstrndup(text, length) : NULL;
    if (o->etag)
        s3_md5_from_etag(o->etag, &o->stored);
}

/* One element of an entry. */
static int entry_element(struct s3_page *p, const struct xml_event *event, struct err *e)
{
    struct object *o = p->open;
    struct err ignored = {0};

    if (strcmp(event->name, "Key") == 0)
        return keep_name(event, &o->name, e);
    if (strcmp(event->name, "Size") == 0)
        return read_size(event->text, &o->size, e);
    if (strcmp(event->name, "ETag") == 0)
        read_etag(event->text, o);
    else if (strcmp(event->name, "LastModified") == 0 &&
             date_parse_iso8601(event->text, &o->modified, &ignored) < 0)
        o->modified = TIME_UNKNOWN;
    else if (strcmp(event->name, "VersionId") == 0)
        replace_string(&o->version, event->text);
    else if (strcmp(event->name, "IsLatest") == 0)
        o->is_latest = strcmp(event->text, "true") == 0;
    else if (strcmp(event->name, "StorageClass") == 0 && event->length) {
        replace_string(&o->tier, event->text);
        o->archived = s3_is_archive_class(o->tier);
    }
    return 0;
}

static int entry_end(struct s3_page *p, struct err *e)
{
    struct object *o = p->open;

    p->open = NULL;
    if (!o->name || !*o->name)
        return err_set(e, ERR_REMOTE, "the listing has an entry without a name");
    if (!p->versions) {
        replace_string(&o->version, NULL);
        return 0;
    }
    if (o->kind == VERSION_MARKER)
        return 0;
    if (o->is_latest) {
        if (o->version && strcmp(o->version, "null") == 0)
            replace_string(&o->version, NULL);
    } else {
        o->kind = VERSION_ID;
        if (!o->version)
            return err_set(e, ERR_REMOTE, "the listing has a version without its id");
    }
    return 0;
}

static int prefix_end(struct s3_page *p, const struct xml_event *event, struct err *e)
{
    auto_free char *prefix = NULL;

    if (keep_name(event, &prefix, e) < 0)
        return -1;
    object_list_add_prefix(&p->list, prefix);
    return 0;
}

static int page_element(struct s3_page *p, const struct xml_event *event, struct err *e)
{
    if (strcmp(event->name, "IsTruncated") == 0)
        p->truncated = strcmp(event->text, "true") == 0;
    else if (strcmp(event->name, "EncodingType") == 0)
        p->encoded = p->decode && strcmp(event->text, "url") == 0;
    else if (strcmp(event->name, "NextContinuationToken") == 0)
        replace_string(&p->next_token, event->text);
    else if (strcmp(event->name, "NextVersionIdMarker") == 0)
        replace_string(&p->next_version, event->text);
    else if (strcmp(event->name, "NextMarker") == 0 || strcmp(event->name, "NextKeyMarker") == 0)
        return keep_name(event, &p->next_marker, e);
    return 0;
}

int s3_page_end(void *context, const struct xml_event *event, struct err *e)
{
    struct s3_page *p = context;

    if (event->depth == 1) {
        if (strncmp(event->name, "List", 4) != 0)
            return err_set(e, ERR_REMOTE, "the answer is no listing but '%.40s'", event->name);
        return finish_page(p, e);
    }
    if (event->depth == 2)
        return p->open && is_entry(event->name) ? entry_end(p, e) : page_element(p, event, e);
    if (event->depth == 3 && p->open)
        return entry_element(p, event, e);
    if (event->depth == 3 && strcmp(event->name, "Prefix") == 0 &&
        strstr(event->path, "/CommonPrefixes/"))
        return prefix_end(p, event, e);
    return 0;
}

// SPDX-License-Identifier: EUPL-1.2
/* Readers of Azure's XML answers: see azure_xml.h. */
#include "store/driver/azure_xml.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "codec/url.h"
#include "store/driver/azure_private.h"

#define TEXT_MAX    (64 * 1024)
#define PAGE_MAX    (64 * 1024 * 1024)
#define BLOB        "EnumerationResults/Blobs/Blob"
#define NEXT_MARKER "EnumerationResults/NextMarker"
#define RANGES_MAX  (256 * 1024 * 1024)

/* What is wrong with an answer is the service's fault, not the caller's. */
static int blame(struct err *e, const char *what)
{
    if (e->code == ERR_INVALID)
        e->code = ERR_REMOTE;
    return err_prefix(e, "answer to %s", what);
}

int azure_name_decode(const char *text, size_t length, const struct pairs *attributes, char **ret,
                      struct err *e)
{
    auto_buf struct buf name = BUF_INIT(TEXT_MAX);
    const char *encoded = pairs_get(attributes, "Encoded");

    if (!encoded || strcasecmp(encoded, "true") != 0) {
        *ret = xstrndup(text, length);
        return 0;
    }
    if (url_unescape(&name, text, length, false, e) < 0)
        return err_prefix(e, "encoded name");
    if (strlen(name.data) != name.length)
        return err_set(e, ERR_INVALID, "a name holds a NUL byte");
    *ret = buf_take(&name);
    return 0;
}

/* ------------------------------------------------------------------ List Blobs */

static int page_start(void *context, const struct xml_event *event, struct err *e)
{
    struct azure_page *p = context;

    if (event->depth != 3 || strcmp(event->path, BLOB) != 0)
        return 0;
    if (p->list.count >= p->most)
        return err_set(e, ERR_REMOTE, "more than the %zu entries asked for", p->most);
    p->object = object_list_add(&p->list);
    p->deleted = p->snapshot = p->not_current = false;
    return 0;
}

static int blob_end(struct azure_page *p, struct err *e)
{
    struct object *o = p->object;

    p->object = NULL;
    if (!o->name || !*o->name)
        return err_set(e, ERR_INVALID, "a blob has no name");
    if (p->deleted)
        o->kind = VERSION_DELETED;
    else if (p->snapshot)
        o->kind = VERSION_SNAPSHOT;
    else if (p->not_current)
        o->kind = VERSION_ID;
    o->is_latest = o->kind == VERSION_CURRENT;
    azure_finish_object(o);
    return 0;
}

/* <Blob>'s own children. */
static int blob_child(struct azure_page *p, const struct xml_event *event, struct err *e)
{
    struct object *o = p->object;
    const char *name = event->name;

    if (strcmp(name, "Name") == 0) {
        free(take(o->name));
        return azure_name_decode(event->text, event->length, event->attributes, &o->name, e);
    }
    if (strcmp(name, "Deleted") == 0)
        p->deleted = strcasecmp(event->text, "true") == 0;
    else if (strcmp(name, "Snapshot") == 0 && event->length) {
        p->snapshot = true;
        replace_string(&o->version, event->text);
    } else if (strcmp(name, "VersionId") == 0 && event->length && !p->snapshot) {
        replace_string(&o->version, event->text);
        p->not_current = !o->is_latest;
    } else if (strcmp(name, "IsCurrentVersion") == 0) {
        o->is_latest = strcasecmp(event->text, "true") == 0;
        p->not_current = !o->is_latest;
    }
    return 0;
}

static void tag_child(struct azure_page *p, const struct xml_event *event)
{
    if (strcmp(event->name, "Key") == 0)
        replace_string(&p->tag_key, event->text);
    else if (strcmp(event->name, "Value") == 0 && p->tag_key)
        pairs_add(&p->object->tags, p->tag_key, event->text);
}

static bool below(const struct xml_event *event, const char *path)
{
    size_t n = strlen(path);

    return strncmp(event->path, path, n) == 0 && event->path[n] == '/' &&
           strcmp(event->path + n + 1, event->name) == 0;
}

static int in_blob(struct azure_page *p, const struct xml_event *event, struct err *e)
{
    if (event->depth == 3)
        return blob_end(p, e);
    if (event->depth == 4)
        return blob_child(p, event, e);
    if (below(event, BLOB "/Properties"))
        azure_read_property(p->object, event->name, event->text);
    else if (below(event, BLOB "/Metadata"))
        pairs_add(&p->object->metadata, event->name, event->text);
    else if (below(event, BLOB "/Tags/TagSet/Tag"))
        tag_child(p, event);
    return 0;
}

static int page_end(void *context, const struct xml_event *event, struct err *e)
{
    struct azure_page *p = context;

    if (p->object)
        return in_blob(p, event, e);
    if (strcmp(event->path, "EnumerationResults/Blobs/BlobPrefix/Name") == 0) {
        auto_free char *name = NULL;
        if (p->list.prefix_count >= p->most)
            return err_set(e, ERR_REMOTE, "more than the %zu entries asked for", p->most);
        if (azure_name_decode(event->text, event->length, event->attributes, &name, e) < 0)
            return -1;
        object_list_add_prefix(&p->list, name);
    } else if (strcmp(event->path, NEXT_MARKER) == 0 && event->length) {
        replace_string(&p->list.cursor, event->text);
    } else if (event->depth == 1 && strcmp(event->name, "EnumerationResults") != 0) {
        return err_set(e, ERR_REMOTE, "it is no list of blobs");
    }
    return 0;
}

void azure_page_init(struct azure_page *p, size_t most)
{
    *p = (struct azure_page){.list = OBJECT_LIST_INIT, .most = most};
    xml_reader_init(&p->reader, TEXT_MAX, PAGE_MAX, page_start, page_end, p);
}

void azure_page_release(struct azure_page *p)
{
    xml_reader_release(&p->reader);
    object_list_release(&p->list);
    free(take(p->tag_key));
}

int azure_page_finish(struct azure_page *p, struct object_list *ret, struct err *e)
{
    if (xml_reader_finish(&p->reader, e) < 0)
        return blame(e, "List Blobs");
    *ret = p->list;
    p->list = (struct object_list)OBJECT_LIST_INIT;
    return 0;
}

/* ------------------------------------------------------------- Get Page Ranges */

static int number(const struct xml_event *event, uint64_t *ret, struct err *e)
{
    char *end;

    if (event->text[0] < '0' || event->text[0] > '9')
        return err_set(e, ERR_INVALID, "a page range has no number");
    *ret = strtoull(event->text, &end, 10);
    if (*end || *ret > INT64_MAX)
        return err_set(e, ERR_INVALID, "a page range has no number");
    return 0;
}

static int ranges_end(void *context, const struct xml_event *event, struct err *e)
{
    struct azure_ranges *r = context;
    struct extent_list *l = r->into;
    uint64_t last = 0;

    if (strcmp(event->path, "PageList/PageRange/Start") == 0) {
        r->has_start = true;
        return number(event, &r->start, e);
    }
    if (strcmp(event->path, "PageList/NextMarker") == 0 && event->length)
        replace_string(&r->next, event->text);
    if (strcmp(event->path, "PageList/PageRange/End") != 0)
        return 0;
    if (number(event, &last, e) < 0)
        return -1;
    struct extent *before = l->count ? &l->list[l->count - 1] : NULL;
    if (!r->has_start || last < r->start || (before && r->start < before->offset + before->length))
        return err_set(e, ERR_INVALID, "the page ranges are not in order");
    r->has_start = false;
    if (before && r->start == before->offset + before->length)
        before->length += last + 1 - r->start;
    else
        extent_list_add(l, r->start, last + 1 - r->start);
    return 0;
}

void azure_ranges_init(struct azure_ranges *r, struct extent_list *into)
{
    *r = (struct azure_ranges){.into = into};
    xml_reader_init(&r->reader, TEXT_MAX, RANGES_MAX, NULL, ranges_end, r);
}

void azure_ranges_release(struct azure_ranges *r)
{
    xml_reader_release(&r->reader);
    free(take(r->next));
}

int azure_ranges_finish(struct azure_ranges *r, char **ret_next, struct err *e)
{
    if (xml_reader_finish(&r->reader, e) < 0)
        return blame(e, "Get Page Ranges");
    *ret_next = take(r->next);
    return 0;
}

/* ---------------------------------------------------- containers and tags: trees */

static void read_container(const struct xml_node *node, struct container *c)
{
    struct err ignored = {0};
    const char *modified = xml_text(node, "Properties/Last-Modified");
    const char *access = xml_text(node, "Properties/PublicAccess");
    const char *deleted = xml_text(node, "Deleted");
    const char *versions = xml_text(node, "Properties/ImmutableStorageWithVersioningEnabled");
    const struct xml_node *metadata = xml_child(node, "Metadata");

    c->name = xstrdup(xml_text(node, "Name"));
    c->etag = azure_etag(xml_text(node, "Properties/Etag"));
    if (modified && date_parse_rfc1123(modified, &c->modified, &ignored) < 0)
        c->modified = TIME_UNKNOWN;
    c->access = xstrdup(access && *access ? access : "private");
    c->deleted = deleted && strcasecmp(deleted, "true") == 0;
    if (c->deleted)
        c->version = xstrdup_null(xml_text(node, "Version"));
    c->versioning = versions && strcasecmp(versions, "true") == 0;
    for (const struct xml_node *m = metadata ? metadata->children : NULL; m; m = m->next)
        pairs_add(&c->metadata, m->name, m->text);
}

int azure_containers_parse(const char *text, size_t length, struct container_list *ret,
                           struct err *e)
{
    auto_xml struct xml_node *root = NULL;
    auto_container_list struct container_list list = CONTAINER_LIST_INIT;

    if (xml_parse(text, length, &root, e) < 0)
        return blame(e, "List Containers");
    if (strcmp(root->name, "EnumerationResults") != 0)
        return err_set(e, ERR_REMOTE, "answer to List Containers: it is no list of containers");
    for (const struct xml_node *node = xml_child(root, "Containers/Container"); node;
         node = xml_next(node)) {
        if (!xml_text(node, "Name"))
            return err_set(e, ERR_REMOTE, "answer to List Containers: a container has no name");
        read_container(node, container_list_add(&list));
    }
    const char *next = xml_text(root, "NextMarker");
    list.cursor = next && *next ? xstrdup(next) : NULL;
    *ret = list;
    list = (struct container_list)CONTAINER_LIST_INIT;
    return 0;
}

int azure_tags_parse(const char *text, size_t length, struct pairs *ret, struct err *e)
{
    auto_xml struct xml_node *root = NULL;
    auto_pairs struct pairs tags = PAIRS_INIT;

    if (xml_parse(text, length, &root, e) < 0)
        return blame(e, "Get Blob Tags");
    if (strcmp(root->name, "Tags") != 0)
        return err_set(e, ERR_REMOTE, "answer to Get Blob Tags: these are no tags");
    for (const struct xml_node *tag = xml_child(root, "TagSet/Tag"); tag; tag = xml_next(tag)) {
        const char *key = xml_text(tag, "Key"), *value = xml_text(tag, "Value");
        if (!key || !value)
            return err_set(e, ERR_REMOTE, "answer to Get Blob Tags: a tag lacks key or value");
        pairs_add(&tags, key, value);
    }
    *ret = tags;
    tags = (struct pairs)PAIRS_INIT;
    return 0;
}

void azure_tags_write(struct buf *out, const struct pairs *tags)
{
    xml_head(out);
    buf_text(out, "<Tags><TagSet>");
    for (size_t i = 0; i < tags->count; i++) {
        buf_text(out, "<Tag>");
        xml_element(out, "Key", tags->list[i].key);
        xml_element(out, "Value", tags->list[i].value);
        buf_text(out, "</Tag>");
    }
    buf_text(out, "</TagSet></Tags>");
}

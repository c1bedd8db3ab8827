// SPDX-License-Identifier: EUPL-1.2
/* ListParts and ListMultipartUploads. */
#include <stdio.h>
#include <string.h>

#include "codec/xml.h"
#include "door/s3/s3_multipart.h"

#define LIST_MAX  1000
#define PAGE_SIZE (16 * 1024 * 1024)

static int encoding_of(struct s3_request *r, bool *ret_url, struct call *call)
{
    const char *encoding = s3_query(r, "encoding-type");
    if (encoding != NULL && strcmp(encoding, "url") != 0)
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "Invalid Encoding Method specified in Request");
    *ret_url = encoding != NULL;
    return 0;
}

static void owner_xml(const struct s3_request *r, const char *owner, struct buf *body)
{
    static const char *const roles[] = {"Initiator", "Owner"};
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
        const char *who = i == 0 && owner != NULL ? owner : r->account;
        xml_open(body, roles[i]);
        xml_element(body, "ID", who);
        xml_element(body, "DisplayName", who);
        xml_close(body, roles[i]);
    }
}

static void chosen_xml(const struct s3_upload *u, struct buf *body)
{
    if (u->algorithm == NULL)
        return;
    xml_element(body, "ChecksumAlgorithm", u->algorithm);
    xml_element(body, "ChecksumType", u->composite ? "COMPOSITE" : "FULL_OBJECT");
}

/* ---- ListParts ---- */

static void part_xml(const struct s3_upload *u, const struct block_entry *entry, struct buf *body)
{
    auto_json json_t *sums = NULL;
    struct err ignored = {0};
    unsigned char bytes[64];
    xml_open(body, "Part");
    s3_xml_number(body, "PartNumber", strtoul(entry->block, NULL, 10));
    s3_xml_time(body, "LastModified", entry->created);
    if (entry->checksums != NULL &&
        json_parse(entry->checksums, strlen(entry->checksums), &sums, &ignored) == 0) {
        const char *md5 = json_text(sums, checksum_word(CHECKSUM_MD5));
        const char *hex = json_text(sums, checksum_word(u->kind));
        auto_free char *etag = xasprintf("\"%s\"", md5 != NULL ? md5 : "");
        xml_element(body, "ETag", etag);
        size_t n = checksum_size(u->kind);
        if (u->algorithm != NULL && hex != NULL && hex_decode(hex, bytes, n, &ignored) == 0) {
            auto_buf struct buf text = BUF_INIT(128);
            auto_free char *name = xasprintf("Checksum%s", u->algorithm);
            base64_encode(&text, bytes, n);
            xml_element(body, name, text.data);
        }
    }
    s3_xml_number(body, "Size", entry->size);
    xml_close(body, "Part");
}

int s3_list_parts(struct s3_request *r, struct call *call)
{
    cleanup(s3_upload_release) struct s3_upload upload = S3_UPLOAD_INIT;
    auto_block_list struct block_list blocks = {0};
    auto_buf struct buf parts = BUF_INIT(PAGE_SIZE);
    auto_buf struct buf body = BUF_INIT(PAGE_SIZE);
    unsigned limit = LIST_MAX, after = 0, count = 0, last = 0;
    bool more = false, url = false;
    if (s3_query_number(r, "max-parts", LIST_MAX, &limit, call) < 0 ||
        s3_query_number(r, "part-number-marker", INT32_MAX, &after, call) < 0 ||
        encoding_of(r, &url, call) < 0 || s3_upload_open(r, &upload, call) < 0 ||
        service_block_list(r->door->options.service, &r->place, NULL, upload.row.upload, &blocks,
                           call) < 0)
        return -1;
    for (size_t i = 0; i < blocks.uncommitted_count && !more; i++) {
        unsigned long number = strtoul(blocks.uncommitted[i].block, NULL, 10);
        if (number <= after)
            continue;
        more = count == limit;
        if (!more) {
            part_xml(&upload, &blocks.uncommitted[i], &parts);
            last = (unsigned)number;
            count++;
        }
    }
    s3_xml_root(&body, "ListPartsResult");
    xml_element(&body, "Bucket", r->bucket);
    s3_xml_key(&body, "Key", r->key, url);
    xml_element(&body, "UploadId", upload.row.upload);
    s3_xml_number(&body, "PartNumberMarker", after);
    s3_xml_number(&body, "NextPartNumberMarker", last);
    s3_xml_number(&body, "MaxParts", limit);
    xml_element(&body, "IsTruncated", more ? "true" : "false");
    chosen_xml(&upload, &body);
    owner_xml(r, upload.row.owner, &body);
    xml_element(&body, "StorageClass", "STANDARD");
    buf_bytes(&body, parts.data, parts.length);
    xml_close(&body, "ListPartsResult");
    return s3_answer_xml(r, 200, &body);
}

/* ---- ListMultipartUploads ---- */

/* A page while it is put together: uploads and, with a delimiter, the prefixes they share. */
struct uploads_page {
    const char *prefix;
    const char *delimiter;
    const char *owner;
    bool url;
    unsigned limit;
    unsigned count;
    bool more;
    char *after_name; /* where the page ends */
    char *after_upload;
    char *seek; /* where reading goes on: after_name, or behind all of a prefix */
    struct buf uploads;
    struct buf prefixes;
};

static void uploads_page_release(struct uploads_page *p)
{
    free(p->after_name);
    free(p->after_upload);
    free(p->seek);
    buf_release(&p->uploads);
    buf_release(&p->prefixes);
}

static void upload_xml(const struct s3_request *r, struct uploads_page *p,
                       const struct upload_row *u)
{
    struct buf *body = &p->uploads;
    xml_open(body, "Upload");
    s3_xml_key(body, "Key", u->name, p->url);
    xml_element(body, "UploadId", u->upload);
    owner_xml(r, u->owner, body);
    xml_element(body, "StorageClass", "STANDARD");
    s3_xml_time(body, "Initiated", u->created);
    xml_close(body, "Upload");
}

/* The length of the common prefix a name falls under; 0: it stands for itself. */
static size_t folded(const struct uploads_page *p, const char *name)
{
    if (p->delimiter == NULL || p->delimiter[0] == '\0')
        return 0;
    size_t skip = p->prefix != NULL ? strlen(p->prefix) : 0;
    const char *found = strstr(name + skip, p->delimiter);
    return found != NULL ? (size_t)(found - name) + strlen(p->delimiter) : 0;
}

/* No name that is UTF-8 comes after these bytes and begins with the prefix. */
static char *behind_prefix(const char *prefix, size_t length)
{
    return xasprintf("%.*s\xff", (int)length, prefix);
}

static void add_prefix(struct uploads_page *p, const char *name, size_t length)
{
    auto_free char *prefix = xstrndup(name, length);
    xml_open(&p->prefixes, "CommonPrefixes");
    s3_xml_key(&p->prefixes, "Prefix", prefix, p->url);
    xml_close(&p->prefixes, "CommonPrefixes");
    replace_string(&p->after_name, prefix);
    replace_string(&p->after_upload, NULL);
    free(p->seek);
    p->seek = behind_prefix(prefix, length);
}

/* One batch into the page; true when the batch was used up and there is more to read. */
static bool take_batch(const struct s3_request *r, struct uploads_page *p,
                       const struct upload_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct upload_row *u = &rows->list[i];
        if (p->count == p->limit) {
            p->more = true;
            return false;
        }
        p->count++;
        size_t length = folded(p, u->name);
        if (length > 0) {
            add_prefix(p, u->name, length);
            return true;
        }
        upload_xml(r, p, u);
        replace_string(&p->after_name, u->name);
        replace_string(&p->after_upload, u->upload);
        replace_string(&p->seek, u->name);
    }
    return rows->more;
}

static int fill_page(struct s3_request *r, struct uploads_page *p, struct call *call)
{
    bool again = p->limit > 0;
    while (again) {
        auto_upload_rows struct upload_rows rows = {0};
        if (service_upload_list(r->door->options.service, r->account, r->bucket, p->prefix, p->seek,
                                p->after_upload, p->limit + 1, &rows, call) < 0)
            return -1;
        again = take_batch(r, p, &rows);
    }
    return 0;
}

static int open_page(struct s3_request *r, struct uploads_page *p, struct call *call)
{
    p->prefix = s3_query(r, "prefix");
    p->delimiter = s3_query(r, "delimiter");
    p->limit = LIST_MAX;
    const char *name = s3_query(r, "key-marker");
    if (encoding_of(r, &p->url, call) < 0 ||
        s3_query_number(r, "max-uploads", LIST_MAX, &p->limit, call) < 0)
        return -1;
    if (name == NULL || name[0] == '\0')
        return 0;
    const char *upload = s3_query(r, "upload-id-marker");
    bool has_upload = upload != NULL && upload[0] != '\0';
    size_t length = has_upload ? 0 : folded(p, name);
    p->seek = length > 0 && length == strlen(name) ? behind_prefix(name, length) : xstrdup(name);
    p->after_upload = has_upload ? xstrdup(upload) : NULL;
    return 0;
}

int s3_list_uploads(struct s3_request *r, struct call *call)
{
    cleanup(uploads_page_release) struct uploads_page page = {.uploads = BUF_INIT(PAGE_SIZE),
                                                              .prefixes = BUF_INIT(PAGE_SIZE)};
    auto_buf struct buf body = BUF_INIT(3 * PAGE_SIZE);
    const char *name = s3_query(r, "key-marker"), *upload = s3_query(r, "upload-id-marker");
    if (open_page(r, &page, call) < 0 || fill_page(r, &page, call) < 0)
        return -1;
    s3_xml_root(&body, "ListMultipartUploadsResult");
    xml_element(&body, "Bucket", r->bucket);
    s3_xml_key(&body, "KeyMarker", name != NULL ? name : "", page.url);
    xml_element(&body, "UploadIdMarker", upload != NULL ? upload : "");
    if (page.more) {
        s3_xml_key(&body, "NextKeyMarker", page.after_name, page.url);
        xml_element(&body, "NextUploadIdMarker",
                    page.after_upload != NULL ? page.after_upload : "");
    }
    if (page.prefix != NULL)
        s3_xml_key(&body, "Prefix", page.prefix, page.url);
    if (page.delimiter != NULL)
        s3_xml_key(&body, "Delimiter", page.delimiter, page.url);
    if (page.url)
        xml_element(&body, "EncodingType", "url");
    s3_xml_number(&body, "MaxUploads", page.limit);
    xml_element(&body, "IsTruncated", page.more ? "true" : "false");
    buf_bytes(&body, page.uploads.data, page.uploads.length);
    buf_bytes(&body, page.prefixes.data, page.prefixes.length);
    xml_close(&body, "ListMultipartUploadsResult");
    return s3_answer_xml(r, 200, &body);
}

// SPDX-License-Identifier: EUPL-1.2
/*
 * One <Blob> of a list.  The order of the elements is that of the REST reference, "List Blobs":
 * some clients read them in order.
 */
#include <string.h>

#include "codec/date.h"
#include "codec/xml.h"
#include "door/azblob/azblob_blob.h"
#include "door/azblob/azblob_list.h"
#include "object/tags.h"

#define DAY (24 * 3600 * CLOCK_SECOND)

static void write_time(struct buf *out, const char *name, int64_t time)
{
    char text[DATE_TEXT];

    if (time == TIME_UNKNOWN)
        return;
    date_rfc1123(text, time);
    xml_element(out, name, text);
}

static void write_text(struct buf *out, const char *name, const char *value)
{
    if (value)
        xml_element(out, name, value);
}

static void write_bool(struct buf *out, const char *name, bool value)
{
    xml_element(out, name, value ? "true" : "false");
}

static void write_number(struct buf *out, const char *name, int64_t value)
{
    buf_printf(out, "<%s>%lld</%s>", name, (long long)value, name);
}

static void write_content(struct buf *out, const struct object_row *o)
{
    write_number(out, "Content-Length", o->size);
    xml_element(out, "Content-Type", o->content_type ? o->content_type : "");
    xml_element(out, "Content-Encoding", o->content_encoding ? o->content_encoding : "");
    xml_element(out, "Content-Language", o->content_language ? o->content_language : "");
    xml_element(out, "Content-MD5", o->content_md5 ? o->content_md5 : "");
    xml_element(out, "Cache-Control", o->cache_control ? o->cache_control : "");
    xml_element(out, "Content-Disposition", o->content_disposition ? o->content_disposition : "");
}

static void write_type(struct buf *out, const struct object_row *o)
{
    static const char *const types[] = {
        [OBJECT_BLOCK] = "BlockBlob", [OBJECT_APPEND] = "AppendBlob", [OBJECT_PAGE] = "PageBlob"};

    if (o->type == OBJECT_PAGE)
        write_number(out, "x-ms-blob-sequence-number", o->sequence);
    xml_element(out, "BlobType", types[o->type]);
}

static void write_tier(const struct azblob_request *r, struct buf *out, const struct object_row *o)
{
    char status[AZBLOB_WAKING_SIZE];
    const char *priority;
    bool waking = azblob_is_waking(r, o, status, &priority);

    if (o->type == OBJECT_BLOCK || o->tier)
        xml_element(out, "AccessTier", waking ? "Archive" : o->tier ? o->tier : "Hot");
    if (same_string(o->tier, "Smart"))
        xml_element(out, "SmartAccessTier", "Hot");
    if (o->type == OBJECT_BLOCK && !o->tier)
        write_bool(out, "AccessTierInferred", true);
    if (o->tier)
        write_time(out, "AccessTierChangeTime", o->tier_changed);
    if (waking) {
        xml_element(out, "ArchiveStatus", status);
        xml_element(out, "RehydratePriority", priority);
    }
}

static void write_lease(struct azblob_request *r, struct buf *out, const struct object_row *o)
{
    const char *state, *status, *duration;

    if (o->state == OBJECT_SNAPSHOT || !o->current)
        return;
    lease_words(o->lease_state, o->lease_seconds, o->lease_until, r->now, &state, &status,
                &duration);
    xml_element(out, "LeaseStatus", status);
    xml_element(out, "LeaseState", state);
    write_text(out, "LeaseDuration", duration);
}

static void write_copy(struct buf *out, const struct object_row *o)
{
    auto_json json_t *copy = NULL;
    struct err ignored = {0};
    int64_t completed;

    if (!o->copy || json_parse(o->copy, strlen(o->copy), &copy, &ignored) < 0)
        return;
    write_text(out, "CopyId", json_text(copy, "id"));
    write_text(out, "CopyStatus", json_text(copy, "status"));
    write_text(out, "CopySource", json_text(copy, "source"));
    write_text(out, "CopyProgress", json_text(copy, "progress"));
    if (json_number(copy, "completed", &completed))
        write_time(out, "CopyCompletionTime", completed);
    write_text(out, "CopyStatusDescription", json_text(copy, "reason"));
    if (json_text(copy, "snapshot"))
        write_bool(out, "IncrementalCopy", true);
    write_text(out, "DestinationSnapshot", json_text(copy, "made"));
}

static void write_deleted(struct azblob_request *r, struct buf *out, const struct object_row *o)
{
    int64_t left;

    if (o->deleted == TIME_UNKNOWN)
        return;
    left = o->deleted_until == TIME_UNKNOWN ? 0 : (o->deleted_until - r->now) / DAY;
    write_time(out, "DeletedTime", o->deleted);
    write_number(out, "RemainingRetentionDays", left > 0 ? left : 0);
}

static void write_retention(struct buf *out, unsigned includes, const struct object_row *o)
{
    if ((includes & AZBLOB_LIST_IMMUTABILITY) && o->immutable_until != TIME_UNKNOWN) {
        write_time(out, "ImmutabilityPolicyUntilDate", o->immutable_until);
        write_text(out, "ImmutabilityPolicyMode", o->immutable_mode);
    }
    if (includes & AZBLOB_LIST_LEGAL_HOLD)
        write_bool(out, "LegalHold", o->legal_hold);
}

static void write_properties(struct azblob_request *r, struct buf *out, unsigned includes,
                             const struct object_row *o, size_t tag_count)
{
    xml_open(out, "Properties");
    write_time(out, "Creation-Time", o->created);
    write_time(out, "Last-Modified", o->modified);
    write_text(out, "Etag", o->etag);
    write_content(out, o);
    write_type(out, o);
    write_tier(r, out, o);
    write_lease(r, out, o);
    if (includes & AZBLOB_LIST_COPY)
        write_copy(out, o);
    write_bool(out, "ServerEncrypted", true);
    write_deleted(r, out, o);
    if (tag_count)
        write_number(out, "TagCount", (int64_t)tag_count);
    write_time(out, "Expiry-Time", o->goes_at);
    if (o->type == OBJECT_APPEND && o->sealed)
        write_bool(out, "Sealed", true);
    write_retention(out, includes, o);
    xml_close(out, "Properties");
}

void azblob_write_tags(struct buf *out, const struct pairs *tags)
{
    xml_open(out, "Tags");
    xml_open(out, "TagSet");
    for (size_t i = 0; i < tags->count; i++) {
        xml_open(out, "Tag");
        xml_element(out, "Key", tags->list[i].key);
        xml_element(out, "Value", tags->list[i].value);
        xml_close(out, "Tag");
    }
    xml_close(out, "TagSet");
    xml_close(out, "Tags");
}

static void write_version(struct buf *out, unsigned includes, const struct object_row *o)
{
    if (o->state == OBJECT_SNAPSHOT) {
        write_text(out, "Snapshot", o->version);
        return;
    }
    if (!o->versioned || !(includes & (AZBLOB_LIST_VERSIONS | AZBLOB_LIST_DELETED_WITH_VERSIONS)))
        return;
    write_text(out, "VersionId", o->version);
    if (o->current && o->deleted == TIME_UNKNOWN)
        write_bool(out, "IsCurrentVersion", true);
}

void azblob_list_entry(struct azblob_request *r, struct buf *out, unsigned includes,
                       const struct listing_entry *entry, bool versions_only)
{
    const struct object_row *o = &entry->object;
    auto_pairs struct pairs tags = PAIRS_INIT;
    struct err ignored = {0};

    if (o->tags && pairs_from_json(o->tags, &tags, &ignored) < 0)
        tags.count = 0;
    xml_open(out, "Blob");
    azblob_list_name(out, "Name", o->name);
    if (o->deleted != TIME_UNKNOWN)
        write_bool(out, "Deleted", true);
    write_version(out, includes, o);
    write_properties(r, out, includes, o, tags.count);
    if (includes & AZBLOB_LIST_METADATA)
        azblob_write_metadata(out, o->metadata);
    if ((includes & AZBLOB_LIST_TAGS) && tags.count)
        azblob_write_tags(out, &tags);
    if (versions_only)
        write_bool(out, "HasVersionsOnly", true);
    buf_text(out, "<OrMetadata />");
    xml_close(out, "Blob");
}

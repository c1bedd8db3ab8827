// SPDX-License-Identifier: EUPL-1.2
/* What answers tell of a blob: see azblob_blob.h. */
#include <inttypes.h>
#include <string.h>

#include "codec/date.h"
#include "codec/json.h"
#include "door/azblob/azblob_blob.h"
#include "object/tags.h"

#define FRAME "XSM/1.0; properties=crc64"

static const char *const type_words[] = {
    [OBJECT_BLOCK] = "BlockBlob",
    [OBJECT_APPEND] = "AppendBlob",
    [OBJECT_PAGE] = "PageBlob",
};

/* A SAS may say what a reader shall see in place of the blob's own. */
static void say_or(struct azblob_request *r, const char *name, const char *key, const char *value)
{
    const char *instead = azblob_override(r, key);

    azblob_say(r, name, instead ? instead : value);
}

static void say_content(struct azblob_request *r, const struct object_row *o,
                        enum azblob_saying how)
{
    /* Every blob begins with one; Set Blob Properties without one takes it away. */
    say_or(r, "Content-Type", "rsct", o->content_type);
    say_or(r, "Content-Encoding", "rsce", o->content_encoding);
    say_or(r, "Content-Language", "rscl", o->content_language);
    say_or(r, "Content-Disposition", "rscd", o->content_disposition);
    say_or(r, "Cache-Control", "rscc", o->cache_control);
    if (how != AZBLOB_SAY_RANGE)
        azblob_say(r, "Content-MD5", o->content_md5);
    else
        azblob_say(r, "x-ms-blob-content-md5", o->content_md5);
}

void azblob_say_copy(struct azblob_request *r, const struct object_row *o)
{
    auto_json json_t *copy = NULL;
    struct err ignored = {0};
    int64_t completed;

    if (!o->copy || json_parse(o->copy, strlen(o->copy), &copy, &ignored) < 0)
        return;
    azblob_say(r, "x-ms-copy-id", json_text(copy, "id"));
    azblob_say(r, "x-ms-copy-source", json_text(copy, "source"));
    const char *status = json_text(copy, "status");
    if (same_string(status, AZBLOB_COPY_PENDING) && !copy_is_pending(o->copy, r->now)) {
        azblob_say(r, "x-ms-copy-status", AZBLOB_COPY_FAILED);
        azblob_say(r, "x-ms-copy-status-description", "500 InternalError \"The copier is gone.\"");
    } else {
        azblob_say(r, "x-ms-copy-status", status);
        azblob_say(r, "x-ms-copy-status-description", json_text(copy, "reason"));
    }
    azblob_say(r, "x-ms-copy-progress", json_text(copy, "progress"));
    if (json_text(copy, "snapshot"))
        azblob_say_bool(r, "x-ms-incremental-copy", true);
    azblob_say(r, "x-ms-copy-destination-snapshot", json_text(copy, "made"));
    if (json_number(copy, "completed", &completed))
        azblob_say_time(r, "x-ms-copy-completion-time", completed);
}

/* The tier of what has none of its own is the account's, which is Hot. */
static void say_tier(struct azblob_request *r, const struct object_row *o)
{
    if (o->type == OBJECT_APPEND || (o->type == OBJECT_PAGE && !o->tier))
        return;
    char status[AZBLOB_WAKING_SIZE];
    const char *priority;
    bool waking = azblob_is_waking(r, o, status, &priority);
    azblob_say(r, "x-ms-access-tier", waking ? "Archive" : o->tier ? o->tier : "Hot");
    if (same_string(o->tier, "Smart"))
        azblob_say(r, "x-ms-smart-access-tier", "Hot");
    if (o->tier)
        azblob_say_time(r, "x-ms-access-tier-change-time", o->tier_changed);
    else
        azblob_say_bool(r, "x-ms-access-tier-inferred", true);
    if (!waking)
        return;
    azblob_say(r, "x-ms-archive-status", status);
    azblob_say(r, "x-ms-rehydrate-priority", priority);
}

static void say_version(struct azblob_request *r, const struct object_row *o)
{
    if (!o->versioned || o->state == OBJECT_SNAPSHOT)
        return;
    azblob_say(r, "x-ms-version-id", o->version);
    if (o->current)
        azblob_say_bool(r, "x-ms-is-current-version", true);
}

static void say_type(struct azblob_request *r, const struct object_row *o)
{
    azblob_say(r, "x-ms-blob-type", type_words[o->type]);
    if (o->type == OBJECT_APPEND) {
        azblob_sayf(r, "x-ms-blob-committed-block-count", "%" PRId64, o->blocks);
        if (o->sealed)
            azblob_say_bool(r, "x-ms-blob-sealed", true);
    }
    if (o->type == OBJECT_PAGE)
        azblob_sayf(r, "x-ms-blob-sequence-number", "%" PRId64, o->sequence);
}

static void say_tag_count(struct azblob_request *r, const struct object_row *o)
{
    auto_pairs struct pairs tags = PAIRS_INIT;
    struct err ignored = {0};

    if (o->tags && pairs_from_json(o->tags, &tags, &ignored) == 0 && tags.count > 0)
        azblob_sayf(r, "x-ms-tag-count", "%zu", tags.count);
}

static void say_retention(struct azblob_request *r, const struct object_row *o)
{
    if (o->immutable_until != TIME_UNKNOWN && o->immutable_mode) {
        azblob_say_time(r, "x-ms-immutability-policy-until-date", o->immutable_until);
        azblob_say(r, "x-ms-immutability-policy-mode", o->immutable_mode);
    }
    if (o->legal_hold)
        azblob_say_bool(r, "x-ms-legal-hold", true);
    azblob_say_time(r, "x-ms-expiry-time", o->goes_at);
}

void azblob_say_blob(struct azblob_request *r, const struct object_row *o, enum azblob_saying how)
{
    azblob_say_etag(r, o->etag, o->modified);
    azblob_say_time(r, "x-ms-creation-time", o->created);
    say_content(r, o, how);
    azblob_say(r, "Accept-Ranges", "bytes");
    azblob_say_metadata(r, o->metadata);
    say_type(r, o);
    say_version(r, o);
    azblob_say_lease(r, o->lease_state, o->lease_seconds, o->lease_until);
    azblob_say_copy(r, o);
    azblob_say_bool(r, "x-ms-server-encrypted", true);
    say_tier(r, o);
    say_tag_count(r, o);
    say_retention(r, o);
}

void azblob_say_received(struct azblob_request *r)
{
    if (azblob_get(r, "x-ms-structured-body"))
        azblob_say(r, "x-ms-structured-body", FRAME);
    azblob_say_bool(r, "x-ms-request-server-encrypted", true);
}

void azblob_say_written(struct azblob_request *r, const struct object_row *o)
{
    azblob_say_etag(r, o->etag, o->modified);
    if (o->versioned && o->state != OBJECT_SNAPSHOT)
        azblob_say(r, "x-ms-version-id", o->version);
    azblob_say_received(r);
}

void azblob_say_refused(struct azblob_request *r, const struct object_row *o,
                        const struct call *call)
{
    if (call->err.fault == FAULT_UNMODIFIED && o->etag) {
        auto_free char *etag = xasprintf("\"%s\"", o->etag);
        char modified[DATE_TEXT];
        date_rfc1123(modified, o->modified);
        azblob_say_error(r, "ETag", etag);
        azblob_say_error(r, "Last-Modified", modified);
    }
    if (call->err.fault == FAULT_RANGE) {
        auto_free char *range = xasprintf("bytes */%" PRId64, o->size);
        azblob_say_error(r, "Content-Range", range);
    }
}

// SPDX-License-Identifier: EUPL-1.2
/*
 * Incremental Copy Blob: a snapshot of a page blob becomes a snapshot of another one.
 *
 * Azure carries the pages that changed and makes a snapshot of what came of it.  Here nothing is
 * carried: the bytes are shared, and what lay in the destination before stays in its snapshots.
 */
#include <string.h>

#include "codec/json.h"
#include "door/azblob/azblob_blob.h"

struct increment {
    struct azblob_copy_source source;
    struct object_row target; /* as it was before, if it was there */
    char id[AZBLOB_GUID_SIZE];
};

static void increment_release(struct increment *i)
{
    azblob_copy_source_release(&i->source);
    object_row_release(&i->target);
}

static int read_source(struct azblob_request *r, struct increment *i, struct call *call)
{
    if (azblob_body_between(r, 0, 0, call) < 0 || azblob_copy_source_find(r, &i->source, call) < 0)
        return -1;
    if (!i->source.own)
        return azblob_fail(r, AZBLOB_CANNOT_VERIFY_COPY_SOURCE, call);
    if (i->source.place.kind != VERSION_SNAPSHOT)
        return azblob_fail(r, AZBLOB_INCREMENTAL_COPY_SOURCE_MUST_BE_SNAPSHOT, call);
    if (azblob_copy_source_stat(r, &i->source, call) < 0)
        return -1;
    if (i->source.object.type != OBJECT_PAGE)
        return azblob_fail(r, AZBLOB_INVALID_SOURCE_BLOB_TYPE, call);
    return 0;
}

/* What is there must be the copy of an earlier snapshot of the same blob: 1, 0 nothing is. */
static int check_target(struct azblob_request *r, struct increment *i, struct call *call)
{
    auto_json json_t *copy = NULL;
    struct err ignored = {0};

    if (service_stat(azblob_service(r), &r->place, NULL, &i->target, call) < 0) {
        if (call->err.fault != FAULT_OBJECT_MISSING)
            return -1;
        err_clear(&call->err);
        return 0;
    }
    const char *json = i->target.copy;
    if (json && json_parse(json, strlen(json), &copy, &ignored) < 0)
        return azblob_fail(r, AZBLOB_INCREMENTAL_COPY_BLOB_MISMATCH, call);
    const char *before = json_text(copy, "snapshot"), *of = json_text(copy, "of");
    auto_free char *name = azblob_source_name(&i->source);
    if (!before || !same_string(of, name))
        return azblob_fail(r, AZBLOB_INCREMENTAL_COPY_BLOB_MISMATCH, call);
    if (strcmp(before, i->source.place.version) >= 0)
        return azblob_fail(r, AZBLOB_INCREMENTAL_COPY_OF_EARLIER_SNAPSHOT_NOT_ALLOWED, call);
    return 1;
}

/* made: the snapshot of the destination; NULL: not yet. */
static char *state_of(const struct azblob_request *r, const struct increment *i, const char *made)
{
    uint64_t size = (uint64_t)i->source.object.size;
    auto_free char *plain =
        azblob_copy_json(i->id, i->source.url, AZBLOB_COPY_SUCCESS, size, size, r->now, NULL);
    auto_free char *name = azblob_source_name(&i->source);

    return azblob_copy_incremental(plain, name, i->source.place.version, made);
}

/* From the source first, so that there is something to take a snapshot of; then once more from that
 * snapshot, so that the blob names it. */
static int copy_and_keep(struct azblob_request *r, struct increment *i, bool there,
                         struct object_row *ret, struct call *call)
{
    auto_object_row struct object_row snapshot = object_row_new();
    auto_free char *first = state_of(r, i, NULL), *etag = NULL;
    struct copy_request request = {.from = i->source.place,
                                   .from_conditions = i->source.conditions,
                                   .to = r->place,
                                   .conditions = r->conditions,
                                   .keep_metadata = true,
                                   .copy = first};
    struct conditions same = CONDITIONS_INIT;

    /* What was looked at is what is copied onto. */
    if (there && !request.conditions.if_match)
        request.conditions.if_match = i->target.etag;
    if (!there && !request.conditions.if_none_match)
        request.conditions.if_none_match = "*";
    if (service_copy(azblob_service(r), &request, ret, call) < 0)
        return -1;
    etag = xstrdup(ret->etag);
    same.if_match = etag;
    same.lease = r->conditions.lease;
    if (service_snapshot(azblob_service(r), &r->place, &same, NULL, &snapshot, NULL, call) < 0)
        return -1;
    auto_free char *last = state_of(r, i, snapshot.version);
    request.from = r->place;
    request.from.kind = VERSION_SNAPSHOT;
    request.from.version = snapshot.version;
    request.from_conditions = (struct conditions)CONDITIONS_INIT;
    request.conditions = (struct conditions)CONDITIONS_INIT;
    request.conditions.lease = r->conditions.lease;
    request.copy = last;
    return service_copy(azblob_service(r), &request, ret, call);
}

int azblob_blob_copy_incremental(struct azblob_request *r, struct call *call)
{
    cleanup(increment_release) struct increment i = {.target = object_row_new()};
    auto_object_row struct object_row row = object_row_new();

    if (read_source(r, &i, call) < 0)
        return -1;
    int there = check_target(r, &i, call);
    if (there < 0)
        return -1;
    azblob_guid(i.id);
    if (copy_and_keep(r, &i, there, &row, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    if (row.versioned)
        azblob_say(r, "x-ms-version-id", row.version);
    azblob_say(r, "x-ms-copy-id", i.id);
    /* Clients look again, and find it done. */
    azblob_say(r, "x-ms-copy-status", AZBLOB_COPY_PENDING);
    return azblob_answer(r, 202);
}

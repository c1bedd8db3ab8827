// SPDX-License-Identifier: EUPL-1.2
/* Delete Blob, Undelete Blob, Snapshot Blob. */
#include <strings.h>

#include "door/azblob/azblob_blob.h"

static int delete_options(struct azblob_request *r, struct delete_request *request,
                          struct call *call)
{
    const char *snapshots = azblob_get(r, "x-ms-delete-snapshots");
    const char *type = azblob_query(r, "deletetype");

    if (snapshots) {
        /* Only of a blob itself can one say what shall become of its snapshots. */
        if (r->place.kind != VERSION_CURRENT)
            return azblob_fail_header(r, AZBLOB_INVALID_OPERATION, "x-ms-delete-snapshots", call);
        if (strcasecmp(snapshots, "include") == 0)
            request->snapshots = DELETE_INCLUDE;
        else if (strcasecmp(snapshots, "only") == 0)
            request->snapshots = DELETE_ONLY;
        else
            return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-delete-snapshots",
                                      call);
    }
    if (type) {
        if (strcasecmp(type, "permanent") != 0 || r->place.kind == VERSION_CURRENT)
            return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, "deletetype", NULL,
                                     call);
        request->permanently = true;
    }
    return 0;
}

int azblob_blob_delete(struct azblob_request *r, struct call *call)
{
    struct delete_request request = {.place = r->place, .conditions = r->conditions};
    auto_delete_result struct delete_result result = {0};

    if (delete_options(r, &request, call) < 0 ||
        azblob_header_date(r, "x-ms-access-tier-if-modified-since",
                           &request.conditions.tier_modified_since, call) < 0 ||
        azblob_header_date(r, "x-ms-access-tier-if-unmodified-since",
                           &request.conditions.tier_unmodified_since, call) < 0 ||
        service_delete(azblob_service(r), &request, &result, call) < 0)
        return -1;
    azblob_say_bool(r, "x-ms-delete-type-permanent", !result.kept);
    return azblob_answer(r, 202);
}

int azblob_blob_undelete(struct azblob_request *r, struct call *call)
{
    if (service_undelete(azblob_service(r), &r->place, call) < 0)
        return -1;
    return azblob_answer(r, 200);
}

int azblob_blob_snapshot(struct azblob_request *r, struct call *call)
{
    /* Of a blob as it is now only. */
    static const char *const past[] = {"snapshot", "versionid"};
    auto_object_row struct object_row row = object_row_new(), current = object_row_new();
    auto_free char *metadata = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(past); i++)
        if (azblob_query(r, past[i]))
            return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, past[i], NULL, call);
    if (azblob_metadata(r, &metadata, call) < 0 ||
        service_snapshot(azblob_service(r), &r->place, &r->conditions, metadata, &row, &current,
                         call) < 0)
        return -1;
    azblob_say(r, "x-ms-snapshot", row.version);
    azblob_say_written(r, &current);
    return azblob_answer(r, 201);
}

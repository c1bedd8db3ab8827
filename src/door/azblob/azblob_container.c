// SPDX-License-Identifier: EUPL-1.2
/* Operations on containers: see azblob_private.h. */
#include <string.h>
#include <strings.h>

#include "door/azblob/azblob_private.h"

/* x-ms-blob-public-access: *ret is a literal, NULL for private. */
int azblob_public_access(struct azblob_request *r, const char **ret, struct call *call)
{
    const char *text = azblob_get(r, "x-ms-blob-public-access");

    *ret = NULL;
    if (!text)
        return 0;
    if (strcasecmp(text, "container") == 0)
        *ret = "container";
    else if (strcasecmp(text, "blob") == 0)
        *ret = "blob";
    else
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-blob-public-access", call);
    if (azblob_public_forbidden(r))
        return azblob_fail(r, AZBLOB_PUBLIC_ACCESS_NOT_PERMITTED, call);
    return 0;
}

int azblob_container_create(struct azblob_request *r, struct call *call)
{
    auto_container_row struct container_row wanted = container_row_new(), row = container_row_new();
    const char *access;

    if (azblob_metadata(r, &wanted.metadata, call) < 0 ||
        azblob_public_access(r, &access, call) < 0)
        return -1;
    wanted.access = xstrdup_null(access);
    if (service_container_create(r->door->options.service, r->account.name, r->target.container,
                                 &wanted, &row, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    return azblob_answer(r, 201);
}

static void say_properties(struct azblob_request *r, const struct container_row *row)
{
    azblob_say_lease(r, row->lease_state, row->lease_seconds, row->lease_until);
    azblob_say(r, "x-ms-blob-public-access", row->access);
    azblob_say_bool(r, "x-ms-has-immutability-policy", row->immutability);
    azblob_say_bool(r, "x-ms-has-legal-hold", row->legal_holds);
    azblob_say_bool(r, "x-ms-immutable-storage-with-versioning-enabled", false);
    azblob_say(r, "x-ms-default-encryption-scope", "$account-encryption-key");
    azblob_say_bool(r, "x-ms-deny-encryption-scope-override", false);
}

/* Get Container Properties, and Get Container Metadata, which is a part of it. */
int azblob_container_get(struct azblob_request *r, struct call *call)
{
    auto_container_row struct container_row row = container_row_new();

    if (service_container_get(r->door->options.service, r->account.name, r->target.container,
                              &r->conditions, &row, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    azblob_say_metadata(r, row.metadata);
    if (!azblob_query(r, "comp"))
        say_properties(r, &row);
    return azblob_answer(r, 200);
}

int azblob_container_set_metadata(struct azblob_request *r, struct call *call)
{
    auto_container_row struct container_row row = container_row_new();
    auto_free char *metadata = NULL;

    if (azblob_metadata(r, &metadata, call) < 0)
        return -1;
    struct container_change change = {.set_metadata = true, .touch = true, .metadata = metadata};
    if (service_container_change(r->door->options.service, r->account.name, r->target.container,
                                 &r->conditions, &change, &row, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    return azblob_answer(r, 200);
}

int azblob_container_delete(struct azblob_request *r, struct call *call)
{
    if (service_container_delete(r->door->options.service, r->account.name, r->target.container,
                                 &r->conditions, false, call) < 0)
        return -1;
    return azblob_answer(r, 202);
}

int azblob_container_restore(struct azblob_request *r, struct call *call)
{
    auto_container_row struct container_row row = container_row_new();
    const char *name = azblob_get(r, "x-ms-deleted-container-name");
    const char *version = azblob_get(r, "x-ms-deleted-container-version");

    if (!name || !*name || !version || !*version)
        return azblob_fail_header(
            r, AZBLOB_MISSING_REQUIRED_HEADER,
            name && *name ? "x-ms-deleted-container-version" : "x-ms-deleted-container-name", call);
    if (service_container_restore(r->door->options.service, r->account.name, name, version,
                                  r->target.container, &row, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    return azblob_answer(r, 201);
}

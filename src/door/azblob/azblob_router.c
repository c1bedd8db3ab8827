// SPDX-License-Identifier: EUPL-1.2
/*
 * The operations of the Azure Blob door: one table for dispatch, permissions, policy, logs and the
 * compatibility documentation.
 *
 * Permissions: REST reference, "Create an account SAS" and "Create a service SAS".
 */
#include <string.h>
#include <strings.h>

#include "door/azblob/azblob_private.h"

#define SERVICE   AZBLOB_SERVICE
#define CONTAINER AZBLOB_CONTAINER
#define BLOB      AZBLOB_BLOB

#define ADMIN    AZBLOB_ADMINISTRATIVE
#define WRITES   AZBLOB_WRITES
#define ACCOUNT  AZBLOB_ACCOUNT_ONLY
#define READ     AZBLOB_PUBLIC_BLOB
#define LISTS    AZBLOB_PUBLIC_CONTAINER
#define BODY     (AZBLOB_WRITES | AZBLOB_BODY)
#define NEW_BODY (BODY | AZBLOB_CREATES)
#define REFUSED  AZBLOB_REFUSED

#define NO_ACTION AZBLOB_NO_ACTION

/* Rows that ask more stand before those that ask less: the first that fits is it. */
static const struct azblob_operation operations[] = {
    /* clang-format off */
    /* Account */
    {SERVICE, "GET", "account", "properties", NULL, "GetAccountInformation", azblob_get_account_information, NULL, POLICY_ACCOUNT_INFO, 0},
    {SERVICE, "HEAD", "account", "properties", NULL, "GetAccountInformation", azblob_get_account_information, NULL, POLICY_ACCOUNT_INFO, 0},
    {CONTAINER, "GET", "account", "properties", NULL, "GetAccountInformation", azblob_get_account_information, NULL, POLICY_ACCOUNT_INFO, 0},
    {CONTAINER, "HEAD", "account", "properties", NULL, "GetAccountInformation", azblob_get_account_information, NULL, POLICY_ACCOUNT_INFO, 0},
    {BLOB, "GET", "account", "properties", NULL, "GetAccountInformation", azblob_get_account_information, NULL, POLICY_ACCOUNT_INFO, 0},
    {BLOB, "HEAD", "account", "properties", NULL, "GetAccountInformation", azblob_get_account_information, NULL, POLICY_ACCOUNT_INFO, 0},
    /* Service */
    {SERVICE, "GET", NULL, "list", NULL, "ListContainers", azblob_list_containers, "l", POLICY_CONTAINER_LIST, ACCOUNT},
    {SERVICE, "GET", "service", "properties", NULL, "GetBlobServiceProperties", azblob_get_service_properties, "r", POLICY_ACCOUNT_READ, ACCOUNT},
    {SERVICE, "PUT", "service", "properties", NULL, "SetBlobServiceProperties", azblob_set_service_properties, "w", POLICY_ACCOUNT_WRITE, ACCOUNT | ADMIN | BODY},
    {SERVICE, "GET", "service", "stats", NULL, "GetBlobServiceStats", azblob_get_stats, "r", POLICY_ACCOUNT_READ, ACCOUNT},
    {SERVICE, "POST", "service", "userdelegationkey", NULL, "GetUserDelegationKey", azblob_get_delegation_key, NULL, POLICY_DELEGATION_KEY, AZBLOB_NO_SAS | AZBLOB_BEARER_ONLY | ADMIN | AZBLOB_BODY},
    {SERVICE, "GET", NULL, "blobs", NULL, "FindBlobsByTags", azblob_find, "f", POLICY_TAGS_FIND, ACCOUNT},
    {SERVICE, "POST", NULL, "batch", NULL, "BlobBatch", azblob_batch, NULL, NO_ACTION, BODY},
    /* Microsoft's JavaScript library asks for it so. */
    {SERVICE, "POST", "container", "batch", NULL, "BlobBatch", azblob_batch, NULL, NO_ACTION, BODY},
    /* Container */
    {CONTAINER, "PUT", "container", NULL, NULL, "CreateContainer", azblob_container_create, "cw", POLICY_CONTAINER_CREATE, ACCOUNT | ADMIN | WRITES},
    {CONTAINER, "GET", "container", NULL, NULL, "GetContainerProperties", azblob_container_get, "r", POLICY_CONTAINER_READ, ACCOUNT | LISTS},
    {CONTAINER, "HEAD", "container", NULL, NULL, "GetContainerProperties", azblob_container_get, "r", POLICY_CONTAINER_READ, ACCOUNT | LISTS},
    {CONTAINER, "DELETE", "container", NULL, NULL, "DeleteContainer", azblob_container_delete, "d", POLICY_CONTAINER_DELETE, ACCOUNT | ADMIN | WRITES},
    {CONTAINER, "GET", "container", "metadata", NULL, "GetContainerMetadata", azblob_container_get, "r", POLICY_CONTAINER_READ, ACCOUNT | LISTS},
    {CONTAINER, "HEAD", "container", "metadata", NULL, "GetContainerMetadata", azblob_container_get, "r", POLICY_CONTAINER_READ, ACCOUNT | LISTS},
    {CONTAINER, "PUT", "container", "metadata", NULL, "SetContainerMetadata", azblob_container_set_metadata, "w", POLICY_CONTAINER_WRITE, ACCOUNT | WRITES},
    {CONTAINER, "GET", "container", "acl", NULL, "GetContainerAcl", azblob_container_get_acl, NULL, POLICY_ACL_READ, AZBLOB_NO_SAS},
    {CONTAINER, "HEAD", "container", "acl", NULL, "GetContainerAcl", azblob_container_get_acl, NULL, POLICY_ACL_READ, AZBLOB_NO_SAS},
    {CONTAINER, "PUT", "container", "acl", NULL, "SetContainerAcl", azblob_container_set_acl, NULL, POLICY_ACL_WRITE, AZBLOB_NO_SAS | ADMIN | BODY},
    {CONTAINER, "PUT", "container", "lease", NULL, "LeaseContainer", azblob_lease, "wd", POLICY_CONTAINER_WRITE, ACCOUNT | WRITES},
    {CONTAINER, "PUT", "container", "undelete", NULL, "RestoreContainer", azblob_container_restore, "w", POLICY_CONTAINER_DELETE, ACCOUNT | ADMIN | WRITES},
    {CONTAINER, "GET", "container", "list", NULL, "ListBlobs", azblob_container_list, "l", POLICY_BLOB_LIST, LISTS},
    {CONTAINER, "GET", "container", "blobs", NULL, "FindBlobsByTagsInContainer", azblob_find, "f", POLICY_TAGS_FIND, 0},
    {CONTAINER, "POST", "container", "batch", NULL, "BlobBatchInContainer", azblob_batch, NULL, NO_ACTION, BODY},
    {CONTAINER, "PUT", "container", "rename", NULL, "RenameContainer", azblob_not_offered, "w", POLICY_CONTAINER_WRITE, ACCOUNT | WRITES | REFUSED},
    /* Blob: reading */
    {BLOB, "GET", NULL, NULL, NULL, "GetBlob", azblob_blob_get, "r", POLICY_BLOB_READ, READ},
    {BLOB, "HEAD", NULL, NULL, NULL, "GetBlobProperties", azblob_blob_head, "r", POLICY_BLOB_READ, READ},
    {BLOB, "GET", NULL, "metadata", NULL, "GetBlobMetadata", azblob_blob_get_metadata, "r", POLICY_BLOB_READ, READ},
    {BLOB, "HEAD", NULL, "metadata", NULL, "GetBlobMetadata", azblob_blob_get_metadata, "r", POLICY_BLOB_READ, READ},
    {BLOB, "GET", NULL, "tags", NULL, "GetBlobTags", azblob_blob_get_tags, "t", POLICY_TAGS_READ, 0},
    {BLOB, "GET", NULL, "blocklist", NULL, "GetBlockList", azblob_blob_get_block_list, "r", POLICY_BLOB_READ, READ},
    {BLOB, "GET", NULL, "pagelist", NULL, "GetPageRanges", azblob_blob_get_page_ranges, "r", POLICY_BLOB_READ, READ},
    /* Blob: writing whole ones */
    {BLOB, "PUT", NULL, NULL, "x-ms-copy-source", "PutBlobFromUrl", azblob_blob_put_from_url, "cw", POLICY_BLOB_WRITE, NEW_BODY},
    {BLOB, "PUT", NULL, NULL, NULL, "PutBlob", azblob_blob_put, "cw", POLICY_BLOB_WRITE, NEW_BODY},
    {BLOB, "PUT", NULL, "copy", "x-ms-copy-action", "AbortCopyBlob", azblob_blob_abort_copy, "w", POLICY_BLOB_WRITE, WRITES},
    {BLOB, "PUT", NULL, "incrementalcopy", NULL, "IncrementalCopyBlob", azblob_blob_copy_incremental, "w", POLICY_BLOB_WRITE, WRITES},
    {BLOB, "PUT", NULL, "block", "x-ms-copy-source", "PutBlockFromUrl", azblob_blob_put_block_from_url, "cw", POLICY_BLOB_WRITE, WRITES | AZBLOB_CREATES},
    {BLOB, "PUT", NULL, "block", NULL, "PutBlock", azblob_blob_put_block, "cw", POLICY_BLOB_WRITE, NEW_BODY},
    {BLOB, "PUT", NULL, "blocklist", NULL, "PutBlockList", azblob_blob_put_block_list, "cw", POLICY_BLOB_WRITE, NEW_BODY},
    /* Blob: writing parts */
    {BLOB, "PUT", NULL, "appendblock", "x-ms-copy-source", "AppendBlockFromUrl", azblob_blob_append_from_url, "aw", POLICY_BLOB_ADD, WRITES},
    {BLOB, "PUT", NULL, "appendblock", NULL, "AppendBlock", azblob_blob_append, "aw", POLICY_BLOB_ADD, BODY},
    {BLOB, "PUT", NULL, "seal", NULL, "SealAppendBlob", azblob_blob_seal, "w", POLICY_BLOB_WRITE, WRITES},
    {BLOB, "PUT", NULL, "page", "x-ms-copy-source", "PutPageFromUrl", azblob_blob_put_page_from_url, "w", POLICY_BLOB_WRITE, WRITES},
    {BLOB, "PUT", NULL, "page", NULL, "PutPage", azblob_blob_put_page, "w", POLICY_BLOB_WRITE, BODY},
    /* Blob: the rest */
    {BLOB, "DELETE", NULL, NULL, NULL, "DeleteBlob", azblob_blob_delete, "d", POLICY_BLOB_DELETE, WRITES | AZBLOB_IN_BATCH},
    {BLOB, "PUT", NULL, "undelete", NULL, "UndeleteBlob", azblob_blob_undelete, "w", POLICY_BLOB_WRITE, WRITES},
    {BLOB, "PUT", NULL, "properties", NULL, "SetBlobProperties", azblob_blob_set_properties, "w", POLICY_BLOB_WRITE, WRITES},
    {BLOB, "PUT", NULL, "metadata", NULL, "SetBlobMetadata", azblob_blob_set_metadata, "w", POLICY_BLOB_WRITE, WRITES},
    {BLOB, "PUT", NULL, "tags", NULL, "SetBlobTags", azblob_blob_set_tags, "t", POLICY_TAGS_WRITE, BODY},
    {BLOB, "PUT", NULL, "tier", NULL, "SetBlobTier", azblob_blob_set_tier, "w", POLICY_BLOB_WRITE, WRITES | AZBLOB_IN_BATCH},
    {BLOB, "PUT", NULL, "snapshot", NULL, "SnapshotBlob", azblob_blob_snapshot, "cw", POLICY_BLOB_CREATE, WRITES},
    {BLOB, "PUT", NULL, "lease", NULL, "LeaseBlob", azblob_lease, "wd", POLICY_BLOB_WRITE, WRITES},
    {BLOB, "PUT", NULL, "expiry", NULL, "SetBlobExpiry", azblob_blob_set_expiry, "w", POLICY_BLOB_WRITE, WRITES},
    {BLOB, "PUT", NULL, "immutabilityPolicies", NULL, "SetBlobImmutabilityPolicy", azblob_blob_set_immutability, "i", POLICY_IMMUTABILITY, WRITES | ADMIN},
    {BLOB, "DELETE", NULL, "immutabilityPolicies", NULL, "DeleteBlobImmutabilityPolicy", azblob_blob_delete_immutability, "i", POLICY_IMMUTABILITY, WRITES | ADMIN},
    {BLOB, "PUT", NULL, "legalhold", NULL, "SetBlobLegalHold", azblob_blob_set_legal_hold, "i", POLICY_IMMUTABILITY, WRITES | ADMIN},
    {BLOB, "POST", NULL, "query", NULL, "QueryBlobContents", azblob_not_offered, "r", POLICY_BLOB_READ, REFUSED},
    /* clang-format on */
};

/* What stands outside the table: asked for by nobody by name. */
static const struct azblob_operation preflight = {.which = AZBLOB_SERVICE,
                                                  .method = "OPTIONS",
                                                  .name = "PreflightBlobRequest",
                                                  .handler = azblob_preflight,
                                                  .action = NO_ACTION};
static const struct azblob_operation web = {.which = AZBLOB_WEB,
                                            .method = "GET",
                                            .name = "GetWebContent",
                                            .handler = azblob_web,
                                            .action = NO_ACTION};
/* With x-ms-blob-type (or none of a copy), "x-ms-copy-source" means two different operations. */
static const struct azblob_operation copy = {.which = AZBLOB_BLOB,
                                             .method = "PUT",
                                             .header = "x-ms-copy-source",
                                             .name = "CopyBlob",
                                             .handler = azblob_blob_copy,
                                             .permissions = "cw",
                                             .action = POLICY_BLOB_WRITE,
                                             .flags = WRITES | AZBLOB_CREATES};

static bool same_word(const char *wanted, const char *given)
{
    if (!wanted)
        return !given || !*given;
    return given && strcasecmp(wanted, given) == 0;
}

static bool fits(const struct azblob_operation *o, const struct azblob_request *r)
{
    if (o->which != r->target.which || strcmp(o->method, r->head.method) != 0)
        return false;
    if (!same_word(o->restype, azblob_query(r, "restype")) ||
        !same_word(o->comp, azblob_query(r, "comp")))
        return false;
    return !o->header || azblob_get(r, o->header);
}

static const struct azblob_operation *find(const struct azblob_request *r)
{
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        if (!fits(&operations[i], r))
            continue;
        if (operations[i].handler == azblob_blob_put_from_url && !azblob_get(r, "x-ms-blob-type"))
            return &copy;
        return &operations[i];
    }
    return NULL;
}

const struct azblob_operation *azblob_operation_get_blob(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
        if (operations[i].handler == azblob_blob_get)
            return &operations[i];
    return NULL;
}

/* Nothing fits: say which part of the request is to blame, as Azure does. */
static int refuse(struct azblob_request *r, struct call *call)
{
    static const char *const verbs[] = {"GET",    "HEAD",    "PUT",   "POST",
                                        "DELETE", "OPTIONS", "MERGE", "PATCH"};
    const char *comp = azblob_query(r, "comp"), *restype = azblob_query(r, "restype");
    bool verb = false, known_comp = false;

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        verb |= strcmp(verbs[i], r->head.method) == 0;
    if (!verb)
        return azblob_fail(r, AZBLOB_INVALID_HTTP_VERB, call);
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        const struct azblob_operation *o = &operations[i];
        if (o->which != r->target.which || !same_word(o->comp, comp))
            continue;
        known_comp = true;
        if (same_word(o->restype, restype))
            return azblob_fail(r, AZBLOB_UNSUPPORTED_HTTP_VERB, call);
    }
    if (comp && *comp && !known_comp)
        return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, "comp",
                                 "Invalid value for comp.", call);
    if (restype && *restype)
        return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, "restype",
                                 "Invalid value for restype.", call);
    return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, comp ? "restype" : "comp",
                             NULL, call);
}

const struct azblob_operation *azblob_route(struct azblob_request *r, struct call *call)
{
    const struct azblob_operation *found;

    if (strcmp(r->head.method, "OPTIONS") == 0)
        return &preflight;
    if (r->target.which == AZBLOB_WEB) {
        if (r->is_head || strcmp(r->head.method, "GET") == 0)
            return &web;
        (void)azblob_fail(r, AZBLOB_UNSUPPORTED_HTTP_VERB, call);
        return NULL;
    }
    found = find(r);
    if (!found)
        (void)refuse(r, call);
    return found;
}

int azblob_not_offered(struct azblob_request *r, struct call *call)
{
    return azblob_fail_query(r, AZBLOB_UNSUPPORTED_QUERY_PARAMETER, "comp",
                             "This operation is not offered by this server.", call);
}

bool azblob_offer(size_t number, struct azblob_offer *ret)
{
    static const char *const resources[] = {"service", "container", "blob", "website"};
    static const struct azblob_operation *const others[] = {&copy, &preflight, &web};
    const struct azblob_operation *o;

    if (number >= ARRAY_SIZE(operations) + ARRAY_SIZE(others))
        return false;
    o = number < ARRAY_SIZE(operations) ? &operations[number]
                                        : others[number - ARRAY_SIZE(operations)];
    *ret = (struct azblob_offer){.operation = o->name,
                                 .method = o->method,
                                 .resource = resources[o->which],
                                 .restype = o->restype,
                                 .comp = o->comp,
                                 .header = o->header,
                                 .refused = o->flags & AZBLOB_REFUSED};
    return true;
}

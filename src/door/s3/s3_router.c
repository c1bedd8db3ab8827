// SPDX-License-Identifier: EUPL-1.2
/* The operations of the S3 door: one table for dispatch, rights and the compatibility list. */
#include <string.h>

#include "door/s3/s3_door_private.h"

/* The first row that fits is it: those with a parameter or a header stand before the plain ones. */
static const struct s3_operation operations[] = {
    {S3_SERVICE, "GET", NULL, NULL, "ListBuckets", "s3:ListAllMyBuckets", s3_list_buckets, 0},

    {S3_BUCKET, "OPTIONS", NULL, NULL, "Preflight", NULL, s3_preflight, 0},
    {S3_OBJECT, "OPTIONS", NULL, NULL, "Preflight", NULL, s3_preflight, 0},

    {S3_WEBSITE, "OPTIONS", NULL, NULL, "Preflight", NULL, s3_preflight, S3_NO_BUCKET},
    {S3_WEBSITE, "GET", NULL, NULL, "GetPage", NULL, s3_get_page, 0},
    {S3_WEBSITE, "HEAD", NULL, NULL, "GetPage", NULL, s3_get_page, 0},

    {S3_BUCKET, "GET", "location", NULL, "GetBucketLocation", "s3:GetBucketLocation",
     s3_get_location, 0},
    {S3_BUCKET, "GET", "versioning", NULL, "GetBucketVersioning", "s3:GetBucketVersioning",
     s3_get_versioning, 0},
    {S3_BUCKET, "PUT", "versioning", NULL, "PutBucketVersioning", "s3:PutBucketVersioning",
     s3_put_versioning, S3_ADMINISTRATIVE},
    {S3_BUCKET, "GET", "versions", NULL, "ListObjectVersions", "s3:ListBucketVersions",
     s3_list_versions, 0},
    {S3_BUCKET, "GET", "uploads", NULL, "ListMultipartUploads", "s3:ListBucketMultipartUploads",
     s3_list_uploads, 0},
    {S3_BUCKET, "GET", "acl", NULL, "GetBucketAcl", "s3:GetBucketAcl", s3_get_acl, 0},
    {S3_BUCKET, "PUT", "acl", NULL, "PutBucketAcl", "s3:PutBucketAcl", s3_put_acl,
     S3_ADMINISTRATIVE},
    {S3_BUCKET, "GET", "ownershipControls", NULL, "GetBucketOwnershipControls",
     "s3:GetBucketOwnershipControls", s3_get_ownership, 0},
    {S3_BUCKET, "PUT", "ownershipControls", NULL, "PutBucketOwnershipControls",
     "s3:PutBucketOwnershipControls", s3_put_ownership, S3_ADMINISTRATIVE},
    {S3_BUCKET, "DELETE", "ownershipControls", NULL, "DeleteBucketOwnershipControls",
     "s3:PutBucketOwnershipControls", s3_delete_ownership, S3_ADMINISTRATIVE},
    {S3_BUCKET, "GET", "publicAccessBlock", NULL, "GetPublicAccessBlock",
     "s3:GetBucketPublicAccessBlock", s3_get_public_access_block, 0},
    {S3_BUCKET, "PUT", "publicAccessBlock", NULL, "PutPublicAccessBlock",
     "s3:PutBucketPublicAccessBlock", s3_put_public_access_block, S3_ADMINISTRATIVE},
    {S3_BUCKET, "DELETE", "publicAccessBlock", NULL, "DeletePublicAccessBlock",
     "s3:PutBucketPublicAccessBlock", s3_delete_public_access_block, S3_ADMINISTRATIVE},
    {S3_BUCKET, "GET", "policyStatus", NULL, "GetBucketPolicyStatus", "s3:GetBucketPolicyStatus",
     s3_get_policy_status, 0},
    {S3_BUCKET, "GET", "policy", NULL, "GetBucketPolicy", "s3:GetBucketPolicy", s3_get_policy, 0},
    {S3_BUCKET, "PUT", "policy", NULL, "PutBucketPolicy", "s3:PutBucketPolicy", s3_put_policy,
     S3_ADMINISTRATIVE},
    {S3_BUCKET, "DELETE", "policy", NULL, "DeleteBucketPolicy", "s3:DeleteBucketPolicy",
     s3_delete_policy, S3_ADMINISTRATIVE},
    {S3_BUCKET, "GET", "cors", NULL, "GetBucketCors", "s3:GetBucketCORS", s3_get_cors, 0},
    {S3_BUCKET, "PUT", "cors", NULL, "PutBucketCors", "s3:PutBucketCORS", s3_put_cors,
     S3_ADMINISTRATIVE},
    {S3_BUCKET, "DELETE", "cors", NULL, "DeleteBucketCors", "s3:PutBucketCORS", s3_delete_cors,
     S3_ADMINISTRATIVE},
    {S3_BUCKET, "GET", "lifecycle", NULL, "GetBucketLifecycleConfiguration",
     "s3:GetLifecycleConfiguration", s3_get_lifecycle, 0},
    {S3_BUCKET, "PUT", "lifecycle", NULL, "PutBucketLifecycleConfiguration",
     "s3:PutLifecycleConfiguration", s3_put_lifecycle, S3_ADMINISTRATIVE},
    {S3_BUCKET, "DELETE", "lifecycle", NULL, "DeleteBucketLifecycle",
     "s3:PutLifecycleConfiguration", s3_delete_lifecycle, S3_ADMINISTRATIVE},
    {S3_BUCKET, "GET", "website", NULL, "GetBucketWebsite", "s3:GetBucketWebsite", s3_get_website,
     0},
    {S3_BUCKET, "PUT", "website", NULL, "PutBucketWebsite", "s3:PutBucketWebsite", s3_put_website,
     S3_ADMINISTRATIVE},
    {S3_BUCKET, "DELETE", "website", NULL, "DeleteBucketWebsite", "s3:DeleteBucketWebsite",
     s3_delete_website, S3_ADMINISTRATIVE},
    {S3_BUCKET, "GET", "tagging", NULL, "GetBucketTagging", "s3:GetBucketTagging",
     s3_get_bucket_tagging, 0},
    {S3_BUCKET, "PUT", "tagging", NULL, "PutBucketTagging", "s3:PutBucketTagging",
     s3_put_bucket_tagging, S3_ADMINISTRATIVE},
    {S3_BUCKET, "DELETE", "tagging", NULL, "DeleteBucketTagging", "s3:PutBucketTagging",
     s3_delete_bucket_tagging, S3_ADMINISTRATIVE},
    {S3_BUCKET, "GET", "object-lock", NULL, "GetObjectLockConfiguration",
     "s3:GetBucketObjectLockConfiguration", s3_get_lock_configuration, 0},
    {S3_BUCKET, "PUT", "object-lock", NULL, "PutObjectLockConfiguration",
     "s3:PutBucketObjectLockConfiguration", s3_put_lock_configuration, S3_ADMINISTRATIVE},
    {S3_BUCKET, "GET", "encryption", NULL, "GetBucketEncryption", "s3:GetEncryptionConfiguration",
     s3_get_encryption, 0},
    {S3_BUCKET, "GET", "replication", NULL, "GetBucketReplication",
     "s3:GetReplicationConfiguration", s3_get_replication, 0},
    {S3_BUCKET, "GET", "analytics", NULL, "ListBucketAnalyticsConfigurations",
     "s3:GetAnalyticsConfiguration", s3_get_nothing, 0},
    {S3_BUCKET, "GET", "metrics", NULL, "ListBucketMetricsConfigurations",
     "s3:GetMetricsConfiguration", s3_get_nothing, 0},
    {S3_BUCKET, "GET", "inventory", NULL, "ListBucketInventoryConfigurations",
     "s3:GetInventoryConfiguration", s3_get_nothing, 0},
    {S3_BUCKET, "GET", "intelligent-tiering", NULL, "ListBucketIntelligentTieringConfigurations",
     "s3:GetIntelligentTieringConfiguration", s3_get_nothing, 0},
    {S3_BUCKET, "GET", "requestPayment", NULL, "GetBucketRequestPayment",
     "s3:GetBucketRequestPayment", s3_get_nothing, 0},
    {S3_BUCKET, "GET", "logging", NULL, "GetBucketLogging", "s3:GetBucketLogging", s3_get_nothing,
     0},
    {S3_BUCKET, "GET", "notification", NULL, "GetBucketNotificationConfiguration",
     "s3:GetBucketNotification", s3_get_nothing, 0},
    {S3_BUCKET, "GET", "accelerate", NULL, "GetBucketAccelerateConfiguration",
     "s3:GetAccelerateConfiguration", s3_get_nothing, 0},
    {S3_BUCKET, "PUT", "requestPayment", NULL, "PutBucketRequestPayment",
     "s3:PutBucketRequestPayment", s3_put_nothing, S3_ADMINISTRATIVE},
    {S3_BUCKET, "PUT", "logging", NULL, "PutBucketLogging", "s3:PutBucketLogging", s3_put_nothing,
     S3_ADMINISTRATIVE},
    {S3_BUCKET, "PUT", "notification", NULL, "PutBucketNotificationConfiguration",
     "s3:PutBucketNotification", s3_put_nothing, S3_ADMINISTRATIVE},
    {S3_BUCKET, "PUT", "accelerate", NULL, "PutBucketAccelerateConfiguration",
     "s3:PutAccelerateConfiguration", s3_put_nothing, S3_ADMINISTRATIVE},
    {S3_BUCKET, "POST", "delete", NULL, "DeleteObjects", NULL, s3_delete_objects,
     S3_NEEDS_CHECKSUM},
    {S3_BUCKET, "POST", NULL, NULL, "PostObject", NULL, s3_post_object, S3_NO_BUCKET},
    {S3_BUCKET, "GET", "list-type", NULL, "ListObjectsV2", "s3:ListBucket", s3_list_objects_v2, 0},
    {S3_BUCKET, "GET", NULL, NULL, "ListObjects", "s3:ListBucket", s3_list_objects, 0},
    {S3_BUCKET, "HEAD", NULL, NULL, "HeadBucket", "s3:ListBucket", s3_head_bucket, 0},
    {S3_BUCKET, "PUT", NULL, NULL, "CreateBucket", "s3:CreateBucket", s3_create_bucket,
     S3_ADMINISTRATIVE | S3_NO_BUCKET},
    {S3_BUCKET, "DELETE", NULL, NULL, "DeleteBucket", "s3:DeleteBucket", s3_delete_bucket,
     S3_ADMINISTRATIVE},

    {S3_OBJECT, "GET", "acl", NULL, "GetObjectAcl", "s3:GetObjectAcl", s3_get_acl, 0},
    {S3_OBJECT, "PUT", "acl", NULL, "PutObjectAcl", "s3:PutObjectAcl", s3_put_acl,
     S3_ADMINISTRATIVE},
    {S3_OBJECT, "GET", "tagging", NULL, "GetObjectTagging", "s3:GetObjectTagging", s3_get_tagging,
     0},
    {S3_OBJECT, "PUT", "tagging", NULL, "PutObjectTagging", "s3:PutObjectTagging", s3_put_tagging,
     0},
    {S3_OBJECT, "DELETE", "tagging", NULL, "DeleteObjectTagging", "s3:DeleteObjectTagging",
     s3_delete_tagging, 0},
    {S3_OBJECT, "GET", "retention", NULL, "GetObjectRetention", "s3:GetObjectRetention",
     s3_get_retention, 0},
    {S3_OBJECT, "PUT", "retention", NULL, "PutObjectRetention", "s3:PutObjectRetention",
     s3_put_retention, S3_ADMINISTRATIVE},
    {S3_OBJECT, "GET", "legal-hold", NULL, "GetObjectLegalHold", "s3:GetObjectLegalHold",
     s3_get_legal_hold, 0},
    {S3_OBJECT, "PUT", "legal-hold", NULL, "PutObjectLegalHold", "s3:PutObjectLegalHold",
     s3_put_legal_hold, S3_ADMINISTRATIVE},
    {S3_OBJECT, "GET", "attributes", NULL, "GetObjectAttributes", "s3:GetObject", s3_get_attributes,
     0},
    {S3_OBJECT, "POST", "restore", NULL, "RestoreObject", "s3:RestoreObject", s3_restore, 0},
    {S3_OBJECT, "POST", "uploads", NULL, "CreateMultipartUpload", "s3:PutObject", s3_create_upload,
     S3_NO_VERSION},
    {S3_OBJECT, "POST", "uploadId", NULL, "CompleteMultipartUpload", "s3:PutObject",
     s3_complete_upload, S3_SAYS_CHECKSUM | S3_NO_VERSION},
    {S3_OBJECT, "DELETE", "uploadId", NULL, "AbortMultipartUpload", "s3:AbortMultipartUpload",
     s3_abort_upload, 0},
    {S3_OBJECT, "GET", "uploadId", NULL, "ListParts", "s3:ListMultipartUploadParts", s3_list_parts,
     0},
    {S3_OBJECT, "PUT", "partNumber", "x-amz-copy-source", "UploadPartCopy", "s3:PutObject",
     s3_upload_part_copy, S3_NO_VERSION | S3_COPIES},
    {S3_OBJECT, "PUT", "partNumber", NULL, "UploadPart", "s3:PutObject", s3_put_part,
     S3_TAKES_BODY | S3_NO_VERSION},
    {S3_OBJECT, "PUT", NULL, "x-amz-copy-source", "CopyObject", "s3:PutObject", s3_copy_object,
     S3_NO_VERSION | S3_COPIES},
    {S3_OBJECT, "PUT", NULL, NULL, "PutObject", "s3:PutObject", s3_put_object,
     S3_TAKES_BODY | S3_NO_VERSION},
    {S3_OBJECT, "GET", NULL, NULL, "GetObject", "s3:GetObject", s3_get_object, 0},
    {S3_OBJECT, "HEAD", NULL, NULL, "HeadObject", "s3:GetObject", s3_head_object, 0},
    {S3_OBJECT, "DELETE", NULL, NULL, "DeleteObject", "s3:DeleteObject", s3_delete_object, 0},
};

/* Parameters that name an operation: where one stands that no row has, the plain row must not
 * answer in its place. */
static const char *const subresources[] = {"accelerate",
                                           "acl",
                                           "analytics",
                                           "attributes",
                                           "cors",
                                           "delete",
                                           "encryption",
                                           "intelligent-tiering",
                                           "inventory",
                                           "legal-hold",
                                           "lifecycle",
                                           "location",
                                           "logging",
                                           "metrics",
                                           "notification",
                                           "object-lock",
                                           "ownershipControls",
                                           "partNumber",
                                           "policy",
                                           "policyStatus",
                                           "publicAccessBlock",
                                           "replication",
                                           "requestPayment",
                                           "restore",
                                           "retention",
                                           "select",
                                           "tagging",
                                           "torrent",
                                           "uploadId",
                                           "uploads",
                                           "versioning",
                                           "versions",
                                           "website"};

static bool asks_subresource(const struct s3_request *r)
{
    for (size_t i = 0; i < ARRAY_SIZE(subresources); i++)
        if (s3_asks(r, subresources[i]))
            return true;
    return false;
}

/* What no row answers, in S3's words for it. */
static void refuse(struct s3_request *r, bool special, struct call *call)
{
    const char *method = r->x->method;
    bool object = r->which == S3_OBJECT;
    if (object && strcmp(method, "GET") == 0 && s3_asks(r, "uploads"))
        (void)s3_failf(r, S3_INVALID_REQUEST, call,
                       "Key is not expected for the GET method ?uploads subresource");
    else if (object && strcmp(method, "GET") == 0 && s3_asks(r, "versions"))
        (void)s3_failf(r, S3_INVALID_REQUEST, call,
                       "There is no such thing as the ?versions sub-resource for a key");
    else if (special && !(object && strcmp(method, "PUT") == 0 && s3_asks(r, "uploadId")))
        (void)s3_fail(r, S3_NOT_IMPLEMENTED, call);
    else {
        static const char *const types[] = {[S3_SERVICE] = "SERVICE",
                                            [S3_BUCKET] = "BUCKET",
                                            [S3_OBJECT] = "OBJECT",
                                            [S3_WEBSITE] = "WEBSITE"};
        s3_explain(r, "Method", method);
        s3_explain(r, "ResourceType",
                   object && s3_asks(r, "uploadId") ? "UPLOAD" : types[r->which]);
        (void)s3_fail(r, S3_METHOD_NOT_ALLOWED, call);
    }
}

const struct s3_operation *s3_route(struct s3_request *r, struct call *call)
{
    bool special = asks_subresource(r);
    bool part_of_get = strcmp(r->x->method, "GET") == 0 || r->is_head;
    const char *source = s3_header(r, "x-amz-copy-source");
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        const struct s3_operation *o = &operations[i];
        if (o->which != r->which || strcmp(o->method, r->x->method) != 0)
            continue;
        if (o->query != NULL && !s3_asks(r, o->query))
            continue;
        if (o->header != NULL && s3_header(r, o->header) == NULL)
            continue;
        /* GET ...?partNumber=1 reads one part of an object. */
        bool plain = o->query == NULL && special && !(part_of_get && s3_asks(r, "partNumber"));
        if (plain && strcmp(o->method, "OPTIONS") != 0)
            continue;
        if (source != NULL && (o->flags & S3_COPIES) == 0 && o->which == S3_OBJECT) {
            (void)s3_fail_argument(r, "x-amz-copy-source", source, call,
                                   "You can only specify a copy source header for copy requests.");
            return NULL;
        }
        return o;
    }
    refuse(r, special, call);
    return NULL;
}

// SPDX-License-Identifier: EUPL-1.2
/* The actions that bucket policies may name: Amazon's, also those nobody asks for here. */
#include <string.h>

#include "codec/json.h"
#include "door/s3/s3_policy_private.h"

static const char *const of_objects[] = {
    "s3:AbortMultipartUpload",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectAttributes",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectTorrent",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionTagging",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionTorrent",
    "s3:InitiateReplication",
    "s3:ListMultipartUploadParts",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
    "s3:ReplicateTags",
    "s3:RestoreObject",
};

static const char *const of_buckets[] = {
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteBucketWebsite",
    "s3:GetAccelerateConfiguration",
    "s3:GetAnalyticsConfiguration",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:GetBucketLogging",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetEncryptionConfiguration",
    "s3:GetIntelligentTieringConfiguration",
    "s3:GetInventoryConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetMetricsConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:PutAccelerateConfiguration",
    "s3:PutAnalyticsConfiguration",
    "s3:PutBucketAcl",
    "s3:PutBucketCORS",
    "s3:PutBucketLogging",
    "s3:PutBucketNotification",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketRequestPayment",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutBucketWebsite",
    "s3:PutEncryptionConfiguration",
    "s3:PutIntelligentTieringConfiguration",
    "s3:PutInventoryConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutMetricsConfiguration",
    "s3:PutReplicationConfiguration",
};

static bool fits_any(const char *glob, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (s3_policy_fits(glob, names[i], true))
            return true;
    return false;
}

/* What the resources are: objects have a '/' in their names, and a '*' may stand for one. */
static void look_at_resources(const json_t *statement, bool *ret_buckets, bool *ret_objects)
{
    const json_t *names = json_object_get(statement, "Resource");
    *ret_buckets = *ret_objects = names == NULL;
    for (size_t i = 0; i < s3_policy_count(names); i++) {
        const char *name = s3_policy_value(names, i);
        const char *slash = strchr(name, '/');
        const char *star = strchr(name, '*');
        *ret_objects = *ret_objects || slash != NULL || star != NULL;
        *ret_buckets = *ret_buckets || slash == NULL || (star != NULL && star < slash);
    }
}

int s3_policy_check_actions(const json_t *statement, struct err *e)
{
    const json_t *names = json_object_get(statement, "Action");
    bool buckets, objects, all = names == NULL;
    if (all)
        names = json_object_get(statement, "NotAction");
    look_at_resources(statement, &buckets, &objects);
    for (size_t i = 0; i < s3_policy_count(names); i++) {
        const char *name = s3_policy_value(names, i);
        bool of_bucket = fits_any(name, of_buckets, ARRAY_SIZE(of_buckets));
        bool of_object = fits_any(name, of_objects, ARRAY_SIZE(of_objects));
        if (!of_bucket && !of_object)
            return err_set(e, ERR_INVALID, "Policy has invalid action");
        if (!all && !(of_bucket && buckets) && !(of_object && objects))
            return err_set(e, ERR_INVALID, "Action does not apply to any resource(s) in statement");
    }
    return 0;
}

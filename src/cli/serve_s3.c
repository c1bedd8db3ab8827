// SPDX-License-Identifier: EUPL-1.2
/* The S3 door of a gateway: its rights are the same roles, its records go into the same logs. */
#include <stdio.h>
#include <string.h>

#include "cli/gateway.h"
#include "cli/roles.h"

/* What an S3 action is in the engine's words: the first row whose word it begins with. */
static const struct {
    const char *start;
    enum policy_action action;
} actions[] = {
    {"s3:ListAllMyBuckets", POLICY_CONTAINER_LIST},
    {"s3:ListBucket", POLICY_BLOB_LIST},
    {"s3:ListMultipartUploadParts", POLICY_BLOB_READ},
    {"s3:CreateBucket", POLICY_CONTAINER_CREATE},
    {"s3:GetBucketPolicy", POLICY_ACL_READ},
    {"s3:GetBucketAcl", POLICY_ACL_READ},
    {"s3:GetBucketPublicAccessBlock", POLICY_ACL_READ},
    {"s3:GetBucketOwnershipControls", POLICY_ACL_READ},
    {"s3:PutBucketPolicy", POLICY_ACL_WRITE},
    {"s3:PutBucketAcl", POLICY_ACL_WRITE},
    {"s3:PutBucketPublicAccessBlock", POLICY_ACL_WRITE},
    {"s3:PutBucketOwnershipControls", POLICY_ACL_WRITE},
    {"s3:DeleteBucketPolicy", POLICY_ACL_WRITE},
    {"s3:PutBucketObjectLockConfiguration", POLICY_IMMUTABILITY},
    {"s3:DeleteBucketWebsite", POLICY_CONTAINER_WRITE},
    {"s3:DeleteBucket", POLICY_CONTAINER_DELETE},
    {"s3:GetBucket", POLICY_CONTAINER_READ},
    {"s3:GetLifecycleConfiguration", POLICY_CONTAINER_READ},
    {"s3:GetEncryptionConfiguration", POLICY_CONTAINER_READ},
    {"s3:GetAccelerateConfiguration", POLICY_CONTAINER_READ},
    {"s3:GetReplicationConfiguration", POLICY_CONTAINER_READ},
    {"s3:GetAnalyticsConfiguration", POLICY_CONTAINER_READ},
    {"s3:GetMetricsConfiguration", POLICY_CONTAINER_READ},
    {"s3:GetInventoryConfiguration", POLICY_CONTAINER_READ},
    {"s3:GetIntelligentTieringConfiguration", POLICY_CONTAINER_READ},
    {"s3:PutBucket", POLICY_CONTAINER_WRITE},
    {"s3:PutLifecycleConfiguration", POLICY_CONTAINER_WRITE},
    {"s3:PutAccelerateConfiguration", POLICY_CONTAINER_WRITE},
    {"s3:GetObjectTagging", POLICY_TAGS_READ},
    {"s3:GetObjectVersionTagging", POLICY_TAGS_READ},
    {"s3:GetObjectAcl", POLICY_ACL_READ},
    {"s3:GetObjectVersionAcl", POLICY_ACL_READ},
    {"s3:GetObject", POLICY_BLOB_READ},
    {"s3:PutObjectTagging", POLICY_TAGS_WRITE},
    {"s3:PutObjectVersionTagging", POLICY_TAGS_WRITE},
    {"s3:PutObjectAcl", POLICY_ACL_WRITE},
    {"s3:PutObjectVersionAcl", POLICY_ACL_WRITE},
    {"s3:PutObjectRetention", POLICY_IMMUTABILITY},
    {"s3:PutObjectLegalHold", POLICY_IMMUTABILITY},
    {"s3:BypassGovernanceRetention", POLICY_IMMUTABILITY},
    {"s3:PutObject", POLICY_BLOB_WRITE},
    {"s3:AbortMultipartUpload", POLICY_BLOB_WRITE},
    {"s3:RestoreObject", POLICY_BLOB_WRITE},
    {"s3:DeleteObjectTagging", POLICY_TAGS_WRITE},
    {"s3:DeleteObjectVersionTagging", POLICY_TAGS_WRITE},
    {"s3:DeleteObjectVersion", POLICY_BLOB_DELETE_VERSION},
    {"s3:DeleteObject", POLICY_BLOB_DELETE},
};

static int permits(void *argument, const struct s3_door_wish *wish, struct call *call)
{
    struct policy_who who = {.kind = POLICY_EVERYBODY};
    enum policy_decision decision;
    size_t i = 0;

    while (i < ARRAY_SIZE(actions) &&
           strncmp(actions[i].start, wish->action, strlen(actions[i].start)) != 0)
        i++;
    if (i == ARRAY_SIZE(actions))
        return 0;
    if (role_principal_parse(wish->principal, &who, &call->err) < 0)
        return -1;
    bool list = actions[i].action == POLICY_BLOB_LIST;
    const struct policy_request request = {
        .who = {.kind = POLICY_TOKEN,
                .issuer = who.issuer,
                .id = who.kind == POLICY_WHO_USER ? who.name : NULL,
                .groups = &who.name,
                .group_count = who.kind == POLICY_WHO_GROUP,
                .roles = &who.name,
                .role_count = who.kind == POLICY_WHO_ROLE},
        .action = actions[i].action,
        .account = wish->account,
        .container = wish->bucket,
        .name = list ? NULL : wish->key,
        .list_prefix = !list       ? NULL
                       : wish->key ? wish->key
                                   : "",
    };
    int decided = gateway_decide(argument, &request, &decision, call);
    role_principal_release(&who);
    return decided < 0 ? -1 : decision == POLICY_ALLOWED;
}

static void record(void *argument, const struct s3_door_record *r)
{
    const struct azblob_record same = {
        .request_id = r->request_id,
        .operation = r->operation,
        .account = r->account,
        .container = r->bucket,
        .blob = r->key,
        .method = r->method,
        .peer = r->peer,
        .user_agent = r->user_agent,
        .authentication = r->authentication,
        .principal = r->principal ? r->principal : r->access_key,
        .error = r->error,
        .status = r->status,
        .complete = r->complete,
        .refused = r->refused,
        .administrative = r->administrative,
        .bytes_in = r->bytes_in,
        .bytes_out = r->bytes_out,
        .began = r->began,
        .duration = r->duration,
    };

    gateway_record_as(argument, GATEWAY_S3_NAME, &same);
}

static void origin(void *argument, const struct http_exchange *x, char *address,
                   size_t address_size, bool *secure)
{
    const struct gateway *g = argument;
    struct forwarded seen;

    forwarded_find(&g->serve.proxies, x->peer, x->secure, &x->headers, &seen);
    (void)snprintf(address, address_size, "%s", seen.client);
    *secure = seen.secure;
}

void gateway_open_s3(struct gateway *g)
{
    const struct serve_config *s = &g->serve;
    const struct s3_door_options options = {
        .service = g->service,
        .domains = s->s3_domains,
        .domain_count = s->s3_domain_count,
        .region = s->s3_region,
        .argument = g,
        .permits = permits,
        .record = record,
        .origin = origin,
    };

    if (s->s3_listen_count)
        g->s3 = s3_door_new(&options);
}

int gateway_listen_s3(struct gateway *g, struct err *e)
{
    const struct serve_config *s = &g->serve;

    for (size_t i = 0; i < s->s3_listen_count; i++) {
        struct http_server_options options =
            gateway_door_options(g, s->s3_listen[i].address, s->s3_listen[i].plain);
        options.begin = s3_door_begin;
        options.handle = s3_door_handle;
        options.finished = s3_door_finished;
        options.argument = g->s3;
        if (http_server_start(&options, &g->servers[g->server_count], e) < 0)
            return -1;
        g->server_count++;
    }
    return 0;
}

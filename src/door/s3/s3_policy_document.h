// SPDX-License-Identifier: EUPL-1.2
/*
 * Bucket policies: Amazon's JSON, made into statements of auth/policy.h.
 *
 *     if (s3_policy_read(text, length, "photos", &document, e) < 0)      (MalformedPolicy)
 *     verdict = s3_policy_ask(document, &question, e);
 *
 * Amazon knows more actions than the engine, so a statement takes part in a question only where its
 * Action (or NotAction) names the very action asked for; who, where and under which conditions is
 * then the engine's to say.  What this does not know (principals of other kinds, operators and keys
 * of conditions) is refused when the policy is set, so that no part of one is ever passed over.
 *
 * A principal is "*", an account's name (or arn:aws:iam::ACCOUNT:root), or whom an access key
 * belongs to: "user:anna", as bascule's roles name them, or arn:aws:iam::ACCOUNT:user/anna for the
 * same.
 *
 * Pure: any thread.  Source: AWS "Policies and permissions in Amazon S3", "Bucket policy examples",
 * IAM "JSON policy elements".
 */
#ifndef DOOR_S3_S3_POLICY_DOCUMENT_H
#define DOOR_S3_S3_POLICY_DOCUMENT_H

#include <jansson.h>

#include "auth/policy.h"

#define S3_POLICY_MAX (20 * 1024)

/* Everything is borrowed. */
struct s3_policy_question {
    struct policy_principal who;
    const char *action; /* "s3:GetObject" */
    const char *account;
    const char *bucket;
    const char *key;    /* NULL: the bucket itself */
    const char *prefix; /* of a list; NULL */
    const char *peer;
    bool secure;
    int64_t now;
    const struct pairs *tags;    /* of the object; NULL: none */
    const struct pairs *headers; /* of the request: Referer, User-Agent, x-amz-...; NULL */
    const struct pairs *query;   /* NULL */
};

/* A policy for this bucket; ERR_INVALID says what is wrong with it. */
must_check int s3_policy_read(const char *text, size_t length, const char *bucket, json_t **ret,
                              struct err *e);
must_check int s3_policy_ask(const json_t *document, const struct s3_policy_question *question,
                             enum policy_decision *ret, struct err *e);
/* Whether it lets everybody do something. */
bool s3_policy_is_public(const json_t *document);
/* Whether it asks for the tags of objects. */
bool s3_policy_wants_tags(const json_t *document);

#endif

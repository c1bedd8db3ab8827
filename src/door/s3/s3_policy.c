// SPDX-License-Identifier: EUPL-1.2
/* Bucket policies at the door: the setting "policy", a text, as it was sent. */
#include <string.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"
#include "door/s3/s3_policy_document.h"
#include "object/tags.h"

/* ---- Judging ---- */

/* Its text, heap; NULL where there is none.  What an earlier release kept is a document. */
static int text_of(const struct container_row *bucket, char **ret, struct err *e)
{
    auto_json json_t *settings = NULL;
    *ret = NULL;
    if (bucket->settings == NULL || strstr(bucket->settings, "\"policy\":") == NULL)
        return 0;
    if (json_parse(bucket->settings, strlen(bucket->settings), &settings, e) < 0)
        return -1;
    const json_t *kept = json_object_get(settings, "policy");
    *ret = json_is_object(kept) ? json_dumps(kept, JSON_COMPACT)
                                : xstrdup_null(json_string_value(kept));
    return 0;
}

static int policy_of(const struct container_row *bucket, json_t **ret, struct err *e)
{
    auto_free char *text = NULL;
    if (text_of(bucket, &text, e) < 0)
        return -1;
    return text != NULL ? json_parse(text, strlen(text), ret, e) : 0;
}

static int tags_of(struct s3_request *r, const char *bucket, const char *key, struct pairs *ret,
                   struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    struct place place = {.account = r->account, .container = bucket, .name = key};
    if (service_stat(r->door->options.service, &place, NULL, &row, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
        return 0;
    }
    return pairs_from_json(row.tags, ret, &call->err);
}

/* RestrictPublicBuckets: nobody gets in by a policy who is not known. */
static bool restricted(const struct container_row *bucket)
{
    auto_json json_t *settings = NULL;
    struct err ignored = {0};
    if (strstr(bucket->settings, "RestrictPublicBuckets") == NULL)
        return false;
    return json_parse(bucket->settings, strlen(bucket->settings), &settings, &ignored) < 0 ||
           json_bool(json_object_get(settings, "public_access_block"), "RestrictPublicBuckets",
                     false);
}

/* The others are of the bucket, whatever key the request has. */
static bool is_of_objects(const char *action)
{
    return strstr(action, "Bucket") == NULL &&
           (strstr(action, "Object") != NULL || strstr(action, "MultipartUpload") != NULL);
}

int s3_policy_judge(struct s3_request *r, const char *action, const struct container_row *bucket,
                    const char *key, struct call *call)
{
    auto_json json_t *document = NULL;
    auto_pairs struct pairs tags = PAIRS_INIT;
    enum policy_decision decision;
    if (policy_of(bucket, &document, &call->err) < 0)
        return -1;
    if (document == NULL)
        return 0;
    bool list = strncmp(action, "s3:ListBucket", 13) == 0;
    bool object = key != NULL && is_of_objects(action);
    if (object && s3_policy_wants_tags(document) && tags_of(r, bucket->name, key, &tags, call) < 0)
        return -1;
    struct s3_policy_question question = {
        .action = action,
        .account = r->account,
        .bucket = bucket->name,
        .key = object ? key : NULL,
        .prefix = list ? (key != NULL ? key : "") : NULL,
        .peer = r->peer,
        .secure = r->secure,
        .now = r->now,
        .tags = &tags,
        .headers = &r->x->headers,
        .query = &r->query,
    };
    question.who.kind = r->owner               ? POLICY_KEY
                        : r->principal != NULL ? POLICY_TOKEN
                                               : POLICY_ANONYMOUS;
    question.who.account = r->account;
    question.who.id = r->principal;
    if (s3_policy_ask(document, &question, &decision, &call->err) < 0)
        return -1;
    if (decision == POLICY_FORBIDDEN)
        return -2;
    bool shut = r->principal == NULL && !r->owner && restricted(bucket);
    return decision == POLICY_ALLOWED && !shut;
}

/* ---- Setting and telling ---- */

int s3_put_policy(struct s3_request *r, struct call *call)
{
    auto_buf struct buf text = BUF_INIT(2 * S3_POLICY_MAX);
    auto_json json_t *document = NULL, *settings = NULL;
    json_t *block;
    if (s3_body_read(r, 2 * S3_POLICY_MAX, &text, call) < 0)
        return -1;
    if (s3_policy_read(text.data, text.length, r->bucket, &document, &call->err) < 0) {
        auto_free char *reason = xstrdup(call->err.text);
        return s3_failf(r, S3_MALFORMED_POLICY, call, "%s", reason);
    }
    if (s3_setting_get(r, "public_access_block", &settings, &block, call) < 0)
        return -1;
    if (json_bool(block, "BlockPublicPolicy", false) && s3_policy_is_public(document))
        return s3_failf(r, S3_ACCESS_DENIED, call,
                        "Public policies are blocked by the bucket's public access block.");
    if (s3_setting_change(r, "policy", json_stringn(text.data, text.length), call) < 0)
        return -1;
    return s3_answer(r, 204);
}

int s3_get_policy(struct s3_request *r, struct call *call)
{
    auto_free char *text = NULL;
    auto_buf struct buf body = BUF_INIT(4 * S3_POLICY_MAX);
    if (text_of(&r->container, &text, &call->err) < 0)
        return -1;
    if (text == NULL)
        return s3_fail(r, S3_NO_SUCH_BUCKET_POLICY, call);
    buf_text(&body, text);
    return s3_answer_text(r, 200, "application/json", &body);
}

int s3_delete_policy(struct s3_request *r, struct call *call)
{
    if (s3_setting_change(r, "policy", NULL, call) < 0)
        return -1;
    return s3_answer(r, 204);
}

int s3_get_policy_status(struct s3_request *r, struct call *call)
{
    auto_json json_t *document = NULL;
    auto_buf struct buf body = BUF_INIT(4096);
    if (policy_of(&r->container, &document, &call->err) < 0)
        return -1;
    if (document == NULL)
        return s3_fail(r, S3_NO_SUCH_BUCKET_POLICY, call);
    s3_xml_root(&body, "PolicyStatus");
    xml_element(&body, "IsPublic", s3_policy_is_public(document) ? "true" : "false");
    xml_close(&body, "PolicyStatus");
    return s3_answer_xml(r, 200, &body);
}

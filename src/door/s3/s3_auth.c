// SPDX-License-Identifier: EUPL-1.2
/* Who asks: SigV4 in the header or the query, whose access key it is, and whether they may. */
#include <inttypes.h>
#include <string.h>

#include "codec/date.h"
#include "door/s3/s3_door_private.h"
#include "util/clock.h"

/* ---- Whose key ---- */

struct key_task {
    const char *access_key;
    char *account;
    char *principal;
    char *secrets[2];
    bool disabled;
    bool found;
};

static void key_task_release(struct key_task *t)
{
    free(t->account);
    free(t->principal);
    for (size_t i = 0; i < 2; i++) {
        if (t->secrets[i] != NULL)
            explicit_bzero(t->secrets[i], strlen(t->secrets[i]));
        free(t->secrets[i]);
    }
}

/* A row of table credential; else the account's name with one of its two keys. */
static int find_key(struct db *db, void *argument, struct call *call)
{
    struct key_task *t = argument;
    auto_credential_row struct credential_row credential = credential_row_new();
    auto_account_row struct account_row account = account_row_new();
    credential.access_key = xstrdup(t->access_key);
    int found = row_find(db, &credential_table, &credential, call);
    if (found < 0)
        return -1;
    account.name = xstrdup(found > 0 ? credential.account : t->access_key);
    int account_found = row_find(db, &account_table, &account, call);
    if (account_found <= 0)
        return account_found;
    t->found = true;
    t->disabled = account.disabled != 0 || (found > 0 && credential.disabled != 0);
    replace_string(&t->account, account.name);
    replace_string(&t->principal, found > 0 ? credential.principal : NULL);
    replace_string(&t->secrets[0], found > 0 ? credential.secret_key : account.key1);
    replace_string(&t->secrets[1], found > 0 ? NULL : account.key2);
    return 0;
}

/* ---- Signatures ---- */

static int verify_with(struct s3_request *r, const char *secret, struct call *call)
{
    auto_secret struct secret key = SECRET_INIT;
    secret_from_text(&key, secret);
    const char *region = r->door->options.region;
    struct sigv4 who = SIGV4_INIT;
    if (sigv4_init(&who, r->claim.access_key, &key, NULL, region != NULL ? region : r->claim.region,
                   &call->err) < 0)
        return -1;
    if (r->form_policy != NULL) {
        int right = sigv4_verify_text(&who, &r->claim, r->form_policy, &call->err);
        sigv4_release(&who);
        r->proof = right == 0 ? S3_POST : r->proof;
        return right;
    }
    if (sigv4_verify(&who, &r->claim, r->x->method, r->x->path, r->x->query, &r->x->headers, r->now,
                     &call->err) < 0) {
        sigv4_release(&who);
        return -1;
    }
    r->who = who;
    r->proof = r->claim.presigned ? S3_PRESIGNED : S3_SIGNATURE;
    return 0;
}

/* What we signed, so that a client's author can compare. */
static void explain_signature(struct s3_request *r)
{
    auto_buf struct buf canonical = BUF_INIT(SIGV4_TEXT_MAX);
    struct err ignored = {0};
    char hash[HASH_HEX_SIZE];
    const char *payload = s3_header(r, "x-amz-content-sha256");
    s3_explain(r, "AWSAccessKeyId", r->claim.access_key);
    s3_explain(r, "SignatureProvided", r->claim.signature);
    if (r->claim.signed_headers == NULL ||
        sigv4_canonical_request(&canonical, r->x->method, r->x->path, r->x->query, &r->x->headers,
                                r->claim.signed_headers, payload != NULL ? payload : SIGV4_UNSIGNED,
                                &ignored) < 0)
        return;
    hash_hex(HASH_SHA256, canonical.data, canonical.length, hash);
    auto_free char *text =
        xasprintf("AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", r->claim.date, r->claim.day,
                  r->claim.region, r->claim.service, hash);
    s3_explain(r, "StringToSign", text);
    s3_explain(r, "CanonicalRequest", canonical.data);
}

/* Headers that were not signed; or how old a presigned URL may get, and when that was. */
static void explain_denial(struct s3_request *r)
{
    auto_buf struct buf names = BUF_INIT(16 * 1024);
    int64_t date;
    struct err ignored = {0};
    char text[DATE_TEXT];
    if (r->claim.signed_headers != NULL)
        sigv4_unsigned_headers(&r->claim, &r->x->headers, &names);
    if (names.length > 0)
        s3_explain(r, "HeadersNotSigned", names.data);
    else if (r->claim.presigned && date_parse_basic(r->claim.date, &date, &ignored) == 0) {
        auto_free char *seconds = xasprintf("%" PRId64, r->claim.expires);
        s3_explain(r, "X-Amz-Expires", seconds);
        date_iso8601(text, sizeof(text), date + r->claim.expires * CLOCK_SECOND, 0);
        s3_explain(r, "Expires", text);
        date_iso8601(text, sizeof(text), r->now, 0);
        s3_explain(r, "ServerTime", text);
    }
}

static int signature_failed(struct s3_request *r, struct call *call)
{
    auto_free char *text = xstrdup(call->err.text);
    switch (call->err.code) {
    case ERR_CLOCK:
        return s3_fail(r, S3_REQUEST_TIME_TOO_SKEWED, call);
    case ERR_DENIED:
        explain_denial(r);
        return s3_failf(r, S3_ACCESS_DENIED, call, "%s", text);
    case ERR_INVALID:
        if (r->door->options.region != NULL && r->claim.region[0] != '\0' &&
            strcmp(r->claim.region, r->door->options.region) != 0) {
            s3_explain(r, "Region", r->door->options.region);
            s3_say(r, "x-amz-bucket-region", r->door->options.region);
        }
        return s3_failf(r,
                        r->claim.presigned ? S3_AUTHORIZATION_QUERY_PARAMETERS_ERROR
                                           : S3_AUTHORIZATION_HEADER_MALFORMED,
                        call, "%s", text);
    default:
        explain_signature(r);
        return s3_fail(r, S3_SIGNATURE_DOES_NOT_MATCH, call);
    }
}

/* A presigned URL may carry in its query what a request carries in headers. */
static void take_hoisted(struct s3_request *r)
{
    static const char *const others[] = {
        "algorithm", "credential", "date",         "expires",        "signedheaders",
        "signature", "checksum",   "sdk-checksum", "content-sha256", "security-token"};
    for (size_t i = 0; i < r->query.count; i++) {
        const struct pair *q = &r->query.list[i];
        bool other = strncasecmp(q->key, "x-amz-", 6) != 0 || s3_header(r, q->key) != NULL;
        for (size_t j = 0; j < ARRAY_SIZE(others) && !other; j++)
            other = strncasecmp(q->key + 6, others[j], strlen(others[j])) == 0;
        if (!other && strpbrk(q->value, "\r\n") == NULL)
            pairs_add(&r->x->headers, q->key, q->value);
    }
}

static int verify(struct s3_request *r, struct call *call)
{
    cleanup(key_task_release) struct key_task key = {.access_key = r->claim.access_key};
    if (index_read(service_index(r->door->options.service), find_key, &key, call) < 0)
        return -1;
    if (!key.found) {
        s3_explain(r, "AWSAccessKeyId", r->claim.access_key);
        return s3_fail(r, S3_INVALID_ACCESS_KEY_ID, call);
    }
    if (verify_with(r, key.secrets[0], call) < 0) {
        bool other = call->err.code == ERR_UNKNOWN_WHO && key.secrets[1] != NULL;
        if (other)
            err_clear(&call->err);
        if (!other || verify_with(r, key.secrets[1], call) < 0)
            return signature_failed(r, call);
    }
    if (key.disabled)
        return s3_fail(r, S3_ACCOUNT_PROBLEM, call);
    free(r->account);
    r->account = take(key.account);
    r->principal = take(key.principal);
    r->owner = r->principal == NULL;
    if (r->proof == S3_PRESIGNED)
        take_hoisted(r);
    return 0;
}

int s3_authenticate_form(struct s3_request *r, const char *policy, struct call *call)
{
    r->form_policy = policy;
    int done = verify(r, call);
    r->form_policy = NULL;
    return done;
}

/* ---- Anonymous ---- */

struct owner_task {
    const char *bucket;
    char *account;
};

/* Buckets are told apart by their account; who names none means the oldest bucket of that name. */
static int find_owner(struct db *db, void *argument, struct call *call)
{
    struct owner_task *t = argument;
    struct db_statement *find;
    if (db_prepare(db,
                   "SELECT account FROM container WHERE name = ?1 AND deleted IS NULL ORDER BY "
                   "created LIMIT 1",
                   &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_text(find, 1, t->bucket);
    int row = db_step(find, call);
    if (row > 0)
        replace_string(&t->account, db_column_text(find, 0));
    return row < 0 ? -1 : 0;
}

static int anonymous(struct s3_request *r, struct call *call)
{
    r->proof = S3_ANONYMOUS;
    if (r->which == S3_SERVICE)
        return s3_fail(r, S3_ACCESS_DENIED, call);
    struct owner_task t = {.bucket = r->bucket};
    if (index_read(service_index(r->door->options.service), find_owner, &t, call) < 0) {
        free(t.account);
        return -1;
    }
    r->account = t.account;
    return 0;
}

/* Which kind of Authorization this is: what is not Signature Version 4 is refused. */
static int check_mechanism(struct s3_request *r, const char *header, struct call *call)
{
    bool old = header != NULL ? strncmp(header, "AWS ", 4) == 0 : s3_asks(r, "AWSAccessKeyId");
    if (old)
        return s3_failf(
            r, S3_INVALID_REQUEST, call,
            "The authorization mechanism you have provided is not supported. Please use "
            "AWS4-HMAC-SHA256.");
    if (header == NULL)
        return 0;
    size_t n = strcspn(header, " ");
    if (header[n] == '\0')
        return s3_fail_argument(r, "Authorization", header, call,
                                "Authorization header is invalid -- one and only one ' ' (space) "
                                "required.");
    auto_free char *kind = xstrndup(header, n);
    if (strcmp(kind, "AWS4-HMAC-SHA256") != 0)
        return s3_fail_argument(r, "Authorization", kind, call, "Unsupported Authorization Type");
    return s3_payload_check(r, call);
}

int s3_authenticate(struct s3_request *r, struct call *call)
{
    const char *header = s3_header(r, "authorization");
    if (header != NULL && header[strspn(header, " \t")] == '\0')
        header = NULL;
    if (strcmp(r->x->method, "OPTIONS") == 0 || r->which == S3_WEBSITE)
        return anonymous(r, call);
    if (check_mechanism(r, header, call) < 0)
        return -1;
    if (header == NULL && !s3_asks(r, "X-Amz-Signature") && !s3_asks(r, "X-Amz-Credential") &&
        !s3_asks(r, "X-Amz-Algorithm"))
        return anonymous(r, call);
    if (sigv4_claim_of(&r->x->headers, r->x->query, &r->claim, &call->err) < 0) {
        r->claim.presigned = header == NULL;
        return signature_failed(r, call);
    }
    /* Nobody has temporary keys here. */
    const char *token = s3_header(r, "x-amz-security-token");
    token = token != NULL ? token : s3_query(r, "X-Amz-Security-Token");
    if (token != NULL && token[0] != '\0')
        return s3_fail(r, S3_INVALID_TOKEN, call);
    return verify(r, call);
}

/* ---- Rights ---- */

static int may(struct s3_request *r, const char *action, const struct container_row *bucket,
               const char *bucket_name, const char *key, struct call *call)
{
    int judged =
        bucket != NULL && bucket->id != 0 ? s3_policy_judge(r, action, bucket, key, call) : 0;
    if (judged == -1)
        return -1;
    if (judged == -2 && !(r->owner && strstr(action, "BucketPolicy") != NULL))
        return s3_fail(r, S3_ACCESS_DENIED, call);
    if (r->owner || judged > 0)
        return 0;
    if (bucket != NULL && bucket->id != 0 && s3_acl_permits(bucket, r->principal != NULL, action))
        return 0;
    if (r->principal == NULL || r->door->options.permits == NULL)
        return s3_fail(r, S3_ACCESS_DENIED, call);
    struct s3_door_wish wish = {.principal = r->principal,
                                .action = action,
                                .account = r->account,
                                .bucket = bucket_name,
                                .key = key};
    int permitted = r->door->options.permits(r->door->options.argument, &wish, call);
    if (permitted == 0)
        return s3_fail(r, S3_ACCESS_DENIED, call);
    return permitted < 0 ? -1 : 0;
}

/* What the table cannot say: a version's are rights of their own. */
static const char *action_of(const struct s3_request *r)
{
    static const struct {
        const char *action;
        const char *of_version;
    } versions[] = {
        {"s3:GetObject", "s3:GetObjectVersion"},
        {"s3:GetObjectAcl", "s3:GetObjectVersionAcl"},
        {"s3:GetObjectTagging", "s3:GetObjectVersionTagging"},
        {"s3:PutObjectAcl", "s3:PutObjectVersionAcl"},
        {"s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
        {"s3:DeleteObject", "s3:DeleteObjectVersion"},
        {"s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"},
    };
    const char *action = r->operation->action;
    for (size_t i = 0; i < ARRAY_SIZE(versions) && r->place.kind == VERSION_ID; i++)
        if (strcmp(versions[i].action, action) == 0)
            return versions[i].of_version;
    return action;
}

int s3_authorize(struct s3_request *r, struct call *call)
{
    if (r->operation->action == NULL)
        return 0; /* the handler asks, for each key */
    const char *key = r->key != NULL ? r->key : s3_query(r, "prefix");
    int done = may(r, action_of(r), &r->container, r->bucket, key, call);
    /* Nobody is told which buckets are there. */
    if (done < 0 && r->proof == S3_ANONYMOUS && r->which != S3_SERVICE && r->container.id == 0 &&
        r->code == S3_ACCESS_DENIED)
        return s3_fail(r, S3_ACCESS_DENIED, call);
    return done;
}

int s3_authorize_also(struct s3_request *r, const char *action, const char *bucket, const char *key,
                      struct call *call)
{
    if (r->bucket != NULL && strcmp(bucket, r->bucket) == 0)
        return may(r, action, &r->container, bucket, key, call);
    auto_container_row struct container_row other = container_row_new();
    if (service_container_get(r->door->options.service, r->account, bucket, NULL, &other, call) < 0)
        return -1;
    return may(r, action, &other, bucket, key, call);
}

// SPDX-License-Identifier: EUPL-1.2
/* What a refusal of an S3 service means: see s3_private.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/date.h"
#include "codec/xml.h"
#include "store/driver/s3_private.h"

/* The codes of the S3 error list that we can do something about.  hint: what to do. */
static const struct {
    const char *code;
    enum err_code reason;
    const char *hint;
} meanings[] = {
    {"AccessDenied", ERR_DENIED, "the key may not do this: check its policy"},
    {"AccountProblem", ERR_DENIED, "ask the provider"},
    {"AllAccessDisabled", ERR_DENIED, "ask the provider"},
    {"AuthorizationHeaderMalformed", ERR_UNKNOWN_WHO, "set 'region' to the one it expects"},
    {"AuthorizationQueryParametersError", ERR_UNKNOWN_WHO, NULL},
    {"BadDigest", ERR_CORRUPT, "the body was damaged on the way"},
    {"BucketAlreadyExists", ERR_NAME, "the name belongs to somebody else: map it to another"},
    {"BucketAlreadyOwnedByYou", ERR_EXISTS, NULL},
    {"BucketNotEmpty", ERR_CONFLICT, "it still holds objects or versions"},
    {"ConditionalRequestConflict", ERR_CHANGED, NULL},
    {"EntityTooLarge", ERR_INVALID, "larger than the service takes in one piece"},
    {"EntityTooSmall", ERR_INVALID, "a part is smaller than the service takes"},
    {"ExpiredToken", ERR_UNKNOWN_WHO, "the temporary credentials have expired"},
    {"IllegalLocationConstraintException", ERR_INVALID, "the endpoint is for another region"},
    {"IncompleteBody", ERR_NETWORK, "the body was cut off"},
    {"InternalError", ERR_REMOTE, NULL},
    {"InvalidAccessKeyId", ERR_UNKNOWN_WHO, "the access key is not known there"},
    {"InvalidBucketName", ERR_NAME, "map it to another name in the configuration"},
    {"InvalidDigest", ERR_CORRUPT, NULL},
    {"InvalidLocationConstraint", ERR_INVALID, "the region's name is not accepted"},
    {"InvalidObjectName", ERR_NAME, NULL},
    {"InvalidObjectState", ERR_ARCHIVED, "it must be woken first"},
    {"InvalidPart", ERR_NOT_FOUND, "a part is missing or has changed: the upload begins anew"},
    {"InvalidRange", ERR_RANGE, NULL},
    {"InvalidSecurity", ERR_UNKNOWN_WHO, NULL},
    {"InvalidToken", ERR_UNKNOWN_WHO, "the session token is not accepted"},
    {"InvalidURI", ERR_NAME, NULL},
    {"KeyTooLong", ERR_NAME, "the name is longer than the service takes"},
    {"KeyTooLongError", ERR_NAME, "the name is longer than the service takes"},
    {"MetadataTooLarge", ERR_INVALID, "more metadata than the service takes"},
    {"MethodNotAllowed", ERR_UNSUPPORTED, NULL},
    {"NoSuchBucket", ERR_NOT_FOUND, "there is no such bucket"},
    {"NoSuchKey", ERR_NOT_FOUND, NULL},
    {"NoSuchTagSet", ERR_NOT_FOUND, NULL},
    {"NoSuchUpload", ERR_NOT_FOUND, "the upload is no longer known"},
    {"NoSuchVersion", ERR_NOT_FOUND, NULL},
    {"NotImplemented", ERR_UNSUPPORTED, "the service does not offer it"},
    {"NotModified", ERR_UNMODIFIED, NULL},
    {"NotSignedUp", ERR_DENIED, "object storage is not enabled for this account"},
    {"ObjectLocked", ERR_DENIED, "a lock protects it"},
    {"OperationAborted", ERR_BUSY, NULL},
    {"PermanentRedirect", ERR_INVALID, "the bucket lives at another endpoint"},
    {"PreconditionFailed", ERR_CHANGED, NULL},
    {"QuotaExceeded", ERR_QUOTA, "the quota of the bucket or account is used up"},
    {"Redirect", ERR_BUSY, "the bucket's name is still settling"},
    {"RequestExpired", ERR_CLOCK, NULL},
    {"RequestTimeTooSkewed", ERR_CLOCK, NULL},
    {"RequestTimeout", ERR_TIMEOUT, "nothing arrived there for too long"},
    {"RestoreAlreadyInProgress", ERR_CONFLICT, "it is being woken already"},
    {"ServiceUnavailable", ERR_BUSY, NULL},
    {"SignatureDoesNotMatch", ERR_UNKNOWN_WHO, "check the secret key and the region"},
    {"SlowDown", ERR_BUSY, "the service asks for fewer requests"},
    {"TemporaryRedirect", ERR_BUSY, "the bucket's name is still settling"},
    {"TooManyBuckets", ERR_QUOTA, "the account holds as many buckets as it may"},
    {"TooManyRequests", ERR_BUSY, "the service asks for fewer requests"},
    {"XAmzContentSHA256Mismatch", ERR_CORRUPT, "the body was damaged on the way"},
};

/* HEAD answers have no body, and some services answer without one. */
static const struct {
    int status;
    enum err_code reason;
    const char *words;
} statuses[] = {
    {301, ERR_INVALID, "the bucket lives at another endpoint"},
    {304, ERR_UNMODIFIED, "not modified"},
    {307, ERR_BUSY, "redirected for now"},
    {400, ERR_INVALID, "the request was refused (400)"},
    {401, ERR_UNKNOWN_WHO, "the credentials were not accepted (401)"},
    {403, ERR_DENIED, "not allowed, or the credentials were not accepted (403)"},
    {404, ERR_NOT_FOUND, "there is no such thing (404)"},
    {405, ERR_UNSUPPORTED, "the service does not do this (405)"},
    {408, ERR_TIMEOUT, "nothing arrived there for too long (408)"},
    {409, ERR_CONFLICT, "its state does not permit this (409)"},
    {411, ERR_UNSUPPORTED, "the service wants a length (411)"},
    {412, ERR_CHANGED, "it has changed (412)"},
    {413, ERR_INVALID, "larger than the service takes (413)"},
    {416, ERR_RANGE, "the range lies outside the object (416)"},
    {422, ERR_CORRUPT, "the checksum was not accepted (422)"},
    {429, ERR_BUSY, "the service asks for fewer requests (429)"},
    {501, ERR_UNSUPPORTED, "the service does not offer it (501)"},
    {503, ERR_BUSY, "the service is busy (503)"},
    {507, ERR_QUOTA, "the quota is used up (507)"},
};

/* A service's text goes into our one line: no control characters. */
static void copy_text(char *to, size_t size, const char *from)
{
    size_t n = 0;

    for (; from && *from && n + 1 < size; from++)
        to[n++] = (unsigned char)*from < 0x20 || *from == 0x7f ? ' ' : *from;
    to[n] = 0;
}

void s3_error_parse(const char *text, size_t length, struct s3_error *ret)
{
    auto_xml struct xml_node *root = NULL;
    struct err ignored = {0};

    *ret = (struct s3_error){0};
    /* White space keeps a connection alive while parts are joined. */
    for (; length && strchr(" \r\n\t", *text); length--)
        text++;
    if (length == 0 || xml_parse(text, length, &root, &ignored) < 0)
        return;
    const struct xml_node *error =
        strcmp(root->name, "Error") == 0 ? root : xml_child(root, "Error");
    if (!error)
        return;
    copy_text(ret->code, sizeof(ret->code), xml_text(error, "Code"));
    copy_text(ret->message, sizeof(ret->message), xml_text(error, "Message"));
    copy_text(ret->region, sizeof(ret->region), xml_text(error, "Region"));
    copy_text(ret->endpoint, sizeof(ret->endpoint), xml_text(error, "Endpoint"));
    copy_text(ret->request_time, sizeof(ret->request_time), xml_text(error, "RequestTime"));
    copy_text(ret->server_time, sizeof(ret->server_time), xml_text(error, "ServerTime"));
}

static enum err_code reason_of(const struct s3_error *error, int status, const char **ret_words)
{
    for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
        if (strcmp(meanings[i].code, error->code) == 0) {
            *ret_words = meanings[i].hint;
            return meanings[i].reason;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        if (statuses[i].status == status) {
            *ret_words = error->code[0] ? NULL : statuses[i].words;
            return statuses[i].reason;
        }
    }
    *ret_words = NULL;
    return status >= 500 || status < 400 ? ERR_REMOTE : ERR_INVALID;
}

/* "SignatureDoesNotMatch: the service's words", or what the status means. */
static void describe(struct buf *b, const struct s3_exchange *x, const struct s3_error *error,
                     const char *words)
{
    if (error->code[0])
        buf_printf(b, "%s", error->code);
    else if (!words)
        buf_printf(b, "HTTP status %d", x->response.status);
    if (error->message[0] && strcmp(error->message, error->code) != 0)
        buf_printf(b, " (%s)", error->message);
    if (words)
        buf_printf(b, "%s%s", b->length ? "; " : "", words);
    const char *region =
        error->region[0] ? error->region : s3_exchange_answer(x, "x-amz-bucket-region");
    if (region && strcmp(region, x->s3->who.region) != 0)
        buf_printf(b, "; its region is '%.60s', not '%s'", region, x->s3->who.region);
    if (error->endpoint[0])
        buf_printf(b, "; its endpoint is '%s'", error->endpoint);
}

static void describe_clock(struct buf *b, const struct s3_exchange *x, const struct s3_error *error)
{
    const char *date = s3_exchange_answer(x, "Date");
    const char *theirs = error->server_time[0] ? error->server_time : date;
    struct err ignored = {0};
    int64_t time;

    buf_printf(b, "%s; the clocks differ too much", error->code);
    if (theirs && (date_parse_iso8601(theirs, &time, &ignored) == 0 ||
                   date_parse_rfc1123(theirs, &time, &ignored) == 0)) {
        int64_t ahead = clock_wall() - time;
        buf_printf(b, ": this machine's is %" PRId64 " minutes %s the service's, which says %.60s",
                   ((ahead < 0 ? -ahead : ahead) + 30 * CLOCK_SECOND) / (60 * CLOCK_SECOND),
                   ahead < 0 ? "behind" : "ahead of", theirs);
    }
    buf_text(b, ": set this machine's clock");
}

static int set_error(const struct s3_exchange *x, const struct s3_error *error, int status)
{
    auto_buf struct buf text = BUF_INIT(2000);
    const char *words = NULL;
    enum err_code reason = reason_of(error, status, &words);
    struct err *e = &x->call->err;

    /* A service that throttles says so with the status, whatever it calls it. */
    if (status == 503 || status == 429)
        reason = ERR_BUSY;
    if (reason == ERR_CLOCK)
        describe_clock(&text, x, error);
    else
        describe(&text, x, error, words);
    if (x->bucket)
        (void)err_set(e, reason, "%s '%s%s%s': %s", x->doing, x->bucket, x->key ? "/" : "",
                      x->key ? x->key : "", text.data);
    else
        (void)err_set(e, reason, "%s: %s", x->doing, text.data);
    const char *wait = s3_exchange_answer(x, "Retry-After");
    long seconds = wait ? strtol(wait, NULL, 10) : 0;
    e->retry_after = seconds > 0 && seconds < 86400 ? (int)seconds : 0;
    return -1;
}

int s3_refused(const struct s3_exchange *x)
{
    struct s3_error error;

    s3_error_parse(x->response.error_body.data, x->response.error_body.length, &error);
    return set_error(x, &error, x->response.status);
}

int s3_refused_inside(const struct s3_exchange *x, const char *text, size_t length)
{
    struct s3_error error;

    s3_error_parse(text, length, &error);
    return error.code[0] ? set_error(x, &error, 500) : 0;
}

bool s3_refused_with(const struct s3_exchange *x, const char *code)
{
    struct s3_error error;

    s3_error_parse(x->response.error_body.data, x->response.error_body.length, &error);
    return strcmp(error.code, code) == 0;
}

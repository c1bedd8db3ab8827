// SPDX-License-Identifier: EUPL-1.2
/*
 * POST Object: a form from a browser, with its own signature and policy.  The file's length is
 * known only at its end, so it waits in an unlinked file.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/date.h"
#include "codec/json.h"
#include "codec/url.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"
#include "door/s3/s3_form.h"
#include "object/tags.h"

#define POLICY_MAX (64 * 1024)

static const char *field(const struct s3_form *f, const char *name)
{
    return pairs_get_nocase(&f->fields, name);
}

/* ---- Whose ---- */

/* What a signed form has; any of these calls for all. */
static const char *const signed_fields[] = {"policy", "x-amz-signature", "x-amz-credential",
                                            "x-amz-date", "x-amz-algorithm"};

static int missing_field(struct s3_request *r, const char *name, struct call *call)
{
    return s3_fail_argument(r, name, "", call,
                            "Bucket POST must contain a field named '%s'.  If it is specified, "
                            "please check the order of the fields.",
                            name);
}

static int is_signed(struct s3_request *r, const struct s3_form *f, bool *ret, struct call *call)
{
    *ret = false;
    for (size_t i = 0; i < ARRAY_SIZE(signed_fields); i++)
        *ret = *ret || field(f, signed_fields[i]) != NULL;
    for (size_t i = 0; i < ARRAY_SIZE(signed_fields) && *ret; i++)
        if (field(f, signed_fields[i]) == NULL)
            return missing_field(r, signed_fields[i], call);
    return 0;
}

/* What the parser of headers says of a credential, without the header. */
static int bad_credential(struct s3_request *r, const char *credential, struct call *call)
{
    auto_free char *text = xstrdup(call->err.text);
    const char *said = strstr(text, "; ");
    return s3_fail_argument(r, "x-amz-credential", credential, call, "%s",
                            said != NULL ? said + 2 : text);
}

/* "key/20261122/region/s3/aws4_request" taken apart. */
static int read_claim(struct s3_request *r, const struct s3_form *f, struct call *call)
{
    const char *credential = field(f, "x-amz-credential");
    const char *date = field(f, "x-amz-date");
    const char *region = r->door->options.region;
    struct err ignored = {0};
    int64_t time;
    if (strcmp(field(f, "x-amz-algorithm"), "AWS4-HMAC-SHA256") != 0)
        return s3_fail_argument(r, "X-Amz-Algorithm", field(f, "x-amz-algorithm"), call,
                                "Only AWS4-HMAC-SHA256 is supported");
    if (strlen(date) != 16 || date_parse_basic(date, &time, &ignored) < 0)
        return s3_fail_argument(r, "X-Amz-Date", date, call,
                                "X-Amz-Date must be formated via ISO8601 Long format");
    auto_free char *header =
        xasprintf("AWS4-HMAC-SHA256 Credential=%.300s, SignedHeaders=host, Signature=%s",
                  credential, SIGV4_EMPTY_HASH);
    sigv4_claim_release(&r->claim);
    r->claim = (struct sigv4_claim){.expires = 0};
    if (sigv4_authorization_parse(header, &r->claim, &call->err) < 0)
        return bad_credential(r, credential, call);
    if (region != NULL && strcmp(region, r->claim.region) != 0)
        return s3_fail_argument(r, "x-amz-credential", credential, call,
                                "the region \"%s\" is wrong; expecting \"%s\"", r->claim.region,
                                region);
    (void)snprintf(r->claim.date, sizeof(r->claim.date), "%s", date);
    (void)snprintf(r->claim.signature, sizeof(r->claim.signature), "%.64s",
                   field(f, "x-amz-signature"));
    return 0;
}

/* Signed: the key's account is meant, and the policy must permit the form. */
static int check_policy(struct s3_request *r, const struct s3_form *f, struct s3_form_limits *ret,
                        struct call *call)
{
    const char *policy = field(f, "policy");
    auto_buf struct buf text = BUF_INIT(POLICY_MAX);
    bool by_key;
    if (is_signed(r, f, &by_key, call) < 0)
        return -1;
    if (by_key) {
        if (read_claim(r, f, call) < 0 || s3_authenticate_form(r, policy, call) < 0)
            return -1;
        container_row_release(&r->container);
        r->container = container_row_new();
        r->place.account = r->account;
    }
    if (r->container.id == 0 &&
        (r->account == NULL || service_container_get(r->door->options.service, r->account,
                                                     r->bucket, NULL, &r->container, call) < 0))
        return s3_fail(r, S3_NO_SUCH_BUCKET, call);
    if (!by_key)
        return 0;
    if (base64_decode(policy, strlen(policy), &text, &call->err) < 0)
        return s3_failf(r, S3_INVALID_POLICY_DOCUMENT, call,
                        "Invalid Policy: invalid Base64 encoding.");
    if (s3_form_permits(text.data, text.length, &f->fields, r->bucket, r->now, ret, &call->err) ==
        0)
        return 0;
    auto_free char *reason = xstrdup(call->err.text);
    if (call->err.code == ERR_DENIED)
        return s3_failf(r, S3_ACCESS_DENIED, call, "Invalid according to Policy: %s", reason);
    return s3_failf(r, S3_INVALID_POLICY_DOCUMENT, call, "Invalid Policy: %s", reason);
}

/* "uploads/${filename}" */
static int key_of(struct s3_request *r, const struct s3_form *f, struct call *call)
{
    const char *key = field(f, "key");
    if (key == NULL || key[0] == '\0')
        return missing_field(r, "key", call);
    const char *hole = strstr(key, "${filename}");
    const char *name = strrchr(f->file_name, '/');
    name = name != NULL ? name + 1 : f->file_name;
    free(r->key);
    r->key = hole != NULL ? xasprintf("%.*s%s%s", (int)(hole - key), key, name, hole + 11)
                          : xstrdup(key);
    r->place.name = r->key;
    return strlen(r->key) > S3_KEY_MAX ? s3_fail(r, S3_KEY_TOO_LONG, call) : 0;
}

/* ---- The file ---- */

static void close_file(FILE *const *file)
{
    if (*file != NULL)
        (void)fclose(*file);
}

static int spool(struct s3_request *r, struct s3_form *f, const struct s3_form_limits *limits,
                 FILE *into, uint64_t *ret_size, struct call *call)
{
    char bytes[16 * 1024];
    uint64_t size = 0;
    ssize_t got;
    while ((got = source_read(&f->source, bytes, sizeof(bytes), call)) > 0) {
        size += (uint64_t)got;
        if (size > limits->most || size > S3_OBJECT_PUT_MAX)
            return s3_fail(r, S3_ENTITY_TOO_LARGE, call);
        if (fwrite(bytes, 1, (size_t)got, into) != (size_t)got)
            return err_set(&call->err, ERR_IO, "keep the file of a form: %m");
    }
    if (got < 0)
        return call->err.code == ERR_INVALID ? s3_fail(r, S3_MALFORMED_POST, call) : -1;
    if (size < limits->least) {
        auto_free char *proposed = xasprintf("%" PRIu64, size);
        auto_free char *least = xasprintf("%" PRIu64, limits->least);
        s3_explain(r, "ProposedSize", proposed);
        s3_explain(r, "MinSizeAllowed", least);
        return s3_fail(r, S3_ENTITY_TOO_SMALL, call);
    }
    if (fflush(into) != 0)
        return err_set(&call->err, ERR_IO, "keep the file of a form: %m");
    rewind(into);
    *ret_size = size;
    return 0;
}

struct file_source {
    struct source source;
    FILE *file;
};

static ssize_t file_read(struct source *s, void *bytes, size_t n, struct call *call)
{
    struct file_source *f = container_of(s, struct file_source, source);
    size_t got = fread(bytes, 1, n, f->file);
    if (got == 0 && ferror(f->file))
        return err_set(&call->err, ERR_IO, "read the file of a form: %m");
    return (ssize_t)got;
}

/* The field "tagging" is a document, not a query. */
static int tags_of(struct s3_request *r, const struct s3_form *f, struct object_row *ret,
                   struct call *call)
{
    const char *text = field(f, "tagging");
    auto_xml struct xml_node *node = NULL;
    auto_pairs struct pairs tags = PAIRS_INIT;
    struct err ignored = {0};
    if (text == NULL)
        return 0;
    if (xml_parse(text, strlen(text), &node, &ignored) < 0)
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (s3_tags_from_xml(r, node, &tags, call) < 0 || s3_tags_check(r, &tags, call) < 0)
        return -1;
    free(ret->tags);
    ret->tags = pairs_to_json(&tags);
    return 0;
}

/* The fields stand where headers stand in a PUT. */
static int properties_of(struct s3_request *r, struct s3_form *f, struct object_row *ret,
                         struct call *call)
{
    const char *acl = field(f, "acl");
    if (acl != NULL)
        pairs_add(&f->fields, "x-amz-acl", acl);
    struct pairs saved = r->x->headers;
    r->x->headers = f->fields;
    int done = s3_properties(r, ret, call);
    if (done == 0)
        done = s3_body_checksums(r, call);
    r->x->headers = saved;
    return done < 0 || tags_of(r, f, ret, call) < 0 ? -1 : s3_default_retention(r, ret, call);
}

/* ---- The answer ---- */

static int tell(struct s3_request *r, const struct s3_form *f, const char *etag)
{
    const char *redirect = field(f, "success_action_redirect");
    const char *status = field(f, "success_action_status");
    auto_free char *quoted = xasprintf("\"%s\"", etag);
    auto_buf struct buf body = BUF_INIT(64 * 1024);
    auto_buf struct buf location = BUF_INIT(URL_MAX + 16 * S3_KEY_MAX);
    s3_say(r, "ETag", quoted);
    if (redirect != NULL && strncmp(redirect, "http", 4) == 0 && strlen(redirect) < URL_MAX / 2 &&
        strpbrk(redirect, "\r\n") == NULL) {
        buf_printf(&location, "%s%c", redirect, strchr(redirect, '?') != NULL ? '&' : '?');
        query_add(&location, "bucket", r->bucket);
        query_add(&location, "key", r->key);
        query_add(&location, "etag", quoted);
        s3_say(r, "Location", location.data);
        return s3_answer(r, 303);
    }
    buf_printf(&location, "%s://%.300s/%s%s", r->secure ? "https" : "http", r->x->host,
               r->virtual_host ? "" : r->bucket, r->virtual_host ? "" : "/");
    url_escape(&location, r->key, strlen(r->key), URL_KEEP_SLASH);
    s3_say(r, "Location", location.data);
    if (status != NULL && strcmp(status, "201") == 0) {
        xml_head(&body);
        xml_open(&body, "PostResponse");
        xml_element(&body, "Location", location.data);
        xml_element(&body, "Bucket", r->bucket);
        xml_element(&body, "Key", r->key);
        xml_element(&body, "ETag", quoted);
        xml_close(&body, "PostResponse");
        return s3_answer_xml(r, 201, &body);
    }
    return s3_answer(r, status != NULL && strcmp(status, "200") == 0 ? 200 : 204);
}

static int put_file(struct s3_request *r, struct s3_form *f, const struct s3_form_limits *limits,
                    struct call *call)
{
    cleanup(close_file) FILE *file = tmpfile();
    auto_object_row struct object_row properties = object_row_new();
    auto_object_row struct object_row row = object_row_new();
    struct file_source source = {.source = {.read = file_read}, .file = file};
    struct put_request request = {.place = r->place,
                                  .conditions = CONDITIONS_INIT,
                                  .properties = &properties,
                                  .type = OBJECT_BLOCK,
                                  .body = &source.source};
    if (file == NULL)
        return err_set(&call->err, ERR_IO, "keep the file of a form: %m");
    if (properties_of(r, f, &properties, call) < 0 ||
        spool(r, f, limits, file, &request.size, call) < 0)
        return -1;
    request.expected = r->body->known;
    request.algorithm = r->body->algorithm;
    request.wanted = 1U << CHECKSUM_MD5 | r->body->wanted;
    if (service_put(r->door->options.service, &request, &row, NULL, call) < 0)
        return -1;
    auto_free char *etag = s3_etag_of(&row);
    s3_say_checksum(r, row.checksums);
    s3_say_new_version(r, &row);
    return tell(r, f, etag);
}

static int form_open(struct s3_request *r, struct s3_form *form, struct call *call)
{
    static const char type[] = "multipart/form-data";
    const char *said = s3_header(r, "content-type");
    if (said == NULL || strncasecmp(said, type, sizeof(type) - 1) != 0) {
        s3_explain(r, "Condition", "Bucket POST must be of the enclosure-type multipart/form-data");
        return s3_fail(r, S3_PRECONDITION_FAILED, call);
    }
    if (s3_form_init(form, said, &r->body->source, &call->err) < 0)
        return s3_fail(r, S3_MALFORMED_POST, call);
    if (s3_form_fields(form, call) < 0)
        return call->err.code == ERR_INVALID ? s3_fail(r, S3_MALFORMED_POST, call) : -1;
    return 0;
}

int s3_post_object(struct s3_request *r, struct call *call)
{
    auto_free struct s3_form *form = xcalloc(1, sizeof(*form));
    struct s3_form_limits limits = {.most = UINT64_MAX};
    int done = form_open(r, form, call);
    if (done == 0 && field(form, "key") == NULL)
        done = missing_field(r, "key", call);
    if (done == 0)
        done = check_policy(r, form, &limits, call);
    if (done == 0 && form->file_name == NULL)
        done = s3_fail_argument(r, "file", "0", call,
                                "POST requires exactly one file upload per request.");
    if (done == 0)
        done = key_of(r, form, call);
    if (done == 0)
        done = s3_authorize_also(r, "s3:PutObject", r->bucket, r->key, call);
    if (done == 0)
        done = put_file(r, form, &limits, call);
    s3_form_release(form);
    return done;
}

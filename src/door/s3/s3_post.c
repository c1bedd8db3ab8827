// SPDX-License-Identifier: EUPL-1.2
/*
 * POST Object: a form from a browser, with its own signature and policy.  The file's length is
 * known only at its end, so it waits in an unlinked file.
 */
#include <stdio.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/json.h"
#include "codec/url.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"
#include "door/s3/s3_form.h"

#define POLICY_MAX (64 * 1024)

static const char *field(const struct s3_form *f, const char *name)
{
    return pairs_get_nocase(&f->fields, name);
}

/* ---- Whose ---- */

/* "key/20261122/region/s3/aws4_request" taken apart. */
static int read_claim(struct s3_request *r, const struct s3_form *f, struct call *call)
{
    const char *credential = field(f, "x-amz-credential");
    const char *date = field(f, "x-amz-date");
    const char *signature = field(f, "x-amz-signature");
    const char *algorithm = field(f, "x-amz-algorithm");
    if (credential == NULL || date == NULL || signature == NULL || algorithm == NULL ||
        strcmp(algorithm, "AWS4-HMAC-SHA256") != 0)
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "Bucket POST must contain a field named 'x-amz-signature', "
                        "'x-amz-credential', 'x-amz-date' and 'x-amz-algorithm' with a policy.");
    auto_free char *header =
        xasprintf("AWS4-HMAC-SHA256 Credential=%.300s, SignedHeaders=host, Signature=%.100s",
                  credential, signature);
    sigv4_claim_release(&r->claim);
    r->claim = (struct sigv4_claim){.expires = 0};
    if (sigv4_authorization_parse(header, &r->claim, &call->err) < 0 || strlen(date) != 16)
        return s3_failf(r, S3_INVALID_ARGUMENT, call, "The form's credential is malformed.");
    (void)snprintf(r->claim.date, sizeof(r->claim.date), "%s", date);
    return 0;
}

/* Signed: the key's account is meant, and the policy must permit the form. */
static int check_policy(struct s3_request *r, const struct s3_form *f, struct s3_form_limits *ret,
                        struct call *call)
{
    const char *policy = field(f, "policy");
    auto_buf struct buf text = BUF_INIT(POLICY_MAX);
    if (policy == NULL)
        return 0;
    if (read_claim(r, f, call) < 0 || s3_authenticate_form(r, policy, call) < 0)
        return -1;
    container_row_release(&r->container);
    r->container = container_row_new();
    r->place.account = r->account;
    if (service_container_get(r->door->options.service, r->account, r->bucket, NULL, &r->container,
                              call) < 0)
        return -1;
    if (base64_decode(policy, strlen(policy), &text, &call->err) < 0)
        return s3_failf(r, S3_INVALID_POLICY_DOCUMENT, call, "Invalid Policy: Invalid base64.");
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
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "Bucket POST must contain a field named 'key'.");
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
    if (size < limits->least)
        return s3_fail(r, S3_ENTITY_TOO_SMALL, call);
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
    r->x->headers = saved;
    return done < 0 ? -1 : s3_default_retention(r, ret, call);
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
                                  .body = &source.source,
                                  .wanted = 1U << CHECKSUM_MD5};
    if (file == NULL)
        return err_set(&call->err, ERR_IO, "keep the file of a form: %m");
    if (properties_of(r, f, &properties, call) < 0 ||
        spool(r, f, limits, file, &request.size, call) < 0 ||
        service_put(r->door->options.service, &request, &row, NULL, call) < 0)
        return -1;
    auto_free char *etag = s3_etag_of(&row);
    s3_say(r, "x-amz-version-id", s3_version_of(r, &row));
    return tell(r, f, etag);
}

int s3_post_object(struct s3_request *r, struct call *call)
{
    auto_free struct s3_form *form = xcalloc(1, sizeof(*form));
    struct s3_form_limits limits = {.most = UINT64_MAX};
    if (s3_form_init(form, s3_header(r, "content-type"), &r->body->source, &call->err) < 0)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "The body must be multipart/form-data with a boundary.");
    int done = s3_form_fields(form, call);
    if (done < 0 && call->err.code == ERR_INVALID)
        done = s3_fail(r, S3_MALFORMED_POST, call);
    if (done == 0)
        done = check_policy(r, form, &limits, call);
    if (done == 0)
        done = key_of(r, form, call);
    if (done == 0)
        done = s3_authorize_also(r, "s3:PutObject", r->bucket, r->key, call);
    if (done == 0)
        done = put_file(r, form, &limits, call);
    s3_form_release(form);
    return done;
}

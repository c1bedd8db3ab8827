// SPDX-License-Identifier: EUPL-1.2
/* Bearer tokens of Entra ID: see entra.h. */
#include "auth/entra.h"

#include <jansson.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "auth/command.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/url.h"
#include "crypto/sign.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/random.h"
#include "util/thread.h"

#define PUBLIC_AUTHORITY "https://login.microsoftonline.com"
#define STORAGE_SCOPE    "https://storage.azure.com/.default"
#define IMDS             "http://169.254.169.254"
#define ANSWER_MAX       (256 * 1024)
/* A token is renewed when less than this is left of it, or a quarter of its life. */
#define RENEW_BEFORE   (5 * 60 * CLOCK_SECOND)
#define USUAL_LIFE     (30 * 60 * CLOCK_SECOND)
#define ASSERTION_LIFE 300 /* seconds */

struct entra {
    struct http_client *client;
    char *tenant, *client_id, *authority, *imds, *command, *scope;
    bool managed_identity;
    struct secret client_secret;
    struct sign_key certificate;

    pthread_mutex_t lock;
    struct secret token; /* guarded by lock; empty: none */
    int64_t renew;       /* guarded by lock: wall time from which on a new one is asked for */
};

static int read_certificate(struct entra *a, const char *path, struct err *e)
{
    auto_buf struct buf pem = BUF_INIT(SIGN_PEM_MAX + 1);
    int result = file_read(path, SIGN_PEM_MAX, &pem, e);

    if (result == 0)
        result = sign_key_read(pem.data, pem.length, NULL, &a->certificate, e);
    explicit_bzero(pem.data, pem.length);
    return result < 0 ? err_prefix(e, "client_certificate '%s'", path) : 0;
}

int entra_new(const struct entra_options *o, struct entra **ret, struct err *e)
{
    bool application = !o->managed_identity && !o->command;

    if (application && (!o->tenant || !o->client_id))
        return err_set(e, ERR_INVALID, "Entra ID: tenant and client_id are wanted");
    if (application && !o->client_secret == !o->certificate_file)
        return err_set(e, ERR_INVALID,
                       "Entra ID: either client_secret or client_certificate is wanted");
    struct entra *a = xcalloc(1, sizeof(*a));
    *a = (struct entra){
        .client = o->client,
        .tenant = xstrdup_null(o->tenant),
        .client_id = xstrdup_null(o->client_id),
        .authority = xstrdup(o->authority ? o->authority : PUBLIC_AUTHORITY),
        .imds = xstrdup(o->imds ? o->imds : IMDS),
        .command = xstrdup_null(o->command),
        .scope = xstrdup(o->scope ? o->scope : STORAGE_SCOPE),
        .managed_identity = o->managed_identity,
        .certificate = SIGN_KEY_INIT,
    };
    (void)pthread_mutex_init(&a->lock, NULL);
    if (application && o->client_secret)
        secret_copy(&a->client_secret, o->client_secret);
    if (application && o->certificate_file && read_certificate(a, o->certificate_file, e) < 0) {
        entra_free(a);
        return -1;
    }
    *ret = a;
    return 0;
}

void entra_free(struct entra *a)
{
    if (!a)
        return;
    free(a->tenant);
    free(a->client_id);
    free(a->authority);
    free(a->imds);
    free(a->command);
    free(a->scope);
    secret_release(&a->client_secret);
    secret_release(&a->token);
    sign_key_release(&a->certificate);
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

/* ---- Reading answers ---- */

static int64_t whole(const json_t *json, const char *key)
{
    int64_t number = 0;
    const char *text = json_text(json, key);

    if (json_number(json, key, &number))
        return number;
    return text ? strtoll(text, NULL, 10) : 0;
}

static int take_token(struct entra *a, const char *text, size_t length, const char *from,
                      struct err *e)
{
    auto_json json_t *json = NULL;

    if (json_parse(text, length, &json, e) < 0) {
        e->code = ERR_REMOTE;
        return err_prefix(e, "the token answer of %s", from);
    }
    const char *token = json_text(json, "access_token");
    if (!token)
        token = json_text(json, "accessToken"); /* az account get-access-token */
    if (!token || !*token)
        return err_set(e, ERR_REMOTE, "%s answers without a token", from);
    int64_t seconds = whole(json, "expires_in");
    int64_t ends = whole(json, "expires_on");
    if (seconds <= 0 && ends > 0)
        seconds = ends - clock_wall() / CLOCK_SECOND;
    int64_t life = seconds > 0 && seconds < 400 * 86400 ? seconds * CLOCK_SECOND : USUAL_LIFE;
    secret_from_text(&a->token, token);
    a->renew = clock_wall() + life - (life / 4 < RENEW_BEFORE ? life / 4 : RENEW_BEFORE);
    return 0;
}

/* The service's own reason is the useful one: "AADSTS7000215: Invalid client secret provided." */
static int refused(const struct http_response *r, const char *from, struct err *e)
{
    auto_json json_t *json = NULL;
    struct err ignored = {0};
    const char *why = NULL;

    if (json_parse(r->error_body.data, r->error_body.length, &json, &ignored) == 0)
        why = json_text(json, "error_description");
    if (!why || !*why)
        why = "no reason given";
    size_t length = strcspn(why, "\r\n");
    if (r->status == 429 || r->status >= 500)
        return err_set(e, r->status == 429 || r->status == 503 ? ERR_BUSY : ERR_REMOTE,
                       "%s answers %d", from, r->status);
    return err_set(e, ERR_UNKNOWN_WHO, "%s gives no token (%d): %.*s", from, r->status,
                   (int)(length < 600 ? length : 600), why);
}

static int ask(struct entra *a, struct http_request *request, const char *from, struct call *call)
{
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_buf struct buf body = BUF_INIT(ANSWER_MAX);
    struct sink_buf sink;

    sink_buf_init(&sink, &body);
    if (http_do(a->client, request, &response, &sink.sink, NULL, call) < 0)
        return err_prefix(&call->err, "ask for a token");
    int result = response.status == 200 ? take_token(a, body.data, body.length, from, &call->err)
                                        : refused(&response, from, &call->err);
    explicit_bzero(body.data, body.length);
    return result;
}

/* ---- Client credentials ---- */

static void add_part(struct buf *out, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    base64url_encode(out, text, strlen(text));
    free(text);
    json_decref(json);
}

/* The assertion that stands for the secret: a JWT signed with the certificate's key. */
static int make_assertion(struct entra *a, const char *audience, struct buf *out, struct err *e)
{
    auto_buf struct buf sha1 = BUF_INIT(64), sha256 = BUF_INIT(64), signature = BUF_INIT(4096);
    json_int_t now = clock_wall() / CLOCK_SECOND;
    char id[33];

    random_hex(id, 16);
    base64url_encode(&sha1, a->certificate.sha1, sizeof(a->certificate.sha1));
    base64url_encode(&sha256, a->certificate.sha256, sizeof(a->certificate.sha256));
    add_part(out, json_pack("{s:s,s:s,s:s,s:s}", "alg", "RS256", "typ", "JWT", "x5t", sha1.data,
                            "x5t#S256", sha256.data));
    buf_char(out, '.');
    add_part(out, json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "aud", audience, "iss", a->client_id,
                            "sub", a->client_id, "jti", id, "iat", now, "nbf", now, "exp",
                            now + ASSERTION_LIFE));
    if (sign_rs256(&a->certificate, out->data, out->length, &signature, e) < 0)
        return -1;
    buf_char(out, '.');
    base64url_encode(out, signature.data, signature.length);
    return 0;
}

static void add_field(struct buf *form, const char *name, const char *value)
{
    if (form->length)
        buf_char(form, '&');
    buf_text(form, name);
    buf_char(form, '=');
    url_escape(form, value, strlen(value), URL_KEEP_UNRESERVED);
}

static int ask_authority(struct entra *a, struct call *call)
{
    auto_free char *url = xasprintf("%s/%s/oauth2/v2.0/token", a->authority, a->tenant);
    auto_request struct http_request request = {.method = "POST", .url = xstrdup(url)};
    auto_buf struct buf form = BUF_INIT(64 * 1024), assertion = BUF_INIT(16 * 1024);
    struct source_bytes source;

    add_field(&form, "grant_type", "client_credentials");
    add_field(&form, "client_id", a->client_id);
    add_field(&form, "scope", a->scope);
    if (a->certificate.key) {
        if (make_assertion(a, url, &assertion, &call->err) < 0)
            return -1;
        add_field(&form, "client_assertion_type",
                  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        add_field(&form, "client_assertion", assertion.data);
    } else {
        add_field(&form, "client_secret", (const char *)a->client_secret.bytes);
    }
    http_request_header(&request, "Content-Type", "application/x-www-form-urlencoded");
    source_bytes_init(&source, form.data, form.length);
    request.body = &source.source;
    request.body_length = form.length;
    int result = ask(a, &request, url, call);
    explicit_bzero(form.data, form.length);
    return result;
}

/* ---- Managed identity ---- */

static int ask_identity(struct entra *a, struct call *call)
{
    const char *endpoint = getenv("IDENTITY_ENDPOINT"), *header = getenv("IDENTITY_HEADER");
    bool app_service = endpoint && header;
    auto_request struct http_request request = {.method = "GET"};
    auto_buf struct buf query = BUF_INIT(8 * 1024);
    size_t length = strlen(a->scope);
    static const char tail[] = "/.default";

    /* Here the resource is asked for, not a scope of it. */
    if (length > sizeof(tail) - 1 && strcmp(a->scope + length - (sizeof(tail) - 1), tail) == 0)
        length -= sizeof(tail) - 2;
    auto_free char *resource = xstrndup(a->scope, length);
    add_field(&query, "api-version", app_service ? "2019-08-01" : "2018-02-01");
    add_field(&query, "resource", resource);
    if (a->client_id)
        add_field(&query, "client_id", a->client_id);
    if (app_service) {
        request.url = xasprintf("%s?%s", endpoint, query.data);
        http_request_header(&request, "X-IDENTITY-HEADER", header);
        return ask(a, &request, "the managed identity endpoint", call);
    }
    request.url = xasprintf("%s/metadata/identity/oauth2/token?%s", a->imds, query.data);
    http_request_header(&request, "Metadata", "true");
    return ask(a, &request, "the managed identity service", call);
}

/* ---- A command ---- */

static int run_command(struct entra *a, struct call *call)
{
    auto_buf struct buf output = BUF_INIT(ANSWER_MAX);
    int result = command_output(a->command, &output, call);

    while (output.length && strchr("\r\n \t", output.data[output.length - 1]))
        output.data[--output.length] = '\0';
    if (result < 0) {
        (void)err_prefix(&call->err, "token_command gives no token");
    } else if (output.data[0] == '{') {
        result = take_token(a, output.data, output.length, "token_command", &call->err);
    } else if (!output.length || strpbrk(output.data, "\r\n \t")) {
        result = err_set(&call->err, ERR_UNKNOWN_WHO,
                         "token_command gives no token: it prints neither one nor JSON");
    } else {
        secret_set(&a->token, output.data, output.length);
        a->renew = clock_wall() + USUAL_LIFE;
    }
    explicit_bzero(output.data, output.length);
    return result;
}

int entra_token(struct entra *a, struct secret *ret, struct call *call)
{
    /* The lock is held while asking: whoever else needs a token waits for this one. */
    locked(&a->lock);
    if (a->token.bytes && clock_wall() >= a->renew)
        secret_release(&a->token);
    if (!a->token.bytes) {
        int asked = a->command            ? run_command(a, call)
                    : a->managed_identity ? ask_identity(a, call)
                                          : ask_authority(a, call);
        if (asked < 0)
            return -1;
    }
    secret_copy(ret, &a->token);
    return 0;
}

void entra_refused(struct entra *a, const struct secret *token)
{
    locked(&a->lock);
    if (a->token.bytes && secret_equal(&a->token, token))
        secret_release(&a->token);
}

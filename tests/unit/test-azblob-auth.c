// SPDX-License-Identifier: EUPL-1.2
/* Who may do what at the Azure door: keys, signatures, tokens, public access, and refusals. */
#include "auth/sas.h"
#include "azblob-bed.h"

/* A blob "photos/dir/a", tags t=1. */
static void make_blob(struct azblob_bed *b)
{
    assert_status(azblob_ask(b, "PUT", "/acct/photos?restype=container", NULL, ""), 201);
    assert_status(azblob_ask(b, "PUT", "/acct/photos/dir/a",
                             "x-ms-blob-type: BlockBlob\nx-ms-tags: t=1", "hello"),
                  201);
}

static void takes_both_keys(void **state)
{
    struct azblob_bed *b = *state;

    make_blob(b);
    b->key = AZBLOB_KEY2;
    assert_status(azblob_ask(b, "GET", "/acct/photos/dir/a", NULL, ""), 200);
    assert_string_equal(b->authentication, "shared_key");
    b->key = AZBLOB_SECRET;
    assert_refused(azblob_ask(b, "GET", "/acct/photos/dir/a", NULL, ""), 403,
                   "AuthenticationFailed");
    assert_has("<AuthenticationErrorDetail>");
    assert_true(b->refused);
    assert_string_equal(b->authentication, "none");
}

static void takes_any_escaping_of_the_path(void **state)
{
    struct azblob_bed *b = *state;

    make_blob(b);
    assert_status(azblob_ask(b, "GET", "/acct/photos/dir%2Fa", NULL, ""), 200);
    assert_status(azblob_ask(b, "GET", "/acct/photos/dir%5Ca", NULL, ""), 200);
    assert_status(azblob_ask(b, "PUT", "/acct/photos/%D1%8F%20+%25?timeout=20&x=%2B+a",
                             "x-ms-blob-type: BlockBlob", "x"),
                  201);
    assert_status(azblob_ask(b, "GET", "/acct/photos/%D1%8F%20+%25", NULL, ""), 200);
    assert_refused(azblob_ask(b, "GET", "/acct/photos/%00", NULL, ""), 400, "InvalidUri");
    b->unsigned_too = true;
    assert_refused(azblob_ask(b, "GET", "/acct/photos/%zz", NULL, ""), 400, "InvalidUri");
    assert_refused(azblob_ask(b, "GET", "/", NULL, ""), 400, "InvalidQueryParameterValue");
    assert_refused(azblob_ask(b, "GET", "/?comp=list", NULL, ""), 400, "InvalidUri");
    assert_refused(azblob_ask(b, "GET", "/other/?comp=list", NULL, ""), 404, "ResourceNotFound");
}

static void takes_host_style_and_secondary(void **state)
{
    struct azblob_bed *b = *state;

    make_blob(b);
    b->host = "acct.blob.storage.example.eu";
    assert_status(azblob_ask(b, "GET", "/photos/dir/a", NULL, ""), 200);
    assert_status(azblob_ask(b, "GET", "/?comp=list", NULL, ""), 200);
    assert_has("ServiceEndpoint=\"http://acct.blob.storage.example.eu/\"");
    b->host = "Acct-secondary.blob.storage.example.eu:443";
    assert_status(azblob_ask(b, "GET", "/photos/dir/a", NULL, ""), 200);
    assert_refused(azblob_ask(b, "DELETE", "/photos/dir/a", NULL, ""), 403,
                   "InsufficientAccountPermissions");
    b->host = NULL;
    assert_status(azblob_ask(b, "GET", "/acct-secondary/photos/dir/a", NULL, ""), 200);
    b->host = "x.acct.blob.storage.example.eu";
    b->unsigned_too = true;
    assert_int_equal(azblob_ask(b, "GET", "/photos/dir/a", NULL, ""), 404);
}

static void refuses_old_dates(void **state)
{
    struct azblob_bed *b = *state;

    make_blob(b);
    b->unsigned_too = true;
    assert_refused(azblob_ask(b, "GET", "/acct/photos/dir/a",
                              "x-ms-date: Sun, 22 Nov 2020 10:00:00 GMT\n"
                              "Authorization: SharedKey acct:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlh"
                              "YmNkZWY=",
                              ""),
                   403, "AuthenticationFailed");
    assert_refused(azblob_ask(b, "GET", "/acct/photos/dir/a", "Authorization: SharedKey", ""), 400,
                   "InvalidAuthenticationInfo");
    assert_refused(azblob_ask(b, "GET", "/acct/photos/dir/a", "Authorization: Basic eDp5", ""), 400,
                   "InvalidAuthenticationInfo");
}

static void challenges_those_who_show_nothing(void **state)
{
    struct azblob_bed *b = *state;

    b->unsigned_too = true;
    assert_refused(azblob_ask(b, "GET", "/acct/photos/dir/a", NULL, ""), 404, "ResourceNotFound");
    b->options.authorization_uri = "https://login.example.eu/realms/x";
    azblob_bed_reopen(b);
    assert_refused(azblob_ask(b, "GET", "/acct/photos/dir/a", NULL, ""), 401,
                   "NoAuthenticationInformation");
    assert_string_equal(bed_header(b, "WWW-Authenticate"),
                        "Bearer authorization_uri=https://login.example.eu/realms/x "
                        "resource_id=https://storage.azure.com");
    assert_refused(azblob_ask(b, "GET", "/acct/photos/dir/a", "x-ms-version: 2018-11-09", ""), 404,
                   "ResourceNotFound");
}

static void opens_what_is_public(void **state)
{
    struct azblob_bed *b = *state;

    make_blob(b);
    assert_status(azblob_ask(b, "PUT", "/acct/photos?restype=container&comp=acl",
                             "x-ms-blob-public-access: blob", ""),
                  200);
    b->unsigned_too = true;
    assert_status(azblob_ask(b, "GET", "/acct/photos/dir/a", NULL, ""), 200);
    assert_string_equal(b->authentication, "anonymous");
    assert_refused(azblob_ask(b, "GET", "/acct/photos?restype=container&comp=list", NULL, ""), 404,
                   "ResourceNotFound");
    assert_refused(azblob_ask(b, "GET", "/acct/photos/dir/a?comp=tags", NULL, ""), 404,
                   "ResourceNotFound");
    assert_refused(azblob_ask(b, "DELETE", "/acct/photos/dir/a", NULL, ""), 404,
                   "ResourceNotFound");
    /* Overrides are a signature's to give. */
    assert_status(azblob_ask(b, "GET", "/acct/photos/dir/a?rsct=text/html", NULL, ""), 200);
    assert_string_not_equal(bed_header(b, "Content-Type"), "text/html");
    b->unsigned_too = false;
    assert_status(azblob_ask(b, "PUT", "/acct/photos?restype=container&comp=acl",
                             "x-ms-blob-public-access: container", ""),
                  200);
    b->unsigned_too = true;
    assert_status(azblob_ask(b, "GET", "/acct/photos?restype=container&comp=list", NULL, ""), 200);
    azblob_bed_settings(b, "{\"public_access\":false}");
    assert_refused(azblob_ask(b, "GET", "/acct/photos/dir/a", NULL, ""), 404, "ResourceNotFound");
    b->unsigned_too = false;
    assert_refused(azblob_ask(b, "PUT", "/acct/photos?restype=container&comp=acl",
                              "x-ms-blob-public-access: container", ""),
                   409, "PublicAccessNotPermitted");
}

/* ---- Signatures ---- */

static int ask_sas(struct azblob_bed *b, const char *method, const char *target,
                   const struct sas_wish *wish, const char *container, const char *blob,
                   const char *key, const char *headers)
{
    auto_secret struct secret secret = SECRET_INIT;
    auto_buf struct buf query = BUF_INIT(SAS_TEXT_MAX);
    struct sas_resource resource = {"acct", container, blob};
    struct err e = {.code = ERR_NONE};

    assert_ok(secret_from_base64(&secret, key, &e), &e);
    assert_ok(sas_create(wish, &resource, &secret, &query, &e), &e);
    auto_free char *full = xasprintf("%s%c%s", target, strchr(target, '?') ? '&' : '?', query.data);
    b->unsigned_too = true;
    int status = azblob_ask(b, method, full, headers, "");
    b->unsigned_too = false;
    return status;
}

static struct sas_wish wish_of(const char *permissions)
{
    return (struct sas_wish){.permissions = permissions,
                             .starts = TIME_UNKNOWN,
                             .expires = clock_wall() + 3600 * CLOCK_SECOND};
}

static void takes_service_signatures(void **state)
{
    struct azblob_bed *b = *state;
    struct sas_wish wish = wish_of("r");

    make_blob(b);
    wish.content_type = "text/x-test";
    assert_status(
        ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", "dir/a", AZBLOB_KEY1, NULL), 200);
    assert_string_equal(bed_header(b, "Content-Type"), "text/x-test");
    assert_string_equal(b->authentication, "sas_service");
    assert_status(ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", NULL, AZBLOB_KEY2, NULL),
                  200);
    assert_refused(
        ask_sas(b, "GET", "/acct/photos/dir/b", &wish, "photos", "dir/a", AZBLOB_KEY1, NULL), 403,
        "AuthenticationFailed");
    assert_refused(
        ask_sas(b, "DELETE", "/acct/photos/dir/a", &wish, "photos", "dir/a", AZBLOB_KEY1, NULL),
        403, "AuthorizationPermissionMismatch");
    assert_refused(ask_sas(b, "GET", "/acct/photos/dir/a?comp=tags", &wish, "photos", "dir/a",
                           AZBLOB_KEY1, NULL),
                   403, "AuthorizationPermissionMismatch");
    assert_refused(ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", "dir/a", AZBLOB_KEY1,
                           "x-ms-if-tags: \"t\" = '1'"),
                   403, "AuthorizationPermissionMismatch");
    assert_true(b->refused);
    wish.expires = clock_wall() - CLOCK_SECOND;
    assert_refused(
        ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", "dir/a", AZBLOB_KEY1, NULL), 403,
        "AuthenticationFailed");
}

static void creating_is_not_overwriting(void **state)
{
    struct azblob_bed *b = *state;
    struct sas_wish create = wish_of("c"), write = wish_of("w");
    const char *headers = "x-ms-blob-type: BlockBlob";

    make_blob(b);
    assert_status(
        ask_sas(b, "PUT", "/acct/photos/new", &create, "photos", NULL, AZBLOB_KEY1, headers), 201);
    assert_refused(
        ask_sas(b, "PUT", "/acct/photos/new", &create, "photos", NULL, AZBLOB_KEY1, headers), 403,
        "UnauthorizedBlobOverwrite");
    assert_status(
        ask_sas(b, "PUT", "/acct/photos/new", &write, "photos", NULL, AZBLOB_KEY1, headers), 201);
    assert_refused(ask_sas(b, "PUT", "/acct/photos/new", &write, "photos", NULL, AZBLOB_KEY1,
                           "x-ms-blob-type: BlockBlob\nx-ms-tags: a=b"),
                   403, "AuthorizationPermissionMismatch");
}

static void narrows_by_address_and_protocol(void **state)
{
    struct azblob_bed *b = *state;
    struct sas_wish wish = wish_of("r");

    make_blob(b);
    wish.ip = "203.0.113.7";
    assert_refused(
        ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", NULL, AZBLOB_KEY1, NULL), 403,
        "AuthorizationSourceIPMismatch");
    assert_has("<SourceIP>127.0.0.1</SourceIP>");
    b->peer = "203.0.113.7";
    assert_status(ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", NULL, AZBLOB_KEY1, NULL),
                  200);
    wish.protocol = "https";
    assert_refused(
        ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", NULL, AZBLOB_KEY1, NULL), 403,
        "AuthorizationProtocolMismatch");
    b->secure = true;
    assert_status(ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", NULL, AZBLOB_KEY1, NULL),
                  200);
}

static void takes_account_signatures(void **state)
{
    struct azblob_bed *b = *state;
    struct sas_wish wish = wish_of("rwdlc");

    make_blob(b);
    wish.services = "b";
    wish.resource_types = "co";
    assert_status(ask_sas(b, "GET", "/acct/photos/dir/a", &wish, NULL, NULL, AZBLOB_KEY1, NULL),
                  200);
    assert_status(
        ask_sas(b, "PUT", "/acct/more?restype=container", &wish, NULL, NULL, AZBLOB_KEY1, NULL),
        201);
    assert_refused(ask_sas(b, "GET", "/acct/?comp=list", &wish, NULL, NULL, AZBLOB_KEY1, NULL), 403,
                   "AuthorizationResourceTypeMismatch");
    assert_refused(ask_sas(b, "GET", "/acct/photos?restype=container&comp=acl", &wish, NULL, NULL,
                           AZBLOB_KEY1, NULL),
                   403, "AuthorizationFailure");
    wish.services = "q";
    assert_refused(ask_sas(b, "GET", "/acct/photos/dir/a", &wish, NULL, NULL, AZBLOB_KEY1, NULL),
                   403, "AuthorizationServiceMismatch");
    /* A container's own operations are not a service signature's to permit. */
    struct sas_wish service = wish_of("rwdlc");
    assert_int_equal(ask_sas(b, "DELETE", "/acct/photos?restype=container", &service, "photos",
                             NULL, AZBLOB_KEY1, NULL),
                     403);
    assert_status(ask_sas(b, "GET", "/acct/photos?restype=container&comp=list", &service, "photos",
                          NULL, AZBLOB_KEY1, NULL),
                  200);
}

static void follows_stored_policies(void **state)
{
    struct azblob_bed *b = *state;
    struct sas_wish wish = {
        .identifier = "readers", .starts = TIME_UNKNOWN, .expires = TIME_UNKNOWN};
    const char *acl = "/acct/photos?restype=container&comp=acl";

    make_blob(b);
    assert_refused(
        ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", NULL, AZBLOB_KEY1, NULL), 403,
        "AuthenticationFailed");
    assert_status(azblob_ask(b, "PUT", acl, NULL,
                             "<SignedIdentifiers><SignedIdentifier><Id>readers</Id><AccessPolicy>"
                             "<Expiry>2200-01-01T00:00:00Z</Expiry><Permission>r</Permission>"
                             "</AccessPolicy></SignedIdentifier></SignedIdentifiers>"),
                  200);
    assert_status(ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", NULL, AZBLOB_KEY1, NULL),
                  200);
    assert_status(azblob_ask(b, "PUT", acl, NULL, ""), 200);
    assert_refused(
        ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", NULL, AZBLOB_KEY1, NULL), 403,
        "AuthenticationFailed");
}

/* ---- Tokens ---- */

/* The token is the name of the user; "bad" is none. */
static int identify(void *argument, const char *token, struct jwt_claims *ret, struct call *call)
{
    (void)argument;
    if (strcmp(token, "bad") == 0)
        return err_set(&call->err, ERR_UNKNOWN_WHO, "the token is not good");
    if (strcmp(token, "late") == 0)
        return err_set(&call->err, ERR_BUSY, "the issuer does not answer");
    ret->object_id = xstrdup(token);
    ret->issuer = xstrdup("https://login.example.eu");
    return 0;
}

/* "reader" may read and list below dir/, "maker" create blobs, "owner" do all. */
static int decide(void *argument, const struct policy_request *q, enum policy_decision *ret,
                  struct call *call)
{
    const char *id = q->who.id ? q->who.id : "";

    (void)argument;
    (void)call;
    *ret = POLICY_DENIED;
    if (q->who.kind == POLICY_KEY || q->who.kind == POLICY_SAS || strcmp(id, "owner") == 0)
        *ret = POLICY_ALLOWED;
    if (strcmp(id, "reader") == 0 &&
        ((q->action == POLICY_BLOB_READ && strncmp(q->name, "dir/", 4) == 0) ||
         (q->action == POLICY_BLOB_LIST && strncmp(q->list_prefix, "dir/", 4) == 0)))
        *ret = POLICY_ALLOWED;
    if (strcmp(id, "maker") == 0 && q->action == POLICY_BLOB_CREATE)
        *ret = POLICY_ALLOWED;
    return 0;
}

static int ask_as(struct azblob_bed *b, const char *user, const char *method, const char *target,
                  const char *more, const char *body)
{
    auto_free char *headers =
        xasprintf("Authorization: Bearer %s%s%s", user, more ? "\n" : "", more ? more : "");

    b->unsigned_too = true;
    int status = azblob_ask(b, method, target, headers, body);
    b->unsigned_too = false;
    return status;
}

static void take_tokens(struct azblob_bed *b)
{
    b->options.identify = identify;
    b->options.decide = decide;
    b->options.authorization_uri = "https://login.example.eu";
    b->options.plain_tokens = false;
    b->secure = true;
    azblob_bed_reopen(b);
}

static void takes_tokens(void **state)
{
    struct azblob_bed *b = *state;

    make_blob(b);
    assert_refused(ask_as(b, "owner", "GET", "/acct/photos/dir/a", NULL, ""), 403,
                   "AuthenticationFailed");
    take_tokens(b);
    assert_status(ask_as(b, "owner", "GET", "/acct/photos/dir/a", NULL, ""), 200);
    assert_string_equal(b->authentication, "bearer");
    assert_status(ask_as(b, "reader", "GET", "/acct/photos/dir/a", NULL, ""), 200);
    assert_refused(ask_as(b, "reader", "GET", "/acct/photos/a", NULL, ""), 403,
                   "AuthorizationPermissionMismatch");
    assert_status(ask_as(b, "reader", "GET", "/acct/photos?restype=container&comp=list&prefix=dir/",
                         NULL, ""),
                  200);
    assert_refused(ask_as(b, "reader", "GET",
                          "/acct/photos?restype=container&comp=list&prefix=dir/&include=tags", NULL,
                          ""),
                   403, "AuthorizationPermissionMismatch");
    assert_refused(ask_as(b, "reader", "DELETE", "/acct/photos/dir/a", NULL, ""), 403,
                   "AuthorizationPermissionMismatch");
    assert_refused(ask_as(b, "bad", "GET", "/acct/photos/dir/a", NULL, ""), 401,
                   "InvalidAuthenticationInfo");
    assert_non_null(bed_header(b, "WWW-Authenticate"));
    assert_refused(ask_as(b, "late", "GET", "/acct/photos/dir/a", NULL, ""), 503, "ServerBusy");
    b->secure = false;
    assert_refused(ask_as(b, "owner", "GET", "/acct/photos/dir/a", NULL, ""), 403,
                   "AuthenticationFailed");
}

static void a_maker_makes_once(void **state)
{
    struct azblob_bed *b = *state;
    const char *type = "x-ms-blob-type: BlockBlob";

    make_blob(b);
    take_tokens(b);
    assert_status(ask_as(b, "maker", "PUT", "/acct/photos/m", type, "x"), 201);
    assert_refused(ask_as(b, "maker", "PUT", "/acct/photos/m", type, "x"), 403,
                   "UnauthorizedBlobOverwrite");
}

static void field_from(struct azblob_bed *b, const char *element, struct pairs *into,
                       const char *key)
{
    auto_free char *open = xasprintf("<%s>", element);
    const char *at = strstr(b->answer.data, open);

    assert_non_null(at);
    at += strlen(open);
    pairs_add_n(into, key, strlen(key), at, strcspn(at, "<"));
}

static void delegates(void **state)
{
    struct azblob_bed *b = *state;
    auto_pairs struct pairs fields = PAIRS_INIT, value = PAIRS_INIT;
    struct sas_wish wish = wish_of("r");
    const char *target = "/acct/?restype=service&comp=userdelegationkey";
    char until[DATE_TEXT];

    make_blob(b);
    take_tokens(b);
    date_iso8601(until, sizeof(until), clock_wall() + 7200 * CLOCK_SECOND, 0);
    auto_free char *body = xasprintf("<KeyInfo><Expiry>%s</Expiry></KeyInfo>", until);
    assert_refused(azblob_ask(b, "POST", target, NULL, body), 403, "AuthenticationFailed");
    assert_status(ask_as(b, "owner", "POST", target, NULL, body), 200);
    field_from(b, "SignedOid", &fields, "skoid");
    field_from(b, "SignedTid", &fields, "sktid");
    field_from(b, "SignedStart", &fields, "skt");
    field_from(b, "SignedExpiry", &fields, "ske");
    field_from(b, "SignedService", &fields, "sks");
    field_from(b, "SignedVersion", &fields, "skv");
    field_from(b, "Value", &value, "value");
    wish.delegation = &fields;
    assert_status(ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", "dir/a",
                          value.list[0].value, NULL),
                  200);
    assert_string_equal(b->authentication, "sas_delegation");
    /* No more than the user has. */
    pairs_set(&fields, "skoid", "reader");
    assert_refused(ask_sas(b, "GET", "/acct/photos/dir/a", &wish, "photos", "dir/a",
                           value.list[0].value, NULL),
                   403, "AuthenticationFailed");
    assert_refused(ask_as(b, "owner", "POST", target, NULL, "<KeyInfo/>"), 400,
                   "InvalidXmlNodeValue");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        azblob_test(takes_both_keys),
        azblob_test(takes_any_escaping_of_the_path),
        azblob_test(takes_host_style_and_secondary),
        azblob_test(refuses_old_dates),
        azblob_test(challenges_those_who_show_nothing),
        azblob_test(opens_what_is_public),
        azblob_test(takes_service_signatures),
        azblob_test(creating_is_not_overwriting),
        azblob_test(narrows_by_address_and_protocol),
        azblob_test(takes_account_signatures),
        azblob_test(follows_stored_policies),
        azblob_test(takes_tokens),
        azblob_test(a_maker_makes_once),
        azblob_test(delegates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

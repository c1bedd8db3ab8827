// SPDX-License-Identifier: EUPL-1.2
/* Who a request is from, and whether they may: see azblob_private.h. */
#include <string.h>
#include <strings.h>

#include "auth/sharedkey.h"
#include "codec/json.h"
#include "door/azblob/azblob_private.h"

/* From this version on Azure answers those who show nothing with a challenge. */
#define CHALLENGE_VERSION "2019-12-12"
#define RESOURCE_ID       "https://storage.azure.com"

int azblob_home(struct azblob_request *r, struct call *call)
{
    struct call look = call_child(call, NULL);

    if (r->home.id)
        return 1;
    if (!r->target.container)
        return 0;
    if (service_container_get(r->door->options.service, r->account.name, r->target.container, NULL,
                              &r->home, &look) == 0)
        return 1;
    if (look.err.code == ERR_NOT_FOUND)
        return 0;
    call->err = look.err;
    return -1;
}

/* ---- What is needed ---- */

static void need(struct azblob_needs *n, const char *any_of, enum policy_action action)
{
    if (n->count < AZBLOB_NEEDS_MAX)
        n->list[n->count++] = (struct azblob_need){any_of, action};
}

static void need_to_delete(const struct azblob_request *r, struct azblob_needs *n)
{
    const char *kind = azblob_query(r, "deletetype");

    if (kind && strcasecmp(kind, "permanent") == 0)
        need(n, "y", POLICY_BLOB_PERMANENT_DELETE);
    else if (azblob_query(r, "versionid"))
        need(n, "x", POLICY_BLOB_DELETE_VERSION);
    else
        need(n, "d", POLICY_BLOB_DELETE);
}

/* Whether a comma list holds a word. */
static bool list_has(const char *list, const char *word)
{
    size_t n = strlen(word);

    while (list && *list) {
        size_t length = strcspn(list, ",");
        if (length == n && strncasecmp(list, word, n) == 0)
            return true;
        list += length + (list[length] == ',');
    }
    return false;
}

void azblob_needs(const struct azblob_request *r, struct azblob_needs *ret)
{
    const struct azblob_operation *o = r->operation;

    *ret = (struct azblob_needs){0};
    if (o->handler == azblob_blob_delete)
        need_to_delete(r, ret);
    else
        need(ret, o->permissions, o->action);
    if (o->which != AZBLOB_BLOB) {
        if (o->handler == azblob_container_list && list_has(azblob_query(r, "include"), "tags"))
            need(ret, "t", POLICY_TAGS_READ);
        return;
    }
    if ((o->flags & AZBLOB_WRITES) && azblob_get(r, "x-ms-tags"))
        need(ret, "t", POLICY_TAGS_WRITE);
    if (azblob_get(r, "x-ms-if-tags"))
        need(ret, "t", POLICY_TAGS_READ);
    if (o->action != POLICY_IMMUTABILITY && (o->flags & AZBLOB_WRITES) &&
        (azblob_get(r, "x-ms-immutability-policy-until-date") || azblob_get(r, "x-ms-legal-hold")))
        need(ret, "i", POLICY_IMMUTABILITY);
}

/* ---- Policy ---- */

static enum policy_public opened(const struct azblob_request *r)
{
    if (!r->home.id || !r->home.access)
        return POLICY_PRIVATE;
    return strcmp(r->home.access, "container") == 0 ? POLICY_PUBLIC_CONTAINER : POLICY_PUBLIC_BLOBS;
}

static int decide(const struct azblob_request *r, const struct policy_request *question,
                  struct call *call)
{
    enum policy_decision decision;

    if (!r->door->options.decide)
        decision = policy_decide(r->door->policy, question).decision;
    else if (r->door->options.decide(r->door->options.argument, question, &decision, call) < 0)
        return -1;
    return decision == POLICY_ALLOWED;
}

int azblob_ask_policy(struct azblob_request *r, const struct policy_principal *who,
                      struct call *call)
{
    struct azblob_needs needs;
    const char *prefix = azblob_query(r, "prefix");
    struct policy_request question = {.who = *who,
                                      .account = r->account.name,
                                      .container = r->target.container,
                                      .name = r->target.blob,
                                      .opened = opened(r),
                                      .client = r->head.peer,
                                      .secure = r->head.secure};

    azblob_needs(r, &needs);
    for (size_t i = 0; i < needs.count; i++) {
        question.action = needs.list[i].action;
        if (question.action == AZBLOB_NO_ACTION)
            continue;
        question.list_prefix = question.action == POLICY_BLOB_LIST ? prefix ? prefix : "" : NULL;
        int allowed = decide(r, &question, call);
        if (allowed == 0 && i == 0 && (r->operation->flags & AZBLOB_CREATES)) {
            question.action = POLICY_BLOB_CREATE;
            allowed = decide(r, &question, call);
            r->create_only |= allowed == 1;
        }
        if (allowed != 1)
            return allowed;
    }
    return 1;
}

/* ---- Shared Key ---- */

static int refuse_key(struct azblob_request *r, struct call *call)
{
    auto_free char *why = xstrdup(call->err.text);

    if (call->err.code == ERR_INVALID)
        return azblob_fail_with(r, AZBLOB_INVALID_AUTHENTICATION_INFO, "AuthenticationErrorDetail",
                                why, call);
    return azblob_fail_with(r, AZBLOB_AUTHENTICATION_FAILED, "AuthenticationErrorDetail", why,
                            call);
}

/* By one of the account's keys; *ret_usable is false when that is none. */
static int verify_by(const struct azblob_request *r, const char *text, bool *ret_usable,
                     struct err *e)
{
    const struct azblob_head *h = &r->head;
    uint64_t length = h->body_length == UINT64_MAX ? 0 : h->body_length;
    auto_sharedkey struct sharedkey key = SHAREDKEY_INIT;

    *ret_usable = sharedkey_init(&key, r->account.name, text, e) == 0;
    return *ret_usable
               ? sharedkey_verify(&key, h->method, h->path, h->query, h->headers, length, r->now, e)
               : -1;
}

int azblob_authorize_key(struct azblob_request *r, struct call *call)
{
    const char *const keys[] = {r->account.key1, r->account.key2};

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        bool usable;
        if (!keys[i])
            continue;
        int verified = verify_by(r, keys[i], &usable, &call->err);
        if (!usable)
            return err_prefix(&call->err, "key %zu of account '%s'", i + 1, r->account.name);
        if (verified == 0) {
            err_clear(&call->err);
            r->proof = AZBLOB_SHARED_KEY;
            break;
        }
        if (call->err.code != ERR_UNKNOWN_WHO)
            return refuse_key(r, call);
    }
    if (r->proof != AZBLOB_SHARED_KEY)
        return call->err.code ? refuse_key(r, call)
                              : azblob_fail(r, AZBLOB_AUTHENTICATION_FAILED, call);
    struct policy_principal who = {.kind = POLICY_KEY, .account = r->account.name};
    int allowed = azblob_ask_policy(r, &who, call);
    if (allowed == 0)
        return azblob_fail(r, AZBLOB_AUTHORIZATION_FAILURE, call);
    return allowed < 0 ? -1 : 0;
}

/* ---- Nobody ---- */

void azblob_challenge(struct azblob_request *r)
{
    const struct azblob_options *o = &r->door->options;

    if (!o->authorization_uri)
        return;
    auto_free char *text =
        xasprintf("Bearer authorization_uri=%s resource_id=%s", o->authorization_uri,
                  o->resource_id ? o->resource_id : RESOURCE_ID);
    azblob_say_error(r, "WWW-Authenticate", text);
}

bool azblob_public_forbidden(const struct azblob_request *r)
{
    return !json_bool(r->settings, "public_access", true);
}

static int ask_public(struct azblob_request *r, struct call *call)
{
    const struct policy_principal nobody = {.kind = POLICY_ANONYMOUS};
    unsigned flags = r->operation->flags;

    if (!(flags & (AZBLOB_PUBLIC_BLOB | AZBLOB_PUBLIC_CONTAINER)))
        return 0;
    if (azblob_public_forbidden(r))
        return 0;
    int there = azblob_home(r, call);
    return there == 1 ? azblob_ask_policy(r, &nobody, call) : there;
}

int azblob_authorize_anonymous(struct azblob_request *r, struct call *call)
{
    int allowed = ask_public(r, call);

    if (allowed < 0)
        return -1;
    if (allowed) {
        r->proof = AZBLOB_ANONYMOUS;
        return 0;
    }
    if (r->door->options.authorization_uri && r->version &&
        strcmp(r->version, CHALLENGE_VERSION) >= 0) {
        azblob_challenge(r);
        return azblob_fail(r, AZBLOB_NO_AUTHENTICATION_INFORMATION, call);
    }
    return azblob_fail(r, AZBLOB_RESOURCE_NOT_FOUND, call);
}

/* ---- All together ---- */

int azblob_find_account(struct azblob_request *r, struct call *call)
{
    if (!*r->target.account)
        return azblob_fail(r, AZBLOB_INVALID_URI, call);
    if (service_account_get(r->door->options.service, r->target.account, &r->account, call) < 0)
        return -1;
    if (r->account.disabled)
        return azblob_fail(r, AZBLOB_ACCOUNT_IS_DISABLED, call);
    if (r->account.settings &&
        json_parse(r->account.settings, strlen(r->account.settings), &r->settings, &call->err) < 0)
        return err_prefix(&call->err, "settings of account '%s'", r->account.name);
    return 0;
}

static int by_credentials(struct azblob_request *r, struct call *call)
{
    const char *header = azblob_get(r, "Authorization");
    bool sas = azblob_query(r, "sig");

    if ((r->operation->flags & AZBLOB_BEARER_ONLY) &&
        (!header || strncasecmp(header, "Bearer ", 7) != 0))
        return azblob_fail_with(r, AZBLOB_AUTHENTICATION_FAILED, "AuthenticationErrorDetail",
                                "Only authentication scheme Bearer is supported", call);
    if (header && strncasecmp(header, "SharedKey", 9) == 0)
        return azblob_authorize_key(r, call);
    if (header && strncasecmp(header, "Bearer ", 7) == 0)
        return azblob_authorize_bearer(r, call);
    if (header)
        return azblob_fail_with(r, AZBLOB_INVALID_AUTHENTICATION_INFO, "AuthenticationErrorDetail",
                                "Neither SharedKey, SharedKeyLite nor Bearer.", call);
    if (sas)
        return azblob_authorize_sas(r, NULL, call);
    return azblob_authorize_anonymous(r, call);
}

/* What was refused may have gone by an account of a moment ago: take up how it stands now. */
static bool account_changed(struct azblob_request *r)
{
    struct call aside = CALL_INIT;
    auto_account_row struct account_row now = account_row_new();

    if (service_account_fresh(r->door->options.service, r->account.name, &now, &aside) < 0 ||
        (now.changed == r->account.changed && same_string(now.key1, r->account.key1) &&
         same_string(now.key2, r->account.key2)))
        return false;
    row_copy(&account_table, &r->account, &now);
    return true;
}

static void forget_failure(struct azblob_request *r, struct call *call)
{
    err_clear(&call->err);
    r->failure = NULL;
    r->create_only = false;
    pairs_release(&r->details);
    pairs_release(&r->error_answer);
}

int azblob_authorize(struct azblob_request *r, struct call *call)
{
    const struct azblob_operation *o = r->operation;

    if (azblob_find_account(r, call) < 0)
        return -1;
    if (o->handler == azblob_preflight || o->handler == azblob_web) {
        r->proof = AZBLOB_ANONYMOUS;
        return 0;
    }
    int proven = by_credentials(r, call);
    if (proven < 0 && account_changed(r)) {
        forget_failure(r, call);
        proven = by_credentials(r, call);
    }
    if (proven < 0) {
        r->refused = true;
        r->proof = AZBLOB_NOBODY;
        return -1;
    }
    if (r->target.secondary && (o->flags & AZBLOB_WRITES)) {
        r->refused = true;
        return azblob_fail(r, AZBLOB_WRITE_TO_SECONDARY, call);
    }
    return 0;
}

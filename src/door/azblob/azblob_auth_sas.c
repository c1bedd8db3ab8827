// SPDX-License-Identifier: EUPL-1.2
/* Requests with a shared access signature: see azblob_private.h and auth/sas.h. */
#include <string.h>

#include "auth/sas.h"
#include "codec/date.h"
#include "codec/json.h"
#include "door/azblob/azblob_private.h"

static enum azblob_code code_of(enum sas_fault fault)
{
    static const enum azblob_code codes[SAS_FAULT_COUNT] = {
        [SAS_BAD_SIGNATURE] = AZBLOB_AUTHENTICATION_FAILED,
        [SAS_BAD_TIME] = AZBLOB_AUTHENTICATION_FAILED,
        [SAS_BAD_POLICY] = AZBLOB_AUTHENTICATION_FAILED,
        [SAS_POLICY_REPEATS] = AZBLOB_INVALID_QUERY_PARAMETER_VALUE,
        [SAS_BAD_USER] = AZBLOB_AUTHENTICATION_FAILED,
        [SAS_SOURCE_MISMATCH] = AZBLOB_AUTHORIZATION_SOURCE_IP_MISMATCH,
        [SAS_PROTOCOL_MISMATCH] = AZBLOB_AUTHORIZATION_PROTOCOL_MISMATCH,
        [SAS_SERVICE_MISMATCH] = AZBLOB_AUTHORIZATION_SERVICE_MISMATCH,
        [SAS_TYPE_MISMATCH] = AZBLOB_AUTHORIZATION_RESOURCE_TYPE_MISMATCH,
        [SAS_PERMISSION_MISMATCH] = AZBLOB_AUTHORIZATION_PERMISSION_MISMATCH,
        [SAS_KIND_MISMATCH] = AZBLOB_AUTHORIZATION_FAILURE,
    };

    return codes[fault];
}

static int refuse(struct azblob_request *r, enum sas_fault fault, struct call *call)
{
    auto_free char *why = xstrdup(call->err.text);
    const char *element = fault == SAS_SOURCE_MISMATCH  ? "SourceIP"
                          : fault == SAS_POLICY_REPEATS ? "Reason"
                                                        : "AuthenticationErrorDetail";

    return azblob_fail_with(r, code_of(fault), element,
                            fault == SAS_SOURCE_MISMATCH ? r->head.peer : why, call);
}

/* ---- Keys ---- */

struct keys {
    struct secret list[2];
    const struct secret *pointers[2];
    size_t count;
};

static void keys_release(struct keys *k)
{
    secret_release(&k->list[0]);
    secret_release(&k->list[1]);
}

static int account_keys(const struct azblob_request *r, struct keys *k, struct call *call)
{
    const char *const texts[] = {r->account.key1, r->account.key2};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (!texts[i])
            continue;
        if (secret_from_base64(&k->list[k->count], texts[i], &call->err) < 0)
            return err_prefix(&call->err, "key %zu of account '%s'", i + 1, r->account.name);
        k->pointers[k->count] = &k->list[k->count];
        k->count++;
    }
    return 0;
}

static int delegation_key(const struct azblob_request *r, const struct sas *sas, struct keys *k,
                          struct call *call)
{
    auto_secret struct secret secret = SECRET_INIT;

    if (!r->account.delegation_secret)
        return 0;
    if (secret_from_base64(&secret, r->account.delegation_secret, &call->err) < 0)
        return err_prefix(&call->err, "delegation secret of account '%s'", r->account.name);
    if (sas_delegation_key(&secret, &sas->fields, &k->list[0], &call->err) < 0)
        return -1;
    k->pointers[0] = &k->list[0];
    k->count = 1;
    return 0;
}

/* ---- Stored policies ---- */

static int64_t time_of(const json_t *policy, const char *key)
{
    const char *text = json_text(policy, key);
    struct err ignored = {0};
    int64_t time;

    if (!text || !*text || date_parse_iso8601(text, &time, &ignored) < 0)
        return TIME_UNKNOWN;
    return time;
}

/* The container's policy of this id among its policies; NULL: none. */
static const json_t *find_policy(const json_t *policies, const char *id)
{
    size_t i;
    const json_t *policy;

    json_array_foreach(policies, i, policy)
    {
        const char *name = json_text(policy, "id");
        if (name && strcmp(name, id) == 0)
            return policy;
    }
    return NULL;
}

/* SAS_FINE, a fault, or -1 when the question could not be answered. */
static int apply_policy(struct azblob_request *r, struct sas *sas, struct call *call)
{
    const char *id = sas_field(sas, "si");
    auto_json json_t *policies = NULL;
    const json_t *policy = NULL;
    struct sas_policy found = {TIME_UNKNOWN, TIME_UNKNOWN, NULL};

    if (!id)
        return SAS_FINE;
    if (azblob_home(r, call) < 0)
        return -1;
    if (r->home.id && r->home.policies) {
        if (json_parse(r->home.policies, strlen(r->home.policies), &policies, &call->err) < 0)
            return err_prefix(&call->err, "policies of container '%s'", r->home.name);
        policy = find_policy(policies, id);
    }
    if (policy) {
        found.starts = time_of(policy, "start");
        found.expires = time_of(policy, "expiry");
        found.permissions = json_text(policy, "permissions");
    }
    return (int)sas_apply_policy(sas, policy ? &found : NULL, &call->err);
}

/* ---- Judging ---- */

static void fill(const struct azblob_request *r, const char *object_id, struct sas_request *ret)
{
    static const char types[] = {
        [AZBLOB_SERVICE] = 's', [AZBLOB_CONTAINER] = 'c', [AZBLOB_BLOB] = 'o', [AZBLOB_WEB] = 'o'};

    *ret = (struct sas_request){
        .resource = {r->account.name, r->target.container, r->target.blob},
        .headers = r->head.headers,
        .now = r->now,
        .client = r->head.peer,
        .secure = r->head.secure,
        .resource_type = types[r->target.which],
        .account_only = r->operation->flags & AZBLOB_ACCOUNT_ONLY,
        .object_id = object_id,
    };
}

/* Each need by itself; what a batch carries is judged part by part. */
static enum sas_fault check(struct azblob_request *r, const struct sas *sas,
                            struct sas_request *question, struct call *call)
{
    struct azblob_needs needs;

    azblob_needs(r, &needs);
    for (size_t i = 0; i < needs.count; i++) {
        question->any_of = needs.list[i].any_of;
        enum sas_fault fault = sas_check(sas, question, &call->err);
        if (fault)
            return fault;
    }
    if ((r->operation->flags & AZBLOB_CREATES) && sas->permissions &&
        !strchr(sas->permissions, 'w'))
        r->create_only = true;
    return SAS_FINE;
}

static int verify(struct azblob_request *r, struct sas *sas, const char *object_id,
                  struct call *call)
{
    cleanup(keys_release) struct keys keys = {0};
    struct sas_request question;
    enum sas_fault fault;
    int got = sas->kind == SAS_DELEGATION ? delegation_key(r, sas, &keys, call)
                                          : account_keys(r, &keys, call);

    if (got < 0)
        return call->err.code == ERR_INVALID && sas->kind == SAS_DELEGATION
                   ? refuse(r, SAS_BAD_SIGNATURE, call)
                   : -1;
    fill(r, object_id, &question);
    fault = sas_verify(sas, &question, keys.pointers, keys.count, &call->err);
    if (fault)
        return refuse(r, fault, call);
    got = apply_policy(r, sas, call);
    if (got)
        return got < 0 ? -1 : refuse(r, (enum sas_fault)got, call);
    fault = check(r, sas, &question, call);
    return fault ? refuse(r, fault, call) : 0;
}

/* Customer keys are not offered: a signature that wants a scope would be served without it. */
static int refuse_scope(struct azblob_request *r, const struct sas *sas, struct call *call)
{
    if (sas_field(sas, "ses"))
        return azblob_fail_query(r, AZBLOB_UNSUPPORTED_QUERY_PARAMETER, "ses",
                                 "Encryption scopes are not offered by this server.", call);
    return 0;
}

int azblob_authorize_sas(struct azblob_request *r, const char *object_id, struct call *call)
{
    auto_sas struct sas sas = SAS_INIT;
    struct policy_principal who = {.kind = POLICY_SAS, .account = r->account.name};

    if (r->operation->flags & AZBLOB_NO_SAS)
        return azblob_fail(r, AZBLOB_AUTHORIZATION_FAILURE, call);
    if (sas_parse(r->head.query, &sas, &call->err) < 0)
        return refuse(r, SAS_BAD_SIGNATURE, call);
    if (verify(r, &sas, object_id, call) < 0 || refuse_scope(r, &sas, call) < 0)
        return -1;
    if (sas.kind == SAS_DELEGATION) {
        replace_string(&r->who.object_id, sas_field(&sas, "skoid"));
        replace_string(&r->who.issuer, sas_field(&sas, "sktid"));
        who = (struct policy_principal){
            .kind = POLICY_TOKEN, .issuer = r->who.issuer, .id = r->who.object_id};
    }
    int allowed = azblob_ask_policy(r, &who, call);
    if (allowed == 0)
        return azblob_fail(r, AZBLOB_AUTHORIZATION_PERMISSION_MISMATCH, call);
    if (allowed < 0)
        return -1;
    r->proof = sas.kind == SAS_ACCOUNT   ? AZBLOB_SAS_ACCOUNT
               : sas.kind == SAS_SERVICE ? AZBLOB_SAS_SERVICE
                                         : AZBLOB_SAS_DELEGATION;
    return 0;
}

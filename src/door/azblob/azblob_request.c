// SPDX-License-Identifier: EUPL-1.2
/* The way of one request through the Azure Blob door: see azblob_private.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "door/azblob/azblob_private.h"
#include "util/random.h"

#define FIRST_VERSION "2009-09-19"
/* A client may ask for less time than an operation takes, not for a thread for ever. */
#define TIMEOUT_MAX (UINT64_C(24) * 3600)

/* A GUID, version 4, in lower case. */
void azblob_guid(char ret[AZBLOB_GUID_SIZE])
{
    static const char variants[] = "89ab";
    char hex[33];

    random_hex(hex, 16);
    (void)snprintf(ret, AZBLOB_GUID_SIZE, "%.8s-%.4s-4%.3s-%c%.3s-%.12s", hex, hex + 8, hex + 13,
                   variants[hex[16] & 3], hex + 17, hex + 20);
}

/* Any date of the right form is a version, however new: SDKs raise it every month. */
static int check_version(struct azblob_request *r, struct call *call)
{
    const char *version = azblob_get(r, "x-ms-version");
    struct err ignored = {0};
    int64_t day;

    if (version &&
        (strlen(version) != strlen(FIRST_VERSION) ||
         date_parse_iso8601(version, &day, &ignored) < 0 || strcmp(version, FIRST_VERSION) < 0))
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-version", call);
    r->version = version;
    return 0;
}

/* What would change the meaning of the body, and is not offered: refused, never ignored. */
static int refuse_not_offered(struct azblob_request *r, struct call *call)
{
    static const char *const headers[] = {"x-ms-encryption-key",
                                          "x-ms-encryption-key-sha256",
                                          "x-ms-encryption-algorithm",
                                          "x-ms-encryption-scope",
                                          "x-ms-source-encryption-key",
                                          "x-ms-source-encryption-key-sha256",
                                          "x-ms-source-encryption-algorithm",
                                          "x-ms-default-encryption-scope",
                                          "x-ms-deny-encryption-scope-override"};

    for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
        if (azblob_get(r, headers[i]))
            return azblob_fail_header(r, AZBLOB_UNSUPPORTED_HEADER, headers[i], call);
    return 0;
}

static int check_length(struct azblob_request *r, struct call *call)
{
    if ((r->operation->flags & AZBLOB_BODY) && r->head.body_length == UINT64_MAX)
        return azblob_fail(r, AZBLOB_MISSING_CONTENT_LENGTH_HEADER, call);
    return 0;
}

/* Snapshots and versions are times: what is none names nothing that could be there. */
static int check_past(struct azblob_request *r, struct call *call)
{
    static const char *const keys[] = {"snapshot", "versionid"};

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *text = azblob_query(r, keys[i]);
        struct err ignored = {0};
        int64_t time;
        if (text && date_parse_iso8601(text, &time, &ignored) < 0)
            return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, keys[i],
                                     "Not a time.", call);
    }
    return 0;
}

static int parse_rest(struct azblob_request *r, struct call *call)
{
    uint64_t seconds = 0;

    if (azblob_query_number(r, "timeout", 0, UINT64_MAX, &seconds, call) < 0)
        return -1;
    r->timeout = (int64_t)(seconds < TIMEOUT_MAX ? seconds : TIMEOUT_MAX) * CLOCK_SECOND;
    if (azblob_place(&r->target, &r->place) < 0)
        return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, "snapshot",
                                 "snapshot and versionid exclude each other.", call);
    if (check_past(r, call) < 0)
        return -1;
    azblob_range(r);
    return azblob_conditions(r, call);
}

int azblob_request_begin(struct azblob_request *r, struct call *call)
{
    enum azblob_code code;

    r->now = r->door->options.now ? r->door->options.now() : clock_wall();
    azblob_guid(r->id);
    r->client_id = azblob_get(r, "x-ms-client-request-id");
    r->is_head = strcmp(r->head.method, "HEAD") == 0;
    r->place = (struct place){0};
    r->conditions = (struct conditions)CONDITIONS_INIT;
    if (azblob_target_parse(r->door, &r->head, &r->target, &code, &call->err) < 0)
        return azblob_fail(r, code, call);
    if (check_version(r, call) < 0)
        return -1;
    r->operation = azblob_route(r, call);
    if (!r->operation)
        return -1;
    if (azblob_authorize(r, call) < 0)
        return -1;
    if (azblob_check_names(r, call) < 0 || refuse_not_offered(r, call) < 0 ||
        check_length(r, call) < 0)
        return -1;
    return parse_rest(r, call);
}

void azblob_request_handle(struct azblob_request *r, struct source *body, struct call *call)
{
    struct source_bytes nothing;
    int64_t deadline = call->deadline;

    source_bytes_init(&nothing, "", 0);
    if (r->timeout) {
        int64_t asked = clock_monotonic() + r->timeout;
        if (!call->deadline || asked < call->deadline)
            call->deadline = asked;
    }
    if (azblob_body_open(r, body ? body : &nothing.source, call) < 0 ||
        r->operation->handler(r, call) < 0)
        azblob_answer_error(r, &call->err);
    assert(r->answered);
    call->deadline = deadline;
    azblob_body_free(r->reader);
    r->reader = NULL;
    r->body = NULL;
}

void azblob_request_release(struct azblob_request *r)
{
    azblob_target_release(&r->target);
    jwt_claims_release(&r->who);
    account_row_release(&r->account);
    container_row_release(&r->home);
    json_decref(r->settings);
    azblob_body_free(r->reader);
    pairs_release(&r->answer);
    pairs_release(&r->error_answer);
    pairs_release(&r->details);
    *r = (struct azblob_request){0};
}

void azblob_request_record(const struct azblob_request *r, struct azblob_record *ret)
{
    static const char *const proofs[] = {
        [AZBLOB_NOBODY] = "none",
        [AZBLOB_ANONYMOUS] = "anonymous",
        [AZBLOB_SHARED_KEY] = "shared_key",
        [AZBLOB_SAS_ACCOUNT] = "sas_account",
        [AZBLOB_SAS_SERVICE] = "sas_service",
        [AZBLOB_SAS_DELEGATION] = "sas_delegation",
        [AZBLOB_BEARER] = "bearer",
    };

    *ret = (struct azblob_record){
        .request_id = r->id,
        .client_request_id = r->client_id,
        .operation = r->operation ? r->operation->name : "Unknown",
        .account = r->target.account,
        .container = r->target.container,
        .blob = r->target.blob,
        .method = r->head.method,
        .peer = r->head.peer,
        .version = r->version,
        .user_agent = azblob_get(r, "User-Agent"),
        .authentication = proofs[r->proof],
        .principal = r->who.object_id,
        .error = r->failure ? r->failure->word : NULL,
        .status = r->status,
        .refused = r->refused,
        .administrative = r->operation && (r->operation->flags & AZBLOB_ADMINISTRATIVE),
        .part = r->depth > 0,
        .began = r->now,
    };
}

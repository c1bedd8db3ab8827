// SPDX-License-Identifier: EUPL-1.2
/* How long and how a blob is kept: tier, expiry, immutability policy, legal hold. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "door/azblob/azblob_blob.h"

/* Here a blob is awake as soon as somebody wants it to be.  In Azure that takes hours, and clients
 * are written to see it under way: so they are told for a while. */
#define WAKING_TIME (5 * CLOCK_SECOND)
#define WAKING      "rehydrate-pending-to-"

int azblob_blob_set_tier(struct azblob_request *r, struct call *call)
{
    const char *priority = azblob_get(r, "x-ms-rehydrate-priority");
    const char *tier;
    bool pending;
    char waking[80], *at = waking;

    int there = azblob_tier(r, &tier, call);
    if (there < 0)
        return -1;
    if (!there)
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName", "x-ms-access-tier",
                                call);
    if (priority && strcasecmp(priority, "High") != 0 && strcasecmp(priority, "Standard") != 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-rehydrate-priority", call);
    (void)snprintf(waking, sizeof(waking), WAKING "%s %s", tier,
                   priority && strcasecmp(priority, "High") == 0 ? "High" : "Standard");
    for (at += strlen(WAKING); *at != ' '; at++)
        *at = (char)tolower((unsigned char)*at);
    if (service_set_tier(azblob_service(r), &r->place, &r->conditions, tier, waking, &pending,
                         call) < 0)
        return -1;
    return azblob_answer(r, pending ? 202 : 200);
}

bool azblob_is_waking(const struct azblob_request *r, const struct object_row *o,
                      char ret_status[AZBLOB_WAKING_SIZE], const char **ret_priority)
{
    if (!o->waking || r->now - o->tier_changed >= WAKING_TIME)
        return false;
    size_t n = strcspn(o->waking, " ");
    (void)snprintf(ret_status, AZBLOB_WAKING_SIZE, "%.*s", (int)n, o->waking);
    *ret_priority = o->waking[n] ? o->waking + n + 1 : "Standard";
    return true;
}

int azblob_blob_set_expiry(struct azblob_request *r, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    int64_t goes_at;

    if (!azblob_get(r, "x-ms-expiry-option"))
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName",
                                "x-ms-expiry-option", call);
    if (service_stat(azblob_service(r), &r->place, NULL, &row, call) < 0 ||
        azblob_expiry(r, row.created, &goes_at, call) < 0 ||
        service_set_expiry(azblob_service(r), &r->place, &r->conditions, goes_at, &row, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    return azblob_answer(r, 200);
}

int azblob_blob_set_immutability(struct azblob_request *r, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    const char *mode;
    int64_t until;

    int there = azblob_immutability(r, &until, &mode, call);
    if (there < 0)
        return -1;
    if (!there)
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName",
                                "x-ms-immutability-policy-until-date", call);
    if (service_set_immutability(azblob_service(r), &r->place, &r->conditions, until, mode, false,
                                 &row, call) < 0)
        return -1;
    azblob_say_time(r, "x-ms-immutability-policy-until-date", row.immutable_until);
    azblob_say(r, "x-ms-immutability-policy-mode", row.immutable_mode);
    return azblob_answer(r, 200);
}

int azblob_blob_delete_immutability(struct azblob_request *r, struct call *call)
{
    if (service_set_immutability(azblob_service(r), &r->place, &r->conditions, TIME_UNKNOWN, NULL,
                                 false, NULL, call) < 0)
        return -1;
    return azblob_answer(r, 200);
}

int azblob_blob_set_legal_hold(struct azblob_request *r, struct call *call)
{
    bool hold;

    int there = azblob_header_bool(r, "x-ms-legal-hold", &hold, call);
    if (there < 0)
        return -1;
    if (!there)
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName", "x-ms-legal-hold",
                                call);
    if (service_set_legal_hold(azblob_service(r), &r->place, hold, NULL, call) < 0)
        return -1;
    azblob_say_bool(r, "x-ms-legal-hold", hold);
    return azblob_answer(r, 200);
}

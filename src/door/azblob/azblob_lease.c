// SPDX-License-Identifier: EUPL-1.2
/* Lease Container and Lease Blob, which say the same: see object/lease.h. */
#include <string.h>
#include <strings.h>

#include "door/azblob/azblob_private.h"

#define SECONDS_MIN 15
#define SECONDS_MAX 60

static const struct {
    const char *word;
    enum lease_action action;
    int status;
} actions[] = {
    {"acquire", LEASE_ACQUIRE, 201}, {"renew", LEASE_RENEW, 200}, {"change", LEASE_CHANGE, 200},
    {"release", LEASE_RELEASE, 200}, {"break", LEASE_BREAK, 202},
};

static int take_action(struct azblob_request *r, size_t *ret, struct call *call)
{
    const char *text = azblob_get(r, "x-ms-lease-action");

    if (!text)
        return azblob_fail_header(r, AZBLOB_MISSING_REQUIRED_HEADER, "x-ms-lease-action", call);
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (strcasecmp(actions[i].word, text) == 0) {
            *ret = i;
            return 0;
        }
    return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-lease-action", call);
}

/* -1, or 15 to 60. */
static int take_duration(struct azblob_request *r, int64_t *ret, struct call *call)
{
    const char *text = azblob_get(r, "x-ms-lease-duration");
    uint64_t seconds = 0;

    if (!text)
        return azblob_fail_header(r, AZBLOB_MISSING_REQUIRED_HEADER, "x-ms-lease-duration", call);
    *ret = -1;
    if (strcmp(text, "-1") == 0)
        return 0;
    if (azblob_header_number(r, "x-ms-lease-duration", SECONDS_MIN, SECONDS_MAX, &seconds, call) <
        0)
        return -1;
    *ret = (int64_t)seconds;
    return 0;
}

static int take_break_period(struct azblob_request *r, int64_t *ret, struct call *call)
{
    uint64_t seconds = 0;
    int there = azblob_header_number(r, "x-ms-lease-break-period", 0, SECONDS_MAX, &seconds, call);

    *ret = there == 1 ? (int64_t)seconds : -1;
    return there < 0 ? -1 : 0;
}

/* The id the action is about: the one held, or for acquire the one wished. */
static int take_ids(struct azblob_request *r, struct lease_request *request, struct call *call)
{
    const char *proposed = NULL, *held = r->conditions.lease;

    if (azblob_header_guid(r, "x-ms-proposed-lease-id", &proposed, call) < 0)
        return -1;
    switch (request->action) {
    case LEASE_ACQUIRE:
        request->id = proposed;
        return 0;
    case LEASE_BREAK:
        return 0;
    case LEASE_CHANGE:
        if (!proposed)
            return azblob_fail_header(r, AZBLOB_MISSING_REQUIRED_HEADER, "x-ms-proposed-lease-id",
                                      call);
        request->proposed = proposed;
        break;
    default:
        break;
    }
    if (!held)
        return azblob_fail_header(r, AZBLOB_MISSING_REQUIRED_HEADER, "x-ms-lease-id", call);
    request->id = held;
    return 0;
}

static int take_seconds(struct azblob_request *r, struct lease_request *request, struct call *call)
{
    if (request->action == LEASE_ACQUIRE)
        return take_duration(r, &request->seconds, call);
    if (request->action == LEASE_BREAK)
        return take_break_period(r, &request->seconds, call);
    return 0;
}

int azblob_lease(struct azblob_request *r, struct call *call)
{
    auto_lease_result struct lease_result result = {0};
    struct lease_request request = {.place = r->place, .conditions = r->conditions};
    size_t which = 0;

    if (take_action(r, &which, call) < 0)
        return -1;
    request.action = actions[which].action;
    /* The id is what the action is about, not a condition. */
    request.conditions.lease = NULL;
    if (take_ids(r, &request, call) < 0 || take_seconds(r, &request, call) < 0)
        return -1;
    if (service_lease(r->door->options.service, &request, &result, call) < 0)
        return -1;
    azblob_say_etag(r, result.etag, result.modified);
    azblob_say(r, "x-ms-lease-id", result.id);
    if (request.action == LEASE_BREAK)
        azblob_sayf(r, "x-ms-lease-time", "%lld", (long long)result.remaining);
    return azblob_answer(r, actions[which].status);
}

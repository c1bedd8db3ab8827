// SPDX-License-Identifier: EUPL-1.2
/* What each lease action does in each state: see lease_state.h. */
#include "object/lease_state.h"

#include <strings.h>

#include "object/object_private.h"
#include "util/random.h"

#define FIXED_MIN  15
#define FIXED_MAX  60
#define PERIOD_MAX 60

void lease_release(struct lease *l)
{
    free(l->id);
    l->id = NULL;
}

enum lease_word lease_word_at(int64_t state, int64_t until, int64_t now)
{
    bool over = until != TIME_UNKNOWN && until <= now;

    switch (state) {
    case LEASE_TAKEN:
        return over ? LEASE_WORD_EXPIRED : LEASE_WORD_LEASED;
    case LEASE_BREAKING:
        return over ? LEASE_WORD_BROKEN : LEASE_WORD_BREAKING;
    case LEASE_BROKEN:
        return LEASE_WORD_BROKEN;
    default:
        return LEASE_WORD_AVAILABLE;
    }
}

void lease_words(int64_t state, int64_t seconds, int64_t until, int64_t now, const char **ret_state,
                 const char **ret_status, const char **ret_duration)
{
    static const char *const words[] = {
        [LEASE_WORD_AVAILABLE] = "available", [LEASE_WORD_LEASED] = "leased",
        [LEASE_WORD_BREAKING] = "breaking",   [LEASE_WORD_BROKEN] = "broken",
        [LEASE_WORD_EXPIRED] = "expired",
    };
    enum lease_word word = lease_word_at(state, until, now);

    *ret_state = words[word];
    *ret_status = word == LEASE_WORD_LEASED || word == LEASE_WORD_BREAKING ? "locked" : "unlocked";
    *ret_duration = word != LEASE_WORD_LEASED ? NULL : seconds < 0 ? "infinite" : "fixed";
}

static bool same_id(const char *a, const char *b)
{
    return a && b && strcasecmp(a, b) == 0;
}

static void set(struct lease *l, const char *id, enum lease_state state, int64_t seconds,
                int64_t until)
{
    auto_free char *copy = xstrdup_null(id); /* id may be l's own */

    replace_string(&l->id, copy);
    l->state = state;
    l->seconds = seconds;
    l->until = until;
}

static void set_taken(struct lease *l, const char *id, int64_t seconds, int64_t now)
{
    set(l, id, LEASE_TAKEN, seconds, seconds < 0 ? TIME_UNKNOWN : now + seconds * CLOCK_SECOND);
}

/* A random GUID (RFC 9562, version 4). */
static void fresh_id(char text[37])
{
    static const char variants[] = "89ab";
    char hex[33];

    random_hex(hex, 16);
    hex[12] = '4';
    hex[16] = variants[random_below(4)];
    size_t at = 0;
    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            text[at++] = '-';
        text[at++] = hex[i];
    }
    text[at] = '\0';
}

static int mismatch(const char *name, struct err *e)
{
    return fault_set(e, FAULT_LEASE_ID_LEASE, "the lease of '%s' has another id", name);
}

static int acquire(struct lease *l, enum lease_word word, const struct lease_request *r,
                   const char *name, int64_t now, struct err *e)
{
    bool held = word == LEASE_WORD_LEASED || word == LEASE_WORD_BREAKING;
    char id[37];

    if (r->seconds != -1 && (r->seconds < FIXED_MIN || r->seconds > FIXED_MAX))
        return fault_set(e, FAULT_ARGUMENT, "a lease lasts %d to %d seconds, or for ever",
                         FIXED_MIN, FIXED_MAX);
    if (held && !same_id(l->id, r->id))
        return fault_set(e, FAULT_LEASE_PRESENT, "'%s' is leased already", name);
    if (word == LEASE_WORD_BREAKING)
        return fault_set(e, FAULT_LEASE_BREAKING_ACQUIRE,
                         "the lease of '%s' is being broken: it cannot be acquired before it is",
                         name);
    fresh_id(id);
    set_taken(l, r->id ? r->id : id, r->seconds, now);
    return 0;
}

static int renew(struct lease *l, enum lease_word word, const struct lease_request *r,
                 const char *name, int64_t now, struct err *e)
{
    if (word == LEASE_WORD_AVAILABLE || !same_id(l->id, r->id))
        return mismatch(name, e);
    if (word == LEASE_WORD_BREAKING || word == LEASE_WORD_BROKEN)
        return fault_set(e, FAULT_LEASE_BROKEN_RENEW,
                         "the lease of '%s' has been broken and cannot be renewed", name);
    set_taken(l, l->id, l->seconds, now);
    return 0;
}

static int change(struct lease *l, enum lease_word word, const struct lease_request *r,
                  const char *name, struct err *e)
{
    if (word != LEASE_WORD_LEASED && word != LEASE_WORD_BREAKING)
        return fault_set(e, FAULT_LEASE_ABSENT_LEASE, "'%s' is not leased", name);
    /* Changing to what it is already: the first answer may have been lost on its way. */
    bool done = word == LEASE_WORD_LEASED && same_id(l->id, r->proposed);
    if (!done && !same_id(l->id, r->id))
        return mismatch(name, e);
    if (word == LEASE_WORD_BREAKING)
        return fault_set(e, FAULT_LEASE_BREAKING_CHANGE,
                         "the lease of '%s' is being broken and cannot be changed", name);
    if (!r->proposed)
        return fault_set(e, FAULT_ARGUMENT, "the new id of the lease of '%s' is missing", name);
    set(l, r->proposed, LEASE_TAKEN, l->seconds, l->until);
    return 0;
}

static int release(struct lease *l, enum lease_word word, const struct lease_request *r,
                   const char *name, struct err *e)
{
    if (word == LEASE_WORD_AVAILABLE || !same_id(l->id, r->id))
        return mismatch(name, e);
    set(l, NULL, LEASE_NONE, 0, TIME_UNKNOWN);
    return 0;
}

/* A period asked for never makes what is left longer. */
static int break_lease(struct lease *l, enum lease_word word, const struct lease_request *r,
                       const char *name, int64_t now, struct err *e)
{
    bool held = word == LEASE_WORD_LEASED || word == LEASE_WORD_BREAKING;
    int64_t end = now;

    if (r->seconds < -1 || r->seconds > PERIOD_MAX)
        return fault_set(e, FAULT_ARGUMENT, "a break period is 0 to %d seconds", PERIOD_MAX);
    if (word == LEASE_WORD_AVAILABLE)
        return fault_set(e, FAULT_LEASE_ABSENT_LEASE, "'%s' is not leased", name);
    if (held && r->seconds < 0)
        end = l->until == TIME_UNKNOWN ? now : l->until;
    else if (held) {
        end = now + r->seconds * CLOCK_SECOND;
        if (l->until != TIME_UNKNOWN && l->until < end)
            end = l->until;
    }
    if (end > now)
        set(l, l->id, LEASE_BREAKING, 0, end);
    else
        set(l, l->id, LEASE_BROKEN, 0, TIME_UNKNOWN);
    return 0;
}

int lease_apply(struct lease *l, const struct lease_request *request, const char *name, int64_t now,
                int64_t *ret_remaining, struct err *e)
{
    enum lease_word word = lease_word_at(l->state, l->until, now);
    int done = -1;

    switch (request->action) {
    case LEASE_ACQUIRE:
        done = acquire(l, word, request, name, now, e);
        break;
    case LEASE_RENEW:
        done = renew(l, word, request, name, now, e);
        break;
    case LEASE_CHANGE:
        done = change(l, word, request, name, e);
        break;
    case LEASE_RELEASE:
        done = release(l, word, request, name, e);
        break;
    case LEASE_BREAK:
        done = break_lease(l, word, request, name, now, e);
        break;
    }
    if (done == 0)
        *ret_remaining =
            l->state == LEASE_BREAKING ? (l->until - now + CLOCK_SECOND - 1) / CLOCK_SECOND : 0;
    return done;
}

int lease_permits(const struct lease *l, const char *id, bool write, const char *name, int64_t now,
                  struct err *e)
{
    enum lease_word word = lease_word_at(l->state, l->until, now);
    bool held = word == LEASE_WORD_LEASED || word == LEASE_WORD_BREAKING;

    if (!id)
        return held && write ? fault_set(e, FAULT_LEASE_ID_MISSING,
                                         "'%s' is leased, and the request names no lease", name)
                             : 0;
    if (word == LEASE_WORD_AVAILABLE)
        return fault_set(e, FAULT_LEASE_ABSENT_OPERATION, "'%s' is not leased", name);
    if (!same_id(l->id, id))
        return fault_set(e, FAULT_LEASE_ID_OPERATION, "the lease of '%s' has another id", name);
    return held ? 0
                : fault_set(e, FAULT_LEASE_LOST, "the lease of '%s' that the request names is over",
                            name);
}

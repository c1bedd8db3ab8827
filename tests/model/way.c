// SPDX-License-Identifier: EUPL-1.2
/* The table of ways, the first of them, and how what is seen is judged: see way.h. */
#include "way.h"

#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"

/* ---- The service itself ---- */

static bool service_has(const struct reference *reference, const struct step *s)
{
    (void)reference;
    (void)s;
    return true;
}

static void service_act(struct real *r, const struct reference *reference, const struct step *s,
                        struct outcome *ret)
{
    enum fault fault = real_do(r, reference, s, &ret->made);

    if (fault != FAULT_NONE)
        (void)snprintf(ret->said, sizeof(ret->said), "%s",
                       fault == FAULT_COUNT ? "failed" : fault_word(fault));
    (void)snprintf(ret->words, sizeof(ret->words), "%.300s", r->call.err.text);
}

static const char *service_says(const struct step *s, enum fault fault)
{
    (void)s;
    return fault_word(fault);
}

static bool service_sees(const struct ref_past *past)
{
    (void)past;
    return true;
}

const struct way way_service = {"the service", service_has, service_act, service_says,
                                service_sees,  real_look,   real_count};

const struct way *const ways[WAY_COUNT] = {
    [WAY_SERVICE] = &way_service, [WAY_AZURE] = &way_azure, [WAY_S3] = &way_s3};

/* ---- Judging ---- */

static bool is_md5(const char *etag, const struct ref_body *body)
{
    char hex[HASH_HEX_SIZE];

    hash_hex(HASH_MD5, body->bytes, body->size, hex);
    return strcmp(etag, hex) == 0;
}

static char shown(char value)
{
    return value ? value : '-';
}

static bool is_same(enum way_kind way, const struct seen *s, const struct ref_body *e,
                    char why[300])
{
    bool low = e->lowered || way == WAY_S3;

    if (s->bytes.length != e->size)
        (void)snprintf(why, 300, "%zu bytes, not %zu", s->bytes.length, e->size);
    else if (memcmp(s->bytes.data, e->bytes, e->size) != 0)
        (void)snprintf(why, 300, "other bytes");
    else if (s->type >= 0 && (s->type != (int)e->type || s->sealed != e->sealed))
        (void)snprintf(why, 300, "another type, or sealed");
    else if (s->content != e->content)
        (void)snprintf(why, 300, "content type %c, not %c", shown(s->content), shown(e->content));
    else if (s->metadata != (low ? 0 : e->metadata) || s->metadata_low != (low ? e->metadata : 0))
        (void)snprintf(why, 300, "metadata %c, lowered %c, not %s%c", shown(s->metadata),
                       shown(s->metadata_low), low ? "lowered " : "", shown(e->metadata));
    else if (s->tags != (e->tag != 0) || (s->tag && s->tag != e->tag))
        (void)snprintf(why, 300, "%d tags, %c, not %c", s->tags, shown(s->tag), shown(e->tag));
    else if (way == WAY_S3 && !strchr(s->etag, '-') && !is_md5(s->etag, e))
        (void)snprintf(why, 300, "ETag %s is the MD5 of other bytes", s->etag);
    else
        return true;
    return false;
}

bool way_agrees(enum way_kind way, struct real *r, int name, const struct ref_past *past,
                const struct ref_body *expected, char ret_etag[ETAG_LEN], char why[300])
{
    struct seen seen = SEEN_INIT;
    struct step look = {.kind = STEP_KIND_COUNT, .way = way};
    enum fault missing = past ? FAULT_IS_MARKER : FAULT_OBJECT_MISSING;
    bool agrees;

    ways[way]->look(r, name, past, &seen);
    if (expected)
        agrees = !*seen.said && is_same(way, &seen, expected, why);
    else
        agrees = strcmp(seen.said, ways[way]->says(&look, missing)) == 0;
    if (*seen.said || !expected)
        (void)snprintf(why, 300, "%s", *seen.said ? seen.said : "is there and should not be");
    (void)snprintf(ret_etag, ETAG_LEN, "%s", seen.etag);
    buf_release(&seen.bytes);
    return agrees;
}

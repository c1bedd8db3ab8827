// SPDX-License-Identifier: EUPL-1.2
/* The steps of the model as requests at Azure's door: see way.h. */
#include <stdio.h>
#include <string.h>

#include "codec/url.h"
#include "doors.h"
#include "way.h"

/* What a request is made of. */
struct asking {
    struct errand *errand;
    const struct reference *reference;
    const struct step *step;
    char bytes[BODY_MAX];
};

static void body(struct asking *a, size_t length)
{
    memset(a->bytes, a->step->fill, sizeof(a->bytes));
    errand_body(a->errand, a->bytes, length);
}

/* What a body that comes whole says of itself. */
static void describe(struct asking *a)
{
    char fill = a->step->fill;

    errand_header(a->errand, "x-ms-blob-content-type", "text/%c", fill);
    errand_header(a->errand, "x-ms-meta-" MODEL_KEY, "%c", fill);
    errand_header(a->errand, "x-ms-tags", "t=%c", fill);
}

static void ask_put(struct asking *a)
{
    errand_header(a->errand, "x-ms-blob-type", "BlockBlob");
    describe(a);
    body(a, a->step->length);
}

static void ask_make_append(struct asking *a)
{
    errand_header(a->errand, "x-ms-blob-type", "AppendBlob");
}

static void ask_make_pages(struct asking *a)
{
    errand_header(a->errand, "x-ms-blob-type", "PageBlob");
    errand_header(a->errand, "x-ms-blob-content-length", "%u", a->step->length * PAGE);
}

static void ask_append(struct asking *a)
{
    errand_header(a->errand, "x-ms-blob-condition-maxsize", "%d", BODY_MAX);
    body(a, a->step->length);
}

static void ask_write_pages(struct asking *a)
{
    const struct step *s = a->step;

    errand_header(a->errand, "x-ms-page-write", s->fill ? "update" : "clear");
    errand_header(a->errand, "x-ms-range", "bytes=%u-%u", s->offset * PAGE,
                  (s->offset + s->length) * PAGE - 1);
    if (s->fill)
        body(a, (size_t)s->length * PAGE);
}

static void ask_resize(struct asking *a)
{
    errand_header(a->errand, "x-ms-blob-content-length", "%u", a->step->length * PAGE);
}

/* "snapshot=..." or "versionid=...", heap; NULL for the current one. */
static char *query_of(const struct ref_past *past)
{
    auto_buf struct buf query = BUF_INIT(256);

    if (!past)
        return NULL;
    query_add(&query, past->kind == PAST_SNAPSHOT ? "snapshot" : "versionid", past->version);
    return buf_take(&query);
}

static void ask_copy(struct asking *a)
{
    const struct ref_object *from = &a->reference->objects[a->step->other];
    auto_free char *query = query_of(reference_past(from, a->step->past));
    auto_free char *path = door_path(WAY_AZURE, real_name(a->step->other));
    size_t host = strcspn(a->errand->request.url + strlen("http://"), "/") + strlen("http://");

    errand_header(a->errand, "x-ms-copy-source", "%.*s%s%s%s", (int)host, a->errand->request.url,
                  path, query ? "?" : "", query ? query : "");
}

static void ask_delete(struct asking *a)
{
    if (a->step->with_snapshots)
        errand_header(a->errand, "x-ms-delete-snapshots", "include");
}

static void ask_metadata(struct asking *a)
{
    errand_header(a->errand, "x-ms-meta-" MODEL_KEY, "%c", a->step->fill);
}

static void ask_tags(struct asking *a)
{
    errand_text(a->errand, xasprintf("<?xml version=\"1.0\" encoding=\"utf-8\"?><Tags><TagSet><Tag>"
                                     "<Key>t</Key><Value>%c</Value></Tag></TagSet></Tags>",
                                     a->step->fill));
}

static void ask_stage(struct asking *a)
{
    body(a, a->step->length);
}

static void ask_commit(struct asking *a)
{
    auto_buf struct buf list = BUF_INIT(1024);
    char id[8];

    buf_text(&list, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for (unsigned i = BLOCKS; i-- > 0;) {
        if (!(a->step->length & (1U << i)))
            continue;
        real_block_id(id, i);
        buf_printf(&list, "<Uncommitted>%s</Uncommitted>", id);
    }
    buf_text(&list, "</BlockList>");
    describe(a);
    errand_text(a->errand, buf_take(&list));
}

static void ask_lease(struct asking *a)
{
    bool acquire = a->step->kind == STEP_ACQUIRE;

    errand_header(a->errand, "x-ms-lease-action", acquire ? "acquire" : "release");
    errand_header(a->errand, acquire ? "x-ms-proposed-lease-id" : "x-ms-lease-id", REAL_LEASE);
    if (acquire)
        errand_header(a->errand, "x-ms-lease-duration", "-1");
}

static const struct {
    const char *method;
    const char *query;
    void (*ask)(struct asking *a); /* NULL: nothing more is to be said */
} requests[STEP_KIND_COUNT] = {
    [STEP_PUT] = {"PUT", NULL, ask_put},
    [STEP_MAKE_APPEND] = {"PUT", NULL, ask_make_append},
    [STEP_MAKE_PAGES] = {"PUT", NULL, ask_make_pages},
    [STEP_APPEND] = {"PUT", "comp=appendblock", ask_append},
    [STEP_SEAL] = {"PUT", "comp=seal", NULL},
    [STEP_WRITE_PAGES] = {"PUT", "comp=page", ask_write_pages},
    [STEP_RESIZE] = {"PUT", "comp=properties", ask_resize},
    [STEP_SNAPSHOT] = {"PUT", "comp=snapshot", NULL},
    [STEP_COPY] = {"PUT", NULL, ask_copy},
    [STEP_DELETE] = {"DELETE", NULL, ask_delete},
    [STEP_DELETE_PAST] = {"DELETE", NULL, NULL},
    [STEP_METADATA] = {"PUT", "comp=metadata", ask_metadata},
    [STEP_TAGS] = {"PUT", "comp=tags", ask_tags},
    [STEP_STAGE] = {"PUT", "comp=block", ask_stage},
    [STEP_COMMIT] = {"PUT", "comp=blocklist", ask_commit},
    [STEP_ACQUIRE] = {"PUT", "comp=lease", ask_lease},
    [STEP_RELEASE] = {"PUT", "comp=lease", ask_lease},
};

static bool azure_has(const struct reference *reference, const struct step *s)
{
    if (s->kind == STEP_DELETE_PAST && !reference_past(&reference->objects[s->name], s->past))
        return false;
    return requests[s->kind].method;
}

/* The query of the table, or what the step itself says; heap. */
static char *query_for(const struct reference *reference, const struct step *s)
{
    char id[8];

    if (s->kind == STEP_DELETE_PAST)
        return query_of(reference_past(&reference->objects[s->name], s->past));
    if (s->kind != STEP_STAGE)
        return xstrdup_null(requests[s->kind].query);
    real_block_id(id, s->offset % BLOCKS);
    return xasprintf("%s&blockid=%s", requests[s->kind].query, id);
}

/* Only what the others mean by it, too. */
static bool takes_lease(const struct step *s)
{
    return s->with_lease && s->kind != STEP_RELEASE && s->kind != STEP_ACQUIRE &&
           s->kind != STEP_SNAPSHOT && s->kind != STEP_DELETE_PAST;
}

static void azure_act(struct real *r, const struct reference *reference, const struct step *s,
                      struct outcome *ret)
{
    auto_errand struct errand e;
    auto_free char *query = query_for(reference, s);
    struct asking asking = {.errand = &e, .reference = reference, .step = s};
    bool snapshot = s->kind == STEP_SNAPSHOT;

    errand_init(&e, r->doors, WAY_AZURE, requests[s->kind].method, real_name(s->name), query);
    errand_conditions(&e, reference, s);
    if (takes_lease(s))
        errand_header(&e, "x-ms-lease-id", REAL_LEASE);
    if (requests[s->kind].ask)
        requests[s->kind].ask(&asking);
    errand_run(&e);
    (void)snprintf(ret->said, sizeof(ret->said), "%s", e.said);
    (void)snprintf(ret->words, sizeof(ret->words), "%.390s", e.response.error_body.data);
    (void)snprintf(ret->made.version, VERSION_LEN, "%s",
                   errand_answer(&e, snapshot ? "x-ms-snapshot" : "x-ms-version-id"));
    (void)snprintf(ret->made.current, VERSION_LEN, "%s", errand_answer(&e, "x-ms-version-id"));
}

static const char *azure_says(const struct step *s, enum fault fault)
{
    static const char *const words[FAULT_COUNT] = {
        [FAULT_OBJECT_MISSING] = "404 BlobNotFound",
        [FAULT_IS_MARKER] = "404 BlobNotFound",
        [FAULT_OBJECT_EXISTS] = "409 BlobAlreadyExists",
        [FAULT_CONDITION] = "412 ConditionNotMet",
        [FAULT_TYPE] = "409 InvalidBlobType",
        [FAULT_SNAPSHOTS_PRESENT] = "409 SnapshotsPresent",
        [FAULT_LEASE_ID_MISSING] = "412 LeaseIdMissing",
        [FAULT_LEASE_ID_LEASE] = "409 LeaseIdMismatchWithLeaseOperation",
        [FAULT_LEASE_ABSENT_OPERATION] = "412 LeaseNotPresentWithBlobOperation",
        [FAULT_SIZE_CONDITION] = "412 MaxBlobSizeConditionNotMet",
        [FAULT_SEALED] = "409 BlobIsSealed",
        [FAULT_PAGE_RANGE] = "416 InvalidPageRange",
        [FAULT_BLOCK_LIST] = "400 InvalidBlockList",
    };

    if (s->kind == STEP_COPY && (fault == FAULT_OBJECT_MISSING || fault == FAULT_IS_MARKER))
        return "404 CannotVerifyCopySource";
    return words[fault] ? words[fault] : "";
}

static bool azure_sees(const struct ref_past *past)
{
    (void)past;
    return true;
}

static void azure_look(struct real *r, int name, const struct ref_past *past, struct seen *ret)
{
    static const char *const types[] = {
        [OBJECT_BLOCK] = "BlockBlob", [OBJECT_APPEND] = "AppendBlob", [OBJECT_PAGE] = "PageBlob"};
    auto_errand struct errand e;
    auto_free char *query = query_of(past);

    errand_init(&e, r->doors, WAY_AZURE, "GET", real_name(name), query);
    errand_run(&e);
    (void)snprintf(ret->said, sizeof(ret->said), "%s", e.said);
    buf_bytes(&ret->bytes, e.bytes.data, e.bytes.length);
    errand_look(&e, "x-ms-meta-", ret);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (types[i] && strcmp(errand_answer(&e, "x-ms-blob-type"), types[i]) == 0)
            ret->type = (int)i;
    ret->sealed = strcmp(errand_answer(&e, "x-ms-blob-sealed"), "true") == 0;
    ret->tags = errand_number(&e, "x-ms-tag-count");
}

static size_t azure_count(struct real *r)
{
    auto_errand struct errand e;

    errand_init(&e, r->doors, WAY_AZURE, "GET", NULL,
                "restype=container&comp=list&include=snapshots,versions");
    errand_run(&e);
    return errand_occurrences(&e, "<Blob>");
}

const struct way way_azure = {"Azure's door", azure_has,  azure_act,  azure_says,
                              azure_sees,     azure_look, azure_count};

// SPDX-License-Identifier: EUPL-1.2
/* The steps of the model, done by the real service: see service_steps.h. */
#include "service_steps.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "object/block.h"
#include "object/container.h"
#include "object/copy.h"
#include "object/lease.h"
#include "object/list.h"
#include "object/ranges.h"
#include "object/read.h"
#include "store/driver/file.h"

#define LEASE_ID "aaaaaaaa-0000-4000-8000-000000000000"

static void must(int done, struct real *r)
{
    if (done < 0) {
        (void)fprintf(stderr, "%s\n", r->call.err.text);
        abort();
    }
}

/* ---- Opening and closing ---- */

static int add_account(struct db *db, void *argument, struct call *call)
{
    struct account_row row = account_row_new();

    row.name = (char *)"acct";
    row.settings = argument;
    return row_put(db, &account_table, &row, call);
}

static void start(struct real *r)
{
    struct service_store stores[] = {{.name = "vault", .store = r->store, .container = "bodies"}};
    struct service_options options = {.stores = stores, .store_count = 1};

    r->service = service_new(&options);
    struct index_options index = {.before_commit = service_before_commit,
                                  .before_commit_argument = r->service};
    must(index_open(r->url, &index, &r->index, &r->call), r);
    must(service_start(r->service, r->index, &r->call), r);
}

static void stop(struct real *r)
{
    index_close(r->index);
    service_free(r->service);
}

static void sql(struct real *r, const char *url, const char *text)
{
    struct db *db = NULL;

    must(db_open(url, NULL, &db, &r->call), r);
    must(db_exec(db, text, &r->call), r);
    db_close(db);
}

void real_open(struct real *r, bool versioning)
{
    const char *folder = getenv("TMPDIR"), *postgres = getenv("BASCULE_POSTGRES_URL");

    *r = (struct real){0};
    (void)snprintf(r->path, sizeof(r->path), "%s/bascule-model-XXXXXX", folder ? folder : "/tmp");
    if (!mkdtemp(r->path))
        abort();
    if (postgres) {
        r->schema = xasprintf("model_%ld", (long)getpid());
        auto_free char *create = xasprintf("CREATE SCHEMA %s", r->schema);
        sql(r, postgres, create);
        r->url = xasprintf("%s%soptions=-csearch_path%%3D%s", postgres,
                           strchr(postgres, '?') ? "&" : "?", r->schema);
    } else {
        r->url = xasprintf("sqlite:%s/index.db", r->path);
    }
    must(file_store_open(r->path, "vault", &r->store, &r->call), r);
    start(r);
    must(index_write(r->index, INDEX_DURABLE, add_account,
                     (void *)(versioning ? "{\"versioning\":true}" : "{}"), &r->call),
         r);
    must(service_container_create(r->service, "acct", "c", NULL, NULL, &r->call), r);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

void real_close(struct real *r)
{
    stop(r);
    store_close(r->store);
    if (r->schema) {
        auto_free char *drop = xasprintf("DROP SCHEMA %s CASCADE", r->schema);
        sql(r, getenv("BASCULE_POSTGRES_URL"), drop);
    }
    (void)nftw(r->path, remove_one, 20, FTW_DEPTH | FTW_PHYS);
    free(r->url);
    free(r->schema);
}

void real_join(struct real *r, const struct real *first)
{
    *r = *first;
    r->call = (struct call)CALL_INIT;
    if (first->schema)
        start(r);
}

void real_leave(struct real *r, const struct real *first)
{
    if (r->service != first->service)
        stop(r);
}

void real_restart(struct real *r)
{
    stop(r);
    start(r);
}

/* ---- Steps ---- */

/* What every step has at hand. */
struct doing {
    struct real *real;
    const struct step *step;
    struct place place;
    struct conditions conditions;
    struct source_bytes body;
    struct object_row row; /* what it made */
    char bytes[BODY_MAX];
};

const char *real_name(int name)
{
    static const char *const names[NAMES] = {"a", "b/c", "b/d", "e\xC3\xA9"};

    return names[name];
}

static struct place place_of(int name, const struct ref_past *past)
{
    struct place place = {.account = "acct", .container = "c", .name = real_name(name)};

    if (past) {
        place.kind = past->snapshot ? VERSION_SNAPSHOT : VERSION_ID;
        place.version = past->version;
    }
    return place;
}

static int do_put(struct doing *d)
{
    const struct step *s = d->step;
    struct put_request request = {.place = d->place, .conditions = d->conditions};

    if (s->kind == STEP_PUT) {
        request.body = &d->body.source;
        request.size = s->length;
    } else if (s->kind == STEP_MAKE_APPEND) {
        request.type = OBJECT_APPEND;
    } else {
        request.type = OBJECT_PAGE;
        request.page_size = (uint64_t)s->length * PAGE;
    }
    return service_put(d->real->service, &request, &d->row, NULL, &d->real->call);
}

static int do_append(struct doing *d)
{
    struct append_request request = {.place = d->place,
                                     .conditions = d->conditions,
                                     .body = &d->body.source,
                                     .size = d->step->length,
                                     .has_size_max = true,
                                     .size_max = BODY_MAX};
    uint64_t offset;

    if (d->step->kind == STEP_SEAL)
        return service_seal(d->real->service, &d->place, &d->conditions, false, 0, NULL,
                            &d->real->call);
    return service_append(d->real->service, &request, &offset, NULL, NULL, &d->real->call);
}

static int do_pages(struct doing *d)
{
    const struct step *s = d->step;
    struct page_request request = {.place = d->place,
                                   .conditions = d->conditions,
                                   .offset = (uint64_t)s->offset * PAGE,
                                   .length = (uint64_t)s->length * PAGE,
                                   .body = s->fill ? &d->body.source : NULL,
                                   .sequence_at_most = -1,
                                   .sequence_below = -1,
                                   .sequence_equal = -1};

    if (s->kind == STEP_RESIZE)
        return service_set_pages(d->real->service, &d->place, &d->conditions, request.length,
                                 SEQUENCE_KEEP, 0, NULL, &d->real->call);
    source_bytes_init(&d->body, d->bytes, (size_t)request.length);
    return service_write_pages(d->real->service, &request, NULL, NULL, &d->real->call);
}

static int do_copy(struct doing *d, const struct reference *reference)
{
    const struct ref_object *from = &reference->objects[d->step->other];
    struct copy_request request = {
        .from = place_of(d->step->other, reference_past(from, d->step->past)),
        .from_conditions = CONDITIONS_INIT,
        .to = d->place,
        .conditions = d->conditions,
        .keep_metadata = true};

    return service_copy(d->real->service, &request, &d->row, &d->real->call);
}

static int do_delete(struct doing *d, const struct reference *reference)
{
    const struct ref_past *past = reference_past(&reference->objects[d->step->name], d->step->past);
    auto_delete_result struct delete_result result = {0};
    struct delete_request request = {.place = d->place,
                                     .conditions = d->conditions,
                                     .snapshots =
                                         d->step->with_snapshots ? DELETE_INCLUDE : DELETE_REFUSE};

    if (d->step->kind == STEP_DELETE_PAST) {
        if (!past)
            return 0;
        request.place = place_of(d->step->name, past);
        request.conditions = (struct conditions)CONDITIONS_INIT;
    }
    return service_delete(d->real->service, &request, &result, &d->real->call);
}

static void block_id(char text[8], unsigned block)
{
    (void)snprintf(text, 8, "AA%02u", block);
}

static int do_stage(struct doing *d)
{
    char id[8];
    struct stage_request request = {.place = d->place,
                                    .conditions = d->conditions,
                                    .upload = "",
                                    .block = id,
                                    .body = &d->body.source,
                                    .size = d->step->length};

    block_id(id, d->step->offset % BLOCKS);
    return service_stage(d->real->service, &request, NULL, &d->real->call);
}

static int do_commit(struct doing *d)
{
    char ids[BLOCKS][8];
    struct block_choice choices[BLOCKS];
    struct commit_request request = {
        .place = d->place, .conditions = d->conditions, .upload = "", .blocks = choices};

    for (unsigned i = BLOCKS; i-- > 0;) {
        if (!(d->step->length & (1U << i)))
            continue;
        block_id(ids[i], i);
        choices[request.count++] = (struct block_choice){ids[i], BLOCK_UNCOMMITTED, NULL};
    }
    return service_commit(d->real->service, &request, &d->row, &d->real->call);
}

static int do_lease(struct doing *d)
{
    auto_lease_result struct lease_result result = {0};
    struct lease_request request = {.place = d->place,
                                    .conditions = CONDITIONS_INIT,
                                    .action = d->step->kind == STEP_ACQUIRE ? LEASE_ACQUIRE
                                                                            : LEASE_RELEASE,
                                    .id = LEASE_ID,
                                    .seconds = -1};

    return service_lease(d->real->service, &request, &result, &d->real->call);
}

static int do_snapshot(struct doing *d)
{
    struct conditions none = CONDITIONS_INIT;

    return service_snapshot(d->real->service, &d->place, &none, NULL, &d->row, &d->real->call);
}

static int do_metadata(struct doing *d)
{
    auto_free char *text = xasprintf("[[\"m\",\"%c\"]]", d->step->fill);

    return service_set_metadata(d->real->service, &d->place, &d->conditions, text, &d->row,
                                &d->real->call);
}

static int do_one(struct doing *d, const struct reference *reference)
{
    switch (d->step->kind) {
    case STEP_PUT:
    case STEP_MAKE_APPEND:
    case STEP_MAKE_PAGES:
        return do_put(d);
    case STEP_APPEND:
    case STEP_SEAL:
        return do_append(d);
    case STEP_WRITE_PAGES:
    case STEP_RESIZE:
        return do_pages(d);
    case STEP_SNAPSHOT:
        return do_snapshot(d);
    case STEP_COPY:
        return do_copy(d, reference);
    case STEP_DELETE:
    case STEP_DELETE_PAST:
        return do_delete(d, reference);
    case STEP_METADATA:
        return do_metadata(d);
    case STEP_STAGE:
        return do_stage(d);
    case STEP_COMMIT:
        return do_commit(d);
    case STEP_ACQUIRE:
    case STEP_RELEASE:
        return do_lease(d);
    case STEP_SWEEP:
        return service_sweep(d->real->service, NULL, &d->real->call);
    default:
        real_restart(d->real);
        return 0;
    }
}

enum fault real_do(struct real *r, const struct reference *reference, const struct step *s,
                   char ret_version[VERSION_LEN])
{
    struct doing d = {.real = r,
                      .step = s,
                      .place = place_of(s->name, NULL),
                      .conditions = CONDITIONS_INIT,
                      .row = object_row_new()};

    err_clear(&r->call.err);
    memset(d.bytes, s->fill, sizeof(d.bytes));
    source_bytes_init(&d.body, d.bytes, s->length);
    d.conditions.if_none_match = s->if_absent ? "*" : NULL;
    d.conditions.lease = s->with_lease ? LEASE_ID : NULL;
    int done = do_one(&d, reference);
    (void)snprintf(ret_version, VERSION_LEN, "%s", d.row.version ? d.row.version : "");
    object_row_release(&d.row);
    if (done == 0)
        return FAULT_NONE;
    return r->call.err.fault ? (enum fault)r->call.err.fault : FAULT_COUNT;
}

/* ---- Looking ---- */

static bool is_same(const struct object_row *row, const struct buf *got,
                    const struct ref_body *expected, char why[300])
{
    char metadata[20] = "";

    if (expected->metadata)
        (void)snprintf(metadata, sizeof(metadata), "[[\"m\",\"%c\"]]", expected->metadata);
    if (got->length != expected->size || row->size != (int64_t)expected->size)
        (void)snprintf(why, 300, "%zu bytes, not %zu", got->length, expected->size);
    else if (memcmp(got->data, expected->bytes, expected->size) != 0)
        (void)snprintf(why, 300, "other bytes");
    else if (row->type != (int64_t)expected->type || row->sealed != expected->sealed)
        (void)snprintf(why, 300, "another type, or sealed");
    else if (strcmp(row->metadata ? row->metadata : "", metadata) != 0)
        (void)snprintf(why, 300, "metadata %s, not %s", row->metadata, metadata);
    else
        return true;
    return false;
}

bool real_holds(struct real *r, int name, const struct ref_past *past,
                const struct ref_body *expected, char why[300])
{
    auto_reading struct reading reading = {.object = object_row_new()};
    auto_buf struct buf got = BUF_INIT(BODY_MAX * 4);
    struct sink_buf sink;
    struct place place = place_of(name, past);

    err_clear(&r->call.err);
    sink_buf_init(&sink, &got);
    if (service_open_read(r->service, &place, NULL, NULL, &reading, &r->call) < 0 ||
        service_read(r->service, &reading, &sink.sink, &r->call) < 0) {
        bool missing =
            r->call.err.fault == FAULT_OBJECT_MISSING || r->call.err.fault == FAULT_VERSION_MISSING;
        (void)snprintf(why, 300, "%.250s", r->call.err.text);
        return !expected && missing;
    }
    if (!expected) {
        (void)snprintf(why, 300, "is there and should not be");
        return false;
    }
    return is_same(&reading.object, &got, expected, why);
}

size_t real_count(struct real *r)
{
    auto_listing struct listing l = {.container = container_row_new()};
    struct listing_options options = {.limit = 10000,
                                      .include = LISTING_SNAPSHOTS | LISTING_VERSIONS};

    must(service_list(r->service, "acct", "c", &options, &l, &r->call), r);
    return l.count;
}

static int end_of_waiting(struct db *db, void *argument, struct call *call)
{
    (void)argument;
    return db_exec(db, "UPDATE garbage SET after = 0; UPDATE block SET created = 0", call);
}

size_t real_sweep_all(struct real *r)
{
    auto_object_list struct object_list l = OBJECT_LIST_INIT;
    struct list_options all = {.limit = 1000};

    for (int i = 0; i < 2; i++) {
        must(index_write(r->index, INDEX_DURABLE, end_of_waiting, NULL, &r->call), r);
        must(service_sweep(r->service, NULL, &r->call), r);
    }
    must(store_list(r->store, "bodies", &all, &l, &r->call), r);
    return l.count;
}

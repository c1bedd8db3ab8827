// SPDX-License-Identifier: EUPL-1.2
/* The steps of the model, done by the real service: see service_steps.h. */
#include "service_steps.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doors.h"
#include "object/block.h"
#include "object/container.h"
#include "object/copy.h"
#include "object/lease.h"
#include "object/list.h"
#include "object/ranges.h"
#include "object/read.h"
#include "store/driver/file.h"

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
    row.key1 = (char *)REAL_KEY;
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
    if (r->with_doors)
        r->doors = doors_open(r->service);
}

static void stop(struct real *r)
{
    doors_close(take(r->doors));
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

void real_open(struct real *r, bool versioning, bool with_doors)
{
    const char *folder = getenv("TMPDIR"), *postgres = getenv("BASCULE_POSTGRES_URL");

    *r = (struct real){.with_doors = with_doors};
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
    must(service_container_create(r->service, "acct", REAL_CONTAINER, NULL, NULL, &r->call), r);
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

static enum fault real_fault(const struct real *r)
{
    return r->call.err.fault ? (enum fault)r->call.err.fault : FAULT_COUNT;
}

/* What every step has at hand. */
struct doing {
    struct real *real;
    const struct step *step;
    struct place place;
    struct conditions conditions;
    struct source_bytes body;
    struct object_row properties;
    struct object_row row;     /* what it made */
    struct object_row current; /* what a snapshot was made of */
    char bytes[BODY_MAX];
};

const char *real_name(int name)
{
    static const char *const names[NAMES] = {"a", "b/c", "b/d", "e\xC3\xA9"};

    return names[name];
}

static struct place place_of(int name, const struct ref_past *past)
{
    struct place place = {.account = "acct", .container = REAL_CONTAINER, .name = real_name(name)};

    if (past) {
        place.kind = past->kind == PAST_SNAPSHOT ? VERSION_SNAPSHOT : VERSION_ID;
        place.version = past->version;
    }
    return place;
}

/* A pair in JSON, heap. */
static char *pair_of(const char *key, char value)
{
    return xasprintf("[[\"%s\",\"%c\"]]", key, value);
}

/* What a body that comes whole says of itself. */
static const struct object_row *describe(struct doing *d)
{
    d->properties.content_type = xasprintf("text/%c", d->step->fill);
    d->properties.metadata = pair_of(MODEL_KEY, d->step->fill);
    d->properties.tags = pair_of("t", d->step->fill);
    return &d->properties;
}

static int do_put(struct doing *d)
{
    const struct step *s = d->step;
    struct put_request request = {.place = d->place, .conditions = d->conditions};

    if (s->kind == STEP_PUT) {
        request.body = &d->body.source;
        request.size = s->length;
        request.properties = describe(d);
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

void real_block_id(char text[8], unsigned block)
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

    real_block_id(id, d->step->offset % BLOCKS);
    return service_stage(d->real->service, &request, NULL, &d->real->call);
}

static int do_commit(struct doing *d)
{
    char ids[BLOCKS][8];
    struct block_choice choices[BLOCKS];
    struct commit_request request = {.place = d->place,
                                     .conditions = d->conditions,
                                     .upload = "",
                                     .blocks = choices,
                                     .properties = describe(d)};

    for (unsigned i = BLOCKS; i-- > 0;) {
        if (!(d->step->length & (1U << i)))
            continue;
        real_block_id(ids[i], i);
        choices[request.count++] = (struct block_choice){ids[i], BLOCK_UNCOMMITTED, NULL};
    }
    return service_commit(d->real->service, &request, &d->row, &d->real->call);
}

/* In one part; what a refusal leaves behind is the sweep's. */
static int do_upload(struct doing *d)
{
    struct block_choice part = {"00007", BLOCK_UNCOMMITTED, NULL};
    struct service *service = d->real->service;
    auto_free char *id = NULL;

    if (service_upload_begin(service, &d->place, NULL, NULL, &id, &d->real->call) < 0)
        return -1;
    struct stage_request stage = {.place = d->place,
                                  .conditions = CONDITIONS_INIT,
                                  .upload = id,
                                  .block = part.block,
                                  .body = &d->body.source,
                                  .size = d->step->length};
    struct commit_request commit = {.place = d->place,
                                    .conditions = d->conditions,
                                    .upload = id,
                                    .blocks = &part,
                                    .count = 1,
                                    .properties = describe(d)};
    if (service_stage(service, &stage, NULL, &d->real->call) < 0)
        return -1;
    return service_commit(service, &commit, &d->row, &d->real->call);
}

static int do_lease(struct doing *d)
{
    auto_lease_result struct lease_result result = {0};
    struct lease_request request = {.place = d->place,
                                    .conditions = CONDITIONS_INIT,
                                    .action = d->step->kind == STEP_ACQUIRE ? LEASE_ACQUIRE
                                                                            : LEASE_RELEASE,
                                    .id = REAL_LEASE,
                                    .seconds = -1};

    return service_lease(d->real->service, &request, &result, &d->real->call);
}

static int do_snapshot(struct doing *d)
{
    struct conditions none = CONDITIONS_INIT;

    return service_snapshot(d->real->service, &d->place, &none, NULL, &d->row, &d->current,
                            &d->real->call);
}

static int do_metadata(struct doing *d)
{
    auto_free char *text = pair_of(MODEL_KEY, d->step->fill);

    return service_set_metadata(d->real->service, &d->place, &d->conditions, text, &d->row,
                                &d->real->call);
}

static int do_tags(struct doing *d)
{
    auto_free char *text = pair_of("t", d->step->fill);

    return service_set_tags(d->real->service, &d->place, &d->conditions, text, &d->real->call);
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
    case STEP_TAGS:
        return do_tags(d);
    case STEP_STAGE:
        return do_stage(d);
    case STEP_COMMIT:
        return do_commit(d);
    case STEP_UPLOAD:
        return do_upload(d);
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
                   struct ref_made *ret_made)
{
    struct doing d = {.real = r,
                      .step = s,
                      .place = place_of(s->name, NULL),
                      .conditions = CONDITIONS_INIT,
                      .properties = object_row_new(),
                      .row = object_row_new(),
                      .current = object_row_new()};

    err_clear(&r->call.err);
    memset(d.bytes, s->fill, sizeof(d.bytes));
    source_bytes_init(&d.body, d.bytes, s->length);
    if (s->condition == IF_ABSENT)
        d.conditions.if_none_match = "*";
    else if (s->condition != IF_ANYTHING)
        d.conditions.if_match = reference_etag(reference, s);
    d.conditions.lease = s->with_lease ? REAL_LEASE : NULL;
    int done = do_one(&d, reference);
    (void)snprintf(ret_made->version, VERSION_LEN, "%s", d.row.version ? d.row.version : "");
    (void)snprintf(ret_made->current, VERSION_LEN, "%s",
                   d.current.version ? d.current.version : "");
    object_row_release(&d.row);
    object_row_release(&d.properties);
    object_row_release(&d.current);
    return done == 0 ? FAULT_NONE : real_fault(r);
}

/* ---- Looking ---- */

static char value_of(const char *json, const char *key)
{
    auto_free char *begin = xasprintf("[[\"%s\",\"", key);
    size_t length = strlen(begin);

    return json && strncmp(json, begin, length) == 0 ? json[length] : 0;
}

static void tell(const struct object_row *row, struct seen *ret)
{
    size_t type = strlen("text/");

    (void)snprintf(ret->etag, sizeof(ret->etag), "%s", row->etag);
    ret->type = (int)row->type;
    ret->sealed = row->sealed != 0;
    if (row->content_type && strncmp(row->content_type, "text/", type) == 0)
        ret->content = row->content_type[type];
    ret->metadata = value_of(row->metadata, MODEL_KEY);
    ret->metadata_low = value_of(row->metadata, MODEL_KEY_LOW);
    ret->tag = value_of(row->tags, "t");
    ret->tags = ret->tag != 0;
}

void real_look(struct real *r, int name, const struct ref_past *past, struct seen *ret)
{
    auto_reading struct reading reading = {.object = object_row_new()};
    struct sink_buf sink;
    struct place place = place_of(name, past);

    err_clear(&r->call.err);
    sink_buf_init(&sink, &ret->bytes);
    if (service_open_read(r->service, &place, NULL, NULL, &reading, &r->call) < 0 ||
        service_read(r->service, &reading, &sink.sink, &r->call) < 0)
        (void)snprintf(ret->said, sizeof(ret->said), "%s", fault_word(real_fault(r)));
    else
        tell(&reading.object, ret);
}

size_t real_count(struct real *r)
{
    auto_listing struct listing l = {.container = container_row_new()};
    struct listing_options options = {.limit = 10000,
                                      .include = LISTING_SNAPSHOTS | LISTING_VERSIONS};

    must(service_list(r->service, "acct", REAL_CONTAINER, &options, &l, &r->call), r);
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

// SPDX-License-Identifier: EUPL-1.2
/*
 * Copies from elsewhere that run on after their request was answered: see azblob_blob.h.
 *
 * The destination is made at once, empty and "pending"; until the copy is done, given up or
 * aborted, nobody else writes to it (struct conditions, copy).  The bytes come in parts, staged as
 * those of an upload; one commit makes them the blob.  A copier tells now and then how far it is:
 * where it has not for long, its gateway is gone, and the copy has failed (COPY_SILENCE_MAX).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "door/azblob/azblob_blob.h"
#include "door/azblob/azblob_fetch.h"
#include "util/log.h"
#include "util/thread.h"

#define COPIES_MAX   32
#define PART_BYTES   (16 * AZBLOB_MIB)
#define PARTS_MAX    10000
#define BEAT         (10 * CLOCK_SECOND)
#define ATTEMPTS_MAX 6
#define JSON_MAX     (64 * 1024)

struct azblob_copier {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned running; /* guarded by lock */
    struct cancel cancel;
};

/* One copy.  It borrows nothing from the request that began it. */
struct job {
    struct azblob_copier *copier;
    struct service *service;
    struct http_client *http;
    char *account, *container, *name, *lease;
    char *url, *authorization, *source_etag;
    char *id, *copy; /* its state as JSON, as it was begun */
    char *etag;      /* of the destination as it was made */
    char *version;   /* the same, where versions are kept; else NULL */
    uint64_t length;
    struct object_row properties;
    struct azblob_fetch *fetch;
    /* The part being read. */
    struct source source;
    uint64_t part_left;
    uint64_t done;
    int64_t beat; /* monotonic */
};

/* ---- The state as JSON ---- */

static char *write_json(json_t *object)
{
    auto_buf struct buf text = BUF_INIT(JSON_MAX);
    struct err ignored = {0};
    char *ret = json_write(&text, object, &ignored) < 0 ? NULL : buf_take(&text);

    json_decref(object);
    return ret;
}

static void set_state(json_t *object, const char *status, int64_t completed, const char *reason)
{
    (void)json_object_set_new(object, "status", json_string(status));
    (void)json_object_set_new(object, "beat", json_integer(clock_wall()));
    if (completed != TIME_UNKNOWN)
        (void)json_object_set_new(object, "completed", json_integer(completed));
    if (reason)
        (void)json_object_set_new(object, "reason", json_string(reason));
}

char *azblob_copy_json(const char *id, const char *source, const char *status, uint64_t done,
                       uint64_t whole, int64_t completed, const char *reason)
{
    json_t *object = json_object();
    char progress[64];

    (void)snprintf(progress, sizeof(progress), "%" PRIu64 "/%" PRIu64, done, whole);
    (void)json_object_set_new(object, "id", json_string(id));
    (void)json_object_set_new(object, "source", json_stringn(source, strcspn(source, "?")));
    (void)json_object_set_new(object, "progress", json_string(progress));
    set_state(object, status, completed, reason);
    return write_json(object);
}

char *azblob_copy_incremental(const char *copy, const char *of, const char *snapshot,
                              const char *made)
{
    json_t *object = NULL;
    struct err ignored = {0};

    if (json_parse(copy, strlen(copy), &object, &ignored) < 0)
        object = json_object();
    (void)json_object_set_new(object, "of", json_string(of));
    (void)json_object_set_new(object, "snapshot", json_string(snapshot));
    if (made)
        (void)json_object_set_new(object, "made", json_string(made));
    return write_json(object);
}

char *azblob_copy_again(const char *copy, const char *status, uint64_t done, int64_t completed,
                        const char *reason)
{
    json_t *object = NULL;
    struct err ignored = {0};
    const char *progress, *whole;

    if (!copy || json_parse(copy, strlen(copy), &object, &ignored) < 0)
        object = json_object();
    progress = json_text(object, "progress");
    whole = progress ? strchr(progress, '/') : NULL;
    if (done != UINT64_MAX && whole) {
        auto_free char *now = xasprintf("%" PRIu64 "%s", done, whole);
        (void)json_object_set_new(object, "progress", json_string(now));
    }
    set_state(object, status, completed, reason);
    return write_json(object);
}

/* ---- Reading ---- */

static struct place place_of(const struct job *j)
{
    return (struct place){.account = j->account, .container = j->container, .name = j->name};
}

static struct conditions conditions_of(const struct job *j)
{
    struct conditions c = CONDITIONS_INIT;

    c.if_match = j->etag;
    c.lease = j->lease;
    c.copy = j->id;
    return c;
}

/* Say that we live and how far we are; this also notices that the copy was aborted. */
static int tell(struct job *j, struct call *call)
{
    struct place place = place_of(j);
    auto_free char *copy =
        azblob_copy_again(j->copy, AZBLOB_COPY_PENDING, j->done, TIME_UNKNOWN, NULL);

    j->beat = clock_monotonic();
    return service_set_copy(j->service, &place, j->id, copy, call);
}

static ssize_t job_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct job *j = container_of(source, struct job, source);

    if (j->part_left == 0)
        return 0;
    if (clock_monotonic() - j->beat >= BEAT && tell(j, call) < 0)
        return -1;
    if (n > j->part_left)
        n = (size_t)j->part_left;
    ssize_t got = source_read(azblob_fetch_body(j->fetch), bytes, n, call);
    if (got == 0)
        return err_set(&call->err, ERR_NETWORK, "the copy source ended early");
    if (got > 0) {
        j->part_left -= (uint64_t)got;
        j->done += (uint64_t)got;
    }
    return got;
}

/* From j->done on; the bytes must still be those of the beginning. */
static int open_at(struct job *j, struct call *call)
{
    const struct azblob_fetch_want want = {.url = j->url,
                                           .authorization = j->authorization,
                                           .has_range = j->done > 0,
                                           .first = j->done,
                                           .last = UINT64_MAX,
                                           .if_match = j->source_etag};

    azblob_fetch_close(take(j->fetch));
    if (azblob_fetch_open(j->http, &want, &j->fetch, call) < 0)
        return -1;
    if (azblob_fetch_length(j->fetch) != j->length - j->done)
        return err_set(&call->err, ERR_CHANGED, "the copy source has another length now");
    return 0;
}

/* One part, with what it takes to get it; part is run on a source of size bytes. */
static int with_part(struct job *j, uint64_t size,
                     int (*part)(struct job *j, uint64_t size, void *argument, struct call *call),
                     void *argument, struct call *call)
{
    uint64_t begin = j->done;

    for (int attempt = 1;; attempt++) {
        j->done = begin;
        j->part_left = size;
        if ((j->fetch || open_at(j, call) == 0) && part(j, size, argument, call) == 0)
            return 0;
        azblob_fetch_close(take(j->fetch));
        if (!err_is_passing(call->err.code) || call->err.fault || attempt == ATTEMPTS_MAX)
            return -1;
        err_clear(&call->err);
        if (call_sleep(call, CLOCK_SECOND << (attempt - 1)) < 0)
            return -1;
    }
}

/* ---- Small ones: one body ---- */

static int put_part(struct job *j, uint64_t size, void *argument, struct call *call)
{
    struct put_request put = {.place = place_of(j),
                              .conditions = conditions_of(j),
                              .properties = &j->properties,
                              .type = OBJECT_BLOCK,
                              .body = &j->source,
                              .size = size,
                              .keep_md5 = true};

    (void)argument;
    return service_put(j->service, &put, NULL, NULL, call);
}

/* ---- Large ones: parts of an upload ---- */

struct parts {
    const char *upload;
    struct block_choice *list;
    size_t count;
    char (*names)[24];
};

static int stage_part(struct job *j, uint64_t size, void *argument, struct call *call)
{
    struct parts *parts = argument;
    struct stage_request stage = {.place = place_of(j),
                                  .conditions = CONDITIONS_INIT,
                                  .upload = parts->upload,
                                  .block = parts->names[parts->count],
                                  .body = &j->source,
                                  .size = size};

    return service_stage(j->service, &stage, NULL, call);
}

static int stage_parts(struct job *j, struct parts *parts, size_t count, uint64_t size,
                       struct call *call)
{
    while (parts->count < count) {
        uint64_t left = j->length - j->done;
        (void)snprintf(parts->names[parts->count], sizeof(parts->names[0]), "%05zu",
                       parts->count + 1);
        if (with_part(j, left < size ? left : size, stage_part, parts, call) < 0)
            return -1;
        parts->list[parts->count].block = parts->names[parts->count];
        parts->list[parts->count].where = BLOCK_UNCOMMITTED;
        parts->count++;
    }
    struct commit_request commit = {.place = place_of(j),
                                    .conditions = conditions_of(j),
                                    .properties = &j->properties,
                                    .upload = parts->upload,
                                    .blocks = parts->list,
                                    .count = parts->count};
    return service_commit(j->service, &commit, NULL, call);
}

static int copy_large(struct job *j, struct call *call)
{
    struct place place = place_of(j);
    uint64_t size = PART_BYTES;
    auto_free char *upload = NULL;

    while ((j->length + size - 1) / size > PARTS_MAX)
        size *= 2;
    size_t count = (size_t)((j->length + size - 1) / size);
    auto_free struct block_choice *list = xcalloc(count, sizeof(*list));
    auto_free char(*names)[24] = xcalloc(count, sizeof(*names));
    if (service_upload_begin(j->service, &place, NULL, NULL, &upload, call) < 0)
        return -1;
    struct parts parts = {.upload = upload, .list = list, .names = names};
    if (stage_parts(j, &parts, count, size, call) == 0)
        return 0;
    /* What was staged goes when its time has come, if this fails too. */
    struct call aside = CALL_INIT;
    (void)(service_upload_abort(j->service, &place, upload, &aside) < 0);
    return -1;
}

/* ---- The thread ---- */

/* Versions are kept: the empty one, which nobody wrote, shall not be among them. */
static void forget_placeholder(struct job *j)
{
    struct delete_request request = {.place = place_of(j), .conditions = CONDITIONS_INIT};
    auto_delete_result struct delete_result result = {0};
    struct call call = CALL_INIT;

    if (!j->version)
        return;
    request.place.kind = VERSION_ID;
    request.place.version = j->version;
    request.permanently = true;
    (void)(service_delete(j->service, &request, &result, &call) < 0);
}

static void give_up(struct job *j, const struct err *why)
{
    struct place place = place_of(j);
    struct call call = CALL_INIT;
    auto_free char *reason = xasprintf("500 InternalError \"%s\"", why->text);
    auto_free char *copy =
        azblob_copy_again(j->copy, AZBLOB_COPY_FAILED, j->done, clock_wall(), reason);

    /* Aborted, overwritten or deleted meanwhile: there is nothing to tell, and nobody to. */
    if (why->fault == FAULT_NO_COPY_PENDING || why->fault == FAULT_COPY_ID ||
        why->fault == FAULT_OBJECT_MISSING)
        return;
    log_line(LOG_WARNING, "copy %s onto %s/%s failed: %s", j->id, j->account, j->container,
             why->text);
    if (service_set_copy(j->service, &place, j->id, copy, &call) < 0)
        log_line(LOG_WARNING, "copy %s: its failure could not be noted: %s", j->id, call.err.text);
}

static void job_free(struct job *j)
{
    char *const strings[] = {j->account, j->container,     j->name,        j->lease,
                             j->url,     j->authorization, j->source_etag, j->id,
                             j->copy,    j->etag,          j->version};

    azblob_fetch_close(j->fetch);
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
        free(strings[i]);
    object_row_release(&j->properties);
    free(j);
}

static void leave(struct azblob_copier *copier)
{
    locked(&copier->lock);
    copier->running--;
    (void)pthread_cond_broadcast(&copier->changed);
}

static void *run(void *argument)
{
    struct job *j = argument;
    struct azblob_copier *copier = j->copier;
    struct call call = {.cancel = &copier->cancel};
    auto_free char *done =
        azblob_copy_again(j->copy, AZBLOB_COPY_SUCCESS, j->length, clock_wall(), NULL);

    j->beat = clock_monotonic();
    replace_string(&j->properties.copy, done);
    if ((j->length > PART_BYTES ? copy_large(j, &call)
                                : with_part(j, j->length, put_part, NULL, &call)) < 0)
        give_up(j, &call.err);
    else
        forget_placeholder(j);
    job_free(j);
    leave(copier);
    return NULL;
}

/* ---- Beginning ---- */

static int enter(struct azblob_copier *copier, struct err *e)
{
    locked(&copier->lock);
    if (copier->running >= COPIES_MAX || cancel_is_raised(&copier->cancel))
        return err_set(e, ERR_BUSY, "%u copies from elsewhere are under way already",
                       copier->running);
    copier->running++;
    return 0;
}

static struct job *job_new(struct azblob_request *r, const struct azblob_copy_source *source,
                           const char *copy_id, const struct object_row *properties)
{
    struct job *j = xcalloc(1, sizeof(*j));

    j->copier = r->door->copier;
    j->service = azblob_service(r);
    j->http = r->door->options.http;
    j->account = xstrdup(r->place.account);
    j->container = xstrdup(r->place.container);
    j->name = xstrdup(r->place.name);
    j->lease = xstrdup_null(r->conditions.lease);
    j->url = xstrdup(source->url);
    j->authorization = xstrdup_null(azblob_get(r, "x-ms-copy-source-authorization"));
    /* A weak one matches nothing. */
    if (source->object.etag && source->object.etag[0] == '"')
        j->source_etag = xstrdup(source->object.etag);
    j->length = source->length;
    j->id = xstrdup(copy_id);
    j->copy = azblob_copy_json(copy_id, source->url, AZBLOB_COPY_PENDING, 0, source->length,
                               TIME_UNKNOWN, NULL);
    j->source.read = job_read;
    j->properties = object_row_new();
    row_copy(&object_table, &j->properties, properties);
    return j;
}

/* The empty blob that says what is going on. */
static int make_placeholder(struct azblob_request *r, struct job *j, struct object_row *ret,
                            struct call *call)
{
    auto_object_row struct object_row properties = object_row_new();
    const struct put_request put = {.place = r->place,
                                    .conditions = r->conditions,
                                    .properties = &properties,
                                    .type = OBJECT_BLOCK};

    row_copy(&object_table, &properties, &j->properties);
    replace_string(&properties.content_md5, NULL);
    replace_string(&properties.copy, j->copy);
    if (service_put(j->service, &put, ret, NULL, call) < 0)
        return -1;
    j->etag = xstrdup(ret->etag);
    if (ret->versioned)
        j->version = xstrdup(ret->version);
    return 0;
}

int azblob_copier_start(struct azblob_request *r, struct azblob_copy_source *source,
                        const char *copy_id, const struct object_row *properties,
                        struct object_row *ret, struct call *call)
{
    struct azblob_copier *copier = r->door->copier;
    pthread_attr_t detached;
    pthread_t thread;

    if (enter(copier, &call->err) < 0)
        return -1;
    struct job *j = job_new(r, source, copy_id, properties);
    if (make_placeholder(r, j, ret, call) < 0) {
        job_free(j);
        leave(copier);
        return -1;
    }
    (void)pthread_attr_init(&detached);
    (void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &detached, run, j);
    (void)pthread_attr_destroy(&detached);
    if (!failed)
        return 0;
    (void)err_set(&call->err, ERR_BUSY, "no thread can be had for a copy");
    give_up(j, &call->err);
    job_free(j);
    leave(copier);
    return -1;
}

struct azblob_copier *azblob_copier_new(void)
{
    struct azblob_copier *copier = xcalloc(1, sizeof(*copier));

    (void)pthread_mutex_init(&copier->lock, NULL);
    (void)pthread_cond_init(&copier->changed, NULL);
    return copier;
}

void azblob_copier_free(struct azblob_copier *copier)
{
    struct call call = CALL_INIT;

    if (!copier)
        return;
    cancel_raise(&copier->cancel);
    {
        locked(&copier->lock);
        while (copier->running > 0)
            (void)(condition_wait(&copier->changed, &copier->lock, &call) < 0);
    }
    (void)pthread_cond_destroy(&copier->changed);
    (void)pthread_mutex_destroy(&copier->lock);
    free(copier);
}

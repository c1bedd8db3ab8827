// SPDX-License-Identifier: EUPL-1.2
/*
 * Containers: which ones, under which names, and what is set on them.
 *
 * Rules for Azure's special ones: $logs and $blobchangefeed are the service's own records and move
 * only when named; $root and $web move like any other, and where the target refuses such a name the
 * configuration maps it (containers: {"$web": site-web}).
 */
#include <jansson.h>
#include <string.h>

#include "codec/json.h"
#include "move/mover.h"

#define SETTINGS_MAX (4 * 1024 * 1024)
/* Containers are made ready by so many threads. */
#define PREPARERS 8
/* The version of what lies at NAME_CONTAINER. */
#define FORMAT 1

bool container_is_service_record(const char *container)
{
    return strcmp(container, "$logs") == 0 || strcmp(container, "$blobchangefeed") == 0;
}

static char *target_of(const struct mover *m, const char *source)
{
    const struct move_options *o = m->options;
    const char *mapped = o->containers ? pairs_get(o->containers, source) : NULL;

    if (o->target_container && o->source_container)
        mapped = o->target_container;
    return mapped ? xstrdup(mapped)
                  : xasprintf("%s%s", o->container_prefix ? o->container_prefix : "", source);
}

static int note_one(struct mover *m, const char *source, struct call *call)
{
    auto_free char *target = target_of(m, source);

    if (ledger_container_add(m->ledger, source, target, NULL, NULL, call) == 0)
        return 0;
    if (call->err.code != ERR_EXISTS)
        return -1;
    return err_set(&call->err, ERR_INVALID,
                   "container '%s' would land on '%s', which another one already uses: map one of "
                   "them in the configuration, as in containers: {\"%s\": another-name}",
                   source, target, source);
}

static int note_page(struct mover *m, const struct container_list *page, struct call *call)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct container *c = &page->list[i];
        if (c->deleted)
            continue;
        if (container_is_service_record(c->name)) {
            struct ledger_note note = {
                "service_record",
                strcmp(c->name, "$logs") == 0
                    ? "$logs is a record of the service itself: moved only when named"
                    : "$blobchangefeed is a record of the service itself: moved only "
                      "when named"};
            if (ledger_finding_add(m->ledger, 0, &note, call) < 0)
                return -1;
            continue;
        }
        if (note_one(m, c->name, call) < 0)
            return -1;
    }
    return 0;
}

int containers_note(struct mover *m, struct call *call)
{
    auto_free char *cursor = NULL;

    if (m->options->source_container) {
        if (note_one(m, m->options->source_container, call) < 0)
            return -1;
        return ledger_containers_complete(m->ledger, call);
    }
    do {
        auto_container_list struct container_list page = CONTAINER_LIST_INIT;
        if (store_container_list(m->source, cursor, &page, call) < 0)
            return err_prefix(&call->err, "list the source's containers");
        if (note_left_out(m, 0, &page.left_out, call) < 0 || note_page(m, &page, call) < 0)
            return -1;
        free(cursor);
        cursor = take(page.cursor);
    } while (cursor);
    return ledger_containers_complete(m->ledger, call);
}

/* Add what an earlier move could not set on the source container and kept beside. */
static int add_leftovers(struct mover *m, const char *source, struct buf *settings,
                         struct call *call)
{
    struct object_key key = {.container = source, .name = NAME_CONTAINER};
    struct get_options options = {.length = STORE_TO_END};
    auto_buf struct buf text = BUF_INIT(SETTINGS_MAX);
    struct sink_buf sink;

    sink_buf_init(&sink, &text);
    if (m->source->traits.holds_everything)
        return 0;
    if (store_get(m->source, &key, &options, &sink.sink, NULL, NULL, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND && call->err.code != ERR_DENIED)
            return -1;
        err_clear(&call->err);
        return 0;
    }
    auto_json json_t *all = json_loads(settings->data, 0, NULL);
    auto_json json_t *left = json_loads(text.data, JSON_REJECT_DUPLICATES, NULL);
    /* One without the mark is a user's object of that name: the lister refuses it. */
    if (!json_object_get(left, OWN_CONTAINER_MARK))
        return 0;
    (void)json_object_del(left, OWN_CONTAINER_MARK);
    (void)json_object_update_missing(all, left);
    buf_reset(settings);
    return json_write(settings, all, &call->err);
}

/* What is set on the source container, as one JSON text. */
static int read_settings(struct mover *m, const char *source, struct buf *ret, struct call *call)
{
    if (!m->source->containers)
        return buf_add(ret, "{}", 2, &call->err);
    if (store_container_settings(m->source, source, ret, call) == 0)
        return 0;
    if (call->err.code != ERR_DENIED && call->err.code != ERR_UNSUPPORTED)
        return -1;
    /* A SAS or role that may read objects need not be allowed to read settings. */
    struct ledger_note note = {"settings_unread", call->err.text};
    struct err why = call->err;
    note.text = why.text;
    err_clear(&call->err);
    buf_reset(ret);
    buf_text(ret, "{}");
    return ledger_finding_add(m->ledger, 0, &note, call);
}

static int target_is_empty(struct mover *m, const char *target, bool *ret, struct call *call)
{
    auto_object_list struct object_list page = OBJECT_LIST_INIT;
    struct list_options options = {.limit = 1};

    if (store_list(m->target, target, &options, &page, call) < 0)
        return -1;
    *ret = page.count == 0;
    return 0;
}

/* The source container itself; what an earlier move kept of its metadata is in the settings. */
static int read_original(struct mover *m, const char *source, json_t *settings,
                         struct container *ret, struct call *call)
{
    const char *key;
    json_t *value;

    if (m->source->containers && store_container_stat(m->source, source, ret, call) < 0) {
        if (call->err.code != ERR_DENIED && call->err.code != ERR_UNSUPPORTED)
            return -1;
        err_clear(&call->err);
    }
    json_object_foreach(json_object_get(settings, "metadata"), key, value)
    {
        const char *text = json_string_value(value);
        if (text && !pairs_get_nocase(&ret->metadata, key))
            pairs_add(&ret->metadata, key, text);
    }
    (void)json_object_del(settings, "metadata");
    return 0;
}

static int create(struct mover *m, const struct ledger_container *c,
                  const struct container *original, struct call *call)
{
    if (store_container_create(m->target, c->target, original, call) == 0)
        return 0;
    if (call->err.code == ERR_EXISTS) { /* another process was quicker */
        err_clear(&call->err);
        return 0;
    }
    if (call->err.code == ERR_NAME)
        return err_prefix(&call->err,
                          "the target cannot have this container: map it in the configuration, as "
                          "in containers: {\"%s\": another-name}",
                          c->source);
    return -1;
}

/* Make sure that the target container is there; *ret_fresh: nothing is in it.  Metadata it does not
 * take is added to the settings. */
static int create_target(struct mover *m, const struct ledger_container *c, json_t *settings,
                         struct container *original, bool *ret_versions, bool *ret_fresh,
                         struct call *call)
{
    auto_container struct container there = CONTAINER_INIT;
    bool fresh = false;

    *ret_versions = false;
    *ret_fresh = false;
    if (!m->target->containers)
        return 0;
    if (read_original(m, c->source, settings, original, call) < 0)
        return -1;
    if (store_container_stat(m->target, c->target, &there, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
        if (create(m, c, original, call) < 0 ||
            store_container_stat(m->target, c->target, &there, call) < 0)
            return -1;
        fresh = true;
    } else if (target_is_empty(m, c->target, &fresh, call) < 0) {
        return -1;
    }
    json_t *left = json_object();
    for (size_t i = 0; i < original->metadata.count; i++) {
        const struct pair *p = &original->metadata.list[i];
        if (!pairs_get_nocase(&there.metadata, p->key))
            (void)json_object_set_new(left, p->key, json_string(p->value));
    }
    if (json_object_size(left))
        (void)json_object_set(settings, "metadata", left);
    json_decref(left);
    *ret_versions = there.versioning && !m->target->traits.notes_versioning;
    *ret_fresh = fresh;
    return 0;
}

static int put_leftovers(struct mover *m, const char *target, const char *text, struct call *call)
{
    struct object_key key = {.container = target, .name = NAME_CONTAINER};
    auto_object struct object properties = OBJECT_INIT;
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct put_options options = {.properties = &properties, .size = strlen(text)};
    struct source_bytes source;

    properties.content_type = xstrdup("application/json");
    source_bytes_init(&source, text, options.size);
    return store_put(m->target, &key, &options, &source.source, &result, call);
}

static int apply_settings(struct mover *m, const char *target, json_t *settings, json_t **ret_left,
                          struct call *call)
{
    auto_buf struct buf text = BUF_INIT(SETTINGS_MAX), left = BUF_INIT(SETTINGS_MAX);

    if (!m->target->containers) {
        *ret_left = json_deep_copy(settings);
        return 0;
    }
    if (json_write(&text, settings, &call->err) < 0 ||
        store_container_apply(m->target, target, text.data, &left, call) < 0)
        return -1;
    return json_parse(left.data, left.length, ret_left, &call->err);
}

/* Whether this container keeps what is left of the account's settings, which every container of it
 * tells: the first one does. */
static bool keeps_account(struct mover *m, int64_t id)
{
    locked(&m->lock);
    return m->account_keeper == 0 || m->account_keeper == id;
}

/* Say of one thing that is set whether it was carried or is left, by a word for it. */
static void tell_one(json_t *carried, const char *prefix, const char *key, bool left)
{
    auto_free char *word = xasprintf("%s%s", prefix, key);

    (void)json_array_append_new(json_object_get(carried, left ? "left" : "carried"),
                                json_string(word));
}

/* What was set on the container, in words, for the report: carried, or left. */
static void tell_settings(json_t *carried, json_t *settings, const struct container *original,
                          const json_t *left)
{
    const json_t *left_of_account = json_object_get(left, "account");
    const char *key;
    json_t *value;

    (void)json_object_set_new(carried, "carried", json_array());
    (void)json_object_set_new(carried, "left", json_array());
    if (original->metadata.count && !json_object_get(left, "metadata"))
        tell_one(carried, "", "metadata", false);
    json_object_foreach(settings, key, value)
    {
        const char *text = json_string_value(value);
        if (strcmp(key, "account") != 0 && strcmp(key, "name") != 0 && strcmp(key, "unread") != 0 &&
            !(text && strcmp(text, "private") == 0))
            tell_one(carried, "", key, json_object_get(left, key) != NULL);
    }
    json_object_foreach(json_object_get(settings, "account"), key, value)
        tell_one(carried, "account.", key, json_object_get(left_of_account, key) != NULL);
}

static int note_left(struct mover *m, const struct ledger_container *c, const json_t *carried,
                     struct call *call)
{
    auto_buf struct buf text = BUF_INIT(4096);
    struct ledger_note note = {"container_settings", NULL};
    size_t i;
    json_t *word;

    buf_text(&text, "what the target has no place for is kept in '" NAME_CONTAINER "':");
    json_array_foreach(json_object_get(carried, "left"), i, word)
        buf_printf(&text, "%s %s", i ? "," : "", json_string_value(word));
    note.text = text.data;
    return ledger_finding_add(m->ledger, c->id, &note, call);
}

/* Carry what is set; what the target has no place for is kept beside, and told. */
static int carry_settings(struct mover *m, const struct ledger_container *c, json_t *settings,
                          const struct container *original, json_t *carried, struct call *call)
{
    auto_json json_t *left = NULL;
    auto_buf struct buf marked = BUF_INIT(SETTINGS_MAX);

    /* A driver may want to know: the static website is one container's only. */
    if (!m->target->traits.holds_everything)
        (void)json_object_set_new(settings, "name", json_string(c->source));
    if (apply_settings(m, c->target, settings, &left, call) < 0)
        return -1;
    (void)json_object_del(left, "name");
    if (!keeps_account(m, c->id)) {
        (void)json_object_del(left, "account");
        (void)json_object_del(settings, "account");
    }
    tell_settings(carried, settings, original, left);
    if (json_object_size(left) == 0)
        return 0;
    (void)json_object_set_new(left, OWN_CONTAINER_MARK, json_integer(FORMAT));
    if (json_write(&marked, left, &call->err) < 0 || note_left(m, c, carried, call) < 0)
        return -1;
    return put_leftovers(m, c->target, marked.data, call);
}

static int carry_container(struct mover *m, const struct ledger_container *c, json_t *carried,
                           struct mover_container *ready, struct call *call)
{
    auto_buf struct buf text = BUF_INIT(SETTINGS_MAX);
    auto_container struct container original = CONTAINER_INIT;
    bool before = json_is_object(carried) && json_object_get(carried, "fresh");
    bool fresh = json_is_true(json_object_get(carried, "fresh"));

    if (read_settings(m, c->source, &text, call) < 0 ||
        add_leftovers(m, c->source, &text, call) < 0)
        return -1;
    auto_json json_t *settings = json_loads(text.data, 0, NULL);
    if (!settings)
        return err_set(&call->err, ERR_CORRUPT, "the settings of container '%s' are not JSON",
                       c->source);
    /* What an earlier start of this generation put there does not make it somebody else's.  Later
     * generations look at every object the ledger does not know. */
    bool now;
    int result = create_target(m, c, settings, &original, &ready->versions, &now, call);
    fresh = before ? fresh : now;
    ready->fresh = fresh && !m->again;
    (void)json_object_clear(carried);
    (void)json_object_set_new(carried, "fresh", json_boolean(fresh));
    return result < 0 ? -1 : carry_settings(m, c, settings, &original, carried, call);
}

static int prepare_one(struct mover *m, struct ledger_container *c, struct call *call)
{
    struct mover_container ready = {.id = c->id};
    json_t *carried = c->carried ? json_loads(c->carried, 0, NULL) : NULL;

    if (!carried)
        carried = json_object();
    int result = carry_container(m, c, carried, &ready, call);
    if (result == 0) {
        char *text = json_dumps(carried, JSON_COMPACT);
        result = ledger_container_carried(m->ledger, c->id, text, call);
        free(text);
    }
    json_decref(carried);
    if (result < 0)
        return -1;
    ready.source = xstrdup(c->source);
    ready.target = xstrdup(c->target);
    mover_container_add(m, &ready);
    return 0;
}

/* A failure that concerns this container only refuses it; any other ends the job. */
static int prepare_or_refuse(struct mover *m, struct ledger_container *c, struct call *call)
{
    if (prepare_one(m, c, call) == 0)
        return c->code == ERR_NONE
                   ? 0
                   : ledger_container_refuse(m->ledger, c->id, ERR_NONE, NULL, call);
    /* One that was asked for by name is the whole job. */
    if (m->options->source_container ||
        (call->err.code != ERR_NAME && call->err.code != ERR_EXISTS &&
         call->err.code != ERR_NOT_FOUND))
        return err_prefix(&call->err, "make container '%s' ready", c->target);
    struct err why = call->err;
    err_clear(&call->err);
    return ledger_container_refuse(m->ledger, c->id, why.code, why.text, call);
}

/* Where the threads are in the job's list of containers. */
struct preparing {
    struct mover *mover;
    pthread_mutex_t lock;
    int64_t after; /* guarded by lock */
};

/* The next container: 1, 0 when there is none, -1. */
static int next_container(struct preparing *p, struct ledger_container *ret, struct call *call)
{
    struct ledger *l = p->mover->ledger;

    locked(&p->lock);
    int n = ledger_containers(l, ledger_job_id(l), p->after, ret, 1, call);
    if (n > 0)
        p->after = ret->id;
    return n;
}

/* Prepare the next container: 1, 0 when there is none, -1. */
static int prepare_next(struct preparing *p, struct call *call)
{
    auto_ledger_container struct ledger_container c = {0};
    int n = next_container(p, &c, call);

    if (n <= 0)
        return n;
    if (mover_draining(p->mover, call))
        return err_set(&call->err, ERR_CANCELLED, "stopped on request");
    return c.gone || prepare_or_refuse(p->mover, &c, call) == 0 ? 1 : -1;
}

static int prepare_task(void *argument, struct call *call)
{
    int n;

    do
        n = prepare_next(argument, call);
    while (n > 0);
    return n;
}

static int prepare_rest(struct preparing *p, struct call *call)
{
    struct group group;

    group_init(&group, call);
    for (int i = 0; i < PREPARERS; i++)
        if (group_run(&group, prepare_task, p) < 0)
            break;
    return group_wait(&group);
}

/* One alone, which keeps the account's settings; the others side by side. */
int containers_prepare(struct mover *m, struct call *call)
{
    struct preparing p = {.mover = m, .lock = PTHREAD_MUTEX_INITIALIZER};
    int n = 1;

    while (n > 0 && m->container_count == 0)
        n = prepare_next(&p, call);
    if (n > 0)
        n = prepare_rest(&p, call);
    (void)pthread_mutex_destroy(&p.lock);
    return n < 0 ? -1 : 0;
}

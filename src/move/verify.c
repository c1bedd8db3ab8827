// SPDX-License-Identifier: EUPL-1.2
/* Verification by content: see verify.h. */
#include "move/verify.h"

#include <string.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "move/carry.h"
#include "move/name.h"
#include "util/thread.h"

#define PAGE 1000

/* One object to look at. */
struct check {
    const char *name;   /* at the source, for messages */
    const char *target; /* at the target */
    const char *etag;   /* at the source, or NULL */
    int64_t size;
    const unsigned char *sha256; /* expected; NULL: read the source */
    const char *version;         /* an earlier version: its ETag at the target, "" where unknown */
};

/* A page of them and the threads that work it off. */
struct checking {
    const struct verify_options *options;
    struct verify_result *result;
    const char *source_container;
    const char *target_container;
    const struct check *checks;
    size_t count;
    atomic_size_t next;
    pthread_mutex_t telling; /* held while differs() runs */
};

struct hashing_sink {
    struct sink sink;
    struct hash hash;
    atomic_int_fast64_t *bytes;
    uint64_t length;
};

static int hashing_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct hashing_sink *s = container_of(sink, struct hashing_sink, sink);

    (void)call;
    hash_update(&s->hash, bytes, n);
    s->length += n;
    if (s->bytes)
        atomic_fetch_add(s->bytes, (int_fast64_t)n);
    return 0;
}

static int hash_key(struct store *store, const struct object_key *key, const char *etag,
                    atomic_int_fast64_t *count, unsigned char *ret, struct call *call)
{
    struct hashing_sink sink = {.sink = {.write = hashing_write}, .bytes = count};
    struct get_options options = {.length = STORE_TO_END, .if_match = etag};

    hash_init(&sink.hash, HASH_SHA256);
    int got = store_get(store, key, &options, &sink.sink, NULL, NULL, call);
    hash_final(&sink.hash, ret);
    hash_release(&sink.hash);
    return got;
}

static int hash_object(struct store *store, const char *container, const char *name,
                       const char *etag, atomic_int_fast64_t *count, unsigned char *ret,
                       struct call *call)
{
    struct object_key key = {.container = container, .name = name};

    return hash_key(store, &key, etag, count, ret, call);
}

static void tell(struct checking *c, const char *name, const char *text)
{
    locked(&c->telling);
    c->options->differs(c->options->context, c->source_container, name, text);
}

static int tell_error(struct checking *c, const char *name, const char *end, struct call *call)
{
    char text[sizeof(call->err.text) + 32];

    if (call->err.code == ERR_CANCELLED)
        return -1;
    (void)snprintf(text, sizeof(text), "%s: %s", end, call->err.text);
    atomic_fetch_add(
        call->err.code == ERR_NOT_FOUND ? &c->result->differences : &c->result->unproven, 1);
    err_clear(&call->err);
    tell(c, name, text);
    return 0;
}

static int check_one(struct checking *c, const struct check *check, struct call *call)
{
    const struct verify_options *o = c->options;
    unsigned char expected[32], found[32];
    char expected_hex[65], found_hex[65], text[256];

    atomic_fetch_add(&c->result->objects, 1);
    if (check->sha256)
        memcpy(expected, check->sha256, sizeof(expected));
    else if (hash_object(o->source, c->source_container, check->name, check->etag, NULL, expected,
                         call) < 0)
        return tell_error(c, check->name, "source", call);
    if (hash_object(o->target, c->target_container, check->target, NULL, &c->result->bytes, found,
                    call) < 0)
        return tell_error(c, check->name, "target", call);
    if (memcmp(expected, found, sizeof(found)) == 0)
        return 0;
    hex_encode(expected_hex, expected, sizeof(expected));
    hex_encode(found_hex, found, sizeof(found));
    (void)snprintf(text, sizeof(text), "the content differs: expected SHA-256 %s, found %s",
                   expected_hex, found_hex);
    atomic_fetch_add(&c->result->differences, 1);
    tell(c, check->name, text);
    return 0;
}

/* ---- Earlier versions, which have ids of the target's own ---- */

static int list_versions(struct checking *c, const char *name, struct object_list *ret,
                         struct call *call)
{
    auto_free char *cursor = NULL;

    do {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        const struct list_options options = {
            .prefix = name, .cursor = cursor, .include = LIST_VERSIONS, .limit = PAGE};
        if (store_list(c->options->target, c->target_container, &options, &page, call) < 0)
            return -1;
        for (size_t i = 0; i < page.count; i++)
            if (strcmp(page.list[i].name, name) == 0 && page.list[i].version &&
                page.list[i].kind != VERSION_MARKER)
                object_copy(object_list_add(ret), &page.list[i]);
        /* Names come in order: behind this one there is nothing more. */
        bool behind = page.count && strcmp(page.list[page.count - 1].name, name) > 0;
        free(cursor);
        cursor = behind && c->options->target->traits.lists_in_order ? NULL : take(page.cursor);
    } while (cursor);
    return 0;
}

/* Whether one of the versions that may be it holds the content: 1, 0, -1. */
static int try_versions(struct checking *c, const struct check *check,
                        const struct object_list *versions, bool by_etag, struct call *call)
{
    unsigned char found[32];

    for (size_t i = 0; i < versions->count; i++) {
        const struct object *o = &versions->list[i];
        const struct object_key key = {.container = c->target_container,
                                       .name = check->target,
                                       .kind = VERSION_ID,
                                       .version = o->version};
        if (same_string(o->etag, check->version) != by_etag || (int64_t)o->size != check->size)
            continue;
        if (hash_key(c->options->target, &key, NULL, &c->result->bytes, found, call) < 0)
            return -1;
        if (memcmp(check->sha256, found, sizeof(found)) == 0)
            return 1;
    }
    return 0;
}

/* The one that was put is known by its ETag; a store may have given it another one since. */
static int check_version(struct checking *c, const struct check *check, struct call *call)
{
    auto_object_list struct object_list versions = OBJECT_LIST_INIT;
    int held;

    atomic_fetch_add(&c->result->objects, 1);
    if (list_versions(c, check->target, &versions, call) < 0 ||
        (held = try_versions(c, check, &versions, true, call)) < 0 ||
        (held == 0 && (held = try_versions(c, check, &versions, false, call)) < 0))
        return tell_error(c, check->name, "target", call);
    if (held)
        return 0;
    atomic_fetch_add(&c->result->differences, 1);
    tell(c, check->name, "no version at the target has the content of an earlier one");
    return 0;
}

static int check_task(void *argument, struct call *call)
{
    struct checking *c = argument;

    for (;;) {
        size_t at = atomic_fetch_add(&c->next, 1);
        if (at >= c->count || cancel_is_raised(c->options->drain))
            return 0;
        const struct check *check = &c->checks[at];
        if ((check->version ? check_version(c, check, call) : check_one(c, check, call)) < 0)
            return -1;
    }
}

static int check_page(struct checking *c, struct call *call)
{
    struct group group;
    int workers = c->options->workers ? c->options->workers : MOVE_WORKERS;

    atomic_init(&c->next, 0);
    (void)pthread_mutex_init(&c->telling, NULL);
    group_init(&group, call);
    for (int i = 0; i < workers && (size_t)i < c->count; i++)
        if (group_run(&group, check_task, c) < 0)
            break;
    int result = group_wait(&group);
    (void)pthread_mutex_destroy(&c->telling);
    if (result == 0 && cancel_is_raised(c->options->drain))
        return err_set(&call->err, ERR_CANCELLED, "stopped on request");
    return result;
}

/* ---- Against the ledger ---- */

static int check_rows(const struct verify_options *o, const struct ledger_container *container,
                      const struct ledger_rows *rows, struct verify_result *ret, struct call *call)
{
    struct check checks[PAGE];
    struct checking c = {.options = o,
                         .result = ret,
                         .source_container = container->source,
                         .target_container = container->target,
                         .checks = checks};

    for (size_t i = 0; i < rows->count; i++) {
        const struct ledger_object *row = &rows->list[i];
        const char *version = name_of_version(row->target);
        if (!row->sha256)
            continue;
        checks[c.count++] = (struct check){.name = row->name,
                                           .target = version ? version : row->target,
                                           .size = row->size,
                                           .sha256 = row->sha256,
                                           .version = !version           ? NULL
                                                      : row->target_etag ? row->target_etag
                                                                         : ""};
    }
    return check_page(&c, call);
}

static int verify_container(struct ledger *l, const struct ledger_container *container,
                            const struct verify_options *o, struct verify_result *ret,
                            struct call *call)
{
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    const struct ledger_object *after = NULL;

    for (;;) {
        if (ledger_objects(l, container->id, after, LEDGER_MASK_AT_TARGET, PAGE, &rows, call) < 0)
            return -1;
        if (rows.count == 0)
            return 0;
        if (check_rows(o, container, &rows, ret, call) < 0)
            return -1;
        after = &rows.list[rows.count - 1];
    }
}

int verify_ledger(struct ledger *l, const struct ledger_job *job, const struct verify_options *o,
                  struct verify_result *ret, struct call *call)
{
    int64_t after = 0;

    for (;;) {
        auto_ledger_container struct ledger_container container = {0};
        int n = ledger_containers(l, job->id, after, &container, 1, call);
        if (n <= 0)
            return n;
        after = container.id;
        if (verify_container(l, &container, o, ret, call) < 0)
            return -1;
    }
}

/* ---- Source against target ---- */

static int check_listing(const struct verify_options *o, const char *source, const char *target,
                         const struct object_list *page, struct verify_result *ret,
                         struct call *call)
{
    struct check *checks = xcalloc(page->count, sizeof(*checks));
    char **names = xcalloc(page->count, sizeof(*names));
    struct checking c = {.options = o,
                         .result = ret,
                         .source_container = source,
                         .target_container = target,
                         .checks = checks};

    for (size_t i = 0; i < page->count; i++) {
        const struct object *object = &page->list[i];
        if (object->kind != VERSION_CURRENT || name_is_reserved(object->name))
            continue;
        names[c.count] =
            name_at_target(&o->target->traits, false, object->name, VERSION_CURRENT, NULL);
        checks[c.count] = (struct check){.name = object->name,
                                         .target = names[c.count],
                                         .etag = object->etag,
                                         .size = (int64_t)object->size};
        c.count++;
    }
    int result = check_page(&c, call);
    for (size_t i = 0; i < c.count; i++)
        free(names[i]);
    free(names);
    free(checks);
    return result;
}

static int verify_listing(const struct verify_options *o, const char *source, const char *target,
                          struct verify_result *ret, struct call *call)
{
    auto_free char *cursor = NULL;

    do {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        struct list_options options = {.prefix = o->prefix, .cursor = cursor, .limit = PAGE};
        if (store_list(o->source, source, &options, &page, call) < 0 ||
            check_listing(o, source, target, &page, ret, call) < 0)
            return -1;
        free(cursor);
        cursor = take(page.cursor);
    } while (cursor);
    return 0;
}

static const char *target_of(const struct verify_options *o, const char *source)
{
    const char *mapped = o->containers ? pairs_get(o->containers, source) : NULL;

    return mapped ? mapped : source;
}

int verify_stores(const struct verify_options *o, struct verify_result *ret, struct call *call)
{
    auto_free char *cursor = NULL;

    if (o->source_container)
        return verify_listing(o, o->source_container,
                              o->target_container ? o->target_container
                                                  : target_of(o, o->source_container),
                              ret, call);
    do {
        auto_container_list struct container_list page = CONTAINER_LIST_INIT;
        if (store_container_list(o->source, cursor, &page, call) < 0)
            return -1;
        for (size_t i = 0; i < page.count; i++)
            if (!page.list[i].deleted && !container_is_service_record(page.list[i].name) &&
                verify_listing(o, page.list[i].name, target_of(o, page.list[i].name), ret, call) <
                    0)
                return -1;
        free(cursor);
        cursor = take(page.cursor);
    } while (cursor);
    return 0;
}

// SPDX-License-Identifier: EUPL-1.2
/* Verification by content: see verify.h. */
#include "move/verify.h"

#include <string.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "move/carry.h"
#include "move/name.h"
#include "move/own.h"
#include "move/walk.h"
#include "util/thread.h"

#define PAGE 1000

/* One object to look at. */
struct check {
    const char *name;            /* the original one, for messages */
    const char *source;          /* at the source; NULL with sha256 */
    const char *target;          /* at the target */
    const char *etag;            /* at the source, or NULL */
    const unsigned char *sha256; /* expected; NULL: read the source */
    const char *version; /* of an earlier version: the ETag it had ("" unknown); NULL: current */
    int64_t size;        /* with version */
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

static int hash_object(struct store *store, const struct object_key *key, const char *etag,
                       atomic_int_fast64_t *count, unsigned char *ret, struct object *ret_object,
                       struct call *call)
{
    struct hashing_sink sink = {.sink = {.write = hashing_write}, .bytes = count};
    struct get_options options = {
        .length = STORE_TO_END, .if_match = etag, .plain = ret_object == NULL};

    hash_init(&sink.hash, HASH_SHA256);
    int got = store_get(store, key, &options, &sink.sink, ret_object, NULL, call);
    hash_final(&sink.hash, ret);
    hash_release(&sink.hash);
    return got;
}

const char *verify_kind_word(enum verify_kind kind)
{
    static const char *const words[] = {[VERIFY_CONTENT] = "content",
                                        [VERIFY_CARRIED] = "carried",
                                        [VERIFY_MISSING] = "missing",
                                        [VERIFY_EXTRA] = "extra",
                                        [VERIFY_UNPROVEN] = "unproven"};
    return words[kind];
}

static void tell(struct checking *c, enum verify_kind kind, const char *name, const char *text)
{
    locked(&c->telling);
    atomic_fetch_add(kind == VERIFY_UNPROVEN ? &c->result->unproven : &c->result->differences, 1);
    c->options->differs(c->options->context, kind, c->source_container, name, text);
}

/* An error that concerns one object only. */
static int tell_error(struct checking *c, enum verify_kind kind, const char *name, const char *end,
                      struct call *call)
{
    char text[sizeof(call->err.text) + 32];

    if (call->err.code == ERR_CANCELLED)
        return -1;
    (void)snprintf(text, sizeof(text), "%s: %s", end, call->err.text);
    err_clear(&call->err);
    tell(c, kind, name, text);
    return 0;
}

static void tell_content(struct checking *c, const char *name, const unsigned char *expected,
                         const unsigned char *found)
{
    char expected_hex[65], found_hex[65], text[256];

    hex_encode(expected_hex, expected, 32);
    hex_encode(found_hex, found, 32);
    (void)snprintf(text, sizeof(text), "the content differs: expected SHA-256 %s, found %s",
                   expected_hex, found_hex);
    tell(c, VERIFY_CONTENT, name, text);
}

static enum verify_kind kind_at_target(const struct call *call)
{
    return call->err.code == ERR_NOT_FOUND || call->err.code == ERR_NAME ? VERIFY_MISSING
                                                                         : VERIFY_UNPROVEN;
}

/* Against the ledger, which has nothing but digests. */
static int check_digest(struct checking *c, const struct check *check, struct call *call)
{
    struct object_key key = {.container = c->target_container, .name = check->target};
    unsigned char found[32];

    if (hash_object(c->options->target, &key, NULL, &c->result->bytes, found, NULL, call) < 0)
        return tell_error(c, kind_at_target(call), check->name, "target", call);
    if (memcmp(check->sha256, found, sizeof(found)) != 0)
        tell_content(c, check->name, check->sha256, found);
    return 0;
}

static int check_both(struct checking *c, const struct check *check, struct call *call)
{
    const struct verify_options *o = c->options;
    struct object_key from = {.container = c->source_container, .name = check->source};
    struct object_key to = {.container = c->target_container, .name = check->target};
    auto_object struct object wanted = OBJECT_INIT, there = OBJECT_INIT;
    unsigned char expected[32], found[32];

    if (hash_object(o->source, &from, check->etag, NULL, expected, &wanted, call) < 0 ||
        own_restore(o->source, &from, &wanted, NULL, call) < 0)
        return tell_error(c, VERIFY_UNPROVEN, check->name, "source", call);
    if (hash_object(o->target, &to, NULL, &c->result->bytes, found, &there, call) < 0)
        return tell_error(c, kind_at_target(call), check->name, "target", call);
    if (memcmp(expected, found, sizeof(found)) != 0) {
        tell_content(c, check->name, expected, found);
        return 0;
    }
    if (own_restore(o->target, &to, &there, NULL, call) < 0)
        return tell_error(c, call->err.code == ERR_CORRUPT ? VERIFY_CARRIED : VERIFY_UNPROVEN,
                          check->name, "target", call);
    auto_free char *difference = carry_difference(&wanted, &there);
    if (difference)
        tell(c, VERIFY_CARRIED, check->name, difference);
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
        if (hash_object(c->options->target, &key, NULL, &c->result->bytes, found, NULL, call) < 0)
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

    if (list_versions(c, check->target, &versions, call) < 0 ||
        (held = try_versions(c, check, &versions, true, call)) < 0 ||
        (held == 0 && (held = try_versions(c, check, &versions, false, call)) < 0))
        return tell_error(c, kind_at_target(call), check->name, "target", call);
    if (held)
        return 0;
    tell(c, VERIFY_MISSING, check->name,
         "no version at the target has the content of an earlier one");
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
        atomic_fetch_add(&c->result->objects, 1);
        if ((check->version  ? check_version(c, check, call)
             : check->sha256 ? check_digest(c, check, call)
                             : check_both(c, check, call)) < 0)
            return -1;
    }
}

static int check_page(struct checking *c, struct call *call)
{
    struct group group;
    int workers = c->options->workers ? c->options->workers : MOVE_WORKERS;

    atomic_init(&c->next, 0);
    group_init(&group, call);
    for (int i = 0; i < workers && (size_t)i < c->count; i++)
        if (group_run(&group, check_task, c) < 0)
            break;
    int result = group_wait(&group);
    if (result == 0 && cancel_is_raised(c->options->drain))
        return err_set(&call->err, ERR_CANCELLED, "stopped on request");
    return result;
}

/* ---- Against the ledger ---- */

static int check_rows(struct checking *c, const struct ledger_rows *rows, struct call *call)
{
    struct check checks[PAGE];

    c->checks = checks;
    c->count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct ledger_object *row = &rows->list[i];
        const char *version = name_of_version(row->target);
        if (row->sha256)
            checks[c->count++] = (struct check){.name = row->name,
                                                .target = version ? version : row->target,
                                                .size = row->size,
                                                .sha256 = row->sha256,
                                                .version = !version           ? NULL
                                                           : row->target_etag ? row->target_etag
                                                                              : ""};
    }
    return check_page(c, call);
}

static int verify_container(struct ledger *l, const struct ledger_container *container,
                            struct checking *c, struct call *call)
{
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    const struct ledger_object *after = NULL;

    c->source_container = container->source;
    c->target_container = container->target;
    for (;;) {
        if (ledger_objects(l, container->id, after, LEDGER_MASK_AT_TARGET, PAGE, &rows, call) < 0)
            return -1;
        if (rows.count == 0)
            return 0;
        if (check_rows(c, &rows, call) < 0)
            return -1;
        after = &rows.list[rows.count - 1];
    }
}

int verify_ledger(struct ledger *l, const struct ledger_job *job, const struct verify_options *o,
                  struct verify_result *ret, struct call *call)
{
    struct checking c = {.options = o, .result = ret, .telling = PTHREAD_MUTEX_INITIALIZER};
    int64_t after = 0;

    for (;;) {
        auto_ledger_container struct ledger_container container = {0};
        int n = ledger_containers(l, job->id, after, &container, 1, call);
        if (n <= 0)
            return n;
        after = container.id;
        if (verify_container(l, &container, &c, call) < 0)
            return -1;
    }
}

/* ---- Source against target ---- */

/* A page of a listing as checks, with the names they need. */
struct listed {
    struct check *checks;
    char **names;
    size_t name_count;
};

static void listed_release(struct listed *l)
{
    for (size_t i = 0; i < l->name_count; i++)
        free(l->names[i]);
    free(l->names);
    free(l->checks);
}

/* The name a user gave, of an object that lies under one of ours; a new string. */
static int original_name(struct store *s, const char *container, const char *name, char **ret,
                         struct call *call)
{
    *ret = NULL;
    if (strncmp(name, NAME_MAPPED, strlen(NAME_MAPPED)) == 0 &&
        own_original_name(s, container, name, ret, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND && call->err.code != ERR_CORRUPT)
            return -1;
        err_clear(&call->err); /* a user's object that happens to be called so */
    }
    if (!*ret)
        *ret = xstrdup(name);
    return 0;
}

static int list_one(struct checking *c, struct own *own, const struct object *o, struct listed *l,
                    struct call *call)
{
    bool record;

    if (own_is_record(own, o, &record, call) < 0)
        return -1;
    if (o->kind != VERSION_CURRENT || record)
        return 0;
    char **names = &l->names[l->name_count];
    if (original_name(own->store, own->container, o->name, &names[0], call) < 0)
        return -1;
    names[1] = name_at_target(&c->options->target->traits, false, names[0], VERSION_CURRENT, NULL);
    l->name_count += 2;
    l->checks[c->count++] =
        (struct check){.name = names[0], .source = o->name, .target = names[1], .etag = o->etag};
    return 0;
}

static int check_listing(struct checking *c, struct own *own, const struct object_list *page,
                         struct call *call)
{
    cleanup(listed_release) struct listed l = {
        .checks = xcalloc(page->count, sizeof(*l.checks)),
        .names = xcalloc(2 * page->count, sizeof(*l.names)),
    };

    c->checks = l.checks;
    c->count = 0;
    for (size_t i = 0; i < page->count; i++)
        if (list_one(c, own, &page->list[i], &l, call) < 0)
            return -1;
    return check_page(c, call);
}

/* Whether the source has an object under exactly this name. */
static int source_holds(struct walk *walk, const char *name, bool in_order, bool *ret,
                        struct call *call)
{
    struct object_key key = {.container = walk->container, .name = name};
    auto_object struct object o = OBJECT_INIT;
    const struct object *found = NULL;

    if (in_order && walk->store->traits.lists_in_order) {
        int result = walk_find(walk, name, &found, call);
        *ret = found != NULL;
        return result;
    }
    *ret = store_stat(walk->store, &key, &o, call) == 0;
    if (!*ret && call->err.code != ERR_NOT_FOUND && call->err.code != ERR_NAME)
        return -1;
    err_clear(&call->err);
    return 0;
}

/* One object of the target: whether it is from the source, which may have it under a mapped name,
 * too. */
static int check_extra(struct checking *c, struct own *own, struct walk *walk,
                       const struct object *o, struct call *call)
{
    auto_free char *name = NULL;
    bool known;

    if (own_is_record(own, o, &known, call) < 0)
        return -1;
    if (known || o->kind != VERSION_CURRENT ||
        strncmp(o->name, NAME_HISTORY, strlen(NAME_HISTORY)) == 0)
        return 0;
    if (original_name(own->store, own->container, o->name, &name, call) < 0)
        return -1;
    auto_free char *mapped =
        name_at_target(&walk->store->traits, false, name, VERSION_CURRENT, NULL);
    if (source_holds(walk, name, strcmp(name, o->name) == 0, &known, call) < 0 ||
        (!known && strcmp(name, mapped) != 0 &&
         source_holds(walk, mapped, false, &known, call) < 0))
        return -1;
    if (!known)
        tell(c, VERIFY_EXTRA, name, "only the target has it");
    return 0;
}

static int check_extras(struct checking *c, struct call *call)
{
    const struct verify_options *o = c->options;
    auto_walk struct walk walk = {
        .store = o->source, .container = c->source_container, .prefix = o->prefix};
    struct own own = {.store = o->target, .container = c->target_container};
    auto_free char *cursor = NULL;

    do {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        struct list_options options = {.prefix = o->prefix, .cursor = cursor, .limit = PAGE};
        if (store_list(o->target, c->target_container, &options, &page, call) < 0)
            return -1;
        for (size_t i = 0; i < page.count; i++)
            if (check_extra(c, &own, &walk, &page.list[i], call) < 0)
                return -1;
        free(cursor);
        cursor = take(page.cursor);
    } while (cursor && !cancel_is_raised(o->drain));
    return 0;
}

static int check_sources(struct checking *c, struct call *call)
{
    const struct verify_options *o = c->options;
    struct own own = {.store = o->source, .container = c->source_container};
    auto_free char *cursor = NULL;

    do {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        struct list_options options = {.prefix = o->prefix, .cursor = cursor, .limit = PAGE};
        if (store_list(o->source, c->source_container, &options, &page, call) < 0 ||
            check_listing(c, &own, &page, call) < 0)
            return -1;
        free(cursor);
        cursor = take(page.cursor);
    } while (cursor);
    return 0;
}

static int verify_pair(const struct verify_options *o, const char *source, const char *target,
                       struct verify_result *ret, struct call *call)
{
    struct checking c = {.options = o,
                         .result = ret,
                         .source_container = source,
                         .target_container = target,
                         .telling = PTHREAD_MUTEX_INITIALIZER};

    if (check_sources(&c, call) < 0)
        return -1;
    if (check_extras(&c, call) == 0)
        return 0;
    return call->err.code == ERR_NOT_FOUND || call->err.code == ERR_NAME
               ? tell_error(&c, VERIFY_MISSING, NULL, "target", call)
               : -1;
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
        return verify_pair(o, o->source_container,
                           o->target_container ? o->target_container
                                               : target_of(o, o->source_container),
                           ret, call);
    do {
        auto_container_list struct container_list page = CONTAINER_LIST_INIT;
        if (store_container_list(o->source, cursor, &page, call) < 0)
            return -1;
        for (size_t i = 0; i < page.count; i++)
            if (!page.list[i].deleted && !container_is_service_record(page.list[i].name) &&
                verify_pair(o, page.list[i].name, target_of(o, page.list[i].name), ret, call) < 0)
                return -1;
        free(cursor);
        cursor = take(page.cursor);
    } while (cursor);
    return 0;
}

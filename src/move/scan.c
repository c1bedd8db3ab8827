// SPDX-License-Identifier: EUPL-1.2
/* The lister: writes the source's listing into the ledger, page by page, where it stopped before.
 */
#include <string.h>

#include "move/mover.h"
#include "move/plan.h"

#define PAGE       2000
#define POLL_PAUSE (200 * CLOCK_MILLISECOND)

static enum ledger_kind kind_of(const struct object *o)
{
    switch (o->kind) {
    case VERSION_SNAPSHOT:
        return LEDGER_SNAPSHOT;
    case VERSION_DELETED:
        return LEDGER_SOFT_DELETED;
    case VERSION_ID:
        return LEDGER_VERSION;
    default:
        return LEDGER_CURRENT;
    }
}

/* What can be said against moving it before trying. */
static void refuse_early(const struct mover *m, const struct object *o, struct ledger_entry *entry)
{
    if (o->kind == VERSION_DELETED) {
        entry->refuse = ERR_CONFLICT;
        entry->reason = "soft-deleted: it can be read only after it is undeleted";
    } else if (o->customer_encrypted) {
        entry->refuse = ERR_UNSUPPORTED;
        entry->reason = "encrypted with a key only its writer has: decrypt it at the source first";
    } else if (o->archived && !m->options->rehydrate) {
        entry->refuse = ERR_ARCHIVED;
        entry->reason = "in the archive tier: move with --rehydrate to have it woken";
    }
}

/* Whether the source takes a name it lists for another one when it is asked for. */
static bool source_misreads(const struct store_traits *source, const char *name)
{
    struct store_traits misread = {.name_refuses = source->name_refuses &
                                                   (NAME_NO_BACKSLASH | NAME_NO_DOT_SEGMENT)};

    return store_name_fault(&misread, name) != NULL;
}

static void refuse_name(struct ledger_entry *entry, const char *why)
{
    entry->refuse = ERR_NAME;
    entry->reason = why;
}

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* One container being listed. */
struct listing {
    struct mover *mover;
    struct mover_container container;
    struct own own;
};

/* The names of one page that differ at the target, kept until the page is written. */
struct names {
    char **list;
    size_t count;
};

static void names_release(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->list[i]);
    free(n->list);
}

static int entry_of(struct listing *l, const struct object *o, struct names *names,
                    struct ledger_entry *entry, struct call *call)
{
    struct mover *m = l->mover;
    const struct mover_container *c = &l->container;
    auto_free char *told = NULL;
    const char *name = o->name;

    *entry = (struct ledger_entry){
        .name = o->name,
        .version = o->version,
        .kind = kind_of(o),
        .size = (int64_t)o->size,
        .etag = o->etag,
        .modified = o->modified,
        .type = object_type_word(o->type),
        .tier = o->tier_inferred ? NULL : o->tier, /* one that somebody chose */
        .md5 = o->stored.have & (1U << CHECKSUM_MD5) ? o->stored.md5 : NULL,
    };
    if (o->kind == VERSION_CURRENT)
        entry->version = NULL;
    refuse_early(m, o, entry);
    if (source_misreads(&m->source->traits, name))
        refuse_name(entry, "the source itself would take its name for another one ('\\' or a "
                           "segment '.' or '..'): rename it");
    else if (own_is_reserved(name))
        refuse_name(entry, "its name is reserved for bascule's own records: rename it");
    if (begins(name, NAME_MAPPED)) {
        if (own_original_name(m->source, c->source, name, &told, call) < 0) {
            if (call->err.code != ERR_NOT_FOUND && call->err.code != ERR_CORRUPT)
                return -1;
            err_clear(&call->err);
            refuse_name(entry,
                        "such a name wants a side-car that tells the right one, and there is "
                        "none that does: rename it");
        }
        name = told ? told : name;
    }
    auto_free char *target =
        name_at_target(&m->target->traits, c->versions, name, o->kind, o->version);
    if (strcmp(target, o->name) != 0) {
        entry->target = target;
        names->list[names->count++] = take(target);
    }
    return 0;
}

static int write_page(struct listing *l, const struct object_list *page, struct call *call)
{
    struct mover *m = l->mover;
    struct ledger_page done;
    struct ledger_entry *entries = xcalloc(page->count, sizeof(*entries));
    cleanup(names_release) struct names names = {.list = xcalloc(page->count, sizeof(char *))};
    size_t n = 0;
    int result = 0;

    for (size_t i = 0; i < page->count && result == 0; i++) {
        const struct object *o = &page->list[i];
        bool own = o->kind == VERSION_MARKER;
        if (!own && own_is_record(&l->own, o, &own, call) < 0)
            result = -1;
        if (own || result < 0)
            continue;
        result = entry_of(l, o, &names, &entries[n], call);
        if (result == 0 && m->plan)
            plan_count(m->plan, o, entries[n].target != NULL);
        /* A plan counts the history even when it is not to be carried. */
        if (o->kind == VERSION_CURRENT || m->options->history)
            n++;
    }
    if (result == 0)
        result = ledger_list_page(m->ledger, l->container.id, entries, n, page->cursor,
                                  !page->cursor, &done, call);
    if (result == 0) {
        struct move_progress *p = m->progress;
        int64_t bytes = 0;
        for (size_t i = 0; i < n; i++)
            bytes += entries[i].size;
        atomic_fetch_add(&p->listed, (int_fast64_t)n - done.repeated);
        atomic_fetch_add(&p->listed_bytes, bytes);
        atomic_fetch_add(&p->already, done.unchanged);
        atomic_fetch_add(&p->refused, done.refused + done.collided);
        atomic_fetch_add(&p->settled, done.unchanged + done.refused + done.collided);
        atomic_fetch_add(&p->settled_bytes, done.settled);
        if (m->plan) {
            m->plan->collisions.objects += done.collided;
            m->plan->collisions.bytes += done.collided_bytes;
        }
    }
    free(entries);
    return result;
}

int note_left_out(struct mover *m, int64_t container, const struct pairs *left_out,
                  struct call *call)
{
    for (size_t i = 0; i < left_out->count; i++) {
        const struct pair *p = &left_out->list[i];
        auto_free char *text = xasprintf("'%s': %s", p->key, p->value);
        struct ledger_note note = {"left_out", text};
        if (ledger_finding_add(m->ledger, container, &note, call) < 0)
            return -1;
    }
    return 0;
}

static int list_container(struct mover *m, const struct ledger_container *from, struct call *call)
{
    struct listing l = {.mover = m, .container = mover_container_of(m, from->id)};
    auto_free char *cursor = xstrdup_null(from->cursor);

    l.own = (struct own){.store = m->source, .container = l.container.source};
    do {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        struct list_options options = {
            .prefix = m->options->prefix,
            .cursor = cursor,
            .limit = PAGE,
            .include =
                m->options->history || m->plan ? LIST_SNAPSHOTS | LIST_VERSIONS | LIST_DELETED : 0};
        if (mover_draining(m, call))
            return ledger_list_release(m->ledger, l.container.id, call);
        if (store_list(m->source, l.container.source, &options, &page, call) < 0 ||
            note_left_out(m, l.container.id, &page.left_out, call) < 0 ||
            write_page(&l, &page, call) < 0)
            return -1;
        free(cursor);
        cursor = take(page.cursor);
    } while (cursor);
    return 0;
}

/* List one container that wants it: 1, 0 when there is none now, -1. */
static int scan_one(struct mover *m, struct call *call)
{
    auto_ledger_container struct ledger_container c = {0};
    int claimed = ledger_list_claim(m->ledger, &c, call);

    if (claimed <= 0)
        return claimed;
    if (list_container(m, &c, call) == 0)
        return 1;
    if (!m->options->source_container &&
        (call->err.code == ERR_NOT_FOUND || call->err.code == ERR_DENIED)) {
        struct err why = call->err;
        err_clear(&call->err);
        return ledger_container_refuse(m->ledger, c.id, why.code, why.text, call) < 0 ? -1 : 1;
    }
    (void)err_prefix(&call->err, "container '%s'", c.source);
    struct call own = CALL_INIT;
    own.deadline = clock_monotonic() + 10 * CLOCK_SECOND;
    if (ledger_list_release(m->ledger, c.id, &own) < 0)
        return err_prefix(&call->err, "%s", own.err.text);
    return -1;
}

int scan_containers(struct mover *m, struct call *call)
{
    bool done = false;

    while (!mover_draining(m, call)) {
        int scanned = scan_one(m, call);
        if (scanned < 0)
            return -1;
        if (scanned)
            continue;
        if (ledger_list_done(m->ledger, &done, call) < 0)
            return -1;
        if (done)
            return 0;
        if (call_sleep(call, POLL_PAUSE) < 0) /* another process lists the rest */
            return -1;
    }
    return 0;
}

/* Told to stop while it would have tried something again: others finish what they have begun. */
static bool is_drained(struct mover *m, struct call *call)
{
    if (call->err.code != ERR_CANCELLED || cancel_is_raised(call->cancel) ||
        !mover_draining(m, call))
        return false;
    err_clear(&call->err);
    return true;
}

static int scan(struct mover *m, struct call *call)
{
    int64_t gone;

    if (scan_containers(m, call) < 0)
        return err_prefix(&call->err, "list the source");
    if (mover_draining(m, call))
        return 0;
    if (ledger_sweep(m->ledger, &gone, call) < 0)
        return -1;
    if (m->again && confirm_targets(m, call) < 0)
        return err_prefix(&call->err, "look whether the target still holds what was moved");
    if (ledger_set_state(m->ledger, LEDGER_JOB_COPYING, call) < 0)
        return -1;
    atomic_store(&m->progress->listing, false);
    cancel_raise(&m->listing_done);
    return 0;
}

int scan_task(void *argument, struct call *call)
{
    struct mover *m = argument;

    return scan(m, call) < 0 && !is_drained(m, call) ? -1 : 0;
}

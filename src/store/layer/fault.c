// SPDX-License-Identifier: EUPL-1.2
/* Things that go wrong on purpose: see fault.h. */
#include "store/layer/fault.h"

#include <stdatomic.h>
#include <string.h>

#include "util/clock.h"

struct fault {
    struct store store;
    struct fault_rule *rules;
    size_t count;
    atomic_uint calls[FAULT_OPERATION_COUNT];
};

static struct fault *fault_of(struct store *s)
{
    return container_of(s, struct fault, store);
}

static const struct fault_rule no_rule = {.kind = FAULT_KIND_COUNT};

/* Count a call and find its rule. */
static const struct fault_rule *rule_for(struct store *s, enum fault_operation operation)
{
    struct fault *f = fault_of(s);
    unsigned number = atomic_fetch_add(&f->calls[operation], 1) + 1;

    for (size_t i = 0; i < f->count; i++) {
        const struct fault_rule *rule = &f->rules[i];
        unsigned times = rule->times ? rule->times : 1;
        if (rule->operation == operation &&
            (rule->nth == 0 || (number >= rule->nth && number - rule->nth < times)))
            return rule;
    }
    return &no_rule;
}

static int fail(const struct fault_rule *rule, struct call *call)
{
    (void)err_set(&call->err, rule->code ? rule->code : ERR_NETWORK, "a fault made for a test");
    call->err.retry_after = rule->retry_after;
    return -1;
}

/* Before the operation: 0 to go on, else its result. */
static int before(const struct fault_rule *rule, struct call *call)
{
    if (rule->kind == FAULT_FAIL)
        return fail(rule, call);
    return rule->kind == FAULT_DELAY ? call_sleep(call, rule->delay) : 0;
}

static int after(const struct fault_rule *rule, int result, struct call *call)
{
    return result == 0 && rule->kind == FAULT_LOSE ? fail(rule, call) : result;
}

unsigned fault_calls(struct store *s, enum fault_operation operation)
{
    return atomic_load(&fault_of(s)->calls[operation]);
}

/* ---------------------------------------------------------------------- streams */

/* n bytes of which the one at the rule's place is wrong; freed by the caller. */
static unsigned char *corrupted(const struct fault_rule *rule, uint64_t at, const void *bytes,
                                size_t n)
{
    unsigned char *copy = xmalloc(n);

    memcpy(copy, bytes, n);
    if (rule->at >= at && rule->at - at < n)
        copy[rule->at - at] ^= 0x20;
    return copy;
}

struct faulty_sink {
    struct sink sink;
    struct sink *to;
    const struct fault_rule *rule;
    uint64_t at;
    bool cut;
};

static int faulty_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct faulty_sink *s = container_of(sink, struct faulty_sink, sink);
    auto_free unsigned char *wrong = NULL;
    size_t whole = n;

    if ((s->rule->kind == FAULT_CUT || s->rule->kind == FAULT_SHORT) && s->at + n > s->rule->at) {
        n = s->rule->at > s->at ? (size_t)(s->rule->at - s->at) : 0;
        s->cut = true;
    }
    if (s->rule->kind == FAULT_CORRUPT && n)
        bytes = wrong = corrupted(s->rule, s->at, bytes, n);
    if (sink_write(s->to, bytes, n, call) < 0)
        return -1;
    s->at += whole;
    return s->cut && s->rule->kind == FAULT_CUT ? fail(s->rule, call) : 0;
}

struct faulty_source {
    struct source source;
    struct source *use;
    struct source *from;
    const struct fault_rule *rule;
    uint64_t at;
};

static ssize_t faulty_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct faulty_source *s = container_of(source, struct faulty_source, source);
    uint64_t left = s->rule->at > s->at ? s->rule->at - s->at : 0;

    if (s->rule->kind == FAULT_CUT && left == 0)
        return fail(s->rule, call);
    if (s->rule->kind == FAULT_CUT && n > left)
        n = (size_t)left;
    ssize_t got = source_read(s->from, bytes, n, call);
    if (got <= 0)
        return got;
    if (s->rule->kind == FAULT_CORRUPT && s->rule->at >= s->at &&
        s->rule->at - s->at < (uint64_t)got)
        ((unsigned char *)bytes)[s->rule->at - s->at] ^= 0x20;
    s->at += (uint64_t)got;
    return got;
}

static int faulty_rewind(struct source *source, struct call *call)
{
    struct faulty_source *s = container_of(source, struct faulty_source, source);

    s->at = 0;
    return s->from->rewind(s->from, call);
}

static void faulty_source_init(struct faulty_source *s, const struct fault_rule *rule,
                               struct source *from)
{
    bool changes = rule->kind == FAULT_CUT || rule->kind == FAULT_CORRUPT;

    *s = (struct faulty_source){
        .source = {.read = faulty_read, .rewind = from->rewind ? faulty_rewind : NULL},
        .from = from,
        .rule = rule};
    s->use = changes ? &s->source : from;
}

/* ------------------------------------------------------------------- operations */

static int fault_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_REACH);

    if (before(rule, call) < 0)
        return -1;
    return after(rule, store_reach(s->below, ret_clock_ahead, call), call);
}

static int fault_stat(struct store *s, const struct object_key *key, struct object *ret,
                      struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_STAT);
    auto_object struct object found = OBJECT_INIT;

    if (before(rule, call) < 0 || after(rule, store_stat(s->below, key, &found, call), call) < 0)
        return -1;
    *ret = found;
    found = (struct object)OBJECT_INIT;
    return 0;
}

static int fault_get(struct store *s, const struct object_key *key,
                     const struct get_options *options, struct sink *to, struct object *ret,
                     enum transport_check *ret_check, struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_GET);
    struct faulty_sink sink = {.sink = {.write = faulty_write}, .to = to, .rule = rule};

    if (before(rule, call) < 0 ||
        after(rule, store_get(s->below, key, options, &sink.sink, ret, ret_check, call), call) < 0)
        return -1;
    return rule->kind == FAULT_LONG ? sink_write(to, "!", 1, call) : 0;
}

static int fault_put(struct store *s, const struct object_key *key,
                     const struct put_options *options, struct source *from, struct put_result *ret,
                     struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_PUT);
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct faulty_source source;

    faulty_source_init(&source, rule, from);
    if (before(rule, call) < 0 ||
        after(rule, store_put(s->below, key, options, source.use, &result, call), call) < 0)
        return -1;
    *ret = result;
    result = (struct put_result)PUT_RESULT_INIT;
    return 0;
}

static int fault_remove(struct store *s, const struct object_key *key, const char *if_match,
                        struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_REMOVE);

    if (before(rule, call) < 0)
        return -1;
    return after(rule, store_remove(s->below, key, if_match, call), call);
}

static int fault_list(struct store *s, const char *container, const struct list_options *options,
                      struct object_list *ret, struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_LIST);
    auto_object_list struct object_list page = OBJECT_LIST_INIT;

    if (before(rule, call) < 0 ||
        after(rule, store_list(s->below, container, options, &page, call), call) < 0)
        return -1;
    if (rule->kind == FAULT_STALE && page.count)
        object_release(&page.list[--page.count]);
    *ret = page;
    page = (struct object_list)OBJECT_LIST_INIT;
    return 0;
}

static int fault_upload_begin(struct store *s, const struct object_key *key,
                              const struct put_options *options, char **ret_id, struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_UPLOAD_BEGIN);
    auto_free char *id = NULL;

    if (before(rule, call) < 0 ||
        after(rule, store_upload_begin(s->below, key, options, &id, call), call) < 0)
        return -1;
    *ret_id = take(id);
    return 0;
}

static int fault_upload_part(struct store *s, const struct object_key *key, const char *id,
                             uint32_t number, const struct part_options *options,
                             struct source *from, struct part_result *ret, struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_UPLOAD_PART);
    struct faulty_source source;

    faulty_source_init(&source, rule, from);
    if (before(rule, call) < 0)
        return -1;
    return after(rule, store_upload_part(s->below, key, id, number, options, source.use, ret, call),
                 call);
}

static int fault_upload_commit(struct store *s, const struct object_key *key, const char *id,
                               const struct part_result *parts, uint32_t count,
                               const struct put_options *options, struct put_result *ret,
                               struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_UPLOAD_COMMIT);
    auto_put_result struct put_result result = PUT_RESULT_INIT;

    if (before(rule, call) < 0 ||
        after(rule, store_upload_commit(s->below, key, id, parts, count, options, &result, call),
              call) < 0)
        return -1;
    *ret = result;
    result = (struct put_result)PUT_RESULT_INIT;
    return 0;
}

static int fault_upload_abort(struct store *s, const struct object_key *key, const char *id,
                              struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_UPLOAD_ABORT);

    if (before(rule, call) < 0)
        return -1;
    return after(rule, store_upload_abort(s->below, key, id, call), call);
}

static int fault_copy(struct store *s, const struct object_key *from, const char *if_match,
                      const struct object_key *to, const struct put_options *options,
                      struct put_result *ret, struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_COPY);
    auto_put_result struct put_result result = PUT_RESULT_INIT;

    if (before(rule, call) < 0 ||
        after(rule, store_copy(s->below, from, if_match, to, options, &result, call), call) < 0)
        return -1;
    *ret = result;
    result = (struct put_result)PUT_RESULT_INIT;
    return 0;
}

static int fault_sync(struct store *s, struct call *call)
{
    const struct fault_rule *rule = rule_for(s, FAULT_SYNC);

    if (before(rule, call) < 0)
        return -1;
    return after(rule, store_sync(s->below, call), call);
}

static void fault_close(struct store *s)
{
    struct fault *f = fault_of(s);

    store_release(s);
    free(f->rules);
    free(f);
}

static const struct store_ops fault_ops = {
    .reach = fault_reach,
    .stat = fault_stat,
    .get = fault_get,
    .put = fault_put,
    .remove = fault_remove,
    .list = fault_list,
    .upload_begin = fault_upload_begin,
    .upload_part = fault_upload_part,
    .upload_commit = fault_upload_commit,
    .upload_abort = fault_upload_abort,
    .copy = fault_copy,
    .sync = fault_sync,
    .close = fault_close,
};

struct store *fault_layer(struct store *below, const struct fault_rule *rules, size_t count)
{
    struct fault *f = xcalloc(1, sizeof(*f));

    store_init_layer(&f->store, &fault_ops, below);
    f->rules = xcalloc(count, sizeof(*rules));
    f->count = count;
    if (count)
        memcpy(f->rules, rules, count * sizeof(*rules));
    return &f->store;
}

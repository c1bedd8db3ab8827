// SPDX-License-Identifier: EUPL-1.2
/* The contract: many threads at once. */
#include <stdio.h>

#include "contract_private.h"
#include "util/thread.h"

#define WRITERS 4
#define READERS 2
#define ROUNDS  8
#define LENGTH  70000

/* One key under fire: every body is one letter all through, and its metadata says which. */
struct fire {
    struct fixture *f;
    unsigned number;
};

static int write_rounds(void *argument, struct call *call)
{
    struct fire *fire = argument;
    struct object_key key = key_of(fire->f, "threads/one");
    auto_free char *bytes = xmalloc(LENGTH);

    for (unsigned round = 0; round < ROUNDS; round++) {
        char letter[2] = {(char)('a' + (fire->number * ROUNDS + round) % 26), '\0'};
        auto_object struct object properties = OBJECT_INIT;
        auto_put_result struct put_result result = PUT_RESULT_INIT;
        size_t length = LENGTH - (size_t)letter[0];
        struct put_options options = {.size = length, .properties = &properties, .lazy = true};
        struct source_bytes from;
        memset(bytes, letter[0], length);
        pairs_add(&properties.metadata, "letter", letter);
        source_bytes_init(&from, bytes, length);
        if (store_put(fire->f->store, &key, &options, &from.source, &result, call) < 0)
            return -1;
    }
    return 0;
}

static int read_rounds(void *argument, struct call *call)
{
    struct fire *fire = argument;
    struct object_key key = key_of(fire->f, "threads/one");
    struct get_options whole = {.length = STORE_TO_END};

    for (unsigned round = 0; round < ROUNDS; round++) {
        auto_buf struct buf got = BUF_INIT(LENGTH);
        auto_object struct object object = OBJECT_INIT;
        struct sink_buf sink;
        sink_buf_init(&sink, &got);
        if (store_get(fire->f->store, &key, &whole, &sink.sink, &object, NULL, call) < 0) {
            /* Replaced while it was read: said, not mixed. */
            if (call->err.code != ERR_CHANGED)
                return -1;
            err_clear(&call->err);
            continue;
        }
        const char *letter = pairs_get_nocase(&object.metadata, "letter");
        if (!letter || got.length != object.size || got.length != LENGTH - (size_t)letter[0])
            return err_set(&call->err, ERR_CORRUPT, "body and metadata do not belong together");
        for (size_t i = 0; i < got.length; i++)
            if (got.data[i] != letter[0])
                return err_set(&call->err, ERR_CORRUPT, "a body of several puts");
    }
    return 0;
}

static void one_key(void **state)
{
    struct fixture *f = *state;
    struct fire fires[WRITERS + READERS];
    struct group g;

    fires[0] = (struct fire){f, 0};
    assert_ok(write_rounds(&fires[0], &f->call), &f->call.err);
    group_init(&g, &f->call);
    for (unsigned i = 0; i < WRITERS + READERS; i++) {
        fires[i] = (struct fire){f, i};
        if (group_run(&g, i < WRITERS ? write_rounds : read_rounds, &fires[i]) < 0)
            break;
    }
    assert_ok(group_wait(&g), &f->call.err);
    assert_ok(read_rounds(&fires[0], &f->call), &f->call.err);
}

/* Of many that want a name for the first time, one gets it. */
struct race {
    struct fixture *f;
    unsigned number;
    atomic_uint *won;
};

static int race_for(void *argument, struct call *call)
{
    struct race *race = argument;
    struct object_key key = key_of(race->f, "threads/race");
    struct put_options options = {.size = 1, .if_absent = true};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    char text = (char)('0' + (char)race->number);
    struct source_bytes from;

    source_bytes_init(&from, &text, 1);
    if (store_put(race->f->store, &key, &options, &from.source, &result, call) == 0)
        atomic_fetch_add(race->won, 1);
    else if (call->err.code != ERR_CHANGED)
        return -1;
    return 0;
}

static void first_one_wins(void **state)
{
    struct fixture *f = *state;
    struct race races[8];
    atomic_uint won = 0;
    struct group g;

    if (f->contract->lacks & (LACKS_PUT_IF_ABSENT | LACKS_ATOMIC_IF_ABSENT))
        skip();
    group_init(&g, &f->call);
    for (unsigned i = 0; i < ARRAY_SIZE(races); i++) {
        races[i] = (struct race){f, i, &won};
        if (group_run(&g, race_for, &races[i]) < 0)
            break;
    }
    assert_ok(group_wait(&g), &f->call.err);
    assert_int_equal(atomic_load(&won), 1);
}

/* Names that get in each other's way as files and folders, made and removed at once. */
static int churn_names(void *argument, struct call *call)
{
    static const char *const names[] = {"threads/n", "threads/n/n", "threads/n/n/n", "threads/n/m"};
    struct fire *fire = argument;

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct object_key key = key_of(fire->f, names[fire->number % ARRAY_SIZE(names)]);
        struct put_options options = {.size = 3, .lazy = true};
        auto_put_result struct put_result result = PUT_RESULT_INIT;
        auto_object struct object told = OBJECT_INIT;
        struct source_bytes from;
        source_bytes_init(&from, "abc", 3);
        if (store_put(fire->f->store, &key, &options, &from.source, &result, call) < 0 ||
            store_stat(fire->f->store, &key, &told, call) < 0 ||
            store_remove(fire->f->store, &key, NULL, call) < 0)
            return -1;
    }
    return 0;
}

static void names_in_the_way(void **state)
{
    struct fixture *f = *state;
    struct fire fires[4];
    auto_object_list struct object_list left = OBJECT_LIST_INIT;
    struct group g;

    group_init(&g, &f->call);
    for (unsigned i = 0; i < ARRAY_SIZE(fires); i++) {
        fires[i] = (struct fire){f, i};
        if (group_run(&g, churn_names, &fires[i]) < 0)
            break;
    }
    assert_ok(group_wait(&g), &f->call.err);
    list_names(f, "threads/n", NULL, 0, 0, &left);
    assert_int_equal(left.count, 0);
}

/* The parts of one upload from many threads. */
struct sender {
    struct fixture *f;
    const struct object_key *key;
    const char *id;
    const unsigned char *bytes;
    size_t size;
    uint32_t number;
    struct part_result result;
};

static int send_one(void *argument, struct call *call)
{
    struct sender *s = argument;
    struct part_options options = {.offset = s->number * s->size, .size = s->size};
    struct source_bytes from;

    source_bytes_init(&from, s->bytes + options.offset, s->size);
    return store_upload_part(s->f->store, s->key, s->id, s->number, &options, &from.source,
                             &s->result, call);
}

static void parts_at_once(void **state)
{
    struct fixture *f = *state;
    uint64_t least = f->store->traits.part_size_min;
    size_t size = least > 100000 ? (size_t)least : 100000;
    struct object_key key = key_of(f, "threads/parts");
    struct sender senders[6];
    struct part_result results[ARRAY_SIZE(senders)];
    struct put_options options = {.size = ARRAY_SIZE(senders) * size};
    auto_free unsigned char *bytes = make_bytes((size_t)options.size, 4);
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    auto_free char *id = NULL;
    struct group g;

    assert_ok(store_upload_begin(f->store, &key, &options, &id, &f->call), &f->call.err);
    group_init(&g, &f->call);
    for (uint32_t i = 0; i < ARRAY_SIZE(senders); i++) {
        senders[i] = (struct sender){
            .f = f, .key = &key, .id = id, .bytes = bytes, .size = size, .number = i};
        if (group_run(&g, send_one, &senders[i]) < 0)
            break;
    }
    assert_ok(group_wait(&g), &f->call.err);
    for (size_t i = 0; i < ARRAY_SIZE(senders); i++)
        results[i] = senders[i].result;
    assert_ok(store_upload_commit(f->store, &key, id, results, ARRAY_SIZE(results), &options,
                                  &result, &f->call),
              &f->call.err);
    assert_holds_bytes(f, "threads/parts", bytes, (size_t)options.size);
}

const struct contract_test contract_thread_tests[] = {
    {"threads: one key", one_key},
    {"threads: first one wins", first_one_wins},
    {"threads: names in the way", names_in_the_way},
    {"threads: parts at once", parts_at_once},
    {NULL, NULL},
};

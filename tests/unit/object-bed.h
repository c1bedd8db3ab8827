// SPDX-License-Identifier: EUPL-1.2
/* An object service over a file store and a SQLite index, made for one test: account "acct" with a
 * container "c". */
#ifndef TESTS_OBJECT_BED_H
#define TESTS_OBJECT_BED_H

#include "object/container.h"
#include "object/read.h"
#include "object/write.h"
#include "vault.h"

struct object_bed {
    char path[200];
    struct store *store;
    struct service *service;
    struct index *index;
    struct call call;
};

static inline int object_bed_account(struct db *db, void *argument, struct call *call)
{
    struct account_row row = account_row_new();
    row.name = (char *)"acct";
    row.settings = argument;
    return row_put(db, &account_table, &row, call);
}

static inline void object_bed_open(struct object_bed *b)
{
    struct service_store stores[] = {{.name = "vault", .store = b->store, .container = "bodies"}};
    struct service_options options = {.stores = stores, .store_count = 1};
    auto_free char *url = xasprintf("sqlite:%s/index.db", b->path);
    b->service = service_new(&options);
    struct index_options index_options = {.before_commit = service_before_commit,
                                          .before_commit_argument = b->service};
    assert_ok(index_open(url, &index_options, &b->index, &b->call), &b->call.err);
    assert_ok(service_start(b->service, b->index, &b->call), &b->call.err);
}

static inline void object_bed_close(struct object_bed *b)
{
    index_close(b->index);
    service_free(b->service);
}

/* settings: JSON, NULL for none. */
static inline void object_bed_settings(struct object_bed *b, const char *settings)
{
    assert_ok(index_write(b->index, INDEX_DURABLE, object_bed_account, (void *)settings, &b->call),
              &b->call.err);
}

static inline int object_bed_set_up(void **state)
{
    struct object_bed *b = calloc(1, sizeof(*b));
    const char *folder = getenv("TMPDIR");

    (void)snprintf(b->path, sizeof(b->path), "%s/bascule-test-XXXXXX", folder ? folder : "/tmp");
    assert_non_null(mkdtemp(b->path));
    assert_ok(file_store_open(b->path, "vault", &b->store, &b->call), &b->call.err);
    object_bed_open(b);
    object_bed_settings(b, NULL);
    assert_ok(service_container_create(b->service, "acct", "c", NULL, NULL, &b->call),
              &b->call.err);
    *state = b;
    return 0;
}

static inline int object_bed_tear_down(void **state)
{
    struct object_bed *b = *state;

    object_bed_close(b);
    store_close(b->store);
    (void)nftw(b->path, vault_remove_one, 20, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}

#define object_test(function) \
    cmocka_unit_test_setup_teardown(function, object_bed_set_up, object_bed_tear_down)

static inline struct place place_of(const char *name)
{
    return (struct place){.account = "acct", .container = "c", .name = name};
}

static inline int object_bed_try_put(struct object_bed *b, const char *name, const char *text,
                                     const struct conditions *conditions, struct object_row *ret)
{
    struct source_bytes body;
    struct put_request request = {.place = place_of(name),
                                  .conditions = CONDITIONS_INIT,
                                  .body = &body.source,
                                  .size = strlen(text),
                                  .keep_md5 = true};
    if (conditions)
        request.conditions = *conditions;
    source_bytes_init(&body, text, strlen(text));
    return service_put(b->service, &request, ret, NULL, &b->call);
}

static inline void object_bed_put(struct object_bed *b, const char *name, const char *text)
{
    assert_ok(object_bed_try_put(b, name, text, NULL, NULL), &b->call.err);
}

/* What a read gives, into got. */
static inline int object_bed_read(struct object_bed *b, const struct place *place,
                                  const struct range *range, struct buf *got)
{
    auto_reading struct reading r = READING_INIT;
    struct sink_buf sink;

    buf_reset(got);
    sink_buf_init(&sink, got);
    if (service_open_read(b->service, place, NULL, range, &r, &b->call) < 0)
        return -1;
    return service_read(b->service, &r, &sink.sink, &b->call);
}

static inline void object_bed_holds(struct object_bed *b, const struct place *place,
                                    const char *text)
{
    auto_buf struct buf got = BUF_INIT(1 << 24);
    assert_ok(object_bed_read(b, place, NULL, &got), &b->call.err);
    assert_string_equal(got.data, text);
}

/* The fault of what must fail. */
#define assert_fault(expression, expected, b)                                                 \
    do {                                                                                      \
        if ((expression) >= 0)                                                                \
            fail_msg("%s: did not fail", #expression);                                        \
        if ((b)->call.err.fault != (int)(expected))                                           \
            fail_msg("%s: %s (%s)", #expression, fault_word((enum fault)(b)->call.err.fault), \
                     (b)->call.err.text);                                                     \
        err_clear(&(b)->call.err);                                                            \
    } while (0)

#endif

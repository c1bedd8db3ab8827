// SPDX-License-Identifier: EUPL-1.2
/* A file store in a directory made for one test, for tests of stores and layers. */
#ifndef TESTS_VAULT_H
#define TESTS_VAULT_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/driver/file.h"
#include "unit.h"

struct vault {
    char path[200];
    struct store *store;
    struct call call;
};

static inline int vault_remove_one(const char *path, const struct stat *info, int type,
                                   struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

/* With a container "c". */
static inline int vault_set_up(void **state)
{
    struct vault *s = calloc(1, sizeof(*s));
    const char *folder = getenv("TMPDIR");

    (void)snprintf(s->path, sizeof(s->path), "%s/bascule-test-XXXXXX", folder ? folder : "/tmp");
    assert_non_null(mkdtemp(s->path));
    assert_ok(file_store_open(s->path, "vault", &s->store, &s->call), &s->call.err);
    assert_ok(store_container_create(s->store, "c", NULL, &s->call), &s->call.err);
    *state = s;
    return 0;
}

static inline int vault_tear_down(void **state)
{
    struct vault *s = *state;

    store_close(s->store);
    (void)nftw(s->path, vault_remove_one, 20, FTW_DEPTH | FTW_PHYS);
    free(s);
    return 0;
}

#define vault_test(function) \
    cmocka_unit_test_setup_teardown(function, vault_set_up, vault_tear_down)

static inline struct object_key vault_key(const char *name)
{
    return (struct object_key){.container = "c", .name = name};
}

static inline void vault_put(struct vault *s, const char *name, const char *text)
{
    struct object_key key = vault_key(name);
    struct put_options options = {.size = strlen(text), .lazy = true};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, text, strlen(text));
    assert_ok(store_put(s->store, &key, &options, &from.source, &result, &s->call), &s->call.err);
}

static inline void vault_holds(struct vault *s, const char *name, const char *text)
{
    struct object_key key = vault_key(name);
    struct get_options whole = {.length = STORE_TO_END};
    auto_buf struct buf got = BUF_INIT(1 << 24);
    struct sink_buf sink;

    sink_buf_init(&sink, &got);
    assert_ok(store_get(s->store, &key, &whole, &sink.sink, NULL, NULL, &s->call), &s->call.err);
    assert_string_equal(got.data, text);
}

#endif

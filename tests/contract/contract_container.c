// SPDX-License-Identifier: EUPL-1.2
/* The contract: containers and their settings. */
#include "contract_private.h"
#include "util/random.h"

static bool is_listed(struct fixture *f, const char *name)
{
    auto_free char *cursor = NULL;
    bool found = false;

    for (;;) {
        auto_container_list struct container_list page = CONTAINER_LIST_INIT;
        assert_ok(store_container_list(f->store, cursor, &page, &f->call), &f->call.err);
        for (size_t i = 0; i < page.count; i++) {
            assert_non_null(page.list[i].name);
            found = found || strcmp(page.list[i].name, name) == 0;
        }
        free(take(cursor));
        if (!page.cursor)
            return found;
        cursor = take(page.cursor);
    }
}

static void life(void **state)
{
    struct fixture *f = *state;
    char random[13];
    auto_container struct container properties = CONTAINER_INIT, told = CONTAINER_INIT;
    struct object_list page = OBJECT_LIST_INIT;
    struct list_options all = {.limit = 0};
    struct call *call = &f->call;

    if (!f->store->containers || f->contract->container)
        skip();
    random_hex(random, 6);
    auto_free char *name = xasprintf("contract-life-%s", random);
    struct container none = CONTAINER_INIT;
    assert_fails(f, store_container_stat(f->store, name, &none, call), ERR_NOT_FOUND);
    assert_false(is_listed(f, name));
    assert_ok(store_container_create(f->store, name, &properties, call), &call->err);
    assert_fails(f, store_container_create(f->store, name, &properties, call), ERR_EXISTS);
    assert_ok(store_container_stat(f->store, name, &told, call), &call->err);
    assert_string_equal(told.name, name);
    assert_true(is_listed(f, name));
    assert_ok(store_list(f->store, name, &all, &page, call), &call->err);
    assert_int_equal(page.count, 0);
    assert_null(page.cursor);
    object_list_release(&page);
    if (f->contract->lacks & LACKS_CONTAINER_REMOVE)
        return;
    assert_ok(store_container_remove(f->store, name, call), &call->err);
    assert_fails(f, store_container_remove(f->store, name, call), ERR_NOT_FOUND);
    assert_false(is_listed(f, name));
}

static void settings(void **state)
{
    struct fixture *f = *state;
    auto_buf struct buf before = BUF_INIT(1 << 20), after = BUF_INIT(1 << 20),
                        left = BUF_INIT(1 << 20);

    if (!f->store->containers)
        skip();
    assert_ok(store_container_settings(f->store, f->container, &before, &f->call), &f->call.err);
    assert_true(before.length >= 2 && before.data[0] == '{');
    assert_ok(store_container_apply(f->store, f->container, "{}", &left, &f->call), &f->call.err);
    assert_string_equal(left.data, "{}");
    buf_reset(&left);
    struct buf broken = BUF_INIT(1000);
    assert_fails(f, store_container_apply(f->store, f->container, "{not", &broken, &f->call),
                 ERR_INVALID);
    if (!f->store->traits.holds_everything)
        return;
    assert_ok(store_container_apply(f->store, f->container, "{\"cors\": [{\"origin\": \"*\"}]}",
                                    &left, &f->call),
              &f->call.err);
    assert_string_equal(left.data, "{}");
    assert_ok(store_container_settings(f->store, f->container, &after, &f->call), &f->call.err);
    assert_non_null(strstr(after.data, "\"cors\""));
}

const struct contract_test contract_container_tests[] = {
    {"containers: life", life},
    {"containers: settings", settings},
    {NULL, NULL},
};

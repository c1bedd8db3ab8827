// SPDX-License-Identifier: EUPL-1.2
/* The lines of the log layer. */
#include "store/layer/log.h"

#include <fcntl.h>
#include <unistd.h>

#include "vault.h"

/* What an operation writes to standard error. */
static char *lines_of(struct vault *v, void (*act)(struct vault *v))
{
    char path[] = "/tmp/bascule-log-XXXXXX";
    int file = mkstemp(path), before = dup(STDERR_FILENO);
    char *text = calloc(1, 10000);

    assert_true(file >= 0 && before >= 0);
    assert_true(dup2(file, STDERR_FILENO) >= 0);
    act(v);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    (void)close(before);
    assert_true(pread(file, text, 9999, 0) >= 0);
    (void)close(file);
    (void)unlink(path);
    return text;
}

static void put_and_get(struct vault *v)
{
    vault_put(v, "a\nb", "12345");
    vault_holds(v, "a\nb", "12345");
}

static void stat_missing(struct vault *v)
{
    struct object_key key = vault_key("missing");
    struct object told = OBJECT_INIT;

    assert_int_equal(store_stat(v->store, &key, &told, &v->call), -1);
}

static void one_line_each(void **state)
{
    struct vault *v = *state;
    struct log_options options = {.success = LOG_INFO, .failure = LOG_WARNING};

    v->store = log_layer(v->store, &options);
    log_set_level(LOG_INFO);
    auto_free char *lines = lines_of(v, put_and_get);
    assert_non_null(strstr(lines, "info: vault: put 'c/a\\x0ab': ok, 5 bytes, "));
    assert_non_null(strstr(lines, "info: vault: get 'c/a\\x0ab' 0+: ok, 5 bytes, "));
    auto_free char *failure = lines_of(v, stat_missing);
    assert_non_null(strstr(failure, "warning: vault: stat 'c/missing': not_found, "));
    log_set_level(LOG_WARNING);
    auto_free char *quiet = lines_of(v, put_and_get);
    assert_string_equal(quiet, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {vault_test(one_line_each)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

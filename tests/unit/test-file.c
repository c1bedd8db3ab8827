// SPDX-License-Identifier: EUPL-1.2
/* What is particular to the file store: what lies on disk, and what happens around it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/driver/file_private.h"
#include "vault.h"

static char *path_of(const struct vault *s, const char *below)
{
    return xasprintf("%s/%s", s->path, below);
}

static bool exists(const struct vault *s, const char *below)
{
    auto_free char *path = path_of(s, below);
    struct stat info;

    return lstat(path, &info) == 0;
}

static void write_file(const struct vault *s, const char *below, const char *text)
{
    auto_free char *path = path_of(s, below);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static char *read_file(const struct vault *s, const char *below)
{
    auto_free char *path = path_of(s, below);
    char *text = calloc(1, 100000);
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    assert_true(fread(text, 1, 99999, file) < 99999);
    assert_int_equal(fclose(file), 0);
    return text;
}

static unsigned count_entries(const struct vault *s, const char *below)
{
    auto_free char *path = path_of(s, below);
    auto_free char *command = xasprintf("find '%s' -mindepth 1 | wc -l", path);
    FILE *found = popen(command, "r");
    unsigned count = 99;

    assert_int_equal(fscanf(found, "%u", &count), 1);
    (void)pclose(found);
    return count;
}

static void put_as(struct vault *s, const char *name, const char *text, const char *type,
                   int64_t modified)
{
    struct object_key key = vault_key(name);
    auto_object struct object properties = OBJECT_INIT;
    struct put_options options = {.size = strlen(text), .properties = &properties, .lazy = true};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    properties.content_type = xstrdup(type);
    properties.modified = modified;
    source_bytes_init(&from, text, strlen(text));
    assert_ok(store_put(s->store, &key, &options, &from.source, &result, &s->call), &s->call.err);
}

static void assert_type(struct vault *s, const char *name, const char *type)
{
    struct object_key key = vault_key(name);
    auto_object struct object told = OBJECT_INIT;

    assert_ok(store_stat(s->store, &key, &told, &s->call), &s->call.err);
    if (!same_string(told.content_type, type))
        fail_msg("'%s' has type %s instead of %s", name, told.content_type, type);
}

static void bodies_are_files(void **state)
{
    struct vault *s = *state;

    vault_put(s, "2026/jan.pdf", "the body");
    auto_free char *text = read_file(s, "c/2026/jan.pdf");
    assert_string_equal(text, "the body");
    assert_true(exists(s, ".bascule/meta/c/2026/jan.pdf.json"));
    assert_int_equal(count_entries(s, ".bascule/tmp"), 0);
}

static char *put_plain(struct vault *s, const char *name, const char *text)
{
    struct object_key key = vault_key(name);
    struct put_options options = {.size = strlen(text), .plain = true, .lazy = true};
    struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, text, strlen(text));
    assert_ok(store_put(s->store, &key, &options, &from.source, &result, &s->call), &s->call.err);
    return result.etag;
}

static void assert_etag(struct vault *s, const char *name, const char *etag)
{
    struct object_key key = vault_key(name);
    auto_object struct object told = OBJECT_INIT;

    assert_ok(store_stat(s->store, &key, &told, &s->call), &s->call.err);
    assert_string_equal(told.etag, etag);
}

/* Only bytes: no file beside, unless an older one has to be corrected. */
static void plain_bodies_stand_alone(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("p/x");
    struct get_options all = {.length = STORE_TO_END, .plain = true};
    auto_buf struct buf bytes = BUF_INIT(100);
    struct sink_buf sink;

    auto_free char *etag = put_plain(s, "p/x", "the body");
    assert_false(exists(s, ".bascule/meta/c/p/x.json"));
    vault_holds(s, "p/x", "the body");
    assert_etag(s, "p/x", etag);

    put_as(s, "p/x", "described", "x/y", TIME_UNKNOWN);
    assert_type(s, "p/x", "x/y");
    auto_free char *over = put_plain(s, "p/x", "plainly!!");
    assert_type(s, "p/x", NULL);
    assert_etag(s, "p/x", over);

    write_file(s, ".bascule/meta/c/p/x.json", "{");
    sink_buf_init(&sink, &bytes);
    assert_ok(store_get(s->store, &key, &all, &sink.sink, NULL, NULL, &s->call), &s->call.err);
    assert_string_equal(bytes.data, "plainly!!");

    auto_free char *path = path_of(s, "c/p/x");
    assert_int_equal(unlink(path), 0);
    auto_free char *healed = put_plain(s, "p/x", "anew");
    assert_etag(s, "p/x", healed);
}

static void a_beside_a_slash_b(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("a/b");

    put_as(s, "a", "leaf", "x/leaf", TIME_UNKNOWN);
    put_as(s, "a/b", "below", "x/below", TIME_UNKNOWN);
    assert_true(exists(s, "c/%=a") && exists(s, "c/a/b"));
    assert_type(s, "a", "x/leaf");
    put_as(s, "a", "again", "x/again", TIME_UNKNOWN);
    assert_true(exists(s, "c/%=a"));
    assert_ok(store_remove(s->store, &key, NULL, &s->call), &s->call.err);
    assert_false(exists(s, "c/a"));
    vault_holds(s, "a", "again");
    assert_type(s, "a", "x/again");
}

static void files_by_hand(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("hand/made");
    auto_object struct object first = OBJECT_INIT, second = OBJECT_INIT;
    auto_object_list struct object_list all = OBJECT_LIST_INIT;
    struct list_options options = {.limit = 0};
    struct pair pair = {(char *)(uintptr_t) "k", (char *)(uintptr_t) "v"};
    struct pairs tags = {&pair, 1, 1};
    auto_free char *folder = path_of(s, "c/hand");

    assert_int_equal(mkdir(folder, 0777), 0);
    write_file(s, "c/hand/made", "by hand");
    vault_holds(s, "hand/made", "by hand");
    assert_ok(store_stat(s->store, &key, &first, &s->call), &s->call.err);
    assert_ok(store_list(s->store, "c", &options, &all, &s->call), &s->call.err);
    assert_int_equal(all.count, 1);
    assert_string_equal(all.list[0].etag, first.etag);
    assert_ok(store_tags_set(s->store, &key, &tags, &s->call), &s->call.err);
    assert_ok(store_stat(s->store, &key, &second, &s->call), &s->call.err);
    assert_string_equal(second.etag, first.etag);
    assert_string_equal(pairs_get(&second.tags, "k"), "v");
}

static void changed_by_hand(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("x");
    auto_object struct object before = OBJECT_INIT, after = OBJECT_INIT;

    put_as(s, "x", "one", "a/b", TIME_UNKNOWN);
    assert_ok(store_stat(s->store, &key, &before, &s->call), &s->call.err);
    write_file(s, "c/x", "another size");
    assert_ok(store_stat(s->store, &key, &after, &s->call), &s->call.err);
    assert_string_not_equal(before.etag, after.etag);
    assert_null(after.content_type);
    assert_int_equal(after.size, 12);
}

/* Between the writing of the metadata and the rename of the body: the old object, whole. */
static void crash_before_rename(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("x");
    auto_object struct object told = OBJECT_INIT;

    put_as(s, "x", "old body", "x/old", 1000000000);
    auto_free char *body = path_of(s, "c/x"), *kept = path_of(s, "kept");
    assert_int_equal(link(body, kept), 0);
    put_as(s, "x", "new body", "x/new", 1000000000);
    assert_type(s, "x", "x/new");
    /* Both have one size and one time: only the inode tells them apart. */
    assert_int_equal(rename(kept, body), 0);
    assert_ok(store_stat(s->store, &key, &told, &s->call), &s->call.err);
    assert_string_equal(told.content_type, "x/old");
    vault_holds(s, "x", "old body");
    assert_int_equal(told.modified, 1000000000);
}

/* A folder this store holds open was removed and made again by another: what is in the new one
 * still counts, and its description stays beside ours until ours is in place. */
static void folder_made_again(void **state)
{
    struct vault *s = *state;
    struct vault other = *s;
    struct object_key key = vault_key("d/x");

    assert_ok(file_store_open(s->path, "other", &other.store, &s->call), &s->call.err);
    put_as(s, "d/x", "one", "x/one", TIME_UNKNOWN);
    assert_ok(store_remove(other.store, &key, NULL, &s->call), &s->call.err);
    put_as(&other, "d/x", "two", "x/two", TIME_UNKNOWN);
    put_as(s, "d/x", "three", "x/three", TIME_UNKNOWN);
    auto_free char *meta = read_file(s, ".bascule/meta/c/d/x.json");
    assert_non_null(strstr(meta, "x/three"));
    assert_non_null(strstr(meta, "x/two"));
    assert_null(strstr(meta, "x/one"));
    store_close(other.store);
}

/* Metadata for a body that never came: no object. */
static void crash_before_first_link(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("x");
    struct object told = OBJECT_INIT;
    auto_free char *body = path_of(s, "c/x");

    put_as(s, "x", "body", "x/y", TIME_UNKNOWN);
    assert_int_equal(unlink(body), 0);
    assert_int_equal(store_stat(s->store, &key, &told, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_NOT_FOUND);
    put_as(s, "x", "again", "x/z", TIME_UNKNOWN);
    assert_type(s, "x", "x/z");
}

static void survives_backup(void **state)
{
    struct vault *s = *state;
    auto_free char *command =
        xasprintf("cd '%s' && mkdir ../bascule-copy.$$ && cp -a . ../bascule-copy.$$/ && rm -rf c "
                  ".bascule && cp -a ../bascule-copy.$$/. . && rm -rf ../bascule-copy.$$",
                  s->path);
    auto_free char *archive =
        xasprintf("cd '%s' && tar cf ../bascule-copy.tar.$$ . && rm -rf c .bascule && tar xf "
                  "../bascule-copy.tar.$$ && rm ../bascule-copy.tar.$$",
                  s->path);

    /* Times differ: of two bodies with one size and time only the inode tells which is described,
     * and a copy may happen to get the other one's. */
    put_as(s, "a/b", "body", "x/y", 1234567890123456789);
    put_as(s, "a/b", "bodx", "x/z", 1234567890987654321);
    assert_int_equal(system(command), 0);
    store_close(s->store);
    assert_ok(file_store_open(s->path, "vault", &s->store, &s->call), &s->call.err);
    assert_type(s, "a/b", "x/z");
    assert_int_equal(system(archive), 0);
    store_close(s->store);
    assert_ok(file_store_open(s->path, "vault", &s->store, &s->call), &s->call.err);
    assert_type(s, "a/b", "x/z");
}

static void links_are_not_followed(void **state)
{
    struct vault *s = *state;
    struct object_key inside = vault_key("link/passwd"), leaf = vault_key("leaf");
    auto_free char *folder = path_of(s, "c/link"), *file = path_of(s, "c/leaf");
    auto_object_list struct object_list all = OBJECT_LIST_INIT;
    struct list_options options = {.limit = 0};
    struct object told = OBJECT_INIT;
    struct put_options put = {.size = 1};
    struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    assert_int_equal(symlink("/etc", folder), 0);
    assert_int_equal(symlink("/etc/passwd", file), 0);
    assert_int_equal(store_stat(s->store, &inside, &told, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_NOT_FOUND);
    assert_int_equal(store_stat(s->store, &leaf, &told, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_NOT_FOUND);
    assert_ok(store_list(s->store, "c", &options, &all, &s->call), &s->call.err);
    assert_int_equal(all.count, 0);
    source_bytes_init(&from, "x", 1);
    inside.name = "link/new";
    assert_int_equal(store_put(s->store, &inside, &put, &from.source, &result, &s->call), -1);
    assert_int_not_equal(access("/etc/new", F_OK), 0);
}

static void names_cannot_escape(void **state)
{
    struct vault *s = *state;
    struct object_key key = {.container = FILE_OWN, .name = "tmp/x"};
    struct object told = OBJECT_INIT;

    vault_put(s, "../../outside", "x");
    assert_true(exists(s, "c/%-../%-../outside"));
    assert_int_equal(store_stat(s->store, &key, &told, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_NAME);
    assert_int_equal(store_container_create(s->store, FILE_OWN, NULL, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_NAME);
    assert_ok(store_container_create(s->store, "..", NULL, &s->call), &s->call.err);
    assert_true(exists(s, "%-.."));
}

static void damaged_metadata_is_told(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("x");
    struct object told = OBJECT_INIT;
    auto_object_list struct object_list all = OBJECT_LIST_INIT;
    struct list_options options = {.limit = 0};

    put_as(s, "x", "body", "x/y", TIME_UNKNOWN);
    write_file(s, ".bascule/meta/c/x.json", "{\"bodies\": [{\"etag\"");
    assert_int_equal(store_stat(s->store, &key, &told, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_CORRUPT);
    assert_ok(store_list(s->store, "c", &options, &all, &s->call), &s->call.err);
    assert_int_equal(all.count, 1);
    put_as(s, "x", "body", "x/z", TIME_UNKNOWN);
    assert_type(s, "x", "x/z");
}

static void leftovers_are_swept(void **state)
{
    struct vault *s = *state;
    struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    auto_free char *path = path_of(s, ".bascule/tmp/old");

    write_file(s, ".bascule/tmp/old", "left");
    write_file(s, ".bascule/tmp/young", "in use");
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    store_close(s->store);
    assert_ok(file_store_open(s->path, "vault", &s->store, &s->call), &s->call.err);
    vault_put(s, "x", "y");
    assert_false(exists(s, ".bascule/tmp/old"));
    assert_true(exists(s, ".bascule/tmp/young"));
}

/* A limit on the size of files stands for a full disk. */
static void full_disk(void **state)
{
    struct vault *s = *state;
    struct rlimit before, small;
    struct object_key key = vault_key("big");
    struct put_options options = {.size = 3 << 20};
    struct put_result result = PUT_RESULT_INIT;
    struct object told = OBJECT_INIT;
    struct source_zeros zeros;

    vault_put(s, "small", "x");
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    source_zeros_init(&zeros, 3 << 20);
    int put = store_put(s->store, &key, &options, &zeros.source, &result, &s->call);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(put, -1);
    assert_int_equal(s->call.err.code, ERR_NO_SPACE);
    assert_int_equal(count_entries(s, ".bascule/tmp"), 0);
    assert_int_equal(store_stat(s->store, &key, &told, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_NOT_FOUND);
}

/* A source that is only read is not written to. */
static void reading_writes_nothing(void **state)
{
    struct vault *s = *state;
    auto_free char *own = path_of(s, "c/inner");
    struct store *store;
    struct call *call = &s->call;
    struct list_options options = {.limit = 0};
    auto_object_list struct object_list all = OBJECT_LIST_INIT;

    assert_int_equal(mkdir(own, 0777), 0);
    write_file(s, "c/inner/x", "y");
    auto_free char *root = path_of(s, "c");
    assert_ok(file_store_open(root, "source", &store, call), &call->err);
    assert_ok(store_list(store, "inner", &options, &all, call), &call->err);
    assert_int_equal(all.count, 1);
    store_close(store);
    assert_int_equal(count_entries(s, "c"), 2);
}

static void no_such_root(void **state)
{
    struct vault *s = *state;
    struct store *store = NULL;
    auto_free char *path = path_of(s, "nowhere");

    assert_int_equal(file_store_open(path, "vault", &store, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_NOT_FOUND);
    assert_ok(file_store_open_or_make(path, "vault", &store, &s->call), &s->call.err);
    store_close(store);
}

/* More names in one folder than a window holds, listed in order and once each. */
static void large_folder(void **state)
{
    struct vault *s = *state;
    unsigned count = 0, total = 25000;
    auto_free char *cursor = NULL, *last = xstrdup("");
    auto_free char *folder = path_of(s, "c/big");

    assert_int_equal(mkdir(folder, 0777), 0);
    for (unsigned i = 0; i < total; i++) {
        char name[300];
        (void)snprintf(name, sizeof(name), "%s/%08x-%0200u", folder, i * 2654435761U, i);
        int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
        assert_true(fd >= 0);
        (void)close(fd);
    }
    do {
        struct list_options options = {.cursor = cursor};
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        assert_ok(store_list(s->store, "c", &options, &page, &s->call), &s->call.err);
        for (size_t i = 0; i < page.count; i++, count++) {
            assert_true(strcmp(page.list[i].name, last) > 0);
            replace_string(&last, page.list[i].name);
        }
        replace_string(&cursor, page.cursor);
    } while (cursor);
    assert_int_equal(count, total);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        vault_test(bodies_are_files),
        vault_test(plain_bodies_stand_alone),
        vault_test(a_beside_a_slash_b),
        vault_test(files_by_hand),
        vault_test(changed_by_hand),
        vault_test(crash_before_rename),
        vault_test(crash_before_first_link),
        vault_test(folder_made_again),
        vault_test(survives_backup),
        vault_test(links_are_not_followed),
        vault_test(names_cannot_escape),
        vault_test(damaged_metadata_is_told),
        vault_test(leftovers_are_swept),
        vault_test(full_disk),
        vault_test(reading_writes_nothing),
        vault_test(no_such_root),
        vault_test(large_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: EUPL-1.2
/*
 * Writes and reads blobs through the Azure driver, for tests/e2e/test-azure-driver, where
 * Microsoft's own library judges what was written and writes what is read.
 *
 *     azure-tool write CONTAINER     the objects below
 *     azure-tool read CONTAINER      one JSON line for each entry of a full listing, with its
 * body's SHA-256 (or the error) and, for page blobs, its extents
 *
 * The account is the bed's; with BED_AZURE_SAS the SAS is used instead of the key.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "crypto/hash.h"
#include "store/driver/azure.h"
#include "store/object_json.h"

#define BLOCK 300000

static int failed(const char *what, const struct call *call)
{
    (void)fprintf(stderr, "azure-tool: %s: %s: %s\n", what, err_word(call->err.code),
                  call->err.text);
    return -1;
}

static int put(struct store *s, const char *container, const char *name, const void *bytes,
               size_t n, const struct object *properties, struct call *call)
{
    struct object_key key = {.container = container, .name = name};
    struct put_options options = {.properties = properties, .size = n};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, bytes, n);
    if (store_put(s, &key, &options, &from.source, &result, call) < 0)
        return failed(name, call);
    if (result.proof != PROOF_CHECKSUM) {
        (void)err_set(&call->err, ERR_INTERNAL, "proof is only '%s'", proof_word(result.proof));
        return failed(name, call);
    }
    return 0;
}

static void fill(struct object *o, enum object_type type)
{
    o->type = type;
    o->content_type = xstrdup("text/x-test; charset=utf-8");
    o->content_encoding = xstrdup("identity");
    o->content_language = xstrdup("fr-FR");
    o->content_disposition = xstrdup("attachment; filename=\"a b.txt\"");
    o->cache_control = xstrdup("max-age=60");
    pairs_add(&o->metadata, "CamelCase", "value, with = signs; and \"quotes\"");
    pairs_add(&o->metadata, "lower_case9", "2");
    pairs_add(&o->tags, "Project +-./:=_", "bascule 1");
    pairs_add(&o->tags, "empty", "");
    o->tier = xstrdup("Cool");
    o->sequence = 7;
}

static int upload(struct store *s, const char *container, const struct object *properties,
                  struct call *call)
{
    static char bytes[3][BLOCK];
    static const uint32_t order[] = {2, 0, 1};
    struct object_key key = {.container = container, .name = "blocks"};
    struct put_options options = {.properties = properties, .size = 3 * BLOCK};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct part_result parts[3];
    auto_free char *id = NULL;

    if (store_upload_begin(s, &key, &options, &id, call) < 0)
        return failed("begin", call);
    for (size_t i = 0; i < 3; i++) {
        uint32_t number = order[i];
        struct part_options part = {.offset = (uint64_t)number * BLOCK, .size = BLOCK};
        struct source_bytes from;
        memset(bytes[number], (int)('a' + number), BLOCK);
        source_bytes_init(&from, bytes[number], BLOCK);
        if (store_upload_part(s, &key, id, number, &part, &from.source, &parts[number], call) < 0)
            return failed("part", call);
    }
    if (store_upload_commit(s, &key, id, parts, 3, &options, &result, call) < 0)
        return failed("commit", call);
    return 0;
}

static int write_all(struct store *s, const char *container, struct call *call)
{
    static const char *const odd[] = {
        "odd/a%25b",       "odd/a%b",          "odd/q?x=1&y", "odd/h#x",     "odd/p+q",
        "odd/ sp ace ",    "odd//two",         "/lead",       "odd/trail/",  "odd/dot.",
        "odd/caf\xc3\xa9", "odd/cafe\xcc\x81", "odd/<&>\"'",  "odd/a;b,c@d", "odd/\xf0\x9f\x98\x80",
    };
    static char body[1 << 20];
    auto_object struct object block = OBJECT_INIT, page = OBJECT_INIT, append = OBJECT_INIT;
    auto_object struct object folder = OBJECT_INIT;

    fill(&block, OBJECT_BLOCK);
    fill(&page, OBJECT_PAGE);
    fill(&append, OBJECT_APPEND);
    folder.is_folder = true;
    memset(body + 512, 1, 512);
    memset(body + 65536, 2, 4096);
    body[sizeof(body) - 1] = 3;
    for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
        if (put(s, container, odd[i], odd[i], strlen(odd[i]), NULL, call) < 0)
            return -1;
    if (put(s, container, "plain", "hello", 5, &block, call) < 0 ||
        put(s, container, "empty", "", 0, NULL, call) < 0 ||
        put(s, container, "page", body, sizeof(body), &page, call) < 0 ||
        put(s, container, "append", body, sizeof(body), &append, call) < 0 ||
        put(s, container, "folder", "", 0, &folder, call) < 0)
        return -1;
    return upload(s, container, &block, call);
}

struct digest_sink {
    struct sink sink;
    struct hash hash;
};

static int digest_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    (void)call;
    hash_update(&container_of(sink, struct digest_sink, sink)->hash, bytes, n);
    return 0;
}

/* The body in ranges whose checksums the service gives. */
static int digest_body(struct store *s, const struct object_key *key, const struct object *o,
                       json_t *into, struct call *call)
{
    struct digest_sink to = {.sink = {.write = digest_write}, .hash = HASH_INIT};
    unsigned char digest[HASH_MAX_SIZE];
    char text[HASH_HEX_SIZE];
    enum transport_check check = TRANSPORT_LENGTH;
    int result = 0;

    hash_init(&to.hash, HASH_SHA256);
    for (uint64_t at = 0; result == 0 && at < o->size; at += 4 << 20) {
        struct get_options options = {
            .offset = at, .length = 4 << 20, .if_match = o->etag, .want_checksum = true};
        result = store_get(s, key, &options, &to.sink, NULL, &check, call);
    }
    hash_final(&to.hash, digest);
    hash_release(&to.hash);
    for (size_t i = 0; i < SHA256_SIZE; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    json_object_set_new(into, "sha256", json_string(text));
    json_object_set_new(into, "check", json_integer(check));
    return result;
}

static int print_entry(struct store *s, const char *container, const struct object *o,
                       struct call *call)
{
    struct object_key key = {.container = container,
                             .name = o->name,
                             .kind = o->kind,
                             .version = o->kind == VERSION_CURRENT ? NULL : o->version};
    auto_json json_t *json = object_to_json(o);
    auto_buf struct buf line = BUF_INIT(1 << 20);
    auto_extents struct extent_list extents = {0};

    if (digest_body(s, &key, o, json, call) < 0) {
        json_object_set_new(json, "error", json_string(err_word(call->err.code)));
        err_clear(&call->err);
    }
    if (o->type == OBJECT_PAGE) {
        if (store_extents(s, &key, o->etag, 0, STORE_TO_END, &extents, call) < 0)
            return failed("extents", call);
        json_t *list = json_array();
        for (size_t i = 0; i < extents.count; i++)
            json_array_append_new(list, json_pack("[I,I]", (json_int_t)extents.list[i].offset,
                                                  (json_int_t)extents.list[i].length));
        json_object_set_new(json, "extents", list);
    }
    if (json_write(&line, json, &call->err) < 0)
        return failed("json", call);
    printf("%s\n", line.data);
    return 0;
}

static int read_all(struct store *s, const char *container, struct call *call)
{
    auto_free char *cursor = NULL;

    do {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        struct list_options options = {.cursor = cursor,
                                       .limit = 7,
                                       .include = LIST_METADATA | LIST_TAGS | LIST_SNAPSHOTS |
                                                  LIST_VERSIONS | LIST_DELETED};
        if (store_list(s, container, &options, &page, call) < 0)
            return failed("list", call);
        for (size_t i = 0; i < page.count; i++)
            if (print_entry(s, container, &page.list[i], call) < 0)
                return -1;
        replace_string(&cursor, page.cursor);
    } while (cursor);
    return 0;
}

int main(int argc, char **argv)
{
    const char *endpoint = getenv("BED_AZURE_ENDPOINT"), *account = getenv("BED_AZURE_ACCOUNT");
    const char *key = getenv("BED_AZURE_KEY"), *sas = getenv("BED_AZURE_SAS");
    const char *connection = getenv("BED_AZURE_CONNECTION");
    auto_secret struct secret secret = SECRET_INIT;
    struct azure_options options = {.endpoint = endpoint, .account = account};
    struct call call = CALL_INIT;
    struct store *s = NULL;
    int result;

    if (argc != 3 || !endpoint || !(key || sas || connection)) {
        (void)fprintf(stderr, "usage: azure-tool write|read CONTAINER (with BED_AZURE_...)\n");
        return 2;
    }
    secret_from_text(&secret, connection ? connection : sas ? sas : key);
    if (connection)
        options = (struct azure_options){.connection_string = &secret};
    else if (sas)
        options.sas = &secret;
    else
        options.key = &secret;
    if (azure_store_open(&options, "azure", &s, &call) < 0)
        return -failed("open", &call);
    result =
        strcmp(argv[1], "write") == 0 ? write_all(s, argv[2], &call) : read_all(s, argv[2], &call);
    store_close(s);
    return -result;
}

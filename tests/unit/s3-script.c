// SPDX-License-Identifier: EUPL-1.2
/* Opens S3 stores for scripted answers: see s3-script.h. */
#include "s3-script.h"

const char *const s3_strict[] = {"payload-hash-enforced=yes",
                                 "etag-is-md5=yes",
                                 "content-md5-enforced=yes",
                                 "conditional-write:b=yes",
                                 "if-match-bare=no",
                                 "chunk-signed=yes",
                                 "tagging=yes",
                                 NULL};

static int recall(struct notebook *n, const char *store, const char *key, char *ret, size_t size,
                  struct call *call)
{
    struct memory *m = container_of(n, struct memory, notebook);
    const char *value = pairs_get(&m->facts, key);

    (void)call;
    assert_non_null(strstr(store, "s3.example"));
    if (value)
        assert_true(strlen(value) < size);
    if (value)
        memcpy(ret, value, strlen(value) + 1);
    return value != NULL;
}

static int remember(struct notebook *n, const char *store, const char *key, const char *value,
                    struct call *call)
{
    (void)store;
    (void)call;
    pairs_set(&container_of(n, struct memory, notebook)->facts, key, value);
    return 0;
}

static void check_request(const struct http_request *request)
{
    const char *who = pairs_get(&request->headers, "Authorization");

    assert_non_null(who);
    assert_non_null(strstr(who, "Credential=KEY/"));
    assert_non_null(strstr(who, "/gra/s3/aws4_request"));
    assert_non_null(pairs_get_nocase(&request->headers, "x-amz-content-sha256"));
    /* What several providers refuse is never sent unasked. */
    assert_null(pairs_get_nocase(&request->headers, "x-amz-sdk-checksum-algorithm"));
    assert_null(pairs_get_nocase(&request->headers, "x-amz-trailer"));
}

struct store *s3_script_open(const struct provider_s3 *provider, struct memory *memory,
                             const char *const *facts)
{
    auto_secret struct secret secret = SECRET_INIT;
    struct s3_options options = {.endpoint = "https://s3.example",
                                 .region = "gra",
                                 .access_key = "KEY",
                                 .secret_key = &secret,
                                 .provider = provider};
    auto_pairs struct pairs classes = PAIRS_INIT;
    struct store *s = NULL;
    struct call call = CALL_INIT;

    secret_from_text(&secret, "SECRET");
    pairs_add(&classes, "Cool", "STANDARD_IA");
    options.tier_classes = &classes;
    *memory = (struct memory){.notebook = {recall, remember}};
    for (; facts && *facts; facts++) {
        const char *equals = strchr(*facts, '=');
        pairs_add_n(&memory->facts, *facts, (size_t)(equals - *facts), equals + 1,
                    strlen(equals + 1));
    }
    script_check = check_request;
    assert_ok(s3_store_open(&options, "shop", &s, &call), &call.err);
    store_set_notebook(s, &memory->notebook);
    return s;
}

void s3_script_close(struct store *s, struct memory *memory)
{
    store_close(s);
    pairs_release(&memory->facts);
}

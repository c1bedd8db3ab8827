// SPDX-License-Identifier: EUPL-1.2
/* Minisign: keys, signatures, what is refused; judged by the real minisign. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "crypto/minisign.h"

/* Made by minisign 0.11 for this test alone. */
static const char public_key[] = "RWQhTmz7ZAGNr+y6t3z0OCPRP1P7cORf4Xa+Jz9dPFJltr596VYuXkaW";
static const char plain_key[] =
    "untrusted comment: minisign encrypted secret key\n"
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIU5s+2QBja+"
    "9f486JilRhAlKr11AR8TEcEs2cUsjSWD1q5gFp90g9uy6t3z0OCPRP1P7cORf4Xa+"
    "Jz9dPFJltr596VYuXkaWAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
/* The same key locked with "correct horse" under scrypt's least parameters. */
static const char locked_key[] =
    "untrusted comment: minisign encrypted secret key\n"
    "RWRTY0IyAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AgAAAAAAAAAAAAAEAAAAAPu9YczCABzHz77jqZ2GGH/"
    "FESJGI0qDd6RyU1shwZuBIkA9ofvilMoPNKjauzseWqQnPTnpI3xxxMwqa8kNTeCJgp2SChAW9uzGku9oTGFiDc2pc9GCw"
    "qkiGcEKgyLJcj6/9kDNghus=\n";
/* By minisign over "hi\n". */
static const char signature[] =
    "untrusted comment: signature from minisign secret key\n"
    "RUQhTmz7ZAGNr4BklTz/H3v4MVXE+XU4vxauYLAI/7QFbMY9lur307MmoxW3PO/EVU1LYIYZrl0XtPixTb32/"
    "1HC83m4I9u88QY=\n"
    "trusted comment: hello there\n"
    "OligWgyXZdJo4KDgBQZLuj/+VTTLIA+KU0viz/K6LlE0G1HbUw5mTvWjAVa4SpeqKb8NMTwlnsUsZi/EE4JRDg==\n";

static void digest_of(const char *text, unsigned char digest[MINISIGN_DIGEST_SIZE])
{
    hash_bytes(HASH_BLAKE2B512, text, strlen(text), digest);
}

static void read_plain(struct minisign_key *key)
{
    struct err e = {0};

    assert_ok(minisign_key_read(plain_key, strlen(plain_key), NULL, key, &e), &e);
}

static int verify(const char *key, const char *content, const char *signed_by, struct err *e)
{
    unsigned char digest[MINISIGN_DIGEST_SIZE];

    digest_of(content, digest);
    return minisign_verify(key, strlen(key), digest, signed_by, strlen(signed_by), NULL, e);
}

static void test_keys(void **state)
{
    (void)state;
    struct err e = {0};
    auto_secret struct secret password = SECRET_INIT;
    auto_minisign_key struct minisign_key key = MINISIGN_KEY_INIT, same = MINISIGN_KEY_INIT;
    char text[MINISIGN_PUBLIC_TEXT];
    bool locked;

    read_plain(&key);
    minisign_public_text(&key, text);
    assert_string_equal(text, public_key);
    assert_ok(minisign_key_is_locked(plain_key, strlen(plain_key), &locked, &e), &e);
    assert_false(locked);
    assert_ok(minisign_key_is_locked(locked_key, strlen(locked_key), &locked, &e), &e);
    assert_true(locked);

    assert_int_equal(minisign_key_read(locked_key, strlen(locked_key), NULL, &same, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
    secret_from_text(&password, "wrong horse");
    assert_int_equal(minisign_key_read(locked_key, strlen(locked_key), &password, &same, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, "wrong password"));
    secret_from_text(&password, "correct horse");
    assert_ok(minisign_key_read(locked_key, strlen(locked_key), &password, &same, &e), &e);
    assert_true(secret_equal(&key.seed, &same.seed));
    assert_memory_equal(key.number, same.number, sizeof(key.number));
}

/* Change one character of the key line, at a place counted from its start. */
static void refused_key(size_t at, char with, enum err_code code)
{
    struct err e = {0};
    auto_free char *text = xstrdup(plain_key);
    struct minisign_key key = MINISIGN_KEY_INIT;

    text[strcspn(text, "\n") + 1 + at] = with;
    assert_int_equal(minisign_key_read(text, strlen(text), NULL, &key, &e), -1);
    assert_int_equal(e.code, code);
}

static void test_bad_keys(void **state)
{
    (void)state;
    struct minisign_key key = MINISIGN_KEY_INIT;

    refused_key(0, 'S', ERR_INVALID);
    refused_key(3, 'B', ERR_INVALID);
    refused_key(100, '!', ERR_INVALID);
    refused_key(90, '8', ERR_INVALID); /* another seed: damaged */
    for (size_t n = 0; n < strlen(plain_key) - 1; n += 7) {
        struct err e = {0};
        assert_int_equal(minisign_key_read(plain_key, n, NULL, &key, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
    }
}

static void test_foreign_signature(void **state)
{
    (void)state;
    struct err e = {0};
    unsigned char digest[MINISIGN_DIGEST_SIZE];
    auto_free char *comment = NULL;
    auto_free char *changed = xstrdup(signature);
    auto_free char *file = xasprintf("untrusted comment: x\r\n%s\r\n", public_key);

    digest_of("hi\n", digest);
    assert_ok(
        minisign_verify(file, strlen(file), digest, signature, strlen(signature), &comment, &e),
        &e);
    assert_string_equal(comment, "hello there");
    assert_int_equal(verify(public_key, "ho\n", signature, &e), -1);
    assert_int_equal(e.code, ERR_CORRUPT);
    memcpy(strstr(changed, "hello"), "jello", 5);
    assert_int_equal(verify(public_key, "hi\n", changed, &e), -1);
    assert_int_equal(e.code, ERR_CORRUPT);
    assert_non_null(strstr(e.text, "trusted comment"));
    assert_int_equal(verify("RWQ", "hi\n", signature, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    changed[60] = changed[60] == 'A' ? 'B' : 'A'; /* the key's number */
    assert_int_equal(verify(public_key, "hi\n", changed, &e), -1);
    assert_int_equal(e.code, ERR_UNKNOWN_WHO);
    for (size_t n = 0; n + 1 < strlen(signature); n += 5) {
        digest_of("hi\n", digest);
        assert_int_equal(
            minisign_verify(public_key, strlen(public_key), digest, signature, n, NULL, &e), -1);
    }
}

static void test_own_signature(void **state)
{
    (void)state;
    struct err e = {0};
    unsigned char digest[MINISIGN_DIGEST_SIZE];
    auto_minisign_key struct minisign_key key = MINISIGN_KEY_INIT;
    auto_buf struct buf out = BUF_INIT(MINISIGN_FILE_MAX);
    auto_free char *longest = xmalloc(MINISIGN_COMMENT_MAX + 2);

    read_plain(&key);
    digest_of("content", digest);
    assert_ok(minisign_sign(&key, digest, "job 7", &out, &e), &e);
    assert_ok(verify(public_key, "content", out.data, &e), &e);
    assert_int_equal(verify(public_key, "contents", out.data, &e), -1);

    assert_int_equal(minisign_sign(&key, digest, "two\nlines", &out, &e), -1);
    memset(longest, 'c', MINISIGN_COMMENT_MAX + 1);
    longest[MINISIGN_COMMENT_MAX + 1] = '\0';
    assert_int_equal(minisign_sign(&key, digest, longest, &out, &e), -1);
    longest[MINISIGN_COMMENT_MAX] = '\0';
    buf_reset(&out);
    assert_ok(minisign_sign(&key, digest, longest, &out, &e), &e);
    assert_ok(verify(public_key, "content", out.data, &e), &e);
    auto_buf struct buf tight = BUF_INIT(100);
    assert_int_equal(minisign_sign(&key, digest, "", &tight, &e), -1);
    assert_int_equal(tight.length, 0);
}

/* The rest runs the real program in a folder of its own. */
static char *folder;

static int shell(const char *commands)
{
    auto_free char *command = xasprintf("cd '%s' && { %s; } >out 2>&1", folder, commands);

    return system(command); // NOLINT: a test's own words
}

static char *read_file(const char *name)
{
    auto_free char *path = xasprintf("%s/%s", folder, name);
    char text[4096];
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    size_t n = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    return xstrndup(text, n);
}

static void write_content(const char *content)
{
    auto_free char *path = xasprintf("%s/content", folder);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0 && fclose(file) == 0);
}

/* Sign with one of minisign's keys; minisign must accept it, and refuse it for other content. */
static void judge(const char *key_name, const char *password_text)
{
    struct call call = CALL_INIT;
    auto_secret struct secret password = SECRET_INIT;
    auto_minisign_key struct minisign_key key = MINISIGN_KEY_INIT;
    auto_free char *name = xasprintf("%s.key", key_name);
    auto_free char *text = read_file(name);
    auto_free char *path = xasprintf("%s/content", folder);

    if (password_text)
        secret_from_text(&password, password_text);
    if (minisign_key_read(text, strlen(text), &password, &key, &call.err) < 0) {
        if (call.err.code != ERR_BUSY)
            fail_msg("%s", call.err.text);
        print_message("not tested: %s\n", call.err.text);
        return;
    }
    write_content("a,b\n");
    assert_ok(minisign_sign_file(&key, path, "job 7, 12 objects \xc3\xbc", &call), &call.err);
    auto_free char *verify_it = xasprintf("minisign -V -p %s.pub -m content", key_name);
    assert_int_equal(shell(verify_it), 0);
    auto_free char *said = read_file("out");
    assert_non_null(strstr(said, "Trusted comment: job 7, 12 objects \xc3\xbc"));
    write_content("a,c\n");
    assert_int_not_equal(shell(verify_it), 0);
}

static void test_judged_by_minisign(void **state)
{
    (void)state;
    if (system("command -v minisign >/dev/null") != 0) { // NOLINT
        print_message("skipped: minisign is not installed\n");
        skip();
    }
    const char *tmp = getenv("TMPDIR");
    folder = xasprintf("%s/minisign-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(shell("minisign -G -W -p plain.pub -s plain.key"), 0);
    judge("plain", NULL);
    if (shell("printf 'Gr\xc3\xbc\xc3\x9f\\nGr\xc3\xbc\xc3\x9f\\n' | minisign -G -p locked.pub -s "
              "locked.key") == 0)
        judge("locked", "Gr\xc3\xbc\xc3\x9f");
    else
        print_message("not tested: minisign cannot lock a key here\n");

    /* And the other way. */
    struct err e = {0};
    write_content("theirs");
    assert_int_equal(shell("minisign -S -s plain.key -m content -t 'their words'"), 0);
    auto_free char *theirs = read_file("content.minisig");
    auto_free char *key = read_file("plain.pub");
    assert_ok(verify(key, "theirs", theirs, &e), &e);
    assert_int_equal(verify(key, "ours", theirs, &e), -1);

    auto_free char *command = xasprintf("rm -rf '%s'", folder);
    assert_int_equal(system(command), 0); // NOLINT
    free(folder);
}

static void test_sign_missing_file(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    auto_minisign_key struct minisign_key key = MINISIGN_KEY_INIT;

    read_plain(&key);
    assert_int_equal(minisign_sign_file(&key, "/nonexistent/file", "", &call), -1);
    assert_int_equal(call.err.code, ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_foreign_signature),
        cmocka_unit_test(test_own_signature),
        cmocka_unit_test(test_judged_by_minisign),
        cmocka_unit_test(test_sign_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

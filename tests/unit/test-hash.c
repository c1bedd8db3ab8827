// SPDX-License-Identifier: EUPL-1.2
/* Hashes: known vectors, streaming in odd pieces, and a SHA-256 set down at every length. */
#include "unit.h"

#include "codec/hex.h"
#include "crypto/hash.h"

static const struct {
    enum hash_kind kind;
    const char *text, *digest;
} vectors[] = {
    {HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {HASH_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {HASH_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
    {HASH_SHA512, "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {HASH_BLAKE2B512, "abc",
     "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
     "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
};

static void test_vectors(void **state)
{
    (void)state;
    auto_hash struct hash h = HASH_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        char text[HASH_HEX_SIZE];
        unsigned char digest[HASH_MAX_SIZE];

        hash_hex(vectors[i].kind, vectors[i].text, strlen(vectors[i].text), text);
        assert_string_equal(text, vectors[i].digest);
        assert_int_equal(strlen(text), 2 * hash_size(vectors[i].kind));
        hash_init(&h, vectors[i].kind); /* again, on the same one */
        for (const char *c = vectors[i].text; *c; c++)
            hash_update(&h, c, 1);
        hash_final(&h, digest);
        hex_encode(text, digest, hash_size(vectors[i].kind));
        assert_string_equal(text, vectors[i].digest);
    }
    assert_string_equal(hash_name(HASH_SHA256), "sha256");
}

static void test_saved_state(void **state)
{
    (void)state;
    struct err e = {0};
    unsigned char bytes[300], whole[SHA256_SIZE], resumed[SHA256_SIZE];
    unsigned char saved[SHA256_STATE_SIZE];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 7 + 1);
    hash_bytes(HASH_SHA256, bytes, sizeof(bytes), whole);
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        struct sha256_state first, second;
        sha256_state_init(&first);
        sha256_state_update(&first, bytes, cut);
        sha256_state_save(&first, saved);
        assert_ok(sha256_state_restore(&second, saved, sizeof(saved), &e), &e);
        assert_int_equal(sha256_state_length(&second), cut);
        sha256_state_update(&second, bytes + cut, sizeof(bytes) - cut);
        sha256_state_final(&second, resumed);
        assert_memory_equal(resumed, whole, SHA256_SIZE);
    }
}

/* The saved form is a file format: these bytes must mean the same on every machine, for ever. */
static void test_saved_form(void **state)
{
    (void)state;
    struct err e = {0};
    struct sha256_state s;
    unsigned char saved[SHA256_STATE_SIZE], again[SHA256_STATE_SIZE] = {1};
    char text[2 * 41 + 1];

    sha256_state_init(&s);
    sha256_state_update(&s, "abc", 3);
    sha256_state_save(&s, saved);
    hex_encode(text, saved, 41);
    assert_string_equal(text, "016a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19"
                              "0000000000000003");
    assert_memory_equal(saved + 41, "abc\0\0", 5);

    /* A length beyond 2^32 bits survives. */
    again[33] = 0x01;
    again[40] = 0x40;
    assert_ok(sha256_state_restore(&s, again, sizeof(again), &e), &e);
    assert_true(sha256_state_length(&s) == (UINT64_C(1) << 56) + 64);
    sha256_state_save(&s, saved);
    assert_memory_equal(saved, again, sizeof(saved));
}

static void test_saved_refused(void **state)
{
    (void)state;
    struct sha256_state s;
    unsigned char saved[SHA256_STATE_SIZE], bad[SHA256_STATE_SIZE];
    static const struct {
        size_t at;
        unsigned char value;
    } changes[] = {{0, 2}, {0, 0}, {33, 0x20}, {44, 1}, {104, 9}};

    sha256_state_init(&s);
    sha256_state_update(&s, "abc", 3);
    sha256_state_save(&s, saved);
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        struct err e = {0};
        memcpy(bad, saved, sizeof(bad));
        bad[changes[i].at] = changes[i].value;
        assert_int_equal(sha256_state_restore(&s, bad, sizeof(bad), &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
    }
    struct err e = {0};
    assert_int_equal(sha256_state_restore(&s, saved, sizeof(saved) - 1, &e), -1);
    assert_int_equal(sha256_state_length(&s), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_saved_state),
        cmocka_unit_test(test_saved_form),
        cmocka_unit_test(test_saved_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

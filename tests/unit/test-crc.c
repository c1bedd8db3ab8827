// SPDX-License-Identifier: EUPL-1.2
/* Checksums: known values, both ways of CRC-64 against a slow third, joining. */
#include "unit.h"

#include "crypto/crc.h"
#include "crypto/crc64.h"
#include "util/common.h"

static void test_vectors(void **state)
{
    (void)state;
    char text[CRC64_TEXT];

    assert_true(crc64_nvme(0, "123456789", 9) == UINT64_C(0xae8b14860a799888));
    assert_true(crc64_nvme(0, "", 0) == 0);
    crc64_azure_text(text, crc64_nvme(0, "Hello World", 11)); /* as the real Azure answered */
    assert_string_equal(text, "YeJLfssylmU=");
    crc64_s3_text(text, crc64_nvme(0, "123456789", 9));
    assert_string_equal(text, "rosUhgp5mIg=");
}

/* From the definition, a bit at a time. */
static uint64_t slow(uint64_t state, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        state ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            state = state >> 1 ^ (state & 1 ? UINT64_C(0x9a6c9329ac4bc9b5) : 0);
    }
    return state;
}

static void test_crc32(void **state)
{
    (void)state;
    assert_int_equal(crc32_zip(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(crc32_castagnoli(0, "123456789", 9), 0xE3069283);
    assert_int_equal(crc32_zip(crc32_zip(0, "1234", 4), "56789", 5), 0xCBF43926);
    assert_int_equal(crc32_castagnoli(crc32_castagnoli(0, "1234", 4), "56789", 5), 0xE3069283);
    assert_int_equal(crc32_zip_combine(crc32_zip(0, "1234", 4), crc32_zip(0, "56789", 5), 5),
                     0xCBF43926);
    assert_int_equal(crc32_castagnoli_combine(crc32_castagnoli(0, "1234", 4),
                                              crc32_castagnoli(0, "56789", 5), 5),
                     0xE3069283);
}

static void fill(unsigned char *bytes, size_t n)
{
    uint64_t seed = 88172645463325252u;

    for (size_t i = 0; i < n; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        bytes[i] = (unsigned char)seed;
    }
}

static void test_ways_agree(void **state)
{
    (void)state;
    unsigned char bytes[1100];

    fill(bytes, sizeof(bytes));
    if (!crc64_can_fold())
        print_message("this processor has no PCLMULQDQ: folding is not tested\n");
    for (size_t n = 0; n <= 1024; n++) {
        const unsigned char *from = bytes + n % 17;
        uint64_t start = n % 3 ? ~(uint64_t)0 : n * UINT64_C(0x9e3779b97f4a7c15);
        uint64_t expected = slow(start, from, n);
        assert_true(crc64_by_table(start, from, n) == expected);
        if (n >= CRC64_FOLD_LEAST && crc64_can_fold())
            assert_true(crc64_by_folding(start, from, n) == expected);
        assert_true(crc64_nvme(~start, from, n) == ~expected);
    }
}

static void test_pieces_and_combine(void **state)
{
    (void)state;
    const size_t size = 300000;
    auto_free unsigned char *bytes = xmalloc(size);

    fill(bytes, size);
    uint64_t whole = crc64_nvme(0, bytes, size);
    for (size_t cut = 0; cut <= size; cut += cut < 300 ? 1 : 29989) {
        uint64_t a = crc64_nvme(0, bytes, cut), b = crc64_nvme(0, bytes + cut, size - cut);
        assert_true(crc64_nvme(a, bytes + cut, size - cut) == whole);
        assert_true(crc64_nvme_combine(a, b, size - cut) == whole);
    }
    assert_true(crc64_nvme_combine(0, whole, size) == whole);
    /* Joining 5 TiB in parts: twice n is n and n again. */
    uint64_t n = UINT64_C(5) << 40;
    uint64_t once = crc64_nvme_combine(whole, 0, n);
    assert_true(crc64_nvme_combine(once, 0, n) == crc64_nvme_combine(whole, 0, 2 * n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_crc32),
        cmocka_unit_test(test_ways_agree),
        cmocka_unit_test(test_pieces_and_combine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

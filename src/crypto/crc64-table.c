// SPDX-License-Identifier: EUPL-1.2
/*
 * Runs during the build and prints, of CRC-64/NVME (polynomial ad93d23594c93659, bits reflected),
 * the tables (crc64-table.h, "table") or the folding constants (crc64-constants.h, "constants").
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define POLYNOMIAL UINT64_C(0x9a6c9329ac4bc9b5) /* reflected: the top bit is x^0 */

/* One bit further: times x. */
static uint64_t times_x(uint64_t a)
{
    return a >> 1 ^ (a & 1 ? POLYNOMIAL : 0);
}

/* x^n modulo the polynomial. */
static uint64_t power(unsigned n)
{
    uint64_t a = UINT64_C(1) << 63;

    while (n-- > 0)
        a = times_x(a);
    return a;
}

static void print_tables(void)
{
    uint64_t table[8][256];

    for (unsigned i = 0; i < 256; i++) {
        table[0][i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[0][i] = times_x(table[0][i]);
    }
    for (int k = 1; k < 8; k++)
        for (unsigned i = 0; i < 256; i++)
            table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
    printf("static const uint64_t crc64_table[8][256] = {\n");
    for (int k = 0; k < 8; k++) {
        printf("{");
        for (int i = 0; i < 256; i++)
            printf("UINT64_C(0x%016" PRIx64 "),%s", table[k][i], i % 4 == 3 ? "\n" : " ");
        printf("},\n");
    }
    printf("};\n");
}

/*
 * To carry 128 bits forward over a distance of d bits, their first half (x^64 and up) is multiplied
 * by x^(d+64) and their second by x^d.  The product of two reflected numbers comes out one bit low,
 * hence one power less.
 */
static void print_fold(const char *name, unsigned distance)
{
    printf("#define %s_FIRST UINT64_C(0x%016" PRIx64 ")\n", name, power(distance + 63));
    printf("#define %s_SECOND UINT64_C(0x%016" PRIx64 ")\n", name, power(distance - 1));
}

int main(int argc, char **argv)
{
    printf("/* Made by crc64-table.c. */\n#include <stdint.h>\n");
    if (argc == 2 && strcmp(argv[1], "table") == 0) {
        print_tables();
        return 0;
    }
    printf("#define CRC64_POLYNOMIAL UINT64_C(0x%016" PRIx64 ")\n", POLYNOMIAL);
    print_fold("CRC64_FOLD_128", 128);
    print_fold("CRC64_FOLD_512", 512);
    return 0;
}

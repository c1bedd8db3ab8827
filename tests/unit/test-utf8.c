// SPDX-License-Identifier: EUPL-1.2
/* UTF-8: what is valid, what XML can hold, how long Azure finds it. */
#include "unit.h"

#include "codec/utf8.h"

static const struct {
    const char *text;
    bool valid, xml;
    size_t units;
} cases[] = {
    {"", true, true, 0},
    {"abc", true, true, 3},
    {"\xc3\xbc", true, true, 1},
    {"\xe2\x82\xac", true, true, 1},
    {"\xf0\x9f\x98\x80", true, true, 2},
    {"\xf4\x8f\xbf\xbf", true, true, 2},
    {"\t\n\r", true, true, 3},
    {"a\x01z", true, false, 3},
    {"\x1f", true, false, 1},
    {"\x7f", true, true, 1},
    {"\xef\xbf\xbd", true, true, 1},
    {"\xef\xbf\xbe", true, false, 1},
    {"\xef\xbf\xbf", true, false, 1},
    {"\xc0\x80", false, false, 2},         /* not the shortest form */
    {"\xc1\xbf", false, false, 2},         /* the same */
    {"\xe0\x9f\xbf", false, false, 3},     /* the same */
    {"\xf0\x8f\xbf\xbf", false, false, 4}, /* the same */
    {"\xed\xa0\x80", false, false, 3},     /* half a surrogate pair */
    {"\xf4\x90\x80\x80", false, false, 4}, /* beyond U+10FFFF */
    {"\xf5\x80\x80\x80", false, false, 4},
    {"\x80", false, false, 1},
    {"\xff", false, false, 1},
    {"a\xc3", false, false, 2}, /* cut off */
    {"\xe2\x82", false, false, 2},
    {"\xf0\x9f\x98", false, false, 3},
    {"\xc3(", false, false, 2},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = strlen(cases[i].text);
        if (utf8_valid(cases[i].text, n) != cases[i].valid ||
            xml_char_ok(cases[i].text, n) != cases[i].xml ||
            utf8_utf16_units(cases[i].text, n) != cases[i].units)
            fail_msg("case %zu", i);
    }
    assert_true(utf8_valid("a\0b", 3));
    assert_false(xml_char_ok("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

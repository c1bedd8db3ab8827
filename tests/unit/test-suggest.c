// SPDX-License-Identifier: EUPL-1.2
/* "Did you mean": near enough, and not just anything. */
#include "unit.h"

#include "codec/suggest.h"

static const char *const words[] = {"endpoint", "region", "access_key", NULL, "secret_key",
                                    "move",     "plan",   "verify",     "id"};

static void expect(const char *word, const char *expected)
{
    const char *found = suggest(word, words, sizeof(words) / sizeof(words[0]));

    if (!expected ? found != NULL : !found || strcmp(found, expected) != 0)
        fail_msg("'%s' gives '%s', not '%s'", word, found ? found : "nothing",
                 expected ? expected : "nothing");
}

static void test_suggest(void **state)
{
    (void)state;
    expect("endpiont", "endpoint"); /* swapped */
    expect("endpont", "endpoint");  /* missing */
    expect("REGION", "region");
    expect("regoins", "region");
    expect("mvoe", "move");
    expect("mov", "move");
    expect("moove", "move");
    expect("verfy", "verify");
    expect("acces-key", "access_key");
    expect("secret_key", "secret_key");
    expect("xyzzy", NULL);
    expect("pizza", NULL);
    expect("", NULL);
    expect("a_word_that_is_longer_than_all_words_that_anybody_would_ever_use_here", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_suggest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

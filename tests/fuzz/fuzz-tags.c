// SPDX-License-Identifier: EUPL-1.2
/* Any text as a tag expression; the first byte chooses the dialect.  Any text as JSON pairs. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "object/fault.h"
#include "object/tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expression(const char *text, enum tag_dialect dialect)
{
    auto_tag_expression struct tag_expression *x = NULL;
    auto_pairs struct pairs tags = PAIRS_INIT;
    struct err e = {0};
    size_t count;

    if (tag_expression_parse(text, dialect, &x, &e) < 0) {
        assert(e.code == ERR_INVALID && e.fault == FAULT_ARGUMENT && !x);
        return;
    }
    const struct tag_term *terms = tag_expression_terms(x, &count);
    assert(count > 0 && count <= (dialect == TAGS_FIND ? TAG_TERMS_MAX : TAG_TERMS_MAX_IF));
    /* Where every comparison is of the first's key and value, joining changes nothing. */
    bool same = true;
    for (size_t i = 0; i < count; i++) {
        if (terms[i].key)
            pairs_add(&tags, terms[i].key, terms[i].value);
        same = same && terms[i].operator== TAG_EQUAL && same_string(terms[i].key, terms[0].key) &&
               strcmp(terms[i].value, terms[0].value) == 0;
    }
    bool matches = tag_expression_matches(x, &tags, terms[0].value);
    assert(!same || matches);
    (void)matches;
}

static void pairs(const char *text)
{
    auto_pairs struct pairs list = PAIRS_INIT, again = PAIRS_INIT;
    struct err e = {0};

    if (pairs_from_json(text, &list, &e) < 0) {
        assert(e.code == ERR_INVALID && !list.count);
        return;
    }
    auto_free char *written = pairs_to_json(&list);
    int read = pairs_from_json(written, &again, &e);
    assert(read == 0 && pairs_equal(&list, &again));
    (void)read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    auto_free char *text = xstrndup((const char *)data + 1, size - 1);
    expression(text, data[0] % 2 ? TAGS_CONDITION : TAGS_FIND);
    pairs(text);
    return 0;
}

// SPDX-License-Identifier: EUPL-1.2
/* The nearest word: see suggest.h. */
#include "codec/suggest.h"

#include <string.h>

/* Longer words are not worth guessing at. */
#define LONGEST 64

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int least(int a, int b, int c)
{
    int smaller = a < b ? a : b;

    return smaller < c ? smaller : c;
}

/* Damerau-Levenshtein distance (each pair swapped at most once), row by row. */
static int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int rows[3][LONGEST + 1] = {{0}};

    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= a_length; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i + 2) % 3], *above_that = rows[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= b_length; j++) {
            int differs = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + differs);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]) && above_that[j - 2] + 1 < row[j])
                row[j] = above_that[j - 2] + 1;
        }
    }
    return rows[a_length % 3][b_length];
}

const char *suggest(const char *word, const char *const *words, size_t count)
{
    size_t length = strnlen(word, LONGEST + 1);
    const char *best = NULL;

    if (length == 0 || length > LONGEST)
        return NULL;
    int bound = length < 6 ? 1 : (int)(length / 3);
    for (size_t i = 0; i < count; i++) {
        size_t other = words[i] ? strnlen(words[i], LONGEST + 1) : 0;
        if (other == 0 || other > LONGEST)
            continue;
        int far = distance(word, length, words[i], other);
        if (far <= bound) {
            best = words[i];
            bound = far - 1;
        }
    }
    return best;
}

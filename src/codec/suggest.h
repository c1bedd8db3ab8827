// SPDX-License-Identifier: EUPL-1.2
/* "Did you mean ...?" for options, commands and keys that do not exist. */
#ifndef CODEC_SUGGEST_H
#define CODEC_SUGGEST_H

#include <stddef.h>

/* The nearest of count words by mistypings (a letter wrong, missing, too many, or two swapped),
 * when it is near enough to be meant (one mistyping for each three letters, and at least one); else
 * NULL. Upper and lower case count as the same.  Entries that are NULL are passed over. */
const char *suggest(const char *word, const char *const *words, size_t count);

#endif

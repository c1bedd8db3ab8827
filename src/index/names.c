// SPDX-License-Identifier: EUPL-1.2
/* The names of journal batches and snapshots: docs/formats/journal.md. */
#include <stdio.h>

#include "index/journal_private.h"

#define DIGITS 20

void batch_name_write(char text[NAME_SIZE], const struct batch_name *name)
{
    (void)snprintf(text, NAME_SIZE, "journal/%020lld-%020lld-%s-%s.jsonl", (long long)name->first,
                   (long long)name->last, name->previous, name->token);
}

void snapshot_name_write(char text[NAME_SIZE], const struct position *p, const char *rest)
{
    (void)snprintf(text, NAME_SIZE, "snapshot/%020lld-%s/%s", (long long)p->last, p->token, rest);
}

static bool take_text(const char **at, const char *expected)
{
    size_t n = strlen(expected);

    if (strncmp(*at, expected, n) != 0)
        return false;
    *at += n;
    return true;
}

static bool take_number(const char **at, int64_t *ret)
{
    int64_t value = 0;

    for (int i = 0; i < DIGITS; i++, (*at)++) {
        if (**at < '0' || **at > '9' || value > (INT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (**at - '0');
    }
    *ret = value;
    return true;
}

static bool take_token(const char **at, char ret[TOKEN_SIZE])
{
    if (strspn(*at, "0123456789abcdef") < TOKEN_SIZE - 1)
        return false;
    memcpy(ret, *at, TOKEN_SIZE - 1);
    ret[TOKEN_SIZE - 1] = '\0';
    *at += TOKEN_SIZE - 1;
    return true;
}

bool batch_name_read(const char *text, struct batch_name *ret)
{
    struct batch_name name;

    if (!take_text(&text, "journal/") || !take_number(&text, &name.first) ||
        !take_text(&text, "-") || !take_number(&text, &name.last) || !take_text(&text, "-") ||
        !take_token(&text, name.previous) || !take_text(&text, "-") ||
        !take_token(&text, name.token) || strcmp(text, ".jsonl") != 0)
        return false;
    if (name.first < 1 || name.last < name.first)
        return false;
    *ret = name;
    return true;
}

bool snapshot_name_read(const char *text, struct position *ret, const char **ret_rest)
{
    struct position p;

    if (!take_text(&text, "snapshot/") || !take_number(&text, &p.last) || !take_text(&text, "-") ||
        !take_token(&text, p.token) || !take_text(&text, "/"))
        return false;
    *ret = p;
    *ret_rest = text;
    return true;
}

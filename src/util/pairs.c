// SPDX-License-Identifier: EUPL-1.2
/* Ordered key-value lists: see pairs.h. */
#include "util/pairs.h"

#include <string.h>
#include <strings.h>

void pairs_release(struct pairs *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].key);
        free(p->list[i].value);
    }
    free(p->list);
    *p = (struct pairs)PAIRS_INIT;
}

void pairs_add_n(struct pairs *p, const char *key, size_t key_length, const char *value,
                 size_t value_length)
{
    if (p->count == p->size) {
        p->size = p->size ? p->size * 2 : 8;
        p->list = xrealloc(p->list, p->size, sizeof(*p->list));
    }
    p->list[p->count++] = (struct pair){xstrndup(key, key_length), xstrndup(value, value_length)};
}

void pairs_add(struct pairs *p, const char *key, const char *value)
{
    pairs_add_n(p, key, strlen(key), value, strlen(value));
}

void pairs_set(struct pairs *p, const char *key, const char *value)
{
    for (size_t i = 0; i < p->count; i++) {
        if (strcmp(p->list[i].key, key) == 0) {
            replace_string(&p->list[i].value, value);
            return;
        }
    }
    pairs_add(p, key, value);
}

void pairs_remove(struct pairs *p, size_t index)
{
    free(p->list[index].key);
    free(p->list[index].value);
    memmove(p->list + index, p->list + index + 1, (p->count - index - 1) * sizeof(*p->list));
    p->count--;
}

const char *pairs_get(const struct pairs *p, const char *key)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->list[i].key, key) == 0)
            return p->list[i].value;
    return NULL;
}

const char *pairs_get_nocase(const struct pairs *p, const char *key)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcasecmp(p->list[i].key, key) == 0)
            return p->list[i].value;
    return NULL;
}

void pairs_copy(struct pairs *into, const struct pairs *from)
{
    for (size_t i = 0; i < from->count; i++)
        pairs_add(into, from->list[i].key, from->list[i].value);
}

static int compare(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;
    int order = strcmp(left->key, right->key);

    return order ? order : strcmp(left->value, right->value);
}

void pairs_sort(struct pairs *p)
{
    if (p->count > 1)
        qsort(p->list, p->count, sizeof(*p->list), compare);
}

bool pairs_equal(const struct pairs *a, const struct pairs *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->list[i].key, b->list[i].key) != 0 ||
            strcmp(a->list[i].value, b->list[i].value) != 0)
            return false;
    return true;
}

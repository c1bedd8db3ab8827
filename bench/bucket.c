// SPDX-License-Identifier: EUPL-1.2
/* What null-s3 remembers: see bucket.h. */
#include "bucket.h"

#include <stdio.h>
#include <string.h>

static struct bucket *buckets;
static unsigned uploads; /* begun so far */

struct bucket *bucket_find(const char *name)
{
    struct bucket *b;

    HASH_FIND_STR(buckets, name, b);
    return b;
}

struct bucket *bucket_new(const char *name)
{
    struct bucket *b = xcalloc(1, sizeof(*b));

    b->name = xstrdup(name);
    HASH_ADD_KEYPTR(hh, buckets, b->name, strlen(b->name), b);
    return b;
}

struct object *bucket_object(struct bucket *b, const char *key)
{
    struct object *o;

    HASH_FIND_STR(b->objects, key, o);
    return o;
}

void bucket_remove(struct bucket *b, const char *key)
{
    struct object *o = bucket_object(b, key);

    if (!o)
        return;
    HASH_DEL(b->objects, o);
    pairs_release(&o->metadata);
    free(o->body);
    free(o->key);
    free(o);
    b->sorted = false;
}

struct object *bucket_put(struct bucket *b, const char *key)
{
    struct object *o = xcalloc(1, sizeof(*o));

    bucket_remove(b, key);
    o->key = xstrdup(key);
    HASH_ADD_KEYPTR(hh, b->objects, o->key, strlen(o->key), o);
    b->sorted = false;
    return o;
}

static int by_key(const struct object *a, const struct object *b)
{
    return strcmp(a->key, b->key);
}

const struct object *bucket_after(struct bucket *b, const char *key)
{
    struct object *o;

    if (!b->sorted) {
        HASH_SORT(b->objects, by_key);
        for (o = b->objects; o; o = o->hh.next)
            o->next = o->hh.next;
        b->sorted = true;
    }
    o = key ? bucket_object(b, key) : NULL;
    if (o)
        return o->next;
    for (o = b->objects; o && key && strcmp(o->key, key) <= 0;)
        o = o->next;
    return o;
}

struct upload *bucket_upload_new(struct bucket *b, const char *key)
{
    struct upload *u = xcalloc(1, sizeof(*u));

    (void)snprintf(u->id, sizeof(u->id), "upload-%08u", ++uploads);
    u->key = xstrdup(key);
    HASH_ADD_STR(b->uploads, id, u);
    return u;
}

struct upload *bucket_upload(struct bucket *b, const char *id)
{
    struct upload *u;

    HASH_FIND_STR(b->uploads, id, u);
    return u;
}

void bucket_upload_remove(struct bucket *b, const char *id)
{
    struct upload *u = bucket_upload(b, id);

    if (!u)
        return;
    HASH_DEL(b->uploads, u);
    pairs_release(&u->metadata);
    free(u->parts);
    free(u->key);
    free(u);
}

struct part *upload_part(struct upload *u, size_t number)
{
    if (number >= u->part_count) {
        u->parts = xrealloc(u->parts, number + 1, sizeof(*u->parts));
        memset(u->parts + u->part_count, 0, (number + 1 - u->part_count) * sizeof(*u->parts));
        u->part_count = number + 1;
    }
    return &u->parts[number];
}

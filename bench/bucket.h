// SPDX-License-Identifier: EUPL-1.2
/*
 * What null-s3 remembers: buckets, the objects in them without their bodies, unfinished uploads.
 * Nothing here locks.
 */
#ifndef BENCH_BUCKET_H
#define BENCH_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "util/common.h"
#include "util/pairs.h"

#define UPLOAD_PARTS 10000

struct object {
    char *key;
    struct object *next; /* by key, set by bucket_after() */
    uint64_t size, crc;
    struct pairs metadata; /* headers to answer with */
    char *body;            /* NULL where it was dropped */
    char etag[48];
    UT_hash_handle hh;
};

struct part {
    uint64_t size, crc;
    unsigned char md5[16];
    char etag[33];
    bool there;
};

struct upload {
    char id[24];
    char *key;
    struct pairs metadata;
    struct part *parts; /* by number, from 1 */
    size_t part_count;
    UT_hash_handle hh;
};

struct bucket {
    char *name;
    struct object *objects;
    struct upload *uploads;
    bool sorted;
    UT_hash_handle hh;
};

/* NULL when there is none. */
struct bucket *bucket_find(const char *name);
struct bucket *bucket_new(const char *name);

struct object *bucket_object(struct bucket *b, const char *key);
/* A fresh object in the place of any other. */
struct object *bucket_put(struct bucket *b, const char *key);
void bucket_remove(struct bucket *b, const char *key);
/* The first object whose key comes after this one (NULL: the first of all); the rest by ->next. */
const struct object *bucket_after(struct bucket *b, const char *key);

struct upload *bucket_upload_new(struct bucket *b, const char *key);
struct upload *bucket_upload(struct bucket *b, const char *id);
void bucket_upload_remove(struct bucket *b, const char *id);
struct part *upload_part(struct upload *u, size_t number);

#endif

// SPDX-License-Identifier: EUPL-1.2
/* A store of the S3 driver that scripted answers are played to: see script.h. */
#ifndef TESTS_S3_SCRIPT_H
#define TESTS_S3_SCRIPT_H

#include "script.h"

#include "store/driver/s3.h"

/* What is remembered of the service, so that nothing is tried: "payload-hash-enforced=yes", up to
 * NULL.  What a store writes down is added. */
struct memory {
    struct notebook notebook;
    struct pairs facts;
};

/* A store at https://s3.example, key "KEY", region "gra".  facts: NULL-terminated "key=value". */
struct store *s3_script_open(const struct provider_s3 *provider, struct memory *memory,
                             const char *const *facts);
void s3_script_close(struct store *s, struct memory *memory);

/* Nothing is tried, everything is enforced. */
extern const char *const s3_strict[];

#define MD5_OF_HELLO    "b10a8db164e0754105b7a99be72e3fe5" /* "Hello World" */
#define SHA256_OF_HELLO "a591a6d40bf420404a011733cfb7b190d62c65bf0bcda32b57b277d9ad9f146e"

#endif

// SPDX-License-Identifier: EUPL-1.2
/*
 * Scripted answers for the Azure driver: the linker puts a function of ours in the place of
 * http_do() (-Wl,--wrap=http_do), which checks each request against the script and plays the
 * answer.  One thread.
 */
#ifndef TESTS_AZURE_SCRIPT_H
#define TESTS_AZURE_SCRIPT_H

#include "unit.h"

#include "store/driver/azure.h"

/* One exchange: what the request must hold (header "Name: value" lines, "!Name" for absent), and
 * the answer. */
struct exchange {
    const char *method;
    const char *in_url;
    const char *wants[6];
    int status;
    const char *answers[10];
    const char *body;
    size_t length; /* of body; 0: as text */
};

struct script {
    const struct exchange *list;
    size_t count, at;
};

/* What is played; set by PLAY().  The wrapped http_do() has no argument that could carry it. */
extern struct script *script;

/* A store for the account "acct" in the public cloud, with a SAS or anonymous. */
struct store *script_open(const char *sas);

#define PLAY(...)                                                               \
    const struct exchange exchanges[] = {__VA_ARGS__};                          \
    struct script played = {.list = exchanges, .count = ARRAY_SIZE(exchanges)}; \
    script = &played
#define PLAYED() assert_int_equal(played.at, played.count)

/* CRC-64 of "Hello World" as the real service wrote it; MD5 likewise. */
#define CRC64  "x-ms-content-crc64: YeJLfssylmU="
#define MD5    "Content-MD5: sQqNsWTgdUEFt6mb5y4/5Q=="
#define ETAG   "ETag: \"0x1\""
#define RANGED "Content-Range: bytes 5-15/100"

#endif

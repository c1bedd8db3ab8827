// SPDX-License-Identifier: EUPL-1.2
/*
 * Scripted answers for a driver: the linker puts a function of ours in the place of http_do()
 * (-Wl,--wrap=http_do), which checks each request against the script and plays the answer.  One
 * thread.
 */
#ifndef TESTS_SCRIPT_H
#define TESTS_SCRIPT_H

#include "unit.h"

#include "http/client.h"

/* One exchange: what the request must hold (header "Name: value" lines, "!Name" for absent), and
 * the answer.  A status of 0: the connection breaks. */
struct exchange {
    const char *method;
    const char *in_url;
    const char *wants[6];
    int status;
    const char *answers[10];
    const char *body;
    size_t length;       /* of body; 0: as text */
    const char *in_body; /* what the request's body must hold */
};

struct script {
    const struct exchange *list;
    size_t count, at;
};

/* What is played; set by PLAY().  The wrapped http_do() has no argument that could carry it. */
extern struct script *script;
/* What else must hold of every request; NULL: nothing. */
extern void (*script_check)(const struct http_request *request);

#define PLAY(...)                                                               \
    const struct exchange exchanges[] = {__VA_ARGS__};                          \
    struct script played = {.list = exchanges, .count = ARRAY_SIZE(exchanges)}; \
    script = &played
#define PLAYED() assert_int_equal(played.at, played.count)

#endif

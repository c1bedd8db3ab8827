// SPDX-License-Identifier: EUPL-1.2
/*
 * Both doors over one service, each behind a server of its own on the loopback, and requests to
 * them, signed with the account's key:
 *
 *     auto_errand struct errand e;
 *     errand_init(&e, doors, WAY_AZURE, "PUT", "a", "comp=metadata");
 *     errand_header(&e, "x-ms-meta-a", "%c", 'x');
 *     errand_run(&e);
 *     if (e.said[0] == '\0') ...                 (else "404 BlobNotFound")
 */
#ifndef TESTS_MODEL_DOORS_H
#define TESTS_MODEL_DOORS_H

#include "http/client.h"
#include "service_steps.h"

struct doors *doors_open(struct service *service);
void doors_close(struct doors *doors);

struct errand {
    struct doors *doors;
    enum way_kind way;
    struct http_request request;
    struct source_bytes body;
    char *text; /* of the body, where it is made up */
    /* The answer. */
    struct http_response response;
    struct buf bytes;
    char said[80]; /* "" or the status and the door's word of a refusal */
};
#define auto_errand cleanup(errand_release)

/* To an object of the one container (name NULL: the container).  query: as it goes out, without
 * '?'; NULL: none. */
void errand_init(struct errand *e, struct doors *doors, enum way_kind way, const char *method,
                 const char *name, const char *query);
void errand_release(struct errand *e);
void errand_header(struct errand *e, const char *name, const char *format, ...) printf_like(3, 4);
/* The condition of a step, which both doors know by HTTP's own words. */
void errand_conditions(struct errand *e, const struct reference *reference, const struct step *s);
/* Borrowed. */
void errand_body(struct errand *e, const void *bytes, size_t length);
/* Taken. */
void errand_text(struct errand *e, char *text);
/* Sign, send, and read the answer; aborts where none comes. */
void errand_run(struct errand *e);
/* Of the answer; "" where it is not there. */
const char *errand_answer(const struct errand *e, const char *header);
/* The same as a whole number, 0 where there is none. */
int errand_number(const struct errand *e, const char *header);

/* What every door tells of an object in its own headers; metadata: how those of metadata begin. */
void errand_look(const struct errand *e, const char *metadata, struct seen *ret);
/* How often a text comes in the answer's body. */
size_t errand_occurrences(const struct errand *e, const char *text);

/* How doors name a name in a URL, escaped; heap. */
char *door_path(enum way_kind way, const char *name);

#endif

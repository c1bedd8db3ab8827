// SPDX-License-Identifier: EUPL-1.2
/*
 * A client's connection, as cheap as it gets: heads are made beforehand, answers are read into one
 * buffer and thrown away unless they are wanted.  For bench/load only: a server that breaks HTTP's
 * rules ends the program.
 *
 * Threads: a connection belongs to one.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>

#include "util/buf.h"

struct wire {
    struct sockaddr_in to;
    SSL_CTX *tls; /* NULL: plain HTTP */
    int fd;
    SSL *ssl;
    char *room;
    size_t have;
    struct buf body; /* of the last answer, where it was to be kept */
    char etag[128];  /* of the last answer, quotes and all; "" for none */
};

void wire_open(struct wire *w, const struct sockaddr_in *to, SSL_CTX *tls);
void wire_close(struct wire *w);

/* Send a head and n bytes of body, read the answer.  keep: its body goes to w->body.  The status; 0
 * when the connection broke (it is open again). */
int wire_exchange(struct wire *w, const char *head, const void *bytes, size_t n, bool keep);

/* perror() and exit. */
_Noreturn void die(const char *what);

#endif

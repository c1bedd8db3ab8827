// SPDX-License-Identifier: EUPL-1.2
/*
 * The HTTP/1.1 server every door stands on, over libmicrohttpd: one thread for each connection.
 *
 *     static void handle(void *argument, struct http_exchange *x, struct call *call)
 *     {
 *         ... source_read(x->body, ...) ...          (straight-line, blocking)
 *         http_answer(x, 200, &headers, text, strlen(text));
 *     }
 *     struct http_server_options options = {.listen = "127.0.0.1:10000", .handle = handle};
 *     if (http_server_start(&options, &server, e) < 0)
 *         return -1;
 *
 * The life of one exchange:
 *
 *     begin     the head is complete, no byte of the body has been asked for.  Decide here whether
 *               the request is allowed: an answer given here goes out before a client that sent
 *               "Expect: 100-continue" sends its body; without one 100 is sent and then:
 *     handle    read x->body, then answer once.  A handler that returns without an answer has made
 *               a mistake: the client gets 500.
 *     finished  the answer is out, or the connection broke: called exactly once for each exchange
 *               that saw begin.  For the access log, and for freeing x->private.
 *
 * begin and finished run on the connection's thread; handle runs there as well when the body is
 * small (it was collected before), else on a worker thread.  The three never run at the same time
 * for one exchange.
 *
 * The body: "ended" and "cut off" are different.  A body shorter than announced, a broken chunk, a
 * vanished client is -1 with ERR_NETWORK (or ERR_CANCELLED, where the call's flag was seen first);
 * a stalled one ERR_TIMEOUT.  A body that was collected is a struct source_bytes
 * (source_as_bytes(), can be rewound).  What a handler leaves unread is drained up to
 * HTTP_SERVER_DRAIN bytes; beyond that the answer is sent and the connection ends.
 *
 * The call: its cancel flag is raised when the client goes away (its side of the connection closed,
 * noticed within about a second) and when the server stops.  It has no deadline of its own.
 *
 * What the server does without being asked: Date, Server (bascule/VERSION unless the handler gives
 * one), Content-Length or chunks, no body for HEAD, 204 and 304, keep-alive.  What it refuses
 * before begin (400 unless said): a target that is not an absolute path, an absolute URL or "*" for
 * OPTIONS; control bytes in target or headers; no or several Host (HTTP/1.1); Content-Length that
 * is no number or comes twice; Content-Length with Transfer-Encoding; a transfer
 * encoding other than chunked (501); heads over head_bytes_max (431); connections over
 * connections_max (503 with Retry-After to their first request).
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "http/message.h"

/* Bodies announced no larger than this are collected in memory before handle. */
#define HTTP_SERVER_COLLECT (64 * 1024)
/* How much of an unread body is read and dropped to keep a connection. */
#define HTTP_SERVER_DRAIN (1024 * 1024)

struct http_exchange {
    const char *method;    /* as sent: "GET"                                                     */
    const char *target;    /* as sent, nothing unescaped: "/a/b?comp=list"                       */
    const char *path;      /* raw, from its '/' (or "*"); of an absolute target what follows the
                            * host                                                               */
    const char *query;     /* raw, without '?'; NULL where there is none                         */
    const char *host;      /* of an absolute target, else the Host header; "" where neither is   */
    struct pairs headers;  /* as received: order, case and repetitions kept                      */
    const char *peer;      /* numeric address without port; "unix" for a Unix socket             */
    int port;              /* the peer's; 0 for a Unix socket                                    */
    bool secure;           /* came over TLS                                                      */
    bool expects_continue; /* the client waits with its body                                     */
    uint64_t body_length;  /* HTTP_LENGTH_UNKNOWN when it comes in chunks                        */
    struct source *body;   /* in handle only; never NULL there                                   */
    void *private;         /* the door's                                                         */
};

/* How an exchange ended. */
struct http_finished {
    int status;         /* 0 when the connection broke before an answer was given */
    bool complete;      /* the whole answer went out */
    uint64_t bytes_in;  /* of the body */
    uint64_t bytes_out; /* of the body, as far as handed to the network */
    int64_t began;      /* wall clock */
    int64_t duration;   /* nanoseconds from the complete request head to now */
};

typedef void http_handler(void *argument, struct http_exchange *x, struct call *call);
typedef void http_finisher(void *argument, struct http_exchange *x,
                           const struct http_finished *finished);

struct http_server_options {
    const char
        *listen; /* "127.0.0.1:10000", "[::1]:0" (any free port), "*:10000" or "unix:/path" */
    int fd;      /* > 0: a listening socket handed over (socket activation), kept; listen is
                  * then only its name in messages */
    http_handler *begin; /* may be NULL */
    http_handler *handle;
    http_finisher *finished; /* may be NULL */
    void *argument;          /* for the three */

    const char
        *certificate; /* PEM files, chain and key; NULL: plain HTTP, which is refused beyond */
    const char *key;  /* loopback and Unix sockets unless allow_plain */
    bool allow_plain;

    /* 0: the default in brackets.  Times in nanoseconds, kept to whole seconds. */
    unsigned connections_max;         /* [256] */
    unsigned connections_per_address; /* [no limit]; one too many is closed at once */
    size_t head_bytes_max;            /* [24 KiB] */
    size_t memory_per_connection; /* [thrice head_bytes_max] for head and network buffers, cleared
                                   * with each request: not too large */
    int64_t idle_timeout;         /* [60 s] between two requests of one connection */
    int64_t head_timeout;         /* [30 s] for a whole head, from the connection's start */
    int64_t stall_timeout;        /* [60 s] without a byte of a body, in or out; a client that
                                   * keeps sending, but less than 1 KiB/s, is cut as well */
};

struct http_server;

/* Bind, listen and serve until http_server_free().  One clear line when the address is taken, the
 * certificate unreadable or plain HTTP not allowed there. */
must_check int http_server_start(const struct http_server_options *options,
                                 struct http_server **ret, struct err *e);
/* The TCP port (useful after asking for port 0); 0 for a Unix socket. */
int http_server_port(const struct http_server *server);
/* Read certificate and key again; new handshakes use them, running connections stay.  On failure
 * the old ones stay in use. */
must_check int http_server_reload(struct http_server *server, struct err *e);
/* How many connections there are now. */
unsigned http_server_connections(struct http_server *server);
/* Stop accepting, and let what is in flight finish: answers end their connections, idle ones are
 * closed at once.  Returns at once; only http_server_connections(), http_server_drain() and
 * http_server_free() may follow. */
void http_server_quiesce(struct http_server *server);
/* Stop accepting, let what is in flight finish until the deadline (monotonic, clock.h), then raise
 * every call's cancel flag and cut.  Only http_server_free() may follow.  Idle connections are
 * closed at once. */
void http_server_drain(struct http_server *server, int64_t deadline);
/* Stop at once: raises every call's cancel flag, cuts, waits for the threads.  NULL is fine. */
void http_server_free(struct http_server *server);

/*
 * Answers.  headers may be NULL; they are copied.  Content-Length, Transfer-Encoding and Date in
 * them are left out: the server says those.  "Connection: close" ends the connection after the
 * answer. A header that cannot be sent (control bytes) makes the answer a 500, and is logged.
 * Answering twice is a bug of the caller's and asserts.
 */

/* Whole and from memory; bytes are copied. */
void http_answer(struct http_exchange *x, int status, const struct pairs *headers,
                 const void *bytes, size_t length);
/* As http_answer, but takes what body holds (it is empty afterwards) instead of copying. */
void http_answer_buf(struct http_exchange *x, int status, const struct pairs *headers,
                     struct buf *body);
/* To HEAD, and as 304: the length a GET would have, without its body.  (A 304 through http_answer()
 * says "Content-Length: 0", which clients ignore.) */
void http_answer_length(struct http_exchange *x, int status, const struct pairs *headers,
                        uint64_t length);
/* Part of a file, with sendfile() where that can be.  The descriptor becomes the server's, whatever
 * happens. */
void http_answer_file(struct http_exchange *x, int status, const struct pairs *headers, int fd,
                      uint64_t offset, uint64_t length);

/*
 * Bytes as they come.  The producer pushes them into the sink, which waits for a slow client, and
 * returns 0 when it has pushed all, or -1 with call->err.  It runs after handle has returned, on a
 * thread of its own (or before http_answer_stream() returns, when the answer is small), so what it
 * needs lies in argument, which is given to release (may be NULL) in any case, after the producer
 * or instead of it (HEAD).  length may be HTTP_LENGTH_UNKNOWN: then chunks.
 *
 * The head is held back until the producer pushed its first bytes.  Where it fails before, or
 * (answers of at most HTTP_SERVER_COLLECT bytes) anywhere, http_answer_stream() returns -1 with the
 * producer's error in call->err, nothing was answered, and the handler gives another answer (503,
 * say).  Later failures, and a producer that ends short of length, cut the connection, so that a
 * client cannot take the part for the whole; they are logged.
 */
typedef int http_producer(void *argument, struct sink *sink, struct call *call);
must_check int http_answer_stream(struct http_exchange *x, int status, const struct pairs *headers,
                                  uint64_t length, http_producer *producer, void *argument,
                                  void (*release)(void *argument), struct call *call);

/* Whether an answer has been given. */
bool http_answered(const struct http_exchange *x);

#endif

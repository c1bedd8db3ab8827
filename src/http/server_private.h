// SPDX-License-Identifier: EUPL-1.2
/*
 * What the parts of the server share.
 *
 *     server.c           options, start, drain, end
 *     server_listen.c    addresses and listening sockets
 *     server_tls.c       certificates
 *     server_watch.c     the connections, and the thread that looks after them
 *     server_head.c      from libmicrohttpd's view of a head to ours, and what is refused
 *     server_exchange.c  one exchange from head to end
 *     server_answer.c    answers
 *     server_early.c     answers libmicrohttpd would not send: in the middle of a body
 *     server_stream.c    answers whose bytes come as they are made
 *
 * Locks: server->lock guards the list of connections, connection->lock what one of them is doing,
 * exchange->lock what a worker and the connection's thread share; taken in this order.  What
 * happens for each request takes only locks of its own connection.
 */
#ifndef HTTP_SERVER_PRIVATE_H
#define HTTP_SERVER_PRIVATE_H

#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include "http/server.h"
#include "util/clock.h"
#include "util/pipe.h"
#include "util/thread.h"

#define THREAD_STACK ((size_t)1024 * 1024)
/* The ring between a worker and the connection's thread. */
#define RING ((size_t)64 * 1024)

struct certificate;

struct http_server {
    struct http_server_options options; /* strings owned, defaults filled in */
    struct MHD_Daemon *daemon;
    int listener;
    int port;
    char *unix_path; /* removed at the end */
    struct cancel cancel;

    pthread_mutex_t certificate_lock;
    struct certificate *certificate; /* guarded by certificate_lock: the newest of a list */

    pthread_mutex_t lock;
    pthread_cond_t emptied;         /* the last connection has gone */
    struct connection *connections; /* guarded by lock */
    unsigned connection_count;      /* guarded by lock */
    atomic_bool draining;
    pthread_cond_t stop;
    bool stopping; /* guarded by lock */
    pthread_t watcher;
    bool watched; /* the watcher was started */
};

struct connection {
    struct connection *next; /* guarded by server->lock, as previous */
    struct connection *previous;
    struct http_server *server;
    struct MHD_Connection *mhd;
    int fd;
    char peer[64];
    int port;
    bool excess; /* one more than there should be: gets 503 */

    pthread_mutex_t lock;
    bool served;               /* guarded by lock: a request came before */
    int64_t waiting_since;     /* guarded by lock: for a head; 0 while one is served */
    struct exchange *exchange; /* guarded by lock: what is being served */
};

struct exchange {
    struct http_exchange x;
    struct http_server *server;
    struct connection *connection;
    struct cancel cancel;
    struct call call; /* the connection's thread's */
    char *target;
    char *method;
    char *path;
    char *host;
    bool begun;     /* begin has run, or the request was refused before */
    bool collects;  /* the body goes to collected, and handle runs in place */
    bool early;     /* answered by begin: the body is only drained */
    uint64_t taken; /* bytes of the body libmicrohttpd gave */
    uint64_t dropped;
    int64_t idle_from;   /* when the client's turn to send began */
    int64_t waited;      /* for the client's bytes, in this span */
    uint64_t span_bytes; /* that came in it */
    bool gave_up;        /* too slow */
    int64_t began;       /* monotonic */
    int64_t began_wall;

    struct buf collected;
    struct source_bytes bytes;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct source body; /* what a worker reads: the pipe, with its own errors */
    struct pipe pipe;   /* the body on its way to a worker */
    bool piped;
    pthread_t worker;
    bool working;
    struct call worker_call;
    bool handled; /* guarded by lock: the worker's handle has returned */

    struct MHD_Response *response; /* the answer, once given */
    int status;
    bool closes;  /* the connection ends after the answer */
    bool lingers; /* and the client may still be sending */
    bool queued;
    bool bypassed;            /* the answer went out around libmicrohttpd */
    char *text;               /* the answer's bytes once more, where that may become necessary */
    uint64_t length;          /* of the answer's body */
    struct stream *streaming; /* where the bytes of the answer are still made */
};

#define exchange_of(public) container_of((public), struct exchange, x)

/* server_listen.c: a listening socket.  *ret_unix_path is set for a Unix socket we made. */
must_check int server_listen(const struct http_server_options *options, int *ret_fd,
                             char **ret_unix_path, struct err *e);
/* The port of a bound socket (0: none); whether only this machine reaches it. */
int server_listen_port(int fd);
bool server_listen_is_local(int fd);
/* A peer's address as text ("" when unknown) and its port. */
void server_peer(const struct sockaddr *address, char *text, size_t size, int *ret_port);

/* server_tls.c: read the PEM files; they become the newest unless nothing changed. */
must_check int server_tls_load(struct http_server *server, struct err *e);
void server_tls_free(struct http_server *server);
/* A gnutls_certificate_retrieve_function2; the session's pointer is the server. */
int server_tls_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
                      const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                      gnutls_pcert_st **ret_chain, unsigned *ret_length, gnutls_privkey_t *ret_key);

/* As libmicrohttpd counts time: whole seconds, at least one. */
static inline unsigned server_seconds(int64_t nanoseconds)
{
    return nanoseconds < CLOCK_SECOND ? 1 : (unsigned)(nanoseconds / CLOCK_SECOND);
}

/* server_watch.c */
void server_watch_notify(void *argument, struct MHD_Connection *mhd, void **context,
                         enum MHD_ConnectionNotificationCode what);
must_check int server_watch_start(struct http_server *server, struct err *e);
void server_watch_stop(struct http_server *server);
/* End what is idle. */
void server_watch_drain(struct http_server *server);
void server_watch_enter(struct exchange *x);
void server_watch_leave(struct exchange *x);

/* server_head.c: fill in x->x from a head whose method and version stand where libmicrohttpd read
 * them.  Returns 0, or the status to refuse with (and why). */
int server_head_read(struct exchange *x, struct MHD_Connection *mhd, const char *method,
                     const char *version, const char **ret_why);

/* server_exchange.c: libmicrohttpd's callbacks. */
void *server_exchange_new(void *argument, const char *target, struct MHD_Connection *mhd);
enum MHD_Result server_exchange_go(void *argument, struct MHD_Connection *mhd, const char *url,
                                   const char *method, const char *version, const char *bytes,
                                   size_t *length, void **context);
void server_exchange_done(void *argument, struct MHD_Connection *mhd, void **context,
                          enum MHD_RequestTerminationCode how);

/* The time a handler took since then was not the client's silence. */
void server_exchange_patience(struct exchange *x, int64_t since);

/* server_early.c: send the answer now, although the body still comes; 0 when it went out whole. */
must_check int server_early_answer(struct exchange *x);
/* Say that no more comes and forget what the client still sends, for a moment: closing at once
 * would reset the connection, and the client might lose the answer. */
void server_early_linger(struct exchange *x);

/* server_answer.c: take the response as the answer, with headers (a response that is NULL found
 * no memory). */
void server_answer_set(struct exchange *x, int status, const struct pairs *headers,
                       struct MHD_Response *response, uint64_t length);
/* A short text for a status nobody else answered with. */
void server_answer_text(struct exchange *x, int status, const char *text);

/* server_stream.c: end the producer, wait for it, free everything; how many bytes went out. */
uint64_t server_stream_end(struct exchange *x);

#endif

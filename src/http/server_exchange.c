// SPDX-License-Identifier: EUPL-1.2
/*
 * One exchange from head to end.  libmicrohttpd calls server_exchange_go() first for the head, then
 * for each piece of the body, then once more at its end; only in the first and the last of these it
 * takes an answer.
 */
#include <assert.h>
#include <string.h>

#include "http/server_private.h"
#include "util/log.h"

/* Bytes a second a client has to send over stall_timeout. */
#define RATE_MIN 1024U

void *server_exchange_new(void *argument, const char *target, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct exchange *x = xcalloc(1, sizeof(*x));

    x->server = argument;
    x->connection = info->socket_context;
    x->target = xstrdup(target);
    x->cancel.parent = &x->server->cancel;
    x->call.cancel = &x->cancel;
    buf_init(&x->collected, HTTP_SERVER_COLLECT);
    (void)pthread_mutex_init(&x->lock, NULL);
    (void)pthread_cond_init(&x->changed, NULL);
    return x;
}

static void exchange_free(struct exchange *x)
{
    if (x->piped)
        pipe_release(&x->pipe);
    if (x->response)
        MHD_destroy_response(x->response);
    buf_release(&x->collected);
    pairs_release(&x->x.headers);
    free(x->target);
    free(x->method);
    free(x->path);
    free(x->host);
    free(x->text);
    (void)pthread_mutex_destroy(&x->lock);
    (void)pthread_cond_destroy(&x->changed);
    free(x);
}

static void set_timeout(struct exchange *x, unsigned seconds)
{
    (void)MHD_set_connection_option(x->connection->mhd, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

/* One time-out serves both where it can: changing it takes a lock all connections share. */
static void set_idle(struct exchange *x, bool idle)
{
    const struct http_server_options *o = &x->server->options;

    if (o->idle_timeout != o->stall_timeout)
        set_timeout(x, server_seconds(idle ? o->idle_timeout : o->stall_timeout));
}

/* libmicrohttpd counts the time a handler takes as the client's silence; setting the time-out from
 * nothing to something begins it anew. */
void server_exchange_patience(struct exchange *x, int64_t since)
{
    if (clock_monotonic() - since < CLOCK_SECOND / 2)
        return;
    set_timeout(x, 0);
    set_timeout(x, server_seconds(x->server->options.stall_timeout));
}

static enum MHD_Result queue(struct exchange *x)
{
    if (x->closes || x->server->draining)
        (void)MHD_add_response_header(x->response, "Connection", "close");
    if (MHD_queue_response(x->connection->mhd, (unsigned)x->status, x->response) != MHD_YES)
        return MHD_NO;
    x->queued = true;
    return MHD_YES;
}

/* A worker's body: what it is told when the client has gone. */
static ssize_t read_body(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct exchange *x = container_of(source, struct exchange, body);
    ssize_t got = source_read(&x->pipe.source, bytes, n, call);

    if (got < 0 && call->err.code == ERR_CANCELLED && !cancel_is_raised(&x->server->cancel))
        return err_set(&call->err, ERR_NETWORK,
                       "the client went away before the whole body had come");
    return got;
}

static void *work(void *argument)
{
    struct exchange *x = argument;

    x->server->options.handle(x->server->options.argument, &x->x, &x->worker_call);
    pipe_refuse(&x->pipe);
    locked(&x->lock);
    x->handled = true;
    (void)pthread_cond_broadcast(&x->changed);
    return NULL;
}

static bool start_worker(struct exchange *x)
{
    pthread_attr_t attributes;

    pipe_init(&x->pipe, RING);
    x->piped = true;
    x->body = (struct source){.read = read_body};
    x->x.body = &x->body;
    x->worker_call = call_child(&x->call, NULL);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK);
    x->working = pthread_create(&x->worker, &attributes, work, x) == 0;
    (void)pthread_attr_destroy(&attributes);
    return x->working;
}

static void wait_worker(struct exchange *x)
{
    locked(&x->lock);
    while (!x->handled)
        (void)pthread_cond_wait(&x->changed, &x->lock);
}

/* What to do with the body of a request that is answered already. */
static enum MHD_Result answered_early(struct exchange *x)
{
    if (x->x.body_length == 0 ||
        (x->x.body_length <= HTTP_SERVER_DRAIN && !x->x.expects_continue && !x->closes)) {
        x->early = true;
        return MHD_YES;
    }
    x->closes = true;
    x->lingers = true;
    return queue(x);
}

static enum MHD_Result begin(struct exchange *x, struct MHD_Connection *mhd, const char *method,
                             const char *version)
{
    const struct http_server_options *o = &x->server->options;
    const char *why = "";

    x->begun = true;
    x->method = xstrdup(method);
    x->began = clock_monotonic();
    x->began_wall = clock_wall();
    x->idle_from = x->began;
    int refused = server_head_read(x, mhd, method, version, &why);
    server_watch_enter(x);
    if (refused) {
        x->closes = true;
        x->lingers = true;
        server_answer_text(x, refused, why);
        return queue(x);
    }
    if (x->connection->excess) {
        x->closes = true;
        server_answer_text(x, 503, "too many connections, try again in a moment");
        return answered_early(x);
    }
    set_idle(x, false);
    if (o->begin)
        o->begin(o->argument, &x->x, &x->call);
    server_exchange_patience(x, x->began);
    if (x->response)
        return answered_early(x);
    x->collects = x->x.body_length <= HTTP_SERVER_COLLECT;
    if (x->collects || start_worker(x))
        return MHD_YES;
    server_answer_text(x, 503, "no thread can be had, try again");
    return answered_early(x);
}

/* The answer is there before the body is: read on for a while so that the connection can stay.
 * Where too much is left the answer goes out now, which libmicrohttpd would not do. */
static enum MHD_Result drop(struct exchange *x, size_t length)
{
    uint64_t left = x->x.body_length == HTTP_LENGTH_UNKNOWN ? 0 : x->x.body_length - x->taken;

    x->dropped += length;
    if (x->dropped <= HTTP_SERVER_DRAIN && left <= HTTP_SERVER_DRAIN)
        return MHD_YES;
    wait_worker(x);
    x->bypassed = x->response && server_early_answer(x) == 0;
    return MHD_NO;
}

/* A byte now and then keeps libmicrohttpd waiting; only the time the client took counts here. */
static bool is_too_slow(struct exchange *x, size_t length)
{
    int64_t stall = x->server->options.stall_timeout;

    x->waited += clock_monotonic() - x->idle_from;
    x->span_bytes += length;
    if (x->waited < stall)
        return false;
    bool too_slow = x->span_bytes < RATE_MIN * (uint64_t)server_seconds(stall);
    x->waited = 0;
    x->span_bytes = 0;
    return too_slow;
}

static enum MHD_Result take_body(struct exchange *x, const char *bytes, size_t length)
{
    x->taken += length;
    if (x->early)
        return drop(x, length);
    if (x->collects)
        return buf_add(&x->collected, bytes, length, &x->call.err) < 0 ? MHD_NO : MHD_YES;
    int64_t before = clock_monotonic();
    int failed = sink_write(&x->pipe.sink, bytes, length, &x->call);
    server_exchange_patience(x, before);
    if (failed < 0 && cancel_is_raised(&x->cancel))
        return MHD_NO;
    return failed < 0 ? drop(x, length) : MHD_YES;
}

static enum MHD_Result give_up(struct exchange *x)
{
    x->gave_up = true;
    return MHD_NO;
}

static enum MHD_Result end_body(struct exchange *x)
{
    const struct http_server_options *o = &x->server->options;
    int64_t before = clock_monotonic();

    if (!x->response && x->collects) {
        source_bytes_init(&x->bytes, x->collected.data, x->collected.length);
        x->x.body = &x->bytes.source;
        o->handle(o->argument, &x->x, &x->call);
    } else if (x->working) {
        pipe_end(&x->pipe);
        wait_worker(x);
    }
    server_exchange_patience(x, before);
    if (!x->response) {
        log_line(LOG_ERROR, "http server: %s %s was not answered by its handler", x->x.method,
                 x->x.path);
        server_answer_text(x, 500, "internal error");
    }
    return queue(x);
}

enum MHD_Result server_exchange_go(void *argument, struct MHD_Connection *mhd, const char *url,
                                   const char *method, const char *version, const char *bytes,
                                   size_t *length, void **context)
{
    struct exchange *x = *context;

    (void)argument;
    (void)url;
    if (!x)
        return MHD_NO;
    if (!x->begun)
        return begin(x, mhd, method, version);
    if (x->queued)
        return MHD_YES;
    if (*length == 0)
        return end_body(x);
    enum MHD_Result result = is_too_slow(x, *length) ? give_up(x) : take_body(x, bytes, *length);
    *length = 0;
    x->idle_from = clock_monotonic();
    return result;
}

/* The connection broke or the body did: tell the worker why no more comes. */
static void cut(struct exchange *x, enum MHD_RequestTerminationCode how)
{
    struct err why = {.code = ERR_NONE};

    if (how == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED || x->gave_up)
        (void)err_set(&why, ERR_TIMEOUT, "the client sent no more of the body for too long");
    else if (how == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN)
        (void)err_set(&why, ERR_CANCELLED, "the server is stopping");
    else
        (void)err_set(&why, ERR_NETWORK, "the body broke off before its end");
    pipe_cut(&x->pipe, &why);
}

static void report(struct exchange *x, bool complete, uint64_t streamed)
{
    const struct http_server_options *o = &x->server->options;
    struct http_finished finished = {
        .status = x->queued || x->bypassed ? x->status : 0,
        .complete = complete,
        .bytes_in = x->taken,
        .bytes_out = complete && x->length != HTTP_LENGTH_UNKNOWN ? x->length : streamed,
        .began = x->began_wall,
        .duration = clock_monotonic() - x->began,
    };

    if (o->finished)
        o->finished(o->argument, &x->x, &finished);
}

void server_exchange_done(void *argument, struct MHD_Connection *mhd, void **context,
                          enum MHD_RequestTerminationCode how)
{
    struct exchange *x = *context;
    bool complete = x && (x->bypassed || (x->queued && how == MHD_REQUEST_TERMINATED_COMPLETED_OK));

    (void)argument;
    (void)mhd;
    *context = NULL;
    if (!x)
        return;
    if (x->begun) {
        if (x->working && !x->queued)
            cut(x, how);
        if (!complete || x->bypassed)
            cancel_raise(&x->cancel);
        if (x->working)
            (void)pthread_join(x->worker, NULL);
        uint64_t streamed = server_stream_end(x);
        if (complete && x->lingers)
            server_early_linger(x);
        report(x, complete, streamed);
        server_watch_leave(x);
        set_idle(x, true);
    }
    exchange_free(x);
}

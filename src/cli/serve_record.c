// SPDX-License-Identifier: EUPL-1.2
/* The access log (a JSON line for each request), the audit log, and what is counted of requests. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/gateway.h"
#include "codec/date.h"
#include "codec/utf8.h"
#include "util/log.h"

/* Names of blobs are the longest things in a line; \u00xx makes six bytes of one. */
#define LINE_MAX_BYTES (64 * 1024)
#define TEXT_MAX_BYTES 4096

/* ---- The access log ---- */

static int open_log(const char *path, int *ret, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);

    if (fd < 0)
        return err_errno(e, errno, "open the access log '%s'", path);
    *ret = fd;
    return 0;
}

int gateway_reopen_log(struct gateway *g, struct err *e)
{
    struct access_log *log = &g->log;
    int fd = -1;

    if (!log->path)
        return 0;
    if (open_log(log->path, &fd, e) < 0)
        return -1;
    locked(&log->lock);
    (void)close(log->fd);
    log->fd = fd;
    return 0;
}

static void add_text(struct buf *line, const char *text)
{
    size_t left = strlen(text);

    if (left > TEXT_MAX_BYTES)
        left = TEXT_MAX_BYTES;
    buf_char(line, '"');
    while (left) {
        uint32_t character;
        size_t n = utf8_read(text, left, &character);
        if (n == 0)
            buf_text(line, "\\ufffd");
        else if (character < 0x20 || character == '"' || character == '\\' || character == 0x7f)
            buf_printf(line, "\\u%04x", (unsigned)character);
        else
            buf_bytes(line, text, n);
        text += n ? n : 1;
        left -= n ? n : 1;
    }
    buf_char(line, '"');
}

static void add_member(struct buf *line, const char *name, const char *text)
{
    if (!text)
        return;
    buf_printf(line, ",\"%s\":", name);
    add_text(line, text);
}

static void add_record(struct buf *line, const char *door, const struct azblob_record *r)
{
    char time[DATE_TEXT];

    date_iso8601(time, sizeof(time), r->began, 6);
    buf_printf(line, "{\"time\":\"%s\",\"door\":\"%s\"", time, door);
    add_member(line, "request", r->request_id);
    add_member(line, "client_request", r->client_request_id);
    add_member(line, "peer", r->peer);
    add_member(line, "method", r->method);
    add_member(line, "operation", r->operation);
    add_member(line, "account", r->account);
    add_member(line, "container", r->container);
    add_member(line, "blob", r->blob);
    add_member(line, "authentication", r->authentication);
    add_member(line, "principal", r->principal);
    buf_printf(line,
               ",\"status\":%d,\"in\":%" PRIu64 ",\"out\":%" PRIu64 ",\"seconds\":%.6f,"
               "\"complete\":%s",
               r->status, r->bytes_in, r->bytes_out, (double)r->duration / (double)CLOCK_SECOND,
               r->complete ? "true" : "false");
    add_member(line, "error", r->error);
    add_member(line, "version", r->version);
    add_member(line, "agent", r->user_agent);
    if (r->part)
        buf_text(line, ",\"part\":true");
    buf_text(line, "}\n");
}

static void write_log(struct gateway *g, const char *door, const struct azblob_record *record)
{
    auto_buf struct buf line = BUF_INIT((size_t)8 * LINE_MAX_BYTES);

    if (g->log.fd < 0)
        return;
    add_record(&line, door, record);
    locked(&g->log.lock);
    /* One write, appended: lines of several processes do not mix. */
    if (write(g->log.fd, line.data, line.length) != (ssize_t)line.length)
        metrics_add(g->metrics, METRICS_LOG_FAILED, 1);
}

/* ---- The audit log ---- */

static void write_audit(struct gateway *g, const struct azblob_record *r)
{
    bool done = r->administrative && r->status >= 200 && r->status < 300;
    struct err e = {0};

    if (!g->audit || (!r->refused && !done))
        return;
    auto_free char *class =
        xasprintf("%s/%s", r->account ? r->account : "", r->container ? r->container : "");
    auto_free char *resource = r->blob ? xasprintf("%s/%s", class, r->blob) : xstrdup(class);
    const struct audit_event event = {
        .event = r->refused ? "refused" : "administered",
        .principal = r->principal ? r->principal : r->authentication,
        .action = r->operation,
        .resource = resource,
        .class = class,
        .reason = r->error,
        .client = r->peer,
        .request = r->request_id,
        .time = clock_wall(),
    };
    int written =
        r->refused ? audit_refused(g->audit, &event, &e) : audit_write(g->audit, &event, &e);
    if (written < 0) {
        metrics_add(g->metrics, METRICS_AUDIT_FAILED, 1);
        log_line(LOG_ERROR, "%s", e.text);
    }
}

void gateway_record(void *argument, const struct azblob_record *record)
{
    gateway_record_as(argument, GATEWAY_DOOR_NAME, record);
}

void gateway_record_as(struct gateway *g, const char *door, const struct azblob_record *record)
{
    const struct metrics_request counted = {
        .door = door,
        .operation = record->operation ? record->operation : "Unknown",
        .status = record->status,
        .bytes_in = record->bytes_in,
        .bytes_out = record->bytes_out,
        .duration = record->duration,
    };

    metrics_request(g->metrics, &counted);
    write_log(g, door, record);
    write_audit(g, record);
}

/* An anchor: an object beside the journal, so that who owns this machine alone cannot cut the end
 * off the log unseen. */
static int anchor(void *argument, uint64_t sequence, const char hash[AUDIT_HASH_SIZE],
                  struct err *e)
{
    const struct gateway *g = argument;
    struct call call = {.deadline = clock_monotonic() + 30 * CLOCK_SECOND};
    char time[DATE_TEXT];
    size_t kept = 0;

    date_iso8601(time, sizeof(time), clock_wall(), 0);
    auto_free char *text =
        xasprintf("{\"gateway\":\"%s\",\"sequence\":%" PRIu64 ",\"hash\":\"%s\",\"time\":\"%s\"}\n",
                  g->name, sequence, hash, time);
    for (size_t i = 0; i < g->serve.journal_count; i++) {
        const struct journal_place *place = &g->places[i];
        auto_put_result struct put_result result = PUT_RESULT_INIT;
        auto_free char *name =
            xasprintf("%saudit/%s/%020" PRIu64 ".json", place->prefix, g->name, sequence);
        const struct object_key key = {.container = place->container, .name = name};
        const struct put_options options = {.size = strlen(text)};
        struct source_bytes source;
        source_bytes_init(&source, text, strlen(text));
        if (store_put(place->store, &key, &options, &source.source, &result, &call) == 0)
            kept++;
        else
            log_line(LOG_WARNING, "anchor of the audit log: %s", call.err.text);
    }
    if (kept)
        return 0;
    *e = call.err;
    return -1;
}

/* ---- Both ---- */

int gateway_open_logs(struct gateway *g, struct err *e)
{
    const struct serve_audit *a = &g->serve.audit;
    const char *path = g->serve.access_log;

    g->log.fd = -1;
    (void)pthread_mutex_init(&g->log.lock, NULL);
    if (path && strcmp(path, "stderr") == 0) {
        g->log.fd = STDERR_FILENO;
    } else if (path) {
        g->log.path = xstrdup(path);
        if (open_log(path, &g->log.fd, e) < 0)
            return -1;
    }
    if (!a->path)
        return 0;
    const struct audit_options options = {
        .path = a->path,
        .gateway = g->name,
        .sync_interval = a->sync_interval,
        .window = a->window,
        .file_max = a->file_max,
        .anchor = anchor,
        .anchor_argument = g,
    };
    return audit_open(&options, &g->audit, e);
}

void gateway_close_logs(struct gateway *g)
{
    audit_close(take(g->audit));
    if (g->log.fd > STDERR_FILENO)
        (void)close(g->log.fd);
    g->log.fd = -1;
    free(take(g->log.path));
}

// SPDX-License-Identifier: EUPL-1.2
/* The audit log of a gateway: see audit.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "auth/audit_private.h"
#include "codec/date.h"
#include "codec/json.h"
#include "codec/url.h"
#include "codec/utf8.h"
#include "util/thread.h"

#define USUAL_WINDOW          (60 * CLOCK_SECOND)
#define USUAL_FILE            (UINT64_C(64) << 20)
#define USUAL_ANCHOR_ENTRIES  1000
#define USUAL_ANCHOR_INTERVAL (300 * CLOCK_SECOND)

int audit_open(const struct audit_options *o, struct audit **ret, struct err *e)
{
    struct audit *log = xcalloc(1, sizeof(*log));

    *log = (struct audit){
        .path = xstrdup(o->path),
        .gateway = xstrdup(o->gateway ? o->gateway : ""),
        .sync_interval = o->sync_interval,
        .window = o->window ? o->window : USUAL_WINDOW,
        .file_max = o->file_max ? o->file_max : USUAL_FILE,
        .anchor_entries = o->anchor_entries ? o->anchor_entries : USUAL_ANCHOR_ENTRIES,
        .anchor_interval = o->anchor_interval ? o->anchor_interval : USUAL_ANCHOR_INTERVAL,
        .anchor = o->anchor,
        .anchor_argument = o->anchor_argument,
        .lock_file = -1,
        .file = -1,
        .head = AUDIT_NO_HASH,
        .anchored_at = clock_monotonic(),
    };
    (void)pthread_mutex_init(&log->lock, NULL);
    if (audit_file_lock(log, e) < 0 || audit_file_open(log, e) < 0) {
        audit_close(log);
        return err_prefix(e, "audit log");
    }
    *ret = log;
    return 0;
}

/* ---- Entries ---- */

json_t *audit_text(const char *text)
{
    auto_buf struct buf clean = BUF_INIT(3 * AUDIT_TEXT_MAX + 8);
    size_t length = text ? strnlen(text, AUDIT_TEXT_MAX + 1) : 0, n;
    uint32_t character;

    if (!text)
        return NULL;
    for (size_t at = 0; at < length && clean.length < AUDIT_TEXT_MAX; at += n ? n : 1) {
        n = utf8_read(text + at, length - at, &character);
        if (n)
            buf_bytes(&clean, text + at, n);
        else
            url_escape(&clean, text + at, 1, URL_KEEP_UNRESERVED);
    }
    if (length > AUDIT_TEXT_MAX)
        buf_text(&clean, "...");
    return json_stringn(clean.data, clean.length);
}

static void set(json_t *fields, const char *name, const char *text)
{
    if (text)
        (void)json_object_set_new(fields, name, audit_text(text));
}

/* Write all of a line or nothing. */
static int put(struct audit *log, const struct buf *line, struct err *e)
{
    size_t done = 0;

    while (done < line->length) {
        ssize_t n = write(log->file, line->data + done, line->length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int number = errno;
            if (done && ftruncate(log->file, (off_t)log->length) < 0) {
                close_p(&log->file); /* the next entry opens it again, and sets this end aside */
                log->file = -1;
            }
            return err_errno(e, number, "write to audit log '%s'", log->path);
        }
        done += (size_t)n;
    }
    return 0;
}

int audit_append(struct audit *log, int64_t time, const char *event, json_t *fields, struct err *e)
{
    auto_json json_t *owned = fields;
    auto_buf struct buf line = BUF_INIT(AUDIT_LINE_MAX);
    char when[DATE_TEXT], head[AUDIT_HASH_SIZE];

    if (log->file < 0 && audit_file_open(log, e) < 0) {
        close_p(&log->file);
        log->file = -1;
        return -1;
    }
    date_iso8601(when, sizeof(when), time, 3);
    (void)json_object_set_new(fields, "seq", json_integer((json_int_t)log->sequence + 1));
    (void)json_object_set_new(fields, "prev", json_string(log->head));
    (void)json_object_set_new(fields, "time", json_string(when));
    (void)json_object_set_new(fields, "event", json_string(event));
    if (json_write(&line, fields, e) < 0)
        return err_prefix(e, "an entry of the audit log");
    audit_hash(&line, head);
    if (buf_add(&line, "\n", 1, e) < 0 || put(log, &line, e) < 0)
        return -1;
    log->length += line.length;
    log->entries++;
    log->sequence++;
    memcpy(log->head, head, sizeof(head));
    if (!log->dirty_since)
        log->dirty_since = clock_monotonic();
    return 0;
}

static json_t *fields_of(const struct audit_event *event)
{
    json_t *fields = json_object();

    set(fields, "principal", event->principal);
    set(fields, "action", event->action);
    set(fields, "resource", event->resource);
    set(fields, "reason", event->reason);
    set(fields, "client", event->client);
    set(fields, "request", event->request);
    if (event->details && event->details->count) {
        json_t *details = json_object();
        for (size_t i = 0; i < event->details->count && i < 64; i++) {
            auto_json json_t *key = audit_text(event->details->list[i].key);
            set(details, json_string_value(key), event->details->list[i].value);
        }
        (void)json_object_set_new(fields, "details", details);
    }
    return fields;
}

/* One entry, and what it may bring with it: the next file, the sync. */
static int write_one(struct audit *log, int64_t time, const char *event, json_t *fields,
                     struct err *e)
{
    if (log->length >= log->file_max && log->entries > 1 && audit_file_rotate(log, e) < 0) {
        json_decref(fields);
        return -1;
    }
    if (audit_append(log, time, event, fields, e) < 0)
        return -1;
    return log->sync_interval == 0 ? audit_sync(log, e) : 0;
}

int audit_write(struct audit *log, const struct audit_event *event, struct err *e)
{
    locked(&log->lock);

    return write_one(log, event->time, event->event, fields_of(event), e);
}

/* ---- Refusals that repeat ---- */

static void kind_release(struct audit_kind *k)
{
    free(k->text);
    free(k->principal);
    free(k->action);
    free(k->class);
    free(k->reason);
    *k = (struct audit_kind){0};
}

static uint64_t mark_of(const char *text)
{
    uint64_t mark = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *text; text++)
        mark = (mark ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return mark;
}

/* The kind this is one more of, or NULL. */
static struct audit_kind *find_kind(struct audit *log, const char *text)
{
    uint64_t mark = mark_of(text);

    for (size_t i = 0; i < log->kind_count; i++)
        if (log->kinds[i].mark == mark && strcmp(log->kinds[i].text, text) == 0)
            return &log->kinds[i];
    return NULL;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static void add_kind(struct audit *log, const struct audit_event *event, const char *class,
                     char *text)
{
    log->kinds[log->kind_count++] = (struct audit_kind){
        .mark = mark_of(text),
        .text = text,
        .principal = xstrdup_null(event->principal),
        .action = xstrdup_null(event->action),
        .class = xstrdup_null(class),
        .reason = xstrdup_null(event->reason),
        .began = event->time,
        .last = event->time,
    };
}

/* "refused", and how often it was again. */
static int write_count(struct audit *log, const struct audit_kind *kind, int64_t now, struct err *e)
{
    json_t *fields = json_object();
    char began[DATE_TEXT], last[DATE_TEXT];

    date_iso8601(began, sizeof(began), kind->began, 3);
    date_iso8601(last, sizeof(last), kind->last, 3);
    set(fields, "principal", kind->text ? kind->principal : "(others)");
    set(fields, "action", kind->action);
    set(fields, "class", kind->class);
    set(fields, "reason", kind->reason);
    set(fields, "since", began);
    set(fields, "until", last);
    (void)json_object_set_new(fields, "repeated", json_integer((json_int_t)kind->more));
    return write_one(log, now, "refused", fields, e);
}

/* Windows that ended; with all those that have not, too. */
static int end_windows(struct audit *log, int64_t now, bool all, struct err *e)
{
    for (size_t i = 0; i < log->kind_count;) {
        struct audit_kind *kind = &log->kinds[i];
        /* a clock that was set back ends it as well */
        if (!all && now >= kind->began && now - kind->began < log->window) {
            i++;
            continue;
        }
        if (kind->more && write_count(log, kind, now, e) < 0)
            return -1;
        kind_release(kind);
        *kind = log->kinds[--log->kind_count];
        log->kinds[log->kind_count] = (struct audit_kind){0};
    }
    if (log->others.more &&
        (all || now < log->others.began || now - log->others.began >= log->window)) {
        if (write_count(log, &log->others, now, e) < 0)
            return -1;
        kind_release(&log->others);
    }
    return 0;
}

int audit_refused(struct audit *log, const struct audit_event *event, struct err *e)
{
    const char *class = event->class ? event->class : event->resource;
    auto_free char *text =
        xasprintf("%s\n%s\n%s\n%s\n%s", or_empty(event->event), or_empty(event->principal),
                  or_empty(event->action), or_empty(class), or_empty(event->reason));
    locked(&log->lock);

    if (end_windows(log, event->time, false, e) < 0)
        return -1;
    struct audit_kind *kind = find_kind(log, text);
    if (!kind && log->kind_count == AUDIT_KINDS_MAX) {
        kind = &log->others;
        if (!kind->more)
            kind->began = event->time;
    }
    if (kind) {
        kind->more++;
        kind->last = event->time;
        return 0;
    }
    if (write_one(log, event->time, event->event, fields_of(event), e) < 0)
        return -1;
    add_kind(log, event, class, take(text));
    return 0;
}

/* ---- What is due ---- */

int audit_sync(struct audit *log, struct err *e)
{
    if (!log->dirty_since)
        return 0;
    if (log->sync_failed)
        return err_set(e, ERR_IO,
                       "audit log '%s' could not be synced before: restart when its disk "
                       "is well again",
                       log->path);
    if (fdatasync(log->file) < 0) {
        log->sync_failed = true;
        return err_errno(e, errno, "sync audit log '%s'", log->path);
    }
    log->dirty_since = 0;
    return 0;
}

/* Whether an anchor is due, and of what. */
static bool anchor_due(struct audit *log, bool all, uint64_t *sequence, char hash[AUDIT_HASH_SIZE])
{
    uint64_t fresh = log->sequence - log->anchored;

    if (!log->anchor || fresh == 0 ||
        (!all && fresh < log->anchor_entries &&
         clock_monotonic() - log->anchored_at < log->anchor_interval))
        return false;
    *sequence = log->sequence;
    memcpy(hash, log->head, AUDIT_HASH_SIZE);
    return true;
}

static int do_what_is_due(struct audit *log, int64_t now, bool all, struct err *e)
{
    char hash[AUDIT_HASH_SIZE];
    uint64_t sequence = 0;

    {
        locked(&log->lock);
        if (end_windows(log, now, all, e) < 0)
            return -1;
        bool due = anchor_due(log, all, &sequence, hash);
        bool waited =
            log->dirty_since && clock_monotonic() - log->dirty_since >= log->sync_interval;
        if ((due || all || waited) && audit_sync(log, e) < 0)
            return -1;
        if (!due)
            return 0;
    }
    if (log->anchor(log->anchor_argument, sequence, hash, e) < 0)
        return err_prefix(e, "anchor the audit log '%s'", log->path);
    locked(&log->lock);
    log->anchored = sequence;
    log->anchored_at = clock_monotonic();
    return 0;
}

int audit_tick(struct audit *log, int64_t now, struct err *e)
{
    return do_what_is_due(log, now, false, e);
}

int audit_rotate(struct audit *log, struct err *e)
{
    locked(&log->lock);

    return log->entries > 1 ? audit_file_rotate(log, e) : 0;
}

void audit_head(struct audit *log, uint64_t *ret_sequence, char ret_hash[AUDIT_HASH_SIZE])
{
    locked(&log->lock);

    *ret_sequence = log->sequence;
    memcpy(ret_hash, log->head, AUDIT_HASH_SIZE);
}

void audit_close(struct audit *log)
{
    struct err e = {0};

    if (!log)
        return;
    if (log->file >= 0)
        (void)!do_what_is_due(log, clock_wall(), true, &e);
    for (size_t i = 0; i < log->kind_count; i++)
        kind_release(&log->kinds[i]);
    close_p(&log->file);
    close_p(&log->lock_file);
    (void)pthread_mutex_destroy(&log->lock);
    free(log->path);
    free(log->gateway);
    free(log);
}

// SPDX-License-Identifier: EUPL-1.2
/* Reading an audit log again, and whether its chain holds; see audit.h. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "auth/audit_private.h"
#include "codec/json.h"
#include "crypto/hash.h"

bool audit_line_next(FILE *file, struct audit_line *line)
{
    struct err e = {0};
    int c;

    buf_reset(&line->text);
    line->too_long = line->ended = false;
    while ((c = getc_unlocked(file)) != EOF) {
        char byte = (char)c;
        line->end++;
        line->ended = byte == '\n';
        if (line->ended)
            break;
        if (!line->too_long && buf_add(&line->text, &byte, 1, &e) < 0)
            line->too_long = true;
    }
    bool any = line->ended || line->text.length > 0;
    line->number += any;
    return any;
}

static bool is_hash(const char *text)
{
    return text && strlen(text) == AUDIT_HASH_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == AUDIT_HASH_SIZE - 1;
}

json_t *audit_line_entry(const struct audit_line *line, uint64_t *ret_sequence,
                         const char **ret_previous)
{
    auto_json json_t *entry = NULL;
    struct err e = {0};
    int64_t sequence = 0;

    if (line->too_long || json_parse(line->text.data, line->text.length, &entry, &e) < 0)
        return NULL;
    const char *previous = json_text(entry, "prev");
    if (!json_number(entry, "seq", &sequence) || sequence < 1 || !is_hash(previous))
        return NULL;
    *ret_sequence = (uint64_t)sequence;
    *ret_previous = previous;
    return take(entry);
}

void audit_hash(const struct buf *line, char ret[AUDIT_HASH_SIZE])
{
    char hex[HASH_HEX_SIZE];

    hash_hex(HASH_SHA256, line->data, line->length, hex);
    memcpy(ret, hex, AUDIT_HASH_SIZE);
}

struct check {
    struct audit_report report;
    const struct audit_anchor *anchors;
    size_t anchor_count;
    const char *path;
    bool last_file;
};

static void count(struct audit_report *report, const json_t *entry)
{
    const char *event = json_text(entry, "event");
    int64_t repeated = 1;

    (void)json_number(entry, "repeated", &repeated);
    if (event && strcmp(event, "torn") == 0)
        report->torn++;
    if (event && strcmp(event, "refused") == 0 && repeated > 0)
        report->refused += (uint64_t)repeated;
}

static int check_anchors(struct check *c, uint64_t line, struct err *e)
{
    struct audit_report *r = &c->report;

    for (size_t i = 0; i < c->anchor_count; i++) {
        if (c->anchors[i].sequence != r->last)
            continue;
        if (strcmp(c->anchors[i].hash, r->head) != 0)
            return err_set(e, ERR_CORRUPT,
                           "'%s' line %" PRIu64 ": entry %" PRIu64
                           " is not the one that was anchored",
                           c->path, line, r->last);
        r->anchors++;
    }
    return 0;
}

static int check_line(struct check *c, const struct audit_line *line, struct err *e)
{
    struct audit_report *r = &c->report;
    uint64_t sequence = 0;
    const char *previous = NULL;
    auto_json json_t *entry = line->ended ? audit_line_entry(line, &sequence, &previous) : NULL;

    if (!line->ended && c->last_file) {
        r->unfinished = true;
        return 0;
    }
    if (!entry)
        return err_set(e, ERR_CORRUPT,
                       "'%s' line %" PRIu64 ", after entry %" PRIu64 ", is no entry", c->path,
                       line->number, r->last);
    if (r->first && sequence != r->last + 1)
        return err_set(e, ERR_CORRUPT,
                       "'%s' line %" PRIu64 " is entry %" PRIu64 ", and %" PRIu64
                       " should be: something is missing or was put in",
                       c->path, line->number, sequence, r->last + 1);
    if (r->first ? strcmp(previous, r->head) != 0
                 : sequence == 1 && strcmp(previous, AUDIT_NO_HASH) != 0)
        return err_set(e, ERR_CORRUPT,
                       "'%s' line %" PRIu64 " (entry %" PRIu64
                       ") does not follow the entry before: that one was changed",
                       c->path, line->number, sequence);
    if (!r->first)
        r->first = sequence;
    r->last = sequence;
    audit_hash(&line->text, r->head);
    count(r, entry);
    return check_anchors(c, line->number, e);
}

static int check_file(struct check *c, struct err *e)
{
    struct audit_line line = AUDIT_LINE_INIT;
    FILE *file = fopen(c->path, "re");
    int result = 0;

    if (!file)
        return err_errno(e, errno, "open '%s'", c->path);
    while (result == 0 && audit_line_next(file, &line))
        result = check_line(c, &line, e);
    if (result == 0 && ferror(file))
        result = err_errno(e, errno, "read '%s'", c->path);
    buf_release(&line.text);
    (void)fclose(file);
    return result;
}

int audit_verify(const char *const *paths, size_t count_of_paths,
                 const struct audit_anchor *anchors, size_t anchor_count, struct audit_report *ret,
                 struct err *e)
{
    struct check c = {
        .report = {.head = AUDIT_NO_HASH}, .anchors = anchors, .anchor_count = anchor_count};

    for (size_t i = 0; i < count_of_paths; i++) {
        c.path = paths[i];
        c.last_file = i + 1 == count_of_paths;
        if (check_file(&c, e) < 0)
            return -1;
    }
    for (size_t i = 0; i < anchor_count; i++)
        if (anchors[i].sequence > c.report.last)
            return err_set(e, ERR_CORRUPT,
                           "the log ends with entry %" PRIu64 ", and entry %" PRIu64
                           " was anchored: its end is missing",
                           c.report.last, anchors[i].sequence);
    *ret = c.report;
    return 0;
}

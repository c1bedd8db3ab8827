// SPDX-License-Identifier: EUPL-1.2
/* bascule index: how the index stands, its backup, and its way back. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/admin.h"
#include "cli/gateway.h"
#include "codec/date.h"
#include "codec/json.h"
#include "codec/size.h"

/* ---- Files ---- */

struct file_sink {
    struct sink sink;
    int fd;
    const char *path;
};

static int file_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct file_sink *f = container_of(sink, struct file_sink, sink);
    const char *at = bytes;

    while (n) {
        ssize_t done = write(f->fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_errno(&call->err, errno, "write '%s'", f->path);
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

struct file_source {
    struct source source;
    int fd;
    const char *path;
};

static ssize_t file_read_some(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct file_source *f = container_of(source, struct file_source, source);
    ssize_t got;

    do
        got = read(f->fd, bytes, n);
    while (got < 0 && errno == EINTR);
    return got < 0 ? err_errno(&call->err, errno, "read '%s'", f->path) : got;
}

static bool is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* ---- backup, restore ---- */

/* Beside, then renamed: there is never half a backup under the name. */
static int backup_to(struct index *index, const char *path, struct call *call)
{
    auto_free char *draft = is_standard(path) ? xstrdup(path) : xasprintf("%s.part", path);
    auto_close int fd = is_standard(path)
                            ? dup(STDOUT_FILENO)
                            : open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct file_sink sink = {.sink = {.write = file_write}, .fd = fd, .path = draft};

    if (fd < 0)
        return err_errno(&call->err, errno, "make '%s'", draft);
    if (index_backup(index, &sink.sink, call) < 0) {
        if (!is_standard(path))
            (void)unlink(draft);
        return -1;
    }
    if (is_standard(path))
        return 0;
    if (fsync(fd) < 0 || rename(draft, path) < 0)
        return err_errno(&call->err, errno, "write '%s'", path);
    return 0;
}

static int backup(struct admin *a, const char **words, int count, struct call *call)
{
    (void)count;
    if (admin_index(a, true, call) < 0)
        return -1;
    return backup_to(a->index, words[0], call) < 0 ? -1 : EXIT_OK;
}

/* What lies in the stores must not be older than what the index goes on from. */
static int snapshot_now(struct gateway *g, struct index *index, struct call *call)
{
    if (snapshot_write(index, g->places, g->serve.journal_count, call) < 0)
        return err_prefix(&call->err, "the index is there, but a snapshot could not be written; "
                                      "run bascule index snapshot before a gateway starts");
    return 0;
}

static int restore_from(struct admin *a, struct gateway *g, const char *path, struct call *call)
{
    auto_close int fd = is_standard(path) ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct file_source source = {.source = {.read = file_read_some}, .fd = fd, .path = path};

    if (fd < 0)
        return err_errno(&call->err, errno, "open '%s'", path);
    return gateway_open_places(g, call) < 0 || admin_index(a, false, call) < 0 ||
                   index_restore(a->index, &source.source, call) < 0 ||
                   snapshot_now(g, a->index, call) < 0
               ? -1
               : EXIT_OK;
}

static int restore(struct admin *a, const char **words, int count, struct call *call)
{
    struct gateway g = {.serve = a->serve};
    int code = restore_from(a, &g, words[0], call);

    (void)count;
    index_close(take(a->index));
    gateway_close_stores(&g);
    return code;
}

/* ---- pieces ---- */

struct finding {
    const struct gateway *g;
    bool quiet;
    uint64_t ours; /* the index's own, in the same container as bodies */
};

static bool is_ours(const struct gateway *g, const struct piece_place *place, const char *key)
{
    for (size_t i = 0; i < g->serve.journal_count; i++) {
        const struct journal_place *j = &g->places[i];
        if (j->store == place->store && strcmp(j->container, place->container) == 0 && *j->prefix &&
            strncmp(key, j->prefix, strlen(j->prefix)) == 0)
            return true;
    }
    return false;
}

static int found(void *argument, const struct piece_place *place, const char *key, bool missing)
{
    struct finding *f = argument;

    if (!missing && is_ours(f->g, place, key)) {
        f->ours++;
        return 0;
    }
    if (!f->quiet)
        printf("%s  %s:%s/%s\n", missing ? "missing" : "unknown", place->name, place->container,
               key);
    return 0;
}

static int check_pieces(struct gateway *g, struct index *index, bool quiet,
                        struct piece_report *ret, struct call *call)
{
    struct finding finding = {.g = g, .quiet = quiet};
    struct piece_place *places = xcalloc(g->serve.body_count, sizeof(*places));

    for (size_t i = 0; i < g->serve.body_count; i++)
        places[i] = (struct piece_place){.name = g->bodies[i].name,
                                         .store = g->bodies[i].store,
                                         .container = g->bodies[i].container};
    int result = index_check_pieces(index, places, g->serve.body_count, found, &finding, ret, call);
    free(places);
    ret->unknown -= finding.ours;
    ret->listed -= finding.ours;
    return result;
}

static void print_pieces(const struct piece_report *r, json_t *json)
{
    if (json)
        (void)json_object_set_new(json, "pieces",
                                  json_pack("{s:I,s:I,s:I}", "listed", (json_int_t)r->listed,
                                            "missing", (json_int_t)r->missing, "unknown",
                                            (json_int_t)r->unknown));
    else
        printf("pieces: %" PRIu64 " in the stores, %" PRIu64 " missing, %" PRIu64
               " that no row speaks of\n",
               r->listed, r->missing, r->unknown);
}

static int pieces(struct admin *a, struct gateway *g, struct call *call)
{
    auto_piece_report struct piece_report r = {0};
    auto_json json_t *json = a->json ? json_object() : NULL;

    if (gateway_open_places(g, call) < 0 || admin_index(a, true, call) < 0 ||
        check_pieces(g, a->index, a->json, &r, call) < 0)
        return -1;
    print_pieces(&r, json);
    if (json)
        admin_print(json_incref(json));
    return r.missing ? EXIT_DIFFERENCES : EXIT_OK;
}

static int check(struct admin *a, const char **words, int count, struct call *call)
{
    struct gateway g = {.serve = a->serve};
    int code = pieces(a, &g, call);

    (void)words;
    (void)count;
    gateway_close_stores(&g);
    return code;
}

/* ---- rebuild ---- */

static void print_rebuild(const struct rebuild_report *r, json_t *json)
{
    char last[DATE_TEXT] = "never";

    if (r->last_time > 0)
        date_iso8601(last, sizeof(last), r->last_time, 3);
    if (json) {
        (void)json_object_update_new(
            json,
            json_pack("{s:I,s:I,s:I,s:s,s:I,s:s?,s:I,s:I}", "snapshot", (json_int_t)r->snapshot,
                      "snapshotRows", (json_int_t)r->snapshot_rows, "journalLines",
                      (json_int_t)r->journal_lines, "lastTime", last, "gaps", (json_int_t)r->gaps,
                      "firstGap", r->first_gap, "unfinished", (json_int_t)r->unfinished,
                      "secretsMissing", (json_int_t)r->secrets_missing));
        return;
    }
    if (r->snapshot < 0)
        printf("snapshot: none; %" PRIu64 " lines of the journal\n", r->journal_lines);
    else
        printf("snapshot: %" PRIu64 " rows; %" PRIu64 " lines of the journal after it\n",
               r->snapshot_rows, r->journal_lines);
    printf("newest change: %s; what was committed later, and not yet shipped (at most %d s), is "
           "not in here\n",
           last, JOURNAL_SECONDS);
    if (r->gaps)
        printf("missing numbers: %" PRIu64 " (first: %s)\n", r->gaps,
               r->first_gap ? r->first_gap : "?");
    if (r->unfinished)
        printf("left out: %" PRIu64 " lines of a transaction that was not shipped whole\n",
               r->unfinished);
    if (r->secrets_missing)
        printf("keys: %" PRIu64 " accounts or credentials need new ones (bascule key rotate): the "
               "places keep no secrets\n",
               r->secrets_missing);
}

static int rebuild_all(struct admin *a, struct gateway *g, struct call *call)
{
    auto_rebuild_report struct rebuild_report r = {0};
    auto_piece_report struct piece_report p = {0};
    auto_json json_t *json = a->json ? json_object() : NULL;

    if (gateway_open_places(g, call) < 0 || admin_index(a, false, call) < 0 ||
        index_rebuild(a->index, g->places, g->serve.journal_count, &r, call) < 0)
        return -1;
    print_rebuild(&r, json);
    if (snapshot_now(g, a->index, call) < 0 || check_pieces(g, a->index, a->json, &p, call) < 0)
        return -1;
    print_pieces(&p, json);
    if (json)
        admin_print(json_incref(json));
    return r.gaps || p.missing ? EXIT_DIFFERENCES : EXIT_OK;
}

static int rebuild(struct admin *a, const char **words, int count, struct call *call)
{
    struct gateway g = {.serve = a->serve};
    int code = rebuild_all(a, &g, call);

    (void)words;
    (void)count;
    index_close(take(a->index));
    gateway_close_stores(&g);
    return code;
}

static int snapshot(struct admin *a, const char **words, int count, struct call *call)
{
    struct gateway g = {.serve = a->serve};
    int result = gateway_open_places(&g, call) < 0 || admin_index(a, true, call) < 0
                     ? -1
                     : snapshot_now(&g, a->index, call);

    (void)words;
    (void)count;
    index_close(take(a->index));
    gateway_close_stores(&g);
    return result < 0 ? -1 : EXIT_OK;
}

/* ---- status ---- */

static const struct {
    const char *name;
    const char *sql;
} counts[] = {
    {"accounts", "SELECT COUNT(*) FROM account"},
    {"containers", "SELECT COUNT(*) FROM container WHERE deleted IS NULL"},
    {"objects", "SELECT COUNT(*) FROM object WHERE current = 1"},
    {"versions", "SELECT COUNT(*) FROM object WHERE current = 0"},
    {"bytes", "SELECT COALESCE(CAST(SUM(size) AS INTEGER), 0) FROM object"},
    {"pieces", "SELECT COUNT(*) FROM piece"},
    {"piece_bytes", "SELECT COALESCE(CAST(SUM(size) AS INTEGER), 0) FROM piece"},
    {"blocks", "SELECT COUNT(*) FROM block"},
    {"intents", "SELECT COUNT(*) FROM intent"},
    {"garbage", "SELECT COUNT(*) FROM garbage"},
    {"journal", "SELECT COUNT(*) FROM journal"},
};

static int count_all(struct db *db, void *argument, struct call *call)
{
    int64_t *values = argument;

    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        struct db_statement *s;
        if (db_prepare(db, counts[i].sql, &s, call) < 0)
            return -1;
        int row = db_step(s, call);
        values[i] = row > 0 ? db_column_int(s, 0) : 0;
        db_reset(s);
        if (row < 0)
            return -1;
    }
    return 0;
}

static int status(struct admin *a, const char **words, int count, struct call *call)
{
    int64_t values[ARRAY_SIZE(counts)];
    auto_json json_t *json = json_object();

    (void)words;
    (void)count;
    if (admin_index(a, true, call) < 0 || index_read(a->index, count_all, values, call) < 0)
        return -1;
    if (!a->json)
        printf("%-12s %s\n", "index", index_name(a->index));
    else
        (void)json_object_set_new(json, "index", json_string(index_name(a->index)));
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        if (a->json)
            (void)json_object_set_new(json, counts[i].name, json_integer(values[i]));
        else
            printf("%-12s %" PRId64 "\n", counts[i].name, values[i]);
    }
    if (a->json)
        admin_print(json_incref(json));
    return EXIT_OK;
}

static int command_run(const struct command *self, int argc, char **argv)
{
    static const struct action actions[] = {
        {"status", "", 0, 0, status},       {"backup", "FILE", 1, 1, backup},
        {"restore", "FILE", 1, 1, restore}, {"rebuild", "", 0, 0, rebuild},
        {"snapshot", "", 0, 0, snapshot},   {"check", "", 0, 0, check},
    };

    return admin_main(self, actions, ARRAY_SIZE(actions), NULL, 0, NULL, argc, argv);
}

const struct command command_index = {
    .name = "index",
    .arguments = "ACTION [FILE]",
    .summary = "Count, back up, restore, rebuild and check the index",
    .text = "  status        how much is in it\n"
            "  backup FILE   the whole of it, keys too, as JSON lines; '-' is standard output\n"
            "  restore FILE  into an empty index, while no gateway uses it\n"
            "  rebuild       into an empty index, from the journal and snapshots in the stores\n"
            "  snapshot      write one now\n"
            "  check         compare rows and stores: what is missing, what no row speaks of\n\n"
            "status, backup, snapshot and check work beside running gateways.  Exit status 4: "
            "something is missing.",
    .run = command_run,
};

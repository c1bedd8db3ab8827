// SPDX-License-Identifier: EUPL-1.2
/* bascule audit: whether an audit log is whole. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "auth/audit.h"
#include "cli/admin.h"
#include "cli/gateway.h"
#include "codec/json.h"

#define ANCHOR_MAX  4096
#define ANCHORS_MAX 100000

struct audit_options_given {
    const char *anchors; /* NAME of the gateway whose anchors are to be fetched; NULL: none */
};

struct anchors {
    struct audit_anchor *list;
    size_t count;
};

static void anchors_release(struct anchors *a)
{
    free(a->list);
}

static int read_anchor(const struct journal_place *place, const char *name, struct anchors *into,
                       struct call *call)
{
    const struct object_key key = {.container = place->container, .name = name};
    const struct get_options options = {.length = STORE_TO_END};
    auto_buf struct buf text = BUF_INIT(ANCHOR_MAX);
    auto_json json_t *json = NULL;
    struct sink_buf sink;
    int64_t sequence;

    sink_buf_init(&sink, &text);
    if (store_get(place->store, &key, &options, &sink.sink, NULL, NULL, call) < 0 ||
        json_parse(text.data, text.length, &json, &call->err) < 0)
        return err_prefix(&call->err, "anchor '%s'", name);
    const char *hash = json_text(json, "hash");
    if (!json_number(json, "sequence", &sequence) || sequence <= 0 || !hash ||
        strlen(hash) != AUDIT_HASH_SIZE - 1)
        return err_set(&call->err, ERR_CORRUPT, "'%s' is no anchor of an audit log", name);
    into->list = xrealloc(into->list, into->count + 1, sizeof(*into->list));
    struct audit_anchor *a = &into->list[into->count++];
    a->sequence = (uint64_t)sequence;
    memcpy(a->hash, hash, AUDIT_HASH_SIZE);
    return 0;
}

/* Every anchor of a gateway at one place. */
static int list_anchors(const struct journal_place *place, const char *gateway,
                        struct anchors *into, struct call *call)
{
    auto_free char *prefix = xasprintf("%saudit/%s/", place->prefix, gateway);
    auto_free char *cursor = NULL;

    do {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        const struct list_options options = {.prefix = prefix, .cursor = cursor};
        if (store_list(place->store, place->container, &options, &page, call) < 0)
            return -1;
        for (size_t i = 0; i < page.count; i++)
            if (into->count < ANCHORS_MAX && read_anchor(place, page.list[i].name, into, call) < 0)
                return -1;
        replace_string(&cursor, page.cursor);
    } while (cursor);
    return 0;
}

static int fetch(struct admin *a, const char *gateway, struct anchors *into, struct call *call)
{
    struct gateway g = {.serve = a->serve};
    int result = gateway_open_places(&g, call);

    for (size_t i = 0; result == 0 && i < g.serve.journal_count; i++)
        result = list_anchors(&g.places[i], gateway, into, call);
    gateway_close_stores(&g);
    if (result == 0 && into->count == 0)
        return err_set(&call->err, ERR_NOT_FOUND,
                       "there are no anchors of gateway '%s' beside the journal", gateway);
    return result;
}

static int verify(struct admin *a, const char **words, int count, struct call *call)
{
    const struct audit_options_given *o = a->options;
    cleanup(anchors_release) struct anchors anchors = {0};
    struct audit_report r;

    if (o->anchors && fetch(a, o->anchors, &anchors, call) < 0)
        return -1;
    if (audit_verify(words, (size_t)count, anchors.list, anchors.count, &r, &call->err) < 0) {
        if (call->err.code != ERR_CORRUPT)
            return -1;
        complain(&call->err);
        return EXIT_DIFFERENCES;
    }
    if (a->json)
        admin_print(json_pack("{s:I,s:I,s:I,s:I,s:I,s:b,s:s}", "first", (json_int_t)r.first, "last",
                              (json_int_t)r.last, "torn", (json_int_t)r.torn, "refused",
                              (json_int_t)r.refused, "anchors", (json_int_t)r.anchors, "unfinished",
                              r.unfinished, "head", r.head));
    else
        printf("whole: entries %" PRIu64 " to %" PRIu64 ", %" PRIu64 " refusals, %" PRIu64
               " anchors fit%s\nhead: %s\n",
               r.first, r.last, r.refused, r.anchors,
               r.unfinished ? "; the last line is unfinished" : "", r.head);
    return EXIT_OK;
}

static int command_run(const struct command *self, int argc, char **argv)
{
    static const struct action actions[] = {
        {"verify", "FILE...", 1, 63, verify},
    };
    struct audit_options_given options = {0};
    const struct option_spec specs[] = {
        {"anchors", 'a', OPTION_TEXT, &options.anchors, "GATEWAY",
         "also hold them against this gateway's anchors beside the journal"},
    };

    return admin_main(self, actions, ARRAY_SIZE(actions), specs, ARRAY_SIZE(specs), &options, argc,
                      argv);
}

const struct command command_audit = {
    .name = "audit",
    .arguments = "verify FILE...",
    .summary = "Check that an audit log is whole",
    .text = "  verify FILE...  the files of one gateway's log, oldest first: every link of the "
            "chain, and with\n                  --anchors that its end is there too\n\n"
            "Exit status 4 when something was changed or taken out; the line says where.",
    .run = command_run,
};

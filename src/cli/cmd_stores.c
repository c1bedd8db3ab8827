// SPDX-License-Identifier: EUPL-1.2
/* bascule stores: whether the configured stores can be reached, read and written, how their clocks
 * stand, and what was found out about them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/endpoint.h"
#include "cli/notebook.h"
#include "codec/json.h"
#include "codec/size.h"
#include "move/name.h"
#include "store/provider.h"
#include "util/log.h"
#include "util/random.h"

struct stores_arguments {
    struct common_options common;
    bool write;
};

/* What one store answered. */
struct finding {
    char text[1200];
    bool tried;
    bool good;
};

struct examination {
    struct finding reach;
    struct finding read;
    struct finding write;
    char container[256];
    double clock_ahead; /* seconds; NAN: not known */
    struct pairs found; /* out by trying, now or earlier */
    unsigned quirks;    /* by the catalogue: bits of enum provider_quirk */
};

static void examination_release(struct examination *x)
{
    pairs_release(&x->found);
}

static void good(struct finding *f, const char *text)
{
    f->tried = f->good = true;
    (void)snprintf(f->text, sizeof(f->text), "%s", text);
}

static void not_tried(struct finding *f, const char *why)
{
    (void)snprintf(f->text, sizeof(f->text), "not tried%s", why);
}

static void bad(struct finding *f, struct call *call)
{
    f->tried = true;
    f->good = false;
    (void)snprintf(f->text, sizeof(f->text), "%s", call->err.text);
    err_clear(&call->err);
}

static void examine_reach(struct store *s, struct examination *x, struct call *call)
{
    int64_t ahead = 0;
    char text[128], span[SIZE_TEXT];

    if (store_reach(s, &ahead, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND) {
            bad(&x->reach, call);
            return;
        }
        err_clear(&call->err); /* it answered, and reading says what is missing */
        good(&x->reach, "yes");
        return;
    }
    x->clock_ahead = (double)ahead / (double)CLOCK_SECOND;
    duration_text(span, sizeof(span), ahead < 0 ? -ahead : ahead);
    (void)snprintf(text, sizeof(text), "yes, its clock is %s %s", span,
                   ahead < 0 ? "behind" : "ahead");
    good(&x->reach, text);
}

/* The container to try: the one named, else the first there is. */
static int choose_container(const struct endpoint *e, char *ret, size_t size, struct call *call)
{
    auto_container_list struct container_list list = CONTAINER_LIST_INIT;

    if (e->container) {
        (void)snprintf(ret, size, "%s", e->container);
        return 0;
    }
    if (store_container_list(e->store, NULL, &list, call) < 0)
        return -1;
    (void)snprintf(ret, size, "%s", list.count ? list.list[0].name : "");
    return 0;
}

static void examine_read(const struct endpoint *e, struct examination *x, struct call *call)
{
    auto_object_list struct object_list page = OBJECT_LIST_INIT;
    struct list_options options = {.limit = 1};

    if (choose_container(e, x->container, sizeof(x->container), call) < 0 ||
        (x->container[0] && store_list(e->store, x->container, &options, &page, call) < 0))
        bad(&x->read, call);
    else
        good(&x->read, x->container[0] ? "yes" : "yes, but there is no container yet");
}

static int write_and_remove(struct store *s, const char *container, struct call *call)
{
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes source;
    struct put_options options = {.size = 7};
    char id[17];

    random_hex(id, 8);
    auto_free char *name = xasprintf("%s%s", NAME_PROBE, id);
    struct object_key key = {.container = container, .name = name};
    source_bytes_init(&source, "bascule", 7);
    if (store_put(s, &key, &options, &source.source, &result, call) < 0)
        return -1;
    return store_remove(s, &key, NULL, call);
}

static void examine_write(const struct endpoint *e, struct examination *x, struct call *call)
{
    if (!x->container[0])
        not_tried(&x->write, ": there is no container yet");
    else if (write_and_remove(e->store, x->container, call) < 0)
        bad(&x->write, call);
    else
        good(&x->write, "yes");
}

/* What the catalogue knows of a configured store's provider. */
static int look_up_quirks(const struct config *config, const char *text, struct examination *x,
                          struct err *e)
{
    auto_catalogue struct provider_catalogue *catalogue = NULL;
    auto_free char *name = xstrndup(text, strcspn(text, ":"));
    const struct yaml_node *node = yaml_get(yaml_get(config->root, "stores"), name);
    const char *provider = NULL;

    if (!node || yaml_text(node, "provider", &provider, e) < 0 || !provider)
        return node && e->code != ERR_NONE ? -1 : 0;
    if (provider_catalogue_load(NULL, &catalogue, e) < 0)
        return -1;
    const struct provider *p = provider_find(catalogue, provider, e);
    const struct provider_offer *offer = p ? provider_offer_for(p, PROTOCOL_S3) : NULL;
    if (offer)
        x->quirks = offer->s3.quirks;
    return p ? 0 : -1;
}

static void print_limits(const struct store_traits *t)
{
    char size[SIZE_TEXT];

    if (t->object_size_max) {
        size_text(size, sizeof(size), t->object_size_max);
        printf("  objects: at most %s", size);
        if (t->parts_max)
            printf(", in at most %" PRIu32 " parts", t->parts_max);
        (void)putchar('\n');
    }
}

static void print_text(const char *name, const struct store *s, const struct examination *x)
{
    printf("%s (%s)\n", name, s->traits.driver);
    printf("  reached: %s\n", x->reach.text);
    printf("  may be read: %s\n", x->read.text);
    printf("  may be written: %s\n", x->write.text);
    print_limits(&s->traits);
    for (int q = 0; q < QUIRK_COUNT; q++)
        if (x->quirks & (1U << q))
            printf("  quirk, by the catalogue: %s\n", provider_quirk_word((enum provider_quirk)q));
    for (size_t i = 0; i < x->found.count; i++)
        printf("  found by trying: %s: %s\n", x->found.list[i].key, x->found.list[i].value);
}

/* true or false, null where it was not tried. */
static json_t *answer_json(const struct finding *f)
{
    return f->tried ? json_boolean(f->good) : json_null();
}

static void print_json(const char *name, const struct store *s, const struct examination *x)
{
    json_t *json = json_pack("{s:s,s:s,s:o,s:s,s:o,s:s,s:o,s:s}", "store", name, "driver",
                             s->traits.driver, "reached", answer_json(&x->reach), "reach",
                             x->reach.text, "readable", answer_json(&x->read), "read", x->read.text,
                             "writable", answer_json(&x->write), "write", x->write.text);
    json_t *quirks = json_array();
    json_t *found = json_object();

    (void)json_object_set_new(json, "clock_ahead",
                              isnan(x->clock_ahead) ? json_null() : json_real(x->clock_ahead));
    for (int q = 0; q < QUIRK_COUNT; q++)
        if (x->quirks & (1U << q))
            (void)json_array_append_new(quirks,
                                        json_string(provider_quirk_word((enum provider_quirk)q)));
    (void)json_object_set_new(json, "quirks", quirks);
    for (size_t i = 0; i < x->found.count; i++)
        json_set_text(found, x->found.list[i].key, x->found.list[i].value);
    (void)json_object_set_new(json, "found", found);
    say_json(json);
}

/* 1 when everything asked for works, 0 when not, -1 when it could not even be opened. */
static int examine(const struct stores_arguments *a, const struct config *config, struct ledger *l,
                   const char *text, struct call *call)
{
    auto_endpoint struct endpoint e = {0};
    struct ledger_notebook notebook;
    cleanup(examination_release) struct examination x = {.clock_ahead = NAN};

    if (look_up_quirks(config, text, &x, &call->err) < 0 ||
        endpoint_open(config, text, STORE_PLAN, &e, call) < 0)
        return -1;
    ledger_notebook_init(&notebook, l);
    store_set_notebook(e.store, &notebook.notebook);
    not_tried(&x.read, "");
    not_tried(&x.write, a->write ? "" : ": --write does");
    examine_reach(e.store, &x, call);
    if (x.reach.good)
        examine_read(&e, &x, call);
    if (x.read.good && a->write)
        examine_write(&e, &x, call);
    if (ledger_probes(l, e.store->identity, &x.found, call) < 0)
        return -1;
    if (a->common.json)
        print_json(e.text, e.store, &x);
    else
        print_text(e.text, e.store, &x);
    return x.reach.good && x.read.good && (!x.write.tried || x.write.good);
}

static int run(const struct stores_arguments *a, const char *only, struct call *call)
{
    auto_config struct config config = {0};
    cleanup(ledger_close_p) struct ledger *l = NULL;
    bool all_good = true;

    if (config_load(a->common.config, &config, &call->err) < 0 ||
        open_ledger(a->common.ledger ? a->common.ledger : config.ledger, &l, call) < 0)
        return -1;
    if (only) {
        int result = examine(a, &config, l, only, call);
        return result < 0 ? -1 : result ? EXIT_OK : EXIT_FAILED;
    }
    const struct yaml_node *stores = yaml_get(config.root, "stores");
    if (!stores || !stores->children)
        return err_set(&call->err, ERR_INVALID, "no stores are configured%s%s",
                       config.path ? " in " : ": there is no bascule.yaml",
                       config.path ? config.path : "");
    for (const struct yaml_node *s = stores->children; s; s = s->next) {
        auto_free char *text = xasprintf("%s:", s->key);
        int result = examine(a, &config, l, text, call);
        if (result < 0) {
            if (a->common.json)
                say_json(json_pack("{s:s,s:s}", "store", text, "error", call->err.text));
            else
                printf("%s\n  cannot be used: %s\n", text, call->err.text);
            err_clear(&call->err);
        }
        all_good = all_good && result > 0;
    }
    return all_good ? EXIT_OK : EXIT_FAILED;
}

static int command_run(const struct command *self, int argc, char **argv)
{
    struct stores_arguments a = {0};
    const char *only = NULL;
    struct call call = {.cancel = &signal_drain};
    int count = 0;
    const struct option_spec specs[] = {
        {"write", 0, OPTION_FLAG, &a.write, NULL,
         "also write and remove a small object below .bascule/probe/"},
    };
    int parsed = options_parse(self, &a.common, specs, ARRAY_SIZE(specs), argc, argv, &only, 1,
                               &count, &call.err);

    if (parsed > 0)
        return EXIT_OK;
    if (parsed < 0) {
        complain(&call.err);
        return EXIT_USAGE;
    }
    if (a.common.verbose)
        log_set_level(LOG_DEBUG);
    signals_watch();
    int code = run(&a, count ? only : NULL, &call);
    return command_end(code, &call.err);
}

const struct command command_stores = {
    .name = "stores",
    .arguments = "[STORE:[CONTAINER]]",
    .summary = "Try the configured stores: reach, read, write, clock",
    .run = command_run,
};

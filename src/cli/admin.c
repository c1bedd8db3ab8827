// SPDX-License-Identifier: EUPL-1.2
/* What the commands that look after a gateway share: see admin.h. */
#include "cli/admin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/json.h"
#include "codec/suggest.h"
#include "util/log.h"

#define WORDS_MAX   64
#define ACTIONS_MAX 16
#define SPECS_MAX   24

static const char *file_of(const char *url)
{
    return strncmp(url, "sqlite:", 7) == 0 ? url + 7 : NULL;
}

int index_make_folder(const char *url, struct err *e)
{
    const char *file = file_of(url);
    auto_free char *path = xstrdup(file ? file : "");

    for (char *slash = *path ? strchr(path + 1, '/') : NULL; slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return err_errno(e, errno, "make the folder '%s' for the index", path);
        *slash = '/';
    }
    return 0;
}

int index_must_exist(const char *url, struct err *e)
{
    const char *file = file_of(url);

    return file && access(file, F_OK) < 0
               ? err_errno(e, errno,
                           "open the index '%s' (bascule serve makes it at its first start)", file)
               : 0;
}

int admin_index(struct admin *a, bool must_exist, struct call *call)
{
    const struct index_options options = {.gateway = "command", .connections = 2};

    if (must_exist && index_must_exist(a->serve.index, &call->err) < 0)
        return -1;
    if (index_make_folder(a->serve.index, &call->err) < 0)
        return -1;
    return index_open(a->serve.index, &options, &a->index, call);
}

void admin_print(json_t *value)
{
    auto_buf struct buf text = BUF_INIT((size_t)64 * 1024 * 1024);
    struct err e = {0};

    if (json_write_pretty(&text, value, &e) < 0)
        complain(&e);
    else
        (void)fwrite(text.data, 1, text.length, stdout);
    json_decref(value);
}

static int unknown_action(const struct command *self, const struct action *actions, size_t count,
                          const char *word, struct err *e)
{
    const char *names[ACTIONS_MAX];

    for (size_t i = 0; i < count; i++)
        names[i] = actions[i].name;
    const char *near = suggest(word, names, count);
    if (near)
        return err_set(e, ERR_INVALID, "%s: unknown action '%s': did you mean '%s'?", self->name,
                       word, near);
    return err_set(e, ERR_INVALID, "%s: unknown action '%s': see bascule %s --help", self->name,
                   word, self->name);
}

static int find_action(const struct command *self, const struct action *actions, size_t count,
                       const char **words, int word_count, const struct action **ret, struct err *e)
{
    if (word_count == 0)
        return err_set(e, ERR_INVALID, "%s: what is to be done? usage: bascule %s %s", self->name,
                       self->name, self->arguments);
    for (size_t i = 0; i < count; i++) {
        const struct action *a = &actions[i];
        if (strcmp(a->name, words[0]) != 0)
            continue;
        if (word_count - 1 < a->least || word_count - 1 > a->most)
            return err_set(e, ERR_INVALID, "%s %s: too %s arguments; usage: bascule %s %s%s%s",
                           self->name, a->name, word_count - 1 < a->least ? "few" : "many",
                           self->name, a->name, *a->arguments ? " " : "", a->arguments);
        *ret = a;
        return 0;
    }
    return unknown_action(self, actions, count, words[0], e);
}

static int run(const struct command *self, struct admin *a, const struct action *actions,
               size_t action_count, const char **words, int count, struct call *call)
{
    const struct action *action = NULL;

    if (find_action(self, actions, action_count, words, count, &action, &call->err) < 0 ||
        config_load(a->config_path, &a->config, &call->err) < 0 ||
        serve_config_read(&a->config, &a->serve, &call->err) < 0)
        return -1;
    return action->run(a, words + 1, count - 1, call);
}

int admin_main(const struct command *self, const struct action *actions, size_t action_count,
               const struct option_spec *specs, size_t spec_count, void *options, int argc,
               char **argv)
{
    struct admin a = {.options = options};
    const struct option_spec common[] = {
        {"config", 'c', OPTION_TEXT, &a.config_path, "FILE", "read this configuration"},
        {"json", 0, OPTION_FLAG, &a.json, NULL, "print JSON for programs"},
        {"verbose", 'v', OPTION_FLAG, &a.verbose, NULL, "log every request to standard error"},
    };
    struct option_spec all[SPECS_MAX];
    const char *words[WORDS_MAX];
    struct call call = {.cancel = &signal_drain};
    int count = 0;

    if (spec_count)
        memcpy(all, specs, spec_count * sizeof(*specs));
    memcpy(all + spec_count, common, sizeof(common));
    int parsed = options_parse(self, NULL, all, spec_count + ARRAY_SIZE(common), argc, argv, words,
                               WORDS_MAX, &count, &call.err);
    if (parsed > 0)
        return EXIT_OK;
    if (parsed < 0) {
        complain(&call.err);
        return EXIT_USAGE;
    }
    if (a.verbose)
        log_set_level(LOG_DEBUG);
    signals_watch();
    int code = command_end(run(self, &a, actions, action_count, words, count, &call), &call.err);
    index_close(a.index);
    serve_config_release(&a.serve);
    config_release(&a.config);
    return code;
}

// SPDX-License-Identifier: EUPL-1.2
/*
 * What the commands that look after a gateway share: account, key, role, index, audit.  Each is a
 * table of actions ("bascule account add NAME") over the index that the section "serve" of the
 * configuration names.  They work beside running gateways, which look at accounts and roles anew
 * each second.
 */
#ifndef CLI_ADMIN_H
#define CLI_ADMIN_H

#include "cli/cli.h"
#include "cli/serve_config.h"
#include "index/index.h"

struct admin {
    const char *config_path;
    bool json;
    bool verbose;
    struct config config;
    struct serve_config serve;
    struct index *index; /* once admin_index() was called */
    void *options;       /* the command's own */
};

struct action {
    const char *name;
    const char *arguments; /* "NAME [KEY=VALUE...]" */
    int least, most;       /* how many arguments */
    /* Returns an exit code, or -1 with the error set. */
    int (*run)(struct admin *a, const char **words, int count, struct call *call);
};

/* Parse the command line (specs: the command's own options), read the configuration, run the
 * action; an exit code. */
int admin_main(const struct command *self, const struct action *actions, size_t action_count,
               const struct option_spec *specs, size_t spec_count, void *options, int argc,
               char **argv);

/* Open the index.  must_exist: an SQLite file that is not there is not made. */
must_check int admin_index(struct admin *a, bool must_exist, struct call *call);

/* Fails where an SQLite index is not there; other URLs are not asked. */
must_check int index_must_exist(const char *url, struct err *e);
/* mkdir -p for the folder an SQLite index lies in; nothing for other URLs. */
must_check int index_make_folder(const char *url, struct err *e);

/* Print a value with a line feed, as people like to read it. */
void admin_print(json_t *value);

#endif

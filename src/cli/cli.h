// SPDX-License-Identifier: EUPL-1.2
/*
 * What the commands share: the table they stand in, their options, their exit codes.
 *
 * A command is one file cmd_NAME.c with one function.  It parses its options with options_parse(),
 * does its work, prints results on standard output and problems on standard error ("bascule: what,
 * where, why, what to do"), and returns one of the exit codes.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/call.h"
#include "util/err.h"

/* Documented in docs/man/bascule.1 and never renumbered. */
enum exit_code {
    EXIT_OK = 0,          /* all done; for a move: everything listed is moved or was there */
    EXIT_FAILED = 1,      /* it could not be done, or not wholly; run it again */
    EXIT_USAGE = 2,       /* the command line or the configuration is wrong */
    EXIT_REFUSALS = 3,    /* everything settled, but some objects cannot be moved: see the report */
    EXIT_DIFFERENCES = 4, /* a verification found differences */
    EXIT_INTERRUPTED = 5, /* stopped on request; the same command goes on */
};

struct command {
    const char *name;
    const char *arguments; /* "SOURCE TARGET" */
    const char *summary;   /* one line for the overview */
    const char *text;      /* a paragraph for bascule NAME --help, or NULL */
    int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command command_move, command_plan, command_verify, command_jobs,
    command_status, command_report, command_stores, command_providers, command_account, command_key,
    command_role, command_serve, command_index, command_audit, command_leave;

/* ---- Options ---- */

#define WORKERS_MAX 512

enum option_kind {
    OPTION_FLAG,    /* bool */
    OPTION_TEXT,    /* const char * */
    OPTION_WORKERS, /* int64_t: 1 to WORKERS_MAX */
    OPTION_SIZE,    /* uint64_t bytes: "512MiB" */
};

struct option_spec {
    const char *name; /* without the dashes */
    char letter;      /* 0 for none */
    enum option_kind kind;
    void *value;
    const char *argument; /* shown in the help; NULL for flags */
    const char *help;
};

/* Options every command that reads the configuration has. */
struct common_options {
    const char *config; /* --config */
    const char *ledger; /* --ledger */
    bool json;          /* --json */
    bool verbose;       /* --verbose */
};

/* Parse argv (without the command's name) into the specs' values and up to max positional
 * arguments; *ret_count gets how many there were.  Returns 1 after printing the help (--help), 0 to
 * go on, -1 with the error set.  common may be NULL. */
must_check int options_parse(const struct command *command, struct common_options *common,
                             const struct option_spec *specs, size_t count, int argc, char **argv,
                             const char **positional, int max, int *ret_count, struct err *e);

/* ---- Saying things ---- */

/* A text that may come from outside, on standard output: control characters are escaped, so that it
 * stays on its line and does nothing to the terminal. */
void say_text(const char *text);
/* One line of JSON on standard output; takes the value over. */
void say_json(json_t *value);
/* "bascule: text" on standard error. */
void complain(const struct err *e);
/* The end of a command: its exit code, or of -1 the error said and the exit code that goes with it.
 */
int command_end(int code, const struct err *e);

/* ---- Signals ---- */

/* After signals_watch(), the first SIGINT or SIGTERM raises drain, the second one stop. */
extern struct cancel signal_drain, signal_stop;
void signals_watch(void);

#endif

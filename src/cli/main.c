// SPDX-License-Identifier: EUPL-1.2
/* The program: finds the command and runs it. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <curl/curl.h>

#include "cli/cli.h"
#include "codec/suggest.h"
#include "config.h"

static const struct command *const commands[] = {
    &command_move,   &command_plan,   &command_verify,    &command_jobs,    &command_status,
    &command_report, &command_stores, &command_providers, &command_account, &command_key,
    &command_role,   &command_serve,  &command_index,     &command_audit,   &command_leave,
};

struct cancel signal_drain, signal_stop;

/* The first signal asks for a clean end, the second one for an immediate one. */
static void on_signal(int number)
{
    (void)number;
    if (atomic_load(&signal_drain.raised))
        atomic_store(&signal_stop.raised, true);
    atomic_store(&signal_drain.raised, true);
}

void signals_watch(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

static void put_text(FILE *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c == 0x7f)
            (void)fprintf(out, "\\x%02x", *c);
        else
            (void)fputc(*c, out);
}

void say_text(const char *text)
{
    put_text(stdout, text);
}

void say_json(json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(value);
}

void complain(const struct err *e)
{
    (void)fflush(stdout);
    (void)fputs("bascule: ", stderr);
    put_text(stderr, e->text);
    (void)fputc('\n', stderr);
}

/* The exit code that goes with an error that ended a command. */
static int exit_code_of(const struct err *e)
{
    switch (e->code) {
    case ERR_INVALID:
        return EXIT_USAGE;
    case ERR_CANCELLED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_FAILED;
    }
}

int command_end(int code, const struct err *e)
{
    if (code >= 0)
        return code;
    complain(e);
    return exit_code_of(e);
}

static void print_overview(void)
{
    printf("usage: bascule COMMAND [OPTION...] [ARGUMENT...]\n\n"
           "Leaves Microsoft Azure for European object storage: complete, proven, resumable.\n\n"
           "Commands:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        printf("  %-9s %-23s %s\n", commands[i]->name, commands[i]->arguments,
               commands[i]->summary);
    printf("\nbascule COMMAND --help says more; so do bascule(1) and bascule.yaml(5).\n"
           "Exit status: 0 all done, 1 failed, 2 wrong usage or configuration, 3 done with "
           "refusals,\n4 differences found, 5 interrupted.\n");
}

static int unknown_command(const char *name)
{
    const char *names[ARRAY_SIZE(commands)];
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        names[i] = commands[i]->name;
    const char *near = suggest(name, names, ARRAY_SIZE(names));
    if (near)
        (void)err_set(&e, ERR_INVALID, "unknown command '%s': did you mean '%s'?", name, near);
    else
        (void)err_set(&e, ERR_INVALID, "unknown command '%s': see bascule --help", name);
    complain(&e);
    return EXIT_USAGE;
}

/* Options may stand before the command too (bascule --config FILE move ...): move the command in
 * front of them. */
static void command_first(int argc, char **argv)
{
    int at = 1;

    while (at < argc && argv[at][0] == '-') {
        bool has_value = strcmp(argv[at], "--config") == 0 || strcmp(argv[at], "-c") == 0 ||
                         strcmp(argv[at], "--ledger") == 0;
        at += has_value ? 2 : 1;
    }
    if (at <= 1 || at >= argc)
        return;
    char *command = argv[at];
    memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof(*argv));
    argv[1] = command;
}

static int dispatch(int argc, char **argv)
{
    command_first(argc, argv);
    const char *name = argc > 1 ? argv[1] : "--help";

    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        printf("bascule %s\n", BASCULE_VERSION);
        return EXIT_OK;
    }
    if (strcmp(name, "help") == 0 && argc > 2) {
        argv[1] = argv[2];
        argv[2] = (char[]){"--help"};
        return dispatch(3, argv);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_overview();
        return argc > 1 ? EXIT_OK : EXIT_USAGE;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i]->run(commands[i], argc - 2, argv + 2);
    return unknown_command(name);
}

int main(int argc, char **argv)
{
    const struct rlimit no_core = {0, 0};

    /* Keys live in this process: no core dump, no debugger of another user. */
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        (void)fprintf(stderr, "bascule: libcurl cannot be used\n");
        return EXIT_FAILED;
    }
    int code = dispatch(argc, argv);
    if (fflush(stdout) != 0) {
        (void)fprintf(stderr, "bascule: standard output: could not be written\n");
        code = code == EXIT_OK ? EXIT_FAILED : code;
    }
    curl_global_cleanup();
    return code;
}

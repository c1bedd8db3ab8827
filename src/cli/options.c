// SPDX-License-Identifier: EUPL-1.2
/* Command-line options: parsing, help, and the nearest match for what does not exist. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "codec/size.h"
#include "codec/suggest.h"

#define SPECS_MAX 40

struct parser {
    const struct command *command;
    struct option_spec specs[SPECS_MAX];
    size_t count;
    bool help;
};

static void add_common(struct parser *p, struct common_options *common)
{
    const struct option_spec specs[] = {
        {"config", 'c', OPTION_TEXT, &common->config, "FILE", "read this configuration"},
        {"ledger", 0, OPTION_TEXT, &common->ledger, "URL",
         "use this ledger (sqlite:FILE, postgres://...)"},
        {"json", 0, OPTION_FLAG, &common->json, NULL, "print JSON for programs"},
        {"verbose", 'v', OPTION_FLAG, &common->verbose, NULL,
         "log every request to standard error"},
    };

    memcpy(p->specs + p->count, specs, sizeof(specs));
    p->count += ARRAY_SIZE(specs);
}

static const struct option_spec *find(const struct parser *p, const char *name, size_t length)
{
    for (size_t i = 0; i < p->count; i++)
        if (strlen(p->specs[i].name) == length && strncmp(p->specs[i].name, name, length) == 0)
            return &p->specs[i];
    return NULL;
}

static int unknown(const struct parser *p, const char *name, struct err *e)
{
    const char *names[SPECS_MAX];

    for (size_t i = 0; i < p->count; i++)
        names[i] = p->specs[i].name;
    const char *near = suggest(name, names, p->count);
    if (near)
        return err_set(e, ERR_INVALID, "%s: unknown option --%s: did you mean --%s?",
                       p->command->name, name, near);
    return err_set(e, ERR_INVALID, "%s: unknown option --%s: see bascule %s --help",
                   p->command->name, name, p->command->name);
}

static int set_value(const struct parser *p, const struct option_spec *spec, const char *text,
                     struct err *e)
{
    char *end;

    switch (spec->kind) {
    case OPTION_FLAG:
        *(bool *)spec->value = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)spec->value = text;
        return 0;
    case OPTION_WORKERS:
        *(int64_t *)spec->value = strtoll(text, &end, 10);
        if (*text && !*end && *(int64_t *)spec->value >= 1 &&
            *(int64_t *)spec->value <= WORKERS_MAX)
            return 0;
        return err_set(e, ERR_INVALID, "%s: --%s wants a number from 1 to %d, not '%s'",
                       p->command->name, spec->name, WORKERS_MAX, text);
    case OPTION_SIZE:
        if (size_parse(text, spec->value, e) == 0)
            return 0;
        return err_prefix(e, "%s: --%s", p->command->name, spec->name);
    }
    return 0;
}

/* One long option at argv[*at]; advances *at over its value. */
static int parse_long(struct parser *p, int argc, char **argv, int *at, struct err *e)
{
    const char *name = argv[*at] + 2;
    size_t length = strcspn(name, "=");
    const struct option_spec *spec = find(p, name, length);
    const char *value = name[length] == '=' ? name + length + 1 : NULL;

    if (!spec) {
        auto_free char *alone = xstrndup(name, length);
        return unknown(p, alone, e);
    }
    if (spec->kind == OPTION_FLAG) {
        if (value)
            return err_set(e, ERR_INVALID, "%s: --%s takes no value", p->command->name, spec->name);
    } else if (!value) {
        if (*at + 1 >= argc)
            return err_set(e, ERR_INVALID, "%s: --%s wants a value (%s)", p->command->name,
                           spec->name, spec->argument);
        value = argv[++*at];
    }
    return set_value(p, spec, value, e);
}

static int parse_short(struct parser *p, int argc, char **argv, int *at, struct err *e)
{
    const char *letters = argv[*at] + 1;

    for (; *letters; letters++) {
        const struct option_spec *spec = NULL;
        for (size_t i = 0; i < p->count; i++)
            if (p->specs[i].letter == *letters)
                spec = &p->specs[i];
        if (!spec)
            return err_set(e, ERR_INVALID, "%s: unknown option -%c: see bascule %s --help",
                           p->command->name, *letters, p->command->name);
        if (spec->kind == OPTION_FLAG) {
            if (set_value(p, spec, NULL, e) < 0)
                return -1;
            continue;
        }
        const char *value = letters[1] ? letters + 1 : ++*at < argc ? argv[*at] : NULL;
        if (!value)
            return err_set(e, ERR_INVALID, "%s: -%c wants a value (%s)", p->command->name,
                           spec->letter, spec->argument);
        return set_value(p, spec, value, e);
    }
    return 0;
}

static void print_help(const struct parser *p)
{
    const struct command *c = p->command;

    printf("usage: bascule %s [OPTION...]%s%s\n\n%s.\n", c->name, *c->arguments ? " " : "",
           c->arguments, c->summary);
    if (c->text)
        printf("\n%s\n", c->text);
    printf("\nOptions:\n");
    for (size_t i = 0; i < p->count; i++) {
        const struct option_spec *s = &p->specs[i];
        char left[64];
        char letter[8] = "   ";
        if (s->letter)
            (void)snprintf(letter, sizeof(letter), "-%c,", s->letter);
        (void)snprintf(left, sizeof(left), "%s --%s%s%s", letter, s->name, s->argument ? " " : "",
                       s->argument ? s->argument : "");
        printf("  %-32s %s\n", left, s->help);
    }
}

int options_parse(const struct command *command, struct common_options *common,
                  const struct option_spec *specs, size_t count, int argc, char **argv,
                  const char **positional, int max, int *ret_count, struct err *e)
{
    struct parser p = {.command = command};
    bool only_positional = false;
    int n = 0;

    if (count)
        memcpy(p.specs, specs, count * sizeof(*specs));
    p.count = count;
    if (common)
        add_common(&p, common);
    p.specs[p.count++] =
        (struct option_spec){"help", 'h', OPTION_FLAG, &p.help, NULL, "print this text"};
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];
        int parsed = 0;
        if (!only_positional && strcmp(word, "--") == 0)
            only_positional = true;
        else if (!only_positional && strncmp(word, "--", 2) == 0)
            parsed = parse_long(&p, argc, argv, &at, e);
        else if (!only_positional && word[0] == '-' && word[1])
            parsed = parse_short(&p, argc, argv, &at, e);
        else if (n < max)
            positional[n++] = word;
        else
            return err_set(e, ERR_INVALID,
                           "%s: one argument too many: '%s' (usage: bascule %s%s%s)", command->name,
                           word, command->name, *command->arguments ? " " : "", command->arguments);
        if (parsed < 0)
            return -1;
    }
    if (p.help) {
        print_help(&p);
        return 1;
    }
    *ret_count = n;
    return 0;
}

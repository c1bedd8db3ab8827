// SPDX-License-Identifier: EUPL-1.2
/* The file store keeps the contract: by itself, under each layer, and with faults below a retry. */
#include <stdio.h>

#include "contract_file.h"
#include "store/layer/fault.h"
#include "store/stack.h"
#include "store_contract.h"
#include "util/clock.h"

static const struct retry_options patient = {
    .attempts_max = 5, .pause_first = CLOCK_MILLISECOND, .pause_max = 4 * CLOCK_MILLISECOND};

/* Generous enough not to slow the tests down, small enough to be felt. */
static const struct limit_options limits = {
    .requests = {.rules = {{.from = -1, .rate = 20000}}, .count = 1},
    .down = {.rules = {{.from = -1, .rate = 400000000}}, .count = 1},
    .up = {.rules = {{.from = -1, .rate = 400000000}}, .count = 1},
};

/* Each test opens the store anew, so each meets these. */
static const struct fault_rule script[] = {
    {.operation = FAULT_REACH, .kind = FAULT_FAIL, .nth = 1, .code = ERR_TIMEOUT},
    {.operation = FAULT_STAT, .kind = FAULT_FAIL, .nth = 2, .times = 2, .code = ERR_BUSY},
    {.operation = FAULT_STAT, .kind = FAULT_LOSE, .nth = 5},
    {.operation = FAULT_GET, .kind = FAULT_CUT, .nth = 1, .at = 1},
    {.operation = FAULT_GET, .kind = FAULT_CUT, .nth = 2, .at = 4000},
    {.operation = FAULT_GET, .kind = FAULT_SHORT, .nth = 4, .at = 100},
    {.operation = FAULT_GET, .kind = FAULT_LOSE, .nth = 6},
    {.operation = FAULT_GET, .kind = FAULT_FAIL, .nth = 8, .code = ERR_REMOTE},
    {.operation = FAULT_PUT, .kind = FAULT_CUT, .nth = 1, .at = 0},
    {.operation = FAULT_PUT, .kind = FAULT_CUT, .nth = 3, .at = 1000},
    {.operation = FAULT_PUT, .kind = FAULT_FAIL, .nth = 5, .times = 3, .code = ERR_BUSY},
    {.operation = FAULT_REMOVE, .kind = FAULT_LOSE, .nth = 1, .times = 2},
    {.operation = FAULT_LIST, .kind = FAULT_FAIL, .nth = 1},
    {.operation = FAULT_LIST, .kind = FAULT_LOSE, .nth = 4},
    {.operation = FAULT_UPLOAD_BEGIN, .kind = FAULT_LOSE, .nth = 1},
    {.operation = FAULT_UPLOAD_PART, .kind = FAULT_CUT, .nth = 1, .at = 3000},
    {.operation = FAULT_UPLOAD_PART, .kind = FAULT_LOSE, .nth = 3},
    {.operation = FAULT_UPLOAD_COMMIT, .kind = FAULT_LOSE, .nth = 1},
    {.operation = FAULT_UPLOAD_ABORT, .kind = FAULT_LOSE, .nth = 1},
    {.operation = FAULT_COPY, .kind = FAULT_FAIL, .nth = 1},
};

static struct store *plain(struct store *below)
{
    return below;
}

static struct store *under_retry(struct store *below)
{
    return retry_layer(below, NULL);
}

static struct store *under_limit(struct store *below)
{
    return limit_layer(below, &limits);
}

static struct store *under_log(struct store *below)
{
    return log_layer(below, NULL);
}

static struct store *under_fault(struct store *below)
{
    return fault_layer(below, NULL, 0);
}

static struct store *under_stack(struct store *below)
{
    struct stack_options options = {.limit = limits};

    return store_stack(below, &options);
}

static struct store *with_faults(struct store *below)
{
    return retry_layer(fault_layer(below, script, ARRAY_SIZE(script)), &patient);
}

static const struct {
    const char *name;
    struct store *(*over)(struct store *below);
} stacks[] = {
    {"file", plain},
    {"retry over file", under_retry},
    {"limit over file", under_limit},
    {"log over file", under_log},
    {"fault over file", under_fault},
    {"the stack over file", under_stack},
    {"retry over faults over file", with_faults},
};

struct place {
    struct scratch scratch;
    struct store *(*over)(struct store *below);
};

static int open_stack(void *argument, struct store **ret, struct call *call)
{
    struct place *p = argument;
    struct store *file;

    if (scratch_open(&p->scratch, &file, call) < 0)
        return -1;
    *ret = p->over(file);
    return 0;
}

/* Arguments: which of the stacks (all), which tests (those whose name holds it). */
int main(int argc, char **argv)
{
    int failed = 0;

    for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
        struct place place = {.over = stacks[i].over};
        struct contract c = {.name = stacks[i].name,
                             .open = open_stack,
                             .argument = &place,
                             .many = i ? 60 : 1000,
                             .only = argc > 2 ? argv[2] : NULL};
        if (argc > 1 && atoi(argv[1]) != (int)i)
            continue;
        scratch_make(&place.scratch);
        failed += store_contract(&c);
        scratch_remove(&place.scratch);
    }
    return failed;
}

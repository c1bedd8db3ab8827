// SPDX-License-Identifier: EUPL-1.2
/* Any text is a timetable or refused. */
#include <assert.h>
#include <stdint.h>

#include "store/layer/limit_plan.h"
#include "util/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct limit_plan plan = {.count = 0};
    struct err e = {ERR_NONE};

    if (size < 1)
        return 0;
    auto_free char *text = xstrndup((const char *)data + 1, size - 1);
    if (limit_plan_parse(text, data[0] & 1 ? LIMIT_BYTES : LIMIT_REQUESTS, &plan, &e) < 0) {
        assert(e.code == ERR_INVALID && plan.count == 0);
        return 0;
    }
    assert(plan.count >= 1 && plan.count <= LIMIT_RULES_MAX);
    for (int hour = 0; hour < 24; hour++)
        assert(limit_plan_rate(&plan, hour * 3600 * CLOCK_SECOND) <= LIMIT_RATE_MAX);
    return 0;
}

// SPDX-License-Identifier: EUPL-1.2
/* What every unit test includes: cmocka with the headers it wants first. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A call that must succeed: prints the error of e when it does not. */
#define assert_ok(expression, e)                        \
    do {                                                \
        if ((expression) < 0)                           \
            fail_msg("%s: %s", #expression, (e)->text); \
    } while (0)

#endif

// SPDX-License-Identifier: EUPL-1.2
/* The diagnostic log: see log.h. */
#include "util/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

static atomic_int wanted = LOG_WARNING;

void log_set_level(enum log_level level)
{
    atomic_store(&wanted, level);
}

int log_wants(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&wanted, memory_order_relaxed);
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    char line[2048];
    char when[32];
    int64_t now = clock_wall();
    time_t seconds = now / CLOCK_SECOND;
    struct tm tm;

    if (!log_wants(level))
        return;
    (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
    int n = snprintf(line, sizeof(line), "%s.%03dZ %s: ", when,
                     (int)(now % CLOCK_SECOND / CLOCK_MILLISECOND), names[level]);
    va_list arguments;
    va_start(arguments, format);
    int m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, format, arguments);
    va_end(arguments);
    size_t length = (size_t)n + (size_t)(m < 0 ? 0 : m);
    if (length > sizeof(line) - 2)
        length = sizeof(line) - 2;
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, length) < 0)
        return; /* nowhere left to say it */
}

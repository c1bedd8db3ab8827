// SPDX-License-Identifier: EUPL-1.2
/*
 * The program's diagnostic log, on standard error: one line each, "2026-11-22T10:00:00.123Z
 * warning: text". Only code that acts on a failure (instead of returning it) logs.  Any thread may
 * log. No secret is ever passed in.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include "util/common.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* What is written: this level and the graver ones.  LOG_WARNING at the start.  Set it before
 * starting threads. */
void log_set_level(enum log_level level);
int log_wants(enum log_level level);
void log_line(enum log_level level, const char *format, ...) printf_like(2, 3);

#endif

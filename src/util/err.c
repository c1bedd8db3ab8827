// SPDX-License-Identifier: EUPL-1.2
/* Error values: see err.h. */
#include "util/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const words[ERR_CODE_COUNT] = {
    [ERR_NONE] = "none",
    [ERR_INVALID] = "invalid",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_EXISTS] = "exists",
    [ERR_CONFLICT] = "conflict",
    [ERR_CHANGED] = "changed",
    [ERR_UNMODIFIED] = "unmodified",
    [ERR_DENIED] = "denied",
    [ERR_UNKNOWN_WHO] = "unknown_who",
    [ERR_CLOCK] = "clock",
    [ERR_BUSY] = "busy",
    [ERR_TIMEOUT] = "timeout",
    [ERR_NETWORK] = "network",
    [ERR_TLS] = "tls",
    [ERR_REMOTE] = "remote",
    [ERR_CORRUPT] = "corrupt",
    [ERR_ARCHIVED] = "archived",
    [ERR_NAME] = "name",
    [ERR_RANGE] = "range",
    [ERR_UNSUPPORTED] = "unsupported",
    [ERR_NO_SPACE] = "no_space",
    [ERR_QUOTA] = "quota",
    [ERR_READ_ONLY] = "read_only",
    [ERR_IO] = "io",
    [ERR_CANCELLED] = "cancelled",
    [ERR_INTERNAL] = "internal",
};

static const struct {
    int number;
    enum err_code code;
} from_errno[] = {
    {ENOENT, ERR_NOT_FOUND},     {ENOTDIR, ERR_NOT_FOUND},   {EEXIST, ERR_EXISTS},
    {ENOTEMPTY, ERR_CONFLICT},   {EISDIR, ERR_CONFLICT},     {EACCES, ERR_DENIED},
    {EPERM, ERR_DENIED},         {ENOSPC, ERR_NO_SPACE},     {EDQUOT, ERR_QUOTA},
    {EROFS, ERR_READ_ONLY},      {ENAMETOOLONG, ERR_NAME},   {EILSEQ, ERR_NAME},
    {ETIMEDOUT, ERR_TIMEOUT},    {ECONNRESET, ERR_NETWORK},  {EPIPE, ERR_NETWORK},
    {ECONNREFUSED, ERR_NETWORK}, {ECANCELED, ERR_CANCELLED}, {EFBIG, ERR_NO_SPACE},
};

int err_set(struct err *e, enum err_code code, const char *format, ...)
{
    va_list arguments;

    e->code = code;
    e->retry_after = 0;
    e->fault = 0;
    va_start(arguments, format);
    (void)vsnprintf(e->text, sizeof(e->text), format, arguments);
    va_end(arguments);
    return -1;
}

int err_errno(struct err *e, int number, const char *format, ...)
{
    va_list arguments;

    e->code = ERR_IO;
    e->retry_after = 0;
    e->fault = 0;
    for (size_t i = 0; i < ARRAY_SIZE(from_errno); i++)
        if (from_errno[i].number == number)
            e->code = from_errno[i].code;
    va_start(arguments, format);
    (void)vsnprintf(e->text, sizeof(e->text), format, arguments);
    va_end(arguments);
    size_t length = strlen(e->text);
    (void)snprintf(e->text + length, sizeof(e->text) - length, ": %s", strerrordesc_np(number));
    return -1;
}

int err_prefix(struct err *e, const char *format, ...)
{
    char old[sizeof(e->text)];
    va_list arguments;

    memcpy(old, e->text, sizeof(old));
    va_start(arguments, format);
    (void)vsnprintf(e->text, sizeof(e->text), format, arguments);
    va_end(arguments);
    size_t length = strlen(e->text);
    (void)snprintf(e->text + length, sizeof(e->text) - length, ": %s", old);
    return -1;
}

void err_clear(struct err *e)
{
    e->code = ERR_NONE;
    e->retry_after = 0;
    e->fault = 0;
    e->text[0] = '\0';
}

const char *err_word(enum err_code code)
{
    return (unsigned)code < ERR_CODE_COUNT ? words[code] : "internal";
}

enum err_code err_from_word(const char *word)
{
    for (size_t i = 0; i < ERR_CODE_COUNT; i++)
        if (strcmp(words[i], word) == 0)
            return (enum err_code)i;
    return ERR_INTERNAL;
}

int err_is_passing(enum err_code code)
{
    return code == ERR_BUSY || code == ERR_TIMEOUT || code == ERR_NETWORK || code == ERR_REMOTE;
}

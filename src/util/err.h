// SPDX-License-Identifier: EUPL-1.2
/*
 * An error is a value: a reason from one list, and one line for the person who has to act.
 *
 * A function that can fail returns 0 (or something useful) on success and -1 on failure, with the
 * error set where it is known:
 *
 *     if (fd < 0)
 *         return err_errno(e, errno, "open '%s'", path);
 *     if (buf_add(&b, chunk, n, e) < 0)
 *         return err_prefix(e, "read '%s'", path);
 *
 * On success the error is left untouched.  Nothing is allocated and nothing must be freed; texts
 * longer than the field are cut.  A value belongs to one thread at a time.
 *
 * The text holds no secret, ever: no key, token or signature.
 */
#ifndef UTIL_ERR_H
#define UTIL_ERR_H

#include "util/common.h"

enum err_code {
    ERR_NONE = 0,
    ERR_INVALID,     /* the input is not what it should be                       */
    ERR_NOT_FOUND,   /* the named thing does not exist                           */
    ERR_EXISTS,      /* it exists and should not                                 */
    ERR_CONFLICT,    /* its state does not permit this now                       */
    ERR_CHANGED,     /* a condition (If-Match and its kind) did not hold         */
    ERR_UNMODIFIED,  /* a condition says: you have it already (304)              */
    ERR_DENIED,      /* known, but not allowed to do this                        */
    ERR_UNKNOWN_WHO, /* key, signature, token or account not accepted            */
    ERR_CLOCK,       /* refused because the clocks differ too much               */
    ERR_BUSY,        /* throttled or unavailable: may work later                 */
    ERR_TIMEOUT,     /* the deadline passed, or nothing moved for too long       */
    ERR_NETWORK,     /* no connection, or it broke; a body was cut off           */
    ERR_TLS,         /* certificate or handshake                                 */
    ERR_REMOTE,      /* the other side failed (5xx) or answered nonsense         */
    ERR_CORRUPT,     /* bytes are not what they were said to be                  */
    ERR_ARCHIVED,    /* in a tier that must be woken first                       */
    ERR_NAME,        /* this name cannot be held there                           */
    ERR_RANGE,       /* range outside the object                                 */
    ERR_UNSUPPORTED, /* this store or build does not offer it                    */
    ERR_NO_SPACE,    /* disk full                                                */
    ERR_QUOTA,       /* the provider's or the file system's quota                */
    ERR_READ_ONLY,   /* the target does not take writes                          */
    ERR_IO,          /* local files and devices                                  */
    ERR_CANCELLED,   /* told to stop                                             */
    ERR_INTERNAL,    /* a bug of ours that was caught                            */
    ERR_CODE_COUNT
};

struct err {
    enum err_code code;
    int retry_after; /* seconds the other side asked to wait, 0 where it did not */
    int fault;       /* a finer reason in the words of one room (object/fault.h); 0: none */
    char text[1000];
};

/* Set code and text; always returns -1. */
int err_set(struct err *e, enum err_code code, const char *format, ...) printf_like(3, 4);

/* As err_set with the reason taken from an errno value, and its text appended: "open 'x': No such
 * file or directory". */
int err_errno(struct err *e, int number, const char *format, ...) printf_like(3, 4);

/* Put "text: " before what is there; always returns -1. */
int err_prefix(struct err *e, const char *format, ...) printf_like(2, 3);

/* Back to "no error". */
void err_clear(struct err *e);

/* A stable word for a reason, as written to ledgers and JSON: "not_found". */
const char *err_word(enum err_code code);

/* The reason for a word; ERR_INTERNAL for an unknown one. */
enum err_code err_from_word(const char *word);

/* Whether the same request may succeed a moment later (busy, timeout, network, remote). */
int err_is_passing(enum err_code code);

#endif

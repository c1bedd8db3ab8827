// SPDX-License-Identifier: EUPL-1.2
/*
 * Azure Storage's Shared Key for Blob, signing and verifying.
 *
 *     auto_sharedkey struct sharedkey key = SHAREDKEY_INIT;
 *     if (sharedkey_init(&key, "contosoarchive", key_in_base64, e) < 0 ||
 *         sharedkey_sign(&key, &request, clock_wall(), e) < 0)
 *         return -1;
 *
 * The rules are those of x-ms-version 2015-02-21 and later (an empty Content-Length when nothing
 * is sent).  Source: Azure Storage REST reference, "Authorize with Shared Key".
 *
 * A struct sharedkey does not change after init and may be used by any thread.
 */
#ifndef AUTH_SHAREDKEY_H
#define AUTH_SHAREDKEY_H

#include "crypto/secret.h"
#include "http/message.h"
#include "util/clock.h"

/* A signature in base64 and its NUL. */
#define SHAREDKEY_SIGNATURE_SIZE 45
/* Longer texts to sign are refused. */
#define SHAREDKEY_TEXT_MAX (256 * 1024)

struct sharedkey {
    char *account;
    struct secret key;
};
#define SHAREDKEY_INIT \
    {                  \
        0              \
    }
#define auto_sharedkey cleanup(sharedkey_release)

/* ERR_INVALID when the key is not base64 (its text is not quoted) or empty, or when the account's
 * name is none: lower-case letters, digits and '-', at most 63. */
must_check int sharedkey_init(struct sharedkey *key, const char *account, const char *key_base64,
                              struct err *e);
/* Wipe it. */
void sharedkey_release(struct sharedkey *key);

/* What is signed.  method in upper case; path (beginning with '/') and query (without '?', may be
 * NULL) raw, as they stand on the request line; with path style the account is in path too and so
 * appears twice.  headers: without Content-Length, which is content_length.
 * ERR_INVALID for a malformed query or a text over SHAREDKEY_TEXT_MAX. */
must_check int sharedkey_string_to_sign(struct buf *out, const char *account, const char *method,
                                        const char *path, const char *query,
                                        const struct pairs *headers, uint64_t content_length,
                                        struct err *e);
/* The same in the Lite form (Authorization: SharedKeyLite). */
must_check int sharedkey_lite_string_to_sign(struct buf *out, const char *account,
                                             const char *method, const char *path,
                                             const char *query, const struct pairs *headers,
                                             struct err *e);

/* The order in which x-ms-* headers are signed: not that of the bytes, but the en-US one of .NET,
 * which the service uses: '-' counts for nothing, '_' comes before digits. */
int sharedkey_header_order(const char *a, const char *b);

/* The signature of any text (SAS uses it, too). */
void sharedkey_signature(const struct sharedkey *key, const struct buf *text,
                         char ret[SHAREDKEY_SIGNATURE_SIZE]);

/* Replace x-ms-date (by now, wall time) and Authorization of a request whose other headers and URL
 * are complete.  ERR_INVALID for a URL that cannot be signed. */
must_check int sharedkey_sign(const struct sharedkey *key, struct http_request *r, int64_t now,
                              struct err *e);

/* How far a request's date may be from ours. */
#define SHAREDKEY_CLOCK_MAX (15 * 60 * CLOCK_SECOND)

/* "SharedKey account:signature" taken apart; also "SharedKeyLite". */
struct sharedkey_authorization {
    bool lite;
    char account[64];
    char signature[64];
};
/* ERR_INVALID for anything else. */
must_check int sharedkey_authorization_parse(const char *header,
                                             struct sharedkey_authorization *ret, struct err *e);

/* Whether a request as it came in carries a right signature by this key.  ERR_UNKNOWN_WHO when not,
 * ERR_CLOCK when its date is more than 15 minutes from now, ERR_INVALID when the header is
 * malformed.  The account in the header must be the key's, or that and "-secondary"; what was
 * signed may name either of them, and so may the path in path style, whichever the request went
 * to: SDKs differ.  An account has two keys: call it for the other when ERR_UNKNOWN_WHO. */
must_check int sharedkey_verify(const struct sharedkey *key, const char *method, const char *path,
                                const char *query, const struct pairs *headers,
                                uint64_t content_length, int64_t now, struct err *e);

#endif

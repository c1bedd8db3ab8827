// SPDX-License-Identifier: EUPL-1.2
/*
 * Signatures in minisign's format (https://jedisct1.github.io/minisign/), prehashed: what
 * `minisign -V` accepts.  The keys are those `minisign -G` makes, with or without a password.
 *
 *     auto_minisign_key struct minisign_key key = MINISIGN_KEY_INIT;
 *     if (minisign_key_read(text, length, &password, &key, e) < 0)
 *         return -1;
 *     hash_bytes(HASH_BLAKE2B512, manifest, n, digest);
 *     minisign_sign(&key, digest, "manifest of job 7", &signature);
 *
 * Not taken: signatures over the whole file instead of its hash (minisign before 0.8).
 */
#ifndef CRYPTO_MINISIGN_H
#define CRYPTO_MINISIGN_H

#include "crypto/secret.h"
#include "util/buf.h"
#include "util/call.h"

/* BLAKE2b-512 of the file. */
#define MINISIGN_DIGEST_SIZE 64
/* A public key as one line, "RWQ...", with NUL. */
#define MINISIGN_PUBLIC_TEXT 57
/* Files larger than this are no keys or signatures. */
#define MINISIGN_FILE_MAX 16384
/* The longest trusted comment. */
#define MINISIGN_COMMENT_MAX 8000

struct minisign_key {
    unsigned char number[8]; /* which key it is, as it stands in its signatures */
    unsigned char public_key[32];
    struct secret seed;
};
#define MINISIGN_KEY_INIT \
    {                     \
        .number = { 0 }   \
    }
#define auto_minisign_key cleanup(minisign_key_release)

/* Read a secret key file.  ERR_INVALID: not one.  ERR_DENIED: it needs a password and none was
 * given (NULL or nothing set), or it is the wrong one.  Opening a password takes seconds, and
 * usually 1 GiB of memory: minisign's choice, written in the key; ERR_BUSY when that is not to be
 * had. */
must_check int minisign_key_read(const char *text, size_t length, const struct secret *password,
                                 struct minisign_key *ret, struct err *e);
/* Whether a secret key file wants a password. */
must_check int minisign_key_is_locked(const char *text, size_t length, bool *ret, struct err *e);
void minisign_key_release(struct minisign_key *key);
/* The public key of a secret one, as `minisign -P` takes it. */
void minisign_public_text(const struct minisign_key *key, char text[MINISIGN_PUBLIC_TEXT]);

/* Append the content of a .minisig file for a digest.  The comment is signed too; it is one line of
 * at most MINISIGN_COMMENT_MAX bytes, else ERR_INVALID. */
must_check int minisign_sign(const struct minisign_key *key,
                             const unsigned char digest[MINISIGN_DIGEST_SIZE], const char *comment,
                             struct buf *out, struct err *e);

/* Check a signature; public_key is a line "RWQ..." or a .pub file.  *ret_comment (may be NULL) gets
 * the trusted comment, to be freed.  ERR_INVALID: not well-formed; ERR_UNKNOWN_WHO: made by another
 * key; ERR_CORRUPT: it does not belong to this digest, or was changed. */
must_check int minisign_verify(const char *public_key, size_t public_length,
                               const unsigned char digest[MINISIGN_DIGEST_SIZE],
                               const char *signature, size_t length, char **ret_comment,
                               struct err *e);

/* The digest of a file. */
must_check int minisign_digest_file(const char *path, unsigned char digest[MINISIGN_DIGEST_SIZE],
                                    struct call *call);
/* Sign a file: writes PATH.minisig (a new file, synced, then renamed over an old one). */
must_check int minisign_sign_file(const struct minisign_key *key, const char *path,
                                  const char *comment, struct call *call);

#endif

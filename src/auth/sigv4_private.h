// SPDX-License-Identifier: EUPL-1.2
/* What the files of SigV4 share. */
#ifndef AUTH_SIGV4_PRIVATE_H
#define AUTH_SIGV4_PRIVATE_H

#include "auth/sigv4.h"

/* "20261122/gra/s3/aws4_request" for the day that date begins with. */
void sigv4_scope(const struct sigv4 *s, const char *date, char ret[SIGV4_SCOPE_SIZE]);
/* The signing key of that day. */
void sigv4_day_key(struct sigv4 *s, const char *date, unsigned char ret[SHA256_SIZE]);
/* The signature over a canonical request. */
void sigv4_signature(const unsigned char key[SHA256_SIZE], const char *date, const char *scope,
                     const struct buf *canonical, char ret[SIGV4_HEX_SIZE]);
/* Sign the head; key and date (20 bytes) may be NULL, else they are told. */
int sigv4_sign_head(struct sigv4 *s, struct http_request *r, const char *payload_hash, int64_t now,
                    struct sigv4_chunks *chunks, struct err *e);

#endif

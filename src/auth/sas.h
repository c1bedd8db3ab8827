// SPDX-License-Identifier: EUPL-1.2
/*
 * Azure's shared access signatures for blobs: reading, judging, creating and verifying.
 *
 *     auto_sas struct sas s = SAS_INIT;
 *     if (sas_parse("?sv=2022-11-02&ss=b&srt=sco&sp=rl&se=2026-12-31&sig=...", &s, e) < 0 ||
 *         sas_check(&s, clock_wall(), 'r', e) < 0)
 *         return -1;      ("the SAS expired at 2025-12-31T00:00:00Z: get a new one")
 *
 * Three kinds: of an account (ss, srt), of a service (sr, signed with the account's key) and of a
 * user delegation (sr and sk..., signed with a key that Entra ID's user was given).  What is signed
 * differs by version (sv); those from 2015-04-05 on are known.
 *
 * A struct sas holds a secret (sig): it is wiped on release.  No error text quotes it.
 * Source: Azure Storage REST reference, "Create an account SAS", "Create a service SAS", "Create a
 * user delegation SAS".
 */
#ifndef AUTH_SAS_H
#define AUTH_SAS_H

#include "crypto/secret.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/pairs.h"

enum sas_kind { SAS_ACCOUNT, SAS_SERVICE, SAS_DELEGATION };

struct sas {
    enum sas_kind kind;
    struct pairs fields; /* of the whole query, decoded, in their order */
    int64_t starts;      /* TIME_UNKNOWN: at once, or a stored policy says it */
    int64_t expires;     /* TIME_UNKNOWN: a stored policy says it */
};
#define SAS_INIT \
    {            \
        0        \
    }
#define auto_sas cleanup(sas_release)
void sas_release(struct sas *s);

/* Read a query, with or without '?'; parameters that belong to no SAS are let be.  ERR_INVALID when
 * it holds none, one twice, an unknown version, or malformed times. */
must_check int sas_parse(const char *query, struct sas *ret, struct err *e);

/* A field ("sp", "se", ...), or NULL. */
const char *sas_field(const struct sas *s, const char *name);

/* Whether it can serve a request for blobs needing this permission (0: any), as far as it says so
 * itself: a stored policy may say more.  ERR_UNKNOWN_WHO when expired, ERR_CLOCK when not yet
 * valid, ERR_DENIED when the permission or the blob service is missing. */
must_check int sas_check(const struct sas *s, int64_t now, char permission, struct err *e);

/* What it is good for; all names decoded. */
struct sas_resource {
    const char *account;
    const char *container; /* NULL for an account SAS */
    const char *blob;      /* NULL for a container */
};

/* What is signed.  ERR_UNSUPPORTED for a SAS bound to request headers (srh, srq); ERR_INVALID when
 * it needs a container or blob and none is given. */
must_check int sas_string_to_sign(struct buf *out, const struct sas *s,
                                  const struct sas_resource *resource, struct err *e);

/* Whether sig is right under this key (the account's, or that of the user delegation).
 * ERR_UNKNOWN_WHO when not.  Times and permissions are sas_check()'s business. */
must_check int sas_verify(const struct sas *s, const struct sas_resource *resource,
                          const struct secret *key, struct err *e);

/* What a new one shall say.  NULL and TIME_UNKNOWN leave a field out. */
struct sas_wish {
    const char *version;     /* NULL: "2022-11-02" */
    const char *permissions; /* in Azure's order: "racwdxyltmeop" */
    int64_t starts;
    int64_t expires;
    const char *ip;             /* "203.0.113.1" or "203.0.113.1-203.0.113.9" */
    const char *protocol;       /* "https" or "https,http" */
    const char *services;       /* account SAS: "b"; given means an account SAS is wished */
    const char *resource_types; /* account SAS: of "sco" */
    const char *identifier;     /* service SAS: a stored policy's name */
    const char *content_type;   /* service SAS: what a GET shall answer */
    const char *content_disposition;
    const struct pairs *delegation; /* skoid, sktid, skt, ske, sks, skv: a user delegation SAS */
};

/* The query of a new SAS, escaped, without '?'.  It is a secret. */
must_check int sas_create(const struct sas_wish *wish, const struct sas_resource *resource,
                          const struct secret *key, struct buf *out, struct err *e);

#endif

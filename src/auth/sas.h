// SPDX-License-Identifier: EUPL-1.2
/*
 * Azure's shared access signatures for blobs: reading, creating, verifying, judging.
 *
 * Whoever holds one asks only what it says (sas_parse(), sas_field()).  A server goes on:
 *
 *     auto_sas struct sas s = SAS_INIT;
 *     enum sas_fault fault;
 *     if (sas_parse(query, &s, e) < 0)
 *         return bad_request();
 *     if ((fault = sas_verify(&s, &request, keys, 2, e)) ||
 *         (fault = sas_apply_policy(&s, policy, e)) || (fault = sas_check(&s, &request, e)))
 *         return refuse(sas_fault_word(fault), e->text);
 *
 * (sas_apply_policy() only where the field "si" names one.)  Three kinds: of an account (ss, srt),
 * of a service (sr, signed with the account's key) and of a user delegation (sr and sk..., signed
 * with a key that a user was given).  What is signed differs by version (sv); those from 2012-02-12
 * on are known, and newer ones than known are taken for the newest.
 *
 * A SAS of a user delegation gives no more than that user (skoid) has: the caller asks its policy,
 * too.  "ses" (an encryption scope) and "saoid" are verified and for the caller to heed.
 *
 * A struct sas holds a secret (sig): it is wiped on release.  No error text quotes it.
 * Source: Azure Storage REST reference, "Create an account SAS", "Create a service SAS", "Create a
 * user delegation SAS", "Get User Delegation Key", "Define a stored access policy".
 */
#ifndef AUTH_SAS_H
#define AUTH_SAS_H

#include <stdbool.h>

#include "crypto/secret.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/pairs.h"

/* Longer texts to sign and longer queries are refused. */
#define SAS_TEXT_MAX (64 * 1024)

enum sas_kind { SAS_ACCOUNT, SAS_SERVICE, SAS_DELEGATION };

struct sas {
    enum sas_kind kind;
    struct pairs fields; /* of the whole query, decoded, in their order */
    int64_t starts;      /* TIME_UNKNOWN: at once, or a stored policy says it */
    int64_t expires;     /* TIME_UNKNOWN: a stored policy says it */
    char *permissions;   /* NULL: a stored policy says them */
    int64_t key_starts;  /* of the user delegation's key */
    int64_t key_expires;
};
#define SAS_INIT \
    {            \
        0        \
    }
#define auto_sas cleanup(sas_release)
void sas_release(struct sas *s);

/* Read a query, with or without '?'; parameters that belong to no SAS are let be.  ERR_INVALID when
 * it holds none, one twice, an odd version, control characters or malformed times;
 * ERR_UNSUPPORTED for a version before 2012-02-12. */
must_check int sas_parse(const char *query, struct sas *ret, struct err *e);

/* A field ("sp", "se", ...), or NULL. */
const char *sas_field(const struct sas *s, const char *name);

/* What it is good for; all names decoded. */
struct sas_resource {
    const char *account;
    const char *container; /* NULL for an account SAS */
    const char *blob;      /* NULL for a container */
};

/* The request that came with it. */
struct sas_request {
    struct sas_resource resource;
    const struct pairs *headers; /* those a SAS can be bound to (srh); may be NULL */
    int64_t now;                 /* wall time */
    const char *client;          /* its address without a port; NULL: not known */
    bool secure;                 /* it came over TLS */
    char resource_type;          /* of 's', 'c', 'o': what it acts on */
    bool account_only;           /* such as Delete Container: only an account SAS can permit it */
    const char *any_of;          /* permissions of which one is enough; NULL: none is needed */
    const char *object_id;       /* of the bearer token beside the SAS; NULL: there is none */
};

/* Why it does not serve; 0 where it does. */
enum sas_fault {
    SAS_FINE,
    SAS_BAD_SIGNATURE,   /* AuthenticationFailed */
    SAS_BAD_TIME,        /* AuthenticationFailed: not yet, or no more */
    SAS_BAD_POLICY,      /* AuthenticationFailed: no such stored policy, or it leaves things open */
    SAS_POLICY_REPEATS,  /* InvalidQueryParameterValue: SAS and policy say the same field */
    SAS_BAD_USER,        /* AuthenticationFailed: bound to another user, or to ACLs (suoid) */
    SAS_SOURCE_MISMATCH, /* AuthorizationSourceIPMismatch */
    SAS_PROTOCOL_MISMATCH,   /* AuthorizationProtocolMismatch */
    SAS_SERVICE_MISMATCH,    /* AuthorizationServiceMismatch */
    SAS_TYPE_MISMATCH,       /* AuthorizationResourceTypeMismatch */
    SAS_PERMISSION_MISMATCH, /* AuthorizationPermissionMismatch */
    SAS_KIND_MISMATCH,       /* AuthorizationFailure: only an account SAS may do that */
    SAS_FAULT_COUNT
};
/* Azure's error code for it. */
const char *sas_fault_word(enum sas_fault fault);

/* What is signed.  headers (may be NULL) are those of the request, for a SAS that is bound to some.
 * ERR_INVALID when it needs a container or blob and none is given; ERR_DENIED when the names cannot
 * be what it is for. */
must_check int sas_string_to_sign(struct buf *out, const struct sas *s,
                                  const struct sas_resource *resource, const struct pairs *headers,
                                  struct err *e);

/* Whether sig is right under one of these keys (the account's two, or that of the user delegation).
 * SAS_BAD_SIGNATURE when not, with the text that was to be signed in the error. */
must_check enum sas_fault sas_verify(const struct sas *s, const struct sas_request *request,
                                     const struct secret *const *keys, size_t count, struct err *e);

/* A stored access policy: TIME_UNKNOWN and NULL (or "") for what it leaves to the SAS. */
struct sas_policy {
    int64_t starts, expires;
    const char *permissions;
};
/* Fill in what the policy named by "si" says; policy NULL: the container has none of that name.
 * For a SAS with no "si" nothing is done. */
must_check enum sas_fault sas_apply_policy(struct sas *s, const struct sas_policy *policy,
                                           struct err *e);

/* Whether it permits this request: time, address, protocol, user, service, kind of resource and
 * permission, in this order.  Verify it first. */
must_check enum sas_fault sas_check(const struct sas *s, const struct sas_request *request,
                                    struct err *e);

/* The key of a user delegation, out of what its fields say (skoid, sktid, skt, ske, sks, skv,
 * skdutid; others are let be) and a secret of the account that is kept for this alone: nothing need
 * be stored, and with another secret all of them are void.  The key is the HMAC-SHA256 under the
 * secret of these lines, each ended by a line feed: "bascule user delegation key 1", then the
 * values in that order, empty where one is missing.  ERR_INVALID when one of the first six is. */
must_check int sas_delegation_key(const struct secret *secret, const struct pairs *fields,
                                  struct secret *ret, struct err *e);

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
    const char *directory_depth;    /* service SAS: blob is a directory, of so many levels */
    const struct pairs *delegation; /* skoid, sktid, skt, ske, sks, skv: a user delegation SAS */
};

/* The query of a new SAS, escaped, without '?'.  It is a secret. */
must_check int sas_create(const struct sas_wish *wish, const struct sas_resource *resource,
                          const struct secret *key, struct buf *out, struct err *e);

#endif

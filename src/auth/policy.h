// SPDX-License-Identifier: EUPL-1.2
/*
 * Who may do what: one engine for every door.  Role assignments and bucket policies become the same
 * statements; a set of them is asked with a request and answers.
 *
 *     struct policy *policy = policy_new();
 *     if (policy_assign(policy, &assignment, e) < 0 || policy_add(policy, &statement, e) < 0)
 *         return -1;
 *     ... from here on it is const, for any thread ...
 *     if (policy_decide(policy, &request).decision != POLICY_ALLOWED)
 *         return refuse();
 *
 * The rules, in this order:
 *   1. a statement that denies and fits: forbidden, whatever else is said;
 *   2. who holds the account's key, or a SAS made with it, may do all in that account (what the SAS
 *      itself permits is sas_check()'s business);
 *   3. what the container's public access opens to everybody is open;
 *   4. a statement that allows and fits: allowed;
 *   5. else: denied.
 *
 * A SAS of a user delegation is asked for as that user (POLICY_TOKEN with skoid): no more than the
 * user may do can be done with it.  Its groups are not known then: roles given to a group do not
 * count for it.
 *
 * Where things are is written as a path: "" is the account, "photos" a container,
 * "photos/2026/a.jpg" an object in it.
 *
 * Source: Azure "Assign an Azure role for access to blob data" and "Azure built-in roles"; AWS
 * "Policy evaluation logic", "Bucket policies".
 */
#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"
#include "util/pairs.h"

enum policy_action {
    POLICY_BLOB_READ, /* content, properties, metadata, block lists */
    POLICY_BLOB_LIST,
    POLICY_BLOB_CREATE, /* a new one, or a snapshot */
    POLICY_BLOB_WRITE,  /* over one; properties, metadata, tier, leases; undelete */
    POLICY_BLOB_ADD,    /* append */
    POLICY_BLOB_DELETE,
    POLICY_BLOB_DELETE_VERSION,
    POLICY_BLOB_PERMANENT_DELETE, /* what soft delete keeps */
    POLICY_TAGS_READ,
    POLICY_TAGS_WRITE,
    POLICY_TAGS_FIND,
    POLICY_IMMUTABILITY,    /* retention policies and legal holds */
    POLICY_CONTAINER_LIST,  /* the account's containers */
    POLICY_CONTAINER_READ,  /* properties, metadata */
    POLICY_CONTAINER_WRITE, /* metadata, leases */
    POLICY_CONTAINER_CREATE,
    POLICY_CONTAINER_DELETE, /* and restore */
    POLICY_ACL_READ,         /* public access, stored policies, bucket policies */
    POLICY_ACL_WRITE,
    POLICY_ACCOUNT_INFO,
    POLICY_ACCOUNT_READ, /* service properties, statistics */
    POLICY_ACCOUNT_WRITE,
    POLICY_DELEGATION_KEY,
    POLICY_ACTION_COUNT
};
#define POLICY_BIT(action) (UINT32_C(1) << (action))
#define POLICY_ALL_ACTIONS (POLICY_BIT(POLICY_ACTION_COUNT) - 1)

/* A stable word, as in audit logs: "blob_read". */
const char *policy_action_word(enum policy_action action);

/* ---- Asking ---- */

enum policy_kind { POLICY_ANONYMOUS, POLICY_KEY, POLICY_SAS, POLICY_TOKEN };

/* Who asks.  Everything is borrowed. */
struct policy_principal {
    enum policy_kind kind;
    const char *account; /* of key and SAS: whose they are */
    const char *issuer;  /* of a token ... */
    const char *id;      /* ... its object id, or subject */
    const char *const *groups;
    size_t group_count;
    const char *const *roles; /* names the issuer gave in the token */
    size_t role_count;
};

enum policy_public { POLICY_PRIVATE, POLICY_PUBLIC_BLOBS, POLICY_PUBLIC_CONTAINER };

struct policy_request {
    struct policy_principal who;
    enum policy_action action;
    const char *account;
    const char *container;     /* NULL: the account itself */
    const char *name;          /* NULL: the container itself */
    const char *list_prefix;   /* of a list; NULL for all else */
    const struct pairs *tags;  /* of the object as it is; NULL: none, or not known */
    enum policy_public opened; /* how far the container is open; the account may forbid it */
    const char *client;        /* address without a port; NULL: not known */
    bool secure;               /* over TLS */
};

enum policy_decision { POLICY_DENIED, POLICY_FORBIDDEN, POLICY_ALLOWED };

struct policy_verdict {
    enum policy_decision decision;
    const char *by; /* the id of the statement that decided, "account key", "public access" or "";
                       as long as the policy lives */
};

struct policy;

/* Pure: equal questions get equal answers. */
struct policy_verdict policy_decide(const struct policy *policy,
                                    const struct policy_request *request);

/* ---- Saying ---- */

enum policy_match { POLICY_ANY, POLICY_EXACT, POLICY_BEGINS, POLICY_GLOB };

/* Of a text; in a glob '*' is any characters ('/' too), '?' is one. */
struct policy_pattern {
    enum policy_match match;
    const char *text;
};

enum policy_who_kind {
    POLICY_EVERYBODY,   /* even the anonymous */
    POLICY_WHO_ACCOUNT, /* holders of this account's key or a SAS made with it */
    POLICY_WHO_USER,
    POLICY_WHO_GROUP,
    POLICY_WHO_ROLE,
};
struct policy_who {
    enum policy_who_kind kind;
    const char *issuer; /* of user, group, role; NULL: any issuer the configuration names */
    const char *name;   /* NULL with POLICY_EVERYBODY */
};

enum policy_if {
    POLICY_IF_SOURCE, /* the client's address is in one of the ranges: "203.0.113.0/24", "::1" */
    POLICY_IF_SECURE, /* the request came over TLS; no values */
    POLICY_IF_PREFIX, /* the prefix of a list fits one of the patterns */
    POLICY_IF_TAG,    /* the object has this tag, and its value fits one of the patterns */
};
/* Where what is asked for is not known (no address, no prefix), it does not hold, and its negation
 * does. */
struct policy_condition {
    enum policy_if kind;
    bool negated;
    const char *key; /* of a tag */
    const struct policy_pattern *values;
    size_t value_count;
};

/* Whether a text is an address or a range as POLICY_IF_SOURCE takes it. */
bool policy_is_range(const char *text);

struct policy_statement {
    const char *id; /* for people and audit logs; NULL: "" */
    bool deny;
    uint32_t actions;             /* of POLICY_BIT() */
    const struct policy_who *who; /* any of them */
    size_t who_count;
    const char *account;                /* NULL: any */
    const struct policy_pattern *paths; /* any of them */
    size_t path_count;
    const struct policy_condition *conditions; /* all of them */
    size_t condition_count;
};

struct policy *policy_new(void);
void policy_free(struct policy *policy);

/* Everything is copied.  ERR_INVALID for ranges that are none and patterns without a text. */
must_check int policy_add(struct policy *policy, const struct policy_statement *statement,
                          struct err *e);

/* ---- Roles ---- */

enum policy_role {
    POLICY_READER,      /* Storage Blob Data Reader */
    POLICY_CONTRIBUTOR, /* Storage Blob Data Contributor */
    POLICY_OWNER,       /* Storage Blob Data Owner */
    POLICY_DELEGATOR,   /* Storage Blob Delegator */
    POLICY_MANAGER,     /* Storage Account Contributor: account and containers, no objects */
    POLICY_ROLE_COUNT
};
const char *policy_role_name(enum policy_role role);
/* By Azure's name, in any case.  ERR_INVALID, naming those there are. */
must_check int policy_role_parse(const char *name, enum policy_role *ret, struct err *e);
uint32_t policy_role_actions(enum policy_role role);

struct policy_assignment {
    struct policy_who who;
    enum policy_role role;
    const char *account;   /* NULL: all */
    const char *container; /* NULL: the whole account */
    const char *prefix;    /* NULL: the whole container; else objects whose names begin with it, and
                              lists of such a prefix */
};
must_check int policy_assign(struct policy *policy, const struct policy_assignment *assignment,
                             struct err *e);

#endif

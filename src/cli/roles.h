// SPDX-License-Identifier: EUPL-1.2
/*
 * Role assignments in the index, and the policy they make.
 *
 * A principal is written "[ISSUER#]KIND:NAME", KIND being user, group, role (a name the issuer
 * gave in the token) or app (the same as user: an application's object id).  Without an issuer it
 * is anybody whom one of the configured issuers calls so.
 */
#ifndef CLI_ROLES_H
#define CLI_ROLES_H

#include "auth/policy.h"
#include "index/index.h"

/* Changes with every assignment; kept in table meta. */
#define ROLES_REVISION "roles.revision"

/* Take a principal apart; the texts are the caller's to free. */
must_check int role_principal_parse(const char *text, struct policy_who *ret, struct err *e);
void role_principal_release(struct policy_who *who);

/* "", "account", "account/container" or "account/container/prefix" into a row. */
must_check int role_scope_parse(const char *text, struct role_row *row, struct err *e);
/* The same, for people. Heap. */
char *role_scope_text(const struct role_row *row);

struct role_rows {
    struct role_row *list;
    size_t count;
};
#define auto_role_rows cleanup(role_rows_release)
void role_rows_release(struct role_rows *l);
must_check int role_list(struct index *index, struct role_rows *ret, struct call *call);

/* ERR_EXISTS when the same is there. */
must_check int role_add(struct index *index, struct role_row *row, struct call *call);
/* ERR_NOT_FOUND */
must_check int role_remove(struct index *index, int64_t id, struct call *call);

/* The policy of all assignments.  An assignment that cannot be understood is left out, and *ret_bad
 * (may be NULL) counts it: it gives nothing. *ret_revision (heap) tells one state from another. */
must_check int role_policy(struct index *index, struct policy **ret, char **ret_revision,
                           uint64_t *ret_bad, struct call *call);
/* The revision alone; "" before the first assignment. Heap. */
must_check int role_revision(struct index *index, char **ret, struct call *call);

#endif

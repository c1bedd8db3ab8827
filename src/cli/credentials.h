// SPDX-License-Identifier: EUPL-1.2
/*
 * Access keys of the S3 door in the index.  A key belongs to an account, and either has all its
 * rights or those of a principal ("user:ID", as in roles.h), which may be given roles.
 */
#ifndef CLI_CREDENTIALS_H
#define CLI_CREDENTIALS_H

#include "index/index.h"

/* Makes both halves; *ret has them.  principal NULL: the account's own. */
must_check int credential_add(struct index *index, const char *account, const char *principal,
                              struct credential_row *ret, struct call *call);
/* ERR_NOT_FOUND */
must_check int credential_remove(struct index *index, const char *access_key, struct call *call);

struct credential_rows {
    struct credential_row *list;
    size_t count;
};
#define auto_credential_rows cleanup(credential_rows_release)
void credential_rows_release(struct credential_rows *l);
/* Of one account, or of all (NULL). */
must_check int credential_list(struct index *index, const char *account,
                               struct credential_rows *ret, struct call *call);

#endif

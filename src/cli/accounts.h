// SPDX-License-Identifier: EUPL-1.2
/*
 * Accounts in the index: made, found, given new keys.  What is printed of them that is secret is
 * printed because somebody asked for just that.
 */
#ifndef CLI_ACCOUNTS_H
#define CLI_ACCOUNTS_H

#include "cli/serve_config.h"
#include "index/index.h"

/* Azure's rule: 3 to 24 lower-case letters and digits. */
must_check int account_name_check(const char *name, struct err *e);

/* Make an account with fresh keys; key1 (base64) instead of a fresh one when given.  ERR_EXISTS
 * when it is there. */
must_check int account_add(struct index *index, const char *name, const char *key1,
                           struct account_row *ret, struct call *call);
/* ERR_NOT_FOUND, naming the nearest one. */
must_check int account_find(struct index *index, const char *name, struct account_row *ret,
                            struct call *call);

/* Change an account: function gets the row and changes it, or returns -1.  event and detail tell
 * the audit log what was done (see deeds.h); ret may be NULL.  This and account_remove() return
 * when every running gateway goes by the change, a second later. */
typedef int account_changer(struct account_row *row, void *argument, struct call *call);
must_check int account_change(struct index *index, const char *name, const char *event,
                              const char *detail, account_changer *change, void *argument,
                              struct account_row *ret, struct call *call);
/* Refused with ERR_CONFLICT while it has containers, soft-deleted ones too. */
must_check int account_remove(struct index *index, const char *name, struct call *call);

struct account_rows {
    struct account_row *list;
    int64_t *containers; /* of each */
    size_t count;
};
#define auto_account_rows cleanup(account_rows_release)
void account_rows_release(struct account_rows *l);
must_check int account_list(struct index *index, struct account_rows *ret, struct call *call);

/* "key1" or "key2": where it stands in the row.  ERR_INVALID for other names. */
must_check int account_key_slot(struct account_row *row, const char *which, char ***ret,
                                struct err *e);
/* Put a fresh key there. */
void account_key_make(char **slot);

/* As Azure's portal shows it, for these keys and this endpoint.  Heap, a secret. */
char *account_connection_string(const struct serve_config *serve, const struct account_row *row,
                                const char *key);

#endif

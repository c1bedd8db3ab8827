// SPDX-License-Identifier: EUPL-1.2
/*
 * What an operator does with a command, on its way to an audit log.  A command has no audit log of
 * its own: it notes its deed in the index, in the transaction that does it, and a gateway with an
 * audit log takes it from there within a second, or when it next starts.  So no change is without
 * its deed, and none is told of that did not happen.
 *
 * A deed whose gateway is killed between writing it down and taking it away is told twice; both
 * entries have its number.
 */
#ifndef CLI_DEEDS_H
#define CLI_DEEDS_H

#include "auth/audit.h"
#include "index/index.h"

/* Inside a write.  event: a word such as "key_rotated"; resource: "acct/container"; detail may be
 * NULL.  Who: the user the process runs as. */
must_check int deed_note(struct db *db, const char *event, const char *resource, const char *detail,
                         struct call *call);
/* A deed that changes nothing: a key was shown. */
must_check int deed_tell(struct index *index, const char *event, const char *resource,
                         const char *detail, struct call *call);

/* Move the deeds there are into the log. */
must_check int deeds_take(struct index *index, struct audit *log, struct call *call);

#endif

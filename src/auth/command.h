// SPDX-License-Identifier: EUPL-1.2
/* Running the operator's command that prints a credential. */
#ifndef AUTH_COMMAND_H
#define AUTH_COMMAND_H

#include "util/buf.h"
#include "util/call.h"

/* Run by /bin/sh, with nothing to read and our standard error; append what it prints to out, and
 * wait for its end.  When the call must stop, the command and its children are ended.
 * ERR_UNKNOWN_WHO when it fails or prints more than out may hold; its output is never quoted. */
must_check int command_output(const char *command, struct buf *out, struct call *call);

#endif

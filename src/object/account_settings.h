// SPDX-License-Identifier: EUPL-1.2
/* What is set on a container and its account, as docs/formats/container.md has it. */
#ifndef OBJECT_ACCOUNT_SETTINGS_H
#define OBJECT_ACCOUNT_SETTINGS_H

#include "index/rows.h"

must_check int account_settings_write(const struct account_row *account,
                                      const struct container_row *container, struct buf *ret_json,
                                      struct err *e);

#endif

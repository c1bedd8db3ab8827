// SPDX-License-Identifier: EUPL-1.2
/* What a bucket's setting "lifecycle" says (its form is told in lifecycle.c) of one object. */
#ifndef OBJECT_LIFECYCLE_H
#define OBJECT_LIFECYCLE_H

#include "object/service.h"

struct json_t;
/* When a rule lets a current object go: midnight; TIME_UNKNOWN: never. */
int64_t lifecycle_expiry(const struct json_t *rule, const struct object_row *o);

#endif

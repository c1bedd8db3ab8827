// SPDX-License-Identifier: EUPL-1.2
/* What the Swift driver's own tests share.  Everything here fails the test when it cannot be done.
 */
#ifndef TESTS_SWIFT_OWN_H
#define TESTS_SWIFT_OWN_H

#include "../unit/unit.h"
#include "store/driver/swift_internal.h"

#define PART ((uint64_t)100000)

struct own {
    struct store *store;
    struct swift *swift;
    struct call call;
    char container[40];
};

int own_open(struct store **ret, struct call *call);
struct object_key own_key(const struct own *o, const char *name);
unsigned char *own_bytes(size_t n, unsigned seed);
struct put_result own_put(struct own *o, const char *name, const void *bytes, size_t n,
                          const struct object *properties);
char *own_send_parts(struct own *o, const struct object_key *key, const unsigned char *bytes,
                     const struct put_options *options, struct part_result *parts,
                     uint32_t *ret_count);
void own_put_large(struct own *o, const char *name, const unsigned char *bytes, size_t n);
void own_holds_version(struct own *o, const struct object_key *key, const void *bytes, size_t n);
void own_holds(struct own *o, const char *name, const void *bytes, size_t n);
size_t own_count(struct own *o, const char *container, const char *prefix);
size_t own_segments(struct own *o, const char *name);
void own_raw(struct own *o, const char *method, const char *path, const char *header,
             const char *value);

#endif

// SPDX-License-Identifier: EUPL-1.2
/*
 * From a YAML tree to the structures of the provider catalogue.  For provider.c only.
 */
#ifndef STORE_PROVIDER_READ_H
#define STORE_PROVIDER_READ_H

#include "codec/yaml.h"
#include "store/provider.h"

/* Everything a catalogue consists of: the tree its strings lie in, and the arrays. */
struct provider_memory {
    struct yaml_node *tree;
    void **blocks;
    size_t count;
};

void *provider_memory_take(struct provider_memory *m, size_t count, size_t size);

/* Fill *catalogue (its memory holding the tree). */
must_check int provider_read(struct provider_catalogue *catalogue, struct err *e);

#endif

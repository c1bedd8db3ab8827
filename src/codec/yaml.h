// SPDX-License-Identifier: EUPL-1.2
/*
 * YAML, on libyaml, as a tree that remembers where each thing stands, for configuration and
 * catalogue.
 *
 *     auto_yaml struct yaml_node *root = NULL;
 *     bool path_style = false;
 *     if (yaml_parse("bascule.yaml", text, length, &root, e) < 0 ||
 *         yaml_bool(root, "path_style", &path_style, e) < 0)
 *         return -1;            ("bascule.yaml:3:7: 'path_style' must be true or false")
 *
 * One document; its limits are YAML_TEXT_MAX bytes, YAML_DEPTH_MAX levels, YAML_NODES_MAX nodes.
 * Anchors and aliases work: an alias is a copy, and counts as such.  Refused are: a key twice in
 * one map, keys that are not scalars, tags ("!!binary"), and what is not UTF-8 or holds zero bytes.
 * Errors are ERR_INVALID, or what the helpers below say; values are not quoted (they may be keys).
 */
#ifndef CODEC_YAML_H
#define CODEC_YAML_H

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

#define YAML_TEXT_MAX  (1024 * 1024)
#define YAML_DEPTH_MAX 32
#define YAML_NODES_MAX 100000

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_LIST };

struct yaml_node {
    enum yaml_kind kind;
    bool quoted; /* a scalar in quotes or a block: "null" is then a text, not nothing */
    char *key;   /* in a map; else NULL */
    char *text;  /* a scalar's; "" otherwise */
    int line;    /* where the value begins, from 1; of an alias, where its anchor's value stands */
    int column;
    int key_line; /* where the key begins; 0 without one */
    int key_column;
    size_t count;               /* of children */
    struct yaml_node *children; /* the first, in the order of the file */
    struct yaml_node *next;
    const char *file; /* as given to yaml_parse(); the root owns it */
    char *owned_file; /* the root's */
};
#define auto_yaml cleanup(yaml_tree_free_p)

/* file is the name shown in errors.  An empty document gives a scalar that is null. */
must_check int yaml_parse(const char *file, const char *text, size_t length, struct yaml_node **ret,
                          struct err *e);
/* Free a root with all below; NULL is fine. */
void yaml_tree_free(struct yaml_node *root);
void yaml_tree_free_p(struct yaml_node **root);

/* The value of a key; NULL when map is NULL or no map, or the key is absent. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* Whether it is nothing: NULL, or a bare scalar that is empty, "~" or "null". */
bool yaml_is_null(const struct yaml_node *node);

/* Set "FILE:LINE:COLUMN: text" where the node (or its key, if it has one) stands; -1. */
int yaml_error(const struct yaml_node *node, struct err *e, const char *format, ...)
    printf_like(3, 4);

/* The value of a key in its type.  Where it is absent or null, *ret stays as it was (so put the
 * default there first) and the result is 0; of another type, -1.  Texts belong to the tree. */
must_check int yaml_text(const struct yaml_node *map, const char *key, const char **ret,
                         struct err *e);
must_check int yaml_bool(const struct yaml_node *map, const char *key, bool *ret, struct err *e);
must_check int yaml_uint(const struct yaml_node *map, const char *key, uint64_t *ret,
                         struct err *e);
/* A map or list under a key. */
must_check int yaml_node_of(const struct yaml_node *map, const char *key, enum yaml_kind kind,
                            const struct yaml_node **ret, struct err *e);

/* -1 unless node is a map with no other keys than these; names the nearest one known. */
must_check int yaml_check_keys(const struct yaml_node *map, const char *const *known, size_t count,
                               struct err *e);

#endif

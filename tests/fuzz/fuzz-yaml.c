// SPDX-License-Identifier: EUPL-1.2
/* YAML: any bytes give a sound tree or an error. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const struct yaml_node *node, bool in_map, int depth)
{
    size_t nodes = 0;

    assert(depth <= YAML_DEPTH_MAX + 1);
    for (; node; node = node->next) {
        size_t count = 0;
        assert(node->text && node->line > 0 && node->column > 0 && node->file);
        assert(in_map == (node->key != NULL));
        for (const struct yaml_node *child = node->children; child; child = child->next)
            count++;
        assert(count == node->count && (node->kind != YAML_SCALAR || count == 0));
        nodes += 1 + walk(node->children, node->kind == YAML_MAP, depth + 1);
    }
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const known[] = {"stores", "ledger"};
    struct err e = {0};
    auto_yaml struct yaml_node *root = NULL;
    const char *text = "";
    bool yes = false;
    uint64_t number = 0;

    if (yaml_parse("f.yaml", (const char *)data, size, &root, &e) < 0) {
        assert(e.code == ERR_INVALID && !root && strncmp(e.text, "f.yaml:", 7) == 0);
        return 0;
    }
    size_t nodes = walk(root, false, 1);
    assert(nodes <= YAML_NODES_MAX);
    (void)nodes;
    if (yaml_check_keys(root, known, ARRAY_SIZE(known), &e) < 0 ||
        yaml_text(root, "stores", &text, &e) < 0 || yaml_bool(root, "stores", &yes, &e) < 0 ||
        yaml_uint(root, "stores", &number, &e) < 0)
        assert(e.code == ERR_INVALID && strncmp(e.text, "f.yaml:", 7) == 0);
    return 0;
}

// SPDX-License-Identifier: EUPL-1.2
/* Questions to a tree of YAML: see yaml.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/suggest.h"
#include "codec/yaml.h"

/* Values may be keys and passwords: wiped before they go back to the heap. */
static void free_text(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* Depth is bounded by the parser, so recursion is; siblings are walked. */
void yaml_tree_free(struct yaml_node *root)
{
    while (root) {
        struct yaml_node *next = root->next;
        yaml_tree_free(root->children);
        free(root->key);
        free_text(root->text);
        free(root->owned_file);
        free(root);
        root = next;
    }
}

void yaml_tree_free_p(struct yaml_node **root)
{
    yaml_tree_free(*root);
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (const struct yaml_node *child = map->children; child; child = child->next)
        if (strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

bool yaml_is_null(const struct yaml_node *node)
{
    return !node || (node->kind == YAML_SCALAR && !node->quoted &&
                     (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
                      strcmp(node->text, "null") == 0));
}

int yaml_error(const struct yaml_node *node, struct err *e, const char *format, ...)
{
    char text[800];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return err_set(e, ERR_INVALID, "%s:%d:%d: %s", node->file,
                   node->key ? node->key_line : node->line,
                   node->key ? node->key_column : node->column, text);
}

int yaml_text(const struct yaml_node *map, const char *key, const char **ret, struct err *e)
{
    const struct yaml_node *node = yaml_get(map, key);

    if (yaml_is_null(node))
        return 0;
    if (node->kind != YAML_SCALAR)
        return yaml_error(node, e, "'%s' must be a text", key);
    *ret = node->text;
    return 0;
}

int yaml_bool(const struct yaml_node *map, const char *key, bool *ret, struct err *e)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    const struct yaml_node *node = yaml_get(map, key);

    if (yaml_is_null(node))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(words) && node->kind == YAML_SCALAR; i++) {
        if (strcmp(node->text, words[i]) == 0) {
            *ret = i % 2;
            return 0;
        }
    }
    return yaml_error(node, e, "'%s' must be true or false", key);
}

static bool read_digits(const char *text, uint64_t *ret)
{
    uint64_t number = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(number, UINT64_C(10), &number) ||
            __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
            return false;
    }
    *ret = number;
    return true;
}

int yaml_uint(const struct yaml_node *map, const char *key, uint64_t *ret, struct err *e)
{
    const struct yaml_node *node = yaml_get(map, key);

    if (yaml_is_null(node))
        return 0;
    if (node->kind != YAML_SCALAR || !read_digits(node->text, ret))
        return yaml_error(node, e, "'%s' must be a whole number, 0 or more", key);
    return 0;
}

int yaml_node_of(const struct yaml_node *map, const char *key, enum yaml_kind kind,
                 const struct yaml_node **ret, struct err *e)
{
    static const char *const names[] = {"a single value", "a map (key: value)", "a list (- item)"};
    const struct yaml_node *node = yaml_get(map, key);

    if (yaml_is_null(node))
        return 0;
    if (node->kind != kind)
        return yaml_error(node, e, "'%s' must be %s", key, names[kind]);
    *ret = node;
    return 0;
}

int yaml_check_keys(const struct yaml_node *map, const char *const *known, size_t count,
                    struct err *e)
{
    if (map->kind != YAML_MAP)
        return yaml_error(map, e, "a map (key: value) is expected here");
    for (const struct yaml_node *child = map->children; child; child = child->next) {
        size_t i = 0;
        while (i < count && strcmp(known[i], child->key) != 0)
            i++;
        if (i < count)
            continue;
        const char *meant = suggest(child->key, known, count);
        return yaml_error(child, e, "unknown key '%.60s'%s%s%s", child->key,
                          meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
    }
    return 0;
}

// SPDX-License-Identifier: EUPL-1.2
/* From libyaml's events to a tree: see yaml.h. */
#include "codec/yaml.h"

#include <string.h>
#include <yaml.h>

struct anchor {
    char *name;
    const struct yaml_node *node;
    struct anchor *next;
};

/* A tree being built.  open[] are the maps and lists not yet ended, from the root down. */
struct builder {
    const char *file;
    struct yaml_node *root;
    struct {
        struct yaml_node *node, *last;
        bool wants_key;
    } open[YAML_DEPTH_MAX];
    int depth;
    size_t nodes;
    char *key; /* read, its value is to come */
    int key_line, key_column;
    struct anchor *anchors;
};

static void builder_release(struct builder *b)
{
    yaml_tree_free(b->root);
    free(b->key);
    while (b->anchors) {
        struct anchor *next = b->anchors->next;
        free(b->anchors->name);
        free(b->anchors);
        b->anchors = next;
    }
}

static int error_at(const struct builder *b, yaml_mark_t mark, const char *text, struct err *e)
{
    return err_set(e, ERR_INVALID, "%s:%zu:%zu: %s", b->file, mark.line + 1, mark.column + 1, text);
}

/* Hang a node where the next value belongs. */
static void attach(struct builder *b, struct yaml_node *node)
{
    node->file = b->root ? b->root->file : b->file;
    if (b->depth == 0) {
        node->owned_file = xstrdup(b->file);
        node->file = node->owned_file;
        b->root = node;
        return;
    }
    struct yaml_node *parent = b->open[b->depth - 1].node;
    node->key = take(b->key);
    node->key_line = b->key_line;
    node->key_column = b->key_column;
    b->key_line = b->key_column = 0;
    if (b->open[b->depth - 1].last)
        b->open[b->depth - 1].last->next = node;
    else
        parent->children = node;
    b->open[b->depth - 1].last = node;
    b->open[b->depth - 1].wants_key = parent->kind == YAML_MAP;
    parent->count++;
}

static int add_node(struct builder *b, enum yaml_kind kind, yaml_mark_t mark,
                    const yaml_char_t *anchor, struct yaml_node **ret, struct err *e)
{
    if (++b->nodes > YAML_NODES_MAX)
        return error_at(b, mark, "the document has too many entries", e);
    struct yaml_node *node = xcalloc(1, sizeof(*node));
    node->kind = kind;
    node->line = (int)mark.line + 1;
    node->column = (int)mark.column + 1;
    attach(b, node);
    if (anchor) {
        struct anchor *entry = xcalloc(1, sizeof(*entry));
        entry->name = xstrdup((const char *)anchor);
        entry->node = node;
        entry->next = b->anchors;
        b->anchors = entry;
    }
    *ret = node;
    return 0;
}

static bool wants_key(const struct builder *b)
{
    return b->depth > 0 && b->open[b->depth - 1].wants_key;
}

static int on_scalar(struct builder *b, const yaml_event_t *event, struct err *e)
{
    const char *text = (const char *)event->data.scalar.value;
    struct yaml_node *node;

    if (memchr(text, '\0', event->data.scalar.length))
        return error_at(b, event->start_mark, "a text holds a zero byte", e);
    if (event->data.scalar.tag)
        return error_at(b, event->start_mark, "tags are not taken", e);
    if (wants_key(b)) {
        if (event->data.scalar.anchor)
            return error_at(b, event->start_mark, "a key cannot be an anchor", e);
        b->key = xstrdup(text);
        b->key_line = (int)event->start_mark.line + 1;
        b->key_column = (int)event->start_mark.column + 1;
        b->open[b->depth - 1].wants_key = false;
        return 0;
    }
    if (add_node(b, YAML_SCALAR, event->start_mark, event->data.scalar.anchor, &node, e) < 0)
        return -1;
    node->text = xstrdup(text);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return 0;
}

static int on_open(struct builder *b, enum yaml_kind kind, const yaml_event_t *event,
                   const yaml_char_t *anchor, const yaml_char_t *tag, struct err *e)
{
    struct yaml_node *node;

    if (wants_key(b))
        return error_at(b, event->start_mark, "a key must be a plain word", e);
    if (tag)
        return error_at(b, event->start_mark, "tags are not taken", e);
    if (b->depth == YAML_DEPTH_MAX)
        return error_at(b, event->start_mark, "nested too deeply", e);
    if (add_node(b, kind, event->start_mark, anchor, &node, e) < 0)
        return -1;
    node->text = xstrdup("");
    b->open[b->depth].node = node;
    b->open[b->depth].last = NULL;
    b->open[b->depth].wants_key = kind == YAML_MAP;
    b->depth++;
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct yaml_node *left = *(const struct yaml_node *const *)a;
    const struct yaml_node *right = *(const struct yaml_node *const *)b;
    int order = strcmp(left->key, right->key);

    if (order == 0)
        return left->key_line != right->key_line ? left->key_line - right->key_line
                                                 : left->key_column - right->key_column;
    return order;
}

static int check_duplicates(const struct yaml_node *map, struct err *e)
{
    if (map->kind != YAML_MAP || map->count < 2)
        return 0;
    auto_free const struct yaml_node **sorted = xcalloc(map->count, sizeof(*sorted));
    size_t n = 0;
    for (const struct yaml_node *child = map->children; child; child = child->next)
        sorted[n++] = child;
    qsort(sorted, n, sizeof(*sorted), compare_keys);
    for (size_t i = 1; i < n; i++)
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
            return yaml_error(sorted[i], e, "the key '%.60s' stands here twice (also in line %d)",
                              sorted[i]->key, sorted[i - 1]->key_line);
    return 0;
}

/* Copy a finished value, with all below, to where the next value belongs. */
static int copy_node(struct builder *b, const struct yaml_node *from, yaml_mark_t mark,
                     struct err *e)
{
    struct yaml_node *node = NULL;
    yaml_mark_t origin = {.line = (size_t)from->line - 1, .column = (size_t)from->column - 1};

    if (add_node(b, from->kind, origin, NULL, &node, e) < 0)
        return error_at(b, mark, "this alias makes the document too large", e);
    node->text = xstrdup(from->text);
    node->quoted = from->quoted;
    if (from->kind == YAML_SCALAR)
        return 0;
    if (b->depth == YAML_DEPTH_MAX)
        return error_at(b, mark, "nested too deeply", e);
    b->open[b->depth].node = node;
    b->open[b->depth].last = NULL;
    b->depth++;
    for (const struct yaml_node *child = from->children; child; child = child->next) {
        b->key = xstrdup_null(child->key);
        b->key_line = child->key_line;
        b->key_column = child->key_column;
        if (copy_node(b, child, mark, e) < 0)
            return -1;
    }
    b->depth--;
    return 0;
}

static int on_alias(struct builder *b, const yaml_event_t *event, struct err *e)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor = b->anchors;

    if (wants_key(b))
        return error_at(b, event->start_mark, "a key must be a plain word", e);
    while (anchor && strcmp(anchor->name, name) != 0)
        anchor = anchor->next;
    if (!anchor)
        return error_at(b, event->start_mark, "an alias of something that has no such anchor", e);
    for (int i = 0; i < b->depth; i++)
        if (b->open[i].node == anchor->node)
            return error_at(b, event->start_mark, "an alias inside what it stands for", e);
    return copy_node(b, anchor->node, event->start_mark, e);
}

static int on_event(struct builder *b, const yaml_event_t *event, struct err *e)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event, e);
    case YAML_MAPPING_START_EVENT:
        return on_open(b, YAML_MAP, event, event->data.mapping_start.anchor,
                       event->data.mapping_start.tag, e);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(b, YAML_LIST, event, event->data.sequence_start.anchor,
                       event->data.sequence_start.tag, e);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return check_duplicates(b->open[--b->depth].node, e);
    case YAML_ALIAS_EVENT:
        return on_alias(b, event, e);
    case YAML_DOCUMENT_START_EVENT:
        return b->root ? error_at(b, event->start_mark, "a second document begins here", e) : 0;
    default:
        return 0;
    }
}

/* libyaml counts bytes for some reader problems and has no mark for them. */
static int parser_error(const struct builder *b, const yaml_parser_t *parser, struct err *e)
{
    const char *problem = parser->problem ? parser->problem : "no memory";

    if (parser->error == YAML_READER_ERROR)
        return err_set(e, ERR_INVALID, "%s: byte %zu: %s", b->file, parser->problem_offset + 1,
                       problem);
    return error_at(b, parser->problem_mark, problem, e);
}

/* All events of one parser, up to the end of its stream. */
static int build(struct builder *b, yaml_parser_t *parser, struct err *e)
{
    for (bool ended = false; !ended;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return parser_error(b, parser, e);
        int done = on_event(b, &event, e);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (done < 0)
            return -1;
    }
    if (!b->root) {
        struct yaml_node *node;
        if (add_node(b, YAML_SCALAR, (yaml_mark_t){0}, NULL, &node, e) < 0)
            return -1;
        node->text = xstrdup("");
    }
    return 0;
}

int yaml_parse(const char *file, const char *text, size_t length, struct yaml_node **ret,
               struct err *e)
{
    cleanup(builder_release) struct builder b = {.file = file};
    cleanup(yaml_parser_delete) yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser))
        abort(); /* no memory for a small thing */
    if (length > YAML_TEXT_MAX)
        return err_set(e, ERR_INVALID, "%s: larger than %d bytes", file, YAML_TEXT_MAX);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    if (build(&b, &parser, e) < 0)
        return -1;
    *ret = take(b.root);
    return 0;
}

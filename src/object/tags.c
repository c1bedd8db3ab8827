// SPDX-License-Identifier: EUPL-1.2
/* Tag expressions: see tags.h.  A recursive descent parser into a small array of nodes. */
#include "object/tags.h"

#include <ctype.h>
#include <string.h>

#include "object/fault.h"
#include "util/buf.h"

#define DEPTH_MAX 32

enum node_kind { NODE_TERM, NODE_AND, NODE_OR };

/* left and right are indices of nodes; of a term left is the index of the term. */
struct node {
    enum node_kind kind;
    size_t left;
    size_t right;
};

struct tag_expression {
    struct tag_term terms[TAG_TERMS_MAX_IF];
    size_t term_count;
    struct node nodes[2 * TAG_TERMS_MAX_IF];
    size_t node_count;
    size_t root;
};

struct parser {
    struct tag_expression *x;
    const char *text;
    const char *at;
    enum tag_dialect dialect;
    unsigned depth;
    struct err *err;
};

static int parse_or(struct parser *p, size_t *ret);

static int refuse(struct parser *p, const char *what)
{
    return fault_set(p->err, FAULT_ARGUMENT, "tag expression: %s at character %zu", what,
                     (size_t)(p->at - p->text) + 1);
}

static void skip_space(struct parser *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\r' || *p->at == '\n')
        p->at++;
}

/* A bare word ends where something begins that cannot be part of one. */
static bool is_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || (c && strchr("_-.:/+@", c));
}

static bool take_word(struct parser *p, const char *word)
{
    size_t length = strlen(word);

    skip_space(p);
    if (strncasecmp(p->at, word, length) != 0 || is_word(p->at[length]))
        return false;
    p->at += length;
    return true;
}

/* The text between two quotes of this kind, doubled ones made single. */
static int take_quoted(struct parser *p, char quote, char **ret)
{
    auto_buf struct buf text = BUF_INIT(TAG_EXPRESSION_MAX);

    for (p->at++; *p->at; p->at++) {
        if (*p->at == quote) {
            if (p->at[1] != quote) {
                p->at++;
                *ret = buf_take(&text);
                return 0;
            }
            p->at++;
        }
        buf_char(&text, *p->at);
    }
    return refuse(p, "a quote without its end");
}

/* *ret_key: NULL for the container. */
static int take_key(struct parser *p, char **ret_key)
{
    auto_free char *key = NULL;

    skip_space(p);
    if (*p->at == '"') {
        if (take_quoted(p, '"', &key) < 0)
            return -1;
    } else {
        const char *start = p->at;
        while (is_word(*p->at))
            p->at++;
        key = xstrndup(start, (size_t)(p->at - start));
    }
    if (!*key)
        return refuse(p, "a tag's key is expected");
    if (*key == '@') {
        if (strcmp(key, "@container") != 0)
            return refuse(p, "only @container begins with @");
        *ret_key = NULL;
        return 0;
    }
    *ret_key = take(key);
    return 0;
}

static int take_operator(struct parser *p, enum tag_operator *ret)
{
    static const struct {
        const char *text;
        enum tag_operator operator;
    } operators[] = {
        {"<>", TAG_UNEQUAL}, {"<=", TAG_AT_MOST}, {">=", TAG_AT_LEAST},
        {"<", TAG_LESS},     {">", TAG_GREATER},  {"=", TAG_EQUAL},
    };

    skip_space(p);
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        size_t length = strlen(operators[i].text);
        if (strncmp(p->at, operators[i].text, length) != 0)
            continue;
        if (operators[i].operator== TAG_UNEQUAL && p->dialect == TAGS_FIND)
            return refuse(p, "<> is for conditions only");
        p->at += length;
        *ret = operators[i].operator;
        return 0;
    }
    return refuse(p, "one of = > >= < <= is expected");
}

static bool is_lower_bound(enum tag_operator operator)
{
    return operator== TAG_GREATER || operator== TAG_AT_LEAST;
}

/* Finding: several comparisons of one key must be a lower and an upper bound. */
static int check_find(struct parser *p, const struct tag_term *term)
{
    if (!term->key && term->operator!= TAG_EQUAL)
        return refuse(p, "@container is compared with = only");
    for (size_t i = 0; i < p->x->term_count; i++) {
        const struct tag_term *other = &p->x->terms[i];
        if (!same_string(other->key, term->key))
            continue;
        if (other->operator== TAG_EQUAL || term->operator== TAG_EQUAL ||
            is_lower_bound(other->operator) == is_lower_bound(term->operator))
            return refuse(p, "several comparisons of one key that are no range");
    }
    return 0;
}

static size_t add_node(struct parser *p, enum node_kind kind, size_t left, size_t right)
{
    p->x->nodes[p->x->node_count] = (struct node){kind, left, right};
    return p->x->node_count++;
}

static int parse_term(struct parser *p, size_t *ret)
{
    struct tag_term *term = &p->x->terms[p->x->term_count];
    auto_free char *key = NULL, *value = NULL;
    enum tag_operator operator= TAG_EQUAL;

    if (p->x->term_count == (p->dialect == TAGS_FIND ? TAG_TERMS_MAX : TAG_TERMS_MAX_IF))
        return refuse(p, "too many comparisons");
    if (take_key(p, &key) < 0 || take_operator(p, &operator) < 0)
        return -1;
    skip_space(p);
    if (*p->at != '\'')
        return refuse(p, "a value in single quotes is expected");
    if (take_quoted(p, '\'', &value) < 0)
        return -1;
    struct tag_term fresh = {key, operator, value };
    if (p->dialect == TAGS_FIND && check_find(p, &fresh) < 0)
        return -1;
    *term = (struct tag_term){take(key), operator, take(value)};
    *ret = add_node(p, NODE_TERM, p->x->term_count++, 0);
    return 0;
}

static int parse_group(struct parser *p, size_t *ret)
{
    skip_space(p);
    if (*p->at != '(' || p->dialect == TAGS_FIND)
        return parse_term(p, ret);
    if (++p->depth > DEPTH_MAX)
        return refuse(p, "parentheses nested too deeply");
    p->at++;
    if (parse_or(p, ret) < 0)
        return -1;
    skip_space(p);
    if (*p->at != ')')
        return refuse(p, "a closing parenthesis is expected");
    p->at++;
    p->depth--;
    return 0;
}

static int parse_and(struct parser *p, size_t *ret)
{
    size_t left, right;

    if (parse_group(p, &left) < 0)
        return -1;
    while (take_word(p, "AND")) {
        if (parse_group(p, &right) < 0)
            return -1;
        left = add_node(p, NODE_AND, left, right);
    }
    *ret = left;
    return 0;
}

static int parse_or(struct parser *p, size_t *ret)
{
    size_t left, right;

    if (parse_and(p, &left) < 0)
        return -1;
    while (p->dialect == TAGS_CONDITION && take_word(p, "OR")) {
        if (parse_and(p, &right) < 0)
            return -1;
        left = add_node(p, NODE_OR, left, right);
    }
    *ret = left;
    return 0;
}

int tag_expression_parse(const char *text, enum tag_dialect dialect, struct tag_expression **ret,
                         struct err *e)
{
    auto_tag_expression struct tag_expression *x = xcalloc(1, sizeof(*x));
    struct parser p = {.x = x, .text = text, .at = text, .dialect = dialect, .err = e};

    if (strlen(text) > TAG_EXPRESSION_MAX)
        return fault_set(e, FAULT_ARGUMENT, "tag expression: longer than %d bytes",
                         TAG_EXPRESSION_MAX);
    if (parse_or(&p, &x->root) < 0)
        return -1;
    skip_space(&p);
    if (*p.at)
        return refuse(&p, "something that does not belong there");
    *ret = take(x);
    return 0;
}

void tag_expression_free(struct tag_expression *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->term_count; i++) {
        free(x->terms[i].key);
        free(x->terms[i].value);
    }
    free(x);
}

void tag_expression_free_p(struct tag_expression **x)
{
    tag_expression_free(*x);
}

const struct tag_term *tag_expression_terms(const struct tag_expression *x, size_t *ret_count)
{
    *ret_count = x->term_count;
    return x->terms;
}

bool tag_term_holds(const struct tag_term *term, const char *value)
{
    if (!value)
        return false;
    int order = strcmp(value, term->value);
    switch (term->operator) {
    case TAG_EQUAL:
        return order == 0;
    case TAG_UNEQUAL:
        return order != 0;
    case TAG_GREATER:
        return order > 0;
    case TAG_AT_LEAST:
        return order >= 0;
    case TAG_LESS:
        return order < 0;
    case TAG_AT_MOST:
        return order <= 0;
    }
    return false;
}

/* A node stands behind those it joins, so that one walk from the front judges all of them. */
bool tag_expression_matches(const struct tag_expression *x, const struct pairs *tags,
                            const char *container)
{
    bool holds[ARRAY_SIZE(x->nodes)] = {false};

    for (size_t i = 0; i < x->node_count; i++) {
        const struct node *n = &x->nodes[i];
        if (n->kind == NODE_TERM) {
            const struct tag_term *term = &x->terms[n->left];
            holds[i] = tag_term_holds(term, term->key ? pairs_get(tags, term->key) : container);
        } else if (n->kind == NODE_AND) {
            holds[i] = holds[n->left] && holds[n->right];
        } else {
            holds[i] = holds[n->left] || holds[n->right];
        }
    }
    return holds[x->root];
}

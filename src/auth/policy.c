// SPDX-License-Identifier: EUPL-1.2
/* Who may do what: see policy.h. */
#include "auth/policy.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "codec/utf8.h"

struct range {
    int family;
    unsigned bits;
    unsigned char bytes[16];
};

struct value {
    enum policy_match match;
    char *text;
    size_t length;
    struct range range; /* of POLICY_IF_SOURCE */
};

struct who {
    enum policy_who_kind kind;
    char *issuer, *name;
};

struct condition {
    enum policy_if kind;
    bool negated;
    char *key;
    struct value *values;
    size_t value_count;
};

struct statement {
    char *id, *account;
    bool deny;
    uint32_t actions;
    struct who *who;
    size_t who_count;
    struct value *paths;
    size_t path_count;
    struct condition *conditions;
    size_t condition_count;
};

struct policy {
    struct statement *list;
    size_t count;
};

const char *policy_action_word(enum policy_action action)
{
    static const char *const words[POLICY_ACTION_COUNT] = {
        [POLICY_BLOB_READ] = "blob_read",
        [POLICY_BLOB_LIST] = "blob_list",
        [POLICY_BLOB_CREATE] = "blob_create",
        [POLICY_BLOB_WRITE] = "blob_write",
        [POLICY_BLOB_ADD] = "blob_add",
        [POLICY_BLOB_DELETE] = "blob_delete",
        [POLICY_BLOB_DELETE_VERSION] = "blob_delete_version",
        [POLICY_BLOB_PERMANENT_DELETE] = "blob_permanent_delete",
        [POLICY_TAGS_READ] = "tags_read",
        [POLICY_TAGS_WRITE] = "tags_write",
        [POLICY_TAGS_FIND] = "tags_find",
        [POLICY_IMMUTABILITY] = "immutability",
        [POLICY_CONTAINER_LIST] = "container_list",
        [POLICY_CONTAINER_READ] = "container_read",
        [POLICY_CONTAINER_WRITE] = "container_write",
        [POLICY_CONTAINER_CREATE] = "container_create",
        [POLICY_CONTAINER_DELETE] = "container_delete",
        [POLICY_ACL_READ] = "acl_read",
        [POLICY_ACL_WRITE] = "acl_write",
        [POLICY_ACCOUNT_INFO] = "account_info",
        [POLICY_ACCOUNT_READ] = "account_read",
        [POLICY_ACCOUNT_WRITE] = "account_write",
        [POLICY_DELEGATION_KEY] = "delegation_key",
    };

    return words[action];
}

/* ---- Saying ---- */

static void values_free(struct value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(values[i].text);
    free(values);
}

static void statement_release(struct statement *s)
{
    for (size_t i = 0; i < s->who_count; i++) {
        free(s->who[i].issuer);
        free(s->who[i].name);
    }
    for (size_t i = 0; i < s->condition_count; i++) {
        free(s->conditions[i].key);
        values_free(s->conditions[i].values, s->conditions[i].value_count);
    }
    free(s->who);
    free(s->conditions);
    values_free(s->paths, s->path_count);
    free(s->id);
    free(s->account);
}

struct policy *policy_new(void)
{
    return xcalloc(1, sizeof(struct policy));
}

void policy_free(struct policy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        statement_release(&p->list[i]);
    free(p->list);
    free(p);
}

/* An address; one of IPv4 in IPv6's clothes is one of IPv4.  Its family, 0 for none. */
static int read_address(const char *text, unsigned char ret[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned char bytes[16] = {0};

    memset(ret, 0, 16);
    if (inet_pton(AF_INET, text, ret) == 1)
        return AF_INET;
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return 0;
    bool is_mapped = memcmp(bytes, mapped, sizeof(mapped)) == 0;
    memcpy(ret, is_mapped ? bytes + 12 : bytes, is_mapped ? 4 : 16);
    return is_mapped ? AF_INET : AF_INET6;
}

static int read_range(const char *text, struct range *ret, struct err *e)
{
    struct range r;
    const char *slash = strchr(text, '/');
    auto_free char *address = xstrndup(text, slash ? (size_t)(slash - text) : strlen(text));

    r.family = read_address(address, r.bytes);
    unsigned most = r.family == AF_INET ? 32 : 128;
    bool number = slash && slash[1] && strlen(slash + 1) <= 3 &&
                  strspn(slash + 1, "0123456789") == strlen(slash + 1);
    r.bits = number ? (unsigned)strtoul(slash + 1, NULL, 10) : most;
    bool clothed = r.family == AF_INET && strchr(address, ':');
    if (!r.family || (slash && !number) || r.bits > most || (clothed && slash))
        return err_set(e, ERR_INVALID,
                       "'%.100s' is no address or range of addresses such as 203.0.113.0/24", text);
    *ret = r;
    return 0;
}

bool policy_is_range(const char *text)
{
    struct range ignored;
    struct err error = {0};

    return read_range(text, &ignored, &error) == 0;
}

static int copy_values(const struct policy_pattern *from, size_t count, bool ranges,
                       struct value **ret, size_t *ret_count, struct err *e)
{
    *ret = xcalloc(count ? count : 1, sizeof(**ret));
    *ret_count = count;
    for (size_t i = 0; i < count; i++) {
        struct value *v = &(*ret)[i];
        if (!from[i].text && from[i].match != POLICY_ANY)
            return err_set(e, ERR_INVALID, "a policy has a pattern without a text");
        v->match = from[i].match;
        v->text = xstrdup(from[i].text ? from[i].text : "");
        v->length = strlen(v->text);
        if (ranges && read_range(v->text, &v->range, e) < 0)
            return -1;
    }
    return 0;
}

static int fill(struct statement *s, const struct policy_statement *from, struct err *e)
{
    s->id = xstrdup(from->id ? from->id : "");
    s->account = xstrdup_null(from->account);
    s->deny = from->deny;
    s->actions = from->actions;
    s->who = xcalloc(from->who_count + 1, sizeof(*s->who));
    for (; s->who_count < from->who_count; s->who_count++) {
        const struct policy_who *who = &from->who[s->who_count];
        if (!who->name && who->kind != POLICY_EVERYBODY)
            return err_set(e, ERR_INVALID, "a policy does not say whom it is about");
        s->who[s->who_count] =
            (struct who){who->kind, xstrdup_null(who->issuer), xstrdup_null(who->name)};
    }
    if (copy_values(from->paths, from->path_count, false, &s->paths, &s->path_count, e) < 0)
        return -1;
    s->conditions = xcalloc(from->condition_count + 1, sizeof(*s->conditions));
    for (size_t i = 0; i < from->condition_count; i++) {
        const struct policy_condition *c = &from->conditions[i];
        if (c->kind == POLICY_IF_TAG && !c->key)
            return err_set(e, ERR_INVALID, "a policy's condition names no tag");
        struct condition *to = &s->conditions[s->condition_count++];
        *to =
            (struct condition){.kind = c->kind, .negated = c->negated, .key = xstrdup_null(c->key)};
        if (copy_values(c->values, c->value_count, c->kind == POLICY_IF_SOURCE, &to->values,
                        &to->value_count, e) < 0)
            return -1;
    }
    return 0;
}

int policy_add(struct policy *p, const struct policy_statement *statement, struct err *e)
{
    struct statement s = {0};

    if (fill(&s, statement, e) < 0) {
        statement_release(&s);
        return -1;
    }
    p->list = xrealloc(p->list, p->count + 1, sizeof(*p->list));
    p->list[p->count++] = s;
    return 0;
}

/* ---- Asking ---- */

static size_t character_length(const char *text)
{
    uint32_t character;
    size_t n = utf8_read(text, strnlen(text, 4), &character);

    return n ? n : 1;
}

/* Greedy with one point to come back to: a later '*' makes an earlier one's choice final. */
static bool glob_fits(const char *glob, const char *text)
{
    const char *star = NULL, *again = NULL;

    while (*text) {
        if (*glob == '*') {
            star = ++glob;
            again = text;
        } else if (*glob == '?') {
            glob++;
            text += character_length(text);
        } else if (*glob == *text) {
            glob++;
            text++;
        } else if (star) {
            glob = star;
            again += character_length(again);
            text = again;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return !*glob;
}

static bool fits(const struct value *v, const char *text)
{
    switch (v->match) {
    case POLICY_ANY:
        return true;
    case POLICY_EXACT:
        return strcmp(v->text, text) == 0;
    case POLICY_BEGINS:
        return strncmp(v->text, text, v->length) == 0;
    default:
        return glob_fits(v->text, text);
    }
}

static bool any_fits(const struct value *values, size_t count, const char *text)
{
    for (size_t i = 0; text && i < count; i++)
        if (fits(&values[i], text))
            return true;
    return false;
}

static bool in_range(const struct range *r, int family, const unsigned char bytes[16])
{
    if (family != r->family)
        return false;
    for (unsigned bit = 0; bit < r->bits; bit++)
        if ((bytes[bit / 8] ^ r->bytes[bit / 8]) & 0x80 >> bit % 8)
            return false;
    return true;
}

static bool comes_from(const struct condition *c, const char *client)
{
    unsigned char bytes[16];
    int family = client ? read_address(client, bytes) : 0;

    for (size_t i = 0; family && i < c->value_count; i++)
        if (in_range(&c->values[i].range, family, bytes))
            return true;
    return false;
}

static bool holds(const struct condition *c, const struct policy_request *r)
{
    switch (c->kind) {
    case POLICY_IF_SOURCE:
        return comes_from(c, r->client);
    case POLICY_IF_SECURE:
        return r->secure;
    case POLICY_IF_PREFIX:
        return any_fits(c->values, c->value_count, r->list_prefix);
    default:
        return r->tags && any_fits(c->values, c->value_count, pairs_get(r->tags, c->key));
    }
}

static bool among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool is_who(const struct who *who, const struct policy_principal *p)
{
    bool token = p->kind == POLICY_TOKEN &&
                 (!who->issuer || (p->issuer && strcmp(who->issuer, p->issuer) == 0));

    switch (who->kind) {
    case POLICY_EVERYBODY:
        return true;
    case POLICY_WHO_ACCOUNT:
        return (p->kind == POLICY_KEY || p->kind == POLICY_SAS) && p->account &&
               strcmp(who->name, p->account) == 0;
    case POLICY_WHO_USER:
        return token && p->id && strcmp(who->name, p->id) == 0;
    case POLICY_WHO_GROUP:
        return token && among(who->name, p->groups, p->group_count);
    default:
        return token && among(who->name, p->roles, p->role_count);
    }
}

static bool statement_fits(const struct statement *s, const struct policy_request *r,
                           const char *path)
{
    bool found = false;

    if (!(s->actions & POLICY_BIT(r->action)) ||
        (s->account && (!r->account || strcmp(s->account, r->account) != 0)) ||
        !any_fits(s->paths, s->path_count, path))
        return false;
    for (size_t i = 0; i < s->who_count && !found; i++)
        found = is_who(&s->who[i], &r->who);
    for (size_t i = 0; i < s->condition_count && found; i++)
        found = holds(&s->conditions[i], r) != s->conditions[i].negated;
    return found;
}

static bool is_open(const struct policy_request *r)
{
    if (!r->container)
        return false;
    if (r->action == POLICY_BLOB_READ)
        return r->opened != POLICY_PRIVATE && r->name;
    return (r->action == POLICY_BLOB_LIST || r->action == POLICY_CONTAINER_READ) &&
           r->opened == POLICY_PUBLIC_CONTAINER;
}

static bool is_own_account(const struct policy_request *r)
{
    return (r->who.kind == POLICY_KEY || r->who.kind == POLICY_SAS) && r->who.account &&
           r->account && strcmp(r->who.account, r->account) == 0;
}

struct policy_verdict policy_decide(const struct policy *policy, const struct policy_request *r)
{
    const struct statement *allowed = NULL;
    auto_free char *path = !r->container ? xstrdup("")
                           : !r->name    ? xstrdup(r->container)
                                         : xasprintf("%s/%s", r->container, r->name);

    for (size_t i = 0; i < policy->count; i++) {
        const struct statement *s = &policy->list[i];
        if ((!s->deny && allowed) || !statement_fits(s, r, path))
            continue;
        if (s->deny)
            return (struct policy_verdict){POLICY_FORBIDDEN, s->id};
        allowed = s;
    }
    if (is_own_account(r))
        return (struct policy_verdict){POLICY_ALLOWED, "account key"};
    if (is_open(r))
        return (struct policy_verdict){POLICY_ALLOWED, "public access"};
    if (allowed)
        return (struct policy_verdict){POLICY_ALLOWED, allowed->id};
    return (struct policy_verdict){POLICY_DENIED, ""};
}

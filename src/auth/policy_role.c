// SPDX-License-Identifier: EUPL-1.2
/* Azure's roles for storage, and their assignments as statements; see policy.h. */
#include <string.h>
#include <strings.h>

#include "auth/policy.h"

#define READING                                                              \
    (POLICY_BIT(POLICY_BLOB_READ) | POLICY_BIT(POLICY_BLOB_LIST) |           \
     POLICY_BIT(POLICY_CONTAINER_LIST) | POLICY_BIT(POLICY_CONTAINER_READ) | \
     POLICY_BIT(POLICY_ACCOUNT_INFO) | POLICY_BIT(POLICY_DELEGATION_KEY))
#define MANAGING                                                                \
    (POLICY_BIT(POLICY_CONTAINER_LIST) | POLICY_BIT(POLICY_CONTAINER_READ) |    \
     POLICY_BIT(POLICY_CONTAINER_WRITE) | POLICY_BIT(POLICY_CONTAINER_CREATE) | \
     POLICY_BIT(POLICY_CONTAINER_DELETE))
#define WRITING                                                       \
    (POLICY_BIT(POLICY_BLOB_CREATE) | POLICY_BIT(POLICY_BLOB_WRITE) | \
     POLICY_BIT(POLICY_BLOB_ADD) | POLICY_BIT(POLICY_BLOB_DELETE))
#define OWNING                                                                                     \
    (POLICY_BIT(POLICY_BLOB_DELETE_VERSION) | POLICY_BIT(POLICY_BLOB_PERMANENT_DELETE) |           \
     POLICY_BIT(POLICY_TAGS_READ) | POLICY_BIT(POLICY_TAGS_WRITE) | POLICY_BIT(POLICY_TAGS_FIND) | \
     POLICY_BIT(POLICY_IMMUTABILITY))
#define CONTROLLING (POLICY_BIT(POLICY_ACL_READ) | POLICY_BIT(POLICY_ACL_WRITE))

static const struct {
    const char *name;
    uint32_t actions;
} roles[POLICY_ROLE_COUNT] = {
    [POLICY_READER] = {"Storage Blob Data Reader", READING},
    [POLICY_CONTRIBUTOR] = {"Storage Blob Data Contributor", READING | MANAGING | WRITING},
    [POLICY_OWNER] = {"Storage Blob Data Owner",
                      READING | MANAGING | WRITING | OWNING | CONTROLLING},
    [POLICY_DELEGATOR] = {"Storage Blob Delegator", POLICY_BIT(POLICY_DELEGATION_KEY)},
    [POLICY_MANAGER] = {"Storage Account Contributor",
                        MANAGING | CONTROLLING | POLICY_BIT(POLICY_ACCOUNT_INFO) |
                            POLICY_BIT(POLICY_ACCOUNT_READ) | POLICY_BIT(POLICY_ACCOUNT_WRITE)},
};

const char *policy_role_name(enum policy_role role)
{
    return roles[role].name;
}

uint32_t policy_role_actions(enum policy_role role)
{
    return roles[role].actions;
}

int policy_role_parse(const char *name, enum policy_role *ret, struct err *e)
{
    for (size_t i = 0; i < POLICY_ROLE_COUNT; i++) {
        if (strcasecmp(name, roles[i].name) != 0)
            continue;
        *ret = (enum policy_role)i;
        return 0;
    }
    return err_set(e, ERR_INVALID,
                   "there is no role '%.100s': there are Storage Blob Data Reader, Storage Blob "
                   "Data Contributor, Storage Blob Data Owner, Storage Blob Delegator and Storage "
                   "Account Contributor",
                   name);
}

/* Objects whose names begin so, and lists of them: nothing of the container itself. */
static int assign_prefix(struct policy *policy, const struct policy_assignment *a,
                         struct policy_statement *s, struct err *e)
{
    auto_free char *begin = xasprintf("%s/%s", a->container, a->prefix);
    const struct policy_pattern objects = {POLICY_BEGINS, begin},
                                container = {POLICY_EXACT, a->container},
                                prefix = {POLICY_BEGINS, a->prefix};
    const struct policy_condition of_prefix = {
        .kind = POLICY_IF_PREFIX, .values = &prefix, .value_count = 1};
    uint32_t list = s->actions & POLICY_BIT(POLICY_BLOB_LIST);

    s->paths = &objects;
    s->path_count = 1;
    s->actions &= ~list;
    if (policy_add(policy, s, e) < 0)
        return -1;
    if (!list)
        return 0;
    s->paths = &container;
    s->actions = list;
    s->conditions = &of_prefix;
    s->condition_count = 1;
    return policy_add(policy, s, e);
}

int policy_assign(struct policy *policy, const struct policy_assignment *a, struct err *e)
{
    struct policy_statement s = {.id = roles[a->role].name,
                                 .actions = roles[a->role].actions,
                                 .who = &a->who,
                                 .who_count = 1,
                                 .account = a->account};

    if (a->prefix && !a->container)
        return err_set(e, ERR_INVALID, "a role for a prefix needs the container");
    if (a->prefix)
        return assign_prefix(policy, a, &s, e);
    auto_free char *inside = xasprintf("%s/", a->container ? a->container : "");
    const struct policy_pattern all = {POLICY_ANY, NULL},
                                within[] = {{POLICY_EXACT, a->container}, {POLICY_BEGINS, inside}};
    s.paths = a->container ? within : &all;
    s.path_count = a->container ? 2 : 1;
    return policy_add(policy, &s, e);
}

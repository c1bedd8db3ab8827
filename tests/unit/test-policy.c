// SPDX-License-Identifier: EUPL-1.2
/* Who may do what: the roles, public access and denials by example, and random policies against an
 * evaluator that is too simple to be wrong. */
#include "unit.h"

#include <stdio.h>

#include "auth/policy.h"
#include "util/common.h"

#define USER(name_)                  \
    {                                \
        POLICY_WHO_USER, NULL, name_ \
    }
#define GROUP(name_)                  \
    {                                 \
        POLICY_WHO_GROUP, NULL, name_ \
    }

static enum policy_decision ask(const struct policy *policy, const char *user,
                                enum policy_action action, const char *container, const char *name)
{
    static const char *const groups[] = {"staff"};
    struct policy_request r = {
        .who = {.kind = user ? POLICY_TOKEN : POLICY_ANONYMOUS,
                .issuer = "https://i",
                .id = user,
                .groups = groups,
                .group_count = 1},
        .action = action,
        .account = "acct",
        .container = container,
        .name = name,
    };

    return policy_decide(policy, &r).decision;
}

static void assign(struct policy *policy, struct policy_assignment a)
{
    struct err e = {0};

    assert_ok(policy_assign(policy, &a, &e), &e);
}

static void test_nothing(void **state)
{
    (void)state;
    struct policy *p = policy_new();

    for (int action = 0; action < POLICY_ACTION_COUNT; action++) {
        assert_int_equal(ask(p, "u", (enum policy_action)action, "c", "n"), POLICY_DENIED);
        assert_int_equal(ask(p, NULL, (enum policy_action)action, "c", "n"), POLICY_DENIED);
        assert_true(strlen(policy_action_word((enum policy_action)action)) > 3);
    }
    policy_free(p);
    policy_free(NULL);
}

static void test_roles(void **state)
{
    (void)state;
    struct policy *p = policy_new();
    struct err e = {0};
    enum policy_role role;

    assign(p, (struct policy_assignment){USER("reader"), POLICY_READER, "acct", NULL, NULL});
    assign(p, (struct policy_assignment){USER("writer"), POLICY_CONTRIBUTOR, "acct", "c", NULL});
    assign(p, (struct policy_assignment){USER("owner"), POLICY_OWNER, NULL, NULL, NULL});
    assign(p, (struct policy_assignment){USER("prefix"), POLICY_CONTRIBUTOR, "acct", "c", "a*/"});
    assign(p, (struct policy_assignment){USER("other"), POLICY_OWNER, "other", NULL, NULL});
    assert_int_equal(ask(p, "reader", POLICY_BLOB_READ, "c", "n"), POLICY_ALLOWED);
    assert_int_equal(ask(p, "reader", POLICY_BLOB_WRITE, "c", "n"), POLICY_DENIED);
    assert_int_equal(ask(p, "reader", POLICY_CONTAINER_LIST, NULL, NULL), POLICY_ALLOWED);
    assert_int_equal(ask(p, "reader", POLICY_TAGS_READ, "c", "n"), POLICY_DENIED);
    assert_int_equal(ask(p, "writer", POLICY_BLOB_WRITE, "c", "n"), POLICY_ALLOWED);
    assert_int_equal(ask(p, "writer", POLICY_BLOB_LIST, "c", NULL), POLICY_ALLOWED);
    assert_int_equal(ask(p, "writer", POLICY_CONTAINER_DELETE, "c", NULL), POLICY_ALLOWED);
    assert_int_equal(ask(p, "writer", POLICY_ACL_WRITE, "c", NULL), POLICY_DENIED);
    assert_int_equal(ask(p, "writer", POLICY_BLOB_READ, "cc", "n"), POLICY_DENIED);
    assert_int_equal(ask(p, "writer", POLICY_CONTAINER_LIST, NULL, NULL), POLICY_DENIED);
    assert_int_equal(ask(p, "writer", POLICY_DELEGATION_KEY, NULL, NULL), POLICY_DENIED);
    assert_int_equal(ask(p, "writer", POLICY_BLOB_PERMANENT_DELETE, "c", "n"), POLICY_DENIED);
    assert_int_equal(ask(p, "owner", POLICY_BLOB_PERMANENT_DELETE, "x", "n"), POLICY_ALLOWED);
    assert_int_equal(ask(p, "owner", POLICY_ACCOUNT_WRITE, NULL, NULL), POLICY_DENIED);
    assert_int_equal(ask(p, "other", POLICY_BLOB_READ, "c", "n"), POLICY_DENIED);
    assert_int_equal(ask(p, "prefix", POLICY_BLOB_READ, "c", "a*/n"), POLICY_ALLOWED);
    assert_int_equal(ask(p, "prefix", POLICY_BLOB_READ, "c", "ab/n"), POLICY_DENIED); /* no glob */
    assert_int_equal(ask(p, "prefix", POLICY_BLOB_READ, "c", "a*"), POLICY_DENIED);
    assert_int_equal(ask(p, "prefix", POLICY_CONTAINER_DELETE, "c", NULL), POLICY_DENIED);
    for (int i = 0; i < POLICY_ROLE_COUNT; i++) {
        assert_ok(policy_role_parse(policy_role_name((enum policy_role)i), &role, &e), &e);
        assert_int_equal(role, i);
    }
    assert_ok(policy_role_parse("storage blob data owner", &role, &e), &e);
    assert_int_equal(policy_role_parse("root", &role, &e), -1);
    struct policy_assignment bad = {USER("u"), POLICY_READER, "acct", NULL, "p"};
    assert_int_equal(policy_assign(p, &bad, &e), -1);
    policy_free(p);
}

/* Whoever may see a part of a container may list that part. */
static void test_list_of_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        enum policy_decision decision;
    } cases[] = {{"a/", POLICY_ALLOWED}, {"a/b", POLICY_ALLOWED}, {"a", POLICY_DENIED},
                 {"", POLICY_DENIED},    {NULL, POLICY_DENIED},   {"b/", POLICY_DENIED}};
    struct policy *p = policy_new();

    assign(p, (struct policy_assignment){GROUP("staff"), POLICY_READER, "acct", "c", "a/"});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        static const char *const groups[] = {"x", "staff"};
        struct policy_request r = {
            .who = {.kind = POLICY_TOKEN, .id = "u", .groups = groups, .group_count = 2},
            .action = POLICY_BLOB_LIST,
            .account = "acct",
            .container = "c",
            .list_prefix = cases[i].prefix};
        assert_int_equal(policy_decide(p, &r).decision, cases[i].decision);
        r.who.group_count = 1;
        assert_int_equal(policy_decide(p, &r).decision, POLICY_DENIED);
    }
    policy_free(p);
}

static void test_account_key(void **state)
{
    (void)state;
    struct policy *p = policy_new();
    struct policy_request r = {.who = {.kind = POLICY_KEY, .account = "acct"},
                               .action = POLICY_BLOB_WRITE,
                               .account = "acct",
                               .container = "c",
                               .name = "n"};
    const struct policy_who everybody = {POLICY_EVERYBODY, NULL, NULL};
    const struct policy_pattern path = {POLICY_GLOB, "c/n*"};
    const struct policy_statement deny = {.id = "no",
                                          .deny = true,
                                          .actions = POLICY_BIT(POLICY_BLOB_WRITE),
                                          .who = &everybody,
                                          .who_count = 1,
                                          .paths = &path,
                                          .path_count = 1};
    struct err e = {0};

    assert_int_equal(policy_decide(p, &r).decision, POLICY_ALLOWED);
    assert_string_equal(policy_decide(p, &r).by, "account key");
    r.who.kind = POLICY_SAS;
    assert_int_equal(policy_decide(p, &r).decision, POLICY_ALLOWED);
    r.who.account = "acc";
    assert_int_equal(policy_decide(p, &r).decision, POLICY_DENIED);
    r.who.account = "acct";
    r.who.kind = POLICY_TOKEN;
    assert_int_equal(policy_decide(p, &r).decision, POLICY_DENIED);
    r.who.kind = POLICY_KEY;
    assert_ok(policy_add(p, &deny, &e), &e);
    assert_int_equal(policy_decide(p, &r).decision, POLICY_FORBIDDEN);
    assert_string_equal(policy_decide(p, &r).by, "no");
    policy_free(p);
}

static void test_public(void **state)
{
    (void)state;
    struct policy *p = policy_new();
    struct policy_request r = {.action = POLICY_BLOB_READ,
                               .account = "acct",
                               .container = "c",
                               .name = "n",
                               .opened = POLICY_PUBLIC_BLOBS};

    assert_int_equal(policy_decide(p, &r).decision, POLICY_ALLOWED);
    r.action = POLICY_BLOB_WRITE;
    assert_int_equal(policy_decide(p, &r).decision, POLICY_DENIED);
    r.action = POLICY_BLOB_LIST;
    r.name = NULL;
    assert_int_equal(policy_decide(p, &r).decision, POLICY_DENIED);
    r.opened = POLICY_PUBLIC_CONTAINER;
    assert_int_equal(policy_decide(p, &r).decision, POLICY_ALLOWED);
    r.action = POLICY_CONTAINER_READ;
    assert_int_equal(policy_decide(p, &r).decision, POLICY_ALLOWED);
    r.action = POLICY_ACL_READ;
    assert_int_equal(policy_decide(p, &r).decision, POLICY_DENIED);
    r.action = POLICY_CONTAINER_LIST;
    r.container = NULL;
    assert_int_equal(policy_decide(p, &r).decision, POLICY_DENIED);
    policy_free(p);
}

static bool glob(const char *pattern, const char *text)
{
    struct policy *p = policy_new();
    const struct policy_who everybody = {POLICY_EVERYBODY, NULL, NULL};
    const struct policy_pattern path = {POLICY_GLOB, pattern};
    const struct policy_statement s = {.actions = POLICY_ALL_ACTIONS,
                                       .who = &everybody,
                                       .who_count = 1,
                                       .paths = &path,
                                       .path_count = 1};
    struct policy_request r = {.account = "a", .container = text};
    struct err e = {0};

    assert_ok(policy_add(p, &s, &e), &e);
    bool fits = policy_decide(p, &r).decision == POLICY_ALLOWED;
    policy_free(p);
    return fits;
}

static void test_globs(void **state)
{
    (void)state;
    static const char *const yes[][2] = {{"*", ""},          {"*", "a/b"},         {"a*", "a"},
                                         {"a*c", "abbc"},    {"a?c", "abc"},       {"a?c", "aéc"},
                                         {"*a*b*", "xaxbx"}, {"**", "x"},          {"?*", "é"},
                                         {"*ab", "aab"},     {"a/*/c", "a/b/b/c"}, {"[a]", "[a]"}};
    static const char *const no[][2] = {{"", "a"},     {"a", ""},      {"?", ""},    {"?", "ab"},
                                        {"a?c", "ac"}, {"a*c", "acb"}, {"?*?", "é"}, {"*??*", "é"},
                                        {"A", "a"},    {"*a*b", "ba"}};

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
        if (!glob(yes[i][0], yes[i][1]))
            fail_msg("%s does not fit %s", yes[i][0], yes[i][1]);
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        if (glob(no[i][0], no[i][1]))
            fail_msg("%s fits %s", no[i][0], no[i][1]);
    /* as many stars as one likes: it stays fast */
    auto_free char *stars = xcalloc(1, 2001), *text = xcalloc(1, 2001);
    for (size_t i = 0; i < 1000; i++)
        memcpy(stars + 2 * i, "*a", 2);
    memset(text, 'a', 999);
    assert_false(glob(stars, text));
}

static bool source_fits(const char *range, const char *client, bool negated)
{
    struct policy *p = policy_new();
    const struct policy_who everybody = {POLICY_EVERYBODY, NULL, NULL};
    const struct policy_pattern all = {POLICY_ANY, NULL}, value = {POLICY_EXACT, range};
    const struct policy_condition c = {POLICY_IF_SOURCE, negated, NULL, &value, 1};
    const struct policy_statement s = {.actions = POLICY_ALL_ACTIONS,
                                       .who = &everybody,
                                       .who_count = 1,
                                       .paths = &all,
                                       .path_count = 1,
                                       .conditions = &c,
                                       .condition_count = 1};
    struct policy_request r = {.account = "a", .client = client};
    struct err e = {0};

    assert_ok(policy_add(p, &s, &e), &e);
    bool fits = policy_decide(p, &r).decision == POLICY_ALLOWED;
    policy_free(p);
    return fits;
}

static void test_sources(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "x",           "1.2.3",
                                      "1.2.3.4/", "1.2.3.4/33",  "1.2.3.4/-1",
                                      "::/129",   "1.2.3.4/8/8", "::ffff:1.2.3.4/100"};
    struct err e = {0};

    assert_true(source_fits("203.0.113.0/24", "203.0.113.255", false));
    assert_false(source_fits("203.0.113.0/24", "203.0.114.0", false));
    assert_true(source_fits("203.0.113.128/25", "203.0.113.129", false));
    assert_false(source_fits("203.0.113.128/25", "203.0.113.127", false));
    assert_true(source_fits("0.0.0.0/0", "9.9.9.9", false));
    assert_false(source_fits("0.0.0.0/0", "::1", false));
    assert_true(source_fits("2001:db8::/33", "2001:db8:7fff::1", false));
    assert_false(source_fits("2001:db8::/33", "2001:db8:8000::1", false));
    assert_true(source_fits("203.0.113.7", "::ffff:203.0.113.7", false));
    assert_false(source_fits("203.0.113.7", NULL, false));
    assert_true(source_fits("203.0.113.7", NULL, true));
    assert_true(source_fits("203.0.113.7", "nonsense", true));
    assert_false(source_fits("203.0.113.7", "203.0.113.7", true));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct policy *p = policy_new();
        const struct policy_pattern value = {POLICY_EXACT, bad[i]};
        const struct policy_condition c = {POLICY_IF_SOURCE, false, NULL, &value, 1};
        const struct policy_statement s = {.conditions = &c, .condition_count = 1};
        assert_int_equal(policy_add(p, &s, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        policy_free(p);
    }
}

/* ---- Random policies against a naive evaluator ---- */

static uint64_t seed;

static unsigned pick(unsigned bound)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % bound;
}
#define ONE_OF(list) list[pick(ARRAY_SIZE(list))]

static const char *const accounts[] = {"A", "B"};
static const char *const ids[] = {"u", "v", "w"};
static const char *const issuers[] = {"i", "j"};
static const char *const containers[] = {"c", "cc", "d"};
static const char *const object_names[] = {"", "a", "ab", "a/b", "b", "é"};
static const char *const texts[] = {"",  "c",  "c/",  "c/a",  "cc/a", "d/a/b", "a",  "a/",
                                    "*", "c*", "c/?", "*/a*", "?/*b", "c/a*b", "*a*"};
static const char *const ranges[] = {"10.0.0.0/8", "10.1.2.3", "::/0", "0.0.0.0/0"};
static const char *const clients[] = {"10.1.2.3", "10.9.9.9", "192.0.2.1", "::1", NULL};

/* Keeps what a random statement points at. */
struct pieces {
    struct policy_statement s;
    struct policy_who who[3];
    struct policy_pattern paths[3], values[2][3];
    struct policy_condition conditions[2];
};

static struct policy_pattern random_pattern(void)
{
    enum policy_match match = (enum policy_match)pick(4);

    return (struct policy_pattern){match, match == POLICY_ANY ? NULL : ONE_OF(texts)};
}

static void random_condition(struct policy_condition *c, struct policy_pattern *values)
{
    *c = (struct policy_condition){.kind = (enum policy_if)pick(4),
                                   .negated = pick(3) == 0,
                                   .key = "k",
                                   .values = values,
                                   .value_count = pick(4)};
    for (size_t i = 0; i < 3; i++)
        values[i] = c->kind == POLICY_IF_SOURCE
                        ? (struct policy_pattern){POLICY_EXACT, ONE_OF(ranges)}
                        : random_pattern();
}

static void random_statement(struct pieces *p)
{
    memset(p, 0, sizeof(*p));
    p->s = (struct policy_statement){.id = "s",
                                     .deny = pick(4) == 0,
                                     .actions = pick(2) ? POLICY_ALL_ACTIONS : 1U << pick(3),
                                     .who = p->who,
                                     .who_count = pick(4),
                                     .account = pick(2) ? NULL : ONE_OF(accounts),
                                     .paths = p->paths,
                                     .path_count = pick(4),
                                     .conditions = p->conditions,
                                     .condition_count = pick(2) ? 0 : pick(3)};
    for (size_t i = 0; i < 3; i++) {
        p->who[i] = (struct policy_who){(enum policy_who_kind)pick(5),
                                        pick(2) ? NULL : ONE_OF(issuers), ONE_OF(ids)};
        if (p->who[i].kind == POLICY_WHO_ACCOUNT)
            p->who[i].name = ONE_OF(accounts);
        p->paths[i] = random_pattern();
    }
    for (size_t i = 0; i < 2; i++)
        random_condition(&p->conditions[i], p->values[i]);
}

/* By the definition, trying every way. */
static bool naive_glob(const char *g, const char *t)
{
    if (*g == '*')
        return naive_glob(g + 1, t) || (*t && naive_glob(g, t + 1));
    if (!*g || !*t)
        return !*g && !*t;
    if (*g == '?')
        return naive_glob(g + 1, t + (memcmp(t, "é", 1) == 0 ? 2 : 1));
    return *g == *t && naive_glob(g + 1, t + 1);
}

static bool naive_fits(const struct policy_pattern *p, const char *text)
{
    return text &&
           (p->match == POLICY_ANY || (p->match == POLICY_EXACT && strcmp(p->text, text) == 0) ||
            (p->match == POLICY_BEGINS && strstr(text, p->text) == text) ||
            (p->match == POLICY_GLOB && naive_glob(p->text, text)));
}

static bool naive_source(const char *range, const char *client)
{
    if (!client)
        return false;
    if (strcmp(range, "::/0") == 0)
        return strchr(client, ':') != NULL;
    if (strcmp(range, "0.0.0.0/0") == 0)
        return strchr(client, '.') != NULL;
    if (strcmp(range, "10.0.0.0/8") == 0)
        return strncmp(client, "10.", 3) == 0;
    return strcmp(range, client) == 0;
}

static bool naive_condition(const struct policy_condition *c, const struct policy_request *r)
{
    bool any = c->kind == POLICY_IF_SECURE && r->secure;

    for (size_t i = 0; i < c->value_count; i++) {
        if (c->kind == POLICY_IF_SOURCE && naive_source(c->values[i].text, r->client))
            any = true;
        if (c->kind == POLICY_IF_PREFIX && naive_fits(&c->values[i], r->list_prefix))
            any = true;
        if (c->kind == POLICY_IF_TAG && r->tags &&
            naive_fits(&c->values[i], pairs_get(r->tags, "k")))
            any = true;
    }
    return c->negated ? !any : any;
}

static bool naive_who(const struct policy_who *w, const struct policy_principal *p)
{
    if (w->kind == POLICY_EVERYBODY)
        return true;
    if (w->kind == POLICY_WHO_ACCOUNT)
        return p->kind != POLICY_ANONYMOUS && p->kind != POLICY_TOKEN &&
               strcmp(p->account, w->name) == 0;
    if (p->kind != POLICY_TOKEN || (w->issuer && strcmp(w->issuer, p->issuer) != 0))
        return false;
    if (w->kind == POLICY_WHO_USER)
        return strcmp(w->name, p->id) == 0;
    const char *const *names = w->kind == POLICY_WHO_GROUP ? p->groups : p->roles;
    size_t count = w->kind == POLICY_WHO_GROUP ? p->group_count : p->role_count;
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], w->name) == 0)
            return true;
    return false;
}

static bool naive_statement(const struct policy_statement *s, const struct policy_request *r)
{
    char path[100];
    bool who = false, where = false, conditions = true;

    (void)snprintf(path, sizeof(path), "%s%s%s", r->container ? r->container : "",
                   r->name ? "/" : "", r->name ? r->name : "");
    for (size_t i = 0; i < s->who_count; i++)
        who = who || naive_who(&s->who[i], &r->who);
    for (size_t i = 0; i < s->path_count; i++)
        where = where || naive_fits(&s->paths[i], path);
    for (size_t i = 0; i < s->condition_count; i++)
        conditions = conditions && naive_condition(&s->conditions[i], r);
    return who && where && conditions && (s->actions >> r->action & 1) &&
           (!s->account || strcmp(s->account, r->account) == 0);
}

static enum policy_decision naive(const struct pieces *list, size_t count,
                                  const struct policy_request *r)
{
    bool denied = false, allowed = false;

    for (size_t i = 0; i < count; i++) {
        bool fits = naive_statement(&list[i].s, r);
        denied = denied || (fits && list[i].s.deny);
        allowed = allowed || (fits && !list[i].s.deny);
    }
    if ((r->who.kind == POLICY_KEY || r->who.kind == POLICY_SAS) &&
        strcmp(r->who.account, r->account) == 0)
        allowed = true;
    if (r->opened != POLICY_PRIVATE && r->action == POLICY_BLOB_READ && r->name)
        allowed = true;
    if (r->opened == POLICY_PUBLIC_CONTAINER && r->container &&
        (r->action == POLICY_BLOB_LIST || r->action == POLICY_CONTAINER_READ))
        allowed = true;
    return denied ? POLICY_FORBIDDEN : allowed ? POLICY_ALLOWED : POLICY_DENIED;
}

static void random_request(struct policy_request *r, struct pairs *tags)
{
    static const char *groups[2], *roles[2];

    for (size_t i = 0; i < 2; i++) {
        groups[i] = ONE_OF(ids);
        roles[i] = ONE_OF(ids);
    }
    pairs_release(tags);
    if (pick(2))
        pairs_add(tags, "k", ONE_OF(texts));
    *r = (struct policy_request){.who = {.kind = (enum policy_kind)pick(4),
                                         .account = ONE_OF(accounts),
                                         .issuer = ONE_OF(issuers),
                                         .id = ONE_OF(ids),
                                         .groups = groups,
                                         .group_count = pick(3),
                                         .roles = roles,
                                         .role_count = pick(3)},
                                 .action = (enum policy_action)pick(4),
                                 .account = ONE_OF(accounts),
                                 .container = pick(5) ? ONE_OF(containers) : NULL,
                                 .tags = pick(2) ? tags : NULL,
                                 .opened = pick(5) ? POLICY_PRIVATE : (enum policy_public)pick(3),
                                 .client = ONE_OF(clients),
                                 .secure = pick(2)};
    if (pick(10) == 0)
        r->action = POLICY_CONTAINER_READ;
    if (r->container && pick(3))
        r->name = ONE_OF(object_names);
    if (r->action == POLICY_BLOB_LIST && pick(4))
        r->list_prefix = ONE_OF(texts);
}

static void test_random(void **state)
{
    (void)state;
    struct pieces *pieces = xcalloc(6, sizeof(*pieces));
    auto_pairs struct pairs tags = PAIRS_INIT;
    unsigned seen[3] = {0};

    for (uint64_t round = 1; round <= 4000; round++) {
        struct policy *p = policy_new();
        size_t count = pick(7);
        seed = round;
        for (size_t i = 0; i < count; i++) {
            struct err e = {0};
            random_statement(&pieces[i]);
            assert_ok(policy_add(p, &pieces[i].s, &e), &e);
        }
        for (int n = 0; n < 40; n++) {
            struct policy_request r;
            random_request(&r, &tags);
            enum policy_decision wanted = naive(pieces, count, &r);
            enum policy_decision got = policy_decide(p, &r).decision;
            if (wanted != got)
                fail_msg("seed %llu, request %d: %d instead of %d", (unsigned long long)round, n,
                         got, wanted);
            seen[wanted]++;
        }
        policy_free(p);
    }
    free(pieces);
    for (size_t i = 0; i < 3; i++)
        if (seen[i] < 3000)
            fail_msg("too few of kind %zu: %u", i, seen[i]);
}

static void test_ranges(void **state)
{
    static const char *const good[] = {"203.0.113.0/24", "::1", "10.0.0.1", "2001:db8::/32"};
    static const char *const bad[] = {"", "300.1.1.1", "10.0.0.0/40", "10.0.0.0/", "true"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_true(policy_is_range(good[i]));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(policy_is_range(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_list_of_prefix), cmocka_unit_test(test_account_key),
        cmocka_unit_test(test_public),         cmocka_unit_test(test_globs),
        cmocka_unit_test(test_sources),        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

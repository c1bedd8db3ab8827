// SPDX-License-Identifier: EUPL-1.2
/* bascule role: who may do what. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/admin.h"
#include "cli/roles.h"
#include "codec/date.h"
#include "codec/json.h"

/* Azure's names, or their last word in lower case. */
static int read_role(const char *text, enum policy_role *ret, struct err *e)
{
    static const char *const words[POLICY_ROLE_COUNT] = {
        [POLICY_READER] = "reader",   [POLICY_CONTRIBUTOR] = "contributor",
        [POLICY_OWNER] = "owner",     [POLICY_DELEGATOR] = "delegator",
        [POLICY_MANAGER] = "manager",
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(text, words[i]) == 0) {
            *ret = (enum policy_role)i;
            return 0;
        }
    return policy_role_parse(text, ret, e);
}

/* Who is meant is told by an issuer, and another one may call somebody else the same. */
static void warn_ambiguous(const struct admin *a, const struct policy_who *who)
{
    struct err e = {0};

    if (who->issuer || a->serve.issuer_count < 2)
        return;
    (void)err_set(&e, ERR_NONE,
                  "mind: there are %zu issuers, and this is whomever any of them calls '%.100s'; "
                  "put ISSUER# before the principal to mean one",
                  a->serve.issuer_count, who->name);
    complain(&e);
}

static int add(struct admin *a, const char **words, int count, struct call *call)
{
    auto_role_row struct role_row row = role_row_new();
    enum policy_role role;
    struct policy_who who;

    if (role_principal_parse(words[0], &who, &call->err) < 0)
        return -1;
    warn_ambiguous(a, &who);
    role_principal_release(&who);
    if (read_role(words[1], &role, &call->err) < 0 ||
        role_scope_parse(count > 2 ? words[2] : "", &row, &call->err) < 0)
        return -1;
    row.principal = xstrdup(words[0]);
    row.role = xstrdup(policy_role_name(role));
    if (admin_index(a, true, call) < 0 || role_add(a->index, &row, call) < 0)
        return -1;
    if (a->json)
        admin_print(json_pack("{s:I}", "id", (json_int_t)row.id));
    else
        printf("%" PRId64 "\n", row.id);
    return EXIT_OK;
}

static int list(struct admin *a, const char **words, int count, struct call *call)
{
    auto_role_rows struct role_rows rows = {0};
    auto_json json_t *all = json_array();

    (void)words;
    (void)count;
    if (admin_index(a, true, call) < 0 || role_list(a->index, &rows, call) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++) {
        const struct role_row *row = &rows.list[i];
        auto_free char *scope = role_scope_text(row);
        char made[DATE_TEXT];
        date_iso8601(made, sizeof(made), row->created, 0);
        if (a->json)
            (void)json_array_append_new(all, json_pack("{s:I,s:s,s:s,s:s?,s:s?,s:s?,s:s}", "id",
                                                       (json_int_t)row->id, "principal",
                                                       row->principal, "role", row->role, "account",
                                                       row->account, "container", row->container,
                                                       "prefix", row->prefix, "created", made));
        else
            printf("%-20" PRId64 " %-40s %-32s %s\n", row->id, row->principal, row->role, scope);
    }
    if (a->json)
        admin_print(json_incref(all));
    return EXIT_OK;
}

static int remove_one(struct admin *a, const char **words, int count, struct call *call)
{
    char *end;
    int64_t id = strtoll(words[0], &end, 10);

    (void)count;
    if (!*words[0] || *end)
        return err_set(&call->err, ERR_INVALID,
                       "role remove wants the number that bascule role list shows, not '%.60s'",
                       words[0]);
    if (admin_index(a, true, call) < 0)
        return -1;
    return role_remove(a->index, id, call) < 0 ? -1 : EXIT_OK;
}

static int command_run(const struct command *self, int argc, char **argv)
{
    static const struct action actions[] = {
        {"add", "PRINCIPAL ROLE [SCOPE]", 2, 3, add},
        {"list", "", 0, 0, list},
        {"remove", "NUMBER", 1, 1, remove_one},
    };

    return admin_main(self, actions, ARRAY_SIZE(actions), NULL, 0, NULL, argc, argv);
}

const struct command command_role = {
    .name = "role",
    .arguments = "ACTION [...]",
    .summary = "Say which users and groups of an OIDC issuer may do what",
    .text = "  add PRINCIPAL ROLE [SCOPE]  prints the assignment's number\n"
            "  list                        all of them\n"
            "  remove NUMBER\n\n"
            "PRINCIPAL is user:ID, group:NAME, role:NAME or app:ID, as the tokens say, with "
            "ISSUER# before it\nwhere there are several issuers.  ROLE is reader, contributor, "
            "owner, delegator or manager, or Azure's\nname (\"Storage Blob Data Reader\").  SCOPE "
            "is ACCOUNT, ACCOUNT/CONTAINER or ACCOUNT/CONTAINER/PREFIX;\nwithout it, every "
            "account.  Running gateways go by a change within a second.",
    .run = command_run,
};

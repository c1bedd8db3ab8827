// SPDX-License-Identifier: EUPL-1.2
/* bascule key: an account's keys, and what is signed with them. */
#include <stdio.h>
#include <string.h>

#include "auth/sas.h"
#include "cli/accounts.h"
#include "cli/admin.h"
#include "cli/credentials.h"
#include "cli/deeds.h"
#include "cli/roles.h"
#include "codec/date.h"
#include "codec/json.h"
#include "codec/size.h"
#include "codec/url.h"
#include "util/clock.h"

/* Longer than any name a blob can have. */
#define NAME_MAX_BYTES 16384

struct key_options {
    const char *permissions;
    const char *expires;
    const char *starts;
    const char *ip;
    const char *key;
    const char *policy;
    bool https_only;
};

static int find_key(struct admin *a, const char *account, const char *which,
                    struct account_row *row, char ***ret, struct call *call)
{
    if (admin_index(a, true, call) < 0 || account_find(a->index, account, row, call) < 0)
        return -1;
    return account_key_slot(row, which, ret, &call->err);
}

/* ---- show, connection, rotate ---- */

/* A key that somebody will see, which the audit log is told. */
static int reveal_key(struct admin *a, const char **words, int count, struct account_row *row,
                      char ***ret, struct call *call)
{
    const char *which = count > 1 ? words[1] : "key1";

    return find_key(a, words[0], which, row, ret, call) < 0
               ? -1
               : deed_tell(a->index, "key_shown", words[0], which, call);
}

static void print_key(const struct admin *a, const struct account_row *row, const char *key)
{
    if (a->json)
        admin_print(json_pack("{s:s,s:s}", "account", row->name, "value", key));
    else
        printf("%s\n", key);
}

static int show(struct admin *a, const char **words, int count, struct call *call)
{
    auto_account_row struct account_row row = account_row_new();
    char **slot;

    if (reveal_key(a, words, count, &row, &slot, call) < 0)
        return -1;
    print_key(a, &row, *slot);
    return EXIT_OK;
}

static int connection(struct admin *a, const char **words, int count, struct call *call)
{
    auto_account_row struct account_row row = account_row_new();
    char **slot;

    if (reveal_key(a, words, count, &row, &slot, call) < 0)
        return -1;
    auto_free char *text = account_connection_string(&a->serve, &row, *slot);
    if (a->json)
        admin_print(json_pack("{s:s,s:s}", "account", row.name, "connectionString", text));
    else
        printf("%s\n", text);
    explicit_bzero(text, strlen(text));
    return EXIT_OK;
}

static int fresh(struct account_row *row, void *argument, struct call *call)
{
    char **slot;

    if (account_key_slot(row, argument, &slot, &call->err) < 0)
        return -1;
    account_key_make(slot);
    return 0;
}

static int rotate(struct admin *a, const char **words, int count, struct call *call)
{
    auto_account_row struct account_row row = account_row_new();
    char **slot;

    (void)count;
    if (admin_index(a, true, call) < 0 ||
        account_change(a->index, words[0], "key_rotated", words[1], fresh,
                       (void *)(uintptr_t)words[1], &row, call) < 0 ||
        account_key_slot(&row, words[1], &slot, &call->err) < 0)
        return -1;
    print_key(a, &row, *slot);
    return EXIT_OK;
}

/* ---- sas ---- */

/* A date, or a duration from now on. */
static int read_time(const char *option, const char *text, int64_t *ret, struct err *e)
{
    struct err ignored = {0};
    int64_t span;

    if (!text)
        return 0;
    if (date_parse_iso8601(text, ret, &ignored) == 0)
        return 0;
    if (duration_parse(text, &span, &ignored) < 0)
        return err_set(e, ERR_INVALID,
                       "--%s '%.60s': want a duration (7d, 12h) or a date (2026-11-22T10:00:00Z)",
                       option, text);
    *ret = clock_wall() + span;
    return 0;
}

struct resource {
    char *text; /* the parts below, with their slashes taken out */
    struct sas_resource parts;
};

static void resource_release(struct resource *r)
{
    free(r->text);
}

static void split(const char *word, struct resource *ret)
{
    char *at = xstrdup(word);

    ret->text = at;
    ret->parts.account = at;
    at = strchr(at, '/');
    if (!at)
        return;
    *at++ = '\0';
    if (!*at)
        return;
    ret->parts.container = at;
    at = strchr(at, '/');
    if (!at)
        return;
    *at++ = '\0';
    ret->parts.blob = *at ? at : NULL;
}

static int make_sas(const struct key_options *o, const struct resource *r, const char *key,
                    struct buf *out, struct err *e)
{
    auto_secret struct secret secret = SECRET_INIT;
    struct sas_wish wish = {
        .permissions = o->permissions,
        .starts = TIME_UNKNOWN,
        .expires = o->policy ? TIME_UNKNOWN : clock_wall() + 24 * 3600 * CLOCK_SECOND,
        .ip = o->ip,
        .protocol = o->https_only ? "https" : NULL,
        .identifier = o->policy,
    };

    if (!wish.permissions && !o->policy)
        wish.permissions = r->parts.blob ? "r" : "rl";
    if (!r->parts.container) {
        if (o->policy)
            return err_set(e, ERR_INVALID,
                           "--policy names a stored policy of a container: say which container");
        wish.services = "b";
        wish.resource_types = "sco";
    }
    return read_time("expires", o->expires, &wish.expires, e) < 0 ||
                   read_time("starts", o->starts, &wish.starts, e) < 0 ||
                   secret_from_base64(&secret, key, e) < 0 ||
                   sas_create(&wish, &r->parts, &secret, out, e) < 0
               ? -1
               : 0;
}

static int sas(struct admin *a, const char **words, int count, struct call *call)
{
    const struct key_options *o = a->options;
    auto_account_row struct account_row row = account_row_new();
    auto_buf struct buf query = BUF_INIT(SAS_TEXT_MAX), path = BUF_INIT(SAS_TEXT_MAX);
    cleanup(resource_release) struct resource r = {0};
    char **slot;

    (void)count;
    split(words[0], &r);
    if (find_key(a, r.parts.account, o->key ? o->key : "key1", &row, &slot, call) < 0 ||
        make_sas(o, &r, *slot, &query, &call->err) < 0 ||
        deed_tell(a->index, "sas_made", words[0], o->permissions ? o->permissions : o->policy,
                  call) < 0)
        return -1;
    if (r.parts.container)
        buf_printf(&path, "/%s", r.parts.container);
    if (r.parts.blob) {
        buf_char(&path, '/');
        url_escape(&path, r.parts.blob, strnlen(r.parts.blob, NAME_MAX_BYTES), URL_KEEP_SLASH);
    }
    auto_free char *base = serve_url_of(&a->serve, row.name);
    auto_free char *url = xasprintf("%s%s?%s", base, path.data, query.data);
    if (a->json)
        admin_print(json_pack("{s:s,s:s}", "url", url, "sas", query.data));
    else
        printf("%s\n", url);
    explicit_bzero(query.data, query.length);
    explicit_bzero(url, strlen(url));
    return EXIT_OK;
}

/* ---- Access keys of the S3 door ---- */

static int s3_add(struct admin *a, const char **words, int count, struct call *call)
{
    auto_credential_row struct credential_row row = credential_row_new();
    const char *principal = count > 1 ? words[1] : NULL;
    struct policy_who who = {0};

    if (principal && role_principal_parse(principal, &who, &call->err) < 0)
        return -1;
    role_principal_release(&who);
    if (admin_index(a, true, call) < 0 ||
        credential_add(a->index, words[0], principal, &row, call) < 0)
        return -1;
    if (a->json)
        admin_print(json_pack("{s:s,s:s,s:s,s:s*}", "account", row.account, "accessKey",
                              row.access_key, "secretKey", row.secret_key, "principal",
                              row.principal));
    else
        printf("access key  %s\nsecret key  %s\n", row.access_key, row.secret_key);
    return EXIT_OK;
}

static int s3_list(struct admin *a, const char **words, int count, struct call *call)
{
    auto_credential_rows struct credential_rows rows = {0};
    auto_json json_t *array = json_array();

    if (admin_index(a, true, call) < 0 ||
        credential_list(a->index, count > 0 ? words[0] : NULL, &rows, call) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++) {
        const struct credential_row *row = &rows.list[i];
        char created[DATE_TEXT];
        date_iso8601(created, sizeof(created), row->created, 0);
        if (!a->json)
            printf("%-20s  %-24s  %s  %s\n", row->access_key, row->account, created,
                   row->principal ? row->principal : "(the account's own)");
        (void)json_array_append_new(
            array, json_pack("{s:s,s:s,s:s,s:s*}", "accessKey", row->access_key, "account",
                             row->account, "created", created, "principal", row->principal));
    }
    if (a->json)
        admin_print(take(array));
    return EXIT_OK;
}

static int s3_remove(struct admin *a, const char **words, int count, struct call *call)
{
    (void)count;
    if (admin_index(a, true, call) < 0 || credential_remove(a->index, words[0], call) < 0)
        return -1;
    return EXIT_OK;
}

static int command_run(const struct command *self, int argc, char **argv)
{
    static const struct action actions[] = {
        {"show", "NAME [key1|key2]", 1, 2, show},
        {"connection", "NAME [key1|key2]", 1, 2, connection},
        {"rotate", "NAME key1|key2", 2, 2, rotate},
        {"sas", "NAME[/CONTAINER[/BLOB]]", 1, 1, sas},
        {"s3-add", "NAME [PRINCIPAL]", 1, 2, s3_add},
        {"s3-list", "[NAME]", 0, 1, s3_list},
        {"s3-remove", "ACCESSKEY", 1, 1, s3_remove},
    };
    struct key_options o = {0};
    const struct option_spec specs[] = {
        {"permissions", 'p', OPTION_TEXT, &o.permissions, "LETTERS",
         "sas: of racwdxyltmeop (rl; of a blob r)"},
        {"expires", 'e', OPTION_TEXT, &o.expires, "WHEN", "sas: a duration or a date (24h)"},
        {"starts", 0, OPTION_TEXT, &o.starts, "WHEN", "sas: a duration or a date (at once)"},
        {"ip", 0, OPTION_TEXT, &o.ip, "RANGE", "sas: 203.0.113.1 or 203.0.113.1-203.0.113.9"},
        {"https-only", 0, OPTION_FLAG, &o.https_only, NULL, "sas: not over plain HTTP"},
        {"policy", 0, OPTION_TEXT, &o.policy, "ID", "sas: by this stored policy of the container"},
        {"key", 0, OPTION_TEXT, &o.key, "NAME", "sas: sign with key1 or key2 (key1)"},
    };

    return admin_main(self, actions, ARRAY_SIZE(actions), specs, ARRAY_SIZE(specs), &o, argc, argv);
}

const struct command command_key = {
    .name = "key",
    .arguments = "ACTION NAME [...]",
    .summary = "Show and rotate an account's keys, make shared access signatures",
    .text = "  show NAME [key1|key2]         the key alone\n"
            "  connection NAME [key1|key2]   the connection string alone\n"
            "  rotate NAME key1|key2         put a fresh key there, and show it: the old one is "
            "void at once\n"
            "  sas NAME[/CONTAINER[/BLOB]]   a URL with a shared access signature\n"
            "  s3-add NAME [PRINCIPAL]       an access key for S3 clients: with the account's own "
            "rights, or with the\n                                roles of a principal (user:ID, "
            "see bascule role)\n"
            "  s3-list [NAME]                the access keys\n"
            "  s3-remove ACCESSKEY           void at once",
    .run = command_run,
};

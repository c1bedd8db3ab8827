// SPDX-License-Identifier: EUPL-1.2
/* bascule account: the accounts a gateway serves. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/accounts.h"
#include "cli/admin.h"
#include "cli/deeds.h"
#include "codec/date.h"
#include "codec/json.h"
#include "codec/suggest.h"
#include "crypto/secret.h"
#include "util/file.h"

/* Of the settings as given, for the audit log. */
#define DETAIL_MAX 8192

struct account_options {
    const char *key_file;
};

/* ---- add ---- */

/* The key an application already has, so that only its endpoint changes. */
static int read_key(const char *path, char **ret, struct err *e)
{
    auto_buf struct buf text = BUF_INIT(4096);
    auto_secret struct secret key = SECRET_INIT;

    if (file_read(path, 4095, &text, e) < 0)
        return err_prefix(e, "key file");
    text.data[strcspn(text.data, "\r\n")] = '\0';
    if (secret_from_base64(&key, text.data, e) < 0 || key.length < 32) {
        explicit_bzero(text.data, text.length);
        return err_set(e, ERR_INVALID, "the key in '%s' is no account key (base64 of 64 bytes)",
                       path);
    }
    *ret = xstrdup(text.data);
    explicit_bzero(text.data, text.length);
    return 0;
}

static void print_keys(const struct admin *a, const struct account_row *row)
{
    auto_free char *first = account_connection_string(&a->serve, row, row->key1);
    auto_free char *second = account_connection_string(&a->serve, row, row->key2);
    auto_free char *url = serve_url_of(&a->serve, row->name);

    if (a->json)
        admin_print(json_pack("{s:s,s:s,s:[{s:s,s:s,s:s},{s:s,s:s,s:s}]}", "account", row->name,
                              "endpoint", url, "keys", "name", "key1", "value", row->key1,
                              "connectionString", first, "name", "key2", "value", row->key2,
                              "connectionString", second));
    else
        printf("account   %s\nendpoint  %s\nkey1      %s\nkey2      %s\n\n%s\n", row->name, url,
               row->key1, row->key2, first);
    explicit_bzero(first, strlen(first));
    explicit_bzero(second, strlen(second));
}

static int add(struct admin *a, const char **words, int count, struct call *call)
{
    const struct account_options *options = a->options;
    auto_account_row struct account_row row = account_row_new();
    auto_free char *key = NULL;

    (void)count;
    if (account_name_check(words[0], &call->err) < 0 ||
        (options->key_file && read_key(options->key_file, &key, &call->err) < 0) ||
        admin_index(a, false, call) < 0 || account_add(a->index, words[0], key, &row, call) < 0)
        return -1;
    if (key)
        explicit_bzero(key, strlen(key));
    print_keys(a, &row);
    return EXIT_OK;
}

/* ---- list, keys, remove, rotate ---- */

static int list(struct admin *a, const char **words, int count, struct call *call)
{
    auto_account_rows struct account_rows rows = {0};
    auto_json json_t *all = json_array();

    (void)words;
    (void)count;
    if (admin_index(a, true, call) < 0 || account_list(a->index, &rows, call) < 0)
        return -1;
    if (!a->json)
        printf("%-24s %-20s %10s  %s\n", "ACCOUNT", "MADE", "CONTAINERS", "SETTINGS");
    for (size_t i = 0; i < rows.count; i++) {
        const struct account_row *row = &rows.list[i];
        char made[DATE_TEXT];
        date_iso8601(made, sizeof(made), row->created, 0);
        if (!a->json) {
            printf("%-24s %-20s %10" PRId64 "  %s%s\n", row->name, made, rows.containers[i],
                   row->disabled ? "disabled " : "", row->settings ? row->settings : "");
            continue;
        }
        json_t *settings =
            row->settings ? json_loads(row->settings, JSON_REJECT_DUPLICATES, NULL) : NULL;
        (void)json_array_append_new(
            all, json_pack("{s:s,s:s,s:I,s:b,s:o}", "account", row->name, "created", made,
                           "containers", (json_int_t)rows.containers[i], "disabled",
                           row->disabled != 0, "settings", settings ? settings : json_object()));
    }
    if (a->json)
        admin_print(json_incref(all));
    return EXIT_OK;
}

static int keys(struct admin *a, const char **words, int count, struct call *call)
{
    auto_account_row struct account_row row = account_row_new();

    (void)count;
    if (admin_index(a, true, call) < 0 || account_find(a->index, words[0], &row, call) < 0 ||
        deed_tell(a->index, "key_shown", words[0], NULL, call) < 0)
        return -1;
    print_keys(a, &row);
    return EXIT_OK;
}

static int remove_account(struct admin *a, const char **words, int count, struct call *call)
{
    (void)count;
    if (admin_index(a, true, call) < 0)
        return -1;
    return account_remove(a->index, words[0], call) < 0 ? -1 : EXIT_OK;
}

static int rotate_key(struct account_row *row, void *argument, struct call *call)
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

    (void)count;
    if (admin_index(a, true, call) < 0 ||
        account_change(a->index, words[0], "key_rotated", words[1], rotate_key,
                       (void *)(uintptr_t)words[1], &row, call) < 0)
        return -1;
    print_keys(a, &row);
    return EXIT_OK;
}

/* ---- set ---- */

enum setting_kind { SETTING_FLAG, SETTING_DAYS, SETTING_TEXT };

static const struct {
    const char *name;
    enum setting_kind kind;
} settings[] = {
    {"disabled", SETTING_FLAG},
    {"versioning", SETTING_FLAG},
    {"public_access", SETTING_FLAG},
    {"delete_retention_days", SETTING_DAYS},
    {"container_retention_days", SETTING_DAYS},
    {"default_service_version", SETTING_TEXT},
};

struct changes {
    const char **words;
    int count;
};

static int setting_value(enum setting_kind kind, const char *name, const char *text, json_t **ret,
                         struct err *e)
{
    char *end;

    if (kind == SETTING_TEXT) {
        *ret = json_string(text);
        return *ret ? 0 : err_set(e, ERR_INVALID, "%s: the value is not UTF-8", name);
    }
    if (kind == SETTING_FLAG) {
        *ret = json_boolean(strcmp(text, "true") == 0);
        if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
            return 0;
        return err_set(e, ERR_INVALID, "%s is true or false, not '%.60s'", name, text);
    }
    long days = strtol(text, &end, 10);
    if (!*text || *end || days < 0 || days > 365)
        return err_set(e, ERR_INVALID, "%s is 0 to 365 days, not '%.60s'", name, text);
    *ret = json_integer(days);
    return 0;
}

static int set_one(struct account_row *row, json_t *object, const char *word, struct err *e)
{
    const char *names[ARRAY_SIZE(settings)];
    const char *equals = strchr(word, '=');
    auto_free char *name = xstrndup(word, equals ? (size_t)(equals - word) : strlen(word));
    json_t *value = NULL;

    if (!equals)
        return err_set(e, ERR_INVALID, "'%.60s': settings are given as NAME=VALUE", word);
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        names[i] = settings[i].name;
        if (strcmp(name, settings[i].name) != 0)
            continue;
        if (!equals[1] && i > 0) {
            (void)json_object_del(object, name);
            return 0;
        }
        if (setting_value(settings[i].kind, name, equals + 1, &value, e) < 0)
            return -1;
        if (i == 0) {
            row->disabled = json_is_true(value);
            json_decref(value);
        } else {
            (void)json_object_set_new(object, name, value);
        }
        return 0;
    }
    const char *near = suggest(name, names, ARRAY_SIZE(names));
    return err_set(e, ERR_INVALID, "there is no setting '%.60s'%s%s%s", name,
                   near ? ": did you mean '" : ": see bascule account --help", near ? near : "",
                   near ? "'?" : "");
}

static int apply(struct account_row *row, void *argument, struct call *call)
{
    const struct changes *changes = argument;
    auto_json json_t *object = NULL;
    auto_buf struct buf text = BUF_INIT((size_t)1024 * 1024);

    if (row->settings && json_parse(row->settings, strlen(row->settings), &object, &call->err) < 0)
        return err_prefix(&call->err, "settings of account '%s'", row->name);
    if (!object)
        object = json_object();
    for (int i = 0; i < changes->count; i++)
        if (set_one(row, object, changes->words[i], &call->err) < 0)
            return -1;
    if (json_write(&text, object, &call->err) < 0)
        return -1;
    replace_string(&row->settings, text.data);
    return 0;
}

static int set(struct admin *a, const char **words, int count, struct call *call)
{
    struct changes changes = {.words = words + 1, .count = count - 1};

    auto_buf struct buf detail = BUF_INIT(DETAIL_MAX);

    for (int i = 1; i < count; i++)
        buf_printf(&detail, "%s%.100s", i > 1 ? " " : "", words[i]);
    if (admin_index(a, true, call) < 0 ||
        account_change(a->index, words[0], "account_changed", detail.data, apply, &changes, NULL,
                       call) < 0)
        return -1;
    return EXIT_OK;
}

static int command_run(const struct command *self, int argc, char **argv)
{
    static const struct action actions[] = {
        {"add", "NAME", 1, 1, add},
        {"list", "", 0, 0, list},
        {"keys", "NAME", 1, 1, keys},
        {"rotate", "NAME key1|key2", 2, 2, rotate},
        {"set", "NAME SETTING=VALUE...", 2, 40, set},
        {"remove", "NAME", 1, 1, remove_account},
    };
    struct account_options options = {0};
    const struct option_spec specs[] = {
        {"key-file", 0, OPTION_TEXT, &options.key_file, "FILE",
         "add: take key1 from this file instead of making one up"},
    };

    return admin_main(self, actions, ARRAY_SIZE(actions), specs, ARRAY_SIZE(specs), &options, argc,
                      argv);
}

const struct command command_account = {
    .name = "account",
    .arguments = "ACTION [NAME] [...]",
    .summary = "Add, list, change and remove the accounts a gateway serves",
    .text = "  add NAME                  make one, with two keys; prints its connection string\n"
            "  list                      all of them\n"
            "  keys NAME                 its keys and connection string\n"
            "  rotate NAME key1|key2     put a fresh key in the place of that one\n"
            "  set NAME SETTING=VALUE... disabled, versioning, public_access (true or false),\n"
            "                            delete_retention_days, container_retention_days (0 to "
            "365),\n"
            "                            default_service_version; without a value: back to the "
            "default\n"
            "  remove NAME               one without containers\n\n"
            "Works while gateways run: they go by the change when the command has ended.",
    .run = command_run,
};

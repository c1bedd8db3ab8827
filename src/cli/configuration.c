// SPDX-License-Identifier: EUPL-1.2
/* Reads bascule.yaml: see configuration.h. */
#include "cli/configuration.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/size.h"
#include "codec/suggest.h"
#include "util/file.h"

#define SECRET_MAX (64 * 1024)

static const char *const top_keys[] = {"stores", "ledger", "sign", "move", "serve"};

/* The drivers' words, and which of them a key is for. */
static const char *const driver_words[] = {"azure", "s3", "swift", "file"};
enum { AZURE = 1 << 0, S3 = 1 << 1, SWIFT = 1 << 2, FILE_ = 1 << 3, REMOTE = 7, ALL = 15 };

static const struct {
    const char *key;
    unsigned drivers;
} store_keys[] = {
    {"driver", ALL},
    {"provider", REMOTE},
    {"containers", ALL},
    {"ca_file", REMOTE},
    {"proxy", REMOTE},
    {"insecure", REMOTE},
    {"connect_timeout", REMOTE},
    {"stall_timeout", REMOTE},
    {"limit", ALL},
    {"retry", ALL},
    {"account", AZURE},
    {"key", AZURE},
    {"connection_string", AZURE},
    {"sas", AZURE},
    {"endpoint", AZURE | S3},
    {"endpoint_suffix", AZURE},
    {"tenant", AZURE},
    {"client_id", AZURE},
    {"client_secret", AZURE},
    {"client_certificate", AZURE},
    {"authority", AZURE},
    {"managed_identity", AZURE},
    {"token_command", AZURE},
    {"secondary", AZURE},
    {"region", S3 | SWIFT},
    {"access_key", S3},
    {"secret_key", S3},
    {"session_token", S3},
    {"addressing", S3},
    {"storage_class", S3},
    {"auth_url", SWIFT},
    {"user", SWIFT},
    {"password", SWIFT},
    {"user_domain", SWIFT},
    {"project", SWIFT},
    {"project_domain", SWIFT},
    {"application_credential_id", SWIFT},
    {"application_credential_name", SWIFT},
    {"application_credential_secret", SWIFT},
    {"tempauth", SWIFT},
    {"storage_url", SWIFT},
    {"path", FILE_},
};

static int check_store_keys(const struct yaml_node *store, struct err *e)
{
    const char *known[ARRAY_SIZE(store_keys)];

    for (size_t i = 0; i < ARRAY_SIZE(store_keys); i++)
        known[i] = store_keys[i].key;
    return yaml_check_keys(store, known, ARRAY_SIZE(known), e);
}

int config_check_driver(const struct yaml_node *store, const char *driver, struct err *e)
{
    unsigned mask = 0;

    for (size_t i = 0; i < ARRAY_SIZE(driver_words); i++)
        if (strcmp(driver_words[i], driver) == 0)
            mask = 1U << i;
    for (const struct yaml_node *n = store->children; n; n = n->next)
        for (size_t i = 0; i < ARRAY_SIZE(store_keys); i++)
            if (strcmp(store_keys[i].key, n->key) == 0 && !(store_keys[i].drivers & mask))
                return yaml_error(n, e, "'%s' is no key of a store with driver '%s'", n->key,
                                  driver);
    return 0;
}

static char *find_path(void)
{
    const char *home = getenv("HOME"), *config_home = getenv("XDG_CONFIG_HOME");
    char *candidates[] = {
        xstrdup("bascule.yaml"),
        config_home && *config_home ? xasprintf("%s/bascule/bascule.yaml", config_home)
        : home                      ? xasprintf("%s/.config/bascule/bascule.yaml", home)
                                    : NULL,
        xstrdup("/etc/bascule/bascule.yaml"),
    };
    char *found = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
        if (!found && candidates[i] && access(candidates[i], F_OK) == 0)
            found = take(candidates[i]);
        free(candidates[i]);
    }
    return found;
}

static char *default_ledger(void)
{
    const char *home = getenv("HOME"), *state_home = getenv("XDG_STATE_HOME");

    if (state_home && *state_home)
        return xasprintf("sqlite:%s/bascule/ledger.db", state_home);
    return xasprintf("sqlite:%s/.local/state/bascule/ledger.db", home ? home : "/var/lib/bascule");
}

static int check_stores(const struct yaml_node *root, struct err *e)
{
    const struct yaml_node *stores = NULL;

    if (yaml_node_of(root, "stores", YAML_MAP, &stores, e) < 0)
        return -1;
    if (!stores)
        return 0;
    for (const struct yaml_node *s = stores->children; s; s = s->next) {
        if (s->kind != YAML_MAP)
            return yaml_error(s, e, "store '%s' must be a map (driver: ..., or provider: ...)",
                              s->key);
        if (check_store_keys(s, e) < 0)
            return -1;
        if (strchr(s->key, '/') || strchr(s->key, ':') || !*s->key)
            return yaml_error(s, e, "a store's name holds neither ':' nor '/'");
    }
    return 0;
}

static int read_move(struct config *c, struct err *e)
{
    static const char *const keys[] = {"workers", "memory", "wake_poll"};
    const struct yaml_node *move = NULL;
    const char *memory = NULL;

    if (yaml_node_of(c->root, "move", YAML_MAP, &move, e) < 0)
        return -1;
    if (!move)
        return 0;
    if (yaml_check_keys(move, keys, ARRAY_SIZE(keys), e) < 0 ||
        yaml_uint(move, "workers", &c->workers, e) < 0 ||
        yaml_uint(move, "wake_poll", &c->wake_poll, e) < 0 ||
        yaml_text(move, "memory", &memory, e) < 0)
        return -1;
    if (c->workers > 512)
        return yaml_error(yaml_get(move, "workers"), e, "at most 512 workers");
    if (c->wake_poll > 86400)
        return yaml_error(yaml_get(move, "wake_poll"), e, "at most 86400 seconds");
    if (memory && size_parse(memory, &c->memory, e) < 0) {
        struct err why = *e;
        return yaml_error(yaml_get(move, "memory"), e, "%s", why.text);
    }
    return 0;
}

static int read_sign(struct config *c, struct err *e)
{
    static const char *const keys[] = {"key", "password"};
    const struct yaml_node *sign = NULL;
    const char *key = NULL;

    if (yaml_node_of(c->root, "sign", YAML_MAP, &sign, e) < 0)
        return -1;
    if (!sign)
        return 0;
    if (yaml_check_keys(sign, keys, ARRAY_SIZE(keys), e) < 0 || yaml_text(sign, "key", &key, e) < 0)
        return -1;
    c->sign_key = xstrdup_null(key);
    c->sign = sign;
    return 0;
}

static int read_root(struct config *c, struct err *e)
{
    const char *ledger = NULL;

    if (yaml_is_null(c->root))
        return 0;
    if (c->root->kind != YAML_MAP)
        return yaml_error(c->root, e, "the configuration must be a map (stores: ...)");
    if (yaml_check_keys(c->root, top_keys, ARRAY_SIZE(top_keys), e) < 0 ||
        check_stores(c->root, e) < 0 || yaml_text(c->root, "ledger", &ledger, e) < 0)
        return -1;
    if (ledger && strncmp(ledger, "sqlite:", 7) != 0 && strncmp(ledger, "postgres://", 11) != 0 &&
        strncmp(ledger, "postgresql://", 13) != 0)
        return yaml_error(yaml_get(c->root, "ledger"), e,
                          "the ledger is sqlite:FILE or postgres://...");
    if (ledger)
        replace_string(&c->ledger, ledger);
    return read_move(c, e) < 0 || read_sign(c, e) < 0 ? -1 : 0;
}

int config_load(const char *path, struct config *ret, struct err *e)
{
    struct config c = {.path = path ? xstrdup(path) : find_path(), .ledger = default_ledger()};
    auto_buf struct buf text = BUF_INIT(YAML_TEXT_MAX + 1);

    if (c.path &&
        (file_read(c.path, YAML_TEXT_MAX, &text, e) < 0 ||
         yaml_parse(c.path, text.data, text.length, &c.root, e) < 0 || read_root(&c, e) < 0)) {
        config_release(&c);
        e->code = ERR_INVALID; /* whatever is wrong with the file: nothing else can be done */
        return -1;
    }
    *ret = c;
    return 0;
}

void config_release(struct config *c)
{
    free(c->path);
    yaml_tree_free(c->root);
    free(c->ledger);
    free(c->sign_key);
    *c = (struct config){0};
}

int config_store(const struct config *c, const char *name, const struct yaml_node **ret,
                 struct err *e)
{
    const struct yaml_node *stores = yaml_get(c->root, "stores");
    const struct yaml_node *found = yaml_get(stores, name);
    const char *names[256];
    size_t count = 0;

    if (found) {
        *ret = found;
        return 0;
    }
    if (!c->path)
        return err_set(e, ERR_INVALID,
                       "store '%s' is not known: there is no configuration (./bascule.yaml, "
                       "~/.config/bascule/bascule.yaml, /etc/bascule/bascule.yaml or --config)",
                       name);
    for (const struct yaml_node *s = stores ? stores->children : NULL; s && count < 256;
         s = s->next)
        names[count++] = s->key;
    const char *near = suggest(name, names, count);
    return err_set(e, ERR_INVALID, "store '%s' is not in '%s'%s%s%s", name, c->path,
                   near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* The bytes behind {env: NAME} or {file: PATH}. */
static int resolve(const struct yaml_node *node, struct buf *ret, struct err *e)
{
    static const char *const keys[] = {"env", "file"};
    const char *env = NULL, *file = NULL;

    if (yaml_check_keys(node, keys, ARRAY_SIZE(keys), e) < 0 ||
        yaml_text(node, "env", &env, e) < 0 || yaml_text(node, "file", &file, e) < 0)
        return -1;
    if (!env == !file)
        return yaml_error(node, e, "'%s' wants either {env: NAME} or {file: PATH}", node->key);
    if (env) {
        const char *value = getenv(env);
        if (!value || !*value)
            return yaml_error(node, e, "the environment variable %s is not set", env);
        return buf_add(ret, value, strlen(value), e);
    }
    if (file_read(file, SECRET_MAX, ret, e) < 0) {
        struct err why = *e;
        return yaml_error(node, e, "%s", why.text);
    }
    while (ret->length && strchr("\r\n", ret->data[ret->length - 1]))
        ret->data[--ret->length] = '\0';
    return ret->length ? 0 : yaml_error(node, e, "'%s' is empty", file);
}

int config_secret(const struct yaml_node *map, const char *key, struct secret *ret, struct err *e)
{
    const struct yaml_node *node = yaml_get(map, key);
    auto_buf struct buf text = BUF_INIT(SECRET_MAX + 1);

    if (yaml_is_null(node))
        return 0;
    if (node->kind != YAML_MAP)
        return yaml_error(node, e,
                          "'%s' is a secret and does not stand here: name where it is, as in "
                          "%s: {env: NAME} or {file: PATH}",
                          key, key);
    int resolved = resolve(node, &text, e);
    if (resolved == 0)
        secret_set(ret, text.data, text.length);
    explicit_bzero(text.data, text.length);
    return resolved;
}

int config_text(const struct yaml_node *map, const char *key, char **ret, struct err *e)
{
    const struct yaml_node *node = yaml_get(map, key);
    auto_buf struct buf text = BUF_INIT(SECRET_MAX + 1);

    *ret = NULL;
    if (yaml_is_null(node))
        return 0;
    if (node->kind == YAML_SCALAR) {
        *ret = xstrdup(node->text);
        return 0;
    }
    if (node->kind != YAML_MAP)
        return yaml_error(node, e, "'%s' must be a text", key);
    if (resolve(node, &text, e) < 0)
        return -1;
    *ret = buf_take(&text);
    return 0;
}

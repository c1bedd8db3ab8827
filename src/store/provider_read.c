// SPDX-License-Identifier: EUPL-1.2
/*
 * The provider catalogue's YAML: see provider_read.h.  Each map is read by a table of its keys, so
 * that a key nobody reads is an error, not a fact that goes unheard.
 */
#include "store/provider_read.h"

#include <math.h>
#include <string.h>

void *provider_memory_take(struct provider_memory *m, size_t count, size_t size)
{
    void *block = xcalloc(count ? count : 1, size);

    m->blocks = xrealloc(m->blocks, m->count + 1, sizeof(*m->blocks));
    m->blocks[m->count++] = block;
    return block;
}

enum kind {
    KIND_TEXT,     /* const char * */
    KIND_UINT,     /* uint64_t */
    KIND_BOOL,     /* bool */
    KIND_FACT,     /* enum fact */
    KIND_NUMBER,   /* double */
    KIND_WORDS,    /* const char ** followed by size_t (see the struct) */
    KIND_ELSEWHERE /* known, read by code */
};

struct field {
    const char *key;
    enum kind kind;
    size_t at;
    size_t count_at; /* KIND_WORDS */
};
#define TEXT(type, member)                            \
    {                                                 \
#member, KIND_TEXT, offsetof(type, member), 0 \
    }
#define UINT(type, member)                            \
    {                                                 \
#member, KIND_UINT, offsetof(type, member), 0 \
    }
#define NUMBER(type, member)                            \
    {                                                   \
#member, KIND_NUMBER, offsetof(type, member), 0 \
    }
#define WORDS(type, key, member, counter)                                \
    {                                                                    \
        key, KIND_WORDS, offsetof(type, member), offsetof(type, counter) \
    }
#define ELSEWHERE(key)            \
    {                             \
        key, KIND_ELSEWHERE, 0, 0 \
    }

struct reading {
    struct provider_memory *memory;
    struct provider_catalogue *catalogue;
    struct err *e;
};

static int read_fact(const struct yaml_node *map, const char *key, enum fact *ret, struct err *e)
{
    bool value = false;

    if (yaml_is_null(yaml_get(map, key)))
        return 0;
    if (yaml_bool(map, key, &value, e) < 0)
        return -1;
    *ret = value ? FACT_YES : FACT_NO;
    return 0;
}

static int read_number(const struct yaml_node *node, double *ret, struct err *e)
{
    char *end = NULL;

    if (yaml_is_null(node))
        return 0;
    if (node->kind != YAML_SCALAR)
        return yaml_error(node, e, "'%s' must be a number", node->key ? node->key : "value");
    double value = strtod(node->text, &end);
    if (end == node->text || *end || !isfinite(value) || value < 0)
        return yaml_error(node, e, "'%s' must be a number", node->key ? node->key : "value");
    *ret = value;
    return 0;
}

static int read_words(struct reading *r, const struct yaml_node *map, const char *key,
                      const char ***ret, size_t *ret_count)
{
    const struct yaml_node *list = NULL;

    if (yaml_node_of(map, key, YAML_LIST, &list, r->e) < 0)
        return -1;
    if (!list)
        return 0;
    const char **words = provider_memory_take(r->memory, list->count, sizeof(*words));
    size_t count = 0;
    for (const struct yaml_node *n = list->children; n; n = n->next) {
        if (n->kind != YAML_SCALAR)
            return yaml_error(n, r->e, "'%s' must be a list of texts", key);
        words[count++] = n->text;
    }
    *ret = words;
    *ret_count = count;
    return 0;
}

static int read_field(struct reading *r, const struct yaml_node *map, const struct field *f,
                      char *base)
{
    void *at = base + f->at;

    switch (f->kind) {
    case KIND_TEXT:
        return yaml_text(map, f->key, at, r->e);
    case KIND_UINT:
        return yaml_uint(map, f->key, at, r->e);
    case KIND_BOOL:
        return yaml_bool(map, f->key, at, r->e);
    case KIND_FACT:
        return read_fact(map, f->key, at, r->e);
    case KIND_NUMBER:
        return read_number(yaml_get(map, f->key), at, r->e);
    case KIND_WORDS:
        return read_words(r, map, f->key, at, (size_t *)(void *)(base + f->count_at));
    case KIND_ELSEWHERE:
        break;
    }
    return 0;
}

#define FIELDS_MAX 32

static int read_fields(struct reading *r, const struct yaml_node *map, const struct field *fields,
                       size_t count, void *base)
{
    const char *keys[FIELDS_MAX];

    for (size_t i = 0; i < count; i++)
        keys[i] = fields[i].key;
    if (yaml_check_keys(map, keys, count, r->e) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (read_field(r, map, &fields[i], base) < 0)
            return -1;
    return 0;
}

/* A map of facts in words, each a bit or a value of an enum by its word. */
typedef const char *word_function(int value);

static int word_index(const struct yaml_node *n, word_function *word, int count, const char *what,
                      struct err *e)
{
    for (int i = 0; i < count; i++)
        if (strcmp(n->key ? n->key : n->text, word(i)) == 0)
            return i;
    return yaml_error(n, e, "'%s' is not a %s this program knows", n->key ? n->key : n->text, what);
}

static const char *feature_word(int value)
{
    return provider_feature_word((enum provider_feature)value);
}

static const char *quirk_word(int value)
{
    return provider_quirk_word((enum provider_quirk)value);
}

static const char *protocol_word(int value)
{
    return provider_protocol_word((enum provider_protocol)(1 << value));
}

static const char *role_word(int value)
{
    return value ? "source" : "target";
}

static int read_features(struct reading *r, const struct yaml_node *offer, struct provider_s3 *s3)
{
    const struct yaml_node *map = NULL;

    if (yaml_node_of(offer, "features", YAML_MAP, &map, r->e) < 0)
        return -1;
    for (const struct yaml_node *n = map ? map->children : NULL; n; n = n->next) {
        int i = word_index(n, feature_word, FEATURE_COUNT, "feature", r->e);
        if (i < 0 || read_fact(map, n->key, &s3->features[i], r->e) < 0)
            return -1;
    }
    return 0;
}

static int read_quirks(struct reading *r, const struct yaml_node *offer, struct provider_s3 *s3)
{
    const struct yaml_node *map = NULL;

    if (yaml_node_of(offer, "quirks", YAML_MAP, &map, r->e) < 0)
        return -1;
    for (const struct yaml_node *n = map ? map->children : NULL; n; n = n->next) {
        bool there = false;
        int i = word_index(n, quirk_word, QUIRK_COUNT, "quirk", r->e);
        if (i < 0 || yaml_bool(map, n->key, &there, r->e) < 0)
            return -1;
        if (there)
            s3->quirks |= 1U << i;
    }
    return 0;
}

static int read_bits(struct reading *r, const struct yaml_node *map, const char *key,
                     word_function *word, int count, unsigned *ret)
{
    const struct yaml_node *list = NULL;

    if (yaml_node_of(map, key, YAML_LIST, &list, r->e) < 0)
        return -1;
    for (const struct yaml_node *n = list ? list->children : NULL; n; n = n->next) {
        int i = word_index(n, word, count, key, r->e);
        if (i < 0)
            return -1;
        *ret |= 1U << i;
    }
    return 0;
}

static int read_limits(struct reading *r, const struct yaml_node *offer, struct provider_limits *l)
{
    static const struct field fields[] = {
        UINT(struct provider_limits, put_max),
        UINT(struct provider_limits, part_min),
        UINT(struct provider_limits, part_max),
        UINT(struct provider_limits, object_max),
        UINT(struct provider_limits, storage_max),
        UINT(struct provider_limits, parts_max),
        UINT(struct provider_limits, key_bytes_max),
        UINT(struct provider_limits, tags_max),
        UINT(struct provider_limits, list_page_max),
        UINT(struct provider_limits, delete_batch_max),
        UINT(struct provider_limits, buckets_max),
        UINT(struct provider_limits, users_max),
        UINT(struct provider_limits, put_per_second),
        UINT(struct provider_limits, get_per_second),
        UINT(struct provider_limits, upload_seconds_max),
        UINT(struct provider_limits, lock_days_max),
        UINT(struct provider_limits, metadata_bytes_max),
        UINT(struct provider_limits, metadata_value_max),
        TEXT(struct provider_limits, note),
    };
    const struct yaml_node *map = NULL;

    if (yaml_node_of(offer, "limits", YAML_MAP, &map, r->e) < 0)
        return -1;
    return map ? read_fields(r, map, fields, ARRAY_SIZE(fields), l) : 0;
}

static int read_regions(struct reading *r, const struct yaml_node *offer, struct provider_offer *o)
{
    static const struct field fields[] = {
        TEXT(struct provider_region, id),
        TEXT(struct provider_region, endpoint),
        TEXT(struct provider_region, signing_region),
        TEXT(struct provider_region, swift_region),
        TEXT(struct provider_region, place),
        TEXT(struct provider_region, country),
        {"eu", KIND_BOOL, offsetof(struct provider_region, eu), 0},
        UINT(struct provider_region, zones),
        WORDS(struct provider_region, "classes", classes, class_count),
        TEXT(struct provider_region, evidence),
        TEXT(struct provider_region, note),
    };
    const struct yaml_node *list = NULL;

    if (yaml_node_of(offer, "regions", YAML_LIST, &list, r->e) < 0)
        return -1;
    if (!list)
        return 0;
    o->regions = provider_memory_take(r->memory, list->count, sizeof(*o->regions));
    for (const struct yaml_node *n = list->children; n; n = n->next) {
        struct provider_region *region = &o->regions[o->region_count++];
        if (read_fields(r, n, fields, ARRAY_SIZE(fields), region) < 0)
            return -1;
        if (!region->id || !region->endpoint)
            return yaml_error(n, r->e, "a region needs 'id' and 'endpoint'");
    }
    return 0;
}

static int read_storage_prices(struct reading *r, const struct yaml_node *map,
                               struct provider_prices *p)
{
    const struct yaml_node *classes = NULL;

    if (yaml_node_of(map, "storage_gb_month", YAML_MAP, &classes, r->e) < 0)
        return -1;
    if (!classes)
        return 0;
    p->storage = provider_memory_take(r->memory, classes->count, sizeof(*p->storage));
    for (const struct yaml_node *n = classes->children; n; n = n->next) {
        struct provider_price *price = &p->storage[p->storage_count++];
        *price = (struct provider_price){.class = n->key, .per_gb_month = NAN};
        if (read_number(n, &price->per_gb_month, r->e) < 0)
            return -1;
    }
    return 0;
}

static int read_prices(struct reading *r, const struct yaml_node *offer, struct provider_prices *p)
{
    static const struct field fields[] = {
        ELSEWHERE("storage_gb_month"),
        NUMBER(struct provider_prices, egress_gb),
        NUMBER(struct provider_prices, egress_free_gb_month),
        NUMBER(struct provider_prices, ingress_gb),
        NUMBER(struct provider_prices, requests),
        NUMBER(struct provider_prices, restore_gb),
        TEXT(struct provider_prices, date),
        TEXT(struct provider_prices, evidence),
        TEXT(struct provider_prices, note),
        WORDS(struct provider_prices, "sources", sources, source_count),
    };
    const struct yaml_node *map = NULL;

    *p = (struct provider_prices){.egress_gb = NAN,
                                  .egress_free_gb_month = NAN,
                                  .ingress_gb = NAN,
                                  .requests = NAN,
                                  .restore_gb = NAN};
    if (yaml_node_of(offer, "prices", YAML_MAP, &map, r->e) < 0)
        return -1;
    if (!map)
        return 0;
    return read_fields(r, map, fields, ARRAY_SIZE(fields), p) < 0 ? -1
                                                                  : read_storage_prices(r, map, p);
}

static int read_addressing(struct reading *r, const struct yaml_node *offer,
                           struct provider_offer *o)
{
    static const struct field fields[] = {
        ELSEWHERE("default"),
        {"virtual_host", KIND_FACT, offsetof(struct provider_offer, virtual_host), 0},
        {"path", KIND_FACT, offsetof(struct provider_offer, path), 0},
        {"note", KIND_TEXT, offsetof(struct provider_offer, addressing_note), 0},
    };
    const struct yaml_node *map = NULL;
    const char *style = "path";

    if (yaml_node_of(offer, "addressing", YAML_MAP, &map, r->e) < 0)
        return -1;
    if (!map)
        return 0;
    if (read_fields(r, map, fields, ARRAY_SIZE(fields), o) < 0 ||
        yaml_text(map, "default", &style, r->e) < 0)
        return -1;
    o->virtual_host_default = strcmp(style, "virtual-host") == 0;
    if (!o->virtual_host_default && strcmp(style, "path") != 0)
        return yaml_error(yaml_get(map, "default"), r->e, "must be 'path' or 'virtual-host'");
    return 0;
}

static int read_offer(struct reading *r, const struct yaml_node *map, struct provider_offer *o)
{
    static const struct field fields[] = {
        TEXT(struct provider_offer, product),
        TEXT(struct provider_offer, signature),
        TEXT(struct provider_offer, endpoint),
        TEXT(struct provider_offer, legacy_endpoint),
        TEXT(struct provider_offer, auth_url),
        TEXT(struct provider_offer, signing_region),
        WORDS(struct provider_offer, "notes", notes, note_count),
        TEXT(struct provider_offer, exit),
        WORDS(struct provider_offer, "sources", sources, source_count),
        TEXT(struct provider_offer, evidence),
        ELSEWHERE("protocols"),
        ELSEWHERE("addressing"),
        ELSEWHERE("regions"),
        ELSEWHERE("limits"),
        ELSEWHERE("features"),
        ELSEWHERE("quirks"),
        ELSEWHERE("prices"),
    };

    if (read_fields(r, map, fields, ARRAY_SIZE(fields), o) < 0 ||
        read_bits(r, map, "protocols", protocol_word, 7, &o->protocols) < 0 ||
        read_addressing(r, map, o) < 0 || read_regions(r, map, o) < 0 ||
        read_limits(r, map, &o->s3.limits) < 0 || read_features(r, map, &o->s3) < 0 ||
        read_quirks(r, map, &o->s3) < 0 || read_prices(r, map, &o->prices) < 0)
        return -1;
    if (!o->product || !o->protocols)
        return yaml_error(map, r->e, "an offer needs 'product' and 'protocols'");
    return 0;
}

static int read_offers(struct reading *r, const struct yaml_node *map, struct provider *p)
{
    const struct yaml_node *list = NULL;

    if (yaml_node_of(map, "storage", YAML_LIST, &list, r->e) < 0)
        return -1;
    if (!list)
        return 0;
    p->offers = provider_memory_take(r->memory, list->count, sizeof(*p->offers));
    for (const struct yaml_node *n = list->children; n; n = n->next)
        if (read_offer(r, n, &p->offers[p->offer_count++]) < 0)
            return -1;
    return 0;
}

static int read_section(struct reading *r, const struct yaml_node *provider, const char *key,
                        struct provider_section *s)
{
    static const struct field fields[] = {
        ELSEWHERE("facts"),
        WORDS(struct provider_section, "sources", sources, source_count),
        TEXT(struct provider_section, evidence),
    };
    const struct yaml_node *map = NULL, *facts = NULL;

    if (yaml_node_of(provider, key, YAML_MAP, &map, r->e) < 0)
        return -1;
    if (!map)
        return 0;
    if (read_fields(r, map, fields, ARRAY_SIZE(fields), s) < 0 ||
        yaml_node_of(map, "facts", YAML_MAP, &facts, r->e) < 0)
        return -1;
    if (!facts)
        return 0;
    s->facts = provider_memory_take(r->memory, facts->count, sizeof(*s->facts));
    for (const struct yaml_node *n = facts->children; n; n = n->next) {
        if (n->kind != YAML_SCALAR)
            return yaml_error(n, r->e, "'%s' must be a text", n->key);
        s->facts[s->count++] =
            (struct provider_text){.key = n->key, .text = yaml_is_null(n) ? NULL : n->text};
    }
    return 0;
}

static int read_clouds(struct reading *r, const struct yaml_node *map, struct provider *p)
{
    static const struct field fields[] = {
        TEXT(struct provider_cloud, id),
        TEXT(struct provider_cloud, country),
        TEXT(struct provider_cloud, suffix),
    };
    const struct yaml_node *list = NULL;

    if (yaml_node_of(map, "clouds", YAML_LIST, &list, r->e) < 0)
        return -1;
    if (!list)
        return 0;
    p->clouds = provider_memory_take(r->memory, list->count, sizeof(*p->clouds));
    for (const struct yaml_node *n = list->children; n; n = n->next)
        if (read_fields(r, n, fields, ARRAY_SIZE(fields), &p->clouds[p->cloud_count++]) < 0)
            return -1;
    return 0;
}

static int read_company(struct reading *r, const struct yaml_node *provider, struct provider *p)
{
#define COMPANY(member)                                                  \
    {                                                                    \
#member, KIND_TEXT, offsetof(struct provider, company.member), 0 \
    }
    static const struct field company[] = {
        COMPANY(entity),   COMPANY(country),
        COMPANY(parent),   COMPANY(parent_country),
        COMPANY(exposure), COMPANY(evidence),
        COMPANY(note),     WORDS(struct provider, "sources", company.sources, company.source_count),
    };
    static const struct field tender[] = {
        {"won", KIND_FACT, offsetof(struct provider, tender_2026.won), 0},
        {"role", KIND_TEXT, offsetof(struct provider, tender_2026.role), 0},
        {"evidence", KIND_TEXT, offsetof(struct provider, tender_2026.evidence), 0},
        WORDS(struct provider, "sources", tender_2026.sources, tender_2026.source_count),
    };
    const struct yaml_node *map = NULL;

    if (yaml_node_of(provider, "company", YAML_MAP, &map, r->e) < 0 ||
        (map && read_fields(r, map, company, ARRAY_SIZE(company), p) < 0))
        return -1;
    map = NULL;
    if (yaml_node_of(provider, "tender_2026", YAML_MAP, &map, r->e) < 0)
        return -1;
    return map ? read_fields(r, map, tender, ARRAY_SIZE(tender), p) : 0;
}

static int read_provider(struct reading *r, const struct yaml_node *map, struct provider *p)
{
    static const struct field fields[] = {
        TEXT(struct provider, name),
        TEXT(struct provider, technology),
        TEXT(struct provider, seca),
        TEXT(struct provider, exit),
        TEXT(struct provider, timeline),
        TEXT(struct provider, sovereign_offer),
        ELSEWHERE("roles"),
        ELSEWHERE("company"),
        ELSEWHERE("tender_2026"),
        ELSEWHERE("storage"),
        ELSEWHERE("control_api"),
        ELSEWHERE("services"),
        ELSEWHERE("certifications"),
        ELSEWHERE("clouds"),
    };

    p->id = map->key;
    if (read_fields(r, map, fields, ARRAY_SIZE(fields), p) < 0 ||
        read_bits(r, map, "roles", role_word, 2, &p->roles) < 0 || read_company(r, map, p) < 0 ||
        read_offers(r, map, p) < 0 || read_section(r, map, "control_api", &p->control_api) < 0 ||
        read_section(r, map, "services", &p->services) < 0 ||
        read_section(r, map, "certifications", &p->certifications) < 0 ||
        read_clouds(r, map, p) < 0)
        return -1;
    if (!p->name || !p->roles)
        return yaml_error(map, r->e, "a provider needs 'name' and 'roles'");
    return 0;
}

static int read_sources(struct reading *r, const struct yaml_node *root)
{
    static const struct field fields[] = {
        TEXT(struct provider_source, ref),
        TEXT(struct provider_source, date),
    };
    struct provider_catalogue *c = r->catalogue;
    const struct yaml_node *map = NULL;

    if (yaml_node_of(root, "sources", YAML_MAP, &map, r->e) < 0)
        return -1;
    if (!map)
        return 0;
    c->sources = provider_memory_take(r->memory, map->count, sizeof(*c->sources));
    for (const struct yaml_node *n = map->children; n; n = n->next) {
        struct provider_source *source = &c->sources[c->source_count++];
        source->id = n->key;
        if (read_fields(r, n, fields, ARRAY_SIZE(fields), source) < 0)
            return -1;
    }
    return 0;
}

int provider_read(struct provider_catalogue *catalogue, struct err *e)
{
    static const char *const keys[] = {"version", "as_of", "sources", "providers"};
    const struct yaml_node *root = catalogue->memory->tree, *map = NULL;
    struct reading r = {.memory = catalogue->memory, .catalogue = catalogue, .e = e};
    uint64_t version = 0;

    if (yaml_check_keys(root, keys, ARRAY_SIZE(keys), e) < 0 ||
        yaml_uint(root, "version", &version, e) < 0 ||
        yaml_text(root, "as_of", &catalogue->as_of, e) < 0)
        return -1;
    if (version != 1)
        return yaml_error(root, e, "catalogue version 1 is wanted here");
    if (read_sources(&r, root) < 0 || yaml_node_of(root, "providers", YAML_MAP, &map, e) < 0)
        return -1;
    if (!map)
        return yaml_error(root, e, "'providers' is missing");
    catalogue->providers =
        provider_memory_take(r.memory, map->count, sizeof(*catalogue->providers));
    for (const struct yaml_node *n = map->children; n; n = n->next)
        if (read_provider(&r, n, &catalogue->providers[catalogue->count++]) < 0)
            return -1;
    return 0;
}

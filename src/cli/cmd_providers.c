// SPDX-License-Identifier: EUPL-1.2
/* bascule providers: what the catalogue says, in short or about one. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "codec/size.h"
#include "store/provider.h"

static const char *known(const char *text)
{
    return text ? text : "not known";
}

static void print_short(const struct provider *p)
{
    char protocols[96] = "";

    for (size_t i = 0; i < p->offer_count; i++)
        for (int bit = 0; bit < 7; bit++) {
            const char *word = provider_protocol_word((enum provider_protocol)(1 << bit));
            if (!(p->offers[i].protocols & (1U << bit)) || strstr(protocols, word))
                continue;
            size_t length = strlen(protocols);
            (void)snprintf(protocols + length, sizeof(protocols) - length, "%s%s",
                           length ? "," : "", word);
        }
    printf("%-16s %-28s %-4s %-22s %s\n", p->id, p->name, known(p->company.country), protocols,
           p->tender_2026.won == FACT_YES ? "EU tender 2026" : "");
}

static void print_section(const char *title, const struct provider_section *s)
{
    if (s->count)
        printf("\n%s\n", title);
    for (size_t i = 0; i < s->count; i++)
        printf("  %s: %s\n", s->facts[i].key, known(s->facts[i].text));
}

static void print_limit(const char *word, uint64_t value, bool bytes)
{
    char text[SIZE_TEXT];

    if (!value)
        return;
    if (bytes)
        size_text(text, sizeof(text), value);
    else
        (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    printf("    %s: %s\n", word, text);
}

static void print_price(const char *word, double eur, const char *unit)
{
    if (isnan(eur))
        printf("    %s: not known\n", word);
    else
        printf("    %s: %.4f EUR%s\n", word, eur, unit);
}

static void print_features(const struct provider_s3 *s3)
{
    static const char *const words[] = {[FACT_YES] = "yes", [FACT_NO] = "no"};

    for (int answer = FACT_YES; answer >= FACT_NO; answer--) {
        bool first = true;
        for (int f = 0; f < FEATURE_COUNT; f++) {
            if (s3->features[f] != (enum fact)answer)
                continue;
            printf("%s%s", first ? "    " : ", ", provider_feature_word((enum provider_feature)f));
            if (first)
                first = false;
        }
        if (!first)
            printf(": %s\n", words[answer]);
    }
    for (int q = 0; q < QUIRK_COUNT; q++)
        if (provider_has_quirk(s3, (enum provider_quirk)q))
            printf("    quirk: %s\n", provider_quirk_word((enum provider_quirk)q));
}

static void print_offer(const struct provider_offer *o)
{
    printf("\n%s\n", o->product);
    if (o->endpoint)
        printf("  endpoint: %s\n", o->endpoint);
    for (size_t i = 0; i < o->region_count; i++) {
        const struct provider_region *r = &o->regions[i];
        printf("  region %s: %s, %s%s\n", r->id, known(r->place), known(r->country),
               r->eu ? "" : " (outside the EU)");
    }
    printf("  limits\n");
    print_limit("one request", o->s3.limits.put_max, true);
    print_limit("parts", o->s3.limits.parts_max, false);
    print_limit("smallest part", o->s3.limits.part_min, true);
    print_limit("largest part", o->s3.limits.part_max, true);
    print_limit("largest object", o->s3.limits.object_max, true);
    printf("  features\n");
    print_features(&o->s3);
    printf("  prices, without VAT (%s)\n", known(o->prices.date));
    for (size_t i = 0; i < o->prices.storage_count; i++)
        print_price(o->prices.storage[i].class, o->prices.storage[i].per_gb_month,
                    " per GB and month");
    print_price("egress", o->prices.egress_gb, " per GB");
    for (size_t i = 0; i < o->note_count; i++)
        printf("  note: %s\n", o->notes[i]);
    if (o->exit)
        printf("  leaving: %s\n", o->exit);
}

static void print_whole(const struct provider_catalogue *catalogue, const struct provider *p)
{
    printf("%s (%s)\n", p->name, p->id);
    printf("  company: %s, %s\n", known(p->company.entity), known(p->company.country));
    printf("  ultimate parent: %s, %s\n", known(p->company.parent),
           known(p->company.parent_country));
    if (p->company.exposure)
        printf("  exposure to other law: %s\n", p->company.exposure);
    for (size_t i = 0; i < p->offer_count; i++)
        print_offer(&p->offers[i]);
    print_section("Certifications", &p->certifications);
    print_section("Other services", &p->services);
    printf("\nCatalogue of %s; what is not known is not guessed. Sources:\n", catalogue->as_of);
    for (size_t i = 0; i < p->offer_count; i++)
        for (size_t k = 0; k < p->offers[i].source_count; k++) {
            const struct provider_source *s =
                provider_source_find(catalogue, p->offers[i].sources[k]);
            if (s)
                printf("  %s (%s)\n", s->ref, known(s->date));
        }
}

static json_t *limits_json(const struct provider_limits *l)
{
    const struct {
        const char *word;
        uint64_t value;
    } limits[] = {
        {"put_max", l->put_max},   {"parts_max", l->parts_max},   {"part_min", l->part_min},
        {"part_max", l->part_max}, {"object_max", l->object_max},
    };
    json_t *json = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
        if (limits[i].value)
            (void)json_object_set_new(json, limits[i].word,
                                      json_integer((json_int_t)limits[i].value));
    return json;
}

static json_t *regions_json(const struct provider_offer *o)
{
    json_t *regions = json_array();

    for (size_t k = 0; k < o->region_count; k++)
        (void)json_array_append_new(regions,
                                    json_pack("{s:s,s:s*,s:s*,s:b}", "id", o->regions[k].id,
                                              "endpoint", o->regions[k].endpoint, "country",
                                              o->regions[k].country, "eu", o->regions[k].eu));
    return regions;
}

/* What is not known is left out. */
static json_t *offer_json(const struct provider_offer *o)
{
    json_t *json = json_pack("{s:s*,s:s*,s:o,s:o}", "product", o->product, "endpoint", o->endpoint,
                             "regions", regions_json(o), "limits", limits_json(&o->s3.limits));
    json_t *features = json_object();
    json_t *quirks = json_array();

    for (int f = 0; f < FEATURE_COUNT; f++)
        if (o->s3.features[f] != FACT_UNKNOWN)
            (void)json_object_set_new(features, provider_feature_word((enum provider_feature)f),
                                      json_boolean(o->s3.features[f] == FACT_YES));
    for (int q = 0; q < QUIRK_COUNT; q++)
        if (provider_has_quirk(&o->s3, (enum provider_quirk)q))
            (void)json_array_append_new(quirks,
                                        json_string(provider_quirk_word((enum provider_quirk)q)));
    (void)json_object_set_new(json, "features", features);
    (void)json_object_set_new(json, "quirks", quirks);
    if (!isnan(o->prices.egress_gb))
        (void)json_object_set_new(json, "egress_eur_gb", json_real(o->prices.egress_gb));
    return json;
}

static void print_json(const struct provider *p)
{
    json_t *json = json_pack("{s:s,s:s,s:s*,s:s*,s:b}", "id", p->id, "name", p->name, "country",
                             p->company.country, "parent_country", p->company.parent_country,
                             "eu_tender_2026", p->tender_2026.won == FACT_YES);
    json_t *offers = json_array();

    for (size_t i = 0; i < p->offer_count; i++)
        (void)json_array_append_new(offers, offer_json(&p->offers[i]));
    (void)json_object_set_new(json, "offers", offers);
    say_json(json);
}

static int run(const char *id, bool json, struct err *e)
{
    auto_catalogue struct provider_catalogue *catalogue = NULL;

    if (provider_catalogue_load(NULL, &catalogue, e) < 0)
        return -1;
    if (id) {
        const struct provider *p = provider_find(catalogue, id, e);
        if (!p)
            return -1;
        if (json)
            print_json(p);
        else
            print_whole(catalogue, p);
        return EXIT_OK;
    }
    for (size_t i = 0; i < catalogue->count; i++) {
        if (json)
            print_json(&catalogue->providers[i]);
        else
            print_short(&catalogue->providers[i]);
    }
    return EXIT_OK;
}

static int command_run(const struct command *self, int argc, char **argv)
{
    const char *id = NULL;
    bool json = false;
    int count = 0;
    struct err e = {0};
    const struct option_spec specs[] = {
        {"json", 0, OPTION_FLAG, &json, NULL, "print JSON for programs"},
    };
    int code = options_parse(self, NULL, specs, ARRAY_SIZE(specs), argc, argv, &id, 1, &count, &e);

    if (code > 0)
        return EXIT_OK;
    if (code == 0)
        code = run(count ? id : NULL, json, &e);
    return command_end(code, &e);
}

const struct command command_providers = {
    .name = "providers",
    .arguments = "[NAME]",
    .summary = "Say what the catalogue knows of providers",
    .run = command_run,
};

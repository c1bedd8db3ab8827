// SPDX-License-Identifier: EUPL-1.2
/* The provider catalogue: the shipped file, and files with faults. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include "config.h"
#include "store/provider.h"

static struct provider_catalogue *shipped(void)
{
    struct provider_catalogue *c = NULL;
    struct err e = {0};

    assert_ok(provider_catalogue_load(BASCULE_SOURCE_SHARE "/providers.yaml", &c, &e), &e);
    return c;
}

static void check_sources(const struct provider_catalogue *c, const char *const *sources, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!provider_source_find(c, sources[i]))
            fail_msg("source '%s' is not in the list of sources", sources[i]);
}

static void check_evidence(const char *id, const char *evidence)
{
    if (evidence && (strlen(evidence) != 1 || !strchr("ABC", *evidence)))
        fail_msg("%s: evidence '%s' is none of A, B, C", id, evidence);
}

static void check_offer(const struct provider_catalogue *c, const struct provider *p,
                        const struct provider_offer *o)
{
    struct err e = {0};

    check_sources(c, o->sources, o->source_count);
    check_sources(c, o->prices.sources, o->prices.source_count);
    check_evidence(p->id, o->evidence);
    check_evidence(p->id, o->prices.evidence);
    assert_true(o->source_count > 0 && o->evidence);
    const struct provider_limits *l = &o->s3.limits;
    if (l->part_max && l->part_min)
        assert_true(l->part_min < l->part_max);
    if (l->object_max && l->put_max)
        assert_true(l->put_max <= l->object_max);
    for (size_t i = 0; i < o->region_count; i++) {
        check_evidence(p->id, o->regions[i].evidence);
        if (!(o->protocols & PROTOCOL_S3))
            continue;
        struct provider_endpoint endpoint = {0};
        assert_ok(provider_s3_endpoint(p, o->regions[i].id, &endpoint, &e), &e);
        assert_memory_equal(endpoint.url, "https://", 8);
        assert_null(strpbrk(endpoint.url + 8, "/{} "));
        assert_ptr_equal(endpoint.region, &o->regions[i]);
        assert_string_not_equal(endpoint.signing_region, "");
    }
}

static void test_shipped_catalogue_is_whole(void **state)
{
    (void)state;
    auto_catalogue struct provider_catalogue *c = shipped();

    assert_true(c->count >= 20);
    assert_non_null(c->as_of);
    for (size_t i = 0; i < c->count; i++) {
        const struct provider *p = &c->providers[i];
        assert_true(p->offer_count > 0);
        check_evidence(p->id, p->company.evidence);
        check_sources(c, p->company.sources, p->company.source_count);
        check_sources(c, p->tender_2026.sources, p->tender_2026.source_count);
        check_sources(c, p->services.sources, p->services.source_count);
        check_sources(c, p->certifications.sources, p->certifications.source_count);
        check_sources(c, p->control_api.sources, p->control_api.source_count);
        for (size_t j = 0; j < p->offer_count; j++)
            check_offer(c, p, &p->offers[j]);
    }
}

static struct provider_endpoint endpoint_of(const struct provider_catalogue *c, const char *id,
                                            const char *region)
{
    struct err e = {0};
    struct provider_endpoint endpoint = {0};
    const struct provider *p = provider_find(c, id, &e);

    assert_non_null(p);
    assert_ok(provider_s3_endpoint(p, region, &endpoint, &e), &e);
    return endpoint;
}

static void test_four_of_the_mission(void **state)
{
    (void)state;
    auto_catalogue struct provider_catalogue *c = shipped();
    struct provider_endpoint ovh = endpoint_of(c, "ovhcloud", "gra");

    assert_string_equal(ovh.url, "https://s3.gra.io.cloud.ovh.net");
    assert_string_equal(ovh.signing_region, "gra");
    assert_true(ovh.virtual_host && ovh.signing_region_known);
    assert_true(provider_has_quirk(ovh.s3, QUIRK_BUCKET_PUNCTUATION_RUNS));
    assert_true(provider_has_quirk(ovh.s3, QUIRK_CHECKSUM_TRAILERS_REFUSED));
    assert_int_equal(ovh.s3->features[FEATURE_CONDITIONAL_WRITES], FACT_UNKNOWN);
    assert_int_equal(ovh.s3->limits.parts_max, 10000);
    assert_string_equal(ovh.region->country, "FR");
    assert_true(ovh.region->eu);

    struct provider_endpoint scaleway = endpoint_of(c, "scaleway", "nl-ams");
    assert_int_equal(scaleway.s3->limits.parts_max, 1000);
    assert_int_equal(scaleway.s3->features[FEATURE_VERSIONING], FACT_YES);

    /* The signing region is data: this host does not tell it. */
    struct provider_endpoint ionos = endpoint_of(c, "ionos", "eu-central-1");
    assert_string_equal(ionos.url, "https://s3.eu-central-1.ionoscloud.com");
    assert_string_equal(ionos.signing_region, "de");
    assert_false(ionos.virtual_host);
    assert_true(provider_has_quirk(ionos.s3, QUIRK_LIST_URL_ENCODING_OFF));
    assert_int_equal(ionos.s3->limits.parts_max, 0);

    struct provider_endpoint aruba = endpoint_of(c, "aruba", "r1-it");
    assert_string_equal(aruba.signing_region, "us-east-1");
    assert_false(aruba.signing_region_known);
}

static void test_patterns_and_sole_regions(void **state)
{
    (void)state;
    auto_catalogue struct provider_catalogue *c = shipped();
    struct err e = {0};
    struct provider_endpoint endpoint;

    assert_string_equal(endpoint_of(c, "aws", "eu-west-3").url,
                        "https://s3.eu-west-3.amazonaws.com");
    assert_string_equal(endpoint_of(c, "clevercloud", NULL).url,
                        "https://cellar-c2.services.clever-cloud.com");
    const struct provider *p = provider_find(c, "aws", &e);
    assert_int_equal(provider_s3_endpoint(p, "x.evil.example/", &endpoint, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    p = provider_find(c, "upcloud", &e);
    assert_int_equal(provider_s3_endpoint(p, NULL, &endpoint, &e), -1);
    assert_non_null(strstr(e.text, "endpoint"));
    p = provider_find(c, "bleu", &e);
    assert_int_equal(provider_s3_endpoint(p, NULL, &endpoint, &e), -1);
    assert_non_null(strstr(e.text, "no S3"));
}

static void test_prices_and_texts(void **state)
{
    (void)state;
    auto_catalogue struct provider_catalogue *c = shipped();
    struct err e = {0};
    const struct provider *p = provider_find(c, "scaleway", &e);
    const struct provider_prices *prices = &provider_offer_for(p, PROTOCOL_S3)->prices;

    assert_true(fabs(prices->egress_gb - 0.01) < 1e-9);
    assert_true(fabs(prices->egress_free_gb_month - 75) < 1e-9);
    assert_int_equal(prices->storage_count, 3);
    assert_string_equal(prices->date, "2025-04-02");
    p = provider_find(c, "aruba", &e);
    prices = &provider_offer_for(p, PROTOCOL_S3)->prices;
    assert_true(isnan(prices->egress_gb) && prices->storage_count == 0);
    p = provider_find(c, "ovhcloud", &e);
    assert_string_equal(p->company.country, "FR");
    assert_string_equal(p->certifications.facts[0].key, "secnumcloud_3_2");
    assert_string_equal(provider_offer_for(p, PROTOCOL_SWIFT)->auth_url,
                        "https://auth.cloud.ovh.net/v3");
}

static void test_nearest_names(void **state)
{
    (void)state;
    auto_catalogue struct provider_catalogue *c = shipped();
    struct err e = {0};
    struct provider_endpoint endpoint;

    assert_null(provider_find(c, "scalway", &e));
    assert_int_equal(e.code, ERR_INVALID);
    assert_non_null(strstr(e.text, "'scaleway'"));
    assert_null(provider_find(c, "zzzzzzzzzzzz", &e));
    const struct provider *p = provider_find(c, "ovhcloud", &e);
    assert_int_equal(provider_s3_endpoint(p, "graa", &endpoint, &e), -1);
    assert_non_null(strstr(e.text, "did you mean 'gra'"));
    assert_int_equal(provider_s3_endpoint(p, NULL, &endpoint, &e), -1);
    assert_non_null(strstr(e.text, "needs a region"));
}

#define HEAD  "version: 1\nproviders:\n  x:\n    name: X\n    roles: [target]\n"
#define OFFER HEAD "    storage:\n      - product: P\n        protocols: [s3]\n"

static void test_faults_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } faults[] = {
        {"version: 2\nproviders: {}\n", "version 1"},
        {"version: 1\n", "providers"},
        {"version: 1\nprovider: {}\n", "providers"},
        {HEAD "    nmae: Y\n", "f:6:5: "},
        {HEAD "    roels: [target]\n", "roles"},
        {"version: 1\nproviders:\n  x:\n    name: X\n    roles: [targit]\n", "targit"},
        {OFFER "        quirks: {list_v1_onyl: true}\n", "list_v1_onyl"},
        {OFFER "        features: {cros: true}\n", "cros"},
        {OFFER "        features: {cors: sometimes}\n", "cors"},
        {OFFER "        limits: {parts_max: many}\n", "parts_max"},
        {OFFER "        limits: {parts_mxa: 1}\n", "parts_max"},
        {OFFER "        prices: {egress_gb: cheap}\n", "egress_gb"},
        {OFFER "        prices: {egress_gb: -1}\n", "egress_gb"},
        {OFFER "        addressing: {default: dns}\n", "virtual-host"},
        {OFFER "        regions: [{id: a}]\n", "endpoint"},
        {OFFER "        regions: [{id: a, endpoint: b, coutnry: FR}]\n", "country"},
        {OFFER "        regions: {id: a}\n", "regions"},
        {HEAD "    storage: [{product: P}]\n", "protocols"},
        {HEAD "    services: {facts: {a: [1]}}\n", "text"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        struct provider_catalogue *c = NULL;
        struct err e = {0};
        if (provider_catalogue_parse("f", faults[i].text, strlen(faults[i].text), &c, &e) == 0)
            fail_msg("taken: %s", faults[i].text);
        assert_null(c);
        assert_int_equal(e.code, ERR_INVALID);
        if (!strstr(e.text, faults[i].says))
            fail_msg("'%s' does not say '%s'", e.text, faults[i].says);
    }
    auto_catalogue struct provider_catalogue *c = NULL;
    struct err e = {0};
    assert_ok(provider_catalogue_parse("f", OFFER, strlen(OFFER), &c, &e), &e);
}

static void test_search_path(void **state)
{
    (void)state;
    struct err e = {0};

    assert_int_equal(setenv("BASCULE_SHARE", "/nonexistent", 1), 0);
    struct provider_catalogue *c = NULL;
    assert_int_equal(provider_catalogue_load(NULL, &c, &e), -1);
    assert_non_null(strstr(e.text, "/nonexistent/providers.yaml"));
    assert_int_equal(setenv("BASCULE_SHARE", BASCULE_SOURCE_SHARE, 1), 0);
    assert_ok(provider_catalogue_load(NULL, &c, &e), &e);
    provider_catalogue_free(c);
    c = NULL;
    assert_int_equal(unsetenv("BASCULE_SHARE"), 0);
    assert_ok(provider_catalogue_load(NULL, &c, &e), &e);
    provider_catalogue_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_catalogue_is_whole),
        cmocka_unit_test(test_four_of_the_mission),
        cmocka_unit_test(test_patterns_and_sole_regions),
        cmocka_unit_test(test_prices_and_texts),
        cmocka_unit_test(test_nearest_names),
        cmocka_unit_test(test_faults_are_refused),
        cmocka_unit_test(test_search_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: EUPL-1.2
/* Shared access signatures: what Microsoft's own library made must verify, ours must verify, what
 * was tampered with must not; and what is said of one that cannot serve. */
#include "unit.h"

#include "auth/sas.h"
#include "codec/date.h"

/* The emulator's well-known key: no secret. */
#define KEY \
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

/* Made by azure-storage-blob 12.1.0, 12.9.0, 12.24.0 and 12.31.1 for account "acct" with KEY. */
static const struct {
    const char *query, *container, *blob;
} vectors[] = {
    {"st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sp=rl&sip=203.0.113.1&spr=https&sv="
     "2026-10-06&ss=b&srt=sco&sig=M8vuf3Ea283g%2BxLHVusgMNv4CAncOUfe7ewrGaUYFZ8%3D",
     NULL, NULL},
    {"sv=2026-10-06&si=pol&sr=c&sig=OBtQUw4aAU0EdcvpSe/uJyZwfvEs7KULJycq3z2rW/s%3D", "cont", NULL},
    {"st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2026-10-06&sr=b&rscd="
     "attachment%3B%20filename%3Dx&rsct=text/"
     "plain&sig=3UWUxs36N4my7w6XAirO%2B0973KcOhc1ryAzQMMYoOoM%3D",
     "cont", "dir/ä b.txt"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2026-10-06&sr=bs&sig="
     "NbpcX2JNq4zvkCRK9epgEyD0vcCqAbASFANBG08KY1c%3D&snapshot=2026-01-01T00:00:00.0000000Z",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2026-10-06&sr=b&skoid=oid-1&sktid=tid-1&skt=2026-01-"
     "01T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sig=kMmJI%2Bmk1Xcz6/"
     "KvkFTBcWs9XmckVkUZkjhXjE12Tmg%3D",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=rl&sv=2026-10-06&sr=c&skoid=oid-1&sktid=tid-1&skt=2026-01-"
     "01T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sig=/"
     "eqlEPOLAoTrxIHLc%2Bl5vbDzOcOlLpaG5Awy04/TC%2Bo%3D",
     "cont", NULL},
    {"st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sp=rl&sip=203.0.113.1&spr=https&sv="
     "2025-01-05&ss=b&srt=sco&sig=SOU20LJbeBSwbNxrlvLUIqYKtApw8jhDHOYgTRC42IY%3D",
     NULL, NULL},
    {"sv=2025-01-05&si=pol&sr=c&sig=Bj7CgesYlGaW3iSNHmP4Pei6ayv6oD3w1LOi1mCMUe0%3D", "cont", NULL},
    {"st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2025-01-05&sr=b&rscd="
     "attachment%3B%20filename%3Dx&rsct=text/"
     "plain&sig=CfaddOtRx2W%2B5zaw680auvthjwlQTdPTFVNuP9fk9is%3D",
     "cont", "dir/ä b.txt"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2025-01-05&sr=bs&sig=uetnaL/Geh/KqL4OxRsZp/W2/"
     "GuW2TAmxxXdU9H8gvw%3D&snapshot=2026-01-01T00:00:00.0000000Z",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2025-01-05&sr=b&skoid=oid-1&sktid=tid-1&skt=2026-01-"
     "01T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sig=MjZLvPG%2BiqXp2lic%"
     "2BvMTm%2BlDE9YMjiwgcKx3zAzT6uM%3D",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=rl&sv=2025-01-05&sr=c&skoid=oid-1&sktid=tid-1&skt=2026-01-"
     "01T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sig="
     "55bsYoq10ilDhCrJpOUClP/4mzfNMiWR/Z0t/hfQSVc%3D",
     "cont", NULL},
    {"st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sp=rl&sip=203.0.113.1&spr=https&sv="
     "2019-02-02&ss=b&srt=sco&sig=AaxuoB3Cg6Z7jjkT92pvK0e4e4gF6RF36LoUbhlymPU%3D",
     NULL, NULL},
    {"sv=2019-02-02&si=pol&sr=c&sig=iC4KNdP/rOe4rtrXH9sTTKuWzZKJiRBVFuYz4ufWzF4%3D", "cont", NULL},
    {"st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2019-02-02&sr=b&rscd="
     "attachment%3B%20filename%3Dx&rsct=text/plain&sig=m/"
     "h%2B1iDxGs2QbcRWkhxpogShEF8Vel81NTU5Qg6eXFY%3D",
     "cont", "dir/ä b.txt"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2019-02-02&sr=bs&sig=pnh3BVbw73DYYvohZ2f%"
     "2BOQuCKON03YXnWTarZZxX5Hc%3D&snapshot=2026-01-01T00:00:00.0000000Z",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2019-02-02&sr=b&skoid=oid-1&sktid=tid-1&skt=2026-01-"
     "01T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sig="
     "QarkJez0WbVWrakMowHaCOe1obiISgbBmgTlA/BdFxE%3D",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=rl&sv=2019-02-02&sr=c&skoid=oid-1&sktid=tid-1&skt=2026-01-"
     "01T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sig="
     "6njkc3PTpQGcwHZEhsYkYdDAXud0e2M5kW7IZdc4bhg%3D",
     "cont", NULL},
    {"st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sp=rl&sip=203.0.113.1&spr=https&sv="
     "2020-10-02&ss=b&srt=sco&sig=SNFNmU0JccArpuUdRIZPtxQymzTWdyt0RIyK7B3AF5U%3D",
     NULL, NULL},
    {"sv=2020-10-02&si=pol&sr=c&sig=lxUipuZvQYTv6y0lfBpD7ksgJ%2BmVHRgj06T/0S/MeNE%3D", "cont",
     NULL},
    {"st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sp=rt&sv=2020-10-02&sr=b&rscd="
     "attachment%3B%20filename%3Dx&rsct=text/"
     "plain&sig=cWsuhWcEYZvtNiXDKfaDgp8qrVUnYqrh7p9RnShLK5M%3D",
     "cont", "dir/ä b.txt"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2020-10-02&sr=bs&sig="
     "3kZOYD14L027lFZpZ9REVJCbVabtEarr2wGDwItQ%2BVY%3D&snapshot=2026-01-01T00:00:00.0000000Z",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2020-10-02&sr=b&skoid=oid-1&sktid=tid-1&skt=2026-01-"
     "01T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sig=Wy%"
     "2BskoSSf0VcH5vhZ6m89E5tf9cSwV3qjrWdpTuGsT0%3D",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=rl&sv=2020-10-02&sr=c&skoid=oid-1&sktid=tid-1&skt=2026-01-"
     "01T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sig=5pclHKg66JxnQ%"
     "2Baal9lpJKzh3tDfgsOd/JDtreFqkUA%3D",
     "cont", NULL},
};

static void set_key(struct secret *key)
{
    struct err e = {0};

    assert_ok(secret_from_base64(key, KEY, &e), &e);
}

static void test_vectors(void **state)
{
    (void)state;
    auto_secret struct secret key = SECRET_INIT;
    struct err e = {0};

    set_key(&key);
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        auto_sas struct sas s = SAS_INIT;
        struct sas_resource resource = {"acct", vectors[i].container, vectors[i].blob};
        assert_ok(sas_parse(vectors[i].query, &s, &e), &e);
        if (sas_verify(&s, &resource, &key, &e) < 0)
            fail_msg("vector %zu (%s): %s", i, sas_field(&s, "sv"), e.text);
        resource.account = "acct2";
        assert_int_equal(sas_verify(&s, &resource, &key, &e), -1);
        assert_int_equal(e.code, ERR_UNKNOWN_WHO);
    }
}

/* Every signed field counts. */
static void test_tampering(void **state)
{
    (void)state;
    auto_secret struct secret key = SECRET_INIT;
    struct err e = {0};

    set_key(&key);
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        struct sas_resource resource = {"acct", vectors[i].container, vectors[i].blob};
        auto_sas struct sas s = SAS_INIT;
        assert_ok(sas_parse(vectors[i].query, &s, &e), &e);
        for (size_t n = 0; n < s.fields.count; n++) {
            auto_free char *before = xstrdup(s.fields.list[n].value);
            if (!strcmp(s.fields.list[n].key, "sv"))
                continue; /* may name another layout with the same text */
            replace_string(&s.fields.list[n].value, "c");
            if (strcmp(before, "c") != 0 && sas_verify(&s, &resource, &key, &e) == 0)
                fail_msg("vector %zu: %s may be changed", i, s.fields.list[n].key);
            replace_string(&s.fields.list[n].value, before);
        }
        if (!resource.blob)
            continue;
        resource.blob = "other";
        assert_int_equal(sas_verify(&s, &resource, &key, &e), -1);
        resource.blob = NULL;
        assert_int_equal(sas_verify(&s, &resource, &key, &e), -1);
    }
}

static int64_t at(const char *text)
{
    int64_t time = 0;
    struct err e = {0};

    assert_ok(date_parse_iso8601(text, &time, &e), &e);
    return time;
}

static void test_create(void **state)
{
    (void)state;
    auto_secret struct secret key = SECRET_INIT;
    auto_pairs struct pairs delegation = PAIRS_INIT;
    struct err e = {0};
    struct sas_resource blob = {"acct", "c", "a b/ü&=+"}, account = {"acct", NULL, NULL};
    static const char *const versions[] = {"2015-04-05", "2018-11-09", "2020-02-10",
                                           "2020-12-06", "2025-07-05", NULL};

    set_key(&key);
    pairs_add(&delegation, "skoid", "o");
    pairs_add(&delegation, "sktid", "t");
    pairs_add(&delegation, "skt", "2026-01-01T00:00:00Z");
    pairs_add(&delegation, "ske", "2026-01-02T00:00:00Z");
    pairs_add(&delegation, "sks", "b");
    pairs_add(&delegation, "skv", "2022-11-02");
    for (size_t i = 0; i < 3 * ARRAY_SIZE(versions); i++) {
        auto_buf struct buf query = BUF_INIT(8192);
        auto_sas struct sas s = SAS_INIT;
        enum sas_kind kind = (enum sas_kind)(i % 3);
        struct sas_wish wish = {.version = versions[i / 3],
                                .permissions = "rl",
                                .starts = TIME_UNKNOWN,
                                .expires = at("2027-01-01T00:00:00Z"),
                                .protocol = "https",
                                .services = kind == SAS_ACCOUNT ? "b" : NULL,
                                .resource_types = kind == SAS_ACCOUNT ? "sco" : NULL,
                                .delegation = kind == SAS_DELEGATION ? &delegation : NULL};
        struct sas_resource *resource = kind == SAS_ACCOUNT ? &account : &blob;
        assert_ok(sas_create(&wish, resource, &key, &query, &e), &e);
        assert_ok(sas_parse(query.data, &s, &e), &e);
        assert_int_equal(s.kind, kind);
        assert_ok(sas_verify(&s, resource, &key, &e), &e);
        assert_ok(sas_check(&s, at("2026-06-01T00:00:00Z"), 'r', &e), &e);
    }
    auto_buf struct buf query = BUF_INIT(8192);
    struct sas_wish never = {.permissions = "r", .starts = TIME_UNKNOWN, .expires = TIME_UNKNOWN};
    assert_int_equal(sas_create(&never, &blob, &key, &query, &e), -1);
    assert_int_equal(query.length, 0);
}

static void expect_judgement(const char *query, const char *now, char permission,
                             enum err_code code, const char *text)
{
    auto_sas struct sas s = SAS_INIT;
    struct err e = {0};

    assert_ok(sas_parse(query, &s, &e), &e);
    int result = sas_check(&s, at(now), permission, &e);
    assert_int_equal(result, code ? -1 : 0);
    if (code && (e.code != code || !strstr(e.text, text)))
        fail_msg("expected '%s', got %s '%s'", text, err_word(e.code), e.text);
    assert_null(strstr(e.text, "SECRET"));
}

static void test_judging(void **state)
{
    (void)state;
    static const char query[] = "?sv=2022-11-02&ss=bq&srt=co&sp=rl&st=2026-01-01T00%3A00Z&"
                                "se=2026-12-31&sig=SECRET&comp=list";

    expect_judgement(query, "2026-06-01", 'r', ERR_NONE, "");
    expect_judgement(query, "2026-06-01", 0, ERR_NONE, "");
    expect_judgement(query, "2026-12-31", 'r', ERR_UNKNOWN_WHO,
                     "the SAS expired at 2026-12-31T00:00:00Z: get a new one");
    expect_judgement(query, "2025-12-31", 'r', ERR_CLOCK, "only from 2026-01-01T00:00:00Z");
    expect_judgement(query, "2026-06-01", 'w', ERR_DENIED, "'rl', 'w' is wanted");
    expect_judgement("sv=2022-11-02&ss=qf&srt=sco&sp=r&se=2027-01-01&sig=SECRET", "2026-01-01", 'r',
                     ERR_DENIED, "not for blobs (ss=qf)");
    /* a stored policy may say the rest */
    expect_judgement("sv=2022-11-02&sr=c&si=policy&sig=SECRET", "2026-01-01", 'w', ERR_NONE, "");
    expect_judgement("sv=2022-11-02&sr=c&sp=r&se=9999-12-31T23:59:59Z&sig=SECRET", "2026-01-01",
                     'r', ERR_NONE, "");
}

static void test_directory(void **state)
{
    (void)state;
    auto_buf struct buf text = BUF_INIT(8192);
    auto_sas struct sas s = SAS_INIT;
    struct sas_resource resource = {"acct", "c", "a/b/d.txt"};
    struct err e = {0};

    assert_ok(sas_parse("sv=2020-02-10&sr=d&sdd=2&sp=r&se=2027-01-01&sig=x", &s, &e), &e);
    assert_ok(sas_string_to_sign(&text, &s, &resource, &e), &e);
    assert_non_null(strstr(text.data, "\n/blob/acct/c/a/b\n"));
    resource.blob = "a";
    buf_reset(&text);
    assert_int_equal(sas_string_to_sign(&text, &s, &resource, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
}

static void test_bad_input(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "",
        "?",
        "sig=SECRET",
        "sv=2022-11-02&ss=b&srt=sco&sp=r&se=2027-01-01",
        "sv=2022-11-02&ss=b&srt=sco&sp=r&sig=SECRET",
        "sv=2022-11-02&ss=b&srt=sco&sp=r&se=tomorrow&sig=SECRET",
        "sv=2022-11-02&ss=b&srt=sco&sp=r&se=2027-01-01&sig=SECRET&sp=rw",
        "sv=2022-11-02&ss=b&srt=sco&sp=r&se=2027-01-01&sig=SECRET&sig=SECRET2",
        "sv=latest&ss=b&srt=sco&sp=r&se=2027-01-01&sig=SECRET",
        "sv=2022-11-02&sp=r&se=2027-01-01&sig=SECRET",
        "sv=2022-11-02&sr=b&sp=r&se=2027-01-01&sig=%zz",
    };
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        struct sas s = SAS_INIT;
        if (sas_parse(queries[i], &s, &e) == 0)
            fail_msg("accepted %s", queries[i]);
        assert_int_equal(e.code, ERR_INVALID);
        assert_null(strstr(e.text, "SECRET"));
        assert_int_equal(s.fields.count, 0);
    }
    struct sas s = SAS_INIT;
    assert_int_equal(sas_parse("sv=2014-02-14&sr=b&sp=r&se=2027-01-01&sig=x", &s, &e), -1);
    assert_int_equal(e.code, ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),   cmocka_unit_test(test_tampering),
        cmocka_unit_test(test_create),    cmocka_unit_test(test_judging),
        cmocka_unit_test(test_directory), cmocka_unit_test(test_bad_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: EUPL-1.2
/* Shared access signatures: what Microsoft's own library made must verify, ours must verify, what
 * was tampered with must not; and what is said of one that cannot serve. */
#include "unit.h"

#include "auth/sas.h"
#include "codec/date.h"

/* The emulator's well-known key: no secret. */
#define KEY \
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

/* Made by azure-storage-blob 12.1.0, 12.9.0, 12.24.0, 12.26.0, 12.28.0 and 12.31.1 (Python)
 * and @azure/storage-blob 12.34.0 for account
 * "acct" with KEY. */
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
    {"st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sp=racwdxyltmeopi&sip=20"
     "3.0.113.1-203.0.113.9&spr=https&sv=2025-07-05&sr=b&rscc=cc&rscd=cd&rsce=ce&rscl="
     "cl&rsct=ct&ses=scope&scid=corr&skoid=oid-1&sktid=tid-1&skt=2026-01-01T00%3A00%3A"
     "00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sig=vyX1TqovcLMGVITwNntR1s"
     "nXZqvc2N%2BfFSKZGsd1vuA%3D",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2025-07-05&sr=bv&ses=scope&sig=is%2Bu89I/3Jx"
     "npTiaJc0vH47u7Mvjg08Cs5haZBUvcD4%3D&versionid=2026-01-01T00:00:00.0000000Z",
     "cont", "b"},
    {"st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sp=racwdxyltmeopi&sip=20"
     "3.0.113.1-203.0.113.9&spr=https&sv=2026-02-06&sr=b&rscc=cc&rscd=cd&rsce=ce&rscl="
     "cl&rsct=ct&ses=scope&scid=corr&skoid=oid-1&sktid=tid-1&skt=2026-01-01T00%3A00%3A"
     "00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sig=ZclKB981S6wWNJPmLU5eZs"
     "vHaR02a%2B%2BjAlQ8AqevT5I%3D",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2026-02-06&sr=bv&ses=scope&sig=hMXvpAMfcAMZ7"
     "kiqjhzgHLOGxjvnwj8bnaXSmNwJCxo%3D&versionid=2026-01-01T00:00:00.0000000Z",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=rl&sv=2026-02-06&sduoid=duoid&sr=c&skoid=oid-1&sk"
     "tid=tid-1&skt=2026-01-01T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=20"
     "22-11-02&sig=GkUo5YWszEipURv%2BPuTf4yDwKAYAFC75SQcO5aT%2Bc10%3D",
     "cont", NULL},
    {"st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sp=racwdxyltmeopi&sip=20"
     "3.0.113.1-203.0.113.9&spr=https&sv=2026-10-06&sr=b&rscc=cc&rscd=cd&rsce=ce&rscl="
     "cl&rsct=ct&ses=scope&scid=corr&skoid=oid-1&sktid=tid-1&skt=2026-01-01T00%3A00%3A"
     "00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sig=OITxUynY72oaMoTkAlp54i"
     "BYEAW1jjnksLA/vkr75Jw%3D",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2026-10-06&sr=bv&ses=scope&sig=HmTlTFAUYijwo"
     "ssa64QA2SYxKU5yR/YcAiJlRYpE8zs%3D&versionid=2026-01-01T00:00:00.0000000Z",
     "cont", "b"},
    {"se=2027-01-02T03%3A04%3A05Z&sp=rl&sv=2026-10-06&sduoid=duoid&sr=c&skoid=oid-1&sk"
     "tid=tid-1&skt=2026-01-01T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=20"
     "22-11-02&skdutid=dtid&sig=kDqktYUFAGmEnzWfEYsdGxj9Eagl3ePNwiECH1WF5kc%3D",
     "cont", NULL},
    {"sv=2026-10-06&ss=b&srt=sco&spr=https%2Chttp&st=2026-01-02T03%3A04%3A05Z&se=2027-"
     "01-02T03%3A04%3A05Z&sip=1.2.3.4-1.2.3.9&ses=scope&sp=rwdlacup&sig=7S8TC8cEORcjK"
     "%2B0fy8BSO9G279U21CYwJ%2FbbmWfaqDU%3D",
     NULL, NULL},
    {"sv=2026-10-06&st=2026-01-02T03%3A04%3A05Z&se=2027-01-02T03%3A04%3A05Z&sr=b&sp=ra"
     "cwd&rscc=cc&rsce=ce&rsct=ct&sig=ZTxACP6%2BjcAJRbsuiIQt1fNowVm7OJDKbgCHR8ejD94%3D",
     "cont", "dir/ä b.txt"},
    {"sv=2026-10-06&se=2027-01-02T03%3A04%3A05Z&sr=bv&sp=r&sig=vCuoIXfSxxY9ygVK0weNwP0"
     "WKGbKfeZl0GA1hULRNRk%3D&versionid=2026-01-01T00:00:00.0000000Z",
     "cont", "b"},
    {"sv=2026-10-06&se=2027-01-02T03%3A04%3A05Z&skoid=oid-1&sktid=tid-1&skt=2026-01-01"
     "T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sr=c&sp=rl&scid"
     "=corr&sig=yXNySYV6IFz8qPddpOTyb48FO2WrhuOzMVoom6xp3B0%3D",
     "cont", NULL},
    {"sv=2018-11-09&se=2027-01-02T03%3A04%3A05Z&skoid=oid-1&sktid=tid-1&skt=2026-01-01"
     "T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sr=b&sp=r&sig=2"
     "z0hAP95kR0xJ7GJh%2FrwZ3gDp%2F1TORBtulVveXFXEsk%3D",
     "cont", "b"},
    {"sv=2019-12-12&se=2027-01-02T03%3A04%3A05Z&skoid=oid-1&sktid=tid-1&skt=2026-01-01"
     "T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sr=b&sp=r&sig=z"
     "rXn0hmKoV8wyOp41lf6PvlsQ6zvnTpvHS5XK5hRxFQ%3D",
     "cont", "b"},
    {"sv=2020-12-06&se=2027-01-02T03%3A04%3A05Z&skoid=oid-1&sktid=tid-1&skt=2026-01-01"
     "T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sr=b&sp=r&sig=k"
     "JLeeEJVb9czyLh2Z6ZJc3ZbY%2FrDTYCKCr%2BDe0Fw40A%3D",
     "cont", "b"},
};

/* Made by 12.31.1 with request_headers and request_query_params. */
#define BOUND                                                                          \
    "se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2026-10-06&sr=b&skoid=oid-1&sktid=tid-1&skt=" \
    "2026-01-01T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&srh=x" \
    "-ms-meta-b,If-Match&srq=comp,timeout&sig=txVEVzdQn0Nc0DYx7wbOYLduMqSwiBnSYdbRGPq" \
    "hnFs%3D"

/* The same by 12.34.0 of JavaScript, and for one user. */
#define BOUND_TOO                                                                      \
    "sv=2026-10-06&se=2027-01-02T03%3A04%3A05Z&skoid=oid-1&sktid=tid-1&skt=2026-01-01" \
    "T00%3A00%3A00Z&ske=2026-01-08T00%3A00%3A00Z&sks=b&skv=2022-11-02&sr=b&sp=r&sduoi" \
    "d=u&srh=x-ms-meta-b%2CIf-Match&srq=comp%2Ctimeout&sig=mYo%2BJKEWvvNKqyJWIvE%2BOi" \
    "zmUwBKqxuRI0x35zvKz%2Bk%3D"

static enum sas_fault verify(const struct sas *s, const struct sas_resource *resource,
                             const struct secret *key, struct err *e)
{
    struct sas_request request = {.resource = *resource};
    auto_secret struct secret other = SECRET_INIT;
    const struct secret *const keys[] = {&other, key};

    secret_from_text(&other, "other");
    return sas_verify(s, &request, keys, 2, e);
}

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
        if (verify(&s, &resource, &key, &e))
            fail_msg("vector %zu (%s): %s", i, sas_field(&s, "sv"), e.text);
        resource.account = "acct2";
        assert_int_equal(verify(&s, &resource, &key, &e), SAS_BAD_SIGNATURE);
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
            if (strcmp(before, "c") != 0 && !verify(&s, &resource, &key, &e))
                fail_msg("vector %zu: %s may be changed", i, s.fields.list[n].key);
            replace_string(&s.fields.list[n].value, before);
        }
        if (!resource.blob)
            continue;
        resource.blob = "other";
        assert_int_equal(verify(&s, &resource, &key, &e), SAS_BAD_SIGNATURE);
        resource.blob = NULL;
        assert_int_equal(verify(&s, &resource, &key, &e), SAS_BAD_SIGNATURE);
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
        assert_int_equal(verify(&s, resource, &key, &e), SAS_FINE);
        struct sas_request request = {
            .now = at("2026-01-01T12:00:00Z"), .secure = true, .resource_type = 'o', .any_of = "r"};
        assert_int_equal(sas_check(&s, &request, &e), SAS_FINE);
    }
    auto_buf struct buf query = BUF_INIT(8192);
    struct sas_wish never = {.permissions = "r", .starts = TIME_UNKNOWN, .expires = TIME_UNKNOWN};
    assert_int_equal(sas_create(&never, &blob, &key, &query, &e), -1);
    assert_int_equal(query.length, 0);
}

/* A SAS whose signature does not matter, against a request for a blob at noon of 2026-06-01. */
static enum sas_fault judge(const char *query, struct sas_request *request, struct err *e)
{
    auto_sas struct sas s = SAS_INIT;

    if (!request->resource_type)
        request->resource_type = 'o';
    if (!request->now)
        request->now = at("2026-06-01T12:00:00Z");
    assert_ok(sas_parse(query, &s, e), e);
    enum sas_fault fault = sas_check(&s, request, e);
    assert_null(strstr(e->text, "SECRET"));
    return fault;
}

#define EXPECT(expected, query, ...)                                                  \
    do {                                                                              \
        struct sas_request request_ = {__VA_ARGS__};                                  \
        struct err e_ = {0};                                                          \
        enum sas_fault got_ = judge(query, &request_, &e_);                           \
        if (got_ != (expected))                                                       \
            fail_msg("%s: expected %s, got %s '%s'", query, sas_fault_word(expected), \
                     sas_fault_word(got_), e_.text);                                  \
    } while (0)

#define ACCOUNT "?sv=2022-11-02&ss=bq&srt=co&sp=rl&st=2026-01-01T00%3A00Z&se=2026-12-31&sig=SECRET"
#define SERVICE "sv=2022-11-02&sr=c&sp=rl&se=9999-12-31T23:59:59Z&sig=SECRET"
#define DELEGATION                                                                         \
    "sv=2026-04-06&sr=c&sp=rl&se=2026-12-31&skoid=o&sktid=t&skt=2026-05-31&ske=2026-06-07" \
    "&skv=2026-04-06&sig=SECRET"

static void test_judging(void **state)
{
    (void)state;
    EXPECT(SAS_FINE, ACCOUNT "&comp=list", .any_of = "r");
    EXPECT(SAS_FINE, ACCOUNT, .any_of = "wl");
    EXPECT(SAS_FINE, ACCOUNT, .account_only = true);
    EXPECT(SAS_BAD_TIME, ACCOUNT, .now = at("2026-12-31"));
    EXPECT(SAS_FINE, ACCOUNT, .now = at("2026-12-31") - 1);
    EXPECT(SAS_FINE, ACCOUNT, .now = at("2026-01-01"));
    EXPECT(SAS_BAD_TIME, ACCOUNT, .now = at("2026-01-01") - 1);
    EXPECT(SAS_PERMISSION_MISMATCH, ACCOUNT, .any_of = "wc");
    EXPECT(SAS_TYPE_MISMATCH, ACCOUNT, .resource_type = 's');
    EXPECT(SAS_SERVICE_MISMATCH, "sv=2022-11-02&ss=qf&srt=sco&sp=r&se=2027-01-01&sig=SECRET");
    EXPECT(SAS_FINE, SERVICE, .any_of = "r");
    EXPECT(SAS_KIND_MISMATCH, SERVICE, .any_of = "r", .account_only = true);
    EXPECT(SAS_PERMISSION_MISMATCH, SERVICE, .any_of = "d");
    /* the policy was not asked */
    EXPECT(SAS_BAD_TIME, "sv=2022-11-02&sr=c&si=policy&sig=SECRET", .any_of = "r");
}

static void test_source(void **state)
{
    (void)state;
    EXPECT(SAS_FINE, SERVICE "&sip=203.0.113.7", .client = "203.0.113.7");
    EXPECT(SAS_FINE, SERVICE "&sip=203.0.113.7", .client = "::ffff:203.0.113.7");
    EXPECT(SAS_SOURCE_MISMATCH, SERVICE "&sip=203.0.113.7", .client = "203.0.113.8");
    EXPECT(SAS_SOURCE_MISMATCH, SERVICE "&sip=203.0.113.7", .client = NULL);
    EXPECT(SAS_SOURCE_MISMATCH, SERVICE "&sip=203.0.113.7", .client = "2001:db8::1");
    EXPECT(SAS_FINE, SERVICE "&sip=9.0.0.0-203.0.113.7", .client = "9.0.0.0");
    EXPECT(SAS_FINE, SERVICE "&sip=9.0.0.0-203.0.113.7", .client = "100.0.0.1");
    EXPECT(SAS_FINE, SERVICE "&sip=9.0.0.0-203.0.113.7", .client = "203.0.113.7");
    EXPECT(SAS_SOURCE_MISMATCH, SERVICE "&sip=9.0.0.0-203.0.113.7", .client = "203.0.113.8");
    EXPECT(SAS_SOURCE_MISMATCH, SERVICE "&sip=9.0.0.0-203.0.113.7", .client = "8.255.255.255");
    EXPECT(SAS_FINE, SERVICE "&sip=2001:db8::1-2001:db8::ff", .client = "2001:db8::a");
    EXPECT(SAS_SOURCE_MISMATCH, SERVICE "&sip=anything", .client = "203.0.113.7");
    EXPECT(SAS_SOURCE_MISMATCH, SERVICE "&sip=203.0.113.7-", .client = "203.0.113.7");
    EXPECT(SAS_FINE, SERVICE "&spr=https", .secure = true);
    EXPECT(SAS_PROTOCOL_MISMATCH, SERVICE "&spr=https", .secure = false);
    EXPECT(SAS_FINE, SERVICE "&spr=https%2Chttp", .secure = false);
    EXPECT(SAS_PROTOCOL_MISMATCH, SERVICE "&spr=http", .secure = true);
}

static void test_delegation(void **state)
{
    (void)state;
    EXPECT(SAS_FINE, DELEGATION "&sks=b", .any_of = "l");
    EXPECT(SAS_SERVICE_MISMATCH, DELEGATION "&sks=q", .any_of = "l");
    EXPECT(SAS_SERVICE_MISMATCH, DELEGATION, .any_of = "l");
    EXPECT(SAS_BAD_TIME, DELEGATION "&sks=b", .now = at("2026-06-07"));
    EXPECT(SAS_BAD_TIME, DELEGATION "&sks=b", .now = at("2026-05-30"));
    EXPECT(SAS_BAD_USER, DELEGATION "&sks=b&suoid=u");
    EXPECT(SAS_FINE, DELEGATION "&sks=b&saoid=u");
    EXPECT(SAS_BAD_USER, DELEGATION "&sks=b&sduoid=u");
    EXPECT(SAS_BAD_USER, DELEGATION "&sks=b&sduoid=u", .object_id = "v");
    EXPECT(SAS_FINE, DELEGATION "&sks=b&sduoid=u", .object_id = "u");
}

/* Its key comes out of its fields and the account's secret; the derivation is a format. */
static void test_delegation_key(void **state)
{
    (void)state;
    auto_pairs struct pairs fields = PAIRS_INIT;
    auto_secret struct secret account = SECRET_INIT, key = SECRET_INIT, other = SECRET_INIT;
    auto_buf struct buf query = BUF_INIT(8192);
    auto_sas struct sas s = SAS_INIT;
    struct sas_resource blob = {"acct", "c", "b"};
    struct err e = {0};
    static const char *const names[] = {"skoid", "sktid", "skt", "ske", "sks", "skv"};
    static const char *const values[] = {
        "o", "t", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "b", "2022-11-02"};
    static const unsigned char wanted[] = {0xb3, 0x0b, 0x08, 0xc7, 0x1f, 0xc5, 0xd2, 0x20,
                                           0x77, 0xca, 0xe2, 0x62, 0x75, 0x9d, 0x16, 0x40,
                                           0x23, 0x54, 0xc3, 0x60, 0x13, 0xe6, 0xe2, 0xdc,
                                           0xdb, 0x44, 0x52, 0x1b, 0x9a, 0xa5, 0x9a, 0xbb};

    secret_from_text(&account, "secret of the account");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(sas_delegation_key(&account, &fields, &key, &e), -1);
        pairs_add(&fields, names[i], values[i]);
    }
    assert_ok(sas_delegation_key(&account, &fields, &key, &e), &e);
    assert_true(secret_equal_bytes(&key, wanted, sizeof(wanted)));
    struct sas_wish wish = {.permissions = "r",
                            .starts = TIME_UNKNOWN,
                            .expires = at("2027-01-01"),
                            .delegation = &fields};
    assert_ok(sas_create(&wish, &blob, &key, &query, &e), &e);
    assert_ok(sas_parse(query.data, &s, &e), &e);
    assert_ok(sas_delegation_key(&account, &s.fields, &other, &e), &e);
    assert_int_equal(verify(&s, &blob, &other, &e), SAS_FINE);
    /* a longer life is another key */
    pairs_set(&s.fields, "ske", "2036-01-02T00:00:00Z");
    assert_ok(sas_delegation_key(&account, &s.fields, &other, &e), &e);
    assert_false(secret_equal(&key, &other));
    pairs_add(&fields, "skdutid", "d");
    assert_ok(sas_delegation_key(&account, &fields, &other, &e), &e);
    assert_false(secret_equal(&key, &other));
    pairs_set(&fields, "sktid", "t\n");
    assert_int_equal(sas_delegation_key(&account, &fields, &other, &e), -1);
}

static void test_policy(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        struct sas_policy policy;
        enum sas_fault fault;
    } cases[] = {
        {"", {1, 2, "r"}, SAS_FINE},
        {"", {TIME_UNKNOWN, 2, "r"}, SAS_FINE},
        {"&sp=r", {TIME_UNKNOWN, 2, NULL}, SAS_FINE},
        {"&sp=r", {TIME_UNKNOWN, 2, ""}, SAS_FINE},
        {"&sp=r&se=2027-01-01&st=2026-01-01", {TIME_UNKNOWN, TIME_UNKNOWN, NULL}, SAS_FINE},
        {"&sp=r", {1, 2, "r"}, SAS_POLICY_REPEATS},
        {"&se=2027-01-01", {1, 2, "r"}, SAS_POLICY_REPEATS},
        {"&st=2026-01-01", {1, 2, "r"}, SAS_POLICY_REPEATS},
        {"", {1, TIME_UNKNOWN, "r"}, SAS_BAD_POLICY},
        {"", {1, 2, NULL}, SAS_BAD_POLICY},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_sas struct sas s = SAS_INIT;
        struct err e = {0};
        auto_free char *query = xasprintf("sv=2022-11-02&sr=c&si=p&sig=x%s", cases[i].fields);
        assert_ok(sas_parse(query, &s, &e), &e);
        enum sas_fault fault = sas_apply_policy(&s, &cases[i].policy, &e);
        if (fault != cases[i].fault)
            fail_msg("case %zu: %s", i, e.text);
        if (fault == SAS_FINE) {
            assert_string_equal(s.permissions, "r");
            assert_true(s.expires != TIME_UNKNOWN);
        }
    }
    auto_sas struct sas s = SAS_INIT, none = SAS_INIT;
    struct err e = {0};
    assert_ok(sas_parse("sv=2022-11-02&sr=c&si=p&sig=x", &s, &e), &e);
    assert_int_equal(sas_apply_policy(&s, NULL, &e), SAS_BAD_POLICY);
    assert_ok(sas_parse(SERVICE, &none, &e), &e);
    assert_int_equal(sas_apply_policy(&none, NULL, &e), SAS_FINE);
}

/* What a container's SAS signs is the container, whatever blob it is used on. */
static void test_container_on_blob(void **state)
{
    (void)state;
    auto_secret struct secret key = SECRET_INIT;
    struct err e = {0};
    int tried = 0;

    set_key(&key);
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        auto_sas struct sas s = SAS_INIT;
        struct sas_resource resource = {"acct", vectors[i].container, "any/blob"};
        assert_ok(sas_parse(vectors[i].query, &s, &e), &e);
        if (!vectors[i].container || strcmp(sas_field(&s, "sr"), "c") != 0)
            continue;
        tried++;
        assert_int_equal(verify(&s, &resource, &key, &e), SAS_FINE);
        resource.container = "other";
        assert_int_equal(verify(&s, &resource, &key, &e), SAS_BAD_SIGNATURE);
    }
    assert_true(tried >= 10);
}

static void test_bound_to_headers(void **state)
{
    (void)state;
    auto_secret struct secret key = SECRET_INIT;
    auto_pairs struct pairs headers = PAIRS_INIT;
    auto_sas struct sas s = SAS_INIT, changed = SAS_INIT, other = SAS_INIT;
    struct sas_request r = {.resource = {"acct", "cont", "b"}, .headers = &headers};
    struct err e = {0};

    set_key(&key);
    const struct secret *const keys[] = {&key};
    assert_ok(sas_parse(BOUND "&comp=tags&timeout=5", &s, &e), &e);
    assert_int_equal(sas_verify(&s, &r, keys, 1, &e), SAS_BAD_SIGNATURE);
    assert_non_null(strstr(e.text, "'x-ms-meta-b', which is missing"));
    pairs_add(&headers, "X-Ms-Meta-B", "1");
    pairs_add(&headers, "if-match", "*");
    assert_int_equal(sas_verify(&s, &r, keys, 1, &e), SAS_FINE);
    assert_ok(sas_parse(BOUND_TOO "&comp=tags&timeout=5", &other, &e), &e);
    if (sas_verify(&other, &r, keys, 1, &e))
        fail_msg("JavaScript's: %s", e.text);
    /* one parameter that pretends to be both, and one whose name holds a part of its value */
    auto_sas struct sas both = SAS_INIT, moved = SAS_INIT;
    assert_ok(sas_parse(BOUND "&comp=tags%0Atimeout:5", &both, &e), &e);
    for (size_t i = 0; i < both.fields.count; i++)
        if (strcmp(both.fields.list[i].key, "srq") == 0)
            replace_string(&both.fields.list[i].value, "comp");
    assert_int_equal(sas_verify(&both, &r, keys, 1, &e), SAS_BAD_SIGNATURE);
    assert_non_null(strstr(e.text, "cannot be one"));
    assert_ok(sas_parse(BOUND "&comp:ta=gs&timeout=5", &moved, &e), &e);
    for (size_t i = 0; i < moved.fields.count; i++)
        if (strcmp(moved.fields.list[i].key, "srq") == 0)
            replace_string(&moved.fields.list[i].value, "comp:ta,timeout");
    assert_int_equal(sas_verify(&moved, &r, keys, 1, &e), SAS_BAD_SIGNATURE);
    assert_non_null(strstr(e.text, "cannot be one"));
    pairs_set(&headers, "if-match", "\"1\"");
    assert_int_equal(sas_verify(&s, &r, keys, 1, &e), SAS_BAD_SIGNATURE);
    pairs_set(&headers, "if-match", "*");
    assert_ok(sas_parse(BOUND "&comp=tags&timeout=6", &changed, &e), &e);
    assert_int_equal(sas_verify(&changed, &r, keys, 1, &e), SAS_BAD_SIGNATURE);
}

/* The examples' texts of the reference for versions that no library here makes any more. */
static void test_old_layouts(void **state)
{
    (void)state;
    static const struct {
        const char *version, *text;
    } cases[] = {
        {"2012-02-12", "r\n\n2027-01-01\n/acct/c/b\n\n2012-02-12"},
        {"2013-08-15", "r\n\n2027-01-01\n/acct/c/b\n\n2013-08-15\n\n\n\n\ntext/plain"},
        {"2015-02-21", "r\n\n2027-01-01\n/blob/acct/c/b\n\n2015-02-21\n\n\n\n\ntext/plain"},
        {"2015-04-05",
         "r\n\n2027-01-01\n/blob/acct/c/b\n\n1.2.3.4\n\n2015-04-05\n\n\n\n\ntext/plain"},
        {"2018-11-09",
         "r\n\n2027-01-01\n/blob/acct/c/b\n\n1.2.3.4\n\n2018-11-09\nb\n\n\n\n\n\ntext/plain"},
        {"2020-12-06",
         "r\n\n2027-01-01\n/blob/acct/c/b\n\n1.2.3.4\n\n2020-12-06\nb\n\n\n\n\n\n\ntext/plain"},
        {"2999-12-06",
         "r\n\n2027-01-01\n/blob/acct/c/b\n\n1.2.3.4\n\n2999-12-06\nb\n\n\n\n\n\n\ntext/plain"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_buf struct buf text = BUF_INIT(SAS_TEXT_MAX);
        auto_sas struct sas s = SAS_INIT;
        struct sas_resource resource = {"acct", "c", "b"};
        struct err e = {0};
        auto_free char *query = xasprintf(
            "sv=%s&sr=b&sp=r&se=2027-01-01&sip=1.2.3.4&rsct=text/plain&sig=x", cases[i].version);
        assert_ok(sas_parse(query, &s, &e), &e);
        assert_ok(sas_string_to_sign(&text, &s, &resource, NULL, &e), &e);
        assert_string_equal(text.data, cases[i].text);
    }
}

static void test_directory(void **state)
{
    (void)state;
    auto_buf struct buf text = BUF_INIT(8192);
    auto_sas struct sas s = SAS_INIT;
    struct sas_resource resource = {"acct", "c", "a/b/d.txt"};
    struct err e = {0};

    assert_ok(sas_parse("sv=2020-02-10&sr=d&sdd=2&sp=r&se=2027-01-01&sig=x", &s, &e), &e);
    assert_ok(sas_string_to_sign(&text, &s, &resource, NULL, &e), &e);
    assert_non_null(strstr(text.data, "\n/blob/acct/c/a/b\n"));
    replace_string(&s.fields.list[2].value, "0");
    buf_reset(&text);
    assert_ok(sas_string_to_sign(&text, &s, &resource, NULL, &e), &e);
    assert_non_null(strstr(text.data, "\n/blob/acct/c\n"));
    replace_string(&s.fields.list[2].value, "2");
    resource.blob = "a";
    buf_reset(&text);
    assert_int_equal(sas_string_to_sign(&text, &s, &resource, NULL, &e), -1);
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
        "sv=2022-11-02&sr=b&sp=r%0A&se=2027-01-01&sig=SECRET",
        "sv=2022-11-02&sr=b&sp=r&se=2027-01-01&sig=SECRET&rscd=a%0Ab",
        "sv=2022-11-02&sr=b&sp=r&se=2027-01-01&sig=SECRET&skoid=o&skt=2026-01-01",
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
    assert_int_equal(sas_parse("sv=2011-08-18&sr=b&sp=r&se=2027-01-01&sig=x", &s, &e), -1);
    assert_int_equal(e.code, ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_tampering),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_judging),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_delegation),
        cmocka_unit_test(test_delegation_key),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_container_on_blob),
        cmocka_unit_test(test_bound_to_headers),
        cmocka_unit_test(test_old_layouts),
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_bad_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

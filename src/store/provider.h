// SPDX-License-Identifier: EUPL-1.2
/*
 * The provider catalogue: a provider is data, not code.  share/providers.yaml says who they are,
 * where their object storage answers, what it holds and how it departs from the protocol.
 *
 *     struct provider_catalogue *catalogue;
 *     if (provider_catalogue_load(NULL, &catalogue, e) < 0) ...
 *     const struct provider *p = provider_find(catalogue, "ovhcloud", e);    (NULL: not known)
 *     if (!p || provider_s3_endpoint(p, "gra", &endpoint, e) < 0) ...
 *
 * All strings and structs belong to the catalogue and live as long as it does.  It does not change
 * once loaded: any thread may read it.
 *
 * Unknown is a value of its own everywhere: NULL for texts, 0 for limits, FACT_UNKNOWN, NAN for
 * prices.  Nobody guesses; what is unknown is probed by the driver or left out.
 */
#ifndef STORE_PROVIDER_H
#define STORE_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

enum fact { FACT_UNKNOWN, FACT_NO, FACT_YES };

enum provider_role { PROVIDER_TARGET = 1 << 0, PROVIDER_SOURCE = 1 << 1 };

enum provider_protocol {
    PROTOCOL_S3 = 1 << 0,
    PROTOCOL_SWIFT = 1 << 1,
    PROTOCOL_AZURE_BLOB = 1 << 2,
    PROTOCOL_AZURE_DFS = 1 << 3,
    PROTOCOL_GCS_JSON = 1 << 4,
    PROTOCOL_OBS = 1 << 5,
    PROTOCOL_FTP = 1 << 6,
};

/* What a service has or has not. */
enum provider_feature {
    FEATURE_ACCESS_LOGS,
    FEATURE_ACL,
    FEATURE_CHECKSUM_TRAILERS,
    FEATURE_CHUNK_SIGNING, /* bodies signed chunk by chunk */
    FEATURE_CONDITIONAL_WRITES,
    FEATURE_COPY, /* CopyObject */
    FEATURE_CORS,
    FEATURE_EVENTS,
    FEATURE_LEGAL_HOLD,
    FEATURE_LIFECYCLE,
    FEATURE_LIST_V2,
    FEATURE_OBJECT_ATTRIBUTES,
    FEATURE_OBJECT_LOCK,
    FEATURE_POLICY,
    FEATURE_PRESIGNED,
    FEATURE_PRESIGNED_POST,
    FEATURE_REPLICATION,
    FEATURE_SSE_C,
    FEATURE_SSE_KMS,
    FEATURE_SSE_S3,
    FEATURE_TAGGING,
    FEATURE_UPLOAD_PART_COPY,
    FEATURE_VERSIONING,
    FEATURE_WEBSITE,
    FEATURE_COUNT
};

/* How a service departs from what S3 clients expect; bit (1 << quirk) of provider_s3.quirks. */
enum provider_quirk {
    QUIRK_ACCEPT_ENCODING_ALTERED,    /* changed in flight: must not be signed */
    QUIRK_ALREADY_EXISTS_UNRELIABLE,  /* creating one's own bucket again is not told from others' */
    QUIRK_BUCKET_DOTS_REFUSED,        /* no '.' in bucket names */
    QUIRK_BUCKET_DOUBLE_HYPHEN,       /* no "--" in bucket names */
    QUIRK_BUCKET_NAME_BUCKET,         /* no bucket called "bucket" */
    QUIRK_BUCKET_PUNCTUATION_RUNS,    /* no "--", "..", "-.", ".-" in bucket names */
    QUIRK_BUCKET_REUSE_DELAYED,       /* the name of a deleted bucket stays blocked for a while */
    QUIRK_CHECKSUM_TRAILERS_REFUSED,  /* aws-chunked with trailers is an error */
    QUIRK_DELETE_NEEDS_MD5,           /* DeleteObjects wants Content-MD5 and nothing else */
    QUIRK_LIST_URL_ENCODING_OFF,      /* encoding-type=url is ignored or broken */
    QUIRK_LIST_V1_ONLY,               /* ListObjectsV2 is missing or broken */
    QUIRK_LOCATION_CONSTRAINT_OFF,    /* CreateBucket wants no body */
    QUIRK_MULTIPART_ETAG_NOT_MD5,     /* not md5-of-md5s */
    QUIRK_OVERWRITES_EVENTUAL,        /* after an overwrite the old body may be read for a while */
    QUIRK_PATH_STYLE_ONLY,            /* no virtual-host addressing */
    QUIRK_UNKNOWN_PARAMETERS_REFUSED, /* query parameters it does not know are errors */
    QUIRK_COUNT
};

/* Bytes and counts; 0: unknown. */
struct provider_limits {
    uint64_t put_max, part_min, part_max, object_max;
    uint64_t storage_max;
    uint64_t parts_max;
    uint64_t key_bytes_max;
    uint64_t tags_max;
    uint64_t list_page_max, delete_batch_max;
    uint64_t buckets_max, users_max;
    uint64_t put_per_second, get_per_second;
    uint64_t upload_seconds_max; /* one request */
    uint64_t lock_days_max;
    uint64_t metadata_bytes_max, metadata_value_max; /* user metadata: all, and one value */
    const char *note;
};

/* What the S3 driver asks. */
struct provider_s3 {
    struct provider_limits limits;
    enum fact features[FEATURE_COUNT];
    unsigned quirks;
};

static inline bool provider_has_quirk(const struct provider_s3 *s3, enum provider_quirk quirk)
{
    return s3 && (s3->quirks & (1U << quirk)) != 0;
}

struct provider_region {
    const char *id;
    const char *endpoint;       /* host */
    const char *signing_region; /* NULL: the offer's */
    const char *swift_region;
    const char *place, *country;
    bool eu;
    uint64_t zones; /* 0: unknown */
    const char **classes;
    size_t class_count;
    const char *evidence, *note;
};

struct provider_price {
    const char *class; /* "standard_one_zone", ... */
    double per_gb_month;
};

/* EUR without VAT; NAN: unknown. */
struct provider_prices {
    struct provider_price *storage;
    size_t storage_count;
    double egress_gb, egress_free_gb_month, ingress_gb, requests, restore_gb;
    const char *date, *evidence, *note;
    const char **sources;
    size_t source_count;
};

/* One storage service of a provider. */
struct provider_offer {
    const char *product;
    unsigned protocols;          /* of enum provider_protocol */
    const char *signature;       /* "v4" */
    const char *endpoint;        /* host, with {region} and the like where it varies */
    const char *legacy_endpoint; /* still answers */
    const char *auth_url;        /* Keystone */
    const char *signing_region;  /* for all regions; "{region}": its id */
    bool virtual_host_default;
    enum fact virtual_host, path;
    const char *addressing_note;
    struct provider_region *regions;
    size_t region_count;
    struct provider_s3 s3;
    const char **notes;
    size_t note_count;
    struct provider_prices prices;
    const char *exit;
    const char **sources;
    size_t source_count;
    const char *evidence;
};

/* A list of facts in words: services, certifications, control API. */
struct provider_text {
    const char *key, *text;
};
struct provider_section {
    struct provider_text *facts;
    size_t count;
    const char **sources;
    size_t source_count;
    const char *evidence;
};

/* A sister cloud that speaks the same protocol under another suffix (Bleu, for Azure). */
struct provider_cloud {
    const char *id, *country, *suffix;
};

struct provider {
    const char *id, *name;
    unsigned roles; /* of enum provider_role */
    struct {
        const char *entity, *country, *parent, *parent_country, *exposure, *evidence, *note;
        const char **sources;
        size_t source_count;
    } company;
    struct {
        enum fact won;
        const char *role, *evidence;
        const char **sources;
        size_t source_count;
    } tender_2026; /* the Commission's sovereign cloud tender */
    const char *technology, *seca, *exit, *timeline, *sovereign_offer;
    struct provider_offer *offers;
    size_t offer_count;
    struct provider_section control_api, services, certifications;
    struct provider_cloud *clouds;
    size_t cloud_count;
};

/* A document the facts were read in. */
struct provider_source {
    const char *id, *ref, *date; /* date NULL: the page bears none */
};

struct provider_catalogue {
    const char *as_of;
    struct provider_source *sources;
    size_t source_count;
    struct provider *providers;
    size_t count;
    struct provider_memory *memory; /* owns all of it */
};
#define auto_catalogue cleanup(provider_catalogue_free_p)

/* Read the catalogue at path; NULL: providers.yaml in $BASCULE_SHARE if that is set, else where the
 * program was installed, else in the source tree it was built from.  Keys it does not know are
 * errors, with line and column. */
must_check int provider_catalogue_load(const char *path, struct provider_catalogue **ret,
                                       struct err *e);
/* The same from text; file is the name in errors. */
must_check int provider_catalogue_parse(const char *file, const char *text, size_t length,
                                        struct provider_catalogue **ret, struct err *e);
void provider_catalogue_free(struct provider_catalogue *catalogue);
void provider_catalogue_free_p(struct provider_catalogue **catalogue);

/* By id; NULL with ERR_INVALID naming the nearest id when there is none. */
const struct provider *provider_find(const struct provider_catalogue *catalogue, const char *id,
                                     struct err *e);
/* The offer that speaks a protocol; NULL when there is none. */
const struct provider_offer *provider_offer_for(const struct provider *provider,
                                                enum provider_protocol protocol);
/* The document behind a source id, or NULL. */
const struct provider_source *provider_source_find(const struct provider_catalogue *catalogue,
                                                   const char *id);

/* Where and how to speak S3 to one region of a provider. */
struct provider_endpoint {
    char url[256];           /* "https://s3.gra.io.cloud.ovh.net" */
    char signing_region[64]; /* "us-east-1" where nobody says (s3->...: see signing_region_known) */
    bool signing_region_known;
    bool virtual_host;
    const struct provider_s3 *s3;
    const struct provider_region *region; /* NULL where the catalogue lists no regions */
};

/* region NULL is fine where a provider has only one.  ERR_INVALID, naming what there is, for a
 * region that does not exist or a provider without S3. */
must_check int provider_s3_endpoint(const struct provider *provider, const char *region,
                                    struct provider_endpoint *ret, struct err *e);

/* The catalogue's words: "copy", "list_v1_only", "s3". */
const char *provider_feature_word(enum provider_feature feature);
const char *provider_quirk_word(enum provider_quirk quirk);
const char *provider_protocol_word(enum provider_protocol protocol);

#endif

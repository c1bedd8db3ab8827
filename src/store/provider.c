// SPDX-License-Identifier: EUPL-1.2
/* Finding the provider catalogue and looking things up in it: see provider.h. */
#include "store/provider.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "codec/suggest.h"
#include "config.h"
#include "store/provider_read.h"
#include "util/buf.h"

static const char *const feature_words[FEATURE_COUNT] = {
    [FEATURE_ACCESS_LOGS] = "access_logs",
    [FEATURE_ACL] = "acl",
    [FEATURE_CHECKSUM_TRAILERS] = "checksum_trailers",
    [FEATURE_CHUNK_SIGNING] = "chunk_signing",
    [FEATURE_CONDITIONAL_WRITES] = "conditional_writes",
    [FEATURE_COPY] = "copy",
    [FEATURE_CORS] = "cors",
    [FEATURE_EVENTS] = "events",
    [FEATURE_LEGAL_HOLD] = "legal_hold",
    [FEATURE_LIFECYCLE] = "lifecycle",
    [FEATURE_LIST_V2] = "list_v2",
    [FEATURE_OBJECT_ATTRIBUTES] = "object_attributes",
    [FEATURE_OBJECT_LOCK] = "object_lock",
    [FEATURE_POLICY] = "policy",
    [FEATURE_PRESIGNED] = "presigned",
    [FEATURE_PRESIGNED_POST] = "presigned_post",
    [FEATURE_REPLICATION] = "replication",
    [FEATURE_SSE_C] = "sse_c",
    [FEATURE_SSE_KMS] = "sse_kms",
    [FEATURE_SSE_S3] = "sse_s3",
    [FEATURE_TAGGING] = "tagging",
    [FEATURE_UPLOAD_PART_COPY] = "upload_part_copy",
    [FEATURE_VERSIONING] = "versioning",
    [FEATURE_WEBSITE] = "website",
};

static const char *const quirk_words[QUIRK_COUNT] = {
    [QUIRK_ACCEPT_ENCODING_ALTERED] = "accept_encoding_altered",
    [QUIRK_ALREADY_EXISTS_UNRELIABLE] = "already_exists_unreliable",
    [QUIRK_BUCKET_DOTS_REFUSED] = "bucket_dots_refused",
    [QUIRK_BUCKET_DOUBLE_HYPHEN] = "bucket_double_hyphen_refused",
    [QUIRK_BUCKET_NAME_BUCKET] = "bucket_name_bucket_refused",
    [QUIRK_BUCKET_PUNCTUATION_RUNS] = "bucket_punctuation_runs_refused",
    [QUIRK_BUCKET_REUSE_DELAYED] = "bucket_reuse_delayed",
    [QUIRK_CHECKSUM_TRAILERS_REFUSED] = "checksum_trailers_refused",
    [QUIRK_DELETE_NEEDS_MD5] = "delete_needs_md5",
    [QUIRK_LIST_URL_ENCODING_OFF] = "list_url_encoding_off",
    [QUIRK_LIST_V1_ONLY] = "list_v1_only",
    [QUIRK_LOCATION_CONSTRAINT_OFF] = "location_constraint_off",
    [QUIRK_MULTIPART_ETAG_NOT_MD5] = "multipart_etag_not_md5",
    [QUIRK_OVERWRITES_EVENTUAL] = "overwrites_eventual",
    [QUIRK_PATH_STYLE_ONLY] = "path_style_only",
    [QUIRK_UNKNOWN_PARAMETERS_REFUSED] = "unknown_parameters_refused",
};

const char *provider_feature_word(enum provider_feature feature)
{
    return feature_words[feature];
}

const char *provider_quirk_word(enum provider_quirk quirk)
{
    return quirk_words[quirk];
}

const char *provider_protocol_word(enum provider_protocol protocol)
{
    switch (protocol) {
    case PROTOCOL_S3:
        return "s3";
    case PROTOCOL_SWIFT:
        return "swift";
    case PROTOCOL_AZURE_BLOB:
        return "azure-blob";
    case PROTOCOL_AZURE_DFS:
        return "azure-dfs";
    case PROTOCOL_GCS_JSON:
        return "gcs-json";
    case PROTOCOL_OBS:
        return "obs";
    case PROTOCOL_FTP:
        return "ftp";
    }
    return "?";
}

void provider_catalogue_free(struct provider_catalogue *catalogue)
{
    if (!catalogue)
        return;
    struct provider_memory *m = catalogue->memory;
    for (size_t i = 0; i < m->count; i++)
        free(m->blocks[i]);
    free(m->blocks);
    yaml_tree_free(m->tree);
    free(m);
    free(catalogue);
}

void provider_catalogue_free_p(struct provider_catalogue **catalogue)
{
    provider_catalogue_free(*catalogue);
}

int provider_catalogue_parse(const char *file, const char *text, size_t length,
                             struct provider_catalogue **ret, struct err *e)
{
    auto_catalogue struct provider_catalogue *c = xcalloc(1, sizeof(*c));

    c->memory = xcalloc(1, sizeof(*c->memory));
    if (yaml_parse(file, text, length, &c->memory->tree, e) < 0 || provider_read(c, e) < 0)
        return -1;
    *ret = take(c);
    return 0;
}

static void close_file(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

/* Opens the first of the places that has it; the path goes to *ret_path. */
static FILE *open_catalogue(const char *path, char **ret_path, struct err *e)
{
    const char *share = getenv("BASCULE_SHARE");
    const char *folders[] = {BASCULE_SHARE, BASCULE_SOURCE_SHARE};
    size_t count = ARRAY_SIZE(folders);

    if (share && *share) {
        folders[0] = share;
        count = 1;
    }
    for (size_t i = 0; i < (path ? 1 : count); i++) {
        auto_free char *tried = path ? xstrdup(path) : xasprintf("%s/providers.yaml", folders[i]);
        FILE *file = fopen(tried, "re");
        if (file) {
            *ret_path = take(tried);
            return file;
        }
        if (path || i + 1 == count || errno != ENOENT) {
            (void)err_errno(e, errno, "read the provider catalogue '%s'", tried);
            return NULL;
        }
    }
    return NULL;
}

int provider_catalogue_load(const char *path, struct provider_catalogue **ret, struct err *e)
{
    auto_buf struct buf text = BUF_INIT(YAML_TEXT_MAX);
    auto_free char *found = NULL;
    cleanup(close_file) FILE *file = open_catalogue(path, &found, e);
    char chunk[16384];
    size_t n;

    if (!file)
        return -1;
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        if (buf_add(&text, chunk, n, e) < 0)
            return err_prefix(e, "read the provider catalogue '%s'", found);
    if (ferror(file))
        return err_errno(e, errno, "read the provider catalogue '%s'", found);
    return provider_catalogue_parse(found, text.data, text.length, ret, e);
}

const struct provider *provider_find(const struct provider_catalogue *catalogue, const char *id,
                                     struct err *e)
{
    const char **ids = xcalloc(catalogue->count + 1, sizeof(*ids));
    const struct provider *found = NULL;

    for (size_t i = 0; i < catalogue->count; i++) {
        ids[i] = catalogue->providers[i].id;
        if (strcmp(ids[i], id) == 0)
            found = &catalogue->providers[i];
    }
    if (!found) {
        const char *near = suggest(id, ids, catalogue->count);
        (void)err_set(e, ERR_INVALID, "the catalogue has no provider '%s'%s%s%s", id,
                      near ? "; did you mean '" : "", near ? near : "",
                      near ? "'?" : "; 'bascule providers' lists them");
    }
    free(ids);
    return found;
}

const struct provider_offer *provider_offer_for(const struct provider *provider,
                                                enum provider_protocol protocol)
{
    for (size_t i = 0; i < provider->offer_count; i++)
        if (provider->offers[i].protocols & protocol)
            return &provider->offers[i];
    return NULL;
}

const struct provider_source *provider_source_find(const struct provider_catalogue *catalogue,
                                                   const char *id)
{
    for (size_t i = 0; i < catalogue->source_count; i++)
        if (strcmp(catalogue->sources[i].id, id) == 0)
            return &catalogue->sources[i];
    return NULL;
}

/* "no region 'grr'; did you mean 'gra'?" or a list of all. */
static int no_such_region(const struct provider *p, const struct provider_offer *o,
                          const char *region, struct err *e)
{
    auto_buf struct buf all = BUF_INIT(4096);
    const char **ids = xcalloc(o->region_count + 1, sizeof(*ids));

    for (size_t i = 0; i < o->region_count; i++) {
        ids[i] = o->regions[i].id;
        if (all.length + strlen(ids[i]) + 3 < all.limit)
            buf_printf(&all, "%s%s", i ? ", " : "", ids[i]);
    }
    const char *near = region ? suggest(region, ids, o->region_count) : NULL;
    free(ids);
    if (!region)
        return err_set(e, ERR_INVALID, "%s needs a region: one of %s", p->id, all.data);
    return err_set(e, ERR_INVALID, "%s has no region '%s'%s%s%s; there are: %s", p->id, region,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", all.data);
}

/* Fill a pattern's {region}; -1 when it holds another {word}. */
static int fill_pattern(const char *pattern, const char *region, char *ret, size_t size)
{
    const char *hole = strchr(pattern, '{');

    if (!hole)
        return snprintf(ret, size, "%s", pattern) < (int)size ? 0 : -1;
    if (strncmp(hole, "{region}", 8) != 0 || strchr(hole + 8, '{') || !region)
        return -1;
    return snprintf(ret, size, "%.*s%s%s", (int)(hole - pattern), pattern, region, hole + 8) <
                   (int)size
               ? 0
               : -1;
}

/* A region goes into a host name: nothing else may come along. */
static bool is_host_label(const char *text)
{
    return *text && strlen(text) < 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

static int find_region(const struct provider *p, const struct provider_offer *o, const char *region,
                       const struct provider_region **ret, struct err *e)
{
    if (o->region_count == 0) {
        if (region && !is_host_label(region))
            return err_set(e, ERR_INVALID, "'%s' is not the name of a region", region);
        return 0;
    }
    if (!region && o->region_count == 1)
        *ret = &o->regions[0];
    for (size_t i = 0; region && i < o->region_count; i++)
        if (strcmp(o->regions[i].id, region) == 0)
            *ret = &o->regions[i];
    return *ret ? 0 : no_such_region(p, o, region, e);
}

int provider_s3_endpoint(const struct provider *provider, const char *region,
                         struct provider_endpoint *ret, struct err *e)
{
    const struct provider_offer *o = provider_offer_for(provider, PROTOCOL_S3);
    const struct provider_region *r = NULL;
    struct provider_endpoint endpoint = {0};
    char host[200];

    if (!o)
        return err_set(e, ERR_INVALID, "%s offers no S3, as far as the catalogue knows",
                       provider->id);
    if (find_region(provider, o, region, &r, e) < 0)
        return -1;
    const char *id = r ? r->id : region;
    if (fill_pattern(r             ? r->endpoint
                     : o->endpoint ? o->endpoint
                                   : "{}",
                     id, host, sizeof(host)) < 0)
        return err_set(
            e, ERR_INVALID, "the endpoint of %s depends on your account (%s): set 'endpoint'%s",
            provider->id, o->endpoint ? o->endpoint : "not known", region ? "" : " or 'region'");
    (void)snprintf(endpoint.url, sizeof(endpoint.url), "https://%s", host);
    const char *signing = r && r->signing_region ? r->signing_region : o->signing_region;
    endpoint.signing_region_known = signing && fill_pattern(signing, id, endpoint.signing_region,
                                                            sizeof(endpoint.signing_region)) == 0;
    if (!endpoint.signing_region_known)
        (void)snprintf(endpoint.signing_region, sizeof(endpoint.signing_region), "us-east-1");
    endpoint.virtual_host =
        o->virtual_host_default && !provider_has_quirk(&o->s3, QUIRK_PATH_STYLE_ONLY);
    endpoint.s3 = &o->s3;
    endpoint.region = r;
    *ret = endpoint;
    return 0;
}

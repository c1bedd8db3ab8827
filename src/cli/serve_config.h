// SPDX-License-Identifier: EUPL-1.2
/*
 * The section "serve" of the configuration: how the gateway runs.  docs/configuration.md is its
 * manual.  Everything has a default, so that there need be none.
 */
#ifndef CLI_SERVE_CONFIG_H
#define CLI_SERVE_CONFIG_H

#include "cli/configuration.h"
#include "http/forwarded.h"

struct serve_listen {
    const char *address;
    bool plain; /* without TLS, although there is a certificate */
};

enum serve_answer { SERVE_UNSAID, SERVE_NO, SERVE_YES };

/* A container of a store of the same configuration. */
struct serve_place {
    const char *store; /* NULL: the directory of the embedded default */
    const char *container;
    const char *prefix;           /* of the journal; "" */
    enum serve_answer secrets;    /* of the journal: whether accounts' keys may lie there */
    const struct yaml_node *node; /* the store's; NULL as store */
};

/* An issuer of bearer tokens; see auth/jwks.h and auth/jwt.h. */
struct serve_issuer {
    const char *issuer;
    const char *jwks_uri;
    const char *ca_file;
    const char *groups_claim;
    const char *roles_claim;
    const char **audiences;
    size_t audience_count;
};

struct serve_audit {
    const char *path; /* NULL: no audit log */
    int64_t sync_interval;
    int64_t window;
    uint64_t file_max;
};

struct serve_limits {
    unsigned connections;
    unsigned connections_per_address;
    uint64_t head_bytes;
    int64_t idle_timeout, head_timeout, stall_timeout;
    int64_t drain;
};

struct serve_times {
    int64_t uploads, garbage, blocks; /* see struct service_options */
    int64_t sweep, snapshots;         /* between two of them */
};

/* Texts are borrowed from the configuration unless they are char *. */
struct serve_config {
    struct serve_listen *listen;
    size_t listen_count;
    const char **domains;
    size_t domain_count;
    struct serve_listen *s3_listen; /* of the S3 door; none: there is no such door */
    size_t s3_listen_count;
    const char **s3_domains;
    size_t s3_domain_count;
    const char *s3_region; /* NULL: signatures may name any */
    const char *url; /* for connection strings, with "{account}"; NULL: made up from the rest */
    const char *certificate, *key;
    bool allow_plain;
    bool copy_from_private; /* sources of copies may have private addresses */
    char *index;
    bool index_given; /* stood in the configuration */
    unsigned index_connections;
    const char *gateway;
    char *folder; /* of the embedded default */
    struct serve_place *bodies;
    size_t body_count;
    struct serve_place *journal;
    size_t journal_count;
    struct serve_times times;
    struct serve_limits limits;
    struct networks proxies;
    struct serve_issuer *issuers;
    size_t issuer_count;
    struct serve_audit audit;
    const char *access_log; /* a path or "stderr"; NULL: none */
    const char *metrics;    /* an address; NULL: no such listener */
};
#define auto_serve_config cleanup(serve_config_release)

/* config outlives what is returned. */
must_check int serve_config_read(const struct config *config, struct serve_config *ret,
                                 struct err *e);
void serve_config_release(struct serve_config *s);

/* Where clients reach an account: "https://contoso.blob.storage.example.eu". Heap. */
char *serve_url_of(const struct serve_config *s, const char *account);

#endif

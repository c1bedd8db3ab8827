// SPDX-License-Identifier: EUPL-1.2
/* Writing and removing objects in S3: see s3_private.h. */
#include <inttypes.h>
#include <string.h>

#include "codec/base64.h"
#include "store/driver/s3_private.h"

/* --- a body on its way out --- */

static ssize_t sending_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct s3_sending *o = container_of(source, struct s3_sending, source);
    ssize_t got = source_read(o->from, bytes, n, call);

    if (got > 0)
        hash_update(&o->md5, bytes, (size_t)got);
    return got;
}

static int sending_rewind(struct source *source, struct call *call)
{
    struct s3_sending *o = container_of(source, struct s3_sending, source);

    hash_init(&o->md5, HASH_MD5);
    return o->from->rewind(o->from, call);
}

static void send_content_md5(struct s3_exchange *x, const unsigned char md5[16])
{
    auto_buf struct buf text = BUF_INIT(64);

    base64_encode(&text, md5, 16);
    s3_exchange_header(x, "Content-MD5", text.data);
}

/* The signature proves the body where the service has been seen to check it.  Only where it does
 * not is MD5 computed, the slowest hash of all: before sending when the body is in memory, else as
 * it goes by. */
int s3_sending_begin(struct s3_sending *o, struct s3_exchange *x, struct source *from,
                     uint64_t size, const struct checksums *known)
{
    const struct source_bytes *bytes = source_as_bytes(from);
    enum fact enforced = FACT_UNKNOWN, chunked = FACT_UNKNOWN;

    *o = (struct s3_sending){.from = from, .known = *known};
    if (s3_fact(x->s3, x->bucket, S3_FACT_PAYLOAD_HASH, &enforced, x->call) < 0)
        return -1;
    bool hashed = bytes || (known->have & (1U << CHECKSUM_SHA256));
    if (!hashed && s3_fact(x->s3, x->bucket, S3_FACT_CHUNK_SIGNED, &chunked, x->call) < 0)
        return -1;
    bool md5_known = known->have & (1U << CHECKSUM_MD5);
    bool needed = hashed ? enforced != FACT_YES : chunked != FACT_YES;
    if (needed && bytes && !md5_known) {
        unsigned char md5[16];
        hash_bytes(HASH_MD5, bytes->bytes + bytes->at, bytes->length - bytes->at, md5);
        checksum_set(&o->known, CHECKSUM_MD5, md5);
        md5_known = true;
    }
    if (needed && md5_known)
        send_content_md5(x, o->known.md5);
    if (needed && !md5_known) {
        o->source =
            (struct source){.read = sending_read, .rewind = from->rewind ? sending_rewind : NULL};
        hash_init(&o->md5, HASH_MD5);
        o->hashing = true;
        from = &o->source;
    }
    return s3_exchange_stream(x, from, size, known);
}

void s3_sending_release(struct s3_sending *o)
{
    hash_release(&o->md5);
}

int s3_sending_proof(struct s3_sending *o, const struct s3_exchange *x, const char *etag,
                     enum proof *ret)
{
    struct checksums stored = {0};
    enum fact fact = FACT_UNKNOWN;

    if (o->hashing) {
        unsigned char md5[16];
        hash_final(&o->md5, md5);
        checksum_set(&o->known, CHECKSUM_MD5, md5);
        o->hashing = false;
    }
    enum fact hash = s3_fact_known(x->s3, x->chunked ? S3_FACT_CHUNK_SIGNED : S3_FACT_PAYLOAD_HASH);
    enum proof proof = x->hashed && hash == FACT_YES ? PROOF_SIGNED : PROOF_NONE;
    s3_md5_from_etag(etag, &stored);
    /* An ETag unlike all others of this store: nothing else in the answer is believed either. */
    if (!(stored.have & (1U << CHECKSUM_MD5)) && s3_etag_may_be_md5(x) &&
        s3_fact_known(x->s3, S3_FACT_ETAG_MD5) == FACT_YES) {
        *ret = PROOF_NONE;
        return 0;
    }
    *ret = proof;
    if (!(o->known.have & (1U << CHECKSUM_MD5)))
        return 0;
    if (s3_fact(x->s3, x->bucket, S3_FACT_ETAG_MD5, &fact, x->call) < 0)
        return -1;
    if (fact == FACT_YES && (stored.have & (1U << CHECKSUM_MD5)) && s3_etag_may_be_md5(x)) {
        if (memcmp(stored.md5, o->known.md5, 16) != 0)
            return err_set(&x->call->err, ERR_CORRUPT,
                           "%s '%s/%s': the ETag is not the MD5 of what was sent", x->doing,
                           x->bucket, x->key);
        *ret = PROOF_ETAG;
        return 0;
    }
    if (proof != PROOF_NONE || !pairs_get_nocase(&x->request.headers, "Content-MD5"))
        return 0;
    if (s3_fact(x->s3, x->bucket, S3_FACT_CONTENT_MD5, &fact, x->call) < 0)
        return -1;
    if (fact == FACT_YES)
        *ret = PROOF_CHECKSUM;
    return 0;
}

/* --- conditions --- */

/* What is there now, for services that know no conditional writes: its ETag, or NULL. */
static int present_etag(struct s3_exchange *x, char **ret)
{
    const struct object_key key = {.container = x->bucket, .name = x->key};
    auto_object struct object found = OBJECT_INIT;

    if (s3_stat(&x->s3->store, &key, &found, x->call) == 0) {
        *ret = xstrdup(found.etag ? found.etag : "");
        return 0;
    }
    if (x->call->err.code != ERR_NOT_FOUND)
        return -1;
    err_clear(&x->call->err);
    return 0;
}

int s3_condition_now(struct s3_exchange *x, const struct put_options *options)
{
    auto_free char *etag = NULL;

    if (!options->if_match && !options->if_absent)
        return 0;
    if (present_etag(x, &etag) < 0)
        return -1;
    if (options->if_absent && etag)
        return err_set(&x->call->err, ERR_CHANGED, "write '%s/%s': it is there already", x->bucket,
                       x->key);
    if (options->if_match && !same_string(options->if_match, etag))
        return err_set(&x->call->err, ERR_CHANGED, "write '%s/%s': it has changed meanwhile",
                       x->bucket, x->key);
    return 0;
}

int s3_condition(struct s3_exchange *x, const struct put_options *options)
{
    enum fact conditional = FACT_UNKNOWN, bare = FACT_UNKNOWN;

    if (!options->if_match && !options->if_absent)
        return 0;
    if (s3_fact(x->s3, x->bucket, S3_FACT_CONDITIONAL, &conditional, x->call) < 0)
        return -1;
    if (conditional == FACT_YES && options->if_absent) {
        s3_exchange_header(x, "If-None-Match", "*");
        return 0;
    }
    if (conditional == FACT_YES &&
        s3_fact(x->s3, x->bucket, S3_FACT_IF_MATCH_BARE, &bare, x->call) < 0)
        return -1;
    if (bare == FACT_UNKNOWN)
        return s3_condition_now(x, options);
    http_request_headerf(&x->request, "If-Match", bare == FACT_YES ? "%s" : "\"%s\"",
                         options->if_match);
    return 0;
}

/* --- put and remove --- */

int s3_demand_tags(struct s3_exchange *x, const struct object *o)
{
    enum fact tagging = FACT_UNKNOWN;

    if (!o || o->tags.count == 0 || x->s3->store.traits.tags_max == 0)
        return 0;
    if (s3_fact(x->s3, x->bucket, S3_FACT_TAGGING, &tagging, x->call) < 0)
        return -1;
    if (tagging == FACT_YES)
        return 0;
    return err_set(&x->call->err, ERR_UNSUPPORTED, "%s '%s/%s': the service does not keep tags",
                   x->doing, x->bucket, x->key);
}

/* What was stored is wrong: an object that is not what was sent may not stay. */
static void take_back(struct s3_exchange *x)
{
    struct call call = call_child(x->call, NULL);
    auto_exchange struct s3_exchange undo = S3_EXCHANGE_INIT;

    s3_exchange_init(&undo, x->s3, "DELETE", x->bucket, x->key, "remove", &call);
    const char *version = s3_exchange_answer(x, "x-amz-version-id");
    if (version)
        s3_exchange_query(&undo, "versionId", version);
    if (s3_exchange_send(&undo, NULL, NULL) < 0)
        (void)err_prefix(&x->call->err, "what is there now is wrong, and could not be removed");
}

static int put_finish(struct s3_exchange *x, struct s3_sending *sending, struct put_result *ret)
{
    const char *version = s3_exchange_answer(x, "x-amz-version-id");
    enum proof proof = PROOF_NONE;
    char etag[200];

    s3_exchange_etag(x, etag, sizeof(etag));
    if (s3_sending_proof(sending, x, etag, &proof) < 0) {
        if (x->call->err.code == ERR_CORRUPT)
            take_back(x);
        return -1;
    }
    ret->etag = xstrdup(etag);
    ret->version = xstrdup_null(version && strcmp(version, "null") != 0 ? version : NULL);
    ret->proof = proof;
    if (s3_fact_known(x->s3, S3_FACT_ETAG_MD5) == FACT_YES && s3_etag_may_be_md5(x))
        s3_md5_from_etag(etag, &ret->stored);
    s3_checksums_from_answer(x, &ret->stored);
    return 0;
}

int s3_put(struct store *s, const struct object_key *key, const struct put_options *options,
           struct source *from, struct put_result *ret, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    cleanup(s3_sending_release) struct s3_sending sending = {0};
    enum fact etag = FACT_UNKNOWN; /* wanted by put_finish() */

    s3_exchange_init(&x, s3_of(s), "PUT", key->container, key->name, "write", call);
    if (s3_object_headers(&x, options->properties) < 0 ||
        s3_demand_tags(&x, options->properties) < 0 || s3_condition(&x, options) < 0 ||
        s3_sending_begin(&sending, &x, from, options->size, &options->known) < 0 ||
        s3_fact(x.s3, x.bucket, S3_FACT_ETAG_MD5, &etag, call) < 0)
        return -1;
    if (s3_exchange_send(&x, NULL, NULL) < 0) {
        if (options->if_match && call->err.code == ERR_NOT_FOUND &&
            s3_refused_with(&x, "NoSuchKey"))
            call->err.code = ERR_CHANGED;
        return -1;
    }
    return put_finish(&x, &sending, ret);
}

int s3_remove(struct store *s, const struct object_key *key, const char *if_match,
              struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_object struct object found = OBJECT_INIT;

    /* A DELETE says 204 whether or not there was something. */
    if (key->kind != VERSION_MARKER) {
        if (s3_stat(s, key, &found, call) < 0)
            return -1;
        if (if_match && !same_string(if_match, found.etag))
            return err_set(&call->err, ERR_CHANGED, "remove '%s/%s': it has changed meanwhile",
                           key->container, key->name);
    }
    s3_exchange_init(&x, s3_of(s), "DELETE", key->container, key->name, "remove", call);
    s3_exchange_version(&x, key);
    return s3_exchange_send(&x, NULL, NULL);
}

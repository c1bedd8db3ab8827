// SPDX-License-Identifier: EUPL-1.2
/*
 * What the service really does, found out by trying: see s3.h.
 *
 * A trial writes a small object, tries to overwrite it with something the service ought to refuse,
 * and reads back what is there: the first body still there and a refusal means that it checks.
 * What is refused for another reason (no permission, no space, busy) proves nothing.
 */
#include <stdio.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/hex.h"
#include "store/driver/s3_private.h"
#include "util/log.h"
#include "util/random.h"
#include "util/thread.h"

static const char *const words[S3_FACT_COUNT] = {
    [S3_FACT_PAYLOAD_HASH] = "payload-hash-enforced",
    [S3_FACT_CONTENT_MD5] = "content-md5-enforced",
    [S3_FACT_CHECKSUM_HEADER] = "checksum-header-enforced",
    [S3_FACT_ETAG_MD5] = "etag-is-md5",
    [S3_FACT_CONDITIONAL] = "conditional-write",
    [S3_FACT_IF_MATCH_BARE] = "if-match-bare",
    [S3_FACT_CHUNK_SIGNED] = "chunk-signed",
    [S3_FACT_TAGGING] = "tagging",
};

const char *s3_fact_word(enum s3_fact fact)
{
    return words[fact];
}

struct trial {
    struct s3 *s3;
    struct call *call;
    const char *bucket;
    char key[64];
    char etag[200];        /* of the first body */
    struct pairs versions; /* what it left in a bucket that keeps versions */
};

static const char first[] = "bascule looks what this store checks.\n";
static const char other[] = "Nobody should ever find this in here.\n";

/* A PUT of text; spoil the exchange with what is to be refused before sending. */
static void prepare(const struct trial *t, struct s3_exchange *x, const char *text)
{
    s3_exchange_init(x, t->s3, "PUT", t->bucket, t->key, "try out", t->call);
    s3_exchange_body(x, text, strlen(text));
}

static int send_put(struct trial *t, struct s3_exchange *x)
{
    int status = s3_exchange_send(x, NULL, NULL);
    const char *version = status == 0 ? s3_exchange_answer(x, "x-amz-version-id") : NULL;

    if (version)
        pairs_set(&t->versions, version, "");
    return status;
}

/* 1 when the object holds text, 0 when something else or nothing, -1 on failure. */
static int holds(const struct trial *t, const char *text)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf found = BUF_INIT(4096);

    s3_exchange_init(&x, t->s3, "GET", t->bucket, t->key, "try out", t->call);
    if (s3_exchange_text(&x, &found) < 0) {
        if (t->call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&t->call->err);
        return 0;
    }
    return strcmp(found.data, text) == 0;
}

static void remove_one(const struct trial *t, const char *version)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    struct call call = call_child(t->call, NULL);

    s3_exchange_init(&x, t->s3, "DELETE", t->bucket, t->key, "remove", &call);
    if (version)
        s3_exchange_query(&x, "versionId", version);
    if (s3_exchange_send(&x, NULL, NULL) < 0) {
        log_line(LOG_WARNING, "a small object of a trial was left behind: %s", call.err.text);
        return;
    }
    /* Where versioning is suspended, a plain DELETE leaves a marker, which goes by its version. */
    const char *marker = s3_exchange_answer(&x, "x-amz-delete-marker");
    const char *left = s3_exchange_answer(&x, "x-amz-version-id");
    if (!version && marker && strcmp(marker, "true") == 0)
        remove_one(t, left ? left : "null");
}

static void tidy(struct trial *t)
{
    if (t->versions.count == 0)
        remove_one(t, NULL);
    for (size_t i = 0; i < t->versions.count; i++)
        remove_one(t, t->versions.list[i].key);
    pairs_release(&t->versions);
}

/* Whether a failure says "you may not even try" rather than "this is wrong". */
static bool proves_nothing(enum err_code code)
{
    return code == ERR_DENIED || code == ERR_QUOTA || code == ERR_NOT_FOUND ||
           code == ERR_CANCELLED || code == ERR_CLOCK || err_is_passing(code);
}

/* After an attempt to overwrite first with other that returned status: FACT_YES when it was refused
 * and changed nothing, FACT_NO when it was taken. */
static enum fact judge(const struct trial *t, int status, bool refusal_counts)
{
    if (status < 0 && proves_nothing(t->call->err.code))
        return FACT_UNKNOWN;
    err_clear(&t->call->err);
    int unchanged = holds(t, first);
    if (unchanged < 0)
        return FACT_UNKNOWN;
    return status < 0 && refusal_counts && unchanged ? FACT_YES : FACT_NO;
}

static enum fact try_payload_hash(struct trial *t)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;

    prepare(t, &x, other);
    hash_hex(HASH_SHA256, first, strlen(first), x.hash);
    return judge(t, send_put(t, &x), true);
}

static enum fact try_content_md5(struct trial *t)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(64);
    unsigned char md5[16];

    prepare(t, &x, other);
    hash_bytes(HASH_MD5, first, strlen(first), md5);
    base64_encode(&text, md5, sizeof(md5));
    s3_exchange_header(&x, "Content-MD5", text.data);
    return judge(t, send_put(t, &x), true);
}

static enum fact try_checksum_header(struct trial *t)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(64);
    unsigned char digest[SHA256_SIZE];

    prepare(t, &x, other);
    hash_bytes(HASH_SHA256, first, strlen(first), digest);
    base64_encode(&text, digest, sizeof(digest));
    s3_exchange_header(&x, "x-amz-checksum-sha256", text.data);
    return judge(t, send_put(t, &x), true);
}

static enum fact try_conditional(struct trial *t)
{
    auto_exchange struct s3_exchange absent = S3_EXCHANGE_INIT, match = S3_EXCHANGE_INIT;

    prepare(t, &absent, other);
    s3_exchange_header(&absent, "If-None-Match", "*");
    int status = send_put(t, &absent);
    enum fact fact =
        judge(t, status, absent.response.status == 412 || absent.response.status == 409);
    if (fact != FACT_YES)
        return fact;
    prepare(t, &match, other);
    s3_exchange_header(&match, "If-Match", "\"00000000000000000000000000000000\"");
    status = send_put(t, &match);
    return judge(t, status, match.response.status == 412);
}

/* With a right ETag, quoted as RFC 9110 has it, and, where that is refused, as it is. */
static enum fact try_if_match_bare(struct trial *t)
{
    auto_exchange struct s3_exchange quoted = S3_EXCHANGE_INIT, bare = S3_EXCHANGE_INIT;

    prepare(t, &quoted, other);
    http_request_headerf(&quoted.request, "If-Match", "\"%s\"", t->etag);
    if (send_put(t, &quoted) == 0)
        return holds(t, other) == 1 ? FACT_NO : FACT_UNKNOWN;
    if (quoted.response.status != 412)
        return FACT_UNKNOWN;
    err_clear(&t->call->err);
    prepare(t, &bare, other);
    s3_exchange_header(&bare, "If-Match", t->etag);
    return send_put(t, &bare) == 0 && holds(t, other) == 1 ? FACT_YES : FACT_UNKNOWN;
}

/* Taken and stored without its framing, and refused when a chunk is not what was signed. */
static enum fact try_chunk_signed(struct trial *t)
{
    auto_exchange struct s3_exchange right = S3_EXCHANGE_INIT, wrong = S3_EXCHANGE_INIT;

    s3_exchange_init(&wrong, t->s3, "PUT", t->bucket, t->key, "try out", t->call);
    source_bytes_init(&wrong.bytes, other, strlen(other));
    wrong.spoil = true;
    s3_exchange_chunked(&wrong, &wrong.bytes.source, strlen(other));
    enum fact fact = judge(t, send_put(t, &wrong), true);
    if (fact != FACT_YES)
        return fact;
    s3_exchange_init(&right, t->s3, "PUT", t->bucket, t->key, "try out", t->call);
    source_bytes_init(&right.bytes, other, strlen(other));
    s3_exchange_chunked(&right, &right.bytes.source, strlen(other));
    if (send_put(t, &right) < 0) {
        fact = proves_nothing(t->call->err.code) ? FACT_UNKNOWN : FACT_NO;
        err_clear(&t->call->err);
        return fact;
    }
    int there = holds(t, other);
    return there < 0 ? FACT_UNKNOWN : there ? FACT_YES : FACT_NO;
}

static enum fact try_tagging(struct trial *t)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_pairs struct pairs tags = PAIRS_INIT;
    const struct object_key key = {.container = t->bucket, .name = t->key};

    prepare(t, &x, first);
    s3_exchange_header(&x, "x-amz-tagging", "bascule=trial");
    if (send_put(t, &x) < 0 || s3_tag_ops.get(&t->s3->store, &key, &tags, t->call) < 0) {
        enum fact fact = proves_nothing(t->call->err.code) ? FACT_UNKNOWN : FACT_NO;
        err_clear(&t->call->err);
        return fact;
    }
    return same_string(pairs_get(&tags, "bascule"), "trial") ? FACT_YES : FACT_NO;
}

static void set_fact(struct s3 *s, enum s3_fact fact, enum fact value)
{
    atomic_store(&s->facts[fact], (int)value);
}

/* The object all trials start from.  Its answer tells of ETags. */
static enum fact begin_trial(struct trial *t)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    struct checksums stored = {0};
    unsigned char md5[16];

    prepare(t, &x, first);
    if (send_put(t, &x) < 0)
        return FACT_UNKNOWN;
    s3_exchange_etag(&x, t->etag, sizeof(t->etag));
    s3_md5_from_etag(t->etag, &stored);
    hash_bytes(HASH_MD5, first, strlen(first), md5);
    return (stored.have & (1U << CHECKSUM_MD5)) && memcmp(stored.md5, md5, sizeof(md5)) == 0
               ? FACT_YES
               : FACT_NO;
}

static enum fact run_trial(struct s3 *s, const char *bucket, enum s3_fact fact, enum fact *ret_etag,
                           struct call *call)
{
    static enum fact (*const tries[S3_FACT_COUNT])(struct trial * t) = {
        [S3_FACT_PAYLOAD_HASH] = try_payload_hash,       [S3_FACT_CONTENT_MD5] = try_content_md5,
        [S3_FACT_CHECKSUM_HEADER] = try_checksum_header, [S3_FACT_CONDITIONAL] = try_conditional,
        [S3_FACT_CHUNK_SIGNED] = try_chunk_signed,       [S3_FACT_TAGGING] = try_tagging,
        [S3_FACT_IF_MATCH_BARE] = try_if_match_bare,
    };
    struct trial t = {.s3 = s, .call = call, .bucket = bucket};
    char random[17];

    random_hex(random, 8);
    (void)snprintf(t.key, sizeof(t.key), ".bascule/probe/%s", random);
    *ret_etag = begin_trial(&t);
    if (*ret_etag == FACT_UNKNOWN) {
        /* It may be there, only the answer was lost. */
        if (err_is_passing(call->err.code))
            tidy(&t);
        return FACT_UNKNOWN;
    }
    enum fact found = fact == S3_FACT_ETAG_MD5 ? *ret_etag : tries[fact](&t);
    tidy(&t);
    return found;
}

/* --- remembering --- */

static enum fact fact_from_word(const char *word)
{
    return strcmp(word, "yes") == 0 ? FACT_YES : strcmp(word, "no") == 0 ? FACT_NO : FACT_UNKNOWN;
}

/* Conditions are heeded in one bucket and not in another (RGW: not with versioning on). */
static void notebook_key(enum s3_fact fact, const char *bucket, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s%s%s", words[fact], fact == S3_FACT_CONDITIONAL ? ":" : "",
                   fact == S3_FACT_CONDITIONAL ? bucket : "");
}

static int recall(struct s3 *s, const char *bucket, enum s3_fact fact, enum fact *ret,
                  struct call *call)
{
    struct notebook *n = s->store.notebook;
    char key[400], word[16];

    notebook_key(fact, bucket, key, sizeof(key));
    if (!n)
        return 0;
    int known = n->read(n, s->store.identity, key, word, sizeof(word), call);
    if (known > 0)
        *ret = fact_from_word(word);
    return known < 0 ? -1 : 0;
}

static int remember(struct s3 *s, const char *bucket, enum s3_fact fact, enum fact value,
                    struct call *call)
{
    struct notebook *n = s->store.notebook;
    char key[400];

    if (value == FACT_UNKNOWN)
        return 0;
    if (fact == S3_FACT_CONDITIONAL)
        pairs_set(&s->conditional, bucket, value == FACT_YES ? "yes" : "no");
    else
        set_fact(s, fact, value);
    notebook_key(fact, bucket, key, sizeof(key));
    return n ? n->write(n, s->store.identity, key, value == FACT_YES ? "yes" : "no", call) : 0;
}

enum fact s3_fact_known(struct s3 *s, enum s3_fact fact)
{
    return (enum fact)atomic_load(&s->facts[fact]);
}

/* With the lock: from memory or the notebook. */
static int known_here(struct s3 *s, const char *bucket, enum s3_fact fact, enum fact *ret,
                      struct call *call)
{
    *ret = s3_fact_known(s, fact);
    if (*ret == FACT_UNKNOWN && fact == S3_FACT_CONDITIONAL) {
        const char *word = pairs_get(&s->conditional, bucket);
        *ret = word ? fact_from_word(word) : FACT_UNKNOWN;
    }
    if (*ret != FACT_UNKNOWN)
        return 0;
    if (recall(s, bucket, fact, ret, call) < 0)
        return -1;
    if (*ret != FACT_UNKNOWN && fact != S3_FACT_CONDITIONAL)
        set_fact(s, fact, *ret);
    return 0;
}

static void forgo(struct s3 *s, const char *bucket, enum s3_fact fact)
{
    if (fact == S3_FACT_CONDITIONAL)
        pairs_set(&s->conditional, bucket, "no");
    else
        set_fact(s, fact, FACT_NO);
}

int s3_fact(struct s3 *s, const char *bucket, enum s3_fact fact, enum fact *ret, struct call *call)
{
    enum fact etag = FACT_UNKNOWN, found = s3_fact_known(s, fact);

    if (found != FACT_UNKNOWN) {
        *ret = found;
        return 0;
    }
    locked(&s->probing);
    if (known_here(s, bucket, fact, &found, call) < 0)
        return -1;
    if (found == FACT_UNKNOWN) {
        struct call trial = call_child(call, NULL);
        found = run_trial(s, bucket, fact, &etag, &trial);
        /* Where trials are not permitted, nothing is taken for granted, and not tried each time. */
        if (found == FACT_UNKNOWN && (trial.err.code == ERR_DENIED || trial.err.code == ERR_QUOTA))
            forgo(s, bucket, fact);
        /* Told to stop, or the bucket is not there: the caller's own request would say so too. */
        if (call_check(call) < 0)
            return -1;
        if (remember(s, bucket, fact, found, call) < 0 ||
            (s3_fact_known(s, S3_FACT_ETAG_MD5) == FACT_UNKNOWN &&
             remember(s, bucket, S3_FACT_ETAG_MD5, etag, call) < 0))
            return -1;
    }
    *ret = found;
    return 0;
}

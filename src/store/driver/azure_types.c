// SPDX-License-Identifier: EUPL-1.2
/*
 * Writing append and page blobs.
 *
 * Azure has no way to prepare one of these aside and put it into place: they grow under their own
 * name.  So that nobody takes a half-written one for whole, it carries the metadata key
 * AZURE_MARKER, with the upload's id, from its creation until the commit takes it away; and what
 * fails is deleted, but what the name held before is gone by then.  That is the one place where
 * this driver cannot be all or nothing.
 *
 * Pages of zeros are not sent.  An append blob's parts go out in their order: one that comes early
 * waits for those before it, and one that was interrupted goes on where the blob ends.
 */
#include <inttypes.h>
#include <string.h>

#include "store/driver/azure_private.h"

#define CHUNK_MAX        ((size_t)1 << 20)   /* read at a time where the body is not in memory */
#define RUNS_EXACT       16                  /* more separate runs than these in a chunk ... */
#define GAP_SENT         ((size_t)64 * 1024) /* ... and gaps shorter than this are sent as zeros */
#define APPEND_SMALL     (UINT64_C(4) << 20)
#define APPEND_SMALL_END (UINT64_C(50) << 30) /* from here on blocks are larger: 50,000 at most */
#define TURN_WAIT        (120 * CLOCK_SECOND)
#define TURN_STEP        (200 * CLOCK_MILLISECOND)

/* ------------------------------------------------------------- begin, commit, abort */

int azure_types_begin(struct azure *a, const struct object_key *key, const char *id,
                      const struct put_options *options, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct azure_write write = {.options = options, .stored_md5 = true, .marker = id};
    bool page = azure_upload_type(id) == OBJECT_PAGE;

    if (page && options->size % AZURE_PAGE)
        return err_set(&call->err, ERR_INVALID,
                       "a page blob of %" PRIu64 " bytes cannot be: its size is a multiple of %d",
                       options->size, AZURE_PAGE);
    azure_exchange_key(a, &x, "PUT", key, 'w');
    azure_exchange_header(&x, "x-ms-blob-type", page ? "PageBlob" : "AppendBlob");
    if (page) {
        http_request_headerf(&x.request, "x-ms-blob-content-length", "%" PRIu64, options->size);
        if (options->properties && options->properties->sequence)
            http_request_headerf(&x.request, "x-ms-blob-sequence-number", "%" PRIu64,
                                 options->properties->sequence);
    }
    if (azure_write_properties(&x, &write, &call->err) < 0)
        return -1;
    azure_exchange_conditions(&x, options->if_match, options->if_absent);
    return azure_exchange_do(a, &x, NULL, NULL, call);
}

/* The blob of this upload as it is now; ERR_NOT_FOUND when it is gone or another's. */
static int look(struct azure *a, const struct object_key *key, const char *id, struct object *ret,
                struct call *call)
{
    auto_object struct object o = OBJECT_INIT;

    if (azure_stat(&a->store, key, &o, call) < 0)
        return -1;
    if (!same_string(pairs_get_nocase(&o.metadata, AZURE_MARKER), id))
        return err_set(&call->err, ERR_NOT_FOUND,
                       "the blob is not the one this upload began: somebody replaced it");
    *ret = o;
    o = (struct object)OBJECT_INIT;
    return 0;
}

int azure_types_commit(struct azure *a, const struct object_key *key, const char *id,
                       const struct put_options *options, struct put_result *ret, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_object struct object o = OBJECT_INIT;

    if (look(a, key, id, &o, call) < 0)
        return -1;
    if (o.size != options->size)
        return err_set(&call->err, ERR_CONFLICT,
                       "%" PRIu64 " of %" PRIu64 " bytes have been uploaded", o.size,
                       options->size);
    azure_exchange_key(a, &x, "PUT", key, 'w');
    azure_exchange_query(&x, "comp", "metadata");
    if (options->properties &&
        azure_write_metadata(&x, &options->properties->metadata, &call->err) < 0)
        return -1;
    azure_exchange_conditions(&x, o.etag, false);
    if (azure_exchange_do(a, &x, NULL, NULL, call) < 0)
        return -1;
    azure_read_written(&x, ret);
    return 0;
}

int azure_types_abort(struct azure *a, const struct object_key *key, const char *id,
                      struct call *call)
{
    auto_object struct object o = OBJECT_INIT;
    struct err before = call->err;

    if (look(a, key, id, &o, call) == 0) {
        azure_undo(a, key, o.etag, call);
        return 0;
    }
    if (call->err.code != ERR_NOT_FOUND)
        return -1;
    call->err = before;
    return 0;
}

/* -------------------------------------------------------------------------- pages */

struct page_writer {
    struct azure *a;
    const struct object_key *key;
    bool fresh;                   /* nothing but zeros is there yet: none need be written */
    uint64_t clear, clear_length; /* zeros not written yet */
    enum proof proof;             /* the weakest so far */
};

static int put_page(struct page_writer *w, const char *bytes, uint64_t offset, size_t n,
                    struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct source_bytes source;
    struct azure_body body;
    struct checksums stored;
    enum proof proof = PROOF_CHECKSUM;

    azure_exchange_key(w->a, &x, "PUT", w->key, 'w');
    azure_exchange_query(&x, "comp", "page");
    azure_exchange_header(&x, "x-ms-page-write", bytes ? "update" : "clear");
    http_request_headerf(&x.request, "x-ms-range", "bytes=%" PRIu64 "-%" PRIu64, offset,
                         offset + (bytes ? n : w->clear_length) - 1);
    if (bytes) {
        source_bytes_init(&source, bytes, n);
        azure_body_init(&body, &source.source, &(struct checksums){0}, false);
        azure_body_attach(&body, &x, n);
    }
    if (azure_exchange_do(w->a, &x, NULL, NULL, call) < 0)
        return -1;
    if (bytes && azure_body_verify(&body, &x, &stored, &proof, &call->err) < 0)
        return -1;
    w->proof = proof < w->proof ? proof : w->proof;
    return 0;
}

static int flush_zeros(struct page_writer *w, struct call *call)
{
    if (w->clear_length && !w->fresh && put_page(w, NULL, w->clear, 0, call) < 0)
        return -1;
    w->clear_length = 0;
    return 0;
}

static void add_zeros(struct page_writer *w, uint64_t offset, size_t n)
{
    if (!w->clear_length)
        w->clear = offset;
    w->clear_length += n;
}

static bool is_zero(const char *bytes, size_t n)
{
    return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

/* From at: how many bytes are of one kind (*ret_zero), where gaps of zeros below gap count as
 * data. */
static size_t run_length(const char *bytes, size_t n, size_t at, size_t gap, bool *ret_zero)
{
    size_t end = at, zeros = 0;

    while (at + zeros < n && is_zero(bytes + at + zeros, AZURE_PAGE))
        zeros += AZURE_PAGE;
    *ret_zero = zeros >= gap || (zeros && at + zeros == n);
    if (*ret_zero)
        return zeros;
    for (end = at + zeros; end < n; end += zeros) {
        zeros = 0;
        while (end + zeros < n && is_zero(bytes + end + zeros, AZURE_PAGE))
            zeros += AZURE_PAGE;
        if (zeros && (zeros >= gap || end + zeros == n))
            break;
        if (!zeros)
            zeros = AZURE_PAGE;
    }
    return end - at;
}

static size_t choose_gap(const char *bytes, size_t n)
{
    size_t runs = 0;
    bool zero;

    for (size_t at = 0; at < n; at += run_length(bytes, n, at, AZURE_PAGE, &zero))
        runs++;
    return runs > RUNS_EXACT ? GAP_SENT : AZURE_PAGE;
}

static int write_pages(struct page_writer *w, const char *bytes, uint64_t offset, size_t n,
                       struct call *call)
{
    size_t gap = choose_gap(bytes, n);

    for (size_t at = 0, step; at < n; at += step) {
        bool zero;
        step = run_length(bytes, n, at, gap, &zero);
        if (zero) {
            add_zeros(w, offset + at, step);
            continue;
        }
        if (flush_zeros(w, call) < 0)
            return -1;
        for (size_t sent = 0, chunk; sent < step; sent += chunk) {
            chunk = step - sent < AZURE_PAGE_WRITE_MAX ? step - sent : AZURE_PAGE_WRITE_MAX;
            if (put_page(w, bytes + at + sent, offset + at + sent, chunk, call) < 0)
                return -1;
        }
    }
    return 0;
}

/* Fill bytes from a source; fewer than asked for is an error. */
static int read_whole(struct source *from, char *bytes, size_t n, struct call *call)
{
    for (size_t have = 0; have < n;) {
        ssize_t got = source_read(from, bytes + have, n - have, call);
        if (got < 0)
            return -1;
        if (got == 0)
            return err_set(&call->err, ERR_INVALID, "the source ended too early");
        have += (size_t)got;
    }
    return 0;
}

static int write_page_part(struct page_writer *w, uint64_t offset, uint64_t size,
                           struct source *from, struct call *call)
{
    auto_buf struct buf chunk = BUF_INIT(CHUNK_MAX);
    const struct source_bytes *whole = source_as_bytes(from);

    if (offset % AZURE_PAGE || size % AZURE_PAGE)
        return err_set(&call->err, ERR_INVALID,
                       "parts of a page blob begin and end at multiples of %d", AZURE_PAGE);
    if (whole && write_pages(w, whole->bytes + whole->at, offset, (size_t)size, call) < 0)
        return -1;
    for (uint64_t done = 0; !whole && done < size;) {
        size_t n = size - done < CHUNK_MAX ? (size_t)(size - done) : CHUNK_MAX;
        buf_reset(&chunk);
        if (buf_reserve(&chunk, n, &call->err) < 0 || read_whole(from, chunk.data, n, call) < 0 ||
            write_pages(w, chunk.data, offset + done, n, call) < 0)
            return -1;
        done += n;
    }
    return flush_zeros(w, call);
}

/* ------------------------------------------------------------------------- appending */

/* The next left bytes of a source, as a source of their own. */
struct slice {
    struct source source;
    struct source *from;
    uint64_t left;
};

static ssize_t slice_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct slice *s = container_of(source, struct slice, source);

    if (!s->left)
        return 0;
    ssize_t got = source_read(s->from, bytes, n < s->left ? n : (size_t)s->left, call);
    if (got == 0)
        return err_set(&call->err, ERR_INVALID, "the source ended too early");
    if (got > 0)
        s->left -= (uint64_t)got;
    return got;
}

static int append_block(struct azure *a, const struct object_key *key, uint64_t offset, uint64_t n,
                        struct source *from, enum proof *weakest, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct source_bytes *whole = source_as_bytes(from), bytes;
    struct slice slice = {.source = {.read = slice_read}, .from = from, .left = n};
    struct azure_body body;
    struct checksums stored;
    enum proof proof;

    if (whole) {
        source_bytes_init(&bytes, whole->bytes + whole->at, (size_t)n);
        whole->at += (size_t)n;
    }
    azure_exchange_key(a, &x, "PUT", key, 'a');
    azure_exchange_query(&x, "comp", "appendblock");
    http_request_headerf(&x.request, "x-ms-blob-condition-appendpos", "%" PRIu64, offset);
    azure_body_init(&body, whole ? &bytes.source : &slice.source, &(struct checksums){0}, false);
    azure_body_attach(&body, &x, n);
    if (azure_exchange_do(a, &x, NULL, NULL, call) < 0 ||
        azure_body_verify(&body, &x, &stored, &proof, &call->err) < 0)
        return -1;
    *weakest = proof < *weakest ? proof : *weakest;
    return 0;
}

/* Wait until the blob reaches offset, when the parts before ours are still under way. */
static int await_turn(struct azure *a, const struct object_key *key, const char *id,
                      uint64_t offset, uint64_t *ret_size, struct call *call)
{
    int64_t give_up = clock_monotonic() + TURN_WAIT;
    uint64_t before = 0;

    for (;;) {
        auto_object struct object o = OBJECT_INIT;
        if (look(a, key, id, &o, call) < 0)
            return -1;
        *ret_size = o.size;
        if (o.size >= offset)
            return 0;
        if (o.size != before)
            give_up = clock_monotonic() + TURN_WAIT;
        before = o.size;
        if (clock_monotonic() > give_up)
            return err_set(&call->err, ERR_CONFLICT,
                           "an append blob takes its parts in their order, and those before byte "
                           "%" PRIu64 " do not come",
                           offset);
        if (call_sleep(call, TURN_STEP) < 0)
            return -1;
    }
}

static int skip(struct source *from, uint64_t n, struct call *call)
{
    struct slice slice = {.source = {.read = slice_read}, .from = from, .left = n};
    struct sink_count nowhere;

    sink_count_init(&nowhere);
    return stream_copy(&slice.source, &nowhere.sink, NULL, call);
}

static int append_part(struct azure *a, const struct object_key *key, const char *id,
                       uint64_t offset, uint64_t size, struct source *from, enum proof *proof,
                       struct call *call)
{
    uint64_t at = 0;

    if (await_turn(a, key, id, offset, &at, call) < 0)
        return -1;
    if (at > offset) { /* an earlier try of this part got so far; nobody proved it */
        uint64_t there = at - offset < size ? at - offset : size;
        *proof = PROOF_NONE;
        if (skip(from, there, call) < 0)
            return -1;
        offset += there;
        size -= there;
    }
    while (size) {
        uint64_t most = offset < APPEND_SMALL_END ? APPEND_SMALL : AZURE_APPEND_MAX;
        uint64_t n = size < most ? size : most;
        if (append_block(a, key, offset, n, from, proof, call) < 0)
            return -1;
        offset += n;
        size -= n;
    }
    return 0;
}

/* --------------------------------------------------------------------------- both */

int azure_types_part(struct azure *a, const struct object_key *key, const char *id,
                     const struct part_options *options, struct source *from,
                     struct part_result *ret, struct call *call)
{
    auto_object struct object o = OBJECT_INIT;
    struct page_writer writer = {.a = a, .key = key, .proof = PROOF_CHECKSUM};
    enum proof proof = PROOF_CHECKSUM;

    if (azure_upload_type(id) == OBJECT_APPEND) {
        if (append_part(a, key, id, options->offset, options->size, from, &proof, call) < 0)
            return -1;
        *ret = (struct part_result){.proof = proof};
        return 0;
    }
    if (look(a, key, id, &o, call) < 0 ||
        write_page_part(&writer, options->offset, options->size, from, call) < 0)
        return -1;
    *ret = (struct part_result){.proof = writer.proof};
    return 0;
}

int azure_types_put(struct azure *a, const struct object_key *key,
                    const struct put_options *options, struct source *from, struct put_result *ret,
                    struct call *call)
{
    auto_free char *id = NULL;
    struct page_writer writer = {.a = a, .key = key, .fresh = true, .proof = PROOF_CHECKSUM};
    struct call undo = CALL_INIT;
    int result;

    if (azure_upload_begin(&a->store, key, options, &id, call) < 0)
        return -1;
    if (azure_upload_type(id) == OBJECT_PAGE) {
        result = write_page_part(&writer, 0, options->size, from, call);
        ret->proof = writer.proof;
    } else {
        ret->proof = PROOF_CHECKSUM;
        result = append_part(a, key, id, 0, options->size, from, &ret->proof, call);
    }
    if (result == 0 && azure_types_commit(a, key, id, options, ret, call) == 0)
        return 0;
    undo.deadline = clock_monotonic() + 30 * CLOCK_SECOND;
    if (azure_types_abort(a, key, id, &undo) < 0)
        (void)err_prefix(&call->err, "what was written of it could not be removed (%s)",
                         undo.err.text);
    return -1;
}

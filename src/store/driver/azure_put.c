// SPDX-License-Identifier: EUPL-1.2
/*
 * Writing block blobs: whole, or as blocks under a block list.
 *
 * Nothing of a block blob is visible before its Put Blob or Put Block List has succeeded, and
 * either replaces what was there all at once.  Uncommitted blocks cannot be deleted on Azure: it
 * forgets them a week after the last one came.
 */
#include <inttypes.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/utf8.h"
#include "codec/xml.h"
#include "crypto/crc.h"
#include "store/driver/azure_private.h"
#include "util/random.h"
#include "util/thread.h"

int azure_name_ok(const struct object_key *key, struct err *e)
{
    const char *name = key->name;
    size_t n = strlen(name);

    if (!utf8_valid(name, n))
        return err_set(e, ERR_NAME, "Azure's names are UTF-8, and this one is not");
    if (utf8_utf16_units(name, n) > AZURE_NAME_UNITS_MAX)
        return err_set(e, ERR_NAME, "the name has more than the %d characters Azure holds",
                       AZURE_NAME_UNITS_MAX);
    if (strchr(name, '\\'))
        return err_set(e, ERR_NAME,
                       "Azure turns the '\\' in a name into '/', so it would be "
                       "another one");
    for (const char *at = name; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
        size_t segment = strcspn(at, "/");
        if ((segment == 1 || segment == 2) && strspn(at, ".") >= segment)
            return err_set(e, ERR_NAME,
                           "Azure resolves '.' and '..' between slashes, so it would "
                           "be another name");
    }
    return 0;
}

int azure_readable(const struct object_key *key, struct call *call)
{
    if (key->kind == VERSION_DELETED)
        return err_set(&call->err, ERR_CONFLICT,
                       "it is soft-deleted: undelete it before reading it");
    if (key->kind == VERSION_MARKER)
        return err_set(&call->err, ERR_NOT_FOUND, "Azure has no delete markers");
    return azure_name_ok(key, &call->err);
}

static int writable(const struct azure *a, const struct object_key *key, struct err *e)
{
    if (key->kind != VERSION_CURRENT)
        return err_set(e, ERR_INVALID, "snapshots and versions cannot be written");
    if (azure_name_ok(key, e) < 0)
        return -1;
    if ((a->store.traits.name_refuses & NAME_NO_NON_XML) &&
        !xml_char_ok(key->name, strlen(key->name)))
        return err_set(e, ERR_NAME,
                       "the emulator cannot list names with characters that XML does not have");
    return 0;
}

/* ------------------------------------------------------ bodies and their checksums */

static ssize_t body_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct azure_body *b = container_of(source, struct azure_body, source);
    ssize_t got = source_read(b->from, bytes, n, call);

    if (got > 0)
        b->crc64 = crc64_nvme(b->crc64, bytes, (size_t)got);
    return got;
}

static int body_rewind(struct source *source, struct call *call)
{
    struct azure_body *b = container_of(source, struct azure_body, source);

    b->crc64 = 0;
    return b->from->rewind(b->from, call);
}

static bool has(const struct checksums *c, enum checksum_kind kind)
{
    return c->have & (1u << kind);
}

static void set_crc64(struct checksums *c, uint64_t crc)
{
    unsigned char bytes[8];

    azure_crc64_bytes(crc, bytes);
    checksum_set(c, CHECKSUM_CRC64, bytes);
}

void azure_body_init(struct azure_body *b, struct source *from, const struct checksums *known,
                     bool md5_first)
{
    const struct source_bytes *bytes = source_as_bytes(from);

    *b = (struct azure_body){.from = from, .use = from, .ours = *known, .sent = WORD_NO};
    if (bytes) {
        b->bytes = bytes->bytes + bytes->at;
        b->length = bytes->length - bytes->at;
    }
    b->source = (struct source){.read = body_read, .rewind = from->rewind ? body_rewind : NULL};
    if (md5_first && has(known, CHECKSUM_MD5)) {
        b->sent = WORD_MD5;
    } else if (has(known, CHECKSUM_CRC64)) {
        b->sent = WORD_CRC64;
    } else if (bytes) {
        set_crc64(&b->ours, crc64_nvme(0, b->bytes, b->length));
        b->sent = WORD_CRC64;
    } else if (has(known, CHECKSUM_MD5)) {
        b->sent = WORD_MD5;
    } else {
        b->use = &b->source;
    }
}

void azure_body_attach(struct azure_body *b, struct azure_exchange *x, uint64_t size)
{
    if (b->sent == WORD_MD5)
        azure_header_checksum(x, "Content-MD5", b->ours.md5, MD5_SIZE);
    else if (b->sent == WORD_CRC64)
        azure_header_crc64(x, b->ours.crc64);
    azure_exchange_body(x, b->use, size);
}

int azure_body_verify(struct azure_body *b, const struct azure_exchange *x,
                      struct checksums *ret_stored, enum proof *ret_proof, struct err *e)
{
    unsigned char md5[HASH_MAX_SIZE];

    if (b->use == &b->source)
        set_crc64(&b->ours, b->crc64);
    ret_stored->have = 0;
    azure_read_checksums(&x->response, ret_stored);
    int same = checksums_compare(&b->ours, ret_stored);
    if (same == 0 && b->bytes && has(ret_stored, CHECKSUM_MD5)) {
        /* it names only the digest we did not take, but the bytes are still at hand */
        hash_bytes(HASH_MD5, b->bytes, b->length, md5);
        checksum_set(&b->ours, CHECKSUM_MD5, md5);
        same = checksums_compare(&b->ours, ret_stored);
    }
    if (same < 0)
        return err_set(e, ERR_CORRUPT, "the service stored other bytes than were sent");
    *ret_proof = same > 0 ? PROOF_CHECKSUM : PROOF_NONE;
    return 0;
}

void azure_read_written(const struct azure_exchange *x, struct put_result *ret)
{
    free(ret->etag);
    free(ret->version);
    ret->etag = azure_etag(azure_answer(x, "ETag"));
    ret->version = xstrdup_null(azure_answer(x, "x-ms-version-id"));
}

void azure_undo(struct azure *a, const struct object_key *key, const char *etag, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct call undo = CALL_INIT; /* also after cancellation, but not for ever */

    undo.deadline = clock_monotonic() + 30 * CLOCK_SECOND;
    azure_exchange_key(a, &x, "DELETE", key, 'd');
    azure_exchange_conditions(&x, etag, false);
    if (azure_exchange_do(a, &x, NULL, NULL, &undo) < 0 && undo.err.code != ERR_NOT_FOUND &&
        undo.err.code != ERR_CHANGED)
        (void)err_prefix(&call->err, "what was written of it could not be removed (%s)",
                         undo.err.text);
}

/* ------------------------------------------------------------------- whole blobs */

static int put_block_blob(struct azure *a, const struct object_key *key,
                          const struct put_options *options, struct source *from,
                          struct put_result *ret, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct azure_write write = {.options = options, .tier = true};
    struct azure_body body;

    azure_exchange_key(a, &x, "PUT", key, 'w');
    azure_exchange_header(&x, "x-ms-blob-type", "BlockBlob");
    if (azure_write_properties(&x, &write, &call->err) < 0)
        return -1;
    azure_exchange_conditions(&x, options->if_match, options->if_absent);
    azure_body_init(&body, from, &options->known, true);
    azure_body_attach(&body, &x, options->size);
    if (azure_exchange_do(a, &x, NULL, NULL, call) < 0)
        return -1;
    azure_read_written(&x, ret);
    if (azure_body_verify(&body, &x, &ret->stored, &ret->proof, &call->err) == 0)
        return 0;
    azure_undo(a, key, ret->etag, call);
    return -1;
}

static enum object_type wanted_type(const struct put_options *options)
{
    return options->properties ? options->properties->type : OBJECT_BLOCK;
}

int azure_put(struct store *s, const struct object_key *key, const struct put_options *options,
              struct source *from, struct put_result *ret, struct call *call)
{
    struct azure *a = azure_of(s);

    if (writable(a, key, &call->err) < 0)
        return -1;
    if (wanted_type(options) == OBJECT_BLOCK)
        return put_block_blob(a, key, options, from, ret, call);
    return azure_types_put(a, key, options, from, ret, call);
}

/* ----------------------------------------------------------------------- uploads */

static const char type_letters[] = {
    [OBJECT_BLOCK] = 'b', [OBJECT_APPEND] = 'a', [OBJECT_PAGE] = 'p'};

enum object_type azure_upload_type(const char *id)
{
    return id[0] == 'a' ? OBJECT_APPEND : id[0] == 'p' ? OBJECT_PAGE : OBJECT_BLOCK;
}

static bool is_aborted(struct azure *a, const char *id)
{
    locked(&a->lock);
    for (size_t i = 0; i < AZURE_ABORTED; i++)
        if (strcmp(a->aborted[i], id) == 0)
            return true;
    return false;
}

static void remember_aborted(struct azure *a, const char *id)
{
    locked(&a->lock);
    memcpy(a->aborted[a->next_aborted++ % AZURE_ABORTED], id, AZURE_UPLOAD_ID + 1);
}

static int check_id(struct azure *a, const char *id, struct err *e)
{
    if (strlen(id) != AZURE_UPLOAD_ID || !strchr("bap", id[0]) ||
        strspn(id + 1, "0123456789abcdef") != AZURE_UPLOAD_ID - 1)
        return err_set(e, ERR_NOT_FOUND, "this is no id of an upload to Azure");
    if (is_aborted(a, id))
        return err_set(e, ERR_NOT_FOUND, "the upload has been aborted");
    return 0;
}

int azure_upload_begin(struct store *s, const struct object_key *key,
                       const struct put_options *options, char **ret_id, struct call *call)
{
    struct azure *a = azure_of(s);
    enum object_type type = wanted_type(options);
    char hex[33];

    if (writable(a, key, &call->err) < 0)
        return -1;
    random_hex(hex, 16);
    auto_free char *id = xasprintf("%c%s", type_letters[type], hex);
    if (type != OBJECT_BLOCK && azure_types_begin(a, key, id, options, call) < 0)
        return -1;
    *ret_id = take(id);
    return 0;
}

/* All of a blob's uncommitted blocks must have ids of one length: 48 bytes before base64, as
 * several of Azure's own libraries have. */
static void block_id(char text[BASE64_SIZE(48) + 1], const char *id, uint32_t number)
{
    char plain[49];
    auto_buf struct buf b = BUF_INIT(BASE64_SIZE(48));

    (void)snprintf(plain, sizeof(plain), "%s-%014" PRIu32, id, number);
    base64_encode(&b, plain, 48);
    memcpy(text, b.data, b.length + 1);
}

int azure_upload_part(struct store *s, const struct object_key *key, const char *id,
                      uint32_t number, const struct part_options *options, struct source *from,
                      struct part_result *ret, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct azure *a = azure_of(s);
    char block[BASE64_SIZE(48) + 1];
    struct azure_body body;
    struct checksums stored;
    enum proof proof;

    if (check_id(a, id, &call->err) < 0)
        return -1;
    if (azure_upload_type(id) != OBJECT_BLOCK)
        return azure_types_part(a, key, id, options, from, ret, call);
    block_id(block, id, number);
    azure_exchange_key(a, &x, "PUT", key, 'w');
    azure_exchange_query(&x, "comp", "block");
    azure_exchange_query(&x, "blockid", block);
    azure_body_init(&body, from, &options->known, false);
    azure_body_attach(&body, &x, options->size);
    if (azure_exchange_do(a, &x, NULL, NULL, call) < 0 ||
        azure_body_verify(&body, &x, &stored, &proof, &call->err) < 0)
        return -1; /* a block that is not as sent is never committed: it is sent again first */
    *ret = (struct part_result){.proof = proof};
    return 0;
}

static void write_block_list(struct buf *out, const char *id, uint32_t count)
{
    char block[BASE64_SIZE(48) + 1];

    xml_head(out);
    buf_text(out, "<BlockList>");
    for (uint32_t i = 0; i < count; i++) {
        block_id(block, id, i);
        xml_element(out, "Latest", block);
    }
    buf_text(out, "</BlockList>");
}

/* The answer to a commit can be lost after it took effect.  Then the blob consists of exactly our
 * blocks, and conditions that held the first time do not hold any more. */
static bool is_committed(struct azure *a, const struct object_key *key, const char *id,
                         uint32_t count, struct put_result *ret)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(AZURE_XML_MAX);
    auto_xml struct xml_node *root = NULL;
    struct call call = CALL_INIT;
    char block[BASE64_SIZE(48) + 1];
    uint32_t number = 0;

    call.deadline = clock_monotonic() + 60 * CLOCK_SECOND;
    azure_exchange_key(a, &x, "GET", key, 'r');
    azure_exchange_query(&x, "comp", "blocklist");
    azure_exchange_query(&x, "blocklisttype", "committed");
    if (azure_exchange_text(a, &x, &text, &call) < 0 ||
        xml_parse(text.data, text.length, &root, &call.err) < 0)
        return false;
    for (const struct xml_node *n = xml_child(root, "CommittedBlocks/Block"); n; n = xml_next(n)) {
        block_id(block, id, number++);
        if (!same_string(xml_text(n, "Name"), block))
            return false;
    }
    azure_read_written(&x, ret);
    return number == count && count > 0;
}

static enum proof weakest(const struct part_result *parts, uint32_t count)
{
    enum proof proof = count ? PROOF_READBACK : PROOF_NONE;

    for (uint32_t i = 0; i < count; i++)
        if (parts[i].proof < proof)
            proof = parts[i].proof;
    return proof;
}

int azure_upload_commit(struct store *s, const struct object_key *key, const char *id,
                        const struct part_result *parts, uint32_t count,
                        const struct put_options *options, struct put_result *ret,
                        struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_buf struct buf list = BUF_INIT(AZURE_XML_MAX);
    struct azure *a = azure_of(s);
    struct azure_write write = {.options = options, .tier = true, .stored_md5 = true};
    struct source_bytes source;
    struct azure_body body;

    if (check_id(a, id, &call->err) < 0)
        return -1;
    ret->proof = weakest(parts, count);
    if (azure_upload_type(id) != OBJECT_BLOCK)
        return azure_types_commit(a, key, id, options, ret, call);
    azure_exchange_key(a, &x, "PUT", key, 'w');
    azure_exchange_query(&x, "comp", "blocklist");
    azure_exchange_header(&x, "Content-Type", "application/xml");
    if (azure_write_properties(&x, &write, &call->err) < 0)
        return -1;
    azure_exchange_conditions(&x, options->if_match, options->if_absent);
    write_block_list(&list, id, count);
    source_bytes_init(&source, list.data, list.length);
    azure_body_init(&body, &source.source, &(struct checksums){0}, false);
    azure_body_attach(&body, &x, list.length);
    if (azure_exchange_do(a, &x, NULL, NULL, call) == 0) {
        azure_read_written(&x, ret);
        return 0;
    }
    if (call->err.code != ERR_CHANGED || !is_committed(a, key, id, count, ret))
        return -1;
    err_clear(&call->err);
    return 0;
}

int azure_upload_abort(struct store *s, const struct object_key *key, const char *id,
                       struct call *call)
{
    struct azure *a = azure_of(s);
    struct err ignored = {0};

    if (check_id(a, id, &ignored) < 0)
        return 0;
    if (azure_upload_type(id) != OBJECT_BLOCK && azure_types_abort(a, key, id, call) < 0)
        return -1;
    remember_aborted(a, id); /* blocks that no list names go by themselves */
    return 0;
}

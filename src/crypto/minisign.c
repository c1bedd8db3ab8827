// SPDX-License-Identifier: EUPL-1.2
/* Minisign's keys and signatures: see minisign.h. */
#include "crypto/minisign.h"

#include <endian.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#include "codec/base64.h"

/* The files, all bytes, so no padding. */
struct secret_file {
    uint8_t algorithm[2];       /* "Ed" */
    uint8_t kdf[2];             /* "Sc", or zeros without a password */
    uint8_t check_algorithm[2]; /* "B2" */
    uint8_t salt[32];
    uint8_t operations[8]; /* little-endian, as is memory */
    uint8_t memory[8];
    struct {
        uint8_t number[8];
        uint8_t seed[32];
        uint8_t public_key[32];
        uint8_t check[32]; /* BLAKE2b-256: OpenSSL 3.0 has only the one of 512 bits */
    } locked;
};
struct public_file {
    uint8_t algorithm[2];
    uint8_t number[8];
    uint8_t public_key[32];
};
struct signature_file {
    uint8_t algorithm[2]; /* "ED": of the hash */
    uint8_t number[8];
    uint8_t signature[64];
};
_Static_assert(sizeof(struct secret_file) == 158, "minisign's secret key");
_Static_assert(sizeof(struct public_file) == 42, "minisign's public key");
_Static_assert(sizeof(struct signature_file) == 74, "minisign's signature");

static const char untrusted[] = "untrusted comment: ";
static const char trusted[] = "trusted comment: ";

/* One line of a file. */
struct line {
    const char *text;
    size_t length;
};

/* The next line, without its end; false when there is none. */
static bool next_line(struct line *rest, struct line *ret)
{
    if (rest->length == 0)
        return false;
    const char *end = memchr(rest->text, '\n', rest->length);
    size_t length = end ? (size_t)(end - rest->text) : rest->length;
    *ret = (struct line){rest->text, length};
    size_t skip = length + (end != NULL);
    rest->text += skip;
    rest->length -= skip;
    if (ret->length > 0 && ret->text[ret->length - 1] == '\r')
        ret->length--;
    return true;
}

static bool begins(const struct line *line, const char *with)
{
    size_t length = strlen(with);

    return line->length >= length && memcmp(line->text, with, length) == 0;
}

/* Exactly n bytes of base64; what they were decoded into is wiped. */
static int decode_line(const struct line *line, void *bytes, size_t n, struct err *e)
{
    auto_buf struct buf decoded = BUF_INIT(n);

    int result = base64_decode(line->text, line->length, &decoded, e);
    if (result == 0 && decoded.length != n)
        result = err_set(e, ERR_INVALID, "a line has the wrong length");
    if (result == 0)
        memcpy(bytes, decoded.data, n);
    if (decoded.size)
        explicit_bzero(decoded.data, decoded.size);
    return result;
}

static int secret_file_parse(const char *text, size_t length, struct secret_file *ret,
                             struct err *e)
{
    struct line rest = {text, length}, line;

    if (length > MINISIGN_FILE_MAX || !next_line(&rest, &line) || !begins(&line, untrusted) ||
        !next_line(&rest, &line))
        return err_set(e, ERR_INVALID, "this is not a minisign secret key file");
    if (decode_line(&line, ret, sizeof(*ret), e) < 0 || memcmp(ret->algorithm, "Ed", 2) != 0 ||
        memcmp(ret->check_algorithm, "B2", 2) != 0 ||
        (memcmp(ret->kdf, "Sc", 2) != 0 && memcmp(ret->kdf, "\0\0", 2) != 0))
        return err_set(e, ERR_INVALID, "this is not a minisign secret key file");
    return 0;
}

static uint64_t little_endian(const uint8_t bytes[8])
{
    uint64_t value;

    memcpy(&value, bytes, sizeof(value));
    return le64toh(value);
}

/* How libsodium's crypto_pwhash_scryptsalsa208sha256 makes scrypt's parameters of its two limits;
 * r is always 8. */
static void scrypt_parameters(uint64_t operations, uint64_t memory, uint64_t *n, uint64_t *p)
{
    uint64_t most;
    unsigned power = 1;

    if (operations < 32768)
        operations = 32768;
    bool bounded_by_operations = operations < memory / 32;
    most = bounded_by_operations ? operations / 32 : memory / 1024;
    while (power < 63 && UINT64_C(1) << power <= most / 2)
        power++;
    *n = UINT64_C(1) << power;
    uint64_t most_rp = (operations / 4) >> power;
    if (most_rp > 0x3fffffff)
        most_rp = 0x3fffffff;
    *p = bounded_by_operations ? 1 : most_rp / 8;
}

static void xor_bytes(uint8_t *bytes, const uint8_t *with, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] ^= with[i];
}

static int unlock(struct secret_file *file, const struct secret *password, struct err *e)
{
    uint8_t stream[sizeof(file->locked)];
    uint64_t n, p;

    if (!password || !password->bytes)
        return err_set(e, ERR_DENIED, "the minisign key is locked: it needs its password");
    scrypt_parameters(little_endian(file->operations), little_endian(file->memory), &n, &p);
    if (n > UINT64_C(1) << 21 || p == 0 || p > 64)
        return err_set(e, ERR_INVALID, "the minisign key asks for more than 2 GiB to open it");
    uint64_t memory = 1024 * n + 1024 * p + (1 << 20);
    if (!EVP_PBE_scrypt((const char *)password->bytes, password->length, file->salt,
                        sizeof(file->salt), n, 8, p, memory, stream, sizeof(stream))) {
        ERR_clear_error();
        return err_set(e, ERR_BUSY, "no memory to open the minisign key (%llu MiB)",
                       (unsigned long long)(memory >> 20));
    }
    xor_bytes((uint8_t *)&file->locked, stream, sizeof(stream));
    explicit_bzero(stream, sizeof(stream));
    return 0;
}

static EVP_PKEY *private_key(const unsigned char *seed)
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);

    if (!key)
        abort(); /* any 32 bytes are a key */
    return key;
}

static void pkey_free_p(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void context_free_p(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

/* The key of an opened file: right if the public key it holds is the one its seed has. */
static int take_key(const struct secret_file *file, struct minisign_key *ret, struct err *e)
{
    cleanup(pkey_free_p) EVP_PKEY *key = private_key(file->locked.seed);
    uint8_t public_key[32];
    size_t length = sizeof(public_key);

    if (!EVP_PKEY_get_raw_public_key(key, public_key, &length))
        return err_set(e, ERR_INTERNAL, "OpenSSL gives no Ed25519 public key");
    if (memcmp(public_key, file->locked.public_key, sizeof(public_key)) != 0)
        return file->kdf[0] ? err_set(e, ERR_DENIED, "wrong password for the minisign key")
                            : err_set(e, ERR_INVALID, "the minisign key file is damaged");
    memcpy(ret->number, file->locked.number, sizeof(ret->number));
    memcpy(ret->public_key, public_key, sizeof(public_key));
    secret_set(&ret->seed, file->locked.seed, sizeof(file->locked.seed));
    return 0;
}

int minisign_key_read(const char *text, size_t length, const struct secret *password,
                      struct minisign_key *ret, struct err *e)
{
    struct secret_file file;
    struct minisign_key key = MINISIGN_KEY_INIT;

    int result = secret_file_parse(text, length, &file, e);
    if (result == 0 && file.kdf[0])
        result = unlock(&file, password, e);
    if (result == 0)
        result = take_key(&file, &key, e);
    explicit_bzero(&file, sizeof(file));
    if (result == 0)
        *ret = key;
    return result;
}

int minisign_key_is_locked(const char *text, size_t length, bool *ret, struct err *e)
{
    struct secret_file file;

    int result = secret_file_parse(text, length, &file, e);
    if (result == 0)
        *ret = file.kdf[0] != 0;
    explicit_bzero(&file, sizeof(file));
    return result;
}

void minisign_key_release(struct minisign_key *key)
{
    secret_release(&key->seed);
}

void minisign_public_text(const struct minisign_key *key, char text[MINISIGN_PUBLIC_TEXT])
{
    struct public_file file = {.algorithm = {'E', 'd'}};
    auto_buf struct buf b = BUF_INIT(MINISIGN_PUBLIC_TEXT);

    memcpy(file.number, key->number, sizeof(file.number));
    memcpy(file.public_key, key->public_key, sizeof(file.public_key));
    base64_encode(&b, &file, sizeof(file));
    memcpy(text, b.data, MINISIGN_PUBLIC_TEXT);
}

static int ed25519_sign(EVP_PKEY *key, const void *bytes, size_t n, uint8_t signature[64],
                        struct err *e)
{
    cleanup(context_free_p) EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t length = 64;

    if (!context || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(context, signature, &length, bytes, n) != 1)
        return err_set(e, ERR_INTERNAL, "OpenSSL does not sign with Ed25519 here");
    return 0;
}

static bool ed25519_verify(const uint8_t public_key[32], const void *bytes, size_t n,
                           const uint8_t signature[64])
{
    cleanup(context_free_p) EVP_MD_CTX *context = EVP_MD_CTX_new();
    cleanup(pkey_free_p) EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);

    bool good = context && key && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, signature, 64, bytes, n) == 1;
    ERR_clear_error();
    return good;
}

/* What the second signature covers: the first one and the trusted comment. */
static void covered(struct buf *b, const uint8_t signature[64], const char *comment, size_t length)
{
    buf_bytes(b, signature, 64);
    buf_bytes(b, comment, length);
}

int minisign_sign(const struct minisign_key *key, const unsigned char digest[MINISIGN_DIGEST_SIZE],
                  const char *comment, struct buf *out, struct err *e)
{
    struct signature_file file = {.algorithm = {'E', 'D'}};
    uint8_t global[64];
    auto_buf struct buf bytes = BUF_INIT(64 + MINISIGN_COMMENT_MAX);
    auto_buf struct buf text = BUF_INIT(MINISIGN_FILE_MAX);
    size_t length = strlen(comment);

    if (length > MINISIGN_COMMENT_MAX || strpbrk(comment, "\r\n"))
        return err_set(e, ERR_INVALID, "the comment of a signature is one line of at most %d bytes",
                       MINISIGN_COMMENT_MAX);
    cleanup(pkey_free_p) EVP_PKEY *pair = private_key(key->seed.bytes);
    memcpy(file.number, key->number, sizeof(file.number));
    if (ed25519_sign(pair, digest, MINISIGN_DIGEST_SIZE, file.signature, e) < 0)
        return -1;
    covered(&bytes, file.signature, comment, length);
    if (ed25519_sign(pair, bytes.data, bytes.length, global, e) < 0)
        return -1;
    buf_printf(&text, "%ssignature from bascule, check it with minisign\n", untrusted);
    base64_encode(&text, &file, sizeof(file));
    buf_printf(&text, "\n%s%s\n", trusted, comment);
    base64_encode(&text, global, sizeof(global));
    buf_char(&text, '\n');
    return buf_add(out, text.data, text.length, e);
}

static int public_parse(const char *text, size_t length, struct public_file *ret, struct err *e)
{
    struct line rest = {text, length}, line;
    struct err ignored;

    if (length > MINISIGN_FILE_MAX || !next_line(&rest, &line) ||
        (begins(&line, untrusted) && !next_line(&rest, &line)) ||
        decode_line(&line, ret, sizeof(*ret), &ignored) < 0 || memcmp(ret->algorithm, "Ed", 2) != 0)
        return err_set(e, ERR_INVALID, "this is not a minisign public key");
    return 0;
}

/* The four lines of a .minisig file. */
static int signature_parse(const char *text, size_t length, struct signature_file *ret,
                           uint8_t ret_global[64], struct line *ret_comment, struct err *e)
{
    struct line rest = {text, length}, lines[4];
    struct err ignored;

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        if (length > MINISIGN_FILE_MAX || !next_line(&rest, &lines[i]))
            return err_set(e, ERR_INVALID, "this is not a minisign signature");
    if (!begins(&lines[0], untrusted) || !begins(&lines[2], trusted) ||
        decode_line(&lines[1], ret, sizeof(*ret), &ignored) < 0 ||
        decode_line(&lines[3], ret_global, 64, &ignored) < 0 ||
        memcmp(ret->algorithm, "ED", 2) != 0)
        return err_set(e, ERR_INVALID, "this is not a minisign signature (prehashed)");
    *ret_comment =
        (struct line){lines[2].text + strlen(trusted), lines[2].length - strlen(trusted)};
    return 0;
}

int minisign_verify(const char *public_key, size_t public_length,
                    const unsigned char digest[MINISIGN_DIGEST_SIZE], const char *signature,
                    size_t length, char **ret_comment, struct err *e)
{
    struct public_file key;
    struct signature_file file;
    uint8_t global[64];
    struct line comment = {0};
    auto_buf struct buf bytes = BUF_INIT(64 + MINISIGN_FILE_MAX);

    if (public_parse(public_key, public_length, &key, e) < 0 ||
        signature_parse(signature, length, &file, global, &comment, e) < 0)
        return -1;
    if (memcmp(key.number, file.number, sizeof(key.number)) != 0)
        return err_set(e, ERR_UNKNOWN_WHO, "the signature was made by another key");
    if (!ed25519_verify(key.public_key, digest, MINISIGN_DIGEST_SIZE, file.signature))
        return err_set(e, ERR_CORRUPT, "the signature does not belong to this content and key");
    covered(&bytes, file.signature, comment.text, comment.length);
    if (!ed25519_verify(key.public_key, bytes.data, bytes.length, global))
        return err_set(e, ERR_CORRUPT, "the trusted comment of the signature was changed");
    if (ret_comment)
        *ret_comment = xstrndup(comment.text, comment.length);
    return 0;
}

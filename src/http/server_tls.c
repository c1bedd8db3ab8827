// SPDX-License-Identifier: EUPL-1.2
/*
 * Certificates of the HTTP server.  Each handshake asks for the newest; older ones stay until the
 * server ends, because a handshake may still be using them.  That is a few kilobytes for each
 * renewal, and a reload that finds the same files adds nothing.
 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "crypto/secret.h"
#include "http/server_private.h"
#include "util/file.h"

#define PEM_MAX   ((size_t)1024 * 1024)
#define CHAIN_MAX 16

struct certificate {
    struct certificate *older;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned length;
    gnutls_privkey_t key;
    struct buf chain_pem;
    struct secret key_pem;
};

static void certificate_free_p(struct certificate **slot)
{
    struct certificate *c = *slot;

    if (!c)
        return;
    for (unsigned i = 0; i < c->length; i++)
        gnutls_pcert_deinit(&c->chain[i]);
    if (c->key)
        gnutls_privkey_deinit(c->key);
    buf_release(&c->chain_pem);
    secret_release(&c->key_pem);
    free(c);
}

static int read_key(const char *path, struct secret *ret, struct err *e)
{
    auto_buf struct buf pem = BUF_INIT(PEM_MAX);
    int failed = file_read(path, PEM_MAX, &pem, e);

    if (failed == 0)
        secret_set(ret, pem.data, pem.length);
    gnutls_memset(pem.data, 0, pem.length);
    return failed;
}

static gnutls_datum_t datum(const void *bytes, size_t length)
{
    return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)bytes, .size = (unsigned)length};
}

static int import_chain(struct certificate *c, const char *path, struct err *e)
{
    gnutls_datum_t pem = datum(c->chain_pem.data, c->chain_pem.length);
    unsigned length = CHAIN_MAX;
    int failed = gnutls_pcert_list_import_x509_raw(c->chain, &length, &pem, GNUTLS_X509_FMT_PEM, 0);

    if (failed < 0)
        return err_set(e, ERR_TLS, "read certificates from '%s': %s", path,
                       gnutls_strerror(failed));
    c->length = length;
    return 0;
}

/* That the key fits is told by its public half. */
static int import_key(struct certificate *c, const char *path, struct err *e)
{
    gnutls_datum_t pem = datum(c->key_pem.bytes, c->key_pem.length);
    unsigned char of_key[64];
    unsigned char of_certificate[64];
    size_t key_size = sizeof(of_key);
    size_t certificate_size = sizeof(of_certificate);
    gnutls_pubkey_t public = NULL;

    int failed = gnutls_privkey_init(&c->key);
    if (failed >= 0)
        failed = gnutls_privkey_import_x509_raw(c->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (failed >= 0)
        failed = gnutls_pubkey_init(&public);
    if (failed >= 0)
        failed = gnutls_pubkey_import_privkey(public, c->key, 0, 0);
    if (failed >= 0)
        failed = gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key, &key_size);
    if (failed >= 0)
        failed = gnutls_pubkey_get_key_id(c->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256,
                                          of_certificate, &certificate_size);
    if (public)
        gnutls_pubkey_deinit(public);
    if (failed < 0)
        return err_set(e, ERR_TLS, "read the private key from '%s': %s", path,
                       gnutls_strerror(failed));
    if (key_size != certificate_size || memcmp(of_key, of_certificate, key_size) != 0)
        return err_set(e, ERR_TLS,
                       "the private key in '%s' does not belong to the first certificate of the "
                       "chain",
                       path);
    return 0;
}

static bool is_same(const struct certificate *a, const struct certificate *b)
{
    return a && a->chain_pem.length == b->chain_pem.length &&
           memcmp(a->chain_pem.data, b->chain_pem.data, a->chain_pem.length) == 0 &&
           secret_equal(&a->key_pem, &b->key_pem);
}

int server_tls_load(struct http_server *server, struct err *e)
{
    const struct http_server_options *options = &server->options;
    cleanup(certificate_free_p) struct certificate *c = xcalloc(1, sizeof(*c));

    buf_init(&c->chain_pem, PEM_MAX);
    if (file_read(options->certificate, PEM_MAX, &c->chain_pem, e) < 0 ||
        read_key(options->key, &c->key_pem, e) < 0 ||
        import_chain(c, options->certificate, e) < 0 || import_key(c, options->key, e) < 0)
        return -1;
    locked(&server->certificate_lock);
    if (is_same(server->certificate, c))
        return 0;
    c->older = server->certificate;
    server->certificate = take(c);
    return 0;
}

void server_tls_free(struct http_server *server)
{
    while (server->certificate) {
        struct certificate *c = server->certificate;
        server->certificate = c->older;
        certificate_free_p(&c);
    }
}

int server_tls_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
                      const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                      gnutls_pcert_st **ret_chain, unsigned *ret_length, gnutls_privkey_t *ret_key)
{
    struct http_server *server = gnutls_session_get_ptr(session);

    (void)authorities;
    (void)count;
    (void)algorithms;
    (void)algorithm_count;
    locked(&server->certificate_lock);
    *ret_chain = server->certificate->chain;
    *ret_length = server->certificate->length;
    *ret_key = server->certificate->key;
    return 0;
}

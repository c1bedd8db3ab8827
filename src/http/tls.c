// SPDX-License-Identifier: EUPL-1.2
/* The authorities, loaded once and shared by every connection; and whom a certificate names. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/handle.h"
#include "util/thread.h"

int http_tls_load(const char *ca_file, struct x509_store_st **ret, struct err *e)
{
    X509_STORE *store = X509_STORE_new();

    if (!store)
        return err_set(e, ERR_INTERNAL, "TLS: OpenSSL gives no certificate store");
    if (ca_file && access(ca_file, R_OK) < 0) {
        X509_STORE_free(store);
        return err_errno(e, errno, "open '%s' (ca_file)", ca_file);
    }
    int loaded =
        ca_file ? X509_STORE_load_file(store, ca_file) : X509_STORE_set_default_paths(store);
    if (loaded != 1) {
        X509_STORE_free(store);
        return err_set(e, ERR_INVALID, "'%s' holds no certificate in PEM form (ca_file)",
                       ca_file ? ca_file : "the system's authorities");
    }
    /* An authority in ca_file need not be a root. */
    (void)X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    *ret = store;
    return 0;
}

void http_tls_unload(struct x509_store_st *store)
{
    X509_STORE_free(store);
}

void http_tls_forget(struct http_handle *h)
{
    X509_free(h->certificate);
    h->certificate = NULL;
}

/* OpenSSL asks this for each certificate of a chain; the last one is the server's own. */
static int on_verify(int good, X509_STORE_CTX *context)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct http_handle *h = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    X509 *certificate = X509_STORE_CTX_get0_cert(context);

    if (h && certificate && certificate != h->certificate) {
        http_tls_forget(h);
        (void)X509_up_ref(certificate);
        h->certificate = certificate;
    }
    return good;
}

CURLcode http_tls_setup(CURL *curl, void *ssl_context, void *handle)
{
    struct http_handle *h = handle;
    SSL_CTX *context = ssl_context;

    (void)curl;
    {
        locked(&h->client->lock);
        if (!h->client->authorities &&
            http_tls_load(NULL, &h->client->authorities, &h->call->err) < 0) {
            h->ours = true;
            return CURLE_ABORTED_BY_CALLBACK;
        }
    }
    SSL_CTX_set1_cert_store(context, h->client->authorities);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
    (void)SSL_CTX_set_app_data(context, h);
    return CURLE_OK;
}

static void add_name(struct buf *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            return;
    if (out->length + n + 2 > out->limit)
        return;
    buf_text(out, out->length ? ", " : "");
    buf_bytes(out, text, n);
}

void http_tls_names(const struct http_handle *h, char *ret, size_t size)
{
    auto_buf struct buf names = BUF_INIT(size - 1);
    GENERAL_NAMES *list =
        h->certificate ? X509_get_ext_d2i(h->certificate, NID_subject_alt_name, NULL, NULL) : NULL;

    for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);
        if (name->type == GEN_DNS)
            add_name(&names, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                     (size_t)ASN1_STRING_length(name->d.dNSName));
        char text[INET6_ADDRSTRLEN];
        int length = name->type == GEN_IPADD ? ASN1_STRING_length(name->d.iPAddress) : 0;
        if (length == 4 || length == 16) {
            (void)inet_ntop(length == 4 ? AF_INET : AF_INET6,
                            ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof(text));
            add_name(&names, text, strlen(text));
        }
    }
    GENERAL_NAMES_free(list);
    memcpy(ret, names.data, names.length + 1);
}

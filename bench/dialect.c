// SPDX-License-Identifier: EUPL-1.2
/* Azure's requests and S3's: see dialect.h. */
#include "dialect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/url.h"
#include "crypto/hash.h"
#include "http/message.h"

#define VERSION  "2021-12-02"
#define HEAD_MAX 8192

static _Noreturn void refuse(const struct err *e)
{
    (void)fprintf(stderr, "sign: %s\n", e->text);
    exit(1);
}

void dialect_open(struct dialect *d, const char *base, const char *path, const char *account,
                  const char *key, const char *region)
{
    auto_secret struct secret secret = SECRET_INIT;
    struct err e = {0};

    *d = (struct dialect){
        .s3 = region != NULL, .is_signed = strcmp(key, "-") != 0, .base = base, .path = path};
    if (!d->is_signed)
        return;
    secret_from_text(&secret, key);
    if ((d->s3 ? sigv4_init(&d->who, account, &secret, NULL, region, &e)
               : sharedkey_init(&d->azure, account, key, &e)) < 0)
        refuse(&e);
}

static int sign_s3(struct dialect *d, struct http_request *r, const void *bytes, size_t n,
                   struct err *e)
{
    unsigned char digest[SHA256_SIZE];
    char hash[SIGV4_HEX_SIZE] = SIGV4_EMPTY_HASH;

    if (!d->is_signed)
        return 0;
    if (n) {
        hash_bytes(HASH_SHA256, bytes, n, digest);
        hex_encode(hash, digest, sizeof(digest));
    }
    return sigv4_sign(&d->who, r, hash, clock_wall(), e);
}

static int sign_azure(struct dialect *d, struct http_request *r, struct err *e)
{
    if (strcmp(r->method, "PUT") == 0 && !strchr(r->url, '?'))
        pairs_add(&r->headers, "x-ms-blob-type", "BlockBlob");
    pairs_add(&r->headers, "x-ms-version", VERSION);
    return d->is_signed ? sharedkey_sign(&d->azure, r, clock_wall(), e) : 0;
}

char *dialect_head(struct dialect *d, const char *method, const char *target, const void *bytes,
                   size_t n)
{
    struct source none = {0};
    struct http_request r = {.method = method,
                             .url = xasprintf("%s%s", d->base, target),
                             .body = n ? &none : NULL,
                             .body_length = n};
    auto_buf struct buf out = BUF_INIT(HEAD_MAX);
    struct err e = {0};

    if (n)
        pairs_add(&r.headers, "Content-Type", "application/octet-stream");
    if ((d->s3 ? sign_s3(d, &r, bytes, n, &e) : sign_azure(d, &r, &e)) < 0)
        refuse(&e);
    buf_printf(&out, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, strstr(d->base, "//") + 2);
    for (size_t i = 0; i < r.headers.count; i++)
        buf_printf(&out, "%s: %s\r\n", r.headers.list[i].key, r.headers.list[i].value);
    if (strcmp(method, "GET") != 0)
        buf_printf(&out, "Content-Length: %zu\r\n", n);
    buf_text(&out, "\r\n");
    r.body = NULL;
    http_request_release(&r);
    return buf_take(&out);
}

char *dialect_container(const struct dialect *d)
{
    return xasprintf("%s%s", d->path, d->s3 ? "" : "?restype=container");
}

char *dialect_page(const struct dialect *d, const char *marker)
{
    auto_buf struct buf escaped = BUF_INIT(HEAD_MAX);

    url_escape(&escaped, marker, strlen(marker), URL_KEEP_UNRESERVED);
    const char *text = escaped.data ? escaped.data : "";
    if (!d->s3)
        return xasprintf("%s?restype=container&comp=list&maxresults=5000&marker=%s", d->path, text);
    return *marker ? xasprintf("%s?continuation-token=%s&list-type=2&max-keys=1000", d->path, text)
                   : xasprintf("%s?list-type=2&max-keys=1000", d->path);
}

const char *dialect_entry(const struct dialect *d)
{
    return d->s3 ? "<Contents>" : "<Blob>";
}

const char *dialect_marker(const struct dialect *d)
{
    return d->s3 ? "<NextContinuationToken>" : "<NextMarker>";
}

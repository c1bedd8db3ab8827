// SPDX-License-Identifier: EUPL-1.2
/*
 * The Azure Blob driver: a storage account as a store.
 *
 * Where: account (with endpoint_suffix for clouds other than the public one), or endpoint, or what
 * a connection string says.  Host style and path style are told apart as azure_url.h describes.
 * secondary reads from the copy in the other region.
 *
 * Who: exactly one of key, sas, connection_string, bearer; or none of them, for public containers.
 *
 * What it speaks: x-ms-version 2025-01-05, which Microsoft's versioning page names as current and
 * which is the first with structured bodies; api_version overrides it for older services (Azure
 * Stack).
 *
 * What it is good to know:
 *  - Block blobs are all or nothing.  Append and page blobs are not (azure_types.c).
 *  - The tier is set where the object says one that somebody chose, not an inferred one.
 *    Encryption scopes, immutability policies and legal holds are told but never set.
 *  - Names with '\', "." or ".." segments are refused: Azure would store them under other names.
 *    Azurite sorts its listings its own way, so listings are not promised to be in order.
 *  - container limits what credentials are for: reach() then asks about that one.
 *  - Blocks of an upload that is never committed are forgotten by Azure after a week.
 *
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
 */
#ifndef STORE_DRIVER_AZURE_H
#define STORE_DRIVER_AZURE_H

#include "auth/entra.h"
#include "crypto/secret.h"
#include "http/client.h"
#include "store/driver/azure_url.h"
#include "store/store.h"

struct azure_options {
    const char *account;         /* NULL where endpoint or connection string name it */
    const char *endpoint;        /* NULL: made of account and endpoint_suffix */
    const char *endpoint_suffix; /* NULL: AZURE_PUBLIC_SUFFIX */
    bool secondary;              /* read from the "-secondary" copy; nothing can be written there */
    const struct secret *key;    /* the account key in base64, as the portal shows it */
    const struct secret *sas;    /* with or without '?' */
    const struct secret *connection_string;
    struct entra *bearer;       /* Entra ID; borrowed, outlives the store; https or loopback only */
    const char *container;      /* the only one these credentials are for; NULL: any */
    const char *api_version;    /* NULL: see above */
    struct http_client *client; /* borrowed, outlives the store; NULL: the store makes its own */
};

/* Everything in options is copied, but for what it says is borrowed.  Nothing is asked of the
 * network.  A SAS that has expired is ERR_UNKNOWN_WHO at the first request. */
must_check int azure_store_open(const struct azure_options *options, const char *name,
                                struct store **ret, struct call *call);

#endif

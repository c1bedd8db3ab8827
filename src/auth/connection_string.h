// SPDX-License-Identifier: EUPL-1.2
/*
 * Azure Storage connection strings, as the portal and every SDK show them:
 *
 *     DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey=...;EndpointSuffix=core.windows.net
 *     BlobEndpoint=https://contoso.blob.core.windows.net;SharedAccessSignature=sv=...&sig=...
 *     UseDevelopmentStorage=true
 *
 * Names are read without case; those of queues, tables and files are let be.
 */
#ifndef AUTH_CONNECTION_STRING_H
#define AUTH_CONNECTION_STRING_H

#include "crypto/secret.h"

#define CONNECTION_STRING_MAX (64 * 1024)

struct connection_string {
    char *account;            /* NULL when only an endpoint is named */
    struct secret key;        /* in base64, as given; nothing set when a SAS takes its place */
    struct secret sas;        /* a query without '?' */
    char *endpoint;           /* of blobs, without a slash at its end */
    char *secondary_endpoint; /* NULL when none is known */
    char *suffix;             /* "core.windows.net"; NULL when not said */
};
#define CONNECTION_STRING_INIT \
    {                          \
        0                      \
    }
#define auto_connection_string cleanup(connection_string_release)
void connection_string_release(struct connection_string *c);

/* ERR_INVALID, naming the setting but never quoting a value, when it is not of the form
 * Name=value;Name=value, has a setting twice, or does not say where and who.  Of key and SAS one
 * must be there; with both the key counts. */
must_check int connection_string_parse(const char *text, struct connection_string *ret,
                                       struct err *e);

#endif

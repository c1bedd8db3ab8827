// SPDX-License-Identifier: EUPL-1.2
/* Containers: list, look at, create, delete. */
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "store/driver/azure_private.h"
#include "store/driver/azure_xml.h"

#define CONTAINERS_PAGE 1000
#define METADATA_PREFIX "x-ms-meta-"

/* Azure's own ($logs, $web and their kind) and the soft-deleted ones are listed too, so that
 * nothing is overlooked; emulators and old services do not know the words. */
static int list_once(struct azure *a, const char *cursor, const char *include,
                     struct container_list *ret, struct azure_exchange *x, struct call *call)
{
    auto_buf struct buf text = BUF_INIT(AZURE_XML_MAX);

    azure_exchange_container(a, x, "GET", NULL, 'l');
    azure_exchange_query(x, "comp", "list");
    azure_exchange_query_number(x, "maxresults", CONTAINERS_PAGE);
    azure_exchange_query(x, "include", include);
    if (cursor)
        azure_exchange_query(x, "marker", cursor);
    if (azure_exchange_text(a, x, &text, call) < 0)
        return -1;
    return azure_containers_parse(text.data, text.length, ret, &call->err);
}

static int container_list(struct store *s, const char *cursor, struct container_list *ret,
                          struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_azure_exchange struct azure_exchange again = AZURE_EXCHANGE_INIT;
    struct azure *a = azure_of(s);

    if (list_once(a, cursor, "metadata,deleted,system", ret, &x, call) == 0)
        return 0;
    if (x.response.status != 400)
        return -1;
    err_clear(&call->err);
    return list_once(a, cursor, "metadata", ret, &again, call);
}

static int container_stat(struct store *s, const char *container, struct container *ret,
                          struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_container struct container c = CONTAINER_INIT;
    struct azure *a = azure_of(s);
    struct err ignored = {0};

    azure_exchange_container(a, &x, "HEAD", container, 'r');
    azure_exchange_query(&x, "restype", "container");
    if (azure_exchange_do(a, &x, NULL, NULL, call) < 0)
        return -1;
    const char *access = azure_answer(&x, "x-ms-blob-public-access");
    const char *modified = azure_answer(&x, "Last-Modified");
    const char *versions = azure_answer(&x, "x-ms-immutable-storage-with-versioning-enabled");
    c.name = xstrdup(container);
    c.etag = azure_etag(azure_answer(&x, "ETag"));
    c.access = xstrdup(access ? access : "private");
    c.versioning = versions && strcasecmp(versions, "true") == 0;
    if (modified && date_parse_rfc1123(modified, &c.modified, &ignored) < 0)
        c.modified = TIME_UNKNOWN;
    for (size_t i = 0; i < x.response.headers.count; i++) {
        const struct pair *h = &x.response.headers.list[i];
        if (strncasecmp(h->key, METADATA_PREFIX, strlen(METADATA_PREFIX)) == 0)
            pairs_add(&c.metadata, h->key + strlen(METADATA_PREFIX), h->value);
    }
    *ret = c;
    c = (struct container)CONTAINER_INIT;
    return 0;
}

static int container_create(struct store *s, const char *container,
                            const struct container *properties, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct azure *a = azure_of(s);
    const char *access = properties ? properties->access : NULL;

    azure_exchange_container(a, &x, "PUT", container, 'c');
    azure_exchange_query(&x, "restype", "container");
    if (access && strcmp(access, "private") != 0)
        azure_exchange_header(&x, "x-ms-blob-public-access", access);
    if (properties && azure_write_metadata(&x, &properties->metadata, &call->err) < 0)
        return -1;
    if (azure_exchange_do(a, &x, NULL, NULL, call) == 0)
        return 0;
    if (azure_refused_with(&x, "OutOfRangeInput"))
        call->err.code = ERR_NAME; /* names are 3 to 63 characters long */
    return -1;
}

static int container_remove(struct store *s, const char *container, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct azure *a = azure_of(s);

    azure_exchange_container(a, &x, "DELETE", container, 'd');
    azure_exchange_query(&x, "restype", "container");
    return azure_exchange_do(a, &x, NULL, NULL, call);
}

const struct container_ops azure_container_ops = {
    .list = container_list,
    .stat = container_stat,
    .create = container_create,
    .remove = container_remove,
    .settings = azure_container_settings,
    .apply = azure_container_apply,
};

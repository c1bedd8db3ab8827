// SPDX-License-Identifier: EUPL-1.2
/* Find Blobs by Tags, in an account or a container: see azblob_private.h. */
#include "codec/xml.h"
#include "door/azblob/azblob_list.h"
#include "object/tags.h"

/* A page may be smaller than was asked for: this many fit into the body whatever they are. */
#define FOUND_AT_ONCE 1000
#define BODY_MAX      (64 * 1024 * 1024)

static void write_found(struct buf *out, const struct found_object *found)
{
    auto_pairs struct pairs tags = PAIRS_INIT;
    struct err ignored = {0};

    if (found->tags && pairs_from_json(found->tags, &tags, &ignored) < 0)
        tags.count = 0;
    xml_open(out, "Blob");
    azblob_list_name(out, "Name", found->name);
    xml_element(out, "ContainerName", found->container);
    azblob_write_tags(out, &tags);
    xml_close(out, "Blob");
}

static int refuse_where(struct azblob_request *r, struct call *call)
{
    auto_free char *why = xstrdup(call->err.text);

    if (call->err.fault != FAULT_ARGUMENT)
        return -1;
    return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, "where", why, call);
}

int azblob_find(struct azblob_request *r, struct call *call)
{
    auto_found struct found_list found = {0};
    auto_buf struct buf body = BUF_INIT(BODY_MAX);
    const char *where = azblob_query(r, "where"), *marker = azblob_query(r, "marker");
    uint64_t limit = FOUND_AT_ONCE;

    if (!where || !*where)
        return azblob_fail_query(r, AZBLOB_MISSING_REQUIRED_QUERY_PARAMETER, "where", NULL, call);
    if (azblob_query_number(r, "maxresults", 1, UINT64_MAX, &limit, call) < 0)
        return -1;
    if (limit > FOUND_AT_ONCE)
        limit = FOUND_AT_ONCE;
    if (service_find_by_tags(r->door->options.service, r->account.name, r->target.container, where,
                             marker && *marker ? marker : NULL, (unsigned)limit, &found, call) < 0)
        return refuse_where(r, call);
    xml_head(&body);
    buf_text(&body, "<EnumerationResults ServiceEndpoint=\"");
    azblob_write_endpoint(r, &body);
    buf_text(&body, "\">");
    xml_element(&body, "Where", where);
    xml_open(&body, "Blobs");
    for (size_t i = 0; i < found.count; i++)
        write_found(&body, &found.list[i]);
    xml_close(&body, "Blobs");
    xml_element(&body, "NextMarker", found.next ? found.next : "");
    xml_close(&body, "EnumerationResults");
    return azblob_answer_xml(r, 200, &body);
}

// SPDX-License-Identifier: EUPL-1.2
/* Blocks: Put Block, Put Block From URL, Put Block List, Get Block List. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "codec/base64.h"
#include "codec/xml.h"
#include "door/azblob/azblob_blob.h"

#define BLOCK_ID_MAX 64

/* ---- Put Block ---- */

/* Canonical base64 of 1 to 64 bytes. */
static enum azblob_code block_id_fault(const char *id)
{
    auto_buf struct buf bytes = BUF_INIT(256);
    struct err ignored = {0};

    if (strlen(id) > 256)
        return AZBLOB_OUT_OF_RANGE_INPUT;
    if (!*id || base64_decode(id, strlen(id), &bytes, &ignored) < 0)
        return AZBLOB_INVALID_QUERY_PARAMETER_VALUE;
    return bytes.length > BLOCK_ID_MAX ? AZBLOB_OUT_OF_RANGE_INPUT : AZBLOB_NONE;
}

static int block_id(struct azblob_request *r, const char **ret, struct call *call)
{
    const char *id = azblob_query(r, "blockid");

    if (!id)
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_QUERY_PARAMETER, "QueryParameterName",
                                "blockid", call);
    enum azblob_code fault = block_id_fault(id);
    if (fault)
        return azblob_fail_query(r, fault, "blockid", "Not a valid base64 string.", call);
    *ret = id;
    return 0;
}

/* Of the conditions only the lease concerns a block, and that who may create may not overwrite. */
static void stage_conditions(const struct azblob_request *r, struct conditions *ret)
{
    *ret = (struct conditions)CONDITIONS_INIT;
    ret->lease = r->conditions.lease;
    if (r->create_only)
        ret->if_none_match = "*";
}

static int stage(struct azblob_request *r, struct stage_request *request,
                 const struct azblob_digests *digests, struct call *call)
{
    struct checksums sums = {0};

    request->place = r->place;
    request->upload = "";
    request->expected = digests->expected;
    request->wanted = digests->wanted;
    stage_conditions(r, &request->conditions);
    if (service_stage(azblob_service(r), request, &sums, call) < 0)
        return -1;
    azblob_say_received(r);
    azblob_answer_digests(r, digests, &sums);
    return azblob_answer(r, 201);
}

int azblob_blob_put_block(struct azblob_request *r, struct call *call)
{
    struct stage_request request = {.body = r->body, .size = r->body_length};
    struct azblob_digests digests = {0};

    if (block_id(r, &request.block, call) < 0 ||
        azblob_body_between(r, 1, AZBLOB_BLOCK_MAX, call) < 0 ||
        azblob_digests(r, "Content-MD5", &digests, call) < 0)
        return -1;
    return stage(r, &request, &digests, call);
}

int azblob_blob_put_block_from_url(struct azblob_request *r, struct call *call)
{
    auto_azblob_copy_source struct azblob_copy_source source = {0};
    struct stage_request request = {0};
    struct azblob_digests digests = {0};

    if (block_id(r, &request.block, call) < 0 || azblob_body_between(r, 0, 0, call) < 0 ||
        azblob_source_digests(r, &digests, call) < 0 ||
        azblob_copy_source_find(r, &source, call) < 0 ||
        azblob_copy_source_open(r, &source, AZBLOB_BLOCK_MAX, call) < 0)
        return -1;
    request.body = source.body;
    request.size = source.length;
    return stage(r, &request, &digests, call);
}

/* ---- Put Block List ---- */

struct block_choices {
    struct block_choice *list;
    size_t count;
};

static void block_choices_release(struct block_choices *c)
{
    free(c->list);
}

static int block_where(const char *name, enum block_where *ret)
{
    static const struct {
        const char *name;
        enum block_where where;
    } places[] = {{"Latest", BLOCK_LATEST},
                  {"Committed", BLOCK_COMMITTED},
                  {"Uncommitted", BLOCK_UNCOMMITTED}};

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        if (strcmp(name, places[i].name) != 0)
            continue;
        *ret = places[i].where;
        return 0;
    }
    return -1;
}

/* In the order of the document, whatever the elements are called.  The ids are the document's. */
static int read_choices(struct azblob_request *r, const struct xml_node *root,
                        struct block_choices *ret, struct call *call)
{
    size_t count = 0;

    if (strcmp(root->name, "BlockList") != 0)
        return azblob_fail(r, AZBLOB_INVALID_XML_DOCUMENT, call);
    for (const struct xml_node *n = root->children; n; n = n->next)
        count++;
    if (count > AZBLOB_BLOCKS_MAX)
        return azblob_fail(r, AZBLOB_BLOCK_LIST_TOO_LONG, call);
    ret->list = xcalloc(count + 1, sizeof(*ret->list));
    for (const struct xml_node *n = root->children; n; n = n->next) {
        struct block_choice *choice = &ret->list[ret->count++];
        choice->block = n->text;
        if (block_where(n->name, &choice->where) < 0)
            return azblob_fail_with(r, AZBLOB_UNSUPPORTED_XML_NODE, "XmlNodeName", n->name, call);
        if (block_id_fault(n->text))
            return azblob_fail_with(r, AZBLOB_INVALID_BLOCK_ID, "XmlNodeName", n->name, call);
    }
    return 0;
}

static int commit(struct azblob_request *r, const struct block_choices *choices,
                  struct object_row *ret, struct call *call)
{
    auto_object_row struct object_row properties = object_row_new();
    struct commit_request request = {.place = r->place,
                                     .conditions = r->conditions,
                                     .properties = &properties,
                                     .upload = "",
                                     .blocks = choices->list,
                                     .count = choices->count};

    if (azblob_properties(r, AZBLOB_PROPERTIES_BLOB, &properties, call) < 0)
        return -1;
    return service_commit(azblob_service(r), &request, ret, call);
}

int azblob_blob_put_block_list(struct azblob_request *r, struct call *call)
{
    auto_buf struct buf body = BUF_INIT(AZBLOB_BLOCK_LIST_MAX);
    auto_xml struct xml_node *root = NULL;
    cleanup(block_choices_release) struct block_choices choices = {0};
    auto_object_row struct object_row row = object_row_new();
    struct azblob_digests digests = {0};
    struct checksums sums = {0};

    if (azblob_read_body(r, AZBLOB_BLOCK_LIST_MAX, &body, call) < 0 ||
        azblob_check_document(r, &body, &digests, &sums, call) < 0)
        return -1;
    if (xml_parse(body.data, body.length, &root, &call->err) < 0)
        return azblob_fail(r, AZBLOB_INVALID_XML_DOCUMENT, call);
    buf_release(&body);
    if (read_choices(r, root, &choices, call) < 0 || commit(r, &choices, &row, call) < 0)
        return -1;
    azblob_say_written(r, &row);
    /* Of the document, not of the blob; and Azure says it whoever asked. */
    digests.answer_md5 = !(digests.expected.have & 1U << CHECKSUM_CRC64);
    azblob_answer_digests(r, &digests, &sums);
    return azblob_answer(r, 201);
}

/* ---- Get Block List ---- */

static int list_type(struct azblob_request *r, bool *ret_committed, bool *ret_uncommitted,
                     struct call *call)
{
    const char *type = azblob_query(r, "blocklisttype");
    bool all = type && strcasecmp(type, "all") == 0;

    *ret_committed = !type || !*type || all || strcasecmp(type, "committed") == 0;
    *ret_uncommitted = all || (type && strcasecmp(type, "uncommitted") == 0);
    if (*ret_committed || *ret_uncommitted)
        return 0;
    return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, "blocklisttype", NULL, call);
}

static void write_blocks(struct buf *xml, const char *name, const struct block_entry *list,
                         size_t count)
{
    xml_open(xml, name);
    for (size_t i = 0; i < count; i++) {
        /* Bytes that never were a block of their own (Put Blob) have no id. */
        if (!list[i].block)
            continue;
        xml_open(xml, "Block");
        xml_element(xml, "Name", list[i].block);
        buf_printf(xml, "<Size>%" PRIu64 "</Size>", list[i].size);
        xml_close(xml, "Block");
    }
    xml_close(xml, name);
}

int azblob_blob_get_block_list(struct azblob_request *r, struct call *call)
{
    /* 150,000 of them at the very most. */
    auto_buf struct buf xml = BUF_INIT(64 * AZBLOB_MIB);
    auto_block_list struct block_list list = {0};
    bool committed, uncommitted;

    if (list_type(r, &committed, &uncommitted, call) < 0 ||
        service_block_list(azblob_service(r), &r->place, &r->conditions, "", &list, call) < 0)
        return -1;
    xml_head(&xml);
    xml_open(&xml, "BlockList");
    if (committed)
        write_blocks(&xml, "CommittedBlocks", list.committed, list.committed_count);
    if (uncommitted)
        write_blocks(&xml, "UncommittedBlocks", list.uncommitted, list.uncommitted_count);
    xml_close(&xml, "BlockList");
    if (list.has_object)
        azblob_say_etag(r, list.object.etag, list.object.modified);
    azblob_sayf(r, "x-ms-blob-content-length", "%" PRId64,
                list.has_object ? list.object.size : INT64_C(0));
    return azblob_answer_xml(r, 200, &xml);
}

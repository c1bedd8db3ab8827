// SPDX-License-Identifier: EUPL-1.2
/* Operations on an account's blob service: see azblob_private.h. */
#include <string.h>
#include <strings.h>

#include "auth/sas.h"
#include "codec/base64.h"
#include "codec/date.h"
#include "codec/json.h"
#include "codec/xml.h"
#include "door/azblob/azblob_private.h"
#include "object/tags.h"

#define DOCUMENT_MAX       (256 * 1024)
#define SETTINGS_MAX       (512 * 1024)
#define DELEGATION_LONGEST (7 * 24 * 3600 * CLOCK_SECOND)

/* ---- Properties ---- */

int azblob_get_service_properties(struct azblob_request *r, struct call *call)
{
    auto_buf struct buf body = BUF_INIT(8 * SETTINGS_MAX);

    (void)call;
    azblob_properties_write(&body, r->settings);
    return azblob_answer_xml(r, 200, &body);
}

int azblob_set_service_properties(struct azblob_request *r, struct call *call)
{
    auto_xml struct xml_node *root = NULL;
    auto_json json_t *settings = r->settings ? json_deep_copy(r->settings) : json_object();
    auto_buf struct buf text = BUF_INIT(SETTINGS_MAX);

    if (azblob_read_xml(r, DOCUMENT_MAX, "StorageServiceProperties", &root, call) < 0 ||
        azblob_properties_read(r, root, settings, call) < 0)
        return -1;
    if (json_write(&text, settings, &call->err) < 0 ||
        service_account_settings(r->door->options.service, r->account.name, text.data, call) < 0)
        return -1;
    return azblob_answer(r, 202);
}

/* There is one place, so a secondary is as fresh as the primary. */
int azblob_get_stats(struct azblob_request *r, struct call *call)
{
    auto_buf struct buf body = BUF_INIT(4096);
    char now[DATE_TEXT];

    (void)call;
    date_rfc1123(now, r->now);
    xml_head(&body);
    xml_open(&body, "StorageServiceStats");
    xml_open(&body, "GeoReplication");
    xml_element(&body, "Status", "live");
    xml_element(&body, "LastSyncTime", now);
    xml_close(&body, "GeoReplication");
    xml_close(&body, "StorageServiceStats");
    return azblob_answer_xml(r, 200, &body);
}

int azblob_get_account_information(struct azblob_request *r, struct call *call)
{
    (void)call;
    azblob_say(r, "x-ms-sku-name", "Standard_LRS");
    azblob_say(r, "x-ms-account-kind", "StorageV2");
    azblob_say(r, "x-ms-is-hns-enabled", "false");
    return azblob_answer(r, 200);
}

/* ---- Containers ---- */

struct container_includes {
    bool metadata, deleted, system;
};

static int read_includes(struct azblob_request *r, struct container_includes *ret,
                         struct call *call)
{
    const char *list = azblob_query(r, "include");
    struct container_includes found = {0};

    while (list && *list) {
        size_t n = strcspn(list, ",");
        if (n == 8 && strncasecmp(list, "metadata", n) == 0)
            found.metadata = true;
        else if (n == 7 && strncasecmp(list, "deleted", n) == 0)
            found.deleted = true;
        else if (n == 6 && strncasecmp(list, "system", n) == 0)
            found.system = true;
        else if (n)
            return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, "include",
                                     "Invalid query parameter value.", call);
        list += n + (list[n] == ',');
    }
    *ret = found;
    return 0;
}

static void write_time(struct buf *out, const char *name, int64_t time)
{
    char text[DATE_TEXT];

    if (time == TIME_UNKNOWN)
        return;
    date_rfc1123(text, time);
    xml_element(out, name, text);
}

static void write_container_properties(struct azblob_request *r, struct buf *out,
                                       const struct container_row *row)
{
    const char *state, *status, *duration;

    lease_words(row->lease_state, row->lease_seconds, row->lease_until, r->now, &state, &status,
                &duration);
    xml_open(out, "Properties");
    write_time(out, "Last-Modified", row->modified);
    buf_printf(out, "<Etag>\"%s\"</Etag>", row->etag);
    xml_element(out, "LeaseStatus", status);
    xml_element(out, "LeaseState", state);
    if (duration)
        xml_element(out, "LeaseDuration", duration);
    if (row->access)
        xml_element(out, "PublicAccess", row->access);
    xml_element(out, "HasImmutabilityPolicy", row->immutability ? "true" : "false");
    xml_element(out, "HasLegalHold", row->legal_holds ? "true" : "false");
    xml_element(out, "ImmutableStorageWithVersioningEnabled", "false");
    if (row->deleted != TIME_UNKNOWN) {
        int64_t days = (row->deleted_until - r->now) / (24 * 3600 * CLOCK_SECOND);
        write_time(out, "DeletedTime", row->deleted);
        buf_printf(out, "<RemainingRetentionDays>%lld</RemainingRetentionDays>",
                   (long long)(days > 0 ? days : 0));
    }
    xml_element(out, "DefaultEncryptionScope", "$account-encryption-key");
    xml_element(out, "DenyEncryptionScopeOverride", "false");
    xml_close(out, "Properties");
}

void azblob_write_metadata(struct buf *out, const char *json)
{
    auto_pairs struct pairs list = PAIRS_INIT;
    struct err ignored = {0};

    if (!json || pairs_from_json(json, &list, &ignored) < 0 || !list.count) {
        buf_text(out, "<Metadata />");
        return;
    }
    xml_open(out, "Metadata");
    for (size_t i = 0; i < list.count; i++)
        xml_element(out, list.list[i].key, list.list[i].value);
    xml_close(out, "Metadata");
}

static void write_container(struct azblob_request *r, struct buf *out,
                            const struct container_includes *includes,
                            const struct container_row *row)
{
    xml_open(out, "Container");
    xml_element(out, "Name", row->name);
    if (row->deleted != TIME_UNKNOWN) {
        xml_element(out, "Deleted", "true");
        xml_element(out, "Version", row->deleted_version ? row->deleted_version : "");
    }
    write_container_properties(r, out, row);
    if (includes->metadata)
        azblob_write_metadata(out, row->metadata);
    xml_close(out, "Container");
}

void azblob_write_endpoint(struct azblob_request *r, struct buf *out)
{
    buf_printf(out, "%s://", r->head.secure ? "https" : "http");
    xml_escape(out, r->head.host);
    buf_char(out, '/');
    if (r->target.path_style)
        xml_escape(out, r->target.account);
}

void azblob_write_asked(struct azblob_request *r, struct buf *out, const char *element,
                        const char *key)
{
    const char *value = azblob_query(r, key);

    if (value && *value)
        xml_element(out, element, value);
}

#define PAGE_ENOUGH        ((size_t)8 << 20)
#define CONTAINER_LIST_MAX ((size_t)16 << 20)

static bool is_system(const char *name)
{
    return strcmp(name, "$logs") == 0 || strcmp(name, "$blobchangefeed") == 0;
}

int azblob_list_containers(struct azblob_request *r, struct call *call)
{
    auto_container_rows struct container_rows rows = {0};
    auto_buf struct buf body = BUF_INIT(CONTAINER_LIST_MAX);
    struct container_includes includes = {0};
    uint64_t limit = AZBLOB_LIST_MAX;

    if (read_includes(r, &includes, call) < 0 ||
        azblob_query_number(r, "maxresults", 1, UINT64_MAX, &limit, call) < 0)
        return -1;
    if (limit > AZBLOB_LIST_MAX)
        limit = AZBLOB_LIST_MAX;
    if (service_container_list(r->door->options.service, r->account.name, azblob_query(r, "prefix"),
                               azblob_query(r, "marker"), (unsigned)limit, includes.deleted, &rows,
                               call) < 0)
        return -1;
    xml_head(&body);
    buf_text(&body, "<EnumerationResults ServiceEndpoint=\"");
    azblob_write_endpoint(r, &body);
    buf_text(&body, "\">");
    azblob_write_asked(r, &body, "Prefix", "prefix");
    azblob_write_asked(r, &body, "Marker", "marker");
    azblob_write_asked(r, &body, "MaxResults", "maxresults");
    xml_open(&body, "Containers");
    for (size_t i = 0; i < rows.count; i++) {
        /* A page may be smaller than was asked for: the next one begins here. */
        if (body.length > PAGE_ENOUGH) {
            replace_string(&rows.next, rows.list[i].name);
            break;
        }
        if (includes.system || !is_system(rows.list[i].name))
            write_container(r, &body, &includes, &rows.list[i]);
    }
    xml_close(&body, "Containers");
    xml_element(&body, "NextMarker", rows.next ? rows.next : "");
    xml_close(&body, "EnumerationResults");
    return azblob_answer_xml(r, 200, &body);
}

/* ---- User delegation keys ---- */

static int take_times(struct azblob_request *r, const struct xml_node *root, struct pairs *fields,
                      struct call *call)
{
    const char *start = xml_text(root, "Start"), *expiry = xml_text(root, "Expiry");
    char text[DATE_TEXT];
    int64_t from = r->now, until;
    struct err ignored = {0};

    if (!expiry || date_parse_iso8601(expiry, &until, &ignored) < 0 ||
        (start && *start && date_parse_iso8601(start, &from, &ignored) < 0))
        return azblob_fail_with(r, AZBLOB_INVALID_XML_NODE_VALUE, "XmlNodeName",
                                start && expiry ? "Start" : "Expiry", call);
    if (until <= from || until <= r->now || until - r->now > DELEGATION_LONGEST)
        return azblob_fail_with(r, AZBLOB_INVALID_XML_NODE_VALUE, "XmlNodeName", "Expiry", call);
    date_iso8601(text, sizeof(text), from, 0);
    pairs_add(fields, "skt", text);
    date_iso8601(text, sizeof(text), until, 0);
    pairs_add(fields, "ske", text);
    return 0;
}

static int delegation_value(struct azblob_request *r, const struct pairs *fields, struct buf *ret,
                            struct call *call)
{
    auto_secret struct secret secret = SECRET_INIT, key = SECRET_INIT;

    if (!r->account.delegation_secret)
        return azblob_fail(r, AZBLOB_AUTHORIZATION_FAILURE, call);
    if (secret_from_base64(&secret, r->account.delegation_secret, &call->err) < 0)
        return err_prefix(&call->err, "delegation secret of account '%s'", r->account.name);
    if (sas_delegation_key(&secret, fields, &key, &call->err) < 0)
        return -1;
    base64_encode(ret, key.bytes, key.length);
    return 0;
}

/* The key is not kept: it follows from what it is for and a secret of the account (auth/sas.h). */
int azblob_get_delegation_key(struct azblob_request *r, struct call *call)
{
    static const struct {
        const char *element, *field;
    } elements[] = {{"SignedOid", "skoid"},  {"SignedTid", "sktid"},   {"SignedStart", "skt"},
                    {"SignedExpiry", "ske"}, {"SignedService", "sks"}, {"SignedVersion", "skv"}};
    auto_xml struct xml_node *root = NULL;
    auto_pairs struct pairs fields = PAIRS_INIT;
    auto_buf struct buf value = BUF_INIT(256), body = BUF_INIT(DOCUMENT_MAX);

    if (azblob_read_xml(r, DOCUMENT_MAX, "KeyInfo", &root, call) < 0)
        return -1;
    pairs_add(&fields, "skoid", r->who.object_id ? r->who.object_id : "");
    pairs_add(&fields, "sktid", r->who.issuer ? r->who.issuer : "");
    pairs_add(&fields, "sks", "b");
    pairs_add(&fields, "skv", r->version ? r->version : AZBLOB_VERSION);
    if (take_times(r, root, &fields, call) < 0)
        return -1;
    if (xml_text(root, "DelegatedUserTid"))
        pairs_add(&fields, "skdutid", xml_text(root, "DelegatedUserTid"));
    if (delegation_value(r, &fields, &value, call) < 0)
        return -1;
    xml_head(&body);
    xml_open(&body, "UserDelegationKey");
    for (size_t i = 0; i < ARRAY_SIZE(elements); i++)
        xml_element(&body, elements[i].element, pairs_get(&fields, elements[i].field));
    if (pairs_get(&fields, "skdutid"))
        xml_element(&body, "SignedDelegatedUserTid", pairs_get(&fields, "skdutid"));
    xml_element(&body, "Value", value.data);
    xml_close(&body, "UserDelegationKey");
    return azblob_answer_xml(r, 200, &body);
}

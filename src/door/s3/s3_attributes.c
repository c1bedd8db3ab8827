// SPDX-License-Identifier: EUPL-1.2
/* GetObjectAttributes, and RestoreObject for what is archived. */
#include <string.h>
#include <strings.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"

#define PARTS_MAX 1000

/* x-amz-object-attributes may come once with commas, or several times. */
static bool wants(const struct s3_request *r, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i < r->x->headers.count; i++) {
        const struct pair *header = &r->x->headers.list[i];
        if (strcasecmp(header->key, "x-amz-object-attributes") != 0)
            continue;
        for (const char *at = header->value; *at != '\0';) {
            at += strspn(at, " \t,");
            size_t n = strcspn(at, " \t,");
            if (n == length && strncmp(at, word, n) == 0)
                return true;
            at += n;
        }
    }
    return false;
}

/* At least one, and none that is not known. */
static int check_wanted(struct s3_request *r, struct call *call)
{
    static const char *const words[] = {"ETag", "Checksum", "ObjectParts", "StorageClass",
                                        "ObjectSize"};
    size_t found = 0;
    for (size_t i = 0; i < r->x->headers.count; i++) {
        const struct pair *header = &r->x->headers.list[i];
        bool ours = strcasecmp(header->key, "x-amz-object-attributes") == 0;
        for (const char *at = header->value; ours && *at != '\0';) {
            at += strspn(at, " \t,");
            size_t n = strcspn(at, " \t,");
            bool known = n == 0;
            for (size_t k = 0; k < ARRAY_SIZE(words) && !known; k++)
                known = strlen(words[k]) == n && strncmp(at, words[k], n) == 0;
            if (!known)
                return s3_fail_argument(r, "x-amz-object-attributes", header->value, call,
                                        "Invalid attribute name specified.");
            found += n > 0;
            at += n;
        }
    }
    if (found == 0)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "The x-amz-object-attributes header specifying the attributes to be "
                        "retrieved is either missing or empty");
    return 0;
}

static int number_header(struct s3_request *r, const char *name, unsigned *ret, struct call *call)
{
    const char *text = s3_header(r, name);
    if (text == NULL)
        return 0;
    size_t n = strlen(text);
    if (n == 0 || n > 9 || strspn(text, "0123456789") != n)
        return s3_failf(r, S3_INVALID_ARGUMENT, call, "%s must be a whole number.", name);
    *ret = (unsigned)strtoul(text, NULL, 10);
    return 0;
}

static void checksum_xml(const struct s3_checksum *c, struct buf *body)
{
    auto_free char *name = xasprintf("Checksum%s", c->algorithm);
    size_t length = strcspn(c->value, "-");
    auto_free char *value = xstrndup(c->value, length);
    xml_open(body, "Checksum");
    xml_element(body, name, value);
    xml_element(body, "ChecksumType", c->type);
    xml_close(body, "Checksum");
}

static int parts_xml(const struct object_row *o, const struct s3_checksum *c, unsigned limit,
                     unsigned after, struct buf *body, struct call *call)
{
    auto_json json_t *parts = NULL;
    unsigned count = 0, last = 0;
    bool more = false;
    if (json_parse(o->parts, strlen(o->parts), &parts, &call->err) < 0)
        return -1;
    limit = limit > PARTS_MAX ? PARTS_MAX : limit;
    auto_free char *name = c != NULL ? xasprintf("Checksum%s", c->algorithm) : NULL;
    xml_open(body, "ObjectParts");
    for (size_t i = 0; i < json_array_size(parts) && !more; i++) {
        const json_t *part = json_array_get(parts, i);
        const char *checksum = json_text(part, "checksum");
        int64_t number = (int64_t)i + 1, size = 0;
        (void)json_number(part, "number", &number);
        (void)json_number(part, "size", &size);
        if (number <= after)
            continue;
        more = count == limit;
        if (more)
            continue;
        count++;
        last = (unsigned)number;
        xml_open(body, "Part");
        s3_xml_number(body, "PartNumber", (uint64_t)number);
        s3_xml_number(body, "Size", (uint64_t)size);
        if (name != NULL && checksum != NULL)
            xml_element(body, name, checksum);
        xml_close(body, "Part");
    }
    s3_xml_number(body, "PartsCount", json_array_size(parts));
    s3_xml_number(body, "PartNumberMarker", after);
    s3_xml_number(body, "NextPartNumberMarker", last);
    s3_xml_number(body, "MaxParts", limit);
    xml_element(body, "IsTruncated", more ? "true" : "false");
    xml_close(body, "ObjectParts");
    return 0;
}

int s3_get_attributes(struct s3_request *r, struct call *call)
{
    auto_object_row struct object_row o = object_row_new();
    auto_buf struct buf body = BUF_INIT(S3_XML_MAX);
    struct conditions conditions;
    struct s3_checksum c;
    unsigned limit = PARTS_MAX, after = 0;
    if (check_wanted(r, call) < 0 || number_header(r, "x-amz-max-parts", &limit, call) < 0 ||
        number_header(r, "x-amz-part-number-marker", &after, call) < 0)
        return -1;
    if (s3_conditions(r, &conditions, call) < 0 ||
        service_stat(r->door->options.service, &r->place, &conditions, &o, call) < 0)
        return -1;
    bool has = s3_checksum_of(o.checksums, &c);
    s3_xml_root(&body, "GetObjectAttributesResponse");
    if (wants(r, "ETag")) {
        auto_free char *etag = s3_etag_of(&o);
        xml_element(&body, "ETag", etag);
    }
    if (wants(r, "Checksum") && has)
        checksum_xml(&c, &body);
    if (wants(r, "ObjectParts") && o.parts != NULL &&
        parts_xml(&o, has && strcmp(c.type, "COMPOSITE") == 0 ? &c : NULL, limit, after, &body,
                  call) < 0)
        return -1;
    if (wants(r, "StorageClass"))
        xml_element(&body, "StorageClass", s3_storage_class(&o));
    if (wants(r, "ObjectSize"))
        s3_xml_number(&body, "ObjectSize", (uint64_t)o.size);
    xml_close(&body, "GetObjectAttributesResponse");
    s3_say_time(r, "Last-Modified", o.modified);
    s3_say(r, "x-amz-version-id", s3_version_of(r, &o));
    return s3_answer_xml(r, 200, &body);
}

/* Our stores have no slow tier: what is woken is awake at once, and stays so. */
int s3_restore(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    auto_object_row struct object_row o = object_row_new();
    struct conditions conditions = CONDITIONS_INIT;
    bool pending;
    if (s3_body_xml(r, "RestoreRequest", &node, call) < 0 ||
        service_stat(r->door->options.service, &r->place, NULL, &o, call) < 0)
        return -1;
    if (!same_string(o.tier, "Archive"))
        return s3_failf(r, S3_INVALID_OBJECT_STATE, call,
                        "Restore is not allowed for the object's current storage class");
    if (service_set_tier(r->door->options.service, &r->place, &conditions, "Hot", NULL, &pending,
                         call) < 0)
        return -1;
    return s3_answer(r, 202);
}

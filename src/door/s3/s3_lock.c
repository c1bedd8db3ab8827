// SPDX-License-Identifier: EUPL-1.2
/*
 * Object lock.  Of a bucket: the setting "object_lock", {"enabled": true, "mode": "GOVERNANCE",
 * "days": 30} (or "years"; mode and time are the default retention, and may be absent).  Of an
 * object: its own retention and legal hold.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"

#define DAY       (24 * 3600 * CLOCK_SECOND)
#define DAYS_MAX  36500
#define YEARS_MAX 100

/* ---- Of the bucket ---- */

int s3_get_lock_configuration(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *lock;
    auto_buf struct buf body = BUF_INIT(4096);
    int64_t days, years;
    if (s3_setting_get(r, "object_lock", &settings, &lock, call) < 0)
        return -1;
    if (lock == NULL)
        return s3_fail(r, S3_NO_SUCH_LOCK_CONFIGURATION, call);
    s3_xml_root(&body, "ObjectLockConfiguration");
    xml_element(&body, "ObjectLockEnabled", "Enabled");
    const char *mode = json_text(lock, "mode");
    if (mode != NULL) {
        xml_open(&body, "Rule");
        xml_open(&body, "DefaultRetention");
        xml_element(&body, "Mode", mode);
        if (json_number(lock, "days", &days))
            s3_xml_number(&body, "Days", (uint64_t)days);
        if (json_number(lock, "years", &years))
            s3_xml_number(&body, "Years", (uint64_t)years);
        xml_close(&body, "DefaultRetention");
        xml_close(&body, "Rule");
    }
    xml_close(&body, "ObjectLockConfiguration");
    return s3_answer_xml(r, 200, &body);
}

static bool mode_is_good(const char *mode)
{
    return mode != NULL && (strcmp(mode, "GOVERNANCE") == 0 || strcmp(mode, "COMPLIANCE") == 0);
}

/* Days or years, whichever element stands there. */
static int read_period(struct s3_request *r, const char *element, const char *text, int64_t max,
                       json_t *into, struct call *call)
{
    size_t n = strlen(text);
    bool negative = n > 1 && text[0] == '-';
    if (n == 0 || strspn(text + negative, "0123456789") != n - negative)
        return s3_fail(r, S3_MALFORMED_XML, call);
    int64_t value = n < 10 ? strtoll(text, NULL, 10) : INT64_MAX;
    if (value < 1)
        return s3_fail_argument(r, element, text, call,
                                "Default retention period must be a positive integer value.");
    if (value > max)
        return s3_fail_argument(r, element, text, call, "Default retention period too large.");
    (void)json_object_set_new(into, strcmp(element, "Days") == 0 ? "days" : "years",
                              json_integer(value));
    return 0;
}

static int read_default(struct s3_request *r, const struct xml_node *retention, json_t *into,
                        struct call *call)
{
    const char *mode = xml_text(retention, "Mode");
    const char *days = xml_text(retention, "Days");
    const char *years = xml_text(retention, "Years");
    if (!mode_is_good(mode) || (days == NULL) == (years == NULL))
        return s3_fail(r, S3_MALFORMED_XML, call);
    (void)json_object_set_new(into, "mode", json_string(mode));
    return days != NULL ? read_period(r, "Days", days, DAYS_MAX, into, call)
                        : read_period(r, "Years", years, YEARS_MAX, into, call);
}

static int read_lock_configuration(struct s3_request *r, json_t *into, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    if (r->body->length == 0)
        return s3_fail(r, S3_MISSING_REQUEST_BODY, call);
    if (s3_body_configuration(r, "ObjectLockConfiguration", &node, call) < 0)
        return -1;
    const char *enabled = xml_text(node, "ObjectLockEnabled");
    const struct xml_node *rule = xml_child(node, "Rule");
    const struct xml_node *retention = xml_child(rule, "DefaultRetention");
    if (enabled == NULL || strcmp(enabled, "Enabled") != 0 || (rule != NULL && retention == NULL))
        return s3_fail(r, S3_MALFORMED_XML, call);
    (void)json_object_set_new(into, "enabled", json_true());
    return retention != NULL ? read_default(r, retention, into, call) : 0;
}

int s3_put_lock_configuration(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL, *lock = json_object();
    json_t *versioning;
    if (read_lock_configuration(r, lock, call) < 0 ||
        s3_setting_get(r, "versioning", &settings, &versioning, call) < 0)
        return -1;
    if (!same_string(json_string_value(versioning), "Enabled"))
        return s3_failf(r, S3_INVALID_BUCKET_STATE, call,
                        "Versioning must be 'Enabled' on the bucket to apply a Object Lock "
                        "configuration");
    if (s3_setting_change(r, "object_lock", take(lock), call) < 0)
        return -1;
    return s3_answer(r, 200);
}

static int lock_of_bucket(struct s3_request *r, json_t **ret_settings, json_t **ret,
                          struct call *call)
{
    if (s3_setting_get(r, "object_lock", ret_settings, ret, call) < 0)
        return -1;
    if (*ret == NULL)
        return s3_failf(r, S3_INVALID_REQUEST, call, "Bucket is missing Object Lock Configuration");
    return 0;
}

static int read_lock(struct s3_request *r, const struct object_row *properties,
                     json_t **ret_settings, json_t **ret, struct call *call)
{
    bool own = properties->immutable_mode != NULL || properties->legal_hold != 0;
    if (s3_setting_get(r, "object_lock", ret_settings, ret, call) < 0)
        return -1;
    if (*ret == NULL && own)
        return s3_failf(r, S3_INVALID_REQUEST, call, "Bucket is missing ObjectLockConfiguration");
    return 0;
}

int s3_lock_check(struct s3_request *r, const struct object_row *properties, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *lock;
    return read_lock(r, properties, &settings, &lock, call);
}

int s3_default_retention(struct s3_request *r, struct object_row *properties, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *lock;
    int64_t days = 0, years = 0;
    if (read_lock(r, properties, &settings, &lock, call) < 0)
        return -1;
    const char *mode = json_text(lock, "mode");
    if (properties->immutable_mode != NULL || mode == NULL)
        return 0;
    if (!json_number(lock, "days", &days) && json_number(lock, "years", &years))
        days = 365 * years;
    replace_string(&properties->immutable_mode,
                   strcmp(mode, "GOVERNANCE") == 0 ? "governance" : "compliance");
    properties->immutable_until = r->now + days * DAY;
    return 0;
}

/* ---- Of an object ---- */

static int stat_object(struct s3_request *r, struct object_row *ret, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *lock;
    if (service_stat(r->door->options.service, &r->place, NULL, ret, call) < 0)
        return -1;
    return lock_of_bucket(r, &settings, &lock, call);
}

int s3_get_retention(struct s3_request *r, struct call *call)
{
    auto_object_row struct object_row o = object_row_new();
    auto_buf struct buf body = BUF_INIT(4096);
    if (stat_object(r, &o, call) < 0)
        return -1;
    if (o.immutable_mode == NULL || o.immutable_until == TIME_UNKNOWN)
        return s3_fail(r, S3_NO_SUCH_LOCK, call);
    bool free_to_go =
        strcmp(o.immutable_mode, "governance") == 0 || strcmp(o.immutable_mode, "unlocked") == 0;
    s3_xml_root(&body, "Retention");
    xml_element(&body, "Mode", free_to_go ? "GOVERNANCE" : "COMPLIANCE");
    s3_xml_time(&body, "RetainUntilDate", o.immutable_until);
    xml_close(&body, "Retention");
    return s3_answer_xml(r, 200, &body);
}

/* x-amz-bypass-governance-retention, with the right to it. */
static int bypasses(struct s3_request *r, bool *ret, struct call *call)
{
    const char *header = s3_header(r, "x-amz-bypass-governance-retention");
    *ret = header != NULL && strcasecmp(header, "true") == 0;
    if (!*ret)
        return 0;
    return s3_authorize_also(r, "s3:BypassGovernanceRetention", r->bucket, r->key, call);
}

int s3_put_retention(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    auto_object_row struct object_row o = object_row_new();
    struct conditions conditions = CONDITIONS_INIT;
    int64_t until = TIME_UNKNOWN;
    bool bypass;
    if (s3_body_configuration(r, "Retention", &node, call) < 0)
        return -1;
    const char *mode = xml_text(node, "Mode");
    const char *date = xml_text(node, "RetainUntilDate");
    /* An empty one takes the retention away. */
    if ((mode == NULL) != (date == NULL) || (mode != NULL && !mode_is_good(mode)) ||
        (date != NULL && date_parse_iso8601(date, &until, &call->err) < 0))
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (date != NULL && until <= r->now)
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "The retain until date must be in the future!");
    if (stat_object(r, &o, call) < 0 || bypasses(r, &bypass, call) < 0)
        return -1;
    const char *word = mode == NULL                      ? NULL
                       : strcmp(mode, "GOVERNANCE") == 0 ? "governance"
                                                         : "compliance";
    if (service_set_immutability(r->door->options.service, &r->place, &conditions, until, word,
                                 bypass, &o, call) < 0)
        return -1;
    s3_say(r, "x-amz-version-id", s3_version_of(r, &o));
    return s3_answer(r, 200);
}

int s3_get_legal_hold(struct s3_request *r, struct call *call)
{
    auto_object_row struct object_row o = object_row_new();
    auto_buf struct buf body = BUF_INIT(4096);
    if (stat_object(r, &o, call) < 0)
        return -1;
    s3_xml_root(&body, "LegalHold");
    xml_element(&body, "Status", o.legal_hold != 0 ? "ON" : "OFF");
    xml_close(&body, "LegalHold");
    return s3_answer_xml(r, 200, &body);
}

int s3_put_legal_hold(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    auto_object_row struct object_row o = object_row_new();
    if (s3_body_configuration(r, "LegalHold", &node, call) < 0)
        return -1;
    const char *status = xml_text(node, "Status");
    if (status == NULL || (strcmp(status, "ON") != 0 && strcmp(status, "OFF") != 0))
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (stat_object(r, &o, call) < 0)
        return -1;
    if (service_set_legal_hold(r->door->options.service, &r->place, strcmp(status, "ON") == 0, &o,
                               call) < 0)
        return -1;
    s3_say(r, "x-amz-version-id", s3_version_of(r, &o));
    return s3_answer(r, 200);
}

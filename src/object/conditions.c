// SPDX-License-Identifier: EUPL-1.2
/* Conditional requests (RFC 9110 section 13, and Azure's and S3's readings of it). */
#include <stdio.h>
#include <string.h>

#include "object/object_private.h"
#include "object/tags.h"

/* What is compared with: one thing's validators. */
struct validators {
    const char *etag;
    const char *s3_etag; /* NULL: made from etag */
    int64_t modified;
};

static bool etag_is(const char *item, size_t length, const char *etag)
{
    return etag != NULL && strlen(etag) == length && strncmp(item, etag, length) == 0;
}

void s3_etag_from(const char *etag, char ret[S3_ETAG_TEXT])
{
    const char *digits = etag != NULL && strncmp(etag, "0x", 2) == 0 ? etag + 2 : "0";
    size_t n = strlen(digits);
    (void)snprintf(ret, S3_ETAG_TEXT, "%032d-1", 0);
    for (size_t i = 0; i < n && n <= 32; i++)
        ret[32 - n + i] = (char)(digits[i] >= 'A' ? digits[i] + 'a' - 'A' : digits[i]);
}

/* Whether a list of ETags (quoted or not, W/ or not) names this one. */
static bool list_names(const char *list, const struct validators *v, bool s3)
{
    char made[S3_ETAG_TEXT];
    s3_etag_from(v->etag, made);
    const char *etag = !s3 ? v->etag : v->s3_etag != NULL ? v->s3_etag : made;
    for (const char *at = list; *at != '\0';) {
        at += strspn(at, " \t,");
        size_t length = strcspn(at, ",");
        const char *item = at;
        at += length;
        while (length > 0 && (item[length - 1] == ' ' || item[length - 1] == '\t'))
            length--;
        if (length == 1 && *item == '*')
            return true;
        if (length > 2 && strncmp(item, "W/", 2) == 0) {
            item += 2;
            length -= 2;
        }
        if (length >= 2 && item[0] == '"' && item[length - 1] == '"') {
            item++;
            length -= 2;
        }
        if (length > 0 && etag_is(item, length, etag))
            return true;
    }
    return false;
}

/* HTTP dates have whole seconds. */
static bool modified_after(int64_t modified, int64_t date)
{
    return modified / CLOCK_SECOND > date / CLOCK_SECOND;
}

/* The checks that reads and writes share.  *ret_unmodified: what failed would be a 304 of a read.
 */
static bool holds(const struct conditions *c, const struct validators *v, bool *ret_unmodified)
{
    *ret_unmodified = false;
    if (c->if_match != NULL) {
        if (!list_names(c->if_match, v, c->s3))
            return false;
    } else if (c->unmodified_since != TIME_UNKNOWN &&
               modified_after(v->modified, c->unmodified_since)) {
        return false;
    }
    if (c->if_none_match != NULL) {
        *ret_unmodified = list_names(c->if_none_match, v, c->s3);
    } else if (c->modified_since != TIME_UNKNOWN) {
        *ret_unmodified = !modified_after(v->modified, c->modified_since);
    }
    return !*ret_unmodified;
}

static int tags_check(const struct conditions *c, const struct object_row *o, struct err *e)
{
    if (c->if_tags == NULL)
        return 0;
    auto_tag_expression struct tag_expression *expression = NULL;
    auto_pairs struct pairs tags = PAIRS_INIT;
    if (tag_expression_parse(c->if_tags, TAGS_CONDITION, &expression, e) < 0)
        return -1;
    if (o->tags != NULL && pairs_from_json(o->tags, &tags, e) < 0)
        return -1;
    if (!tag_expression_matches(expression, &tags, NULL))
        return fault_set(e, FAULT_CONDITION, "the tags of '%s' do not match", o->name);
    return 0;
}

static bool asks_date(int64_t date)
{
    return date != 0 && date != TIME_UNKNOWN;
}

static int tier_check(const struct conditions *c, const struct object_row *o, struct err *e)
{
    int64_t changed = o->tier_changed != TIME_UNKNOWN ? o->tier_changed : o->created;

    if ((asks_date(c->tier_modified_since) && !modified_after(changed, c->tier_modified_since)) ||
        (asks_date(c->tier_unmodified_since) && modified_after(changed, c->tier_unmodified_since)))
        return fault_set(e, FAULT_TIER_CONDITION,
                         "a condition on when the tier of '%s' was set does not hold", o->name);
    return 0;
}

int conditions_check_write(const struct conditions *c, const struct scene *s, struct err *e)
{
    const struct object_row *o = &s->object;
    if (!s->found) {
        if (c->if_match != NULL && c->s3)
            return fault_set(e, FAULT_OBJECT_MISSING, "there is no object to match a condition");
        if (c->if_match != NULL || c->if_tags != NULL)
            return fault_set(e, FAULT_CONDITION, "the object is not there to match a condition");
        if (c->copy != NULL)
            return fault_set(e, FAULT_NO_COPY_PENDING, "the object a copy ran onto is gone");
        return 0;
    }
    bool star = c->if_none_match != NULL && strcmp(c->if_none_match, "*") == 0;
    if (star && c->if_match == NULL)
        return fault_set(e, FAULT_OBJECT_EXISTS, "'%s' is there already", o->name);
    struct validators v = {.etag = o->etag, .s3_etag = o->s3_etag, .modified = o->modified};
    bool unmodified;
    if (!holds(c, &v, &unmodified))
        return fault_set(e, FAULT_CONDITION, "a condition on '%s' does not hold", o->name);
    if (conditions_check_copy(c, o, s->now, e) < 0 || tier_check(c, o, e) < 0)
        return -1;
    return tags_check(c, o, e);
}

int conditions_check_read(const struct conditions *c, const struct object_row *o, struct err *e)
{
    struct validators v = {.etag = o->etag, .s3_etag = o->s3_etag, .modified = o->modified};
    bool unmodified;
    if (!holds(c, &v, &unmodified)) {
        if (unmodified)
            return fault_set(e, FAULT_UNMODIFIED, "'%s' has not changed", o->name);
        return fault_set(e, FAULT_CONDITION, "a condition on '%s' does not hold", o->name);
    }
    return tags_check(c, o, e);
}

int conditions_check_container(const struct conditions *c, const struct container_row *row,
                               bool read, struct err *e)
{
    struct validators v = {.etag = row->etag, .modified = row->modified};
    bool unmodified;
    if (holds(c, &v, &unmodified))
        return 0;
    if (unmodified && read)
        return fault_set(e, FAULT_UNMODIFIED, "container '%s' has not changed", row->name);
    return fault_set(e, FAULT_CONDITION, "a condition on container '%s' does not hold", row->name);
}

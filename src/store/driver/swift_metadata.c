// SPDX-License-Identifier: EUPL-1.2
/*
 * Metadata keys and Swift's header names.
 *
 * Swift gives X-Object-Meta-foo_Bar back as X-Object-Meta-Foo-Bar: a header name has neither case
 * nor underscore.  A key goes out with every byte but letters and digits turned into '-', and comes
 * back in lower case; where that is not the key (or the value is one a header cannot hold) an entry
 * in our own item tells the difference:
 *
 *     X-Object-Meta-Bascule-Swift-Names-1: project_id,Author,a_b,a-b=a-b-2,note;,empty!
 *
 *     key          percent-escaped, as it was written
 *     =suffix      the header it stands under, where that is not the key with '-'
 *     ;            the value is percent-escaped
 *     !            the value is empty (the header may have been dropped)
 *
 * The text is cut into items -1, -2, ... of the length a value may have.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/url.h"
#include "codec/utf8.h"
#include "store/driver/swift_internal.h"

#define META  "X-Object-Meta-"
#define NAMES SWIFT_OWN "names-"

/* Room for one suffix: Swift's names are at most 128 bytes, another server may say otherwise. */
#define SUFFIX_MAX 128

/* The whole of our own item; metadata is limited to some KiB by every server. */
#define NAMES_MAX (256 * 1024)

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The suffix a key has by rule; longest counts the bytes it may have. */
static void suffix_of(const char *key, size_t longest, char suffix[SUFFIX_MAX + 1])
{
    size_t n = 0;

    for (; *key && n < longest; key++) {
        char lower = *key >= 'A' && *key <= 'Z' ? (char)(*key - 'A' + 'a') : *key;
        suffix[n++] = is_plain(lower) ? lower : '-';
    }
    suffix[n] = '\0';
}

/* Ours, or Ceph's mark on a manifest: nobody's metadata. */
static bool is_own(const char *suffix)
{
    return strncasecmp(suffix, SWIFT_OWN, strlen(SWIFT_OWN)) == 0 ||
           strcasecmp(suffix, "static-large-object") == 0;
}

/* A suffix nobody has yet, with a number at its end where the rule's own is taken. */
static void free_suffix(const char *key, size_t longest, const struct pairs *taken,
                        char suffix[SUFFIX_MAX + 1])
{
    suffix_of(key, longest, suffix);
    if (*suffix && !is_own(suffix) && !pairs_get(taken, suffix))
        return;
    for (unsigned number = 2;; number++) {
        char tail[16];
        int n = snprintf(tail, sizeof(tail), "-%u", number);
        assert(n > 0 && (size_t)n < longest);
        suffix_of(key, longest - (size_t)n, suffix);
        if (!*suffix || is_own(suffix))
            suffix[0] = 'x', suffix[1] = '\0';
        strncat(suffix, tail, SUFFIX_MAX - strlen(suffix));
        if (!pairs_get(taken, suffix))
            return;
    }
}

/* Whether a header can hold the value and give it back as it is. */
static bool is_verbatim(const char *value)
{
    size_t n = strlen(value);

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return false;
    return n && value[0] != ' ' && value[n - 1] != ' ' && utf8_valid(value, n);
}

static void add_names(struct pairs *headers, const struct buf *names, size_t longest)
{
    char name[64];
    unsigned number = 0;

    for (size_t at = 0; at < names->length; at += longest) {
        size_t n = names->length - at < longest ? names->length - at : longest;
        (void)snprintf(name, sizeof(name), META NAMES "%u", ++number);
        pairs_add_n(headers, name, strlen(name), names->data + at, n);
    }
}

/* Add one header; the entry that tells of it goes to names where one is needed. */
static void write_one(const struct pair *p, const char *suffix, const char *by_rule,
                      struct pairs *headers, struct buf *names)
{
    auto_buf struct buf escaped = BUF_INIT(NAMES_MAX * 3);
    auto_free char *header = xasprintf(META "%s", suffix);
    bool verbatim = is_verbatim(p->value), empty = !*p->value;

    if (!verbatim)
        url_escape(&escaped, p->value, strlen(p->value), URL_KEEP_UNRESERVED);
    pairs_add(headers, header, verbatim ? p->value : escaped.data);
    if (verbatim && strcmp(p->key, suffix) == 0)
        return;
    if (names->length)
        buf_char(names, ',');
    url_escape(names, p->key, strlen(p->key), URL_KEEP_UNRESERVED);
    if (strcmp(suffix, by_rule) != 0)
        buf_printf(names, "=%s", suffix);
    if (empty)
        buf_char(names, '!');
    else if (!verbatim)
        buf_char(names, ';');
}

void swift_metadata_write(const struct pairs *metadata, const struct swift_limits *limits,
                          struct pairs *headers)
{
    auto_pairs struct pairs taken = PAIRS_INIT;
    auto_buf struct buf names = BUF_INIT(NAMES_MAX * 4);
    size_t longest = limits->meta_name < SUFFIX_MAX ? limits->meta_name : SUFFIX_MAX;

    for (size_t i = 0; i < metadata->count; i++) {
        char suffix[SUFFIX_MAX + 1], by_rule[SUFFIX_MAX + 1];
        suffix_of(metadata->list[i].key, SUFFIX_MAX, by_rule);
        free_suffix(metadata->list[i].key, longest, &taken, suffix);
        pairs_add(&taken, suffix, "");
        write_one(&metadata->list[i], suffix, by_rule, headers, &names);
    }
    add_names(headers, &names, limits->meta_value);
}

/* ---------------------------------------------------------------- reading */

static void collect_names(const struct pairs *headers, struct buf *names)
{
    char name[64];
    struct err ignored;

    for (unsigned number = 1;; number++) {
        (void)snprintf(name, sizeof(name), META NAMES "%u", number);
        const char *value = pairs_get_nocase(headers, name);
        if (!value || buf_add(names, value, strlen(value), &ignored) < 0)
            return;
    }
}

/* text with its %XX undone, or NULL where it is not such a text. */
static char *unescaped(const char *text, size_t n)
{
    auto_buf struct buf out = BUF_INIT(NAMES_MAX);
    struct err ignored;

    if (url_unescape(&out, text, n, false, &ignored) < 0 || strlen(out.data) != out.length)
        return NULL;
    return buf_take(&out);
}

static struct pair *find(struct pairs *p, const char *key)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->list[i].key, key) == 0)
            return &p->list[i];
    return NULL;
}

/* One entry "key[=suffix][;|!]" of n bytes.  An entry that makes no sense (somebody else wrote it)
 * changes nothing. */
static void apply_name(struct pairs *by_suffix, const char *entry, size_t n, struct pairs *ret)
{
    bool empty = n && entry[n - 1] == '!', escaped = n && entry[n - 1] == ';';
    const char *equals;
    char suffix[SUFFIX_MAX + 1];

    if (empty || escaped)
        n--;
    equals = memchr(entry, '=', n);
    size_t key_length = equals ? (size_t)(equals - entry) : n;
    auto_free char *key = unescaped(entry, key_length);
    if (!key || !*key)
        return;
    if (equals && n - key_length - 1 > SUFFIX_MAX)
        return;
    if (equals)
        (void)snprintf(suffix, sizeof(suffix), "%.*s", (int)(n - key_length - 1), equals + 1);
    else
        suffix_of(key, SUFFIX_MAX, suffix);
    struct pair *there = find(by_suffix, suffix);
    auto_free char *value = NULL;
    if (empty)
        value = xstrdup("");
    else if (there && escaped)
        value = unescaped(there->value, strlen(there->value));
    else if (there)
        value = xstrdup(there->value);
    if (!value || pairs_get(ret, key))
        return;
    pairs_add(ret, key, value);
    if (there)
        pairs_remove(by_suffix, (size_t)(there - by_suffix->list));
}

void swift_metadata_read(const struct pairs *headers, struct pairs *ret)
{
    auto_pairs struct pairs by_suffix = PAIRS_INIT;
    auto_buf struct buf names = BUF_INIT(NAMES_MAX);

    for (size_t i = 0; i < headers->count; i++) {
        const char *name = headers->list[i].key;
        if (strncasecmp(name, META, strlen(META)) != 0 || !name[strlen(META)] ||
            is_own(name + strlen(META)))
            continue;
        auto_free char *lower = xstrdup(name + strlen(META));
        for (char *c = lower; *c; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c - 'A' + 'a');
        pairs_add(&by_suffix, lower, headers->list[i].value);
    }
    collect_names(headers, &names);
    for (const char *at = names.data; *at;) {
        size_t n = strcspn(at, ",");
        apply_name(&by_suffix, at, n, ret);
        at += n + (at[n] == ',');
    }
    for (size_t i = 0; i < by_suffix.count; i++)
        pairs_add(ret, by_suffix.list[i].key, by_suffix.list[i].value);
}

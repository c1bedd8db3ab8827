// SPDX-License-Identifier: EUPL-1.2
/* Names at the target: see name.h. */
#include "move/name.h"

#include <string.h>

#include "codec/hex.h"
#include "codec/utf8.h"
#include "crypto/hash.h"

static bool has_control(const char *name)
{
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        if (*c < 0x20 || *c == 0x7f)
            return true;
    return false;
}

static bool has_dot_segment(const char *name)
{
    for (const char *segment = name; segment; segment = strchr(segment, '/')) {
        if (*segment == '/')
            segment++;
        size_t length = strcspn(segment, "/");
        if ((length == 1 && segment[0] == '.') ||
            (length == 2 && segment[0] == '.' && segment[1] == '.'))
            return true;
    }
    return false;
}

bool name_fits(const struct store_traits *target, const char *name, const char **ret_why)
{
    size_t length = strlen(name);
    const char *why = NULL;

    if (target->name_bytes_max && length > target->name_bytes_max)
        why = "the name is longer than the target takes";
    else if ((target->name_refuses & NAME_NO_CONTROL) && has_control(name))
        why = "the name holds control characters";
    else if ((target->name_refuses & NAME_NO_BACKSLASH) && strchr(name, '\\'))
        why = "the name holds a backslash";
    else if ((target->name_refuses & NAME_NO_DOT_SEGMENT) && has_dot_segment(name))
        why = "the name has a segment '.' or '..'";
    else if ((target->name_refuses & NAME_NO_NON_UTF8) && !utf8_valid(name, length))
        why = "the name is not UTF-8";
    else if ((target->name_refuses & NAME_NO_NON_XML) && !xml_char_ok(name, length))
        why = "the name holds characters that XML cannot";
    if (ret_why)
        *ret_why = why;
    return !why;
}

static char *mapped(const char *text)
{
    unsigned char digest[32];
    char hex[65];

    hash_bytes(HASH_SHA256, text, strlen(text), digest);
    hex_encode(hex, digest, sizeof(digest));
    return xasprintf("%s%s", NAME_MAPPED, hex);
}

char *name_at_target(const struct store_traits *target, bool versions, const char *name,
                     enum version_kind kind, const char *version)
{
    if (kind == VERSION_CURRENT)
        return name_fits(target, name, NULL) ? xstrdup(name) : mapped(name);
    auto_free char *beside = xasprintf("%s%s/%s/%s", versions ? NAME_VERSION : NAME_HISTORY,
                                       version_kind_word(kind), version ? version : "", name);
    if (versions ? name_fits(target, name, NULL) : name_fits(target, beside, NULL))
        return take(beside);
    return mapped(beside);
}

bool name_is_reserved(const char *name)
{
    return strncmp(name, NAME_RESERVED, strlen(NAME_RESERVED)) == 0;
}

const char *name_of_version(const char *address)
{
    if (strncmp(address, NAME_VERSION, strlen(NAME_VERSION)) != 0)
        return NULL;
    const char *version = strchr(address + strlen(NAME_VERSION), '/');
    const char *name = version ? strchr(version + 1, '/') : NULL;
    return name ? name + 1 : NULL;
}

char *name_of_sidecar(const struct store_traits *target, const char *target_name)
{
    auto_free char *plain = xasprintf("%s%s.json", NAME_SIDECAR, target_name);

    if (target_name[0] != '#' && name_fits(target, plain, NULL))
        return take(plain);
    unsigned char digest[32];
    char hex[65];
    hash_bytes(HASH_SHA256, target_name, strlen(target_name), digest);
    hex_encode(hex, digest, sizeof(digest));
    return xasprintf("%s#%s.json", NAME_SIDECAR, hex);
}

char *name_of_version_sidecar(const char *id)
{
    return xasprintf("%s#%s.json", NAME_SIDECAR, id);
}

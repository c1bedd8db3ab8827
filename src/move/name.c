// SPDX-License-Identifier: EUPL-1.2
/* Names at the target: see name.h. */
#include "move/name.h"

#include <string.h>

#include "codec/hex.h"
#include "crypto/hash.h"

static bool name_fits(const struct store_traits *target, const char *name)
{
    return !store_name_fault(target, name);
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
        return name_fits(target, name) ? xstrdup(name) : mapped(name);
    auto_free char *beside = xasprintf("%s%s/%s/%s", versions ? NAME_VERSION : NAME_HISTORY,
                                       version_kind_word(kind), version ? version : "", name);
    if (versions ? name_fits(target, name) : name_fits(target, beside))
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

    if (target_name[0] != '#' && name_fits(target, plain))
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

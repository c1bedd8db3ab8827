// SPDX-License-Identifier: EUPL-1.2
/* Which names a store can hold: store_name_fault() of store.h. */
#include <string.h>

#include "codec/utf8.h"
#include "store/store.h"

static bool has_control(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7f)
            return true;
    return false;
}

static bool has_dot_segment(const char *name)
{
    for (;;) {
        size_t length = strcspn(name, "/");
        if (*name == '.' && (length == 1 || (length == 2 && name[1] == '.')))
            return true;
        if (!name[length])
            return false;
        name += length + 1;
    }
}

const char *store_name_fault(const struct store_traits *traits, const char *name)
{
    unsigned refuses = traits->name_refuses;
    size_t length = strlen(name);

    if ((traits->name_bytes_max && length > traits->name_bytes_max) ||
        (traits->name_units_max && utf8_utf16_units(name, length) > traits->name_units_max))
        return "is longer than can be";
    if ((refuses & NAME_NO_CONTROL) && has_control(name))
        return "holds control characters";
    if ((refuses & NAME_NO_BACKSLASH) && strchr(name, '\\'))
        return "holds a backslash";
    if ((refuses & NAME_NO_DOT_SEGMENT) && has_dot_segment(name))
        return "has a segment '.' or '..'";
    if ((refuses & NAME_NO_NON_UTF8) && !utf8_valid(name, length))
        return "is not UTF-8";
    if ((refuses & NAME_NO_NON_XML) && !xml_char_ok(name, length))
        return "holds characters that XML has no place for";
    return NULL;
}

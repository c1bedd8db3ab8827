// SPDX-License-Identifier: EUPL-1.2
/* bascule's own records in a store it filled: see own.h. */
#include "move/own.h"

#include <jansson.h>
#include <string.h>

#include "move/carry.h"
#include "move/name.h"

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

bool own_is_reserved(const char *name)
{
    return begins(name, NAME_SIDECAR) || begins(name, NAME_PROBE) ||
           strcmp(name, NAME_CONTAINER) == 0;
}

/* Whether an object is a small JSON text that a test says is ours; what cannot be read is not. */
static int is_text(struct own *own, const struct object *o, bool (*test)(const char *text),
                   bool *ret, struct call *call)
{
    auto_buf struct buf text = BUF_INIT(SIDECAR_MAX);
    struct object_key key = {own->container, o->name, o->kind, o->version};
    struct get_options options = {.length = STORE_TO_END};
    struct sink_buf sink;

    *ret = false;
    if (o->archived || o->size > SIDECAR_MAX)
        return 0;
    if (o->kind == VERSION_CURRENT)
        key.version = NULL;
    sink_buf_init(&sink, &text);
    if (store_get(own->store, &key, &options, &sink.sink, NULL, NULL, call) == 0) {
        *ret = test(text.data);
        return 0;
    }
    if (err_is_passing(call->err.code) || call->err.code == ERR_CANCELLED)
        return -1;
    err_clear(&call->err);
    return 0;
}

static bool is_leftovers(const char *text)
{
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool result = json_object_get(json, OWN_CONTAINER_MARK) != NULL;

    json_decref(json);
    return result;
}

/* A trial's object that nobody removed: a short text under a short hexadecimal name. */
static bool is_probe(const struct object *o)
{
    const char *id = o->name + strlen(NAME_PROBE);

    return strspn(id, "0123456789abcdef") == 16 && !id[16] && o->size <= 64;
}

int own_is_record(struct own *own, const struct object *o, bool *ret, struct call *call)
{
    *ret = false;
    if (begins(o->name, NAME_PROBE)) {
        *ret = is_probe(o);
    } else if (strcmp(o->name, NAME_CONTAINER) == 0) {
        return is_text(own, o, is_leftovers, ret, call);
    } else if (begins(o->name, NAME_SIDECAR)) {
        if (own->sidecars == OWN_UNKNOWN) {
            if (is_text(own, o, carry_is_sidecar, ret, call) < 0)
                return -1;
            own->sidecars = *ret ? OWN_YES : OWN_NO;
        }
        *ret = own->sidecars == OWN_YES;
    }
    return 0;
}

int own_original_name(struct store *s, const char *container, const char *name, char **ret,
                      struct call *call)
{
    auto_object struct object o = OBJECT_INIT;
    auto_buf struct buf text = BUF_INIT(SIDECAR_MAX);
    auto_free char *sidecar = name_of_sidecar(&s->traits, name);
    struct object_key key = {.container = container, .name = name};
    struct object_key beside = {.container = container, .name = sidecar};
    struct get_options options = {.length = STORE_TO_END};
    struct sink_buf sink;

    sink_buf_init(&sink, &text);
    if (store_stat(s, &key, &o, call) < 0 ||
        store_get(s, &beside, &options, &sink.sink, NULL, NULL, call) < 0 ||
        carry_back(&o, text.data, ret, &call->err) < 0)
        return err_prefix(&call->err, "the original name of '%s'", name);
    return 0;
}

/* The side-car of an object read from a store that bascule filled. */
static int read_sidecar(struct store *s, const struct object_key *of, const char *id,
                        struct buf *text, struct call *call)
{
    auto_free char *name = of->kind == VERSION_CURRENT ? name_of_sidecar(&s->traits, of->name)
                                                       : name_of_version_sidecar(id);
    struct object_key key = {.container = of->container, .name = name};
    struct get_options options = {.length = STORE_TO_END};
    struct sink_buf sink;

    sink_buf_init(&sink, text);
    if (store_get(s, &key, &options, &sink.sink, NULL, NULL, call) < 0) {
        if (call->err.code == ERR_NOT_FOUND)
            call->err.code = ERR_CORRUPT; /* the object is there, its side-car is what is missing */
        return err_prefix(&call->err, "its side-car '%s'", name);
    }
    return 0;
}

int own_restore(struct store *s, const struct object_key *key, struct object *o, char **ret_lost,
                struct call *call)
{
    auto_buf struct buf text = BUF_INIT(SIDECAR_MAX);

    if (o->tag_count > o->tags.count && s->tags) {
        pairs_release(&o->tags);
        if (store_tags_get(s, key, &o->tags, call) < 0)
            return -1;
    }
    if (s->traits.holds_everything)
        return 0;
    const char *id = carry_sidecar_id(o);
    bool beside = id != NULL;
    if (beside && read_sidecar(s, key, id, &text, call) < 0) {
        if (key->kind == VERSION_CURRENT || call->err.code != ERR_CORRUPT)
            return -1;
        /* It was current when it was moved here, and what replaced it has taken its side-car. */
        if (ret_lost)
            replace_string(ret_lost, call->err.text);
        err_clear(&call->err);
        beside = false;
    }
    return carry_back(o, beside ? text.data : NULL, NULL, &call->err);
}

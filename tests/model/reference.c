// SPDX-License-Identifier: EUPL-1.2
/* The object service in small: see reference.h. */
#include "reference.h"

#include <stdio.h>
#include <string.h>

const struct ref_past *reference_past(const struct ref_object *o, unsigned number)
{
    size_t youngest = o->past_count - 1;

    if (!o->past_count)
        return NULL;
    return &o->past[number % 2 ? youngest : number / 2 % o->past_count];
}

const char *reference_etag(const struct reference *r, const struct step *s)
{
    const struct ref_object *o = &r->objects[s->name];
    const char *etag = s->condition == IF_BEFORE ? o->before[s->way] : o->etag[s->way];

    return *etag ? etag : "none";
}

bool reference_saw(struct reference *r, int name, const char etag[WAY_COUNT][ETAG_LEN])
{
    struct ref_object *o = &r->objects[name];
    bool other = o->there && (o->body.size != o->seen.size ||
                              memcmp(o->body.bytes, o->seen.bytes, o->body.size) != 0);

    for (size_t way = 0; way < WAY_COUNT; way++) {
        bool same = strcmp(o->etag[way], etag[way]) == 0;
        if (same && other)
            return false;
        if (same)
            continue;
        memcpy(o->before[way], o->etag[way], ETAG_LEN);
        memcpy(o->etag[way], etag[way], ETAG_LEN);
    }
    o->seen = o->body;
    return true;
}

size_t reference_count(const struct reference *r, enum way_kind way)
{
    size_t count = 0;

    for (int name = 0; name < NAMES; name++) {
        const struct ref_object *o = &r->objects[name];
        count += o->there;
        for (size_t i = 0; i < o->past_count; i++)
            count += !(way == WAY_S3 && o->past[i].kind == PAST_SNAPSHOT) &&
                     !(way == WAY_AZURE && o->past[i].kind == PAST_MARKER);
    }
    return count;
}

static void set_version(char *into, const char *version)
{
    size_t length = strnlen(version, VERSION_LEN - 1);

    memmove(into, version, length);
    into[length] = '\0';
}

static void remember(struct ref_object *o, enum past_kind kind, const char *version)
{
    struct ref_past *p = &o->past[o->past_count++];

    p->kind = kind;
    p->body = o->body;
    set_version(p->version, version);
}

static void forget(struct ref_object *o, size_t index)
{
    memmove(&o->past[index], &o->past[index + 1], (o->past_count - index - 1) * sizeof(o->past[0]));
    o->past_count--;
}

static enum fault may_meet(const struct ref_object *o, const struct step *s)
{
    const char *named = s->condition == IF_BEFORE ? o->before[s->way] : o->etag[s->way];

    if (s->condition == IF_ANYTHING)
        return FAULT_NONE;
    /* Azure lets whoever names a lease write over what is there. */
    if (s->condition == IF_ABSENT && s->way == WAY_AZURE && s->with_lease)
        return FAULT_NONE;
    if (s->condition == IF_ABSENT)
        return o->there ? FAULT_OBJECT_EXISTS : FAULT_NONE;
    if (!o->there)
        return s->way == WAY_S3 ? FAULT_OBJECT_MISSING : FAULT_CONDITION;
    return strcmp(named, o->etag[s->way]) == 0 ? FAULT_NONE : FAULT_CONDITION;
}

static enum fault may_write(const struct ref_object *o, const struct step *s)
{
    enum fault fault = may_meet(o, s);

    if (fault != FAULT_NONE)
        return fault;
    if (o->there && o->leased)
        return s->with_lease ? FAULT_NONE : FAULT_LEASE_ID_MISSING;
    return s->with_lease ? FAULT_LEASE_ABSENT_OPERATION : FAULT_NONE;
}

/* A write that needs the object, of one type. */
static enum fault may_change(const struct ref_object *o, const struct step *s,
                             enum object_type type)
{
    if (!o->there)
        return FAULT_OBJECT_MISSING;
    enum fault fault = may_write(o, s);
    return fault != FAULT_NONE ? fault : o->body.type != type ? FAULT_TYPE : FAULT_NONE;
}

static void replace(struct reference *r, struct ref_object *o, const struct ref_body *body,
                    const char *version)
{
    if (o->there && r->versioning)
        remember(o, PAST_VERSION, o->version);
    if (!o->there)
        o->leased = false;
    o->there = true;
    o->marked = false;
    o->body = *body;
    set_version(o->version, version);
}

/* What a body that comes whole says of itself. */
static void describe(struct ref_body *body, const struct step *s)
{
    body->content = body->metadata = body->tag = s->fill;
    body->lowered = s->way == WAY_S3;
}

static void unstage(struct ref_object *o)
{
    memset(o->staged, 0, sizeof(o->staged));
}

static enum fault put(struct reference *r, struct ref_object *o, const struct step *s,
                      const char *version)
{
    struct ref_body body = {0};
    enum fault fault = may_write(o, s);

    if (fault != FAULT_NONE)
        return fault;
    body.type = s->kind == STEP_PUT           ? OBJECT_BLOCK
                : s->kind == STEP_MAKE_APPEND ? OBJECT_APPEND
                                              : OBJECT_PAGE;
    if (s->kind == STEP_PUT) {
        body.size = s->length;
        memset(body.bytes, s->fill, body.size);
        describe(&body, s);
    } else if (s->kind == STEP_MAKE_PAGES) {
        body.size = (size_t)s->length * PAGE;
    }
    replace(r, o, &body, version);
    unstage(o);
    return FAULT_NONE;
}

static enum fault append(struct ref_object *o, const struct step *s)
{
    enum fault fault = may_change(o, s, OBJECT_APPEND);

    if (fault != FAULT_NONE)
        return fault;
    if (s->kind == STEP_SEAL) {
        o->body.sealed = true;
        return FAULT_NONE;
    }
    if (o->body.size + s->length > BODY_MAX)
        return FAULT_SIZE_CONDITION;
    if (o->body.sealed)
        return FAULT_SEALED;
    memset(o->body.bytes + o->body.size, s->fill, s->length);
    o->body.size += s->length;
    return FAULT_NONE;
}

static enum fault pages(struct ref_object *o, const struct step *s)
{
    size_t offset = (size_t)s->offset * PAGE, length = (size_t)s->length * PAGE;
    enum fault fault = may_change(o, s, OBJECT_PAGE);

    if (fault != FAULT_NONE)
        return fault;
    if (s->kind == STEP_RESIZE) {
        if (length < o->body.size)
            memset(o->body.bytes + length, 0, BODY_MAX - length);
        o->body.size = length;
        return FAULT_NONE;
    }
    if (offset + length > o->body.size)
        return FAULT_PAGE_RANGE;
    memset(o->body.bytes + offset, s->fill, length);
    return FAULT_NONE;
}

static enum fault copy(struct reference *r, const struct step *s, const char *version)
{
    struct ref_object *to = &r->objects[s->name], *from = &r->objects[s->other];
    const struct ref_past *past = reference_past(from, s->past);

    if (past && past->kind == PAST_MARKER)
        return FAULT_IS_MARKER;
    if (!past && !from->there)
        return FAULT_OBJECT_MISSING;
    struct ref_body body = past ? past->body : from->body;
    enum fault fault = may_write(to, s);
    /* S3 knows one type only, and copies tags. */
    if (s->way == WAY_S3)
        body.type = OBJECT_BLOCK;
    else
        body.tag = 0;
    if (fault == FAULT_NONE && s->way != WAY_S3 && to->there && to->body.type != body.type)
        fault = FAULT_TYPE;
    if (fault != FAULT_NONE)
        return fault;
    /* At Azure's door a copy is sealed where its source is, unless told otherwise. */
    body.sealed = body.sealed && s->way == WAY_AZURE;
    replace(r, to, &body, version);
    unstage(to);
    return FAULT_NONE;
}

static enum fault delete_object(struct reference *r, struct ref_object *o, const struct step *s)
{
    bool snapshots = false;

    if (!o->there)
        return FAULT_OBJECT_MISSING;
    enum fault fault = may_write(o, s);
    if (fault != FAULT_NONE)
        return fault;
    for (size_t i = 0; i < o->past_count; i++)
        snapshots |= o->past[i].kind == PAST_SNAPSHOT;
    if (snapshots && !s->with_snapshots && s->way != WAY_S3)
        return FAULT_SNAPSHOTS_PRESENT;
    for (size_t i = o->past_count; i-- > 0;)
        if (o->past[i].kind == PAST_SNAPSHOT)
            forget(o, i);
    if (r->versioning)
        remember(o, PAST_VERSION, o->version);
    o->there = o->leased = false;
    return FAULT_NONE;
}

/* S3's: what is not there is deleted; with versions a marker takes the place, whatever there was.
 */
static enum fault delete_s3(struct reference *r, struct ref_object *o, const struct step *s,
                            const char *version)
{
    if (!o->there && s->condition != IF_ANYTHING)
        return FAULT_OBJECT_MISSING;
    if (!r->versioning)
        return o->there ? delete_object(r, o, s) : FAULT_NONE;
    enum fault fault = o->there ? may_write(o, s) : FAULT_NONE;
    if (fault != FAULT_NONE)
        return fault;
    if (o->there)
        remember(o, PAST_VERSION, o->version);
    o->there = o->leased = false;
    o->marked = true;
    remember(o, PAST_MARKER, version);
    return FAULT_NONE;
}

/* When a marker goes that stood in the object's place, the youngest version takes it. */
static void promote(struct ref_object *o)
{
    struct ref_past *youngest = NULL;

    o->marked = false;
    for (size_t i = 0; i < o->past_count; i++)
        if (o->past[i].kind != PAST_SNAPSHOT &&
            (!youngest || strcmp(o->past[i].version, youngest->version) > 0))
            youngest = &o->past[i];
    if (!youngest)
        return;
    o->marked = youngest->kind == PAST_MARKER;
    if (o->marked)
        return;
    o->there = true;
    o->body = youngest->body;
    set_version(o->version, youngest->version);
    forget(o, (size_t)(youngest - o->past));
}

static bool is_youngest(const struct ref_object *o, const struct ref_past *past)
{
    for (size_t i = 0; i < o->past_count; i++)
        if (o->past[i].kind == PAST_MARKER && strcmp(o->past[i].version, past->version) > 0)
            return false;
    return true;
}

static enum fault delete_past(struct ref_object *o, const struct step *s)
{
    const struct ref_past *past = reference_past(o, s->past);

    if (!past)
        return FAULT_NONE;
    bool marker = past->kind == PAST_MARKER;
    if (marker && s->way != WAY_S3)
        return FAULT_IS_MARKER;
    bool was_current = marker && o->marked && is_youngest(o, past);
    forget(o, (size_t)(past - o->past));
    if (was_current)
        promote(o);
    return FAULT_NONE;
}

static enum fault metadata(struct reference *r, struct ref_object *o, const struct step *s,
                           const char *version)
{
    enum fault fault = o->there ? may_write(o, s) : FAULT_OBJECT_MISSING;

    if (fault != FAULT_NONE)
        return fault;
    if (r->versioning) {
        struct ref_body body = o->body;
        replace(r, o, &body, version);
    }
    o->body.metadata = s->fill;
    o->body.lowered = false;
    return FAULT_NONE;
}

static enum fault tags(struct ref_object *o, const struct step *s)
{
    enum fault fault = o->there ? may_write(o, s) : FAULT_OBJECT_MISSING;

    if (fault == FAULT_NONE)
        o->body.tag = s->fill;
    return fault;
}

static enum fault stage(struct ref_object *o, const struct step *s)
{
    if (o->there) {
        enum fault fault = may_change(o, s, OBJECT_BLOCK);
        if (fault != FAULT_NONE)
            return fault;
    }
    o->staged[s->offset % BLOCKS].there = true;
    o->staged[s->offset % BLOCKS].fill = s->fill;
    o->staged[s->offset % BLOCKS].size = s->length;
    return FAULT_NONE;
}

static enum fault commit(struct reference *r, struct ref_object *o, const struct step *s,
                         const char *version)
{
    struct ref_body body = {.type = OBJECT_BLOCK};

    enum fault fault = may_meet(o, s);
    if (fault == FAULT_NONE && o->there && o->body.type != OBJECT_BLOCK)
        fault = FAULT_TYPE;
    if (fault == FAULT_NONE)
        fault = may_write(o, s);
    if (fault != FAULT_NONE)
        return fault;
    describe(&body, s);
    for (int i = BLOCKS; i-- > 0;) {
        if (!(s->length & (1U << i)))
            continue;
        if (!o->staged[i].there)
            return FAULT_BLOCK_LIST;
        memset(body.bytes + body.size, o->staged[i].fill, o->staged[i].size);
        body.size += o->staged[i].size;
    }
    replace(r, o, &body, version);
    unstage(o);
    return FAULT_NONE;
}

static enum fault upload(struct reference *r, struct ref_object *o, const struct step *s,
                         const char *version)
{
    struct ref_body body = {.type = OBJECT_BLOCK, .size = s->length};
    enum fault fault = may_write(o, s);

    if (fault != FAULT_NONE)
        return fault;
    memset(body.bytes, s->fill, body.size);
    describe(&body, s);
    replace(r, o, &body, version);
    return FAULT_NONE;
}

static enum fault lease(struct ref_object *o, const struct step *s)
{
    if (!o->there)
        return FAULT_OBJECT_MISSING;
    if (s->kind == STEP_RELEASE && !o->leased)
        return FAULT_LEASE_ID_LEASE;
    o->leased = s->kind == STEP_ACQUIRE;
    return FAULT_NONE;
}

bool reference_can(const struct reference *r, const struct step *s)
{
    return r->objects[s->name].past_count + 1 < PAST_MAX;
}

enum fault reference_do(struct reference *r, const struct step *s, const struct ref_made *made)
{
    struct ref_object *o = &r->objects[s->name];
    const char *version = made->version;

    switch (s->kind) {
    case STEP_PUT:
    case STEP_MAKE_APPEND:
    case STEP_MAKE_PAGES:
        return put(r, o, s, version);
    case STEP_APPEND:
    case STEP_SEAL:
        return append(o, s);
    case STEP_WRITE_PAGES:
    case STEP_RESIZE:
        return pages(o, s);
    case STEP_SNAPSHOT:
        if (!o->there)
            return FAULT_OBJECT_MISSING;
        remember(o, PAST_SNAPSHOT, version);
        if (r->versioning) {
            remember(o, PAST_VERSION, o->version);
            set_version(o->version, made->current);
        }
        return FAULT_NONE;
    case STEP_COPY:
        return copy(r, s, version);
    case STEP_DELETE:
        return s->way == WAY_S3 ? delete_s3(r, o, s, version) : delete_object(r, o, s);
    case STEP_DELETE_PAST:
        return delete_past(o, s);
    case STEP_METADATA:
        return metadata(r, o, s, version);
    case STEP_TAGS:
        return tags(o, s);
    case STEP_STAGE:
        return stage(o, s);
    case STEP_COMMIT:
        return commit(r, o, s, version);
    case STEP_UPLOAD:
        return upload(r, o, s, version);
    case STEP_ACQUIRE:
    case STEP_RELEASE:
        return lease(o, s);
    default:
        return FAULT_NONE;
    }
}

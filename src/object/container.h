// SPDX-License-Identifier: EUPL-1.2
/*
 * Containers (S3: buckets).  Names are checked by the doors, whose rules differ.
 */
#ifndef OBJECT_CONTAINER_H
#define OBJECT_CONTAINER_H

#include "object/service.h"

/* properties: metadata, access, settings, owner are looked at; may be NULL. */
must_check int service_container_create(struct service *service, const char *account,
                                        const char *name, const struct container_row *properties,
                                        struct container_row *ret, struct call *call);
must_check int service_container_get(struct service *service, const char *account, const char *name,
                                     const struct conditions *conditions, struct container_row *ret,
                                     struct call *call);
/* must_be_empty: S3 (FAULT_CONTAINER_NOT_EMPTY).  Kept for the account's container retention, if it
 * has one. */
must_check int service_container_delete(struct service *service, const char *account,
                                        const char *name, const struct conditions *conditions,
                                        bool must_be_empty, struct call *call);
/* Bring a soft-deleted one back, under its own name or another. */
must_check int service_container_restore(struct service *service, const char *account,
                                         const char *deleted_name, const char *deleted_version,
                                         const char *name, struct container_row *ret,
                                         struct call *call);

/* Change a container under conditions: a NULL member of what is left alone, keep_ says which are
 * set (to NULL too).  touch: its etag and time change as well. */
struct container_change {
    bool set_metadata, set_access, set_policies, set_settings, set_immutability, set_legal_holds;
    bool touch;
    const char *metadata; /* JSON texts, as in container_row */
    const char *access;
    const char *policies;
    const char *settings;
    const char *immutability;
    const char *legal_holds;
};
must_check int service_container_change(struct service *service, const char *account,
                                        const char *name, const struct conditions *conditions,
                                        const struct container_change *change,
                                        struct container_row *ret, struct call *call);

/* Set one member of a container's settings to a JSON text (NULL: take it out), whatever happens to
 * the others meanwhile. */
must_check int service_container_setting(struct service *service, const char *account,
                                         const char *name, const char *key, const char *value,
                                         struct container_row *ret, struct call *call);

struct container_rows {
    struct container_row *list;
    size_t count;
    size_t size;
    char *next; /* where the next page begins; NULL after the last */
};
void container_rows_release(struct container_rows *l);
#define auto_container_rows cleanup(container_rows_release)
/* In order of names.  prefix, marker (first name of the page) may be NULL. */
must_check int service_container_list(struct service *service, const char *account,
                                      const char *prefix, const char *marker, unsigned limit,
                                      bool deleted, struct container_rows *ret, struct call *call);

#endif

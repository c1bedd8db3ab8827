// SPDX-License-Identifier: EUPL-1.2
/*
 * Browser form uploads: multipart/form-data (RFC 7578) read as it comes, and the policy that must
 * permit it.
 *
 *     s3_form_init(&form, content_type, source, e)
 *     s3_form_fields(&form, call)         the fields up to the file; form.fields, form.file_name
 *     source_read(&form.source, ...)      the file's bytes; what comes behind it is not looked at
 *
 * One thread at a time.  Any bytes may come.
 */
#ifndef DOOR_S3_S3_FORM_H
#define DOOR_S3_S3_FORM_H

#include "util/pairs.h"
#include "util/stream.h"

#define S3_FORM_FIELDS_MAX (64 * 1024) /* of all fields before the file, with their names */

struct s3_form {
    struct source source; /* the file */
    struct source *from;  /* borrowed */
    struct pairs fields;
    char *file_name;    /* NULL: no file has been met */
    char delimiter[80]; /* CR LF "--" and the boundary */
    size_t delimiter_length;
    size_t fields_size;
    bool from_ended;
    bool part_ended;
    size_t at, filled;
    char buffer[32 * 1024];
};

/* ERR_INVALID: not a form with a boundary. */
must_check int s3_form_init(struct s3_form *f, const char *content_type, struct source *from,
                            struct err *e);
void s3_form_release(struct s3_form *f);
/* To the file, or to the end of a form that has none (file_name stays NULL).  ERR_INVALID for what
 * is no form, or has too much before the file. */
must_check int s3_form_fields(struct s3_form *f, struct call *call);

/* What a policy asks of the file. */
struct s3_form_limits {
    uint64_t least;
    uint64_t most;
};
/* A policy document (JSON, decoded) against the fields: every field must meet a condition, and
 * every condition must hold.  ERR_DENIED: it does not, or has expired; ERR_INVALID: no policy. */
must_check int s3_form_permits(const char *policy, size_t length, const struct pairs *fields,
                               const char *bucket, int64_t now, struct s3_form_limits *ret,
                               struct err *e);

#endif

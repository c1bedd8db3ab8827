// SPDX-License-Identifier: EUPL-1.2
/* A browser's form and its policy: any bytes are fields and a file, or refused; what is behind the
 * fields comes out unchanged in length whatever pieces it is read in. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "door/s3/s3_form.h"

/* The body's bytes, a few at a time. */
struct drip {
    struct source source;
    const uint8_t *bytes;
    size_t left;
    size_t step;
};

static ssize_t drip_read(struct source *s, void *bytes, size_t n, struct call *call)
{
    struct drip *d = container_of(s, struct drip, source);
    (void)call;
    n = n < d->step ? n : d->step;
    n = n < d->left ? n : d->left;
    memcpy(bytes, d->bytes, n);
    d->bytes += n;
    d->left -= n;
    return (ssize_t)n;
}

/* The file's length; -1: refused. */
static int64_t read_form(const uint8_t *data, size_t size, size_t step)
{
    struct drip drip = {{.read = drip_read}, data, size, step};
    struct s3_form *form = xcalloc(1, sizeof(*form));
    struct s3_form_limits limits;
    struct call call = CALL_INIT;
    char bytes[100];
    int64_t length = -1;
    ssize_t got;
    if (s3_form_init(form, "multipart/form-data; boundary=b", &drip.source, &call.err) == 0 &&
        s3_form_fields(form, &call) == 0) {
        for (length = 0; (got = source_read(&form->source, bytes, sizeof(bytes), &call)) > 0;)
            length += got;
        length = got < 0 ? -1 : length;
        const char *policy = pairs_get_nocase(&form->fields, "policy");
        if (policy != NULL && s3_form_permits(policy, strlen(policy), &form->fields, "bucket", 0,
                                              &limits, &call.err) == 0)
            assert(limits.least <= limits.most);
    }
    s3_form_release(form);
    free(form);
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    assert(read_form(data, size, 1) == read_form(data, size, 4096));
    return 0;
}

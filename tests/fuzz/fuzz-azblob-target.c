// SPDX-License-Identifier: EUPL-1.2
/*
 * Any method, host, path, query and headers (one of each line) at the Azure door: what they name,
 * which operation that is, and what the headers say.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "door/azblob/azblob_list.h"
#include "door/azblob/azblob_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next line, as a string. */
static char *line(const uint8_t **at, size_t *left)
{
    const uint8_t *end = memchr(*at, '\n', *left);
    size_t n = end ? (size_t)(end - *at) : *left;
    char *text = xstrndup((const char *)*at, n);

    *at += n + (end != NULL);
    *left -= n + (end != NULL);
    return text;
}

/* Only that it comes back matters. */
static void may_fail(int result)
{
    assert(result >= -1 && result <= 1);
}

static void look(struct azblob_request *r, struct call *call)
{
    auto_free char *metadata = NULL, *tags = NULL, *before = NULL;
    struct azblob_digests digests;
    struct conditions source;
    struct place place;
    struct azblob_needs needs;
    unsigned includes;
    bool given;

    r->conditions = (struct conditions)CONDITIONS_INIT;
    may_fail(azblob_check_names(r, call));
    may_fail(azblob_place(&r->target, &place));
    azblob_needs(r, &needs);
    assert(needs.count <= AZBLOB_NEEDS_MAX);
    if (azblob_conditions(r, call) == 0 && r->conditions.lease)
        assert(strlen(r->conditions.lease) == 36);
    may_fail(azblob_source_conditions(r, &source, call));
    azblob_range(r);
    if (r->has_range)
        assert(r->range.first <= r->range.last);
    may_fail(azblob_metadata(r, &metadata, call));
    may_fail(azblob_tags_header(r, &tags, &given, call));
    may_fail(azblob_digests(r, "Content-MD5", &digests, call));
    may_fail(azblob_list_includes(r, &includes, call));
    if (r->target.blob) {
        before = azblob_list_before(r->target.blob);
        assert(!*r->target.blob || strcmp(before, r->target.blob) < 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const domains[] = {"d.e"};
    static const struct azblob door = {.options = {.domains = domains, .domain_count = 1}};
    auto_free char *method = line(&data, &size), *host = line(&data, &size),
                   *path = line(&data, &size), *query = line(&data, &size);
    auto_pairs struct pairs headers = PAIRS_INIT;
    auto_azblob_request struct azblob_request r = {.door = &door};
    struct call call = CALL_INIT;
    enum azblob_code code = AZBLOB_NONE;

    while (size) {
        auto_free char *header = line(&data, &size);
        size_t name = strcspn(header, ":");
        pairs_add_n(&headers, header, name, header + name + (header[name] == ':'),
                    strlen(header + name + (header[name] == ':')));
    }
    r.head = (struct azblob_head){
        .method = method, .path = path, .query = query, .host = host, .headers = &headers};
    if (azblob_target_parse(&door, &r.head, &r.target, &code, &call.err) < 0) {
        assert(code != AZBLOB_NONE);
        return 0;
    }
    assert(r.target.account && (r.target.which == AZBLOB_SERVICE) == !r.target.container);
    assert((r.target.which == AZBLOB_BLOB || r.target.which == AZBLOB_WEB) == !!r.target.blob);
    r.operation = azblob_route(&r, &call);
    if (r.operation)
        look(&r, &call);
    else
        assert(r.code != AZBLOB_NONE);
    return 0;
}

// SPDX-License-Identifier: EUPL-1.2
/* Bucket policies: any bytes are a policy that can be asked, or ERR_INVALID. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/json.h"
#include "door/s3/s3_policy_document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const actions[] = {"s3:GetObject", "s3:ListBucket", "s3:PutBucketPolicy"};
    auto_json json_t *document = NULL;
    auto_pairs struct pairs headers = PAIRS_INIT;
    auto_pairs struct pairs query = PAIRS_INIT;
    struct err e = {0};
    if (s3_policy_read((const char *)data, size, "bucket", &document, &e) < 0) {
        assert(e.code == ERR_INVALID && document == NULL);
        return 0;
    }
    pairs_add(&headers, "Referer", "https://example.eu/");
    pairs_add(&query, "max-keys", "12");
    (void)s3_policy_is_public(document);
    (void)s3_policy_wants_tags(document);
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        enum policy_decision decision = POLICY_DENIED;
        struct s3_policy_question question = {.action = actions[i],
                                              .account = "account",
                                              .bucket = "bucket",
                                              .key = i == 0 ? "a/b" : NULL,
                                              .prefix = i == 1 ? "a/" : NULL,
                                              .peer = "203.0.113.7",
                                              .headers = &headers,
                                              .query = &query};
        question.who.kind = POLICY_ANONYMOUS;
        /* An address that is none is known only to the engine. */
        if (s3_policy_ask(document, &question, &decision, &e) < 0)
            assert(e.code == ERR_INVALID);
    }
    return 0;
}

// SPDX-License-Identifier: EUPL-1.2
/* What the Azure Blob door offers stands in docs/azure-blob.md, and the other way round. */
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "door/azblob/azblob.h"
#include "unit.h"
#include "util/buf.h"

static void every_operation_is_documented(void **state)
{
    static char text[256 * 1024];
    (void)state;
    FILE *file = fopen(BASCULE_SOURCE_SHARE "/../docs/azure-blob.md", "r");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[n] = '\0';
    struct azblob_offer offer;
    size_t count = 0;
    for (; azblob_offer(count, &offer); count++) {
        const char *at = strstr(text, offer.operation);
        if (at == NULL)
            fail_msg("%s is not in docs/azure-blob.md", offer.operation);
        const char *line = at;
        while (line > text && line[-1] != '\n')
            line--;
        auto_free char *row = xstrndup(line, strcspn(line, "\n"));
        if (offer.refused != (strstr(row, "| no |") != NULL))
            fail_msg("docs/azure-blob.md says otherwise of %s", offer.operation);
    }
    assert_true(count > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_operation_is_documented)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: EUPL-1.2
/* The file store keeps the contract. */
#include "contract_file.h"
#include "store_contract.h"

int main(void)
{
    struct scratch scratch;
    struct contract c = {.name = "file", .open = scratch_open, .argument = &scratch, .many = 1000};

    scratch_make(&scratch);
    int failed = store_contract(&c);
    scratch_remove(&scratch);
    return failed;
}

// SPDX-License-Identifier: EUPL-1.2
/* The Azure driver keeps the contract, against the bed's Azurite (BED_AZURE_...). */
#include <stdio.h>

#include "store/driver/azure.h"
#include "store_contract.h"

static int open_it(void *argument, struct store **ret, struct call *call)
{
    auto_secret struct secret key = SECRET_INIT;
    struct azure_options options = {
        .endpoint = getenv("BED_AZURE_ENDPOINT"),
        .account = getenv("BED_AZURE_ACCOUNT"),
        .key = &key,
        .client = argument,
    };

    secret_from_text(&key, getenv("BED_AZURE_KEY"));
    return azure_store_open(&options, "azure", ret, call);
}

int main(void)
{
    struct contract c = {.name = "azure on azurite", .open = open_it};
    struct http_client *client = NULL;
    struct err e = {0};

    if (!getenv("BED_AZURE_ENDPOINT") || !getenv("BED_AZURE_KEY")) {
        printf("skipped: no Azurite (tests/beds/azurite start, then its env)\n");
        return 77;
    }
    if (http_client_new(NULL, &client, &e) < 0) {
        printf("no HTTP client: %s\n", e.text);
        return 1;
    }
    c.argument = client;
    int failed = store_contract(&c);
    http_client_free(client);
    return failed;
}

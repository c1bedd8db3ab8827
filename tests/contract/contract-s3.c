// SPDX-License-Identifier: EUPL-1.2
/*
 * The S3 driver keeps the contract, on a real service named by the environment:
 *
 *   contract-s3 rgw            BED_S3_..., by path
 *   contract-s3 rgw-virtual    BED_S3_VIRTUAL_ENDPOINT, bucket as host name
 *   contract-s3 rgw-v1         BED_S3_..., ListObjects instead of ListObjectsV2
 *   contract-s3 swift          BED_SWIFT_S3_...: no conditional writes (so that several may win a
 *                              race), no tags, short metadata
 *
 * A second argument runs only the tests whose names hold it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/driver/s3.h"
#include "store_contract.h"

static const struct service {
    const char *name, *prefix, *endpoint;
    bool virtual_host;
    unsigned lacks;
    struct provider_s3 provider;
} services[] = {
    {"rgw", "BED_S3", "BED_S3_ENDPOINT", false, LACKS_METADATA_UNDERSCORE, {.quirks = 0}},
    {"rgw-virtual",
     "BED_S3",
     "BED_S3_VIRTUAL_ENDPOINT",
     true,
     LACKS_METADATA_UNDERSCORE,
     {.quirks = 0}},
    {"rgw-v1",
     "BED_S3",
     "BED_S3_ENDPOINT",
     false,
     LACKS_METADATA_UNDERSCORE,
     {.quirks = 1U << QUIRK_LIST_V1_ONLY}},
    {"swift",
     "BED_SWIFT_S3",
     "BED_SWIFT_S3_ENDPOINT",
     false,
     LACKS_ATOMIC_IF_ABSENT,
     {.features = {[FEATURE_TAGGING] = FACT_NO},
      .limits = {.metadata_value_max = 256, .parts_max = 1000}}},
};

static const char *setting(const struct service *s, const char *what)
{
    char name[100];

    (void)snprintf(name, sizeof(name), "%s_%s", s->prefix, what);
    return getenv(name);
}

static int open_it(void *argument, struct store **ret, struct call *call)
{
    const struct service *s = argument;
    auto_secret struct secret key = SECRET_INIT;
    const char *secret = setting(s, "SECRET_KEY");

    secret_from_text(&key, secret ? secret : "");
    const struct s3_options options = {
        .endpoint = getenv(s->endpoint),
        .region = setting(s, "REGION"),
        .virtual_host = s->virtual_host,
        .access_key = setting(s, "ACCESS_KEY"),
        .secret_key = &key,
        .provider = &s->provider,
    };
    return s3_store_open(&options, s->name, ret, call);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(services); i++) {
        struct service service = services[i];
        if (strcmp(service.name, argv[1]) != 0)
            continue;
        if (!getenv(service.endpoint)) {
            printf("skipped: %s is not set; start the bed and read its environment\n",
                   service.endpoint);
            return 77;
        }
        struct contract c = {.name = service.name,
                             .open = open_it,
                             .argument = &service,
                             .lacks = service.lacks,
                             .only = argc > 2 ? argv[2] : NULL};
        return store_contract(&c);
    }
    (void)fprintf(stderr, "usage: contract-s3 rgw|rgw-virtual|rgw-v1|swift [NAME]\n");
    return 2;
}

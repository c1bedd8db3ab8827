// SPDX-License-Identifier: EUPL-1.2
/*
 * The Swift driver keeps the contract, on a real Swift: with tempauth, with Keystone's password and
 * with an application credential; and on Ceph's gateway: whatever the environment names (see
 * tests/beds).
 */
#include <stdio.h>
#include <stdlib.h>

#include "store/driver/swift.h"
#include "store_contract.h"

#define SKIP 77

static int open_it(void *argument, struct store **ret, struct call *call)
{
    return swift_store_open(argument, "swift", ret, call);
}

static int run(const char *name, const char *only, struct swift_options *options)
{
    struct contract c = {.name = name,
                         .open = open_it,
                         .argument = options,
                         .lacks = LACKS_ATOMIC_IF_ABSENT,
                         .only = only};

    return store_contract(&c);
}

/* The environment's word as a secret; an empty one where it has none. */
static void secret_of(struct secret *s, const char *variable)
{
    const char *text = getenv(variable);

    secret_from_text(s, text ? text : "");
}

/* The variables' names begin with prefix: tempauth of a Swift, or of a Ceph gateway. */
static int with_tempauth(const char *name, const char *prefix, const char *only)
{
    auto_free char *url = xasprintf("%s_AUTH_URL", prefix), *user = xasprintf("%s_USER", prefix),
                   *variable = xasprintf("%s_KEY", prefix);
    auto_secret struct secret key = SECRET_INIT;
    struct swift_options options = {
        .auth = {
            .auth_url = getenv(url), .user = getenv(user), .password = &key, .tempauth = true}};

    secret_of(&key, variable);
    return run(name, only, &options);
}

static int with_keystone(const char *only)
{
    auto_secret struct secret key = SECRET_INIT, credential_key = SECRET_INIT;
    struct swift_options password = {
        .auth = {.auth_url = getenv("BED_KEYSTONE_AUTH_URL"),
                 .user = getenv("BED_KEYSTONE_USER"),
                 .password = &key,
                 .user_domain = getenv("BED_KEYSTONE_USER_DOMAIN"),
                 .project = getenv("BED_KEYSTONE_PROJECT"),
                 .project_domain = getenv("BED_KEYSTONE_PROJECT_DOMAIN"),
                 .region = getenv("BED_KEYSTONE_REGION")}};
    struct swift_options credential = {
        .auth = {.auth_url = getenv("BED_KEYSTONE_AUTH_URL"),
                 .application_credential_id = getenv("BED_KEYSTONE_APPLICATION_CREDENTIAL_ID"),
                 .application_credential_secret = &credential_key,
                 .region = getenv("BED_KEYSTONE_REGION")}};

    secret_of(&key, "BED_KEYSTONE_PASSWORD");
    secret_of(&credential_key, "BED_KEYSTONE_APPLICATION_CREDENTIAL_SECRET");
    return run("swift with keystone", only, &password) +
           run("swift with an application credential", "put", &credential);
}

/* An optional argument: run only the tests whose names hold it. */
int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    int failed = 0;

    if (!getenv("BED_SWIFT_AUTH_URL") && !getenv("BED_KEYSTONE_AUTH_URL") &&
        !getenv("BED_CEPH_SWIFT_AUTH_URL")) {
        (void)fprintf(stderr, "skipped: none of BED_SWIFT_AUTH_URL, BED_KEYSTONE_AUTH_URL and "
                              "BED_CEPH_SWIFT_AUTH_URL is set; tests/beds starts such servers\n");
        return SKIP;
    }
    if (getenv("BED_SWIFT_AUTH_URL"))
        failed += with_tempauth("swift with tempauth", "BED_SWIFT", only);
    if (getenv("BED_CEPH_SWIFT_AUTH_URL"))
        failed += with_tempauth("swift on ceph", "BED_CEPH_SWIFT", only);
    if (getenv("BED_KEYSTONE_AUTH_URL"))
        failed += with_keystone(only);
    return failed;
}

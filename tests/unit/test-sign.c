// SPDX-License-Identifier: EUPL-1.2
/* RSA signatures with a key and certificate that the openssl program makes, judged by it. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "codec/hex.h"
#include "crypto/sign.h"

static char *folder;

static int shell(const char *command)
{
    auto_free char *whole = xasprintf("cd '%s' && { %s; } >out 2>err", folder, command);

    return system(whole); // NOLINT: a test's own words
}

static char *read_file(const char *name)
{
    auto_free char *path = xasprintf("%s/%s", folder, name);
    char text[16384];
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    size_t n = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    return xstrndup(text, n);
}

static int make(void **state)
{
    static const char commands[] =
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=app -days 9 -keyout k.pem -out c.pem "
        "&&"
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -days 9 -keyout k2.pem "
        "-out c2.pem && cat c2.pem k.pem c.pem > all.pem && cat k.pem c2.pem > wrong.pem &&"
        "openssl rsa -aes256 -passout pass:opensesame -in k.pem -out locked.pem &&"
        "cat c.pem >> locked.pem && openssl ecparam -name prime256v1 -genkey -noout -out ec.pem &&"
        "openssl x509 -in c.pem -pubkey -noout > pub.pem &&"
        "openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=s -keyout s.pem -out sc.pem &&"
        "cat sc.pem >> s.pem";
    const char *tmp = getenv("TMPDIR");

    (void)state;
    folder = xasprintf("%s/sign-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(folder) && shell(commands) == 0 ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    auto_free char *command = xasprintf("rm -rf '%s'", folder);
    int removed = system(command); // NOLINT
    free(folder);
    return removed;
}

static int load(const char *name, const char *password_text, struct sign_key *ret, struct err *e)
{
    auto_secret struct secret password = SECRET_INIT;
    auto_free char *pem = read_file(name);

    if (password_text)
        secret_from_text(&password, password_text);
    return sign_key_read(pem, strlen(pem), &password, ret, e);
}

static void write_signature(const struct buf *signature)
{
    auto_free char *path = xasprintf("%s/sig", folder);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(signature->data, 1, signature->length, file), signature->length);
    assert_int_equal(fclose(file), 0);
}

static void test_signatures(void **state)
{
    (void)state;
    struct err e = {0};
    auto_sign_key struct sign_key key = SIGN_KEY_INIT;
    auto_buf struct buf rs = BUF_INIT(1000);
    auto_buf struct buf ps = BUF_INIT(1000);
    auto_buf struct buf tight = BUF_INIT(100);

    assert_ok(load("all.pem", NULL, &key, &e), &e);
    assert_ok(sign_rs256(&key, "header.payload", 14, &rs, &e), &e);
    assert_int_equal(rs.length, 256);
    write_signature(&rs);
    assert_int_equal(shell("printf header.payload | openssl dgst -sha256 -verify pub.pem "
                           "-signature sig"),
                     0);
    assert_int_not_equal(shell("printf header.Payload | openssl dgst -sha256 -verify pub.pem "
                               "-signature sig"),
                         0);
    assert_ok(sign_ps256(&key, "header.payload", 14, &ps, &e), &e);
    write_signature(&ps);
    assert_int_equal(shell("printf header.payload | openssl dgst -sha256 -sigopt "
                           "rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -verify pub.pem "
                           "-signature sig"),
                     0);
    assert_int_equal(sign_rs256(&key, "x", 1, &tight, &e), -1);
    assert_int_equal(tight.length, 0);
}

/* "sha1 Fingerprint=AA:BB..." as plain lower-case digits. */
static void fingerprint(const char *option, char *text)
{
    auto_free char *command = xasprintf("openssl x509 -in c.pem -noout -fingerprint %s", option);

    assert_int_equal(shell(command), 0);
    auto_free char *said = read_file("out");
    const char *at = strchr(said, '=');
    assert_non_null(at);
    for (at++; *at && *at != '\n'; at++)
        if (*at != ':')
            *text++ = (char)(*at >= 'A' && *at <= 'F' ? *at - 'A' + 'a' : *at);
    *text = '\0';
}

static void test_thumbprints(void **state)
{
    (void)state;
    struct err e = {0};
    auto_sign_key struct sign_key key = SIGN_KEY_INIT;
    char text[100], expected[100];

    assert_ok(load("locked.pem", "opensesame", &key, &e), &e);
    hex_encode(text, key.sha1, sizeof(key.sha1));
    fingerprint("-sha1", expected);
    assert_string_equal(text, expected);
    hex_encode(text, key.sha256, sizeof(key.sha256));
    fingerprint("-sha256", expected);
    assert_string_equal(text, expected);
}

static void refused(const char *name, const char *password, enum err_code code, const char *why)
{
    struct err e = {0};
    struct sign_key key = SIGN_KEY_INIT;

    assert_int_equal(load(name, password, &key, &e), -1);
    assert_int_equal(e.code, code);
    if (!strstr(e.text, why))
        fail_msg("'%s' does not say '%s'", e.text, why);
    assert_null(key.key);
}

static void test_refuses(void **state)
{
    (void)state;
    refused("c.pem", NULL, ERR_INVALID, "no private key");
    refused("k.pem", NULL, ERR_INVALID, "no certificate beside");
    refused("wrong.pem", NULL, ERR_INVALID, "belongs to its private key");
    refused("ec.pem", NULL, ERR_INVALID, "not RSA");
    refused("s.pem", NULL, ERR_INVALID, "at least 2048");
    refused("locked.pem", NULL, ERR_DENIED, "needed");
    refused("locked.pem", "wrong", ERR_DENIED, "wrong");
    refused("out", NULL, ERR_INVALID, "no private key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_thumbprints),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, make, clean);
}

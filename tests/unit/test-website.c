// SPDX-License-Identifier: EUPL-1.2
/* Which object a path of a website stands for. */
#include "object/website.h"

#include "object-bed.h"

static int not_secret(void *argument, const char *name, struct call *call)
{
    (void)argument, (void)call;
    return strncmp(name, "secret", 6) != 0;
}

/* What is shown: the body, or a word for what else became of it. */
static void shows(struct object_bed *b, const struct website *website, const char *path,
                  const char *text)
{
    const struct place site = {.account = "acct", .container = "c"};
    auto_buf struct buf got = BUF_INIT(4096);
    auto_reading struct reading reading = {.object = object_row_new()};
    enum website_outcome outcome;
    struct sink_buf sink;

    sink_buf_init(&sink, &got);
    assert_ok(
        website_find(b->service, &site, website, path, NULL, NULL, &outcome, &reading, &b->call),
        &b->call.err);
    if (outcome == WEBSITE_PAGE)
        assert_ok(service_read(b->service, &reading, &sink.sink, &b->call), &b->call.err);
    else
        buf_text(&got, outcome == WEBSITE_FOLDER   ? "folder"
                       : outcome == WEBSITE_ABSENT ? "absent"
                                                   : "forbidden");
    assert_string_equal(got.data, text);
}

static void fill(struct object_bed *b)
{
    object_bed_put(b, "index.html", "home");
    object_bed_put(b, "docs/index.html", "docs");
    object_bed_put(b, "plain", "text");
    object_bed_put(b, "404.html", "lost");
    object_bed_put(b, "secret/index.html", "hidden");
}

static void shows_folders(void **state)
{
    const struct website website = {.index = "index.html"};
    struct object_bed *b = *state;

    fill(b);
    shows(b, &website, "", "home");
    shows(b, &website, "docs/", "docs");
    shows(b, &website, "docs", "docs");
    shows(b, &website, "plain", "text");
    shows(b, &website, "plain/", "absent");
    shows(b, &website, "nothing", "absent");
}

static void redirects_folders(void **state)
{
    const struct website website = {
        .index = "index.html", .redirects_folders = true, .may_read = not_secret};
    struct object_bed *b = *state;

    fill(b);
    shows(b, &website, "docs", "folder");
    shows(b, &website, "docs/", "docs");
    shows(b, &website, "nothing", "absent");
    shows(b, &website, "secret/", "forbidden");
    shows(b, &website, "secret", "forbidden");
    shows(b, &website, "secret/nothing", "forbidden");
}

static void finds_what_stands_in(void **state)
{
    const struct website first = {.default_index = "plain"}, none = {.index = "index.html"};
    const struct website lost = {.error = "404.html"},
                         hidden = {.error = "secret/index.html", .may_read = not_secret};
    const struct place site = {.account = "acct", .container = "c"};
    auto_reading struct reading reading = {.object = object_row_new()};
    struct object_bed *b = *state;

    fill(b);
    shows(b, &first, "", "text");
    shows(b, &first, "any/where", "text");
    assert_int_equal(website_find_error(b->service, &site, &none, &reading, &b->call), 0);
    assert_int_equal(website_find_error(b->service, &site, &hidden, &reading, &b->call), 0);
    assert_int_equal(website_find_error(b->service, &site, &lost, &reading, &b->call), 1);
    assert_string_equal(reading.object.name, "404.html");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        object_test(shows_folders),
        object_test(redirects_folders),
        object_test(finds_what_stands_in),
    };

    return cmocka_run_group_tests_name("website", tests, NULL, NULL);
}

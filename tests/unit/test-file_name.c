// SPDX-License-Identifier: EUPL-1.2
/* Names as paths: every name has one path, every path means one name. */
#include "store/driver/file_name.h"

#include "unit.h"

static const struct {
    const char *name;
    const char *path;   /* as it is */
    const char *marked; /* with its leaf marked */
    const char *meta;
} known[] = {
    {"a", "a", "%=a", "a.json"},
    {"a/b", "a/b", "a/%=b", "a/b.json"},
    {"a//b", "a/%-/b", "a/%-/%=b", "a/%-/b.json"},
    {"a/", "a/%=", "a/%=", "a/%=.json"},
    {"/", "%-/%=", "%-/%=", "%-/%=.json"},
    {"/lead", "%-/lead", "%-/%=lead", "%-/lead.json"},
    {".", "%=.", "%=.", "%=..json"},
    {"..", "%=..", "%=..", "%=...json"},
    {"../x", "%-../x", "%-../%=x", "%-../x.json"},
    {"./x", "%-./x", "%-./%=x", "%-./x.json"},
    {"...", "...", "%=...", "....json"},
    {"%=x", "%=%25=x", "%=%25=x", "%=%25=x.json"},
    {"%-x/y", "%-%25-x/y", "%-%25-x/%=y", "%-%25-x/y.json"},
    {"%+x", "%=%25+x", "%=%25+x", "%=%25+x.json"},
    {"100%", "100%", "%=100%25", "100%.json"},
    {"%41", "%41", "%=%2541", "%41.json"},
    {"a.json/b", "a.json/b", "a.json/%=b", "%-a.json/b.json"},
    {"a.json", "a.json", "%=a.json", "a.json.json"},
};

static void known_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX), marked = BUF_INIT(FILE_PATH_MAX),
                            meta = BUF_INIT(FILE_PATH_MAX);
        file_name_path(&path, known[i].name, FILE_BODIES, false);
        file_name_path(&marked, known[i].name, FILE_BODIES, true);
        file_name_path(&meta, known[i].name, FILE_META, false);
        assert_string_equal(path.data, known[i].path);
        assert_string_equal(marked.data, known[i].marked);
        assert_string_equal(meta.data, known[i].meta);
    }
}

/* Read a path back: segments of one component, or of a chain of "%+". */
static int decode(const char *path, enum file_tree tree, struct buf *ret)
{
    for (;;) {
        auto_free char *chain = NULL;
        const char *end = path;
        for (;;) {
            size_t length = strcspn(end, "/");
            bool more = file_name_goes_on(end);
            end += length;
            if (!more || !*end)
                break;
            end++;
        }
        chain = xstrndup(path, (size_t)(end - path));
        bool folder = *end == '/';
        if (file_name_segment(ret, chain, folder || tree == FILE_HISTORY ? folder : false, tree) <
            0)
            return -1;
        if (!folder)
            return 0;
        buf_char(ret, '/');
        path = end + 1;
    }
}

static void check_components(const char *path)
{
    for (;;) {
        size_t length = strcspn(path, "/");
        assert_true(length >= 1 && length <= 255);
        assert_false(length == 1 && path[0] == '.');
        assert_false(length == 2 && path[0] == '.' && path[1] == '.');
        if (!path[length])
            return;
        path += length + 1;
    }
}

static void check_name(const char *name)
{
    static const enum file_tree trees[] = {FILE_BODIES, FILE_META, FILE_HISTORY};

    for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
        for (int marked = 0; marked < 2; marked++) {
            auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX), back = BUF_INIT(FILE_PATH_MAX);
            if (marked && trees[i] == FILE_META)
                continue;
            file_name_path(&path, name, trees[i], marked);
            check_components(path.data);
            assert_int_equal(decode(path.data, trees[i], &back), 0);
            assert_string_equal(back.data, name);
        }
    }
}

static uint32_t random_state = 12345;

static uint32_t random_number(uint32_t below)
{
    random_state = random_state * 1664525U + 1013904223U;
    return (random_state >> 8) % below;
}

/* Mostly the bytes that matter, some of any kind. */
static char random_char(void)
{
    static const char likely[] = "//..%%%=-+25aA\\ \xc3\xa9\xcc\x81\x01\n~";

    return random_number(4) ? likely[random_number(sizeof(likely) - 1)]
                            : (char)(1 + random_number(255));
}

static void random_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char name[3001];
        uint32_t length = 1 + random_number(i % 50 ? 12 : 3000);
        for (uint32_t n = 0; n < length; n++)
            name[n] = random_char();
        name[length] = '\0';
        check_name(name);
    }
}

static void long_segments(void **state)
{
    char name[2001];

    (void)state;
    for (size_t length = 240; length < 2000; length += length < 270 ? 1 : 37) {
        memset(name, 'x', length);
        name[length] = '\0';
        check_name(name);
        memset(name, '%', length);
        check_name(name);
        for (size_t i = 0; i + 1 < length; i += 2)
            memcpy(name + i, "\xc3\xa9", 2);
        check_name(name);
    }
}

/* Different names never meet: every path of one is none of another. */
static void no_two_meet(void **state)
{
    static const char letters[] = "/.%=-+a";
    enum { COUNT = 7 + 49 + 343 };
    char names[COUNT][4];
    struct buf paths[COUNT][2];
    size_t count = 0;

    (void)state;
    for (unsigned length = 1; length <= 3; length++) {
        unsigned total = length == 1 ? 7 : length == 2 ? 49 : 343;
        for (unsigned n = 0; n < total; n++, count++) {
            unsigned rest = n;
            for (unsigned i = 0; i < length; i++, rest /= 7)
                names[count][i] = letters[rest % 7];
            names[count][length] = '\0';
            for (int marked = 0; marked < 2; marked++) {
                buf_init(&paths[count][marked], FILE_PATH_MAX);
                file_name_path(&paths[count][marked], names[count], FILE_BODIES, marked);
            }
        }
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            for (int k = 0; i != j && k < 4; k++)
                if (strcmp(paths[i][k & 1].data, paths[j][k >> 1].data) == 0)
                    fail_msg("'%s' and '%s' share '%s'", names[i], names[j], paths[i][k & 1].data);
    for (size_t i = 0; i < count; i++) {
        buf_release(&paths[i][0]);
        buf_release(&paths[i][1]);
    }
}

/* What we would not write ourselves means nothing. */
static void foreign_components(void **state)
{
    static const struct {
        const char *chain;
        bool folder;
        enum file_tree tree;
    } refused[] = {
        {"%-a", true, FILE_BODIES},     {"%=a%", false, FILE_BODIES},
        {"%=%41", false, FILE_BODIES},  {"%=%2", false, FILE_BODIES},
        {"%-x", false, FILE_BODIES},    {"%=x", true, FILE_BODIES},
        {"%+a", false, FILE_BODIES},    {"%+a/%=b", false, FILE_BODIES},
        {".", true, FILE_BODIES},       {"", false, FILE_BODIES},
        {"a", false, FILE_META},        {"a.json", true, FILE_META},
        {"%=a.json", false, FILE_META}, {".json", false, FILE_META},
        {"a", false, FILE_HISTORY},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        auto_buf struct buf out = BUF_INIT(FILE_PATH_MAX);
        if (file_name_segment(&out, refused[i].chain, refused[i].folder, refused[i].tree) == 0)
            fail_msg("'%s' was taken for '%s'", refused[i].chain, out.data);
        assert_int_equal(out.length, 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_paths),        cmocka_unit_test(random_names),
        cmocka_unit_test(long_segments),      cmocka_unit_test(no_two_meet),
        cmocka_unit_test(foreign_components),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Texts that grow: what goes in comes out, and what a person typed breaks neither HTML nor JSON. */
#include "bench/generator/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void becomes(void (*add)(struct text *, const char *), const char *typed, const char *expected)
{
    struct text text = {NULL, 0, 0, false};

    add(&text, typed);
    cr_assert_str_eq(text_string(&text), expected);
    text_clear(&text);
}

Test(text, keeps_every_piece_while_it_grows)
{
    struct text text = {NULL, 0, 0, false};
    char piece[16];

    cr_assert_str_eq(text_string(&text), "");
    for (int i = 0; i < 5000; i++) {
        text_add(&text, "%05d,", i);
    }
    cr_assert_not(text.failed);
    cr_assert_eq(text.length, 30000);
    cr_assert_eq(strlen(text.bytes), 30000);
    for (int i = 0; i < 5000; i++) {
        snprintf(piece, sizeof(piece), "%05d,", i);
        cr_assert_eq(memcmp(text.bytes + 6 * i, piece, 6), 0);
    }
    text_clear(&text);
    cr_assert_eq(text.length, 0);
}

Test(text, adds_nothing_after_it_has_failed)
{
    struct text text = {NULL, 0, 0, true};

    text_add(&text, "more");
    cr_assert_str_eq(text_string(&text), "");
    cr_assert_not(text_save(&text, "test_text_failed.txt"));
    cr_assert_null(fopen("test_text_failed.txt", "rb"));
}

Test(text, writes_what_was_typed_so_that_html_holds_it)
{
    becomes(text_add_html, "a <b> & \"c\" 'd'", "a &lt;b&gt; &amp; &quot;c&quot; 'd'");
    becomes(text_add_html, "\xc2\xb5s \xe2\x82\xac \xf0\x9f\x98\x80", "\xc2\xb5s \xe2\x82\xac \xf0\x9f\x98\x80");
    becomes(text_add_html, "\x01|\x7f|\n", "\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd");
}

Test(text, writes_what_was_typed_so_that_json_holds_it)
{
    becomes(text_add_json, "C:\\a \"b\"\n\x01", "\"C:\\\\a \\\"b\\\"\\u000a\\u0001\"");
    becomes(text_add_json, "\xc2\xb5s", "\"\xc2\xb5s\"");
    becomes(text_add_json, "", "\"\"");
}

Test(text, puts_a_sign_where_there_is_no_utf_8)
{
    static const char *const wrong[] = {"\x80", "\xbf", "\xc0", "\xc1", "\xf5", "\xff", "\xc2", "\xe2", "\xf0"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        becomes(text_add_json, wrong[i], "\"\xef\xbf\xbd\"");
    }
    becomes(text_add_json, "\xe0\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* Too long. */
    becomes(text_add_json, "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* A surrogate. */
    becomes(text_add_json, "\xf0\x80\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* Too long. */
    becomes(text_add_json, "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* Too high. */
    becomes(text_add_json, "\xe2\x82x", "\"\xef\xbf\xbd\xef\xbf\xbdx\"");
}

Test(text, comes_back_from_a_file_and_knows_its_bound)
{
    struct text text = {NULL, 0, 0, false}, back = {NULL, 0, 0, false};
    char path[] = "test_text_file.txt";

    for (int i = 0; i < 40000; i++) {
        text_add(&text, "%c", i == 7 ? '\n' : 'a' + i % 26);
    }
    cr_assert(text_save(&text, path));
    cr_assert(text_load(&back, path, 40000));
    cr_assert_eq(back.length, 40000);
    cr_assert_eq(memcmp(back.bytes, text.bytes, 40000), 0);
    text_clear(&back);
    cr_assert_not(text_load(&back, path, 39999));
    cr_assert_eq(errno, EFBIG);
    text_clear(&back);
    remove(path);
    cr_assert_not(text_load(&back, path, 1));
    cr_assert_eq(errno, ENOENT);
    cr_assert_not(text_save(&text, "no-such-folder/file.txt"));
    cr_assert_neq(errno, 0);
    text_clear(&text);
}

Test(text, tries_whether_it_could_be_saved_and_leaves_everything_as_it_was)
{
    struct text text = {NULL, 0, 0, false}, back = {NULL, 0, 0, false};
    char path[] = "test_text_try.txt";

    remove(path);
    cr_assert(text_can_save(path));
    cr_assert_null(fopen(path, "rb"));
    text_add(&text, "old");
    cr_assert(text_save(&text, path));
    cr_assert(text_can_save(path));
    cr_assert(text_load(&back, path, 100));
    cr_assert_str_eq(text_string(&back), "old");
    remove(path);
    cr_assert_not(text_can_save("no-such-folder/file.txt"));
    cr_assert_eq(errno, ENOENT);
    cr_assert_not(text_can_save("."));
    cr_assert_neq(errno, 0);
    text_clear(&text);
    text_clear(&back);
}

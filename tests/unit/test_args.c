/* SPDX-License-Identifier: MIT */
/* The tools' command lines: what is read, and what is refused instead of guessed. */
#include "tools/pipeport/args.h"
#include "engine/include/pipeport.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct values {
    bool loud;
    uint32_t number, size;
    struct args_sizes sizes;
    struct args_word word;
    pipeport_framing framing;
};

static const struct args_option table[] = {
    {"--loud", NULL, "a flag", ARGS_FLAG, offsetof(struct values, loud), 0, 0},
    {"--number", "N", "a number", ARGS_NUMBER, offsetof(struct values, number), 2, 99},
    {"--size", "BYTES", "a size", ARGS_SIZE, offsetof(struct values, size), 0, UINT32_MAX},
    {"--sizes", "S[,S...]", "sizes,\nand a second line", ARGS_SIZES, offsetof(struct values, sizes), 0, 1u << 30},
    {"--word", "red|green", "a word", ARGS_CHOICE, offsetof(struct values, word), 0, 0},
    {"--framing", "FRAMING", "a framing", ARGS_FRAMING, offsetof(struct values, framing), 0, 0},
};
static const struct args_command command = {"try", "NAME", "Tries.", table, sizeof(table) / sizeof(table[0])};

static enum args_result parse(struct values *values, const char **name, const char *line)
{
    static char copy[512];
    char *arguments[80];
    int count = 0;

    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        arguments[count++] = word;
    }
    return args_parse(&command, count, arguments, values, name);
}

static void accepts(struct values *values, const char *line)
{
    const char *name;

    memset(values, 0, sizeof(*values));
    cr_assert_eq(parse(values, &name, line), ARGS_GO, "%s", line);
    cr_assert_str_eq(name, "demo");
}

static void refuses(const char *line)
{
    struct values values;
    const char *name;

    memset(&values, 0, sizeof(values));
    cr_assert_eq(parse(&values, &name, line), ARGS_WRONG, "%s", line);
}

Test(args, reads_every_kind_in_any_order_and_both_spellings)
{
    struct values values;

    accepts(&values, "--number 7 demo --loud --size=4K --sizes 0,1,64k,1M --word green --framing delim:0a,cr");
    cr_assert(values.loud);
    cr_assert_eq(values.number, 7);
    cr_assert_eq(values.size, 4096);
    cr_assert_eq(values.sizes.count, 4);
    cr_assert_eq(values.sizes.bytes[0], 0);
    cr_assert_eq(values.sizes.bytes[2], 65536);
    cr_assert_eq(values.sizes.bytes[3], 1048576);
    cr_assert_eq(values.word.number, 1);
    cr_assert_str_eq(values.word.text, "green");
    cr_assert_eq(values.framing.kind, PIPEPORT_FRAMING_DELIMITER);
    cr_assert_eq(values.framing.delimiter, '\n');
    cr_assert_eq(values.framing.flags, PIPEPORT_STRIP_CR);
}

Test(args, leaves_what_is_not_given)
{
    struct values values = {.number = 5};
    const char *name;

    cr_assert_eq(parse(&values, &name, "demo"), ARGS_GO);
    cr_assert_eq(values.number, 5);
    cr_assert_null(values.word.text);
}

Test(args, reads_the_largest_numbers)
{
    struct values values;

    accepts(&values, "demo --size 4294967295");
    cr_assert_eq(values.size, UINT32_MAX);
    accepts(&values, "demo --size 3G");
    cr_assert_eq(values.size, 3u << 30);
    refuses("demo --size 4294967296");
    refuses("demo --size 4G");
    refuses("demo --size 99999999999999999999999");
}

Test(args, refuses_what_is_no_number)
{
    refuses("demo --number x");
    refuses("demo --number -1");
    refuses("demo --number 7x");
    refuses("demo --number=");
    refuses("demo --number 4K");
    refuses("demo --size K");
    refuses("demo --size 4KK");
    refuses("demo --sizes 1,,2");
    refuses("demo --sizes 1,2,");
    refuses("demo --sizes ,");
}

Test(args, refuses_what_is_out_of_bounds)
{
    refuses("demo --number 1");
    refuses("demo --number 100");
    refuses("demo --sizes 1,2G");
}

Test(args, refuses_more_sizes_than_it_holds)
{
    char line[512] = "demo --sizes 0";

    for (int i = 1; i < ARGS_SIZES_MAX; i++) {
        strcat(line, ",1");
    }
    struct values values;
    accepts(&values, line);
    cr_assert_eq(values.sizes.count, ARGS_SIZES_MAX);
    strcat(line, ",1");
    refuses(line);
}

Test(args, refuses_what_it_does_not_know)
{
    refuses("demo --numbers 7");
    refuses("demo --nu 7");
    refuses("demo -n");
    refuses("demo --word blue");
    refuses("demo --word re");
    refuses("demo --loud=yes");
}

Test(args, refuses_what_is_missing_or_twice)
{
    refuses("");
    refuses("--loud");
    refuses("demo second");
    refuses("demo --number");
    refuses("demo --number 7 --number 7");
}

Test(args, helps_wherever_help_stands)
{
    struct values values = {0};
    const char *name;

    cr_assert_eq(parse(&values, &name, "--number x --help"), ARGS_HELP);
}

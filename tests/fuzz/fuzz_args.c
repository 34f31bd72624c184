/* SPDX-License-Identifier: MIT */
/*
 * fuzz_args.c - the tool's command line: numbers, sizes with their suffixes, lists of sizes, words, framings and flags,
 * against a reading that follows args.h and framing.h sentence by sentence.
 *
 * The input: the arguments, each ended by a NUL byte (or by the input's end).
 */
#include "tools/pipeport/args.h"

#include "engine/base/assert.h"
#include "engine/include/pipeport.h"
#include "tests/fuzz/choices.h"
#include "tools/pipeport/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS_FUZZ_MAX = 40, ARGS_TEXT_MAX = 2048 };

struct args_values {
    bool flag;
    uint32_t number, size;
    struct args_sizes sizes;
    struct args_word word;
    pipeport_framing framing;
};

#define ARGS_WORDS "one|two|twofold"

static const struct args_option args_options[] = {
    {"--flag", NULL, "a flag", ARGS_FLAG, offsetof(struct args_values, flag), 0, 0},
    {"--number", "N", "a number", ARGS_NUMBER, offsetof(struct args_values, number), 3, 4000000000u},
    {"--size", "SIZE", "a size", ARGS_SIZE, offsetof(struct args_values, size), 0, UINT32_MAX},
    {"--sizes", "SIZE,...", "sizes", ARGS_SIZES, offsetof(struct args_values, sizes), 0, 1 << 30},
    {"--word", ARGS_WORDS, "a word", ARGS_CHOICE, offsetof(struct args_values, word), 0, 0},
    {"--framing", "FRAMING", "a framing", ARGS_FRAMING, offsetof(struct args_values, framing), 0, 0},
};

static const struct args_command args_command = {"fuzz", "NAME [options]", "It is fuzzed.", args_options,
                                                 sizeof args_options / sizeof args_options[0]};

static unsigned args_complaints;

/* In the place of say.c's: each complaint is formed, none is printed. */
void say_error(const char *who, const char *format, ...)
{
    char line[ARGS_TEXT_MAX * 3];
    va_list arguments;
    PP_VERIFY(strcmp(who, "fuzz") == 0);
    va_start(arguments, format);
    PP_VERIFY(vsnprintf(line, sizeof line, format, arguments) > 0);
    va_end(arguments);
    args_complaints += 1;
}

const char *say_program_name(void)
{
    return "fuzz_args";
}

/* Decimal digits, then one letter if letters are allowed. As a double, which holds every number that matters. */
static bool naive_number(const char *text, size_t length, bool letters, double *number)
{
    double factor = 1;
    *number = 0;
    if (letters && length >= 2) {
        char last = text[length - 1];
        factor = last == 'K' || last == 'k' ? 1024.0 : 1;
        factor = last == 'M' || last == 'm' ? 1024.0 * 1024 : factor;
        factor = last == 'G' || last == 'g' ? 1024.0 * 1024 * 1024 : factor;
        length -= factor > 1;
    }
    for (size_t i = 0; i < length; ++i) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *number = *number * 10 + (text[i] - '0');
    }
    *number *= factor;
    return length > 0 && *number <= UINT32_MAX;
}

static bool naive_bounded(const struct args_option *option, const char *text, size_t length, uint32_t *into)
{
    double number = 0;
    if (!naive_number(text, length, option->kind != ARGS_NUMBER, &number) || number < option->min ||
        number > option->max) {
        return false;
    }
    *into = (uint32_t) number;
    return true;
}

static bool naive_sizes(const struct args_option *option, const char *text, struct args_sizes *sizes)
{
    sizes->count = 0;
    for (size_t from = 0, to = 0;; ++to) {
        if (text[to] != ',' && text[to] != '\0') {
            continue;
        }
        if (sizes->count == 64 || !naive_bounded(option, text + from, to - from, &sizes->bytes[sizes->count])) {
            return false;
        }
        sizes->count += 1;
        from = to + 1;
        if (text[to] == '\0') {
            return true;
        }
    }
}

/* A number between the bounds that strtol reads to the end, without what strtol takes besides. */
static bool naive_integer(const char *text, long min, long max, long *number)
{
    char *end;
    *number = strtol(text, &end, 10);
    return strspn(text, "-0123456789") == strlen(text) && (min < 0 || *text != '-') && end != text && *end == '\0' &&
           *number >= min && *number <= max;
}

/* Of "len:": the words between the commas, each copied. */
static bool naive_length(const char *text, pipeport_framing *framing)
{
    char words[6][ARGS_TEXT_MAX];
    int count = 0;
    long offset, width, adjust;
    for (; text != NULL; ++count) {
        const char *comma = strchr(text, ',');
        size_t length = comma != NULL ? (size_t) (comma - text) : strlen(text);
        if (count == 6) {
            return false;
        }
        memcpy(words[count], text, length);
        words[count][length] = '\0';
        text = comma != NULL ? comma + 1 : NULL;
    }
    if (count < 4 || !naive_integer(words[0], 0, 64, &offset) || !naive_integer(words[1], 1, 8, &width) || width == 5 ||
        width == 6 || width == 7 || !naive_integer(words[3], -1048576, 1048576, &adjust)) {
        return false;
    }
    *framing = (pipeport_framing){.kind = PIPEPORT_FRAMING_LENGTH,
                                  .width = (uint32_t) width,
                                  .offset = (uint32_t) offset,
                                  .adjust = (int32_t) adjust};
    bool keep = (count > 4 && strcmp(words[4], "keep") == 0) || (count > 5 && strcmp(words[5], "keep") == 0);
    bool escape = (count > 4 && strcmp(words[4], "escape") == 0) || (count > 5 && strcmp(words[5], "escape") == 0);
    framing->flags = (strcmp(words[2], "be") == 0 ? PIPEPORT_BIG_ENDIAN : 0u) | (keep ? PIPEPORT_KEEP : 0u) |
                     (escape ? PIPEPORT_ESCAPE : 0u);
    return (strcmp(words[2], "be") == 0 || strcmp(words[2], "le") == 0) && keep + escape == count - 4 &&
           !(escape && width == 8);
}

/* Of the other kinds there are few: each is spelt, and compared. */
static bool naive_framing(const char *text, pipeport_framing *framing)
{
    static const char *const names[] = {"varint", "headers", "message", "none"};
    static const uint32_t kinds[] = {PIPEPORT_FRAMING_VARINT, PIPEPORT_FRAMING_HEADERS, PIPEPORT_FRAMING_MESSAGE,
                                     PIPEPORT_FRAMING_NONE};
    if (strncmp(text, "len:", 4) == 0) {
        return naive_length(text + 4, framing);
    }
    for (int i = 0; i < 4; ++i) {
        if (strcmp(text, names[i]) == 0) {
            *framing = (pipeport_framing){.kind = kinds[i]};
            return true;
        }
    }
    for (unsigned byte = 0; byte < 256; ++byte) {
        char spelt[20];
        bool same = false, with_cr = byte != '\r' && strlen(text) > 3 && strcmp(text + strlen(text) - 3, ",cr") == 0;
        for (unsigned letters = 0; letters < 4; ++letters) {
            static const char digits[] = "0123456789abcdef0123456789ABCDEF";
            char high = digits[(letters & 1) * 16 + byte / 16], low = digits[(letters >> 1) * 16 + byte % 16];
            (void) snprintf(spelt, sizeof spelt, "delim:%c%c%s", high, low, with_cr ? ",cr" : "");
            same = same || strcmp(spelt, text) == 0;
        }
        if (same) {
            *framing = (pipeport_framing){.kind = PIPEPORT_FRAMING_DELIMITER,
                                          .delimiter = (uint8_t) byte,
                                          .flags = with_cr ? PIPEPORT_STRIP_CR : 0};
            return true;
        }
    }
    return false;
}

static bool naive_value(const struct args_option *option, const char *text, struct args_values *values)
{
    static const char *const words[] = {"one", "two", "twofold"};
    if (option->kind == ARGS_FLAG) {
        values->flag = true;
        return true;
    }
    if (option->kind == ARGS_SIZES) {
        return naive_sizes(option, text, &values->sizes);
    }
    if (option->kind == ARGS_FRAMING) {
        return naive_framing(text, &values->framing);
    }
    if (option->kind != ARGS_CHOICE) {
        return naive_bounded(option, text, strlen(text), option->kind == ARGS_SIZE ? &values->size : &values->number);
    }
    for (uint32_t i = 0; i < 3; ++i) {
        if (strcmp(words[i], text) == 0) {
            values->word = (struct args_word){text, i};
            return true;
        }
    }
    return false;
}

/* The option at arguments[*at]; *at is left behind it and its value. */
static bool naive_option(char **arguments, int count, int *at, struct args_values *values, bool *seen)
{
    const char *argument = arguments[(*at)++];
    for (size_t i = 0; i < args_command.options_count; ++i) {
        const struct args_option *option = &args_options[i];
        size_t length = strlen(option->word);
        const char *text = argument + length;
        if (strncmp(argument, option->word, length) != 0 || (*text != '\0' && *text != '=')) {
            continue;
        }
        bool is_flag = option->kind == ARGS_FLAG;
        if (seen[i] || (is_flag && *text == '=') || (!is_flag && *text == '\0' && *at == count)) {
            return false;
        }
        seen[i] = true;
        text = *text == '=' ? text + 1 : is_flag ? "" : arguments[(*at)++];
        return naive_value(option, text, values);
    }
    return false;
}

static enum args_result naive_parse(char **arguments, int count, struct args_values *values, const char **name)
{
    bool seen[sizeof args_options / sizeof args_options[0]] = {false};
    *name = NULL;
    for (int i = 0; i < count; ++i) {
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            return ARGS_HELP;
        }
    }
    for (int at = 0; at < count;) {
        const char *argument = arguments[at];
        if (argument[0] == '-' && argument[1] != '\0') {
            if (!naive_option(arguments, count, &at, values, seen)) {
                return ARGS_WRONG;
            }
        } else if (*name != NULL) {
            return ARGS_WRONG;
        } else {
            *name = argument;
            at += 1;
        }
    }
    return *name != NULL ? ARGS_GO : ARGS_WRONG;
}

static void args_compare(const struct args_values *values, const struct args_values *expected)
{
    PP_VERIFY(values->flag == expected->flag);
    PP_VERIFY(values->number == expected->number);
    PP_VERIFY(values->size == expected->size);
    PP_VERIFY(values->word.text == expected->word.text && values->word.number == expected->word.number);
    PP_VERIFY(values->framing.kind == expected->framing.kind && values->framing.flags == expected->framing.flags);
    PP_VERIFY(values->framing.width == expected->framing.width);
    PP_VERIFY(values->framing.offset == expected->framing.offset);
    PP_VERIFY(values->framing.adjust == expected->framing.adjust);
    PP_VERIFY(values->framing.delimiter == expected->framing.delimiter);
    PP_VERIFY(values->sizes.count == expected->sizes.count);
    for (uint32_t i = 0; i < values->sizes.count; ++i) {
        PP_VERIFY(values->sizes.bytes[i] == expected->sizes.bytes[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char *arguments[ARGS_FUZZ_MAX];
    int count = 0;
    length = length < ARGS_TEXT_MAX ? length : ARGS_TEXT_MAX;
    for (size_t from = 0; from < length && count < ARGS_FUZZ_MAX; ++count) {
        const uint8_t *end = memchr(data + from, '\0', length - from);
        size_t bytes = end != NULL ? (size_t) (end - data) - from : length - from;
        arguments[count] = malloc(bytes + 1); /* Each in a block of its own, so that a look beyond its end is seen. */
        PP_VERIFY(arguments[count] != NULL);
        memcpy(arguments[count], data + from, bytes);
        arguments[count][bytes] = '\0';
        from += bytes + 1;
    }
    struct args_values values = {.number = 7}, expected = {.number = 7};
    const char *name = NULL, *expected_name = NULL;
    enum args_result result = naive_parse(arguments, count, &expected, &expected_name);
    args_complaints = 0;
    PP_VERIFY(result != ARGS_HELP ? args_parse(&args_command, count, arguments, &values, &name) == result : true);
    PP_VERIFY(args_complaints == (result == ARGS_WRONG));
    if (result == ARGS_GO) {
        PP_VERIFY(name == expected_name);
        args_compare(&values, &expected);
    }
    while (count > 0) {
        free(arguments[--count]);
    }
    return 0;
}

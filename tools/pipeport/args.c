/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/args.h"

#include <stdio.h>
#include <string.h>

#include "tools/pipeport/framing.h"
#include "tools/pipeport/say.h"

#define ARGS_COLUMNS 80
#define ARGS_TEXT_COLUMN 26 /* Where the texts of options begin in the help. */

/* The command line while it is read. */
struct args_reader {
    const struct args_command *command;
    char **arguments;
    int count, at;
    unsigned char *values;
    uint64_t seen; /* A bit for each option that came. */
};

/* A decimal number up to UINT32_MAX that ends at `end`; false where there is none. */
static bool args_read_number(const char *text, const char *end, bool suffixes, uint32_t *number)
{
    const char *start = text;
    uint64_t value = 0;

    for (; text < end && *text >= '0' && *text <= '9'; text++) {
        value = value * 10 + (uint64_t) (*text - '0');
        if (value > UINT32_MAX) {
            return false;
        }
    }
    if (text == start) {
        return false;
    }
    if (suffixes && text + 1 == end && *text != '\0') {
        const char *suffix = strchr("KkMmGg", *text);

        if (suffix == NULL) {
            return false;
        }
        value <<= 10 * ((*suffix & 0x5f) == 'K' ? 1 : (*suffix & 0x5f) == 'M' ? 2 : 3);
        text++;
    }
    *number = (uint32_t) value;
    return text == end && value <= UINT32_MAX;
}

static bool args_take_number(const struct args_reader *reader, const struct args_option *option, const char *text,
                             const char *end, uint32_t *number)
{
    bool suffixes = option->kind != ARGS_NUMBER;
    int length = (int) (end - text);

    if (!args_read_number(text, end, suffixes, number)) {
        say_error(reader->command->name, "%s: '%.*s' is not a %s; give one such as %s", option->word, length, text,
                  suffixes ? "size in bytes" : "number", suffixes ? "0, 64, 4K or 1M" : "0, 8 or 250");
        return false;
    }
    if (*number < option->min || *number > option->max) {
        say_error(reader->command->name, "%s: %.*s is out of bounds; give %u to %u", option->word, length, text,
                  (unsigned) option->min, (unsigned) option->max);
        return false;
    }
    return true;
}

static bool args_take_sizes(const struct args_reader *reader, const struct args_option *option, const char *text,
                            struct args_sizes *sizes)
{
    sizes->count = 0;
    for (;;) {
        const char *end = text + strcspn(text, ",");

        if (sizes->count == ARGS_SIZES_MAX) {
            say_error(reader->command->name, "%s: more than %d sizes; give fewer", option->word, ARGS_SIZES_MAX);
            return false;
        }
        if (!args_take_number(reader, option, text, end, &sizes->bytes[sizes->count])) {
            return false;
        }
        sizes->count++;
        if (*end == '\0') {
            return true;
        }
        text = end + 1;
    }
}

static bool args_take_choice(const struct args_reader *reader, const struct args_option *option, const char *text,
                             struct args_word *word)
{
    size_t length = strlen(text);
    uint32_t number = 0;

    for (const char *choice = option->operand; *choice != '\0'; number++) {
        size_t choice_length = strcspn(choice, "|");

        if (choice_length == length && memcmp(choice, text, length) == 0) {
            word->text = text;
            word->number = number;
            return true;
        }
        choice += choice_length + (choice[choice_length] == '|');
    }
    say_error(reader->command->name, "%s: '%s' is unknown; give one of %s", option->word, text, option->operand);
    return false;
}

static bool args_take_framing(const struct args_reader *reader, const struct args_option *option, const char *text,
                              pipeport_framing *framing)
{
    struct framing_fault fault;

    if (!framing_read(text, framing, &fault)) {
        say_error(reader->command->name, "%s: %s", option->word, fault.text);
        return false;
    }
    return true;
}

static bool args_take_value(const struct args_reader *reader, const struct args_option *option, const char *text)
{
    void *into = reader->values + option->offset;

    switch (option->kind) {
    case ARGS_FLAG:
        *(bool *) into = true;
        return true;
    case ARGS_NUMBER:
    case ARGS_SIZE:
        return args_take_number(reader, option, text, text + strlen(text), into);
    case ARGS_SIZES:
        return args_take_sizes(reader, option, text, into);
    case ARGS_TEXT:
        *(const char **) into = text;
        return true;
    case ARGS_FRAMING:
        return args_take_framing(reader, option, text, into);
    case ARGS_CHOICE:
        return args_take_choice(reader, option, text, into);
    }
    return false;
}

static bool args_take_option(struct args_reader *reader, const char *argument)
{
    const struct args_command *command = reader->command;
    size_t length = strcspn(argument, "=");
    const char *text = argument[length] == '=' ? argument + length + 1 : NULL;

    for (size_t i = 0; i < command->options_count; i++) {
        const struct args_option *option = &command->options[i];

        if (strlen(option->word) != length || memcmp(option->word, argument, length) != 0) {
            continue;
        }
        if (reader->seen & UINT64_C(1) << i) {
            say_error(command->name, "%s stands there twice; give it once", option->word);
            return false;
        }
        reader->seen |= UINT64_C(1) << i;
        if (option->kind == ARGS_FLAG && text != NULL) {
            say_error(command->name, "%s takes no value; leave '=%s' out", option->word, text);
            return false;
        }
        if (option->kind != ARGS_FLAG && text == NULL) {
            if (reader->at == reader->count) {
                say_error(command->name, "%s wants a value; write %s %s", option->word, option->word, option->operand);
                return false;
            }
            text = reader->arguments[reader->at++];
        }
        return args_take_value(reader, option, text);
    }
    say_error(command->name, "unknown option '%.*s'; '%s %s --help' lists all", (int) length, argument,
              say_program_name(), command->name);
    return false;
}

enum args_result args_parse(const struct args_command *command, int count, char **arguments, void *values,
                            const char **name)
{
    struct args_reader reader = {command, arguments, count, 0, values, 0};

    *name = NULL;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            args_help(command);
            return ARGS_HELP;
        }
    }
    while (reader.at < count) {
        const char *argument = arguments[reader.at++];

        if (argument[0] == '-' && argument[1] != '\0') {
            if (!args_take_option(&reader, argument)) {
                return ARGS_WRONG;
            }
        } else if (*name == NULL) {
            *name = argument;
        } else {
            say_error(command->name, "'%s': the NAME is '%s' already; give one", argument, *name);
            return ARGS_WRONG;
        }
    }
    if (*name == NULL && command->usage[0] != '[') {
        say_error(command->name, "no NAME; write %s %s %s", say_program_name(), command->name, command->usage);
        return ARGS_WRONG;
    }
    return ARGS_GO;
}

int args_exit(enum args_result result)
{
    return result == ARGS_HELP ? SAY_EXIT_OK : SAY_EXIT_USAGE;
}

/* The bytes of `text` that make its first line: words that fit `room` columns, at least one. */
static int args_line(const char *text, int room)
{
    int fits = 0;

    for (int length = 0;; length++) {
        if (text[length] == ' ' || text[length] == '\n' || text[length] == '\0') {
            if (length > room && fits > 0) {
                return fits;
            }
            fits = length;
            if (text[length] != ' ') {
                return fits;
            }
        }
    }
}

/* `text` in lines from `column` on; `printed`: so much of the first is there. */
static void args_print(const char *text, int column, int printed)
{
    for (;;) {
        int length = args_line(text, ARGS_COLUMNS - column);

        printf("%*s%.*s\n", length == 0 ? 0 : column - printed, "", length, text);
        if (text[length] == '\0') {
            return;
        }
        text += length + 1;
        printed = 0;
    }
}

void args_help(const struct args_command *command)
{
    printf("%s %s %s\n\n", say_program_name(), command->name, command->usage);
    args_print(command->about, 0, 0);
    printf("\n");
    for (size_t i = 0; i < command->options_count; i++) {
        const struct args_option *option = &command->options[i];
        int printed = printf("  %s%s%s", option->word, option->operand == NULL ? "" : " ",
                             option->operand == NULL ? "" : option->operand);

        if (printed + 2 > ARGS_TEXT_COLUMN) { /* It would touch the text: that begins on a line of its own. */
            printf("\n");
            printed = 0;
        }
        args_print(option->text, ARGS_TEXT_COLUMN, printed);
    }
    printf("  --help");
    args_print("this", ARGS_TEXT_COLUMN, 8);
    fflush(stdout);
}

/* SPDX-License-Identifier: MIT */
/*
 * args.h - a command line, read by a table; the same table prints the help, so that no option can be missing from it.
 *
 * An option is `--word VALUE` or `--word=VALUE` (a flag: `--word`), in any order and once; one argument that is no
 * option is the NAME. Whatever else stands there gets one line that says what, where and what to do.
 */
#ifndef PIPEPORT_TOOL_ARGS_H
#define PIPEPORT_TOOL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGS_SIZES_MAX 64

/* A list of sizes, in the order given. */
struct args_sizes {
    uint32_t bytes[ARGS_SIZES_MAX];
    uint32_t count;
};

/* One word out of a few. */
struct args_word {
    const char *text; /* Static, what was typed; NULL while nothing was. */
    uint32_t number;  /* Which of the words, from 0. */
};

enum args_kind {
    ARGS_FLAG,    /* bool */
    ARGS_NUMBER,  /* uint32_t, decimal */
    ARGS_SIZE,    /* uint32_t, decimal; K, M and G multiply by 1024 */
    ARGS_SIZES,   /* struct args_sizes, sizes with commas between */
    ARGS_FRAMING, /* pipeport_framing, see framing.h */
    ARGS_TEXT,    /* const char *, whatever was typed */
    ARGS_CHOICE   /* struct args_word, one of the words in `operand`, which are parted by '|' */
};

struct args_option {
    const char *word;    /* With its dashes. */
    const char *operand; /* How the help calls the value; NULL for a flag. */
    const char *text;    /* For the help, which breaks it into lines; '\n' begins a new one all the same. */
    enum args_kind kind;
    size_t offset;     /* Of the value in the struct that args_parse fills. */
    uint32_t min, max; /* Bounds of numbers and sizes. */
};

struct args_command {
    const char *name;  /* "serve" */
    const char *usage; /* Behind "PROGRAM name" in the help's first line. With '[' first the NAME may be left out. */
    const char *about; /* What it does; in lines as the text of an option is. */
    const struct args_option *options;
    size_t options_count;
};

enum args_result {
    ARGS_GO,   /* All is read. */
    ARGS_HELP, /* Help was asked for and is on stdout. */
    ARGS_WRONG /* One line on stderr said why. */
};

/* Reads the arguments after the command's own word into `values`, whose defaults stay where an option is not given. */
enum args_result args_parse(const struct args_command *command, int count, char **arguments, void *values,
                            const char **name);

/* The exit code where args_parse did not say ARGS_GO. */
int args_exit(enum args_result result);

/* The help of a command, on stdout, in lines of 80 columns. */
void args_help(const struct args_command *command);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * text.h - a text that grows while a report is written, so that every report is a function from a result to a text.
 *
 * It is always terminated. Once there was no memory for a piece, nothing more is added and `failed` stays.
 */
#ifndef PIPEPORT_GENERATOR_TEXT_H
#define PIPEPORT_GENERATOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/pipeport/say.h"

struct text {
    char *bytes; /* NULL while nothing was added. */
    size_t length, room;
    bool failed;
};

void text_add(struct text *text, const char *format, ...) SAY_FORMAT(2, 3);
void text_add_bytes(struct text *text, const char *bytes, size_t length);

/* What a person typed, for HTML: & < > and quotes as entities; control characters and what is no UTF-8 as U+FFFD. */
void text_add_html(struct text *text, const char *string);

/* Likewise a JSON string, with its quotes. */
void text_add_json(struct text *text, const char *string);

/* What was added, "" at first. */
const char *text_string(const struct text *text);

/* False: it could not be written whole; errno says why, or is 0 where the text itself has failed. */
bool text_save(const struct text *text, const char *path);

/* Could text_save write there? What is in the file stays, and who reads from a pipe hears nothing of it. False: errno
 * says why. */
bool text_can_save(const char *path);

/* On stdout, at once. */
bool text_print(const struct text *text);

/* A whole file, of at most `bytes_max`. False as text_save; a longer file fails with EFBIG. */
bool text_load(struct text *text, const char *path, size_t bytes_max);

void text_clear(struct text *text);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * topic_table.h - names of topics, each with a number as long as somebody holds it.
 *
 * There are so many numbers and no more, and a name that nobody holds gives its number back: who takes up names and
 * leaves them again uses up nothing. Threads: one at a time; the caller has the lock.
 */
#ifndef PIPEPORT_TOOL_TOPIC_TABLE_H
#define PIPEPORT_TOOL_TOPIC_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TOPIC_TABLE_NAME_BYTES_MAX 255
#define TOPIC_TABLE_NONE UINT32_MAX

struct topic_table;

/* Numbers 0 to numbers - 1. Owner: the caller, or NULL when there is no memory; give it to topic_table_destroy. */
struct topic_table *topic_table_create(uint32_t numbers);
void topic_table_destroy(struct topic_table *table);

/* Of a name of 0 to NAME_BYTES_MAX bytes; NONE where nobody holds it. */
uint32_t topic_table_find(const struct topic_table *table, const char *name, size_t length);

/* The same, held once more; a name that nobody held gets a number. NONE: all are taken. */
uint32_t topic_table_enter(struct topic_table *table, const char *name, size_t length);

/* One hold more, or one less, of a number that is held. */
void topic_table_hold(struct topic_table *table, uint32_t number);
void topic_table_drop(struct topic_table *table, uint32_t number);

uint32_t topic_table_count(const struct topic_table *table); /* Names that are held. */

#endif

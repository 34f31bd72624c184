/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/topic_table.h"

#include <stdlib.h>
#include <string.h>

struct topic_entry {
    uint32_t holds; /* 0: the number is free. */
    uint32_t next;  /* In its chain, or among the free. */
    uint32_t length;
    char name[TOPIC_TABLE_NAME_BYTES_MAX];
};

struct topic_table {
    uint32_t numbers, count;
    uint32_t free;   /* The first number that nobody holds; NONE: all are held. */
    uint32_t *heads; /* `numbers` chains, by the name's hash. */
    struct topic_entry *entries;
};

struct topic_table *topic_table_create(uint32_t numbers)
{
    struct topic_table *table = calloc(1, sizeof(*table));

    if (table == NULL) {
        return NULL;
    }
    table->numbers = numbers;
    table->heads = malloc(numbers * sizeof(*table->heads));
    table->entries = calloc(numbers, sizeof(*table->entries));
    if (table->heads == NULL || table->entries == NULL) {
        topic_table_destroy(table);
        return NULL;
    }
    for (uint32_t i = 0; i < numbers; i++) {
        table->heads[i] = TOPIC_TABLE_NONE;
        table->entries[i].next = i + 1 < numbers ? i + 1 : TOPIC_TABLE_NONE;
    }
    return table;
}

void topic_table_destroy(struct topic_table *table)
{
    if (table != NULL) {
        free(table->heads);
        free(table->entries);
        free(table);
    }
}

/* FNV-1a. Whoever makes names of one chain makes a chain of at most `numbers`. */
static uint32_t *topic_table_head(const struct topic_table *table, const char *name, size_t length)
{
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char) name[i]) * UINT32_C(16777619);
    }
    return &table->heads[hash % table->numbers];
}

uint32_t topic_table_find(const struct topic_table *table, const char *name, size_t length)
{
    uint32_t number = *topic_table_head(table, name, length);

    while (number != TOPIC_TABLE_NONE) {
        const struct topic_entry *entry = &table->entries[number];

        if (entry->length == length && memcmp(entry->name, name, length) == 0) {
            return number;
        }
        number = entry->next;
    }
    return TOPIC_TABLE_NONE;
}

uint32_t topic_table_enter(struct topic_table *table, const char *name, size_t length)
{
    uint32_t number = topic_table_find(table, name, length), *head;
    struct topic_entry *entry;

    if (number != TOPIC_TABLE_NONE) {
        topic_table_hold(table, number);
        return number;
    }
    if (table->free == TOPIC_TABLE_NONE) {
        return TOPIC_TABLE_NONE;
    }
    number = table->free;
    entry = &table->entries[number];
    table->free = entry->next;
    entry->length = (uint32_t) length;
    memcpy(entry->name, name, length);
    entry->holds = 1;
    head = topic_table_head(table, name, length);
    entry->next = *head;
    *head = number;
    table->count++;
    return number;
}

void topic_table_hold(struct topic_table *table, uint32_t number)
{
    table->entries[number].holds++;
}

void topic_table_drop(struct topic_table *table, uint32_t number)
{
    struct topic_entry *entry = &table->entries[number];
    uint32_t *link;

    if (--entry->holds > 0) {
        return;
    }
    link = topic_table_head(table, entry->name, entry->length);
    while (*link != number) {
        link = &table->entries[*link].next;
    }
    *link = entry->next;
    entry->next = table->free;
    table->free = number;
    table->count--;
}

uint32_t topic_table_count(const struct topic_table *table)
{
    return table->count;
}

/* SPDX-License-Identifier: MIT */
/*
 * victim.c - does the one wrong thing that its argument names, so that a test can see the sanitizer end it. Without a
 * sanitizer that knows the thing it ends well, with 0.
 */
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile int victim_one = 1;
static volatile int victim_sink;
static int victim_shared;

static void victim_overflow(void)
{
    victim_sink = INT_MAX * victim_one + 1;
}

static void victim_shift(void)
{
    victim_sink = victim_one << (victim_one + 39);
}

static void victim_divide(void)
{
    victim_sink = victim_one / (victim_one - 1);
}

static void victim_index(void)
{
    int array[4] = {0};
    victim_sink = array[victim_one + 6];
}

static void victim_misaligned(void)
{
    static _Alignas(8) char bytes[16];
    int *pointer = (int *) (void *) (bytes + victim_one); /* Not volatile: such a load is not looked at. */
    victim_sink = *pointer;
}

static void victim_null(void)
{
    int *pointer = victim_one == 1 ? NULL : &victim_shared;
    victim_sink = *pointer;
}

static void victim_bool(void)
{
    bool value;
    unsigned char byte = (unsigned char) (victim_one + 4);
    memcpy(&value, &byte, 1);
    victim_sink = value;
}

static void victim_leak(void)
{
    char *volatile block = malloc(100);
    if (block != NULL) {
        block[0] = 1;
    }
    block = NULL;
}

static void victim_after_free(void)
{
    char *volatile block = malloc(100);
    if (block != NULL) {
        block[1] = 1;
        free(block);
        victim_sink = block[1];
    }
}

static void *victim_thread(void *argument)
{
    for (int i = 0; i < 1000; ++i) {
        victim_shared += 1;
    }
    return argument;
}

static void victim_race(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, victim_thread, NULL) == 0) {
        victim_thread(NULL);
        pthread_join(thread, NULL);
    }
}

static const struct victim_kind {
    const char *name;
    void (*act)(void);
} victim_kinds[] = {
    {"overflow", victim_overflow},     {"shift", victim_shift}, {"divide", victim_divide}, {"index", victim_index},
    {"misaligned", victim_misaligned}, {"null", victim_null},   {"bool", victim_bool},     {"leak", victim_leak},
    {"after_free", victim_after_free}, {"race", victim_race},
};

int main(int count, char **arguments)
{
    for (size_t i = 0; count == 2 && i < sizeof victim_kinds / sizeof victim_kinds[0]; ++i) {
        if (strcmp(victim_kinds[i].name, arguments[1]) == 0) {
            victim_kinds[i].act();
            printf("nobody minded\n");
            return 0;
        }
    }
    return count == 1 ? 0 : 2;
}

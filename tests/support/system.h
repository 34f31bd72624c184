/* SPDX-License-Identifier: MIT */
/*
 * system.h - what tests need from the system beside the engine: clients that keep no rule, handles, other processes.
 *
 * A raw client is a blocking pipe or socket of its own, so that it can send what no framing allows and leave when it
 * likes. One .c per system.
 */
#ifndef TESTS_SUPPORT_SYSTEM_H
#define TESTS_SUPPORT_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct raw_client {
    intptr_t handle;
} raw_client;

/* To a server's address; waits while every instance is taken. False: nobody serves it. */
bool raw_connect(raw_client *client, const char *address);
bool raw_write(raw_client *client, const void *data, size_t bytes); /* All. False: the server has ended it. */
size_t raw_read(raw_client *client, void *data, size_t bytes);      /* Some, at least 1. 0: the end. */
bool raw_end(raw_client *client); /* Ends its sending, and still reads. False: this system knows no such end. */
void raw_close(raw_client *client);

/* All. False: the end came before. */
static inline bool raw_read_all(raw_client *client, void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        size_t got = raw_read(client, (char *) data + done, bytes - done);
        if (got == 0) {
            return false;
        }
        done += got;
    }
    return true;
}

/* The same to a server whose messages are the pipe's own. */
bool raw_connect_whole(raw_client *client, const char *address);
bool raw_write_whole(raw_client *client, const void *data, size_t bytes); /* One message, also of 0 bytes. */

/* True: what a read brings while the thread that armed it ends is lost, and said to be (Wine; docs/WINDOWS.md). */
bool system_loses_reads(void);

unsigned long system_pid(void);
uint32_t system_handles(void); /* Open in this process. */

/* tests/system/victim.c: `verb` and `name` are its arguments. */
typedef struct system_child {
    intptr_t process;
} system_child;

bool system_spawn_victim(system_child *child, const char *verb, const char *name);
void system_kill(system_child *child); /* At once, without a word to it; waits until it is gone. */

#endif

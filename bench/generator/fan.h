/* SPDX-License-Identifier: MIT */
/*
 * fan.h - broadcast: the last lane asks, every lane that reads receives, and when the last of them has it the next
 * message may go. `depth` messages are under way at most.
 *
 * A place holds one message under way. It is written by whoever asks, while nobody waits for it, and read by the
 * receivers, each of which then counts itself out of `waiting`.
 */
#ifndef PIPEPORT_GENERATOR_FAN_H
#define PIPEPORT_GENERATOR_FAN_H

#include "bench/generator/load.h"

struct fan_place {
    struct load_entry entry;
    _Atomic uint32_t waiting; /* Receivers that do not have it yet. */
};

struct fan {
    struct lane *asker;
    uint32_t receivers;
    _Atomic uint64_t asked;     /* The next one's number. */
    _Atomic uint64_t completed; /* Had by all. */
    _Atomic uint32_t credits;   /* Messages that may be asked for; whoever makes it more than 0 asks. */
    _Atomic uint64_t quota;     /* With --count: measured messages that may still be asked for. Moved by who asks. */
    _Atomic uint32_t called, ready; /* Receivers that heard a call, and the end of them. */
    uint32_t places_count;
    struct fan_place places[];
};

/* NULL: no memory. Give it to free(). */
struct fan *fan_create(struct load *load);

/* Makes sure that the server knows every receiver, which may still wait in its backlog though it is connected here:
 * asks for calls of 1 byte until everybody heard one, and then for one of 2 bytes that ends them. False: not everybody
 * did; one line has said so. Thread: main, before phase RUNNING. */
bool fan_gather(struct load *load);

/* Asks for the first messages, where the lane is the asker. */
void fan_prime(struct lane *lane);

/* Open loop: asks for one more; false where none may be under way now. Thread: the pacer. */
bool fan_ask_planned(struct load *load, uint64_t planned_ns, uint64_t now_ns);

/* A message came. Thread: the lane's events. */
void fan_message(struct lane *lane, const void *data, size_t length);

#endif

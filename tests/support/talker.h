/* SPDX-License-Identifier: MIT */
/*
 * talker.h - a good client: it sends numbered messages to a server that echoes, several in flight, and checks that each
 * comes back whole and in order. It goes on until it has had its number, or until it is asked to be quiet.
 *
 * It dials for as long as a test is patient, unless its options say how long: where others take every instance as soon
 * as there is one, a busy machine may let nobody have one for many seconds, and that is no fault.
 */
#ifndef TESTS_SUPPORT_TALKER_H
#define TESTS_SUPPORT_TALKER_H

#include "tests/support/peer.h"

typedef struct talker_plan {
    const uint32_t *sizes; /* Of the messages, again and again. */
    uint32_t sizes_count;
    uint32_t window;                 /* Messages in flight. */
    uint64_t messages;               /* 0: until it is quiet. */
    const pipeport_options *options; /* May be NULL. */
} talker_plan;

typedef struct test_talker {
    test_peer peer; /* First: hooks find the talker by it. */
    talker_plan plan;
    pipeport_options options;
    uint64_t seed;
    uint64_t next; /* Its own connection's events only. */
    void *buffer;
    _Atomic uint64_t heard;
    _Atomic bool quiet;
    _Atomic bool done; /* All that was sent has come back. */
} test_talker;

/* Sizes from 0 to 3000, where nothing special is asked for. */
extern const talker_plan talker_small;

/* Talkers 0 .. count - 1, from zeroed memory. */
void talker_start(test_talker *talkers, uint32_t count, test_rig *rig, const char *name, const talker_plan *plan);
void talker_hush(test_talker *talkers, uint32_t count);  /* Asks all to be quiet, and waits until all is back. */
void talker_await(test_talker *talkers, uint32_t count); /* Waits until all have had their number. */
void talker_stop(test_talker *talkers, uint32_t count);

/* Waits until each has heard `more` messages more: all is well. */
void talker_still_talks(test_talker *talkers, uint32_t count, uint32_t more);

#endif

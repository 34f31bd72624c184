/* SPDX-License-Identifier: MIT */
/*
 * rig.h - an engine under test, and the accounts that must balance when the test is over.
 */
#ifndef TESTS_SUPPORT_RIG_H
#define TESTS_SUPPORT_RIG_H

#include "engine/include/pipeport.h"

enum { RIG_NAME_BYTES = 64 };

typedef struct test_rig {
    pipeport_engine *engine;
    uint64_t blocks; /* Held by the engine before anything lived on it. */
    bool lends;      /* PIPEPORT_HOST_THREADS: the test's thread must drain it. */
} test_rig;

/* workers: 0 for the default. */
void rig_open(test_rig *rig, uint32_t workers);
void rig_open_with(test_rig *rig, pipeport_engine_options options);

/* A name that nobody has used. Thread: any. */
void rig_name(char name[RIG_NAME_BYTES]);

pipeport_engine_figures rig_figures(const test_rig *rig);

/* What the engine holds, without the blocks that wait on its workers' shelves (message.h). */
uint64_t rig_memory_bytes(const test_rig *rig);

/* All servers and clients have been stopped: waits until all is home, operations armed = done, and memory is as before
 * them (but for the seats, which stay). */
void rig_settle(const test_rig *rig);

/* Settles, destroys the engine, and asserts that nothing was lost and nothing failed. */
void rig_close(test_rig *rig);

/* Destroys it as it stands, with whatever lives on it; asserts the same. */
void rig_crash(test_rig *rig);

#endif

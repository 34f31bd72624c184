/* SPDX-License-Identifier: MIT */
/*
 * plight.h - what an engine was at when a test waited in vain, told to Criterion's log.
 *
 * It is there to tell a lost wake-up from bytes that the system keeps and from a test that asks too much:
 *   - a connection whose turn or pump is held, that moves nothing, and that has no write pending: the engine forgot it;
 *   - all at rest, each with its read armed, and more bytes sent than received by ends that both live here: the system
 *     has them, or has lost a completion (then more is armed than what rests here explains);
 *   - all at rest and all received: nobody asked for what the test waits for. See who never opened.
 */
#ifndef TESTS_SUPPORT_PLIGHT_H
#define TESTS_SUPPORT_PLIGHT_H

#include "engine/include/pipeport.h"

/* The engine goes on meanwhile, and what belongs to its workers is read all the same: for a process about to end. */
void plight_tell(pipeport_engine *engine);

#endif

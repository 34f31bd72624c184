/* SPDX-License-Identifier: MIT */
/*
 * wire.h - one writer on a pipe of its own, and what stands below it: a write is pending until it is cancelled or, if
 * the scenario says so, finished; or it is done at once. Arming and cancelling are steps.
 */
#ifndef TESTS_STEPS_WIRE_H
#define TESTS_STEPS_WIRE_H

#include "engine/conn/writer.h"

enum { SENDERS = 2, PAYLOAD_BYTES = 4, FRAME_BYTES = PAYLOAD_BYTES + 4, QUEUE_BYTES_MAX = 64 };

typedef enum wire_state { WIRE_IDLE, WIRE_PENDING, WIRE_CANCELLED } wire_state;

extern struct wire_bed {
    pp_writer writer;
    pp_pipe pipe;
    pp_memory memory;
    pp_message *messages[SENDERS];
    uint32_t wire;       /* wire_state. */
    uint32_t wire_bytes; /* What is pending. */
    bool writes_at_once, hands_over, deferred;
    uint32_t passes;                       /* So many bytes at most, of what must not pend. */
    uint32_t posted;                       /* The pump is with the port. */
    uint32_t written, accepted, discarded; /* Sums. */
    uint32_t sealed;
    int pins;
} w;

/* What the writer is called with. */
extern const pp_writer_means wire_means;

/* Everything anew: a peer that does not read; */
void wire_begin(void);
void wire_begin_quick(void);    /* writes are done at once; */
void wire_begin_passing(void);  /* and may gather, and a large answer is taken whole, */
void wire_begin_half_way(void); /* or the first bytes of it; */
void wire_begin_handed(void);   /* or the pump is handed over to a worker. */

#endif

/* SPDX-License-Identifier: MIT */
/*
 * pump.h - a writer on a fake pipe and a pool without threads of its own, and all that it tells, counted.
 *
 * The pipe takes what the test says; what is pending comes home in pump_settle. A pin that is given back and was not
 * there, and a pump that seals without one, end the test.
 */
#ifndef TESTS_SUPPORT_PUMP_H
#define TESTS_SUPPORT_PUMP_H

#include "engine/conn/writer.h"
#include "tests/support/fake_port.h"

typedef struct test_pump {
    pp_memory memory;
    pp_deadlines deadlines;
    pp_pool pool;
    pp_port *port;
    pp_writer writer;
    pp_pipe place;
    fake_pipe *pipe;
    pp_writer_means means;
    int pins;
    unsigned sealed, drained, stalled;
    uint64_t wrote, discarded; /* Bytes. */
} test_pump;

extern test_pump pump;

/* `homes`: the port's drainers have pipes of their own. */
void pump_begin(uint32_t slices_max, uint32_t queue_bytes_max, bool homes);

/* Brings everything home. */
void pump_settle(void);

/* Stops the writer if nothing has sealed it yet: it is sealed once, and no pin is left. */
void pump_stop(void);

/* The same, and nothing is left of anything. */
void pump_end(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * drive.h - one run, from the first connection to the last: what the main thread does. The messages are the engine's
 * threads' affair; this one dials, kills, looks at the clock, and cuts the run into seconds.
 */
#ifndef PIPEPORT_GENERATOR_DRIVE_H
#define PIPEPORT_GENERATOR_DRIVE_H

#include "bench/generator/load.h"
#include "bench/generator/result.h"

enum drive_end {
    DRIVE_DONE,        /* As long as the plan says. */
    DRIVE_INTERRUPTED, /* By Ctrl-C: what was measured until then. */
    DRIVE_BROKEN,      /* Nothing came any more: what was measured until then. One line has said so. */
    DRIVE_FAILED,      /* It never began. One line has said why. */
    DRIVE_MISNAMED     /* Likewise, for the NAME is none. */
};

/* Runs it and fills `run`, which was zeroed. */
enum drive_end drive(struct load *load, struct result_run *run);

#endif

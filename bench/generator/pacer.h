/* SPDX-License-Identifier: MIT */
/*
 * pacer.h - the open loop: a thread that sends each message at its planned moment, whatever has come back.
 *
 * Message k of the run is planned at k / rate after its begin, and is of the lanes in turn. A lane whose ring is full
 * sends later what was planned meanwhile, in order, each with its planned moment: so nothing is left out because the
 * server was slow. Between two moments the thread sleeps as long as its timer is sure to wake it in time, and yields
 * the processor for the rest.
 */
#ifndef PIPEPORT_GENERATOR_PACER_H
#define PIPEPORT_GENERATOR_PACER_H

#include "bench/generator/load.h"

struct pacer;

/* It tries the timer and then waits for phase RUNNING. NULL: there is no thread or memory to be had. */
struct pacer *pacer_start(struct load *load);

/* Ends it. It has so long to send what it is behind with, for a rate that the machine does not bear would take many
 * times the run's time, and gives up sooner where it can send nothing for a second; what it planned of the measured
 * time and did not send is missing. 0, or a Ctrl-C: it sends nothing more, and that is nobody's fault. NULL is fine. */
void pacer_stop(struct pacer *pacer, uint64_t finish_ns, struct result_run *run);

/* The same without waiting for it: pacer_stop still is to be called, and does not begin anew. */
void pacer_begin_stop(struct pacer *pacer, uint64_t finish_ns);

/* Whether pacer_stop would find that it has ended. */
bool pacer_has_ended(const struct pacer *pacer);

#endif

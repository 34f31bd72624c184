/* SPDX-License-Identifier: MIT */
/*
 * meter.h - the processor time that a load and the server it visits take while it counts. A program runs one load, so
 * there is one meter: meter.c is side_counting_begins and side_counting_ends of bench/load.h.
 */
#ifndef PIPEPORT_BENCH_LINUX_METER_H
#define PIPEPORT_BENCH_LINUX_METER_H

#include <stdint.h>

/* The server's process, before counting begins. 0: nobody wants to know. */
void meter_watch(uint32_t server_pid);

/* The words of the load's last line, each with a blank before it: how much of a processor it took, and the server's
 * microseconds for each that was counted. */
void meter_tell(void);

#endif

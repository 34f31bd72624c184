/* SPDX-License-Identifier: MIT */
/*
 * meter.h - the processor time that a load and the server it visits take while it counts.
 */
#ifndef PIPEPORT_BENCH_LINUX_METER_H
#define PIPEPORT_BENCH_LINUX_METER_H

#include <stdint.h>

struct meter {
    uint32_t server_pid;                    /* 0: nobody wants to know. */
    uint64_t begin_own_ns, begin_server_ns; /* Set where counting begins. */
    double own_share, server_us;            /* Set where counting ends. */
};

/* `ns` is how long was counted, `counted` how many. */
void meter_begin(struct meter *meter);
void meter_end(struct meter *meter, uint64_t ns, uint64_t counted);

/* The words of the load's last line, each with a blank before it: how much of a processor it took, and the server's
 * microseconds for each that was counted. */
void meter_tell(const struct meter *meter);

#endif

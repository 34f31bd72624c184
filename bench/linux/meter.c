/* SPDX-License-Identifier: MIT */
#include "bench/linux/meter.h"

#include "bench/linux/machine.h"

#include <stdio.h>

void meter_begin(struct meter *meter)
{
    meter->begin_own_ns = machine_own_cpu_ns();
    meter->begin_server_ns = machine_process_cpu_ns(meter->server_pid);
}

void meter_end(struct meter *meter, uint64_t ns, uint64_t counted)
{
    meter->own_share = (double) (machine_own_cpu_ns() - meter->begin_own_ns) / (double) ns;
    if (meter->server_pid != 0 && counted != 0) {
        meter->server_us = (double) (machine_process_cpu_ns(meter->server_pid) - meter->begin_server_ns) / 1e3 /
                           (double) counted;
    }
}

void meter_tell(const struct meter *meter)
{
    printf(" load_cpu=%.2f server_us=%.4f", meter->own_share, meter->server_us);
}

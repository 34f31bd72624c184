/* SPDX-License-Identifier: MIT */
#include "bench/linux/meter.h"

#include "bench/linux/machine.h"
#include "bench/load.h"

#include <stdio.h>

static uint32_t meter_server_pid;
static uint64_t meter_begin_own_ns, meter_begin_server_ns; /* Set where counting begins. */
static double meter_own_share, meter_server_us;            /* Set where counting ends. */

void meter_watch(uint32_t server_pid)
{
    meter_server_pid = server_pid;
}

void side_counting_begins(struct load *load)
{
    (void) load;
    meter_begin_own_ns = machine_own_cpu_ns();
    meter_begin_server_ns = machine_process_cpu_ns(meter_server_pid);
}

void side_counting_ends(struct load *load, uint64_t ns)
{
    meter_own_share = (double) (machine_own_cpu_ns() - meter_begin_own_ns) / (double) ns;
    if (meter_server_pid != 0 && load->counted != 0) {
        uint64_t server_ns = machine_process_cpu_ns(meter_server_pid) - meter_begin_server_ns;

        meter_server_us = (double) server_ns / 1e3 / (double) load->counted;
    }
}

void meter_tell(void)
{
    printf(" load_cpu=%.2f server_us=%.4f", meter_own_share, meter_server_us);
}

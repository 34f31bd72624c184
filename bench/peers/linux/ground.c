/* SPDX-License-Identifier: MIT */
#include "bench/linux/gnu.h"

#include "bench/peers/ground.h"

#include "bench/linux/machine.h"

const char *ground_address(const char *name)
{
    return name;
}

void ground_allow(uint32_t connections)
{
    machine_allow_files(connections);
}

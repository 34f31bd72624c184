/* SPDX-License-Identifier: MIT */
#include "bench/peers/ground.h"

#include "bench/windows/dial.h"

const char *ground_address(const char *name)
{
    static char address[DIAL_ADDRESS_BYTES];

    dial_address(address, name);
    return address;
}

void ground_prepare(uint32_t connections)
{
    (void) connections; /* Handles are bounded by memory only. */
}

/* SPDX-License-Identifier: MIT */
#include "bench/linux/gnu.h"

#include "bench/peers/ground.h"

#include "bench/linux/machine.h"

#include <signal.h>

const char *ground_address(const char *name)
{
    return name;
}

void ground_prepare(uint32_t connections)
{
    machine_allow_files(connections);
    signal(SIGPIPE, SIG_IGN); /* libuv writes without MSG_NOSIGNAL: whoever uses it does this. */
}

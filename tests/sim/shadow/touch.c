/* SPDX-License-Identifier: MIT */
/* touch.c - see touch.h. */
#include "tests/sim/shadow/touch.h"

sim_touch sim_touched;

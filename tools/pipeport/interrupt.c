/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/interrupt.h"

#include <signal.h>

static volatile sig_atomic_t interrupt_seen; /* Only ever set; signal handlers may touch no other kind of variable. */

static void interrupt_note(int number)
{
    interrupt_seen = 1;
    signal(number, SIG_DFL); /* Windows and strict C11 do it by themselves, BSD's signal() does not. */
}

void interrupt_watch(void)
{
    signal(SIGINT, interrupt_note);
    signal(SIGTERM, interrupt_note);
}

bool interrupt_came(void)
{
    return interrupt_seen != 0;
}

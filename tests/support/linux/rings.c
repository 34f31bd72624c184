/* SPDX-License-Identifier: MIT */
/* rings.c - see rings.h. */
#include "tests/support/linux/rings.h"

#include "engine/port/linux/port.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

pp_ring *rings_open(test_bed *bed, bool lent)
{
    setenv("PIPEPORT_LINUX_DRIVER", "uring", 1);
    (lent ? bed_open : bed_open_own)(bed, 1);
    if (strcmp(pp_port_driver(bed->port), "io_uring") != 0) {
        cr_skip_test("the kernel refuses io_uring");
    }
    return (pp_ring *) bed->port->drainers[0];
}

void rings_need_streams(const pp_ring *ring)
{
    if (ring->lent) {
        cr_skip_test("no receive goes on where a ring is lent");
    }
    if (!ring->streams) {
        cr_skip_test("this kernel's receives that go on may miss the end");
    }
}

void rings_talk(bed_end *end, const char *data, uint32_t bytes)
{
    pp_slice slice = {data, bytes};
    pp_result now;
    cr_assert_eq(pp_pipe_write(&end->pipe, &slice, 1, NULL, &now), PP_NOW);
    cr_assert_eq(now.bytes, bytes);
}

void rings_take_nothing(test_bed *bed)
{
    pp_completion none;
    cr_assert_eq(pp_port_take(bed->port, 0, 0, &none, 1), 0);
}

int rings_left(const bed_end *end)
{
    int bytes = -1;
    cr_assert_eq(ioctl((int) end->pipe.handle, FIONREAD, &bytes), 0);
    return bytes;
}

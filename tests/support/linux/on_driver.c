/* SPDX-License-Identifier: MIT */
/*
 * on_driver.c - on_driver DRIVER PROGRAM ARGUMENT...: runs PROGRAM where engines take the driver DRIVER ("epoll" or
 * "io_uring"), or skips it, loudly, where the kernel has no rings for us: a test that is meant for rings tells nothing
 * on epoll. Where it has some and engines do not take them, that is no reason to skip but a fault.
 *
 * The program finds PIPEPORT_TEST_DRIVER set to DRIVER, so that its engines can be asked again (support/rig.c).
 */
#define _GNU_SOURCE 1

#include "engine/include/pipeport.h"

#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ON_DRIVER_FAILED = 1, ON_DRIVER_SKIPPED = 77 };

static void on_driver_log(void *user, const char *line)
{
    (void) user;
    printf("log: %s\n", line);
}

/* Asked without a line of the engine's: a ring as we need it. */
static bool on_driver_has_rings(void)
{
    struct io_uring_params about = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    long ring = syscall(SYS_io_uring_setup, 8, &about);
    if (ring >= 0) {
        close((int) ring);
    }
    return ring >= 0;
}

/* 0 where an engine took it, else the exit code. */
static int on_driver_ask(const char *driver)
{
    pipeport_engine_options options = {.size = sizeof options, .workers = 2, .log = on_driver_log};
    pipeport_engine *engine = NULL;
    pipeport_status status = pipeport_engine_create(&engine, &options);
    if (status != PIPEPORT_OK) {
        fprintf(stderr, "on_driver: no engine: %s\n", pipeport_status_text(status));
        exit(ON_DRIVER_FAILED);
    }
    int code = 0;
    if (strcmp(pipeport_engine_driver(engine), driver) != 0) {
        bool is_fault = strcmp(driver, "io_uring") != 0 || on_driver_has_rings();
        code = is_fault ? ON_DRIVER_FAILED : ON_DRIVER_SKIPPED;
        printf("%s: engines take %s here, not %s\n", is_fault ? "FAILED, for the kernel has it" : "SKIP",
               pipeport_engine_driver(engine), driver);
    }
    (void) pipeport_engine_destroy(engine);
    return code;
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "on_driver DRIVER PROGRAM ARGUMENT...\n");
        return ON_DRIVER_FAILED;
    }
    const char *driver = arguments[1];
    setenv("PIPEPORT_LINUX_DRIVER", strcmp(driver, "io_uring") == 0 ? "uring" : driver, 1);
    setenv("PIPEPORT_TEST_DRIVER", driver, 1);
    int code = on_driver_ask(driver);
    if (code != 0) {
        return code;
    }
    fflush(stdout);
    execv(arguments[2], arguments + 2);
    perror(arguments[2]);
    return ON_DRIVER_FAILED;
}

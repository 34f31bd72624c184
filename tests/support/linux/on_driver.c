/* SPDX-License-Identifier: MIT */
/*
 * on_driver.c - on_driver DRIVER PROGRAM ARGUMENT...: runs PROGRAM where engines take the driver DRIVER ("epoll" or
 * "io_uring"), or skips it, loudly, where they do not: a test that is meant for rings tells nothing on epoll.
 *
 * The program finds PIPEPORT_TEST_DRIVER set to DRIVER, so that its engines can be asked again (support/rig.c).
 */
#define _GNU_SOURCE 1

#include "engine/include/pipeport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ON_DRIVER_FAILED = 1, ON_DRIVER_SKIPPED = 77 };

static void on_driver_log(void *user, const char *line)
{
    (void) user;
    printf("log: %s\n", line);
}

/* True where an engine took it. */
static bool on_driver_can(const char *driver)
{
    pipeport_engine_options options = {.size = sizeof options, .workers = 2, .log = on_driver_log};
    pipeport_engine *engine = NULL;
    pipeport_status status = pipeport_engine_create(&engine, &options);
    if (status != PIPEPORT_OK) {
        fprintf(stderr, "on_driver: no engine: %s\n", pipeport_status_text(status));
        exit(ON_DRIVER_FAILED);
    }
    bool can = strcmp(pipeport_engine_driver(engine), driver) == 0;
    if (!can) {
        printf("SKIP: engines take %s here, not %s\n", pipeport_engine_driver(engine), driver);
    }
    (void) pipeport_engine_destroy(engine);
    return can;
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
    if (!on_driver_can(driver)) {
        return ON_DRIVER_SKIPPED;
    }
    fflush(stdout);
    execv(arguments[2], arguments + 2);
    perror(arguments[2]);
    return ON_DRIVER_FAILED;
}

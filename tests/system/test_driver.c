/* SPDX-License-Identifier: MIT */
/*
 * test_driver.c - which driver an engine takes on Linux: what PIPEPORT_LINUX_DRIVER asks for, and what the kernel
 * gives.
 *
 * A kernel, or a container, that refuses rings is played by a filter of system calls, which binds the test's own
 * process (each test is one) and what it starts.
 */
#define _GNU_SOURCE 1

#include "engine/include/pipeport.h"
#include "tests/support/expect.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(driver, .timeout = 100);

enum { DRIVER_LINE_BYTES = 300, DRIVER_SKIPPED = 77 };

static struct {
    pipeport_engine *engine;
    char line[DRIVER_LINE_BYTES]; /* The log's last. */
    char all[4 * DRIVER_LINE_BYTES];
    uint32_t lines;
    _Atomic uint32_t answers;
} driver;

static void driver_log(void *user, const char *line)
{
    (void) user;
    (void) snprintf(driver.line, sizeof driver.line, "%s", line);
    (void) snprintf(driver.all + strlen(driver.all), sizeof driver.all - strlen(driver.all), "%s\n", line);
    driver.lines++;
}

static pipeport_status driver_create(const char *asked)
{
    pipeport_engine_options options = {.size = sizeof options, .workers = 2, .log = driver_log};
    cr_assert_eq(asked ? setenv("PIPEPORT_LINUX_DRIVER", asked, 1) : unsetenv("PIPEPORT_LINUX_DRIVER"), 0);
    return pipeport_engine_create(&driver.engine, &options);
}

/* From here on io_uring_setup answers `code`. */
static void driver_refuse_rings(uint32_t code)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | code),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof rules / sizeof rules[0], rules};
    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0) {
        cr_skip_test("this system does not let a process filter its own system calls");
    }
    cr_assert_eq(syscall(__NR_io_uring_setup, 1, NULL), -1);
    cr_assert_eq(errno, (int) code);
}

static void driver_echo(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    (void) user;
    (void) state;
    EXPECT(pipeport_send(driver.engine, conn, data, length) == PIPEPORT_OK);
}

static void *driver_ask(void *user, pipeport_conn conn)
{
    EXPECT(pipeport_send(driver.engine, conn, "well?", 5) == PIPEPORT_OK);
    return user;
}

static void driver_hear(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    (void) user;
    (void) state;
    (void) conn;
    EXPECT(length == 5 && memcmp(data, "well?", 5) == 0);
    atomic_fetch_add(&driver.answers, 1);
}

/* A message goes there and back on the engine, which ends then. */
static void driver_works(void)
{
    pipeport_events serves = {.size = sizeof serves, .message = driver_echo};
    pipeport_events asks = {.size = sizeof asks, .opened = driver_ask, .message = driver_hear};
    pipeport_server *server;
    pipeport_client *client;
    char name[64];
    atomic_store(&driver.answers, 0);
    (void) snprintf(name, sizeof name, "pipeport-driver-%lu", system_pid());
    cr_assert_eq(pipeport_server_start(&server, driver.engine, name, NULL, &serves), PIPEPORT_OK);
    cr_assert_eq(pipeport_client_start(&client, driver.engine, name, NULL, &asks), PIPEPORT_OK);
    AWAIT(atomic_load(&driver.answers) == 1);
    pipeport_client_stop(client, 0);
    pipeport_server_stop(server, 0);
    cr_assert_eq(pipeport_engine_destroy(driver.engine), PIPEPORT_OK);
    expect_fine();
}

Test(driver, is_epoll_unless_another_is_asked_for)
{
    static const char *const asked[] = {NULL, "auto", "epoll"};
    for (int i = 0; i < 3; ++i) {
        cr_assert_eq(driver_create(asked[i]), PIPEPORT_OK);
        cr_assert_str_eq(pipeport_engine_driver(driver.engine), "epoll");
        driver_works();
    }
    cr_assert_eq(driver.lines, 0);
}

Test(driver, that_is_unknown_is_invalid_and_the_log_says_where_it_came_from)
{
    static const char *const asked[] = {"", "io_uring", "EPOLL", "epoll ", "iocp"};
    char quoted[40];
    for (int i = 0; i < 5; ++i) {
        driver.all[0] = '\0';
        cr_assert_eq(driver_create(asked[i]), PIPEPORT_INVALID);
        cr_assert_null(driver.engine);
        (void) snprintf(quoted, sizeof quoted, "\"%s\"", asked[i]);
        cr_assert(strstr(driver.all, "PIPEPORT_LINUX_DRIVER") && strstr(driver.all, quoted), "it says: %s", driver.all);
        cr_assert(strstr(driver.all, "epoll, uring or auto"), "it says: %s", driver.all);
    }
}

Test(driver, is_epoll_where_the_kernel_refuses_rings_and_the_log_says_why)
{
    driver_refuse_rings(EPERM);
    cr_assert_eq(driver_create("uring"), PIPEPORT_OK);
    cr_assert_str_eq(pipeport_engine_driver(driver.engine), "epoll");
    cr_assert_eq(driver.lines, 1);
    cr_assert(strstr(driver.line, "io_uring") && strstr(driver.line, strerror(EPERM)), "it says: %s", driver.line);
    driver_works();
}

Test(driver, is_epoll_where_the_kernel_knows_no_rings)
{
    driver_refuse_rings(ENOSYS);
    cr_assert_eq(driver_create("uring"), PIPEPORT_OK);
    cr_assert_str_eq(pipeport_engine_driver(driver.engine), "epoll");
    cr_assert(strstr(driver.line, strerror(ENOSYS)), "it says: %s", driver.line);
    driver_works();
}

/* The exit code of test_on_driver with a program that succeeds, and its words. */
static int driver_run_on(const char *wanted, char *words, size_t room)
{
    char path[4096], command[sizeof path + 100];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    cr_assert(length > 0);
    path[length] = '\0';
    *strrchr(path, '/') = '\0';
    (void) snprintf(command, sizeof command, "'%s/test_on_driver' %s /bin/echo ran", path, wanted);
    FILE *said = popen(command, "r");
    cr_assert_not_null(said);
    words[fread(words, 1, room - 1, said)] = '\0';
    int code = pclose(said);
    cr_assert(WIFEXITED(code));
    return WEXITSTATUS(code);
}

Test(driver, variants_of_tests_are_skipped_where_the_kernel_refuses_rings)
{
    char words[1000];
    driver_refuse_rings(EPERM);
    cr_assert_eq(driver_run_on("io_uring", words, sizeof words), DRIVER_SKIPPED, "%s", words);
    cr_assert(strstr(words, "SKIP: ") && strstr(words, strerror(EPERM)) && !strstr(words, "ran"), "%s", words);
    cr_assert_eq(driver_run_on("epoll", words, sizeof words), 0);
    cr_assert_str_eq(words, "ran\n");
}

Test(driver, is_io_uring_where_that_is_asked_for_and_to_be_had)
{
    cr_assert_eq(driver_create("uring"), PIPEPORT_OK);
    if (driver.lines > 0) {
        cr_assert_str_eq(pipeport_engine_driver(driver.engine), "epoll");
        cr_assert_eq(pipeport_engine_destroy(driver.engine), PIPEPORT_OK);
        cr_skip_test("%s", driver.line);
    }
    cr_assert_str_eq(pipeport_engine_driver(driver.engine), "io_uring");
    driver_works();
}

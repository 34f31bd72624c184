/* SPDX-License-Identifier: MIT */
/*
 * test_files.c - a process that has as many files open as it may (Linux). Who listens rests and serves again by itself;
 * who starts hears SYSTEM; who is connected hears nothing of it.
 *
 * The test takes all descriptors that are left, and gives back as many as it wants others to have.
 */
#include "tests/support/expect.h"
#include "tests/support/limits.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

TestSuite(files, .timeout = 100);

enum { FILES_MAX = 256, FRIENDS = 10, COMERS = 20 };

static struct {
    test_rig rig;
    test_peer server;
    char name[RIG_NAME_BYTES];
    raw_client friends[FRIENDS]; /* Connected before. */
    int taken[FILES_MAX];
    uint32_t taken_count;
} files;

/* All that are left. */
static void files_take(void)
{
    int fd;
    while ((fd = dup(0)) >= 0) {
        cr_assert(files.taken_count < FILES_MAX);
        files.taken[files.taken_count++] = fd;
    }
    cr_assert_eq(errno, EMFILE);
}

static void files_give(uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        cr_assert(files.taken_count > 0);
        close(files.taken[--files.taken_count]);
    }
}

/* A message, there and back. */
static void files_ask(const raw_client *client)
{
    static const char question[] = {6, 0, 0, 0, 'f', 'i', 'l', 'e', 's', '?'};
    raw_client copy = *client;
    char answer[sizeof question];
    EXPECT(raw_write(&copy, question, sizeof question));
    EXPECT(raw_read_all(&copy, answer, sizeof answer));
    EXPECT(memcmp(answer, question, sizeof answer) == 0);
}

static uint64_t files_failures(void)
{
    return peer_stats(&files.server).accepts_failed;
}

static void files_begin(void)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = FILES_MAX;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    rig_name(files.name);
    rig_open(&files.rig, 2);
    files.server.does.message = peer_echo;
    peer_serve(&files.server, &files.rig, files.name, NULL);
    for (int i = 0; i < FRIENDS; ++i) {
        cr_assert(raw_connect(&files.friends[i], pipeport_server_address(files.server.server)));
        files_ask(&files.friends[i]);
    }
    EXPECT(files_failures() == 0);
}

static void files_end(void)
{
    for (int i = 0; i < FRIENDS; ++i) {
        files_ask(&files.friends[i]);
        raw_close(&files.friends[i]);
    }
    AWAIT(files.server.closed == files.server.opened);
    peer_stop(&files.server, 0);
    rig_close(&files.rig);
}

Test(files, a_server_without_files_serves_again_as_soon_as_it_has_one)
{
    raw_client late;
    files_begin();
    files_take();
    files_give(1);
    cr_assert(raw_connect(&late, pipeport_server_address(files.server.server)));
    AWAIT(files_failures() >= 3); /* It tries again by itself, and others go on meanwhile. */
    EXPECT(files.server.opened == FRIENDS);
    for (int i = 0; i < FRIENDS; ++i) {
        files_ask(&files.friends[i]);
    }
    files_give(1);
    files_ask(&late);
    EXPECT(files.server.opened == FRIENDS + 1);
    raw_close(&late);
    files_end();
}

Test(files, a_server_without_files_serves_the_next_when_one_leaves)
{
    raw_client late;
    files_begin();
    files_take();
    files_give(1);
    cr_assert(raw_connect(&late, pipeport_server_address(files.server.server)));
    AWAIT(files_failures() >= 1);
    raw_close(&files.friends[0]); /* Both its ends are this process's. */
    files_ask(&late);
    files.friends[0] = late;
    files_end();
}

Test(files, all_who_wait_are_served_when_there_are_files_again)
{
    raw_client comers[COMERS];
    files_begin();
    files_take();
    for (int i = 0; i < COMERS; ++i) { /* Sometimes the server is quicker to take what we gave for the client. */
        while (!raw_connect(&comers[i], pipeport_server_address(files.server.server))) {
            files_give(1);
        }
    }
    AWAIT(files_failures() >= 1);
    files_give(files.taken_count);
    for (int i = 0; i < COMERS; ++i) {
        files_ask(&comers[i]);
        raw_close(&comers[i]);
    }
    EXPECT(files.server.opened == FRIENDS + COMERS);
    files_end();
}

Test(files, who_starts_without_files_hears_that_the_system_failed_and_leaves_nothing)
{
    pipeport_engine *engine = NULL;
    pipeport_server *server = NULL;
    pipeport_client *client = NULL;
    pipeport_events events = {.size = sizeof events};
    char name[RIG_NAME_BYTES];
    rig_name(name);
    files_begin();
    for (uint32_t left = 0; left < 2; ++left) {
        files_take();
        files_give(left);
        EXPECT(pipeport_engine_create(&engine, NULL) == PIPEPORT_SYSTEM);
        EXPECT(pipeport_server_start(&server, files.rig.engine, name, NULL, &events) == PIPEPORT_SYSTEM);
        files_take(); /* One that one of them had kept would be missing at the end. */
        EXPECT(pipeport_client_start(&client, files.rig.engine, files.name, NULL, &events) == PIPEPORT_SYSTEM);
    }
    files_give(files.taken_count);
    EXPECT(engine == NULL && server == NULL && client == NULL);
    uint32_t before = system_handles();
    EXPECT(pipeport_engine_create(&engine, NULL) == PIPEPORT_OK);
    EXPECT(pipeport_engine_destroy(engine) == PIPEPORT_OK);
    EXPECT(pipeport_server_start(&server, files.rig.engine, name, NULL, &events) == PIPEPORT_OK);
    pipeport_server_stop(server, 0);
    EXPECT(system_handles() == before);
    files_end();
}

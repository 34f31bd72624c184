/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1

#include "tests/support/system.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool raw_connect_as(raw_client *client, const char *address, int type)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path, address, sizeof to.sun_path - 1);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *) &to, sizeof to) != 0) {
        close(fd);
        fd = -1;
    }
    client->handle = fd;
    return fd >= 0;
}

bool raw_connect(raw_client *client, const char *address)
{
    return raw_connect_as(client, address, SOCK_STREAM);
}

bool raw_connect_whole(raw_client *client, const char *address)
{
    return raw_connect_as(client, address, SOCK_SEQPACKET);
}

bool raw_write_whole(raw_client *client, const void *data, size_t bytes)
{
    ssize_t wrote;
    do {
        wrote = send((int) client->handle, data, bytes, MSG_NOSIGNAL);
    } while (wrote < 0 && errno == EINTR);
    return wrote == (ssize_t) bytes;
}

bool raw_write(raw_client *client, const void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t wrote = send((int) client->handle, (const char *) data + done, bytes - done, MSG_NOSIGNAL);
        if (wrote < 0 && errno != EINTR) {
            return false;
        }
        done += wrote > 0 ? (size_t) wrote : 0;
    }
    return true;
}

size_t raw_read(raw_client *client, void *data, size_t bytes)
{
    ssize_t got;
    do {
        got = read((int) client->handle, data, bytes);
    } while (got < 0 && errno == EINTR);
    return got > 0 ? (size_t) got : 0;
}

bool raw_end(raw_client *client)
{
    return shutdown((int) client->handle, SHUT_WR) == 0;
}

void raw_close(raw_client *client)
{
    close((int) client->handle);
}

bool system_loses_reads(void)
{
    return false;
}

unsigned long system_pid(void)
{
    return (unsigned long) getpid();
}

uint32_t system_handles(void)
{
    uint32_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory)) {
        ++count;
    }
    if (directory) {
        closedir(directory);
    }
    return count;
}

bool system_spawn_victim(system_child *child, const char *verb, const char *name)
{
    char path[4096], what[16], whom[512];
    pid_t pid;
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 64);
    if (length <= 0) {
        return false;
    }
    path[length] = '\0';
    strcpy(strrchr(path, '/') + 1, "test_victim");
    (void) snprintf(what, sizeof what, "%s", verb); /* posix_spawn wants them writable. */
    (void) snprintf(whom, sizeof whom, "%s", name);
    char *arguments[] = {path, what, whom, NULL};
    if (posix_spawn(&pid, path, NULL, NULL, arguments, environ) != 0) {
        return false;
    }
    child->process = pid;
    return true;
}

void system_kill(system_child *child)
{
    kill((pid_t) child->process, SIGKILL);
    while (waitpid((pid_t) child->process, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * peer_threads - a server with a thread for each client, and calls that block.
 *
 * The oldest way, and the shortest to write. A thread receives what there is and sends all whole messages of it with
 * one call, straight from where they were received; the kernel does the rest. With --mode broadcast the thread that
 * has received sends to every connection, one at a time per connection (its lock), whoever else is there (the lock of
 * them all, shared); a client that never reads holds up who sends to it.
 */
#include "bench/linux/gnu.h"

#include "bench/linux/machine.h"
#include "bench/linux/socket.h"
#include "bench/peers/inbox.h"
#include "bench/peers/options.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK_BYTES = 64 * 1024 };

struct client {
    int fd;
    size_t index;           /* Its place among all; under the lock of them all. */
    pthread_mutex_t sender; /* Held while somebody broadcasts to it: messages stay whole. */
    struct inbox inbox;
};

static struct {
    bool broadcast;
    pthread_rwlock_t lock; /* Of what follows: who broadcasts reads, who comes or goes writes. */
    size_t count, max;
    struct client **clients;
} all = {.lock = PTHREAD_RWLOCK_INITIALIZER};

static bool client_send(int fd, const unsigned char *bytes, size_t count)
{
    while (count != 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);

        if (sent < 0) {
            return false;
        }
        bytes += sent;
        count -= (size_t) sent;
    }
    return true;
}

static void all_send(const unsigned char *bytes, size_t count)
{
    pthread_rwlock_rdlock(&all.lock);
    for (size_t i = 0; i < all.count; i++) {
        struct client *client = all.clients[i];

        pthread_mutex_lock(&client->sender);
        (void) client_send(client->fd, bytes, count); /* One that is gone is seen by its own thread. */
        pthread_mutex_unlock(&client->sender);
    }
    pthread_rwlock_unlock(&all.lock);
}

static void all_add(struct client *client)
{
    pthread_rwlock_wrlock(&all.lock);
    if (all.count == all.max) {
        machine_die("more connections than --connections");
    }
    client->index = all.count;
    all.clients[all.count++] = client;
    pthread_rwlock_unlock(&all.lock);
}

static void all_remove(const struct client *client)
{
    pthread_rwlock_wrlock(&all.lock);
    all.count--;
    all.clients[client->index] = all.clients[all.count];
    all.clients[client->index]->index = client->index;
    pthread_rwlock_unlock(&all.lock);
}

static bool client_answer(struct client *client)
{
    size_t whole = inbox_whole(&client->inbox);

    if (whole != 0 && all.broadcast) {
        all_send(client->inbox.bytes, whole);
    } else if (whole != 0 && !client_send(client->fd, client->inbox.bytes, whole)) {
        return false;
    }
    return inbox_drop(&client->inbox, whole);
}

static void *client_serve(void *argument)
{
    struct client *client = argument;
    struct inbox *inbox = &client->inbox;
    ssize_t came;

    while ((came = recv(client->fd, inbox->bytes + inbox->filled, inbox->room - inbox->filled, 0)) > 0) {
        inbox->filled += (size_t) came;
        if (!client_answer(client)) {
            break;
        }
    }
    if (all.broadcast) {
        all_remove(client);
    }
    close(client->fd);
    pthread_mutex_destroy(&client->sender);
    inbox_fini(inbox);
    free(client);
    return NULL;
}

static void client_begin(int fd, const pthread_attr_t *how)
{
    struct client *client = calloc(1, sizeof *client);
    pthread_t thread;

    if (client == NULL || !inbox_init(&client->inbox) || pthread_mutex_init(&client->sender, NULL) != 0) {
        machine_die("no memory");
    }
    client->fd = fd;
    if (all.broadcast) {
        all_add(client);
    }
    errno = pthread_create(&thread, how, client_serve, client);
    if (errno != 0) {
        machine_die("a thread more");
    }
}

int main(int argc, char **argv)
{
    const struct options_can can = {.threads_max = 1, .connections_max = 30000, .broadcast = true};
    struct options options = options_read(argc, argv, &can);
    struct pollfd ear = {.events = POLLIN};
    pthread_attr_t how;

    machine_allow_files(options.connections);
    all.broadcast = options.broadcast;
    all.max = options.connections;
    all.clients = calloc(all.max, sizeof(struct client *));
    if (all.clients == NULL || pthread_attr_init(&how) != 0 || pthread_attr_setstacksize(&how, STACK_BYTES) != 0 ||
        pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED) != 0) {
        machine_die("no memory");
    }
    ear.fd = socket_listen(options.name);
    options_ready(&options);
    while (poll(&ear, 1, -1) >= 0) { /* The ear does not block. */
        int fd;

        while ((fd = accept4(ear.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
            client_begin(fd, &how);
        }
    }
    machine_die("poll");
}

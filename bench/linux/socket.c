/* SPDX-License-Identifier: MIT */
#include "bench/linux/gnu.h"

#include "bench/linux/socket.h"

#include "bench/linux/machine.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool socket_address(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(address->sun_path, path, strlen(path) + 1);
    return true;
}

int socket_listen(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void) unlink(path); /* Left by one that was killed; if it is still there, bind says so. */
    if (fd < 0 || !socket_address(&address, path) ||
        bind(fd, (const struct sockaddr *) &address, sizeof address) != 0 || listen(fd, SOMAXCONN) != 0) {
        machine_die(path);
    }
    return fd;
}

int socket_connect(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int code;

    if (fd < 0) {
        return -1;
    }
    if (socket_address(&address, path) && connect(fd, (const struct sockaddr *) &address, sizeof address) == 0) {
        return fd;
    }
    code = errno;
    close(fd);
    errno = code;
    return -1;
}

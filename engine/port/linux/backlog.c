/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/backlog.h"

#include "engine/base/assert.h"
#include "engine/port/linux/access.h"
#include "engine/port/linux/fault.h"
#include "engine/port/linux/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG_MAX = SOMAXCONN };

static const pp_fault backlog_ok = {PIPEPORT_OK, 0};

static struct sockaddr_un backlog_address(const pp_backlog *backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, backlog->address, strlen(backlog->address) + 1);
    return address;
}

static int backlog_accept(const pp_backlog *backlog, int flags)
{
    int fd;
    do {
        fd = accept4(backlog->fd, NULL, NULL, flags);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static void backlog_drop_plug(pp_backlog *backlog)
{
    if (backlog->plug >= 0) {
        close(backlog->plug);
        backlog->plug = -1;
    }
}

/* Where it fails there is somebody in the queue already, or one client can come into it. */
static void backlog_put_plug(pp_backlog *backlog)
{
    struct sockaddr_un to = backlog_address(backlog);
    if (backlog->plug < 0) {
        backlog->plug = pp_socket_of_type(backlog->type);
    }
    backlog->plugged = backlog->plug >= 0 && connect(backlog->plug, (const struct sockaddr *) &to, sizeof to) == 0;
}

/* Our end first: its descriptor is the one that the other needs. */
static pp_fault backlog_pull_plug(pp_backlog *backlog)
{
    backlog_drop_plug(backlog);
    int fd = backlog_accept(backlog, SOCK_CLOEXEC);
    if (fd < 0 && errno != EAGAIN) {
        return pp_fault_from(errno);
    }
    if (fd >= 0) {
        close(fd);
    }
    backlog->plugged = false;
    return backlog_ok;
}

/* Gives the queue the length that goes with the room. */
static void backlog_fit(pp_backlog *backlog)
{
    uint32_t most = backlog->room > 2 ? backlog->room - 1 : 1;
    most = most < BACKLOG_MAX ? most : BACKLOG_MAX;
    if (backlog->length > most || backlog->length < most / 2) {
        backlog->length = most - most / 4;
        PP_VERIFY(listen(backlog->fd, (int) backlog->length - 1) == 0);
    }
}

/* Mode 0600: who may not write to a socket cannot connect to it (unix(7)). */
static pp_fault backlog_bind(const pp_backlog *backlog)
{
    struct sockaddr_un at = backlog_address(backlog);
    return fchmod(backlog->fd, S_IRUSR | S_IWUSR) == 0 &&
                   bind(backlog->fd, (const struct sockaddr *) &at, sizeof at) == 0
               ? backlog_ok
               : pp_fault_from(errno);
}

pp_fault pp_backlog_open(pp_backlog *backlog, const char *address, const pp_plan *plan)
{
    *backlog = (pp_backlog){
        .address = address, .type = plan->whole ? SOCK_SEQPACKET : SOCK_STREAM, .length = 1, .plug = -1};
    backlog->fd = pp_socket_of_type(backlog->type);
    if (backlog->fd < 0) {
        return pp_fault_from(errno);
    }
    pp_fault fault = backlog_bind(backlog);
    if (fault.status != PIPEPORT_OK) {
        goto close_socket;
    }
    fault = pp_access_grant(address, plan);
    if (fault.status == PIPEPORT_OK && listen(backlog->fd, 0) != 0) {
        fault = pp_fault_from(errno);
    }
    if (fault.status == PIPEPORT_OK) {
        return fault;
    }
    unlink(address);
close_socket:
    close(backlog->fd);
    return fault;
}

void pp_backlog_make_room(pp_backlog *backlog, uint32_t more)
{
    PP_ASSERT(more <= UINT32_MAX - backlog->room);
    backlog->room += more;
    if (backlog->plugged && backlog->room > 0) {
        (void) backlog_pull_plug(backlog); /* Where it fails, the next take tries again. */
    } else if (backlog->room > 1) {        /* One that was at hand, and is not needed for the next client. */
        backlog_drop_plug(backlog);
    }
    backlog_fit(backlog);
}

int pp_backlog_take(pp_backlog *backlog, int flags, pp_fault *fault)
{
    PP_ASSERT(backlog->room > 0);
    *fault = backlog->plugged ? backlog_pull_plug(backlog) : backlog_ok;
    if (fault->status != PIPEPORT_OK) {
        return -1;
    }
    if (backlog->room == 1 && backlog->plug < 0) { /* At hand before it is needed. */
        backlog->plug = pp_socket_of_type(backlog->type);
    }
    int fd = backlog_accept(backlog, flags);
    if (fd < 0 && errno == EMFILE && backlog->plug >= 0) { /* The last descriptor is rather a client's. */
        backlog_drop_plug(backlog);
        fd = backlog_accept(backlog, flags);
    }
    if (fd < 0) {
        *fault = pp_fault_from(errno);
        return -1;
    }
    backlog->room -= 1;
    backlog_fit(backlog);
    if (backlog->room == 0) {
        backlog_put_plug(backlog);
    }
    return fd;
}

/* Not left to close: a drainer that has not looked yet, or a forked child, may keep the socket open, and who waits to
 * be accepted would wait as long. Where there are no descriptors left it stays so. */
void pp_backlog_close(pp_backlog *backlog)
{
    int fd;
    (void) shutdown(backlog->fd, SHUT_RDWR); /* From now on nobody connects, so there is an end. */
    backlog_drop_plug(backlog);
    while ((fd = backlog_accept(backlog, SOCK_CLOEXEC)) >= 0) {
        close(fd);
    }
    close(backlog->fd);
}

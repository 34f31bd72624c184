/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/socket.h"

#include "engine/port/linux/fault.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SOCKET_PACKET_OWN_BYTES = 64 }; /* The kernel wants 32 beyond a packet's bytes. */

#if !defined(SO_PASSRIGHTS) && !defined(__sparc__) && !defined(__hppa__)
#define SO_PASSRIGHTS 83 /* Of the kernel's asm-generic/socket.h; older libraries lack it. */
#endif

/* What a listening socket has been told its connections are told by it. */
static void socket_take_no_files(int fd)
{
#ifdef SO_PASSRIGHTS
    int off = 0;
    (void) setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off); /* A kernel that knows it not says so. */
#else
    (void) fd;
#endif
}

int pp_socket_of_type(int type)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        socket_take_no_files(fd);
    }
    return fd;
}

int pp_socket_create(const pp_plan *plan)
{
    return pp_socket_of_type(plan->whole ? SOCK_SEQPACKET : SOCK_STREAM);
}

/* What SO_SNDBUF is asked for: the kernel doubles it (socket(7)). One packet has to fit in what it makes of it. */
static int socket_wish(const pp_plan *plan, bool is_server)
{
    uint32_t wished = is_server ? plan->out_bytes : plan->in_bytes;
    uint32_t needed = plan->whole ? plan->message_bytes_max / 2 + SOCKET_PACKET_OWN_BYTES : 0;
    wished = wished > needed ? wished : needed;
    return wished < INT_MAX ? (int) wished : INT_MAX;
}

bool pp_socket_has_room(int fd, const pp_plan *plan, bool is_server)
{
    int has;
    socklen_t size = sizeof has;
    int64_t wished = 2 * (int64_t) socket_wish(plan, is_server);
    return getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &has, &size) == 0 && has >= wished && has < 2 * wished;
}

/* The receiving buffer of a Unix socket is the sender's sending buffer: SO_RCVBUF would mean nothing. */
void pp_socket_make_room(int fd, const pp_plan *plan, bool is_server)
{
    int bytes = socket_wish(plan, is_server);
    (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

uint8_t pp_socket_suit(int fd, const pp_plan *plan, bool is_server)
{
    bool is_unread = plan->way == (is_server ? PP_WAY_TO_CLIENT : PP_WAY_TO_SERVER);
    uint8_t is = 0;
    if (plan->whole) {
        int on = 1;
        (void) setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on); /* It cannot fail on a Unix socket. */
        is = PP_SOCKET_WHOLE;
    }
    if (plan->way != PP_WAY_BOTH) { /* It fails where the peer has gone already: then nobody has to hear of it. */
        (void) shutdown(fd, is_unread ? SHUT_RD : SHUT_WR);
    }
    return is_unread ? is | PP_SOCKET_UNREAD : is;
}

pp_fault pp_socket_peer(int fd, pipeport_peer *out)
{
    struct ucred who;
    socklen_t bytes = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &bytes) != 0) {
        return pp_fault_from(errno);
    }
    pid_t session = who.pid > 0 ? getsid(who.pid) : 0; /* 0 would be our own. */
    *out = (pipeport_peer){.process_id = who.pid > 0 ? (uint32_t) who.pid : 0,
                           .session_id = session > 0 ? (uint32_t) session : 0};
    snprintf(out->user, sizeof out->user, "%lu", (unsigned long) who.uid);
    return (pp_fault){PIPEPORT_OK, 0};
}

/* Peeks at the next packet's length. False: an error, in errno. */
static bool socket_peek(int fd, size_t *bytes, bool *is_end)
{
    for (int resets = 0;;) {
        struct msghdr packet = {.msg_iov = NULL};
        ssize_t got = recvmsg(fd, &packet, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
        if (got >= 0) {
            *bytes = (size_t) got;
            *is_end = got == 0 && (packet.msg_flags & MSG_CTRUNC) == 0;
            return true;
        }
        if (errno != EINTR && (errno != ECONNRESET || resets++ > 0)) {
            return false;
        }
    }
}

/* The next packet: a room that is too short throws the rest of it away (recv(2)). -1: an error, in errno. */
static ssize_t socket_receive(int fd, const struct iovec *piece)
{
    ssize_t got;
    do {
        got = recv(fd, piece->iov_base, piece->iov_len, MSG_DONTWAIT);
    } while (got < 0 && (errno == EINTR || errno == ECONNRESET));
    return got;
}

void pp_socket_skip(int fd)
{
    char byte;
    (void) socket_receive(fd, &(struct iovec){&byte, sizeof byte});
}

pp_socket_got pp_socket_read_whole(int fd, const struct iovec *piece, pp_result *result)
{
    size_t bytes;
    bool is_end;
    ssize_t got = -1;
    *result = (pp_result){{PIPEPORT_OK, 0}, 0, 0};
    if (socket_peek(fd, &bytes, &is_end)) {
        if (is_end) {
            result->fault.status = PIPEPORT_GONE;
            return PP_SOCKET_ENDED;
        }
        if (bytes > piece->iov_len) {
            result->more = (uint32_t) bytes;
            return PP_SOCKET_GOT;
        }
        got = socket_receive(fd, piece);
    }
    if (got < 0 && errno == EAGAIN) {
        return PP_SOCKET_EMPTY;
    }
    if (got < 0) {
        result->fault = pp_fault_from(errno);
        return PP_SOCKET_ENDED;
    }
    result->bytes = (uint32_t) got;
    return PP_SOCKET_GOT;
}

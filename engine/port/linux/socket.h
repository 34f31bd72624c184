/* SPDX-License-Identifier: MIT */
/*
 * socket.h - a pipe's socket, made as its plan says: a stream, or (typed, whole) packets that are messages.
 *
 * Ways: shutdown(2) at the end that does not read, or does not write, is heard by the peer's end too, so that also a
 * peer that knows of no plan fails where it goes the wrong way.
 *
 * Packets: an end and a message of no bytes are both a receive of 0. So that they can be told apart, who receives asks
 * for the sender's credentials (SO_PASSCRED): with a packet they come always, also with one that was sent before, and
 * where nobody has given room for them MSG_CTRUNC says so; with the end comes nothing.
 *
 * Descriptors that a peer passes along (SCM_RIGHTS) are dropped. Where the kernel lets us (SO_PASSRIGHTS, Linux 6.16)
 * nobody can pass us any: to drop the last one of a file is to close it, and one that lingers, or is on a system that
 * does not answer, would hold up the worker.
 *
 * A peer that closes with something of ours unread leaves ECONNRESET, told once. A stream tells it behind what it sent
 * before, packets tell it in front of that: there it is no end.
 */
#ifndef PP_PORT_LINUX_SOCKET_H
#define PP_PORT_LINUX_SOCKET_H

#include "engine/port/pipe.h"

struct iovec;

/* What an open pipe is other than a stream that is read. Bits. */
enum {
    PP_SOCKET_WHOLE = 1, /* Each read and write is a message. */
    PP_SOCKET_UNREAD = 2 /* It is never read, and an await is for the peer's end alone. It may look ended to poll(2)
                            all its life (POLLIN, POLLRDHUP); only POLLHUP is the end. */
};

/* A non-blocking one of SOCK_STREAM or SOCK_SEQPACKET, or of the plan's, or -1 and errno. */
int pp_socket_of_type(int type);
int pp_socket_create(const pp_plan *plan);

/* Gives a connected one, the server's or the client's end, what the plan says. Answers the bits above. */
uint8_t pp_socket_suit(int fd, const pp_plan *plan, bool is_server);

/* A wish: room for what `is_server`'s end sends. Before connect, so that the first message finds it. */
void pp_socket_make_room(int fd, const pp_plan *plan, bool is_server);

/* True: a socket that nobody has asked for anything, as `fd`, has that room, and less than twice of it. Then asking
 * would be a system call of each connection for little. */
bool pp_socket_has_room(int fd, const pp_plan *plan, bool is_server);

/* Who connected, or who listened where it was dialled, as it was at that moment (SO_PEERCRED of unix(7)). */
pp_fault pp_socket_peer(int fd, pipeport_peer *out);

typedef enum pp_socket_got {
    PP_SOCKET_GOT,   /* *result: a message, or how long the next one is. */
    PP_SOCKET_EMPTY, /* Would have to wait. */
    PP_SOCKET_ENDED  /* *result: why, now and for good. */
} pp_socket_got;

/* Receives one packet that fits, or says how long it is and leaves it. Never blocks. */
pp_socket_got pp_socket_read_whole(int fd, const struct iovec *piece, pp_result *result);

/* Drops the packet that was left. Never blocks. */
void pp_socket_skip(int fd);

#endif

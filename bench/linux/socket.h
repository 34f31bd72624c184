/* SPDX-License-Identifier: MIT */
/*
 * socket.h - Unix stream sockets by path, as the bare loops and the load open them.
 */
#ifndef PIPEPORT_BENCH_LINUX_SOCKET_H
#define PIPEPORT_BENCH_LINUX_SOCKET_H

/* A listening socket that does not block, on an absolute path; what lies there is removed. Ends the program where that
 * fails. */
int socket_listen(const char *path);

/* A connection that blocks (a call can say otherwise with MSG_DONTWAIT), or -1 and errno. */
int socket_connect(const char *path);

#endif

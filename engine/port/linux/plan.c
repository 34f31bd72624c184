/* SPDX-License-Identifier: MIT */
/*
 * plan.c - what Linux can do of a plan.
 */
#include "engine/port/linux/gnu.h"

#include "engine/port/plan.h"

#include "engine/port/linux/socket.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PLAN_MESSAGE_BYTES_MAX = 4 * 1024 * 1024, /* A packet lies in memory without a gap: more the kernel rarely has. */
    PLAN_MESSAGE_BYTES_MIN = 1024
};

/* True: a packet of so many bytes goes from one to the other. What is sent is one page of zeros, again and again. */
static bool plan_passes(const int ends[2], uint32_t bytes)
{
    void *zeros = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (zeros == MAP_FAILED) {
        return false;
    }
    bool passes = send(ends[0], zeros, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t) bytes;
    if (passes) {
        char byte;
        passes = recv(ends[1], &byte, sizeof byte, MSG_DONTWAIT) == 1; /* The rest is dropped. */
    }
    munmap(zeros, bytes);
    return passes;
}

/* What the buffer takes that the system gives who asks for so much; 0: no such sockets. */
static uint32_t plan_ask(uint32_t wished)
{
    int ends[2], buffer = 0;
    socklen_t size = sizeof buffer;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return 0;
    }
    pp_socket_make_room(ends[0], &(pp_plan){.whole = true, .message_bytes_max = wished}, true);
    uint32_t bytes = 0;
    if (getsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &buffer, &size) == 0 && buffer > PLAN_MESSAGE_BYTES_MIN) {
        bytes = (uint32_t) buffer - 32;
        bytes = bytes < wished ? bytes : wished;
        while (bytes >= PLAN_MESSAGE_BYTES_MIN && !plan_passes(ends, bytes)) {
            bytes /= 2;
        }
    }
    close(ends[0]);
    close(ends[1]);
    return bytes;
}

uint32_t pp_plan_message_bytes_max(const pp_plan *plan)
{
    (void) plan;
    return plan_ask(PLAN_MESSAGE_BYTES_MAX);
}

static const char *plan_lacks_messages(const pp_plan *plan)
{
    if (plan->message_bytes_max > PLAN_MESSAGE_BYTES_MAX) {
        return "message_bytes_max: at most 4 MiB in framing MESSAGE on this system, which takes a packet "
               "(SOCK_SEQPACKET) whole";
    }
    if (plan->message_bytes_max > PLAN_MESSAGE_BYTES_MIN &&
        plan_ask(plan->message_bytes_max) < plan->message_bytes_max) {
        return "message_bytes_max: less in framing MESSAGE, or net.core.wmem_max (sysctl) at least half of it; this "
               "system takes no packet (SOCK_SEQPACKET) as long as that";
    }
    return NULL;
}

static const char *plan_lacks_access(const pp_plan *plan)
{
    switch ((pp_access) plan->access) {
    case PP_ACCESS_SDDL:
        return "access: OWNER, LOCAL_USERS or GROUP on this system; a Unix socket has no security descriptor";
    case PP_ACCESS_APP_CONTAINERS:
        return "access: OWNER, LOCAL_USERS or GROUP on this system; there are no app packages";
    case PP_ACCESS_OWNER:
    case PP_ACCESS_LOCAL_USERS:
    case PP_ACCESS_GROUP:
        break;
    }
    return NULL;
}

const char *pp_plan_lacks(const pp_plan *plan)
{
    if (plan->typed && !plan->whole) {
        return "type: BYTE, or 0, in every framing but MESSAGE; a pipe of messages (SOCK_SEQPACKET) is not read as "
               "bytes here";
    }
    if (plan->remote) {
        return "remote: 0 on this system; a Unix socket has no clients of other machines";
    }
    if (plan->server_user != NULL && plan->server_user[strspn(plan->server_user, "0123456789")] != '\0') {
        return "server_user: a uid in decimal digits on this system";
    }
    const char *lacks = plan_lacks_access(plan);
    return lacks != NULL || !plan->whole ? lacks : plan_lacks_messages(plan);
}

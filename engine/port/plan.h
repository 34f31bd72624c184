/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what a pipe is to be: of an ear, for all its instances; of a dial, for one end.
 *
 * Both ends say the same of way and messages. Zeroed it is a duplex pipe of bytes for its owner alone, with the
 * system's buffers. Page titles are Microsoft's.
 */
#ifndef PP_PORT_PLAN_H
#define PP_PORT_PLAN_H

#include "engine/base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum pp_way { PP_WAY_BOTH, PP_WAY_TO_SERVER, PP_WAY_TO_CLIENT } pp_way;

typedef enum pp_access {
    PP_ACCESS_OWNER,         /* The server's user; on Windows SYSTEM and Administrators too. */
    PP_ACCESS_LOCAL_USERS,   /* Who is logged on here: INTERACTIVE on Windows, mode 0666 on Linux (*). */
    PP_ACCESS_GROUP,         /* Linux: OWNER, and group `group`, mode 0660 (*). */
    PP_ACCESS_SDDL,          /* Windows: `sddl` ("Security Descriptor String Format"). */
    PP_ACCESS_APP_CONTAINERS /* Windows: OWNER, and all app packages (S-1-15-2-1). */
} pp_access;

/* (*) Only for a name that begins with '/': else pp_ear_open says INVALID, for the folder of bare names is the user's
 * alone. Who may come into the folder of that name is for its owner to say; as in any folder in which others may write,
 * clients do well to demand the server's user. */

typedef struct pp_plan {
    uint32_t in_bytes;  /* Asked of the system: for what goes to the server, */
    uint32_t out_bytes; /* and for what comes from it. */
    uint8_t way;        /* pp_way. A pipe is never read or written against it; it may be awaited. */
    bool typed;         /* Of message type: what one write wrote is one message (PIPE_TYPE_MESSAGE, SOCK_SEQPACKET). */
    bool whole;         /* Only typed: each read and write is a message (PIPE_READMODE_MESSAGE). */
    uint32_t message_bytes_max; /* Only whole: the longest that will be written. */

    /* An ear's. */
    bool remote;            /* Clients of other machines too (not PIPE_REJECT_REMOTE_CLIENTS). */
    uint8_t access;         /* pp_access */
    uint32_t group;         /* A gid. */
    const char *sddl;       /* UTF-8, needed until the ear is closed. */
    uint32_t instances_max; /* 1-253; 0: unlimited (PIPE_UNLIMITED_INSTANCES). */
    uint32_t wait_ms;       /* What "WaitNamedPipeW function" takes for its default; 0: 50. */

    /* A dial's. */
    uint32_t server_process; /* Connect to this process only; 0: to any. */
    const char *server_user; /* And to this user's, a SID or a uid as text; NULL: to anybody's. */
} pp_plan;

/* NULL: this system can do it. Else what it cannot, an English sentence that begins with the name of the option of
 * pipeport.h that asks for it, static. Any thread. */
const char *pp_plan_lacks(const pp_plan *plan);

/* The longest message that a plan with `whole` may name here at this moment, asked of the system; 0: none, so it lacks
 * them. Windows: 1 GiB. Linux: what net.core.wmem_max allows (twice that), 4 MiB at most. Any thread. */
uint32_t pp_plan_message_bytes_max(const pp_plan *plan);

#endif

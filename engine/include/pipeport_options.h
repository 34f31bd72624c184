/* SPDX-License-Identifier: MIT */
/*
 * pipeport_options.h - what an engine, a server or a client is told. A part of pipeport.h, which says how to read it.
 */
#ifndef PIPEPORT_OPTIONS_H
#define PIPEPORT_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "pipeport_framing.h"
#include "pipeport_status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The pipe. Page titles are of Microsoft's "CreateNamedPipeW function" where no other stands ---- */

typedef enum pipeport_direction {
    PIPEPORT_DUPLEX = 0,    /* PIPE_ACCESS_DUPLEX */
    PIPEPORT_TO_SERVER = 1, /* PIPE_ACCESS_INBOUND: sending to a client is UNSUPPORTED. */
    PIPEPORT_TO_CLIENT = 2  /* PIPE_ACCESS_OUTBOUND: sending to the server is UNSUPPORTED. */
} pipeport_direction;

typedef enum pipeport_type {
    PIPEPORT_TYPE_DEFAULT = 0, /* MESSAGE with that framing, else BYTE. */
    PIPEPORT_TYPE_BYTE = 1,    /* PIPE_TYPE_BYTE; a Unix stream socket. */
    PIPEPORT_TYPE_MESSAGE = 2  /* PIPE_TYPE_MESSAGE; a Unix socket of type SOCK_SEQPACKET, which needs framing MESSAGE.
                                  On Windows it may also be read as bytes, in any framing (PIPE_READMODE_BYTE). */
} pipeport_type;

typedef enum pipeport_access {
    PIPEPORT_ACCESS_OWNER = 0,       /* The server's user; on Windows SYSTEM and Administrators too. */
    PIPEPORT_ACCESS_LOCAL_USERS = 1, /* Everybody logged on here: Windows' INTERACTIVE; Linux' mode 0666 (a path). */
    PIPEPORT_ACCESS_GROUP = 2,       /* Linux: access_group too, mode 0660 (a path). Windows: UNSUPPORTED; see SDDL. */
    PIPEPORT_ACCESS_SDDL = 3, /* Windows: access_sddl, "Security Descriptor String Format". Linux: UNSUPPORTED. */
    PIPEPORT_ACCESS_APP_CONTAINERS = 4 /* Windows: OWNER, and all app packages (S-1-15-2-1). Linux: UNSUPPORTED. */
} pipeport_access;

/* ---- Options: set `size`, leave zero what shall take the default in [brackets] ---- */

#define PIPEPORT_HOST_THREADS UINT32_MAX

typedef struct pipeport_engine_options {
    size_t size;               /* sizeof(pipeport_engine_options), always. */
    uint32_t workers;          /* [one per processor] 1-64 threads of ours, or PIPEPORT_HOST_THREADS: none,
                                  and you lend yours with pipeport_engine_run. */
    uint64_t memory_bytes_max; /* [no bound] everything this engine allocates, queues and buffers together. */
    void (*log)(void *log_user, const char *line); /* [none] One line, no newline; from any thread; do not block. */
    void *log_user;
} pipeport_engine_options;

/* What becomes of a message for a connection whose send queue has no room for it (send_queue_bytes_max). Dropping the
 * oldest is none of these: what waits is the writer's alone. Who wants the newest only sends it at `drained`. */
typedef enum pipeport_when_full {
    PIPEPORT_REFUSE = 0, /* It is not queued; `drained` follows. A unicast answers FULL (sends_refused); a broadcast
                            passes this connection over (broadcasts_refused). */
    PIPEPORT_DROP_NEWEST = 1, /* The same, but a broadcast is lost for it without a word: no `drained` for its sake
                                 (broadcasts_dropped). For who will not send it again. */
    PIPEPORT_DISCONNECT = 2   /* The connection is aborted, and `closed` says SLOW_PEER (slow_peers). A unicast answers
                                 GONE. Who reads late never sees a gap. A close that was asked for before goes on. */
} pipeport_when_full;

/* Of a server or a client. Bounds on the peer's time are on its own: what it wrote or took in time counts, also where a
 * slow handler keeps the engine from seeing to it. */
typedef struct pipeport_options {
    size_t size;              /* sizeof(pipeport_options), always. */
    pipeport_framing framing; /* [4 bytes, little endian, in front of each message] The same at both ends. */
    /* [255] server: 1-1000000 open at one time. One more finds the name BUSY and waits. On Linux one client, no
     * more, may slip through in the instant in which the last place is taken: it is heard when another leaves. */
    uint32_t connections_max;
    uint32_t accepts_pending;   /* [8] server: 1-255 idle instances kept ready. */
    uint32_t message_bytes_max; /* [1 MiB; framing MESSAGE: what of it the system takes in one piece] 1-1 GiB of
                                   payload, both ways; checked before anything is allocated. */
    /* [4 MiB] per connection, headers counted; at least a frame of message_bytes_max. What the answers and broadcasts
     * of an event that runs will need may be counted ahead, at most a quarter of it, until that event's turn ends.
     * What a turn has read is answered before the answers leave (but for large ones): on Linux up to 128 KiB, and more
     * where much has waited for pipeport_resume. */
    uint32_t send_queue_bytes_max;
    /* The next three above 48 days (4147200000) count as 48 days. */
    uint32_t first_message_ms; /* [no bound] from opened to the first whole message; else closed, TIMED_OUT. */
    uint32_t idle_ms;          /* [no bound] without one byte from the peer; else closed, TIMED_OUT. */
    /* [30000] for one write to be taken by the peer; else closed, SLOW_PEER. UINT32_MAX: no bound; of a peer that only
     * ended its sending idle_ms is the bound then. One write has 256 KiB at most; with framing MESSAGE it is one whole
     * message. On Linux one that waits goes on when the socket says that it is writable: most of its buffer may have
     * to be free for that, so that a peer who reads less in all this time is slow too. */
    uint32_t write_stall_ms;
    uint32_t connect_ms; /* [5000] client: how long to wait while every instance is taken. */
    /* [0: never] client: 1-UINT32_MAX, how long to rest before it connects again; pipeport_client_start says when.
     * Rests double up to reconnect_max_ms [30000, or reconnect_ms if that is more], and each is drawn between a half of
     * that and all of it; they begin anew after a connection that lasted as long as the next rest would. On Windows a
     * host that is silent holds up a worker at each try (pipeport_client_start). */
    uint32_t reconnect_ms;
    uint32_t reconnect_max_ms;
    uint32_t pipe_buffer_bytes; /* [64 KiB] 512-16 MiB asked of the system, each way. On Linux a server does not ask
                                   where its sockets have so much by themselves, and less than twice as much. */
    uint32_t when_full;         /* [PIPEPORT_REFUSE] pipeport_when_full */

    /* Of the pipe; both ends must say the same of direction and type. */
    uint32_t direction; /* [DUPLEX] pipeport_direction. An end that may only write hears neither message nor
                           silence, so that it has no first_message_ms and no idle_ms. On Windows it hears of the
                           peer's end only when it writes. */
    uint32_t type;      /* [DEFAULT] pipeport_type. A client hears WRONG_TYPE of a server that is of the other one;
                           but on Windows one of BYTE also reads, as bytes, what a server of MESSAGE writes. */
    uint32_t in_buffer_bytes;  /* [pipe_buffer_bytes] 512-16 MiB, for what goes to the server. */
    uint32_t out_buffer_bytes; /* [pipe_buffer_bytes] 512-16 MiB, for what comes from it. */

    /* Of a server. */
    uint32_t instances_max;   /* [unlimited] 1-253 instances, as many connections at most. Linux counts them alike; to
                                 Windows one that was drained is an instance until its client closes its end too. */
    uint32_t default_wait_ms; /* [50] What "WaitNamedPipe function" takes for its default. Linux: no meaning. */
    uint32_t remote;          /* [0] 0 refuses clients of other machines (PIPE_REJECT_REMOTE_CLIENTS), 1 takes them.
                                 Linux: 1 is UNSUPPORTED. */
    uint32_t access;          /* [OWNER] pipeport_access */
    uint32_t access_group;    /* [0] With ACCESS_GROUP only: the gid. */
    uint32_t connections_per_process_max; /* [no bound] Of clients of one process; one more is turned away, as by the
                                             accept event. Those whose process the system does not tell are as one. */
    uint32_t connections_per_user_max;    /* [no bound] The same of one user. */
    const char *access_sddl; /* [none] With ACCESS_SDDL only: 1-2047 bytes, copied. Give the server's own user FA or
                                GRGW: the start hears DENIED where he lacks what the direction needs. */

    /* Of a client. */
    uint32_t server_process; /* [any] The server must be this process; else DENIED. */
    const char *server_user; /* [any] And this user's, a SID or a uid as text, 1-191 bytes, copied; else DENIED. */
} pipeport_options;

typedef enum pipeport_role { PIPEPORT_SERVER = 1, PIPEPORT_CLIENT = 2 } pipeport_role;

enum { PIPEPORT_TEXT_BYTES = 192 };

/* What a start would answer to these options (may be NULL), and a sentence about it that names the field, what it may
 * be and what it is, up to text_bytes - 1 of its bytes and a NUL (PIPEPORT_TEXT_BYTES hold any of them; "" where all is
 * well). A start that refuses says the same in the engine's log, and there alone what only the system can judge: of a
 * name, a group or an SDDL. Options of the other role must keep to their own bounds, and mean nothing.
 * Thread:  any.
 * Fails:   INVALID, UNSUPPORTED: as the start. */
PIPEPORT_API pipeport_status pipeport_options_check(const pipeport_options *options, pipeport_role role, char *text,
                                                    size_t text_bytes);

#ifdef __cplusplus
}
#endif

#endif

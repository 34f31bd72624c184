/* SPDX-License-Identifier: MIT */
/*
 * pipeport.h - servers and clients on named pipes, driven by a completion port.
 *
 * The shape of it. An engine is a completion port and the workers that drain it. Servers and clients live on an
 * engine, as many as you like. A connection is either end of a pipe; you hold its id, never its memory. Its messages
 * come to you whole and in order.
 *
 * The life of a connection, as you hear it:   opened, (message | drained | sent)*, closed
 * One connection's events never overlap; different connections speak in parallel on the engine's workers.
 *
 * Its parts, which come with it: pipeport_status.h, what can come back; pipeport_framing.h, where a message ends;
 * pipeport_options.h, what an engine, a server or a client is told.
 *
 * How to read them. Under each function stand the same lines; a line with nothing to say is left out.
 *   Owner:   who holds the memory before and after the call.
 *   Thread:  from where it may be called; "an event" is the inside of a pipeport_events function.
 *   Fails:   every status other than PIPEPORT_OK.
 * "No lock as a rule": none of ours, unless a connection ends while the call has it in hand, and the call is the last
 * to let go of it. Then it closes the pipe and makes room for the next one, under locks that are held for a few system
 * calls at most.
 * Sizes are in bytes, times in milliseconds. Facts about pipes are from Microsoft's pages "CreateNamedPipeW function",
 * "Named Pipe Operations" and "I/O Completion Ports"; about sockets from unix(7).
 */
#ifndef PIPEPORT_H
#define PIPEPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeport_framing.h"
#include "pipeport_options.h"
#include "pipeport_status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pipeport_engine pipeport_engine;
typedef struct pipeport_server pipeport_server;
typedef struct pipeport_client pipeport_client;
typedef struct pipeport_group pipeport_group;     /* Some connections of one server, under a name. */
typedef struct pipeport_message pipeport_message; /* One encoded message, counted; send it as often as you like. */
typedef struct pipeport_conn {
    uint64_t id; /* A seat and its generation, so that a stale id names nobody. 0 names no connection. */
} pipeport_conn;

/* ---- Events ---- */

enum { PIPEPORT_USER_BYTES = 192 };

/* Who is at the other end. */
typedef struct pipeport_peer {
    uint32_t process_id; /* 0: the system does not say (a client of another machine). Of who opened that end,
                            not of whoever has been given it since. */
    uint32_t session_id; /* Windows: "GetNamedPipeClientSessionId function". Linux: of the process, getsid(2);
                            0 where it is gone. */
    char user[PIPEPORT_USER_BYTES]; /* A SID or a uid as text, NUL-terminated; "" where the system does not say. */
} pipeport_peer;

/* How a connection ended. */
typedef struct pipeport_end {
    pipeport_status why; /* OK: closed by this side, all that was accepted is written. STOPPED: aborted by this side.
                            GONE: the peer ended it; one that only ended its sending (a socket of Linux that is shut
                            down, and reads on) has been written all that was accepted before, as by a drain.
                            TIMED_OUT, BAD_PEER, SLOW_PEER, NO_MEMORY, SYSTEM: as named. */
    long system_code;    /* The system's own code (GetLastError, errno), 0 where it has none to add. */
    uint64_t bytes_sent; /* Taken by the system, headers counted. */
    uint64_t bytes_received;  /* Given by the system, headers counted. */
    uint64_t bytes_discarded; /* Accepted by send or broadcast, but never written. */
} pipeport_end;

/* Any member may be NULL. Events run on the engine's workers (or on threads lent by pipeport_engine_run); no lock of
 * ours is held; everything here may be called from inside unless it says otherwise. An event that blocks holds one
 * worker, and delays what up to 63 other connections (Windows: 15) have to do whose completions came in the same batch.
 * On Linux each connection lives with one worker, so that it delays all of that worker's, also what many other threads
 * have just sent to them at a time (it is queued). So no event may wait for another one. */
typedef struct pipeport_events {
    size_t size; /* sizeof(pipeport_events), always. */
    void *user;

    /* First. What it returns comes back as `state`. Messages can be sent from here on. */
    void *(*opened)(void *user, pipeport_conn conn);

    /* One whole message, unless it is the reply that a pipeport_client_call waits for. Owner: `data` is lent until the
     * event returns; never NULL, also where length is 0. */
    void (*message)(void *user, void *state, pipeport_conn conn, const void *data, size_t length);

    /* Once after a FULL, or a broadcast refused: half of the send queue is free again. */
    void (*drained)(void *user, void *state, pipeport_conn conn);

    /* Exactly once and last, for every connection that was opened. */
    void (*closed)(void *user, void *state, pipeport_conn conn, const pipeport_end *end);

    /* Client only: it could not connect within connect_ms. At most once, and instead of all others. With reconnect_ms:
     * at most once before each `opened` (and after the last), at the first failure; it goes on trying. */
    void (*failed)(void *user, pipeport_status why, long system_code);

    /* Server only, before `opened` and before a byte of this client is read: may it stay? False closes it, and no more
     * is heard of it (accepts_refused); nor of one that goes, or finds the server stopping, just then. */
    bool (*accept)(void *user, const pipeport_peer *peer);

    /* So many bytes more, headers counted, were taken by the system. Several writes may be told as one; all that is
     * told is bytes_sent of the end, before `closed`. */
    void (*sent)(void *user, void *state, pipeport_conn conn, uint64_t bytes);
} pipeport_events;

/* ---- Engine ---- */

/* Creates a completion port and starts its workers.
 * On Linux fork before this, or only to exec: a child that goes on without has a copy of every socket, and a peer does
 * not hear of a close before the child has closed its own or ended. Of an engine a child can use nothing.
 * Owner:   the caller gets *out; give it to pipeport_engine_destroy. `options` may be NULL and is copied.
 * Thread:  any.
 * Fails:   INVALID (options.log is told why), NO_MEMORY, SYSTEM. */
PIPEPORT_API pipeport_status pipeport_engine_create(pipeport_engine **out, const pipeport_engine_options *options);

/* What drains its port, to be shown to people: "IOCP", "epoll" or "io_uring"; "" of NULL. Static. On Linux
 * PIPEPORT_LINUX_DRIVER in the environment chooses when an engine is created: epoll, uring or auto [auto, which is
 * epoll]; anything else is INVALID. Where the kernel refuses rings the engine takes epoll, and logs it. Thread: any. */
PIPEPORT_API const char *pipeport_engine_driver(const pipeport_engine *engine);

/* Lends this thread to the engine: events run inside. Returns after for_ms (UINT32_MAX: when the engine stops).
 * Windows: up to 64 threads at a time drain the port together, the engine's own counted. Linux: a pipe belongs to one
 * thread, so an engine of host threads has one of those that are lent at work, the others wait to follow it; one with
 * workers of its own has nothing for a lent thread, which waits.
 * Thread:  any but an event of this engine. An event of another engine may lend its thread; until this returns, that
 *          engine's worker is held by it, as by any event that blocks.
 * Fails:   INVALID (inside an event of this engine; Windows: too many threads), STOPPED (the engine is being
 *          destroyed). */
PIPEPORT_API pipeport_status pipeport_engine_run(pipeport_engine *engine, uint32_t for_ms);

/* Stops what still lives on the engine (abort), ends the workers, frees everything. Messages still held must have been
 * released, and threads lent must be able to come home: it waits for them. No other call on this engine may begin, or
 * be waiting in a stop, once it has begun.
 * Owner:   `engine` is gone when it answers OK. NULL is fine.
 * Thread:  any but an event of this engine.
 * Fails:   INVALID (inside an event; nothing was changed). */
PIPEPORT_API pipeport_status pipeport_engine_destroy(pipeport_engine *engine);

/* ---- Server ---- */

/* Claims `name` and accepts connections. A name is 1-200 bytes of UTF-8 without backslash, slash or control bytes; on
 * Windows it becomes \\.\pipe\NAME (given whole it is taken as it is) and does not end in a dot or a space, on Linux a
 * socket in a 0700 directory of the user (an absolute path is taken as it is; 107 bytes in all, unix(7)), and an empty
 * file .lock beside it; where something else lies at either the name is taken. The pipe is for its owner, SYSTEM and
 * Administrators; remote clients are refused; handles are not inherited.
 * Owner:   the caller gets *out; give it to pipeport_server_stop. Name, options (may be NULL), events are copied.
 * Thread:  any, events too.
 * Fails:   INVALID, UNSUPPORTED, NAME_TAKEN (Windows: also while a client keeps its end of a pipe that a server had
 *          drained, or that was open when its process ended), DENIED, NO_MEMORY, STOPPED, SYSTEM. */
PIPEPORT_API pipeport_status pipeport_server_start(pipeport_server **out, pipeport_engine *engine, const char *name,
                                                   const pipeport_options *options, const pipeport_events *events);

/* Stops accepting, then closes every connection: drained for up to drain_ms (0: aborted). Returns after the last
 * `closed`. Inside an event of the same engine it cannot wait: it begins the stop and returns; `closed` events follow.
 * Owner:   `server` is the engine's from the call on, in both cases: do not use it again. NULL is fine.
 * Thread:  any, events too. On an engine of host threads the caller drains the port while it waits. */
PIPEPORT_API void pipeport_server_stop(pipeport_server *server, uint32_t drain_ms);

/* The address clients use, as the system spells it. Owner: the server's, until it is stopped. Thread: any. */
PIPEPORT_API const char *pipeport_server_address(const pipeport_server *server);

/* ---- Client ---- */

/* Connects to `name`. While every instance is taken it goes on trying, without a thread, for connect_ms; then `failed`.
 * Otherwise the connection's life begins with `opened`, always on a worker.
 * With reconnect_ms it answers OK also where nobody serves the name yet, and connects again after every `failed` and
 * every `closed`, whoever ended the connection (pipeport_close too), until pipeport_client_stop. It has one connection
 * at a time, and each has its own id, `opened` and `closed`. Later failures of any kind are tried again.
 * Windows: a pipe of another machine (\\HOST\pipe\NAME) is opened inside this call, and inside a worker for each later
 * try; that waits for the network, 20 s and more where a host is silent, and connect_ms is no bound on it. Meanwhile
 * the thread serves nobody else: one in an event, too.
 * Owner:   the caller gets *out; give it to pipeport_client_stop. Name, options, events are copied; the latter two may
 *          be NULL.
 * Thread:  any, events too.
 * Fails:   INVALID, UNSUPPORTED, NO_SERVER, WRONG_TYPE, DENIED, NO_MEMORY, STOPPED, SYSTEM. */
PIPEPORT_API pipeport_status pipeport_client_start(pipeport_client **out, pipeport_engine *engine, const char *name,
                                                   const pipeport_options *options, const pipeport_events *events);

/* As pipeport_server_stop, for a client: it connects no more. */
PIPEPORT_API void pipeport_client_stop(pipeport_client *client, uint32_t drain_ms);

/* The present connection, to send on without waiting for `opened`: from shortly before that until `closed` (a stop
 * between the two ends it without either event). Its id is 0 while there is none. Thread: any, events too. */
PIPEPORT_API pipeport_conn pipeport_client_conn(const pipeport_client *client);

/* Room for a reply, and what came. */
typedef struct pipeport_reply {
    void *data;    /* NULL where room is 0. */
    size_t room;   /* In bytes. */
    size_t length; /* Of the reply, also of one that is TOO_LARGE; 0 where none came. */
} pipeport_reply;

/* Asks and waits: for its turn (a client has one call at a time, in the order in which they came), for a connection,
 * and for the reply, at most timeout_ms for all of it (UINT32_MAX: no bound). The reply is the next message of the
 * connection on which it asked, whatever that is: so the server is one that speaks only when it is asked, and this
 * client asks by calls alone. The reply goes here and not to `message`; everything else is told as ever.
 * Of a call that has asked and then timed out the reply could not be told from the next call's: so its connection is
 * aborted, and further calls need reconnect_ms. Nothing is asked twice.
 * Owner:   `data` is copied once; reply->data is written to until it returns.
 * Thread:  any but an event of this engine. On an engine of host threads the caller drains the port while it waits. A
 *          stop or an engine's end that comes meanwhile ends it; none may have begun before.
 * Fails:   INVALID (also: inside an event; timeout_ms 0), TOO_LARGE (the message; or the reply, which is lost, and the
 *          connection goes on), TIMED_OUT, GONE (the connection ended before the reply; without reconnect_ms also: it
 *          had ended before), FULL, STOPPED, NO_MEMORY, UNSUPPORTED (a pipe of one way); and what `failed` would say
 * where it could not connect in time: NO_SERVER, BUSY, WRONG_TYPE, DENIED, SYSTEM. */
PIPEPORT_API pipeport_status pipeport_client_call(pipeport_client *client, const void *data, size_t length,
                                                  pipeport_reply *reply, uint32_t timeout_ms);

/* ---- Sending ---- */

/* Queues one message to one peer. Messages of one thread to one peer arrive in call order, broadcasts included.
 * Owner:   `data` is copied, once, into the frame that will be written. On Linux an answer of 32 KiB or more, sent
 *          inside an event to its own connection, may be written from where it lies, and only the rest is copied.
 * Thread:  any, events too. No lock as a rule.
 * Fails:   INVALID (also: it would not arrive as one message, see the framings), TOO_LARGE, FULL, GONE, NO_MEMORY,
 *          UNSUPPORTED (against the pipe's direction). */
PIPEPORT_API pipeport_status pipeport_send(pipeport_engine *engine, pipeport_conn conn, const void *data,
                                           size_t length);

/* One message to every connection of a server that was open when the call began: one copy in memory whatever their
 * number, no allocation per receiver. `reached` (may be NULL) tells how many queues took it; a queue that was full did
 * not: what becomes of it is options.when_full. A connection is open shortly before its `opened`. A stop between the
 * two, of whatever drain_ms, ends it without any event: what was accepted for it may be discarded (bytes_discarded).
 * Thread:  any, events too. No lock as a rule.
 * Fails:   INVALID, TOO_LARGE, STOPPED, NO_MEMORY, UNSUPPORTED (against the pipe's direction). */
PIPEPORT_API pipeport_status pipeport_broadcast(pipeport_server *server, const void *data, size_t length,
                                                uint32_t *reached);

/* Build in place, send without a copy, to one or to all, more than once. *data is room for `length` bytes: fill it
 * before the first send and leave it alone after. It is encoded for `framing` (NULL: the default; copied), and can be
 * sent where that is the framing.
 * Owner:   the caller holds one count; give it to pipeport_message_release. Sending does not take it.
 * Thread:  any, events too.
 * Fails:   INVALID (also: too short to be one message), TOO_LARGE (above 1 GiB, or what the framing can say),
 *          NO_MEMORY. */
PIPEPORT_API pipeport_status pipeport_message_create(pipeport_message **out, pipeport_engine *engine,
                                                     const pipeport_framing *framing, size_t length, void **data);
PIPEPORT_API void pipeport_message_release(pipeport_message *message); /* Thread: any. NULL is fine. */

/* As pipeport_send and pipeport_broadcast, with a message built in place. */
PIPEPORT_API pipeport_status pipeport_send_message(pipeport_engine *engine, pipeport_conn conn,
                                                   pipeport_message *message);
PIPEPORT_API pipeport_status pipeport_broadcast_message(pipeport_server *server, pipeport_message *message,
                                                        uint32_t *reached);

/* ---- Groups: some connections of one server, under a name ---- */

enum { PIPEPORT_GROUPS_MAX = 4096, PIPEPORT_GROUP_NAME_BYTES_MAX = 255 };

/* The group of this name, made if the server has none. Names are compared byte by byte. Groups stay until the server
 * ends, so names that a peer can choose at will should be looked at first.
 * Owner:   *out is the server's: do not use it after giving the server to pipeport_server_stop.
 * Thread:  any, events too.
 * Fails:   INVALID (also a name of 0 or more than GROUP_NAME_BYTES_MAX bytes), FULL (GROUPS_MAX are there), STOPPED,
 *          NO_MEMORY. */
PIPEPORT_API pipeport_status pipeport_group_open(pipeport_group **out, pipeport_server *server, const char *name);

/* A group broadcast that begins after a join has returned reaches the connection, and after a leave does not. A
 * connection may be in many groups, and leaves them all by itself when it ends, before `closed`. Joining twice, and
 * leaving where it is not, is harmless. Who has left keeps a place of 16 bytes in later messages to the group until it
 * ends.
 * Thread:  any, events too.
 * Fails:   INVALID (also: the connection is not one of the group's server), GONE, NO_MEMORY (joining). */
PIPEPORT_API pipeport_status pipeport_group_join(pipeport_group *group, pipeport_conn conn);
PIPEPORT_API pipeport_status pipeport_group_leave(pipeport_group *group, pipeport_conn conn);

/* As pipeport_broadcast and pipeport_broadcast_message, to the members of a group only: it costs them, not everybody.
 * Who joins or leaves while it runs is reached once or not at all. */
PIPEPORT_API pipeport_status pipeport_group_broadcast(pipeport_group *group, const void *data, size_t length,
                                                      uint32_t *reached);
PIPEPORT_API pipeport_status pipeport_group_broadcast_message(pipeport_group *group, pipeport_message *message,
                                                              uint32_t *reached);

enum { PIPEPORT_MULTICAST_MAX = 1000000 };

typedef struct pipeport_conns {
    const pipeport_conn *list; /* May be NULL if `count` is 0. */
    size_t count;              /* 0-MULTICAST_MAX */
} pipeport_conns;

/* As pipeport_broadcast, to the connections of a list. Those that are gone, and those of another server or a client
 * (who may speak another framing), are not reached; who stands in it twice gets it twice.
 * Owner:   the list is the caller's, and read until the call returns. */
PIPEPORT_API pipeport_status pipeport_multicast(pipeport_server *server, const pipeport_conns *conns, const void *data,
                                                size_t length, uint32_t *reached);

/* ---- One connection ---- */

typedef enum pipeport_closing {
    PIPEPORT_DRAIN = 0, /* Write all that was accepted before this call, then close. Each write is bounded by
                           write_stall_ms; the whole is not, where the peer goes on taking one write after the other,
                           but by an abort, or a stop's drain_ms. */
    PIPEPORT_ABORT = 1  /* Close now; what waits is discarded and counted. What was written and not yet read is lost to
                           a server's client on Windows, and can still be read on Linux; so it is with every end of a
                           server's connection but OK and GONE. */
} pipeport_closing;

/* Closes a connection from this side. Sends after it answer GONE; no new `message` event begins after it returns
 * inside an event of that connection; `closed` follows. An abort overtakes a drain. Once the peer's end was heard the
 * connection drains by itself: then sends and another drain answer GONE.
 * Thread:  any, events too.
 * Fails:   INVALID, GONE. */
PIPEPORT_API pipeport_status pipeport_close(pipeport_engine *engine, pipeport_conn conn, pipeport_closing how);

/* Stops `message` events after the present one, and then reading, so that the peer is slowed down by its own full pipe.
 * While paused the peer's end is not heard: sends may answer GONE, and `closed` comes after the resume, behind what the
 * peer had sent. pipeport_resume goes on with what waits.
 * Thread:  any, events too.
 * Fails:   GONE. */
PIPEPORT_API pipeport_status pipeport_pause(pipeport_engine *engine, pipeport_conn conn);
PIPEPORT_API pipeport_status pipeport_resume(pipeport_engine *engine, pipeport_conn conn);

/* ---- Topics: two strings in one message, as .NET's BinaryWriter.Write(String) writes them (protocol/topic.h) ---- */

/* UTF-8, not ended by a NUL. Owner: lent by who holds the bytes; may be NULL where the length is 0, never when read. */
typedef struct pipeport_topic {
    const char *topic;
    size_t topic_length;
    const char *message;
    size_t message_length;
} pipeport_topic;

/* Finds them in a message that came; *out lies in it. `why` (may be NULL) is set where it is BAD_PEER: what is wrong,
 * half an English sentence, static. The connection goes on; close it if that shall end it.
 * Thread:  any; so all of these.
 * Fails:   INVALID, BAD_PEER (not exactly two strings of UTF-8). */
PIPEPORT_API pipeport_status pipeport_topic_read(const void *data, size_t length, pipeport_topic *out,
                                                 const char **why);

/* How long the message is that holds texts of these lengths; 0: longer than 1 GiB, the longest there is. */
PIPEPORT_API size_t pipeport_topic_bytes(size_t topic_length, size_t message_length);

/* Writes pipeport_topic_bytes bytes: what to send, or what to fill a message with that is built in place. The texts do
 * not lie in `room`.
 * Fails:   INVALID (also: not UTF-8), TOO_LARGE (above 1 GiB, or above room_bytes). Nothing is written then. */
PIPEPORT_API pipeport_status pipeport_topic_write(const pipeport_topic *topic, void *room, size_t room_bytes);

/* Who is at the other end. Asks the system, and does not block.
 * Thread:  any, events too; not in `accept`, which has no connection yet.
 * Fails:   INVALID, GONE (the connection; on some systems its peer too), SYSTEM. */
PIPEPORT_API pipeport_status pipeport_peer_of(pipeport_engine *engine, pipeport_conn conn, pipeport_peer *out);

/* The connections of a server that are open, in no order: *count is how many there are, and the first `room` of them
 * are in conns (may be NULL where room is 0). Those that come or go meanwhile may be among them or not. Those that
 * drain are; so are those whose `opened` is about to be told (or never is: see pipeport_broadcast).
 * Thread:  any, events too. No lock as a rule.
 * Fails:   INVALID. */
PIPEPORT_API pipeport_status pipeport_server_connections(pipeport_server *server, pipeport_conn *conns, size_t room,
                                                         size_t *count);

/* ---- Figures: each is exact by itself, the set is not one instant's. Messages that an event's own connection received
 * and sent, and the bytes accepted of them, are counted when its worker is through with it for now, at the latest
 * before `closed`. ---- */

/* Of a server or a client. */
typedef struct pipeport_stats {
    size_t size;                 /* sizeof(pipeport_stats), set by the caller. */
    uint64_t connections_open;   /* Now. */
    uint64_t connections_opened; /* `opened` events, ever. */
    uint64_t connections_closed; /* `closed` events, ever. */
    uint64_t accepts_refused;    /* Clients turned away, by `accept` or a bound on processes and users. */
    uint64_t accepts_failed;     /* Clients that came and went, and instances that could not be made. */
    uint64_t dials;              /* Of a client: tries to connect, ever. */
    uint64_t messages_sent;      /* Accepted by send or broadcast, once per receiver. */
    uint64_t messages_received;  /* `message` events, and replies. */
    uint64_t bytes_accepted; /* By send and broadcast; = bytes_sent + bytes_discarded once all is closed. What an event
                                sends to its own connection is added when it has ended, perhaps after bytes_sent. */
    uint64_t bytes_sent;
    uint64_t bytes_discarded;
    uint64_t bytes_received;
    uint64_t sends_refused;      /* FULL, answered to pipeport_send. */
    uint64_t broadcasts_refused; /* Full queues met by broadcasts where when_full is REFUSE, once per receiver. */
    uint64_t broadcasts_dropped; /* The same where it is DROP_NEWEST. */
    uint64_t slow_peers;         /* `closed` events that said SLOW_PEER, by write_stall_ms or DISCONNECT. */
} pipeport_stats;

/* Fails: INVALID. Thread: any. */
PIPEPORT_API pipeport_status pipeport_server_stats(const pipeport_server *server, pipeport_stats *stats);
PIPEPORT_API pipeport_status pipeport_client_stats(const pipeport_client *client, pipeport_stats *stats);

typedef struct pipeport_engine_figures {
    size_t size;                /* sizeof(pipeport_engine_figures), set by the caller. */
    uint64_t operations_armed;  /* Given to the system and pending, ever. */
    uint64_t operations_done;   /* Come back by the port, ever. */
    uint64_t allocations;       /* Blocks taken from the allocator, ever. */
    uint64_t frees;             /* Blocks given back, ever. */
    uint64_t memory_bytes;      /* Held now. */
    uint64_t memory_bytes_peak; /* Held at most. */
} pipeport_engine_figures;

/* Fails: INVALID. Thread: any. */
PIPEPORT_API pipeport_status pipeport_engine_stats(const pipeport_engine *engine, pipeport_engine_figures *figures);

#ifdef __cplusplus
}
#endif

#endif

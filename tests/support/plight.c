/* SPDX-License-Identifier: MIT */
#include "tests/support/plight.h"

#include "engine/api/client.h"
#include "engine/api/server.h"

#include <criterion/criterion.h>
#include <inttypes.h>

enum { PLIGHT_SHOWN_MAX = 12, PLIGHT_SEATS_MAX = 4096, PLIGHT_APART_MS = 300, PLIGHT_SEAT_PINS = (1 << 23) - 1 };

static uint64_t plight_moved[PLIGHT_SEATS_MAX]; /* What each seat's connection had moved when first looked at. */

static void plight_tell_threads(const pp_hub *hub)
{
    uint64_t armed, done;
    uint32_t workers = 0, busy = 0;
    for (uint32_t i = 0; i < PP_WORKERS_MAX; ++i) {
        workers += atomic_load(&hub->pool.threads[i]) != 0;
        busy += hub->pool.workers[i].first != NULL || hub->pool.workers[i].running.conn != NULL;
    }
    pp_port_count(hub->port, &armed, &done);
    uint64_t next_ms = atomic_load(&hub->deadlines.next_ms);
    cr_log_error("engine on %s: %" PRIu64 " operations armed, %" PRIu64 " done; %" PRIu32 " workers, %" PRIu32
                 " at work or with chores; the next deadline in %" PRId64 " ms",
                 pp_port_driver(hub->port), armed, done, workers, busy,
                 next_ms == UINT64_MAX ? INT64_C(-1) : (int64_t) (next_ms - pp_os_now_ms()));
}

static void plight_tell_listener(pp_listener *listener)
{
    uint32_t armed = 0;
    pp_lock_take(&listener->lock);
    for (uint32_t i = 0; i < listener->party->options.accepts_pending; ++i) {
        armed += listener->slots[i].armed;
    }
    cr_log_error("  accepts: %" PRIu32 " armed, %" PRIu32 " places of %" PRIu32 " taken%s%s", armed, listener->taken,
                 listener->party->options.connections_max, listener->resting ? ", resting" : "",
                 listener->stopping ? ", stopping" : "");
    pp_lock_give(&listener->lock);
}

static void plight_tell_tally(const char *who, const pp_tally *tally)
{
    cr_log_error("%s: %" PRIu64 " opened, %" PRIu64 " closed, %" PRIu64 " accepts failed; bytes: %" PRIu64
                 " accepted, %" PRIu64 " sent, %" PRIu64 " discarded, %" PRIu64 " received",
                 who, tally->opened, tally->closed, tally->accepts_failed, tally->bytes_accepted, tally->bytes_sent,
                 tally->bytes_discarded, tally->bytes_received);
}

/* Each server, the clients added up, and how many of these never connected. */
static void plight_tell_parties(pipeport_engine *engine)
{
    pp_tally clients = {.opened = 0};
    uint32_t never = 0;
    pp_lock_take(&engine->lock);
    for (pp_party *party = engine->parties; party; party = party->next) {
        const pp_tally *tally = &party->tally;
        if (party->members) {
            plight_tell_tally("server", tally);
            plight_tell_listener(&((pipeport_server *) party)->listener);
            continue;
        }
        never += tally->opened == 0;
        clients.opened += tally->opened;
        clients.closed += tally->closed;
        clients.bytes_accepted += tally->bytes_accepted;
        clients.bytes_sent += tally->bytes_sent;
        clients.bytes_discarded += tally->bytes_discarded;
        clients.bytes_received += tally->bytes_received;
    }
    pp_lock_give(&engine->lock);
    plight_tell_tally("clients that are not stopped", &clients);
    cr_log_error("  %" PRIu32 " clients never connected", never);
}

static bool plight_rests(const pp_conn *conn)
{
    return atomic_load(&conn->turn.word) == 0 && pp_sendq_is_idle(&conn->writer.sendq) && conn->reader.armed;
}

static void plight_tell_conn(const pp_conn *conn)
{
    const pp_sendq *sendq = &conn->writer.sendq;
    uint32_t since = atomic_load(&conn->writer.pending_since);
    cr_log_error("  a %s's %016" PRIx64 ": state %u, wish %u%s; turn %#" PRIx32 "; read %s; pump %s, %" PRIu32
                 " bytes queued, %" PRIu64 " sent, write pending for %" PRId64 " ms",
                 conn->party->members ? "server" : "client", pp_seat_id(&conn->seat), (unsigned) conn->state,
                 (unsigned) atomic_load(&conn->wish), atomic_load(&conn->paused) ? ", paused" : "",
                 atomic_load(&conn->turn.word), conn->reader.armed ? "armed" : "not armed",
                 pp_sendq_is_idle(sendq)     ? "idle"
                 : pp_sendq_is_sealed(sendq) ? "sealed"
                                             : "held",
                 atomic_load(&sendq->bytes), atomic_load(&conn->bytes_sent),
                 since ? (int64_t) ((uint32_t) pp_os_now_ms() - since) : INT64_C(-1));
}

/* The connection in a seat, or NULL: the seat is free. */
static const pp_conn *plight_conn(const pp_table *seats, uint32_t index)
{
    const pp_conn *conn = pp_table_at(seats, index);
    return atomic_load(&conn->seat.word) & PLIGHT_SEAT_PINS && conn->party ? conn : NULL;
}

/* Changes with every byte, and with who sits there. */
static uint64_t plight_moves(const pp_conn *conn)
{
    return pp_seat_id(&conn->seat) + atomic_load(&conn->bytes_sent) + conn->reader.bytes;
}

/* Two looks: who is at work has moved something between them, and who is forgotten has not. */
static void plight_tell_conns(const pp_table *seats)
{
    uint32_t count = atomic_load(&seats->count), taken = 0, rest = 0, stuck = 0;
    pp_gate shut;
    count = count < PLIGHT_SEATS_MAX ? count : PLIGHT_SEATS_MAX;
    for (uint32_t i = 0; i < count; ++i) {
        const pp_conn *conn = plight_conn(seats, i);
        plight_moved[i] = conn ? plight_moves(conn) : 0;
    }
    pp_gate_init(&shut, 1);
    (void) pp_gate_wait(&shut, PLIGHT_APART_MS);
    for (uint32_t i = 0; i < count; ++i) {
        const pp_conn *conn = plight_conn(seats, i);
        if (conn) {
            taken += 1;
            bool moved = plight_moves(conn) != plight_moved[i];
            rest += !moved && plight_rests(conn);
            if (!moved && !plight_rests(conn) && stuck++ < PLIGHT_SHOWN_MAX) {
                plight_tell_conn(conn);
            }
        }
    }
    cr_log_error("%" PRIu32 " connections; within %d ms %" PRIu32
                 " of them moved nothing but have something to do, %" PRIu32 " rested: no turn, no pump, a read armed",
                 taken, PLIGHT_APART_MS, stuck, rest);
}

void plight_tell(pipeport_engine *engine)
{
    plight_tell_threads(&engine->hub);
    plight_tell_conns(&engine->hub.roster.seats);
    plight_tell_parties(engine);
}

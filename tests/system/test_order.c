/* SPDX-License-Identifier: MIT */
/*
 * test_order.c - opened, (message | drained)*, closed: one connection's events never overlap, whatever foreign threads
 * do.
 *
 * 8 workers, handlers that take their time, clients that come and go, and 4 threads that send, pause, resume and close
 * at random. Each connection has a record that knows what it may hear next.
 */
#include "engine/port/os.h"
#include "tests/support/books.h"
#include "tests/support/expect.h"
#include "tests/support/random.h"
#include "tests/support/rig.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>

TestSuite(order, .timeout = 110);

enum { LIVES_MAX = 20000, CLIENTS = 16, THREADS = 4, ORDER_MS = 4000 };

typedef enum order_stage { STAGE_UNBORN, STAGE_OPEN, STAGE_CLOSED } order_stage;

typedef struct order_life { /* What one connection heard. */
    _Atomic bool inside;    /* An event is running. */
    _Atomic uint32_t stage;
    _Atomic uint64_t conn; /* 0 before and after. */
} order_life;

static struct {
    test_rig rig;
    char name[RIG_NAME_BYTES];
    order_life lives[LIVES_MAX];
    _Atomic uint32_t born;
    _Atomic uint64_t overlaps, drained, closed, messages;
    _Atomic uint64_t seed;
    _Atomic bool over;
} order;

static uint64_t order_random(void)
{
    uint64_t state = atomic_fetch_add(&order.seed, UINT64_C(0x9e3779b97f4a7c15));
    return test_random(&state);
}

/* A handler that computes: mostly shortly, sometimes for long. */
static void order_dawdle(void)
{
    uint64_t random = order_random();
    uint64_t until_ns = pp_os_now_ns() + (random % 64 == 0 ? 2000000 : random % 50000);
    while (pp_os_now_ns() < until_ns) {
    }
}

static void order_enter(order_life *life, order_stage expected)
{
    if (atomic_exchange(&life->inside, true)) {
        atomic_fetch_add(&order.overlaps, 1);
    }
    EXPECT(atomic_load(&life->stage) == (uint32_t) expected);
}

static void order_leave(order_life *life)
{
    order_dawdle();
    EXPECT(atomic_exchange(&life->inside, false));
}

static void *order_opened(void *user, pipeport_conn conn)
{
    uint32_t number = atomic_fetch_add(&order.born, 1);
    (void) user;
    if (number >= LIVES_MAX) {
        abort();
    }
    order_life *life = &order.lives[number];
    order_enter(life, STAGE_UNBORN);
    atomic_store(&life->conn, conn.id);
    (void) pipeport_send(order.rig.engine, conn, "hello", 5);
    (void) pipeport_send(order.rig.engine, conn, "you", 3);
    order_dawdle();
    atomic_store(&life->stage, STAGE_OPEN);
    order_leave(life);
    return life;
}

static void order_message(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    order_life *life = state;
    (void) user;
    order_enter(life, STAGE_OPEN);
    EXPECT(atomic_load(&life->conn) == conn.id);
    atomic_fetch_add(&order.messages, 1);
    if (!atomic_load(&order.over)) {
        (void) pipeport_send(order.rig.engine, conn, data, length);
    }
    if (order_random() % 300 == 0) { /* From inside, too. */
        (void) pipeport_close(order.rig.engine, conn, order_random() % 2 ? PIPEPORT_DRAIN : PIPEPORT_ABORT);
    }
    order_leave(life);
}

static void order_drained(void *user, void *state, pipeport_conn conn)
{
    order_life *life = state;
    (void) user;
    (void) conn;
    order_enter(life, STAGE_OPEN);
    atomic_fetch_add(&order.drained, 1);
    order_leave(life);
}

static void order_closed(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    order_life *life = state;
    _Atomic bool *gone = user;
    (void) end;
    order_enter(life, STAGE_OPEN);
    EXPECT(pipeport_send(order.rig.engine, conn, "x", 1) == PIPEPORT_GONE);
    atomic_store(&life->conn, 0);
    atomic_store(&life->stage, STAGE_CLOSED);
    atomic_fetch_add(&order.closed, 1);
    order_leave(life);
    if (gone) {
        atomic_store(gone, true);
    }
}

static pipeport_events order_events(void *user)
{
    return (pipeport_events){.size = sizeof(pipeport_events),
                             .user = user,
                             .opened = order_opened,
                             .message = order_message,
                             .drained = order_drained,
                             .closed = order_closed};
}

static void order_meddle(void *argument)
{
    static const char data[3000];
    (void) argument;
    while (!atomic_load(&order.over)) {
        uint32_t born = atomic_load(&order.born);
        uint64_t random = order_random();
        uint32_t recent = born < 4 * CLIENTS ? born : 4 * CLIENTS;
        uint64_t id = recent ? atomic_load(&order.lives[born - 1 - random % recent].conn) : 0;
        pipeport_conn conn = {id};
        switch (random >> 32 & 63) {
        case 0:
            (void) pipeport_close(order.rig.engine, conn, PIPEPORT_DRAIN);
            break;
        case 1:
            (void) pipeport_close(order.rig.engine, conn, PIPEPORT_ABORT);
            break;
        case 2:
        case 3:
        case 4:
            (void) pipeport_pause(order.rig.engine, conn);
            break;
        case 5:
        case 6:
        case 7:
        case 8:
        case 9:
            (void) pipeport_resume(order.rig.engine, conn);
            break;
        default:
            for (int i = 0; i < 4; ++i) {
                (void) pipeport_send(order.rig.engine, conn, data, (size_t) (random >> 40) % sizeof data);
            }
            order_dawdle();
            break;
        }
    }
}

/* It was a test at all. */
static bool order_is_tested(void)
{
    return order.born > 4 * CLIENTS && order.messages > 1000 && order.drained > 0;
}

/* Keeps CLIENTS clients alive: who has closed is replaced. For ORDER_MS, and until enough has happened. */
static void order_keep_clients(const pipeport_options *options)
{
    pipeport_client *clients[CLIENTS] = {0};
    _Atomic bool gone[CLIENTS];
    uint64_t until_ms = expect_until(ORDER_MS), patience_ms = expect_until(EXPECT_PATIENCE_MS);
    while ((pp_os_now_ms() < until_ms || (!order_is_tested() && pp_os_now_ms() < patience_ms)) &&
           order.born < LIVES_MAX - 4 * CLIENTS) {
        for (int i = 0; i < CLIENTS; ++i) {
            if (clients[i] && (atomic_load(&gone[i]) || order_random() % 200 == 0)) {
                pipeport_client_stop(clients[i], order_random() % 4 ? 0 : 20);
                clients[i] = NULL;
            }
            if (!clients[i]) {
                pipeport_events events = order_events(&gone[i]);
                atomic_store(&gone[i], false);
                EXPECT(pipeport_client_start(&clients[i], order.rig.engine, order.name, options, &events) ==
                       PIPEPORT_OK);
                books_watch_client(clients[i]);
            }
        }
        order_dawdle();
    }
    atomic_store(&order.over, true);
    for (int i = 0; i < CLIENTS; ++i) {
        pipeport_client_stop(clients[i], i % 2 ? 200 : 0);
    }
}

Test(order, events_of_one_connection_never_overlap_and_come_in_the_order_of_its_life)
{
    pipeport_options options = {.size = sizeof options, .message_bytes_max = 4000, .send_queue_bytes_max = 10000};
    pipeport_events events = order_events(NULL);
    pipeport_server *server;
    pp_thread threads[THREADS];
    uint64_t seed = test_seed();
    cr_log_info("PIPEPORT_TEST_SEED=%llu", (unsigned long long) seed);
    order.seed = seed;
    rig_name(order.name);
    rig_open(&order.rig, 8);
    cr_assert_eq(pipeport_server_start(&server, order.rig.engine, order.name, &options, &events), PIPEPORT_OK);
    books_watch_server(server);
    for (int i = 0; i < THREADS; ++i) {
        cr_assert_eq(pp_os_thread_start(&threads[i], order_meddle, NULL).status, PIPEPORT_OK);
    }
    order_keep_clients(&options);
    for (int i = 0; i < THREADS; ++i) {
        pp_os_thread_join(&threads[i]);
    }
    pipeport_server_stop(server, 100);
    uint32_t born = order.born;
    EXPECT(order.overlaps == 0);
    EXPECT(order.closed == born);
    for (uint32_t i = 0; i < born; ++i) {
        EXPECT(order.lives[i].stage == STAGE_CLOSED);
    }
    EXPECT(order_is_tested());
    cr_log_info("%u connections, %llu messages, %llu drained", born, (unsigned long long) order.messages,
                (unsigned long long) order.drained);
    rig_close(&order.rig);
}

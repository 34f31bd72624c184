/* SPDX-License-Identifier: MIT */
/* turn.c - see turn.h. */
#include "engine/conn/turn.h"

#include "engine/base/assert.h"

enum { TURN_LAPS_MAX = 8 }; /* Duties that come while it runs: so often, then others have their turn. */

void pp_turn_init(pp_turn *turn, pp_op_done *done, uint16_t home)
{
    *turn = (pp_turn){.op = {.done = done}};
    turn->op.home = home;
}

void pp_turn_summon(pp_turn *turn, const pp_turn_owner *owner, uint32_t duties, pp_worker *worker)
{
    PP_ASSERT(!(duties & PP_TURN_RUNNING));
    if (atomic_fetch_or(&turn->word, duties | PP_TURN_RUNNING) & PP_TURN_RUNNING) {
        return;
    }
    owner->pin(turn);
    if (worker) {
        pp_worker_defer(worker, &turn->op);
    } else {
        pp_port_post(owner->port(turn), &turn->op);
    }
}

void pp_turn_run(pp_turn *turn, const pp_turn_owner *owner, pp_worker *worker)
{
    uint32_t laps = 0;
    uint32_t expected = PP_TURN_RUNNING;
    bool was_behind = turn->behind;
    turn->behind = false;
    do {
        if (laps++ == TURN_LAPS_MAX) {
            pp_port_post(owner->port(turn), &turn->op);
            return;
        }
        uint32_t duties = atomic_exchange(&turn->word, PP_TURN_RUNNING) & ~(uint32_t) PP_TURN_RUNNING;
        worker->writes_ms = UINT64_MAX;
        pp_turn_rest rest = owner->run(turn, duties, worker);
        worker->writes_ms = 0;
        switch (rest) {
        case PP_TURN_NOTHING:
            break;
        case PP_TURN_BATCH_END:
            if (!was_behind) { /* Once, so that a worker's round ends however much comes in meanwhile. */
                turn->behind = true;
                pp_worker_defer(worker, &turn->op);
                return;
            }
            pp_port_post(owner->port(turn), &turn->op);
            return;
        case PP_TURN_LATER:
            pp_port_post(owner->port(turn), &turn->op);
            return;
        }
        expected = PP_TURN_RUNNING;
    } while (!atomic_compare_exchange_strong(&turn->word, &expected, 0));
    owner->unpin(turn, worker);
}

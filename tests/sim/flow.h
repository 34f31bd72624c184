/* SPDX-License-Identifier: MIT */
/*
 * flow.h - one direction of one link as the judge sees it: the frames that were written, whole and in part.
 */
#ifndef TESTS_SIM_FLOW_H
#define TESTS_SIM_FLOW_H

#include "tests/sim/judge.h"
#include "tests/sim/link.h"

#include <stddef.h>

typedef struct sim_frame {
    uint32_t length;
    uint64_t sum;
} sim_frame;

typedef struct sim_lane { /* What one thread has sent. */
    uint32_t thread;
    uint32_t serial; /* Of its last. */
} sim_lane;

typedef struct sim_flow {
    sim_frame *frames; /* Whole ones. */
    uint32_t count, room;
    uint32_t delivered;
    bool refused;     /* A length above the bound was written: nothing behind it counts. */
    uint32_t part;    /* Bytes of the frame in progress, its header counted. */
    uint8_t head[12]; /* Its header, and its serial. */
    uint32_t length;
    uint64_t sum;
    uint32_t short_ones; /* Too short for a serial. */
    uint32_t broadcasts; /* Written, long enough for one. */
    sim_lane *lanes;
    uint32_t lanes_count, lanes_room;
} sim_flow;

/* Offers: what somebody has asked an engine to send. */
typedef enum sim_offer_state { SIM_OFFERED, SIM_ACCEPTED, SIM_REFUSED } sim_offer_state;

typedef struct sim_offer {
    const sim_link *link; /* NULL: to more than one. */
    bool is_broadcast;    /* To this audience; else to who knows whom. */
    sim_audience audience;
    uint32_t side;
    uint32_t thread;
    uint32_t length;
    uint64_t sum;
    sim_offer_state state;
    bool written;
} sim_offer;

extern sim_offer *sim_offers;
extern uint32_t sim_offers_count;

void sim_flows_begin(void);

sim_flow *sim_flow_of(sim_link *link, uint32_t side);

/* Notes who offers what, and fills its content in. */
uint32_t sim_flow_offer(const sim_offer *offer, uint8_t *data);

/* The next `message` event of the side that reads this flow. */
void sim_flow_deliver(sim_flow *flow, const sim_link *link, const void *data, size_t length);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * flow.h - one direction of one link as the judge sees it: the frames that were written, whole and in part.
 *
 * They are read by dialect.h, byte after byte. Where a stream has no frames (NONE) those of an engine are told by their
 * tags, and what is delivered are bytes in any pieces: so they are kept until then.
 */
#ifndef TESTS_SIM_FLOW_H
#define TESTS_SIM_FLOW_H

#include "tests/sim/dialect.h"
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
    const sim_dialect *dialect;
    sim_frame *frames; /* Whole ones. */
    uint32_t count, room;
    uint32_t delivered;
    bool refused;  /* What breaks the framing or its bound was written: nothing behind it counts. */
    uint8_t *head; /* Of the frame in progress, until it is known how long it is. */
    uint32_t head_count, head_room;
    bool is_body;     /* It is known, */
    uint64_t left;    /* and so much is still to come. */
    uint32_t payload; /* Bytes of it that are delivered: all of them, or those of a line so far. */
    uint64_t sum;
    bool held; /* A line: its last byte may belong to its end. */
    uint8_t tag[SIM_TAG_BYTES];
    uint32_t tag_count;
    uint8_t *stream; /* NONE: written and not delivered. */
    size_t stream_count, stream_room;
    uint32_t short_ones; /* Too short for a tag. */
    uint32_t broadcasts; /* Written, long enough for one. */
    sim_lane *lanes;
    uint32_t lanes_count, lanes_room;
} sim_flow;

/* Offers: what somebody has asked an engine to send. */
typedef enum sim_offer_state { SIM_OFFERED, SIM_ACCEPTED, SIM_REFUSED } sim_offer_state;

typedef struct sim_offer {
    const sim_dialect *dialect;
    const sim_link *link; /* NULL: to more than one. */
    bool is_broadcast;    /* To this audience; else to who knows whom. */
    sim_audience audience;
    uint32_t side;
    uint32_t thread;
    uint32_t length;
    uint64_t sum;
    bool is_tagged;
    pipeport_status expected; /* OK, TOO_LARGE, INVALID: what becomes of it where nothing else is in its way. */
    sim_offer_state state;
    bool written;
} sim_offer;

extern sim_offer *sim_offers;
extern uint32_t sim_offers_count;

void sim_flows_begin(void);

sim_flow *sim_flow_of(sim_link *link, uint32_t side);

/* All that was written and is to be delivered has been. */
bool sim_flow_is_delivered(const sim_flow *flow);

/* Whether a server was asked to take the client of this link, and what it said. */
typedef enum sim_verdict { SIM_UNASKED, SIM_TAKEN, SIM_TURNED_AWAY } sim_verdict;
sim_verdict *sim_flow_verdict(sim_link *link);

/* Notes who offers what, and fills its content in. */
uint32_t sim_flow_offer(const sim_offer *offer, uint8_t *data);

/* The next `message` event of the side that reads this flow. */
void sim_flow_deliver(sim_flow *flow, const sim_link *link, const void *data, size_t length);

#endif

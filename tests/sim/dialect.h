/* SPDX-License-Identifier: MIT */
/*
 * dialect.h - how a server of this world and its clients speak: framing and direction, one for each name.
 *
 * What is a frame is worked out here and in tests/fuzz/naive_framing.h, without a line of protocol/: so the judge reads
 * the pipes by itself. The content of a message tells which offer it is (its tag), wherever there is room for that.
 */
#ifndef TESTS_SIM_DIALECT_H
#define TESTS_SIM_DIALECT_H

#include "engine/include/pipeport.h"
#include "protocol/framing.h"

#include <stdbool.h>
#include <stdint.h>

enum { SIM_DIALECTS = 5, SIM_TAG_BYTES = 8, SIM_HEAD_BYTES_MAX = 160 };

typedef struct sim_dialect {
    pipeport_framing framing; /* As an option. */
    pp_framing rule;          /* The same, for the naive reading. */
    pipeport_direction direction;
} sim_dialect;

/* New ones for this world; sim_message_bytes_max is drawn. */
void sim_dialects_draw(void);

/* Of a server's name, or of its address: "server-0" to "server-4". */
const sim_dialect *sim_dialect_of(const char *name);

/* One that the system tells from this one, by direction or type; or this one, if there is none. */
const sim_dialect *sim_dialect_other(const sim_dialect *dialect);

/* The same framing, however it is said? */
bool sim_dialect_is_like(const sim_dialect *one, const sim_dialect *other);

bool sim_dialect_is_deaf(const sim_dialect *dialect, bool is_server);
bool sim_dialect_is_mute(const sim_dialect *dialect, bool is_server);

/* A length near this one that can be sent, and that a judge can tell from others. */
uint32_t sim_dialect_fit(const sim_dialect *dialect, uint32_t length);

/* The content of a message to be sent, with its tag, if it has room for one; and what a send of it must answer, should
 * nothing else be in its way: OK, TOO_LARGE, INVALID. */
pipeport_status sim_dialect_fill(const sim_dialect *dialect, uint8_t *data, uint32_t length, uint32_t serial);

/* What must be answered to who wants to build one of this length, whatever it will hold. */
pipeport_status sim_dialect_creates(const sim_dialect *dialect, uint32_t length);

/* Whether messages of this length have a tag, and where. */
bool sim_dialect_is_tagged(const sim_dialect *dialect, uint32_t length, uint32_t *at);
uint32_t sim_dialect_read_tag(const sim_dialect *dialect, const uint8_t *tag);

/* What is written for a payload that can be sent. */
uint32_t sim_dialect_frame_bytes(const sim_dialect *dialect, uint32_t length);

/* A header of a client without the library, before `body` bytes; how long it is, at most SIM_HEAD_BYTES_MAX. */
uint32_t sim_dialect_head(const sim_dialect *dialect, uint8_t *head, uint32_t body);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * tally.h - a party's figures as the caller sees them.
 */
#ifndef PP_API_TALLY_H
#define PP_API_TALLY_H

#include "engine/conn/party.h"

/* Fails: INVALID. */
pipeport_status pp_tally_report(const pp_party *party, pipeport_stats *stats);

#endif

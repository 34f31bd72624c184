/* SPDX-License-Identifier: MIT */
/*
 * server.h - a server: a party with a listener, a group of members, and named groups of some of them.
 */
#ifndef PP_API_SERVER_H
#define PP_API_SERVER_H

#include "engine/api/engine.h"
#include "engine/api/options.h"
#include "engine/conn/listener.h"

struct pipeport_server {
    pp_party party; /* First: the party's callbacks find the server by it. */
    pipeport_engine *engine;
    pp_group members;
    pp_groups groups;
    pp_peers peers; /* In use where the party has them. */
    pp_listener listener;
    char address[PP_ADDRESS_BYTES_MAX];
    char sddl[PP_SDDL_BYTES_MAX]; /* What the options' one points at, if they have one. */
};

/* Whose group it is. */
pipeport_server *pp_server_of(const pipeport_group *group);

#endif

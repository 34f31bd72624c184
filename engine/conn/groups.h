/* SPDX-License-Identifier: MIT */
/*
 * groups.h - the named groups of a server, and which connection is in which.
 *
 * A group is a set that is walked without a lock (group.h). Everything else is done under one lock of the server's:
 * finding a group by its name, joining, leaving. What a connection has in groups is a list of places, found by the
 * index of its seat in a table beside the connections, which know nothing of it.
 *
 * A place is a connection's slot in one group, kept from the first join until the connection ends: who leaves rests in
 * it, and who joins again has it again. So a walk, which looks at each slot once, meets nobody twice, however often he
 * leaves and joins meanwhile. It costs a look at those who have left and are still connected.
 *
 * A join races with the end of its connection. The end shuts the seat and then takes the lock to forget all places; a
 * join looks at the seat under the lock. Whoever has the lock first: either the end finds the new place, or the join
 * finds the seat shut. So nothing is left in a group of who has gone, and the next one of his seat begins with nothing.
 *
 * A walk races with all of it, as group.h says: who is in the set from its begin to its end is met; an id that has left
 * the server is pinned by nobody. Groups are freed with their server, when no connection is left to be in one.
 */
#ifndef PP_CONN_GROUPS_H
#define PP_CONN_GROUPS_H

#include "engine/conn/group.h"
#include "engine/conn/roster.h"

typedef struct pp_groups pp_groups;
typedef struct pipeport_group pp_named_group;

struct pipeport_group {
    pp_groups *of;
    pp_group members;     /* Its own lock is not used. */
    pp_named_group *next; /* Under the lock. */
    char name[];          /* NUL-terminated. */
};

struct pp_groups {
    pp_memory *memory;
    pp_lock lock;          /* Of the rest, and of all joins and leaves. */
    pp_named_group *first; /* By no order. */
    uint32_t count;
    pp_table places; /* By seat: the first place of its connection, NULL: it has none. */
};

void pp_groups_init(pp_groups *groups, pp_memory *memory);
void pp_groups_fini(pp_groups *groups); /* Every connection was forgotten. */

/* The group of this name, made if there is none. Fails: INVALID (the name has 0 bytes, or more than allowed), FULL
 * (there are PIPEPORT_GROUPS_MAX), NO_MEMORY. */
pipeport_status pp_groups_open(pp_groups *groups, const char *name, pp_named_group **out);

/* With a pin on the seat, whose id that was. To join where one is, and to leave where one is not, changes nothing.
 * Fails: GONE (the seat is shut), NO_MEMORY. */
pipeport_status pp_groups_join(pp_named_group *group, const pp_seat *seat, uint64_t id);
void pp_groups_leave(pp_named_group *group, const pp_seat *seat);

/* The connection of this seat, which was shut before, leaves all groups for good. */
void pp_groups_forget(pp_groups *groups, const pp_seat *seat);

/* Tests: asserts what must hold between calls. The number of memberships. */
uint32_t pp_groups_check(pp_groups *groups);

#endif

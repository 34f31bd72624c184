/* SPDX-License-Identifier: MIT */
/*
 * access.h - who may connect to a listening socket's file besides its owner: who may write to it (unix(7)).
 *
 * The file is born with mode 0600. Opening it to others is asked of the file that was found and seen to be ours, not of
 * its name, since in a folder of others a name may change hands at any moment.
 */
#ifndef PP_PORT_LINUX_ACCESS_H
#define PP_PORT_LINUX_ACCESS_H

#include "engine/port/pipe.h"

/* INVALID: the access is for others, and the name is a bare one, whose folder is the owner's alone. */
pp_fault pp_access_check(const char *name, const pp_plan *plan);

/* Of the socket that is bound to `address`, and does not listen yet. Fails: DENIED (not a member of the group), SYSTEM.
 */
pp_fault pp_access_grant(const char *address, const pp_plan *plan);

#endif

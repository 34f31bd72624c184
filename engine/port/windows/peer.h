/* SPDX-License-Identifier: MIT */
/*
 * peer.h (Windows) - who is at the other end, and whether it is the server that a plan demands.
 *
 * A server's process is the one that made the instance ("GetNamedPipeServerProcessId function"). Its user is the owner
 * of the pipe, not of that process: a process's number may be somebody else's by the time it is looked up, and its
 * token is for those to read who may (a service's is closed to ordinary users); the owner stands with the pipe, and
 * nobody writes a name there that is not his but who has SeRestorePrivilege ("SetKernelObjectSecurity function",
 * "Securable Objects"). All instances of a name share the owner of the first one, so who demands a user trusts whoever
 * that user gave FILE_CREATE_PIPE_INSTANCE; an ear gives it to its user, SYSTEM and Administrators. An ear writes its
 * process's user as the owner, where Windows by itself writes Administrators for some of them.
 *
 * A peer's user is that of its process. ImpersonateNamedPipeClient would say it of the client's thread, but only after
 * a first message was read ("ImpersonateNamedPipeClient function"), and only of a client that allows it; so it is not
 * used. Of another machine's process the number means nothing here, and nothing is said of it.
 */
#ifndef PP_PORT_WINDOWS_PEER_H
#define PP_PORT_WINDOWS_PEER_H

#include "engine/base/status.h"
#include "engine/port/plan.h"
#include "engine/port/windows/win.h"

/* INVALID: the demand is none, its user no SID. Before anything is opened. */
pp_fault pp_peer_check_demand(const pp_plan *plan);

/* A client's handle, just opened: DENIED if it is not the server that the plan demands, or nobody can tell. */
pp_fault pp_peer_meet_demand(HANDLE client, const pp_plan *plan);

#endif

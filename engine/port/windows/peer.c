/* SPDX-License-Identifier: MIT */
#include "engine/port/windows/peer.h"

#include "engine/base/assert.h"
#include "engine/port/pipe.h"
#include "engine/port/windows/fault.h"
#include "engine/port/windows/sid.h"

#include <string.h>

enum { PEER_DESCRIPTOR_BYTES = SECURITY_DESCRIPTOR_MIN_LENGTH + SECURITY_MAX_SID_SIZE };

/* The system's own block, to be freed by LocalFree; NULL if the text is no SID. SIDs are of ASCII. The short names that
 * the call takes as well ("SID Strings") are none: some mean other accounts in another domain. */
static PSID peer_parse_sid(const char *text)
{
    PSID sid = NULL;
    return strncmp(text, "S-", 2) == 0 && ConvertStringSidToSidA(text, &sid) ? sid : NULL;
}

pp_fault pp_peer_check_demand(const pp_plan *plan)
{
    PSID sid = plan->server_user != NULL ? peer_parse_sid(plan->server_user) : NULL;
    bool is_none = plan->server_user != NULL && sid == NULL;
    LocalFree(sid);
    return (pp_fault){is_none ? PIPEPORT_INVALID : PIPEPORT_OK, is_none ? ERROR_INVALID_SID : 0};
}

static bool peer_is_owned_by(HANDLE pipe, const char *user)
{
    union {
        SECURITY_DESCRIPTOR_RELATIVE head; /* For the alignment. */
        unsigned char bytes[PEER_DESCRIPTOR_BYTES];
    } descriptor;
    DWORD bytes = 0;
    PSID owner = NULL;
    BOOL is_default;
    if (!GetKernelObjectSecurity(pipe, OWNER_SECURITY_INFORMATION, &descriptor, sizeof descriptor, &bytes) ||
        !GetSecurityDescriptorOwner(&descriptor, &owner, &is_default) || owner == NULL) {
        return false;
    }
    PSID demanded = peer_parse_sid(user);
    bool same = demanded != NULL && EqualSid(owner, demanded);
    LocalFree(demanded);
    return same;
}

/* Succeeds for another machine's pipes only ("GetFileInformationByHandleEx function", FileRemoteProtocolInfo). */
static bool peer_is_remote_server(HANDLE client)
{
    FILE_REMOTE_PROTOCOL_INFO info;
    return GetFileInformationByHandleEx(client, FileRemoteProtocolInfo, &info, sizeof info);
}

pp_fault pp_peer_meet_demand(HANDLE client, const pp_plan *plan)
{
    const pp_fault denied = {PIPEPORT_DENIED, ERROR_ACCESS_DENIED};
    ULONG process = 0;
    if (plan->server_process != 0 && (peer_is_remote_server(client) || !GetNamedPipeServerProcessId(client, &process) ||
                                      process != plan->server_process)) {
        return denied;
    }
    if (plan->server_user != NULL && !peer_is_owned_by(client, plan->server_user)) {
        return denied;
    }
    return (pp_fault){PIPEPORT_OK, 0};
}

/* "GetNamedPipeClientComputerNameW function": of a local client ERROR_PIPE_LOCAL. Wine has no such function, so that it
 * is looked for, and no remote clients. A name that does not fit is a remote one's too. */
static bool peer_is_remote_client(HANDLE instance)
{
    typedef BOOL WINAPI peer_computer_name(HANDLE pipe, LPWSTR name, ULONG bytes);
    FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "GetNamedPipeClientComputerNameW");
    if (found == NULL) {
        return false;
    }
    peer_computer_name *computer_name;
    memcpy(&computer_name, &found, sizeof computer_name);
    wchar_t name[MAX_COMPUTERNAME_LENGTH + 1];
    return computer_name(instance, name, sizeof name) || GetLastError() != ERROR_PIPE_LOCAL;
}

static void peer_find_user(pipeport_peer *peer)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, peer->process_id);
    if (process == NULL) {
        return; /* It has ended, or is not for us to look at. */
    }
    pp_sid sid;
    char *text;
    if (pp_sid_of_process(&sid, process) == ERROR_SUCCESS && ConvertSidToStringSidA(sid.user.User.Sid, &text)) {
        size_t length = strlen(text);
        if (length < sizeof peer->user) {
            memcpy(peer->user, text, length + 1);
        }
        LocalFree(text);
    }
    CloseHandle(process);
}

pp_fault pp_pipe_peer(const pp_pipe *pipe, bool accepted, pipeport_peer *out)
{
    PP_ASSERT(pipe->handle != PP_PIPE_CLOSED);
    HANDLE handle = (HANDLE) (intptr_t) pipe->handle;
    pipeport_peer peer;
    memset(&peer, 0, sizeof peer);
    ULONG number = 0;
    if (!(accepted ? GetNamedPipeClientProcessId(handle, &number) : GetNamedPipeServerProcessId(handle, &number))) {
        pp_fault fault = pp_fault_from(GetLastError());
        fault.status = fault.status == PIPEPORT_GONE ? PIPEPORT_GONE : PIPEPORT_SYSTEM;
        return fault;
    }
    if (accepted ? !peer_is_remote_client(handle) : !peer_is_remote_server(handle)) {
        peer.process_id = number;
        if (accepted ? GetNamedPipeClientSessionId(handle, &number) : GetNamedPipeServerSessionId(handle, &number)) {
            peer.session_id = number;
        }
        peer_find_user(&peer);
    }
    *out = peer;
    return (pp_fault){PIPEPORT_OK, 0};
}

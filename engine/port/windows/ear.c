/* SPDX-License-Identifier: MIT */
#include "engine/port/windows/ear.h"

#include "engine/port/windows/fault.h"
#include "engine/port/windows/modes.h"

enum {
    EAR_WAIT_MS = 50, /* What WaitNamedPipe takes for its default; the 0 that means the same on Windows is 0 in Wine. */
    EAR_LOOK_MS = 1   /* The shortest a WaitNamedPipe can be told. */
};

HANDLE pp_ear_instance(const pp_ear *ear, DWORD more_flags)
{
    const pp_plan *plan = &ear->plan;
    SECURITY_ATTRIBUTES attributes = ear->guard.attributes; /* The call wants it writable. */
    return CreateNamedPipeW(ear->name.path, pp_modes_open(plan) | FILE_FLAG_OVERLAPPED | more_flags,
                            pp_modes_pipe(plan), pp_modes_instances(plan), plan->out_bytes, plan->in_bytes,
                            plan->wait_ms != 0 ? plan->wait_ms : EAR_WAIT_MS, &attributes);
}

/* A server learns who we are, and cannot act as us. */
HANDLE pp_ear_reach(const wchar_t *path, const pp_plan *plan)
{
    return CreateFileW(path, pp_modes_rights(plan), 0, NULL, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
}

/* True: the name has instances, whoever made them. */
static bool ear_name_lives(const wchar_t *path)
{
    return WaitNamedPipeW(path, EAR_LOOK_MS) || GetLastError() == ERROR_SEM_TIMEOUT;
}

/* To Windows FILE_FLAG_FIRST_PIPE_INSTANCE is the claim, and a name that is taken answers ERROR_ACCESS_DENIED, as one
 * that is forbidden does; looking afterwards tells them apart. Wine ignores the flag; looking before makes up for it
 * but for two claims at the same instant. */
static pp_fault ear_claim(pp_ear *ear)
{
    const pp_fault taken = {PIPEPORT_NAME_TAKEN, ERROR_ACCESS_DENIED};
    if (ear_name_lives(ear->name.path)) {
        return taken;
    }
    ear->holder = pp_ear_instance(ear, FILE_FLAG_FIRST_PIPE_INSTANCE);
    if (ear->holder != INVALID_HANDLE_VALUE) {
        return (pp_fault){PIPEPORT_OK, 0};
    }
    DWORD code = GetLastError();
    if (code == ERROR_PIPE_BUSY || (code == ERROR_ACCESS_DENIED && ear_name_lives(ear->name.path))) {
        return taken;
    }
    return pp_fault_from(code);
}

/* Takes the holder out of every client's reach. A client that was faster than ours is cut off, and hears GONE; ours
 * then hears BUSY. Anything else says that the name cannot be reached, by its own user at that: ERROR_ACCESS_DENIED
 * that the list keeps him out, and further instances with him. DisconnectNamedPipe need not say so: Wine refuses it
 * where nobody is connected, ERROR_PIPE_LISTENING, but Windows may take it. */
static pp_fault ear_hold(pp_ear *ear)
{
    HANDLE own = pp_ear_reach(ear->name.path, &ear->plan);
    DWORD reach_code = own == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    DWORD code = DisconnectNamedPipe(ear->holder) ? ERROR_SUCCESS : GetLastError();
    if (own != INVALID_HANDLE_VALUE) {
        CloseHandle(own);
    }
    return pp_fault_from(reach_code != ERROR_SUCCESS && reach_code != ERROR_PIPE_BUSY ? reach_code : code);
}

pp_fault pp_ear_open(pp_ear **out, pp_port *port, pp_memory *memory, const char *name, const pp_plan *plan)
{
    (void) port; /* An accept's pipe brings it. */
    pp_ear *ear = pp_memory_take(memory, sizeof *ear);
    if (ear == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    *ear = (pp_ear){.memory = memory, .holder = INVALID_HANDLE_VALUE, .plan = *plan};
    pp_fault fault = {PIPEPORT_INVALID, 0};
    if (!pp_name_init(&ear->name, name) || ear->name.remote) {
        goto give_ear;
    }
    fault = pp_guard_init(&ear->guard, memory, plan);
    if (fault.status != PIPEPORT_OK) {
        goto give_ear;
    }
    fault = ear_claim(ear);
    if (fault.status != PIPEPORT_OK) {
        goto fini_guard;
    }
    fault = ear_hold(ear);
    if (fault.status != PIPEPORT_OK) {
        goto close_holder;
    }
    *out = ear;
    return fault;

close_holder:
    CloseHandle(ear->holder);
fini_guard:
    pp_guard_fini(&ear->guard);
give_ear:
    pp_memory_give(memory, ear, sizeof *ear);
    return fault;
}

/* Nobody is connected but to an instance that was armed for him. */
void pp_ear_make_room(pp_ear *ear, uint32_t more)
{
    (void) ear;
    (void) more;
}

void pp_ear_close(pp_ear *ear)
{
    CloseHandle(ear->holder);
    pp_guard_fini(&ear->guard);
    pp_memory_give(ear->memory, ear, sizeof *ear);
}

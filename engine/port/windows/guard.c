/* SPDX-License-Identifier: MIT */
#include "engine/port/windows/guard.h"

#include "engine/port/windows/fault.h"
#include "engine/port/windows/modes.h"
#include "engine/port/windows/sid.h"

#include <stdio.h>
#include <string.h>

enum {
    GUARD_SID_CHARS_MAX = 192, /* S-1-, an authority of 14 digits, and 15 numbers of 10 digits with their hyphens. */
    GUARD_TEXT_CHARS_MAX = 2 * GUARD_SID_CHARS_MAX + 128,
    GUARD_SDDL_BYTES_MAX = 65536
};

_Static_assert(((FILE_GENERIC_READ | FILE_WRITE_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES) &
                ~(DWORD) FILE_CREATE_PIPE_INSTANCE) == PP_GUARD_GUEST_RIGHTS,
               "a guest does all but make instances");

/* Whom a preset adds to its owner, as the text of a SID; NULL: nobody. */
static const wchar_t *guard_guest(const pp_plan *plan)
{
    switch ((pp_access) plan->access) {
    case PP_ACCESS_LOCAL_USERS:
        return L"IU"; /* INTERACTIVE, S-1-5-4 */
    case PP_ACCESS_APP_CONTAINERS:
        return L"S-1-15-2-1"; /* ALL APPLICATION PACKAGES */
    case PP_ACCESS_OWNER:
    case PP_ACCESS_GROUP:
    case PP_ACCESS_SDDL:
        break;
    }
    return NULL;
}

/* FA: all of a file's rights; its owner needs the one to make further instances. */
static DWORD guard_spell(wchar_t text[GUARD_TEXT_CHARS_MAX], const pp_plan *plan)
{
    pp_sid owner;
    DWORD code = pp_sid_of_process(&owner, GetCurrentProcess());
    if (code != ERROR_SUCCESS) {
        return code;
    }
    wchar_t *sid;
    if (!ConvertSidToStringSidW(owner.user.User.Sid, &sid)) {
        return GetLastError();
    }
    wchar_t more[64] = L"";
    const wchar_t *guest = guard_guest(plan);
    int chars = guest == NULL ? 0 : _snwprintf(more, 64, L"(A;;0x%lx;;;%ls)", (long) PP_GUARD_GUEST_RIGHTS, guest);
    if (chars >= 0 && chars < 64) {
        chars = _snwprintf(text, GUARD_TEXT_CHARS_MAX, L"O:%lsD:P(A;;FA;;;%ls)(A;;FA;;;SY)(A;;FA;;;BA)%ls", sid, sid,
                           more);
    }
    LocalFree(sid);
    return chars > 0 && chars < GUARD_TEXT_CHARS_MAX ? ERROR_SUCCESS : ERROR_INVALID_SID;
}

static pp_fault guard_by_preset(PSECURITY_DESCRIPTOR *descriptor, const pp_plan *plan)
{
    wchar_t text[GUARD_TEXT_CHARS_MAX];
    DWORD code = guard_spell(text, plan);
    if (code == ERROR_SUCCESS &&
        !ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, descriptor, NULL)) {
        code = GetLastError();
    }
    return pp_fault_from(code);
}

/* What the system finds wrong with somebody's text is his mistake. */
static pp_fault guard_text_fault(DWORD code)
{
    pp_fault fault = pp_fault_from(code);
    fault.status = fault.status == PIPEPORT_NO_MEMORY ? PIPEPORT_NO_MEMORY : PIPEPORT_INVALID;
    return fault;
}

/* "SECURITY_DESCRIPTOR_CONTROL": with SE_DACL_PROTECTED nothing is inherited. */
static pp_fault guard_protect(PSECURITY_DESCRIPTOR descriptor)
{
    BOOL present = FALSE, is_default = FALSE;
    PACL list = NULL;
    if (!GetSecurityDescriptorDacl(descriptor, &present, &list, &is_default) || !present || list == NULL) {
        return (pp_fault){PIPEPORT_INVALID, ERROR_INVALID_ACL};
    }
    if (!SetSecurityDescriptorControl(descriptor, SE_DACL_PROTECTED, SE_DACL_PROTECTED)) {
        return pp_fault_from(GetLastError());
    }
    return (pp_fault){PIPEPORT_OK, 0};
}

/* By value: nobody writes it, but the calls want it writable. */
static GENERIC_MAPPING guard_rights(void)
{
    return (GENERIC_MAPPING){FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};
}

/* A text may say GA; the system makes the file's own rights of it when a pipe is made, "AccessCheck function" does not.
 * Every kind of entry has its rights at the same place. */
static void guard_map_rights(PACL list)
{
    GENERIC_MAPPING rights = guard_rights();
    for (DWORD i = 0; i < list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *entry;
        if (GetAce(list, i, (void **) &entry)) {
            MapGenericMask(&entry->Mask, &rights);
        }
    }
}

/* False: the list keeps this right from the process's user. Where nobody can tell it is true: the system will say. */
static bool guard_lets_in(PACL list, HANDLE token, DWORD rights)
{
    pp_sid self;
    SECURITY_DESCRIPTOR whole; /* With an owner and a group, which a text need not have. */
    PRIVILEGE_SET privileges;
    GENERIC_MAPPING mapping = guard_rights();
    DWORD bytes = sizeof privileges, granted = 0;
    BOOL is_in = TRUE;
    bool is_known = pp_sid_of_process(&self, GetCurrentProcess()) == ERROR_SUCCESS &&
                    InitializeSecurityDescriptor(&whole, SECURITY_DESCRIPTOR_REVISION) &&
                    SetSecurityDescriptorOwner(&whole, self.user.User.Sid, FALSE) &&
                    SetSecurityDescriptorGroup(&whole, self.user.User.Sid, FALSE) &&
                    SetSecurityDescriptorDacl(&whole, TRUE, list, FALSE) &&
                    AccessCheck(&whole, token, rights, &mapping, &privileges, &bytes, &granted, &is_in);
    return !is_known || is_in;
}

/* "Named Pipe Security and Access Rights": an end that reads is opened with GENERIC_READ, one that writes with
 * GENERIC_WRITE, which are attributes, extended attributes and READ_CONTROL too; an instance that is not the first
 * needs FILE_CREATE_PIPE_INSTANCE as well. The ear also dials its own first instance (ear_hold). */
static DWORD guard_own_rights(const pp_plan *plan)
{
    GENERIC_MAPPING mapping = guard_rights();
    DWORD rights = pp_modes_rights(plan) | FILE_CREATE_PIPE_INSTANCE | SYNCHRONIZE |
                   (plan->way != PP_WAY_TO_CLIENT ? GENERIC_READ : 0) |
                   (plan->way != PP_WAY_TO_SERVER ? GENERIC_WRITE : 0);
    MapGenericMask(&rights, &mapping);
    return rights;
}

/* The system makes the first instance for anybody, and refuses the second to whom the list refuses it: then there would
 * be a server that nobody can reach. */
static pp_fault guard_check_self(PSECURITY_DESCRIPTOR descriptor, const pp_plan *plan)
{
    BOOL present = FALSE, is_default = FALSE, is_in = TRUE;
    PACL list = NULL;
    HANDLE token, own;
    if (GetSecurityDescriptorDacl(descriptor, &present, &list, &is_default) && present && list != NULL &&
        OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &token)) {
        guard_map_rights(list);
        if (DuplicateToken(token, SecurityIdentification, &own)) {
            is_in = guard_lets_in(list, own, guard_own_rights(plan));
            CloseHandle(own);
        }
        CloseHandle(token);
    }
    return (pp_fault){is_in ? PIPEPORT_OK : PIPEPORT_DENIED, is_in ? 0 : ERROR_ACCESS_DENIED};
}

static pp_fault guard_by_text(PSECURITY_DESCRIPTOR *descriptor, pp_memory *memory, const char *sddl)
{
    size_t bytes = sddl == NULL ? 0 : strnlen(sddl, GUARD_SDDL_BYTES_MAX);
    if (bytes == 0 || bytes == GUARD_SDDL_BYTES_MAX) {
        return (pp_fault){PIPEPORT_INVALID, ERROR_INVALID_PARAMETER};
    }
    size_t wide_bytes = (bytes + 1) * sizeof(wchar_t); /* Never more units than bytes. */
    wchar_t *wide = pp_memory_take(memory, wide_bytes);
    if (wide == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    pp_fault fault = {PIPEPORT_OK, 0};
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, sddl, -1, wide, (int) (bytes + 1)) == 0 ||
        !ConvertStringSecurityDescriptorToSecurityDescriptorW(wide, SDDL_REVISION_1, descriptor, NULL)) {
        fault = guard_text_fault(GetLastError());
    }
    pp_memory_give(memory, wide, wide_bytes);
    return fault;
}

pp_fault pp_guard_init(pp_guard *guard, pp_memory *memory, const pp_plan *plan)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    pp_fault fault = plan->access == PP_ACCESS_SDDL ? guard_by_text(&descriptor, memory, plan->sddl)
                                                    : guard_by_preset(&descriptor, plan);
    if (fault.status == PIPEPORT_OK) {
        fault = guard_protect(descriptor);
    }
    if (fault.status == PIPEPORT_OK && plan->access == PP_ACCESS_SDDL) {
        fault = guard_check_self(descriptor, plan);
    }
    if (fault.status != PIPEPORT_OK) {
        LocalFree(descriptor);
        return fault;
    }
    guard->attributes = (SECURITY_ATTRIBUTES){
        .nLength = sizeof guard->attributes, .lpSecurityDescriptor = descriptor, .bInheritHandle = FALSE};
    return fault;
}

void pp_guard_fini(pp_guard *guard)
{
    LocalFree(guard->attributes.lpSecurityDescriptor);
}

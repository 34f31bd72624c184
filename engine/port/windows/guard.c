/* SPDX-License-Identifier: MIT */
#include "engine/port/windows/guard.h"

#include "engine/port/windows/fault.h"

#include <stdio.h>
#include <string.h>

enum {
    GUARD_SID_CHARS_MAX = 192, /* S-1-, an authority of 14 digits, and 15 numbers of 10 digits with their hyphens. */
    GUARD_TEXT_CHARS_MAX = GUARD_SID_CHARS_MAX + 64
};

typedef union guard_user {
    TOKEN_USER user;
    unsigned char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
} guard_user;

/* Whose process this is, also while the calling thread wears somebody else's token. */
static DWORD guard_find_user(guard_user *found)
{
    HANDLE token;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        return GetLastError();
    }
    DWORD bytes = 0;
    DWORD code = GetTokenInformation(token, TokenUser, found, sizeof *found, &bytes) ? ERROR_SUCCESS : GetLastError();
    CloseHandle(token);
    return code;
}

/* FA: all of a file's rights; its owner needs the one to make further instances. */
static DWORD guard_spell(wchar_t text[GUARD_TEXT_CHARS_MAX], const guard_user *owner)
{
    wchar_t *sid;
    if (!ConvertSidToStringSidW(owner->user.User.Sid, &sid)) {
        return GetLastError();
    }
    int chars = _snwprintf(text, GUARD_TEXT_CHARS_MAX, L"D:P(A;;FA;;;%ls)(A;;FA;;;SY)(A;;FA;;;BA)", sid);
    LocalFree(sid);
    return chars > 0 && chars < GUARD_TEXT_CHARS_MAX ? ERROR_SUCCESS : ERROR_INVALID_SID;
}

pp_fault pp_guard_init(pp_guard *guard)
{
    guard_user owner;
    memset(&owner, 0, sizeof owner);
    wchar_t text[GUARD_TEXT_CHARS_MAX];
    DWORD code = guard_find_user(&owner);
    if (code == ERROR_SUCCESS) {
        code = guard_spell(text, &owner);
    }
    PSECURITY_DESCRIPTOR descriptor = NULL;
    if (code == ERROR_SUCCESS &&
        !ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &descriptor, NULL)) {
        code = GetLastError();
    }
    guard->attributes = (SECURITY_ATTRIBUTES){
        .nLength = sizeof guard->attributes, .lpSecurityDescriptor = descriptor, .bInheritHandle = FALSE};
    return pp_fault_from(code);
}

void pp_guard_fini(pp_guard *guard)
{
    LocalFree(guard->attributes.lpSecurityDescriptor);
}

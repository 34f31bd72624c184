/* SPDX-License-Identifier: MIT */
#include "engine/port/windows/sid.h"

#include <string.h>

DWORD pp_sid_of_process(pp_sid *sid, HANDLE process)
{
    memset(sid, 0, sizeof *sid);
    HANDLE token;
    if (!OpenProcessToken(process, TOKEN_QUERY, &token)) {
        return GetLastError();
    }
    DWORD bytes = 0;
    DWORD code = GetTokenInformation(token, TokenUser, sid, sizeof *sid, &bytes) ? ERROR_SUCCESS : GetLastError();
    CloseHandle(token);
    return code;
}

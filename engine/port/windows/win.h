/* SPDX-License-Identifier: MIT */
/*
 * win.h - the only door to the headers of Windows. Windows 10 is the oldest system asked for.
 */
#ifndef PP_PORT_WINDOWS_WIN_H
#define PP_PORT_WINDOWS_WIN_H

#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif

#include <windows.h>

#include <sddl.h>
#include <winternl.h>

#endif

/* SPDX-License-Identifier: MIT */
/*
 * win.h - the door to the system for the bare loops: which Windows they ask for, and nothing of it they do not use.
 */
#ifndef PIPEPORT_BENCH_WIN_H
#define PIPEPORT_BENCH_WIN_H

#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0602 /* Windows 8, as the library. */
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#endif

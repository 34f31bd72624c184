/* SPDX-License-Identifier: MIT */
/*
 * name.h - a pipe's name, NAME or \\.\pipe\NAME, or one of another machine's, \\HOST\pipe\NAME, which only clients
 * have a use for; spelled for people (UTF-8) and for the system (UTF-16).
 */
#ifndef PP_PORT_WINDOWS_NAME_H
#define PP_PORT_WINDOWS_NAME_H

#include "engine/port/pipe.h"

#include <stdbool.h>
#include <wchar.h>

typedef struct pp_name {
    char address[PP_ADDRESS_BYTES_MAX]; /* \\.\pipe\NAME or \\HOST\pipe\NAME, NUL-terminated. */
    wchar_t path[PP_ADDRESS_BYTES_MAX]; /* The same in UTF-16, never longer in units than the address in bytes. */
    bool remote;                        /* It names a host, perhaps this one. */
} pp_name;

/* False: it is no name, see pipeport_server_start. A name that ends in a dot or a space is none either, for Windows
 * trims both and would take it for another name ("Naming Files, Paths, and Namespaces"). */
bool pp_name_init(pp_name *name, const char *text);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * address.h - where a name lives in the file system.
 *
 * A bare name is a socket in a directory that is this user's alone: $XDG_RUNTIME_DIR/pipeport where that is a directory
 * of the user's, else pipeport-UID in $TMPDIR or /tmp. A name that begins with '/' is its own address. An address is at
 * most 107 bytes: sun_path of unix(7) with its NUL.
 */
#ifndef PP_PORT_LINUX_ADDRESS_H
#define PP_PORT_LINUX_ADDRESS_H

#include "engine/port/pipe.h"

#include <stdbool.h>

/* Sees to it that the directory of a bare name's address is the user's and nobody else's (mode 0700), and makes it if
 * `make` and it is not there: in a directory of somebody else's, the server could be anybody. Nothing to do for '/'.
 * Fails: NO_SERVER (not there), DENIED, SYSTEM. */
pp_fault pp_address_secure(const char *name, bool make);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * pipe.h (Windows) - the second half of an accept, apart from the first, so that a test can come between them as a
 * client may.
 */
#ifndef PP_PORT_WINDOWS_PIPE_H
#define PP_PORT_WINDOWS_PIPE_H

#include "engine/port/pipe.h"
#include "engine/port/windows/win.h"

/* As pp_pipe_accept, on an instance made before, which is the pipe's from now on; whole: it has messages of its own. */
pp_armed pp_pipe_accept_on(pp_pipe *pipe, HANDLE instance, bool whole, pp_op *op, pp_result *now);

#endif

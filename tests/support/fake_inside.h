/* SPDX-License-Identifier: MIT */
/*
 * fake_inside.h - what the parts of the fake port share; see fake_port.h.
 */
#ifndef TESTS_SUPPORT_FAKE_INSIDE_H
#define TESTS_SUPPORT_FAKE_INSIDE_H

#include "tests/support/fake_port.h"

extern const pp_fault fake_ok;

/* Guards what is finished and what is armed. */
void fake_lock_take(void);
void fake_lock_give(void);

/* Under the lock: comes out of the next take. */
void fake_finish(pp_op *op, pp_result result);

/* Under the lock: it has finished, and no take has brought it. */
bool fake_has_queued(const pp_op *op);

/* The open pipe behind a pp_pipe. */
fake_pipe *fake_of(const pp_pipe *pipe);

/* True: it was a pending accept. */
bool fake_cancel_accept(pp_op *op);

#endif

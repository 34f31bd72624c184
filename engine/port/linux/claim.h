/* SPDX-License-Identifier: MIT */
/*
 * claim.h - one process alone serves an address: the file ADDRESS.lock, held with flock(2) while the ear listens.
 *
 * The kernel lets go of the lock when its process dies, so a live name cannot be taken and a dead one can be reclaimed;
 * a socket's file alone would tell neither. The file is removed only by who holds its lock, and who has locked a file
 * that was removed meanwhile begins again: so two never hold the lock of one name. What else may lie at either path, a
 * link, a file that is not empty, is left alone, and the name is taken.
 *
 * A dead server's socket may go on listening for a moment: the kernel ends an io_uring, and lets go of what is armed in
 * it, behind its process's end. So the lock's times say which socket is its own: accessed at 0, modified when that
 * socket was. Whoever gets the lock that a dead one left knows by it that nobody serves that socket.
 */
#ifndef PP_PORT_LINUX_CLAIM_H
#define PP_PORT_LINUX_CLAIM_H

#include "engine/port/pipe.h"

typedef struct pp_claim {
    int lock; /* Of ADDRESS.lock; open exactly as long as the claim is held. */
    char address[PP_ADDRESS_BYTES_MAX];
    uint64_t device, file; /* The socket's, from mark on; 0: there is none of ours. */
} pp_claim;

/* Claims the address and removes a dead server's socket from it. Fails: NAME_TAKEN, DENIED, SYSTEM. */
pp_fault pp_claim_take(pp_claim *claim, const char *address);

/* What is bound to the address now is ours. */
void pp_claim_mark(pp_claim *claim);

/* Removes the socket and the lock's file, where they are ours still, and lets go. Who holds no lock may have removed
 * our socket and bound one of his own. */
void pp_claim_give(pp_claim *claim);

#endif

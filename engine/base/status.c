/* SPDX-License-Identifier: MIT */
/*
 * status.c - a status as a sentence, and the version as text.
 */
#include "engine/base/status.h"

const char *pipeport_status_text(pipeport_status status)
{
    switch (status) {
    case PIPEPORT_OK:
        return "All is well.";
    case PIPEPORT_INVALID:
        return "An argument or an option is out of its bounds.";
    case PIPEPORT_NO_MEMORY:
        return "There is not enough memory, or the engine's memory bound is reached.";
    case PIPEPORT_NAME_TAKEN:
        return "Somebody else already serves this name.";
    case PIPEPORT_NO_SERVER:
        return "Nobody serves this name.";
    case PIPEPORT_BUSY:
        return "The server stayed busy: every instance of the pipe is taken.";
    case PIPEPORT_DENIED:
        return "The system refused access to this account.";
    case PIPEPORT_TOO_LARGE:
        return "The message is longer than this connection allows.";
    case PIPEPORT_FULL:
        return "The send queue is full; the peer reads too slowly for now.";
    case PIPEPORT_GONE:
        return "The connection has closed.";
    case PIPEPORT_STOPPED:
        return "It was stopped from this side.";
    case PIPEPORT_TIMED_OUT:
        return "The time allowed for it has passed.";
    case PIPEPORT_BAD_PEER:
        return "The peer sent bytes that break the framing or its bound.";
    case PIPEPORT_SLOW_PEER:
        return "The peer reads more slowly than is allowed.";
    case PIPEPORT_UNSUPPORTED:
        return "This system cannot do it.";
    case PIPEPORT_SYSTEM:
        return "The system failed in a way that has no name here; its own code says more.";
    case PIPEPORT_WRONG_TYPE:
        return "The server's pipe is of the other type: one end is of bytes, the other of messages.";
    }
    return "This is not a status of pipeport."; /* A newer library's status, or a number from elsewhere. */
}

#define STATUS_TEXT_OF(number) #number
#define STATUS_VERSION(major, minor, patch) STATUS_TEXT_OF(major) "." STATUS_TEXT_OF(minor) "." STATUS_TEXT_OF(patch)

const char *pipeport_version(void)
{
    return STATUS_VERSION(PIPEPORT_VERSION_MAJOR, PIPEPORT_VERSION_MINOR, PIPEPORT_VERSION_PATCH);
}

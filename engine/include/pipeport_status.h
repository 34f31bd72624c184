/* SPDX-License-Identifier: MIT */
/*
 * pipeport_status.h - what can come back, and which version this is. A part of pipeport.h, which says how to read it.
 */
#ifndef PIPEPORT_STATUS_H
#define PIPEPORT_STATUS_H

#define PIPEPORT_VERSION_MAJOR 0
#define PIPEPORT_VERSION_MINOR 1
#define PIPEPORT_VERSION_PATCH 0

#if defined(_WIN32) && defined(PIPEPORT_SHARED) && defined(PIPEPORT_BUILDING)
#define PIPEPORT_API __declspec(dllexport)
#elif defined(_WIN32) && defined(PIPEPORT_SHARED)
#define PIPEPORT_API __declspec(dllimport)
#elif defined(__GNUC__)
#define PIPEPORT_API __attribute__((visibility("default")))
#else
#define PIPEPORT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ABI: added to, never moved. */
typedef enum pipeport_status {
    PIPEPORT_OK = 0,
    PIPEPORT_INVALID = 1,      /* An argument or option breaks the bound written beside it. */
    PIPEPORT_NO_MEMORY = 2,    /* The allocator, or the engine's memory bound, said no. Nothing was changed. */
    PIPEPORT_NAME_TAKEN = 3,   /* Somebody else already serves this name. */
    PIPEPORT_NO_SERVER = 4,    /* Nobody serves this name. */
    PIPEPORT_BUSY = 5,         /* Every instance was taken whenever it looked, for connect_ms. */
    PIPEPORT_DENIED = 6,       /* The system refused this account. */
    PIPEPORT_TOO_LARGE = 7,    /* The message is longer than message_bytes_max. */
    PIPEPORT_FULL = 8,         /* The send queue, or the number of groups, is at its bound. Nothing was changed. */
    PIPEPORT_GONE = 9,         /* The connection has closed. Its id will never be used again. */
    PIPEPORT_STOPPED = 10,     /* The engine, server or client is stopping, or this side aborted the connection. */
    PIPEPORT_TIMED_OUT = 11,   /* A bound in milliseconds passed. */
    PIPEPORT_BAD_PEER = 12,    /* The peer sent bytes that break the framing or its bound. */
    PIPEPORT_SLOW_PEER = 13,   /* The peer did not take one write within write_stall_ms, or what DISCONNECT demands. */
    PIPEPORT_UNSUPPORTED = 14, /* This system cannot do it. */
    PIPEPORT_SYSTEM = 15,      /* The system failed in a way that has no other name; see the system's code. */
    PIPEPORT_WRONG_TYPE = 16   /* The server's pipe is of the other pipeport_type: see options.type. */
} pipeport_status;

/* One English sentence about a status, never NULL, static. Thread: any. */
PIPEPORT_API const char *pipeport_status_text(pipeport_status status);

/* "0.1.0", static: the library that is linked, to compare with PIPEPORT_VERSION_*. Thread: any. */
PIPEPORT_API const char *pipeport_version(void);

#ifdef __cplusplus
}
#endif

#endif

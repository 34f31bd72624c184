/* SPDX-License-Identifier: MIT */
/*
 * framing.h - `--framing`: what is typed, and what a frame then costs.
 *
 *      len:OFFSET,WIDTH,le|be,ADJUST[,keep][,escape]     varint     delim:HEX[,cr]     headers     message     none
 *
 * A whole frame of `len` has OFFSET + WIDTH + value + ADJUST bytes. The numbers are decimal, ADJUST may be negative;
 * HEX is one byte in two digits.
 */
#ifndef PIPEPORT_TOOL_FRAMING_H
#define PIPEPORT_TOOL_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/include/pipeport.h"

#define FRAMING_OPERAND "FRAMING"
#define FRAMING_TEXT                                                                                                   \
    "where one message ends and the next begins [len:0,4,le,0]: len:OFFSET,WIDTH,le|be,ADJUST[,keep][,escape], "       \
    "varint, delim:HEX[,cr], headers, message or none (docs/PROTOCOL.md); a whole frame of len has "                   \
    "OFFSET + WIDTH + value + ADJUST bytes; HEX is one byte in two digits"

#define FRAMING_HEADER_BYTES_MAX 80 /* Of a length field, with its OFFSET and escape. */

/* A sentence for people. */
struct framing_fault {
    char text[256];
};

/* False where the text is none of the above: the fault says what is wrong and what to write. */
bool framing_read(const char *text, pipeport_framing *framing, struct framing_fault *fault);

/* The whole frame of a message of this length, by the tools' own arithmetic: what is said to be sent is held to it. */
uint64_t framing_frame_bytes(const pipeport_framing *framing, uint64_t length);

/* Can a payload of this length be said? Not with a length field that is too narrow or whose ADJUST is above it. */
bool framing_says(const pipeport_framing *framing, uint64_t payload_bytes);

/* With keep the program's messages are whole frames: what stands in front of a payload of this length, by the tools'
 * own arithmetic; at most FRAMING_HEADER_BYTES_MAX. 0 without keep. */
uint32_t framing_kept_bytes(const pipeport_framing *framing, uint64_t payload_bytes);

/* Writes it. The OFFSET bytes before the field are 0xa0, 0xa1, ..., for what is kept goes from end to end as it is. */
void framing_keep(const pipeport_framing *framing, uint64_t payload_bytes, unsigned char *header);

/* No frame is longer than its message by more. */
uint32_t framing_overhead_max(const pipeport_framing *framing);

#endif

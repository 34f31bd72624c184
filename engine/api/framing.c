/* SPDX-License-Identifier: MIT */
/* framing.c - the framings as values; see pipeport.h. */
#include "engine/include/pipeport.h"

pipeport_framing pipeport_framing_length(uint32_t width, uint32_t flags)
{
    return (pipeport_framing){.kind = PIPEPORT_FRAMING_LENGTH, .width = width, .flags = flags};
}

pipeport_framing pipeport_framing_varint(void)
{
    return (pipeport_framing){.kind = PIPEPORT_FRAMING_VARINT};
}

pipeport_framing pipeport_framing_delimiter(uint8_t delimiter, uint32_t flags)
{
    return (pipeport_framing){.kind = PIPEPORT_FRAMING_DELIMITER, .delimiter = delimiter, .flags = flags};
}

pipeport_framing pipeport_framing_headers(void)
{
    return (pipeport_framing){.kind = PIPEPORT_FRAMING_HEADERS};
}

pipeport_framing pipeport_framing_measured(pipeport_measure *measure, void *user)
{
    return (pipeport_framing){.kind = PIPEPORT_FRAMING_MEASURED, .measure = measure, .measure_user = user};
}

pipeport_framing pipeport_framing_none(void)
{
    return (pipeport_framing){.kind = PIPEPORT_FRAMING_NONE};
}

pipeport_framing pipeport_framing_message(void)
{
    return (pipeport_framing){.kind = PIPEPORT_FRAMING_MESSAGE};
}

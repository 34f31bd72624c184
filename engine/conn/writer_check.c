/* SPDX-License-Identifier: MIT */
/* writer_check.c - what must hold of a writer between calls; see writer.h. */
#include "engine/conn/writer.h"

#include "engine/base/assert.h"

void pp_writer_check(const pp_writer *writer, const pp_writer_means *means)
{
    bool pending = atomic_load(&writer->pending_since) != 0;
    uint64_t waiting = 0;
    pp_sendq_check(&writer->sendq, means->queue_bytes_max);
    if (writer->drained || writer->ended) {
        PP_VERIFY(pp_sendq_is_sealed(&writer->sendq));
    }
    if (writer->ended) {
        PP_VERIFY(!pending);
        PP_VERIFY(!writer->drained || writer->fault.status != PIPEPORT_OK || writer->discarded == 0 ||
                  atomic_load(&writer->wishes) & PP_WRITER_STOP);
        return;
    }
    for (const pp_link *link = writer->chain; link; link = link->next) {
        waiting += link->message->frame_bytes;
    }
    PP_VERIFY(waiting - writer->chain_offset <= atomic_load(&writer->sendq.bytes)); /* None is credited too early. */
    PP_VERIFY(writer->chain_offset == 0 || writer->chain_offset < writer->chain->message->frame_bytes);
    PP_VERIFY(!pending || writer->chain);   /* Something is being written. */
    if (pp_sendq_is_idle(&writer->sendq)) { /* Nobody holds the pump: so nothing of the holder's is left. */
        PP_VERIFY(!writer->chain && !pending && !writer->drained);
        PP_VERIFY(atomic_load(&writer->sendq.bytes) == 0); /* And nothing is reserved that nobody will credit. */
    }
}

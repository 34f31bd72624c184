/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/uring/probe.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PROBE_REQUESTS = 4,
    PROBE_BUFFERS = 4,
    PROBE_BUFFER_BYTES = 64,
    PROBE_PAGE_BYTES = 4096,
    PROBE_GROUP = 1,
    PROBE_LOOKS = 4 /* At the ring, for what is there already: bytes and their end need two. */
};

bool pp_probe_operations(struct io_uring *uring)
{
    /* The last is not used: it came with Linux 6.1, as did what has no opcode of its own and cannot be asked for. */
    static const int needed[] = {IORING_OP_RECV, IORING_OP_SEND, IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL,
                                 IORING_OP_SENDMSG_ZC};
    struct io_uring_probe *probe = io_uring_get_probe_ring(uring);
    bool can = probe != NULL;
    for (size_t i = 0; can && i < sizeof needed / sizeof needed[0]; i++) {
        can = io_uring_opcode_supported(probe, needed[i]) != 0;
    }
    io_uring_free_probe(probe);
    return can && (uring->features & IORING_FEAT_EXT_ARG) != 0 && (uring->features & IORING_FEAT_NODROP) != 0;
}

/* ---- Streams ---- */

/* Buffers and their ring in one page. */
static bool probe_lend(struct io_uring *uring, struct io_uring_buf_ring *buffers)
{
    struct io_uring_buf_reg about = {
        .ring_addr = (uintptr_t) buffers, .ring_entries = PROBE_BUFFERS, .bgid = PROBE_GROUP};
    if (io_uring_register_buf_ring(uring, &about, 0) != 0) {
        return false;
    }
    io_uring_buf_ring_init(buffers);
    for (int i = 0; i < PROBE_BUFFERS; i++) {
        char *data = (char *) buffers + PROBE_PAGE_BYTES - (ptrdiff_t) (i + 1) * PROBE_BUFFER_BYTES;
        io_uring_buf_ring_add(buffers, data, PROBE_BUFFER_BYTES, (unsigned short) i,
                              io_uring_buf_ring_mask(PROBE_BUFFERS), i);
    }
    io_uring_buf_ring_advance(buffers, PROBE_BUFFERS);
    return true;
}

static void probe_ask(struct io_uring *uring, int fd)
{
    struct io_uring_sqe *request = io_uring_get_sqe(uring);
    io_uring_prep_recv_multishot(request, fd, NULL, 0, 0);
    request->ioprio |= IORING_RECVSEND_POLL_FIRST;
    request->flags |= IOSQE_BUFFER_SELECT;
    request->buf_group = PROBE_GROUP;
    (void) io_uring_submit(uring);
}

/* The last byte and the end come between the two calls, and the kernel may look at neither before the second:
 * IORING_SETUP_DEFER_TASKRUN. */
static bool probe_hears_end(struct io_uring *uring, const int ends[2])
{
    bool came = false, heard = false;
    probe_ask(uring, ends[0]);
    if (send(ends[1], "", 1, MSG_NOSIGNAL) != 1 || shutdown(ends[1], SHUT_RDWR) != 0) {
        return false;
    }
    for (int i = 0; i < PROBE_LOOKS && !heard; i++) {
        struct io_uring_cqe *completion;
        (void) io_uring_submit_and_get_events(uring);
        while (!heard && io_uring_peek_cqe(uring, &completion) == 0) {
            heard = came && completion->res == 0;
            came = came || completion->res == 1;
            io_uring_cqe_seen(uring, completion);
        }
    }
    return heard;
}

static bool probe_in_page(struct io_uring_buf_ring *page, const int ends[2])
{
    struct io_uring uring;
    struct io_uring_params about = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    if (io_uring_queue_init_params(PROBE_REQUESTS, &uring, &about) != 0) {
        return false;
    }
    bool heard = probe_lend(&uring, page) && probe_hears_end(&uring, ends);
    io_uring_queue_exit(&uring);
    return heard;
}

bool pp_probe_streams(void)
{
    int ends[2];
    bool heard = false;
    struct io_uring_buf_ring *page = mmap(NULL, PROBE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                          -1, 0);
    if (page == MAP_FAILED) {
        return false;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
        heard = probe_in_page(page, ends);
        close(ends[0]);
        close(ends[1]);
    }
    munmap(page, PROBE_PAGE_BYTES);
    return heard;
}

/* SPDX-License-Identifier: MIT */
#include "bench/windows/lane.h"
#include "bench/windows/dial.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 16 };

bool lane_init(struct lane *lane, const struct peer_plan *plan, uint32_t peers_max)
{
    memset(lane, 0, sizeof *lane);
    lane->plan = plan;
    lane->peers_max = peers_max;
    lane->peers = calloc(peers_max, sizeof *lane->peers);
    lane->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    return lane->peers != NULL && lane->port != NULL;
}

bool lane_add(struct lane *lane, HANDLE pipe)
{
    struct peer *peer = &lane->peers[lane->peers_added];

    if (!peer_init(peer, pipe, lane->port, lane->plan, &lane->counts) || !dial_bind(pipe, lane->port, peer)) {
        return false;
    }
    lane->peers_added++;
    return true;
}

/* Called where a peer may have finished just now, once for each time it could. */
static void lane_note(struct lane *lane, struct peer *peer)
{
    if (peer->noted || !peer_finished(peer)) {
        return;
    }
    peer->noted = true;
    lane->peers_running--;
    if (peer->wrong != NULL && lane->wrong == NULL) {
        lane->wrong = peer->wrong;
        lane->code = peer->code;
    }
}

static DWORD WINAPI lane_run(void *argument)
{
    struct lane *lane = argument;
    OVERLAPPED_ENTRY entries[BATCH];

    lane->peers_running = lane->peers_added;
    for (uint32_t i = 0; i < lane->peers_added; i++) {
        peer_start(&lane->peers[i]);
        lane_note(lane, &lane->peers[i]);
    }
    while (lane->peers_running > 0 && lane->wrong == NULL) {
        ULONG count = 0;

        if (!GetQueuedCompletionStatusEx(lane->port, entries, BATCH, &count, LANE_SILENCE_MS, FALSE)) {
            lane->wrong = "no reply came";
            lane->code = GetLastError();
            break;
        }
        for (ULONG i = 0; i < count; i++) {
            struct peer *peer = (struct peer *) entries[i].lpCompletionKey;

            peer_go_on(peer, &entries[i]);
            lane_note(lane, peer);
        }
    }
    return 0;
}

bool lane_start(struct lane *lane)
{
    lane->thread = CreateThread(NULL, 0, lane_run, lane, 0, NULL);
    return lane->thread != NULL;
}

void lane_join(struct lane *lane)
{
    WaitForSingleObject(lane->thread, INFINITE);
    CloseHandle(lane->thread);
}

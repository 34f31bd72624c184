/* SPDX-License-Identifier: MIT */
/*
 * peer_tokio - a server on tokio, as its documentation teaches it: a task for each connection. It is in tokio.rs;
 * here it gets the command line of all peers.
 */
#include "bench/peers/ground.h"
#include "bench/peers/linux/tokio.h"
#include "bench/peers/options.h"

static void peer_ready(const void *with)
{
    options_ready(with);
}

int main(int argc, char **argv)
{
    const struct options_can can = {64, 1000000, true, false};
    const struct options options = options_read(argc, argv, &can);

    ground_prepare(options.connections);
    tokio_serve(options.name, options.threads, options.broadcast, peer_ready, &options);
    return 1;
}

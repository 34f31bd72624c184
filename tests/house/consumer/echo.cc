/* SPDX-License-Identifier: MIT */
/*
 * echo.cc - the same from C++: a class behind the events' user pointer.
 */
#include <pipeport.h>

#include <cstdio>
#include <string>

namespace
{

class Talk
{
  public:
    pipeport_engine *engine = nullptr;

    pipeport_events events(bool asking)
    {
        pipeport_events all = {};
        all.size = sizeof all;
        all.user = this;
        all.message = asking ? answered : echo;
        if (asking) {
            all.opened = ask;
            all.closed = closed;
        }
        return all;
    }

    bool wait()
    {
        for (int turn = 0; !over && turn < 1000; turn++) {
            pipeport_engine_run(engine, 10);
        }
        return over && echoed;
    }

  private:
    const std::string greeting = "a message from C++";
    bool echoed = false;
    bool over = false;

    static void *ask(void *user, pipeport_conn conn)
    {
        Talk *talk = static_cast<Talk *>(user);
        pipeport_send(talk->engine, conn, talk->greeting.data(), talk->greeting.size());
        return nullptr;
    }

    static void echo(void *user, void *, pipeport_conn conn, const void *data, size_t length)
    {
        pipeport_send(static_cast<Talk *>(user)->engine, conn, data, length);
    }

    static void answered(void *user, void *, pipeport_conn conn, const void *data, size_t length)
    {
        Talk *talk = static_cast<Talk *>(user);
        talk->echoed = talk->greeting == std::string(static_cast<const char *>(data), length);
        pipeport_close(talk->engine, conn, PIPEPORT_DRAIN);
    }

    static void closed(void *user, void *, pipeport_conn, const pipeport_end *)
    {
        static_cast<Talk *>(user)->over = true;
    }
};

} // namespace

int main(int argc, char **argv)
{
    Talk talk;
    pipeport_server *server = nullptr;
    pipeport_client *client = nullptr;
    pipeport_engine_options options = {};
    options.size = sizeof options;
    options.workers = PIPEPORT_HOST_THREADS;
    if (argc != 2 || pipeport_engine_create(&talk.engine, &options) != PIPEPORT_OK) {
        return 2;
    }
    const pipeport_events serving = talk.events(false), asking = talk.events(true);
    if (pipeport_server_start(&server, talk.engine, argv[1], nullptr, &serving) != PIPEPORT_OK ||
        pipeport_client_start(&client, talk.engine, argv[1], nullptr, &asking) != PIPEPORT_OK) {
        return 1;
    }
    const bool echoed = talk.wait();
    pipeport_client_stop(client, 1000);
    pipeport_server_stop(server, 1000);
    pipeport_engine_destroy(talk.engine);
    std::printf("%s %s\n", echoed ? "OK" : "not echoed", pipeport_version());
    return echoed ? 0 : 1;
}

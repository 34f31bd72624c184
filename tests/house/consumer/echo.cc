/* SPDX-License-Identifier: MIT */
/*
 * echo.cc - the same from C++: a class behind the events' user pointer, on threads of the engine.
 */
#include <pipeport.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>
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
        std::unique_lock<std::mutex> hold(lock);
        while (!over) {
            changed.wait(hold);
        }
        return echoed;
    }

  private:
    std::mutex lock;
    std::condition_variable changed;
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
        Talk *talk = static_cast<Talk *>(user);
        std::lock_guard<std::mutex> hold(talk->lock);
        talk->over = true;
        talk->changed.notify_all();
    }
};

} // namespace

int main(int argc, char **argv)
{
    Talk talk;
    pipeport_server *server = nullptr;
    pipeport_client *client = nullptr;
    if (argc != 2 || pipeport_engine_create(&talk.engine, nullptr) != PIPEPORT_OK) {
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

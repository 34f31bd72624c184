/* SPDX-License-Identifier: MIT */
/*
 * peer_asio - a server on Asio, as its documentation teaches it.
 *
 * A session is kept alive by the handlers that wait for it. The echo is that of the tutorial: async_read_some into the
 * session's buffer, async_write of the whole messages in it from where they are, and again. With --mode broadcast it is
 * the chat server of the examples: each message is made once, shared, and put into the queue of every session; a
 * session has one async_write under way, of all that its queue held. With more than one thread each has a context of
 * its own, and connections are dealt out in turn, as in the example of an HTTP server with many contexts.
 */
#include "bench/linux/gnu.h"

#include "bench/frame.h"
#include "bench/peers/ground.h"
#include "bench/peers/options.h"

#include <asio.hpp>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

using asio::local::stream_protocol;

namespace
{
constexpr std::size_t first_room = 64 * 1024 + 512, message_max = 16 * 1024 * 1024;

class session;
using message = std::shared_ptr<const std::vector<unsigned char>>;
using room = std::unordered_set<std::shared_ptr<session>>; // With one thread only.

class session : public std::enable_shared_from_this<session>
{
  public:
    session(stream_protocol::socket socket, room *everybody) : socket_(std::move(socket)), everybody_(everybody)
    {
    }

    void start()
    {
        if (everybody_ != nullptr) {
            everybody_->insert(shared_from_this());
        }
        read();
    }

  private:
    void deliver(const message &what)
    {
        waiting_.push_back(what);
        if (sending_.empty()) {
            send();
        }
    }

    void send()
    {
        std::vector<asio::const_buffer> buffers;

        sending_.assign(waiting_.begin(), waiting_.end());
        waiting_.clear();
        buffers.reserve(sending_.size());
        for (const auto &each : sending_) {
            buffers.emplace_back(asio::buffer(*each));
        }
        asio::async_write(socket_, buffers, [self = shared_from_this()](std::error_code error, std::size_t) {
            self->sending_.clear();
            if (!error && !self->waiting_.empty()) {
                self->send();
            }
        });
    }

    void read()
    {
        socket_.async_read_some(asio::buffer(bytes_.get() + filled_, room_ - filled_),
                                [self = shared_from_this()](std::error_code error, std::size_t count) {
                                    if (error) {
                                        self->leave();
                                    } else {
                                        self->came(count);
                                    }
                                });
    }

    // Bytes of the message at `at`, its header counted; 0: less than a header is there.
    std::size_t frame_at(std::size_t at) const
    {
        return filled_ - at < FRAME_HEADER_BYTES ? 0
                                                 : frame_length(bytes_.get() + at) + std::size_t{FRAME_HEADER_BYTES};
    }

    void came(std::size_t count)
    {
        std::size_t whole = 0;

        filled_ += count;
        for (std::size_t frame; (frame = frame_at(whole)) != 0 && frame <= filled_ - whole; whole += frame) {
            if (everybody_ != nullptr) {
                tell_everybody(bytes_.get() + whole, frame);
            }
        }
        if (whole == 0 || everybody_ != nullptr) {
            go_on(whole);
            return;
        }
        asio::async_write(socket_, asio::buffer(bytes_.get(), whole),
                          [self = shared_from_this(), whole](std::error_code error, std::size_t) {
                              if (!error) {
                                  self->go_on(whole);
                              }
                          });
    }

    void tell_everybody(const unsigned char *bytes, std::size_t count)
    {
        auto what = std::make_shared<const std::vector<unsigned char>>(bytes, bytes + count);

        for (const auto &each : *everybody_) {
            each->deliver(what);
        }
    }

    // The first `done` bytes are answered.
    void go_on(std::size_t done)
    {
        filled_ -= done;
        std::memmove(bytes_.get(), bytes_.get() + done, filled_);
        if (std::size_t frame = frame_at(0); frame > message_max) {
            leave();
            return;
        } else if (frame > room_) {
            std::unique_ptr<unsigned char[]> more(new unsigned char[frame]);

            std::memcpy(more.get(), bytes_.get(), filled_);
            bytes_ = std::move(more);
            room_ = frame;
        }
        read();
    }

    void leave()
    {
        if (everybody_ != nullptr) {
            everybody_->erase(shared_from_this());
        }
    }

    stream_protocol::socket socket_;
    room *everybody_; // nullptr: echo.
    std::size_t room_ = first_room, filled_ = 0;
    std::unique_ptr<unsigned char[]> bytes_{new unsigned char[first_room]};
    std::deque<message> waiting_;
    std::vector<message> sending_;
};

class server
{
  public:
    explicit server(const struct options &options)
    {
        for (std::uint32_t i = 0; i < options.threads; i++) {
            contexts_.push_back(std::make_unique<asio::io_context>(1));
            works_.push_back(asio::make_work_guard(*contexts_.back()));
        }
        ::unlink(options.name); // Left by one that was killed.
        ear_ = std::make_unique<stream_protocol::acceptor>(*contexts_.front(), stream_protocol::endpoint(options.name));
        broadcast_ = options.broadcast;
        accept();
    }

    void run()
    {
        std::vector<std::thread> threads;

        for (std::size_t i = 1; i < contexts_.size(); i++) {
            threads.emplace_back([context = contexts_[i].get()] { context->run(); });
        }
        contexts_.front()->run();
        for (auto &thread : threads) {
            thread.join();
        }
    }

  private:
    void accept()
    {
        asio::io_context &context = *contexts_[next_++ % contexts_.size()];

        ear_->async_accept(context, [this, &context](std::error_code error, stream_protocol::socket socket) {
            if (error) {
                std::fprintf(stderr, "peer_asio: accept: %s\n", error.message().c_str());
                std::exit(1);
            }
            auto made = std::make_shared<session>(std::move(socket), broadcast_ ? &everybody_ : nullptr);
            asio::dispatch(context, [made] { made->start(); });
            accept();
        });
    }

    std::vector<std::unique_ptr<asio::io_context>> contexts_;
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> works_;
    std::unique_ptr<stream_protocol::acceptor> ear_;
    std::size_t next_ = 0;
    bool broadcast_ = false;
    room everybody_;
};
} // namespace

int main(int argc, char **argv)
{
    const struct options_can can = {64, 1000000, true, false};
    const struct options options = options_read(argc, argv, &can);

    if (options.broadcast && options.threads != 1) {
        std::fprintf(stderr, "peer_asio: --mode broadcast has one thread\n");
        return 2;
    }
    ground_prepare(options.connections);
    try {
        server all(options);

        options_ready(&options);
        all.run();
    } catch (const std::exception &why) {
        std::fprintf(stderr, "peer_asio: %s: %s\n", options.name, why.what());
        return 1;
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "bench/linux/gnu.h"

#include "bench/linux/speech.h"

#include "bench/frame.h"
#include "bench/linux/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO(text, answer) .bytes = (text), .count = sizeof(text) - 1, .answer_bytes = (answer)

/* A NUL, "SP", the version, and the protocol's number; the server says the same of itself. */
#define NNG(protocol) HELLO("\0SP\0\0" protocol "\0\0", 8)
static const struct speech_hello nng_req = {NNG("\x30")};
static const struct speech_hello nng_sub = {NNG("\x21")};
static const struct speech_hello nng_push = {NNG("\x50")};

/* The signature, version 3.0, the mechanism NULL in 20 bytes, 32 more; then the command READY with its properties. The
 * server's is as long, and its READY names its own type: ROUTER and an identity, PUB or PULL. */
#define ZEROS_8 "\0\0\0\0\0\0\0\0"
#define GREETING "\xFF\0\0\0\0\0\0\0\x01\x7F\x03\0NULL" ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8
#define READY(bytes, type_bytes, type) "\x04" bytes "\x05READY\x0BSocket-Type\0\0\0" type_bytes type
#define SUBSCRIBE_TO_ALL "\0\x01\x01" /* A message of one byte. */
static const struct speech_hello zmtp_dealer = {HELLO(GREETING READY("\x1C", "\x06", "DEALER"), 64 + 43)};
static const struct speech_hello zmtp_sub = {HELLO(GREETING READY("\x19", "\x03", "SUB"), 64 + 27),
                                             .rest = SUBSCRIBE_TO_ALL, .rest_bytes = sizeof SUBSCRIBE_TO_ALL - 1};
static const struct speech_hello zmtp_push = {HELLO(GREETING READY("\x1A", "\x04", "PUSH"), 64 + 28)};

/* 8 bytes of length, the highest first. */
static void put_long_length(unsigned char *at, uint32_t length)
{
    memset(at, 0, 4);
    at[4] = (unsigned char) (length >> 24);
    at[5] = (unsigned char) (length >> 16);
    at[6] = (unsigned char) (length >> 8);
    at[7] = (unsigned char) length;
}

static void speak_nng(struct speech *speech, bool broadcast, uint32_t size)
{
    static const unsigned char number[4] = {0x80, 0, 0, 1}; /* The highest bit: there is no number behind it. */
    uint32_t number_bytes = broadcast ? 0 : sizeof number;

    speech->header_bytes = 9 + number_bytes;
    speech->header[0] = 1;
    put_long_length(speech->header + 1, size + number_bytes);
    memcpy(speech->header + 9, number, number_bytes);
    speech->hello = broadcast ? &nng_sub : &nng_req;
    speech->ask = broadcast ? &nng_push : NULL;
}

static void speak_zeromq(struct speech *speech, bool broadcast, uint32_t size)
{
    if (size <= UINT8_MAX) {
        speech->header_bytes = 2;
        speech->header[1] = (unsigned char) size;
    } else {
        speech->header_bytes = 9;
        speech->header[0] = 2;
        put_long_length(speech->header + 1, size);
    }
    speech->hello = broadcast ? &zmtp_sub : &zmtp_dealer;
    speech->ask = broadcast ? &zmtp_push : NULL;
}

void speech_init(struct speech *speech, enum speech_kind kind, bool broadcast, uint32_t size)
{
    *speech = (struct speech){.header_bytes = FRAME_HEADER_BYTES};
    switch (kind) {
    case SPEECH_OWN:
        frame_put_length(speech->header, size);
        break;
    case SPEECH_NNG:
        speak_nng(speech, broadcast, size);
        break;
    case SPEECH_ZEROMQ:
        speak_zeromq(speech, broadcast, size);
        break;
    }
}

/* A socket that is new takes so little at once. */
static bool speech_say(int fd, const char *bytes, uint32_t count)
{
    return count == 0 || send(fd, bytes, count, MSG_NOSIGNAL) == (ssize_t) count;
}

int speech_connect(const char *path, const struct speech_hello *hello)
{
    int fd = socket_connect(path);

    if (fd >= 0 && hello != NULL && !speech_say(fd, hello->bytes, hello->count)) {
        int code = errno;

        close(fd);
        errno = code;
        return -1;
    }
    return fd;
}

bool speech_greeted(int fd, const struct speech_hello *hello)
{
    char answer[256];

    if (hello == NULL) {
        return true;
    }
    return recv(fd, answer, hello->answer_bytes, MSG_WAITALL) == (ssize_t) hello->answer_bytes &&
           speech_say(fd, hello->rest, hello->rest_bytes);
}

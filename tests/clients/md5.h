/* SPDX-License-Identifier: MIT */
/* md5.h - HMAC (RFC 2104) with MD5 (RFC 1321), by which Python's connections prove their key. For nothing else. */
#ifndef PIPEPORT_CLIENTS_MD5_H
#define PIPEPORT_CLIENTS_MD5_H

#include <stddef.h>
#include <stdint.h>

enum { MD5_BYTES = 16, MD5_BLOCK_BYTES = 64 };

/* key_length is MD5_BLOCK_BYTES at most, length 1024. */
void md5_hmac(const void *key, size_t key_length, const void *text, size_t length, uint8_t digest[MD5_BYTES]);

#endif

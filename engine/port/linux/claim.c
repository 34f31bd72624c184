/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/claim.h"

#include "engine/port/linux/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const pp_fault claim_ok = {PIPEPORT_OK, 0};

enum { CLAIM_LOCK_BYTES = PP_ADDRESS_BYTES_MAX + 5 };

static void claim_lock_path(const char *address, char path[CLAIM_LOCK_BYTES])
{
    snprintf(path, CLAIM_LOCK_BYTES, "%s.lock", address);
}

/* There is something at the lock's path that is no lock: a link, a folder, a socket. */
static pp_fault claim_open_fault(int code)
{
    bool is_other = code == ELOOP || code == EISDIR || code == ENXIO;
    return is_other ? (pp_fault){PIPEPORT_NAME_TAKEN, code} : pp_fault_from(code);
}

/* A lock is an empty file. Any other is not ours to remove, whoever holds its lock: the path is a user's choice, and
 * NAME.lock may well be something of his. */
static pp_fault claim_lock(const char *path, int *lock)
{
    for (;;) { /* Again only if somebody else has just ended his own claim. */
        struct stat is;
        int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, S_IRUSR | S_IWUSR);
        if (file < 0) {
            return claim_open_fault(errno);
        }
        if (flock(file, LOCK_EX | LOCK_NB) != 0 || fstat(file, &is) != 0) {
            int code = errno;
            close(file);
            return code == EWOULDBLOCK ? (pp_fault){PIPEPORT_NAME_TAKEN, code} : pp_fault_from(code);
        }
        if (!S_ISREG(is.st_mode) || is.st_size != 0) {
            close(file);
            return (pp_fault){PIPEPORT_NAME_TAKEN, EEXIST};
        }
        if (is.st_nlink > 0) {
            *lock = file;
            return claim_ok;
        }
        close(file);
    }
}

/* Says, or asks, whether the socket is that of who holds the lock, or held it and died. */
static void claim_seal(int lock, const struct stat *is)
{
    const struct timespec times[] = {{.tv_sec = 0}, is->st_mtim}; /* Nothing reads an empty file, so the 0 stays. */
    (void) futimens(lock, times);
}

static bool claim_is_sealed(int lock, const struct stat *is)
{
    struct stat seal;
    return fstat(lock, &seal) == 0 && seal.st_uid == geteuid() && seal.st_atim.tv_sec == 0 &&
           seal.st_atim.tv_nsec == 0 && seal.st_mtim.tv_sec == is->st_mtim.tv_sec &&
           seal.st_mtim.tv_nsec == is->st_mtim.tv_nsec;
}

/* Somebody who does not know our lock may serve the address: a socket that is not the lock's is dead only if it refuses
 * us. */
static pp_fault claim_clear(const char *address, int lock)
{
    struct stat is;
    if (lstat(address, &is) != 0) {
        return errno == ENOENT ? claim_ok : pp_fault_from(errno);
    }
    if (!S_ISSOCK(is.st_mode)) {
        return (pp_fault){PIPEPORT_NAME_TAKEN, EEXIST};
    }
    if (claim_is_sealed(lock, &is)) {
        return unlink(address) == 0 || errno == ENOENT ? claim_ok : pp_fault_from(errno);
    }
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, address, strlen(address) + 1);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) {
        return pp_fault_from(errno);
    }
    int code = connect(probe, (const struct sockaddr *) &to, sizeof to) == 0 ? EADDRINUSE : errno;
    close(probe);
    if (code != ECONNREFUSED && code != ENOENT) {
        return code == EACCES ? pp_fault_from(code) : (pp_fault){PIPEPORT_NAME_TAKEN, code};
    }
    return unlink(address) == 0 || errno == ENOENT ? claim_ok : pp_fault_from(errno);
}

pp_fault pp_claim_take(pp_claim *claim, const char *address)
{
    char path[CLAIM_LOCK_BYTES];
    claim_lock_path(address, path);
    claim->device = claim->file = 0;
    memcpy(claim->address, address, strlen(address) + 1);
    pp_fault fault = claim_lock(path, &claim->lock);
    if (fault.status != PIPEPORT_OK) {
        return fault;
    }
    fault = claim_clear(address, claim->lock);
    if (fault.status != PIPEPORT_OK) {
        unlink(path);
        close(claim->lock);
    }
    return fault;
}

void pp_claim_mark(pp_claim *claim)
{
    struct stat is;
    if (lstat(claim->address, &is) == 0) {
        claim->device = is.st_dev;
        claim->file = is.st_ino;
        claim_seal(claim->lock, &is);
    }
}

static void claim_remove(const char *path, uint64_t device, uint64_t file)
{
    struct stat is;
    if (lstat(path, &is) == 0 && is.st_dev == device && is.st_ino == file) {
        unlink(path);
    }
}

void pp_claim_give(pp_claim *claim)
{
    char path[CLAIM_LOCK_BYTES];
    struct stat is;
    claim_lock_path(claim->address, path);
    claim_remove(claim->address, claim->device, claim->file);
    if (fstat(claim->lock, &is) == 0) {
        claim_remove(path, is.st_dev, is.st_ino);
    }
    close(claim->lock);
}

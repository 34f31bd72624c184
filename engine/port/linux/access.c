/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/access.h"

#include "engine/port/linux/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const pp_fault access_ok = {PIPEPORT_OK, 0};

enum {
    ACCESS_PATH_BYTES = 40,
    ACCESS_GROUP_MODE = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP,
    ACCESS_ALL_MODE = ACCESS_GROUP_MODE | S_IROTH | S_IWOTH
};

static bool access_is_for_others(const pp_plan *plan)
{
    return plan->access == PP_ACCESS_LOCAL_USERS || plan->access == PP_ACCESS_GROUP;
}

pp_fault pp_access_check(const char *name, const pp_plan *plan)
{
    return name[0] != '/' && access_is_for_others(plan) ? (pp_fault){PIPEPORT_INVALID, 0} : access_ok;
}

/* The group first: nobody of the file's former group is let in for an instant. */
static int access_open_to(int file, const pp_plan *plan)
{
    char path[ACCESS_PATH_BYTES];
    struct stat is;
    if (fstat(file, &is) != 0) {
        return errno;
    }
    if (!S_ISSOCK(is.st_mode) || is.st_uid != geteuid()) {
        return EPERM;
    }
    if (plan->access == PP_ACCESS_GROUP && fchownat(file, "", (uid_t) -1, plan->group, AT_EMPTY_PATH) != 0) {
        return errno;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", file); /* fchmod wants more than O_PATH. */
    return chmod(path, plan->access == PP_ACCESS_GROUP ? ACCESS_GROUP_MODE : ACCESS_ALL_MODE) == 0 ? 0 : errno;
}

pp_fault pp_access_grant(const char *address, const pp_plan *plan)
{
    if (!access_is_for_others(plan)) {
        return access_ok;
    }
    int file = open(address, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) {
        return pp_fault_from(errno);
    }
    int code = access_open_to(file, plan);
    close(file);
    return code == 0 ? access_ok : pp_fault_from(code);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_laws_peer.c - the laws of who is at the other end, and of a client that demands who serves it.
 */
#include "tests/laws/bed.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static test_bed peer_bed;
static bed_end server, client;
static pipeport_peer self;

static void peer_setup(void)
{
    bed_open_own(&peer_bed, 1);
    bed_listen(&peer_bed);
    bed_pair(&peer_bed, &server, &client);
    cr_assert_eq(pp_pipe_peer(&client.pipe, false, &self).status, PIPEPORT_OK);
}

static void peer_settle(void)
{
    bed_settle(&peer_bed, &server, &client);
}

TestSuite(laws_peer, .init = peer_setup, .timeout = 100);

Test(laws_peer, is_named_at_both_ends)
{
    pipeport_peer other;
    memset(&other, 0xEE, sizeof other);
    cr_assert_eq(pp_pipe_peer(&server.pipe, true, &other).status, PIPEPORT_OK);
    cr_assert_eq(other.process_id, system_pid());
    cr_assert_eq(self.process_id, system_pid());
    cr_assert_eq(other.session_id, self.session_id);
    cr_assert(memchr(other.user, '\0', sizeof other.user) != NULL && other.user[0] != '\0');
    cr_assert_str_eq(other.user, self.user);
    peer_settle();
}

Test(laws_peer, is_named_before_it_has_sent_a_byte_and_while_a_read_waits)
{
    pipeport_peer other;
    pp_result now;
    char byte;
    cr_assert_eq(bed_arm_read(&server, &byte, 1, &now), PP_LATER);
    cr_assert_eq(pp_pipe_peer(&server.pipe, true, &other).status, PIPEPORT_OK);
    cr_assert_eq(other.process_id, system_pid());
    bed_end_close(&client);
    cr_assert_eq(bed_await(&peer_bed, &server.read).fault.status, PIPEPORT_GONE);
    peer_settle();
}

/* Dials with this demand, once more beside the pair; what the server's end of it then reads. */
static pipeport_status peer_demand(uint32_t process, const char *user, pipeport_status *heard)
{
    bed_end other, accepted;
    pp_result result;
    char byte;
    pp_plan plan = bed_plan;
    plan.server_process = process;
    plan.server_user = user;
    bed_end_init(&peer_bed, &other, 0);
    bed_end_init(&peer_bed, &accepted, 0);
    cr_assert_eq(pp_pipe_accept(&accepted.pipe, peer_bed.ear, &accepted.accept, &result), PP_LATER);
    pipeport_status status = bed_dial_as(&other, peer_bed.name, &plan, 0).status;
    if (status == PIPEPORT_OK) {
        bed_end_close(&other);
    } else {
        cr_assert_eq(other.pipe.handle, PP_PIPE_CLOSED);
    }
    result = bed_await(&peer_bed, &accepted.accept);
    if (result.fault.status == PIPEPORT_OK) {
        result = bed_read(&peer_bed, &accepted, &byte, 1);
        cr_assert_eq(result.bytes, 0);
        bed_end_close(&accepted);
    }
    *heard = result.fault.status;
    return status;
}

Test(laws_peer, is_the_server_that_a_client_demands)
{
    pipeport_status heard;
    cr_assert_eq(peer_demand(self.process_id, NULL, &heard), PIPEPORT_OK);
    cr_assert_eq(peer_demand(0, self.user, &heard), PIPEPORT_OK);
    cr_assert_eq(peer_demand(self.process_id, self.user, &heard), PIPEPORT_OK);
    peer_settle();
}

Test(laws_peer, is_left_without_a_byte_where_it_is_another)
{
    pipeport_status heard;
    char user[PIPEPORT_USER_BYTES + 1];
    snprintf(user, sizeof user, "%.*s1", PIPEPORT_USER_BYTES - 2, self.user);
    cr_assert_eq(peer_demand(self.process_id + 4, NULL, &heard), PIPEPORT_DENIED);
    cr_assert_eq(heard, PIPEPORT_GONE);
    cr_assert_eq(peer_demand(0, user, &heard), PIPEPORT_DENIED);
    cr_assert_eq(heard, PIPEPORT_GONE);
    cr_assert_eq(peer_demand(self.process_id, user, &heard), PIPEPORT_DENIED);
    cr_assert_eq(heard, PIPEPORT_GONE);
    peer_settle();
}

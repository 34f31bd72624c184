/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/mailbox.h"

#include "engine/base/assert.h"
#include "engine/port/linux/fault.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

pp_fault pp_mailbox_init(pp_mailbox *mailbox)
{
    *mailbox = (pp_mailbox){.wake = {.what = PP_LETTER_WAKE}};
    mailbox->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return mailbox->bell < 0 ? pp_fault_from(errno) : (pp_fault){PIPEPORT_OK, 0};
}

void pp_mailbox_fini(pp_mailbox *mailbox)
{
    close(mailbox->bell);
}

void pp_mailbox_count(pp_mailbox *mailbox, int more)
{
    atomic_fetch_add_explicit(&mailbox->armed, (uint64_t) (int64_t) more, memory_order_relaxed);
}

void pp_mailbox_push(pp_mailbox *mailbox, pp_letter *letter)
{
    pp_letter *newest = atomic_load_explicit(&mailbox->posted, memory_order_relaxed);
    int bell = mailbox->bell;
    do {
        letter->next = newest == &mailbox->asleep ? NULL : newest;
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->posted, &newest, letter, memory_order_release,
                                                    memory_order_relaxed));
    if (newest == &mailbox->asleep) {
        PP_VERIFY(eventfd_write(bell, 1) == 0);
    }
}

static void mailbox_keep_result(pp_room *room, pp_result result)
{
    PP_ASSERT(result.bytes == 0 || result.more == 0);
    room->letter.pieces = result.more != 0;
    room->letter.bytes = result.more != 0 ? result.more : result.bytes;
    room->as.fault = result.fault;
}

void pp_mailbox_post(pp_mailbox *mailbox, pp_op *op, pp_result result)
{
    pp_room *room = pp_room_of(op);
    room->letter.what = PP_LETTER_DONE;
    mailbox_keep_result(room, result);
    pp_mailbox_push(mailbox, &room->letter);
}

static void mailbox_append(pp_mailbox *mailbox, pp_letter *letter)
{
    letter->next = NULL;
    if (mailbox->ready_first == NULL) {
        mailbox->ready_first = letter;
    } else {
        mailbox->ready_last->next = letter;
    }
    mailbox->ready_last = letter;
    mailbox->ready_count++;
}

void pp_mailbox_finish(pp_mailbox *mailbox, pp_op *op, pp_result result)
{
    pp_room *room = pp_room_of(op);
    mailbox_keep_result(room, result);
    mailbox_append(mailbox, &room->letter);
}

/* One wake stands for all that come before the taker has met it: what they changed before, it sees when it returns
 * (the exchanges on `woken` pair). */
void pp_mailbox_wake(pp_mailbox *mailbox)
{
    if (!atomic_exchange_explicit(&mailbox->woken, true, memory_order_acq_rel)) {
        pp_mailbox_push(mailbox, &mailbox->wake);
    }
}

/* Everything that is posted, oldest first. */
static pp_letter *mailbox_empty(pp_mailbox *mailbox)
{
    if (atomic_load_explicit(&mailbox->posted, memory_order_relaxed) == NULL) {
        return NULL;
    }
    pp_letter *letter = atomic_exchange_explicit(&mailbox->posted, NULL, memory_order_acquire);
    pp_letter *oldest = NULL;
    while (letter != NULL && letter != &mailbox->asleep) {
        pp_letter *next = letter->next;
        letter->next = oldest;
        oldest = letter;
        letter = next;
    }
    return oldest;
}

pp_letter *pp_mailbox_collect(pp_mailbox *mailbox, bool *woken)
{
    pp_letter *others = NULL, **end = &others;
    pp_letter *letter = mailbox_empty(mailbox);
    while (letter != NULL) {
        pp_letter *next = letter->next;
        switch (letter->what) {
        case PP_LETTER_DONE:
            mailbox_append(mailbox, letter);
            break;
        case PP_LETTER_WAKE:
            atomic_exchange_explicit(&mailbox->woken, false, memory_order_acq_rel);
            *woken = true;
            break;
        default: /* The driver's. */
            letter->next = NULL;
            *end = letter;
            end = &letter->next;
        }
        letter = next;
    }
    return others;
}

bool pp_mailbox_sleep(pp_mailbox *mailbox)
{
    pp_letter *nothing = NULL;
    return atomic_compare_exchange_strong_explicit(&mailbox->posted, &nothing, &mailbox->asleep, memory_order_relaxed,
                                                   memory_order_relaxed);
}

uint32_t pp_mailbox_hand_out(pp_mailbox *mailbox, pp_completion *completions, uint32_t max)
{
    uint32_t count = 0;
    while (count < max && mailbox->ready_first != NULL) {
        pp_letter *letter = mailbox->ready_first;
        pp_op *op = pp_op_of(letter);
        mailbox->ready_first = letter->next;
        mailbox->ready_count--;
        bool is_more = letter->pieces != 0;
        completions[count++] = (pp_completion){
            op, {pp_room_of(op)->as.fault, is_more ? 0 : letter->bytes, is_more ? letter->bytes : 0}};
    }
    atomic_fetch_add_explicit(&mailbox->done, count, memory_order_relaxed);
    return count;
}

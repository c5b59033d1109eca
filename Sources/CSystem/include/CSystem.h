// What Swift's Glibc module does not show of the system: epoll, eventfd, accept4.
#ifndef MARTLET_CSYSTEM_H
#define MARTLET_CSYSTEM_H

#include <stdint.h>

/// One readiness report: what was registered as `token`, and `csystem_*` bits.
typedef struct {
    uint64_t token;
    uint32_t events;
} csystem_event;

enum {
    csystem_readable = 1,
    csystem_writable = 2,
    csystem_failed = 4,
    csystem_hung_up = 8,
};

/// A new poller, or -1 with `errno`.
int csystem_poller_create(void);
/// Adds (`op` 0), changes (1) or removes (2) `fd`. 0, or -1 with `errno`.
int csystem_poller_control(int poller, int op, int fd, uint32_t events, uint64_t token);
/// Waits until something is ready or `timeout_ns` nanoseconds have gone (negative: for ever). The number
/// of events, or -1 with `errno` (an interruption counts as none ready).
int csystem_poller_wait(int poller, csystem_event *events, int capacity, int64_t timeout_ns);

/// A descriptor that becomes readable when `csystem_wake` is called on it.
int csystem_wakeup_create(void);
void csystem_wake(int wakeup);
void csystem_wakeup_clear(int wakeup);

/// `accept` with non-blocking and close-on-exec set at once.
int csystem_accept(int listener);

/// Sends the acknowledgement that a TCP connection still owes, and lets those of later reads wait for the next call of
/// this (or for the system's own timer, 40 ms). By itself Linux acknowledges what a read has taken from inside that
/// read, before the reader sees a byte of it. Where the system has no such setting, nothing happens.
void csystem_acknowledge(int fd);

/// The calling thread gives way to others: woken, it never takes the processor from a thread that has not asked for
/// the same. For threads whose work can wait a moment.
void csystem_yield_to_others(void);

/// Memory that was freed stays with the process: given back, it costs a page fault for each 4 KB when it is wanted
/// again, which on a virtual machine is microseconds.
void csystem_keep_memory(void);

#endif

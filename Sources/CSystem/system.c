#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#ifdef __linux__
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

enum { batch_max = 128 };

int csystem_poller_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int csystem_poller_control(int poller, int op, int fd, uint32_t events, uint64_t token) {
    static const int operations[] = {EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL};
    struct epoll_event event = {0};
    event.data.u64 = token;
    if (events & csystem_readable) { event.events |= EPOLLIN; }
    if (events & csystem_writable) { event.events |= EPOLLOUT; }
    return epoll_ctl(poller, operations[op], fd, &event);
}

static int wait_for(int poller, struct epoll_event *ready, int capacity, int64_t timeout_ns) {
    if (timeout_ns == 0) { return epoll_wait(poller, ready, capacity, 0); }
    if (timeout_ns < 0) { return epoll_wait(poller, ready, capacity, -1); }
#ifdef SYS_epoll_pwait2
    static int has_pwait2 = 1;
    if (__atomic_load_n(&has_pwait2, __ATOMIC_RELAXED)) {
        struct timespec limit = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
        int count = (int)syscall(SYS_epoll_pwait2, poller, ready, capacity, &limit, NULL, (size_t)8);
        if (count >= 0 || errno != ENOSYS) { return count; }
        __atomic_store_n(&has_pwait2, 0, __ATOMIC_RELAXED);
    }
#endif
    int64_t milliseconds = (timeout_ns + 999999) / 1000000;
    return epoll_wait(poller, ready, capacity, milliseconds > 3600000 ? 3600000 : (int)milliseconds);
}

int csystem_poller_wait(int poller, csystem_event *events, int capacity, int64_t timeout_ns) {
    struct epoll_event ready[batch_max];
    int count = wait_for(poller, ready, capacity > batch_max ? batch_max : capacity, timeout_ns);
    if (count < 0) { return errno == EINTR ? 0 : -1; }
    for (int i = 0; i < count; i++) {
        uint32_t seen = ready[i].events;
        events[i].token = ready[i].data.u64;
        events[i].events = ((seen & EPOLLIN) ? csystem_readable : 0)
            | ((seen & EPOLLOUT) ? csystem_writable : 0) | ((seen & EPOLLERR) ? csystem_failed : 0) | ((seen & EPOLLHUP) ? csystem_hung_up : 0);
    }
    return count;
}

int csystem_wakeup_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void csystem_wake(int wakeup) {
    uint64_t one = 1;
    ssize_t written = write(wakeup, &one, sizeof one);
    (void)written;  // Only a full counter can fail, and then it is awake already.
}

void csystem_wakeup_clear(int wakeup) {
    uint64_t count;
    ssize_t got = read(wakeup, &count, sizeof count);
    (void)got;
}

int csystem_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

void csystem_acknowledge(int fd) {
    // Neither 0 nor 1: what is owed is sent, and later ones are delayed again. Where nothing was owed the delay has
    // to be asked for.
    int now = 2, later = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &now, sizeof now);
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &later, sizeof later);
}

void csystem_yield_to_others(void) {
    struct sched_param none = {0};
    sched_setscheduler(0, SCHED_BATCH, &none);
}

void csystem_keep_memory(void) {
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TOP_PAD, 1 << 20);
#endif
}

#else  // The other systems compile; their poller (kqueue) is still to be written.

int csystem_poller_create(void) { errno = ENOSYS; return -1; }
int csystem_poller_control(int p, int o, int f, uint32_t e, uint64_t t) {
    (void)p; (void)o; (void)f; (void)e; (void)t; errno = ENOSYS; return -1;
}
int csystem_poller_wait(int p, csystem_event *e, int c, int64_t t) {
    (void)p; (void)e; (void)c; (void)t; errno = ENOSYS; return -1;
}
int csystem_wakeup_create(void) { errno = ENOSYS; return -1; }
void csystem_wake(int w) { (void)w; }
void csystem_wakeup_clear(int w) { (void)w; }
int csystem_accept(int l) { (void)l; errno = ENOSYS; return -1; }
void csystem_acknowledge(int f) { (void)f; }
void csystem_yield_to_others(void) {}
void csystem_keep_memory(void) {}

#endif

/* A thread that runs one job at a time for a loop that must not block: flushes, segment preparation.
 *
 *   owner (one thread)                        flusher thread
 *   dsql_flusher_submit(job, arg)  --state=RUNNING, signal-->  job(arg)
 *   dsql_flusher_poll() == 1       <--state=DONE, wake-up----
 *
 * F1  At most one job is outstanding; the owner touches `arg` only before submit and after poll returned 1.
 * F2  The owner is told by a wake-up that can never be lost: DONE is stored first, then the owner is woken. With
 *     `sleeping` (the word of a doorbell) the eventfd is written only when the owner's loop sleeps; without it always,
 *     and the owner drains the eventfd BEFORE it polls, so a DONE it misses leaves the eventfd readable.
 * F3  The thread is started by the first submit, in the process that submits: a fork before that is harmless. */
#ifndef DSQL_FLUSH_H
#define DSQL_FLUSH_H
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DSQL_FLUSHER_IDLE = 0, DSQL_FLUSHER_RUNNING = 1, DSQL_FLUSHER_DONE = 2 };

typedef struct dsql_flusher_s {
    uint32_t state;
    uint32_t signal;      /* futex word: changes at every submit and at stop */
    uint32_t stop;
    int32_t started;
    pthread_t thread;
    void (*job)(void *);
    void *arg;
    uint64_t *sleeping;   /* doorbell word of the owner's loop, or NULL */
    int32_t wake_fd;      /* the eventfd to write; -1 = nobody to wake */
} dsql_flusher_t;

static inline long dsql_futex(uint32_t *word, int op, uint32_t value) {
    return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static inline void dsql_flusher_write(int fd) {
    uint64_t one = 1;
    ssize_t n;
    do { n = write(fd, &one, 8); } while (n < 0 && errno == EINTR);
}

static inline void *dsql_flusher_main(void *self) {
    dsql_flusher_t *f = (dsql_flusher_t *)self;
    for (;;) {
        uint32_t seen = __atomic_load_n(&f->signal, __ATOMIC_ACQUIRE);
        if (__atomic_load_n(&f->state, __ATOMIC_ACQUIRE) == DSQL_FLUSHER_RUNNING) {
            f->job(f->arg);
            __atomic_store_n(&f->state, DSQL_FLUSHER_DONE, __ATOMIC_RELEASE);
            if (f->wake_fd < 0) continue;
            if (f->sleeping != NULL) {
                __atomic_thread_fence(__ATOMIC_SEQ_CST);
                if (__atomic_load_n(f->sleeping, __ATOMIC_RELAXED) == 0 ||
                    __atomic_exchange_n(f->sleeping, 0, __ATOMIC_ACQ_REL) == 0)
                    continue;
            }
            dsql_flusher_write(f->wake_fd);
            continue;
        }
        if (__atomic_load_n(&f->stop, __ATOMIC_ACQUIRE)) return NULL;
        dsql_futex(&f->signal, FUTEX_WAIT_PRIVATE, seen);
    }
}

static inline void dsql_flusher_init(dsql_flusher_t *f, int wake_fd, uint64_t *sleeping) {
    memset(f, 0, sizeof *f);
    f->wake_fd = wake_fd;
    f->sleeping = sleeping;
}

/* 0, or -1 when the thread cannot be started. */
static inline int dsql_flusher_submit(dsql_flusher_t *f, void (*job)(void *), void *arg) {
    f->job = job;
    f->arg = arg;
    if (!f->started) {
        sigset_t all, old; /* signals belong to the owner's thread */
        int rc;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        __atomic_store_n(&f->state, DSQL_FLUSHER_RUNNING, __ATOMIC_RELEASE);
        rc = pthread_create(&f->thread, NULL, dsql_flusher_main, f);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (rc != 0) { f->state = DSQL_FLUSHER_IDLE; return -1; }
        f->started = 1;
        return 0;
    }
    __atomic_store_n(&f->state, DSQL_FLUSHER_RUNNING, __ATOMIC_RELEASE);
    __atomic_fetch_add(&f->signal, 1, __ATOMIC_ACQ_REL);
    dsql_futex(&f->signal, FUTEX_WAKE_PRIVATE, 1);
    return 0;
}

/* 1 = the job is finished (told once), 0 = still running or nothing submitted. */
static inline int dsql_flusher_poll(dsql_flusher_t *f) {
    if (__atomic_load_n(&f->state, __ATOMIC_ACQUIRE) != DSQL_FLUSHER_DONE) return 0;
    f->state = DSQL_FLUSHER_IDLE;
    return 1;
}

/* Takes what is in a non-blocking eventfd. */
static inline void dsql_flusher_drain(int fd) {
    uint64_t count;
    ssize_t n = read(fd, &count, 8);
    (void)n;
}

/* Waits for a job under way, then ends the thread. Safe to call twice; the flusher may be started again after it. */
static inline void dsql_flusher_stop(dsql_flusher_t *f) {
    if (!f->started) return;
    __atomic_store_n(&f->stop, 1, __ATOMIC_RELEASE);
    __atomic_fetch_add(&f->signal, 1, __ATOMIC_ACQ_REL);
    dsql_futex(&f->signal, FUTEX_WAKE_PRIVATE, 1);
    pthread_join(f->thread, NULL);
    f->started = 0;
    f->stop = 0;
}
#endif

/* Who a process is, for as long as the machine runs: its pid and the tick it started at, in one word.
 *
 *   bits 42..63 pid   bits 0..41 start in clock ticks since boot
 *
 * A recycled pid has another start; a zombie counts as dead. */
#ifndef DSQL_PROCESS_H
#define DSQL_PROCESS_H
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DSQL_START_BITS ((1ull << 42) - 1)

/* Start tick of a live process: 0 when there is certainly none, ~0 when it cannot be told (no descriptor left, no
 * right to look). Field 22 of stat, counted after the last ')' of the name. */
static inline uint64_t dsql_process_start(uint32_t pid) {
    char path[48], text[1024], *p;
    int fd, field;
    ssize_t n;
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? 0 : ~0ull;
    n = read(fd, text, sizeof text - 1);
    if (n <= 0) { n = n < 0 && errno == ESRCH ? 0 : -1; close(fd); return n == 0 ? 0 : ~0ull; }
    close(fd);
    text[n] = 0;
    p = strrchr(text, ')');
    if (p == NULL || p[1] == 0) return ~0ull;
    p += 2;
    if (*p == 'Z' || *p == 'X') return 0;
    for (field = 3; field < 22; field++) {
        p = strchr(p, ' ');
        if (p == NULL) return ~0ull;
        p++;
    }
    return strtoull(p, NULL, 10);
}

static inline uint64_t dsql_process_identity(void) {
    uint32_t pid = (uint32_t)getpid();
    return (uint64_t)pid << 42 | (dsql_process_start(pid) & DSQL_START_BITS);
}

/* 0 only when it is certain: somebody's pin depends on the answer. */
static inline int dsql_process_alive(uint64_t identity) {
    uint64_t start = dsql_process_start((uint32_t)(identity >> 42));
    if (start == ~0ull || (identity & DSQL_START_BITS) == DSQL_START_BITS) return start != 0;
    return start != 0 && (start & DSQL_START_BITS) == (identity & DSQL_START_BITS);
}

/* A number that differs on the two sides of a fork; a plain load, where getpid would be a system call.
 * One per compiled module that includes this. */
static uint32_t dsql_fork_count;
static pthread_once_t dsql_fork_once = PTHREAD_ONCE_INIT;
static void dsql_fork_child(void) { dsql_fork_count++; }
static void dsql_fork_watch(void) { pthread_atfork(NULL, NULL, dsql_fork_child); }
static inline void dsql_fork_register(void) { pthread_once(&dsql_fork_once, dsql_fork_watch); }
static inline uint32_t dsql_fork_generation(void) { return dsql_fork_count; }
#endif

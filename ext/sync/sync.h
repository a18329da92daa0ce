/* Positioned writes and the platform's true flush. Every call returns 0 or -errno; a short write is completed,
 * an interrupted one repeated. A failed flush is never repeated: the kernel may have dropped the pages. */
#ifndef DSQL_SYNC_H
#define DSQL_SYNC_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static inline int dsql_write_at(int fd, const void *data, size_t size, uint64_t offset) {
    const uint8_t *p = (const uint8_t *)data;
    while (size) {
        ssize_t n = pwrite(fd, p, size, (off_t)offset);
        if (n < 0) { if (errno == EINTR) continue; return -errno; }
        if (n == 0) return -EIO;
        p += n; size -= (size_t)n; offset += (uint64_t)n;
    }
    return 0;
}

/* Bytes read (less than size only at the end of the file) or -errno. */
static inline int64_t dsql_read_at(int fd, void *data, size_t size, uint64_t offset) {
    uint8_t *p = (uint8_t *)data;
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, p + done, size - done, (off_t)(offset + done));
        if (n < 0) { if (errno == EINTR) continue; return -errno; }
        if (n == 0) break;
        done += (size_t)n;
    }
    return (int64_t)done;
}

static inline int dsql_sync_data(int fd) {
#if defined(__APPLE__)
    return fcntl(fd, F_FULLFSYNC) < 0 ? -errno : 0;
#else
    return fdatasync(fd) < 0 ? -errno : 0;
#endif
}

static inline int64_t dsql_file_size(int fd) {
    struct stat st;
    return fstat(fd, &st) < 0 ? -(int64_t)errno : (int64_t)st.st_size;
}

/* Direct writes on or off; -errno when the file system refuses. */
static inline int dsql_set_direct(int fd, int on) {
#ifdef O_DIRECT
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    flags = on ? flags | O_DIRECT : flags & ~O_DIRECT;
    return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
#else
    (void)fd;
    return on ? -EINVAL : 0;
#endif
}

static inline uint64_t dsql_monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void dsql_sleep_ns(uint64_t ns) {
    struct timespec t = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
    while (nanosleep(&t, &t) < 0 && errno == EINTR) { }
}
#endif

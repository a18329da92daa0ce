/* Segment files of a journal: made whole before they are used, renamed to be used again.
 *
 * A segment is named by its id (%016x.segment) and has its full size, written (not sparse), before it has that name:
 * it is filled under a temporary name, flushed, renamed, and the directory flushed. So a flush into it never changes
 * metadata and never meets a full disk, and a segment file shorter than its size is damage, never a crash's trace.
 * Calls return 0 or a descriptor, or -errno. */
#ifndef DSQL_SEGMENT_H
#define DSQL_SEGMENT_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sync/sync.h"

enum { DSQL_SEGMENT_CHUNK = 262144 };

static inline void dsql_segment_name(char name[40], uint64_t id, const char *suffix) {
    snprintf(name, 40, "%016" PRIx64 ".segment%s", id, suffix);
}

static inline int dsql_directory_sync(int directory_fd) { return fsync(directory_fd) < 0 ? -errno : 0; }

/* Opens for the writer: every write is durable when it returns, past the page cache where the file system allows. */
static inline int dsql_segment_open(int directory_fd, uint64_t id) {
    char name[40];
    int fd;
    dsql_segment_name(name, id, "");
#if defined(O_DIRECT)
    fd = openat(directory_fd, name, O_RDWR | O_CLOEXEC | O_DSYNC | O_DIRECT);
    if (fd >= 0) {
        void *probe = NULL; /* 512-byte positions must be allowed, else direct writes are not for us */
        if (posix_memalign(&probe, 4096, 512) == 0) {
            ssize_t n = pread(fd, probe, 512, 512);
            free(probe);
            if (n == 512) return fd;
        }
        close(fd);
    }
#endif
    fd = openat(directory_fd, name, O_RDWR | O_CLOEXEC | O_DSYNC);
    return fd < 0 ? -errno : fd;
}

/* A new segment of `size` bytes; the first `zeroed` are written, the rest only allocated (it reads as zeros too, but the
 * first write there costs a metadata update: for a first segment that must be there at once). */
static inline int dsql_segment_create(int directory_fd, uint64_t id, uint64_t size, uint64_t zeroed) {
    char temporary[40], name[40];
    void *chunk = NULL;
    int fd, rc;
    dsql_segment_name(temporary, id, ".new");
    dsql_segment_name(name, id, "");
    fd = openat(directory_fd, temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    rc = -posix_fallocate(fd, 0, (off_t)size);
    if (rc == 0 && posix_memalign(&chunk, 4096, DSQL_SEGMENT_CHUNK) != 0) rc = -ENOMEM;
    if (rc == 0) {
        memset(chunk, 0, DSQL_SEGMENT_CHUNK);
        dsql_set_direct(fd, 1); /* small direct writes: flushes of the journal slip in between */
        for (uint64_t at = 0; at < zeroed && rc == 0; at += DSQL_SEGMENT_CHUNK) {
            uint64_t part = zeroed - at < DSQL_SEGMENT_CHUNK ? zeroed - at : DSQL_SEGMENT_CHUNK;
            rc = dsql_write_at(fd, chunk, part, at);
            if (rc == -EINVAL) {
                dsql_set_direct(fd, 0);
                rc = dsql_write_at(fd, chunk, part, at);
            }
        }
        free(chunk);
    }
    if (rc == 0 && fsync(fd) < 0) rc = -errno;
    close(fd);
    if (rc == 0 && renameat(directory_fd, temporary, directory_fd, name) < 0) rc = -errno;
    if (rc < 0) unlinkat(directory_fd, temporary, 0);
    return rc;
}

static inline int dsql_segment_rename(int directory_fd, uint64_t from, uint64_t to) {
    char a[40], b[40];
    dsql_segment_name(a, from, "");
    dsql_segment_name(b, to, "");
    return renameat(directory_fd, a, directory_fd, b) < 0 ? -errno : 0;
}

static inline int dsql_segment_unlink(int directory_fd, uint64_t id) {
    char name[40];
    dsql_segment_name(name, id, "");
    return unlinkat(directory_fd, name, 0) < 0 ? -errno : 0;
}
#endif

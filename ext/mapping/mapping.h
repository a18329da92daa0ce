/* Anonymous shared memory: a memfd of a fixed (sparse) size and its mappings. The creator passes the descriptor on by
 * fork; nothing has a name, so nothing is left behind when the last process goes. */
#ifndef DSQL_MAPPING_H
#define DSQL_MAPPING_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Descriptor (not inherited over exec) or -errno. */
static inline int dsql_memory_create(const char *name, uint64_t size) {
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0) return -errno;
    if (ftruncate(fd, (off_t)size) < 0) { int e = errno; close(fd); return -e; }
    return fd;
}

/* NULL on failure, errno set. No swap or overcommit reserve: the arena is far larger than what is used of it. */
static inline void *dsql_memory_map(int fd, uint64_t size, int writable) {
    void *p = mmap(NULL, size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED | MAP_NORESERVE, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

static inline void dsql_memory_unmap(void *p, uint64_t size) { if (p) munmap(p, size); }

/* Gives the memory behind [p, p + size) of a shared mapping back to the machine; it reads as zeroes afterwards.
 * Best effort. */
static inline void dsql_memory_return(void *p, uint64_t size) { (void)madvise(p, size, MADV_REMOVE); }

/* Large pages where the machine lets shared memory have them on request; nothing happens elsewhere. */
static inline void dsql_memory_advise_large(void *p, uint64_t size) { (void)madvise(p, size, MADV_HUGEPAGE); }

/* Changes what this process may do with a mapping: 0 or -errno. */
static inline int dsql_memory_protect(void *p, uint64_t size, int writable) {
    return mprotect(p, size, PROT_READ | (writable ? PROT_WRITE : 0)) < 0 ? -errno : 0;
}

/* Takes the faults of [p, p + size) now, in one call. Best effort: a kernel without it faults page by page later.
 * Where memory runs out it fails here with an error instead of a signal at the first touch: -errno. */
static inline int dsql_memory_populate(void *p, uint64_t size) {
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
    if (madvise(p, size, MADV_POPULATE_WRITE) == 0) return 0;
    return errno == EINVAL ? 0 : -errno;
}
#endif

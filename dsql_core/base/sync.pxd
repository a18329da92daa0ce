# Positioned writes, true flush, monotonic time of ext/sync. Results are 0 (or a count) or -errno.
from libc.stdint cimport int64_t, uint64_t

cdef extern from "sync/sync.h" nogil:
    int dsql_write_at(int fd, const void* data, size_t size, uint64_t offset) noexcept
    int64_t dsql_read_at(int fd, void* data, size_t size, uint64_t offset) noexcept
    int dsql_sync_data(int fd) noexcept
    int64_t dsql_file_size(int fd) noexcept
    int dsql_set_direct(int fd, int on) noexcept
    uint64_t dsql_monotonic_ns() noexcept
    void dsql_sleep_ns(uint64_t ns) noexcept

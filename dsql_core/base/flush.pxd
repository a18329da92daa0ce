# One background job at a time for a loop that must not block: ext/flush (read its invariants F1-F3).
from libc.stdint cimport int32_t, uint32_t, uint64_t

cdef extern from "flush/flush.h" nogil:
    ctypedef struct dsql_flusher_t:
        uint32_t state
        uint64_t* sleeping
        int32_t wake_fd
        int32_t started
    void dsql_flusher_init(dsql_flusher_t* f, int wake_fd, uint64_t* sleeping) noexcept
    int dsql_flusher_submit(dsql_flusher_t* f, void (*job)(void*) noexcept nogil, void* arg) noexcept
    int dsql_flusher_poll(dsql_flusher_t* f) noexcept
    void dsql_flusher_drain(int fd) noexcept
    void dsql_flusher_stop(dsql_flusher_t* f) noexcept
    void dsql_flusher_write(int fd) noexcept

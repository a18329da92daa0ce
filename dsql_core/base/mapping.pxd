# Anonymous shared memory of ext/mapping and process identity of ext/process.
from libc.stdint cimport uint32_t, uint64_t

cdef extern from "mapping/mapping.h" nogil:
    int dsql_memory_create(const char* name, uint64_t size) noexcept
    void* dsql_memory_map(int fd, uint64_t size, int writable) noexcept
    void dsql_memory_unmap(void* p, uint64_t size) noexcept
    void dsql_memory_return(void* p, uint64_t size) noexcept
    void dsql_memory_advise_large(void* p, uint64_t size) noexcept
    int dsql_memory_protect(void* p, uint64_t size, int writable) noexcept
    int dsql_memory_populate(void* p, uint64_t size) noexcept

cdef extern from "process/process.h" nogil:
    uint64_t dsql_process_identity() noexcept
    int dsql_process_alive(uint64_t identity) noexcept
    void dsql_fork_register() noexcept
    uint32_t dsql_fork_generation() noexcept

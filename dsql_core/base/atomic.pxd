# Atomic words of ext/atomic. Each call names its memory order.
from libc.stdint cimport uint32_t, uint64_t

cdef extern from "atomic/atomic64.h" nogil:
    uint64_t dsql_load_acquire(const uint64_t* p) noexcept
    uint64_t dsql_load_relaxed(const uint64_t* p) noexcept
    void dsql_store_release(uint64_t* p, uint64_t v) noexcept
    void dsql_store_relaxed(uint64_t* p, uint64_t v) noexcept
    void dsql_fence_seq_cst() noexcept
    uint64_t dsql_fetch_add(uint64_t* p, uint64_t v) noexcept
    uint64_t dsql_exchange(uint64_t* p, uint64_t v) noexcept
    int dsql_compare_exchange(uint64_t* p, uint64_t expected, uint64_t desired) noexcept
    uint32_t dsql_load_acquire32(const uint32_t* p) noexcept
    void dsql_store_release32(uint32_t* p, uint32_t v) noexcept
    uint32_t dsql_fetch_add32(uint32_t* p, uint32_t v) noexcept
    uint32_t dsql_fetch_sub32(uint32_t* p, uint32_t v) noexcept

cdef extern from "check/check.h" nogil:
    void dsql_check(int cond, const char* what) noexcept

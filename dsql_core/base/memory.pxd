# Memory that needs no owner per value: Pool (bump allocation, freed as a whole) and Buffer (growing bytes).
#
# Budget: what several pools may hold together; a pool made with pool_init_in counts its chunks there.
# Pool: chunks of >= 16 KiB, allocations 16-byte aligned, no individual free. pool_reset keeps the largest chunk.
# pool_alloc returns NULL when memory or the pool's limit (bytes_limit, 0 = none) is exhausted; the caller reports it.
# Buffer: append-only bytes; an allocation failure sets `failed` and drops appends, checked once at the end.
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

cdef struct PoolChunk:
    PoolChunk* next
    size_t capacity        # bytes of data after this 16-byte header

cdef struct Budget:
    size_t used            # sum of capacities held by its pools
    size_t limit           # 0 = none

cdef struct Pool:
    PoolChunk* head        # newest chunk; `at`..`end` is its free part
    uint8_t* at
    uint8_t* end
    size_t bytes_total     # sum of capacities held
    size_t bytes_limit     # 0 = none
    Budget* budget         # NULL = none

cdef inline void pool_init(Pool* pool, size_t bytes_limit) noexcept nogil:
    pool.head = NULL
    pool.at = NULL
    pool.end = NULL
    pool.bytes_total = 0
    pool.bytes_limit = bytes_limit
    pool.budget = NULL

cdef inline void pool_init_in(Pool* pool, Budget* budget) noexcept nogil:
    pool_init(pool, 0)
    pool.budget = budget

cdef inline void* _pool_grow(Pool* pool, size_t size) noexcept nogil:
    cdef size_t capacity = 16368
    cdef PoolChunk* chunk
    if pool.bytes_total > 65536:
        capacity = 262128
    if size > capacity:
        capacity = size
    if pool.bytes_limit != 0 and pool.bytes_total + capacity > pool.bytes_limit:
        return NULL
    if pool.budget != NULL and pool.budget.limit != 0 and pool.budget.used + capacity > pool.budget.limit:
        return NULL
    chunk = <PoolChunk*>malloc(capacity + 16)
    if chunk == NULL:
        return NULL
    if pool.budget != NULL:
        pool.budget.used += capacity
    chunk.next = pool.head
    chunk.capacity = capacity
    pool.head = chunk
    pool.bytes_total += capacity
    pool.at = <uint8_t*>chunk + 16 + size
    pool.end = <uint8_t*>chunk + 16 + capacity
    return <uint8_t*>chunk + 16

cdef inline void* pool_alloc(Pool* pool, size_t size) noexcept nogil:
    cdef uint8_t* at = pool.at
    size = (size + 15) & ~<size_t>15
    if <size_t>(pool.end - at) >= size and at != NULL:
        pool.at = at + size
        return at
    return _pool_grow(pool, size)

cdef inline uint8_t* pool_copy(Pool* pool, const void* data, size_t size) noexcept nogil:
    cdef uint8_t* at = <uint8_t*>pool_alloc(pool, size if size != 0 else 1)
    if at != NULL and size != 0:
        memcpy(at, data, size)
    return at

cdef inline void pool_reset(Pool* pool) noexcept nogil:
    # Frees all but the newest chunk and starts over in it.
    cdef PoolChunk* chunk
    cdef PoolChunk* next
    if pool.head == NULL:
        return
    chunk = pool.head.next
    while chunk != NULL:
        next = chunk.next
        pool.bytes_total -= chunk.capacity
        if pool.budget != NULL:
            pool.budget.used -= chunk.capacity
        free(chunk)
        chunk = next
    pool.head.next = NULL
    pool.at = <uint8_t*>pool.head + 16
    pool.end = pool.at + pool.head.capacity

cdef inline void pool_free(Pool* pool) noexcept nogil:
    cdef PoolChunk* chunk = pool.head
    cdef PoolChunk* next
    while chunk != NULL:
        next = chunk.next
        free(chunk)
        chunk = next
    if pool.budget != NULL:
        pool.budget.used -= pool.bytes_total
    pool.head = NULL
    pool.at = NULL
    pool.end = NULL
    pool.bytes_total = 0

cdef struct Buffer:
    uint8_t* data
    size_t size
    size_t capacity
    int failed

cdef inline void buffer_init(Buffer* b) noexcept nogil:
    b.data = NULL
    b.size = 0
    b.capacity = 0
    b.failed = 0

cdef inline void buffer_free(Buffer* b) noexcept nogil:
    free(b.data)
    buffer_init(b)

cdef inline int _buffer_grow(Buffer* b, size_t extra) noexcept nogil:
    cdef size_t capacity = b.capacity * 2 if b.capacity else 256
    cdef uint8_t* data
    while capacity < b.size + extra:
        capacity *= 2
    data = <uint8_t*>realloc(b.data, capacity)
    if data == NULL:
        b.failed = 1
        return -1
    b.data = data
    b.capacity = capacity
    return 0

cdef inline uint8_t* buffer_reserve(Buffer* b, size_t extra) noexcept nogil:
    # Room for `extra` bytes after b.size; the caller writes them and adds to b.size. NULL on failure.
    if b.capacity - b.size < extra and _buffer_grow(b, extra) < 0:
        return NULL
    return b.data + b.size

cdef inline void buffer_append(Buffer* b, const void* data, size_t size) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(b, size)
    if at != NULL:
        memcpy(at, data, size)
        b.size += size

cdef inline void buffer_append_u8(Buffer* b, uint8_t value) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(b, 1)
    if at != NULL:
        at[0] = value
        b.size += 1

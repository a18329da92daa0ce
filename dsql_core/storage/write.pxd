# Trees under change: put, delete, drop, and the directory that names them. Writer only; rules in write.pyx.
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from dsql_core.storage.layout cimport Store, TreeState

cdef enum:
    WRITE_FULL = -1               # the arena (or the process's memory) is exhausted
    WRITE_CORRUPT = -2

cdef TreeState* tree_open(Store* store, uint64_t tree) noexcept nogil        # NULL: no memory or a damaged directory
cdef int tree_touch(Store* store, TreeState* state) noexcept nogil           # notes that it changes in this batch
cdef int put_in(Store* store, TreeState* state, const uint8_t* key, size_t key_size,
                const uint8_t* value, size_t value_size) noexcept nogil      # 1 replaced, 0 new, or < 0
cdef int delete_in(Store* store, TreeState* state, const uint8_t* key, size_t key_size) noexcept nogil
cdef int drop_in(Store* store, TreeState* state) noexcept nogil
cdef int directory_flush(Store* store) noexcept nogil                        # changed trees into the directory

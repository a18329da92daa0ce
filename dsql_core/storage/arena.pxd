# Arena: the Python-visible owner of one process's view of storage. `arena.store` is what the rest of the core uses.
from dsql_core.storage.layout cimport Store
from dsql_core.storage.store cimport Snapshot

cdef class Arena:
    cdef Store* store             # NULL after close()
    cdef Store _store
    cdef readonly int control_fd  # owned: closed by close()
    cdef readonly int arena_fd
    cdef readonly bint writer

    cdef int _check_open(self) except -1
    cdef int _check_writer(self) except -1

cdef class SnapshotView:
    cdef Arena arena              # keeps the mapping
    cdef Snapshot snapshot

    cdef int _check_open(self) except -1

# Checking every page a root reaches, in memory or while reading it from a checkpoint file. See inspect.pyx.
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from dsql_core.storage.layout cimport Store

cdef enum:
    INSPECT_NO_MEMORY = -1
    INSPECT_DAMAGED = -2
    INSPECT_IO = -3

cdef struct Inspection:
    uint64_t page_count           # reached
    uint64_t overflow_count       # of them
    uint64_t tree_count
    uint64_t entry_count          # of all trees, without the directory
    uint64_t bad_page             # of a failure
    int io_error                  # errno of INSPECT_IO
    const char* what              # of a failure: a static text

# fd >= 0: pages are first read from that file into the (writable) arena, and their checksums checked.
# born_max: no page may be younger. pages_high: no page number may reach it.
cdef int inspect_root(Store* store, int fd, uint32_t directory_root, uint64_t pages_high, uint64_t born_max,
                      Inspection* out) noexcept nogil
cdef uint32_t page_checksum(const uint8_t* page) noexcept nogil

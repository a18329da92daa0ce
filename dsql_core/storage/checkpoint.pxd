# One checkpoint in a file, written by a process that reads the arena. See checkpoint.pyx.
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from dsql_core.storage.arena cimport Arena
from dsql_core.storage.layout cimport PageList, Store
from dsql_core.storage.store cimport Snapshot

cdef enum:
    META_EMPTY = 0
    META_VALID = 1
    META_DAMAGED = 2
    META_FOREIGN = 3              # not ours at all
    META_VERSION = 4
    META_PAGE_SIZE = 5

cdef struct Meta:                 # bytes 0..79 of a meta page; the rest is 0 and covered by the checksum too
    uint8_t magic[8]
    uint32_t format
    uint32_t crc                  # of the whole page with this field 0, at the place pages have theirs
    uint32_t page_size
    uint32_t reserved
    uint64_t epoch
    uint64_t visible_ts
    uint64_t catalog_version
    uint64_t journal_seq
    uint64_t directory_root
    uint64_t pages
    uint64_t meta_no              # 0 or 1: a meta copied to the other place is not one

cdef class Checkpoint:
    cdef Arena arena
    cdef int fd
    cdef bint direct              # the file takes O_DIRECT writes
    cdef Meta durable             # the newest meta found in the file; epoch 0 = none
    cdef Snapshot snapshot        # pinned in the checkpoint slot `target` while one is under way
    cdef int target
    cdef int running
    cdef PageList dirty           # ascending
    cdef uint64_t at              # next of dirty to write
    cdef uint64_t file_size
    cdef uint64_t zero_to         # the file is filled up to here first
    cdef uint8_t* buffer          # one run, aligned

    cdef int _put(self, size_t size, uint64_t offset) except -1
    cdef int _flush(self) except -1
    cdef uint64_t _pages(self) noexcept

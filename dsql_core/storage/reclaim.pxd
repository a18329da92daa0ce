# Which page may be written next: the free list, dead pages, bags. Writer only.
from libc.stdint cimport uint32_t, uint64_t, uint8_t

from dsql_core.storage.layout cimport PageList, Store, Writer

cdef Writer* writer_new() noexcept nogil
cdef void writer_clear(Writer* writer) noexcept nogil             # forgets trees, free pages, dead pages
cdef void writer_free(Writer* writer) noexcept nogil
cdef int list_push(PageList* pages, uint32_t page_no) noexcept nogil                 # 0, -1 no memory
# A page to build in the batch under way; header not set. NULL = the arena is full.
cdef uint8_t* page_alloc(Store* store, uint32_t* page_no) noexcept nogil
# The page is no longer part of the new root. 0, -1 no memory.
cdef int page_retire(Store* store, uint32_t page_no, uint64_t born) noexcept nogil
cdef int dead_push(Writer* writer, uint32_t page_no, uint64_t born, uint64_t died) noexcept nogil
# Frees dead pages no pin needs; every page that died in an already published batch is judged. 0, -1 no memory.
cdef int reclaim_judge(Store* store) noexcept nogil
cdef int touch_ahead(Store* store, uint64_t pages) noexcept nogil

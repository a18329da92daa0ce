# A writer's start: from a published root to a free list and bags. See recover.pyx.
from libc.stdint cimport uint64_t

from dsql_core.storage.layout cimport Control, Store

cdef enum:
    RECOVER_NO_MEMORY = -1
    RECOVER_CORRUPT = -2

cdef void control_format(Control* control, uint64_t pages_max) noexcept nogil     # epoch 1: the empty root
cdef int control_check(const Control* control) noexcept nogil                     # 0, -1 not a control area of ours
# Republishes the newest root under a new epoch and builds the writer's state. 0 or a RECOVER_ code;
# *bad_page = the page that was found damaged.
cdef int writer_recover(Store* store, uint64_t* bad_page) noexcept nogil

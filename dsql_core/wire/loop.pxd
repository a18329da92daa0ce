# The serving loop: sockets, run queue, roles, replies, in one thread without the GIL.

from dsql_core.wire.connection cimport Loop

cdef int loop_init(Loop* loop) noexcept nogil                # defaults; 0, -1 no memory or descriptors
cdef void loop_free(Loop* loop) noexcept nogil               # every connection closed, loop not running
cdef int loop_run(Loop* loop) noexcept nogil                 # until stop_requested; 0, -1 a role failed
cdef void loop_wake(Loop* loop) noexcept nogil               # from any thread

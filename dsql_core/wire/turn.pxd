# A connection's turn in the loop.
from dsql_core.codec.message cimport CommitReply
from dsql_core.wire.connection cimport Conn, Loop, Request

# its socket is ready, or the run queue came to it
cdef void turn_advance(Conn* conn,
                       int from_queue) noexcept nogil
cdef void turn_completed(Loop* loop, Request* request) noexcept nogil  # an errand is back from the Python thread
cdef void turn_replied(Loop* loop, const CommitReply* reply) noexcept nogil
cdef void turn_close(Conn* conn) noexcept nogil                        # the socket at once, the rest when nothing waits

# The simple protocol: Query, and the COPY IN sub-protocol that both protocols share.
from libc.stdint cimport uint8_t

from dsql_core.wire.connection cimport Conn

# Handles (or goes on with) a Query message body. 1 = done with the message, 0 = it stays at the front of the input.
cdef int query_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil
# A message while COPY IN is under way.
cdef void copy_message(Conn* conn, uint8_t kind, const uint8_t* body, size_t size) noexcept nogil

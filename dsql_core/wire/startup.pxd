# The first packets of a connection: encryption requests, cancel, startup, password.
from libc.stdint cimport uint8_t, uint32_t

from dsql_core.wire.connection cimport Conn, Loop, Request

# Before the first byte is read: is it TLS? 1 = read on, 0 = nothing there yet, or hung up.
cdef int startup_begins(Conn* conn) noexcept nogil
# A whole first packet (length word included). 1 = consumed; the phase says what follows.
cdef void startup_packet(Conn* conn, const uint8_t* packet, size_t size) noexcept nogil
cdef void password_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil
cdef void startup_answered(Conn* conn, Request* request) noexcept nogil         # the Python thread decided
cdef void cancel_session(Loop* loop, uint32_t slot_plus_one, uint32_t secret) noexcept nogil

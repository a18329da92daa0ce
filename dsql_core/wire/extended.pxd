# The extended protocol: Parse, Bind, Describe, Execute, Close, Flush, Sync. Each returns 1 = done with the message,
# 0 = it stays at the front of the input (parked for a plan).
from libc.stdint cimport uint8_t

from dsql_core.wire.connection cimport Conn

cdef int parse_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil
cdef int bind_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil
cdef int describe_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil
cdef int execute_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil
cdef int close_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil

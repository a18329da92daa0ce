# TLS of a connection: its session in the place of recv and send.
from libc.stdint cimport uint8_t

from dsql_core.wire.connection cimport Conn

cdef extern from "tls/tls.h" nogil:
    ctypedef struct dsql_tls_t:
        pass

cdef enum TlsState:
    TLS_NONE = 0
    TLS_HANDSHAKE = 1        # after SSLRequest: ALPN as the client likes
    TLS_DIRECT = 2           # the first byte was a ClientHello: ALPN is required
    TLS_OPEN = 3
    TLS_FAILED = 4           # nothing more may be read or written, not even a goodbye

cdef enum:
    TLS_WAIT = -1
    TLS_LOST = -2
    PEEK_NONE = -1
    PEEK_END = -2

cdef class TlsContext:
    cdef dsql_tls_t calls
    cdef void* context

cdef int tls_begin(Conn* conn, uint8_t state) noexcept nogil      # a session that expects a ClientHello; 0, -1 no memory
cdef int tls_peek(Conn* conn) noexcept nogil                       # first byte waiting, or PEEK_*
# As recv and send: bytes, 0 = the peer has said all, TLS_WAIT (readable or writable is cleared), TLS_LOST.
cdef ssize_t tls_recv(Conn* conn, void* buffer, size_t size) noexcept nogil
cdef ssize_t tls_send(Conn* conn, const void* buffer, size_t size) noexcept nogil
cdef const char* tls_host(const Conn* conn) noexcept nogil         # host name the client asked for (SNI), or NULL
cdef void tls_end(Conn* conn) noexcept nogil                       # goodbye and free, before the socket is closed

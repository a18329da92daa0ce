"""TLS of connections: what the loop calls instead of recv and send, and the server's context as Python makes it.

    context = TlsContext("server.pem", "server.key")          # TlsError: no libssl, files that do not fit
    Server(engine, tls=context, ...)

The handshake is part of the first tls_recv: a session in TLS_HANDSHAKE or TLS_DIRECT reads no byte before it is done,
so a connection that never finishes one stays in PHASE_STARTUP and goes with those that never said who they are.

Invariants
  E1  a call that must wait clears the flag of what it waits for: a read that must first write (a handshake's flight that
      the socket does not take) clears `writable` and keeps `readable`, so the edge EPOLLOUT comes back to the read.
  E2  `readable` stays set while the session holds decrypted bytes: only "wait for the socket" clears it (T2).
  E3  after TLS_FAILED the session is only freed; tls_end is called before the socket is closed, exactly once.
Memory: a session belongs to its connection; the context to the TlsContext, which the Server keeps alive.
"""
import importlib.util

cimport cython
from libc.stdint cimport uint8_t
from libc.string cimport memset

from dsql_core.base.atomic cimport dsql_store_relaxed
from dsql_core.wire.connection cimport COUNT_TLS, COUNT_TLS_FAILED, Conn
from dsql_core.wire.posix cimport EAGAIN, EINTR, MSG_DONTWAIT, MSG_PEEK, errno, recv

cdef extern from "tls/tls.h" nogil:
    enum:
        DSQL_TLS_READ
        DSQL_TLS_WRITE
    int dsql_tls_load(dsql_tls_t* tls)
    void* dsql_tls_context(const dsql_tls_t* tls, const char* certificate, const char* key, char* why, size_t size)
    void dsql_tls_context_free(const dsql_tls_t* tls, void* context)
    void* dsql_tls_session(const dsql_tls_t* tls, void* context, int fd)
    ssize_t dsql_tls_handshake(const dsql_tls_t* tls, void* session)
    ssize_t dsql_tls_read(const dsql_tls_t* tls, void* session, void* buffer, size_t size)
    ssize_t dsql_tls_write(const dsql_tls_t* tls, void* session, const void* buffer, size_t size)
    void dsql_tls_end(const dsql_tls_t* tls, void* session, int say_goodbye)
    const char* dsql_tls_host(const dsql_tls_t* tls, const void* session)
    int dsql_tls_has_protocol(const dsql_tls_t* tls, const void* session)


class TlsError(Exception):
    """TLS cannot be served: no usable libssl, or certificate and key that it does not take."""


@cython.final
cdef class TlsContext:
    """A server's certificate and key, ready for connections.

    Args:
        certificate: path of a PEM file, the server's certificate first, then those that sign it.
        key: path of its private key, PEM, without a passphrase.

    Raises:
        TlsError: there is no libssl 3 or 1.1.1, or it refuses a file.
    """

    def __cinit__(self, certificate: str, key: str):
        cdef char[256] why
        cdef bytes certificate_path = certificate.encode()
        cdef bytes key_path = key.encode()
        memset(why, 0, sizeof(why))
        if importlib.util.find_spec("_ssl"):
            importlib.import_module("_ssl")          # its libssl is the one to use: one copy in the process
        if dsql_tls_load(&self.calls) < 0:
            raise TlsError("TLS needs OpenSSL 3 or 1.1.1 (libssl.so.3 or libssl.so.1.1), and none was found")
        self.context = dsql_tls_context(&self.calls, certificate_path, key_path, why, sizeof(why))
        if self.context == NULL:
            raise TlsError(f"{certificate}, {key}: {why.decode('utf-8', 'replace')}")

    def __dealloc__(self):
        if self.context != NULL:
            dsql_tls_context_free(&self.calls, self.context)


cdef inline const dsql_tls_t* _calls(const Conn* conn) noexcept nogil:
    return <const dsql_tls_t*>conn.loop.tls_calls


cdef int tls_begin(Conn* conn, uint8_t state) noexcept nogil:
    conn.tls = dsql_tls_session(_calls(conn), conn.loop.tls_context, conn.fd)
    conn.tls_state = state
    return 0 if conn.tls != NULL else -1


cdef int tls_peek(Conn* conn) noexcept nogil:
    cdef uint8_t first = 0
    cdef ssize_t got
    while True:
        got = recv(conn.fd, &first, 1, MSG_DONTWAIT | MSG_PEEK)
        if got == 1:
            return first
        if got == 0:
            return PEEK_END                            # the ordinary read finds out why
        if errno != EINTR:
            return PEEK_NONE if errno == EAGAIN else PEEK_END


cdef ssize_t _lost(Conn* conn) noexcept nogil:
    if conn.tls_state == TLS_HANDSHAKE or conn.tls_state == TLS_DIRECT:
        dsql_store_relaxed(&conn.loop.counters[COUNT_TLS_FAILED], conn.loop.counters[COUNT_TLS_FAILED] + 1)
    conn.tls_state = TLS_FAILED
    return TLS_LOST


cdef ssize_t _answer(Conn* conn, ssize_t result) noexcept nogil:
    if result >= 0:
        return result
    if result == DSQL_TLS_READ:
        conn.readable = 0                              # E1
    elif result == DSQL_TLS_WRITE:
        conn.writable = 0
    else:
        return _lost(conn)
    return TLS_WAIT


cdef ssize_t tls_recv(Conn* conn, void* buffer, size_t size) noexcept nogil:
    cdef ssize_t result
    if conn.tls_state != TLS_OPEN:
        if conn.tls_state == TLS_FAILED:
            return TLS_LOST
        result = dsql_tls_handshake(_calls(conn), conn.tls)
        if result <= 0:
            return _answer(conn, result) if result < 0 else _lost(conn)
        if conn.tls_state == TLS_DIRECT and not dsql_tls_has_protocol(_calls(conn), conn.tls):
            return _lost(conn)                         # as in PostgreSQL 17: direct TLS without ALPN is not taken
        conn.tls_state = TLS_OPEN
        dsql_store_relaxed(&conn.loop.counters[COUNT_TLS], conn.loop.counters[COUNT_TLS] + 1)
    return _answer(conn, dsql_tls_read(_calls(conn), conn.tls, buffer, size))


cdef ssize_t tls_send(Conn* conn, const void* buffer, size_t size) noexcept nogil:
    cdef ssize_t result
    if conn.tls_state != TLS_OPEN:
        return TLS_LOST
    result = dsql_tls_write(_calls(conn), conn.tls, buffer, size)
    if result == DSQL_TLS_WRITE:
        conn.writable = 0
        return TLS_WAIT
    return result if result > 0 else _lost(conn)       # without renegotiation a write never waits for the peer's word


cdef const char* tls_host(const Conn* conn) noexcept nogil:
    return dsql_tls_host(_calls(conn), conn.tls)


cdef void tls_end(Conn* conn) noexcept nogil:
    if conn.tls != NULL:
        dsql_tls_end(_calls(conn), conn.tls, conn.tls_state == TLS_OPEN)   # E3
        conn.tls = NULL

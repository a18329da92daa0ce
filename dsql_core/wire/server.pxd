# Python's face of the serving loop.
from dsql_core.base.memory cimport Buffer
from dsql_core.wire.connection cimport Loop, Request

cdef class WireRequest:
    cdef Request* c_request         # NULL once completed
    cdef readonly Server server
    cdef readonly object session    # SessionHandle
    cdef readonly object state      # the gateway's per-session object (any Python object), or None at first
    cdef Request* _need(self) except NULL

cdef class Server:
    cdef Loop loop
    cdef Request* waiting           # taken from the loop, not yet handed out
    cdef readonly object engine
    cdef object held                # whatever the loop points into
    cdef dict sessions              # connection -> [SessionHandle, state]
    cdef readonly bint running
    cdef readonly bint closed

    cdef int _name(self, list host_names, bytes cluster_id) except -1
    cdef void _empty_trash(self)
    cdef Request* _take(self) noexcept
    cdef void _push(self, WireRequest request)
    cdef void _forget(self, Request* request)
    cdef void _refuse(self, WireRequest request, object error)
    cdef int _rows(self, Request* request, object result) except -1
    cdef void _describe(self, Buffer* out, list columns)

# Python faces of engine and session. See handle.pyx.
from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.types cimport uint64_t
from dsql_core.base.vector cimport Batch, Value
from dsql_core.execute.program cimport ProgramHandle
from dsql_core.execute.state cimport Engine, Execution, Limits, Session

cdef class EngineHandle:
    cdef Engine engine
    cdef readonly object arena             # keeps the mapping alive
    cdef readonly object limits            # opendsql.limits.Limits, or None: nothing is limited
    cdef readonly object commit            # commit_fn(request: bytes) -> REPLY_* status, or None
    cdef public object aside               # EngineHandle of sessions beside a statement; None = this one's

cdef class SessionHandle:
    cdef Session* session                  # NULL once closed or detached
    cdef readonly object owner             # EngineHandle, or whatever keeps the Session alive
    cdef bint is_owned                     # made by EngineHandle.session(): commits its implicit transactions itself
    cdef public object user                # free for the Python side
    cdef public object settings            # the catalog's SessionSettings of this session
    cdef object __weakref__

    cdef int _alive(self) except -1
    cdef int _raise(self) except -1
    cdef int _ready(self, bint writing) except -1
    cdef int _write(self, uint64_t tree, bytes key, bytes value) except -1
    cdef int _names(self, object names, uint64_t* out) except -1
    cdef list _rows(self, Batch* batch, Buffer* text, list rows)
    cdef int _params(self, ProgramHandle program, object params, Pool* pool, Value* out) except -1

# The Python face of a Session the serving loop owns; the loop calls handle.detach() before it frees the session.
cdef SessionHandle session_handle(Session* session, object owner)

# Catalog names a session has used, and who changed them since (OC001). Layout and invariants: known.pyx, state.pxd.
from dsql_core.base.types cimport uint32_t, uint64_t
from dsql_core.execute.state cimport Session

# The statement uses these names; the snapshot is pinned. 0, or -1: OC001 (error set, the caller fails the transaction).
cdef int known_use(Session* session, const uint64_t* names, uint32_t count) noexcept nogil
# Whether known_use would refuse for what the session knows already; nothing is noted. The snapshot is pinned.
cdef int known_is_stale(Session* session, const uint64_t* names, uint32_t count) noexcept nogil
# A transaction with writes commits: 0, or -1: a name it used was changed by somebody else (error set).
cdef int known_commit(Session* session) noexcept nogil
cdef void known_forget(Session* session) noexcept nogil
cdef void known_refuse(Session* session) noexcept nogil            # sets OC001; the session knows nothing any more

# Checks that wait: for COMMIT, for SET CONSTRAINTS ... IMMEDIATE, for the end of a COPY.
from dsql_core.base.types cimport oid_t, uint8_t, uint32_t, uint64_t
from dsql_core.execute.state cimport AfterInfo, Program, Session, TupleLayout

# Whether SET CONSTRAINTS, or the constraint's own word, puts the check off to the end of the transaction.
cdef int pending_defers(const Session* session, oid_t constraint, int is_deferred) noexcept nogil
# Keeps copies of the rows for after plan number `after` of the program. 0, -1 error set.
cdef int pending_add(Session* session, Program* program, uint32_t after, const TupleLayout* layout, uint8_t** rows,
                     uint64_t count, int until_copy) noexcept nogil
cdef void pending_remove(Session* session, uint32_t i) noexcept nogil       # its rows live until pending_clear
cdef int pending_set_mode(Session* session, oid_t constraint, int is_deferred) noexcept nogil      # 0, -1 error set
cdef void pending_set_all(Session* session, int is_deferred) noexcept nogil
cdef void pending_clear(Session* session) noexcept nogil                    # the transaction is over
cdef void pending_free(Session* session) noexcept nogil

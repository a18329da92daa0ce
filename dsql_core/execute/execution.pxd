# Executions: one run of a program in a session. Face: session.pxd, which calls these.
from dsql_core.base.types cimport int64_t, uint32_t
from dsql_core.base.vector cimport Batch, Value
from dsql_core.execute.state cimport Execution, Pending, Program, Session

cdef Execution* execution_begin(Session* session, Program* program, const Value* params, uint32_t count) noexcept nogil
# One pending check over the group's rows. NULL: error set, transaction failed.
cdef Execution* execution_begin_check(Session* session, const Pending* group) noexcept nogil
cdef int execution_run(Execution* x, int64_t budget_ns, Batch** out) noexcept nogil
cdef void execution_end(Execution* x) noexcept nogil
cdef void execution_count(Execution* x, int timing) noexcept nogil
cdef void execution_free_spares(Session* session) noexcept nogil

# What foreign keys do about changed rows once a statement's own plan is done.
from dsql_core.base.types cimport int32_t
from dsql_core.base.vector cimport Value
from dsql_core.base.types cimport Slice
from dsql_core.execute.state cimport Execution, Op

# Keeps what a modifying node did to one row: old or row may be NULL where the event has none. 0, -1 error set.
cdef int after_note(Op* op, int32_t cte, const Value* old, const Value* row, Slice key) noexcept nogil
# Runs the after plans until no row is left that one of them has not seen. STEP_DONE, STEP_YIELD, STEP_ERROR.
cdef int afters_run(Execution* x) noexcept nogil
# One after plan over the rows of its CTE's window: the whole of a pending check. STEP_*.
cdef int after_check(Execution* x) noexcept nogil

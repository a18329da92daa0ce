# CTEs and subplans: shared by execution and expressions.
from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport Value, Vector
from dsql_core.execute.state cimport Execution, Expr

# Runs CTE i to its end and keeps its rows. STEP_DONE, STEP_YIELD, STEP_ERROR.
cdef int cte_fill(Execution* x, uint32_t i) noexcept nogil
# See Execution.run_subplan. EVAL_*.
cdef int subplan_run(Execution* x, const Expr* e, const Vector* params, uint32_t row, const Value* lhs,
                     Value* out) noexcept nogil

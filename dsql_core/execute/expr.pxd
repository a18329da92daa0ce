# The evaluator's face: expressions over a batch, a vector at a time, without the GIL.
#
# Results live in execution.eval.pool (the caller points it at the pool of the current batch) or in the input.
# Only the selected rows of a result mean anything. sel NULL = rows 0..count.
from dsql_core.base.types cimport uint8_t, uint32_t
from dsql_core.base.vector cimport Batch, Vector
from dsql_core.execute.kernel cimport Kernel
from dsql_core.execute.state cimport Execution, Expr

cdef enum:
    EVAL_OK = 0
    EVAL_ERROR = -1
    EVAL_YIELD = 1         # a subplan spent the budget: evaluate again over the same batch (same eval_id) later

cdef int eval_expr(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                   Vector* out) noexcept nogil
# Rows for which e is true, ascending, into kept (room for count).
cdef int eval_filter(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                     uint32_t* kept, uint32_t* kept_count) noexcept nogil
# A kernel over vectors at hand, NULLs dealt with.
cdef int eval_kernel(Execution* x, const Kernel* kernel, uint32_t type_oid, Vector** args, uint32_t arg_count,
                     uint32_t rows, const uint32_t* sel, uint32_t count, Vector* out) noexcept nogil
cdef int eval_no_memory(Execution* x) noexcept nogil        # sets 54000 / returns EVAL_ERROR

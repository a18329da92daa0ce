# Expressions over sets of values; part of the evaluator, called by eval_expr only. EVAL_*.
from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport Batch, Value, Vector
from dsql_core.execute.state cimport Execution, Expr

cdef int eval_any(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                  Vector* out) noexcept nogil
cdef int eval_subplan(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                      Vector* out) noexcept nogil
cdef int eval_array(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                    Vector* out) noexcept nogil
# Sorts values of one type (no NULLs) as scalar_compare orders them.
cdef void sort_values(Value* values, uint32_t count) noexcept nogil

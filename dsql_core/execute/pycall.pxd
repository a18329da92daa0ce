# Calls of Python functions from expressions. Takes the GIL.
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport Batch, Value, Vector
from dsql_core.execute.state cimport Execution, Expr, PlanNode, RowList

cdef int eval_python(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                     Vector* out) noexcept nogil
# Sets the error slot from a Python exception: DsqlError-like objects bring sqlstate, message, detail, hint.
cdef void set_error_from_exception(Execution* x, object error) noexcept

# All rows of a set-returning Python function as tuples of node.tuples in pool. 0, -1 error set.
cdef int srf_rows(Execution* x, const PlanNode* node, const Value* args, Pool* pool, RowList* out) noexcept nogil

# Calls of Python functions from expressions. Takes the GIL.
from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport Batch, Vector
from dsql_core.execute.state cimport Execution, Expr

cdef int eval_python(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                     Vector* out) noexcept nogil
# Sets the error slot from a Python exception: DsqlError-like objects bring sqlstate, message, detail, hint.
cdef void set_error_from_exception(Execution* x, object error) noexcept

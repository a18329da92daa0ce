"""A kernel that never gives a value: it refuses, with the error its arguments spell out.

    raise_refusal(sqlstate, message, detail, schema, table, constraint) -> bool     NULL arguments are left out

Plans put it behind the condition that must not hold (a foreign key without its parent row).
"""

from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport Value, Vector
from dsql_core.execute.kernel cimport EvalContext, KERNEL_NULLS, KERNEL_VOLATILE
from dsql_core.execute.kernels.rows cimport is_null, kernel_flags, row_at
from dsql_core.execute.vectors cimport vector_value


cdef void put(char* out, size_t room, Vector* arg, uint32_t row) noexcept nogil:
    cdef Value value
    cdef size_t size
    if is_null(arg, row):
        return
    vector_value(arg, row, &value)
    size = value.v.var.size if value.v.var.size < room else room - 1
    memcpy(out, value.v.var.data, size)
    out[size] = 0


cdef int raise_refusal(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    cdef char state[8]
    cdef uint32_t row
    if count == 0:
        return 0
    row = row_at(sel, 0)
    memcpy(state, b"XX000", 6)
    put(state, 6, args[0], row)
    dsql_error_set(ctx.error, state, "refused")
    put(ctx.error.message, sizeof(ctx.error.message), args[1], row)
    put(ctx.error.detail, sizeof(ctx.error.detail), args[2], row)
    put(ctx.error.schema_name, sizeof(ctx.error.schema_name), args[3], row)
    put(ctx.error.table_name, sizeof(ctx.error.table_name), args[4], row)
    put(ctx.error.constraint_name, sizeof(ctx.error.constraint_name), args[5], row)
    return -1


kernel_flags(b"raise_refusal", raise_refusal, KERNEL_NULLS | KERNEL_VOLATILE)

"""Kernels that look at NULLs: greatest, least, num_nulls, num_nonnulls; and the constant-free odds and ends of bool.

greatest and least ignore NULLs and are NULL only when every argument is.
"""

from dsql_core.base.types cimport int32_t, uint32_t
from dsql_core.base.vector cimport Value, Vector
from dsql_core.execute.kernel cimport EvalContext, KERNEL_NULLS
from dsql_core.execute.kernels.rows cimport is_null, kernel_flags, row_at
from dsql_core.execute.vectors cimport scalar_copy, vector_value
from dsql_core.types.io cimport type_compare


cdef int extreme(Vector* out, Vector** args, uint32_t n, const uint32_t* sel, uint32_t count, int sign) noexcept nogil:
    cdef Value best, value
    cdef uint32_t k, i, j
    cdef int found
    for k in range(count):
        i = row_at(sel, k)
        found = 0
        for j in range(n):
            if is_null(args[j], i):
                continue
            vector_value(args[j], i, &value)
            if not found or type_compare(&value, &best) * sign > 0:
                best = value
                found = 1
        if found:
            scalar_copy(out.phys, out.data, i, &best.v, 0)
        else:
            out.nulls[i] = 1
    return 0


cdef int greatest(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return extreme(out, args, n, sel, count, 1)


cdef int least(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return extreme(out, args, n, sel, count, -1)


cdef int count_nulls(Vector* out, Vector** args, uint32_t n, const uint32_t* sel, uint32_t count,
                     int wanted) noexcept nogil:
    cdef int32_t* r = <int32_t*>out.data
    cdef uint32_t k, i, j
    for k in range(count):
        i = row_at(sel, k)
        r[i] = 0
        for j in range(n):
            r[i] += is_null(args[j], i) == wanted
    return 0


cdef int num_nulls(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return count_nulls(out, args, n, sel, count, 1)


cdef int num_nonnulls(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    return count_nulls(out, args, n, sel, count, 0)


cdef int _register() except -1:
    kernel_flags(b"greatest", greatest, KERNEL_NULLS)
    kernel_flags(b"least", least, KERNEL_NULLS)
    kernel_flags(b"pg_num_nulls", num_nulls, KERNEL_NULLS)
    kernel_flags(b"pg_num_nonnulls", num_nonnulls, KERNEL_NULLS)
    return 0


_register()

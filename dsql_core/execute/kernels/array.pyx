"""Shapes of arrays: array_length, array_lower, array_upper, array_ndims, cardinality.

Functions that build arrays are Python functions of the registry.
"""

from dsql_core.base.types cimport int32_t, uint32_t
from dsql_core.base.vector cimport Vector
from dsql_core.execute.kernel cimport KERNEL_NULLS, EvalContext
from dsql_core.execute.kernels.rows cimport int32_at, kernel, kernel_flags, null_row, row_at, var_at
from dsql_core.types.array cimport ArrayDimension, ArrayReader, array_dimension, array_open

cdef enum:
    WANT_LENGTH = 0
    WANT_LOWER = 1
    WANT_UPPER = 2


cdef int dimension(int wanted, Vector* out, Vector** args, const uint32_t* sel, uint32_t count) noexcept nogil:
    # NULL for a dimension the array does not have.
    cdef ArrayReader reader
    cdef ArrayDimension shape
    cdef int32_t number
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, 2, i):
            continue
        array_open(var_at(args[0], i), &reader)
        number = int32_at(args[1], i)
        if number < 1 or <uint32_t>number > reader.dimensions:
            out.nulls[i] = 1
            continue
        array_dimension(var_at(args[0], i), <uint32_t>(number - 1), &shape)
        if wanted == WANT_LENGTH:
            (<int32_t*>out.data)[i] = shape.length
        elif wanted == WANT_LOWER:
            (<int32_t*>out.data)[i] = shape.lower_bound
        else:
            (<int32_t*>out.data)[i] = shape.lower_bound + shape.length - 1
    return 0


cdef int array_length(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    return dimension(WANT_LENGTH, out, args, sel, count)


cdef int array_lower(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return dimension(WANT_LOWER, out, args, sel, count)


cdef int array_upper(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return dimension(WANT_UPPER, out, args, sel, count)


cdef int array_ndims(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef ArrayReader reader
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, 1, i):
            continue
        array_open(var_at(args[0], i), &reader)
        out.nulls[i] = reader.dimensions == 0
        (<int32_t*>out.data)[i] = <int32_t>reader.dimensions
    return 0


cdef int cardinality(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef ArrayReader reader
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        array_open(var_at(args[0], i), &reader)
        (<int32_t*>out.data)[i] = <int32_t>reader.count
    return 0


kernel_flags(b"array_length", array_length, KERNEL_NULLS)
kernel_flags(b"array_lower", array_lower, KERNEL_NULLS)
kernel_flags(b"array_upper", array_upper, KERNEL_NULLS)
kernel_flags(b"array_ndims", array_ndims, KERNEL_NULLS)
kernel(b"array_cardinality", cardinality)

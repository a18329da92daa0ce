"""Arithmetic kernels of the integers and floats: + - * / % & | # << >>, signs, absolute values, gcd and lcm.

The loops are those of ext/kernel/arithmetic.h, chosen by the physical classes of the arguments; one kernel per
operator serves every mix of widths. Overflow is found by the loop as a flag and reported once for the batch, with
PostgreSQL's text for the result's type.
"""

from libc.math cimport isinf, isnan

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.types cimport int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport PHYS_F32, PHYS_I16, PHYS_I32, PHYS_I64, Vector
from dsql_core.execute.kernel cimport EvalContext
from dsql_core.execute.kernels.rows cimport integer_at, kernel, row_at

cdef extern from "kernel/arithmetic.h" nogil:
    ctypedef int (*dsql_loop2_t)(void* out, const void* a, uint32_t sa, const void* b, uint32_t sb,
                                 const uint32_t* sel, uint32_t count) noexcept
    enum:
        DSQL_ADD
        DSQL_SUB
        DSQL_MUL
        DSQL_DIV
        DSQL_MOD
        DSQL_AND
        DSQL_OR
        DSQL_XOR
        DSQL_BAD_RANGE
        DSQL_BAD_ZERO
    dsql_loop2_t dsql_arithmetic_loop(int op, int phys_a, int phys_b) noexcept
    dsql_loop2_t dsql_shift_loop(int right, int phys) noexcept


cdef int out_of_range(EvalContext* ctx, uint8_t phys) noexcept nogil:
    if phys == PHYS_I16:
        dsql_error_set(ctx.error, "22003", "smallint out of range")
    elif phys == PHYS_I32:
        dsql_error_set(ctx.error, "22003", "integer out of range")
    else:
        dsql_error_set(ctx.error, "22003", "bigint out of range")
    return -1


cdef int zero_divisor(EvalContext* ctx) noexcept nogil:
    dsql_error_set(ctx.error, "22012", "division by zero")
    return -1


# --- integers --------------------------------------------------------------------------------------------------------

cdef int integer_operation(int op, EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    cdef dsql_loop2_t loop = dsql_arithmetic_loop(op, args[0].phys, args[1].phys)
    cdef int bad = loop(out.data, args[0].data, args[0].stride, args[1].data, args[1].stride, sel, count)
    if bad & DSQL_BAD_ZERO:
        return zero_divisor(ctx)
    if bad:
        return out_of_range(ctx, out.phys)
    return 0


cdef int integer_add(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return integer_operation(DSQL_ADD, ctx, out, args, sel, count)


cdef int integer_sub(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return integer_operation(DSQL_SUB, ctx, out, args, sel, count)


cdef int integer_mul(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return integer_operation(DSQL_MUL, ctx, out, args, sel, count)


cdef int integer_div(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return integer_operation(DSQL_DIV, ctx, out, args, sel, count)


cdef int integer_mod(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return integer_operation(DSQL_MOD, ctx, out, args, sel, count)


cdef int integer_and(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return integer_operation(DSQL_AND, ctx, out, args, sel, count)


cdef int integer_or(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return integer_operation(DSQL_OR, ctx, out, args, sel, count)


cdef int integer_xor(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return integer_operation(DSQL_XOR, ctx, out, args, sel, count)


cdef int integer_shl(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef dsql_loop2_t loop = dsql_shift_loop(0, args[0].phys)
    return loop(out.data, args[0].data, args[0].stride, args[1].data, args[1].stride, sel, count)


cdef int integer_shr(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef dsql_loop2_t loop = dsql_shift_loop(1, args[0].phys)
    return loop(out.data, args[0].data, args[0].stride, args[1].data, args[1].stride, sel, count)


cdef inline int64_t lowest(uint8_t phys) noexcept nogil:
    if phys == PHYS_I16:
        return -32768
    if phys == PHYS_I32:
        return -2147483647 - 1
    return <int64_t>(<uint64_t>1 << 63)


cdef inline void store_integer(Vector* out, uint32_t i, int64_t value) noexcept nogil:
    if out.phys == PHYS_I32:
        (<int32_t*>out.data)[i] = <int32_t>value
    elif out.phys == PHYS_I64:
        (<int64_t*>out.data)[i] = value
    else:
        (<int16_t*>out.data)[i] = <int16_t>value


cdef int integer_neg(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef int64_t value, low = lowest(out.phys)
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        value = integer_at(args[0], i)
        if value == low:
            return out_of_range(ctx, out.phys)
        store_integer(out, i, -value)
    return 0


cdef int integer_abs(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef int64_t value, low = lowest(out.phys)
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        value = integer_at(args[0], i)
        if value == low:
            return out_of_range(ctx, out.phys)
        store_integer(out, i, -value if value < 0 else value)
    return 0


cdef int integer_same(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        store_integer(out, i, integer_at(args[0], i))
    return 0


cdef int integer_not(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        store_integer(out, i, ~integer_at(args[0], i))
    return 0


cdef int integer_increment(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    cdef int64_t value
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        value = integer_at(args[0], i)
        if value == ~lowest(out.phys):
            return out_of_range(ctx, out.phys)
        store_integer(out, i, value + 1)
    return 0


cdef inline uint64_t magnitude(int64_t value) noexcept nogil:
    return 0 - <uint64_t>value if value < 0 else <uint64_t>value


cdef inline uint64_t common_divisor(uint64_t a, uint64_t b) noexcept nogil:
    cdef uint64_t rest
    while b != 0:
        rest = a % b
        a = b
        b = rest
    return a


cdef int integer_gcd(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef uint64_t divisor, top = <uint64_t>~lowest(out.phys)
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        divisor = common_divisor(magnitude(integer_at(args[0], i)), magnitude(integer_at(args[1], i)))
        if divisor > top:
            return out_of_range(ctx, out.phys)
        store_integer(out, i, <int64_t>divisor)
    return 0


cdef int integer_lcm(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef uint64_t a, b, top = <uint64_t>~lowest(out.phys)
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = magnitude(integer_at(args[0], i))
        b = magnitude(integer_at(args[1], i))
        if a == 0 or b == 0:
            store_integer(out, i, 0)
            continue
        a = a / common_divisor(a, b)
        if a > top or b > top or b > top / a:
            return out_of_range(ctx, out.phys)
        store_integer(out, i, <int64_t>(a * b))
    return 0


# --- floats ----------------------------------------------------------------------------------------------------------

cdef inline double float_at(const Vector* v, uint32_t i) noexcept nogil:
    if v.phys == PHYS_F32:
        return (<const float*>v.data)[i * v.stride]
    return (<const double*>v.data)[i * v.stride]


cdef inline void store_float(Vector* out, uint32_t i, double value) noexcept nogil:
    if out.phys == PHYS_F32:
        (<float*>out.data)[i] = <float>value
    else:
        (<double*>out.data)[i] = value


cdef int float_look(int op, EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    # Some row is infinite, NaN or zero: was it an overflow, an underflow or a zero divisor?
    cdef uint32_t k, i
    cdef double a, b, r
    for k in range(count):
        i = row_at(sel, k)
        a = float_at(args[0], i)
        b = float_at(args[1], i)
        r = float_at(out, i)
        if op == DSQL_DIV and b == 0 and not isnan(a):
            return zero_divisor(ctx)
        if isinf(r) and not isinf(a) and (op == DSQL_DIV or not isinf(b)):
            dsql_error_set(ctx.error, "22003", "value out of range: overflow")
            return -1
        if r == 0 and a != 0 and ((op == DSQL_MUL and b != 0) or (op == DSQL_DIV and not isinf(b))):
            dsql_error_set(ctx.error, "22003", "value out of range: underflow")
            return -1
    return 0


cdef int float_operation(int op, EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel,
                         uint32_t count) noexcept nogil:
    cdef dsql_loop2_t loop = dsql_arithmetic_loop(op, args[0].phys, args[1].phys)
    if loop(out.data, args[0].data, args[0].stride, args[1].data, args[1].stride, sel, count):
        return float_look(op, ctx, out, args, sel, count)
    return 0


cdef int float_add(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return float_operation(DSQL_ADD, ctx, out, args, sel, count)


cdef int float_sub(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return float_operation(DSQL_SUB, ctx, out, args, sel, count)


cdef int float_mul(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return float_operation(DSQL_MUL, ctx, out, args, sel, count)


cdef int float_div(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return float_operation(DSQL_DIV, ctx, out, args, sel, count)


cdef int float_neg(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        store_float(out, i, -float_at(args[0], i))
    return 0


cdef int float_abs(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    cdef double value
    for k in range(count):
        i = row_at(sel, k)
        value = float_at(args[0], i)
        store_float(out, i, -value if value < 0 or value == 0 and 1 / value < 0 else value)
    return 0


cdef int float_same(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        store_float(out, i, float_at(args[0], i))
    return 0


# --- names -----------------------------------------------------------------------------------------------------------

cdef int _register() except -1:
    # int2pl ... int84div; the mixes of widths exist for + - * / only.
    for stem in ("int2", "int4", "int8", "int24", "int28", "int42", "int48", "int82", "int84"):
        name = stem.encode()
        kernel(name + b"pl", integer_add)
        kernel(name + b"mi", integer_sub)
        kernel(name + b"mul", integer_mul)
        kernel(name + b"div", integer_div)
    for stem in ("int2", "int4", "int8"):
        name = stem.encode()
        kernel(name + b"mod", integer_mod)
        kernel(name + b"and", integer_and)
        kernel(name + b"or", integer_or)
        kernel(name + b"xor", integer_xor)
        kernel(name + b"not", integer_not)
        kernel(name + b"shl", integer_shl)
        kernel(name + b"shr", integer_shr)
        kernel(name + b"um", integer_neg)
        kernel(name + b"up", integer_same)
        kernel(name + b"abs", integer_abs)
        kernel(name + b"inc", integer_increment)
    kernel(b"int4gcd", integer_gcd)
    kernel(b"int8gcd", integer_gcd)
    kernel(b"int4lcm", integer_lcm)
    kernel(b"int8lcm", integer_lcm)
    for stem in ("float4", "float8", "float48", "float84"):
        name = stem.encode()
        kernel(name + b"pl", float_add)
        kernel(name + b"mi", float_sub)
        kernel(name + b"mul", float_mul)
        kernel(name + b"div", float_div)
    for stem in ("float4", "float8"):
        name = stem.encode()
        kernel(name + b"um", float_neg)
        kernel(name + b"up", float_same)
        kernel(name + b"abs", float_abs)
    return 0


_register()

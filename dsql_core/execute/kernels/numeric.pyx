"""Kernels of numeric: types.numeric's exact operations, one loop each.

The transcendental functions (exp, ln, log, power) and width_bucket are Python functions of the registry.
"""

from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport int32_t, uint32_t
from dsql_core.base.vector cimport Var, Vector
from dsql_core.execute.kernel cimport EvalContext, KERNEL_NULLS
from dsql_core.execute.kernels.rows cimport int32_at, kernel, kernel_flags, null_row, row_at, var_at
from dsql_core.types.numeric cimport (NumericUnpacked, numeric_abs, numeric_add, numeric_ceil, numeric_compare, numeric_div,
                                      numeric_div_trunc, numeric_floor, numeric_from_int64, numeric_is_nan, numeric_mod,
                                      numeric_mul, numeric_neg, numeric_pack, numeric_round, numeric_scale,
                                      numeric_sign, numeric_special, numeric_sqrt, numeric_sub, numeric_trunc,
                                      numeric_unpack)

ctypedef int (*binary_t)(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
ctypedef int (*unary_t)(const Var* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
ctypedef int (*scaled_t)(const Var* a, int32_t scale, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil


cdef inline int binary(binary_t operation, EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if operation(var_at(args[0], i), var_at(args[1], i), ctx.pool, <Var*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef inline int unary(unary_t operation, EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if operation(var_at(args[0], i), ctx.pool, <Var*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef inline int scaled(scaled_t operation, EvalContext* ctx, Vector* out, Vector** args, uint32_t n,
                       const uint32_t* sel, uint32_t count) noexcept nogil:
    # One argument: to an integer.
    cdef int32_t decimals = 0
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if n == 2:
            # PostgreSQL's bounds: more decimals are never asked for.
            decimals = max(-131073, min(int32_at(args[1], i), 16383))
        if operation(var_at(args[0], i), decimals, ctx.pool, <Var*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int add(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    return binary(numeric_add, ctx, out, args, sel, count)


cdef int sub(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    return binary(numeric_sub, ctx, out, args, sel, count)


cdef int mul(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    return binary(numeric_mul, ctx, out, args, sel, count)


cdef int div(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    return binary(numeric_div, ctx, out, args, sel, count)


cdef int div_trunc(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return binary(numeric_div_trunc, ctx, out, args, sel, count)


cdef int mod(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    return binary(numeric_mod, ctx, out, args, sel, count)


cdef int neg(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    return unary(numeric_neg, ctx, out, args, sel, count)


cdef int absolute(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return unary(numeric_abs, ctx, out, args, sel, count)


cdef int ceil(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    return unary(numeric_ceil, ctx, out, args, sel, count)


cdef int floor(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(numeric_floor, ctx, out, args, sel, count)


cdef int sqrt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    return unary(numeric_sqrt, ctx, out, args, sel, count)


cdef int round_(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return scaled(numeric_round, ctx, out, args, n, sel, count)


cdef int trunc(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return scaled(numeric_trunc, ctx, out, args, n, sel, count)


cdef int same(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<Var*>out.data)[i] = var_at(args[0], i)[0]
    return 0


cdef int sign(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if numeric_is_nan(var_at(args[0], i)):
            (<Var*>out.data)[i] = var_at(args[0], i)[0]
        elif numeric_from_int64(numeric_sign(var_at(args[0], i)), ctx.pool, <Var*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int increment(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef Var one
    cdef uint32_t k, i
    if numeric_from_int64(1, ctx.pool, &one, ctx.error) < 0:
        return -1
    for k in range(count):
        i = row_at(sel, k)
        if numeric_add(var_at(args[0], i), &one, ctx.pool, <Var*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int larger(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<Var*>out.data)[i] = (var_at(args[0], i) if numeric_compare(var_at(args[0], i), var_at(args[1], i)) > 0
                               else var_at(args[1], i))[0]
    return 0


# --- scales ----------------------------------------------------------------------------------------------------------

cdef int32_t least_scale(const Var* a) noexcept nogil:
    # Decimals that are needed to show the value; the number is finite.
    cdef NumericUnpacked number
    cdef int32_t scale, digit
    numeric_unpack(a, &number)
    if number.var.digit_count == 0:
        return 0
    scale = (number.var.digit_count - 1 - number.var.weight) * 4
    if scale <= 0:
        return 0
    digit = number.var.digits[number.var.digit_count - 1]
    while digit % 10 == 0:
        scale -= 1
        digit = digit / 10
    return scale if scale > 0 else 0


cdef int scale(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, n, i):
            continue
        if numeric_special(var_at(args[0], i)):
            out.nulls[i] = 1
            continue
        (<int32_t*>out.data)[i] = numeric_scale(var_at(args[0], i))
    return 0


cdef int min_scale(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, n, i):
            continue
        if numeric_special(var_at(args[0], i)):
            out.nulls[i] = 1
            continue
        (<int32_t*>out.data)[i] = least_scale(var_at(args[0], i))
    return 0


cdef int trim_scale(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        if numeric_special(a):
            (<Var*>out.data)[i] = a[0]
        elif numeric_trunc(a, least_scale(a), ctx.pool, <Var*>out.data + i, ctx.error) < 0:
            return -1
    return 0


# --- gcd, lcm --------------------------------------------------------------------------------------------------------

cdef int greatest_divisor(EvalContext* ctx, const Var* a, const Var* b, Var* out) noexcept nogil:
    # Euclid; the result is not negative.
    cdef Var x, y, rest
    if numeric_abs(a, ctx.pool, &x, ctx.error) < 0 or numeric_abs(b, ctx.pool, &y, ctx.error) < 0:
        return -1
    while numeric_sign(&y) != 0:
        if numeric_mod(&x, &y, ctx.pool, &rest, ctx.error) < 0:
            return -1
        x = y
        y = rest
    # Shown with the greater of both scales.
    return numeric_round(&x, max(numeric_scale(a), numeric_scale(b)), ctx.pool, out, ctx.error)


cdef int gcd(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if numeric_special(var_at(args[0], i)) or numeric_special(var_at(args[1], i)):
            if make_nan(ctx, <Var*>out.data + i) < 0:
                return -1
        elif greatest_divisor(ctx, var_at(args[0], i), var_at(args[1], i), <Var*>out.data + i) < 0:
            return -1
    return 0


cdef int lcm(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    cdef Var divisor, part
    cdef const Var* a
    cdef const Var* b
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        b = var_at(args[1], i)
        if numeric_special(a) or numeric_special(b):
            if make_nan(ctx, <Var*>out.data + i) < 0:
                return -1
            continue
        if greatest_divisor(ctx, a, b, &divisor) < 0:
            return -1
        if numeric_sign(&divisor) == 0:
            (<Var*>out.data)[i] = divisor
            continue
        if numeric_sign(a) == 0 or numeric_sign(b) == 0:
            if numeric_mul(a, b, ctx.pool, &part, ctx.error) < 0:
                return -1
        elif numeric_div_trunc(a, &divisor, ctx.pool, &part, ctx.error) < 0 or \
                numeric_mul(&part, b, ctx.pool, &part, ctx.error) < 0:
            return -1
        if numeric_abs(&part, ctx.pool, &part, ctx.error) < 0 or \
                numeric_round(&part, max(numeric_scale(a), numeric_scale(b)), ctx.pool, <Var*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int make_nan(EvalContext* ctx, Var* out) noexcept nogil:
    cdef NumericUnpacked number
    number.var.digit_count = 0
    number.var.weight = 0
    number.var.dscale = 0
    number.var.sign = 0xC000
    number.var.digits = &number.room[0]
    return numeric_pack(&number.var, ctx.pool, out, ctx.error)


cdef int _register() except -1:
    kernel(b"numeric_add", add)
    kernel(b"numeric_sub", sub)
    kernel(b"numeric_mul", mul)
    kernel(b"numeric_div", div)
    kernel(b"numeric_div_trunc", div_trunc)
    kernel(b"numeric_mod", mod)
    kernel(b"numeric_uminus", neg)
    kernel(b"numeric_uplus", same)
    kernel(b"numeric_abs", absolute)
    kernel(b"numeric_ceil", ceil)
    kernel(b"numeric_floor", floor)
    kernel(b"numeric_sqrt", sqrt)
    kernel(b"numeric_round", round_)
    kernel(b"numeric_trunc", trunc)
    kernel(b"numeric_sign", sign)
    kernel(b"numeric_inc", increment)
    kernel(b"numeric_larger", larger)
    kernel(b"numeric_gcd", gcd)
    kernel(b"numeric_lcm", lcm)
    kernel(b"numeric_trim_scale", trim_scale)
    # NULL for NaN and infinities: they own their null bytes.
    kernel_flags(b"numeric_scale", scale, KERNEL_NULLS)
    kernel_flags(b"numeric_min_scale", min_scale, KERNEL_NULLS)
    return 0


_register()

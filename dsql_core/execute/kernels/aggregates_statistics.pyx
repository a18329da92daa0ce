"""Variances, standard deviations, regression and correlation.

Floats accumulate sums of squared differences as they come (Youngs and Cramer), which stays exact where sums of squares
would cancel. Integers and numeric accumulate sum and sum of squares exactly and divide once at the end.
"""

from libc.math cimport NAN, isinf, isnan, sqrt

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport int32_t, int64_t, uint32_t
from dsql_core.base.vector cimport PHYS_F32, PHYS_VAR, Var, Vector
from dsql_core.execute.kernel cimport AGG_STRICT, EvalContext, agg_final_t, aggregate_register
from dsql_core.execute.kernels.rows cimport double_at, integer_at, no_memory, row_at, var_at
from dsql_core.types.bignum cimport (NUMERIC_NAN, NumVar, big_div, big_div_scale, big_mul, big_sqrt, big_sub)
from dsql_core.types.int128 cimport int128
from dsql_core.types.numeric cimport (NumericUnpacked, numeric_from_int64, numeric_mul, numeric_pack, numeric_special,
                                      numeric_unpack)
from dsql_core.types.numeric_sum cimport NumericSum, numeric_sum_add, numeric_sum_add_i128, numeric_sum_total

cdef struct Spread:            # of floats
    double n
    double sx
    double sxx

cdef struct Pair:              # of (y, x) pairs
    double n
    double sx
    double sxx
    double sy
    double syy
    double sxy

cdef struct ExactSpread:       # of integers and numeric
    NumericSum sum
    NumericSum squares
    int64_t count
    int64_t special            # NaN or infinity met


# --- floats ----------------------------------------------------------------------------------------------------------

cdef int spread_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    cdef Spread* state
    cdef double x, difference, old_n, old_sx
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        state = <Spread*>states[i]
        if args[0].phys == PHYS_F32:
            x = (<const float*>args[0].data)[i * args[0].stride]
        else:
            x = double_at(args[0], i)
        old_n = state.n
        old_sx = state.sx
        state.n += 1
        state.sx += x
        if old_n > 0:
            difference = x * state.n - state.sx
            state.sxx += difference * difference / (state.n * old_n)
            if isinf(state.sx) or isinf(state.sxx):
                if not isinf(old_sx) and not isinf(x):
                    dsql_error_set(ctx.error, "22003", "value out of range: overflow")
                    return -1
                state.sxx = NAN
        elif isnan(x) or isinf(x):
            state.sxx = NAN
    return 0


cdef inline int spread_final(void** states, uint32_t count, Vector* out, int sample, int root) noexcept nogil:
    cdef Spread* state
    cdef double value
    cdef uint32_t g
    for g in range(count):
        state = <Spread*>states[g]
        if state.n == 0 or (sample and state.n <= 1):
            out.nulls[g] = 1
            continue
        value = state.sxx / (state.n - 1 if sample else state.n)
        (<double*>out.data)[g] = sqrt(value) if root else value
    return 0


cdef int var_pop(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return spread_final(states, count, out, 0, 0)


cdef int var_samp(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return spread_final(states, count, out, 1, 0)


cdef int stddev_pop(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return spread_final(states, count, out, 0, 1)


cdef int stddev_samp(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return spread_final(states, count, out, 1, 1)


# --- exact -----------------------------------------------------------------------------------------------------------

cdef int exact_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef ExactSpread* state
    cdef int128 value, square
    cdef Var product
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        state = <ExactSpread*>states[i]
        state.count += 1
        if args[0].phys != PHYS_VAR:
            value = integer_at(args[0], i)
            square = value * value
            if numeric_sum_add_i128(&state.sum, value, 0, pool, ctx.error) < 0 or \
                    numeric_sum_add_i128(&state.squares, square, 0, pool, ctx.error) < 0:
                return -1
            continue
        if numeric_special(var_at(args[0], i)):
            state.special = 1
            continue
        if numeric_mul(var_at(args[0], i), var_at(args[0], i), ctx.pool, &product, ctx.error) < 0 or \
                numeric_sum_add(&state.sum, var_at(args[0], i), pool, ctx.error) < 0 or \
                numeric_sum_add(&state.squares, &product, pool, ctx.error) < 0:
            return -1
    return 0


cdef int exact_one(EvalContext* ctx, Pool* pool, ExactSpread* state, int sample, int root, Var* out) noexcept nogil:
    # (n * sum(x^2) - sum(x)^2) / (n * n), or n * (n - 1) for a sample.
    cdef NumericUnpacked sum, squares, rows, divisor
    cdef NumVar a, b, left, right, result
    cdef Var packed
    cdef int32_t scale
    if state.special:
        result.digit_count = 0
        result.weight = 0
        result.dscale = 0
        result.digits = NULL
        result.sign = NUMERIC_NAN
        return numeric_pack(&result, pool, out, ctx.error)
    if numeric_sum_total(&state.sum, pool, &packed, ctx.error) < 0:
        return -1
    numeric_unpack(&packed, &sum)
    if numeric_sum_total(&state.squares, pool, &packed, ctx.error) < 0:
        return -1
    numeric_unpack(&packed, &squares)
    if numeric_from_int64(state.count, pool, &packed, ctx.error) < 0:
        return -1
    numeric_unpack(&packed, &rows)
    if numeric_from_int64(state.count - 1 if sample else state.count, pool, &packed, ctx.error) < 0:
        return -1
    numeric_unpack(&packed, &divisor)
    if big_mul(&sum.var, &sum.var, pool, &right) < 0 or big_mul(&rows.var, &squares.var, pool, &left) < 0 or \
            big_sub(&left, &right, pool, &a) < 0 or big_mul(&rows.var, &divisor.var, pool, &b) < 0:
        return no_memory(ctx)
    if a.digit_count == 0 or a.sign != 0:
        # Equal values; rounding cannot make it negative.
        return numeric_from_int64(0, pool, out, ctx.error)
    scale = big_div_scale(&a, &b)
    if big_div(&a, &b, scale, 1, pool, &result) < 0:
        return no_memory(ctx)
    if root and big_sqrt(&result, scale, pool, &result) < 0:
        return no_memory(ctx)
    return numeric_pack(&result, pool, out, ctx.error)


cdef inline int exact_final(EvalContext* ctx, void** states, uint32_t count, Vector* out, int sample,
                            int root) noexcept nogil:
    cdef ExactSpread* state
    cdef uint32_t g
    for g in range(count):
        state = <ExactSpread*>states[g]
        if state.count == 0 or (sample and state.count <= 1):
            out.nulls[g] = 1
        elif exact_one(ctx, ctx.pool, state, sample, root, <Var*>out.data + g) < 0:
            return -1
    return 0


cdef int exact_var_pop(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return exact_final(ctx, states, count, out, 0, 0)


cdef int exact_var_samp(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return exact_final(ctx, states, count, out, 1, 0)


cdef int exact_stddev_pop(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return exact_final(ctx, states, count, out, 0, 1)


cdef int exact_stddev_samp(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return exact_final(ctx, states, count, out, 1, 1)


# --- pairs -----------------------------------------------------------------------------------------------------------

cdef int pair_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    # args: y, x
    cdef Pair* state
    cdef double x, y, dx, dy, scale, old_n, old_sx, old_sy
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        state = <Pair*>states[i]
        y = double_at(args[0], i)
        x = double_at(args[1], i)
        old_n = state.n
        old_sx = state.sx
        old_sy = state.sy
        state.n += 1
        state.sx += x
        state.sy += y
        if old_n == 0:
            if isnan(x) or isinf(x):
                state.sxx = state.sxy = NAN
            if isnan(y) or isinf(y):
                state.syy = state.sxy = NAN
            continue
        dx = x * state.n - state.sx
        dy = y * state.n - state.sy
        scale = 1.0 / (state.n * old_n)
        state.sxx += dx * dx * scale
        state.syy += dy * dy * scale
        state.sxy += dx * dy * scale
        if isinf(state.sx) or isinf(state.sxx) or isinf(state.sy) or isinf(state.syy) or isinf(state.sxy):
            if ((isinf(state.sx) or isinf(state.sxx)) and not isinf(old_sx) and not isinf(x)) or \
                    ((isinf(state.sy) or isinf(state.syy)) and not isinf(old_sy) and not isinf(y)):
                dsql_error_set(ctx.error, "22003", "value out of range: overflow")
                return -1
            if isinf(state.sxx):
                state.sxx = NAN
            if isinf(state.syy):
                state.syy = NAN
            if isinf(state.sxy):
                state.sxy = NAN
    return 0


cdef enum:
    PAIR_SXX = 0
    PAIR_SYY
    PAIR_SXY
    PAIR_AVGX
    PAIR_AVGY
    PAIR_R2
    PAIR_SLOPE
    PAIR_INTERCEPT
    PAIR_COVAR_POP
    PAIR_COVAR_SAMP
    PAIR_CORR


cdef int pair_final(int what, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef Pair* p
    cdef double* r = <double*>out.data
    cdef uint32_t g
    for g in range(count):
        p = <Pair*>states[g]
        if p.n < 1 or (what == PAIR_COVAR_SAMP and p.n < 2):
            out.nulls[g] = 1
        elif what == PAIR_SXX:
            r[g] = p.sxx
        elif what == PAIR_SYY:
            r[g] = p.syy
        elif what == PAIR_SXY:
            r[g] = p.sxy
        elif what == PAIR_AVGX:
            r[g] = p.sx / p.n
        elif what == PAIR_AVGY:
            r[g] = p.sy / p.n
        elif what == PAIR_COVAR_POP:
            r[g] = p.sxy / p.n
        elif what == PAIR_COVAR_SAMP:
            r[g] = p.sxy / (p.n - 1)
        elif p.sxx == 0 or (what == PAIR_CORR and p.syy == 0):
            out.nulls[g] = 1
        elif what == PAIR_R2:
            r[g] = 1 if p.syy == 0 else (p.sxy * p.sxy) / (p.sxx * p.syy)
        elif what == PAIR_SLOPE:
            r[g] = p.sxy / p.sxx
        elif what == PAIR_INTERCEPT:
            r[g] = (p.sy - p.sx * p.sxy / p.sxx) / p.n
        else:
            r[g] = p.sxy / sqrt(p.sxx * p.syy)
    return 0


cdef int regr_count(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef uint32_t g
    for g in range(count):
        (<int64_t*>out.data)[g] = <int64_t>(<Pair*>states[g]).n
    return 0


cdef int regr_sxx(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return pair_final(PAIR_SXX, states, count, out)


cdef int regr_syy(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return pair_final(PAIR_SYY, states, count, out)


cdef int regr_sxy(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return pair_final(PAIR_SXY, states, count, out)


cdef int regr_avgx(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return pair_final(PAIR_AVGX, states, count, out)


cdef int regr_avgy(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return pair_final(PAIR_AVGY, states, count, out)


cdef int regr_r2(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return pair_final(PAIR_R2, states, count, out)


cdef int regr_slope(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return pair_final(PAIR_SLOPE, states, count, out)


cdef int regr_intercept(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return pair_final(PAIR_INTERCEPT, states, count, out)


cdef int covar_pop(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return pair_final(PAIR_COVAR_POP, states, count, out)


cdef int covar_samp(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return pair_final(PAIR_COVAR_SAMP, states, count, out)


cdef int corr(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return pair_final(PAIR_CORR, states, count, out)


cdef int _exact(str name, agg_final_t final) except -1:
    for stem in ("int2", "int4", "int8", "numeric"):
        aggregate_register(f"{name}_{stem}".encode(), sizeof(ExactSpread), AGG_STRICT, exact_update, NULL, final)
    return 0


cdef int _spread(str name, agg_final_t final) except -1:
    for stem in ("float4", "float8"):
        aggregate_register(f"{name}_{stem}".encode(), sizeof(Spread), AGG_STRICT, spread_update, NULL, final)
    return 0


cdef int _pair(bytes name, agg_final_t final) except -1:
    return aggregate_register(name, sizeof(Pair), AGG_STRICT, pair_update, NULL, final)


cdef int _register() except -1:
    _spread("var_pop", var_pop)
    _spread("var_samp", var_samp)
    _spread("stddev_pop", stddev_pop)
    _spread("stddev_samp", stddev_samp)
    _exact("var_pop", exact_var_pop)
    _exact("var_samp", exact_var_samp)
    _exact("stddev_pop", exact_stddev_pop)
    _exact("stddev_samp", exact_stddev_samp)
    _pair(b"regr_count", regr_count)
    _pair(b"regr_sxx", regr_sxx)
    _pair(b"regr_syy", regr_syy)
    _pair(b"regr_sxy", regr_sxy)
    _pair(b"regr_avgx", regr_avgx)
    _pair(b"regr_avgy", regr_avgy)
    _pair(b"regr_r2", regr_r2)
    _pair(b"regr_slope", regr_slope)
    _pair(b"regr_intercept", regr_intercept)
    _pair(b"covar_pop", covar_pop)
    _pair(b"covar_samp", covar_samp)
    _pair(b"corr", corr)
    return 0


_register()

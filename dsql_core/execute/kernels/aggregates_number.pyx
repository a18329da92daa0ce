"""count, sum and avg.

Integers add into 128 bits, so sum(int8) and avg never overflow before the end; sum of int2 and int4 is an int8 and
says so when it does not fit. Floats add as they come, in the precision of their type (sum) or in double (avg).
numeric uses types.numeric's NumericSum.

A state with count 0 gives NULL (count itself gives 0).
"""

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport int16_t, int32_t, int64_t, uint32_t
from dsql_core.base.vector cimport PHYS_F32, PHYS_I32, PHYS_I64, Interval, Var, Vector
from dsql_core.execute.kernel cimport AGG_STRICT, EvalContext, aggregate_register
from dsql_core.execute.kernels.moment cimport interval_at, store_interval
from dsql_core.execute.kernels.rows cimport integer_at, row_at, var_at
from dsql_core.types.int128 cimport int128, int128_high, int128_low
from dsql_core.types.interval cimport interval_add, interval_div
from dsql_core.types.numeric cimport numeric_div, numeric_from_i128, numeric_from_int64
from dsql_core.types.numeric_sum cimport NumericSum, numeric_sum_add, numeric_sum_average, numeric_sum_total

cdef struct IntegerSum:
    int128 total
    int64_t count

cdef struct IntervalSum:
    Interval total
    int64_t count

cdef struct FloatSum:
    double total
    int64_t count
    float narrow           # sum(float4) adds in its own precision


# --- count -----------------------------------------------------------------------------------------------------------

cdef int count_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef uint32_t k
    for k in range(count):
        (<int64_t*>states[row_at(sel, k)])[0] += 1
    return 0


cdef int count_update_one(EvalContext* ctx, Pool* pool, void* state, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    (<int64_t*>state)[0] += count
    return 0


cdef int count_final(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef uint32_t g
    for g in range(count):
        (<int64_t*>out.data)[g] = (<int64_t*>states[g])[0]
    return 0


# --- integers --------------------------------------------------------------------------------------------------------

cdef int integer_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    cdef IntegerSum* state
    cdef int128 value
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        state = <IntegerSum*>states[i]
        value = integer_at(args[0], i)
        state.total += value
        state.count += 1
    return 0


ctypedef fused integer_t:
    int16_t
    int32_t
    int64_t


cdef inline int64_t narrow_total(const integer_t* values, uint32_t stride, const uint32_t* sel, uint32_t count) noexcept nogil:
    # Sum of at most 2^31 values of 32 bits or fewer.
    cdef int64_t total = 0
    cdef uint32_t k
    if sel == NULL and stride == 1:
        for k in range(count):
            total += values[k]
        return total
    for k in range(count):
        total += values[row_at(sel, k) * stride]
    return total


cdef int integer_update_one(EvalContext* ctx, Pool* pool, void* state, Vector** args, uint32_t n, const uint32_t* sel,
                            uint32_t count) noexcept nogil:
    cdef IntegerSum* sum = <IntegerSum*>state
    cdef const int64_t* values
    cdef int128 total
    cdef uint32_t k, stride = args[0].stride
    if args[0].phys == PHYS_I64:
        values = <const int64_t*>args[0].data
        total = sum.total
        for k in range(count):
            total += values[row_at(sel, k) * stride]
    elif args[0].phys == PHYS_I32:
        total = narrow_total[int32_t](<const int32_t*>args[0].data, stride, sel, count)
        total += sum.total
    else:
        total = narrow_total[int16_t](<const int16_t*>args[0].data, stride, sel, count)
        total += sum.total
    sum.total = total
    sum.count += count
    return 0


cdef int integer_sum_int8(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef IntegerSum* state
    cdef uint32_t g
    for g in range(count):
        state = <IntegerSum*>states[g]
        if state.count == 0:
            out.nulls[g] = 1
            continue
        (<int64_t*>out.data)[g] = <int64_t>int128_low(state.total)
        # The high half must be the sign of the low one.
        if int128_high(state.total) != (<int64_t*>out.data)[g] >> 63:
            dsql_error_set(ctx.error, "22003", "bigint out of range")
            return -1
    return 0


cdef int integer_sum_numeric(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef IntegerSum* state
    cdef uint32_t g
    for g in range(count):
        state = <IntegerSum*>states[g]
        if state.count == 0:
            out.nulls[g] = 1
        elif numeric_from_i128(state.total, 0, ctx.pool, <Var*>out.data + g, ctx.error) < 0:
            return -1
    return 0


cdef int integer_average(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef IntegerSum* state
    cdef Var total, rows
    cdef uint32_t g
    for g in range(count):
        state = <IntegerSum*>states[g]
        if state.count == 0:
            out.nulls[g] = 1
            continue
        if numeric_from_i128(state.total, 0, ctx.pool, &total, ctx.error) < 0 or \
                numeric_from_int64(state.count, ctx.pool, &rows, ctx.error) < 0 or \
                numeric_div(&total, &rows, ctx.pool, <Var*>out.data + g, ctx.error) < 0:
            return -1
    return 0


# --- floats ----------------------------------------------------------------------------------------------------------

cdef int float_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef FloatSum* state
    cdef float narrow
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        state = <FloatSum*>states[i]
        if args[0].phys == PHYS_F32:
            narrow = (<const float*>args[0].data)[i * args[0].stride]
            state.narrow += narrow
            state.total += narrow
        else:
            state.total += (<const double*>args[0].data)[i * args[0].stride]
        state.count += 1
    return 0


cdef int float_update_one(EvalContext* ctx, Pool* pool, void* state, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    cdef FloatSum* sum = <FloatSum*>state
    cdef double total = sum.total
    cdef float narrow = sum.narrow
    cdef const double* wide = <const double*>args[0].data
    cdef const float* values = <const float*>args[0].data
    cdef uint32_t k, i, stride = args[0].stride
    if args[0].phys == PHYS_F32:
        for k in range(count):
            i = row_at(sel, k) * stride
            narrow += values[i]
            total += values[i]
    elif sel == NULL and stride == 1:
        for k in range(count):
            total += wide[k]
    else:
        for k in range(count):
            total += wide[row_at(sel, k) * stride]
    sum.total = total
    sum.narrow = narrow
    sum.count += count
    return 0


cdef int float_sum(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef FloatSum* state
    cdef uint32_t g
    for g in range(count):
        state = <FloatSum*>states[g]
        if state.count == 0:
            out.nulls[g] = 1
        elif out.phys == PHYS_F32:
            (<float*>out.data)[g] = state.narrow
        else:
            (<double*>out.data)[g] = state.total
    return 0


cdef int float_average(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef FloatSum* state
    cdef uint32_t g
    for g in range(count):
        state = <FloatSum*>states[g]
        if state.count == 0:
            out.nulls[g] = 1
        else:
            (<double*>out.data)[g] = state.total / <double>state.count
    return 0


# --- numeric ---------------------------------------------------------------------------------------------------------

cdef int numeric_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if numeric_sum_add(<NumericSum*>states[i], var_at(args[0], i), pool, ctx.error) < 0:
            return -1
    return 0


cdef int numeric_update_one(EvalContext* ctx, Pool* pool, void* state, Vector** args, uint32_t n, const uint32_t* sel,
                            uint32_t count) noexcept nogil:
    cdef uint32_t k
    for k in range(count):
        if numeric_sum_add(<NumericSum*>state, var_at(args[0], row_at(sel, k)), pool, ctx.error) < 0:
            return -1
    return 0


cdef inline int is_empty(const NumericSum* sum) noexcept nogil:
    return sum.count == 0 and sum.nan_count == 0 and sum.pinf_count == 0 and sum.ninf_count == 0


cdef int numeric_sum(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef uint32_t g
    for g in range(count):
        if is_empty(<NumericSum*>states[g]):
            out.nulls[g] = 1
        elif numeric_sum_total(<NumericSum*>states[g], ctx.pool, <Var*>out.data + g, ctx.error) < 0:
            return -1
    return 0


cdef int numeric_average(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef uint32_t g
    for g in range(count):
        if is_empty(<NumericSum*>states[g]):
            out.nulls[g] = 1
        elif numeric_sum_average(<NumericSum*>states[g], ctx.pool, <Var*>out.data + g, ctx.error) < 0:
            return -1
    return 0


# --- intervals -------------------------------------------------------------------------------------------------------

cdef int interval_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                         uint32_t count) noexcept nogil:
    cdef IntervalSum* state
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        state = <IntervalSum*>states[i]
        if interval_add(&state.total, interval_at(args[0], i), &state.total, ctx.error) < 0:
            return -1
        state.count += 1
    return 0


cdef int interval_sum(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef IntervalSum* state
    cdef uint32_t g
    for g in range(count):
        state = <IntervalSum*>states[g]
        if state.count == 0:
            out.nulls[g] = 1
        else:
            store_interval(out, g, &state.total)
    return 0


cdef int interval_average(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef IntervalSum* state
    cdef Interval value
    cdef uint32_t g
    for g in range(count):
        state = <IntervalSum*>states[g]
        if state.count == 0:
            out.nulls[g] = 1
            continue
        if interval_div(&state.total, <double>state.count, &value, ctx.error) < 0:
            return -1
        store_interval(out, g, &value)
    return 0


cdef int _register() except -1:
    aggregate_register(b"sum_interval", sizeof(IntervalSum), AGG_STRICT, interval_update, NULL, interval_sum)
    aggregate_register(b"avg_interval", sizeof(IntervalSum), AGG_STRICT, interval_update, NULL, interval_average)
    aggregate_register(b"count", sizeof(int64_t), AGG_STRICT, count_update, count_update_one, count_final)
    aggregate_register(b"count_star", sizeof(int64_t), 0, count_update, count_update_one, count_final)
    for name in (b"sum_int2", b"sum_int4"):
        aggregate_register(name, sizeof(IntegerSum), AGG_STRICT, integer_update, integer_update_one, integer_sum_int8)
    aggregate_register(b"sum_int8", sizeof(IntegerSum), AGG_STRICT, integer_update, integer_update_one,
                       integer_sum_numeric)
    for name in (b"avg_int2", b"avg_int4", b"avg_int8"):
        aggregate_register(name, sizeof(IntegerSum), AGG_STRICT, integer_update, integer_update_one, integer_average)
    for name in (b"sum_float4", b"sum_float8"):
        aggregate_register(name, sizeof(FloatSum), AGG_STRICT, float_update, float_update_one, float_sum)
    for name in (b"avg_float4", b"avg_float8"):
        aggregate_register(name, sizeof(FloatSum), AGG_STRICT, float_update, float_update_one, float_average)
    aggregate_register(b"sum_numeric", sizeof(NumericSum), AGG_STRICT, numeric_update, numeric_update_one, numeric_sum)
    aggregate_register(b"avg_numeric", sizeof(NumericSum), AGG_STRICT, numeric_update, numeric_update_one,
                       numeric_average)
    return 0


_register()

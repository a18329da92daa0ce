"""min, max and any_value of every ordered type; bool_and, bool_or; bit_and, bit_or, bit_xor.

Fixed-width numbers compare in the type's own loop; everything else by types.io's order, keeping a copy of the best
value so far in the query's pool (its room grows by doubling, so a group never costs more than twice its largest).
"""

from libc.string cimport memcpy

from dsql_core.base.memory cimport Pool, pool_alloc
from dsql_core.base.types cimport int16_t, int32_t, int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport (PHYS_BOOL, PHYS_F32, PHYS_F64, PHYS_I16, PHYS_I32, PHYS_I64, PHYS_VAR, Scalar,
                                    Value, Vector)
from dsql_core.execute.kernel cimport AGG_STRICT, EvalContext, aggregate_register
from dsql_core.execute.kernels.rows cimport bool_at, integer_at, no_memory, row_at
from dsql_core.execute.vectors cimport scalar_copy, vector_value
from dsql_core.types.io cimport type_compare

cdef struct Extreme:
    Scalar best
    uint32_t is_filled
    uint32_t capacity      # bytes the state owns behind best.var

cdef struct Logic:
    int64_t value
    int64_t is_filled

ctypedef fused number_t:
    uint8_t
    int16_t
    int32_t
    int64_t
    float
    double


cdef inline int is_better(number_t a, number_t b, int want_max) noexcept nogil:
    # Whether a replaces b. NaN is the greatest float.
    if number_t is float or number_t is double:
        if want_max:
            return a > b or (a != a and b == b)
        return a < b or (b != b and a == a)
    return a > b if want_max else a < b


cdef inline void number_rows(const number_t* values, uint32_t stride, void** states, const uint32_t* sel, uint32_t count,
                             int want_max) noexcept nogil:
    cdef Extreme* state
    cdef number_t value
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        state = <Extreme*>states[i]
        value = values[i * stride]
        if not state.is_filled or is_better(value, (<number_t*>&state.best)[0], want_max):
            (<number_t*>&state.best)[0] = value
            state.is_filled = 1


cdef inline void number_one(const number_t* values, uint32_t stride, Extreme* state, const uint32_t* sel, uint32_t count,
                            int want_max) noexcept nogil:
    cdef number_t best, value
    cdef uint32_t k
    best = (<number_t*>&state.best)[0] if state.is_filled else values[row_at(sel, 0) * stride]
    if sel == NULL and stride == 1 and want_max:
        for k in range(count):
            value = values[k]
            best = value if is_better(value, best, 1) else best
    elif sel == NULL and stride == 1:
        for k in range(count):
            value = values[k]
            best = value if is_better(value, best, 0) else best
    else:
        for k in range(count):
            value = values[row_at(sel, k) * stride]
            best = value if is_better(value, best, want_max) else best
    (<number_t*>&state.best)[0] = best
    state.is_filled = 1


cdef inline int keep(EvalContext* ctx, Pool* pool, Extreme* state, const Value* value) noexcept nogil:
    # The value becomes the state's best; bytes are copied into the state's own room.
    cdef uint32_t size
    cdef uint8_t* room
    state.is_filled = 1
    if value.phys != PHYS_VAR:
        scalar_copy(value.phys, &state.best, 0, &value.v, 0)
        return 0
    size = value.v.var.size
    room = <uint8_t*>state.best.var.data
    if size > state.capacity or room == NULL:
        state.capacity = size if size > 2 * state.capacity else 2 * state.capacity
        room = <uint8_t*>pool_alloc(pool, state.capacity if state.capacity else 1)
        if room == NULL:
            return no_memory(ctx)
    memcpy(room, value.v.var.data, size)
    state.best.var.data = room
    state.best.var.size = size
    return 0


cdef inline int any_row(EvalContext* ctx, Pool* pool, Extreme* state, const Vector* v, uint32_t i, int sign) noexcept nogil:
    cdef Value value, best
    vector_value(v, i, &value)
    if state.is_filled:
        best.type_oid = v.type_oid
        best.phys = v.phys
        best.is_null = 0
        best.v = state.best
        if type_compare(&value, &best) * sign <= 0:
            return 0
    return keep(ctx, pool, state, &value)


cdef int extreme_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, const uint32_t* sel, uint32_t count,
                        int want_max) noexcept nogil:
    cdef uint32_t k, i, stride = args[0].stride
    cdef uint8_t phys = args[0].phys
    cdef void* data = args[0].data
    if phys == PHYS_I32:
        number_rows(<const int32_t*>data, stride, states, sel, count, want_max)
    elif phys == PHYS_I64:
        number_rows(<const int64_t*>data, stride, states, sel, count, want_max)
    elif phys == PHYS_F64:
        number_rows(<const double*>data, stride, states, sel, count, want_max)
    elif phys == PHYS_I16:
        number_rows(<const int16_t*>data, stride, states, sel, count, want_max)
    elif phys == PHYS_F32:
        number_rows(<const float*>data, stride, states, sel, count, want_max)
    elif phys == PHYS_BOOL:
        number_rows(<const uint8_t*>data, stride, states, sel, count, want_max)
    else:
        for k in range(count):
            i = row_at(sel, k)
            if any_row(ctx, pool, <Extreme*>states[i], args[0], i, 1 if want_max else -1) < 0:
                return -1
    return 0


cdef int extreme_update_one(EvalContext* ctx, Pool* pool, void* state, Vector** args, const uint32_t* sel, uint32_t count,
                            int want_max) noexcept nogil:
    cdef uint32_t k, stride = args[0].stride
    cdef uint8_t phys = args[0].phys
    cdef void* data = args[0].data
    if count == 0:
        return 0
    if phys == PHYS_I32:
        number_one(<const int32_t*>data, stride, <Extreme*>state, sel, count, want_max)
    elif phys == PHYS_I64:
        number_one(<const int64_t*>data, stride, <Extreme*>state, sel, count, want_max)
    elif phys == PHYS_F64:
        number_one(<const double*>data, stride, <Extreme*>state, sel, count, want_max)
    elif phys == PHYS_I16:
        number_one(<const int16_t*>data, stride, <Extreme*>state, sel, count, want_max)
    elif phys == PHYS_F32:
        number_one(<const float*>data, stride, <Extreme*>state, sel, count, want_max)
    elif phys == PHYS_BOOL:
        number_one(<const uint8_t*>data, stride, <Extreme*>state, sel, count, want_max)
    else:
        for k in range(count):
            if any_row(ctx, pool, <Extreme*>state, args[0], row_at(sel, k), 1 if want_max else -1) < 0:
                return -1
    return 0


cdef int max_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return extreme_update(ctx, pool, states, args, sel, count, 1)


cdef int min_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return extreme_update(ctx, pool, states, args, sel, count, 0)


cdef int max_update_one(EvalContext* ctx, Pool* pool, void* state, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    return extreme_update_one(ctx, pool, state, args, sel, count, 1)


cdef int min_update_one(EvalContext* ctx, Pool* pool, void* state, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    return extreme_update_one(ctx, pool, state, args, sel, count, 0)


cdef int first_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    # any_value: the first one met.
    cdef Value value
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if not (<Extreme*>states[i]).is_filled:
            vector_value(args[0], i, &value)
            if keep(ctx, pool, <Extreme*>states[i], &value) < 0:
                return -1
    return 0


cdef int extreme_final(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef uint32_t g
    for g in range(count):
        if not (<Extreme*>states[g]).is_filled:
            out.nulls[g] = 1
        else:
            scalar_copy(out.phys, out.data, g, &(<Extreme*>states[g]).best, 0)
    return 0


# --- bool_and, bool_or, bit_and, bit_or, bit_xor ---------------------------------------------------------------------

cdef int and_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    cdef Logic* state
    cdef int64_t value
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        state = <Logic*>states[i]
        value = bool_at(args[0], i) if args[0].phys == PHYS_BOOL else integer_at(args[0], i)
        state.value = state.value & value if state.is_filled else value
        state.is_filled = 1
    return 0


cdef int or_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef Logic* state
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        state = <Logic*>states[i]
        state.value |= bool_at(args[0], i) if args[0].phys == PHYS_BOOL else integer_at(args[0], i)
        state.is_filled = 1
    return 0


cdef int xor_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    cdef Logic* state
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        state = <Logic*>states[i]
        state.value ^= integer_at(args[0], i)
        state.is_filled = 1
    return 0


cdef int logic_final(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef Logic* state
    cdef uint32_t g
    for g in range(count):
        state = <Logic*>states[g]
        if not state.is_filled:
            out.nulls[g] = 1
        elif out.phys == PHYS_BOOL:
            (<uint8_t*>out.data)[g] = <uint8_t>state.value
        elif out.phys == PHYS_I64:
            (<int64_t*>out.data)[g] = state.value
        elif out.phys == PHYS_I32:
            (<int32_t*>out.data)[g] = <int32_t>state.value
        else:
            (<int16_t*>out.data)[g] = <int16_t>state.value
    return 0


cdef int _register() except -1:
    for stem in ("int2", "int4", "int8", "oid", "float4", "float8", "date", "time", "timetz", "timestamp", "timestamptz",
                 "interval", "text", "numeric", "bpchar", "array"):
        aggregate_register(f"max_{stem}".encode(), sizeof(Extreme), AGG_STRICT, max_update, max_update_one,
                           extreme_final)
        aggregate_register(f"min_{stem}".encode(), sizeof(Extreme), AGG_STRICT, min_update, min_update_one,
                           extreme_final)
    aggregate_register(b"any_value", sizeof(Extreme), AGG_STRICT, first_update, NULL, extreme_final)
    aggregate_register(b"bool_and", sizeof(Logic), AGG_STRICT, and_update, NULL, logic_final)
    aggregate_register(b"bool_or", sizeof(Logic), AGG_STRICT, or_update, NULL, logic_final)
    for stem in ("int2", "int4", "int8"):
        aggregate_register(f"bit_and_{stem}".encode(), sizeof(Logic), AGG_STRICT, and_update, NULL, logic_final)
        aggregate_register(f"bit_or_{stem}".encode(), sizeof(Logic), AGG_STRICT, or_update, NULL, logic_final)
        aggregate_register(f"bit_xor_{stem}".encode(), sizeof(Logic), AGG_STRICT, xor_update, NULL, logic_final)
    return 0


_register()

"""Aggregates that keep what they are given: string_agg, array_agg, the JSON aggregates, and the ordered-set ones.

Text grows in a block of the query's pool that doubles; values are kept as Values, their bytes copied there. Ordered-set
aggregates (percentile_cont, percentile_disc, mode) get their rows in the order of WITHIN GROUP, the sorted expression
as the last argument and the fraction, if any, as the first.
"""

from libc.math cimport ceil, floor, isnan
from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Buffer, Pool, buffer_free, buffer_init, pool_alloc, pool_copy
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport OID_INTERVAL, OID_JSONB, PHYS_VAR, Interval, Value, Var, Vector
from dsql_core.execute.kernel cimport EvalContext, aggregate_register
from dsql_core.execute.kernels.json_write cimport json_put_key, json_put_value
from dsql_core.execute.kernels.rows cimport double_at, is_null, no_memory, row_at, var_at
from dsql_core.execute.vectors cimport scalar_copy, vector_value
from dsql_core.types.array cimport (ArrayDimension, ArrayReader, array_build, array_dimension, array_element,
                                    array_element_oid, array_open)
from dsql_core.types.interval cimport interval_add, interval_mul, interval_sub
from dsql_core.types.io cimport type_compare
from dsql_core.types.json cimport jsonb_input

cdef struct TextState:
    uint8_t* data
    uint32_t size
    uint32_t capacity
    uint32_t rows          # accepted so far
    uint32_t opened        # JSON: something arrived, kept or left out

cdef struct ListState:
    Value* items
    uint32_t count
    uint32_t capacity
    double fraction        # of the percentile functions
    uint32_t has_fraction
    Value fractions        # the same as an array


cdef int text_add(EvalContext* ctx, Pool* pool, TextState* state, const uint8_t* data, size_t size) noexcept nogil:
    cdef uint8_t* room
    cdef size_t wanted = state.size + size
    if wanted > state.capacity:
        wanted = wanted if wanted > 2 * <size_t>state.capacity else 2 * <size_t>state.capacity
        if wanted < 64:
            wanted = 64
        if wanted > 1073741823:
            dsql_error_set(ctx.error, "54000", "out of memory")
            return -1
        room = <uint8_t*>pool_alloc(pool, wanted)
        if room == NULL:
            return no_memory(ctx)
        if state.size:
            memcpy(room, state.data, state.size)
        state.data = room
        state.capacity = <uint32_t>wanted
    memcpy(state.data + state.size, data, size)
    state.size += <uint32_t>size
    return 0


cdef int list_add(EvalContext* ctx, Pool* pool, ListState* state, const Value* value) noexcept nogil:
    cdef Value* room
    cdef uint32_t capacity
    if state.count == state.capacity:
        capacity = state.capacity * 2 if state.capacity else 8
        room = <Value*>pool_alloc(pool, sizeof(Value) * <size_t>capacity)
        if room == NULL:
            return no_memory(ctx)
        if state.count:
            memcpy(room, state.items, sizeof(Value) * <size_t>state.count)
        state.items = room
        state.capacity = capacity
    state.items[state.count] = value[0]
    if value.phys == PHYS_VAR and not value.is_null:
        state.items[state.count].v.var.data = pool_copy(pool, value.v.var.data, value.v.var.size)
        if state.items[state.count].v.var.data == NULL:
            return no_memory(ctx)
    state.count += 1
    return 0


# --- string_agg ------------------------------------------------------------------------------------------------------

cdef int string_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    # NULL values are left out; a row's separator stands before its value.
    cdef TextState* state
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if is_null(args[0], i):
            continue
        state = <TextState*>states[i]
        if state.rows != 0 and not is_null(args[1], i) and \
                text_add(ctx, pool, state, var_at(args[1], i).data, var_at(args[1], i).size) < 0:
            return -1
        if text_add(ctx, pool, state, var_at(args[0], i).data, var_at(args[0], i).size) < 0:
            return -1
        state.rows += 1
    return 0


cdef int string_final(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef TextState* state
    cdef uint32_t g
    for g in range(count):
        state = <TextState*>states[g]
        if state.rows == 0:
            out.nulls[g] = 1
            continue
        (<Var*>out.data)[g].data = state.data
        (<Var*>out.data)[g].size = state.size
        (<Var*>out.data)[g].reserved = 0
    return 0


# --- JSON ------------------------------------------------------------------------------------------------------------

cdef int json_item(EvalContext* ctx, Pool* pool, TextState* state, Buffer* text) noexcept nogil:
    if text.failed:
        return no_memory(ctx)
    return text_add(ctx, pool, state, text.data, text.size)


cdef int json_list(EvalContext* ctx, Pool* pool, void** states, Vector** args, const uint32_t* sel, uint32_t count,
                   int strict) noexcept nogil:
    # strict: NULL values are left out, and a list of nothing else is [].
    cdef TextState* state
    cdef Value value
    cdef Buffer text
    cdef uint32_t k, i
    cdef int status = 0, structured = array_element_oid(args[0].type_oid) != 0
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        state = <TextState*>states[i]
        if not state.opened:
            state.opened = 1
            if text_add(ctx, pool, state, <const uint8_t*>b"[", 1) < 0:
                status = -1
                break
        if strict and is_null(args[0], i):
            continue
        vector_value(args[0], i, &value)
        value.type_oid = args[0].type_oid
        text.size = 0
        json_put_value(&value, ctx.format, &text)
        if state.rows == 0:
            status = 0
        elif structured and not value.is_null:
            status = text_add(ctx, pool, state, <const uint8_t*>b", \n ", 4)
        else:
            status = text_add(ctx, pool, state, <const uint8_t*>b", ", 2)
        if status < 0 or json_item(ctx, pool, state, &text) < 0:
            status = -1
            break
        state.rows += 1
    buffer_free(&text)
    return status


cdef int json_list_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    return json_list(ctx, pool, states, args, sel, count, 0)


cdef int json_list_strict(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    return json_list(ctx, pool, states, args, sel, count, 1)


cdef int json_object_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                            uint32_t count, int jsonb, int strict) noexcept nogil:
    cdef TextState* state
    cdef Value value
    cdef Buffer text
    cdef uint32_t k, i
    cdef int status = 0
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        state = <TextState*>states[i]
        status = -1
        if is_null(args[0], i):
            if jsonb:
                dsql_error_set(ctx.error, "22023", "field name must not be null")
            else:
                dsql_error_set(ctx.error, "22004", "null value not allowed for object key")
            break
        if not state.opened:
            state.opened = 1
            if text_add(ctx, pool, state, <const uint8_t*>b"{ ", 2) < 0:
                break
        if strict and is_null(args[1], i):
            status = 0
            continue
        vector_value(args[0], i, &value)
        text.size = 0
        if json_put_key(&value, ctx.format, &text) < 0:
            dsql_error_set(ctx.error, "22023", "key value must be scalar, not array, composite, or json")
            break
        if (state.rows != 0 and text_add(ctx, pool, state, <const uint8_t*>b", ", 2) < 0) or \
                json_item(ctx, pool, state, &text) < 0 or \
                text_add(ctx, pool, state, <const uint8_t*>b" : ", 3) < 0:
            break
        vector_value(args[1], i, &value)
        value.type_oid = args[1].type_oid
        text.size = 0
        json_put_value(&value, ctx.format, &text)
        if json_item(ctx, pool, state, &text) < 0:
            break
        state.rows += 1
        status = 0
    buffer_free(&text)
    return status


cdef int json_pair_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    return json_object_update(ctx, pool, states, args, n, sel, count, 0, 0)


cdef int jsonb_pair_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    return json_object_update(ctx, pool, states, args, n, sel, count, 1, 0)


cdef int json_pair_strict(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    return json_object_update(ctx, pool, states, args, n, sel, count, 0, 1)


cdef int jsonb_pair_strict(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    return json_object_update(ctx, pool, states, args, n, sel, count, 1, 1)


cdef int json_final(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out, const char* end,
                    size_t end_size) noexcept nogil:
    cdef TextState* state
    cdef uint32_t g
    for g in range(count):
        state = <TextState*>states[g]
        if not state.opened:
            out.nulls[g] = 1
            continue
        if text_add(ctx, pool, state, <const uint8_t*>end, end_size) < 0:
            return -1
        if out.type_oid == OID_JSONB:
            if jsonb_input(state.data, state.size, ctx.pool, <Var*>out.data + g, ctx.error) < 0:
                return -1
        else:
            (<Var*>out.data)[g].data = state.data
            (<Var*>out.data)[g].size = state.size
            (<Var*>out.data)[g].reserved = 0
    return 0


cdef int json_list_final(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return json_final(ctx, pool, states, count, out, b"]", 1)


cdef int json_object_final(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return json_final(ctx, pool, states, count, out, b" }", 2)


# --- array_agg -------------------------------------------------------------------------------------------------------

cdef int list_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef Value value
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        vector_value(args[0], i, &value)
        if list_add(ctx, pool, <ListState*>states[i], &value) < 0:
            return -1
    return 0


cdef int array_final(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    cdef ListState* state
    cdef uint32_t g
    for g in range(count):
        state = <ListState*>states[g]
        if state.count == 0:
            out.nulls[g] = 1
        elif array_build(array_element_oid(out.type_oid), state.items, state.count, NULL, 0, ctx.pool,
                         <Var*>out.data + g, ctx.error) < 0:
            return -1
    return 0


cdef int array_list_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    cdef uint32_t k
    for k in range(count):
        if is_null(args[0], row_at(sel, k)):
            dsql_error_set(ctx.error, "22004", "cannot accumulate null arrays")
            return -1
    return list_update(ctx, pool, states, args, n, sel, count)


cdef int nested_final(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    # Arrays of one shape become an array with one dimension more.
    cdef ListState* state
    cdef ArrayReader reader
    cdef ArrayDimension[8] shape
    cdef ArrayDimension other
    cdef Value* items
    cdef uint32_t g, k, j, at, dimensions, size
    for g in range(count):
        state = <ListState*>states[g]
        if state.count == 0:
            out.nulls[g] = 1
            continue
        array_open(&state.items[0].v.var, &reader)
        dimensions = reader.dimensions
        size = reader.count
        if dimensions == 0:
            dsql_error_set(ctx.error, "2202E", "cannot accumulate empty arrays")
            return -1
        shape[0].length = <int32_t>state.count
        shape[0].lower_bound = 1
        for j in range(dimensions):
            array_dimension(&state.items[0].v.var, j, &shape[j + 1])
        items = <Value*>pool_alloc(ctx.pool, sizeof(Value) * <size_t>size * state.count)
        if items == NULL:
            return no_memory(ctx)
        at = 0
        for k in range(state.count):
            array_open(&state.items[k].v.var, &reader)
            if reader.dimensions == 0:
                dsql_error_set(ctx.error, "2202E", "cannot accumulate empty arrays")
                return -1
            for j in range(reader.dimensions):
                array_dimension(&state.items[k].v.var, j, &other)
                if reader.dimensions != dimensions or other.length != shape[j + 1].length:
                    dsql_error_set(ctx.error, "2202E", "cannot accumulate arrays of different dimensionality")
                    return -1
            for j in range(reader.count):
                array_element(&reader, j, &items[at])
                at += 1
        if array_build(array_element_oid(out.type_oid), items, at, &shape[0], dimensions + 1, ctx.pool,
                       <Var*>out.data + g, ctx.error) < 0:
            return -1
    return 0


# --- ordered sets ----------------------------------------------------------------------------------------------------

cdef int ordered_update(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    # (fraction, value) or (value); NULL values are left out, a NULL fraction makes the result NULL.
    cdef ListState* state
    cdef Value value
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        state = <ListState*>states[i]
        if n == 2 and not state.has_fraction and not is_null(args[0], i):
            state.has_fraction = 1
            if args[0].phys == PHYS_VAR:
                vector_value(args[0], i, &state.fractions)
                state.fractions.v.var.data = pool_copy(pool, state.fractions.v.var.data, state.fractions.v.var.size)
                if state.fractions.v.var.data == NULL:
                    return no_memory(ctx)
            else:
                state.fraction = double_at(args[0], i)
        if is_null(args[n - 1], i):
            continue
        vector_value(args[n - 1], i, &value)
        if list_add(ctx, pool, state, &value) < 0:
            return -1
    return 0


cdef int check_fraction(EvalContext* ctx, double fraction) noexcept nogil:
    if isnan(fraction) or fraction < 0 or fraction > 1:
        dsql_error_set(ctx.error, "22003", "percentile value %g is not between 0 and 1", fraction)
        return -1
    return 0


cdef int continuous(EvalContext* ctx, ListState* state, double fraction, Value* out) noexcept nogil:
    # Between the two values around the place fraction * (n - 1).
    cdef double place = fraction * (state.count - 1)
    cdef double first = floor(place)
    cdef double share = place - first
    cdef Value* low = &state.items[<uint32_t>first]
    cdef Value* high = &state.items[<uint32_t>ceil(place)]
    cdef Interval between
    out[0] = low[0]
    if first == ceil(place):
        return 0
    if low.type_oid != OID_INTERVAL:
        out.v.f64 = low.v.f64 + share * (high.v.f64 - low.v.f64)
        return 0
    if interval_sub(&high.v.interval, &low.v.interval, &between, ctx.error) < 0 or \
            interval_mul(&between, share, &between, ctx.error) < 0:
        return -1
    return interval_add(&between, &low.v.interval, &out.v.interval, ctx.error)


cdef inline int discrete(ListState* state, double fraction, Value* out) noexcept nogil:
    # The first value whose place in the order reaches the fraction.
    cdef int64_t place = <int64_t>ceil(fraction * state.count)
    out[0] = state.items[place - 1 if place > 0 else 0]
    return 0


cdef int percentiles(EvalContext* ctx, void** states, uint32_t count, Vector* out, int is_continuous) noexcept nogil:
    cdef ListState* state
    cdef Value value
    cdef uint32_t g
    cdef int status
    for g in range(count):
        state = <ListState*>states[g]
        if not state.has_fraction or state.count == 0:
            out.nulls[g] = 1
            continue
        if check_fraction(ctx, state.fraction) < 0:
            return -1
        if is_continuous:
            status = continuous(ctx, state, state.fraction, &value)
        else:
            status = discrete(state, state.fraction, &value)
        if status < 0:
            return -1
        scalar_copy(out.phys, out.data, g, &value.v, 0)
    return 0


cdef int percentile_cont(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return percentiles(ctx, states, count, out, 1)


cdef int percentile_disc(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return percentiles(ctx, states, count, out, 0)


cdef int percentile_arrays(EvalContext* ctx, void** states, uint32_t count, Vector* out, int is_continuous) noexcept nogil:
    # One result per fraction, NULL for a NULL one.
    cdef ListState* state
    cdef ArrayReader reader
    cdef Value* results
    cdef Value fraction
    cdef uint32_t g, k
    cdef int status
    for g in range(count):
        state = <ListState*>states[g]
        if not state.has_fraction or state.count == 0:
            out.nulls[g] = 1
            continue
        array_open(&state.fractions.v.var, &reader)
        results = <Value*>pool_alloc(ctx.pool, sizeof(Value) * <size_t>(reader.count + 1))
        if results == NULL:
            return no_memory(ctx)
        for k in range(reader.count):
            array_element(&reader, k, &fraction)
            results[k] = state.items[0]
            if fraction.is_null:
                results[k].is_null = 1
                continue
            if check_fraction(ctx, fraction.v.f64) < 0:
                return -1
            if is_continuous:
                status = continuous(ctx, state, fraction.v.f64, &results[k])
            else:
                status = discrete(state, fraction.v.f64, &results[k])
            if status < 0:
                return -1
        if array_build(array_element_oid(out.type_oid), results, reader.count, NULL, 0, ctx.pool, <Var*>out.data + g,
                       ctx.error) < 0:
            return -1
    return 0


cdef int percentile_cont_array(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return percentile_arrays(ctx, states, count, out, 1)


cdef int percentile_disc_array(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    return percentile_arrays(ctx, states, count, out, 0)


cdef int mode_final(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil:
    # The longest run of equal values; the first of equally long ones.
    cdef ListState* state
    cdef uint32_t g, k, run, best_run, best
    for g in range(count):
        state = <ListState*>states[g]
        if state.count == 0:
            out.nulls[g] = 1
            continue
        best = best_run = run = 0
        for k in range(state.count):
            run = run + 1 if k != 0 and type_compare(&state.items[k], &state.items[k - 1]) == 0 else 1
            if run > best_run:
                best_run = run
                best = k
        scalar_copy(out.phys, out.data, g, &state.items[best].v, 0)
    return 0


cdef int _register() except -1:
    aggregate_register(b"string_agg", sizeof(TextState), 0, string_update, NULL, string_final)
    aggregate_register(b"json_agg", sizeof(TextState), 0, json_list_update, NULL, json_list_final)
    aggregate_register(b"jsonb_agg", sizeof(TextState), 0, json_list_update, NULL, json_list_final)
    aggregate_register(b"json_object_agg", sizeof(TextState), 0, json_pair_update, NULL, json_object_final)
    aggregate_register(b"jsonb_object_agg", sizeof(TextState), 0, jsonb_pair_update, NULL, json_object_final)
    aggregate_register(b"json_agg_strict", sizeof(TextState), 0, json_list_strict, NULL, json_list_final)
    aggregate_register(b"jsonb_agg_strict", sizeof(TextState), 0, json_list_strict, NULL, json_list_final)
    aggregate_register(b"json_object_agg_strict", sizeof(TextState), 0, json_pair_strict, NULL, json_object_final)
    aggregate_register(b"jsonb_object_agg_strict", sizeof(TextState), 0, jsonb_pair_strict, NULL, json_object_final)
    aggregate_register(b"array_agg", sizeof(ListState), 0, list_update, NULL, array_final)
    aggregate_register(b"array_agg_array", sizeof(ListState), 0, array_list_update, NULL, nested_final)
    aggregate_register(b"percentile_cont", sizeof(ListState), 0, ordered_update, NULL, percentile_cont)
    aggregate_register(b"percentile_cont_interval", sizeof(ListState), 0, ordered_update, NULL, percentile_cont)
    aggregate_register(b"percentile_cont_array", sizeof(ListState), 0, ordered_update, NULL, percentile_cont_array)
    aggregate_register(b"percentile_cont_array_interval", sizeof(ListState), 0, ordered_update, NULL,
                       percentile_cont_array)
    aggregate_register(b"percentile_disc", sizeof(ListState), 0, ordered_update, NULL, percentile_disc)
    aggregate_register(b"percentile_disc_array", sizeof(ListState), 0, ordered_update, NULL, percentile_disc_array)
    aggregate_register(b"mode", sizeof(ListState), 0, ordered_update, NULL, mode_final)
    return 0


_register()

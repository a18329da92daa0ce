"""Window functions: rows sorted by partition and order, then partition by partition.

Stored rows: input columns, sort keys, arguments (and filters) of the calls. All calls of a partition are computed
before its rows go out; aggregates over a frame that only grows add what is new, others start over when the frame moves.

Invariants
  W5  output order is the sort's; input columns come first, then one column per call.
  W6  a partition's results live until the next partition begins.

Owner of the memory: run.pool (rows), two owned pools (partition results, aggregate states), the batch pool (output).
"""

from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Pool, pool_alloc, pool_reset
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport BATCH_ROWS, PHYS_I16, PHYS_I32, Batch, Value, Vector
from dsql_core.execute.expr cimport EVAL_OK, eval_expr
from dsql_core.execute.frame cimport FrameOffsets, Partition, frame_bounds, frame_check, frame_excludes
from dsql_core.execute.hashtable cimport rows_add
from dsql_core.execute.machine cimport (eval_step, machine_pause, no_memory, one_row, op_alloc, op_open, op_own_pool,
                                        op_pull, operator_register)
from dsql_core.execute.ordering cimport MergeSort, Ordering, SortItem, merge_sort, order_prefix
from dsql_core.execute.state cimport (Execution, Op, P_WINDOW, PlanNode, RowList, Run, STEP_DONE, STEP_ERROR, STEP_ROWS,
                                      WF_AGGREGATE, WF_CUME_DIST, WF_DENSE_RANK, WF_FIRST_VALUE, WF_LAG, WF_LAST_VALUE,
                                      WF_LEAD, WF_NTH_VALUE, WF_NTILE, WF_PERCENT_RANK, WF_RANK, WF_ROW_NUMBER,
                                      WindowCall)
from dsql_core.execute.tuples cimport tuple_batch_of, tuple_gather, tuple_store_split, tuples_equal
from dsql_core.execute.vectors cimport scalar_copy, value_keep, vector_alloc, vector_nulls, vector_value

cdef struct WindowOp:
    Op base
    Ordering order
    RowList rows
    MergeSort sort
    uint8_t** sorted
    Partition partition
    FrameOffsets* offsets          # per call
    Value** results                # per call, per row of the partition
    Pool* partition_pool
    Pool* state_pool
    uint64_t next                  # first row of the next partition
    uint64_t emitted               # rows of this partition gone out
    uint32_t call_at               # call under computation
    int32_t phase                  # 0 drain, 1 sort, 2 next partition, 3 compute, 4 emit, 5 done


cdef int _drain(WindowOp* op) noexcept nogil:
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef const Batch* input
    cdef Vector* extra
    cdef uint8_t* tuple
    cdef uint32_t i
    cdef int r
    while True:
        r = op_pull(base)
        if r != STEP_ROWS:
            return r
        input = &base.child.out
        base.execution.eval.pool = base.child.batch_pool
        base.execution.eval_id = base.eval_id
        extra = <Vector*>pool_alloc(base.child.batch_pool, (node.param_count + 1) * sizeof(Vector))
        if extra == NULL:
            return no_memory(base.execution)
        for i in range(node.param_count):
            r = eval_expr(base.execution, node.params[i], input, input.sel, input.sel_count, &extra[i])
            if r != EVAL_OK:
                return eval_step(r)
        base.has_input = 0
        for i in range(input.sel_count):
            tuple = tuple_store_split(&node.tuples, &base.run.pool, input.columns, input.column_count, extra,
                                      i if input.sel == NULL else input.sel[i])
            if tuple == NULL or rows_add(&op.rows, &base.run.pool, tuple) < 0:
                return no_memory(base.execution)


cdef int _begin_sort(WindowOp* op) noexcept nogil:
    cdef Op* base = &op.base
    cdef uint64_t i
    memset(&op.sort, 0, sizeof(MergeSort))
    op.sort.count = op.rows.count
    op.sort.items = <SortItem*>pool_alloc(&base.run.pool, (op.rows.count + 1) * sizeof(SortItem))
    op.sort.spare = <SortItem*>pool_alloc(&base.run.pool, (op.rows.count + 1) * sizeof(SortItem))
    if op.sort.items == NULL or op.sort.spare == NULL:
        return no_memory(base.execution)
    for i in range(op.rows.count):
        op.sort.items[i].tuple = op.rows.rows[i]
        op.sort.items[i].prefix = order_prefix(&op.order, op.rows.rows[i]) if op.order.count else 0
    return 0


cdef int _begin_calls(WindowOp* op) noexcept nogil:
    # The frames' offsets: constant over the query. 0, -1.
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef Execution* x = base.execution
    cdef const WindowCall* call
    cdef Vector v
    cdef uint32_t i
    cdef int side
    cdef int r
    x.eval.pool = &base.run.pool
    op.offsets = <FrameOffsets*>pool_alloc(&base.run.pool, (node.window_count + 1) * sizeof(FrameOffsets))
    op.results = <Value**>pool_alloc(&base.run.pool, (node.window_count + 1) * sizeof(Value*))
    op.sorted = <uint8_t**>pool_alloc(&base.run.pool, (op.rows.count + 1) * sizeof(uint8_t*))
    if op.offsets == NULL or op.results == NULL or op.sorted == NULL:
        return no_memory(x)
    for i in range(<uint32_t>op.rows.count):
        op.sorted[i] = op.sort.items[i].tuple
    for i in range(node.window_count):
        call = &node.windows[i]
        memset(&op.offsets[i], 0, sizeof(FrameOffsets))
        for side in range(2):
            if (call.start_offset if side == 0 else call.end_offset) == NULL:
                continue
            x.no_yield += 1
            r = eval_expr(x, call.start_offset if side == 0 else call.end_offset, one_row(), NULL, 1, &v)
            x.no_yield -= 1
            if r != EVAL_OK:
                return -1
            vector_value(&v, 0, &op.offsets[i].start if side == 0 else &op.offsets[i].end)
        if frame_check(x, node, call, &op.offsets[i]) < 0:
            return -1
    return 0


cdef int _same_keys(WindowOp* op, uint64_t a, uint64_t b, uint32_t first, uint32_t count) noexcept nogil:
    return count == 0 or tuples_equal(&op.base.node.tuples, op.sorted[a], op.sorted[b], op.base.node.param_index[first],
                                      count)


cdef int _next_partition(WindowOp* op) noexcept nogil:
    # STEP_ROWS, STEP_DONE, STEP_ERROR.
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef Partition* p = &op.partition
    cdef uint64_t start = op.next
    cdef uint64_t end = start + 1
    cdef int64_t i
    cdef int64_t k
    cdef int64_t group = 0
    cdef int64_t peers = 0
    cdef uint32_t order_count = node.sort_count - node.partition_count
    if start >= op.rows.count:
        return STEP_DONE
    while end < op.rows.count and _same_keys(op, start, end, 0, node.partition_count):
        end += 1
    op.next = end
    op.emitted = 0
    pool_reset(op.partition_pool)
    p.node = node
    p.rows = op.sorted + start
    p.count = <int64_t>(end - start)
    p.order_columns = order_count
    p.peer_start = <int64_t*>pool_alloc(op.partition_pool, p.count * sizeof(int64_t))
    p.peer_end = <int64_t*>pool_alloc(op.partition_pool, p.count * sizeof(int64_t))
    p.group = <int64_t*>pool_alloc(op.partition_pool, p.count * sizeof(int64_t))
    if p.peer_start == NULL or p.peer_end == NULL or p.group == NULL:
        return no_memory(base.execution)
    for i in range(1, p.count + 1):
        if i < p.count and _same_keys(op, start + peers, start + i, node.partition_count, order_count):
            continue
        for k in range(peers, i):
            p.peer_start[k] = peers
            p.peer_end[k] = i
            p.group[k] = group
        peers = i
        group += 1
    for i in range(node.window_count):
        op.results[i] = <Value*>pool_alloc(op.partition_pool, p.count * sizeof(Value))
        if op.results[i] == NULL:
            return no_memory(base.execution)
    return STEP_ROWS


# -- calls -------------------------------------------------------------------------------------------------------------

cdef inline void _argument(WindowOp* op, const WindowCall* call, int64_t row, uint32_t a, Value* out) noexcept nogil:
    cdef const PlanNode* node = op.base.node
    cdef uint32_t column = call.first_column + a
    cdef uint8_t* tuple = op.partition.rows[row]
    out.type_oid = node.tuples.type_oids[column]
    out.phys = node.tuples.phys[column]
    out.is_null = tuple[8 + column]
    if not out.is_null:
        scalar_copy(out.phys, &out.v, 0, tuple + node.tuples.offset[column], 0)


cdef inline int64_t _integer(const Value* v) noexcept nogil:
    if v.phys == PHYS_I32:
        return v.v.i32
    if v.phys == PHYS_I16:
        return v.v.i16
    return v.v.i64


cdef int _ranking(WindowOp* op, const WindowCall* call, Value* results) noexcept nogil:
    # Functions that look at the row's place only.
    cdef Partition* p = &op.partition
    cdef int64_t row
    cdef int64_t buckets = 0
    cdef int64_t size
    cdef int64_t larger
    cdef Value count
    if call.fn == WF_NTILE:
        _argument(op, call, 0, 0, &count)
        if not count.is_null:
            buckets = _integer(&count)
            if buckets <= 0:
                dsql_error_set(op.base.execution.eval.error, "22014", "argument of ntile must be greater than zero")
                return -1
    for row in range(p.count):
        results[row].is_null = 0
        if call.fn == WF_ROW_NUMBER:
            results[row].v.i64 = row + 1
        elif call.fn == WF_RANK:
            results[row].v.i64 = p.peer_start[row] + 1
        elif call.fn == WF_DENSE_RANK:
            results[row].v.i64 = p.group[row] + 1
        elif call.fn == WF_PERCENT_RANK:
            results[row].v.f64 = <double>p.peer_start[row] / <double>(p.count - 1) if p.count > 1 else 0.0
        elif call.fn == WF_CUME_DIST:
            results[row].v.f64 = <double>p.peer_end[row] / <double>p.count
        elif buckets == 0:
            results[row].is_null = 1
        else:
            # The first `larger` buckets hold one row more.
            size = p.count // buckets
            larger = p.count % buckets
            if row < larger * (size + 1):
                results[row].v.i32 = <int32_t>(row // (size + 1) + 1)
            else:
                results[row].v.i32 = <int32_t>(larger + (row - larger * (size + 1)) // (size if size else 1) + 1)
    return 0


cdef int _offset(WindowOp* op, const WindowCall* call, Value* results) noexcept nogil:
    # lag, lead.
    cdef Partition* p = &op.partition
    cdef int64_t row
    cdef int64_t shift
    cdef int64_t at
    cdef Value value
    for row in range(p.count):
        shift = 1
        if call.arg_count > 1:
            _argument(op, call, row, 1, &value)
            if value.is_null:
                results[row].is_null = 1
                continue
            shift = _integer(&value)
        at = row - shift if call.fn == WF_LAG else row + shift
        if 0 <= at < p.count:
            _argument(op, call, at, 0, &results[row])
        elif call.arg_count > 2:
            _argument(op, call, row, 2, &results[row])
        else:
            results[row].is_null = 1
    return 0


cdef int _nth(WindowOp* op, uint32_t i, const WindowCall* call, Value* results) noexcept nogil:
    # first_value, last_value, nth_value: rows of the frame.
    cdef Partition* p = &op.partition
    cdef int64_t row
    cdef int64_t start
    cdef int64_t end
    cdef int64_t wanted
    cdef int64_t k
    cdef Value count
    for row in range(p.count):
        results[row].is_null = 1
        if frame_bounds(op.base.execution, p, call, &op.offsets[i], row, &start, &end) < 0:
            return -1
        wanted = 1
        if call.fn == WF_NTH_VALUE:
            _argument(op, call, row, 1, &count)
            if count.is_null:
                continue
            wanted = _integer(&count)
            if wanted <= 0:
                dsql_error_set(op.base.execution.eval.error, "22016", "argument of nth_value must be greater than zero")
                return -1
        if call.fn == WF_LAST_VALUE:
            k = end - 1
            while k >= start and frame_excludes(p, call, row, k):
                k -= 1
            if k >= start:
                _argument(op, call, k, 0, &results[row])
            continue
        if call.exclude == 0:
            if start + wanted - 1 < end:
                _argument(op, call, start + wanted - 1, 0, &results[row])
            continue
        k = start
        while k < end:
            if not frame_excludes(p, call, row, k):
                wanted -= 1
                if wanted == 0:
                    _argument(op, call, k, 0, &results[row])
                    break
            k += 1
    return 0


cdef int _add_rows(WindowOp* op, const WindowCall* call, Vector* args, Vector** pointers, void* state, void** states,
                   uint32_t* sel, int64_t row, int64_t start, int64_t end, int64_t* plain_count) noexcept nogil:
    # Rows [start, end) of the partition, less the excluded, filtered and (strict) NULL ones, into the state.
    cdef Execution* x = op.base.execution
    cdef Vector* filter = &args[call.arg_count]
    cdef uint32_t kept = 0
    cdef int64_t k
    cdef uint32_t a
    for k in range(start, end):
        if frame_excludes(&op.partition, call, row, k):
            continue
        if call.has_filter and ((filter.nulls != NULL and filter.nulls[k]) or not (<uint8_t*>filter.data)[k]):
            continue
        sel[kept] = <uint32_t>k
        kept += 1
        if call.is_strict:
            for a in range(call.arg_count):
                if args[a].nulls != NULL and args[a].nulls[k]:
                    kept -= 1
                    break
    plain_count[0] += kept
    if call.aggregate == NULL or kept == 0:
        return 0
    if call.aggregate.update_one != NULL:
        return call.aggregate.update_one(&x.eval, op.state_pool, state, pointers, call.arg_count, sel, kept)
    for k in range(kept):
        states[sel[k]] = state
    return call.aggregate.update(&x.eval, op.state_pool, states, pointers, call.arg_count, sel, kept)


cdef int _aggregate(WindowOp* op, uint32_t i, const WindowCall* call, Value* results) noexcept nogil:
    cdef Op* base = &op.base
    cdef Execution* x = base.execution
    cdef Partition* p = &op.partition
    cdef uint32_t state_size = call.aggregate.state_size if call.aggregate != NULL else 16
    cdef Vector* args
    cdef Vector** pointers
    cdef void** states
    cdef void* state
    cdef uint32_t* sel
    cdef Vector out
    cdef int64_t row
    cdef int64_t start
    cdef int64_t end
    cdef int64_t have_start = -1
    cdef int64_t have_end = -1
    cdef int64_t plain_count = 0
    cdef uint32_t a
    pool_reset(op.state_pool)
    x.eval.pool = op.state_pool
    args = <Vector*>pool_alloc(op.state_pool, (call.arg_count + 2) * sizeof(Vector))
    pointers = <Vector**>pool_alloc(op.state_pool, (call.arg_count + 1) * sizeof(Vector*))
    states = <void**>pool_alloc(op.state_pool, (p.count + 1) * sizeof(void*))
    sel = <uint32_t*>pool_alloc(op.state_pool, (p.count + 1) * sizeof(uint32_t))
    state = pool_alloc(op.state_pool, state_size + 16)
    if args == NULL or pointers == NULL or states == NULL or sel == NULL or state == NULL:
        return no_memory(x)
    for a in range(call.arg_count + call.has_filter):
        if tuple_gather(&base.node.tuples, op.state_pool, p.rows, <uint32_t>p.count, call.first_column + a, &args[a]) < 0:
            return no_memory(x)
        if a < call.arg_count:
            pointers[a] = &args[a]
    for row in range(p.count):
        if frame_bounds(x, p, call, &op.offsets[i], row, &start, &end) < 0:
            return -1
        if call.exclude == 0 and start == have_start and end == have_end:
            results[row] = results[row - 1]
            continue
        if call.exclude != 0 or start != have_start or end < have_end:
            memset(state, 0, state_size)
            plain_count = 0
            have_end = start
        if _add_rows(op, call, args, pointers, state, states, sel, row, have_end, end, &plain_count) < 0:
            return -1
        have_start = start
        have_end = end
        results[row].is_null = 0
        if call.aggregate == NULL:
            results[row].v.i64 = plain_count
            continue
        if vector_alloc(op.state_pool, &out, call.type_oid, call.phys, 1) < 0 or vector_nulls(op.state_pool, &out, 1) < 0:
            return no_memory(x)
        if call.aggregate.final(&x.eval, op.state_pool, &state, 1, &out) < 0:
            return -1
        vector_value(&out, 0, &results[row])
        if value_keep(op.partition_pool, &results[row]) < 0:
            return no_memory(x)
    return 0


cdef int _compute(WindowOp* op) noexcept nogil:
    # All calls of the partition; may pause between calls. STEP_DONE when done.
    cdef const PlanNode* node = op.base.node
    cdef const WindowCall* call
    cdef Value* results
    cdef int r
    while op.call_at < node.window_count:
        call = &node.windows[op.call_at]
        results = op.results[op.call_at]
        op.base.execution.eval.pool = op.partition_pool
        if call.fn == WF_AGGREGATE:
            r = _aggregate(op, op.call_at, call, results)
        elif call.fn == WF_LAG or call.fn == WF_LEAD:
            r = _offset(op, call, results)
        elif call.fn == WF_FIRST_VALUE or call.fn == WF_LAST_VALUE or call.fn == WF_NTH_VALUE:
            r = _nth(op, op.call_at, call, results)
        else:
            r = _ranking(op, call, results)
        if r < 0:
            return STEP_ERROR
        op.call_at += 1
        if op.call_at < node.window_count:
            r = machine_pause(op.base.execution)
            if r != 0:
                return r
    return STEP_DONE


cdef int _emit(WindowOp* op) noexcept nogil:
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef uint32_t width = node.column_count - node.window_count
    cdef uint64_t left = <uint64_t>op.partition.count - op.emitted
    cdef uint32_t count = <uint32_t>left if left < BATCH_ROWS else BATCH_ROWS
    cdef uint32_t i
    cdef uint32_t k
    cdef Vector* columns
    cdef const Value* value
    if count == 0:
        return STEP_DONE
    pool_reset(base.batch_pool)
    if tuple_batch_of(&node.tuples, base.batch_pool, op.partition.rows + op.emitted, count, width, &base.out) < 0:
        return no_memory(base.execution)
    columns = <Vector*>pool_alloc(base.batch_pool, (node.column_count + 1) * sizeof(Vector))
    if columns == NULL:
        return no_memory(base.execution)
    for i in range(width):
        columns[i] = base.out.columns[i]
    for i in range(node.window_count):
        if vector_alloc(base.batch_pool, &columns[width + i], node.windows[i].type_oid, node.windows[i].phys, count) < 0 \
                or vector_nulls(base.batch_pool, &columns[width + i], count) < 0:
            return no_memory(base.execution)
        for k in range(count):
            value = &op.results[i][op.emitted + k]
            if value.is_null:
                columns[width + i].nulls[k] = 1
            else:
                scalar_copy(node.windows[i].phys, columns[width + i].data, k, &value.v, 0)
    base.out.columns = columns
    base.out.column_count = node.column_count
    op.emitted += count
    return STEP_ROWS


cdef int window_next(Op* base) noexcept nogil:
    cdef WindowOp* op = <WindowOp*>base
    cdef int r
    while True:
        if op.phase == 0:
            r = _drain(op)
            if r != STEP_DONE:
                return r
            if _begin_sort(op) < 0:
                return STEP_ERROR
            op.phase = 1
        elif op.phase == 1:
            r = merge_sort(base.execution, &op.order, &op.sort)
            if r != 0:
                return r
            if _begin_calls(op) < 0:
                return STEP_ERROR
            op.phase = 2
        elif op.phase == 2:
            r = _next_partition(op)
            if r == STEP_DONE:
                op.phase = 5
            if r != STEP_ROWS:
                return r
            op.call_at = 0
            op.phase = 3
        elif op.phase == 3:
            r = _compute(op)
            if r != STEP_DONE:
                return r
            op.phase = 4
        elif op.phase == 4:
            r = _emit(op)
            if r != STEP_DONE:
                return r
            op.phase = 2
        else:
            return STEP_DONE


cdef Op* window_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* base = op_alloc(run, node, sizeof(WindowOp), window_next)
    cdef WindowOp* op = <WindowOp*>base
    if base == NULL or op_own_pool(base) < 0:
        return NULL
    op.partition_pool = base.batch_pool
    if op_own_pool(base) < 0:
        return NULL
    op.state_pool = base.batch_pool
    if op_own_pool(base) < 0:
        return NULL
    base.child = op_open(run, node.child)
    if base.child == NULL:
        return NULL
    op.order.layout = &node.tuples
    op.order.keys = node.sort_keys
    op.order.columns = node.param_index
    op.order.count = node.sort_count
    return base


operator_register(P_WINDOW, window_open)

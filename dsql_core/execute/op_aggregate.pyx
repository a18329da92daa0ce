"""Aggregate: hash groups, one group without GROUP BY, grouping sets, DISTINCT, FILTER and ORDER BY inside aggregates.

A group is a tuple: its keys, the number of its grouping set, and behind the tuple (at node.state_base) the states of
the aggregates. Aggregates with DISTINCT or ORDER BY keep their input rows (args, order keys, address of the group) and
are fed at the end, group by group, in order.

Invariants
  A1  every expression of a batch is computed before any state changes, so an evaluation that yields may be repeated.
  A2  without GROUP BY exactly one row comes out; an empty grouping set yields its row even on empty input.
  A3  a row enters a DISTINCT aggregate of a group at most once (NULL equal to NULL).

Owner of the memory: run.pool (groups, states, kept rows); results in the operator's batch pool.
"""

from libc.string cimport memset

from dsql_core.base.memory cimport Pool, pool_alloc, pool_reset
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport BATCH_ROWS, OID_INT8, PHYS_I64, Batch, Vector
from dsql_core.execute.expr cimport EVAL_OK, eval_expr, eval_filter
from dsql_core.execute.hashtable cimport TupleTable, rows_add, table_init, table_reserve, table_slot
from dsql_core.execute.machine cimport eval_step, no_memory, op_alloc, op_open, op_own_pool, op_pull, operator_register
from dsql_core.execute.ordering cimport MergeSort, Ordering, SortItem, merge_sort, order_prefix
from dsql_core.execute.state cimport (AggregateCall, Execution, Op, P_AGGREGATE, PlanNode, RowList, Run, SortKey,
                                      STEP_DONE, STEP_ERROR, STEP_ROWS)
from dsql_core.execute.stats cimport pool_used
from dsql_core.execute.tuples cimport hash_vectors, tuple_gather, tuple_slot, tuple_store, tuple_store_split, tuple_word
from dsql_core.execute.vectors cimport vector_alloc, vector_nulls

cdef struct CallBatch:             # one aggregate's view of the input batch
    Vector* args
    Vector** pointers
    Vector* order
    uint32_t* sel                  # NULL = rows 0..count
    uint32_t count

cdef struct AggregateOp:
    Op base
    TupleTable groups
    RowList order                  # groups as they came
    TupleTable* distinct           # per aggregate
    uint8_t* single                # the group when there is no GROUP BY
    CallBatch* calls
    int64_t set_number             # grouping set a key vector points to
    uint64_t emitted
    int32_t phase                  # 0 drain, 1 emit
    int32_t reserved

cdef uint8_t _null_byte[16]
memset(_null_byte, 1, 16)


cdef inline void* _state(const AggregateOp* op, uint8_t* group, uint32_t i) noexcept nogil:
    return group + op.base.node.state_base + op.base.node.aggs[i].state_offset


cdef inline RowList* _kept(const AggregateOp* op, uint8_t* group, uint32_t i) noexcept nogil:
    # Rows of an aggregate with DISTINCT or ORDER BY: behind its state.
    cdef const AggregateCall* call = &op.base.node.aggs[i]
    cdef uint32_t size = 16
    if call.aggregate != NULL:
        size = (call.aggregate.state_size + 15) & ~<uint32_t>15
    return <RowList*>(<uint8_t*>_state(op, group, i) + size)


cdef uint8_t* _new_group(AggregateOp* op, const Vector* keys, uint32_t row) noexcept nogil:
    cdef const PlanNode* node = op.base.node
    cdef uint8_t* group = tuple_store(&node.tuples, &op.base.run.pool, keys, row)
    if group == NULL or rows_add(&op.order, &op.base.run.pool, group) < 0:
        no_memory(op.base.execution)
        return NULL
    memset(group + node.state_base, 0, node.state_size)
    return group


cdef int _prepare_call(AggregateOp* op, uint32_t i) noexcept nogil:
    # Arguments, order keys and rows of one aggregate. EVAL_*.
    cdef const AggregateCall* call = &op.base.node.aggs[i]
    cdef CallBatch* at = &op.calls[i]
    cdef Execution* x = op.base.execution
    cdef const Batch* input = &op.base.child.out
    cdef Pool* pool = x.eval.pool
    cdef uint32_t k
    cdef uint32_t n
    cdef uint32_t row
    cdef uint32_t kept
    cdef uint32_t* sel
    cdef int has_nulls = 0
    cdef int r
    at.sel = input.sel
    at.count = input.sel_count
    if call.reserved:
        return EVAL_OK
    if call.filter != NULL:
        sel = <uint32_t*>pool_alloc(pool, (at.count + 1) * sizeof(uint32_t))
        if sel == NULL:
            return no_memory(x)
        r = eval_filter(x, call.filter, input, at.sel, at.count, sel, &kept)
        if r != EVAL_OK:
            return r
        at.sel = sel
        at.count = kept
    at.args = <Vector*>pool_alloc(pool, (call.arg_count + call.order_count + 1) * sizeof(Vector))
    at.pointers = <Vector**>pool_alloc(pool, (call.arg_count + 1) * sizeof(Vector*))
    if at.args == NULL or at.pointers == NULL:
        return no_memory(x)
    at.order = at.args + call.arg_count
    for k in range(call.arg_count):
        r = eval_expr(x, call.args[k], input, at.sel, at.count, &at.args[k])
        if r != EVAL_OK:
            return r
        at.pointers[k] = &at.args[k]
        if at.args[k].nulls != NULL:
            has_nulls = 1
    for k in range(call.order_count):
        r = eval_expr(x, call.order[k].expr, input, at.sel, at.count, &at.order[k])
        if r != EVAL_OK:
            return r
    if has_nulls and call.is_strict:
        sel = <uint32_t*>pool_alloc(pool, (at.count + 1) * sizeof(uint32_t))
        if sel == NULL:
            return no_memory(x)
        kept = 0
        for n in range(at.count):
            row = n if at.sel == NULL else at.sel[n]
            sel[kept] = row
            kept += 1
            for k in range(call.arg_count):
                if at.args[k].nulls != NULL and at.args[k].nulls[row * at.args[k].stride]:
                    kept -= 1
                    break
        at.sel = sel
        at.count = kept
    return EVAL_OK


cdef int _keep_rows(AggregateOp* op, uint32_t i, uint8_t** groups) noexcept nogil:
    # DISTINCT / ORDER BY: stores the rows with their group.
    cdef const AggregateCall* call = &op.base.node.aggs[i]
    cdef CallBatch* at = &op.calls[i]
    cdef Pool* pool = op.base.execution.eval.pool
    cdef Pool* keep = &op.base.run.pool
    cdef uint32_t width = call.arg_count + call.order_count
    cdef Vector* columns = <Vector*>pool_alloc(pool, (width + 1) * sizeof(Vector))
    cdef Vector* keys = <Vector*>pool_alloc(pool, (call.arg_count + 1) * sizeof(Vector))
    cdef uint64_t* hashes = <uint64_t*>pool_alloc(pool, (op.base.child.out.row_count + 1) * sizeof(uint64_t))
    cdef int64_t* owner = <int64_t*>pool_alloc(pool, (op.base.child.out.row_count + 1) * sizeof(int64_t))
    cdef Vector* group_column
    cdef uint32_t k
    cdef uint32_t n
    cdef uint32_t row
    cdef uint8_t* tuple
    cdef uint8_t** slot
    if columns == NULL or keys == NULL or hashes == NULL or owner == NULL:
        return no_memory(op.base.execution)
    for n in range(at.count):
        row = n if at.sel == NULL else at.sel[n]
        owner[row] = <int64_t><size_t>groups[row]
    # Stored: args, group, order keys - so that args and group, the key of DISTINCT, are neighbours.
    for k in range(call.arg_count):
        columns[k] = at.args[k]
        keys[k] = at.args[k]
    group_column = &columns[call.arg_count]
    group_column.data = owner
    group_column.nulls = NULL
    group_column.type_oid = OID_INT8
    group_column.phys = PHYS_I64
    group_column.stride = 1
    keys[call.arg_count] = group_column[0]
    if call.is_distinct:
        hash_vectors(keys, call.arg_count + 1, at.sel, at.count, hashes)
    for n in range(at.count):
        row = n if at.sel == NULL else at.sel[n]
        slot = NULL
        if call.is_distinct:
            if table_reserve(&op.distinct[i]) < 0:
                return no_memory(op.base.execution)
            slot = table_slot(&op.distinct[i], &call.input, hashes[row], 0, keys, call.arg_count + 1, row)
            if slot[0] != NULL:
                continue
        tuple = tuple_store_split(&call.input, keep, columns, call.arg_count + 1, at.order, row)
        if tuple == NULL or rows_add(_kept(op, groups[row], i), keep, tuple) < 0:
            return no_memory(op.base.execution)
        if slot != NULL:
            tuple_word(tuple)[0] = hashes[row]
            slot[0] = tuple
            op.distinct[i].count += 1
    return 0


cdef int _add(AggregateOp* op, uint8_t** groups) noexcept nogil:
    # Adds the prepared batch to the states of its rows' groups (groups[row]). 0, -1.
    cdef const PlanNode* node = op.base.node
    cdef Execution* x = op.base.execution
    cdef const AggregateCall* call
    cdef CallBatch* at
    cdef void** states = NULL
    cdef uint32_t i
    cdef uint32_t n
    cdef uint32_t row
    cdef uint32_t rows = op.base.child.out.row_count
    for i in range(node.agg_count):
        call = &node.aggs[i]
        at = &op.calls[i]
        if call.reserved or at.count == 0:
            continue
        if call.is_distinct or call.order_count:
            if _keep_rows(op, i, groups) < 0:
                return -1
            continue
        if call.aggregate == NULL:
            if op.single != NULL:
                (<int64_t*>_state(op, op.single, i))[0] += at.count
            else:
                for n in range(at.count):
                    row = n if at.sel == NULL else at.sel[n]
                    (<int64_t*>_state(op, groups[row], i))[0] += 1
            continue
        if op.single != NULL and call.aggregate.update_one != NULL:
            if call.aggregate.update_one(&x.eval, &op.base.run.pool, _state(op, op.single, i), at.pointers,
                                         call.arg_count, at.sel, at.count) < 0:
                return -1
            continue
        if states == NULL:
            states = <void**>pool_alloc(x.eval.pool, (rows + 1) * sizeof(void*))
            if states == NULL:
                return no_memory(x)
        for n in range(at.count):
            row = n if at.sel == NULL else at.sel[n]
            states[row] = _state(op, groups[row], i)
        if call.aggregate.update(&x.eval, &op.base.run.pool, states, at.pointers, call.arg_count, at.sel, at.count) < 0:
            return -1
    return 0


cdef void _set_column(AggregateOp* op, Vector* column, int64_t number) noexcept nogil:
    op.set_number = number
    column.data = &op.set_number
    column.nulls = NULL
    column.type_oid = OID_INT8
    column.phys = PHYS_I64
    column.stride = 0


cdef int _find_groups(AggregateOp* op, Vector* keys, uint8_t** groups) noexcept nogil:
    # groups[row] := the row's group, made when new. keys: group columns ++ set number. 0, -1.
    cdef const PlanNode* node = op.base.node
    cdef const Batch* input = &op.base.child.out
    cdef uint32_t key_count = node.expr_count + (1 if node.set_count else 0)
    cdef uint64_t* hashes = <uint64_t*>pool_alloc(op.base.execution.eval.pool, (input.row_count + 1) * sizeof(uint64_t))
    cdef uint8_t** slot
    cdef uint32_t n
    cdef uint32_t row
    if hashes == NULL:
        return no_memory(op.base.execution)
    hash_vectors(keys, key_count, input.sel, input.sel_count, hashes)
    for n in range(input.sel_count):
        row = n if input.sel == NULL else input.sel[n]
        if table_reserve(&op.groups) < 0:
            return no_memory(op.base.execution)
        slot = table_slot(&op.groups, &node.tuples, hashes[row], 0, keys, key_count, row)
        if slot[0] == NULL:
            slot[0] = _new_group(op, keys, row)
            if slot[0] == NULL:
                return -1
            tuple_word(slot[0])[0] = hashes[row]
            op.groups.count += 1
        groups[row] = slot[0]
    return 0


cdef int _take_batch(AggregateOp* op) noexcept nogil:
    # EVAL_OK, EVAL_YIELD, EVAL_ERROR.
    cdef const PlanNode* node = op.base.node
    cdef Execution* x = op.base.execution
    cdef const Batch* input = &op.base.child.out
    cdef Vector* keys
    cdef Vector* set_keys
    cdef uint8_t** groups = NULL
    cdef uint32_t i
    cdef uint32_t s
    cdef uint32_t k
    cdef int r
    x.eval.pool = op.base.child.batch_pool
    x.eval_id = op.base.eval_id
    keys = <Vector*>pool_alloc(x.eval.pool, (node.expr_count + 1) * sizeof(Vector))
    if keys == NULL:
        return no_memory(x)
    for i in range(node.expr_count):
        r = eval_expr(x, node.exprs[i], input, input.sel, input.sel_count, &keys[i])
        if r != EVAL_OK:
            return r
    for i in range(node.agg_count):
        r = _prepare_call(op, i)
        if r != EVAL_OK:
            return r
    if op.single == NULL or _needs_groups(node):
        groups = <uint8_t**>pool_alloc(x.eval.pool, (input.row_count + 1) * sizeof(uint8_t*))
        if groups == NULL:
            return no_memory(x)
    if op.single != NULL:
        if groups != NULL:
            for i in range(input.row_count):
                groups[i] = op.single
        return _add(op, groups)
    _set_column(op, &keys[node.expr_count], 0)
    if node.set_count == 0:
        if _find_groups(op, keys, groups) < 0:
            return -1
        return _add(op, groups)
    set_keys = <Vector*>pool_alloc(x.eval.pool, (node.expr_count + 1) * sizeof(Vector))
    if set_keys == NULL:
        return no_memory(x)
    for s in range(node.set_count):
        _null_keys(node, set_keys)
        for k in range(node.set_sizes[s]):
            set_keys[node.sets[s][k]] = keys[node.sets[s][k]]
        _set_column(op, &set_keys[node.expr_count], s)
        if _find_groups(op, set_keys, groups) < 0 or _add(op, groups) < 0:
            return -1
    return EVAL_OK


cdef int _needs_groups(const PlanNode* node) noexcept nogil:
    cdef uint32_t i
    for i in range(node.agg_count):
        if node.aggs[i].is_distinct or node.aggs[i].order_count:
            return 1
        if node.aggs[i].aggregate != NULL and node.aggs[i].aggregate.update_one == NULL:
            return 1
    return 0


cdef void _null_keys(const PlanNode* node, Vector* keys) noexcept nogil:
    cdef uint32_t k
    for k in range(node.expr_count):
        keys[k].data = _null_byte
        keys[k].nulls = _null_byte
        keys[k].type_oid = node.exprs[k].type_oid
        keys[k].phys = node.exprs[k].phys
        keys[k].stride = 0


cdef int _empty_sets(AggregateOp* op) noexcept nogil:
    # A2: grouping sets without columns have their row on empty input, too. 0, -1.
    cdef const PlanNode* node = op.base.node
    cdef Vector* keys
    cdef uint32_t s
    if op.order.count:
        return 0
    for s in range(node.set_count):
        if node.set_sizes[s] == 0:
            keys = <Vector*>pool_alloc(&op.base.run.pool, (node.expr_count + 1) * sizeof(Vector))
            if keys == NULL:
                return no_memory(op.base.execution)
            _null_keys(node, keys)
            _set_column(op, &keys[node.expr_count], s)
            if _new_group(op, keys, 0) == NULL:
                return -1
    return 0


# -- results -----------------------------------------------------------------------------------------------------------

cdef int _feed_kept(AggregateOp* op, uint32_t i, uint8_t* group) noexcept nogil:
    # DISTINCT / ORDER BY: the group's rows, sorted, go into its state. 0, -1.
    cdef const AggregateCall* call = &op.base.node.aggs[i]
    cdef Execution* x = op.base.execution
    cdef RowList* rows = _kept(op, group, i)
    cdef uint32_t key_count = call.order_count + (call.arg_count if call.is_distinct else 0)
    cdef Pool* pool = &op.base.run.pool
    cdef SortKey* keys
    cdef uint32_t* columns
    cdef Ordering order
    cdef MergeSort sort
    cdef uint8_t** tuples
    cdef void** states
    cdef Vector* args
    cdef Vector** pointers
    cdef uint64_t n
    cdef uint64_t at = 0
    cdef uint32_t count
    cdef uint32_t k
    cdef int r
    if rows.count == 0:
        return 0
    memset(&sort, 0, sizeof(MergeSort))
    keys = <SortKey*>pool_alloc(pool, (key_count + 1) * sizeof(SortKey))
    columns = <uint32_t*>pool_alloc(pool, (key_count + 1) * sizeof(uint32_t))
    sort.items = <SortItem*>pool_alloc(pool, rows.count * sizeof(SortItem))
    sort.spare = <SortItem*>pool_alloc(pool, rows.count * sizeof(SortItem))
    states = <void**>pool_alloc(pool, BATCH_ROWS * sizeof(void*))
    tuples = <uint8_t**>pool_alloc(pool, BATCH_ROWS * sizeof(uint8_t*))
    args = <Vector*>pool_alloc(pool, (call.arg_count + 1) * sizeof(Vector))
    pointers = <Vector**>pool_alloc(pool, (call.arg_count + 1) * sizeof(Vector*))
    if keys == NULL or columns == NULL or sort.items == NULL or sort.spare == NULL or states == NULL or tuples == NULL \
            or args == NULL or pointers == NULL:
        return no_memory(x)
    for k in range(call.order_count):
        keys[k] = call.order[k]
        columns[k] = call.arg_count + 1 + k
    for k in range(call.order_count, key_count):
        memset(&keys[k], 0, sizeof(SortKey))
        columns[k] = k - call.order_count
    order.layout = &call.input
    order.keys = keys
    order.columns = columns
    order.count = key_count
    sort.count = rows.count
    for n in range(rows.count):
        sort.items[n].tuple = rows.rows[n]
        sort.items[n].prefix = order_prefix(&order, rows.rows[n])
    x.no_yield += 1
    r = merge_sort(x, &order, &sort)
    x.no_yield -= 1
    if r != 0:
        return -1
    if call.aggregate == NULL:
        (<int64_t*>_state(op, group, i))[0] = <int64_t>rows.count
        return 0
    while at < rows.count:
        count = <uint32_t>(rows.count - at) if rows.count - at < BATCH_ROWS else BATCH_ROWS
        for n in range(count):
            tuples[n] = sort.items[at + n].tuple
            states[n] = _state(op, group, i)
        for k in range(call.arg_count):
            if tuple_gather(&call.input, op.base.batch_pool, tuples, count, k, &args[k]) < 0:
                return no_memory(x)
            pointers[k] = &args[k]
        if call.aggregate.update(&x.eval, pool, states, pointers, call.arg_count, NULL, count) < 0:
            return -1
        at += count
    return 0


cdef int64_t _grouping(const AggregateOp* op, const AggregateCall* call, const uint8_t* group) noexcept nogil:
    # GROUPING(...): a bit per argument, 1 = not part of the row's grouping set. Arguments are group numbers.
    cdef const PlanNode* node = op.base.node
    cdef int64_t s = (<int64_t*>tuple_slot(&node.tuples, group, node.expr_count))[0]
    cdef int64_t bits = 0
    cdef uint32_t a
    cdef uint32_t k
    cdef int64_t absent
    for a in range(call.arg_count):
        absent = node.set_count != 0
        if node.set_count:
            for k in range(node.set_sizes[s]):
                if node.sets[s][k] == <uint32_t>call.args[a].constant.v.i32:
                    absent = 0
        bits = (bits << 1) | absent
    return bits


cdef int _emit(AggregateOp* op) noexcept nogil:
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef Execution* x = base.execution
    cdef const AggregateCall* call
    cdef uint64_t count = op.order.count - op.emitted
    cdef uint8_t** groups
    cdef void** states
    cdef Vector* out
    cdef uint32_t i
    cdef uint32_t g
    if count == 0:
        return STEP_DONE
    if count > BATCH_ROWS:
        count = BATCH_ROWS
    pool_reset(base.batch_pool)
    x.eval.pool = base.batch_pool
    groups = op.order.rows + op.emitted
    base.out.columns = <Vector*>pool_alloc(base.batch_pool, (node.column_count + 1) * sizeof(Vector))
    states = <void**>pool_alloc(base.batch_pool, count * sizeof(void*))
    if base.out.columns == NULL or states == NULL:
        return no_memory(x)
    for i in range(node.expr_count):
        if tuple_gather(&node.tuples, base.batch_pool, groups, <uint32_t>count, i, &base.out.columns[i]) < 0:
            return no_memory(x)
    for i in range(node.agg_count):
        call = &node.aggs[i]
        out = &base.out.columns[node.expr_count + i]
        if vector_alloc(base.batch_pool, out, call.type_oid, call.phys, <uint32_t>count) < 0 \
                or vector_nulls(base.batch_pool, out, <uint32_t>count) < 0:
            return no_memory(x)
        if call.is_distinct or call.order_count:
            for g in range(<uint32_t>count):
                if _feed_kept(op, i, groups[g]) < 0:
                    return STEP_ERROR
        if call.reserved:
            for g in range(<uint32_t>count):
                (<int32_t*>out.data)[g] = <int32_t>_grouping(op, call, groups[g])
            continue
        if call.aggregate == NULL:
            for g in range(<uint32_t>count):
                (<int64_t*>out.data)[g] = (<int64_t*>_state(op, groups[g], i))[0]
            continue
        for g in range(<uint32_t>count):
            states[g] = _state(op, groups[g], i)
        if call.aggregate.final(&x.eval, base.batch_pool, states, <uint32_t>count, out) < 0:
            return STEP_ERROR
    op.emitted += count
    base.out.column_count = node.column_count
    base.out.row_count = <uint32_t>count
    base.out.sel_count = <uint32_t>count
    base.out.sel = NULL
    return STEP_ROWS


cdef int aggregate_next(Op* base) noexcept nogil:
    cdef AggregateOp* op = <AggregateOp*>base
    cdef uint64_t used = 0
    cdef int r
    while op.phase == 0:
        r = op_pull(base)
        if r == STEP_DONE:
            if _empty_sets(op) < 0:
                return STEP_ERROR
            op.phase = 1
            break
        if r != STEP_ROWS:
            return r
        if base.stats != NULL:
            used = pool_used(&base.run.pool)
        r = _take_batch(op)
        if r != EVAL_OK:
            return eval_step(r)
        if base.stats != NULL:
            base.stats.memory += pool_used(&base.run.pool) - used
        base.has_input = 0
    return _emit(op)


cdef Op* aggregate_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* base = op_alloc(run, node, sizeof(AggregateOp), aggregate_next)
    cdef AggregateOp* op = <AggregateOp*>base
    cdef Vector set_column
    cdef uint32_t i
    if base == NULL or op_own_pool(base) < 0:
        return NULL
    base.child = op_open(run, node.child)
    if base.child == NULL:
        return NULL
    table_init(&op.groups, &run.pool)
    op.calls = <CallBatch*>pool_alloc(&run.pool, (node.agg_count + 1) * sizeof(CallBatch))
    op.distinct = <TupleTable*>pool_alloc(&run.pool, (node.agg_count + 1) * sizeof(TupleTable))
    if op.calls == NULL or op.distinct == NULL:
        no_memory(run.execution)
        return NULL
    memset(op.calls, 0, node.agg_count * sizeof(CallBatch))
    for i in range(node.agg_count):
        table_init(&op.distinct[i], &run.pool)
    if not node.flag and node.set_count == 0:
        _set_column(op, &set_column, 0)
        op.single = _new_group(op, &set_column, 0)
        if op.single == NULL:
            return NULL
    return base


operator_register(P_AGGREGATE, aggregate_open)

"""Sort and top-k, distinct on.

Sort keeps rows as tuples (the input's columns, then computed keys) and sorts an array of (prefix, tuple). With a limit k
it drops what cannot be among the first k: whenever twice as many rows are kept, it sorts, cuts to k and moves the
survivors to a fresh pool, so memory stays proportional to k.

Invariants
  L1  phases follow each other: drain, sort, emit; each may pause.
  L2  with a limit, a row is dropped only when k kept rows come before it.

Owner of the memory: the run's pool; two owned pools for the rows of a top-k.
"""

from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Pool, pool_alloc, pool_reset
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport BATCH_ROWS, Batch, Vector
from dsql_core.execute.expr cimport EVAL_OK, eval_expr
from dsql_core.execute.hashtable cimport rows_add
from dsql_core.execute.machine cimport (eval_bigint, eval_step, no_memory, op_alloc, op_eval_here, op_open, op_own_pool,
                                        op_pull, operator_register)
from dsql_core.execute.ordering cimport MergeSort, Ordering, SortItem, merge_sort, order_compare_row, order_prefix
from dsql_core.execute.state cimport Op, P_DISTINCT_ON, P_SORT, PlanNode, RowList, Run, STEP_DONE, STEP_ERROR, STEP_ROWS
from dsql_core.execute.stats cimport pool_used
from dsql_core.execute.tuples cimport tuple_batch_of, tuple_equals, tuple_move, tuple_store, tuple_store_split

cdef enum:
    TOP_K_MAX = 100000             # larger limits sort everything

cdef struct SortOp:
    Op base
    Ordering order
    RowList rows
    Pool* rows_pool
    Pool* rows_spare               # top-k only
    Pool* out_pool
    uint8_t* worst                 # k-th row so far: what is not before it is dropped
    MergeSort sort
    SortItem* items                # the arrays of the sort, reused from cut to cut
    SortItem* spare
    uint64_t item_capacity
    int64_t keep                   # k, -1 = all
    int32_t phase                  # 0 start, 1 drain, 2 cut, 3 sort, 4 emit
    int32_t reserved
    uint64_t at


cdef int _keep_rows(SortOp* op, const Batch* input, const Vector* extra) noexcept nogil:
    cdef const PlanNode* node = op.base.node
    cdef uint32_t i
    cdef uint32_t row
    cdef uint8_t* tuple
    for i in range(input.sel_count):
        row = i if input.sel == NULL else input.sel[i]
        if op.worst != NULL and order_compare_row(&op.order, input.columns, input.column_count, extra, row,
                                                  op.worst) >= 0:
            continue
        tuple = tuple_store_split(&node.tuples, op.rows_pool, input.columns, input.column_count, extra, row)
        if tuple == NULL or rows_add(&op.rows, &op.base.run.pool, tuple) < 0:
            return no_memory(op.base.execution)
    return 0


cdef int _begin_sort(SortOp* op) noexcept nogil:
    cdef uint64_t i
    memset(&op.sort, 0, sizeof(MergeSort))
    op.sort.count = op.rows.count
    if op.rows.count > op.item_capacity or op.items == NULL:
        op.item_capacity = op.rows.count + (op.rows.count >> 2 if op.keep > 0 else 0) + 1
        op.items = <SortItem*>pool_alloc(&op.base.run.pool, op.item_capacity * sizeof(SortItem))
        op.spare = <SortItem*>pool_alloc(&op.base.run.pool, op.item_capacity * sizeof(SortItem))
        if op.items == NULL or op.spare == NULL:
            return no_memory(op.base.execution)
    op.sort.items = op.items
    op.sort.spare = op.spare
    for i in range(op.rows.count):
        op.sort.items[i].tuple = op.rows.rows[i]
        op.sort.items[i].prefix = order_prefix(&op.order, op.rows.rows[i])
    return 0


cdef int _cut(SortOp* op) noexcept nogil:
    # The sorted items' first k become the kept rows, in a fresh pool. 0, -1.
    cdef uint64_t i
    cdef Pool* swap
    cdef uint8_t* tuple
    cdef uint64_t kept = op.sort.count if op.sort.count < <uint64_t>op.keep else <uint64_t>op.keep
    pool_reset(op.rows_spare)
    op.rows.count = 0
    for i in range(kept):
        tuple = tuple_move(&op.base.node.tuples, op.rows_spare, op.sort.items[i].tuple)
        if tuple == NULL or rows_add(&op.rows, &op.base.run.pool, tuple) < 0:
            return no_memory(op.base.execution)
    swap = op.rows_pool
    op.rows_pool = op.rows_spare
    op.rows_spare = swap
    pool_reset(op.rows_spare)
    if kept == <uint64_t>op.keep:
        op.worst = op.rows.rows[kept - 1]
    return 0


cdef int _drain(SortOp* op) noexcept nogil:
    # Until the input ends (STEP_DONE) or a top-k has enough to cut (STEP_ROWS).
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef Vector* extra
    cdef uint64_t used = 0
    cdef uint32_t i
    cdef int r
    while True:
        if op.keep > 0 and op.rows.count >= <uint64_t>op.keep * 2 + 1024:
            return STEP_ROWS
        r = op_pull(base)
        if r != STEP_ROWS:
            return r
        base.execution.eval.pool = base.child.batch_pool
        base.execution.eval_id = base.eval_id
        extra = <Vector*>pool_alloc(base.child.batch_pool, (node.param_count + 1) * sizeof(Vector))
        if extra == NULL:
            return no_memory(base.execution)
        for i in range(node.param_count):
            r = eval_expr(base.execution, node.params[i], &base.child.out, base.child.out.sel, base.child.out.sel_count,
                          &extra[i])
            if r != EVAL_OK:
                return eval_step(r)
        base.has_input = 0
        if base.stats != NULL:
            used = pool_used(op.rows_pool)
        if _keep_rows(op, &base.child.out, extra) < 0:
            return STEP_ERROR
        if base.stats != NULL:
            base.stats.memory += pool_used(op.rows_pool) - used


cdef int _emit(SortOp* op) noexcept nogil:
    cdef Op* base = &op.base
    cdef uint64_t count = op.sort.count
    cdef uint64_t i
    cdef uint8_t** tuples
    if op.keep >= 0 and count > <uint64_t>op.keep:
        count = <uint64_t>op.keep
    count -= op.at
    if count == 0:
        return STEP_DONE
    if count > BATCH_ROWS:
        count = BATCH_ROWS
    pool_reset(base.batch_pool)
    tuples = <uint8_t**>pool_alloc(base.batch_pool, count * sizeof(uint8_t*))
    if tuples == NULL:
        return no_memory(base.execution)
    for i in range(count):
        tuples[i] = op.sort.items[op.at + i].tuple
    if tuple_batch_of(&base.node.tuples, base.batch_pool, tuples, <uint32_t>count, base.node.column_count,
                      &base.out) < 0:
        return no_memory(base.execution)
    op.at += count
    return STEP_ROWS


cdef int _start(SortOp* op) noexcept nogil:
    cdef Op* base = &op.base
    cdef int r
    op.keep = -1
    op.rows_pool = &base.run.pool
    if base.node.limit == NULL:
        return 0
    r = eval_bigint(base, base.node.limit, &op.keep)
    if r < 0:
        return STEP_ERROR
    if r == 1:
        op.keep = -1
    elif op.keep < 0:
        dsql_error_set(base.execution.eval.error, "2201W", "LIMIT must not be negative")
        return STEP_ERROR
    if op.keep > 0 and op.keep <= TOP_K_MAX:
        # Two pools for the rows; op_own_pool sets batch_pool, so the last one taken stays the output's.
        op.rows_pool = base.batch_pool
        if op_own_pool(base) < 0:
            return STEP_ERROR
        op.rows_spare = base.batch_pool
        if op_own_pool(base) < 0:
            return STEP_ERROR
    return 0


cdef int sort_next(Op* base) noexcept nogil:
    cdef SortOp* op = <SortOp*>base
    cdef int r
    while True:
        if op.phase == 0:
            if _start(op) < 0:
                return STEP_ERROR
            if op.keep == 0:
                return STEP_DONE
            op.phase = 1
        elif op.phase == 1:
            r = _drain(op)
            if r == STEP_ROWS:
                op.phase = 2
            elif r == STEP_DONE:
                op.phase = 3
            else:
                return r
            if _begin_sort(op) < 0:
                return STEP_ERROR
        elif op.phase == 2:
            r = merge_sort(base.execution, &op.order, &op.sort)
            if r != 0:
                return r
            if _cut(op) < 0:
                return STEP_ERROR
            if base.stats != NULL:
                base.stats.passed += 1
                base.stats.memory = pool_used(op.rows_pool)
            op.phase = 1
        elif op.phase == 3:
            r = merge_sort(base.execution, &op.order, &op.sort)
            if r != 0:
                return r
            op.phase = 4
        else:
            return _emit(op)


cdef Op* sort_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* base = op_alloc(run, node, sizeof(SortOp), sort_next)
    cdef SortOp* op = <SortOp*>base
    if base == NULL or op_own_pool(base) < 0:
        return NULL
    base.child = op_open(run, node.child)
    if base.child == NULL:
        return NULL
    op.order.layout = &node.tuples
    op.order.keys = node.sort_keys
    op.order.columns = node.param_index
    op.order.count = node.sort_count
    return base


# -- distinct on -------------------------------------------------------------------------------------------------------

cdef struct DistinctOnOp:
    Op base
    uint8_t* last                  # keys of the row before
    Pool* pools[2]                 # where they lie, alternating
    int32_t at
    int32_t reserved


cdef int distinct_on_next(Op* base) noexcept nogil:
    # The input is sorted by the keys: a row passes when its keys differ from the row's before.
    cdef DistinctOnOp* op = <DistinctOnOp*>base
    cdef const PlanNode* node = base.node
    cdef Vector* keys
    cdef uint32_t* sel
    cdef uint32_t kept
    cdef uint32_t i
    cdef uint32_t row
    cdef int r
    while True:
        r = op_pull(base)
        if r != STEP_ROWS:
            return r
        op_eval_here(base)
        base.out = base.child.out
        keys = <Vector*>pool_alloc(base.batch_pool, (node.expr_count + 1) * sizeof(Vector))
        sel = <uint32_t*>pool_alloc(base.batch_pool, (base.out.sel_count + 1) * sizeof(uint32_t))
        if keys == NULL or sel == NULL:
            return no_memory(base.execution)
        for i in range(node.expr_count):
            r = eval_expr(base.execution, node.exprs[i], &base.out, base.out.sel, base.out.sel_count, &keys[i])
            if r != EVAL_OK:
                return eval_step(r)
        base.has_input = 0
        kept = 0
        for i in range(base.out.sel_count):
            row = i if base.out.sel == NULL else base.out.sel[i]
            if op.last != NULL and tuple_equals(&node.tuples, op.last, 0, keys, node.expr_count, row):
                continue
            op.at = 1 - op.at
            pool_reset(op.pools[op.at])
            op.last = tuple_store(&node.tuples, op.pools[op.at], keys, row)
            if op.last == NULL:
                return no_memory(base.execution)
            sel[kept] = row
            kept += 1
        if kept == 0:
            continue
        base.out.sel = sel
        base.out.sel_count = kept
        return STEP_ROWS


cdef Op* distinct_on_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* base = op_alloc(run, node, sizeof(DistinctOnOp), distinct_on_next)
    cdef DistinctOnOp* op = <DistinctOnOp*>base
    cdef int i
    if base == NULL:
        return NULL
    for i in range(2):
        if op_own_pool(base) < 0:
            return NULL
        op.pools[i] = base.batch_pool
    base.child = op_open(run, node.child)
    if base.child == NULL:
        return NULL
    base.batch_pool = base.child.batch_pool
    return base


operator_register(P_SORT, sort_open)
operator_register(P_DISTINCT_ON, distinct_on_open)

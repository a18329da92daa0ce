"""CTEs, recursion and subplans: plans that run inside another plan's execution.

A CTE is materialised at its first scan. A recursive CTE keeps a working table: what the last round added.
A subplan in an expression runs once per execution when nothing outside it feeds it, else once per row; results of the
batch under evaluation are remembered, so an evaluation that yields in the middle resumes where it stopped.

Invariants
  Q1  a memo belongs to one (subplan, eval_id); another eval_id empties it.
  Q2  parameters of a subplan are set before its run starts and not touched while it is active.
  Q3  entering a subplan saves eval.pool and eval_id and restores them on every way out.

Owner of the memory: CteState and SubplanState pools, freed by execution_end.
"""

from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Pool, pool_alloc, pool_init_in, pool_reset
from dsql_core.base.types cimport int32_t, uint8_t, uint64_t
from dsql_core.base.vector cimport BATCH_ROWS, OID_BOOL, Batch
from dsql_core.execute.expr cimport EVAL_ERROR, EVAL_OK, EVAL_YIELD, eval_kernel, eval_no_memory
from dsql_core.execute.hashtable cimport TupleTable, rows_add, table_init, table_reserve, table_slot
from dsql_core.execute.machine cimport (machine_pause, no_memory, op_alloc, op_next, op_open, op_own_pool,
                                        operator_register, run_init, run_start, run_stop, source_pause)
from dsql_core.execute.state cimport (CteState, Op, P_CTE_SCAN, P_RECURSIVE, P_WORK_SCAN, PlanNode, RowList, Run,
                                      STEP_DONE, STEP_ERROR, STEP_ROWS, STEP_YIELD, SubplanInfo, SubplanState,
                                      X_ALL_SUB, X_ANY_SUB, X_EXISTS, X_SCALAR)
from dsql_core.execute.tuples cimport hash_vectors, tuple_batch, tuple_gather, tuple_layout, tuple_store, tuple_word
from dsql_core.execute.vectors cimport value_keep, vector_of_value, vector_value

cdef enum:
    NOT_COMPUTED = 255

cdef struct RowsOp:                # cte_scan, work_scan
    Op base
    RowList rows                   # a correlated CTE may be filled anew while this scan still reads the old rows
    uint64_t at
    int32_t has_rows
    int32_t reserved

cdef struct RecursiveOp:
    Op base
    RowList added                  # rows of the round under way
    TupleTable seen                # distinct
    int32_t phase                  # 0 init, 1 step, 2 done
    int32_t reserved


# -- ctes --------------------------------------------------------------------------------------------------------------

cdef int cte_fill(Execution* x, uint32_t i) noexcept nogil:
    cdef CteState* state = &x.ctes[i]
    cdef Batch* batch
    cdef uint8_t* tuple
    cdef uint32_t k
    cdef int r
    if state.state == 2:
        return STEP_DONE
    if state.state == 0:
        state.state = 1
        state.param_epoch = x.param_epoch
        if run_start(&state.run, x.program.ctes[i].plan) < 0:
            return STEP_ERROR
    while True:
        r = op_next(state.run.root)
        if r == STEP_DONE:
            state.state = 2
            run_stop(&state.run)
            return STEP_DONE
        if r != STEP_ROWS:
            return r
        batch = &state.run.root.out
        for k in range(batch.sel_count):
            tuple = tuple_store(&x.program.ctes[i].tuples, &state.pool, batch.columns,
                                k if batch.sel == NULL else batch.sel[k])
            if tuple == NULL or rows_add(&state.rows, &state.pool, tuple) < 0:
                return no_memory(x)


cdef int _emit_rows(RowsOp* op, const RowList* rows) noexcept nogil:
    cdef uint64_t count = rows.count - op.at
    cdef int r
    if count == 0:
        return STEP_DONE
    r = source_pause(&op.base)
    if r != 0:
        return r
    if count > BATCH_ROWS:
        count = BATCH_ROWS
    pool_reset(op.base.batch_pool)
    if tuple_batch(&op.base.node.tuples, op.base.batch_pool, rows.rows + op.at, <uint32_t>count, &op.base.out) < 0:
        return no_memory(op.base.execution)
    op.at += count
    return STEP_ROWS


cdef int cte_scan_next(Op* op) noexcept nogil:
    cdef RowsOp* scan = <RowsOp*>op
    cdef Execution* x = op.execution
    cdef CteState* state = &x.ctes[op.node.cte]
    cdef int r
    if not scan.has_rows and x.program.ctes[op.node.cte].plan == NULL:
        scan.rows.rows = state.rows.rows + state.window_start
        scan.rows.count = state.window_end - state.window_start
        scan.has_rows = 1
    if not scan.has_rows:
        if state.state == 2 and x.program.ctes[op.node.cte].is_correlated and state.param_epoch != x.param_epoch:
            state.state = 0
            memset(&state.rows, 0, sizeof(RowList))
        r = cte_fill(x, op.node.cte)
        if r != STEP_DONE:
            return r
        scan.rows = state.rows
        scan.has_rows = 1
    return _emit_rows(scan, &scan.rows)


cdef int work_scan_next(Op* op) noexcept nogil:
    return _emit_rows(<RowsOp*>op, &op.execution.ctes[op.node.cte].work)


cdef Op* cte_scan_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* op = op_alloc(run, node, sizeof(RowsOp), cte_scan_next)
    if op == NULL or op_own_pool(op) < 0:
        return NULL
    return op


cdef Op* work_scan_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* op = op_alloc(run, node, sizeof(RowsOp), work_scan_next)
    if op == NULL or op_own_pool(op) < 0:
        return NULL
    return op


# -- recursion ---------------------------------------------------------------------------------------------------------

cdef int _take_rows(RecursiveOp* op, const Batch* batch, uint32_t* sel, uint32_t* sel_count) noexcept nogil:
    # Keeps the batch's (new) rows for the next round; sel = the rows to emit. 0, -1.
    cdef const PlanNode* node = op.base.node
    cdef CteState* state = &op.base.execution.ctes[node.cte]
    cdef Pool* pool = &state.work_pools[1 - state.work_at]
    cdef uint64_t* hashes = NULL
    cdef uint8_t** slot
    cdef uint8_t* tuple
    cdef uint32_t kept = 0
    cdef uint32_t i
    cdef uint32_t row
    if node.flag:
        hashes = <uint64_t*>pool_alloc(op.base.batch_pool, (batch.row_count + 1) * sizeof(uint64_t))
        if hashes == NULL:
            return -1
        hash_vectors(batch.columns, node.column_count, batch.sel, batch.sel_count, hashes)
    for i in range(batch.sel_count):
        row = i if batch.sel == NULL else batch.sel[i]
        if node.flag:
            if table_reserve(&op.seen) < 0:
                return -1
            slot = table_slot(&op.seen, &node.tuples, hashes[row], 0, batch.columns, node.column_count, row)
            if slot[0] != NULL:
                continue
            slot[0] = tuple_store(&node.tuples, op.seen.pool, batch.columns, row)
            if slot[0] == NULL:
                return -1
            tuple_word(slot[0])[0] = hashes[row]
            op.seen.count += 1
        tuple = tuple_store(&node.tuples, pool, batch.columns, row)
        if tuple == NULL or rows_add(&op.added, pool, tuple) < 0:
            return -1
        sel[kept] = row
        kept += 1
    sel_count[0] = kept
    return 0


cdef int recursive_next(Op* op) noexcept nogil:
    cdef RecursiveOp* state = <RecursiveOp*>op
    cdef CteState* cte = &op.execution.ctes[op.node.cte]
    cdef Op* source
    cdef uint32_t* sel
    cdef uint32_t kept
    cdef int r
    while True:
        if state.phase == 2:
            return STEP_DONE
        if state.phase == 0:
            source = op.child
        else:
            r = machine_pause(op.execution) if op.step == op.execution.step else 0
            if r != 0:
                return r
            source = cte.step_run.root
        op.step = op.execution.step
        r = op_next(source)
        if r == STEP_DONE:
            if state.added.count == 0:
                state.phase = 2
                run_stop(&cte.step_run)
                continue
            # What this round added is the next round's working table.
            cte.work = state.added
            cte.work_at = 1 - cte.work_at
            pool_reset(&cte.work_pools[1 - cte.work_at])
            memset(&state.added, 0, sizeof(RowList))
            state.phase = 1
            if run_start(&cte.step_run, op.node.child2) < 0:
                return STEP_ERROR
            continue
        if r != STEP_ROWS:
            return r
        pool_reset(op.batch_pool)
        op.out = source.out
        sel = <uint32_t*>pool_alloc(op.batch_pool, (op.out.sel_count + 1) * sizeof(uint32_t))
        if sel == NULL or _take_rows(state, &source.out, sel, &kept) < 0:
            return no_memory(op.execution)
        if kept == 0:
            continue
        op.out.sel = sel
        op.out.sel_count = kept
        return STEP_ROWS


cdef Op* recursive_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* op = op_alloc(run, node, sizeof(RecursiveOp), recursive_next)
    cdef CteState* cte
    if op == NULL or op_own_pool(op) < 0:
        return NULL
    op.child = op_open(run, node.child)
    if op.child == NULL:
        return NULL
    cte = &run.execution.ctes[node.cte]
    if cte.step_run.execution == NULL:
        run_init(&cte.step_run, run.execution)
        pool_init_in(&cte.work_pools[0], &run.execution.budget)
        pool_init_in(&cte.work_pools[1], &run.execution.budget)
    cte.work_at = 0
    memset(&cte.work, 0, sizeof(RowList))
    table_init(&(<RecursiveOp*>op).seen, &run.pool)
    return op


# -- subplans ----------------------------------------------------------------------------------------------------------

cdef int _collect_column(Execution* x, SubplanState* s, const PlanNode* plan) noexcept nogil:
    # ANY / ALL without correlation: the whole column once.
    cdef Batch* batch
    cdef uint8_t* tuple
    cdef uint32_t i
    cdef int r
    if s.state == 2:
        return EVAL_OK
    if s.state == 0:
        s.state = 1
        if tuple_layout(&s.layout, &s.pool, plan.out_types, 1) < 0:
            return eval_no_memory(x)
        if run_start(&s.run, plan) < 0:
            return EVAL_ERROR
    while True:
        r = op_next(s.run.root)
        if r == STEP_ROWS:
            batch = &s.run.root.out
            for i in range(batch.sel_count):
                tuple = tuple_store(&s.layout, &s.pool, batch.columns, i if batch.sel == NULL else batch.sel[i])
                if tuple == NULL or rows_add(&s.rows, &s.pool, tuple) < 0:
                    return eval_no_memory(x)
            continue
        if r != STEP_DONE:
            return EVAL_YIELD if r == STEP_YIELD else EVAL_ERROR
        s.state = 2
        run_stop(&s.run)
        if s.rows.count and tuple_gather(&s.layout, &s.pool, s.rows.rows, <uint32_t>s.rows.count, 0, &s.column) < 0:
            return eval_no_memory(x)
        return EVAL_OK


cdef int _quantify(Execution* x, const Expr* e, SubplanState* s, const Value* lhs, Vector* column, uint32_t rows,
                   const uint32_t* sel, uint32_t count) noexcept nogil:
    # Applies the operator to a batch of the subplan; 1 = decided (s.result), 0 go on, EVAL_ERROR.
    cdef uint8_t decisive = e.kind == X_ANY_SUB
    cdef Vector left
    cdef Vector v
    cdef Vector* pair[2]
    cdef uint32_t i
    cdef uint32_t row
    vector_of_value(lhs, &left)
    pair[0] = &left
    pair[1] = column
    if eval_kernel(x, e.kernel, OID_BOOL, pair, 2, rows, sel, count, &v) != EVAL_OK:
        return EVAL_ERROR
    for i in range(count):
        row = i if sel == NULL else sel[i]
        if v.nulls != NULL and v.nulls[row * v.stride]:
            s.seen_null = 1
        elif (<uint8_t*>v.data)[row * v.stride] == decisive:
            s.result.is_null = 0
            s.result.v.b = decisive
            return 1
        if v.stride == 0:
            break
    return 0


cdef int _any_cached(Execution* x, const Expr* e, SubplanState* s, const Value* lhs) noexcept nogil:
    cdef uint64_t at = 0
    cdef uint32_t count
    cdef Vector part
    cdef int r
    s.seen_null = 0
    while at < s.rows.count:
        count = <uint32_t>(s.rows.count - at) if s.rows.count - at < BATCH_ROWS else BATCH_ROWS
        pool_reset(&s.memo_pool)
        x.eval.pool = &s.memo_pool
        if tuple_gather(&s.layout, &s.memo_pool, s.rows.rows + at, count, 0, &part) < 0:
            return eval_no_memory(x)
        r = _quantify(x, e, s, lhs, &part, count, NULL, count)
        if r != 0:
            return EVAL_OK if r == 1 else EVAL_ERROR
        at += count
    s.result.is_null = <uint8_t>s.seen_null
    s.result.v.b = e.kind == X_ALL_SUB
    return EVAL_OK


cdef int _run_once(Execution* x, const Expr* e, SubplanState* s, const Value* lhs) noexcept nogil:
    # Goes on with the run under way until s.result is known.
    cdef Batch* batch
    cdef uint32_t row
    cdef int r
    while True:
        r = op_next(s.run.root)
        if r == STEP_YIELD:
            return EVAL_YIELD
        if r == STEP_ERROR:
            return EVAL_ERROR
        if r == STEP_DONE:
            if e.kind == X_EXISTS:
                s.result.v.b = 0
                s.result.is_null = 0
            elif e.kind == X_SCALAR:
                s.result.is_null = s.result.is_null if s.row_count else 1
            else:
                s.result.is_null = <uint8_t>s.seen_null
                s.result.v.b = e.kind == X_ALL_SUB
            return EVAL_OK
        batch = &s.run.root.out
        if batch.sel_count == 0:
            continue
        if e.kind == X_EXISTS:
            s.result.v.b = 1
            s.result.is_null = 0
            return EVAL_OK
        if e.kind == X_SCALAR:
            s.row_count += batch.sel_count
            if s.row_count > 1:
                dsql_error_set(x.eval.error, "21000",
                               "more than one row returned by a subquery used as an expression")
                return EVAL_ERROR
            row = 0 if batch.sel == NULL else batch.sel[0]
            vector_value(&batch.columns[0], row, &s.result)
            if value_keep(&s.pool if x.program.subplans[e.index].cacheable else &s.memo_pool, &s.result) < 0:
                return eval_no_memory(x)
            continue
        x.eval.pool = s.run.root.batch_pool
        r = _quantify(x, e, s, lhs, &batch.columns[0], batch.row_count, batch.sel, batch.sel_count)
        if r != 0:
            return EVAL_OK if r == 1 else EVAL_ERROR


cdef int _memo_reserve(SubplanState* s, uint32_t row) noexcept nogil:
    cdef uint32_t capacity = s.memo_capacity if s.memo_capacity else 4
    cdef uint32_t i
    cdef Value* grown
    if row < s.memo_capacity:
        return 0
    while capacity <= row:
        capacity *= 4
    grown = <Value*>pool_alloc(&s.memo_pool, capacity * sizeof(Value))
    if grown == NULL:
        return -1
    for i in range(capacity):
        if i < s.memo_capacity:
            grown[i] = s.memo[i]
        else:
            grown[i].phys = NOT_COMPUTED
    s.memo = grown
    s.memo_capacity = capacity
    return 0


cdef int _subplan(Execution* x, const Expr* e, SubplanState* s, const Vector* params, uint32_t row,
                  const Value* lhs) noexcept nogil:
    cdef const SubplanInfo* info = &x.program.subplans[e.index]
    cdef uint32_t i
    cdef int r
    if info.cacheable:
        if lhs != NULL:
            r = _collect_column(x, s, info.plan)
            return _any_cached(x, e, s, lhs) if r == EVAL_OK else r
        if s.state == 2:
            return EVAL_OK
        if s.state == 0:
            s.state = 1
            if run_start(&s.run, info.plan) < 0:
                return EVAL_ERROR
        r = _run_once(x, e, s, NULL)
        if r == EVAL_OK:
            s.state = 2
            run_stop(&s.run)
        return r
    if s.eval_id != x.eval_id or x.eval_id == 0:
        s.eval_id = x.eval_id
        s.is_active = 0
        s.memo = NULL
        s.memo_capacity = 0
        pool_reset(&s.memo_pool)
    if _memo_reserve(s, row) < 0:
        return eval_no_memory(x)
    if s.memo[row].phys != NOT_COMPUTED:
        s.result = s.memo[row]
        return EVAL_OK
    if not (s.is_active and s.current_row == row):
        for i in range(info.param_count):
            vector_value(&params[i], row, &x.params[info.param_index[i]])
        x.param_epoch += 1
        s.is_active = 1
        s.current_row = row
        s.row_count = 0
        s.seen_null = 0
        if run_start(&s.run, info.plan) < 0:
            return EVAL_ERROR
    r = _run_once(x, e, s, lhs)
    if r == EVAL_OK:
        s.is_active = 0
        s.result.phys = e.phys
        s.result.type_oid = e.type_oid
        s.memo[row] = s.result
    return r


cdef int subplan_run(Execution* x, const Expr* e, const Vector* params, uint32_t row, const Value* lhs,
                     Value* out) noexcept nogil:
    cdef SubplanState* s = &x.subplans[e.index]
    cdef Pool* pool = x.eval.pool
    cdef uint64_t eval_id = x.eval_id
    cdef int r = _subplan(x, e, s, params, row, lhs)
    x.eval.pool = pool
    x.eval_id = eval_id
    if r == EVAL_OK:
        out[0] = s.result
    return r


operator_register(P_CTE_SCAN, cte_scan_open)
operator_register(P_WORK_SCAN, work_scan_open)
operator_register(P_RECURSIVE, recursive_open)

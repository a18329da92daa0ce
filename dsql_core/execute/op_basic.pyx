"""Result, values, rows, filter, project, limit: the operators that keep nothing.

Filter, project and limit work in the batch pool of their source and hand out the source's batch with another
selection or other columns.

Invariants
  O4  a yield inside an expression leaves the input batch at hand (op.has_input) and repeats the evaluation.

Owner of the memory: the source's batch pool.
"""


from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport pool_alloc, pool_reset
from dsql_core.base.types cimport int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport BATCH_ROWS, Batch, Vector, phys_size, type_phys
from dsql_core.execute.expr cimport EVAL_OK, eval_expr, eval_filter
from dsql_core.execute.machine cimport (eval_bigint, eval_step, no_memory, one_row, op_alloc, op_eval_here,
                                        op_name_batch, op_next, op_open, op_own_pool, op_pull, operator_register,
                                        source_pause)
from dsql_core.execute.state cimport (Op, P_FILTER, P_LIMIT, P_PROJECT, P_RESULT, P_ROWS, P_VALUES, PlanNode, Run,
                                      STEP_DONE, STEP_ERROR, STEP_ROWS)
from dsql_core.execute.vectors cimport scalar_copy, vector_alloc, vector_nulls

cdef struct CountOp:               # result, values, rows, limit
    Op base
    uint32_t at                    # rows produced
    int64_t skip
    int64_t left                   # -1 = no limit
    int started


# -- result ----------------------------------------------------------------------------------------------------------

cdef int result_next(Op* op) noexcept nogil:
    cdef CountOp* state = <CountOp*>op
    cdef const PlanNode* node = op.node
    cdef uint32_t i
    cdef uint32_t kept
    cdef uint32_t kept_row
    cdef int r
    if state.at:
        return STEP_DONE
    if not state.started:
        state.started = 1
        op_name_batch(op)
    op_eval_here(op)
    if node.cond != NULL:
        r = eval_filter(op.execution, node.cond, one_row(), NULL, 1, &kept_row, &kept)
        if r != EVAL_OK:
            return eval_step(r)
        if kept == 0:
            state.at = 1
            return STEP_DONE
    op.out.columns = <Vector*>pool_alloc(op.batch_pool, (node.expr_count + 1) * sizeof(Vector))
    if op.out.columns == NULL:
        return no_memory(op.execution)
    for i in range(node.expr_count):
        r = eval_expr(op.execution, node.exprs[i], one_row(), NULL, 1, &op.out.columns[i])
        if r != EVAL_OK:
            return eval_step(r)
    state.at = 1
    op.out.column_count = node.expr_count
    op.out.row_count = 1
    op.out.sel_count = 1
    op.out.sel = NULL
    return STEP_ROWS


cdef Op* result_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* op = op_alloc(run, node, sizeof(CountOp), result_next)
    if op == NULL or op_own_pool(op) < 0:
        return NULL
    return op


# -- values ----------------------------------------------------------------------------------------------------------

cdef int values_next(Op* op) noexcept nogil:
    # Expressions row by row into dense columns.
    cdef CountOp* state = <CountOp*>op
    cdef const PlanNode* node = op.node
    cdef uint32_t count = node.row_count - state.at
    cdef uint32_t columns = node.column_count
    cdef uint32_t i
    cdef uint32_t c
    cdef Vector v
    cdef int r
    if count == 0:
        return STEP_DONE
    r = source_pause(op)
    if r != 0:
        return r
    if count > BATCH_ROWS:
        count = BATCH_ROWS
    pool_reset(op.batch_pool)
    op_eval_here(op)
    op.out.columns = <Vector*>pool_alloc(op.batch_pool, (columns + 1) * sizeof(Vector))
    if op.out.columns == NULL:
        return no_memory(op.execution)
    for c in range(columns):
        if vector_alloc(op.batch_pool, &op.out.columns[c], node.out_types[c], type_phys(node.out_types[c]), count) < 0 \
                or vector_nulls(op.batch_pool, &op.out.columns[c], count) < 0:
            return no_memory(op.execution)
    for i in range(count):
        op_name_batch(op)
        op_eval_here(op)
        for c in range(columns):
            op.execution.no_yield += 1
            r = eval_expr(op.execution, node.exprs[(state.at + i) * columns + c], one_row(), NULL, 1, &v)
            op.execution.no_yield -= 1
            if r != EVAL_OK:
                return eval_step(r)
            if v.nulls != NULL and v.nulls[0]:
                op.out.columns[c].nulls[i] = 1
            else:
                scalar_copy(op.out.columns[c].phys, op.out.columns[c].data, i, v.data, 0)
    state.at += count
    op.out.column_count = columns
    op.out.row_count = count
    op.out.sel_count = count
    op.out.sel = NULL
    return STEP_ROWS


cdef Op* values_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* op = op_alloc(run, node, sizeof(CountOp), values_next)
    if op == NULL or op_own_pool(op) < 0:
        return NULL
    return op


# -- rows: constant columns made by compile --------------------------------------------------------------------------

cdef int rows_next(Op* op) noexcept nogil:
    cdef CountOp* state = <CountOp*>op
    cdef const PlanNode* node = op.node
    cdef uint32_t count = node.row_count - state.at
    cdef uint32_t c
    cdef const Vector* source
    cdef Vector* v
    cdef uint32_t size
    if count == 0:
        return STEP_DONE
    if count > BATCH_ROWS:
        count = BATCH_ROWS
    pool_reset(op.batch_pool)
    op.out.columns = <Vector*>pool_alloc(op.batch_pool, (node.column_count + 1) * sizeof(Vector))
    if op.out.columns == NULL:
        return no_memory(op.execution)
    for c in range(node.column_count):
        source = &node.constant_columns[c]
        v = &op.out.columns[c]
        v[0] = source[0]
        size = phys_size(v.phys)
        v.data = <uint8_t*>source.data + <size_t>state.at * size
        if source.nulls != NULL:
            v.nulls = source.nulls + state.at
    state.at += count
    op.out.column_count = node.column_count
    op.out.row_count = count
    op.out.sel_count = count
    op.out.sel = NULL
    return STEP_ROWS


cdef Op* rows_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* op = op_alloc(run, node, sizeof(CountOp), rows_next)
    if op == NULL or op_own_pool(op) < 0:
        return NULL
    return op


# -- filter, project, limit ------------------------------------------------------------------------------------------

cdef Op* _unary_open(Run* run, const PlanNode* node, size_t size, int (*next)(Op*) noexcept nogil) noexcept nogil:
    cdef Op* op = op_alloc(run, node, size, next)
    if op == NULL:
        return NULL
    op.child = op_open(run, node.child)
    if op.child == NULL:
        return NULL
    op.batch_pool = op.child.batch_pool
    return op


cdef int filter_next(Op* op) noexcept nogil:
    cdef uint32_t* kept
    cdef uint32_t kept_count
    cdef int r
    while True:
        r = op_pull(op)
        if r != STEP_ROWS:
            return r
        op_eval_here(op)
        op.out = op.child.out
        kept = <uint32_t*>pool_alloc(op.batch_pool, (op.out.sel_count + 1) * sizeof(uint32_t))
        if kept == NULL:
            return no_memory(op.execution)
        r = eval_filter(op.execution, op.node.cond, &op.out, op.out.sel, op.out.sel_count, kept, &kept_count)
        if r != EVAL_OK:
            return eval_step(r)
        op.has_input = 0
        if kept_count == 0:
            continue
        if kept_count != op.out.sel_count:
            op.out.sel = kept
            op.out.sel_count = kept_count
        return STEP_ROWS


cdef Op* filter_open(Run* run, const PlanNode* node) noexcept nogil:
    return _unary_open(run, node, sizeof(Op), filter_next)


cdef int project_next(Op* op) noexcept nogil:
    cdef const PlanNode* node = op.node
    cdef const Batch* input
    cdef Vector* columns
    cdef uint32_t i
    cdef int r = op_pull(op)
    if r != STEP_ROWS:
        return r
    op_eval_here(op)
    input = &op.child.out
    columns = <Vector*>pool_alloc(op.batch_pool, (node.expr_count + 1) * sizeof(Vector))
    if columns == NULL:
        return no_memory(op.execution)
    for i in range(node.expr_count):
        r = eval_expr(op.execution, node.exprs[i], input, input.sel, input.sel_count, &columns[i])
        if r != EVAL_OK:
            return eval_step(r)
    op.has_input = 0
    op.out.columns = columns
    op.out.column_count = node.expr_count
    op.out.row_count = input.row_count
    op.out.sel = input.sel
    op.out.sel_count = input.sel_count
    return STEP_ROWS


cdef Op* project_open(Run* run, const PlanNode* node) noexcept nogil:
    return _unary_open(run, node, sizeof(Op), project_next)


cdef int _limit_start(CountOp* state) noexcept nogil:
    cdef Op* op = &state.base
    cdef int r
    state.started = 1
    state.left = -1
    if op.node.limit != NULL:
        r = eval_bigint(op, op.node.limit, &state.left)
        if r < 0:
            return -1
        if r == 1:
            state.left = -1
        elif state.left < 0:
            dsql_error_set(op.execution.eval.error, "2201W", "LIMIT must not be negative")
            return -1
    if op.node.offset != NULL:
        r = eval_bigint(op, op.node.offset, &state.skip)
        if r < 0:
            return -1
        if r == 1:
            state.skip = 0
        elif state.skip < 0:
            dsql_error_set(op.execution.eval.error, "2201X", "OFFSET must not be negative")
            return -1
    return 0


cdef int limit_next(Op* op) noexcept nogil:
    cdef CountOp* state = <CountOp*>op
    cdef uint32_t* sel
    cdef uint32_t i
    cdef uint32_t skip
    cdef uint32_t count
    cdef int r
    if not state.started and _limit_start(state) < 0:
        return STEP_ERROR
    while True:
        if state.left == 0:
            return STEP_DONE
        r = op_next(op.child)
        if r != STEP_ROWS:
            return r
        op.out = op.child.out
        count = op.out.sel_count
        if state.skip >= count:
            state.skip -= count
            continue
        skip = <uint32_t>state.skip
        state.skip = 0
        count -= skip
        if state.left >= 0 and <int64_t>count > state.left:
            count = <uint32_t>state.left
        if state.left > 0:
            state.left -= count
        if count == op.out.sel_count:
            return STEP_ROWS
        if op.out.sel == NULL:
            sel = <uint32_t*>pool_alloc(op.batch_pool, (count + 1) * sizeof(uint32_t))
            if sel == NULL:
                return no_memory(op.execution)
            for i in range(count):
                sel[i] = skip + i
            op.out.sel = sel
        else:
            op.out.sel += skip
        op.out.sel_count = count
        return STEP_ROWS


cdef Op* limit_open(Run* run, const PlanNode* node) noexcept nogil:
    return _unary_open(run, node, sizeof(CountOp), limit_next)


operator_register(P_RESULT, result_open)
operator_register(P_VALUES, values_open)
operator_register(P_ROWS, rows_open)
operator_register(P_FILTER, filter_open)
operator_register(P_PROJECT, project_open)
operator_register(P_LIMIT, limit_open)

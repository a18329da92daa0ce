"""Joins over stored right rows: from candidate pairs to output.

A join operator fills the buffer with candidates (left row, right tuple). For kinds that must know that a left row found
no partner, an end mark (tuple NULL) follows the row's last candidate. join_flush evaluates the condition on the real
pairs and decides, pair by pair, in order:

  inner, right   a pair that passes is emitted           left, full   ... and an end mark of an unmatched row, with NULLs
  semi           the first pair that passes              anti         the end mark of an unmatched row

Invariants
  J1  candidates of one left row are contiguous, over flushes too (row_matched carries on).
  J2  output keeps the order of the left rows.

Owner of the memory: buffer arrays in run.pool, output in the operator's own batch pool.
"""

from libc.string cimport memset

from dsql_core.base.memory cimport pool_alloc, pool_reset
from dsql_core.base.vector cimport BATCH_ROWS, Vector
from dsql_core.execute.expr cimport EVAL_OK, eval_filter
from dsql_core.execute.machine cimport eval_step, no_memory, op_name_batch, vector_take
from dsql_core.execute.state cimport (JOIN_ANTI, JOIN_FULL, JOIN_INNER, JOIN_NULL_ANTI, JOIN_RIGHT, JOIN_SEMI, PlanNode,
                                      STEP_DONE, STEP_ERROR, STEP_ROWS)
from dsql_core.execute.tuples cimport tuple_gather

cdef uint8_t _null_byte[16]
memset(_null_byte, 1, 16)


cdef int join_init(Op* op, JoinBuffer* buffer, uint32_t right_columns, uint32_t flag_offset) noexcept nogil:
    cdef uint8_t kind = op.node.kind
    memset(buffer, 0, sizeof(JoinBuffer))
    buffer.right_columns = right_columns
    buffer.flag_offset = flag_offset if kind == JOIN_RIGHT or kind == JOIN_FULL else 0
    buffer.needs_end = kind != JOIN_INNER and kind != JOIN_RIGHT
    return 0


cdef int join_room(Op* op, JoinBuffer* buffer) noexcept nogil:
    cdef uint32_t capacity
    cdef uint32_t i
    cdef uint32_t* left
    cdef uint8_t** right
    if buffer.count < buffer.capacity:
        return 1
    if buffer.capacity >= BATCH_ROWS:
        return 0
    capacity = 32 if buffer.capacity == 0 else BATCH_ROWS
    left = <uint32_t*>pool_alloc(&op.run.pool, capacity * sizeof(uint32_t))
    right = <uint8_t**>pool_alloc(&op.run.pool, capacity * sizeof(uint8_t*))
    if left == NULL or right == NULL:
        return no_memory(op.execution)
    for i in range(buffer.count):
        left[i] = buffer.left[i]
        right[i] = buffer.right[i]
    buffer.left = left
    buffer.right = right
    buffer.capacity = capacity
    return 1


cdef int _combine(Op* op, const TupleLayout* layout, JoinBuffer* buffer, const Batch* left, uint32_t* rows,
                  uint8_t** tuples, uint32_t count, Batch* out) noexcept nogil:
    # Left rows and right tuples side by side. 0, -1.
    cdef uint32_t width = left.column_count + buffer.right_columns
    cdef uint32_t c
    out.columns = <Vector*>pool_alloc(op.batch_pool, (width + 1) * sizeof(Vector))
    if out.columns == NULL:
        return no_memory(op.execution)
    for c in range(left.column_count):
        if vector_take(op.batch_pool, &left.columns[c], rows, count, &out.columns[c]) < 0:
            return no_memory(op.execution)
    for c in range(buffer.right_columns):
        if tuple_gather(layout, op.batch_pool, tuples, count, c, &out.columns[left.column_count + c]) < 0:
            return no_memory(op.execution)
    out.column_count = width
    out.row_count = count
    out.sel_count = count
    out.sel = NULL
    return 0


cdef int join_flush(Op* op, JoinBuffer* buffer, const Batch* left) noexcept nogil:
    cdef const PlanNode* node = op.node
    cdef uint8_t kind = node.kind
    cdef uint32_t count = buffer.count
    cdef uint32_t* pairs = NULL
    cdef uint32_t* passed = NULL
    cdef uint32_t pair_count = 0
    cdef uint32_t passed_count = 0
    cdef uint32_t* rows
    cdef uint8_t** tuples
    cdef uint32_t kept = 0
    cdef uint32_t i
    cdef uint32_t p = 0
    cdef int passes
    cdef int left_only = kind == JOIN_SEMI or kind == JOIN_ANTI or kind == JOIN_NULL_ANTI
    cdef Batch all
    cdef int r
    if count == 0:
        return STEP_DONE
    pool_reset(op.batch_pool)
    rows = <uint32_t*>pool_alloc(op.batch_pool, count * sizeof(uint32_t))
    tuples = <uint8_t**>pool_alloc(op.batch_pool, count * sizeof(uint8_t*))
    if rows == NULL or tuples == NULL:
        return no_memory(op.execution)
    if node.cond != NULL:
        pairs = <uint32_t*>pool_alloc(op.batch_pool, count * sizeof(uint32_t))
        passed = <uint32_t*>pool_alloc(op.batch_pool, count * sizeof(uint32_t))
        if pairs == NULL or passed == NULL:
            return no_memory(op.execution)
        for i in range(count):
            if buffer.right[i] != NULL:
                pairs[pair_count] = i
                pair_count += 1
        if pair_count:
            if _combine(op, &node.tuples, buffer, left, buffer.left, buffer.right, count, &all) < 0:
                return STEP_ERROR
            op.execution.eval.pool = op.batch_pool
            op_name_batch(op)
            op.execution.eval_id = op.eval_id
            op.execution.no_yield += 1
            r = eval_filter(op.execution, node.cond, &all, pairs, pair_count, passed, &passed_count)
            op.execution.no_yield -= 1
            if r != EVAL_OK:
                return eval_step(r)
            if op.stats != NULL:
                op.stats.removed += pair_count - passed_count
    for i in range(count):
        if buffer.right[i] == NULL:
            if not buffer.row_matched and kind != JOIN_SEMI:
                rows[kept] = buffer.left[i]
                tuples[kept] = NULL
                kept += 1
            buffer.row_matched = 0
            continue
        passes = 1
        if node.cond != NULL:
            passes = p < passed_count and passed[p] == i
            p += passes
        if not passes:
            continue
        if buffer.flag_offset:
            (<uint64_t*>(buffer.right[i] + buffer.flag_offset))[0] = 1
        if not left_only or (kind == JOIN_SEMI and not buffer.row_matched):
            rows[kept] = buffer.left[i]
            tuples[kept] = buffer.right[i]
            kept += 1
        buffer.row_matched = 1
    buffer.count = 0
    if kept == 0:
        return STEP_DONE
    if left_only:
        op.out.columns = left.columns
        op.out.column_count = left.column_count
        op.out.row_count = left.row_count
        op.out.sel = rows
        op.out.sel_count = kept
        return STEP_ROWS
    if pair_count == count and kept == passed_count and node.cond != NULL:
        # Everything was gathered for the condition: select from it.
        op.out = all
        if kept < count:
            op.out.sel = passed
            op.out.sel_count = kept
        return STEP_ROWS
    if _combine(op, &node.tuples, buffer, left, rows, tuples, kept, &op.out) < 0:
        return STEP_ERROR
    return STEP_ROWS


cdef int join_right_only(Op* op, uint8_t** tuples, uint32_t count, uint32_t right_columns) noexcept nogil:
    cdef uint32_t left_columns = op.node.column_count - right_columns
    cdef uint32_t c
    pool_reset(op.batch_pool)
    op.out.columns = <Vector*>pool_alloc(op.batch_pool, (op.node.column_count + 1) * sizeof(Vector))
    if op.out.columns == NULL:
        return no_memory(op.execution)
    for c in range(left_columns):
        op.out.columns[c].data = _null_byte
        op.out.columns[c].nulls = _null_byte
        op.out.columns[c].type_oid = op.node.out_types[c]
        op.out.columns[c].phys = op.node.out_phys[c]
        op.out.columns[c].stride = 0
    for c in range(right_columns):
        if tuple_gather(&op.node.tuples, op.batch_pool, tuples, count, c, &op.out.columns[left_columns + c]) < 0:
            return no_memory(op.execution)
    op.out.column_count = op.node.column_count
    op.out.row_count = count
    op.out.sel_count = count
    op.out.sel = NULL
    return STEP_ROWS

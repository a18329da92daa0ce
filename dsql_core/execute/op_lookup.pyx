"""Lookup: for every input row the entries of a tree its bounds (or its raw row key) name - index nested loops.

Candidates (input row, entry) are gathered for up to a batch, decoded and filtered together. For LEFT, SEMI and ANTI an
end mark follows the last candidate of each input row: an entry whose image has no columns and so reads as all NULL.

Invariants
  D1  output keeps the order of the input rows, entries of one row in key order.
  D2  the input batch is not pulled anew before all its candidates are emitted.

Owner of the memory: candidate arrays in run.pool; images in pages or the write set; columns in the own batch pool.
"""

from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Pool, pool_alloc, pool_reset
from dsql_core.base.types cimport Slice, int32_t, page_no_t, uint8_t, uint32_t
from dsql_core.base.vector cimport BATCH_ROWS, PHYS_VAR, Var, Vector
from dsql_core.execute.expr cimport EVAL_OK, eval_expr, eval_filter
from dsql_core.execute.keyrange cimport Bounds, KeyRange, append_key_part, bounds_eval, bounds_prefixes, bounds_range
from dsql_core.execute.machine cimport (eval_step, machine_pause, no_memory, op_alloc, op_eval_here, op_open,
                                        op_own_pool, op_pull, operator_register, vector_take)
from dsql_core.execute.op_scan cimport scan_columns
from dsql_core.execute.state cimport (Execution, JOIN_ANTI, JOIN_INNER, JOIN_SEMI, Op, P_LOOKUP, PlanNode, Run,
                                      STEP_DONE, STEP_ERROR, STEP_ROWS, TreeWrites)
from dsql_core.execute.stats cimport stats_entries, stats_read
from dsql_core.execute.vectors cimport vector_is_null
from dsql_core.execute.walk cimport Walk, walk_changes, walk_fetch, walk_get, walk_open, walk_seek

cdef enum:
    FIRST_ROWS = 32

cdef struct LookupOp:
    Op base
    Walk walk
    page_no_t root
    int32_t needs_keys
    TreeWrites* changes
    uint32_t* rows                 # candidates: input row, image, key
    Slice* values
    Slice* keys
    uint8_t* is_end
    uint32_t count
    uint32_t capacity
    Bounds bounds
    Vector row_key
    Pool* bounds_pool              # of the input row under way
    Slice* prefixes
    int32_t prefix_count
    int32_t prefix_at
    int32_t state                  # of the input row: 0 not begun, 1 next prefix, 2 in a range, 3 at its end
    int32_t row_matched
    uint32_t at                    # selected input rows done with
    int32_t has_bounds             # bounds of the input batch are computed
    int32_t pending                # the buffer waits to be flushed (a filter yielded)

# An image of no columns: every column reads as NULL.
cdef uint8_t _empty_row[16]
memset(_empty_row, 0, 16)
_empty_row[2] = 8
_empty_row[4] = 8
cdef uint8_t _null_byte[16]
memset(_null_byte, 1, 16)


cdef int _corrupt(Op* op) noexcept nogil:
    dsql_error_set(op.execution.eval.error, "XX001", "invalid page in tree %llu", <unsigned long long>op.node.tree)
    return STEP_ERROR


cdef int _room(LookupOp* op) noexcept nogil:
    # 1 room for a candidate, 0 full, -1.
    cdef uint32_t capacity = FIRST_ROWS if op.capacity == 0 else BATCH_ROWS
    cdef Pool* pool = &op.base.run.pool
    cdef uint32_t* rows
    cdef Slice* values
    cdef Slice* keys
    cdef uint8_t* is_end
    cdef uint32_t i
    if op.count < op.capacity:
        return 1
    if op.capacity >= BATCH_ROWS:
        return 0
    rows = <uint32_t*>pool_alloc(pool, capacity * sizeof(uint32_t))
    values = <Slice*>pool_alloc(pool, capacity * sizeof(Slice))
    keys = <Slice*>pool_alloc(pool, capacity * sizeof(Slice))
    is_end = <uint8_t*>pool_alloc(pool, capacity)
    if rows == NULL or values == NULL or keys == NULL or is_end == NULL:
        return no_memory(op.base.execution)
    for i in range(op.count):
        rows[i] = op.rows[i]
        values[i] = op.values[i]
        keys[i] = op.keys[i]
        is_end[i] = op.is_end[i]
    op.rows = rows
    op.values = values
    op.keys = keys
    op.is_end = is_end
    op.capacity = capacity
    return 1


cdef int _seek_row(LookupOp* op, uint32_t row) noexcept nogil:
    # Begins an input row: a point is looked up at once, ranges get their prefixes. 0, -1. Leaves op.state at 1 or 3.
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef Execution* x = base.execution
    cdef Slice value
    cdef Slice key
    cdef const Var* raw
    cdef uint32_t i
    cdef int r
    op.state = 3
    pool_reset(op.bounds_pool)
    if node.has_row_key:
        if vector_is_null(&op.row_key, row):
            return 0
        raw = <const Var*>op.row_key.data + row * op.row_key.stride
        key.data = raw.data
        key.size = raw.size
    elif node.is_point:
        x.scratch.size = 0
        for i in range(node.eq_count):
            if vector_is_null(&op.bounds.eq[i], row):
                return 0
            if append_key_part(base, &x.scratch, &op.bounds.eq[i], row, 0) < 0:
                return -1
        key.data = x.scratch.data
        key.size = x.scratch.size
    else:
        op.prefix_count = bounds_prefixes(base, node, &op.bounds, row, op.bounds_pool, &op.prefixes)
        if op.prefix_count < 0:
            return -1
        op.prefix_at = 0
        op.state = 1
        return 0
    r = walk_get(x.session, op.root, op.changes, x.command, key.data, key.size, base.batch_pool, &value)
    if r < 0:
        return _corrupt(base)
    if base.stats != NULL:
        stats_read(base.stats)
        if r == 1:
            stats_entries(base.stats, &key, &value, 1)
    if r == 1:
        op.rows[op.count] = row
        op.values[op.count] = value
        op.is_end[op.count] = 0
        if op.needs_keys:
            op.keys[op.count].size = key.size
            op.keys[op.count].data = <const uint8_t*>pool_alloc(base.batch_pool, key.size + 1)
            if op.keys[op.count].data == NULL:
                return no_memory(x)
            for i in range(<uint32_t>key.size):
                (<uint8_t*>op.keys[op.count].data)[i] = key.data[i]
        op.count += 1
    return 0


cdef int _collect(LookupOp* op) noexcept nogil:
    # Candidates until the input batch is through (STEP_DONE) or the buffer is full (STEP_ROWS).
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef Execution* x = base.execution
    cdef uint32_t row
    cdef uint32_t i
    cdef KeyRange bounds
    cdef int first_only = node.cond == NULL and (node.kind == JOIN_SEMI or node.kind == JOIN_ANTI)
    cdef int limit
    cdef int r
    while op.at < base.child.out.sel_count:
        row = op.at if base.child.out.sel == NULL else base.child.out.sel[op.at]
        r = _room(op)
        if r <= 0:
            return STEP_ROWS if r == 0 else STEP_ERROR
        if op.state == 0:
            if _seek_row(op, row) < 0:
                return STEP_ERROR
        elif op.state == 1:
            if op.prefix_at == op.prefix_count:
                op.state = 3
                continue
            r = bounds_range(base, node, &op.bounds, row, op.prefixes[op.prefix_at], op.bounds_pool, &bounds)
            op.prefix_at += 1
            if r < 0:
                return STEP_ERROR
            if r == 0:
                continue
            if walk_seek(&op.walk, x.session, &bounds) < 0:
                return _corrupt(base)
            if base.stats != NULL:
                stats_read(base.stats)
            op.state = 2
        elif op.state == 2:
            limit = 1 if first_only else <int>(op.capacity - op.count)
            r = walk_fetch(&op.walk, limit, base.batch_pool, op.keys + op.count, op.values + op.count)
            if r < 0:
                return _corrupt(base)
            if base.stats != NULL:
                stats_entries(base.stats, op.keys + op.count, op.values + op.count, <uint32_t>r)
            for i in range(<uint32_t>r):
                op.rows[op.count + i] = row
                op.is_end[op.count + i] = 0
            op.count += <uint32_t>r
            if r < limit:
                op.state = 1
            if first_only and r:
                op.state = 3
        else:
            if node.kind != JOIN_INNER:
                op.rows[op.count] = row
                op.values[op.count].data = _empty_row
                op.values[op.count].size = 8
                op.keys[op.count].data = _empty_row
                op.keys[op.count].size = 0
                op.is_end[op.count] = 1
                op.count += 1
            op.state = 0
            op.at += 1
    return STEP_DONE


cdef int _decode(LookupOp* op, uint8_t use, uint8_t skip) noexcept nogil:
    # Inner columns with the given use into op.out, end marks as NULL. 0, -1.
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef Vector* columns = base.out.columns + node.child.column_count
    cdef uint32_t c
    cdef uint32_t i
    if scan_columns(base, node, op.keys, op.values, op.count, use, skip, columns) < 0:
        return -1
    if node.kind == JOIN_INNER:
        return 0
    for c in range(node.scan_column_count):
        # Key columns are not part of the image, so the empty image cannot make them NULL.
        if node.scan_columns[c] >= 0 or not (node.column_use[c] & use) or (node.column_use[c] & skip):
            continue
        columns[c].nulls = <uint8_t*>pool_alloc(base.batch_pool, op.count + 1)
        if columns[c].nulls == NULL:
            return no_memory(base.execution)
        for i in range(op.count):
            columns[c].nulls[i] = op.is_end[i]
    return 0


cdef int _flush(LookupOp* op) noexcept nogil:
    # The buffered candidates become the output. STEP_ROWS, STEP_DONE = nothing passed, or yield / error.
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef Execution* x = base.execution
    cdef uint32_t count = op.count
    cdef uint32_t left_columns = node.child.column_count
    cdef int left_only = node.kind == JOIN_SEMI or node.kind == JOIN_ANTI
    cdef uint32_t* real
    cdef uint32_t* passed = NULL
    cdef uint32_t* sel
    cdef uint32_t real_count = 0
    cdef uint32_t passed_count = 0
    cdef uint32_t pushed_count
    cdef uint32_t kept = 0
    cdef uint32_t p = 0
    cdef uint32_t i
    cdef uint32_t c
    cdef int passes
    cdef int r
    if count == 0:
        return STEP_DONE
    sel = <uint32_t*>pool_alloc(base.batch_pool, count * sizeof(uint32_t))
    base.out.columns = <Vector*>pool_alloc(base.batch_pool, (left_columns + node.scan_column_count + 1) * sizeof(Vector))
    if sel == NULL or base.out.columns == NULL:
        return no_memory(x)
    base.out.row_count = count
    base.out.sel_count = count
    base.out.sel = NULL
    base.out.column_count = left_columns + node.scan_column_count
    if node.cond != NULL or not left_only:
        for c in range(left_columns):
            if vector_take(base.batch_pool, &base.child.out.columns[c], op.rows, count, &base.out.columns[c]) < 0:
                return no_memory(x)
        for c in range(node.scan_column_count):
            base.out.columns[left_columns + c].data = _null_byte
            base.out.columns[left_columns + c].nulls = _null_byte
            base.out.columns[left_columns + c].stride = 0
            base.out.columns[left_columns + c].type_oid = node.layout.type_oids[node.scan_columns[c]] \
                if node.scan_columns[c] >= 0 else 17
            base.out.columns[left_columns + c].phys = node.layout.phys[node.scan_columns[c]] \
                if node.scan_columns[c] >= 0 else <uint8_t>PHYS_VAR
    if node.cond != NULL:
        if _decode(op, 2, 0) < 0:
            return STEP_ERROR
        real = <uint32_t*>pool_alloc(base.batch_pool, count * sizeof(uint32_t))
        passed = <uint32_t*>pool_alloc(base.batch_pool, count * sizeof(uint32_t))
        if real == NULL or passed == NULL:
            return no_memory(x)
        for i in range(count):
            if not op.is_end[i]:
                real[real_count] = i
                real_count += 1
        op_eval_here(base)
        r = eval_filter(x, node.cond, &base.out, real, real_count, passed, &passed_count)
        if r != EVAL_OK:
            return eval_step(r)
        pushed_count = passed_count
        if node.late != NULL and passed_count:
            for i in range(passed_count):
                real[i] = passed[i]
            r = eval_filter(x, node.late, &base.out, real, pushed_count, passed, &passed_count)
            if r != EVAL_OK:
                return eval_step(r)
        if base.stats != NULL:
            base.stats.passed += pushed_count
            base.stats.removed += pushed_count - passed_count
    elif base.stats != NULL:
        for i in range(count):
            base.stats.passed += not op.is_end[i]
    for i in range(count):
        if op.is_end[i]:
            if not op.row_matched and node.kind != JOIN_SEMI:
                sel[kept] = i
                kept += 1
            op.row_matched = 0
            continue
        passes = 1
        if node.cond != NULL:
            passes = p < passed_count and passed[p] == i
            p += passes
        if not passes:
            continue
        if not left_only or (node.kind == JOIN_SEMI and not op.row_matched):
            sel[kept] = i
            kept += 1
        op.row_matched = 1
    if kept == 0:
        op.count = 0
        return STEP_DONE
    if left_only:
        for i in range(kept):
            sel[i] = op.rows[sel[i]]
        base.out = base.child.out
        base.out.sel = sel
        base.out.sel_count = kept
    else:
        if _decode(op, 1, 2) < 0:
            return STEP_ERROR
        if kept < count:
            base.out.sel = sel
        base.out.sel_count = kept
    op.count = 0
    return STEP_ROWS


cdef int _begin_input(LookupOp* op) noexcept nogil:
    # Bounds of the new input batch, in its own pool. EVAL_*.
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef int r
    base.execution.eval_id = base.eval_id
    if node.has_row_key:
        base.execution.eval.pool = base.child.batch_pool
        r = eval_expr(base.execution, node.row_key, &base.child.out, base.child.out.sel, base.child.out.sel_count,
                      &op.row_key)
    else:
        r = bounds_eval(base, node, &base.child.out, base.child.out.sel, base.child.out.sel_count,
                        base.child.batch_pool, &op.bounds)
    if r == EVAL_OK:
        if base.stats != NULL:
            base.stats.batches += 1
        op.has_bounds = 1
        op.at = 0
        op.state = 0
    return r


cdef int lookup_next(Op* base) noexcept nogil:
    cdef LookupOp* op = <LookupOp*>base
    cdef int collected = STEP_DONE
    cdef int r
    while True:
        if op.pending:
            r = _flush(op)
            if r != STEP_ROWS and r != STEP_DONE:
                return r
            op.pending = 0
            if op.at >= base.child.out.sel_count:
                base.has_input = 0
            if r == STEP_ROWS:
                return STEP_ROWS
            r = machine_pause(base.execution)
            if r != 0:
                return r
        if not base.has_input:
            op.has_bounds = 0
        r = op_pull(base)
        if r != STEP_ROWS:
            return r
        if not op.has_bounds:
            r = _begin_input(op)
            if r != EVAL_OK:
                return eval_step(r)
        pool_reset(base.batch_pool)
        collected = _collect(op)
        if collected == STEP_ERROR:
            return STEP_ERROR
        op.pending = 1


cdef Op* lookup_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* base = op_alloc(run, node, sizeof(LookupOp), lookup_next)
    cdef LookupOp* op = <LookupOp*>base
    cdef uint32_t c
    if base == NULL or op_own_pool(base) < 0:
        return NULL
    op.bounds_pool = base.batch_pool
    if op_own_pool(base) < 0:
        return NULL
    base.child = op_open(run, node.child)
    if base.child == NULL:
        return NULL
    for c in range(node.scan_column_count):
        if node.scan_columns[c] < 0 and node.column_use[c]:
            op.needs_keys = 1
    op.changes = walk_changes(run.execution.session, node.tree, &op.root)
    walk_open(&op.walk, run.execution.session, node.tree, run.execution.command, 0)
    return base


operator_register(P_LOOKUP, lookup_open)

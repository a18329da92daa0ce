"""Scan: entries of a tree between bounds, decoded column by column, filtered as early as possible.

A batch is fetched as slices (row images in pages), the columns the filter reads are decoded for all of them, and the
remaining columns only for the rows that passed. Columns nobody reads are never decoded (count(*) decodes nothing).

Column use (PlanNode.column_use): bit 0 = read above the scan, bit 1 = read by the filter.

Invariants
  C1  output order is key order, or its exact reverse when backward.
  C2  the batch grows from FIRST_ROWS to 1,024 rows, so a query that stops early has not paid for a full batch.
  C3  a point scan touches one entry and no batch-sized array.

Owner of the memory: the scan's batch pool; slices point into pinned pages or the write set.
"""

from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport pool_alloc, pool_reset
from dsql_core.base.types cimport Slice, int32_t, int64_t, page_no_t, uint8_t, uint32_t
from dsql_core.base.vector cimport BATCH_ROWS, OID_BYTEA, Var, Vector, type_phys
from dsql_core.codec.row cimport row_gather
from dsql_core.execute.expr cimport EVAL_OK, eval_filter
from dsql_core.execute.keyrange cimport (Bounds, KeyRange, append_key_part, bounds_eval, bounds_prefixes, bounds_range,
                                         row_key_suffix)
from dsql_core.execute.machine cimport (eval_bigint, eval_step, no_memory, one_row, op_alloc, op_eval_here,
                                        op_name_batch, op_own_pool, operator_register, source_pause, vector_compact)
from dsql_core.execute.state cimport Execution, Op, P_SCAN, PlanNode, Run, STEP_DONE, STEP_ERROR, STEP_ROWS, TreeWrites
from dsql_core.execute.stats cimport stats_entries, stats_read
from dsql_core.execute.vectors cimport vector_alloc, vector_is_null, vector_nulls
from dsql_core.execute.walk cimport Walk, walk_changes, walk_fetch, walk_get, walk_open, walk_seek

cdef enum:
    FIRST_ROWS = 64

cdef uint8_t _unread[16]           # what a column nobody reads consists of: one NULL
memset(_unread, 1, 16)

cdef enum ScanPhase:
    PHASE_START = 0
    PHASE_RANGE = 1                # the walk stands in a range
    PHASE_NEXT = 2                 # go to the next prefix
    PHASE_DONE = 3

cdef struct ScanOp:
    Op base
    Walk walk
    int32_t phase
    int32_t needs_keys
    Slice* keys
    Slice* values
    uint32_t capacity
    uint32_t fetched               # entries at hand
    Slice* prefixes
    int32_t prefix_count
    int32_t prefix_at
    Bounds bounds
    int64_t remaining              # rows the limit still allows, -1 = no limit
    Slice one_key
    Slice one_value


cdef int scan_columns(Op* op, const PlanNode* node, const Slice* keys, const Slice* values, uint32_t count,
                      uint8_t use_mask, uint8_t skip_mask, Vector* out) noexcept nogil:
    # Decodes the scan columns whose use has a bit of use_mask and none of skip_mask. 0, -1.
    cdef uint32_t c
    cdef uint32_t i
    cdef uint32_t type_oid
    cdef Var* keys_out
    cdef Slice suffix
    for c in range(node.scan_column_count):
        if not (node.column_use[c] & use_mask) or (node.column_use[c] & skip_mask):
            continue
        # (out_types would not do: in a lookup the input's columns stand before these)
        type_oid = node.layout.type_oids[node.scan_columns[c]] if node.scan_columns[c] >= 0 else <uint32_t>OID_BYTEA
        if vector_alloc(op.batch_pool, &out[c], type_oid, type_phys(type_oid), count) < 0:
            return no_memory(op.execution)
        if node.scan_columns[c] >= 0:
            if vector_nulls(op.batch_pool, &out[c], count) < 0:
                return no_memory(op.execution)
            row_gather(&node.layout, values, count, <uint32_t>node.scan_columns[c], &out[c])
            continue
        keys_out = <Var*>out[c].data
        for i in range(count):
            suffix = keys[i]
            if node.scan_columns[c] == -2:
                suffix = row_key_suffix(node, suffix)
            keys_out[i].data = suffix.data
            keys_out[i].size = <uint32_t>suffix.size
            keys_out[i].reserved = 0
    return 0


cdef int _emit(ScanOp* scan) noexcept nogil:
    # The fetched entries become the output batch. STEP_ROWS, STEP_DONE = nothing passed, or yield / error.
    cdef Op* op = &scan.base
    cdef const PlanNode* node = op.node
    cdef Execution* x = op.execution
    cdef uint32_t count = scan.fetched
    cdef uint32_t kept_count = count
    cdef uint32_t i
    cdef uint32_t c
    cdef uint32_t pushed_count
    cdef uint32_t* kept = NULL
    cdef uint32_t* pushed = NULL
    cdef Vector* columns
    cdef Slice* values = scan.values
    cdef Slice* keys = scan.keys
    cdef Slice* packed
    cdef int r
    if count == 1 and values == NULL:
        values = &scan.one_value
        keys = &scan.one_key
    columns = <Vector*>pool_alloc(op.batch_pool, (node.scan_column_count + 1) * sizeof(Vector))
    if columns == NULL:
        return no_memory(x)
    for c in range(node.scan_column_count):
        if not node.column_use[c]:
            columns[c].data = _unread
            columns[c].nulls = _unread
            columns[c].type_oid = node.out_types[c]
            columns[c].phys = node.out_phys[c]
            columns[c].stride = 0
    op.out.columns = columns
    op.out.column_count = node.scan_column_count
    op.out.row_count = count
    op.out.sel = NULL
    op.out.sel_count = count
    if node.cond != NULL:
        if scan_columns(op, node, keys, values, count, 2, 0, columns) < 0:
            return STEP_ERROR
        kept = <uint32_t*>pool_alloc(op.batch_pool, count * sizeof(uint32_t))
        if kept == NULL:
            return no_memory(x)
        op_eval_here(op)
        r = eval_filter(x, node.cond, &op.out, NULL, count, kept, &kept_count)
        if r != EVAL_OK:
            return eval_step(r)
        pushed_count = kept_count
        if node.late != NULL and kept_count:
            pushed = kept
            kept = <uint32_t*>pool_alloc(op.batch_pool, count * sizeof(uint32_t))
            if kept == NULL:
                return no_memory(x)
            r = eval_filter(x, node.late, &op.out, pushed, pushed_count, kept, &kept_count)
            if r != EVAL_OK:
                return eval_step(r)
        if op.stats != NULL:
            op.stats.passed += pushed_count
            op.stats.removed += pushed_count - kept_count
        if kept_count == 0:
            return STEP_DONE
    elif op.stats != NULL:
        op.stats.passed += count
    if scan.remaining >= 0:
        if <int64_t>kept_count > scan.remaining:
            kept_count = <uint32_t>scan.remaining
            if kept == NULL:
                count = kept_count
                op.out.row_count = count
        scan.remaining -= kept_count
        if scan.remaining == 0:
            scan.phase = PHASE_DONE
    if kept != NULL and kept_count < count:
        if kept_count * 2 < count:
            packed = <Slice*>pool_alloc(op.batch_pool, kept_count * sizeof(Slice) * 2)
            if packed == NULL:
                return no_memory(x)
            for i in range(kept_count):
                packed[i] = values[kept[i]]
            if scan.needs_keys:
                for i in range(kept_count):
                    packed[kept_count + i] = keys[kept[i]]
            for c in range(node.scan_column_count):
                if node.column_use[c] & 2:
                    vector_compact(&columns[c], kept, kept_count)
            values = packed
            keys = packed + kept_count
            count = kept_count
            op.out.row_count = count
        else:
            op.out.sel = kept
    op.out.sel_count = kept_count
    if scan_columns(op, node, keys, values, count, 1, 2, columns) < 0:
        return STEP_ERROR
    return STEP_ROWS


cdef int _start(ScanOp* scan) noexcept nogil:
    # Computes bounds and limit. STEP_ROWS = a range or point is ready, STEP_DONE = empty, or yield / error.
    cdef Op* op = &scan.base
    cdef const PlanNode* node = op.node
    cdef int r
    scan.remaining = -1
    if node.limit != NULL:
        r = eval_bigint(op, node.limit, &scan.remaining)
        if r < 0:
            return STEP_ERROR
        if r == 1:
            scan.remaining = -1
        elif scan.remaining < 0:
            dsql_error_set(op.execution.eval.error, "2201W", "LIMIT must not be negative")
            return STEP_ERROR
        elif scan.remaining == 0:
            return STEP_DONE
    r = bounds_eval(op, node, one_row(), NULL, 1, &op.run.pool, &scan.bounds)
    if r != EVAL_OK:
        return eval_step(r)
    return STEP_ROWS


cdef int _point(ScanOp* scan) noexcept nogil:
    # One entry by its whole key. STEP_ROWS, STEP_DONE, STEP_ERROR.
    cdef Op* op = &scan.base
    cdef const PlanNode* node = op.node
    cdef Execution* x = op.execution
    cdef TreeWrites* changes
    cdef page_no_t root
    cdef uint32_t i
    cdef int r
    scan.phase = PHASE_DONE
    x.scratch.size = 0
    for i in range(node.eq_count):
        if vector_is_null(&scan.bounds.eq[i], 0):
            return STEP_DONE
        if append_key_part(op, &x.scratch, &scan.bounds.eq[i], 0, 0) < 0:
            return STEP_ERROR
    changes = walk_changes(x.session, node.tree, &root)
    r = walk_get(x.session, root, changes, x.command, x.scratch.data, x.scratch.size, op.batch_pool, &scan.one_value)
    if r < 0:
        return _corrupt(op)
    if op.stats != NULL:
        stats_read(op.stats)
    if r == 0:
        return STEP_DONE
    if scan.needs_keys:
        scan.one_key.size = x.scratch.size
        scan.one_key.data = <uint8_t*>pool_alloc(op.batch_pool, x.scratch.size)
        if scan.one_key.data == NULL:
            return no_memory(x)
        for i in range(<uint32_t>x.scratch.size):
            (<uint8_t*>scan.one_key.data)[i] = x.scratch.data[i]
    if op.stats != NULL:
        stats_entries(op.stats, &scan.one_key, &scan.one_value, 1)
    scan.fetched = 1
    return STEP_ROWS


cdef int _corrupt(Op* op) noexcept nogil:
    dsql_error_set(op.execution.eval.error, "XX001", "invalid page in tree %llu", <unsigned long long>op.node.tree)
    return STEP_ERROR


cdef int _grow(ScanOp* scan) noexcept nogil:
    cdef Op* op = &scan.base
    cdef uint32_t capacity
    if scan.capacity == 0:
        capacity = FIRST_ROWS
        if scan.remaining >= 0 and op.node.cond == NULL and scan.remaining < FIRST_ROWS:
            capacity = <uint32_t>scan.remaining
    elif scan.capacity < BATCH_ROWS:
        capacity = BATCH_ROWS
    else:
        return 0
    scan.values = <Slice*>pool_alloc(&op.run.pool, capacity * sizeof(Slice))
    if scan.values == NULL:
        return no_memory(op.execution)
    if scan.needs_keys:
        scan.keys = <Slice*>pool_alloc(&op.run.pool, capacity * sizeof(Slice))
        if scan.keys == NULL:
            return no_memory(op.execution)
    scan.capacity = capacity
    return 0


cdef int scan_next(Op* op) noexcept nogil:
    cdef ScanOp* scan = <ScanOp*>op
    cdef const PlanNode* node = op.node
    cdef Execution* x = op.execution
    cdef KeyRange range
    cdef int r
    if op.has_input:
        # The filter yielded: the entries are still at hand.
        r = _emit(scan)
        if r == STEP_ROWS or r == STEP_DONE:
            op.has_input = 0
        if r != STEP_DONE:
            return r
    while True:
        if scan.phase == PHASE_DONE:
            return STEP_DONE
        r = source_pause(op)
        if r != 0:
            return r
        if scan.phase == PHASE_START:
            r = _start(scan)
            if r != STEP_ROWS:
                if r == STEP_DONE:
                    scan.phase = PHASE_DONE
                return r
            if node.is_point:
                r = _point(scan)
                if r != STEP_ROWS:
                    return r
                scan.values = NULL
            else:
                scan.prefix_count = bounds_prefixes(op, node, &scan.bounds, 0, &op.run.pool, &scan.prefixes)
                if scan.prefix_count < 0:
                    return STEP_ERROR
                walk_open(&scan.walk, x.session, node.tree, x.command, node.flag)
                scan.phase = PHASE_NEXT
                continue
        elif scan.phase == PHASE_NEXT:
            if scan.prefix_at == scan.prefix_count:
                scan.phase = PHASE_DONE
                return STEP_DONE
            r = bounds_range(op, node, &scan.bounds, 0,
                             scan.prefixes[scan.prefix_count - 1 - scan.prefix_at if node.flag else scan.prefix_at],
                             &op.run.pool, &range)
            scan.prefix_at += 1
            if r < 0:
                return STEP_ERROR
            if r == 0:
                continue
            if walk_seek(&scan.walk, x.session, &range) < 0:
                return _corrupt(op)
            if op.stats != NULL:
                stats_read(op.stats)
            scan.phase = PHASE_RANGE
            continue
        else:
            if scan.fetched == scan.capacity and _grow(scan) < 0:
                return STEP_ERROR
            pool_reset(op.batch_pool)
            r = walk_fetch(&scan.walk, <int>scan.capacity, op.batch_pool, scan.keys, scan.values)
            if r < 0:
                return _corrupt(op)
            if r < <int>scan.capacity:
                scan.phase = PHASE_NEXT
            if r == 0:
                continue
            scan.fetched = <uint32_t>r
            if op.stats != NULL:
                stats_entries(op.stats, scan.keys, scan.values, scan.fetched)
        op_name_batch(op)
        r = _emit(scan)
        if r == STEP_DONE:
            continue
        if r != STEP_ROWS and r != STEP_ERROR:
            op.has_input = 1
        return r


cdef Op* scan_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* op = op_alloc(run, node, sizeof(ScanOp), scan_next)
    cdef ScanOp* scan = <ScanOp*>op
    cdef uint32_t c
    if op == NULL or op_own_pool(op) < 0:
        return NULL
    scan.needs_keys = op.stats != NULL           # their bytes are counted
    for c in range(node.scan_column_count):
        if node.scan_columns[c] < 0 and node.column_use[c]:
            scan.needs_keys = 1
    return op


operator_register(P_SCAN, scan_open)

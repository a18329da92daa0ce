"""Distinct and set operations over hash tables of rows.

UNION ALL streams both inputs; UNION and DISTINCT pass a row the first time it comes. INTERSECT and EXCEPT count the
rows of the right input first, then let the left input through by what is counted:

  intersect       passes once when counted          intersect all   passes and counts down while above zero
  except          passes once when not counted      except all      passes when the count has reached zero

Invariants
  E5  NULL equals NULL here, as the standard says for set operations.

Owner of the memory: run.pool (tables), the operator's batch pool (selections).
"""

from dsql_core.base.memory cimport pool_alloc, pool_reset
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Batch
from dsql_core.execute.hashtable cimport TupleTable, table_init, table_reserve, table_slot
from dsql_core.execute.machine cimport no_memory, op_alloc, op_next, op_open, op_own_pool, operator_register
from dsql_core.execute.state cimport (Op, P_DISTINCT, P_SETOP, PlanNode, Run, SET_EXCEPT, SET_EXCEPT_ALL, SET_INTERSECT,
                                      SET_INTERSECT_ALL, SET_UNION, SET_UNION_ALL, STEP_DONE, STEP_ERROR, STEP_ROWS)
from dsql_core.execute.tuples cimport hash_vectors, tuple_store, tuple_word

cdef struct SetOp_:
    Op base
    TupleTable table
    int32_t phase                  # union: 0 first input, 1 second; others: 0 count, 1 pass; 2 done
    int32_t reserved


cdef inline int64_t* _count_of(const PlanNode* node, uint8_t* tuple) noexcept nogil:
    return <int64_t*>(tuple + node.tuples.size - 16)


cdef uint64_t* _hashes(SetOp_* op, const Batch* batch) noexcept nogil:
    cdef uint64_t* hashes = <uint64_t*>pool_alloc(op.base.batch_pool, (batch.row_count + 1) * sizeof(uint64_t))
    if hashes == NULL:
        no_memory(op.base.execution)
        return NULL
    hash_vectors(batch.columns, op.base.node.column_count, batch.sel, batch.sel_count, hashes)
    return hashes


cdef uint8_t** _slot(SetOp_* op, const Batch* batch, uint32_t row, uint64_t hash) noexcept nogil:
    # The row's place in the table; NULL = no memory.
    if table_reserve(&op.table) < 0:
        no_memory(op.base.execution)
        return NULL
    return table_slot(&op.table, &op.base.node.tuples, hash, 0, batch.columns, op.base.node.column_count, row)


cdef int _put(SetOp_* op, const Batch* batch, uint32_t row, uint64_t hash, uint8_t** slot) noexcept nogil:
    slot[0] = tuple_store(&op.base.node.tuples, &op.base.run.pool, batch.columns, row)
    if slot[0] == NULL:
        return no_memory(op.base.execution)
    tuple_word(slot[0])[0] = hash
    _count_of(op.base.node, slot[0])[0] = 0
    op.table.count += 1
    return 0


cdef int _passes(SetOp_* op, const Batch* batch, uint32_t row, uint64_t hash) noexcept nogil:
    # Whether a row goes out. 1, 0, -1.
    cdef uint8_t kind = op.base.node.kind
    cdef uint8_t** slot = _slot(op, batch, row, hash)
    cdef int64_t* counted
    if slot == NULL:
        return -1
    if op.base.node.op == P_DISTINCT or kind == SET_UNION or kind == SET_EXCEPT:
        if slot[0] != NULL:
            return 0
        return -1 if _put(op, batch, row, hash, slot) < 0 else 1
    if slot[0] == NULL:
        return kind == SET_EXCEPT_ALL
    counted = _count_of(op.base.node, slot[0])
    if kind == SET_INTERSECT:
        if counted[0] == 0:
            return 0
        counted[0] = 0
        return 1
    if counted[0] == 0:
        return kind == SET_EXCEPT_ALL
    counted[0] -= 1
    return kind == SET_INTERSECT_ALL


cdef int _pass_batch(SetOp_* op, const Batch* batch) noexcept nogil:
    # STEP_ROWS, STEP_DONE = nothing passed, STEP_ERROR.
    cdef uint64_t* hashes
    cdef uint32_t* sel
    cdef uint32_t kept = 0
    cdef uint32_t i
    cdef uint32_t row
    cdef int r
    pool_reset(op.base.batch_pool)
    hashes = _hashes(op, batch)
    sel = <uint32_t*>pool_alloc(op.base.batch_pool, (batch.sel_count + 1) * sizeof(uint32_t))
    if hashes == NULL or sel == NULL:
        return no_memory(op.base.execution)
    for i in range(batch.sel_count):
        row = i if batch.sel == NULL else batch.sel[i]
        r = _passes(op, batch, row, hashes[row])
        if r < 0:
            return STEP_ERROR
        sel[kept] = row
        kept += <uint32_t>r
    op.base.out = batch[0]
    op.base.out.sel = sel
    op.base.out.sel_count = kept
    return STEP_ROWS if kept else STEP_DONE


cdef int _count_right(SetOp_* op) noexcept nogil:
    # INTERSECT, EXCEPT: the right input into the table.
    cdef const Batch* batch
    cdef uint64_t* hashes
    cdef uint8_t** slot
    cdef uint32_t i
    cdef uint32_t row
    cdef int r
    while True:
        r = op_next(op.base.child2)
        if r != STEP_ROWS:
            return r
        batch = &op.base.child2.out
        pool_reset(op.base.batch_pool)
        hashes = _hashes(op, batch)
        if hashes == NULL:
            return STEP_ERROR
        for i in range(batch.sel_count):
            row = i if batch.sel == NULL else batch.sel[i]
            slot = _slot(op, batch, row, hashes[row])
            if slot == NULL or (slot[0] == NULL and _put(op, batch, row, hashes[row], slot) < 0):
                return STEP_ERROR
            _count_of(op.base.node, slot[0])[0] += 1


cdef int distinct_next(Op* base) noexcept nogil:
    cdef int r
    while True:
        r = op_next(base.child)
        if r != STEP_ROWS:
            return r
        r = _pass_batch(<SetOp_*>base, &base.child.out)
        if r != STEP_DONE:
            return r


cdef int setop_next(Op* base) noexcept nogil:
    cdef SetOp_* op = <SetOp_*>base
    cdef uint8_t kind = base.node.kind
    cdef int is_union = kind == SET_UNION_ALL or kind == SET_UNION
    cdef Op* source
    cdef int r
    if not is_union and op.phase == 0:
        r = _count_right(op)
        if r != STEP_DONE:
            return r
        op.phase = 1
    while op.phase < 2:
        source = base.child2 if is_union and op.phase == 1 else base.child
        r = op_next(source)
        if r == STEP_DONE:
            op.phase = op.phase + 1 if is_union else 2
            continue
        if r != STEP_ROWS:
            return r
        if kind == SET_UNION_ALL:
            pool_reset(base.batch_pool)
            base.out = source.out
            return STEP_ROWS
        r = _pass_batch(op, &source.out)
        if r != STEP_DONE:
            return r
    return STEP_DONE


cdef Op* set_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* base = op_alloc(run, node, sizeof(SetOp_), distinct_next if node.op == P_DISTINCT else setop_next)
    if base == NULL or op_own_pool(base) < 0:
        return NULL
    base.child = op_open(run, node.child)
    if base.child == NULL:
        return NULL
    if node.op == P_SETOP:
        base.child2 = op_open(run, node.child2)
        if base.child2 == NULL:
            return NULL
    table_init(&(<SetOp_*>base).table, &run.pool)
    return base


operator_register(P_DISTINCT, set_open)
operator_register(P_SETOP, set_open)

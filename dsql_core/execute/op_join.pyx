"""Hash join, nested-loop join, apply.

hash_join keeps the right side in a hash table (tuples chained when their keys are equal), nl_join in a list; apply runs
its right side anew for every left row, with parameters taken from it. Tuples carry two words behind their columns: the
next tuple of the chain, and whether the row found a partner (RIGHT, FULL).

Invariants
  H1  a row with a NULL key never matches; it still counts as unmatched for LEFT, RIGHT, FULL and ANTI.
  H2  null_anti (NOT IN): any NULL key on the right leaves nothing; a left NULL key passes only when the right is empty.
  H3  the left batch at hand is not pulled anew before all its candidates are flushed.

Owner of the memory: run.pool (right rows, tables); apply's rows in a pool of their own, reset per flush.
"""

from dsql_core.base.memory cimport Pool, pool_alloc, pool_reset
from dsql_core.base.types cimport int32_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport BATCH_ROWS, Batch, Vector
from dsql_core.execute.expr cimport EVAL_OK, eval_expr
from dsql_core.execute.hashtable cimport TupleTable, rows_add, table_init, table_reserve, table_slot
from dsql_core.execute.join cimport JoinBuffer, join_add, join_flush, join_init, join_right_only, join_room
from dsql_core.execute.machine cimport (eval_step, machine_pause, no_memory, op_alloc, op_next, op_open, op_own_pool,
                                        op_pull, operator_register, run_start, source_pause, sub_run)
from dsql_core.execute.state cimport (JOIN_ANTI, JOIN_FULL, JOIN_INNER, JOIN_NULL_ANTI, JOIN_RIGHT, JOIN_SEMI, Op, P_APPLY,
                                      P_HASH_JOIN, P_NL_JOIN, PlanNode, RowList, Run, STEP_DONE, STEP_ERROR, STEP_ROWS)
from dsql_core.execute.stats cimport pool_used
from dsql_core.execute.tuples cimport hash_vectors, tuple_store, tuple_store_split, tuple_word
from dsql_core.execute.vectors cimport vector_value

cdef enum:
    NOT_BEGUN = 0x7FFFFFFF         # left_at of a batch whose keys are not computed yet

cdef struct JoinOp:
    Op base
    JoinBuffer buffer
    TupleTable table
    RowList rows                   # all right rows (nl_join, RIGHT, FULL, apply: of the left row at hand)
    uint64_t right_count           # rows the right side had
    int32_t has_null_key           # null_anti
    int32_t phase                  # 0 build, 1 probe, 2 unmatched right rows, 3 done
    uint32_t right_columns
    uint32_t next_offset           # of a tuple's chain word; the matched word follows
    Vector* keys                   # of the left batch
    uint64_t* hashes
    uint32_t left_at               # selected rows of the left batch done with
    int32_t in_row                 # the row at left_at has begun
    uint8_t* chain                 # hash join: next candidate of the row
    uint64_t right_at              # nl_join: next candidate; unmatched: next row
    uint8_t** found                # unmatched right rows to emit
    Run* right_run                 # apply
    Pool* right_pool               # apply: rows of the right side


cdef inline uint8_t** _next_of(JoinOp* op, uint8_t* tuple) noexcept nogil:
    return <uint8_t**>(tuple + op.next_offset)


cdef int _store_right(JoinOp* op, const Batch* batch, Vector* keys) noexcept nogil:
    # A right batch into table and list. keys NULL: list only. 0, -1.
    cdef const PlanNode* node = op.base.node
    cdef Pool* pool = &op.base.run.pool
    cdef int keep_list = keys == NULL or node.kind == JOIN_RIGHT or node.kind == JOIN_FULL
    cdef uint32_t i
    cdef uint32_t k
    cdef uint32_t row
    cdef uint64_t* hashes = NULL
    cdef uint8_t* tuple
    cdef uint8_t** slot
    cdef int is_null
    if keys != NULL:
        hashes = <uint64_t*>pool_alloc(op.base.child2.batch_pool, (batch.row_count + 1) * sizeof(uint64_t))
        if hashes == NULL:
            return no_memory(op.base.execution)
        hash_vectors(keys, node.key_count, batch.sel, batch.sel_count, hashes)
    for i in range(batch.sel_count):
        row = i if batch.sel == NULL else batch.sel[i]
        op.right_count += 1
        is_null = 0
        if keys != NULL:
            for k in range(node.key_count):
                if keys[k].nulls != NULL and keys[k].nulls[row * keys[k].stride]:
                    is_null = 1
            if is_null:
                op.has_null_key = 1
                if not keep_list:
                    continue
        tuple = tuple_store_split(&node.tuples, pool, batch.columns, batch.column_count, keys, row)
        if tuple == NULL or (keep_list and rows_add(&op.rows, pool, tuple) < 0):
            return no_memory(op.base.execution)
        _next_of(op, tuple)[0] = NULL
        (<uint64_t*>(tuple + op.next_offset + 8))[0] = 0
        if keys == NULL or is_null:
            continue
        if table_reserve(&op.table) < 0:
            return no_memory(op.base.execution)
        tuple_word(tuple)[0] = hashes[row]
        slot = table_slot(&op.table, &node.tuples, hashes[row], op.right_columns, keys, node.key_count, row)
        if slot[0] == NULL:
            slot[0] = tuple
            op.table.count += 1
        else:
            # Behind the head: the head's place in the table stays.
            _next_of(op, tuple)[0] = _next_of(op, slot[0])[0]
            _next_of(op, slot[0])[0] = tuple
    return 0


cdef int _keys_of(JoinOp* op, Op* side, Vector* out, int is_right) noexcept nogil:
    # Key expressions over a side's batch, in that side's pool. StepResult-like: 0, or yield / error.
    cdef const PlanNode* node = op.base.node
    cdef uint32_t k
    cdef int r
    op.base.execution.eval.pool = side.batch_pool
    op.base.execution.eval_id = op.base.eval_id
    op.base.execution.no_yield += 1
    r = EVAL_OK
    for k in range(node.key_count):
        r = eval_expr(op.base.execution, node.rkeys[k] if is_right else node.lkeys[k], &side.out, side.out.sel,
                      side.out.sel_count, &out[k])
        if r != EVAL_OK:
            break
    op.base.execution.no_yield -= 1
    return 0 if r == EVAL_OK else eval_step(r)


cdef int _build(JoinOp* op) noexcept nogil:
    cdef Op* base = &op.base
    cdef Vector* keys = NULL
    cdef uint64_t used = 0
    cdef int r
    while True:
        r = op_next(base.child2)
        if r != STEP_ROWS:
            return r
        if base.node.op == P_HASH_JOIN:
            keys = <Vector*>pool_alloc(base.child2.batch_pool, (base.node.key_count + 1) * sizeof(Vector))
            if keys == NULL:
                return no_memory(base.execution)
            base.execution.eval_counter += 1
            base.eval_id = base.execution.eval_counter
            r = _keys_of(op, base.child2, keys, 1)
            if r != 0:
                return r
        if base.stats != NULL:
            used = pool_used(&base.run.pool)
        if _store_right(op, &base.child2.out, keys) < 0:
            return STEP_ERROR
        if base.stats != NULL:
            base.stats.memory += pool_used(&base.run.pool) - used
            base.stats.buckets = op.table.mask + 1


cdef int _left_null(JoinOp* op, uint32_t row) noexcept nogil:
    cdef uint32_t k
    for k in range(op.base.node.key_count):
        if op.keys[k].nulls != NULL and op.keys[k].nulls[row * op.keys[k].stride]:
            return 1
    return 0


cdef int _probe_hash(JoinOp* op) noexcept nogil:
    # Candidates of the left batch until it is through (STEP_DONE) or the buffer is full (STEP_ROWS).
    cdef const PlanNode* node = op.base.node
    cdef const Batch* left = &op.base.child.out
    cdef uint8_t kind = node.kind
    cdef uint32_t row
    cdef int room
    cdef int first_only = node.cond == NULL and (kind == JOIN_SEMI or kind == JOIN_ANTI or kind == JOIN_NULL_ANTI)
    while op.left_at < left.sel_count:
        row = op.left_at if left.sel == NULL else left.sel[op.left_at]
        if not op.in_row:
            op.in_row = 1
            op.chain = NULL
            if kind == JOIN_NULL_ANTI and op.right_count and (op.has_null_key or _left_null(op, row)):
                op.in_row = 0
                op.left_at += 1
                continue
            if op.table.count and not _left_null(op, row):
                op.chain = table_slot(&op.table, &node.tuples, op.hashes[row], op.right_columns, op.keys,
                                      node.key_count, row)[0]
        while op.chain != NULL:
            room = join_room(&op.base, &op.buffer)
            if room <= 0:
                return STEP_ROWS if room == 0 else STEP_ERROR
            join_add(&op.buffer, row, op.chain)
            op.chain = NULL if first_only else _next_of(op, op.chain)[0]
        if op.buffer.needs_end:
            room = join_room(&op.base, &op.buffer)
            if room <= 0:
                return STEP_ROWS if room == 0 else STEP_ERROR
            join_add(&op.buffer, row, NULL)
        op.in_row = 0
        op.left_at += 1
    return STEP_DONE


cdef int _probe_rows(JoinOp* op) noexcept nogil:
    # Nested loop over op.rows, as _probe_hash.
    cdef const Batch* left = &op.base.child.out
    cdef uint32_t row
    cdef int room
    while op.left_at < left.sel_count:
        row = op.left_at if left.sel == NULL else left.sel[op.left_at]
        while op.right_at < op.rows.count:
            room = join_room(&op.base, &op.buffer)
            if room <= 0:
                return STEP_ROWS if room == 0 else STEP_ERROR
            join_add(&op.buffer, row, op.rows.rows[op.right_at])
            op.right_at += 1
        if op.buffer.needs_end:
            room = join_room(&op.base, &op.buffer)
            if room <= 0:
                return STEP_ROWS if room == 0 else STEP_ERROR
            join_add(&op.buffer, row, NULL)
        op.right_at = 0
        op.left_at += 1
    return STEP_DONE


cdef int _probe_apply(JoinOp* op) noexcept nogil:
    # Runs the right side for each left row; as _probe_hash, but may also answer STEP_YIELD.
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef const Batch* left = &base.child.out
    cdef const Batch* right
    cdef uint32_t row
    cdef uint32_t i
    cdef uint8_t* tuple
    cdef int room
    cdef int r
    while op.left_at < left.sel_count:
        row = op.left_at if left.sel == NULL else left.sel[op.left_at]
        if not op.in_row:
            for i in range(node.param_count):
                vector_value(&op.keys[i], row, &base.execution.params[node.param_index[i]])
            base.execution.param_epoch += 1
            if run_start(op.right_run, node.child2) < 0:
                return STEP_ERROR
            op.in_row = 1
            op.right_at = 0
            op.rows.count = 0
        while True:
            # Rows of the right batch are stored, then turned into candidates while there is room.
            while op.right_at < op.rows.count:
                room = join_room(base, &op.buffer)
                if room <= 0:
                    return STEP_ROWS if room == 0 else STEP_ERROR
                join_add(&op.buffer, row, op.rows.rows[op.right_at])
                op.right_at += 1
            if op.in_row == 2:
                break
            r = op_next(op.right_run.root)
            if r == STEP_DONE:
                op.in_row = 2
                break
            if r != STEP_ROWS:
                return r
            right = &op.right_run.root.out
            op.rows.count = 0
            op.right_at = 0
            for i in range(right.sel_count):
                tuple = tuple_store(&node.tuples, op.right_pool, right.columns, i if right.sel == NULL else right.sel[i])
                if tuple == NULL or rows_add(&op.rows, &base.run.pool, tuple) < 0:
                    return no_memory(base.execution)
        if op.buffer.needs_end:
            room = join_room(base, &op.buffer)
            if room <= 0:
                return STEP_ROWS if room == 0 else STEP_ERROR
            join_add(&op.buffer, row, NULL)
        op.in_row = 0
        op.left_at += 1
    return STEP_DONE


cdef int _begin_left(JoinOp* op) noexcept nogil:
    # A new left batch: its keys and hashes (hash join), its parameters (apply). 0, or yield / error.
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef const Batch* left = &base.child.out
    cdef Pool* pool = base.child.batch_pool
    cdef uint32_t count = node.param_count if node.op == P_APPLY else node.key_count
    cdef uint32_t i
    cdef int r
    op.left_at = 0
    op.in_row = 0
    op.right_at = 0
    if node.op == P_NL_JOIN:
        return 0
    op.keys = <Vector*>pool_alloc(pool, (count + 1) * sizeof(Vector))
    if op.keys == NULL:
        return no_memory(base.execution)
    if node.op == P_HASH_JOIN:
        r = _keys_of(op, base.child, op.keys, 0)
        if r != 0:
            return r
        op.hashes = <uint64_t*>pool_alloc(pool, (left.row_count + 1) * sizeof(uint64_t))
        if op.hashes == NULL:
            return no_memory(base.execution)
        hash_vectors(op.keys, node.key_count, left.sel, left.sel_count, op.hashes)
        return 0
    base.execution.eval.pool = pool
    base.execution.eval_id = base.eval_id
    for i in range(count):
        r = eval_expr(base.execution, node.params[i], left, left.sel, left.sel_count, &op.keys[i])
        if r != EVAL_OK:
            return eval_step(r)
    return 0


cdef int _unmatched(JoinOp* op) noexcept nogil:
    # RIGHT and FULL: right rows that found no partner.
    cdef uint32_t count = 0
    cdef uint8_t* tuple
    if op.found == NULL:
        op.found = <uint8_t**>pool_alloc(&op.base.run.pool, BATCH_ROWS * sizeof(uint8_t*))
        if op.found == NULL:
            return no_memory(op.base.execution)
    while op.right_at < op.rows.count and count < BATCH_ROWS:
        tuple = op.rows.rows[op.right_at]
        op.right_at += 1
        if (<uint64_t*>(tuple + op.next_offset + 8))[0] == 0:
            op.found[count] = tuple
            count += 1
    if count == 0:
        op.phase = 3
        return STEP_DONE
    return join_right_only(&op.base, op.found, count, op.right_columns)


cdef int join_next(Op* base) noexcept nogil:
    cdef JoinOp* op = <JoinOp*>base
    cdef const PlanNode* node = base.node
    cdef int r
    cdef int probed
    if op.phase == 0:
        if node.op != P_APPLY:
            r = _build(op)
            if r != STEP_DONE:
                return r
        op.phase = 1
        # Nothing on the right: some kinds have no rows at all.
        if node.op != P_APPLY and op.right_count == 0 and \
                (node.kind == JOIN_INNER or node.kind == JOIN_RIGHT or node.kind == JOIN_SEMI):
            op.phase = 3
    while op.phase == 1:
        if node.op == P_APPLY and op.buffer.count == 0 and op.right_at >= op.rows.count:
            pool_reset(op.right_pool)        # the batch that pointed into it is done with
        if base.has_input:
            # One left batch may have very many partners: its output is a source of its own and yields like one.
            r = source_pause(base)
            if r != 0:
                return r
        else:
            r = op_pull(base)
            if r == STEP_DONE:
                op.phase = 2 if node.kind == JOIN_RIGHT or node.kind == JOIN_FULL else 3
                op.right_at = 0
                break
            if r != STEP_ROWS:
                return r
            op.left_at = NOT_BEGUN
        if op.left_at == NOT_BEGUN:
            r = _begin_left(op)
            if r != 0:
                return r
        if node.op == P_HASH_JOIN:
            probed = _probe_hash(op)
        elif node.op == P_NL_JOIN:
            probed = _probe_rows(op)
        else:
            probed = _probe_apply(op)
        if probed != STEP_ROWS and probed != STEP_DONE:
            return probed
        r = join_flush(base, &op.buffer, &base.child.out)
        if r != STEP_ROWS and r != STEP_DONE:
            return r
        if probed == STEP_DONE:
            base.has_input = 0
        if r == STEP_ROWS:
            return STEP_ROWS
        r = machine_pause(base.execution)
        if r != 0:
            return r
    if op.phase == 2:
        return _unmatched(op)
    return STEP_DONE


cdef Op* join_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* base = op_alloc(run, node, sizeof(JoinOp), join_next)
    cdef JoinOp* op = <JoinOp*>base
    if base == NULL:
        return NULL
    if node.op == P_APPLY:
        if op_own_pool(base) < 0:
            return NULL
        op.right_pool = base.batch_pool
        op.right_run = sub_run(run.execution, node)
        if op.right_run == NULL:
            return NULL
    if op_own_pool(base) < 0:
        return NULL
    base.child = op_open(run, node.child)
    if base.child == NULL:
        return NULL
    if node.op != P_APPLY:
        base.child2 = op_open(run, node.child2)
        if base.child2 == NULL:
            return NULL
    op.right_columns = node.child2.column_count
    op.next_offset = node.tuples.size - 16
    table_init(&op.table, &run.pool)
    join_init(base, &op.buffer, op.right_columns, op.next_offset + 8)
    return base


operator_register(P_HASH_JOIN, join_open)
operator_register(P_NL_JOIN, join_open)
operator_register(P_APPLY, join_open)

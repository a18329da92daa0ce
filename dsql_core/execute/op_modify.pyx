"""INSERT, UPDATE, DELETE and row locks.

A modify operator takes its input batch by batch and writes as it goes: scans never see entries of their own command
(B2 of walk.pyx), so there is no Halloween problem. Rows of RETURNING are kept and handed out after the last write.

Row layouts: INSERT input = the full stored row; UPDATE and DELETE input holds the raw row key at node.row_key_column and
the full old row from node.old_column on. RETURNING reads new (DELETE: old) row ++ input row.

Invariants
  M1  a row is changed at most once per command; a second try is passed over (UPDATE, DELETE) or an error (ON CONFLICT).
  M2  every changed row is counted before it is written, against the transaction's row limit.
  M3  an UPDATE that changes the key is a delete and an insert, counted once (guess: key_update).

Owner of the memory: the operator's batch pool, reset per row batch; RETURNING rows in run.pool.
"""

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Pool, pool_alloc, pool_reset
from dsql_core.base.types cimport Slice, int32_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport BATCH_ROWS, Batch, Value, Var, Vector
from dsql_core.codec.message cimport CHECK_STAMP, CHECK_VALIDATE
from dsql_core.codec.row cimport row_column
from dsql_core.execute.after cimport after_note
from dsql_core.execute.expr cimport EVAL_OK, eval_expr, eval_filter
from dsql_core.execute.hashtable cimport rows_add
from dsql_core.execute.machine cimport (eval_step, machine_pause, no_memory, op_alloc, op_name_batch, op_next,
                                        op_open, op_own_pool, op_pull, operator_register)
from dsql_core.execute.modify_row cimport (RowWriter, writer_check, writer_complete, writer_count, writer_delete,
                                           writer_find_conflict, writer_get, writer_init, writer_insert, writer_is_done,
                                           writer_key, writer_update)
from dsql_core.execute.state cimport (Execution, Op, P_DELETE, P_INSERT, P_LOCK, P_UPDATE, PlanNode, RowList, Run,
                                      STEP_DONE, STEP_ERROR, STEP_ROWS, Session, TableInfo)
from dsql_core.execute.transaction cimport transaction_add_row_checks
from dsql_core.execute.tuples cimport tuple_batch, tuple_store
from dsql_core.execute.vectors cimport vector_is_null, vector_of_value, vector_value

cdef struct ModifyOp:
    Op base
    RowWriter writer
    Pool* row_pool                 # of the row at hand
    Value* old
    Value* row
    Vector* set_vectors            # SET expressions over the input batch
    Vector* returning_columns      # a row of RETURNING's input
    RowList returned
    uint64_t emitted
    uint32_t row_at                # selected rows of the input batch done with
    int32_t is_drained


cdef int _add_returning(ModifyOp* op, const Value* row, const Batch* input, uint32_t at) noexcept nogil:
    # Computes RETURNING over row ++ input row and keeps the result. 0, -1.
    cdef const PlanNode* node = op.base.node
    cdef uint32_t c
    cdef uint32_t columns = node.table.column_count
    cdef Batch batch
    cdef Value* values
    cdef Vector* out
    cdef uint8_t* tuple
    cdef int r
    if not node.has_returning:
        return 0
    values = <Value*>pool_alloc(op.row_pool, (input.column_count + 1) * sizeof(Value))
    out = <Vector*>pool_alloc(op.row_pool, (node.returning_count + 1) * sizeof(Vector))
    if values == NULL or out == NULL:
        return no_memory(op.base.execution)
    for c in range(columns):
        vector_of_value(&row[c], &op.returning_columns[c])
        op.returning_columns[c].type_oid = node.table.layout.type_oids[c]
        op.returning_columns[c].phys = node.table.layout.phys[c]
    for c in range(input.column_count):
        vector_value(&input.columns[c], at, &values[c])
        vector_of_value(&values[c], &op.returning_columns[columns + c])
    batch.row_count = 1
    batch.sel_count = 1
    batch.sel = NULL
    batch.columns = op.returning_columns
    batch.column_count = columns + input.column_count
    op.base.execution.eval.pool = op.row_pool
    op.base.execution.no_yield += 1
    op_name_batch(&op.base)
    op.base.execution.eval_id = op.base.eval_id
    r = EVAL_OK
    for c in range(node.returning_count):
        r = eval_expr(op.base.execution, node.returning[c], &batch, NULL, 1, &out[c])
        if r != EVAL_OK:
            break
    op.base.execution.no_yield -= 1
    if r != EVAL_OK:
        return -1
    tuple = tuple_store(&node.tuples2, &op.base.run.pool, out, 0)
    if tuple == NULL or rows_add(&op.returned, &op.base.run.pool, tuple) < 0:
        return no_memory(op.base.execution)
    return 0


cdef inline void _count(ModifyOp* op) noexcept nogil:
    if op.base.run == &op.base.execution.run:
        op.base.execution.row_count += 1


cdef int _resolve_conflict(ModifyOp* op, const Batch* input, uint32_t at) noexcept nogil:
    # ON CONFLICT DO UPDATE of the row at writer.conflict_key; op.row is the excluded row. 0, -1.
    cdef const PlanNode* node = op.base.node
    cdef const TableInfo* table = node.table
    cdef Execution* x = op.base.execution
    cdef Slice key = op.writer.conflict_key
    cdef Slice image
    cdef Batch batch
    cdef Vector v
    cdef uint32_t c
    cdef uint32_t kept
    cdef uint32_t kept_row
    cdef Value* updated
    cdef int r
    if writer_is_done(&op.writer, key):
        dsql_error_set(&x.session.error, "21000", "ON CONFLICT DO UPDATE command cannot affect row a second time")
        _hint(x, "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.")
        return -1
    if writer_get(&op.writer, key, &image) != 1:
        dsql_error_set(&x.session.error, "XX001", "index of relation \"%s\" points to no row", table.name)
        return -1
    updated = <Value*>pool_alloc(op.row_pool, (table.column_count + 1) * sizeof(Value))
    if updated == NULL:
        return no_memory(x)
    for c in range(table.column_count):
        row_column(&table.layout, image.data, c, &op.old[c])
        updated[c] = op.old[c]
        vector_of_value(&op.old[c], &op.returning_columns[c])
        vector_of_value(&op.row[c], &op.returning_columns[table.column_count + c])
    batch.row_count = 1
    batch.sel_count = 1
    batch.sel = NULL
    batch.columns = op.returning_columns
    batch.column_count = table.column_count * 2
    x.eval.pool = op.row_pool
    op_name_batch(&op.base)
    x.eval_id = op.base.eval_id
    x.no_yield += 1
    r = EVAL_OK
    if node.conflict_where != NULL:
        r = eval_filter(x, node.conflict_where, &batch, NULL, 1, &kept_row, &kept)
        if r == EVAL_OK and kept == 0:
            x.no_yield -= 1
            return 0
    for c in range(node.sets_of_count):
        if r != EVAL_OK:
            break
        r = eval_expr(x, node.sets_of[c].expr, &batch, NULL, 1, &v)
        if r == EVAL_OK:
            vector_value(&v, 0, &updated[node.sets_of[c].column])
    x.no_yield -= 1
    if r != EVAL_OK:
        return -1
    if writer_count(&op.writer) < 0 or writer_complete(&op.writer, updated) < 0 \
            or writer_check(&op.writer, updated) < 0 \
            or writer_update(&op.writer, node, op.old, updated, key) < 0:
        return -1
    if node.conflict_events >= 0 and after_note(&op.base, node.conflict_events, op.old, updated, op.writer.row_key) < 0:
        return -1
    _count(op)
    return _add_returning(op, updated, input, at)


cdef void _hint(Execution* x, const char* text) noexcept nogil:
    cdef size_t i = 0
    while text[i] and i < sizeof(x.session.error.hint) - 1:
        x.session.error.hint[i] = text[i]
        i += 1
    x.session.error.hint[i] = 0


cdef int _insert_row(ModifyOp* op, const Batch* input, uint32_t at) noexcept nogil:
    cdef const PlanNode* node = op.base.node
    cdef Slice key
    cdef uint32_t c
    cdef int r
    for c in range(node.table.column_count):
        vector_value(&input.columns[c], at, &op.row[c])
    if writer_complete(&op.writer, op.row) < 0 or writer_check(&op.writer, op.row) < 0 \
            or writer_key(&op.writer, op.row, &key) < 0:
        return -1
    if node.conflict_action:
        r = writer_find_conflict(&op.writer, node.conflict_index, op.row, key)
        if r < 0:
            return -1
        if r == 1:
            if op.base.stats != NULL:
                op.base.stats.removed += 1
            return 0 if node.conflict_action == 1 else _resolve_conflict(op, input, at)
    if writer_count(&op.writer) < 0 or writer_insert(&op.writer, op.row, key) < 0:
        return -1
    if node.events >= 0 and after_note(&op.base, node.events, NULL, op.row, key) < 0:
        return -1
    _count(op)
    return _add_returning(op, op.row, input, at)


cdef inline int _row_key(const Op* op, const Batch* input, uint32_t at, Slice* key) noexcept nogil:
    # Raw row key of the input row; 0 = NULL (the null-extended side of a join): nothing to change.
    cdef const Vector* v = &input.columns[op.node.row_key_column]
    cdef const Var* var
    if vector_is_null(v, at):
        return 0
    var = <const Var*>v.data + at * v.stride
    key.data = var.data
    key.size = var.size
    return 1


cdef int _update_row(ModifyOp* op, const Batch* input, uint32_t at) noexcept nogil:
    cdef const PlanNode* node = op.base.node
    cdef Slice key
    cdef uint32_t c
    if not _row_key(&op.base, input, at, &key) or writer_is_done(&op.writer, key):
        return 0
    for c in range(node.table.column_count):
        vector_value(&input.columns[node.old_column + c], at, &op.old[c])
        op.row[c] = op.old[c]
    for c in range(node.sets_of_count):
        vector_value(&op.set_vectors[c], at, &op.row[node.sets_of[c].column])
    if writer_complete(&op.writer, op.row) < 0 or writer_check(&op.writer, op.row) < 0 \
            or writer_count(&op.writer) < 0 or writer_update(&op.writer, node, op.old, op.row, key) < 0:
        return -1
    if node.events >= 0 and after_note(&op.base, node.events, op.old, op.row, op.writer.row_key) < 0:
        return -1
    _count(op)
    return _add_returning(op, op.row, input, at)


cdef int _delete_row(ModifyOp* op, const Batch* input, uint32_t at) noexcept nogil:
    cdef const PlanNode* node = op.base.node
    cdef Slice key
    cdef uint32_t c
    if not _row_key(&op.base, input, at, &key) or writer_is_done(&op.writer, key):
        return 0
    for c in range(node.table.column_count):
        vector_value(&input.columns[node.old_column + c], at, &op.old[c])
    if writer_count(&op.writer) < 0 or writer_delete(&op.writer, op.old, key) < 0:
        return -1
    if node.events >= 0 and after_note(&op.base, node.events, op.old, NULL, key) < 0:
        return -1
    _count(op)
    return _add_returning(op, op.old, input, at)


cdef int _begin_batch(ModifyOp* op) noexcept nogil:
    # SET expressions over the whole input batch. EVAL_*.
    cdef const PlanNode* node = op.base.node
    cdef const Batch* input = &op.base.child.out
    cdef uint32_t i
    cdef int r
    if node.op != P_UPDATE:
        return EVAL_OK
    op.base.execution.eval.pool = op.base.child.batch_pool
    op.base.execution.eval_id = op.base.eval_id
    for i in range(node.sets_of_count):
        r = eval_expr(op.base.execution, node.sets_of[i].expr, input, input.sel, input.sel_count, &op.set_vectors[i])
        if r != EVAL_OK:
            return r
    return EVAL_OK


cdef int _drain(ModifyOp* op) noexcept nogil:
    # Writes all rows of the input. STEP_DONE when it has ended.
    cdef const PlanNode* node = op.base.node
    cdef const Batch* input
    cdef uint32_t at
    cdef int r
    while True:
        if op.row_at == 0:
            r = op_pull(&op.base)
            if r != STEP_ROWS:
                return r
            r = _begin_batch(op)
            if r != EVAL_OK:
                return eval_step(r)
        input = &op.base.child.out
        while op.row_at < input.sel_count:
            at = op.row_at if input.sel == NULL else input.sel[op.row_at]
            pool_reset(op.row_pool)
            if node.op == P_INSERT:
                r = _insert_row(op, input, at)
            elif node.op == P_UPDATE:
                r = _update_row(op, input, at)
            else:
                r = _delete_row(op, input, at)
            if r < 0:
                return STEP_ERROR
            op.row_at += 1
            if (op.row_at & 63) == 0 and op.row_at < input.sel_count:
                r = machine_pause(op.base.execution)
                if r != 0:
                    return r
        op.row_at = 0
        op.base.has_input = 0


cdef int modify_next(Op* base) noexcept nogil:
    cdef ModifyOp* op = <ModifyOp*>base
    cdef uint64_t count
    cdef int r
    if not op.is_drained:
        r = _drain(op)
        if r != STEP_DONE:
            return r
        op.is_drained = 1
    count = op.returned.count - op.emitted
    if count == 0:
        return STEP_DONE
    if count > BATCH_ROWS:
        count = BATCH_ROWS
    pool_reset(base.batch_pool)
    if tuple_batch(&base.node.tuples2, base.batch_pool, op.returned.rows + op.emitted, <uint32_t>count, &base.out) < 0:
        return no_memory(base.execution)
    op.emitted += count
    return STEP_ROWS


cdef int _refuse_read_only(Op* op, const char* what) noexcept nogil:
    if not op.execution.session.is_read_only:
        return 0
    dsql_error_set(&op.execution.session.error, "25006", "cannot execute %s in a read-only transaction", what)
    return -1


cdef int _refuse_beside_ddl(Op* op) noexcept nogil:
    if not op.execution.session.did_ddl:
        return 0
    dsql_error_set(&op.execution.session.error, "0A000", "ddl and dml are not supported in the same transaction")
    return -1


cdef Op* modify_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* base = op_alloc(run, node, sizeof(ModifyOp), modify_next)
    cdef ModifyOp* op = <ModifyOp*>base
    cdef uint32_t columns = node.table.column_count
    cdef uint32_t width
    if base == NULL or _refuse_read_only(base, run.execution.program.tag) < 0 or _refuse_beside_ddl(base) < 0 \
            or op_own_pool(base) < 0:
        return NULL
    op.row_pool = base.batch_pool
    if writer_init(&op.writer, base) < 0:
        return NULL
    base.child = op_open(run, node.child)
    if base.child == NULL:
        return NULL
    width = columns + (node.child.column_count if node.child.column_count > columns else columns)
    op.old = <Value*>pool_alloc(&run.pool, (columns + 1) * sizeof(Value))
    op.row = <Value*>pool_alloc(&run.pool, (columns + 1) * sizeof(Value))
    op.set_vectors = <Vector*>pool_alloc(&run.pool, (node.sets_of_count + 1) * sizeof(Vector))
    op.returning_columns = <Vector*>pool_alloc(&run.pool, (width + 1) * sizeof(Vector))
    if op.old == NULL or op.row == NULL or op.set_vectors == NULL or op.returning_columns == NULL:
        no_memory(run.execution)
        return NULL
    if run == &run.execution.run:
        run.execution.counts_changes = 1
    run.execution.session.did_dml = 1
    return base


# -- locks -------------------------------------------------------------------------------------------------------------

cdef int lock_next(Op* op) noexcept nogil:
    # Passes rows through and notes the commit checks of FOR UPDATE / FOR KEY SHARE.
    cdef uint32_t i
    cdef Slice key
    cdef Session* session = op.execution.session
    cdef uint32_t row_flags = 0
    cdef uint32_t key_flags = CHECK_VALIDATE
    cdef uint32_t share_flags = CHECK_STAMP
    cdef int r = op_next(op.child)
    if r != STEP_ROWS:
        return r
    op.out = op.child.out
    if op.node.kind == 0:
        row_flags = CHECK_VALIDATE | CHECK_STAMP
        key_flags = CHECK_VALIDATE | CHECK_STAMP
        share_flags = CHECK_VALIDATE
    for i in range(op.out.sel_count):
        if not _row_key(op, &op.out, i if op.out.sel == NULL else op.out.sel[i], &key):
            continue
        if transaction_add_row_checks(session, op.node.table.tree, key.data, key.size, row_flags, key_flags,
                                      share_flags) < 0:
            return STEP_ERROR
    return STEP_ROWS


cdef Op* lock_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* op = op_alloc(run, node, sizeof(Op), lock_next)
    if op == NULL or _refuse_read_only(op, "SELECT FOR KEY SHARE" if node.kind else "SELECT FOR UPDATE") < 0:
        return NULL
    op.child = op_open(run, node.child)
    if op.child == NULL:
        return NULL
    op.batch_pool = op.child.batch_pool
    return op


operator_register(P_INSERT, modify_open)
operator_register(P_UPDATE, modify_open)
operator_register(P_DELETE, modify_open)
operator_register(P_LOCK, lock_open)

"""The life of one changed row: complete it, check it, write its image and its index entries, note the commit checks.

Index entry: key = encoded key parts ++ raw row key, value = image of the stored columns (contract).
Commit checks: see transaction.pyx; an UPDATE of other than key columns takes only the row's own check.

Invariants
  V1  uniqueness is judged on the newest state of the transaction (snapshot, own writes, this command's included).
  V2  old index entries are deleted before new ones are checked, so a row never collides with itself.
  V3  a row image is written after everything that can refuse it.

Owner of the memory: the writer's pool (reset between rows); images are copied by the write set.
"""

from libc.string cimport memcmp, memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport buffer_append, pool_alloc, pool_copy
from dsql_core.base.types cimport int64_t
from dsql_core.base.vector cimport PHYS_VAR
from dsql_core.codec.keycode cimport keycode_append, keycode_successor
from dsql_core.codec.message cimport CHECK_STAMP, CHECK_VALIDATE, fingerprint
from dsql_core.codec.row cimport row_encode
from dsql_core.execute.expr cimport EVAL_OK, eval_expr, eval_no_memory
from dsql_core.execute.keyrange cimport KeyRange
from dsql_core.execute.row_size cimport row_size_check, value_bytes
from dsql_core.execute.state cimport Expr, Limits, Session
from dsql_core.execute.transaction cimport transaction_add_check, transaction_add_row_checks
from dsql_core.execute.stats cimport stats_entries, stats_read, stats_write
from dsql_core.execute.tuples cimport scalar_equal
from dsql_core.execute.vectors cimport vector_of_value, vector_value
from dsql_core.execute.violation cimport violation_check, violation_not_null, violation_unique
from dsql_core.execute.walk cimport walk_changes, walk_fetch, walk_get, walk_open, walk_seek
from dsql_core.execute.writeset cimport COMMAND_LATEST, writeset_find, writeset_tree, writeset_write
from dsql_core.types.io cimport type_apply_typmod

cdef enum:
    BOTH = 3                       # CHECK_VALIDATE | CHECK_STAMP
    HIDDEN_KEY_SIZE = 16

cdef int64_t UNIX_TO_PG_US = 946684800000000


cdef int writer_init(RowWriter* writer, Op* op) noexcept nogil:
    cdef const PlanNode* node = op.node
    cdef const TableInfo* table = node.table
    cdef uint32_t i
    cdef uint32_t k
    cdef uint32_t s
    cdef uint32_t g
    memset(writer, 0, sizeof(RowWriter))
    writer.execution = op.execution
    writer.table = table
    writer.pool = op.batch_pool
    writer.stats = op.stats
    writer.image = &op.execution.scratch
    writer.columns = <Vector*>pool_alloc(&op.run.pool, (table.column_count * 2 + 1) * sizeof(Vector))
    writer.affected = <uint8_t*>pool_alloc(&op.run.pool, table.index_count + 1)
    if writer.columns == NULL or writer.affected == NULL:
        return eval_no_memory(op.execution)
    for i in range(table.index_count):
        writer.affected[i] = node.touches_pk
        for k in range(table.indexes[i].used_count):
            for s in range(node.sets_of_count):
                if node.sets_of[s].column == table.indexes[i].used_columns[k]:
                    writer.affected[i] = 1
            for g in range(table.generated_count):
                if table.generated[g].column == table.indexes[i].used_columns[k]:
                    writer.affected[i] = 1
    writer.batch.row_count = 1
    writer.batch.sel_count = 1
    writer.batch.columns = writer.columns
    writer.batch.column_count = table.column_count
    return 0


cdef inline void _as_batch(RowWriter* writer, const Value* row) noexcept nogil:
    cdef uint32_t c
    for c in range(writer.table.column_count):
        vector_of_value(&row[c], &writer.columns[c])
        writer.columns[c].type_oid = writer.table.layout.type_oids[c]
        writer.columns[c].phys = writer.table.layout.phys[c]


cdef int _eval(RowWriter* writer, const Expr* e, Value* out) noexcept nogil:
    # An expression over the row last given to _as_batch. 0, -1.
    cdef Vector v
    cdef Execution* x = writer.execution
    cdef int r
    x.eval.pool = writer.pool
    x.no_yield += 1
    r = eval_expr(x, e, &writer.batch, NULL, 1, &v)
    x.no_yield -= 1
    if r != EVAL_OK:
        return -1
    vector_value(&v, 0, out)
    return 0


cdef int writer_complete(RowWriter* writer, Value* row) noexcept nogil:
    cdef const TableInfo* table = writer.table
    cdef uint32_t c
    for c in range(table.column_count):
        row[c].type_oid = table.layout.type_oids[c]
        row[c].phys = table.layout.phys[c]
        if table.typmods[c] >= 0 and not row[c].is_null:
            if type_apply_typmod(table.typmods[c], 0, &row[c], writer.pool, &writer.execution.session.error) < 0:
                return -1
    for c in range(table.generated_count):
        _as_batch(writer, row)
        if _eval(writer, table.generated[c].expr, &row[table.generated[c].column]) < 0:
            return -1
    return 0


cdef int writer_check(RowWriter* writer, const Value* row) noexcept nogil:
    cdef const TableInfo* table = writer.table
    cdef uint32_t c
    cdef Value verdict
    for c in range(table.column_count):
        if row[c].is_null and table.not_null[c]:
            return violation_not_null(writer.execution, table, row, c)
    if table.check_count:
        _as_batch(writer, row)
        for c in range(table.check_count):
            if _eval(writer, table.checks[c].expr, &verdict) < 0:
                return -1
            if not verdict.is_null and not verdict.v.b:
                return violation_check(writer.execution, table, row, table.checks[c].name)
    return 0


cdef int _hidden_key(RowWriter* writer, Slice* key) noexcept nogil:
    # u64 hybrid timestamp, u16 worker, 48-bit counter, all big-endian: ascending inserts, unique across workers.
    cdef Session* session = writer.execution.session
    cdef uint64_t now = <uint64_t>(session.statement_us + UNIX_TO_PG_US) << 12
    cdef uint8_t* out = <uint8_t*>pool_alloc(writer.pool, HIDDEN_KEY_SIZE)
    cdef uint64_t low
    cdef int i
    if out == NULL:
        return eval_no_memory(writer.execution)
    if now <= session.engine.hidden_time:
        now = session.engine.hidden_time + 1
    session.engine.hidden_time = now
    session.engine.hidden_counter += 1
    low = (<uint64_t>session.engine.worker_id << 48) | (session.engine.hidden_counter & ((<uint64_t>1 << 48) - 1))
    for i in range(8):
        out[i] = <uint8_t>(now >> (56 - 8 * i))
        out[8 + i] = <uint8_t>(low >> (56 - 8 * i))
    key.data = out
    key.size = HIDDEN_KEY_SIZE
    return 0


cdef int _append_part(RowWriter* writer, const Value* value, int nulls_first) noexcept nogil:
    if keycode_append(writer.image, value, nulls_first) < 0:
        dsql_error_set(&writer.execution.session.error, "0A000", "type %u cannot be part of a key",
                       <unsigned>value.type_oid)
        return -1
    return 0


cdef int _key_too_large(RowWriter* writer, uint32_t bytes, uint32_t parts) noexcept nogil:
    # bytes: of the values of the key's columns.
    cdef const Limits* limits = &writer.execution.session.engine.limits
    writer.key_bytes = bytes
    if bytes + limits.key_part_bytes * (parts - 1) <= limits.key_bytes_max:
        return 0
    dsql_error_set(&writer.execution.session.error, "54000", "key size too large")
    return -1


cdef inline uint32_t _row_key_bytes(const TableInfo* table, Slice key) noexcept nogil:
    # Bytes of the primary key's values: its encoding without the marker of each part and the end of each text.
    cdef uint32_t bytes = <uint32_t>key.size
    cdef uint32_t i
    for i in range(table.pk_count):
        bytes -= 2 if table.layout.phys[table.pk[i]] == PHYS_VAR else 1
    return bytes


cdef int writer_key(RowWriter* writer, const Value* row, Slice* key) noexcept nogil:
    cdef const TableInfo* table = writer.table
    cdef uint32_t bytes = 0
    cdef uint32_t i
    if table.pk_count == 0:
        return _hidden_key(writer, key)
    writer.image.size = 0
    for i in range(table.pk_count):
        if _append_part(writer, &row[table.pk[i]], 0) < 0:
            return -1
        bytes += value_bytes(&row[table.pk[i]])
    if _key_too_large(writer, bytes, table.pk_count) < 0:
        return -1
    key.size = writer.image.size
    key.data = pool_copy(writer.pool, writer.image.data, writer.image.size)
    if key.data == NULL:
        return eval_no_memory(writer.execution)
    return 0


cdef int _corrupt(RowWriter* writer) noexcept nogil:
    dsql_error_set(&writer.execution.session.error, "XX001", "invalid page in relation \"%s\"", writer.table.name)
    return -1


cdef int writer_get(RowWriter* writer, Slice key, Slice* image) noexcept nogil:
    cdef Session* session = writer.execution.session
    cdef page_no_t root
    cdef TreeWrites* changes = walk_changes(session, writer.table.tree, &root)
    cdef int r = walk_get(session, root, changes, COMMAND_LATEST, key.data, key.size, writer.pool, image)
    if r >= 0 and writer.stats != NULL:
        stats_read(writer.stats)
        stats_entries(writer.stats, &key, image, <uint32_t>r)
    return r if r >= 0 else _corrupt(writer)


cdef int writer_is_done(RowWriter* writer, Slice key) noexcept nogil:
    cdef TreeWrites* changes = writeset_tree(&writer.execution.session.writes, writer.table.tree)
    cdef WriteEntry* entry
    if changes == NULL:
        return 0
    entry = writeset_find(changes, key.data, key.size)
    return entry != NULL and entry.command == writer.execution.command


cdef int writer_count(RowWriter* writer) noexcept nogil:
    cdef Session* session = writer.execution.session
    session.rows_changed += 1
    if session.rows_changed <= session.engine.limits.rows_max:  # guess: row_counted_per_change, locked_rows_uncounted
        return 0
    dsql_error_set(&session.error, "54000", "transaction row limit exceeded")
    return -1


# -- index entries -----------------------------------------------------------------------------------------------------

cdef int _is_member(RowWriter* writer, const IndexInfo* index) noexcept nogil:
    # Whether the row last given to _as_batch belongs to the index. 1, 0, -1.
    cdef Value verdict
    if index.predicate == NULL:
        return 1
    if _eval(writer, index.predicate, &verdict) < 0:
        return -1
    return not verdict.is_null and verdict.v.b


cdef int _entry_key(RowWriter* writer, const IndexInfo* index, Slice row_key, Value* keys, Slice* out, size_t* prefix,
                    int* has_null) noexcept nogil:
    # Key of the entry of the row last given to _as_batch; *prefix = size of its encoded parts. 0, -1.
    cdef uint32_t bytes = _row_key_bytes(writer.table, row_key)
    cdef uint32_t pk_parts = writer.table.pk_count if writer.table.pk_count else 1
    cdef uint32_t k
    has_null[0] = 0
    for k in range(index.key_count):
        if _eval(writer, index.keys[k], &keys[k]) < 0:
            return -1
        if keys[k].is_null:
            has_null[0] = 1
    writer.image.size = 0
    for k in range(index.key_count):
        keys[k].type_oid = index.keys[k].type_oid
        keys[k].phys = index.keys[k].phys
        if _append_part(writer, &keys[k], index.nulls_first[k]) < 0:
            return -1
        bytes += value_bytes(&keys[k])
    prefix[0] = writer.image.size
    buffer_append(writer.image, row_key.data, row_key.size)
    if _key_too_large(writer, bytes, index.key_count + pk_parts) < 0:
        return -1
    out.size = writer.image.size
    out.data = pool_copy(writer.pool, writer.image.data, writer.image.size)
    if out.data == NULL or writer.image.failed:
        return eval_no_memory(writer.execution)
    return 0


cdef int _prefix_taken(RowWriter* writer, const IndexInfo* index, Slice prefix) noexcept nogil:
    # Whether an entry with these key parts is there; conflict_key := its row's key. 1, 0, -1.
    cdef Walk walk
    cdef KeyRange bounds
    cdef Slice key
    cdef Slice value
    cdef uint8_t* stop = pool_copy(writer.pool, prefix.data, prefix.size)
    cdef int n
    if stop == NULL:
        return eval_no_memory(writer.execution)
    bounds.start = prefix
    bounds.stop.size = keycode_successor(stop, prefix.size)
    bounds.stop.data = stop if bounds.stop.size else NULL
    walk_open(&walk, writer.execution.session, index.tree, COMMAND_LATEST, 0)
    if walk_seek(&walk, writer.execution.session, &bounds) < 0:
        return _corrupt(writer)
    n = walk_fetch(&walk, 1, writer.pool, &key, &value)
    if n < 0:
        return _corrupt(writer)
    if writer.stats != NULL:
        stats_read(writer.stats)
        stats_entries(writer.stats, &key, &value, <uint32_t>n)
    if n == 0:
        return 0
    writer.conflict_key.data = key.data + prefix.size
    writer.conflict_key.size = key.size - prefix.size
    return 1


cdef int _write_entry(RowWriter* writer, const IndexInfo* index, Slice key) noexcept nogil:
    # Puts the entry of the row last given to _as_batch under key. 0, -1.
    cdef Value* stored = <Value*>pool_alloc(writer.pool, (index.layout.column_count + 1) * sizeof(Value))
    cdef uint32_t key_bytes = writer.key_bytes
    cdef uint32_t bytes = 0
    cdef uint32_t c
    cdef Execution* x = writer.execution
    cdef WriteEntry* entry
    if stored == NULL:
        return eval_no_memory(x)
    for c in range(index.layout.column_count):
        if _eval(writer, index.store[c], &stored[c]) < 0:
            return -1
        stored[c].type_oid = index.layout.type_oids[c]
        stored[c].phys = index.layout.phys[c]
        bytes += value_bytes(&stored[c])
    writer.image.size = 0
    if row_encode(&index.layout, stored, writer.image) < 0 or writer.image.failed:
        return eval_no_memory(x)
    entry = writeset_write(&x.session.writes, index.tree, key.data, key.size, writer.image.data, writer.image.size, 0,
                           x.command, 0)
    if entry == NULL:
        return eval_no_memory(x)
    if writer.stats != NULL:
        stats_write(writer.stats, key.size + writer.image.size)
    # guess: transaction_bytes. Stored beyond the key are INCLUDE columns.
    entry.cost = x.session.engine.limits.key_cost_factor * key_bytes + (bytes - key_bytes if bytes > key_bytes else 0)
    return 0


cdef int _insert_entry(RowWriter* writer, const IndexInfo* index, Slice row_key) noexcept nogil:
    # Entry of the row last given to _as_batch, uniqueness checked. 0, -1.
    cdef Value* keys = <Value*>pool_alloc(writer.pool, (index.key_count + 1) * sizeof(Value))
    cdef Slice key
    cdef Slice prefix
    cdef size_t prefix_size
    cdef int has_null
    cdef int r = _is_member(writer, index)
    if r <= 0:
        return r
    if keys == NULL:
        return eval_no_memory(writer.execution)
    if _entry_key(writer, index, row_key, keys, &key, &prefix_size, &has_null) < 0:
        return -1
    if index.is_unique and not (has_null and index.nulls_distinct):
        prefix.data = key.data
        prefix.size = prefix_size
        r = _prefix_taken(writer, index, prefix)
        if r < 0:
            return -1
        if r == 1:
            return violation_unique(writer.execution, writer.table, index.name, index.key_names, keys, index.key_count)
        if transaction_add_check(writer.execution.session,
                                 fingerprint(index.tree, key.data, prefix_size) | CHECK_VALIDATE | CHECK_STAMP) < 0:
            return -1
    return _write_entry(writer, index, key)


cdef int _delete_entry(RowWriter* writer, const IndexInfo* index, Slice row_key) noexcept nogil:
    # Deletes the entry of the row last given to _as_batch. 0, -1.
    cdef Value* keys = <Value*>pool_alloc(writer.pool, (index.key_count + 1) * sizeof(Value))
    cdef Slice key
    cdef size_t prefix_size
    cdef int has_null
    cdef Execution* x = writer.execution
    cdef WriteEntry* entry
    cdef int r = _is_member(writer, index)
    if r <= 0:
        return r
    if keys == NULL:
        return eval_no_memory(x)
    if _entry_key(writer, index, row_key, keys, &key, &prefix_size, &has_null) < 0:
        return -1
    if index.is_unique and not (has_null and index.nulls_distinct):
        if transaction_add_check(x.session, fingerprint(index.tree, key.data, prefix_size) | CHECK_VALIDATE
                                 | CHECK_STAMP) < 0:
            return -1
    entry = writeset_write(&x.session.writes, index.tree, key.data, key.size, NULL, 0, 1, x.command, 1)
    if entry == NULL:
        return eval_no_memory(x)
    if writer.stats != NULL:
        stats_write(writer.stats, key.size)
    entry.cost = x.session.engine.limits.key_cost_factor * writer.key_bytes
    return 0


cdef int writer_find_conflict(RowWriter* writer, int32_t index, const Value* row, Slice key) noexcept nogil:
    cdef const TableInfo* table = writer.table
    cdef const IndexInfo* info
    cdef Value* keys
    cdef Slice found
    cdef Slice prefix
    cdef size_t prefix_size
    cdef int has_null
    cdef uint32_t i
    cdef int r
    if table.pk_count and (index == -1 or index == -2):
        r = writer_get(writer, key, &found)
        if r != 0:
            writer.conflict_key = key
            return r
    for i in range(table.index_count):
        info = &table.indexes[i]
        if not info.is_unique or (index >= 0 and index != <int32_t>i) or index == -1:
            continue
        _as_batch(writer, row)
        r = _is_member(writer, info)
        if r < 0:
            return -1
        if r == 0:
            continue
        keys = <Value*>pool_alloc(writer.pool, (info.key_count + 1) * sizeof(Value))
        if keys == NULL:
            return eval_no_memory(writer.execution)
        if _entry_key(writer, info, key, keys, &found, &prefix_size, &has_null) < 0:
            return -1
        if has_null and info.nulls_distinct:
            continue
        prefix.data = found.data
        prefix.size = prefix_size
        r = _prefix_taken(writer, info, prefix)
        if r != 0:
            return r
    return 0


# -- rows --------------------------------------------------------------------------------------------------------------

cdef int _put_row(RowWriter* writer, const Value* row, Slice key, uint8_t in_snapshot) noexcept nogil:
    cdef Execution* x = writer.execution
    cdef WriteEntry* entry
    cdef uint32_t bytes = 0
    cdef uint32_t c
    writer.image.size = 0
    if row_encode(&writer.table.layout, row, writer.image) < 0 or writer.image.failed:
        writer.image.failed = 0
        return eval_no_memory(x)
    if writer.image.size > x.session.engine.limits.column_bytes_max and row_size_check(
            x, &writer.table.layout, row, writer.image.size) < 0:
        return -1
    for c in range(writer.table.column_count):
        bytes += value_bytes(&row[c])
    entry = writeset_write(&x.session.writes, writer.table.tree, key.data, key.size, writer.image.data,
                           writer.image.size, 0, x.command, in_snapshot)
    if entry == NULL:
        return eval_no_memory(x)
    entry.is_row = 1
    if writer.stats != NULL:
        stats_write(writer.stats, key.size + writer.image.size)
    entry.cost = x.session.engine.limits.row_cost + bytes
    return 0


cdef int _drop_row(RowWriter* writer, Slice key) noexcept nogil:
    cdef Execution* x = writer.execution
    cdef WriteEntry* entry = writeset_write(&x.session.writes, writer.table.tree, key.data, key.size, NULL, 0, 1,
                                            x.command, 1)
    if entry == NULL:
        return eval_no_memory(x)
    entry.is_row = 1
    if writer.stats != NULL:
        stats_write(writer.stats, key.size)
    entry.cost = x.session.engine.limits.row_cost + _row_key_bytes(writer.table, key)
    return 0


cdef int _unique_key(RowWriter* writer, const Value* row, Slice key) noexcept nogil:
    # The primary key must be free. 0, -1.
    cdef const TableInfo* table = writer.table
    cdef const char** names
    cdef Value* keys
    cdef Slice found
    cdef uint32_t i
    cdef int r = writer_get(writer, key, &found)
    if r <= 0:
        return r
    names = <const char**>pool_alloc(writer.pool, table.pk_count * sizeof(char*))
    keys = <Value*>pool_alloc(writer.pool, table.pk_count * sizeof(Value))
    if names == NULL or keys == NULL:
        return eval_no_memory(writer.execution)
    for i in range(table.pk_count):
        names[i] = table.names[table.pk[i]]
        keys[i] = row[table.pk[i]]
    return violation_unique(writer.execution, table, table.pk_name, names, keys, table.pk_count)


cdef int writer_insert(RowWriter* writer, const Value* row, Slice key) noexcept nogil:
    cdef const TableInfo* table = writer.table
    cdef uint32_t i
    if table.pk_count:
        if _unique_key(writer, row, key) < 0:
            return -1
        if transaction_add_row_checks(writer.execution.session, table.tree, key.data, key.size, BOTH, BOTH, 0) < 0:
            return -1
    for i in range(table.index_count):
        _as_batch(writer, row)
        if _insert_entry(writer, &table.indexes[i], key) < 0:
            return -1
    return _put_row(writer, row, key, 0)


cdef int _keys_differ(RowWriter* writer, const Value* old, const Value* row) noexcept nogil:
    cdef const TableInfo* table = writer.table
    cdef uint32_t c
    for c in range(table.column_count):
        if not table.is_key_column[c]:
            continue
        if old[c].is_null != row[c].is_null:
            return 1
        if not old[c].is_null and not scalar_equal(table.layout.type_oids[c], table.layout.phys[c], &old[c].v, &row[c].v):
            return 1
    return 0


cdef int writer_update(RowWriter* writer, const PlanNode* node, const Value* old, const Value* row, Slice key) noexcept nogil:
    cdef const TableInfo* table = writer.table
    cdef Session* session = writer.execution.session
    cdef Slice new_key = key
    cdef uint32_t i
    cdef int moves = 0
    cdef int keys_changed = node.touches_keys and _keys_differ(writer, old, row)
    if node.touches_pk and table.pk_count:
        if writer_key(writer, row, &new_key) < 0:
            return -1
        moves = new_key.size != key.size or memcmp(new_key.data, key.data, key.size) != 0
    if transaction_add_row_checks(session, table.tree, key.data, key.size, BOTH, BOTH if keys_changed or moves else 0,
                                  CHECK_VALIDATE if keys_changed or moves else 0) < 0:
        return -1
    if table.index_count:
        _as_batch(writer, old)
        for i in range(table.index_count):
            if (writer.affected[i] or moves) and _delete_entry(writer, &table.indexes[i], key) < 0:
                return -1
    if moves:
        if _drop_row(writer, key) < 0 or _unique_key(writer, row, new_key) < 0:
            return -1
        if transaction_add_row_checks(session, table.tree, new_key.data, new_key.size, BOTH, BOTH, 0) < 0:
            return -1
    if table.index_count:
        _as_batch(writer, row)
        for i in range(table.index_count):
            if (writer.affected[i] or moves) and _insert_entry(writer, &table.indexes[i], new_key) < 0:
                return -1
    writer.row_key = new_key
    return _put_row(writer, row, new_key, 0 if moves else 1)


cdef int writer_delete(RowWriter* writer, const Value* old, Slice key) noexcept nogil:
    cdef const TableInfo* table = writer.table
    cdef uint32_t i
    if transaction_add_row_checks(writer.execution.session, table.tree, key.data, key.size, BOTH, BOTH,
                                  CHECK_VALIDATE) < 0:
        return -1
    if table.index_count:
        _as_batch(writer, old)
        for i in range(table.index_count):
            if _delete_entry(writer, &table.indexes[i], key) < 0:
                return -1
    return _drop_row(writer, key)


cdef int writer_backfill(RowWriter* writer, uint32_t number, const Value* row, Slice row_key) noexcept nogil:
    cdef const IndexInfo* index = &writer.table.indexes[number]
    cdef Session* session = writer.execution.session
    cdef Value* keys = <Value*>pool_alloc(writer.pool, (index.key_count + 1) * sizeof(Value))
    cdef Slice key
    cdef Slice prefix
    cdef Slice found
    cdef size_t prefix_size
    cdef int has_null
    cdef page_no_t root
    cdef TreeWrites* changes
    cdef int r
    if keys == NULL:
        return eval_no_memory(writer.execution)
    if transaction_add_check(session, fingerprint(writer.table.tree, row_key.data, row_key.size) | CHECK_VALIDATE) < 0:
        return -1
    _as_batch(writer, row)
    r = _is_member(writer, index)
    if r <= 0:
        return r
    if _entry_key(writer, index, row_key, keys, &key, &prefix_size, &has_null) < 0:
        return -1
    changes = walk_changes(session, index.tree, &root)
    r = walk_get(session, root, changes, COMMAND_LATEST, key.data, key.size, writer.pool, &found)
    if r != 0:
        return 0 if r == 1 else _corrupt(writer)
    if index.is_unique and not (has_null and index.nulls_distinct):
        prefix.data = key.data
        prefix.size = prefix_size
        r = _prefix_taken(writer, index, prefix)
        if r != 0:
            return r
        if transaction_add_check(session, fingerprint(index.tree, key.data, prefix_size) | CHECK_VALIDATE
                                 | CHECK_STAMP) < 0:
            return -1
    return _write_entry(writer, index, key)

# One row of INSERT, UPDATE, DELETE: completing, checking, encoding, writing with its index entries.
from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.types cimport Slice, int32_t, page_no_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Batch, Value, Vector
from dsql_core.execute.state cimport Execution, IndexInfo, NodeStats, Op, PlanNode, TableInfo, TreeWrites, WriteEntry
from dsql_core.execute.walk cimport Walk

cdef struct RowWriter:             # scratch of one modify operator
    Execution* execution
    const TableInfo* table
    Pool* pool                     # reset by the operator between rows
    Vector* columns                # a row as a batch: old or existing row, then new or excluded row
    Batch batch
    Buffer* image                  # execution.scratch
    uint8_t* affected              # per index: an UPDATE's SET list touches it
    page_no_t root
    int32_t has_root
    Slice conflict_key             # row key found by find_conflict
    NodeStats* stats               # NULL = not counted
    Slice row_key                  # of the row after writer_update: another one where its primary key changed
    uint32_t key_bytes             # of the values in the key last built

cdef int writer_init(RowWriter* writer, Op* op) noexcept nogil                      # 0, -1
# Length coercion of the given columns and generated columns. 0, -1.
cdef int writer_complete(RowWriter* writer, Value* row) noexcept nogil
# NOT NULL and CHECK. 0, -1.
cdef int writer_check(RowWriter* writer, const Value* row) noexcept nogil
# The row's tree key (hidden tables: a new one) in the writer's pool. 0, -1.
cdef int writer_key(RowWriter* writer, const Value* row, Slice* key) noexcept nogil
# Newest image of a key as this transaction sees it, the running command's writes included. 1, 0, -1.
cdef int writer_get(RowWriter* writer, Slice key, Slice* image) noexcept nogil
# Looks for a row that keeps `row` from being inserted: index -1 primary key, i an index, -2 any. 1 found, 0, -1.
cdef int writer_find_conflict(RowWriter* writer, int32_t index, const Value* row, Slice key) noexcept nogil
# Inserts a complete and checked row under key, index entries and commit checks included. 0, -1.
cdef int writer_insert(RowWriter* writer, const Value* row, Slice key) noexcept nogil
# Replaces old by row. 0, -1.
cdef int writer_update(RowWriter* writer, const PlanNode* node, const Value* old, const Value* row, Slice key) noexcept nogil
cdef int writer_delete(RowWriter* writer, const Value* old, Slice key) noexcept nogil
# Whether the running command has written the row already.
cdef int writer_is_done(RowWriter* writer, Slice key) noexcept nogil
# Counts a changed row against the limit. 0, -1.
cdef int writer_count(RowWriter* writer) noexcept nogil
# The entry of a row that was there before its index (index `number` of the table), when the index has none yet: written
# with the index's checks, and the row itself validated, not stamped. 0, 1 another row has the key, -1.
cdef int writer_backfill(RowWriter* writer, uint32_t number, const Value* row, Slice row_key) noexcept nogil

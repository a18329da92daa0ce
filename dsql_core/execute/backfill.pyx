"""Index entries of rows that were there before the index: one chunk of an index build, without the GIL.

backfill_chunk walks base rows in key order after a row key, at the transaction's snapshot, and puts their entries into the
transaction's write set. Rows already in the index (a writer of the meantime put them) are passed over. The caller stores
its progress in the same transaction and commits it.

Invariants
  B1  every row the chunk read is validated at commit, so an entry of an older state never lands above a newer one.
  B2  the rows are not stamped: a build refuses no writer.

Owner of the memory: three pools of the call: fetched rows (reset per fetch), expressions (reset per row), fixed arrays.
"""

from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_clear
from dsql_core.base.memory cimport Pool, pool_alloc, pool_free, pool_init, pool_reset
from dsql_core.base.types cimport Slice, uint8_t, uint32_t
from dsql_core.base.vector cimport Value, Vector
from dsql_core.codec.row cimport row_check, row_column
from dsql_core.execute.compile_expr cimport error_of
from dsql_core.execute.handle cimport SessionHandle
from dsql_core.execute.keyrange cimport KeyRange
from dsql_core.execute.modify_row cimport RowWriter, writer_backfill
from dsql_core.execute.program cimport ProgramHandle
from dsql_core.execute.session cimport execution_close, execution_open
from dsql_core.execute.state cimport Execution, TableInfo
from dsql_core.execute.walk cimport Walk, walk_fetch, walk_open, walk_seek
from dsql_core.execute.writeset cimport COMMAND_LATEST


cdef enum:
    FETCH = 64
    CHUNK_BYTES = 2 << 20          # of the write set; a chunk that grew larger ends early


cdef class _Chunk:
    # The state of one call; all of it plain memory freed by __dealloc__.
    cdef Pool rows
    cdef Pool scratch
    cdef Pool fixed
    cdef RowWriter writer
    cdef Slice keys[64]
    cdef Slice images[64]
    cdef Value* row
    cdef bytes last

    def __cinit__(self):
        pool_init(&self.rows, 0)
        pool_init(&self.scratch, 0)
        pool_init(&self.fixed, 0)
        memset(&self.writer, 0, sizeof(RowWriter))

    def __dealloc__(self):
        pool_free(&self.rows)
        pool_free(&self.scratch)
        pool_free(&self.fixed)

    cdef int run(self, Execution* x, const TableInfo* table, Walk* walk, uint32_t limit, uint32_t* done) except -2:
        # 0 the chunk is full, 1 duplicate, 2 no rows are left, -1 error set.
        cdef int n
        cdef int i
        cdef int r
        cdef uint32_t c
        done[0] = 0
        while done[0] < limit:
            pool_reset(&self.rows)
            n = walk_fetch(walk, min(<uint32_t>FETCH, limit - done[0]), &self.rows, self.keys, self.images)
            if n < 0:
                return -1
            if n == 0:
                return 2
            for i in range(n):
                pool_reset(&self.scratch)
                if row_check(&table.layout, self.images[i].data, self.images[i].size) < 0:
                    return -1
                for c in range(table.column_count):
                    row_column(&table.layout, self.images[i].data, c, &self.row[c])
                with nogil:
                    r = writer_backfill(&self.writer, 0, self.row, self.keys[i])
                if r != 0:
                    return r
                done[0] += 1
                if x.session.writes.pool.bytes_total > CHUNK_BYTES:
                    limit = done[0]
                    break
            self.last = self.keys[i].data[:self.keys[i].size]
        return 0


def compile_backfill(dict descriptor):
    """The program a build runs with: a write to the table with that one index, never executed as such."""
    plan = {"op": "insert", "table": descriptor, "on_conflict": None, "returning": None,
            "input": {"op": "rows", "out": list(descriptor["row"]), "data": []}}
    return ProgramHandle.compile({"kind": "query", "plan": plan, "columns": [], "params": [], "tag": "INSERT",
                                  "catalog_version": 0, "writes": True, "tables": [], "subplans": [], "ctes": [],
                                  "param_slots": 0})


def backfill_chunk(SessionHandle session not None, ProgramHandle program not None, bytes after, uint32_t rows):
    """Put entries for up to `rows` base rows behind key `after` (None = from the start).

    Returns:
        (last row key or None when no rows are left, rows done, whether a duplicate key was met).
    """
    cdef _Chunk chunk = _Chunk()
    cdef Walk walk
    cdef KeyRange bounds
    cdef Execution* x
    cdef const TableInfo* table = program.c_program.plan.table
    cdef uint32_t done = 0
    cdef int r
    cdef bytes start = b"" if after is None else after + b"\0"
    x = execution_open(session.session, program.c_program, NULL, 0)
    if x == NULL:
        error = error_of(&session.session.error)
        dsql_error_clear(&session.session.error)
        raise error
    try:
        chunk.row = <Value*>pool_alloc(&chunk.fixed, (table.column_count + 1) * sizeof(Value))
        chunk.writer.columns = <Vector*>pool_alloc(&chunk.fixed, (table.column_count + 1) * sizeof(Vector))
        if chunk.row == NULL or chunk.writer.columns == NULL:
            raise MemoryError
        chunk.writer.execution = x
        chunk.writer.table = table
        chunk.writer.pool = &chunk.scratch
        chunk.writer.image = &x.scratch
        chunk.writer.batch.row_count = 1
        chunk.writer.batch.sel_count = 1
        chunk.writer.batch.columns = chunk.writer.columns
        chunk.writer.batch.column_count = table.column_count
        bounds.start.data = <const uint8_t*><const char*>start if after is not None else NULL
        bounds.start.size = len(start)
        bounds.stop.data = NULL
        bounds.stop.size = 0
        walk_open(&walk, session.session, table.tree, COMMAND_LATEST, 0)
        if walk_seek(&walk, session.session, &bounds) < 0:
            raise OSError(f"tree {table.tree} is corrupt")
        r = chunk.run(x, table, &walk, rows, &done)
        if r == -1:
            if session.session.error.is_set:
                error = error_of(&session.session.error)
                dsql_error_clear(&session.session.error)
                raise error
            raise OSError(f"tree {table.tree} is corrupt")
    finally:
        execution_close(x)
    return (chunk.last if r == 0 else None), done, r == 1

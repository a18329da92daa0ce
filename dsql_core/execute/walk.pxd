# A walk over a byte range of a tree as the transaction sees it: the snapshot with the own writes merged in.
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport Slice, int32_t, page_no_t, tree_id_t, uint8_t, uint32_t
from dsql_core.execute.keyrange cimport KeyRange
from dsql_core.execute.state cimport Execution, Session, TreeWrites, WriteEntry
from dsql_core.storage.store cimport Cursor

cdef struct Walk:
    Cursor cursor
    KeyRange range
    page_no_t root
    uint32_t command               # own writes of earlier commands are visible
    int32_t backward
    int32_t has_cursor             # the cursor is placed in range
    TreeWrites* changes            # NULL = none: the snapshot alone
    WriteEntry* write              # next own entry of the range in walking order, or NULL

# Looks the tree up once; 0.
cdef int walk_open(Walk* walk, Session* session, tree_id_t tree, uint32_t command, int backward) noexcept nogil
cdef int walk_seek(Walk* walk, Session* session, const KeyRange* range) noexcept nogil      # 0, -1 corrupt
# Up to limit entries; the count, 0 = end of the range, -1 corrupt. keys may be NULL.
cdef int walk_fetch(Walk* walk, int limit, Pool* pool, Slice* keys, Slice* values) noexcept nogil
# One key: 1 found, 0 not, -1 corrupt.
cdef int walk_get(Session* session, page_no_t root, TreeWrites* changes, uint32_t command, const uint8_t* key,
                  size_t size, Pool* pool, Slice* value) noexcept nogil
cdef TreeWrites* walk_changes(Session* session, tree_id_t tree, page_no_t* root) noexcept nogil

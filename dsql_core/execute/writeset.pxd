# The write set's face: ordered changes of the open transaction. Layout and invariants: writeset.pyx, state.pxd.
from dsql_core.base.types cimport Slice, tree_id_t, uint8_t, uint32_t, uint64_t
from dsql_core.execute.state cimport TreeWrites, WriteEntry, WriteSet

cdef enum:
    COMMAND_LATEST = 0xFFFFFFFF    # sees what every command wrote

cdef void writeset_init(WriteSet* writes, uint64_t seed) noexcept nogil
cdef void writeset_clear(WriteSet* writes) noexcept nogil          # keeps one chunk
cdef void writeset_free(WriteSet* writes) noexcept nogil
# The changes of a tree, or NULL when it has none.
cdef TreeWrites* writeset_tree(const WriteSet* writes, tree_id_t tree) noexcept nogil
cdef WriteEntry* writeset_find(const TreeWrites* changes, const uint8_t* key, size_t size) noexcept nogil
cdef WriteEntry* writeset_seek(const TreeWrites* changes, const uint8_t* key, size_t size) noexcept nogil         # >=
cdef WriteEntry* writeset_seek_before(const TreeWrites* changes, const uint8_t* key, size_t size) noexcept nogil  # <
# Records a post-image (value.data != NULL) or a deletion. Bytes are copied. NULL = no memory.
cdef WriteEntry* writeset_write(WriteSet* writes, tree_id_t tree, const uint8_t* key, size_t size, const uint8_t* value,
                                size_t value_size, int is_deleted, uint32_t command, uint8_t in_snapshot) noexcept nogil
cdef int writeset_drop_tree(WriteSet* writes, tree_id_t tree) noexcept nogil

cdef inline int entry_visible(const WriteEntry* entry, uint32_t command, Slice* value) noexcept nogil:
    # 1 present (value filled), 0 deleted, -1 the write came later than `command`: ask the snapshot.
    while entry != NULL and entry.command >= command:
        entry = entry.before
    if entry == NULL:
        return -1
    if entry.is_deleted:
        return 0
    value[0] = entry.value
    return 1

cdef inline uint64_t key_head(const uint8_t* key, size_t size) noexcept nogil:
    cdef uint64_t head = 0
    cdef size_t i
    cdef size_t n = size if size < 8 else 8
    for i in range(n):
        head |= <uint64_t>key[i] << (56 - 8 * i)
    return head

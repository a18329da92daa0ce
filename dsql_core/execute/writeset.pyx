"""Write set: what the open transaction changed, one skip list per tree, ordered as the tree is.

Scans merge it over the snapshot, the commit request is read off it. An entry holds the newest post-image of its key
and, through `before`, what the key held before the running command, so a command never meets its own changes.

Invariants
  W1  entries of a tree are strictly ascending by memcmp of the key, prev/next[0] link them all.
  W2  an entry is never unlinked or moved before writeset_clear (scans stand on entries across statements).
  W3  a key appears at most once per tree; insert followed by delete leaves an entry marked deleted with
      in_snapshot = 0, which the commit leaves out.
  W4  `before` versions descend strictly in command.

Owner of the memory: WriteSet.pool (entries, keys, images); the array of trees is malloc'd.
"""

from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memcpy, memset

from dsql_core.base.memory cimport pool_alloc, pool_free, pool_init, pool_reset
from dsql_core.execute.state cimport WRITE_HEIGHT_MAX


cdef void writeset_init(WriteSet* writes, uint64_t seed) noexcept nogil:
    memset(writes, 0, sizeof(WriteSet))
    pool_init(&writes.pool, 0)
    writes.random = seed | 1


cdef void writeset_clear(WriteSet* writes) noexcept nogil:
    if writes.tree_count == 0:
        return
    writes.tree_count = 0
    if writes.pool.bytes_total > 1048576:
        pool_free(&writes.pool)
    else:
        pool_reset(&writes.pool)


cdef void writeset_free(WriteSet* writes) noexcept nogil:
    pool_free(&writes.pool)
    free(writes.trees)
    writes.trees = NULL
    writes.tree_count = 0
    writes.tree_capacity = 0


cdef TreeWrites* writeset_tree(const WriteSet* writes, tree_id_t tree) noexcept nogil:
    # A transaction touches a handful of trees: a linear look beats any map.
    cdef uint32_t i
    for i in range(writes.tree_count):
        if writes.trees[i].tree == tree:
            return &writes.trees[i]
    return NULL


cdef TreeWrites* _tree_make(WriteSet* writes, tree_id_t tree) noexcept nogil:
    cdef TreeWrites* changes = writeset_tree(writes, tree)
    cdef TreeWrites* grown
    cdef uint32_t capacity
    if changes != NULL:
        return changes
    if writes.tree_count == writes.tree_capacity:
        capacity = writes.tree_capacity * 2 if writes.tree_capacity else 8
        grown = <TreeWrites*>realloc(writes.trees, capacity * sizeof(TreeWrites))
        if grown == NULL:
            return NULL
        writes.trees = grown
        writes.tree_capacity = capacity
    changes = &writes.trees[writes.tree_count]
    writes.tree_count += 1
    memset(changes, 0, sizeof(TreeWrites))
    changes.tree = tree
    return changes


cdef inline int _less(const WriteEntry* entry, uint64_t head, const uint8_t* key, size_t size) noexcept nogil:
    # entry.key < key
    cdef size_t n
    cdef int c
    if entry.key_head != head:
        return entry.key_head < head
    n = entry.key.size if entry.key.size < size else size
    c = memcmp(entry.key.data, key, n)
    if c != 0:
        return c < 0
    return entry.key.size < size


cdef inline WriteEntry* _descend(const TreeWrites* changes, const uint8_t* key, size_t size,
                                 WriteEntry** path) noexcept nogil:
    # Last entry < key, or NULL; path[level] is the last entry < key at each level (NULL = the list's head).
    cdef uint64_t head = key_head(key, size)
    cdef WriteEntry* at = NULL
    cdef WriteEntry* ahead
    cdef int level = changes.height - 1
    while level >= 0:
        ahead = changes.first[level] if at == NULL else at.next[level]
        while ahead != NULL and _less(ahead, head, key, size):
            at = ahead
            ahead = at.next[level]
        if path != NULL:
            path[level] = at
        level -= 1
    return at


cdef WriteEntry* writeset_seek(const TreeWrites* changes, const uint8_t* key, size_t size) noexcept nogil:
    cdef WriteEntry* at = _descend(changes, key, size, NULL)
    return changes.first[0] if at == NULL else at.next[0]


cdef WriteEntry* writeset_seek_before(const TreeWrites* changes, const uint8_t* key, size_t size) noexcept nogil:
    return _descend(changes, key, size, NULL)


cdef WriteEntry* writeset_find(const TreeWrites* changes, const uint8_t* key, size_t size) noexcept nogil:
    cdef WriteEntry* entry = writeset_seek(changes, key, size)
    if entry != NULL and entry.key.size == size and memcmp(entry.key.data, key, size) == 0:
        return entry
    return NULL


cdef inline int _height(WriteSet* writes) noexcept nogil:
    # Geometric with p = 1/4: xorshift64.
    cdef uint64_t x = writes.random
    cdef int height = 1
    x ^= x << 13
    x ^= x >> 7
    x ^= x << 17
    writes.random = x
    x >>= 20
    while height < WRITE_HEIGHT_MAX and (x & 3) == 0:
        height += 1
        x >>= 2
    return height


cdef WriteEntry* _insert(WriteSet* writes, TreeWrites* changes, const uint8_t* key, size_t size,
                         WriteEntry** path) noexcept nogil:
    cdef int height = _height(writes)
    cdef size_t head_size = sizeof(WriteEntry) + (height - 1) * sizeof(WriteEntry*)
    # One zero byte behind the key makes (key, size + 1) the smallest key above it: backward merges stop there.
    cdef WriteEntry* entry = <WriteEntry*>pool_alloc(&writes.pool, head_size + size + 1)
    cdef WriteEntry* after
    cdef int level
    if entry == NULL:
        return NULL
    memset(entry, 0, head_size)
    memcpy(<uint8_t*>entry + head_size, key, size)
    (<uint8_t*>entry + head_size)[size] = 0
    entry.key.data = <uint8_t*>entry + head_size
    entry.key.size = size
    entry.key_head = key_head(key, size)
    entry.height = <uint8_t>height
    while changes.height < height:
        path[changes.height] = NULL
        changes.first[changes.height] = NULL
        changes.height += 1
    for level in range(height):
        if path[level] == NULL:
            entry.next[level] = changes.first[level]
            changes.first[level] = entry
        else:
            entry.next[level] = path[level].next[level]
            path[level].next[level] = entry
    entry.prev = path[0]
    after = entry.next[0]
    if after == NULL:
        changes.last = entry
    else:
        after.prev = entry
    changes.entry_count += 1
    return entry


cdef WriteEntry* writeset_write(WriteSet* writes, tree_id_t tree, const uint8_t* key, size_t size, const uint8_t* value,
                                size_t value_size, int is_deleted, uint32_t command, uint8_t in_snapshot) noexcept nogil:
    cdef TreeWrites* changes = _tree_make(writes, tree)
    cdef WriteEntry* path[WRITE_HEIGHT_MAX]
    cdef WriteEntry* entry
    cdef WriteEntry* old
    cdef uint8_t* image = NULL
    if changes == NULL:
        return NULL
    if not is_deleted:
        image = <uint8_t*>pool_alloc(&writes.pool, value_size if value_size else 1)
        if image == NULL:
            return NULL
        if value_size:
            memcpy(image, value, value_size)
    entry = _descend(changes, key, size, path)
    entry = changes.first[0] if entry == NULL else entry.next[0]
    if entry == NULL or entry.key.size != size or memcmp(entry.key.data, key, size) != 0:
        entry = _insert(writes, changes, key, size, path)
        if entry == NULL:
            return NULL
        entry.in_snapshot = in_snapshot
    elif entry.command != command:
        old = <WriteEntry*>pool_alloc(&writes.pool, sizeof(WriteEntry))
        if old == NULL:
            return NULL
        old[0] = entry[0]
        entry.before = old
    entry.command = command
    entry.is_deleted = is_deleted
    entry.value.data = image
    entry.value.size = 0 if is_deleted else value_size
    return entry


cdef int writeset_drop_tree(WriteSet* writes, tree_id_t tree) noexcept nogil:
    cdef TreeWrites* changes = _tree_make(writes, tree)
    if changes == NULL:
        return -1
    changes.entry_count = 0
    changes.height = 0
    changes.first[0] = NULL
    changes.last = NULL
    changes.is_dropped = 1
    return 0

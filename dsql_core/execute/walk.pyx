"""Walks: ranges of a tree as one transaction sees them, in key order, forwards or backwards.

The snapshot is read in bulk up to the next own entry, then the own entry decides for its key: its image, nothing (it
is deleted), or - when it was written by the running command - what the snapshot holds.

Invariants
  B1  a key is yielded at most once, in strict order.
  B2  entries written by the walk's own command or a later one are as if they were not there.
  B3  when no own entry lies in the range the snapshot is read without any merging.

Owner of the memory: pages (pinned by the transaction), the write set, and `pool` for values with overflow pages.
"""

from libc.string cimport memcmp

from dsql_core.execute.writeset cimport entry_visible, writeset_find, writeset_seek, writeset_seek_before, writeset_tree
from dsql_core.storage.store cimport (cursor_fetch, cursor_key, cursor_last, cursor_next, cursor_open, cursor_prev,
                                      cursor_seek, cursor_seek_before, cursor_first, cursor_value, tree_get, tree_root)


cdef inline int _compare(const Slice* a, const uint8_t* key, size_t size) noexcept nogil:
    cdef int c = memcmp(a.data, key, a.size if a.size < size else size)
    if c != 0:
        return c
    return (a.size > size) - (a.size < size)


cdef TreeWrites* walk_changes(Session* session, tree_id_t tree, page_no_t* root) noexcept nogil:
    # Own changes of the tree (NULL = none) and the root to read beneath them.
    cdef TreeWrites* changes = NULL
    if session.writes.tree_count:
        changes = writeset_tree(&session.writes, tree)
    if changes != NULL and changes.is_dropped:
        root[0] = 0
    else:
        root[0] = tree_root(session.engine.store, &session.snapshot, tree)
    return changes


cdef int walk_open(Walk* walk, Session* session, tree_id_t tree, uint32_t command, int backward) noexcept nogil:
    walk.changes = walk_changes(session, tree, &walk.root)
    walk.command = command
    walk.backward = backward
    walk.write = NULL
    walk.has_cursor = 0
    cursor_open(&walk.cursor, session.engine.store, walk.root)
    return 0


cdef inline void _bound_write(Walk* walk) noexcept nogil:
    # Drops the own entry when it lies beyond the range.
    if walk.write == NULL:
        return
    if walk.backward:
        if walk.range.start.size and _compare(&walk.write.key, walk.range.start.data, walk.range.start.size) < 0:
            walk.write = NULL
    elif walk.range.stop.data != NULL and _compare(&walk.write.key, walk.range.stop.data, walk.range.stop.size) >= 0:
        walk.write = NULL


cdef int walk_seek(Walk* walk, Session* session, const KeyRange* range) noexcept nogil:
    cdef int r = 0
    walk.range = range[0]
    if walk.root:
        if walk.backward:
            if range.stop.data != NULL:
                r = cursor_seek_before(&walk.cursor, range.stop.data, range.stop.size)
            else:
                r = cursor_last(&walk.cursor)
        elif range.start.size:
            r = cursor_seek(&walk.cursor, range.start.data, range.start.size)
        else:
            r = cursor_first(&walk.cursor)
        if r < 0:
            return -1
    walk.has_cursor = r
    walk.write = NULL
    if walk.changes != NULL:
        if walk.backward:
            walk.write = walk.changes.last if range.stop.data == NULL else \
                writeset_seek_before(walk.changes, range.stop.data, range.stop.size)
        else:
            walk.write = writeset_seek(walk.changes, range.start.data, range.start.size)
        _bound_write(walk)
    return 0


cdef int walk_fetch(Walk* walk, int limit, Pool* pool, Slice* keys, Slice* values) noexcept nogil:
    cdef int count = 0
    cdef int n
    cdef int visible
    cdef int shadowed
    cdef int direction = -1 if walk.backward else 1
    cdef WriteEntry* entry
    cdef Slice own
    cdef Slice at
    cdef const uint8_t* stop
    cdef size_t stop_size
    while count < limit:
        entry = walk.write
        if walk.has_cursor:
            if entry != NULL:
                stop = entry.key.data
                stop_size = entry.key.size + (1 if walk.backward else 0)    # W: a zero byte stands behind the key
            elif walk.backward:
                stop = walk.range.start.data if walk.range.start.size else NULL
                stop_size = walk.range.start.size
            else:
                stop = walk.range.stop.data
                stop_size = walk.range.stop.size
            n = cursor_fetch(&walk.cursor, direction, stop, stop_size, limit - count, pool,
                             keys + count if keys != NULL else NULL, values + count)
            if n < 0:
                return -1
            count += n
            if not walk.cursor.valid:
                walk.has_cursor = 0
            if count == limit:
                break
        if entry == NULL:
            break
        # Every snapshot entry before the own one has been yielded: now its key.
        shadowed = 0
        if walk.has_cursor:
            at = cursor_key(&walk.cursor)
            shadowed = at.size == entry.key.size and memcmp(at.data, entry.key.data, at.size) == 0
        visible = entry_visible(entry, walk.command, &own)
        if visible == 1:
            values[count] = own
            if keys != NULL:
                keys[count] = entry.key
            count += 1
        elif visible < 0 and shadowed:
            if cursor_value(&walk.cursor, pool, &values[count]) < 0:
                return -1
            if keys != NULL:
                keys[count] = entry.key
            count += 1
        if shadowed:
            n = cursor_prev(&walk.cursor) if walk.backward else cursor_next(&walk.cursor)
            if n < 0:
                return -1
            walk.has_cursor = n
        walk.write = entry.prev if walk.backward else entry.next[0]
        _bound_write(walk)
    return count


cdef int walk_get(Session* session, page_no_t root, TreeWrites* changes, uint32_t command, const uint8_t* key,
                  size_t size, Pool* pool, Slice* value) noexcept nogil:
    cdef WriteEntry* entry
    cdef int visible
    if changes != NULL:
        entry = writeset_find(changes, key, size)
        if entry != NULL:
            visible = entry_visible(entry, command, value)
            if visible >= 0:
                return visible
    if root == 0:
        return 0
    return tree_get(session.engine.store, root, key, size, pool, value)

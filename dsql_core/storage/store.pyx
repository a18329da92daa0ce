"""The face of storage: snapshots, reads, cursors, and the batch of the applier.

Reads take no lock and write nothing but the pin slot: what a pinned root reaches does not change (layout.pxd, L2).
A damaged page gives -1: numbers are checked against the arena, page kinds and levels against their parents, slots
against the page, overflow chains against their size. A level that does not fall by one on every step ends a walk, so
no damage makes it endless.

S1  store_publish is the only place a new root becomes visible; it follows the last write of the batch.
S2  Dead pages are judged every JUDGE_EVERY-th publication (scanning the pins is what costs), or when space runs out.

Memory: keys and values returned point into pages and live as long as the pin, or into the caller's pool.
"""
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from dsql_core.base.atomic cimport dsql_check, dsql_load_acquire, dsql_load_relaxed, dsql_store_relaxed
from dsql_core.base.memory cimport Pool, pool_alloc
from dsql_core.base.types cimport Slice
from dsql_core.storage.layout cimport (
    KEY_SIZE_MASK, PAGE_HEADER_SIZE, PAGE_INNER, PAGE_LEAF, PAGE_OVERFLOW, PAGE_ROOM, PAGE_SIZE,
    VALUE_OVERFLOW, PageHeader, PageSlot, RootRecord, Store, TreeState, Writer, page_at,
)
from dsql_core.storage.page cimport (
    load_u16, load_u32, page_child, page_child_slot, page_search, page_slots, slot_key,
)
from dsql_core.storage.pins cimport pin_in_slot, pin_slot_acquire, pin_slot_release, ring_publish, unpin_slot
from dsql_core.storage.reclaim cimport reclaim_judge
from dsql_core.storage.write cimport delete_in, directory_flush, drop_in, put_in, tree_open, tree_touch

cdef enum:
    JUDGE_EVERY = 8
    DEPTH_MAX = 16


# -- snapshots ---------------------------------------------------------------------------------------------------------

cdef int snapshot_pin(Store* store, Snapshot* out) noexcept nogil:
    cdef int32_t slot_no = pin_slot_acquire(store)
    if slot_no < 0:
        out.pin_slot = -1
        return -1
    pin_in_slot(store, slot_no, out)
    return 0


cdef void snapshot_unpin(Store* store, Snapshot* snapshot) noexcept nogil:
    if snapshot.pin_slot >= 0:
        pin_slot_release(store, snapshot.pin_slot)
        snapshot.pin_slot = -1


cdef int32_t snapshot_slot_acquire(Store* store) noexcept nogil:
    return pin_slot_acquire(store)


cdef void snapshot_slot_release(Store* store, int32_t slot_no) noexcept nogil:
    pin_slot_release(store, slot_no)


cdef void snapshot_pin_at(Store* store, int32_t slot_no, Snapshot* out) noexcept nogil:
    pin_in_slot(store, slot_no, out)


cdef void snapshot_pin_clear(Store* store, int32_t slot_no) noexcept nogil:
    unpin_slot(store, slot_no)


cdef timestamp_t store_visible_ts(Store* store) noexcept nogil:
    return dsql_load_acquire(&store.control.visible_ts)


cdef uint64_t store_catalog_version(Store* store) noexcept nogil:
    return dsql_load_acquire(&store.control.catalog_version)


cdef uint64_t store_pages_left(Store* store) noexcept nogil:
    cdef uint64_t high = dsql_load_relaxed(&store.control.pages_high)
    return store.pages_max - high + dsql_load_relaxed(&store.control.pages_free)


# -- single reads ------------------------------------------------------------------------------------------------------

cdef int _read_value(Store* store, const uint8_t* page, int slot_no, Pool* pool, Slice* value) noexcept nogil:
    # 0, or -1 when damaged or out of pool.
    cdef const PageSlot* slot = &page_slots(page)[slot_no]
    cdef size_t key_size = slot.key_size & KEY_SIZE_MASK
    cdef size_t at = slot.offset
    cdef size_t size, done, part
    cdef uint32_t page_no
    cdef const uint8_t* chain
    cdef uint8_t* out
    if at + 2 + key_size > PAGE_SIZE:
        return -1
    size = load_u16(page + at)
    at += 2 + key_size
    if at + size > PAGE_SIZE:
        return -1
    if not slot.key_size & VALUE_OVERFLOW:
        value.data = page + at
        value.size = size
        return 0
    if size != 8:
        return -1
    size = load_u32(page + at)
    page_no = load_u32(page + at + 4)
    if pool == NULL or size > store.pages_max * PAGE_ROOM:
        return -1
    out = <uint8_t*>pool_alloc(pool, size)
    if out == NULL:
        return -1
    done = 0
    while done < size:
        chain = page_at(store, page_no)
        if chain == NULL or (<const PageHeader*>chain).kind != PAGE_OVERFLOW:
            return -1
        part = size - done if size - done < PAGE_ROOM else PAGE_ROOM
        memcpy(out + done, chain + PAGE_HEADER_SIZE, part)
        done += part
        page_no = (<const PageHeader*>chain).next
    value.data = out
    value.size = size
    return 0


cdef inline const uint8_t* _child(Store* store, const uint8_t* page, int slot_no) noexcept nogil:
    # The child of an inner page, or NULL when it is not one level below.
    cdef const uint8_t* child
    if slot_no < 0 or slot_no >= (<const PageHeader*>page).count:
        return NULL
    child = page_at(store, page_child(page, slot_no))
    if child == NULL or (<const PageHeader*>child).level + 1 != (<const PageHeader*>page).level:
        return NULL
    return child


cdef const uint8_t* _leaf_of(Store* store, page_no_t root, const uint8_t* key, size_t key_size) noexcept nogil:
    cdef const uint8_t* page = page_at(store, root)
    while page != NULL and (<const PageHeader*>page).kind == PAGE_INNER:
        page = _child(store, page, page_child_slot(page, key, key_size))
    if page != NULL and ((<const PageHeader*>page).kind != PAGE_LEAF or (<const PageHeader*>page).level != 0):
        return NULL
    return page


cdef int tree_get(Store* store, page_no_t root, const uint8_t* key, size_t key_size, Pool* pool,
                  Slice* value) noexcept nogil:
    cdef const uint8_t* leaf
    cdef int slot_no, found
    if root == 0:
        return 0
    leaf = _leaf_of(store, root, key, key_size)
    if leaf == NULL:
        return -1
    slot_no = page_search(leaf, key, key_size, &found)
    if slot_no < 0:
        return -1
    if not found:
        return 0
    return 1 if _read_value(store, leaf, slot_no, pool, value) == 0 else -1


cdef int _directory_get(Store* store, const Snapshot* snapshot, tree_id_t tree, Slice* value) noexcept nogil:
    cdef uint8_t key[8]
    cdef int i
    for i in range(8):
        key[i] = <uint8_t>(tree >> (56 - 8 * i))
    return tree_get(store, snapshot.directory_root, key, 8, NULL, value) == 1 and value.size == 16


cdef page_no_t tree_root(Store* store, const Snapshot* snapshot, tree_id_t tree) noexcept nogil:
    cdef Slice value
    if not _directory_get(store, snapshot, tree, &value):
        return 0
    return load_u32(value.data)


cdef uint64_t tree_entry_count(Store* store, const Snapshot* snapshot, tree_id_t tree) noexcept nogil:
    cdef Slice value
    cdef uint64_t count
    if not _directory_get(store, snapshot, tree, &value):
        return 0
    memcpy(&count, value.data + 8, 8)
    return count


# -- cursors -----------------------------------------------------------------------------------------------------------

cdef inline const uint8_t* _page(const Cursor* cursor, int depth) noexcept nogil:
    # Pages of the path were checked when they were entered.
    return cursor.store.arena + <uint64_t>cursor.page[depth] * PAGE_SIZE


cdef inline int _count(const uint8_t* page) noexcept nogil:
    return (<const PageHeader*>page).count


cdef void cursor_open(Cursor* cursor, Store* store, page_no_t root) noexcept nogil:
    cursor.store = store
    cursor.root = root
    cursor.depth = 0
    cursor.valid = 0


cdef int _descend_edge(Cursor* cursor, int depth, const uint8_t* page, int last) noexcept nogil:
    # From `page`, to be entered at `depth`, down its first or last children; the cursor ends on that edge's entry.
    cursor.valid = 0
    while True:
        if page == NULL or depth >= DEPTH_MAX or _count(page) == 0:
            return -1
        cursor.page[depth] = (<const PageHeader*>page).page_no
        cursor.slot[depth] = _count(page) - 1 if last else 0
        if (<const PageHeader*>page).kind == PAGE_LEAF:
            cursor.depth = depth + 1
            cursor.valid = 1
            return 1
        if (<const PageHeader*>page).kind != PAGE_INNER:
            return -1
        page = _child(cursor.store, page, cursor.slot[depth])
        depth += 1


cdef int cursor_first(Cursor* cursor) noexcept nogil:
    if cursor.root == 0:
        cursor.valid = 0
        return 0
    return _descend_edge(cursor, 0, page_at(cursor.store, cursor.root), 0)


cdef int cursor_last(Cursor* cursor) noexcept nogil:
    if cursor.root == 0:
        cursor.valid = 0
        return 0
    return _descend_edge(cursor, 0, page_at(cursor.store, cursor.root), 1)


cdef int _leave_leaf(Cursor* cursor, int step) noexcept nogil:
    # To the nearest entry of the next (+1) or previous (-1) leaf; 0 at the end of the tree.
    cdef int depth = cursor.depth - 2
    cdef const uint8_t* page
    cursor.valid = 0
    while depth >= 0:
        page = _page(cursor, depth)
        if 0 <= cursor.slot[depth] + step < _count(page):
            cursor.slot[depth] += step
            return _descend_edge(cursor, depth + 1, _child(cursor.store, page, cursor.slot[depth]), step < 0)
        depth -= 1
    return 0


cdef int _seek(Cursor* cursor, const uint8_t* key, size_t key_size) noexcept nogil:
    # Path to the leaf that covers key, slot = first entry >= key there (perhaps count). 0 = empty tree, -1 damaged.
    cdef const uint8_t* page
    cdef int depth = 0
    cdef int found
    cursor.valid = 0
    if cursor.root == 0:
        return 0
    page = page_at(cursor.store, cursor.root)
    while True:
        if page == NULL or depth >= DEPTH_MAX:
            return -1
        cursor.page[depth] = (<const PageHeader*>page).page_no
        if (<const PageHeader*>page).kind == PAGE_LEAF:
            break
        if (<const PageHeader*>page).kind != PAGE_INNER:
            return -1
        cursor.slot[depth] = page_child_slot(page, key, key_size)
        page = _child(cursor.store, page, cursor.slot[depth])
        depth += 1
    cursor.slot[depth] = page_search(page, key, key_size, &found)
    cursor.depth = depth + 1
    return 1 if cursor.slot[depth] >= 0 else -1


cdef int cursor_seek(Cursor* cursor, const uint8_t* key, size_t key_size) noexcept nogil:
    cdef int status = _seek(cursor, key, key_size)
    if status <= 0:
        return status
    if cursor.slot[cursor.depth - 1] < _count(_page(cursor, cursor.depth - 1)):
        cursor.valid = 1
        return 1
    return _leave_leaf(cursor, 1)


cdef int cursor_seek_before(Cursor* cursor, const uint8_t* key, size_t key_size) noexcept nogil:
    cdef int status = _seek(cursor, key, key_size)
    if status <= 0:
        return status
    if cursor.slot[cursor.depth - 1] > 0:
        cursor.slot[cursor.depth - 1] -= 1
        cursor.valid = 1
        return 1
    return _leave_leaf(cursor, -1)


cdef int cursor_next(Cursor* cursor) noexcept nogil:
    cdef int depth = cursor.depth - 1
    if not cursor.valid:
        return 0
    if cursor.slot[depth] + 1 < _count(_page(cursor, depth)):
        cursor.slot[depth] += 1
        return 1
    return _leave_leaf(cursor, 1)


cdef int cursor_prev(Cursor* cursor) noexcept nogil:
    cdef int depth = cursor.depth - 1
    if not cursor.valid:
        return 0
    if cursor.slot[depth] > 0:
        cursor.slot[depth] -= 1
        return 1
    return _leave_leaf(cursor, -1)


cdef Slice cursor_key(const Cursor* cursor) noexcept nogil:
    cdef Slice key
    cdef const uint8_t* page = _page(cursor, cursor.depth - 1)
    key.data = slot_key(page, &page_slots(page)[cursor.slot[cursor.depth - 1]], &key.size)
    if key.data == NULL:                                  # a damaged slot reads as the empty key
        key.data = page
        key.size = 0
    return key


cdef int cursor_value(const Cursor* cursor, Pool* pool, Slice* value) noexcept nogil:
    return _read_value(cursor.store, _page(cursor, cursor.depth - 1), cursor.slot[cursor.depth - 1], pool, value)


cdef inline int _take(Store* store, const uint8_t* page, int slot_no, Pool* pool, Slice* key,
                      Slice* value) noexcept nogil:
    # One leaf entry; key may be NULL. 0, or -1 when damaged or out of pool.
    cdef const PageSlot* slot = &page_slots(page)[slot_no]
    cdef size_t key_size = slot.key_size & KEY_SIZE_MASK
    cdef size_t at = <size_t>slot.offset + 2
    cdef size_t size
    if at + key_size > PAGE_SIZE:
        return -1
    if key != NULL:
        key.data = page + at
        key.size = key_size
    if slot.key_size & VALUE_OVERFLOW:
        return _read_value(store, page, slot_no, pool, value)
    size = load_u16(page + at - 2)
    at += key_size
    if at + size > PAGE_SIZE:
        return -1
    value.data = page + at
    value.size = size
    return 0


cdef int cursor_fetch(Cursor* cursor, int direction, const uint8_t* stop_key, size_t stop_size, int limit,
                      Pool* pool, Slice* keys, Slice* values) noexcept nogil:
    # The stop key is looked up once per leaf, not compared with every entry.
    cdef Store* store = cursor.store
    cdef const uint8_t* page
    cdef int depth, at, end, found, taking
    cdef int filled = 0
    while filled < limit and cursor.valid:
        depth = cursor.depth - 1
        page = _page(cursor, depth)
        at = cursor.slot[depth]
        end = _count(page) if direction > 0 else -1       # first slot not taken
        if stop_key != NULL:
            end = page_search(page, stop_key, stop_size, &found)
            if end < 0:
                return -1
            if direction < 0:
                end -= 1
        taking = end - at if direction > 0 else at - end
        if taking > limit - filled:
            taking = limit - filled
        if taking < 0:
            taking = 0
        while taking > 0:
            taking -= 1
            if _take(store, page, at, pool, &keys[filled] if keys != NULL else NULL, &values[filled]) < 0:
                return -1
            filled += 1
            at += 1 if direction > 0 else -1
        if 0 <= at < _count(page):
            cursor.slot[depth] = at
            return filled
        if _leave_leaf(cursor, 1 if direction > 0 else -1) < 0:
            return -1
    return filled


cdef uint64_t tree_estimate(Store* store, page_no_t root) noexcept nogil:
    # Exact: the writer leaves the count in the root page when it publishes.
    cdef const PageHeader* header = <const PageHeader*>page_at(store, root)
    if header == NULL or header.kind == PAGE_OVERFLOW:
        return 0
    return <uint64_t>header.next | <uint64_t>header.reserved << 32


# -- the applier -------------------------------------------------------------------------------------------------------

cdef int store_batch_begin(Store* store) noexcept nogil:
    cdef Writer* writer = store.writer
    if writer == NULL or writer.in_batch or writer.broken:
        return -2
    writer.epoch = store.control.cur + 1
    writer.in_batch = 1
    return 0


cdef inline int _failed(Store* store, int status) noexcept nogil:
    if status < 0:
        store.writer.broken = 1
    return status


cdef TreeState* _changing(Store* store, tree_id_t tree) noexcept nogil:
    cdef TreeState* state
    dsql_check(store.writer != NULL and store.writer.in_batch, b"S1: changes belong to a batch of the writer")
    if store.writer.broken:
        return NULL
    state = tree_open(store, tree)
    if state == NULL or tree_touch(store, state) < 0:
        store.writer.broken = 1
        return NULL
    return state


cdef int tree_put(Store* store, tree_id_t tree, const uint8_t* key, size_t key_size, const uint8_t* value,
                  size_t value_size) noexcept nogil:
    cdef TreeState* state = _changing(store, tree)
    if state == NULL:
        return -2
    return _failed(store, put_in(store, state, key, key_size, value, value_size))


cdef int tree_delete(Store* store, tree_id_t tree, const uint8_t* key, size_t key_size) noexcept nogil:
    cdef TreeState* state = _changing(store, tree)
    if state == NULL:
        return -2
    return _failed(store, delete_in(store, state, key, key_size))


cdef int tree_drop(Store* store, tree_id_t tree) noexcept nogil:
    cdef TreeState* state = _changing(store, tree)
    if state == NULL:
        return -2
    return _failed(store, drop_in(store, state))


cdef int store_publish(Store* store, timestamp_t visible_ts, uint64_t catalog_version,
                       seq_t journal_seq) noexcept nogil:
    cdef Writer* writer = store.writer
    cdef RootRecord record
    cdef int status
    if writer == NULL or not writer.in_batch or writer.broken:
        return -2
    status = directory_flush(store)
    if status < 0:
        return _failed(store, status)
    record.epoch = writer.epoch
    record.visible_ts = visible_ts
    record.catalog_version = catalog_version
    record.journal_seq = journal_seq
    record.directory_root = writer.directory.root
    record.pages = writer.pages_high
    ring_publish(store.control, &record)
    writer.in_batch = 0
    dsql_store_relaxed(&store.control.pages_high, writer.pages_high)
    dsql_store_relaxed(&store.control.batch_count, store.control.batch_count + 1)
    if writer.epoch % JUDGE_EVERY == 0:
        # Its failure (no memory) breaks the writer for the next batch; this root is out and right.
        reclaim_judge(store)
    return 0

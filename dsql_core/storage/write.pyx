"""The write side of the copy-on-write B+tree.

A change goes down from the root and makes every page of its path the batch's own: a page born in this batch is changed
in place, any other is copied, the copy takes its place in the (own) parent, the old page is retired.

W1  Below an own page's path pages may be shared; above them never: the path from the root is own before it changes.
W2  A full page splits in two; the parent gets the right page with the shortest key that separates them.
W3  A page that falls below a quarter is joined with a neighbour under the same parent when both fill at most three
    quarters; an empty page goes away; a root with one child gives way to it; a tree without entries has root 0.
W4  After a negative result the batch is broken: nothing but recovery may follow.

The directory is such a tree itself: 8-byte big-endian tree id -> u32 root page, u32 0, u64 entry count.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

from dsql_core.storage.layout cimport (
    ENTRY_KEY_MAX, ENTRY_VALUE_MAX, KEY_SIZE_MASK, PAGE_HEADER_SIZE, PAGE_INNER, PAGE_LEAF, PAGE_OVERFLOW, PAGE_ROOM,
    PAGE_SIZE, TREE_DEPTH_MAX, VALUE_OVERFLOW, PageHeader, PageSlot, Store, TreeState, Writer, page_at,
)
from dsql_core.storage.page cimport (
    load_u16, load_u32, page_append, page_child, page_child_slot, page_clear_key, page_copy, page_format, page_index,
    page_insert, page_remove, page_search, page_slots, page_split_at, page_used, slot_key, store_u32,
)
from dsql_core.storage.reclaim cimport page_alloc, page_retire

cdef enum:
    JOIN_BELOW = 2040             # a quarter of PAGE_ROOM
    JOINED_MAX = 6120             # three quarters

cdef struct Path:
    int depth
    uint8_t* page[16]
    int slot[16]


# -- pages of the batch ------------------------------------------------------------------------------------------------

cdef uint8_t* _own(Store* store, uint8_t* page) noexcept nogil:
    # The page itself when born in this batch, else its copy; NULL when the arena is full. The caller relinks.
    cdef PageHeader* header = <PageHeader*>page
    cdef uint8_t* copy
    cdef uint32_t page_no
    if header.born == store.writer.epoch:
        return page
    copy = page_alloc(store, &page_no)
    if copy == NULL:
        return NULL
    page_copy(copy, page)
    (<PageHeader*>copy).born = store.writer.epoch
    (<PageHeader*>copy).page_no = page_no
    if page_retire(store, header.page_no, header.born) < 0:
        return NULL
    return copy


cdef uint8_t* _new_page(Store* store, int kind, int level) noexcept nogil:
    cdef uint32_t page_no
    cdef uint8_t* page = page_alloc(store, &page_no)
    if page != NULL:
        page_format(page, page_no, store.writer.epoch, kind, level)
    return page


cdef inline uint32_t _no(const uint8_t* page) noexcept nogil:
    return (<const PageHeader*>page).page_no


cdef inline int _retire(Store* store, const uint8_t* page) noexcept nogil:
    return page_retire(store, _no(page), (<const PageHeader*>page).born)


cdef inline void _link(uint8_t* parent, int slot_no, uint32_t child) noexcept nogil:
    store_u32(parent + page_slots(parent)[slot_no].offset, child)


# -- overflow chains ---------------------------------------------------------------------------------------------------

cdef int _overflow_write(Store* store, const uint8_t* value, size_t size, uint8_t* reference) noexcept nogil:
    # Built from the end, so every page knows the next one's number.
    cdef size_t count = (size + PAGE_ROOM - 1) // PAGE_ROOM
    cdef size_t at, part
    cdef uint32_t next_no = 0
    cdef uint8_t* page
    store_u32(reference, <uint32_t>size)
    while count > 0:
        count -= 1
        at = count * PAGE_ROOM
        part = size - at if size - at < PAGE_ROOM else PAGE_ROOM
        page = _new_page(store, PAGE_OVERFLOW, 0)
        if page == NULL:
            return WRITE_FULL
        (<PageHeader*>page).next = next_no
        memcpy(page + PAGE_HEADER_SIZE, value + at, part)
        next_no = _no(page)
    store_u32(reference + 4, next_no)
    return 0


cdef int _overflow_retire(Store* store, const uint8_t* reference) noexcept nogil:
    cdef uint64_t left = load_u32(reference)
    cdef uint32_t page_no = load_u32(reference + 4)
    cdef uint8_t* page
    while left > 0:
        page = page_at(store, page_no)
        if page == NULL or (<PageHeader*>page).kind != PAGE_OVERFLOW:
            return WRITE_CORRUPT
        page_no = (<PageHeader*>page).next
        left = left - PAGE_ROOM if left > PAGE_ROOM else 0
        if _retire(store, page) < 0:
            return WRITE_FULL
    return 0


cdef inline int _retire_value(Store* store, const uint8_t* page, int slot_no) noexcept nogil:
    cdef const PageSlot* slot = &page_slots(page)[slot_no]
    if slot.key_size & VALUE_OVERFLOW:
        return _overflow_retire(store, page + slot.offset + 2 + (slot.key_size & KEY_SIZE_MASK))
    return 0


# -- descent -----------------------------------------------------------------------------------------------------------

cdef int _descend_own(Store* store, TreeState* state, const uint8_t* key, size_t key_size, Path* path) noexcept nogil:
    cdef uint8_t* page = page_at(store, state.root)
    cdef uint8_t* mine
    cdef int level
    path.depth = 0
    while True:
        if page == NULL or path.depth >= TREE_DEPTH_MAX:
            return WRITE_CORRUPT
        mine = _own(store, page)
        if mine == NULL:
            return WRITE_FULL
        if mine != page:
            if path.depth == 0:
                state.root = _no(mine)
            else:
                _link(path.page[path.depth - 1], path.slot[path.depth - 1], _no(mine))
        path.page[path.depth] = mine
        level = (<PageHeader*>mine).level
        if level == 0:
            path.depth += 1
            return 0 if (<PageHeader*>mine).kind == PAGE_LEAF else WRITE_CORRUPT
        if (<PageHeader*>mine).kind != PAGE_INNER or (<PageHeader*>mine).count == 0:
            return WRITE_CORRUPT
        path.slot[path.depth] = page_child_slot(mine, key, key_size)
        if path.slot[path.depth] < 0:
            return WRITE_CORRUPT
        page = page_at(store, page_child(mine, path.slot[path.depth]))
        if page != NULL and (<PageHeader*>page).level != level - 1:
            return WRITE_CORRUPT
        path.depth += 1


# -- insert ------------------------------------------------------------------------------------------------------------

cdef uint8_t* _split(Store* store, uint8_t* page, int slot_no, const uint8_t* key, size_t key_size, uint16_t flags,
                     const uint8_t* value, size_t value_size, uint32_t child) noexcept nogil:
    # Puts the entry where it belongs in two pages: `page` and the returned new right one (NULL: arena full).
    cdef Writer* writer = store.writer
    cdef PageHeader* header = <PageHeader*>page
    cdef int inner = header.kind == PAGE_INNER
    cdef size_t need = 8 + (4 if inner else 2) + key_size + value_size
    cdef int count = header.count
    cdef int at = page_split_at(page, slot_no, need)
    cdef int boundary = at - 1 if slot_no < at else at            # first old entry that goes right
    cdef uint8_t* right = _new_page(store, header.kind, header.level)
    if right == NULL:
        return NULL
    if boundary < count:
        page_copy(writer.scratch, page)
        page_append(right, writer.scratch, boundary, count, NULL, 0)
        page_index(right)
        page_format(page, _no(page), header.born, header.kind, header.level)
        page_append(page, writer.scratch, 0, boundary, NULL, 0)
        page_index(page)
    if slot_no < at:
        page_insert(page, slot_no, key, key_size, flags, value, value_size, child, writer.scratch)
    elif inner and slot_no == at:
        # Becomes the right page's slot 0; the key it would lose is the separator the caller passes up.
        page_insert(right, 0, key, 0, 0, NULL, 0, child, writer.scratch)
    else:
        page_insert(right, slot_no - boundary, key, key_size, flags, value, value_size, child, writer.scratch)
    return right


cdef size_t _separator(const uint8_t* left, const uint8_t* right, uint8_t* out) noexcept nogil:
    # Shortest key above every key of the left leaf and not above any of the right one.
    cdef size_t a_size, b_size
    cdef size_t n = 0
    cdef const uint8_t* a = slot_key(left, &page_slots(left)[(<PageHeader*>left).count - 1], &a_size)
    cdef const uint8_t* b = slot_key(right, &page_slots(right)[0], &b_size)
    while n < a_size and n < b_size and a[n] == b[n]:
        n += 1
    if n < b_size:
        n += 1
    memcpy(out, b, n)
    return n


cdef int _insert_up(Store* store, TreeState* state, Path* path, int depth, uint8_t* left, uint8_t* right,
                    uint8_t* key, size_t key_size) noexcept nogil:
    # Links `right` beside `left` in the parent at `depth`; splits upward as long as parents are full. `key` lies in
    # one half of the separator buffer, the next level's separator goes to the other.
    cdef Writer* writer = store.writer
    cdef uint8_t* page
    cdef uint8_t* spare
    cdef size_t spare_size
    cdef const uint8_t* lead
    cdef int slot_no, at
    cdef uint32_t child = _no(right)
    while depth >= 0:
        page = path.page[depth]
        slot_no = path.slot[depth] + 1
        if page_insert(page, slot_no, key, key_size, 0, NULL, 0, child, writer.scratch):
            return 0
        spare = writer.separator if key != writer.separator else writer.separator + ENTRY_KEY_MAX
        at = page_split_at(page, slot_no, 12 + key_size)
        if slot_no == at:
            memcpy(spare, key, key_size)
            spare_size = key_size
        else:
            lead = slot_key(page, &page_slots(page)[at if slot_no > at else at - 1], &spare_size)
            if lead == NULL:
                return WRITE_CORRUPT
            memcpy(spare, lead, spare_size)
        right = _split(store, page, slot_no, key, key_size, 0, NULL, 0, child)
        if right == NULL:
            return WRITE_FULL
        if slot_no != at:
            page_clear_key(right, 0)
        page_index(right)
        left = page
        child = _no(right)
        key = spare
        key_size = spare_size
        depth -= 1
    if (<PageHeader*>left).level + 1 >= TREE_DEPTH_MAX:
        return WRITE_CORRUPT
    page = _new_page(store, PAGE_INNER, (<PageHeader*>left).level + 1)
    if page == NULL:
        return WRITE_FULL
    page_insert(page, 0, NULL, 0, 0, NULL, 0, _no(left), writer.scratch)
    page_insert(page, 1, key, key_size, 0, NULL, 0, child, writer.scratch)
    state.root = _no(page)
    return 0


cdef int put_in(Store* store, TreeState* state, const uint8_t* key, size_t key_size,
                const uint8_t* value, size_t value_size) noexcept nogil:
    cdef Path path
    cdef uint8_t reference[8]
    cdef uint16_t flags = 0
    cdef uint8_t* leaf
    cdef uint8_t* right
    cdef PageSlot* slot
    cdef size_t size
    cdef int slot_no, status
    cdef int found = 0
    if key_size > ENTRY_KEY_MAX:
        return WRITE_CORRUPT
    if value_size > ENTRY_VALUE_MAX:
        if value_size > <size_t>0x7fffffff:
            return WRITE_FULL
        if _overflow_write(store, value, value_size, reference) < 0:
            return WRITE_FULL
        value = reference
        value_size = 8
        flags = VALUE_OVERFLOW
    if state.root == 0:
        leaf = _new_page(store, PAGE_LEAF, 0)
        if leaf == NULL:
            return WRITE_FULL
        state.root = _no(leaf)
    status = _descend_own(store, state, key, key_size, &path)
    if status < 0:
        return status
    leaf = path.page[path.depth - 1]
    slot_no = page_search(leaf, key, key_size, &found)
    if slot_no < 0:
        return WRITE_CORRUPT
    if found:
        if _retire_value(store, leaf, slot_no) < 0:
            return WRITE_CORRUPT
        slot = &page_slots(leaf)[slot_no]
        size = load_u16(leaf + slot.offset)
        if size == value_size:
            slot.key_size = <uint16_t>key_size | flags
            if value_size != 0:
                memcpy(leaf + slot.offset + 2 + key_size, value, value_size)
            return 1
        page_remove(leaf, slot_no)
    else:
        state.entry_count += 1
    if not page_insert(leaf, slot_no, key, key_size, flags, value, value_size, 0, store.writer.scratch):
        right = _split(store, leaf, slot_no, key, key_size, flags, value, value_size, 0)
        if right == NULL:
            return WRITE_FULL
        size = _separator(leaf, right, store.writer.separator)
        status = _insert_up(store, state, &path, path.depth - 2, leaf, right, store.writer.separator, size)
        if status < 0:
            return status
    return found


# -- delete ------------------------------------------------------------------------------------------------------------

cdef int _contains(Store* store, uint32_t root, const uint8_t* key, size_t key_size) noexcept nogil:
    cdef const uint8_t* page = page_at(store, root)
    cdef int slot_no, found, level
    while page != NULL:
        level = (<const PageHeader*>page).level
        if level == 0:
            slot_no = page_search(page, key, key_size, &found)
            return found if slot_no >= 0 else WRITE_CORRUPT
        slot_no = page_child_slot(page, key, key_size)
        if slot_no < 0 or slot_no >= (<const PageHeader*>page).count:
            return WRITE_CORRUPT
        page = page_at(store, page_child(page, slot_no))
        if page != NULL and (<const PageHeader*>page).level != level - 1:
            return WRITE_CORRUPT
    return WRITE_CORRUPT


cdef int _join(Store* store, uint8_t* parent, int left_slot, uint8_t* left, uint8_t* right) noexcept nogil:
    # Moves everything of `right` into `left` (own) when the two fit: 1 done, 0 not. `right` and its slot go away.
    cdef const uint8_t* lead = NULL
    cdef size_t lead_size = 0
    cdef int count = (<PageHeader*>right).count
    if (<PageHeader*>right).kind == PAGE_INNER and count > 0:
        lead = slot_key(parent, &page_slots(parent)[left_slot + 1], &lead_size)
        if lead == NULL:
            return WRITE_CORRUPT
    if page_used(left) + page_used(right) + lead_size > JOINED_MAX:
        return 0
    if (<size_t>(<PageHeader*>left).heap_low <
            PAGE_HEADER_SIZE + 8 * <size_t>(<PageHeader*>left).count + page_used(right) + lead_size):
        page_copy(store.writer.scratch, left)
        page_format(left, _no(left), (<PageHeader*>left).born, (<PageHeader*>left).kind, (<PageHeader*>left).level)
        page_append(left, store.writer.scratch, 0, (<PageHeader*>store.writer.scratch).count, NULL, 0)
    page_append(left, right, 0, count, lead, lead_size)
    page_index(left)
    page_remove(parent, left_slot + 1)
    return 1 if _retire(store, right) == 0 else WRITE_FULL


cdef int _rebalance(Store* store, TreeState* state, Path* path) noexcept nogil:
    cdef int depth = path.depth - 1
    cdef int slot_no, status
    cdef uint8_t* page
    cdef uint8_t* parent
    cdef uint8_t* other
    while depth > 0:
        page = path.page[depth]
        parent = path.page[depth - 1]
        slot_no = path.slot[depth - 1]
        if (<PageHeader*>page).count == 0:
            page_remove(parent, slot_no)
            if _retire(store, page) < 0:
                return WRITE_FULL
        elif page_used(page) >= JOIN_BELOW:
            return 0
        else:
            status = 0
            if slot_no + 1 < (<PageHeader*>parent).count:
                other = page_at(store, page_child(parent, slot_no + 1))
                if other == NULL:
                    return WRITE_CORRUPT
                status = _join(store, parent, slot_no, page, other)
            if status == 0 and slot_no > 0:
                other = page_at(store, page_child(parent, slot_no - 1))
                if other == NULL:
                    return WRITE_CORRUPT
                if page_used(other) + page_used(page) + ENTRY_KEY_MAX <= JOINED_MAX or (
                        (<PageHeader*>page).level == 0 and page_used(other) + page_used(page) <= JOINED_MAX):
                    other = _own(store, other)
                    if other == NULL:
                        return WRITE_FULL
                    _link(parent, slot_no - 1, _no(other))
                    status = _join(store, parent, slot_no - 1, other, page)
            if status < 0:
                return status
            if status == 0:
                return 0
        depth -= 1
    page = path.page[0]
    while (<PageHeader*>page).level > 0 and (<PageHeader*>page).count == 1:
        state.root = page_child(page, 0)
        if _retire(store, page) < 0:
            return WRITE_FULL
        page = page_at(store, state.root)
        if page == NULL:
            return WRITE_CORRUPT
    if (<PageHeader*>page).count == 0:
        state.root = 0
        return 0 if _retire(store, page) == 0 else WRITE_FULL
    return 0


cdef int delete_in(Store* store, TreeState* state, const uint8_t* key, size_t key_size) noexcept nogil:
    cdef Path path
    cdef uint8_t* leaf
    cdef int status, slot_no, found
    if state.root == 0 or key_size > ENTRY_KEY_MAX:
        return 0
    status = _contains(store, state.root, key, key_size)
    if status <= 0:
        return status
    status = _descend_own(store, state, key, key_size, &path)
    if status < 0:
        return status
    leaf = path.page[path.depth - 1]
    slot_no = page_search(leaf, key, key_size, &found)
    if slot_no < 0 or not found:
        return WRITE_CORRUPT
    if _retire_value(store, leaf, slot_no) < 0:
        return WRITE_CORRUPT
    page_remove(leaf, slot_no)
    state.entry_count -= 1
    status = _rebalance(store, state, &path)
    return status if status < 0 else 1


# -- drop --------------------------------------------------------------------------------------------------------------

cdef int _drop_page(Store* store, uint32_t page_no, int level) noexcept nogil:
    cdef uint8_t* page = page_at(store, page_no)
    cdef int i, status
    if page == NULL or (<PageHeader*>page).level != level:
        return WRITE_CORRUPT
    for i in range((<PageHeader*>page).count):
        if level > 0:
            status = _drop_page(store, page_child(page, i), level - 1)
        else:
            status = _retire_value(store, page, i)
        if status < 0:
            return status
    return 0 if _retire(store, page) == 0 else WRITE_FULL


cdef int drop_in(Store* store, TreeState* state) noexcept nogil:
    cdef uint8_t* page
    cdef int status = 0
    if state.root != 0:
        page = page_at(store, state.root)
        if page == NULL or (<PageHeader*>page).level >= TREE_DEPTH_MAX:
            return WRITE_CORRUPT
        status = _drop_page(store, state.root, (<PageHeader*>page).level)
    state.root = 0
    state.entry_count = 0
    return status


# -- directory ---------------------------------------------------------------------------------------------------------

cdef inline void _tree_key(uint64_t tree, uint8_t* key) noexcept nogil:
    cdef int i
    for i in range(8):
        key[i] = <uint8_t>(tree >> (56 - 8 * i))


cdef inline uint64_t _place(uint64_t tree, uint64_t capacity) noexcept nogil:
    return ((tree * <uint64_t>0x9E3779B97F4A7C15) >> 20) & (capacity - 1)


cdef int _grow_trees(Writer* writer) noexcept nogil:
    cdef uint64_t capacity = writer.tree_capacity * 2 if writer.tree_capacity else 256
    cdef TreeState* trees = <TreeState*>calloc(capacity, sizeof(TreeState))
    cdef uint64_t i, at
    if trees == NULL:
        return -1
    for i in range(writer.tree_capacity):
        if writer.trees[i].used:
            at = _place(writer.trees[i].tree, capacity)
            while trees[at].used:
                at = (at + 1) & (capacity - 1)
            trees[at] = writer.trees[i]
    free(writer.trees)
    writer.trees = trees
    writer.tree_capacity = capacity
    return 0


cdef TreeState* tree_open(Store* store, uint64_t tree) noexcept nogil:
    # States stay for the writer's life: nobody else changes the directory. The pointer is good until the next call.
    cdef Writer* writer = store.writer
    cdef uint64_t at
    cdef uint8_t key[8]
    cdef const uint8_t* page
    cdef const uint8_t* value
    cdef const PageSlot* slot
    cdef int slot_no, found, level
    cdef TreeState state
    if writer.tree_capacity != 0:
        at = _place(tree, writer.tree_capacity)
        while writer.trees[at].used:
            if writer.trees[at].tree == tree:
                return &writer.trees[at]
            at = (at + 1) & (writer.tree_capacity - 1)
    memset(&state, 0, sizeof(state))
    state.tree = tree
    state.used = 1
    if writer.directory.root != 0:
        _tree_key(tree, key)
        page = page_at(store, writer.directory.root)
        while page != NULL and (<const PageHeader*>page).level > 0:
            level = (<const PageHeader*>page).level
            slot_no = page_child_slot(page, key, 8)
            page = page_at(store, page_child(page, slot_no)) if slot_no >= 0 else NULL
            if page != NULL and (<const PageHeader*>page).level != level - 1:
                page = NULL
        if page == NULL:
            return NULL
        slot_no = page_search(page, key, 8, &found)
        if slot_no < 0:
            return NULL
        if found:
            slot = &page_slots(page)[slot_no]
            if slot.offset > PAGE_SIZE - 26:
                return NULL
            value = page + slot.offset + 10
            state.root = load_u32(value)
            memcpy(&state.entry_count, value + 8, 8)
    if writer.tree_count * 2 >= writer.tree_capacity and _grow_trees(writer) < 0:
        return NULL
    at = _place(tree, writer.tree_capacity)
    while writer.trees[at].used:
        at = (at + 1) & (writer.tree_capacity - 1)
    writer.trees[at] = state
    writer.tree_count += 1
    return &writer.trees[at]


cdef int tree_touch(Store* store, TreeState* state) noexcept nogil:
    cdef Writer* writer = store.writer
    cdef uint64_t capacity
    cdef uint64_t* dirty
    if state.dirty:
        return 0
    if writer.dirty_count == writer.dirty_capacity:
        capacity = writer.dirty_capacity * 2 if writer.dirty_capacity else 64
        dirty = <uint64_t*>realloc(writer.dirty, capacity * sizeof(uint64_t))
        if dirty == NULL:
            return WRITE_FULL
        writer.dirty = dirty
        writer.dirty_capacity = capacity
    writer.dirty[writer.dirty_count] = state.tree
    writer.dirty_count += 1
    state.dirty = 1
    return 0


cdef int directory_flush(Store* store) noexcept nogil:
    cdef Writer* writer = store.writer
    cdef TreeState* state
    cdef uint8_t* page
    cdef uint8_t key[8]
    cdef uint8_t value[16]
    cdef uint64_t i
    cdef int status
    for i in range(writer.dirty_count):
        state = tree_open(store, writer.dirty[i])
        if state == NULL:
            return WRITE_FULL
        state.dirty = 0
        _tree_key(state.tree, key)
        if state.root == 0:
            status = delete_in(store, &writer.directory, key, 8)
        else:
            # A root that is left over from a collapsed one may still be shared: the count needs a page of its own.
            page = page_at(store, state.root)
            if page == NULL:
                return WRITE_CORRUPT
            page = _own(store, page)
            if page == NULL:
                return WRITE_FULL
            state.root = _no(page)
            (<PageHeader*>page).next = <uint32_t>state.entry_count
            (<PageHeader*>page).reserved = <uint16_t>(state.entry_count >> 32)
            memset(value, 0, 16)
            store_u32(value, state.root)
            memcpy(value + 8, &state.entry_count, 8)
            status = put_in(store, &writer.directory, key, 8, value, 16)
        if status < 0:
            return status
    writer.dirty_count = 0
    return 0

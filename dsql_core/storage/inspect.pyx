"""Inspection: every page below a root, each exactly once, level by level.

A level's pages are sorted before they are read, so loading a checkpoint is a few nearly sequential sweeps over the file
and takes memory only for pages that are in use.

What is checked, and reported in these words, for the first page that fails:

 C1  the page's number, kind, level and birth; its checksum when it came from a file;
 C2  slots lead to records inside the page, records and dead bytes account for the whole record area;
 C3  keys ascend strictly, share the prefix, and their heads are right;
 C4  keys lie between the separators of all parents; inner pages have children, no leaf below an inner page is empty;
 C5  no page is reached twice; overflow chains have the length their value needs;
 C6  the directory's entry counts are those of the trees.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, qsort, realloc
from libc.string cimport memcmp, memcpy, memset

from dsql_core.base.crc32c cimport dsql_crc32c
from dsql_core.base.sync cimport dsql_read_at
from dsql_core.storage.layout cimport (
    ENTRY_KEY_MAX, KEY_SIZE_MASK, PAGE_COUNT_MAX, PAGE_HEADER_SIZE, PAGE_INNER, PAGE_LEAF, PAGE_NO_FIRST,
    PAGE_OVERFLOW, PAGE_ROOM, PAGE_SIZE, TREE_DEPTH_MAX, VALUE_OVERFLOW, PageHeader, PageSlot, Store,
)
from dsql_core.storage.page cimport key_head, keys_compare, load_u16, load_u32, page_child, page_slots, record_size

cdef enum:
    ANY_LEVEL = 255
    RUN_PAGES = 128               # 1 MiB per read

cdef struct Item:                 # a page to look at, and what its parent says of it
    uint32_t page_no
    uint32_t overflow_left        # bytes of the value from this page on; kind PAGE_OVERFLOW only
    uint32_t tree                 # index into counts; 0 = the directory
    uint8_t level                 # ANY_LEVEL for roots
    uint8_t overflow
    uint16_t low_size
    uint16_t high_size
    const uint8_t* low            # keys are >= low ...
    const uint8_t* high           # ... and < high; NULL = unbounded

cdef struct ItemList:
    Item* items
    uint64_t count
    uint64_t capacity

cdef struct Tree:
    uint64_t promised             # by the directory
    uint64_t counted

cdef struct Walk:
    Store* store
    Inspection* out
    uint8_t* reached
    uint64_t pages_high
    uint64_t born_max
    int from_file
    ItemList next
    Tree* trees
    uint64_t tree_count
    uint64_t tree_capacity


cdef uint32_t page_checksum(const uint8_t* page) noexcept nogil:
    # The field counts as 0.
    cdef uint32_t zero = 0
    cdef uint32_t crc = dsql_crc32c(0, page, 12)
    crc = dsql_crc32c(crc, &zero, 4)
    return dsql_crc32c(crc, page + 16, PAGE_SIZE - 16)


cdef int _bad(Walk* walk, uint64_t page_no, const char* what) noexcept nogil:
    walk.out.bad_page = page_no
    walk.out.what = what
    return INSPECT_DAMAGED


cdef Item* _push(ItemList* pages) noexcept nogil:
    cdef uint64_t capacity
    cdef Item* items
    if pages.count == pages.capacity:
        capacity = pages.capacity * 2 if pages.capacity else 256
        items = <Item*>realloc(pages.items, capacity * sizeof(Item))
        if items == NULL:
            return NULL
        pages.items = items
        pages.capacity = capacity
    pages.count += 1
    memset(&pages.items[pages.count - 1], 0, sizeof(Item))
    return &pages.items[pages.count - 1]


cdef int _push_page(Walk* walk, uint64_t from_page, uint32_t page_no, Item** out) noexcept nogil:
    cdef Item* item
    if page_no < PAGE_NO_FIRST or page_no >= walk.pages_high:
        return _bad(walk, from_page, b"refers to a page outside the arena")
    if walk.reached[page_no >> 3] & (1 << (page_no & 7)):
        return _bad(walk, page_no, b"is referred to twice")
    walk.reached[page_no >> 3] |= <uint8_t>(1 << (page_no & 7))
    item = _push(&walk.next)
    if item == NULL:
        return INSPECT_NO_MEMORY
    item.page_no = page_no
    out[0] = item
    return 0


cdef int _check_slots(Walk* walk, const uint8_t* page, const Item* item) noexcept nogil:
    # C2, C3 and the bounds of C4.
    cdef const PageHeader* header = <const PageHeader*>page
    cdef const PageSlot* slots = page_slots(page)
    cdef size_t head_size = 4 if header.kind == PAGE_INNER else 2
    cdef int first = 1 if header.kind == PAGE_INNER else 0
    cdef size_t used = 0
    cdef size_t at, size, before_size = 0
    cdef const uint8_t* key
    cdef const uint8_t* before = NULL
    cdef int i
    if header.count > PAGE_COUNT_MAX or header.heap_low > PAGE_SIZE or (
            header.heap_low < PAGE_HEADER_SIZE + 8 * header.count):
        return _bad(walk, item.page_no, b"has slots and records that overlap")
    for i in range(header.count):
        at = slots[i].offset
        size = slots[i].key_size & KEY_SIZE_MASK
        if at < header.heap_low or at + head_size + size > PAGE_SIZE or size > ENTRY_KEY_MAX:
            return _bad(walk, item.page_no, b"has a slot that leads outside its records")
        if at + record_size(page, &slots[i]) > PAGE_SIZE:
            return _bad(walk, item.page_no, b"has a record that ends outside the page")
        used += record_size(page, &slots[i])
        if header.kind == PAGE_INNER and slots[i].key_size & VALUE_OVERFLOW:
            return _bad(walk, item.page_no, b"is an inner page with a value")
        key = page + at + head_size
        if i < first:
            if size != 0:
                return _bad(walk, item.page_no, b"has a key in its lowest child's slot")
            continue
        if size < header.prefix_size or (
                before != NULL and memcmp(key, before, header.prefix_size) != 0):
            return _bad(walk, item.page_no, b"has a key without the page's prefix")
        if slots[i].head != key_head(key + header.prefix_size, size - header.prefix_size):
            return _bad(walk, item.page_no, b"has a wrong key head")
        if before != NULL and keys_compare(before, before_size, key, size) >= 0:
            return _bad(walk, item.page_no, b"has keys out of order")
        if item.low != NULL and keys_compare(key, size, item.low, item.low_size) < 0:
            return _bad(walk, item.page_no, b"has a key below its parent's separator")
        if item.high != NULL and keys_compare(key, size, item.high, item.high_size) >= 0:
            return _bad(walk, item.page_no, b"has a key at or above its parent's next separator")
        before = key
        before_size = size
    if used + header.dead_size != PAGE_SIZE - <size_t>header.heap_low:
        return _bad(walk, item.page_no, b"has a record area that does not add up")
    return 0


cdef int _push_children(Walk* walk, const uint8_t* page, const Item* item) noexcept nogil:
    cdef const PageHeader* header = <const PageHeader*>page
    cdef const PageSlot* slots = page_slots(page)
    cdef Item* child
    cdef int i, status
    for i in range(header.count):
        status = _push_page(walk, item.page_no, page_child(page, i), &child)
        if status < 0:
            return status
        child.tree = item.tree
        child.level = header.level - 1
        if i == 0:
            child.low = item.low
            child.low_size = item.low_size
        else:
            child.low = page + slots[i].offset + 4
            child.low_size = slots[i].key_size
        if i + 1 < header.count:
            child.high = page + slots[i + 1].offset + 4
            child.high_size = slots[i + 1].key_size
        else:
            child.high = item.high
            child.high_size = item.high_size
    return 0


cdef int _push_tree(Walk* walk, const uint8_t* page, const PageSlot* slot, const Item* item) noexcept nogil:
    # A directory entry: 8-byte key, 16-byte value.
    cdef const uint8_t* value = page + slot.offset + 10
    cdef uint64_t capacity
    cdef Tree* trees
    cdef Item* root
    cdef int status
    if slot.key_size != 8 or load_u16(page + slot.offset) != 16:
        return _bad(walk, item.page_no, b"has a directory entry of the wrong size")
    if walk.tree_count + 1 >= walk.tree_capacity:
        capacity = walk.tree_capacity * 2 if walk.tree_capacity else 64
        trees = <Tree*>realloc(walk.trees, capacity * sizeof(Tree))
        if trees == NULL:
            return INSPECT_NO_MEMORY
        walk.trees = trees
        walk.tree_capacity = capacity
    walk.tree_count += 1
    memcpy(&walk.trees[walk.tree_count].promised, value + 8, 8)
    walk.trees[walk.tree_count].counted = 0
    status = _push_page(walk, item.page_no, load_u32(value), &root)
    if status < 0:
        return status
    root.level = ANY_LEVEL
    root.tree = <uint32_t>walk.tree_count
    return 0


cdef int _look(Walk* walk, const Item* item) noexcept nogil:
    cdef uint8_t* page = walk.store.arena + <uint64_t>item.page_no * PAGE_SIZE
    cdef PageHeader* header = <PageHeader*>page
    cdef const PageSlot* slots = page_slots(page)
    cdef const uint8_t* reference
    cdef Item* follower
    cdef int i, status
    if walk.from_file:
        if header.crc != page_checksum(page):
            return _bad(walk, item.page_no, b"checksum mismatch")
        header.crc = 0                                    # in memory the field is not kept
    if header.page_no != item.page_no:
        return _bad(walk, item.page_no, b"carries another page's number")
    if header.born > walk.born_max:
        return _bad(walk, item.page_no, b"is younger than the root that refers to it")
    walk.out.page_count += 1
    if item.overflow:
        if header.kind != PAGE_OVERFLOW:
            return _bad(walk, item.page_no, b"is not the overflow page it should be")
        walk.out.overflow_count += 1
        if item.overflow_left <= PAGE_ROOM:
            return 0 if header.next == 0 else _bad(walk, item.page_no, b"has a follower after the value's end")
        status = _push_page(walk, item.page_no, header.next, &follower)
        if status < 0:
            return status
        follower.overflow = 1
        follower.overflow_left = item.overflow_left - PAGE_ROOM
        return 0
    if header.level >= TREE_DEPTH_MAX or (item.level != ANY_LEVEL and header.level != item.level) or (
            header.kind != (PAGE_INNER if header.level > 0 else PAGE_LEAF)):
        return _bad(walk, item.page_no, b"has the wrong kind or level")
    if header.count == 0:
        return _bad(walk, item.page_no, b"is empty")
    status = _check_slots(walk, page, item)
    if status < 0:
        return status
    if header.level > 0:
        return _push_children(walk, page, item)
    if item.tree != 0:
        walk.trees[item.tree].counted += header.count
        walk.out.entry_count += header.count
    for i in range(header.count):
        if item.tree == 0:
            status = _push_tree(walk, page, &slots[i], item)
        elif slots[i].key_size & VALUE_OVERFLOW:
            if load_u16(page + slots[i].offset) != 8:
                return _bad(walk, item.page_no, b"has an overflow reference of the wrong size")
            reference = page + slots[i].offset + 2 + (slots[i].key_size & KEY_SIZE_MASK)
            if load_u32(reference) == 0:
                return _bad(walk, item.page_no, b"has an overflow reference of the wrong size")
            status = _push_page(walk, item.page_no, load_u32(reference + 4), &follower)
            if status == 0:
                follower.overflow = 1
                follower.overflow_left = load_u32(reference)
        if status < 0:
            return status
    return 0


cdef int _by_page(const void* a, const void* b) noexcept nogil:
    cdef uint32_t x = (<const Item*>a).page_no
    cdef uint32_t y = (<const Item*>b).page_no
    return (x > y) - (x < y)


cdef int _read_level(Walk* walk, int fd, const ItemList* level) noexcept nogil:
    # Runs of neighbouring pages, straight into the arena.
    cdef uint64_t at = 0
    cdef uint64_t run
    cdef uint64_t offset
    cdef int64_t n
    while at < level.count:
        run = 1
        while run < RUN_PAGES and at + run < level.count and (
                level.items[at + run].page_no == level.items[at].page_no + run):
            run += 1
        offset = <uint64_t>level.items[at].page_no * PAGE_SIZE
        n = dsql_read_at(fd, walk.store.arena + offset, run * PAGE_SIZE, offset)
        if n < 0:
            walk.out.io_error = <int>-n
            walk.out.bad_page = level.items[at].page_no
            return INSPECT_IO
        if <uint64_t>n < run * PAGE_SIZE:
            return _bad(walk, level.items[at].page_no + <uint64_t>n // PAGE_SIZE, b"lies beyond the end of the file")
        at += run
    return 0


cdef int inspect_root(Store* store, int fd, uint32_t directory_root, uint64_t pages_high, uint64_t born_max,
                      Inspection* out) noexcept nogil:
    cdef Walk walk
    cdef ItemList level
    cdef Item* root
    cdef uint64_t i
    cdef int status = 0
    memset(out, 0, sizeof(out[0]))
    memset(&walk, 0, sizeof(walk))
    memset(&level, 0, sizeof(level))
    if directory_root == 0:
        return 0
    walk.store = store
    walk.out = out
    walk.pages_high = pages_high if pages_high < store.pages_max else store.pages_max
    walk.born_max = born_max
    walk.from_file = fd >= 0
    walk.reached = <uint8_t*>calloc(walk.pages_high // 8 + 1, 1)
    if walk.reached == NULL:
        return INSPECT_NO_MEMORY
    status = _push_page(&walk, directory_root, directory_root, &root)
    if status == 0:
        root.level = ANY_LEVEL
    while status == 0 and walk.next.count > 0:
        level, walk.next = walk.next, level
        walk.next.count = 0
        qsort(level.items, level.count, sizeof(Item), _by_page)
        if fd >= 0:
            status = _read_level(&walk, fd, &level)
        for i in range(level.count):
            if status < 0:
                break
            status = _look(&walk, &level.items[i])
    out.tree_count = walk.tree_count
    i = 1
    while status == 0 and i <= walk.tree_count:
        if walk.trees[i].promised != walk.trees[i].counted:
            status = _bad(&walk, directory_root, b"is the root of a directory with a wrong entry count")
        i += 1
    free(walk.reached)
    free(walk.trees)
    free(walk.next.items)
    free(level.items)
    return status

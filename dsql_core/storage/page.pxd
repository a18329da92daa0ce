# Slotted pages: find inline, change in page.pyx. The layout stands in layout.pxd.
#
# Everything here reads at most PAGE_SIZE bytes from the page's start, whatever the page holds.
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from dsql_core.storage.layout cimport (
    ENTRY_KEY_MAX, KEY_SIZE_MASK, PAGE_HEADER_SIZE, PAGE_INNER, PAGE_LEAF, PAGE_SIZE, VALUE_OVERFLOW,
    PageHeader, PageSlot,
)

cdef extern from *:
    """
    static inline uint32_t dsql_swap32(uint32_t v) { return __builtin_bswap32(v); }
    static inline void dsql_prefetch(const void *p) { __builtin_prefetch(p); }
    """
    uint32_t dsql_swap32(uint32_t v) noexcept nogil
    void dsql_prefetch(const void* p) noexcept nogil

cdef inline uint32_t load_u32(const uint8_t* p) noexcept nogil:
    cdef uint32_t v
    memcpy(&v, p, 4)
    return v

cdef inline uint16_t load_u16(const uint8_t* p) noexcept nogil:
    cdef uint16_t v
    memcpy(&v, p, 2)
    return v

cdef inline void store_u32(uint8_t* p, uint32_t v) noexcept nogil:
    memcpy(p, &v, 4)

cdef inline void store_u16(uint8_t* p, uint16_t v) noexcept nogil:
    memcpy(p, &v, 2)

cdef inline PageSlot* page_slots(const uint8_t* page) noexcept nogil:
    return <PageSlot*>(page + PAGE_HEADER_SIZE)

cdef inline int page_first_keyed(const uint8_t* page) noexcept nogil:
    # Slot 0 of an inner page stands for everything below slot 1's key and has none itself.
    return 1 if (<const PageHeader*>page).kind == PAGE_INNER else 0

cdef inline int record_head_size(const uint8_t* page) noexcept nogil:
    return 4 if (<const PageHeader*>page).kind == PAGE_INNER else 2

cdef inline uint32_t key_head(const uint8_t* key, size_t size) noexcept nogil:
    cdef uint32_t head = 0
    if size >= 4:
        return dsql_swap32(load_u32(key))
    if size > 0:
        head = <uint32_t>key[0] << 24
    if size > 1:
        head |= <uint32_t>key[1] << 16
    if size > 2:
        head |= <uint32_t>key[2] << 8
    return head

cdef inline int keys_compare(const uint8_t* a, size_t a_size, const uint8_t* b, size_t b_size) noexcept nogil:
    cdef int c = memcmp(a, b, a_size if a_size < b_size else b_size)
    if c != 0:
        return c
    return (a_size > b_size) - (a_size < b_size)

cdef inline const uint8_t* slot_key(const uint8_t* page, const PageSlot* slot, size_t* size) noexcept nogil:
    # NULL when the slot leads outside the page.
    cdef size_t at = <size_t>slot.offset + record_head_size(page)
    size[0] = slot.key_size & KEY_SIZE_MASK
    if size[0] > ENTRY_KEY_MAX or at + size[0] > PAGE_SIZE:
        return NULL
    return page + at

cdef inline int page_search(const uint8_t* page, const uint8_t* key, size_t size, int* found) noexcept nogil:
    # First slot whose key is >= key (count when none), found = 1 when it is equal; -1 when the page is damaged.
    cdef const PageHeader* header = <const PageHeader*>page
    cdef const PageSlot* slots = page_slots(page)
    cdef int low = page_first_keyed(page)
    cdef int high = header.count
    cdef size_t record_head = 4 if low else 2
    cdef size_t prefix_size = header.prefix_size
    cdef size_t at, other_size
    cdef uint32_t head
    cdef int middle, c
    found[0] = 0
    if low >= high:
        return high
    if prefix_size != 0:
        at = slots[low].offset + record_head
        if at + prefix_size > PAGE_SIZE:
            return -1
        c = memcmp(page + at, key, prefix_size if prefix_size < size else size)
        if c > 0 or (c == 0 and size < prefix_size):
            return low
        if c < 0:
            return high
        key += prefix_size
        size -= prefix_size
    head = key_head(key, size)
    while low < high:
        middle = (low + high) >> 1
        if slots[middle].head < head:
            low = middle + 1
        elif slots[middle].head > head:
            high = middle
        else:
            at = slots[middle].offset + record_head + prefix_size
            other_size = slots[middle].key_size & KEY_SIZE_MASK
            if other_size < prefix_size or at + other_size - prefix_size > PAGE_SIZE:
                return -1
            c = keys_compare(page + at, other_size - prefix_size, key, size)
            if c == 0:
                found[0] = 1
                return middle
            if c < 0:
                low = middle + 1
            else:
                high = middle
    return low

cdef inline int page_child_slot(const uint8_t* page, const uint8_t* key, size_t size) noexcept nogil:
    # Slot of the inner page's child that covers key; -1 when the page is damaged.
    cdef int found
    cdef int slot_no = page_search(page, key, size, &found)
    if slot_no > 0 and not found:
        return slot_no - 1
    return slot_no

cdef inline uint32_t page_child(const uint8_t* page, int slot_no) noexcept nogil:
    # Page number of a child; 0 when the slot leads outside the page.
    cdef size_t at = page_slots(page)[slot_no].offset
    if at > PAGE_SIZE - 4:
        return 0
    return load_u32(page + at)

cdef inline size_t record_size(const uint8_t* page, const PageSlot* slot) noexcept nogil:
    if (<const PageHeader*>page).kind == PAGE_INNER:
        return 4 + <size_t>(slot.key_size & KEY_SIZE_MASK)
    return 2 + <size_t>(slot.key_size & KEY_SIZE_MASK) + load_u16(page + slot.offset)

cdef inline size_t page_used(const uint8_t* page) noexcept nogil:
    # Bytes of slots and live records: what a compacted page would need of PAGE_ROOM.
    cdef const PageHeader* header = <const PageHeader*>page
    return PAGE_SIZE - header.heap_low - header.dead_size + 8 * <size_t>header.count

cdef void page_format(uint8_t* page, uint32_t page_no, uint64_t born, int kind, int level) noexcept nogil
cdef void page_copy(uint8_t* to, const uint8_t* page) noexcept nogil          # used bytes only; the header with them
# Puts a record at slot_no; 1 done, 0 no room. Leaf: flags and value; inner: child.
cdef int page_insert(uint8_t* page, int slot_no, const uint8_t* key, size_t key_size, uint16_t flags,
                     const uint8_t* value, size_t value_size, uint32_t child, uint8_t* scratch) noexcept nogil
cdef void page_remove(uint8_t* page, int slot_no) noexcept nogil
# Appends records [first, last) of `source` (another page) to `page`, which must have room; prefix and heads are then
# stale until page_index. lead_key stands in for the key of source's slot 0 when that is the empty one of an inner page.
cdef void page_append(uint8_t* page, const uint8_t* source, int first, int last,
                      const uint8_t* lead_key, size_t lead_size) noexcept nogil
cdef void page_index(uint8_t* page) noexcept nogil
cdef void page_clear_key(uint8_t* page, int slot_no) noexcept nogil            # inner: that slot's key becomes empty
cdef int page_split_at(const uint8_t* page, int slot_no, size_t need) noexcept nogil

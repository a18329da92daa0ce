"""Changing slotted pages: insert, remove, compact, redistribute.

Only the applier calls this, on pages born in the batch under way (nobody else can see them), or on its own copies.

P1  After every call but page_append, prefix_size is common to all keyed slots and heads are taken after it.
P2  heap_low - (header + slots) is the free middle; dead_size bytes of the record area belong to no slot.
P3  A page whose live bytes fit PAGE_ROOM can always take them: page_insert compacts before it says no.

The prefix is only shortened by an insert and is computed afresh whenever records move to another page.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove, memset

from dsql_core.base.atomic cimport dsql_check
from dsql_core.storage.layout cimport (
    KEY_SIZE_MASK, PAGE_HEADER_SIZE, PAGE_INNER, PAGE_ROOM, PAGE_SIZE, PageHeader, PageSlot,
)


cdef void page_format(uint8_t* page, uint32_t page_no, uint64_t born, int kind, int level) noexcept nogil:
    cdef PageHeader* header = <PageHeader*>page
    memset(page, 0, PAGE_HEADER_SIZE)
    header.born = born
    header.page_no = page_no
    header.kind = <uint8_t>kind
    header.level = <uint8_t>level
    header.heap_low = PAGE_SIZE


cdef void page_copy(uint8_t* to, const uint8_t* page) noexcept nogil:
    cdef const PageHeader* header = <const PageHeader*>page
    memcpy(to, page, PAGE_HEADER_SIZE + 8 * <size_t>header.count)
    memcpy(to + header.heap_low, page + header.heap_low, PAGE_SIZE - header.heap_low)


cdef inline size_t _common(const uint8_t* a, const uint8_t* b, size_t limit) noexcept nogil:
    cdef size_t n = 0
    while n < limit and a[n] == b[n]:
        n += 1
    return n


cdef void _set_prefix(uint8_t* page, size_t prefix_size) noexcept nogil:
    cdef PageHeader* header = <PageHeader*>page
    cdef PageSlot* slots = page_slots(page)
    cdef size_t record_head = record_head_size(page)
    cdef int i
    header.prefix_size = <uint16_t>prefix_size
    for i in range(page_first_keyed(page), header.count):
        slots[i].head = key_head(page + slots[i].offset + record_head + prefix_size,
                                 (slots[i].key_size & KEY_SIZE_MASK) - prefix_size)


cdef void page_index(uint8_t* page) noexcept nogil:
    # The keys ascend, so what the first and the last share, all share.
    cdef PageHeader* header = <PageHeader*>page
    cdef PageSlot* slots = page_slots(page)
    cdef size_t record_head = record_head_size(page)
    cdef int first = page_first_keyed(page)
    cdef int last = header.count - 1
    cdef size_t a, b
    if first > last:
        header.prefix_size = 0
        return
    a = slots[first].key_size & KEY_SIZE_MASK
    b = slots[last].key_size & KEY_SIZE_MASK
    _set_prefix(page, _common(page + slots[first].offset + record_head, page + slots[last].offset + record_head,
                              a if a < b else b))


cdef void page_append(uint8_t* page, const uint8_t* source, int first, int last,
                      const uint8_t* lead_key, size_t lead_size) noexcept nogil:
    cdef PageHeader* header = <PageHeader*>page
    cdef PageSlot* slots = page_slots(page)
    cdef const PageSlot* from_slots = page_slots(source)
    cdef size_t size
    cdef int i
    cdef int n = header.count
    for i in range(first, last):
        if i == 0 and lead_size != 0:
            size = 4 + lead_size
            header.heap_low -= <uint16_t>size
            memcpy(page + header.heap_low, source + from_slots[0].offset, 4)
            memcpy(page + header.heap_low + 4, lead_key, lead_size)
            slots[n].key_size = <uint16_t>lead_size
        else:
            size = record_size(source, &from_slots[i])
            header.heap_low -= <uint16_t>size
            memcpy(page + header.heap_low, source + from_slots[i].offset, size)
            slots[n].key_size = from_slots[i].key_size
        slots[n].head = 0
        slots[n].offset = header.heap_low
        n += 1
    header.count = <uint16_t>n
    dsql_check(PAGE_HEADER_SIZE + 8 * n <= header.heap_low, b"P2: records appended to a page fit it")


cdef void _compact(uint8_t* page, uint8_t* scratch) noexcept nogil:
    cdef PageHeader* header = <PageHeader*>page
    cdef int count = header.count
    page_copy(scratch, page)
    header.count = 0
    header.heap_low = PAGE_SIZE
    header.dead_size = 0
    page_append(page, scratch, 0, count, NULL, 0)
    page_index(page)


cdef int page_insert(uint8_t* page, int slot_no, const uint8_t* key, size_t key_size, uint16_t flags,
                     const uint8_t* value, size_t value_size, uint32_t child, uint8_t* scratch) noexcept nogil:
    cdef PageHeader* header = <PageHeader*>page
    cdef PageSlot* slots = page_slots(page)
    cdef size_t record_head = record_head_size(page)
    cdef size_t size = record_head + key_size + value_size
    cdef size_t room = header.heap_low - PAGE_HEADER_SIZE - 8 * <size_t>header.count
    cdef int first = page_first_keyed(page)
    cdef size_t common
    cdef uint8_t* at
    if room < size + 8:
        if room + header.dead_size < size + 8:
            return 0
        _compact(page, scratch)
    if slot_no >= first:
        if header.count <= first:
            header.prefix_size = <uint16_t>key_size
        else:
            common = header.prefix_size if header.prefix_size < key_size else key_size
            common = _common(page + slots[first].offset + record_head, key, common)
            if common < header.prefix_size:
                _set_prefix(page, common)
    header.heap_low -= <uint16_t>size
    at = page + header.heap_low
    if first:
        store_u32(at, child)
    else:
        store_u16(at, <uint16_t>value_size)
        if value_size != 0:
            memcpy(at + 2 + key_size, value, value_size)
    if key_size != 0:
        memcpy(at + record_head, key, key_size)
    if slot_no < header.count:
        memmove(&slots[slot_no + 1], &slots[slot_no], 8 * <size_t>(header.count - slot_no))
    slots[slot_no].offset = header.heap_low
    slots[slot_no].key_size = <uint16_t>key_size | flags
    slots[slot_no].head = 0 if slot_no < first else key_head(key + header.prefix_size, key_size - header.prefix_size)
    header.count += 1
    return 1


cdef void page_clear_key(uint8_t* page, int slot_no) noexcept nogil:
    cdef PageSlot* slot = &page_slots(page)[slot_no]
    (<PageHeader*>page).dead_size += slot.key_size & KEY_SIZE_MASK
    slot.key_size = 0
    slot.head = 0


cdef void page_remove(uint8_t* page, int slot_no) noexcept nogil:
    cdef PageHeader* header = <PageHeader*>page
    cdef PageSlot* slots = page_slots(page)
    cdef size_t size = record_size(page, &slots[slot_no])
    if slots[slot_no].offset == header.heap_low:
        header.heap_low += <uint16_t>size
    else:
        header.dead_size += <uint16_t>size
    header.count -= 1
    if slot_no < header.count:
        memmove(&slots[slot_no], &slots[slot_no + 1], 8 * <size_t>(header.count - slot_no))
    if header.count == 0:
        header.heap_low = PAGE_SIZE
        header.dead_size = 0
        header.prefix_size = 0
    elif slot_no == 0 and header.kind == PAGE_INNER:
        page_clear_key(page, 0)
        if header.count == 1:
            header.prefix_size = 0


cdef int page_split_at(const uint8_t* page, int slot_no, size_t need) noexcept nogil:
    # Entries the left page keeps, counted with the new one (`need` bytes with its slot, at slot_no) in its place.
    # New at the end: everything stays left, so ascending inserts leave full pages behind; descending ones likewise.
    # Otherwise the boundary nearest the middle whose two sides fit; one exists because no entry exceeds half a page.
    cdef const PageHeader* header = <const PageHeader*>page
    cdef const PageSlot* slots = page_slots(page)
    cdef int count = header.count
    cdef size_t total = page_used(page) + need
    cdef size_t left = 0
    cdef size_t size, off
    cdef size_t best = ~<size_t>0
    cdef int i, m = 1
    if slot_no == count:
        return count
    if slot_no == 0:
        return 1
    for i in range(count):
        if i == slot_no:
            size = need
        else:
            size = record_size(page, &slots[i if i < slot_no else i - 1]) + 8
        left += size
        if left > PAGE_ROOM:
            break
        if total - left <= PAGE_ROOM:
            off = left * 2 - total if left * 2 > total else total - left * 2
            if off < best:
                best = off
                m = i + 1
    return m

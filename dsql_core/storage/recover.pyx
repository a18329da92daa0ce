"""Taking over a live arena: what a new writer does after the death of the old one, and after loading a checkpoint.

The published root is whole whoever died when (L2), so nothing is undone: the dead writer's unpublished pages are simply
not reachable. What died with it is the free list, which follows from reachability:

 1. publish the newest root again, under an epoch above every epoch ever published;
 2. full fence;
 3. read the pins;
 4. mark what the root, every pinned root and the checkpoint roots reach;
 5. only then is the rest free.

V1  This order is the point. Reading pins before publishing loses the pages of a reader that pins in between: after 1
    every later pin holds the new epoch, whose pages are marked anyway (storage-prototype.md, section 5).
V2  Pages reached only from pins are dead with died = the new epoch, and go through the ordinary judgement.
V3  A pin still in its loop may name a root that does not belong to its epoch and may be gone: such a walk is bounded
    by the visited set and page checks, and marks too much at worst.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from dsql_core.base.atomic cimport dsql_fence_seq_cst, dsql_load_acquire, dsql_store_relaxed
from dsql_core.storage.layout cimport (
    CONTROL_FORMAT, KEY_SIZE_MASK, PAGE_INNER, PAGE_LEAF, PAGE_NO_FIRST, PAGE_OVERFLOW, PAGE_ROOM,
    PAGE_SIZE, PIN_WORDS, TREE_DEPTH_MAX, VALUE_OVERFLOW, Control, PageHeader, PageSlot, RootRecord, Store,
    Writer, page_at,
)
from dsql_core.storage.page cimport load_u32, page_child, page_slots
from dsql_core.storage.pins cimport ring_publish
from dsql_core.storage.reclaim cimport dead_push, list_push, reclaim_judge, writer_clear

cdef enum:
    CONTROL_MAGIC = 0x4c52544e4344534f      # "ODSCNTRL"

cdef struct Marking:
    Store* store
    uint8_t* reached              # bit per page below pages_high
    uint64_t pages_high
    uint64_t died                 # != 0: newly reached pages are dead since then
    uint64_t bad_page
    int lenient                   # a damaged page ends its branch instead of the walk


cdef void control_format(Control* control, uint64_t pages_max) noexcept nogil:
    cdef RootRecord record
    memset(&record, 0, sizeof(record))
    control.format = CONTROL_FORMAT
    control.page_size = PAGE_SIZE
    control.pages_max = pages_max
    control.magic = CONTROL_MAGIC
    record.epoch = 1
    record.pages = PAGE_NO_FIRST
    ring_publish(control, &record)


cdef int control_check(const Control* control) noexcept nogil:
    if control.magic != CONTROL_MAGIC or control.format != CONTROL_FORMAT or control.page_size != PAGE_SIZE:
        return -1
    return 0


cdef int _reach(Marking* marking, uint32_t page_no, const uint8_t* page) noexcept nogil:
    # 1 newly reached, 0 already, -1 no memory.
    cdef uint8_t bit = <uint8_t>(1 << (page_no & 7))
    if marking.reached[page_no >> 3] & bit:
        return 0
    marking.reached[page_no >> 3] |= bit
    if marking.died != 0:
        if dead_push(marking.store.writer, page_no, (<const PageHeader*>page).born, marking.died) < 0:
            return RECOVER_NO_MEMORY
    return 1


cdef int _bad(Marking* marking, uint64_t page_no) noexcept nogil:
    if marking.lenient:
        return 0
    marking.bad_page = page_no
    return RECOVER_CORRUPT


cdef const uint8_t* _checked(Marking* marking, uint64_t page_no) noexcept nogil:
    if page_no >= marking.pages_high:
        return NULL
    return page_at(marking.store, page_no)


cdef int _mark_chain(Marking* marking, const uint8_t* reference) noexcept nogil:
    cdef uint64_t left = load_u32(reference)
    cdef uint32_t page_no = load_u32(reference + 4)
    cdef const uint8_t* page
    cdef int status
    while left > 0:
        page = _checked(marking, page_no)
        if page == NULL or (<const PageHeader*>page).kind != PAGE_OVERFLOW:
            return _bad(marking, page_no)
        status = _reach(marking, page_no, page)
        if status <= 0:
            return status                                 # L3: a chain is reached as a whole
        page_no = (<const PageHeader*>page).next
        left = left - PAGE_ROOM if left > PAGE_ROOM else 0
    return 0


cdef int _mark_tree(Marking* marking, uint32_t page_no, int level, int directory) noexcept nogil:
    # level -1: whatever the root says. directory 1: leaf values name roots of trees.
    cdef const uint8_t* page = _checked(marking, page_no)
    cdef const PageSlot* slot
    cdef size_t at
    cdef int i, status
    if page == NULL or (<const PageHeader*>page).level >= TREE_DEPTH_MAX:
        return _bad(marking, page_no)
    if level < 0:
        level = (<const PageHeader*>page).level
    if (<const PageHeader*>page).level != level or (<const PageHeader*>page).kind != (
            PAGE_INNER if level > 0 else PAGE_LEAF):
        return _bad(marking, page_no)
    status = _reach(marking, page_no, page)
    if status <= 0:
        return status
    for i in range((<const PageHeader*>page).count):
        status = 0
        if level > 0:
            status = _mark_tree(marking, page_child(page, i), level - 1, directory)
        else:
            slot = &page_slots(page)[i]
            if directory or slot.key_size & VALUE_OVERFLOW:
                at = <size_t>slot.offset + 2 + (slot.key_size & KEY_SIZE_MASK)
                if at + 8 > PAGE_SIZE:
                    status = _bad(marking, page_no)
                elif directory:
                    status = _mark_tree(marking, load_u32(page + at), -1, 0)
                else:
                    status = _mark_chain(marking, page + at)
        if status < 0:
            return status
    return 0


cdef int _mark_pins(Marking* marking) noexcept nogil:
    cdef Control* control = marking.store.control
    cdef uint64_t used, pin, root
    cdef int word, bit, status
    for word in range(PIN_WORDS):
        used = dsql_load_acquire(&control.pin_used[word])
        if word == 0:
            used |= 3
        bit = 0
        while used != 0:
            if used & 1:
                pin = dsql_load_acquire(&control.slots[word * 64 + bit].pin)
                root = dsql_load_acquire(&control.slots[word * 64 + bit].root)
                if pin != 0 and pin < marking.died and root != 0:
                    status = _mark_tree(marking, <uint32_t>root, -1, 1)
                    if status < 0:
                        return status
            used >>= 1
            bit += 1
    return 0


cdef int writer_recover(Store* store, uint64_t* bad_page) noexcept nogil:
    cdef Writer* writer = store.writer
    cdef Control* control = store.control
    cdef RootRecord record
    cdef Marking marking
    cdef uint64_t page_no
    cdef int status = 0
    bad_page[0] = 0
    writer_clear(writer)
    record = control.ring[control.cur & 7]
    record.epoch = control.cur + 1
    ring_publish(control, &record)
    dsql_fence_seq_cst()
    writer.pages_high = record.pages
    writer.epoch = record.epoch
    writer.directory.root = <uint32_t>record.directory_root
    marking.store = store
    marking.pages_high = record.pages
    marking.died = 0
    marking.bad_page = 0
    marking.lenient = 0
    marking.reached = <uint8_t*>calloc(record.pages // 8 + 1, 1)
    if marking.reached == NULL:
        status = RECOVER_NO_MEMORY
    if status == 0 and record.directory_root != 0:
        status = _mark_tree(&marking, <uint32_t>record.directory_root, -1, 1)
    if status == 0:
        marking.died = record.epoch
        marking.lenient = 1
        status = _mark_pins(&marking)
    if status == 0:
        # Highest first onto the stack, so that low pages are used again first and the file stays short.
        page_no = record.pages
        while page_no > PAGE_NO_FIRST:
            page_no -= 1
            if not marking.reached[page_no >> 3] & (1 << (page_no & 7)):
                if list_push(&writer.free, <uint32_t>page_no) < 0:
                    status = RECOVER_NO_MEMORY
                    break
    free(marking.reached)
    bad_page[0] = marking.bad_page
    if status == 0:
        status = reclaim_judge(store)
    if status < 0:
        writer.broken = 1
    dsql_store_relaxed(&control.pages_high, writer.pages_high)
    return status

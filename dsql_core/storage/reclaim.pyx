"""Reclamation by intervals: a page born in batch b and replaced in batch d is needed by roots b .. d-1 and no other.

R1  A page that never left its batch is free at once. Any other is judged only after the root that replaced it is
    published and a full fence has passed (pins.pyx, N1).
R2  It is free when no pin lies in [born, died). Else it goes into the bag of the newest pin below died: every later
    pin is >= died, so only that pin and older ones can ever need it.
R3  When a bag's pin is gone, its pages born above the next older pin are free; the rest move to that pin's bag.
    So a page is looked at once per pin that outlives it, not once per batch.
R4  The durable checkpoint root and the one being written are pins like others (slots 0 and 1).
R5  A large stock of free pages is given back to the machine little by little, from the bottom of the list (the pages
    that have been free longest); a page reads as zeroes then, until it is used again.

All of it is private memory of the writer; a new writer builds it afresh (recover.pyx). The free list is last in,
first out: the page freed last is the one most likely still in the cache.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memmove, memset

from dsql_core.base.atomic cimport dsql_fence_seq_cst, dsql_load_acquire, dsql_store_relaxed
from dsql_core.base.mapping cimport dsql_memory_populate, dsql_memory_return
from dsql_core.storage.layout cimport (
    ENTRY_KEY_MAX, PAGE_SIZE, PIN_WORDS, Bag, Control, DeadPage, HeldPage, PageList, Store, Writer,
)

cdef enum:
    TOUCH_PAGES = 32              # 256 KiB: one call instead of 64 faults
    SPARE_PAGES = 8192            # 64 MiB of free pages are always kept
    RETURN_PAGES = 32             # per judgement: some 30 us


cdef Writer* writer_new() noexcept nogil:
    cdef Writer* writer = <Writer*>calloc(1, sizeof(Writer))
    if writer == NULL:
        return NULL
    writer.scratch = <uint8_t*>malloc(PAGE_SIZE)
    writer.separator = <uint8_t*>malloc(2 * ENTRY_KEY_MAX)
    if writer.scratch == NULL or writer.separator == NULL:
        writer_free(writer)
        return NULL
    return writer


cdef void writer_clear(Writer* writer) noexcept nogil:
    cdef uint64_t i
    for i in range(writer.bag_count):
        free(writer.bags[i].items)
    writer.bag_count = 0
    writer.held_count = 0
    writer.dead_count = 0
    writer.free.count = 0
    writer.returned = 0
    writer.tree_count = 0
    writer.dirty_count = 0
    if writer.trees != NULL:
        memset(writer.trees, 0, writer.tree_capacity * sizeof(writer.trees[0]))
    memset(&writer.directory, 0, sizeof(writer.directory))
    writer.in_batch = 0
    writer.broken = 0


cdef void writer_free(Writer* writer) noexcept nogil:
    if writer == NULL:
        return
    writer_clear(writer)
    free(writer.trees)
    free(writer.dirty)
    free(writer.free.items)
    free(writer.dead)
    free(writer.bags)
    free(writer.pins)
    free(writer.scratch)
    free(writer.separator)
    free(writer)


cdef void* _grown(void* items, uint64_t count, uint64_t* capacity, size_t item_size) noexcept nogil:
    # The array with room for one more, or NULL (the old one stays valid).
    cdef uint64_t wanted
    cdef void* grown
    if count < capacity[0]:
        return items
    wanted = capacity[0] * 2 if capacity[0] else 64
    grown = realloc(items, wanted * item_size)
    if grown != NULL:
        capacity[0] = wanted
    return grown


cdef int list_push(PageList* pages, uint32_t page_no) noexcept nogil:
    cdef void* items = _grown(pages.items, pages.count, &pages.capacity, sizeof(uint32_t))
    if items == NULL:
        return -1
    pages.items = <uint32_t*>items
    pages.items[pages.count] = page_no
    pages.count += 1
    return 0


cdef int touch_ahead(Store* store, uint64_t pages) noexcept nogil:
    # Takes the faults of the next `pages` never-used pages in one call: 0 done, -1 the machine has no memory for them.
    cdef Writer* writer = store.writer
    cdef uint64_t first = writer.pages_touched if writer.pages_touched > writer.pages_high else writer.pages_high
    if first + pages > store.pages_max:
        pages = store.pages_max - first
    if pages != 0 and dsql_memory_populate(store.arena + first * PAGE_SIZE, pages * PAGE_SIZE) < 0:
        return -1
    writer.pages_touched = first + pages
    return 0


cdef uint8_t* page_alloc(Store* store, uint32_t* page_no) noexcept nogil:
    cdef Writer* writer = store.writer
    if writer.free.count == 0 and writer.pages_high >= store.pages_max:
        reclaim_judge(store)
    if writer.free.count > 0:
        writer.free.count -= 1
        page_no[0] = writer.free.items[writer.free.count]
        if writer.returned > writer.free.count:
            writer.returned = writer.free.count
    else:
        if writer.pages_high >= store.pages_max:
            return NULL
        if writer.pages_high >= writer.pages_touched and touch_ahead(store, TOUCH_PAGES) < 0:
            return NULL
        page_no[0] = <uint32_t>writer.pages_high
        writer.pages_high += 1
    return store.arena + <uint64_t>page_no[0] * PAGE_SIZE


cdef int dead_push(Writer* writer, uint32_t page_no, uint64_t born, uint64_t died) noexcept nogil:
    cdef void* items = _grown(writer.dead, writer.dead_count, &writer.dead_capacity, sizeof(DeadPage))
    if items == NULL:
        return -1
    writer.dead = <DeadPage*>items
    writer.dead[writer.dead_count].born = born
    writer.dead[writer.dead_count].died = died
    writer.dead[writer.dead_count].page_no = page_no
    writer.dead_count += 1
    return 0


cdef int page_retire(Store* store, uint32_t page_no, uint64_t born) noexcept nogil:
    cdef Writer* writer = store.writer
    if born == writer.epoch:
        return list_push(&writer.free, page_no)
    return dead_push(writer, page_no, born, writer.epoch)


cdef int _by_value(const void* a, const void* b) noexcept nogil:
    cdef uint64_t x = (<const uint64_t*>a)[0]
    cdef uint64_t y = (<const uint64_t*>b)[0]
    return (x > y) - (x < y)


cdef int64_t _read_pins(Store* store) noexcept nogil:
    # Pins in force, ascending, each once, in writer.pins; how many, or -1.
    cdef Writer* writer = store.writer
    cdef Control* control = store.control
    cdef uint64_t count = 0, kept = 0
    cdef uint64_t used, pin, i
    cdef int word, bit
    cdef void* items
    for word in range(PIN_WORDS):
        used = dsql_load_acquire(&control.pin_used[word])
        if word == 0:
            used |= 3
        bit = 0
        while used != 0:
            if used & 1:
                pin = dsql_load_acquire(&control.slots[word * 64 + bit].pin)
                if pin != 0:
                    items = _grown(writer.pins, count, &writer.pin_capacity, sizeof(uint64_t))
                    if items == NULL:
                        return -1
                    writer.pins = <uint64_t*>items
                    writer.pins[count] = pin
                    count += 1
            used >>= 1
            bit += 1
    if count > 1:
        qsort(writer.pins, count, sizeof(uint64_t), _by_value)
    for i in range(count):
        if kept == 0 or writer.pins[kept - 1] != writer.pins[i]:
            writer.pins[kept] = writer.pins[i]
            kept += 1
    return <int64_t>kept


cdef inline int64_t _newest_below(const uint64_t* pins, int64_t count, uint64_t epoch) noexcept nogil:
    # Index of the newest pin < epoch, -1 when there is none.
    cdef int64_t low = 0, high = count, middle
    while low < high:
        middle = (low + high) >> 1
        if pins[middle] < epoch:
            low = middle + 1
        else:
            high = middle
    return low - 1


cdef Bag* _bag_of(Writer* writer, uint64_t pin) noexcept nogil:
    # The bag of a pin, made when there is none. Few bags, looked for from the newest on.
    cdef uint64_t at = writer.bag_count
    cdef void* items
    while at > 0 and writer.bags[at - 1].pin > pin:
        at -= 1
    if at > 0 and writer.bags[at - 1].pin == pin:
        return &writer.bags[at - 1]
    items = _grown(writer.bags, writer.bag_count, &writer.bag_capacity, sizeof(Bag))
    if items == NULL:
        return NULL
    writer.bags = <Bag*>items
    memmove(&writer.bags[at + 1], &writer.bags[at], (writer.bag_count - at) * sizeof(Bag))
    writer.bag_count += 1
    writer.bags[at].pin = pin
    writer.bags[at].items = NULL
    writer.bags[at].count = 0
    writer.bags[at].capacity = 0
    return &writer.bags[at]


cdef int _hold(Writer* writer, uint64_t pin, uint64_t born, uint64_t page_no) noexcept nogil:
    cdef Bag* bag = _bag_of(writer, pin)
    cdef void* items
    if bag == NULL:
        return -1
    items = _grown(bag.items, bag.count, &bag.capacity, sizeof(HeldPage))
    if items == NULL:
        return -1
    bag.items = <HeldPage*>items
    bag.items[bag.count].born = born
    bag.items[bag.count].page_no = page_no
    bag.count += 1
    writer.held_count += 1
    return 0


cdef int _split_bags(Writer* writer, int64_t pin_count) noexcept nogil:
    # R3, newest bag first: what moves on finds a bag whose pin is alive, so one pass is enough.
    cdef uint64_t at = writer.bag_count
    cdef uint64_t i, count, pin
    cdef int64_t older
    cdef HeldPage* items
    while at > 0:
        at -= 1
        pin = writer.bags[at].pin
        older = _newest_below(writer.pins, pin_count, pin + 1)
        if older >= 0 and writer.pins[older] == pin:
            continue
        items = writer.bags[at].items
        count = writer.bags[at].count
        writer.bag_count -= 1
        memmove(&writer.bags[at], &writer.bags[at + 1], (writer.bag_count - at) * sizeof(Bag))
        writer.held_count -= count
        for i in range(count):
            if older < 0 or items[i].born > writer.pins[older]:
                if list_push(&writer.free, <uint32_t>items[i].page_no) < 0:
                    return -1
            elif _hold(writer, writer.pins[older], items[i].born, items[i].page_no) < 0:
                return -1
        free(items)
        # _hold may have put a new bag among the older ones: go on below every bag already looked at.
        at = writer.bag_count
        while at > 0 and writer.bags[at - 1].pin > pin:
            at -= 1
    return 0


cdef void _return_memory(Store* store) noexcept nogil:
    # R5: when more than a quarter of the arena is free, half of what is free slowly goes back to the machine.
    cdef Writer* writer = store.writer
    cdef int left = RETURN_PAGES
    if writer.free.count < SPARE_PAGES or writer.free.count < writer.pages_high // 4:
        return
    while left > 0 and writer.returned < writer.free.count // 2:
        left -= 1
        dsql_memory_return(store.arena + <uint64_t>writer.free.items[writer.returned] * PAGE_SIZE, PAGE_SIZE)
        writer.returned += 1


cdef int reclaim_judge(Store* store) noexcept nogil:
    # Out of memory half way leaves a page in two lists: the writer is then unusable until recovery.
    cdef int status = _judge(store)
    if status < 0:
        store.writer.broken = 1
    return status


cdef int _judge(Store* store) noexcept nogil:
    cdef Writer* writer = store.writer
    cdef uint64_t published = store.control.cur
    cdef uint64_t i, kept = 0
    cdef int64_t pin_count, pin
    dsql_fence_seq_cst()
    pin_count = _read_pins(store)
    if pin_count < 0 or _split_bags(writer, pin_count) < 0:
        return -1
    for i in range(writer.dead_count):
        if writer.dead[i].died > published:
            writer.dead[kept] = writer.dead[i]
            kept += 1
            continue
        pin = _newest_below(writer.pins, pin_count, writer.dead[i].died)
        if pin < 0 or writer.pins[pin] < writer.dead[i].born:
            if list_push(&writer.free, writer.dead[i].page_no) < 0:
                return -1
        elif _hold(writer, writer.pins[pin], writer.dead[i].born, writer.dead[i].page_no) < 0:
            return -1
    writer.dead_count = kept
    _return_memory(store)
    dsql_store_relaxed(&store.control.pages_free, writer.free.count)
    dsql_store_relaxed(&store.control.pages_held, writer.held_count)
    dsql_store_relaxed(&store.control.bag_count, writer.bag_count)
    return 0

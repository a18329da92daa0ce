"""Pins: the root ring, the table of pin slots, and who owns a slot.

Reader:  e = acquire(cur); copy = ring[e % 8] (relaxed words); slot.root = copy.root; release(slot.pin, e);
         fence; trust the copy if acquire(cur) is still e, else once more.          unpin: release(slot.pin, 0)
Writer:  release-store each word of ring[e % 8]; release(cur, e); fence; read the used bitmap, then every pin in it.

N1  A reader whose second look at cur gave e is seen by every judgement made after root e was replaced: either its
    fence comes first, and its pin (and bitmap bit, set earlier by the same process) is visible to the writer's reads,
    or the writer's fence does, and the second look finds a newer cur.
N2  A copy that was overwritten while being read is never trusted: the overwriting stores are releases ordered after
    the store of a newer cur, the reader's fence makes it acquire them, so its second look sees that cur.
N3  A pin left by a reader on its way round the loop is stale and harmless: it can only hold pages longer.
N4  A slot belongs to the process whose identity stands in `owner`, claimed by compare-exchange; only the owner writes
    pin and root. A dead owner's slot is first claimed by the sweeper, so two sweepers cannot both clear it.
N5  Slots 0 and 1 belong to the checkpoint, whichever process runs it, and are never swept.

Memory: the table lies in the control area. The stack of free slots is private to the process and discarded after a
fork (the child would otherwise share its parent's slots); the parent's stay the parent's.
"""
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.stdlib cimport malloc

from dsql_core.base.atomic cimport (
    dsql_compare_exchange, dsql_load_acquire, dsql_load_relaxed, dsql_store_release,
)
from dsql_core.base.mapping cimport (
    dsql_fork_generation, dsql_fork_register, dsql_process_alive, dsql_process_identity,
)
from dsql_core.storage.layout cimport Control, PIN_SLOTS, PIN_WORDS, RootRecord, Store

cdef extern from * nogil:
    """
    static inline void dsql_bit_set(uint64_t *p, uint64_t bit) { __atomic_fetch_or(p, bit, __ATOMIC_SEQ_CST); }
    static inline void dsql_bit_clear(uint64_t *p, uint64_t bit) { __atomic_fetch_and(p, ~bit, __ATOMIC_SEQ_CST); }
    static inline void dsql_pause(void) {
    #if defined(__x86_64__)
        __builtin_ia32_pause();
    #endif
    }
    """
    void dsql_bit_set(uint64_t* p, uint64_t bit) noexcept
    void dsql_bit_clear(uint64_t* p, uint64_t bit) noexcept
    void dsql_pause() noexcept


cdef void pins_setup(Store* store) noexcept nogil:
    dsql_fork_register()
    store.fork_generation = dsql_fork_generation()
    store.owner = dsql_process_identity()


cdef inline void _lock(Store* store) noexcept nogil:
    # Held for a few instructions, by threads of one process. The word says which side of a fork holds it: a lock that
    # a thread of the parent held at the fork is nobody's in the child.
    cdef uint32_t generation = dsql_fork_generation()
    cdef uint64_t mine = <uint64_t>generation + 1
    cdef uint64_t holder
    while True:
        holder = dsql_load_relaxed(&store.pin_lock)
        if holder != mine and dsql_compare_exchange(&store.pin_lock, holder, mine):
            break
        dsql_pause()
    if store.fork_generation != generation:
        store.owner = dsql_process_identity()
        store.slots_free_count = 0
        store.fork_generation = generation


cdef inline void _unlock(Store* store) noexcept nogil:
    dsql_store_release(&store.pin_lock, 0)


cdef int32_t _claim(Store* store) noexcept nogil:
    # The lowest free slot of the table, so the used part stays short.
    cdef Control* control = store.control
    cdef uint64_t used
    cdef int32_t word, bit, slot_no
    for word in range(PIN_WORDS):
        used = dsql_load_acquire(&control.pin_used[word])
        if used == ~<uint64_t>0:
            continue
        for bit in range(64):
            slot_no = word * 64 + bit
            if (used >> bit) & 1 or slot_no < 2:
                continue
            if dsql_load_acquire(&control.slots[slot_no].owner) == 0:
                if dsql_compare_exchange(&control.slots[slot_no].owner, 0, store.owner):
                    dsql_bit_set(&control.pin_used[word], <uint64_t>1 << bit)
                    return slot_no
    return -1


cdef void _give_back(Control* control, int32_t slot_no) noexcept nogil:
    dsql_store_release(&control.slots[slot_no].pin, 0)
    dsql_bit_clear(&control.pin_used[slot_no >> 6], <uint64_t>1 << (slot_no & 63))
    dsql_store_release(&control.slots[slot_no].owner, 0)


cdef int32_t pin_slot_acquire(Store* store) noexcept nogil:
    cdef int32_t slot_no = -1
    _lock(store)
    if store.slots_free_count > 0:
        store.slots_free_count -= 1
        slot_no = store.slots_free[store.slots_free_count]
    else:
        if store.slots_free == NULL:
            store.slots_free = <int32_t*>malloc(PIN_SLOTS * sizeof(int32_t))
        if store.slots_free != NULL:
            slot_no = _claim(store)
    _unlock(store)
    return slot_no


cdef void pin_slot_release(Store* store, int32_t slot_no) noexcept nogil:
    # After a fork the child may drop a snapshot it inherited: the pin is the parent's and stays (N4).
    _lock(store)
    if store.control.slots[slot_no].owner == store.owner:
        unpin_slot(store, slot_no)
        store.slots_free[store.slots_free_count] = slot_no
        store.slots_free_count += 1
    _unlock(store)


cdef void pin_slots_return(Store* store) noexcept nogil:
    if store.slots_free == NULL:
        return
    _lock(store)
    while store.slots_free_count > 0:
        store.slots_free_count -= 1
        _give_back(store.control, store.slots_free[store.slots_free_count])
    _unlock(store)


cdef int pins_sweep(Store* store) noexcept nogil:
    cdef Control* control = store.control
    cdef uint64_t me = dsql_process_identity()
    cdef uint64_t owner
    cdef uint64_t alive = me                              # neighbours often have one owner: ask /proc once
    cdef int32_t slot_no
    cdef int swept = 0
    if not dsql_process_alive(me) or (me << 22) == 0:
        return 0                                          # this place does not show processes: nobody is known dead
    for slot_no in range(2, PIN_SLOTS):
        owner = dsql_load_acquire(&control.slots[slot_no].owner)
        if owner == 0 or owner == alive:
            continue
        if dsql_process_alive(owner):
            alive = owner
            continue
        if dsql_compare_exchange(&control.slots[slot_no].owner, owner, me):
            _give_back(control, slot_no)
            swept += 1
    return swept


cdef void ring_fill(Control* control, const RootRecord* record) noexcept nogil:
    # Release stores, see N2.
    cdef RootRecord* at = &control.ring[record.epoch & 7]
    dsql_store_release(&at.epoch, record.epoch)
    dsql_store_release(&at.visible_ts, record.visible_ts)
    dsql_store_release(&at.catalog_version, record.catalog_version)
    dsql_store_release(&at.journal_seq, record.journal_seq)
    dsql_store_release(&at.directory_root, record.directory_root)
    dsql_store_release(&at.pages, record.pages)


cdef void ring_publish(Control* control, const RootRecord* record) noexcept nogil:
    ring_fill(control, record)
    dsql_store_release(&control.cur, record.epoch)
    dsql_store_release(&control.catalog_version, record.catalog_version)
    dsql_store_release(&control.visible_ts, record.visible_ts)

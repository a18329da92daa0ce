# Snapshot pins: how a reader tells the writer which root it stands on. Protocol and proof in pins.pyx.
from libc.stdint cimport int32_t, uint32_t, uint64_t

from dsql_core.base.atomic cimport (
    dsql_fence_seq_cst, dsql_load_acquire, dsql_load_relaxed, dsql_store_relaxed, dsql_store_release,
)
from dsql_core.storage.layout cimport Control, PinSlot, RootRecord, Store
from dsql_core.storage.store cimport Snapshot

cdef void pins_setup(Store* store) noexcept nogil                # once per Store
# Slot ownership (rare). Thread-safe within a process. -1 = every slot of the table is taken.
cdef int32_t pin_slot_acquire(Store* store) noexcept nogil
cdef void pin_slot_release(Store* store, int32_t slot_no) noexcept nogil       # its pin ends too
cdef void pin_slots_return(Store* store) noexcept nogil          # gives all unused ones back to the table
cdef int pins_sweep(Store* store) noexcept nogil                 # clears slots of dead processes; how many
cdef void ring_fill(Control* control, const RootRecord* record) noexcept nogil
cdef void ring_publish(Control* control, const RootRecord* record) noexcept nogil

cdef inline void pin_in_slot(Store* store, int32_t slot_no, Snapshot* out) noexcept nogil:
    # The hot part, about 2 ns: the slot must be owned and empty.
    cdef Control* control = store.control
    cdef PinSlot* slot = &control.slots[slot_no]
    cdef RootRecord* record
    cdef uint64_t epoch, root
    while True:
        epoch = dsql_load_acquire(&control.cur)
        record = &control.ring[epoch & 7]
        out.visible_ts = dsql_load_relaxed(&record.visible_ts)
        out.catalog_version = dsql_load_relaxed(&record.catalog_version)
        out.journal_seq = dsql_load_relaxed(&record.journal_seq)
        root = dsql_load_relaxed(&record.directory_root)
        dsql_store_relaxed(&slot.root, root)
        dsql_store_release(&slot.pin, epoch)
        dsql_fence_seq_cst()
        if dsql_load_acquire(&control.cur) == epoch:
            break
    out.epoch = epoch
    out.directory_root = <uint32_t>root
    out.pin_slot = slot_no

cdef inline void unpin_slot(Store* store, int32_t slot_no) noexcept nogil:
    dsql_store_release(&store.control.slots[slot_no].pin, 0)

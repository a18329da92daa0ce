"""The conflict table: open addressing, linear probing, 16-byte slots, lazy expiry.

Invariants:
  A1  For every key written at a ts above the watermark, table_last answers that ts or (fingerprint collision) a later
      one. So a collision or a lost memory can only refuse a commit, never admit one.
  A2  A snapshot below the watermark is not judged at all (the caller answers TOO_OLD). Therefore a slot with
      ts <= watermark can never matter again: it is free for reuse, but does not end a probe - only a never-used slot does.
  A3  A full table (0.7 used) is left for a new one: the same size when most slots are expired, twice the size while
      the memory bound allows, else the same size after advancing the watermark past the older part (long transactions
      abort, memory does not grow). Slots are carried over a few per stamp, so no commit pays for all of them; until it
      is done lookups ask the new table, then the old one, which is never written again.
  A4  Probes end: at most 0.7 of the slots plus what is carried over are ever used, so a never-used slot exists.

Cost of this shape: one cache line per key (measured in perf/bench_adjudicator.py). A sweeper or a list ordered by
time would touch memory the hot path never needs.
"""
from libc.stdlib cimport calloc, free, qsort
from libc.string cimport memset

from dsql_core.base.types cimport timestamp_t, uint64_t

cdef extern from *:
    """
    #define dsql_prefetch(p) __builtin_prefetch((p), 1, 1)
    """
    void dsql_prefetch(const void* p) noexcept nogil

cdef enum:
    CARRY_PER_STAMP = 16
    SAMPLE_COUNT = 1024


cdef inline size_t _home(uint64_t fp, size_t mask) noexcept nogil:
    return (fp >> 3) & mask


cdef int table_init(ConflictTable* table, size_t capacity, size_t capacity_max) noexcept nogil:
    memset(table, 0, sizeof(ConflictTable))
    if capacity < 64 or capacity & (capacity - 1) or capacity_max < capacity or capacity_max & (capacity_max - 1):
        return -1
    table.slots = <Slot*>calloc(capacity, sizeof(Slot))
    if table.slots == NULL:
        return -1
    table.mask = capacity - 1
    table.capacity_max = capacity_max
    table.random = 0x9E3779B97F4A7C15ULL
    return 0


cdef void table_free(ConflictTable* table) noexcept nogil:
    free(table.slots)
    free(table.old)
    table.slots = NULL
    table.old = NULL


cdef void table_prefetch(const ConflictTable* table, uint64_t fp) noexcept nogil:
    dsql_prefetch(table.slots + _home(fp, table.mask))


cdef inline timestamp_t _find(const Slot* slots, size_t mask, uint64_t fp) noexcept nogil:
    cdef size_t at = _home(fp, mask)
    cdef uint64_t key = fp | 1
    while True:
        if slots[at].key == key:
            return slots[at].ts
        if slots[at].key == 0:
            return 0
        at = (at + 1) & mask


cdef timestamp_t table_last(const ConflictTable* table, uint64_t fp) noexcept nogil:
    cdef timestamp_t ts = _find(table.slots, table.mask, fp & ~<uint64_t>7)
    if ts == 0 and table.old != NULL:
        ts = _find(table.old, table.old_mask, fp & ~<uint64_t>7)
    return ts


cdef inline void _put(ConflictTable* table, uint64_t key, timestamp_t ts, int carried) noexcept nogil:
    # carried: the entry comes from the old table, so a value already here is newer and stays.
    cdef size_t at = _home(key, table.mask)
    cdef Slot* slot
    cdef Slot* reuse = NULL
    while True:
        slot = table.slots + at
        if slot.key == key:
            if not carried:
                slot.ts = ts
            return
        if slot.key == 0:
            if reuse == NULL:
                reuse = slot
                table.filled += 1
            reuse.key = key
            reuse.ts = ts
            return
        if reuse == NULL and slot.ts <= table.watermark:
            reuse = slot
        at = (at + 1) & table.mask


cdef void _carry(ConflictTable* table, size_t count) noexcept nogil:
    cdef Slot* slot
    while count != 0 and table.old_at <= table.old_mask:
        slot = table.old + table.old_at
        if slot.key != 0 and slot.ts > table.watermark:
            _put(table, slot.key, slot.ts, 1)
        table.old_at += 1
        count -= 1
    if table.old_at > table.old_mask:
        free(table.old)
        table.old = NULL


cdef int _compare_ts(const void* a, const void* b) noexcept nogil:
    cdef timestamp_t x = (<const timestamp_t*>a)[0]
    cdef timestamp_t y = (<const timestamp_t*>b)[0]
    return (x > y) - (x < y)


cdef void _make_room(ConflictTable* table, timestamp_t newest) noexcept nogil:
    cdef timestamp_t sample[SAMPLE_COUNT]
    cdef size_t capacity = table.mask + 1
    cdef size_t wanted = capacity
    cdef size_t taken = 0
    cdef size_t live = 0
    cdef size_t live_estimate
    cdef size_t keep = capacity * 35 // 100
    cdef Slot* slot
    cdef Slot* slots = NULL
    if table.old != NULL:
        _carry(table, table.old_mask + 1)
    while taken < SAMPLE_COUNT:                       # 0.7 of the slots are used: the loop ends soon
        table.random = table.random * 6364136223846793005ULL + 1442695040888963407ULL
        slot = table.slots + ((table.random >> 24) & table.mask)
        if slot.key == 0:
            continue
        taken += 1
        if slot.ts > table.watermark:
            sample[live] = slot.ts
            live += 1
    live_estimate = table.filled * live // taken
    if live_estimate > keep and capacity * 2 <= table.capacity_max:
        slots = <Slot*>calloc(capacity * 2, sizeof(Slot))
        if slots != NULL:
            wanted = capacity * 2
            table.grown += 1
    if slots == NULL:
        if live_estimate > keep:
            qsort(sample, live, sizeof(timestamp_t), _compare_ts)
            table.watermark = sample[live - 1 - (live - 1) * keep // live_estimate]
            table.advanced += 1
        else:
            table.cleaned += 1
        slots = <Slot*>calloc(capacity, sizeof(Slot))
    if slots == NULL:
        # No memory to remember with: forget everything and judge only snapshots that have seen it all.
        table.watermark = newest
        memset(table.slots, 0, capacity * sizeof(Slot))
        table.filled = 0
        return
    table.old = table.slots
    table.old_mask = table.mask
    table.old_at = 0
    table.slots = slots
    table.mask = wanted - 1
    table.filled = 0


cdef void table_stamp(ConflictTable* table, uint64_t fp, timestamp_t ts) noexcept nogil:
    if table.filled >= (table.mask + 1) // 10 * 7:
        _make_room(table, ts)
    if table.old != NULL:
        _carry(table, CARRY_PER_STAMP)
    _put(table, (fp & ~<uint64_t>7) | 1, ts, 0)

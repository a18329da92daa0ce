# Conflict table: key fingerprint -> commit_ts of its newest write, for every write a running transaction may have missed.
from dsql_core.base.types cimport timestamp_t, uint64_t

cdef struct Slot:                  # 16 bytes
    uint64_t key                   # fingerprint | 1; 0 = never used
    timestamp_t ts                 # newest commit; at or below the watermark = free to reuse

cdef struct ConflictTable:
    Slot* slots
    size_t mask                    # capacity - 1
    size_t filled                  # slots whose key is not 0, live or expired
    Slot* old                      # table being left, NULL = none (invariant A3)
    size_t old_mask
    size_t old_at                  # its slots below are carried over
    size_t capacity_max
    timestamp_t watermark          # snapshots below cannot be judged
    uint64_t random                # state of the sampling
    uint64_t grown                 # how often each answer to a full table was given
    uint64_t cleaned
    uint64_t advanced

cdef int table_init(ConflictTable* table, size_t capacity, size_t capacity_max) noexcept nogil    # powers of two; 0, -1
cdef void table_free(ConflictTable* table) noexcept nogil
cdef void table_prefetch(const ConflictTable* table, uint64_t fp) noexcept nogil
cdef timestamp_t table_last(const ConflictTable* table, uint64_t fp) noexcept nogil    # 0 = no write remembered
cdef void table_stamp(ConflictTable* table, uint64_t fp, timestamp_t ts) noexcept nogil

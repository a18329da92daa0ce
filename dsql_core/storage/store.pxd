# The face of storage for the rest of the core: stores, snapshots, trees, cursors.
#
# A Store is one process's view of the arena (a memfd, mapped at its full reserved size: read-write by the applier,
# read-only by everyone else; the control area - root ring and pin table - is a second small mapping that readers
# write their pin slots in). A Snapshot is a copy of a published root; while its pin is held, every pointer a cursor
# or tree_get returned stays valid and unchanged.
from dsql_core.base.types cimport (
    Slice, epoch_t, int32_t, page_no_t, seq_t, timestamp_t, tree_id_t, uint8_t, uint32_t, uint64_t,
)
from dsql_core.base.memory cimport Pool

from dsql_core.storage.layout cimport Store    # fields are the storage package's own business

cdef struct Snapshot:
    epoch_t epoch
    timestamp_t visible_ts        # every commit at or below is in; this is the transaction's snapshot_ts
    uint64_t catalog_version      # commit_ts of the newest catalog change at or below visible_ts
    seq_t journal_seq             # last journal frame applied
    page_no_t directory_root      # root of the directory tree: tree id -> root page
    int32_t pin_slot              # slot that protects it; -1 = not pinned

cdef enum:
    CURSOR_DEPTH_MAX = 16
    KEY_SIZE_MAX = 2048           # bytes of an encoded key
    VALUE_INLINE_MAX = 2000       # larger values go to overflow pages

cdef struct Cursor:
    Store* store
    page_no_t root
    int32_t depth                 # levels in path; 0 = empty tree
    int32_t valid                 # 1 = on an entry
    page_no_t page[16]
    int32_t slot[16]

# -- reading (any process, no GIL) --------------------------------------------------------------------------------
cdef int snapshot_pin(Store* store, Snapshot* out) noexcept nogil          # 0, or -1 when no pin slot is free
cdef void snapshot_unpin(Store* store, Snapshot* snapshot) noexcept nogil
cdef timestamp_t store_visible_ts(Store* store) noexcept nogil             # newest published, one acquire load
cdef uint64_t store_catalog_version(Store* store) noexcept nogil           # of the newest published root
# 0 = no such tree, or an empty one.
cdef page_no_t tree_root(Store* store, const Snapshot* snapshot, tree_id_t tree) noexcept nogil
# 1 found, 0 not found, -1 corrupt. Overflow values are assembled in pool; others point into the page.
cdef int tree_get(Store* store, page_no_t root, const uint8_t* key, size_t key_size, Pool* pool,
                  Slice* value) noexcept nogil

cdef void cursor_open(Cursor* cursor, Store* store, page_no_t root) noexcept nogil
# All moves return 1 on an entry, 0 at the end, -1 corrupt.
cdef int cursor_first(Cursor* cursor) noexcept nogil
cdef int cursor_last(Cursor* cursor) noexcept nogil
cdef int cursor_seek(Cursor* cursor, const uint8_t* key, size_t key_size) noexcept nogil           # first entry >= key
cdef int cursor_seek_before(Cursor* cursor, const uint8_t* key, size_t key_size) noexcept nogil    # last entry < key
cdef int cursor_next(Cursor* cursor) noexcept nogil
cdef int cursor_prev(Cursor* cursor) noexcept nogil
cdef Slice cursor_key(const Cursor* cursor) noexcept nogil
# 0, -1 corrupt or no memory.
cdef int cursor_value(const Cursor* cursor, Pool* pool, Slice* value) noexcept nogil
# Bulk form for scans: up to `limit` entries from the current one on, in key order (direction +1 / -1), stopping before
# stop_key when it is not NULL (forward: entry >= stop_key stops; backward: entry < stop_key stops). Fills keys[] and
# values[]; returns the count; the cursor stands after the last one. keys may be NULL.
cdef int cursor_fetch(Cursor* cursor, int direction, const uint8_t* stop_key, size_t stop_size, int limit,
                      Pool* pool, Slice* keys, Slice* values) noexcept nogil
# Number of entries of the tree with this root, for the planner; one load.
cdef uint64_t tree_estimate(Store* store, page_no_t root) noexcept nogil

# -- writing (the applier only) -------------------------------------------------------------------------------------
# A batch: store_batch_begin, any number of tree_put/tree_delete/tree_drop, store_publish. A tree comes to life with
# its first put. Errors: -1 out of arena, -2 corrupt; after an error the batch must be given up by recovery.
cdef int store_batch_begin(Store* store) noexcept nogil
# tree_put: 1 replaced, 0 new. A key above KEY_SIZE_MAX is refused as -2: bound keys before they reach the journal.
cdef int tree_put(Store* store, tree_id_t tree, const uint8_t* key, size_t key_size, const uint8_t* value,
                  size_t value_size) noexcept nogil
# 1 deleted, 0 absent.
cdef int tree_delete(Store* store, tree_id_t tree, const uint8_t* key, size_t key_size) noexcept nogil
cdef int tree_drop(Store* store, tree_id_t tree) noexcept nogil
cdef int store_publish(Store* store, timestamp_t visible_ts, uint64_t catalog_version, seq_t journal_seq) noexcept nogil

# -- finer grain, for owners of long-lived pins ------------------------------------------------------------------------
# snapshot_pin takes a slot, pins, and unpin gives the slot back (about 10 ns). A session may keep its slot instead:
# acquire once, then pin_at / pin_clear (about 2 ns each pair), release at the end. Slots do not survive a fork.
cdef int32_t snapshot_slot_acquire(Store* store) noexcept nogil                   # -1 when none is free
cdef void snapshot_slot_release(Store* store, int32_t slot_no) noexcept nogil     # ends its pin too
cdef void snapshot_pin_at(Store* store, int32_t slot_no, Snapshot* out) noexcept nogil
cdef void snapshot_pin_clear(Store* store, int32_t slot_no) noexcept nogil
# The same, by tree id.
cdef uint64_t tree_entry_count(Store* store, const Snapshot* snapshot, tree_id_t tree) noexcept nogil
# Pages a writer could still take, as it last reported (at each eighth batch): refuse commits early when few are left,
# because a batch that finds none stops the writer after its frame is already durable. Any process.
cdef uint64_t store_pages_left(Store* store) noexcept nogil

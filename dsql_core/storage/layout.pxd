# Layout of the arena and the control area, and the two structs that stand for them in one process.
#
# Arena: pages of PAGE_SIZE bytes; page n lies at n * PAGE_SIZE, in memory and in the checkpoint file alike. Pages 0
# and 1 are never used in memory; in the file they are the two metas. A page is, little endian:
#
#   offset size
#   0      8    born: epoch of the batch that made it
#   8      4    page_no: its own number (a wrong one means a stray pointer)
#   12     4    crc: CRC32C of the page with this field 0; filled in the copy that goes to the file, 0 in memory
#   16     2    count: slots
#   18     1    kind: 1 leaf, 2 inner, 3 overflow
#   19     1    level: 0 leaf, parents one more than their children
#   20     2    prefix_size: bytes that all keys of the page share (inner: all but slot 0's)
#   22     2    heap_low: where the records begin; they fill the page from its end
#   24     2    dead_size: bytes of the record area no slot refers to
#   26     2    reserved: root of a tree: bits 32..47 of its entry count
#   28     4    next: overflow: the following page, 0 = last; root of a tree: bits 0..31 of its entry count
#   32     8*n  slots: u32 head (4 key bytes after the prefix, big endian value, 0-padded), u16 offset, u16 key size;
#               bit 15 of the key size: the value is {u32 total size, u32 first overflow page}
#
#   leaf record   u16 value size, key, value         inner record   u32 child page, key (slot 0: key is empty = lowest)
#   overflow page: bytes 32..8191 are the value's next bytes
#
# L1  Keys of a page ascend strictly, as unsigned bytes; a child's keys are >= its slot's key and < the next slot's.
# L2  A page reachable from a published root never changes while that root is pinned, newest, or a checkpoint's.
# L3  No two parents share a page; an overflow chain belongs to one record and is written as a whole in one batch.
#
# Control area: one Control struct, mapped read-write by everyone. Who writes what stands beside each word.
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    PAGE_SIZE = 8192
    PAGE_HEADER_SIZE = 32
    PAGE_ROOM = 8160              # PAGE_SIZE - PAGE_HEADER_SIZE
    PAGE_NO_FIRST = 2
    PAGE_COUNT_MAX = 1020         # slots that fit a page
    PAGE_LEAF = 1
    PAGE_INNER = 2
    PAGE_OVERFLOW = 3
    KEY_SIZE_MASK = 0x7fff
    VALUE_OVERFLOW = 0x8000       # bit of PageSlot.key_size
    TREE_DEPTH_MAX = 16
    ENTRY_KEY_MAX = 2048          # = KEY_SIZE_MAX of the face
    ENTRY_VALUE_MAX = 2000        # = VALUE_INLINE_MAX of the face
    ROOT_RING = 8
    PIN_SLOTS = 16384
    PIN_WORDS = 256               # PIN_SLOTS / 64
    PIN_CHECKPOINT_A = 0          # slots 0 and 1 belong to checkpoints, whoever runs them; never swept
    PIN_CHECKPOINT_B = 1
    CONTROL_FORMAT = 1

cdef struct PageHeader:
    uint64_t born
    uint32_t page_no
    uint32_t crc
    uint16_t count
    uint8_t kind
    uint8_t level
    uint16_t prefix_size
    uint16_t heap_low
    uint16_t dead_size
    uint16_t reserved
    uint32_t next

cdef struct PageSlot:
    uint32_t head
    uint16_t offset
    uint16_t key_size

cdef struct RootRecord:           # a published root; the writer fills it before it moves `cur`
    uint64_t epoch
    uint64_t visible_ts
    uint64_t catalog_version
    uint64_t journal_seq
    uint64_t directory_root
    uint64_t pages                # page numbers below this have been used
    uint64_t reserved[2]

cdef struct PinSlot:              # 64 bytes; pin and root are written by the owner only
    uint64_t pin                  # epoch held, 0 = none
    uint64_t root                 # directory root of that epoch, for recovery
    uint64_t owner                # process identity, 0 = free; claimed by compare-exchange
    uint64_t reserved[5]

cdef struct Control:
    uint64_t magic                # written once by the creator, like the next three
    uint64_t format
    uint64_t page_size
    uint64_t pages_max
    uint64_t reserved0[4]
    uint64_t cur                  # newest epoch; the writer publishes it, readers acquire it
    uint64_t visible_ts           # of the newest root; writer, after cur
    uint64_t catalog_version      # the same
    uint64_t reserved1[5]
    uint64_t pages_high           # the writer's numbers, for statistics only
    uint64_t pages_free
    uint64_t pages_held
    uint64_t bag_count
    uint64_t batch_count
    uint64_t reserved2[3]
    uint64_t durable_slot         # checkpoint pin slot (0 or 1) of the newest durable checkpoint; the checkpointer
    uint64_t checkpoint_count     # the checkpointer
    uint64_t reserved3[6]
    RootRecord ring[8]
    uint64_t pin_used[256]        # bit per slot: it may hold a pin. Set before the first pin, cleared when given back
    PinSlot slots[16384]

cdef struct PageList:             # growable array of page numbers
    uint32_t* items
    uint64_t count
    uint64_t capacity

cdef struct DeadPage:
    uint64_t born
    uint64_t died
    uint32_t page_no
    uint32_t reserved

cdef struct HeldPage:             # 16 bytes per page kept for a pin
    uint64_t born
    uint64_t page_no

cdef struct Bag:                  # dead pages whose newest protecting pin is `pin`
    uint64_t pin
    HeldPage* items
    uint64_t count
    uint64_t capacity

cdef struct TreeState:            # the writer's knowledge of one tree
    uint64_t tree
    uint64_t entry_count
    uint32_t root
    uint8_t used
    uint8_t dirty                 # differs from the directory

cdef struct Writer:               # private memory of the writing process
    uint64_t epoch                # of the batch under way
    int32_t in_batch
    int32_t broken                # an error left the batch unusable
    TreeState directory
    TreeState* trees              # open addressing, capacity a power of two
    uint64_t tree_count
    uint64_t tree_capacity
    uint64_t* dirty               # ids of the trees changed in this batch
    uint64_t dirty_count
    uint64_t dirty_capacity
    PageList free
    uint64_t returned             # so many at the bottom of `free` have no memory behind them
    uint64_t pages_high           # next page number never used
    uint64_t pages_touched        # pages below this have memory behind them
    DeadPage* dead                # replaced pages not judged yet
    uint64_t dead_count
    uint64_t dead_capacity
    Bag* bags                     # by ascending pin
    uint64_t bag_count
    uint64_t bag_capacity
    uint64_t held_count
    uint64_t* pins                # scratch of the judge
    uint64_t pin_capacity
    uint8_t* scratch              # one page
    uint8_t* separator            # two buffers of ENTRY_KEY_MAX

cdef struct Store:
    uint8_t* arena
    uint64_t pages_max
    Control* control
    uint64_t arena_size
    uint64_t control_size
    int32_t writable
    uint32_t fork_generation      # the slots below belong to this side of the fork
    uint64_t pin_lock             # guards the free slots against other threads of this process
    uint64_t owner                # this process's identity
    int32_t* slots_free           # pin slots this process owns and does not use
    int32_t slots_free_count
    int32_t slots_free_capacity
    Writer* writer                # NULL in readers

cdef inline uint8_t* page_at(const Store* store, uint64_t page_no) noexcept nogil:
    # A page to read, or NULL when the number cannot be one or the page says it is another.
    cdef uint8_t* page
    if page_no < PAGE_NO_FIRST or page_no >= store.pages_max:
        return NULL
    page = store.arena + page_no * PAGE_SIZE
    if (<const PageHeader*>page).page_no != page_no or (<const PageHeader*>page).count > PAGE_COUNT_MAX:
        return NULL
    return page

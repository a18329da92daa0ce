# The crossbar: the feeds of N journals, merged into one in commit_ts order.
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport seq_t, timestamp_t, uint8_t, uint32_t, uint64_t
from dsql_core.shared.channel cimport Channel

cdef struct Feed:                  # one input
    Channel* input                 # NULL in the core's own tests
    Buffer queue                   # records not passed on yet, each padded to 8 (invariant X2)
    size_t at                      # first of them
    timestamp_t watermark_ts       # every record of this feed at or below is in the queue or passed on, and durable
    seq_t durable_seq              # its last flushed frame

cdef struct Merge:
    Feed* feeds
    uint32_t feed_count
    timestamp_t watermark_ts       # minimum over the feeds: passed on up to here
    uint64_t record_count
    uint64_t durable_count

cdef struct Crossbar:              # the role
    Merge merge
    Channel* output

cdef int merge_init(Merge* merge, uint32_t feed_count) noexcept nogil          # 0, -1
cdef void merge_free(Merge* merge) noexcept nogil
cdef int merge_record(Merge* merge, uint32_t feed, const uint8_t* record, size_t size) noexcept nogil   # 0, -1 no memory
# The feed promises: nothing further at or below ts, all of it durable. 1 = the common watermark rose.
cdef int merge_watermark(Merge* merge, uint32_t feed, seq_t seq, timestamp_t ts) noexcept nogil
# The next record in order at or below the common watermark: its feed, or -1 = none. merge_pop drops it.
cdef int merge_next(Merge* merge, const uint8_t** record, size_t* size) noexcept nogil
cdef void merge_pop(Merge* merge, uint32_t feed) noexcept nogil
cdef seq_t merge_position(const Merge* merge) noexcept nogil
cdef int crossbar_step(void* state) noexcept nogil

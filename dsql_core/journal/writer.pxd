# The journal role: records in, frames to disk, one flush at a time, Durable messages out.
from dsql_core.base.flush cimport dsql_flusher_t
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport seq_t, timestamp_t, uint8_t, uint32_t, uint64_t
from dsql_core.journal.frame cimport FrameHeader
from dsql_core.journal.segment cimport SegmentSet
from dsql_core.shared.channel cimport Channel
from dsql_core.shared.port cimport ReplyPort

cdef enum:
    FRAME_RAW_MAX = 1048576       # records of one frame, unless a single one is larger
    COMPRESS_MIN = 2048           # smaller payloads are stored as they are

    FLUSH_THREAD = 0              # the flusher thread: the loop goes on during the flush
    FLUSH_INLINE = 1              # within step: two wake-ups less, but the loop stands still
    FLUSH_AUTO = 2                # inline while commits come one by one
    LONE_FRAMES_MIN = 8           # this many single-record frames in a row are "one by one"

cdef struct Journal:
    Channel* input                # from the adjudicator: records, refusals on their way
    Channel* output               # to the crossbar: records, Durable, refusals
    ReplyPort replies
    uint64_t* control             # the control page (shared/control.pxd), or NULL
    SegmentSet segments
    uint64_t journal_id
    uint64_t generation
    seq_t seq                     # last frame formed; flushed unless `flushing`
    timestamp_t last_ts           # of the last record formed
    uint64_t chain                # of the last flushed frame
    uint64_t* mark                # mapped durable.mark (scan.pyx), or NULL
    int wake_fd                   # eventfd of this role when no doorbell was given, else -1
    int flush_policy              # FLUSH_*
    uint32_t lone_frames          # frames with a single record since the last with more
    int flushing
    int stopped                   # a flush failed: nothing is written any more, for good
    dsql_flusher_t flusher
    # the frame under way; owned by the flusher thread while `flushing`
    Buffer raw                    # records joined
    Buffer packed                 # their LZ4 block
    uint8_t* image                # the sectors, aligned for direct writes
    size_t image_capacity
    FrameHeader header
    uint64_t next_chain
    size_t frame_bytes
    int flush_result              # 0 or -errno
    int fail_next                 # fault injection: errno the next flush shall end with
    uint64_t flush_ns             # of the last flush
    # statistics
    uint64_t frame_count
    uint64_t record_count
    uint64_t raw_bytes
    uint64_t stored_bytes
    uint64_t flush_ns_total
    uint64_t flush_ns_max
    uint64_t refused_count

cdef int journal_step(void* state) noexcept nogil

# The segments of a local journal, as their writer sees them: one being filled, one prepared, the closed ones below.
#
# Files <id as 16 hex digits>.segment of segment_size bytes; ids are consecutive, frames carry their segment's id.
from dsql_core.base.flush cimport dsql_flusher_t
from dsql_core.base.types cimport seq_t, uint32_t, uint64_t

cdef extern from "segment/segment.h" nogil:
    int dsql_directory_sync(int directory_fd) noexcept
    int dsql_segment_open(int directory_fd, uint64_t id) noexcept
    int dsql_segment_create(int directory_fd, uint64_t id, uint64_t size, uint64_t zeroed) noexcept
    int dsql_segment_rename(int directory_fd, uint64_t source, uint64_t target) noexcept
    int dsql_segment_unlink(int directory_fd, uint64_t id) noexcept

cdef enum:
    SEGMENTS_SPARE = 2            # trimmed segments kept for reuse beyond the prepared one
    UNLINK_MAX = 8                # surplus segments removed per preparation

cdef struct ClosedSegment:
    uint64_t segment_id
    seq_t last_seq                # of its last frame; frames up to it live in it or below

cdef struct SegmentSet:
    int directory_fd
    size_t segment_size
    int fd                        # segment being filled; -1 = none yet
    uint64_t segment_id
    size_t at                     # where its next frame goes
    size_t fast_size              # how much of it is written already; beyond, writes change metadata (slower, not unsafe)
    int next_fd                   # prepared segment; -1 = none
    uint64_t next_id              # id it has, or will have
    seq_t trimmed_seq             # trim position last acted upon
    ClosedSegment* closed         # ascending
    size_t closed_count
    size_t closed_capacity
    int preparing                 # a preparation is under way in the other thread
    int failure                   # -errno of the last preparation, 0 = fine
    uint64_t retry_ns             # not before, after a failure
    dsql_flusher_t preparer
    uint64_t job_id               # owned by the preparer while preparing: id to make (0 = only remove),
    uint64_t job_recycle          # segment to rename for it (0 = make a new one),
    uint64_t job_unlink[UNLINK_MAX]   # segments to remove,
    uint32_t job_unlink_count
    int job_fd                    # and its result: descriptor or -errno
    uint64_t made_count
    uint64_t recycled_count
    uint64_t removed_count

cdef void segments_init(SegmentSet* set, int directory_fd, size_t segment_size, uint64_t next_id,
                        int wake_fd, uint64_t* sleeping) noexcept nogil
cdef void segments_close(SegmentSet* set) noexcept nogil
cdef int segments_add_closed(SegmentSet* set, uint64_t segment_id, seq_t last_seq) noexcept nogil
# Takes the first segment, making it in this thread unless it is prepared: 0 or -errno.
cdef int segments_start(SegmentSet* set, int is_prepared, uint64_t zeroed) noexcept nogil
# Keeps the next segment coming and trimmed ones going: starts or finishes a job. 1 = something happened.
cdef int segments_tend(SegmentSet* set, seq_t trim_seq, uint64_t now_ns) noexcept nogil
# Closes the current segment at last_seq and takes the prepared one: 0, 1 = none prepared yet, -errno of its making.
cdef int segments_roll(SegmentSet* set, seq_t last_seq) noexcept nogil

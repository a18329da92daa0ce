"""Segments: preparation ahead of need, recycling, trimming.

Invariants:
  S1  The writer only ever writes into a segment that was complete (full size, flushed, named) before. ENOSPC can meet
      the preparation, never a commit's flush.
  S2  Segment ids are consecutive without gaps: a new id is the highest plus one; only the lowest files go away.
  S3  A segment is recycled or removed only when every frame in it is at or below the trim position (storage's
      checkpoint holds them). The segment being filled never is.
  S4  The job_* fields belong to the preparer thread between submit and poll, to the owner otherwise.

After a failed preparation the owner tries again once a second, so space that comes back heals it.
"""
from libc.errno cimport ENOMEM
from libc.stdlib cimport free, realloc
from libc.string cimport memmove, memset
from posix.unistd cimport close

from dsql_core.base.flush cimport dsql_flusher_init, dsql_flusher_poll, dsql_flusher_stop, dsql_flusher_submit
from dsql_core.base.types cimport seq_t, uint32_t, uint64_t


cdef void segments_init(SegmentSet* set, int directory_fd, size_t segment_size, uint64_t next_id,
                        int wake_fd, uint64_t* sleeping) noexcept nogil:
    memset(set, 0, sizeof(SegmentSet))
    set.directory_fd = directory_fd
    set.segment_size = segment_size
    set.fd = -1
    set.next_fd = -1
    set.next_id = next_id
    dsql_flusher_init(&set.preparer, wake_fd, sleeping)


cdef void segments_close(SegmentSet* set) noexcept nogil:
    dsql_flusher_stop(&set.preparer)
    if set.preparing and set.job_id != 0 and set.job_fd >= 0:
        close(set.job_fd)
    set.preparing = 0
    if set.fd >= 0:
        close(set.fd)
    if set.next_fd >= 0:
        close(set.next_fd)
    set.fd = -1
    set.next_fd = -1
    free(set.closed)
    set.closed = NULL
    set.closed_count = 0
    set.closed_capacity = 0


cdef int segments_add_closed(SegmentSet* set, uint64_t segment_id, seq_t last_seq) noexcept nogil:
    cdef ClosedSegment* closed
    if set.closed_count == set.closed_capacity:
        closed = <ClosedSegment*>realloc(set.closed, (set.closed_capacity * 2 + 16) * sizeof(ClosedSegment))
        if closed == NULL:
            return -ENOMEM
        set.closed = closed
        set.closed_capacity = set.closed_capacity * 2 + 16
    set.closed[set.closed_count].segment_id = segment_id
    set.closed[set.closed_count].last_seq = last_seq
    set.closed_count += 1
    return 0


cdef int segments_start(SegmentSet* set, int is_prepared, uint64_t zeroed) noexcept nogil:
    cdef int rc = 0
    if not is_prepared:
        rc = dsql_segment_create(set.directory_fd, set.next_id, set.segment_size, zeroed)
        set.made_count += 1
    if rc == 0:
        rc = dsql_directory_sync(set.directory_fd)
    if rc == 0:
        rc = dsql_segment_open(set.directory_fd, set.next_id)
    if rc < 0:
        return rc
    set.fd = rc
    set.segment_id = set.next_id
    set.at = 0
    set.fast_size = set.segment_size if is_prepared else zeroed
    set.next_id += 1
    return 0


cdef void _prepare(void* arg) noexcept nogil:
    # In the preparer thread.
    cdef SegmentSet* set = <SegmentSet*>arg
    cdef uint32_t i
    cdef int rc = 0
    for i in range(set.job_unlink_count):              # lowest first: a crash in between leaves no gap (S2)
        dsql_segment_unlink(set.directory_fd, set.job_unlink[i])
    if set.job_id == 0:
        set.job_fd = dsql_directory_sync(set.directory_fd)
        return
    if set.job_recycle != 0:
        rc = dsql_segment_rename(set.directory_fd, set.job_recycle, set.job_id)
    else:
        rc = dsql_segment_create(set.directory_fd, set.job_id, set.segment_size, set.segment_size)
    if rc == 0:
        rc = dsql_directory_sync(set.directory_fd)
    if rc == 0:
        rc = dsql_segment_open(set.directory_fd, set.job_id)
    set.job_fd = rc


cdef int segments_tend(SegmentSet* set, seq_t trim_seq, uint64_t now_ns) noexcept nogil:
    cdef size_t trimmable = 0
    cdef size_t gone = 0
    if set.preparing:
        if not dsql_flusher_poll(&set.preparer):
            return 0
        set.preparing = 0
        if set.job_id == 0:
            pass
        elif set.job_fd >= 0:
            set.next_fd = set.job_fd
            set.failure = 0
        else:
            set.failure = set.job_fd
            set.retry_ns = now_ns + 1000000000
        return 1
    if set.next_fd >= 0 and trim_seq == set.trimmed_seq:
        return 0
    if set.next_fd < 0 and set.failure != 0 and now_ns < set.retry_ns:
        return 0
    while trimmable < set.closed_count and set.closed[trimmable].last_seq <= trim_seq:
        trimmable += 1
    set.job_unlink_count = 0
    while trimmable - gone > SEGMENTS_SPARE + 1 and set.job_unlink_count < UNLINK_MAX:
        set.job_unlink[set.job_unlink_count] = set.closed[gone].segment_id
        set.job_unlink_count += 1
        gone += 1
        set.removed_count += 1
    if trimmable - gone <= SEGMENTS_SPARE + 1:
        set.trimmed_seq = trim_seq                     # else there is more to remove than one job takes
    set.job_recycle = 0
    if set.next_fd >= 0:
        if gone == 0:
            return 0
    elif gone < trimmable:
        set.job_recycle = set.closed[gone].segment_id
        gone += 1
        set.recycled_count += 1
    else:
        set.made_count += 1
    if gone != 0:
        set.closed_count -= gone
        memmove(set.closed, set.closed + gone, set.closed_count * sizeof(ClosedSegment))
    set.job_id = set.next_id if set.next_fd < 0 else 0
    set.preparing = 1
    if dsql_flusher_submit(&set.preparer, _prepare, set) < 0:
        set.preparing = 0
        set.failure = -ENOMEM
        set.retry_ns = now_ns + 1000000000
    return 1


cdef int segments_roll(SegmentSet* set, seq_t last_seq) noexcept nogil:
    if set.next_fd < 0:
        return set.failure if set.failure != 0 and not set.preparing else 1
    if segments_add_closed(set, set.segment_id, last_seq) < 0:
        return -ENOMEM
    close(set.fd)
    set.fd = set.next_fd
    set.segment_id = set.next_id
    set.at = 0
    set.fast_size = set.segment_size
    set.next_fd = -1
    set.next_id += 1
    return 0

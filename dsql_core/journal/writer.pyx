"""The journal role: group commit without a timer, and the one place where a commit becomes durable.

    records in the ring --form--> frame --flush (other thread)--> Durable downstream
                           \\-- the same records downstream at once: storage builds pages during the flush

Invariants:
  G1  One flush is in flight; everything that arrived meanwhile is the next frame (up to FRAME_RAW_MAX, or one record).
      Nothing is taken from the input ring before its frame is formed.
  G2  Downstream sees the records of frame n, then Durable(n), then the records of n + 1. Nothing may be shown to a
      client before its Durable.
  G3  commit_ts strictly increases from record to record (V1); a violation aborts the process before it is written.
  G4  A failed flush ends the writer for good. It is never repeated: the kernel may have dropped the pages and would
      report success over lost bytes. The frame's fate is unknown (MSG_STOP), later commits are refused READ_ONLY.
  G5  A frame is formed only when its largest possible form fits the current segment, else the prepared one is taken.
      No prepared segment because there is no space: REPLY_FULL; merely not ready yet: wait, its arrival wakes us.
  G6  Opening writes a takeover frame under the new generation into a new segment and flushes it before any record, so
      nothing of an older generation can be mistaken for ours, and the floor of timestamps is on disk.
  G7  After each flush, before anybody hears of it, the seq is stored in durable.mark, a mapped page: it outlives the
      process, costs no system call, and can only lag behind the frames, never lead. The next scan refuses a journal
      that ends before it.
"""
import os

cimport cython
from libc.errno cimport EIO, ENOMEM
from libc.stdlib cimport calloc, free
from libc.string cimport memset, strerror

from dsql_core.base.atomic cimport dsql_check, dsql_load_relaxed, dsql_store_release
from dsql_core.base.flush cimport (
    dsql_flusher_drain, dsql_flusher_init, dsql_flusher_poll, dsql_flusher_stop, dsql_flusher_submit,
)
from dsql_core.base.memory cimport buffer_append, buffer_free, buffer_init, buffer_reserve
from dsql_core.base.sync cimport dsql_monotonic_ns, dsql_write_at
from dsql_core.base.types cimport Slice, seq_t, timestamp_t, uint8_t, uint16_t, uint32_t, uint64_t
from dsql_core.codec.compress cimport compress_block
from dsql_core.codec.message cimport (
    MSG_DURABLE, MSG_RECORD, MSG_REPLY, MSG_STOP, REPLY_FULL, REPLY_READ_ONLY, REPLY_UNKNOWN, CommitHead, CommitReply,
    Durable, Stop, commit_reply_fill, message_kind,
)
from dsql_core.journal.frame cimport FRAME_LZ4, FRAME_TAKEOVER, FrameHeader, frame_encode, frame_size
from dsql_core.journal.segment cimport (
    segments_add_closed, segments_close, segments_init, segments_roll, segments_start, segments_tend,
)
from dsql_core.shared.channel cimport Channel, channel_consume, channel_peek, channel_progress, channel_resume, channel_send
from dsql_core.shared.control cimport (
    CONTROL_BOOT, CONTROL_DURABLE_SEQ, CONTROL_DURABLE_TS, CONTROL_STATUS, CONTROL_TRIM_SEQ,
)
from dsql_core.shared.handle cimport ChannelHandle, DoorbellHandle, RoleHandle, SharedMemory
from dsql_core.shared.port cimport reply_port_resume, reply_port_send

from posix.mman cimport MAP_FAILED, MAP_SHARED, PROT_READ, PROT_WRITE, mmap, munmap

from dsql_core.journal.scan import MARK_MAGIC, MARK_NAME, JournalError

cdef extern from "stdlib.h" nogil:
    int posix_memalign(void** out, size_t alignment, size_t size) noexcept

cdef enum:
    RAW_KEEP = 4194304            # larger buffers are given back after their frame
    BACKLOG_MAX = 33554432        # downstream lags this much: form no further frame


cdef inline uint64_t* _control(Journal* journal, size_t offset) noexcept nogil:
    return <uint64_t*>(<uint8_t*>journal.control + offset)


cdef void _flush(void* arg) noexcept nogil:
    # The flusher's job: compress, encode, write. Its argument is the whole Journal, of which it touches the frame only.
    cdef Journal* journal = <Journal*>arg
    cdef FrameHeader* header = &journal.header
    cdef const uint8_t* payload = journal.raw.data
    cdef size_t size = journal.raw.size
    cdef size_t packed = 0
    cdef uint64_t start = dsql_monotonic_ns()
    if size >= COMPRESS_MIN:
        packed = compress_block(payload, size, journal.packed.data, size - size // 16)
        if packed != 0 and frame_size(packed) < frame_size(size):
            header.flags |= FRAME_LZ4
            payload = journal.packed.data
            size = packed
    journal.frame_bytes = frame_size(size)
    journal.next_chain = frame_encode(header, payload, size, journal.raw.size, journal.image)
    if journal.fail_next != 0:
        journal.flush_result = -journal.fail_next
    else:
        journal.flush_result = dsql_write_at(journal.segments.fd, journal.image, journal.frame_bytes,
                                             journal.segments.at)
    journal.flush_ns = dsql_monotonic_ns() - start


cdef int _room_for_image(Journal* journal) noexcept nogil:
    # Buffers the job writes to, sized before it starts.
    cdef size_t size = frame_size(journal.raw.size)
    cdef void* image = NULL
    if size > journal.image_capacity:
        size = size * 5 // 4 + 65536 & ~<size_t>4095
        if posix_memalign(&image, 4096, size) != 0:
            return -ENOMEM
        free(journal.image)
        journal.image = <uint8_t*>image
        journal.image_capacity = size
    journal.packed.size = 0
    if buffer_reserve(&journal.packed, journal.raw.size + 16) == NULL:
        journal.packed.failed = 0
        return -ENOMEM
    return 0


cdef void _begin_frame(Journal* journal, uint16_t flags, timestamp_t ts_first) noexcept nogil:
    memset(&journal.header, 0, sizeof(FrameHeader))
    journal.header.flags = flags
    journal.header.journal_id = journal.journal_id
    journal.header.segment_id = journal.segments.segment_id
    journal.header.generation = journal.generation
    journal.header.seq = journal.seq + 1
    journal.header.ts_first = ts_first
    journal.header.ts_last = ts_first
    journal.header.prev_chain = journal.chain
    journal.raw.size = 0


cdef void _frame_flushed(Journal* journal) noexcept nogil:
    # Bookkeeping after a flush that succeeded.
    journal.segments.at += journal.frame_bytes
    journal.chain = journal.next_chain
    journal.frame_count += 1
    journal.record_count += journal.header.record_count
    journal.raw_bytes += journal.raw.size
    journal.stored_bytes += journal.frame_bytes
    journal.flush_ns_total += journal.flush_ns
    if journal.flush_ns > journal.flush_ns_max:
        journal.flush_ns_max = journal.flush_ns
    if journal.mark != NULL:
        dsql_store_release(journal.mark, journal.seq)
        dsql_store_release(journal.mark + 1, ~journal.seq)
    if journal.control != NULL:
        dsql_store_release(_control(journal, CONTROL_DURABLE_TS), journal.last_ts)
        dsql_store_release(_control(journal, CONTROL_DURABLE_SEQ), journal.seq)
    if journal.raw.capacity > RAW_KEEP:
        buffer_free(&journal.raw)
        buffer_free(&journal.packed)
        free(journal.image)
        journal.image = NULL
        journal.image_capacity = 0


cdef void _stop(Journal* journal) noexcept nogil:
    cdef Stop stop
    journal.stopped = 1
    if journal.control != NULL:
        dsql_store_release(_control(journal, CONTROL_STATUS), REPLY_READ_ONLY)
    stop.size = sizeof(Stop)
    stop.kind = MSG_STOP
    stop.status = REPLY_UNKNOWN
    channel_send(journal.output, <const uint8_t*>&stop, sizeof(Stop))


cdef void _finish(Journal* journal) noexcept nogil:
    cdef Durable durable
    journal.flushing = 0
    if journal.flush_result != 0:
        _stop(journal)
        return
    _frame_flushed(journal)
    durable.size = sizeof(Durable)
    durable.kind = MSG_DURABLE
    durable.zero = 0
    durable.seq = journal.seq
    durable.last_ts = journal.last_ts
    if channel_send(journal.output, <const uint8_t*>&durable, sizeof(Durable)) < 0:
        _stop(journal)


cdef void _refuse(Journal* journal, const CommitHead* record, uint16_t status) noexcept nogil:
    cdef CommitReply reply
    commit_reply_fill(&reply, record, status, 0)
    journal.refused_count += 1
    reply_port_send(&journal.replies, reply.reply_to, <const uint8_t*>&reply, sizeof(CommitReply))


cdef int _make_room(Journal* journal, size_t size) noexcept nogil:
    # Room in a segment for a frame of this much payload: 0, 1 = wait for the prepared one, -1 = there is no space.
    cdef int rc
    if frame_size(size) > journal.segments.segment_size:
        return -1
    if journal.segments.at + frame_size(size) <= journal.segments.segment_size and (
            journal.segments.next_fd < 0 or journal.segments.at + frame_size(size) <= journal.segments.fast_size):
        return 0
    rc = segments_roll(&journal.segments, journal.seq)
    return rc if rc >= 0 else -1


cdef inline int _flushes_inline(const Journal* journal) noexcept nogil:
    # A lone committer waits for its flush and for nothing else: the flusher thread's two wake-ups (about 20 of 90 us
    # here) buy it no overlap. As soon as commits share frames the loop has other work to do during a flush.
    return (journal.flush_policy == FLUSH_INLINE
            or (journal.flush_policy == FLUSH_AUTO and journal.lone_frames >= LONE_FRAMES_MIN))


cdef int _form(Journal* journal) noexcept nogil:
    # Takes what waits in the input ring and starts its flush; the number of messages taken.
    cdef Slice message
    cdef const CommitHead* record
    cdef size_t at
    cdef int taken = 0
    cdef int room
    cdef uint16_t kind
    cdef uint32_t count = 0
    while channel_peek(journal.input, &message) == 1:
        kind = message_kind(message.data, message.size)
        if kind == MSG_REPLY:                          # a refusal of the adjudicator, on its way down
            channel_send(journal.output, message.data, message.size)
            channel_consume(journal.input)
            taken += 1
            continue
        dsql_check(kind == MSG_RECORD and message.size >= sizeof(CommitHead), b"journal input is a record")
        record = <const CommitHead*>message.data
        if journal.stopped:
            _refuse(journal, record, REPLY_READ_ONLY)
            channel_consume(journal.input)
            taken += 1
            continue
        if count == 0:
            room = _make_room(journal, message.size)
            if room > 0:
                return taken
            if room < 0:
                _refuse(journal, record, REPLY_FULL)
                channel_consume(journal.input)
                taken += 1
                continue
            _begin_frame(journal, 0, record.snapshot_ts)
        elif (journal.raw.size + message.size > FRAME_RAW_MAX or frame_size(journal.raw.size + message.size)
                > journal.segments.segment_size - journal.segments.at):
            break
        dsql_check(record.snapshot_ts > journal.last_ts, b"G3: commit_ts increases in the journal")
        at = journal.raw.size
        buffer_append(&journal.raw, message.data, message.size)
        if journal.raw.failed or channel_send(journal.output, message.data, message.size) < 0:
            _stop(journal)                             # no memory: what went downstream is never made durable
            return taken + 1
        (<CommitHead*>(journal.raw.data + at)).reply_to = 0
        journal.last_ts = record.snapshot_ts
        channel_consume(journal.input)
        count += 1
        taken += 1
    if count == 0:
        return taken
    journal.header.ts_last = journal.last_ts
    journal.header.record_count = count
    if _room_for_image(journal) < 0:
        _stop(journal)
        return taken
    journal.seq += 1
    journal.lone_frames = journal.lone_frames + 1 if count == 1 else 0
    if _flushes_inline(journal):
        _flush(journal)
        _finish(journal)
    else:
        journal.flushing = 1
        if dsql_flusher_submit(&journal.flusher, _flush, journal) < 0:
            journal.flushing = 0
            _stop(journal)
    return taken


cdef int journal_step(void* state) noexcept nogil:
    cdef Journal* journal = <Journal*>state
    cdef int events = 0
    cdef int formed = 1
    cdef seq_t trim_seq = 0
    if journal.wake_fd >= 0:
        dsql_flusher_drain(journal.wake_fd)
    events += channel_resume(journal.output)
    events += reply_port_resume(&journal.replies)
    if journal.flushing and dsql_flusher_poll(&journal.flusher):
        _finish(journal)
        events += 1
    while not journal.flushing and formed != 0 and journal.output.backlog.size - journal.output.backlog_at < BACKLOG_MAX:
        formed = _form(journal)
        events += formed
        if not journal.flushing:
            break                                      # flushed inline: the roles behind get their turn between two frames
    events += channel_progress(journal.input)
    if journal.control != NULL:
        trim_seq = dsql_load_relaxed(_control(journal, CONTROL_TRIM_SEQ))
    if journal.segments.next_fd < 0 or trim_seq != journal.segments.trimmed_seq or journal.segments.preparing:
        events += segments_tend(&journal.segments, trim_seq, dsql_monotonic_ns())
    return events


# -- Python face ---------------------------------------------------------------------------------------------------

@cython.final
cdef class JournalOwner:
    """Owns the journal role: the writer over local segments. Opening takes over with the next generation.

    Args:
        directory: of the segments.
        tail: what the scan found (dsql_core.journal.scan); its generation, seq, chain are continued.
        input, output: consumer view from the adjudicator, producer view to the crossbar.
        replies: producer views by worker number, or None: refusals travel downstream.
        floor: no record is at or below it (recovered visible_ts); the takeover frame carries it.
        doorbell: of the loop that hosts the role; None gives the role its own eventfd.
        flush_inline: flush within step (fewer wake-ups, but the loop stands still) or never; None decides by the traffic.
        control: the control page.
        zeroed: how much of the first segment is written before it is used (the rest is allocated).

    Raises:
        JournalError: a file cannot be made or written.
    """

    cdef Journal journal
    cdef Channel** _replies
    cdef object _kept
    cdef readonly str directory
    cdef readonly RoleHandle handle
    cdef bint _closed

    def __cinit__(self, str directory not None, tail not None, ChannelHandle input not None,
                  ChannelHandle output not None, list replies=None, *, timestamp_t floor=0,
                  DoorbellHandle doorbell=None, flush_inline=None, SharedMemory control=None,
                  size_t zeroed=1 << 22):
        cdef Journal* journal = &self.journal
        cdef int rc
        cdef int wake_fd
        cdef uint64_t* sleeping = NULL
        memset(journal, 0, sizeof(Journal))
        journal.segments.fd = -1
        journal.segments.next_fd = -1
        journal.segments.directory_fd = -1
        journal.wake_fd = -1
        self.directory = directory
        self._kept = (input, output, replies, doorbell, control)
        buffer_init(&journal.raw)
        buffer_init(&journal.packed)
        if doorbell is None:
            wake_fd = journal.wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            wake_fd = doorbell.bell.fd
            sleeping = doorbell.bell.sleeping
        directory_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        segments_init(&journal.segments, directory_fd, tail.segment_size, tail.next_segment_id, wake_fd, sleeping)
        dsql_flusher_init(&journal.flusher, wake_fd, sleeping)
        for segment_id, last_seq in tail.segments:
            if segments_add_closed(&journal.segments, segment_id, last_seq) < 0:
                raise MemoryError
        journal.input = &input.channel
        journal.output = &output.channel
        self._replies = <Channel**>calloc(len(replies or ()) + 1, sizeof(Channel*))
        if self._replies == NULL:
            raise MemoryError
        if replies is None:
            journal.replies.downstream = journal.output
        else:
            for i, channel in enumerate(replies):
                self._replies[i] = NULL if channel is None else &(<ChannelHandle?>channel).channel
            journal.replies.channels = self._replies
            journal.replies.count = len(replies)
        if control is not None:
            journal.control = <uint64_t*>control.data
        journal.journal_id = tail.journal_id
        journal.generation = tail.generation + 1
        journal.seq = tail.seq
        journal.chain = tail.chain
        journal.last_ts = max(tail.last_ts, floor)
        journal.flush_policy = FLUSH_AUTO if flush_inline is None else FLUSH_INLINE if flush_inline else FLUSH_THREAD
        self._map_mark(tail.journal_id)
        rc = self._take_over(tail.is_prepared, min(zeroed, tail.segment_size))
        if rc < 0:
            raise JournalError(f"journal {directory}: cannot start segment {journal.segments.next_id:016x}: "
                               f"{strerror(-rc).decode()}", directory)
        self.handle = RoleHandle.create(self, journal, journal_step, journal.wake_fd, b"journal")

    cdef _map_mark(self, uint64_t journal_id):
        cdef void* page
        path = os.path.join(self.directory, MARK_NAME)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, 4096)
            page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
            if page == MAP_FAILED:
                raise MemoryError(f"{path}: cannot be mapped")
        finally:
            os.close(fd)
        (<uint64_t*>page)[0] = MARK_MAGIC
        (<uint64_t*>page)[1] = journal_id
        self.journal.mark = <uint64_t*>page + 8

    cdef int _take_over(self, bint is_prepared, size_t zeroed) except? 1:
        # Waits for the flush: nothing may be admitted before the new generation is on disk.
        cdef Journal* journal = &self.journal
        cdef int rc
        with nogil:
            rc = segments_start(&journal.segments, is_prepared, zeroed)
            if rc == 0:
                _begin_frame(journal, FRAME_TAKEOVER, journal.last_ts)
                rc = _room_for_image(journal)
            if rc == 0:
                journal.seq += 1
                _flush(journal)
                rc = journal.flush_result
            if rc == 0:
                _frame_flushed(journal)
                if journal.control != NULL:
                    dsql_store_release(_control(journal, CONTROL_STATUS), 0)
                    dsql_store_release(_control(journal, CONTROL_BOOT), journal.generation)
        return rc

    def __dealloc__(self):
        self._free()

    cdef _free(self):
        cdef Journal* journal = &self.journal
        if self._closed:
            return
        self._closed = True
        with nogil:
            dsql_flusher_stop(&journal.flusher)
            segments_close(&journal.segments)
            buffer_free(&journal.raw)
            buffer_free(&journal.packed)
            free(journal.image)
            journal.image = NULL
        if journal.segments.directory_fd >= 0:
            os.close(journal.segments.directory_fd)
            journal.segments.directory_fd = -1
        if journal.wake_fd >= 0:
            os.close(journal.wake_fd)
            journal.wake_fd = -1
        if journal.mark != NULL:
            munmap(journal.mark - 8, 4096)
            journal.mark = NULL
        free(self._replies)
        self._replies = NULL
        journal.stopped = 1
        journal.replies.channels = NULL
        journal.replies.downstream = NULL

    def close(self) -> None:
        """Waits for a flush under way and releases threads and files. The role must not be stepped afterwards."""
        if self.handle is not None:
            self.handle.role.step = NULL
        self._free()

    def inject_failure(self, int errno=EIO) -> None:
        """Fault injection: the next flush ends with this errno instead of writing."""
        self.journal.fail_next = errno

    @property
    def generation(self) -> int:
        """Of this writer."""
        return self.journal.generation

    @property
    def seq(self) -> int:
        """Last frame formed."""
        return self.journal.seq

    @property
    def flush_inline(self) -> bool:
        """The next lone record's flush would run within step."""
        return _flushes_inline(&self.journal) == 1

    @property
    def stopped(self) -> bool:
        """A flush failed; nothing is written any more."""
        return self.journal.stopped == 1

    @property
    def statistics(self) -> dict:
        """Counters of frames, bytes, flush times and segments."""
        cdef Journal* journal = &self.journal
        return {
            "generation": journal.generation,
            "seq": journal.seq,
            "last_ts": journal.last_ts,
            "frames": journal.frame_count,
            "records": journal.record_count,
            "raw_bytes": journal.raw_bytes,
            "stored_bytes": journal.stored_bytes,
            "flush_ns_total": journal.flush_ns_total,
            "flush_ns_max": journal.flush_ns_max,
            "refused": journal.refused_count,
            "stopped": bool(journal.stopped),
            "segment_id": journal.segments.segment_id,
            "segments_closed": journal.segments.closed_count,
            "segments_made": journal.segments.made_count,
            "segments_recycled": journal.segments.recycled_count,
            "segments_removed": journal.segments.removed_count,
            "segment_failure": -journal.segments.failure,
        }

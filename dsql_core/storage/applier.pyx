"""The storage role: from records to a published root, and only then to the client's answer.

Invariants:
  P1  A batch holds the records of whole frames: it begins with the first record after a Durable and ends, published,
      at the next Durable. Nothing is published before its frame's flush finished (design section 4).
  P2  Answers leave after the root that contains them is published: whoever sees the answer and asks next sees the commit.
  P3  A root carries the seq of the last frame in it; replay starts behind it. Applying a record twice gives the same
      trees (post-images), so a root that was published but whose seq nobody noted costs time, not correctness.
  P4  A storage failure stops the role: the batch is never published, its records are answered UNKNOWN (they are in the
      journal and come back with the next recovery), and the status word has later commits refused before they get there.
"""
cimport cython
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from dsql_core.base.atomic cimport dsql_check, dsql_load_acquire, dsql_store_release
from dsql_core.base.memory cimport buffer_append, buffer_free, buffer_init
from dsql_core.base.types cimport Slice, seq_t, timestamp_t, uint8_t, uint16_t, uint32_t, uint64_t
from dsql_core.codec.message cimport (
    COMMIT_CATALOG, MSG_DURABLE, MSG_RECORD, MSG_REPLY, MSG_STOP, OP_DELETE, OP_PUT, REPLY_COMMITTED,
    REPLY_FULL, REPLY_READ_ONLY, REPLY_UNKNOWN, CommitHead, CommitReply, Durable, OpHead, commit_reply_fill,
    message_kind, record_is_sound,
)
from dsql_core.shared.channel cimport Channel, channel_consume, channel_peek, channel_progress
from dsql_core.shared.control cimport CONTROL_STATUS
from dsql_core.shared.handle cimport ChannelHandle, RoleHandle, SharedMemory
from dsql_core.shared.port cimport reply_port_resume, reply_port_send
from dsql_core.storage.arena cimport Arena
from dsql_core.storage.store cimport (
    Snapshot, snapshot_pin, snapshot_unpin, store_batch_begin, store_pages_left,
    store_publish, tree_delete, tree_drop, tree_put,
)

from dsql_core.storage.arena import StorageError

cdef enum:
    PAGES_RESERVED = 8192        # 64 MiB of the arena that no new commit may take


cdef int _apply(Applier* applier, const CommitHead* record) noexcept nogil:
    # All ops of one record into the batch under way: 0 or storage's error.
    cdef const uint8_t* at = <const uint8_t*>record + sizeof(CommitHead)
    cdef const OpHead* op
    cdef const uint8_t* key
    cdef uint32_t _
    cdef int rc = 0
    if not applier.in_batch:
        rc = store_batch_begin(applier.store)
        if rc < 0:
            return rc
        applier.in_batch = 1
    for _ in range(record.op_count):
        op = <const OpHead*>at
        key = at + sizeof(OpHead)
        if op.kind == OP_PUT:
            rc = tree_put(applier.store, op.tree, key, op.key_size, key + op.key_size, op.value_size)
        elif op.kind == OP_DELETE:
            rc = tree_delete(applier.store, op.tree, key, op.key_size)
        else:
            rc = tree_drop(applier.store, op.tree)
        if rc < 0:
            return rc
        at = key + op.key_size + op.value_size
    if record.flags & COMMIT_CATALOG:
        applier.catalog_version = record.snapshot_ts
    applier.last_ts = record.snapshot_ts
    applier.op_count += record.op_count
    applier.commit_count += 1
    return 0


cdef int _publish(Applier* applier, timestamp_t visible_ts, seq_t seq) noexcept nogil:
    cdef int rc = store_publish(applier.store, visible_ts, applier.catalog_version, seq)
    if rc == 0:
        applier.in_batch = 0
        applier.journal_seq = seq
        applier.publish_count += 1
    return rc


cdef void _watch_room(Applier* applier) noexcept nogil:
    # Refuses commits before the arena is full: what the journal has made durable must always fit. The reserve holds the
    # commits already under way (a frame and the next one), each page copied at most once per level.
    cdef uint64_t* status
    cdef uint64_t left = store_pages_left(applier.store)
    cdef uint64_t reserve = applier.store.pages_max // 8
    if applier.control == NULL:
        return
    if reserve > PAGES_RESERVED:
        reserve = PAGES_RESERVED
    status = <uint64_t*>(<uint8_t*>applier.control + CONTROL_STATUS)
    if left < reserve and dsql_load_acquire(status) == 0:
        dsql_store_release(status, REPLY_FULL)
    elif left > 2 * reserve and dsql_load_acquire(status) == REPLY_FULL and not applier.stopped:
        dsql_store_release(status, 0)


cdef void _answer(Applier* applier, uint16_t status) noexcept nogil:
    cdef CommitReply* reply = <CommitReply*>applier.pending.data
    cdef size_t count = applier.pending.size // sizeof(CommitReply)
    cdef size_t i
    for i in range(count):
        reply[i].status = status
        if status != REPLY_COMMITTED:
            reply[i].commit_ts = 0
        reply_port_send(&applier.replies, reply[i].reply_to, <const uint8_t*>&reply[i], sizeof(CommitReply))
    applier.pending.size = 0


cdef void _stop(Applier* applier, uint16_t refuse_later_with) noexcept nogil:
    applier.stopped = REPLY_UNKNOWN
    if applier.control != NULL and dsql_load_acquire(
            <uint64_t*>(<uint8_t*>applier.control + CONTROL_STATUS)) == 0:
        dsql_store_release(<uint64_t*>(<uint8_t*>applier.control + CONTROL_STATUS), refuse_later_with)
    _answer(applier, REPLY_UNKNOWN)


cdef void _record(Applier* applier, const CommitHead* record) noexcept nogil:
    cdef CommitReply reply
    cdef int rc = 0
    commit_reply_fill(&reply, record, REPLY_COMMITTED, record.snapshot_ts)
    buffer_append(&applier.pending, &reply, sizeof(CommitReply))
    dsql_check(not applier.pending.failed, b"memory for answers")
    if applier.stopped:
        _answer(applier, <uint16_t>applier.stopped)
        return
    rc = _apply(applier, record)
    if rc < 0:
        _stop(applier, REPLY_FULL if rc == -1 else REPLY_READ_ONLY)


cdef void _durable(Applier* applier, const Durable* durable) noexcept nogil:
    cdef int rc
    if applier.stopped or not applier.in_batch:
        return
    rc = _publish(applier, durable.last_ts, durable.seq)
    if rc < 0:
        _stop(applier, REPLY_FULL if rc == -1 else REPLY_READ_ONLY)
        return
    _watch_room(applier)
    _answer(applier, REPLY_COMMITTED)


cdef int applier_step(void* state) noexcept nogil:
    cdef Applier* applier = <Applier*>state
    cdef Slice message
    cdef const CommitReply* reply
    cdef uint16_t kind
    cdef int events = 0
    events += reply_port_resume(&applier.replies)
    while channel_peek(applier.input, &message) == 1:
        kind = message_kind(message.data, message.size)
        if kind == MSG_RECORD:
            _record(applier, <const CommitHead*>message.data)
        elif kind == MSG_DURABLE:
            _durable(applier, <const Durable*>message.data)
        elif kind == MSG_REPLY:
            reply = <const CommitReply*>message.data
            reply_port_send(&applier.replies, reply.reply_to, message.data, message.size)
        elif kind == MSG_STOP:
            _stop(applier, REPLY_READ_ONLY)
        else:
            dsql_check(0, b"storage input is a message of the commit path")
        channel_consume(applier.input)
        events += 1
    return events + channel_progress(applier.input)


@cython.final
cdef class ApplierOwner:
    """Owns the storage role; its process is the arena's writer (Arena.recover() done).

    Args:
        arena: writable.
        input: consumer view from the crossbar; None for replay only.
        replies: producer views by query worker number; None drops answers.
        control: the control page.
    """

    cdef Applier applier
    cdef Channel** _replies
    cdef object _kept
    cdef readonly Arena arena
    cdef readonly RoleHandle handle

    def __cinit__(self, Arena arena not None, ChannelHandle input=None, list replies=None, *,
                  SharedMemory control=None):
        cdef Applier* applier = &self.applier
        cdef Snapshot snapshot
        memset(applier, 0, sizeof(Applier))
        buffer_init(&applier.pending)
        arena._check_writer()
        self.arena = arena
        applier.store = arena.store
        self._replies = <Channel**>calloc(len(replies or ()) + 1, sizeof(Channel*))
        if self._replies == NULL:
            raise MemoryError
        for i, channel in enumerate(replies or ()):
            self._replies[i] = NULL if channel is None else &(<ChannelHandle?>channel).channel
        applier.replies.channels = self._replies
        applier.replies.count = len(replies or ())
        if control is not None:
            applier.control = <uint64_t*>control.data
        self._kept = (input, replies, control)
        if snapshot_pin(applier.store, &snapshot) < 0:
            raise StorageError("every pin slot is taken")
        applier.journal_seq = snapshot.journal_seq
        applier.last_ts = snapshot.visible_ts
        applier.catalog_version = snapshot.catalog_version
        snapshot_unpin(applier.store, &snapshot)
        if input is not None:
            applier.input = &input.channel
            self.handle = RoleHandle.create(self, applier, applier_step, -1, b"storage")

    def __dealloc__(self):
        buffer_free(&self.applier.pending)
        free(self._replies)

    def replay(self, frames, *, size_t batch_bytes=1 << 20) -> dict:
        """Applies journal frames after the newest root and publishes; whole frames, about batch_bytes a root.

        Args:
            frames: yields (seq, generation, ts_last, record_count, payload); payload is None for frames to skip.

        Returns:
            frames, records, bytes applied, and the last seq and timestamp.

        Raises:
            StorageError: the arena is full or damaged, or the frames do not follow the newest root.
        """
        cdef Applier* applier = &self.applier
        cdef bytes payload
        cdef const uint8_t* data
        cdef size_t size
        cdef size_t waiting = 0
        cdef int rc
        cdef uint64_t frame_count = 0
        cdef uint64_t byte_count = 0
        cdef uint64_t record_count = 0
        cdef seq_t last_seq = applier.journal_seq
        cdef timestamp_t ts = applier.last_ts
        if applier.in_batch or applier.stopped:
            raise StorageError("replay comes before the first commit")
        for seq, _, ts_last, records, item in frames:
            if seq <= applier.journal_seq:
                continue
            if seq != last_seq + 1:
                raise StorageError(f"the journal starts at frame {seq}, storage needs frame {last_seq + 1}")
            payload = item
            data = <const uint8_t*><char*>payload
            size = len(payload)
            last_seq = seq
            if ts_last > ts:
                ts = ts_last
            with nogil:
                rc = self._replay_frame(data, size)
            if rc < 0:
                raise StorageError("the arena is full" if rc == -1 else
                                   f"frame {seq} cannot be applied: {'its records are malformed' if rc == -3 else 'a tree is damaged'}")
            frame_count += 1
            record_count += records
            byte_count += size
            waiting += size
            if waiting >= batch_bytes and applier.in_batch:
                self._publish_replayed(ts, last_seq)
                waiting = 0
        if last_seq > applier.journal_seq:
            if not applier.in_batch:
                rc = store_batch_begin(applier.store)
                if rc < 0:
                    raise StorageError("the arena takes no batch")
                applier.in_batch = 1
            self._publish_replayed(ts, last_seq)
        applier.last_ts = ts
        return {"frames": frame_count, "records": record_count, "bytes": byte_count,
                "seq": last_seq, "last_ts": ts}

    cdef int _replay_frame(self, const uint8_t* data, size_t size) noexcept nogil:
        cdef size_t at = 0
        cdef size_t record
        cdef int rc
        while at < size:
            if size - at < sizeof(CommitHead):
                return -3
            record = (<const CommitHead*>(data + at)).size
            if record > size - at or not record_is_sound(data + at, record):
                return -3
            rc = _apply(&self.applier, <const CommitHead*>(data + at))
            if rc < 0:
                return rc
            at += record
        return 0

    cdef int _publish_replayed(self, timestamp_t ts, seq_t seq) except -1:
        if _publish(&self.applier, ts, seq) < 0:
            raise StorageError("the arena is full or damaged: the root cannot be published")
        return 0

    @property
    def journal_seq(self) -> int:
        """Last frame in the newest root."""
        return self.applier.journal_seq

    @property
    def last_ts(self) -> int:
        """Newest timestamp applied."""
        return self.applier.last_ts

    @property
    def statistics(self) -> dict:
        """Counters."""
        return {
            "commits": self.applier.commit_count,
            "ops": self.applier.op_count,
            "roots": self.applier.publish_count,
            "journal_seq": self.applier.journal_seq,
            "stopped": self.applier.stopped,
        }

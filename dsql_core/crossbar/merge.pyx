"""The crossbar: one ordered feed out of several.

Invariants:
  X1  Output order is commit_ts order over all feeds (ties: lower feed first, as R of V1 makes them impossible).
  X2  With several feeds a record is passed on only when every feed has promised (watermark) that nothing at or below its
      ts is to come, and everything up to there is durable: so a Durable downstream covers exactly the records before it.
      With one feed nothing is held back: records pass at once and their Durable follows, and storage builds pages
      during the flush.
  X3  Refusals and Stop overtake held records: they concern no order.
  X4  After X2's Durable(ts) no record at or below ts appears (V6). A feed that breaks its promise aborts the process.

The position in a merged Durable is the sum of the feeds' seqs: it grows with every flush. (Where storage resumes in each
of several journals is a vector; it comes with the second journal.)
A feed without traffic holds the others back until its journal sends a Durable that only raises last_ts: the idle promise.
"""
cimport cython
from libc.stdlib cimport calloc, free
from libc.string cimport memmove, memset

from dsql_core.base.atomic cimport dsql_check
from dsql_core.base.memory cimport buffer_append, buffer_free, buffer_reserve
from dsql_core.base.types cimport Slice, seq_t, timestamp_t, uint8_t, uint16_t, uint32_t
from dsql_core.codec.message cimport (
    MSG_DURABLE, MSG_RECORD, MSG_REPLY, MSG_STOP, CommitHead, Durable, message_kind,
)
from dsql_core.shared.channel cimport Channel, channel_consume, channel_peek, channel_progress, channel_resume, channel_send
from dsql_core.shared.handle cimport ChannelHandle, RoleHandle

cdef enum:
    BACKLOG_MAX = 33554432


cdef int merge_init(Merge* merge, uint32_t feed_count) noexcept nogil:
    memset(merge, 0, sizeof(Merge))
    merge.feeds = <Feed*>calloc(feed_count, sizeof(Feed))
    if merge.feeds == NULL:
        return -1
    merge.feed_count = feed_count
    return 0


cdef void merge_free(Merge* merge) noexcept nogil:
    cdef uint32_t i
    if merge.feeds == NULL:
        return
    for i in range(merge.feed_count):
        buffer_free(&merge.feeds[i].queue)
    free(merge.feeds)
    merge.feeds = NULL
    merge.feed_count = 0


cdef int merge_record(Merge* merge, uint32_t feed, const uint8_t* record, size_t size) noexcept nogil:
    cdef Feed* f = &merge.feeds[feed]
    cdef size_t padded = (size + 7) & ~<size_t>7
    cdef uint8_t* place
    dsql_check((<const CommitHead*>record).snapshot_ts > f.watermark_ts, b"X4: a record below its feed's promise")
    if f.at > 65536 and f.at * 2 > f.queue.size:
        f.queue.size -= f.at
        memmove(f.queue.data, f.queue.data + f.at, f.queue.size)
        f.at = 0
    place = buffer_reserve(&f.queue, padded)
    if place == NULL:
        f.queue.failed = 0
        return -1
    buffer_append(&f.queue, record, size)
    f.queue.size += padded - size
    return 0


cdef int merge_watermark(Merge* merge, uint32_t feed, seq_t seq, timestamp_t ts) noexcept nogil:
    cdef timestamp_t lowest
    cdef uint32_t i
    if ts > merge.feeds[feed].watermark_ts:
        merge.feeds[feed].watermark_ts = ts
    merge.feeds[feed].durable_seq = seq
    lowest = merge.feeds[0].watermark_ts
    for i in range(1, merge.feed_count):
        if merge.feeds[i].watermark_ts < lowest:
            lowest = merge.feeds[i].watermark_ts
    if lowest <= merge.watermark_ts:
        return 0
    merge.watermark_ts = lowest
    return 1


cdef int merge_next(Merge* merge, const uint8_t** record, size_t* size) noexcept nogil:
    # Few feeds: a scan over their heads beats a heap.
    cdef uint32_t i
    cdef int found = -1
    cdef timestamp_t lowest = merge.watermark_ts
    cdef const CommitHead* head
    for i in range(merge.feed_count):
        if merge.feeds[i].at == merge.feeds[i].queue.size:
            continue
        head = <const CommitHead*>(merge.feeds[i].queue.data + merge.feeds[i].at)
        if head.snapshot_ts < lowest or (found < 0 and head.snapshot_ts == lowest):
            lowest = head.snapshot_ts
            found = <int>i
            record[0] = <const uint8_t*>head
            size[0] = head.size
    return found


cdef void merge_pop(Merge* merge, uint32_t feed) noexcept nogil:
    cdef Feed* f = &merge.feeds[feed]
    cdef const CommitHead* head = <const CommitHead*>(f.queue.data + f.at)
    f.at += (<size_t>head.size + 7) & ~<size_t>7
    merge.record_count += 1
    if f.at == f.queue.size:
        f.queue.size = 0
        f.at = 0


cdef seq_t merge_position(const Merge* merge) noexcept nogil:
    cdef seq_t position = 0
    cdef uint32_t i
    for i in range(merge.feed_count):
        position += merge.feeds[i].durable_seq
    return position


cdef void _pass_on(Crossbar* role) noexcept nogil:
    # Everything the common watermark releases, then a Durable that covers exactly that.
    cdef const uint8_t* record
    cdef size_t size
    cdef Durable durable
    cdef int feed = merge_next(&role.merge, &record, &size)
    while feed >= 0:
        dsql_check(channel_send(role.output, record, size) == 0, b"memory for the merged feed")
        merge_pop(&role.merge, <uint32_t>feed)
        feed = merge_next(&role.merge, &record, &size)
    durable.size = sizeof(Durable)
    durable.kind = MSG_DURABLE
    durable.zero = 0
    durable.seq = merge_position(&role.merge)
    durable.last_ts = role.merge.watermark_ts
    role.merge.durable_count += 1
    channel_send(role.output, <const uint8_t*>&durable, sizeof(Durable))


cdef int crossbar_step(void* state) noexcept nogil:
    cdef Crossbar* role = <Crossbar*>state
    cdef Channel* input
    cdef Slice message
    cdef const Durable* durable
    cdef uint32_t i
    cdef uint16_t kind
    cdef int events = 0
    events += channel_resume(role.output)
    for i in range(role.merge.feed_count):
        input = role.merge.feeds[i].input
        while (role.output.backlog.size - role.output.backlog_at < BACKLOG_MAX
               and channel_peek(input, &message) == 1):
            kind = message_kind(message.data, message.size)
            if role.merge.feed_count == 1 or kind == MSG_REPLY or kind == MSG_STOP:
                if kind == MSG_RECORD:
                    role.merge.record_count += 1
                dsql_check(channel_send(role.output, message.data, message.size) == 0, b"memory for the merged feed")
            elif kind == MSG_RECORD:
                dsql_check(merge_record(&role.merge, i, message.data, message.size) == 0, b"memory for the merged feed")
            elif kind == MSG_DURABLE:
                durable = <const Durable*>message.data
                if merge_watermark(&role.merge, i, durable.seq, durable.last_ts):
                    _pass_on(role)
            channel_consume(input)
            events += 1
        events += channel_progress(input)
    return events


# -- Python face ---------------------------------------------------------------------------------------------------

@cython.final
cdef class FeedMerge:
    """The core alone, for tests: records and promises in, the released records out.

    Args:
        feed_count: how many journals.
    """

    cdef Merge merge

    def __cinit__(self, uint32_t feed_count):
        if feed_count == 0 or merge_init(&self.merge, feed_count) < 0:
            raise ValueError("at least one feed")

    def __dealloc__(self):
        merge_free(&self.merge)

    def record(self, uint32_t feed, bytes record not None) -> None:
        """A record of a feed, in its order."""
        if feed >= self.merge.feed_count or len(record) < sizeof(CommitHead):
            raise ValueError("no such feed, or not a record")
        if merge_record(&self.merge, feed, <const uint8_t*><char*>record, len(record)) < 0:
            raise MemoryError

    def promise(self, uint32_t feed, seq_t seq, timestamp_t ts) -> list:
        """A Durable of a feed; the records it releases, in order."""
        cdef const uint8_t* record
        cdef size_t size
        cdef int found
        if feed >= self.merge.feed_count:
            raise ValueError("no such feed")
        released = []
        if merge_watermark(&self.merge, feed, seq, ts):
            found = merge_next(&self.merge, &record, &size)
            while found >= 0:
                released.append(<bytes>record[:size])
                merge_pop(&self.merge, <uint32_t>found)
                found = merge_next(&self.merge, &record, &size)
        return released

    @property
    def watermark_ts(self) -> int:
        """Everything at or below has been released."""
        return self.merge.watermark_ts


@cython.final
cdef class CrossbarOwner:
    """Owns the crossbar role.

    Args:
        inputs: consumer views, one per journal.
        output: producer view to storage.
    """

    cdef Crossbar role
    cdef object _kept
    cdef readonly RoleHandle handle

    def __cinit__(self, list inputs not None, ChannelHandle output not None):
        if not inputs or merge_init(&self.role.merge, len(inputs)) < 0:
            raise ValueError("the crossbar needs at least one feed")
        for i, channel in enumerate(inputs):
            self.role.merge.feeds[i].input = &(<ChannelHandle?>channel).channel
        self.role.output = &output.channel
        self._kept = (inputs, output)
        self.handle = RoleHandle.create(self, &self.role, crossbar_step, -1, b"crossbar")

    def __dealloc__(self):
        merge_free(&self.role.merge)

    @property
    def statistics(self) -> dict:
        """Counters."""
        return {"records": self.role.merge.record_count, "feeds": self.role.merge.feed_count}

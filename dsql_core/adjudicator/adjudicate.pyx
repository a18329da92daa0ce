"""The adjudicator decides commits: no key of a transaction may have been written after its snapshot.

    request --> sound? status word? --> snapshot below watermark: TOO_OLD
                                    --> a checked key newer than the snapshot: OC000, catalog keys first as OC001
                                    --> commit_ts above everything, keys stamped, Record to the journal

guess: for_update_alone
guess: overlap_first_commit
guess: blind_insert

Invariants:
  J1  commit_ts strictly increases over everything this adjudicator and its predecessors gave out (V1): it comes from
      the shared clock word and is above `floor`, which recovery sets to the newest timestamp of journal and storage.
  J2  First committer wins (V3): every stamped key above the watermark is in the table before the next request is read.
      A stamp is never taken back: when the journal refuses the record later, the worst is a false conflict.
  J3  The watermark passes only commits that every transaction younger than window_us has in its snapshot: it is the
      floor of a sample taken at least window_us ago. (The age of a snapshot_ts says nothing: an idle database's
      newest snapshot is hours old.)
  J4  It answers only refusals. COMMITTED leaves from storage, after the journal's flush.

After a restart the table is empty and the watermark is the recovered visible_ts: older snapshots are refused once.
"""
cimport cython
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from dsql_core.adjudicator.table cimport table_free, table_init, table_last, table_prefetch, table_stamp
from dsql_core.base.atomic cimport dsql_load_acquire
from dsql_core.base.types cimport Slice, timestamp_t, uint8_t, uint16_t, uint32_t, uint64_t
from dsql_core.clock.hybrid cimport HybridClock, clock_next_at, clock_now_us, clock_raise
from dsql_core.codec.message cimport (
    CHECK_CATALOG, CHECK_STAMP, CHECK_VALIDATE, MSG_RECORD, REPLY_COMMITTED, REPLY_FULL, REPLY_MALFORMED,
    REPLY_OC000, REPLY_OC001, REPLY_TOO_OLD, CommitHead, CommitReply, commit_reply_fill, commit_request_is_sound,
)
from dsql_core.shared.channel cimport Channel, channel_consume, channel_peek, channel_progress, channel_resume, channel_send2
from dsql_core.shared.control cimport CONTROL_STATUS
from dsql_core.shared.handle cimport ChannelHandle, RoleHandle, SharedMemory
from dsql_core.shared.port cimport reply_port_resume, reply_port_send

cdef enum:
    PREFETCH_AHEAD = 8
    TURN_MESSAGES = 32            # requests of one worker before the next worker's turn
    JOURNAL_BACKLOG_MAX = 33554432  # the journal lags this much: leave requests in their rings


cdef int adjudicator_init(Adjudicator* core, uint64_t* word, timestamp_t floor, uint64_t window_us,
                          size_t capacity, size_t capacity_max) noexcept nogil:
    memset(core, 0, sizeof(Adjudicator))
    if table_init(&core.table, capacity, capacity_max) < 0:
        return -1
    core.table.watermark = floor
    core.word = word
    core.floor = floor
    core.window_us = window_us
    clock_raise(word, floor)
    return 0


cdef void adjudicator_free(Adjudicator* core) noexcept nogil:
    table_free(&core.table)


cdef void adjudicator_tick(Adjudicator* core, uint64_t now_us) noexcept nogil:
    cdef uint32_t last = (core.sample_first + core.sample_count - 1) % WINDOW_SAMPLES
    while core.sample_count != 0 and core.sample_us[core.sample_first] + core.window_us <= now_us:
        if core.sample_ts[core.sample_first] > core.table.watermark:
            core.table.watermark = core.sample_ts[core.sample_first]
        core.sample_first = (core.sample_first + 1) % WINDOW_SAMPLES
        core.sample_count -= 1
    # Samples are window / 200 apart, so the ring never overflows unless time runs backwards.
    if core.sample_count == 0 or core.sample_us[last] + core.window_us // 200 <= now_us:
        if core.sample_count < WINDOW_SAMPLES:
            last = (core.sample_first + core.sample_count) % WINDOW_SAMPLES
            core.sample_us[last] = now_us
            core.sample_ts[last] = core.floor
            core.sample_count += 1


cdef int adjudicate(Adjudicator* core, const CommitHead* request, uint64_t now_us,
                    timestamp_t* commit_ts) noexcept nogil:
    cdef const uint64_t* checks = <const uint64_t*>(<const uint8_t*>request + sizeof(CommitHead))
    cdef uint32_t count = request.check_count
    cdef uint32_t i
    cdef uint64_t check
    cdef int verdict = REPLY_COMMITTED
    if request.snapshot_ts < core.table.watermark:
        core.too_old_count += 1
        return REPLY_TOO_OLD
    for i in range(count if count < PREFETCH_AHEAD else PREFETCH_AHEAD):
        table_prefetch(&core.table, checks[i])
    for i in range(count):
        check = checks[i]
        if i + PREFETCH_AHEAD < count:
            table_prefetch(&core.table, checks[i + PREFETCH_AHEAD])
        if check & CHECK_VALIDATE and table_last(&core.table, check) > request.snapshot_ts:
            if check & CHECK_CATALOG:
                core.catalog_conflict_count += 1
                return REPLY_OC001
            verdict = REPLY_OC000          # a catalog key further on would still be reported first
    if verdict != REPLY_COMMITTED:
        core.data_conflict_count += 1
        return verdict
    commit_ts[0] = clock_next_at(core.word, now_us, core.floor)
    core.floor = commit_ts[0]
    for i in range(count):
        if checks[i] & CHECK_STAMP:
            table_stamp(&core.table, checks[i], commit_ts[0])
    core.commit_count += 1
    return REPLY_COMMITTED


cdef int _forward(AdjudicatorRole* role, const CommitHead* request, timestamp_t commit_ts) noexcept nogil:
    # The request without its checks, under its commit_ts.
    cdef CommitHead head = request[0]
    cdef size_t skipped = sizeof(CommitHead) + <size_t>request.check_count * 8
    head.kind = MSG_RECORD
    head.snapshot_ts = commit_ts
    head.check_count = 0
    head.size = <uint32_t>(request.size - <size_t>request.check_count * 8)
    return channel_send2(role.journal, <const uint8_t*>&head, sizeof(CommitHead),
                         <const uint8_t*>request + skipped, request.size - skipped)


cdef void _judge(AdjudicatorRole* role, const Slice* message, uint64_t now_us) noexcept nogil:
    cdef const CommitHead* request = <const CommitHead*>message.data
    cdef CommitReply reply
    cdef timestamp_t commit_ts = 0
    cdef int verdict
    cdef uint64_t status
    if message.size < sizeof(CommitHead):
        role.core.refused_count += 1       # not even an address to answer to
        return
    status = dsql_load_acquire(role.status) if role.status != NULL else 0
    if status != 0:
        verdict = <int>status
        role.core.refused_count += 1
    elif not commit_request_is_sound(message.data, message.size):
        verdict = REPLY_MALFORMED
        role.core.refused_count += 1
    else:
        verdict = adjudicate(&role.core, request, now_us, &commit_ts)
    if verdict == REPLY_COMMITTED:
        if _forward(role, request, commit_ts) == 0:
            return
        verdict = REPLY_FULL               # no memory to carry it on
        role.core.refused_count += 1
    commit_reply_fill(&reply, request, <uint16_t>verdict, 0)
    reply_port_send(&role.replies, reply.reply_to, <const uint8_t*>&reply, sizeof(CommitReply))


cdef int adjudicator_step(void* state) noexcept nogil:
    cdef AdjudicatorRole* role = <AdjudicatorRole*>state
    cdef Slice message
    cdef uint32_t i
    cdef int taken
    cdef int events = 0
    cdef int found
    cdef int busy = 1
    cdef uint64_t now_us = 0
    events += channel_resume(role.journal)
    events += reply_port_resume(&role.replies)
    while busy and role.journal.backlog.size - role.journal.backlog_at < JOURNAL_BACKLOG_MAX:
        busy = 0
        for i in range(role.request_count):
            taken = 0
            while taken < TURN_MESSAGES:
                found = channel_peek(role.requests[i], &message)
                if found <= 0:             # a malformed ring harms only its worker (C4)
                    break
                if now_us == 0:
                    now_us = clock_now_us(role.clock)
                    adjudicator_tick(&role.core, now_us)
                _judge(role, &message, now_us)
                channel_consume(role.requests[i])
                taken += 1
            events += taken + channel_progress(role.requests[i])
            if taken == TURN_MESSAGES:
                busy = 1
    return events


# -- Python face ---------------------------------------------------------------------------------------------------

@cython.final
cdef class ConflictSet:
    """The core alone, for tests and simulation: plain bytes in, verdicts out, time given by the caller.

    Args:
        floor: nothing at or below it is given out or judged.
        window_us: how long writes are remembered.
        capacity, capacity_max: slots to start with and at most (powers of two).
    """

    cdef Adjudicator core
    cdef uint64_t word

    def __cinit__(self, timestamp_t floor=0, *, uint64_t window_us=310_000_000, size_t capacity=1 << 16,
                  size_t capacity_max=1 << 25):
        if adjudicator_init(&self.core, &self.word, floor, window_us, capacity, capacity_max) < 0:
            raise ValueError("capacities are powers of two, at least 64, and fit memory")

    def __dealloc__(self):
        adjudicator_free(&self.core)

    def commit(self, bytes request not None, uint64_t now_us):
        """(verdict, commit_ts): the verdict is a REPLY_* status, commit_ts is 0 unless it is COMMITTED."""
        cdef const uint8_t* data = <const uint8_t*><char*>request
        cdef timestamp_t commit_ts = 0
        if not commit_request_is_sound(data, len(request)):
            return REPLY_MALFORMED, 0
        adjudicator_tick(&self.core, now_us)
        verdict = adjudicate(&self.core, <const CommitHead*>data, now_us, &commit_ts)
        return verdict, commit_ts

    def last(self, uint64_t fp) -> int:
        """Newest commit remembered for a fingerprint, 0 = none."""
        return table_last(&self.core.table, fp)

    def measure(self, uint64_t[::1] fingerprints not None, timestamp_t ts) -> None:
        """Checks and stamps every fingerprint at ts: the cost of the table alone (perf)."""
        cdef Py_ssize_t i
        cdef Py_ssize_t count = fingerprints.shape[0]
        cdef uint64_t conflicts = 0
        with nogil:
            for i in range(count):
                if i + PREFETCH_AHEAD < count:
                    table_prefetch(&self.core.table, fingerprints[i + PREFETCH_AHEAD])
                conflicts += table_last(&self.core.table, fingerprints[i]) > ts
                table_stamp(&self.core.table, fingerprints[i], ts)
        self.core.data_conflict_count += conflicts

    @property
    def watermark(self) -> int:
        """Snapshots below cannot be judged."""
        return self.core.table.watermark

    @property
    def statistics(self) -> dict:
        """Counters, and the shape of the table."""
        return _statistics(&self.core)


cdef dict _statistics(const Adjudicator* core):
    return {
        "commits": core.commit_count,
        "data_conflicts": core.data_conflict_count,
        "catalog_conflicts": core.catalog_conflict_count,
        "too_old": core.too_old_count,
        "refused": core.refused_count,
        "watermark_ts": core.table.watermark,
        "floor_ts": core.floor,
        "slots": core.table.mask + 1,
        "slots_used": core.table.filled,
        "grown": core.table.grown,
        "cleaned": core.table.cleaned,
        "advanced": core.table.advanced,
    }


@cython.final
cdef class AdjudicatorOwner:
    """Owns the adjudicator role of one process.

    Args:
        requests: consumer views of the query workers' request rings.
        journal: producer view of the ring to the journal.
        replies: producer views by worker number, or None: refusals travel downstream with the records.
        clock: commit timestamps come from its word.
        floor: visible_ts after recovery.
        control, status_offset: shared word that other roles refuse commits with (0 = welcome).
    """

    cdef AdjudicatorRole role
    cdef Channel** _replies
    cdef object _kept
    cdef readonly RoleHandle handle

    def __cinit__(self, list requests not None, ChannelHandle journal not None, list replies, HybridClock clock not None,
                  timestamp_t floor, SharedMemory control=None, size_t status_offset=CONTROL_STATUS, *,
                  uint64_t window_us=310_000_000, size_t capacity=1 << 16, size_t capacity_max=1 << 25):
        cdef Py_ssize_t i
        if adjudicator_init(&self.role.core, clock.clock.word, floor, window_us, capacity, capacity_max) < 0:
            raise ValueError("capacities are powers of two, at least 64, and fit memory")
        self.role.clock = &clock.clock
        self.role.journal = &journal.channel
        self.role.requests = <Channel**>calloc(len(requests) + 1, sizeof(Channel*))
        self._replies = <Channel**>calloc(len(replies or ()) + 1, sizeof(Channel*))
        if self.role.requests == NULL or self._replies == NULL:
            raise MemoryError
        for i, channel in enumerate(requests):
            self.role.requests[i] = &(<ChannelHandle?>channel).channel
        self.role.request_count = len(requests)
        if replies is None:
            self.role.replies.downstream = &journal.channel
        else:
            for i, channel in enumerate(replies):
                self._replies[i] = NULL if channel is None else &(<ChannelHandle?>channel).channel
            self.role.replies.channels = self._replies
            self.role.replies.count = len(replies)
        if control is not None:
            control._check(status_offset)
            self.role.status = <uint64_t*>(control.data + status_offset)
        self._kept = (requests, journal, replies, clock, control)
        self.handle = RoleHandle.create(self, &self.role, adjudicator_step, -1, b"adjudicator")

    def __dealloc__(self):
        adjudicator_free(&self.role.core)
        free(self.role.requests)
        free(self._replies)

    @property
    def statistics(self) -> dict:
        """Counters, and the shape of the table."""
        return _statistics(&self.role.core)

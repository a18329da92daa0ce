"""The clock: hybrid timestamps, error intervals, commit wait (vocabulary: hybrid.pxd).

Invariants:
  T1  Timestamps issued from one word are strictly increasing, whoever issues them and whatever the wall clock does.
  T2  The wall clock is looked at once a second; in between CLOCK_MONOTONIC paces. It is approached by slewing, never
      by a step, so its errors reach timestamps slowly.
  T3  A wall clock (or a timestamp from elsewhere) more than a few seconds ahead is refused and counted: following a
      ten-year jump would drag every later timestamp with it for good.

Every place that relies on a wall clock: nothing for isolation or durability (the word alone orders commits); the
distance between commit_ts and real time, which clients see in timestamps of history, follows the wall within T2.
The conflict table's window (how long keys are remembered) is measured in these microseconds too; an error there
makes long transactions abort earlier or memory live longer, nothing else.
"""
cimport cython
from posix.time cimport CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime, timespec

from dsql_core.base.atomic cimport dsql_load_acquire
from dsql_core.base.types cimport int64_t, timestamp_t, uint8_t, uint64_t


cdef inline int64_t _monotonic_ns() noexcept nogil:
    cdef timespec t
    clock_gettime(CLOCK_MONOTONIC, &t)
    return <int64_t>t.tv_sec * 1000000000 + t.tv_nsec


cdef inline int64_t _wall_us() noexcept nogil:
    cdef timespec t
    clock_gettime(CLOCK_REALTIME, &t)
    return <int64_t>t.tv_sec * 1000000 + t.tv_nsec // 1000


cdef void clock_start(Clock* clock, uint64_t* word, int64_t mono_ns, int64_t wall_us, int64_t error_us) noexcept nogil:
    clock.word = word
    clock.base_us = wall_us
    clock.base_ns = mono_ns
    clock.error_us = error_us
    clock.jumps_refused = 0


cdef int64_t clock_paced_us(const Clock* clock, int64_t mono_ns) noexcept nogil:
    return clock.base_us + (mono_ns - clock.base_ns) // 1000


cdef int clock_resync(Clock* clock, int64_t mono_ns, int64_t wall_us) noexcept nogil:
    cdef int64_t paced = clock_paced_us(clock, mono_ns)
    cdef int64_t slew_max = (mono_ns - clock.base_ns) // 1000 // SLEW_DIVISOR
    cdef int64_t behind = wall_us - paced
    clock.base_us = paced
    clock.base_ns = mono_ns
    if behind > JUMP_US_MAX:
        clock.jumps_refused += 1
        return -1
    if behind > slew_max:
        behind = slew_max
    if behind < -slew_max:
        behind = -slew_max
    clock.base_us += behind
    return 0


cdef int clock_observe(Clock* clock, timestamp_t ts, uint64_t now_us) noexcept nogil:
    if timestamp_us(ts) > now_us + JUMP_US_MAX:
        return -1
    clock_raise(clock.word, ts)
    return 0


cdef uint64_t clock_now_us(Clock* clock) noexcept nogil:
    cdef int64_t mono_ns = _monotonic_ns()
    if mono_ns - clock.base_ns >= RESYNC_NS:
        clock_resync(clock, mono_ns, _wall_us())
    return <uint64_t>clock_paced_us(clock, mono_ns)


cdef timestamp_t clock_next(Clock* clock, timestamp_t floor) noexcept nogil:
    return clock_next_at(clock.word, clock_now_us(clock), floor)


cdef void clock_interval(Clock* clock, Interval* out) noexcept nogil:
    cdef uint64_t now_us = clock_now_us(clock)
    out.earliest = timestamp_pack(now_us - clock.error_us, 0)
    out.latest = timestamp_pack(now_us + clock.error_us, (1 << COUNTER_BITS) - 1)
    if clock.error_us == 0 and out.earliest < dsql_load_acquire(clock.word):
        out.earliest = dsql_load_acquire(clock.word)       # one machine: the word itself is time
        if out.latest < out.earliest:
            out.latest = out.earliest


def pack(uint64_t us, uint64_t counter=0) -> int:
    """Timestamp of a microsecond since the Unix epoch and a counter below 4096."""
    if us >> 52 or counter >> COUNTER_BITS:
        raise ValueError(f"microseconds {us} or counter {counter} do not fit a timestamp")
    return timestamp_pack(us, counter)


def unpack(timestamp_t ts) -> tuple[int, int]:
    """(microseconds, counter) of a timestamp."""
    return timestamp_us(ts), timestamp_counter(ts)


@cython.final
cdef class ClockInterval:
    """True time lies between two timestamps."""

    cdef readonly timestamp_t earliest
    cdef readonly timestamp_t latest

    def __init__(self, timestamp_t earliest, timestamp_t latest):
        if earliest > latest:
            raise ValueError(f"interval ends before it starts: {earliest} > {latest}")
        self.earliest = earliest
        self.latest = latest

    def overlaps(self, ClockInterval other not None) -> bool:
        """Neither interval is certainly before the other."""
        return self.earliest <= other.latest and other.earliest <= self.latest

    def is_before(self, ClockInterval other not None) -> bool:
        """Certainly before: ends before the other starts."""
        return self.latest < other.earliest

    def is_after(self, ClockInterval other not None) -> bool:
        """Certainly after."""
        return other.latest < self.earliest

    def contains(self, timestamp_t ts) -> bool:
        """ts may be now."""
        return self.earliest <= ts <= self.latest

    def is_past(self, timestamp_t commit_ts) -> bool:
        """Commit wait is over for commit_ts: true time has certainly reached it."""
        cdef Interval now
        now.earliest = self.earliest
        now.latest = self.latest
        return commit_wait_over(&now, commit_ts) == 1

    def __eq__(self, other):
        if not isinstance(other, ClockInterval):
            return NotImplemented
        return (self.earliest, self.latest) == (other.earliest, other.latest)

    def __hash__(self):
        return hash((self.earliest, self.latest))

    def __repr__(self):
        return f"ClockInterval({self.earliest}, {self.latest})"


@cython.final
cdef class HybridClock:
    """The clock of one process over a word that may be shared.

    Args:
        memory: writable buffer that holds the word, usually a shared segment; None keeps a private word.
        offset: where in it, a multiple of 8.
        error_us: half width of the interval (0 on one machine).
        mono_ns, wall_us: readings to start from (tests); both default to this machine's clocks.
    """

    def __cinit__(self, memory=None, size_t offset=0, *, int64_t error_us=0, mono_ns=None, wall_us=None):
        cdef uint64_t* word = &self.private_word
        cdef uint8_t[::1] view
        if memory is not None:
            view = memory
            if offset % 8 or offset + 8 > <size_t>view.shape[0]:
                raise ValueError(f"no aligned 64-bit word at offset {offset} of {view.shape[0]} bytes")
            word = <uint64_t*>&view[offset]
            self.memory = view
        clock_start(&self.clock, word, _monotonic_ns() if mono_ns is None else mono_ns,
                    _wall_us() if wall_us is None else wall_us, error_us)

    def now_us(self) -> int:
        """Paced microseconds since the Unix epoch."""
        return clock_now_us(&self.clock)

    def next(self, timestamp_t floor=0) -> int:
        """A timestamp above floor and above all issued before."""
        return clock_next(&self.clock, floor)

    def next_at(self, uint64_t now_us, timestamp_t floor=0) -> int:
        """The same with the time given (tests, simulation)."""
        return clock_next_at(self.clock.word, now_us, floor)

    def raise_to(self, timestamp_t floor) -> None:
        """Nothing at or below floor is issued afterwards. For recovery: no bound on how far ahead."""
        clock_raise(self.clock.word, floor)

    def observe(self, timestamp_t ts, now_us=None) -> bool:
        """Takes note of a timestamp from elsewhere; False when it lies too far ahead and was refused."""
        return clock_observe(&self.clock, ts, clock_now_us(&self.clock) if now_us is None else now_us) == 0

    def interval(self) -> ClockInterval:
        """Bounds on true time, now."""
        cdef Interval now
        clock_interval(&self.clock, &now)
        return ClockInterval(now.earliest, now.latest)

    def paced_us(self, int64_t mono_ns) -> int:
        """What the paced clock shows at a monotonic reading."""
        return clock_paced_us(&self.clock, mono_ns)

    def resync(self, int64_t mono_ns, int64_t wall_us) -> bool:
        """Compares with the wall clock; False when its jump ahead was refused."""
        return clock_resync(&self.clock, mono_ns, wall_us) == 0

    @property
    def last(self) -> int:
        """Newest timestamp issued from the word."""
        return dsql_load_acquire(self.clock.word)

    @property
    def jumps_refused(self) -> int:
        """How often the wall clock was found too far ahead and not followed; an alarm when it grows."""
        return self.clock.jumps_refused

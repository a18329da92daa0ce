# Hybrid timestamps: microseconds since the Unix epoch << 12 | counter, issued from one 64-bit word that everyone shares.
#
# Order is the order of the numbers. A timestamp of the same microsecond takes the next counter; when the word is ahead
# of the wall (a busy microsecond, a wall clock stepped back) the logical part runs on alone.
from dsql_core.base.atomic cimport dsql_compare_exchange, dsql_load_acquire
from dsql_core.base.types cimport int32_t, int64_t, timestamp_t, uint64_t

cdef enum:
    COUNTER_BITS = 12
    JUMP_US_MAX = 5000000           # a wall clock this far ahead of the paced one is not followed
    RESYNC_NS = 1000000000          # how often the paced clock looks at the wall
    SLEW_DIVISOR = 100              # it approaches the wall by at most 1/100 of the time passed

cdef struct Clock:
    uint64_t* word                  # shared: the newest timestamp issued anywhere
    int64_t base_us                 # paced wall clock at base_ns
    int64_t base_ns                 # CLOCK_MONOTONIC of the last resync
    int64_t error_us                # how far the wall may be from true time (0: one machine, the word is the truth)
    uint64_t jumps_refused          # resyncs that found the wall more than JUMP_US_MAX ahead

cdef struct Interval:               # true time lies within; both ends are timestamps
    timestamp_t earliest
    timestamp_t latest

cdef inline timestamp_t timestamp_pack(uint64_t us, uint64_t counter) noexcept nogil:
    return (us << COUNTER_BITS) | counter

cdef inline uint64_t timestamp_us(timestamp_t ts) noexcept nogil:
    return ts >> COUNTER_BITS

cdef inline uint64_t timestamp_counter(timestamp_t ts) noexcept nogil:
    return ts & ((1 << COUNTER_BITS) - 1)

cdef inline timestamp_t clock_next_at(uint64_t* word, uint64_t now_us, timestamp_t floor) noexcept nogil:
    # A timestamp above `floor` and above every one issued before from this word. Lock-free.
    cdef uint64_t seen
    cdef uint64_t ts
    while True:
        seen = dsql_load_acquire(word)
        ts = now_us << COUNTER_BITS
        if ts <= seen:
            ts = seen + 1
        if ts <= floor:
            ts = floor + 1
        if dsql_compare_exchange(word, seen, ts):
            return ts

cdef inline void clock_raise(uint64_t* word, timestamp_t floor) noexcept nogil:
    # Nothing at or below floor is issued afterwards (recovery: the journal's last timestamp).
    cdef uint64_t seen = dsql_load_acquire(word)
    while seen < floor and not dsql_compare_exchange(word, seen, floor):
        seen = dsql_load_acquire(word)

cdef inline int commit_wait_over(const Interval* now, timestamp_t commit_ts) noexcept nogil:
    # An acknowledgement may leave: true time has certainly passed commit_ts.
    return now.earliest >= commit_ts

# -- sans-IO: the caller passes the readings -----------------------------------------------------------------------
cdef void clock_start(Clock* clock, uint64_t* word, int64_t mono_ns, int64_t wall_us, int64_t error_us) noexcept nogil
cdef int64_t clock_paced_us(const Clock* clock, int64_t mono_ns) noexcept nogil
cdef int clock_resync(Clock* clock, int64_t mono_ns, int64_t wall_us) noexcept nogil    # 0, -1 jump refused
# A timestamp from elsewhere: 0 the word is at or above it now, -1 it lies more than JUMP_US_MAX ahead and is refused.
cdef int clock_observe(Clock* clock, timestamp_t ts, uint64_t now_us) noexcept nogil

# -- readings of this machine --------------------------------------------------------------------------------------
cdef uint64_t clock_now_us(Clock* clock) noexcept nogil             # paced; resyncs when due
cdef timestamp_t clock_next(Clock* clock, timestamp_t floor) noexcept nogil
cdef void clock_interval(Clock* clock, Interval* out) noexcept nogil

cdef class HybridClock:
    cdef Clock clock
    cdef uint64_t private_word      # the word when no segment was given
    cdef readonly object memory     # keeps the shared word alive

# The adjudicator: first committer wins. A core without IO and the role that feeds it from rings.
from dsql_core.adjudicator.table cimport ConflictTable
from dsql_core.base.types cimport timestamp_t, uint32_t, uint64_t
from dsql_core.clock.hybrid cimport Clock
from dsql_core.codec.message cimport CommitHead
from dsql_core.shared.channel cimport Channel
from dsql_core.shared.port cimport ReplyPort

cdef enum:
    WINDOW_SAMPLES = 256

cdef struct Adjudicator:                   # the core
    ConflictTable table
    uint64_t* word                         # clock word that commit timestamps come from
    timestamp_t floor                      # newest commit_ts given out, or recovered
    uint64_t window_us                     # a transaction younger than this can be judged (memory permitting)
    uint64_t sample_us[WINDOW_SAMPLES]     # when ...
    timestamp_t sample_ts[WINDOW_SAMPLES]  # ... floor was what: the watermark of the future
    uint32_t sample_first
    uint32_t sample_count
    uint64_t commit_count
    uint64_t data_conflict_count
    uint64_t catalog_conflict_count
    uint64_t too_old_count
    uint64_t refused_count                 # malformed, full, read-only

cdef struct AdjudicatorRole:
    Adjudicator core
    Clock* clock
    Channel** requests                     # consumer views, one per query worker
    uint32_t request_count
    Channel* journal                       # producer view
    ReplyPort replies
    uint64_t* status                       # control word: 0 = commits are welcome, else the REPLY_* to refuse with

cdef int adjudicator_init(Adjudicator* core, uint64_t* word, timestamp_t floor, uint64_t window_us,
                          size_t capacity, size_t capacity_max) noexcept nogil          # 0, -1
cdef void adjudicator_free(Adjudicator* core) noexcept nogil
cdef void adjudicator_tick(Adjudicator* core, uint64_t now_us) noexcept nogil           # time passes: the window moves
# The verdict, a REPLY_*: on REPLY_COMMITTED *commit_ts is the timestamp and the keys are stamped. The request is sound.
cdef int adjudicate(Adjudicator* core, const CommitHead* request, uint64_t now_us, timestamp_t* commit_ts) noexcept nogil
cdef int adjudicator_step(void* state) noexcept nogil

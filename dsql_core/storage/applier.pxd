# The storage role: applies the merged feed to the trees, publishes roots, answers commits.
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport seq_t, timestamp_t, uint32_t, uint64_t
from dsql_core.shared.channel cimport Channel
from dsql_core.shared.port cimport ReplyPort
from dsql_core.storage.layout cimport Store

cdef struct Applier:
    Channel* input                # from the crossbar
    ReplyPort replies
    Store* store
    uint64_t* control             # the control page, or NULL
    int in_batch
    int stopped                   # 0, or the REPLY_* that pending and later records are answered with
    Buffer pending                # CommitReply of every record applied and not yet durable
    uint64_t catalog_version      # of the batch under way
    seq_t journal_seq             # of the newest root published
    timestamp_t last_ts
    uint64_t commit_count
    uint64_t op_count
    uint64_t publish_count

cdef int applier_step(void* state) noexcept nogil

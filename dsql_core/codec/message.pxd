# Messages of the commit path, as they lie in rings, journal frames and buffers. Little-endian, sizes in bytes.
#
# CommitRequest (query -> adjudicator)
#   0  u32 size            whole message
#   4  u16 kind            MSG_COMMIT
#   6  u16 flags           COMMIT_CATALOG: changes the catalog (the applier raises catalog_version to commit_ts)
#   8  u64 reply_to        opaque: worker in the top 16 bits, session token below
#  16  u8  txn_id[16]
#  32  u64 snapshot_ts
#  40  u32 check_count
#  44  u32 op_count
#  48  u64 checks[check_count]      see CHECK_*
#   .  ops                          see below, op_count of them, packed
#
# check: a 64-bit fingerprint of (tree, key) whose three lowest bits say what to do with it
#   CHECK_VALIDATE  last[fp] > snapshot_ts refuses       CHECK_STAMP  on admit last[fp] := commit_ts
#   CHECK_CATALOG   a refusal is OC001 instead of OC000
#
# op: u8 kind (OP_PUT, OP_DELETE, OP_DROP_TREE), u8[3] zero, u32 key_size, u32 value_size, u64 tree, key, value
#
# Record (adjudicator -> journal -> crossbar -> storage; and the payload of a journal frame)
#   0  u32 size    4  u16 kind MSG_RECORD   6  u16 flags   8  u64 reply_to   16  u8 txn_id[16]
#  32  u64 commit_ts   40  u32 0   44  u32 op_count   48  ops        (reply_to is 0 in the journal file)
#
# Durable (journal -> storage): u32 size, u16 kind MSG_DURABLE, u16 0, u64 seq, u64 last_ts
# Stop (journal -> storage): u32 size, u16 kind MSG_STOP, u16 status: a flush failed; what is not durable yet is unknown
# CommitReply (adjudicator, journal or storage -> query)
#   0  u32 size=40  4  u16 kind MSG_REPLY  6  u16 status REPLY_*  8  u64 reply_to  16  u8 txn_id[16]  32  u64 commit_ts
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    MSG_COMMIT = 1
    MSG_RECORD = 2
    MSG_DURABLE = 3
    MSG_REPLY = 4
    MSG_STOP = 5

    COMMIT_CATALOG = 1

    CHECK_VALIDATE = 1
    CHECK_STAMP = 2
    CHECK_CATALOG = 4
    CHECK_MASK = 7

    OP_PUT = 1
    OP_DELETE = 2
    OP_DROP_TREE = 3
    OP_KEY_SIZE_MAX = 2048   # storage's bound on keys; a longer one is refused before it can become durable

    REPLY_COMMITTED = 0
    REPLY_OC000 = 1        # 40001 change conflicts with another transaction (OC000)
    REPLY_OC001 = 2        # 40001 schema has been updated by another transaction (OC001)
    REPLY_TOO_OLD = 3      # snapshot below the low-watermark: reported as OC000
    REPLY_READ_ONLY = 4    # journal stopped (disk failure): 58030
    REPLY_FULL = 5         # no journal or arena space: 53100
    REPLY_UNKNOWN = 6      # commit worker died before answering: 08007
    REPLY_MALFORMED = 7    # the request's sizes contradict each other: XX000, a defect of the sender

    REQUEST_SIZE_MAX = 25165824     # one record must fit one journal segment

cdef struct CommitHead:    # also the head of a Record, where snapshot_ts is the commit_ts and check_count is 0
    uint32_t size
    uint16_t kind
    uint16_t flags
    uint64_t reply_to
    uint8_t txn_id[16]
    uint64_t snapshot_ts
    uint32_t check_count
    uint32_t op_count

cdef packed struct OpHead:
    uint8_t kind
    uint8_t zero[3]
    uint32_t key_size
    uint32_t value_size
    uint64_t tree

cdef struct CommitReply:
    uint32_t size
    uint16_t kind
    uint16_t status
    uint64_t reply_to
    uint8_t txn_id[16]
    uint64_t commit_ts

cdef struct Durable:
    uint32_t size
    uint16_t kind
    uint16_t zero
    uint64_t seq
    uint64_t last_ts

cdef struct Stop:
    uint32_t size
    uint16_t kind
    uint16_t status

cdef inline uint16_t message_kind(const uint8_t* message, size_t size) noexcept nogil:
    # 0 when the message is shorter than any, or its own size field disagrees.
    if size < 8 or (<const uint32_t*>message)[0] != size:
        return 0
    return (<const uint16_t*>message)[2]

# 1 = sizes of a CommitRequest / of a Record agree with each other and every op lies inside.
cdef int commit_request_is_sound(const uint8_t* message, size_t size) noexcept nogil
cdef int record_is_sound(const uint8_t* message, size_t size) noexcept nogil
cdef void commit_reply_fill(CommitReply* reply, const CommitHead* head, uint16_t status, uint64_t commit_ts) noexcept nogil

cdef inline uint64_t fingerprint(uint64_t tree, const uint8_t* key, size_t size) noexcept nogil:
    # 64-bit hash of (tree, key); never stored on disk, so it may change. The three lowest bits are left to CHECK_*.
    cdef uint64_t h = (tree + 0x9E3779B97F4A7C15ULL) * 0xBF58476D1CE4E5B9ULL
    cdef uint64_t word
    cdef size_t i
    cdef size_t j
    i = 0
    while i + 8 <= size:
        word = (<const uint64_t*>(key + i))[0]
        h = (h ^ word) * 0x9FB21C651E98DF25ULL
        h ^= h >> 32
        i += 8
    word = size - i
    j = i
    while j < size:
        word = (word << 8) | key[j]
        j += 1
    h = (h ^ word) * 0x9FB21C651E98DF25ULL
    h ^= h >> 29
    h = h * 0xD6E8FEB86659FD93ULL
    h ^= h >> 32
    return h & ~<uint64_t>7

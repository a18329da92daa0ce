# Channel: a single-producer single-consumer ring of messages in memory that two roles share (one process or two).
#
# Memory layout (one channel; capacity a power of two; words written by one side only, 64 bytes apart):
#   0    u64 magic, u64 capacity           64  u64 head: bytes ever written (producer); 72 u64 stalled (see below)
#   128  u64 tail: bytes ever read (consumer)     192  data[capacity]
# A message is its bytes preceded by u32 size, u32 flags, padded to 8, never wrapped:
#   flags 1 = more fragments follow     2 = nothing here up to the end of the ring     4 = a message starts here
# Messages larger than capacity / 4 travel as fragments; the consumer's `assembly` buffer joins them.
#
# Doorbell: one per loop (process). The consumer sets `sleeping` before it waits and looks once more; a producer that
# sees it set writes the eventfd. Between roles of one loop, doorbell is NULL: the loop steps until all are idle.
# The same in the other direction: a producer whose ring is full keeps messages in `backlog` and sets `stalled`; the
# consumer that makes room rings the producer's doorbell. So each side attaches with the doorbell of the OTHER side.
from dsql_core.base.atomic cimport dsql_exchange, dsql_fence_seq_cst, dsql_load_relaxed, dsql_store_relaxed
from dsql_core.base.flush cimport dsql_flusher_write
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport Slice, int32_t, uint8_t, uint32_t, uint64_t

cdef enum:
    CHANNEL_HEADER_SIZE = 192
    CHANNEL_MESSAGE_SIZE_MAX = 67108864     # a larger assembly means a malformed ring

cdef struct Doorbell:
    uint64_t* sleeping        # word in shared memory: 1 = the consumer waits
    int fd                    # its eventfd

cdef struct Channel:          # one side's view; owned by the role that uses it
    uint8_t* memory           # the shared ring
    size_t capacity
    Doorbell* doorbell        # of the other side's loop; NULL inside one loop
    Buffer assembly           # consumer: fragments of the message under way
    Buffer backlog            # producer: messages that found the ring full, sent first next time
    size_t backlog_at         # producer: bytes of backlog already sent
    uint64_t seen             # the other side's word when last looked at
    size_t peeked             # consumer: ring bytes that channel_consume gives back; 0 = nothing peeked
    int32_t joined            # consumer: assembly holds a whole message
    int32_t drained           # consumer: a peek that found no whole message took fragments and made room

cdef size_t channel_memory_size(size_t capacity) noexcept nogil
cdef void channel_format(uint8_t* memory, size_t capacity) noexcept nogil             # once, by the owner of the memory
cdef int channel_attach(Channel* channel, uint8_t* memory, Doorbell* doorbell) noexcept nogil   # 0, -1 bad magic
cdef void channel_detach(Channel* channel) noexcept nogil                             # frees the buffers of this side
# Never blocks: 0 sent (or queued in backlog, which channel_flush retries), -1 out of memory.
cdef int channel_send(Channel* channel, const uint8_t* message, size_t size) noexcept nogil
cdef int channel_send2(Channel* channel, const uint8_t* a, size_t a_size, const uint8_t* b, size_t b_size) noexcept nogil
cdef int channel_flush(Channel* channel) noexcept nogil                               # 1 = backlog empty
# The same for a role's step: 1 = something moved, which counts as an event (the other side may be in this loop).
cdef int channel_resume(Channel* channel) noexcept nogil
# 1 = *message is the oldest unread message (valid until channel_consume), 0 = none, -1 = malformed ring.
cdef int channel_peek(Channel* channel, Slice* message) noexcept nogil
cdef void channel_consume(Channel* channel) noexcept nogil
cdef int channel_is_empty(const Channel* channel) noexcept nogil                      # consumer's view
# 1 = peeks took fragments since the last call: progress that a role's step counts as an event, because the producer's
# role may be in this loop and has room again.
cdef int channel_progress(Channel* channel) noexcept nogil
cdef size_t channel_used(const Channel* channel) noexcept nogil                       # bytes written and not yet read

cdef inline void doorbell_ring(Doorbell* bell) noexcept nogil:
    # After the word that announces the work was stored. A no-op while the other side is awake.
    dsql_fence_seq_cst()
    if dsql_load_relaxed(bell.sleeping) != 0 and dsql_exchange(bell.sleeping, 0) != 0:
        dsql_flusher_write(bell.fd)

cdef inline void doorbell_arm(Doorbell* bell) noexcept nogil:
    # Before waiting; the caller looks at all its channels once more after it.
    dsql_store_relaxed(bell.sleeping, 1)
    dsql_fence_seq_cst()

cdef inline void doorbell_disarm(Doorbell* bell) noexcept nogil:
    dsql_store_relaxed(bell.sleeping, 0)

# Channel: a single-producer single-consumer ring of messages in memory that two roles share (one process or two).
#
# Memory layout (one channel; capacity a power of two; words written by one side only, 64 bytes apart):
#   0    u64 magic, u64 capacity           64  u64 head: bytes ever written (producer)
#   128  u64 tail: bytes ever read (consumer)     192  data[capacity]
# A message is its bytes preceded by u32 size, u32 flags (1 = more fragments follow), padded to 8. Messages larger than
# capacity / 4 travel as fragments; the consumer's `assembly` buffer joins them.
#
# Doorbell: one per loop (process). The consumer sets `sleeping` before it waits and looks once more; a producer that
# sees it set writes the eventfd. Between roles of one loop, doorbell is NULL: the loop steps until all are idle.
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport Slice, int32_t, uint8_t, uint32_t, uint64_t

cdef struct Doorbell:
    uint64_t* sleeping        # word in shared memory: 1 = the consumer waits
    int fd                    # its eventfd

cdef struct Channel:          # one side's view; owned by the role that uses it
    uint8_t* memory           # the shared ring
    size_t capacity
    Doorbell* doorbell        # of the consumer; NULL inside one loop
    Buffer assembly           # consumer: fragments of the message under way
    Buffer backlog            # producer: messages that found the ring full, sent first next time

cdef size_t channel_memory_size(size_t capacity) noexcept nogil
cdef void channel_format(uint8_t* memory, size_t capacity) noexcept nogil             # once, by the owner of the memory
cdef int channel_attach(Channel* channel, uint8_t* memory, Doorbell* doorbell) noexcept nogil   # 0, -1 bad magic
# Never blocks: 0 sent (or queued in backlog, which channel_flush retries), -1 out of memory.
cdef int channel_send(Channel* channel, const uint8_t* message, size_t size) noexcept nogil
cdef int channel_flush(Channel* channel) noexcept nogil                               # 1 = backlog empty
# 1 = *message is the oldest unread message (valid until channel_consume), 0 = none, -1 = malformed ring.
cdef int channel_peek(Channel* channel, Slice* message) noexcept nogil
cdef void channel_consume(Channel* channel) noexcept nogil
cdef int channel_is_empty(const Channel* channel) noexcept nogil

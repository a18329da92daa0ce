"""Single-producer single-consumer message ring (layout and duties: channel.pxd).

Invariants:
  C1  head and tail only grow; head - tail <= capacity; both are multiples of 8.
  C2  An entry is contiguous: when it does not fit before the end of the ring a skip entry fills the rest. An entry is
      at most capacity / 4, so a drained ring always has room for one.
  C3  Messages arrive whole, once, in the order sent: while the backlog is not empty nothing goes round it. The rest of
      a half-sent message waits in the backlog as one more message; the fragments already sent carry the
      more-follows flag, so the consumer joins them.
  C4  The consumer trusts nothing it reads: sizes are checked against what head says is there, and a violation is
      reported (-1) instead of followed. A worker with a broken ring harms only itself.
  C5  Either side may die and be replaced: entries are published whole, the first entry of a message is marked, so a
      message whose rest never came is dropped when the next one starts, and a consumer that arrives in the middle of
      one skips to the next. A message peeked but not consumed is read again.

Memory: the ring belongs to whoever made the segment; a Channel owns its two buffers (channel_detach frees them).
"""
from libc.string cimport memcpy, memmove, memset

from dsql_core.base.atomic cimport (
    dsql_exchange, dsql_fence_seq_cst, dsql_load_acquire, dsql_load_relaxed, dsql_store_relaxed, dsql_store_release,
)
from dsql_core.base.memory cimport buffer_append, buffer_free, buffer_init, buffer_reserve
from dsql_core.base.types cimport Slice, uint8_t, uint32_t, uint64_t

cdef enum:
    FLAG_MORE = 1
    FLAG_SKIP = 2
    FLAG_FIRST = 4
    AT_HEAD = 64
    AT_STALLED = 72
    AT_TAIL = 128
    ASSEMBLY_KEEP = 1048576      # a larger assembly buffer is given back after use

cdef uint64_t CONTINUES = 1ULL << 63      # of a backlog entry's size: its first part is already in the ring
cdef uint64_t CHANNEL_MAGIC = 0x31474E4952514C44ULL


cdef inline uint64_t* _word(const Channel* channel, size_t offset) noexcept nogil:
    return <uint64_t*>(channel.memory + offset)


cdef inline size_t _padded(size_t size) noexcept nogil:
    return (size + 7) & ~<size_t>7


cdef size_t channel_memory_size(size_t capacity) noexcept nogil:
    return CHANNEL_HEADER_SIZE + capacity


cdef void channel_format(uint8_t* memory, size_t capacity) noexcept nogil:
    memset(memory, 0, CHANNEL_HEADER_SIZE)
    (<uint64_t*>memory)[1] = capacity
    dsql_store_release(<uint64_t*>memory, CHANNEL_MAGIC)


cdef int channel_attach(Channel* channel, uint8_t* memory, Doorbell* doorbell) noexcept nogil:
    cdef uint64_t capacity
    memset(channel, 0, sizeof(Channel))
    if dsql_load_acquire(<uint64_t*>memory) != CHANNEL_MAGIC:
        return -1
    capacity = (<uint64_t*>memory)[1]
    if capacity < 256 or capacity & (capacity - 1) != 0:
        return -1
    channel.memory = memory
    channel.capacity = capacity
    channel.doorbell = doorbell
    channel.seen = dsql_load_acquire(_word(channel, AT_TAIL))     # right for both sides: nothing known to be unread
    buffer_init(&channel.assembly)
    buffer_init(&channel.backlog)
    return 0


cdef void channel_detach(Channel* channel) noexcept nogil:
    buffer_free(&channel.assembly)
    buffer_free(&channel.backlog)
    channel.memory = NULL


# -- producer -----------------------------------------------------------------------------------------------------

cdef inline int _push(Channel* channel, const uint8_t* a, size_t a_size, const uint8_t* b, size_t b_size,
                      uint32_t flags) noexcept nogil:
    # One entry, contents a ++ b. 1 = written, 0 = no room.
    cdef uint64_t head = dsql_load_relaxed(_word(channel, AT_HEAD))
    cdef size_t at = head & (channel.capacity - 1)
    cdef size_t to_end = channel.capacity - at
    cdef size_t total = 8 + _padded(a_size + b_size)
    cdef size_t need = total if total <= to_end else total + to_end
    cdef uint8_t* place
    if head + need - channel.seen > channel.capacity:
        channel.seen = dsql_load_acquire(_word(channel, AT_TAIL))
        if head + need - channel.seen > channel.capacity:
            return 0
    place = channel.memory + CHANNEL_HEADER_SIZE + at
    if total > to_end:
        (<uint32_t*>place)[0] = 0
        (<uint32_t*>place)[1] = FLAG_SKIP
        place = channel.memory + CHANNEL_HEADER_SIZE
    (<uint32_t*>place)[0] = <uint32_t>(a_size + b_size)
    (<uint32_t*>place)[1] = flags
    memcpy(place + 8, a, a_size)
    if b_size != 0:
        memcpy(place + 8 + a_size, b, b_size)
    dsql_store_release(_word(channel, AT_HEAD), head + need)
    return 1


cdef size_t _push_fragments(Channel* channel, const uint8_t* message, size_t size, uint32_t first) noexcept nogil:
    # Bytes of the message sent; less than size = the ring is full and the rest waits.
    cdef size_t part_max = channel.capacity // 4 - 8
    cdef size_t done = 0
    cdef size_t part
    while True:
        part = size - done
        if part > part_max:
            part = part_max
        if not _push(channel, message + done, part, NULL, 0, first | (FLAG_MORE if done + part < size else 0)):
            return done
        first = 0
        done += part
        if done == size:
            return done


cdef int _queue(Channel* channel, const uint8_t* a, size_t a_size, const uint8_t* b, size_t b_size) noexcept nogil:
    # Into the backlog: u64 size, then the bytes. What was sent of a backlog that never empties is squeezed out.
    cdef uint8_t* place
    if channel.backlog_at > 65536 and channel.backlog_at * 2 > channel.backlog.size:
        channel.backlog.size -= channel.backlog_at
        memmove(channel.backlog.data, channel.backlog.data + channel.backlog_at, channel.backlog.size)
        channel.backlog_at = 0
    place = buffer_reserve(&channel.backlog, 8 + a_size + b_size)
    if place == NULL:
        channel.backlog.failed = 0
        return -1
    (<uint64_t*>place)[0] = a_size + b_size
    memcpy(place + 8, a, a_size)
    if b_size != 0:
        memcpy(place + 8 + a_size, b, b_size)
    channel.backlog.size += 8 + a_size + b_size
    return 0


cdef int channel_send(Channel* channel, const uint8_t* message, size_t size) noexcept nogil:
    return channel_send2(channel, message, size, NULL, 0)


cdef int channel_send2(Channel* channel, const uint8_t* a, size_t a_size,
                       const uint8_t* b, size_t b_size) noexcept nogil:
    cdef size_t part_max = channel.capacity // 4 - 8
    if channel.backlog.size == 0 and a_size + b_size <= part_max:
        if _push(channel, a, a_size, b, b_size, FLAG_FIRST):
            if channel.doorbell != NULL:
                doorbell_ring(channel.doorbell)
            return 0
    if _queue(channel, a, a_size, b, b_size) < 0:
        return -1
    channel_flush(channel)
    return 0


cdef int _drain(Channel* channel) noexcept nogil:
    # Sends from the backlog while there is room; 1 = all of it went.
    cdef uint64_t entry
    cdef uint64_t size
    cdef size_t sent
    cdef int moved = 0
    while channel.backlog_at < channel.backlog.size:
        entry = (<uint64_t*>(channel.backlog.data + channel.backlog_at))[0]
        size = entry & ~CONTINUES
        sent = _push_fragments(channel, channel.backlog.data + channel.backlog_at + 8, size,
                               0 if entry & CONTINUES else FLAG_FIRST)
        if sent != 0:
            moved = 1
        if sent < size:
            if sent != 0:               # what is left becomes the entry: its size moves up to just before it
                channel.backlog_at += sent
                (<uint64_t*>(channel.backlog.data + channel.backlog_at))[0] = (size - sent) | CONTINUES
            break
        channel.backlog_at += 8 + sent
    if channel.backlog_at == channel.backlog.size:
        channel.backlog.size = 0
        channel.backlog_at = 0
        if channel.backlog.capacity > ASSEMBLY_KEEP:
            buffer_free(&channel.backlog)
    if moved and channel.doorbell != NULL:
        doorbell_ring(channel.doorbell)
    return channel.backlog.size == 0


cdef int channel_flush(Channel* channel) noexcept nogil:
    if channel.backlog.size == 0 or _drain(channel):
        return 1
    if channel.doorbell != NULL:
        dsql_store_relaxed(_word(channel, AT_STALLED), 1)
        dsql_fence_seq_cst()
        return _drain(channel)          # room made between the first look and the mark would ring nobody
    return 0


cdef int channel_resume(Channel* channel) noexcept nogil:
    cdef size_t size = channel.backlog.size
    cdef size_t at = channel.backlog_at
    if size == 0:
        return 0
    channel_flush(channel)
    return channel.backlog.size != size or channel.backlog_at != at


# -- consumer -----------------------------------------------------------------------------------------------------

cdef inline void _give_back(Channel* channel, uint64_t tail) noexcept nogil:
    dsql_store_release(_word(channel, AT_TAIL), tail)
    if channel.doorbell != NULL:
        dsql_fence_seq_cst()
        if dsql_load_relaxed(_word(channel, AT_STALLED)) != 0:
            if dsql_exchange(_word(channel, AT_STALLED), 0) != 0:
                doorbell_ring(channel.doorbell)


cdef int channel_peek(Channel* channel, Slice* message) noexcept nogil:
    cdef uint64_t tail = dsql_load_relaxed(_word(channel, AT_TAIL))
    cdef uint64_t available
    cdef size_t at
    cdef size_t size
    cdef size_t total
    cdef uint32_t flags
    cdef const uint8_t* place
    if channel.joined:
        message.data = channel.assembly.data
        message.size = channel.assembly.size
        return 1
    while True:
        if tail == channel.seen:
            channel.seen = dsql_load_acquire(_word(channel, AT_HEAD))
            if tail == channel.seen:
                return 0
        available = channel.seen - tail
        if available > channel.capacity or available & 7:
            return -1
        at = tail & (channel.capacity - 1)
        place = channel.memory + CHANNEL_HEADER_SIZE + at
        size = (<const uint32_t*>place)[0]
        flags = (<const uint32_t*>place)[1]
        if flags & FLAG_SKIP:
            if channel.capacity - at > available:
                return -1
            tail += channel.capacity - at
            _give_back(channel, tail)
            continue
        total = 8 + _padded(size)
        if total > available or at + total > channel.capacity:
            return -1
        if flags & FLAG_FIRST:
            channel.assembly.size = 0                  # C5: the rest of an unfinished one will never come
        elif channel.assembly.size == 0:
            tail += total                              # C5: its beginning went to somebody before us
            _give_back(channel, tail)
            continue
        if flags & FLAG_MORE or channel.assembly.size != 0:
            if channel.assembly.size + size > CHANNEL_MESSAGE_SIZE_MAX:
                return -1
            buffer_append(&channel.assembly, place + 8, size)
            if channel.assembly.failed:
                return -1
            if flags & FLAG_MORE:
                channel.drained = 1
                tail += total
                _give_back(channel, tail)
                continue
            channel.joined = 1
            message.data = channel.assembly.data
            message.size = channel.assembly.size
        else:
            message.data = place + 8
            message.size = size
        channel.peeked = total
        return 1


cdef void channel_consume(Channel* channel) noexcept nogil:
    if channel.peeked == 0:
        return
    if channel.joined:
        channel.joined = 0
        channel.assembly.size = 0
        if channel.assembly.capacity > ASSEMBLY_KEEP:
            buffer_free(&channel.assembly)
    _give_back(channel, dsql_load_relaxed(_word(channel, AT_TAIL)) + channel.peeked)
    channel.peeked = 0


cdef int channel_is_empty(const Channel* channel) noexcept nogil:
    return dsql_load_relaxed(_word(channel, AT_TAIL)) == dsql_load_acquire(_word(channel, AT_HEAD))


cdef int channel_progress(Channel* channel) noexcept nogil:
    cdef int drained = channel.drained
    channel.drained = 0
    return drained


cdef size_t channel_used(const Channel* channel) noexcept nogil:
    return dsql_load_acquire(_word(channel, AT_HEAD)) - dsql_load_acquire(_word(channel, AT_TAIL))

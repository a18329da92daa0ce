"""Frames: encoding, and the judgement of what lies where a frame should be (format: frame.pxd).

Invariants:
  W1  Every byte of a written frame is covered: header by its CRC, payload and fill by the payload CRC, trailer and tags
      by exact comparison.
  W2  seq grows by one from frame to frame over all segments and generations; prev_chain is the chain of the frame
      before. The chain mixes both CRCs of every frame so far, so a frame that was swapped or lost shows at the next.
  W3  At most one frame is in flight. So any sector of frame n+1 proves that frame n was flushed whole.

Judgement, first match wins (S segment id, E expected seq):
  no trustworthy header      tag of the first sector equals (S, E), or half of it does -> BAD (written, then damaged)
                             otherwise -> ABSENT, or TORN when some sector of the extent carries (S, E)
  trustworthy header         of another position, chain, generation or order -> BAD
                             some tag half right -> BAD;  some tag not ours -> TORN;  CRC or trailer wrong -> BAD; GOOD
The caller turns ABSENT and TORN into corruption when frame_later finds a later frame.
"""
from libc.string cimport memcpy, memset

from dsql_core.base.crc32c cimport dsql_crc32c
from dsql_core.base.types cimport seq_t, uint8_t, uint32_t, uint64_t

cdef uint32_t FRAME_MAGIC = 0x314D5246         # "FRM1"
cdef uint32_t TRAILER_MAGIC = 0x31444E45       # "END1"


cdef inline uint64_t _mix(uint64_t h) noexcept nogil:
    h ^= h >> 33
    h *= 0xFF51AFD7ED558CCDULL
    h ^= h >> 33
    h *= 0xC4CEB9FE1A85EC53ULL
    h ^= h >> 33
    return h


cdef inline uint64_t _chain(uint64_t prev_chain, uint32_t header_crc, uint32_t payload_crc) noexcept nogil:
    return _mix(prev_chain * 0x9E3779B97F4A7C15ULL + ((<uint64_t>header_crc << 32) | payload_crc) + 1)


cdef inline uint32_t _segment_tag(const uint8_t* sector) noexcept nogil:
    return (<const uint32_t*>(sector + SECTOR_CONTENT))[0]


cdef inline uint32_t _seq_tag(const uint8_t* sector) noexcept nogil:
    return (<const uint32_t*>(sector + SECTOR_CONTENT))[1]


cdef size_t frame_size(size_t payload_size) noexcept nogil:
    cdef size_t content = FRAME_HEADER_SIZE + payload_size + FRAME_TRAILER_SIZE
    return (content + SECTOR_CONTENT - 1) // SECTOR_CONTENT * SECTOR_SIZE


cdef uint64_t frame_encode(FrameHeader* header, const uint8_t* payload, size_t payload_size, size_t raw_size,
                           uint8_t* target) noexcept nogil:
    cdef size_t size = frame_size(payload_size)
    cdef size_t sectors = size // SECTOR_SIZE
    cdef size_t room
    cdef size_t start
    cdef size_t part
    cdef size_t done = 0
    cdef size_t i
    cdef uint32_t crc = 0
    cdef uint8_t* sector
    header.magic = FRAME_MAGIC
    header.version = FORMAT_VERSION
    header.payload_size = <uint32_t>payload_size
    header.raw_size = <uint32_t>raw_size
    header.sector_count = <uint32_t>sectors
    header.zero = 0
    header.header_crc = dsql_crc32c(0, header, FRAME_HEADER_SIZE - 4)
    memcpy(target, header, FRAME_HEADER_SIZE)
    for i in range(sectors):
        sector = target + i * SECTOR_SIZE
        start = FRAME_HEADER_SIZE if i == 0 else 0
        room = SECTOR_CONTENT - start - (FRAME_TRAILER_SIZE if i == sectors - 1 else 0)
        part = payload_size - done
        if part > room:
            part = room
        if part != 0:
            memcpy(sector + start, payload + done, part)
        if part < room:
            memset(sector + start + part, 0, room - part)
        done += part
        crc = dsql_crc32c(crc, sector + start, room)
        (<uint32_t*>(sector + SECTOR_CONTENT))[0] = <uint32_t>header.segment_id
        (<uint32_t*>(sector + SECTOR_CONTENT))[1] = <uint32_t>header.seq
    sector = target + size - (SECTOR_SIZE - SECTOR_CONTENT) - FRAME_TRAILER_SIZE
    (<uint32_t*>sector)[0] = crc
    (<uint32_t*>sector)[1] = TRAILER_MAGIC
    (<uint64_t*>(sector + 8))[0] = size
    return _chain(header.prev_chain, header.header_crc, crc)


cdef inline int _bad(Frame* frame, const char* fault) noexcept nogil:
    frame.fault = fault
    return FRAME_BAD


cdef int _inspect_without_header(const uint8_t* data, size_t size, const Expected* expected, Frame* frame) noexcept nogil:
    cdef uint32_t segment_tag = <uint32_t>expected.segment_id
    cdef uint32_t seq_tag = <uint32_t>expected.seq
    cdef size_t at
    cdef int ours = _segment_tag(data) == segment_tag
    if expected.any_start:
        return _bad(frame, b"first frame of the segment is damaged") if ours else FRAME_ABSENT
    if ours and _seq_tag(data) == seq_tag:
        return _bad(frame, b"header damaged")
    if ours or (_seq_tag(data) == seq_tag and seq_tag != 0):
        return _bad(frame, b"sector tag damaged, or a frame is missing")
    at = SECTOR_SIZE
    while at < size:
        if _segment_tag(data + at) == segment_tag and _seq_tag(data + at) == seq_tag:
            return FRAME_TORN
        at += SECTOR_SIZE
    return FRAME_ABSENT


cdef int frame_inspect(const uint8_t* data, size_t size, const Expected* expected, Frame* frame) noexcept nogil:
    cdef FrameHeader* header = &frame.header
    cdef uint32_t i
    cdef uint32_t crc = 0
    cdef size_t start
    cdef size_t room
    cdef size_t total
    cdef int segment_ours
    cdef int seq_ours
    cdef int old = 0
    cdef const uint8_t* sector
    frame.fault = b""
    if size < SECTOR_SIZE:
        return FRAME_ABSENT
    memcpy(header, data, FRAME_HEADER_SIZE)
    if (header.magic != FRAME_MAGIC or header.segment_id != expected.segment_id
            or header.header_crc != dsql_crc32c(0, header, FRAME_HEADER_SIZE - 4)):
        return _inspect_without_header(data, size, expected, frame)
    if header.version != FORMAT_VERSION:
        return _bad(frame, b"format version is not supported")
    if header.journal_id != expected.journal_id:
        return _bad(frame, b"belongs to another journal")
    if not expected.any_start:
        if header.seq != expected.seq:
            return _bad(frame, b"sequence number is not the next one")
        if header.prev_chain != expected.prev_chain:
            return _bad(frame, b"does not follow the frame before it")
    if header.generation < expected.generation:
        return _bad(frame, b"generation went backwards")
    if header.record_count != 0 and header.ts_first <= expected.ts or header.ts_last < header.ts_first:
        return _bad(frame, b"timestamps went backwards")
    total = <size_t>header.sector_count * SECTOR_SIZE
    if total != frame_size(header.payload_size) or total > size:
        return _bad(frame, b"size does not fit the segment")
    for i in range(header.sector_count):
        sector = data + <size_t>i * SECTOR_SIZE
        segment_ours = _segment_tag(sector) == <uint32_t>header.segment_id
        seq_ours = _seq_tag(sector) == <uint32_t>header.seq
        if segment_ours != seq_ours:
            return _bad(frame, b"sector tag damaged")
        if not segment_ours:
            old = 1
            continue
        start = FRAME_HEADER_SIZE if i == 0 else 0
        room = SECTOR_CONTENT - start - (FRAME_TRAILER_SIZE if i == header.sector_count - 1 else 0)
        crc = dsql_crc32c(crc, sector + start, room)
    if old:
        return FRAME_TORN
    sector = data + total - (SECTOR_SIZE - SECTOR_CONTENT) - FRAME_TRAILER_SIZE
    if (<const uint32_t*>sector)[0] != crc:
        return _bad(frame, b"payload damaged")
    if (<const uint32_t*>sector)[1] != TRAILER_MAGIC or (<const uint64_t*>(sector + 8))[0] != total:
        return _bad(frame, b"trailer damaged")
    frame.chain = _chain(header.prev_chain, header.header_crc, crc)
    return FRAME_GOOD


cdef void frame_payload(const uint8_t* data, const Frame* frame, uint8_t* target) noexcept nogil:
    cdef size_t left = frame.header.payload_size
    cdef size_t part = SECTOR_CONTENT - FRAME_HEADER_SIZE
    cdef const uint8_t* source = data + FRAME_HEADER_SIZE
    while left != 0:
        if part > left:
            part = left
        memcpy(target, source, part)
        target += part
        left -= part
        data += SECTOR_SIZE
        source = data
        part = SECTOR_CONTENT


cdef long frame_later(const uint8_t* data, size_t size, uint64_t segment_id, seq_t seq) noexcept nogil:
    cdef size_t at = 0
    cdef uint32_t ahead
    while at + SECTOR_SIZE <= size:
        if _segment_tag(data + at) == <uint32_t>segment_id:
            ahead = _seq_tag(data + at) - <uint32_t>seq       # mod 2^32: the tag is a half
            if ahead != 0 and ahead < 0x80000000U:
                return <long>at
        at += SECTOR_SIZE
    return -1


cdef int frame_any(const uint8_t* data, size_t size, uint64_t segment_id) noexcept nogil:
    cdef size_t at = 0
    while at + SECTOR_SIZE <= size:
        if _segment_tag(data + at) == <uint32_t>segment_id:
            return 1
        at += SECTOR_SIZE
    return 0

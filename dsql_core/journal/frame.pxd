# Frames: what one flush writes. Format version 1, little-endian; FORMAT_VERSION moves when any of this does.
#
# A frame is a whole number of 512-byte sectors. A sector is 504 bytes of content followed by its tag:
#   504  u32 segment_tag    low half of the segment id it was written for
#   508  u32 seq_tag        low half of the seq of its frame
# The contents of a frame's sectors, joined:
#    0  u32 magic            4  u16 version       6  u16 flags  FRAME_*
#    8  u64 journal_id      16  u64 segment_id
#   24  u64 generation      32  u64 seq           dense from 1 over the whole journal
#   40  u64 ts_first        48  u64 ts_last       commit_ts of the first and last record; without records both are the
#                                                 floor: no later record is at or below
#   56  u32 record_count    60  u32 payload_size  as stored
#   64  u32 raw_size        68  u32 sector_count
#   72  u64 prev_chain      80  u32 0             84  u32 CRC32C of bytes 0..83
#   88  payload             records of codec/message one after the other, reply_to 0; LZ4 block when FRAME_LZ4
#    .  zeros
#  -16  u32 CRC32C of all content between byte 88 and here    -12  u32 trailer magic    -8  u64 bytes of the frame
#
# Why tags: what a crash leaves of a frame is, sector by sector, either new or what was there before (zeros, or blocks of
# an older segment in a recycled file). The tag tells which for every sector, so a torn write (some sectors old) and
# damage (all new, wrong content) are told apart exactly, even for the newest frame, which nothing follows yet.
from dsql_core.base.types cimport seq_t, timestamp_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    FORMAT_VERSION = 1
    SECTOR_SIZE = 512
    SECTOR_CONTENT = 504
    FRAME_HEADER_SIZE = 88
    FRAME_TRAILER_SIZE = 16
    FRAME_LZ4 = 1             # flags: payload is an LZ4 block
    FRAME_TAKEOVER = 2        # flags: first frame of a generation, no records

    # what frame_inspect found
    FRAME_GOOD = 0
    FRAME_ABSENT = 1          # nothing of this segment was ever written here
    FRAME_TORN = 2            # the frame that was being written: some of its sectors never arrived
    FRAME_BAD = 3             # written completely or by a sound writer impossible: damage

cdef packed struct FrameHeader:       # the first 88 bytes of content
    uint32_t magic
    uint16_t version
    uint16_t flags
    uint64_t journal_id
    uint64_t segment_id
    uint64_t generation
    seq_t seq
    timestamp_t ts_first
    timestamp_t ts_last
    uint32_t record_count
    uint32_t payload_size
    uint32_t raw_size
    uint32_t sector_count
    uint64_t prev_chain
    uint32_t zero
    uint32_t header_crc

cdef struct Frame:                    # what a reader knows of a good frame
    FrameHeader header
    uint64_t chain                    # chains the next frame to this one
    const char* fault                 # FRAME_BAD: why

cdef struct Expected:                 # what the reader knows before it looks
    uint64_t journal_id
    uint64_t segment_id
    seq_t seq
    uint64_t prev_chain
    uint64_t generation               # at least
    timestamp_t ts                    # records are above
    int any_start                     # 1 = first frame of a trimmed journal: seq and chain are taken from it

# Bytes of a frame with this much stored payload.
cdef size_t frame_size(size_t payload_size) noexcept nogil
# Writes the frame for header (sizes, magic, CRC are filled in) and payload to target (frame_size bytes); gives its chain.
cdef uint64_t frame_encode(FrameHeader* header, const uint8_t* payload, size_t payload_size, size_t raw_size,
                           uint8_t* target) noexcept nogil
# Looks at the sectors from data on (`size` bytes to the end of the segment): FRAME_*.
cdef int frame_inspect(const uint8_t* data, size_t size, const Expected* expected, Frame* frame) noexcept nogil
# The stored payload of a good frame, joined, to target (payload_size bytes).
cdef void frame_payload(const uint8_t* data, const Frame* frame, uint8_t* target) noexcept nogil
# Is there any sector of this segment with a seq above `seq` in data? (A later frame proves that frame `seq` was whole.)
# Returns its offset or -1.
cdef long frame_later(const uint8_t* data, size_t size, uint64_t segment_id, seq_t seq) noexcept nogil
# Any sector at all written for this segment?
cdef int frame_any(const uint8_t* data, size_t size, uint64_t segment_id) noexcept nogil

"""Reading a journal from its first frame to its last, and telling a torn tail from damage.

    for seq, generation, ts_last, record_count, payload in JournalReader(...): ...      then reader.tail

Rules (format and per-frame judgement: frame.pxd, frame.pyx):
  R1  Files are whole: consecutive ids, full size (a segment gets its name only when complete). Anything else is damage.
  R2  Reading stops at the first place without a good frame. It is the end of a segment when the next segment starts with
      the frame expected next; otherwise it is the end of the journal.
  R3  Any sector of a later frame beyond that place is proof that the expected frame had been flushed (one flush in
      flight): damage. So is everything frame_inspect calls BAD. Damage is refused with file and offset, never cut off.
  R4  A torn frame is dropped. If the journal goes on after one, it must be in a later segment and generation: the
      restart that dropped it took over.
  R5  What was read is flushed before it counts (`settle`): after a killed process it may be in the page cache only.

  R6  The segments alone cannot tell newest frames that were wiped out whole from frames never written. So the writer
      keeps the last flushed seq in durable.mark (G7 of writer.pyx); a journal that ends before it has lost
      acknowledged frames and is refused. After a power cut the mark may be older than the journal: then it proves less.

durable.mark: u64 magic, u64 journal id; at 64 u64 seq, u64 ~seq. Anything inconsistent (a crash between the two words)
proves nothing and is passed over.
"""
import os
import re
import struct

cimport cython
from libc.stdlib cimport free, malloc

from dsql_core.base.sync cimport dsql_read_at, dsql_sync_data
from dsql_core.base.types cimport seq_t, uint8_t, uint64_t
from dsql_core.codec.compress cimport decompress_block
from dsql_core.journal.frame cimport (
    FRAME_BAD, FRAME_GOOD, FRAME_LZ4, FRAME_TORN, SECTOR_SIZE, Expected, Frame, frame_any, frame_inspect,
    frame_later, frame_payload,
)

MARK_NAME = "durable.mark"
MARK_MAGIC = 0x4B52414D4C515344
SEGMENT_NAME = re.compile(r"([0-9a-f]{16})\.segment")


class JournalError(Exception):
    """The journal cannot be read or written; path and offset say where."""

    def __init__(self, message: str, path: str = "", offset: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.offset = offset


class Tail:
    """Where a journal ends: what its next writer continues from.

    Attributes:
        journal_id, segment_size: as the reader was told.
        generation, seq, chain, last_ts: of the last good frame (0 when there is none).
        segments: (segment_id, last_seq) of every file, ascending; last_seq of what it and its predecessors hold.
        next_segment_id: where the next writer starts; never written to.
        is_prepared: that segment is on file already (its predecessor's writer prepared it).
        torn: (path, offset) of a frame dropped at the end, or None.
        first_seq: first frame on file, 0 = none.
        frames, records, stored_bytes, raw_bytes: what was read.
    """

    def __init__(self, journal_id: int, segment_size: int) -> None:
        self.journal_id = journal_id
        self.segment_size = segment_size
        self.generation = 0
        self.seq = 0
        self.chain = 0
        self.last_ts = 0
        self.segments: list[tuple[int, int]] = []
        self.next_segment_id = 1
        self.is_prepared = False
        self.torn: tuple[str, int] | None = None
        self.first_seq = 0
        self.frames = 0
        self.records = 0
        self.stored_bytes = 0
        self.raw_bytes = 0

    def __repr__(self) -> str:
        return f"Tail(generation={self.generation}, seq={self.seq}, last_ts={self.last_ts}, torn={self.torn})"


def segment_files(directory: str) -> list[tuple[int, str]]:
    """(segment id, path) of the segments in a directory, ascending."""
    found = []
    for name in os.listdir(directory):
        match = SEGMENT_NAME.fullmatch(name)
        if match:
            found.append((int(match.group(1), 16), os.path.join(directory, name)))
    return sorted(found)


def durable_mark(directory: str, journal_id: int) -> int:
    """Last frame known to be flushed according to the mark; 0 when there is no usable one."""
    try:
        with open(os.path.join(directory, MARK_NAME), "rb") as file:
            words = struct.unpack("<10Q", file.read(80))
    except (FileNotFoundError, struct.error):
        return 0
    if words[0] != MARK_MAGIC or words[1] != journal_id or words[8] != ~words[9] & 0xFFFFFFFFFFFFFFFF:
        return 0
    return words[8]


@cython.final
cdef class JournalReader:
    """Iterates over the frames of a journal; afterwards `tail` says where it ended.

    Yields (seq, generation, ts_last, record_count, payload) with the records of frames after from_seq; the payload of
    earlier frames is checked but not unpacked (None).

    Raises:
        JournalError: on damage, naming file and offset. Nothing on disk is changed.
    """

    cdef Expected expected
    cdef Frame frame
    cdef uint8_t* data
    cdef uint8_t* packed
    cdef size_t packed_capacity
    cdef size_t segment_size
    cdef size_t at
    cdef seq_t from_seq
    cdef Py_ssize_t index             # of the segment in data; len(files) = finished
    cdef bint loaded
    cdef bint torn_before             # a torn frame was dropped: R4
    cdef list files
    cdef str path
    cdef seq_t mark                   # read before the segments: a live writer is ahead of it, never behind
    cdef size_t end_at                # where the frame after the last one would lie, in end_path
    cdef str end_path
    cdef readonly object tail

    def __cinit__(self, str directory not None, uint64_t journal_id, size_t segment_size, seq_t from_seq=0):
        if segment_size < 65536 or segment_size % 4096:
            raise ValueError(f"segment size {segment_size} is not a multiple of 4096 from 65536 up")
        self.data = <uint8_t*>malloc(segment_size)
        if self.data == NULL:
            raise MemoryError
        self.segment_size = segment_size
        self.from_seq = from_seq
        self.mark = durable_mark(directory, journal_id)
        self.files = segment_files(directory)
        self.end_path = directory
        self.tail = Tail(journal_id, segment_size)
        self.expected.journal_id = journal_id
        self.expected.seq = 1
        self.expected.any_start = 1
        previous = None
        for segment_id, path in self.files:
            if previous is not None and segment_id != previous + 1:
                raise JournalError(f"{path}: segment {previous + 1:016x} before it is missing", path)
            previous = segment_id
        if previous is not None:
            self.tail.next_segment_id = previous + 1
            if self.files[0][0] == 1:
                self.expected.any_start = 0            # nothing was ever trimmed: frame 1 must be there

    def __dealloc__(self):
        free(self.data)
        free(self.packed)

    def __iter__(self):
        return self

    def __next__(self):
        while self.index < len(self.files):
            if not self.loaded:
                self._load()
            if self._advance():
                return self._take()
            self._end_segment()
        if self.mark > self.tail.seq:
            raise JournalError(f"{self.end_path}: offset {self.end_at}: frame {self.tail.seq + 1} is missing: the journal ends "
                               f"here, yet frame {self.mark} had been acknowledged; it was left as it is",
                               self.end_path, self.end_at)
        if self.expected.any_start == 0 or not self.files:
            raise StopIteration
        if self.tail.first_seq == 0 and self.files:
            path = self.files[0][1]
            raise JournalError(f"{path}: none of the segments holds a frame, yet earlier ones were removed", path, 0)
        raise StopIteration

    cdef _load(self):
        cdef long got
        segment_id, self.path = self.files[self.index]
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(fd).st_size
            if size != self.segment_size:
                raise JournalError(f"{self.path}: {size} bytes where a segment has {self.segment_size}: the file was cut "
                                   f"or belongs to another journal", self.path, size)
            got = self._read(fd)
            if got < 0:
                raise JournalError(f"{self.path}: cannot be read: {os.strerror(-got)}", self.path, 0)
            if <size_t>got != self.segment_size:
                raise JournalError(f"{self.path}: ends early at offset {got}", self.path, got)
        finally:
            os.close(fd)
        self.expected.segment_id = segment_id
        self.at = 0
        self.loaded = True

    cdef long _read(self, int fd):
        cdef long got
        with nogil:
            got = <long>dsql_read_at(fd, self.data, self.segment_size, 0)
        return got

    cdef bint _advance(self) except -1:
        # True = self.frame is the good frame at self.at. Raises on damage.
        cdef int verdict
        cdef long later
        if self.at >= self.segment_size:
            return False
        with nogil:
            verdict = frame_inspect(self.data + self.at, self.segment_size - self.at, &self.expected, &self.frame)
        if verdict == FRAME_GOOD:
            if self.torn_before and self.frame.header.generation == self.expected.generation:
                self._damage(self.at, b"continues a journal whose last frame was torn, without a takeover")
            return True
        if verdict == FRAME_BAD:
            self._damage(self.at, self.frame.fault)
        if self.expected.any_start:
            if frame_any(self.data + self.at, self.segment_size - self.at, self.expected.segment_id):
                self._damage(self.at, b"first frame of the segment is missing")
            return False
        with nogil:
            later = frame_later(self.data + self.at, self.segment_size - self.at, self.expected.segment_id,
                                self.expected.seq)
        if later >= 0:
            self._damage(self.at, b"frame is missing or damaged, a later one is at offset "
                         + str(self.at + later).encode())
        if verdict == FRAME_TORN:
            self.torn_before = True
            self.tail.torn = (self.path, self.at)
        return False

    cdef _damage(self, size_t at, bytes fault):
        raise JournalError(f"{self.path}: offset {at}: frame {self.expected.seq}: {fault.decode()}; the journal is "
                           f"damaged and was left as it is", self.path, at)

    cdef _take(self):
        cdef Frame* frame = &self.frame
        tail = self.tail
        payload = self._unpack() if frame.header.seq > self.from_seq else None
        self.expected.seq = frame.header.seq + 1
        self.expected.prev_chain = frame.chain
        self.expected.generation = frame.header.generation
        if frame.header.ts_last > self.expected.ts:
            self.expected.ts = frame.header.ts_last
        self.expected.any_start = 0
        self.torn_before = False
        self.at += <size_t>frame.header.sector_count * SECTOR_SIZE
        self.end_at = self.at
        self.end_path = self.path
        tail.torn = None
        tail.generation = frame.header.generation
        tail.seq = frame.header.seq
        tail.chain = frame.chain
        tail.last_ts = self.expected.ts
        tail.first_seq = tail.first_seq or frame.header.seq
        tail.frames += 1
        tail.records += frame.header.record_count
        tail.stored_bytes += <size_t>frame.header.sector_count * SECTOR_SIZE
        tail.raw_bytes += frame.header.raw_size
        return frame.header.seq, frame.header.generation, frame.header.ts_last, frame.header.record_count, payload

    cdef bytes _unpack(self):
        cdef const uint8_t* sectors = self.data + self.at
        cdef size_t size = self.frame.header.payload_size
        cdef size_t raw_size = self.frame.header.raw_size
        cdef uint8_t* target
        cdef Py_ssize_t got
        cdef bytes payload = b"\0" * raw_size if raw_size else b""
        target = <uint8_t*><char*>payload
        if not self.frame.header.flags & FRAME_LZ4:
            if size != raw_size:
                self._damage(self.at, b"stored size is not the records' size")
            frame_payload(sectors, &self.frame, target)
            return payload
        if size > self.packed_capacity:
            free(self.packed)
            self.packed = <uint8_t*>malloc(size)
            if self.packed == NULL:
                self.packed_capacity = 0
                raise MemoryError
            self.packed_capacity = size
        with nogil:
            frame_payload(sectors, &self.frame, self.packed)
            got = decompress_block(self.packed, size, target, raw_size)
        if got != <Py_ssize_t>raw_size:
            self._damage(self.at, b"payload does not unpack to its size")
        return payload

    cdef _end_segment(self):
        if (self.index == len(self.files) - 1
                and not frame_any(self.data, self.segment_size, self.expected.segment_id)):
            self.tail.next_segment_id = self.expected.segment_id
            self.tail.is_prepared = True
            self.index += 1
            self.loaded = False
            return
        self.tail.segments.append((self.expected.segment_id, self.expected.seq - 1))
        self.index += 1
        self.loaded = False

    def settle(self) -> None:
        """Flushes the files that the last frames were read from (R5)."""
        cdef int fd
        cdef int rc
        for _, path in self.files[max(0, len(self.files) - 3):]:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                with nogil:
                    rc = dsql_sync_data(fd)
            finally:
                os.close(fd)
            if rc < 0:
                raise JournalError(f"{path}: cannot be flushed: {os.strerror(-rc)}", path)


def scan(directory: str, journal_id: int, segment_size: int) -> Tail:
    """Reads the whole journal for its tail."""
    reader = JournalReader(directory, journal_id, segment_size)
    for _ in reader:
        pass
    reader.settle()
    return reader.tail

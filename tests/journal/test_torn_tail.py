"""A torn tail is dropped, damage is refused: every byte of the last two frames cut and flipped, on real files.

The acknowledged prefix is what the writer reported durable. Whatever is done to the last two frames, a scan gives the
whole of it or a JournalError. To look at frames that were being written and never acknowledged, a test sets the mark of
acknowledgement back (`acknowledge_only`): then a scan gives exactly the frames that are whole.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import pytest

from dsql_core.codec import message as m
from dsql_core.journal import JournalError, JournalOwner, JournalReader, Tail, scan, segment_files
from dsql_core.shared import TRIM_SEQ_OFFSET, ChannelHandle, SharedMemory, channel_size, control_page, format_channel

JOURNAL_ID = 77
SEGMENT = 65536
SECTOR = 512


def ring() -> tuple[ChannelHandle, ChannelHandle]:
    memory = SharedMemory(channel_size(1 << 20))
    format_channel(memory)
    return ChannelHandle(memory), ChannelHandle(memory)


class Writer:
    """A journal writer with its rings; write() is one frame, flushed when it returns."""

    def __init__(self, directory: Path, tail: Tail | None = None) -> None:
        self.records, source = ring()
        target, self.feed = ring()
        self.control = control_page()
        tail = tail or scan(str(directory), JOURNAL_ID, SEGMENT)
        self.owner = JournalOwner(str(directory), tail, source, target, flush_inline=True, control=self.control)
        self.ts = max(tail.last_ts, 1000)

    def write(self, *sizes: int) -> list[bytes]:
        """One frame with a record per size; the records as they lie in the journal."""
        written = []
        for size in sizes:
            self.ts += 3
            record = m.encode_record(self.ts, [(m.PUT, 5, b"key%d" % self.ts, bytes(i * 37 % 256 for i in range(size)))])
            written.append(record)
            self.records.send(record)
        durable = 0
        while not durable:  # a roll waits for the prepared segment
            self.owner.handle.step()
            while (got := self.feed.receive()) is not None:
                durable += m.decode_message(got)["kind"] == m.KIND_DURABLE
        return written


@dataclass
class Written:
    """A closed journal: the segment of its last frames, what that held before, and where each frame lies."""

    path: Path
    before: bytes
    base: int  # seq before the first of `frames`
    frames: list[tuple[int, int]]  # offset, size
    payloads: list[bytes]

    def with_sectors(self, whole: bytes, at: int, size: int) -> bytes:
        """The file as if [at, at + size) had never been written."""
        return whole[:at] + self.before[at : at + size] + whole[at + size :]


def acknowledge_only(journal: Written, count: int) -> None:
    """As if only the first `count` of journal.frames had been acknowledged when the process died."""
    seq = journal.base + count
    mark = journal.path.parent / "durable.mark"
    words = list(struct.unpack("<10Q", mark.read_bytes()[:80]))
    assert words[8] >= seq
    words[8], words[9] = seq, ~seq & (1 << 64) - 1
    mark.write_bytes(struct.pack("<10Q", *words))


@pytest.fixture(params=["fresh", "recycled"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Written:
    """Six frames of one to three sectors at the start of a segment; recycled: over an older segment's valid frames."""
    directory = tmp_path / "journal"
    directory.mkdir()
    writer = Writer(directory)
    segment = 1
    before = bytes(SEGMENT)
    frames = [(0, SECTOR)]
    payloads = [b""]
    if request.param == "recycled":
        writer.control.write_u64(TRIM_SEQ_OFFSET, 1 << 40)
        while writer.owner.statistics["segments_recycled"] == 0:
            writer.write(700)
            writer.owner.handle.step()
        segment = writer.owner.statistics["segment_id"] + 1
        path = directory / f"{segment:016x}.segment"
        while not path.exists():
            writer.owner.handle.step()
        before = path.read_bytes()
        assert before.count(b"FRM1") > 20
        while writer.owner.statistics["segment_id"] != segment:
            payloads = [b"".join(writer.write(700))]
        frames = [(0, 2 * SECTOR)]
    base = writer.owner.seq - 1
    stored = writer.owner.statistics["stored_bytes"]
    for sizes in ((10,), (900,), (50, 60), (1100,), (300, 700)):
        payloads.append(b"".join(writer.write(*sizes)))
        now = writer.owner.statistics["stored_bytes"]
        frames.append((sum(frames[-1]), now - stored))
        stored = now
    writer.owner.close()
    return Written(directory / f"{segment:016x}.segment", before, base, frames, payloads)


def read(journal: Written) -> tuple[list[bytes], Tail]:
    """The payloads of the frames in question, and the tail."""
    reader = JournalReader(str(journal.path.parent), JOURNAL_ID, SEGMENT, journal.base)
    payloads = [payload for *_, payload in reader if payload is not None]
    return payloads, reader.tail


def test_reads_back_what_was_written(journal: Written) -> None:
    payloads, tail = read(journal)
    assert payloads == journal.payloads
    assert (tail.seq, tail.generation, tail.torn) == (journal.base + 6, 1, None)
    assert journal.frames[-1][1] == 3 * SECTOR


@pytest.mark.parametrize("pattern", [0x01, 0x80, 0xFF])
def test_every_byte_of_the_last_two_frames_flipped(journal: Written, pattern: int) -> None:
    """Damage of acknowledged frames is always refused, naming the file and the frame's offset, and never repaired."""
    whole = bytearray(journal.path.read_bytes())
    start, end = journal.frames[-2][0], sum(journal.frames[-1])
    with open(journal.path, "r+b", buffering=0) as file:
        for at in range(start, end):
            file.seek(at)
            file.write(bytes([whole[at] ^ pattern]))
            with pytest.raises(JournalError) as caught:
                read(journal)
            frame = journal.frames[-2] if at < journal.frames[-1][0] else journal.frames[-1]
            assert caught.value.path == str(journal.path) and caught.value.offset == frame[0], f"byte {at}"
            file.seek(at)
            file.write(whole[at : at + 1])
    assert journal.path.read_bytes() == whole
    assert read(journal)[0] == journal.payloads


def test_cut_at_every_byte_of_the_last_two_frames(journal: Written) -> None:
    """Writes that stopped at any byte: what lay behind is what was in the file before (zeros, or old blocks)."""
    whole = journal.path.read_bytes()
    start, end = journal.frames[-2][0], sum(journal.frames[-1])
    acknowledge_only(journal, 4)
    refused = accepted = 0
    for cut in range(start, end + 1):
        image = journal.with_sectors(whole, cut, end - cut)
        with open(journal.path, "r+b", buffering=0) as file:
            file.seek(start)
            file.write(image[start:end])
        # By content: where the bytes cut off equal what was there before, nothing was cut.
        complete = sum(1 for offset, size in journal.frames if image[offset : offset + size] == whole[offset : offset + size])
        try:
            payloads, tail = read(journal)
        except JournalError as error:
            assert error.path == str(journal.path)
            refused += 1
            continue
        accepted += 1
        assert payloads == journal.payloads[:complete], f"cut at {cut}"
        assert tail.seq == journal.base + complete
    # Refusals are only the few cuts inside a sector's last bytes (no disk tears a sector; zeros there look like damage),
    # and in a recycled file those inside the first sector's tag.
    assert accepted > (end - start) * 0.95 and refused < 40


def test_acknowledged_frames_cut_off_are_missed(journal: Written) -> None:
    """The same cuts of frames that had been acknowledged: zeros or old blocks from any byte on are a loss, and refused."""
    whole = journal.path.read_bytes()
    start, end = journal.frames[-2][0], sum(journal.frames[-1])
    for cut in range(start, end):
        image = journal.with_sectors(whole, cut, end - cut)
        with open(journal.path, "r+b", buffering=0) as file:
            file.seek(start)
            file.write(image[start:end])
        if image == whole:
            assert read(journal)[0] == journal.payloads
            continue
        with pytest.raises(JournalError) as caught:
            read(journal)
        assert caught.value.path == str(journal.path)
        first = next(at for at, size in journal.frames if image[at : at + size] != whole[at : at + size])
        assert caught.value.offset == first, f"cut at {cut}"


@pytest.mark.parametrize("words", [b"", bytes(80), b"\xff" * 80])
def test_a_mark_that_says_nothing(journal: Written, words: bytes) -> None:
    (journal.path.parent / "durable.mark").write_bytes(words)
    assert read(journal)[0] == journal.payloads


def test_sectors_arriving_in_any_order(journal: Written) -> None:
    """A disk may persist any subset of the last frame's sectors: never half a frame, never a refusal."""
    whole = journal.path.read_bytes()
    offset, size = journal.frames[-1]
    count = size // SECTOR
    acknowledge_only(journal, 5)
    for kept in range(1 << count):
        image = whole
        for i in range(count):
            if not kept >> i & 1:
                image = journal.with_sectors(image, offset + i * SECTOR, SECTOR)
        journal.path.write_bytes(image)
        payloads, tail = read(journal)
        complete = kept == (1 << count) - 1
        assert payloads == (journal.payloads if complete else journal.payloads[:-1])
        assert (tail.torn is not None) == (not complete and kept != 0)


def test_a_hole_in_the_middle_is_damage(journal: Written) -> None:
    """A frame that vanished while a later one is there had been flushed: refused, wherever and whatever is gone."""
    whole = journal.path.read_bytes()
    for offset, size in journal.frames[1:-1]:
        for gone in range(offset, offset + size, SECTOR):
            journal.path.write_bytes(journal.with_sectors(whole, gone, SECTOR))
            with pytest.raises(JournalError) as caught:
                read(journal)
            assert caught.value.offset == offset


def test_a_shortened_file_is_damage(journal: Written) -> None:
    whole = journal.path.read_bytes()
    for size in (0, 1, SECTOR, journal.frames[-1][0], SEGMENT - 1):
        journal.path.write_bytes(whole[:size])
        with pytest.raises(JournalError, match=f"{size} bytes where a segment has {SEGMENT}"):
            read(journal)


def test_swapped_frames_and_frames_of_another_journal(journal: Written) -> None:
    whole = bytearray(journal.path.read_bytes())
    a, size = journal.frames[1]
    swapped = bytearray(whole)
    swapped[a : a + size] = whole[journal.frames[3][0] : journal.frames[3][0] + size]
    journal.path.write_bytes(swapped)
    with pytest.raises(JournalError, match="sequence number is not the next one"):
        read(journal)
    journal.path.write_bytes(whole)
    with pytest.raises(JournalError, match="another journal"):
        JournalReader(str(journal.path.parent), JOURNAL_ID + 1, SEGMENT).__next__()


def test_restart_after_a_torn_tail_goes_on(journal: Written) -> None:
    """The dropped frame's sectors stay in the old segment; the next generation starts a new one and both read on."""
    whole = journal.path.read_bytes()
    offset, size = journal.frames[-1]
    acknowledge_only(journal, 5)
    journal.path.write_bytes(journal.with_sectors(whole, offset + SECTOR, size - SECTOR))
    tail = read(journal)[1]
    assert tail.torn == (str(journal.path), offset) and tail.seq == journal.base + 5
    writer = Writer(journal.path.parent, tail)
    assert writer.owner.generation == 2
    added = b"".join(writer.write(20))
    writer.owner.close()
    payloads, tail = read(journal)
    assert payloads == [*journal.payloads[:5], b"", added]
    assert (tail.seq, tail.generation, tail.torn) == (journal.base + 7, 2, None)


def test_a_missing_segment_and_a_lost_beginning(journal: Written) -> None:
    for _ in range(2):
        Writer(journal.path.parent).owner.close()
    ids = [number for number, _ in segment_files(str(journal.path.parent))]
    path = journal.path.parent / f"{ids[-2]:016x}.segment"
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(JournalError, match=f"{ids[-2]:016x} before it is missing"):
        read(journal)
    path.write_bytes(kept)
    read(journal)
    journal.path.write_bytes(journal.before)
    if ids[0] == int(journal.path.stem, 16) and journal.base:
        # It looks like a trimmed journal now; what it lacks shows against storage's position (see test_recovery).
        assert read(journal)[1].first_seq > journal.base + 1
    else:
        with pytest.raises(JournalError, match="sequence number"):
            read(journal)


def test_a_torn_frame_needs_a_takeover(journal: Written) -> None:
    """The last frame of a segment that lost a sector, with the same generation going on: an acknowledged frame is gone."""
    writer = Writer(journal.path.parent)
    segment = writer.owner.statistics["segment_id"]
    while writer.owner.statistics["segment_id"] == segment:
        last = writer.owner.statistics
        writer.write(1000)
    path = journal.path.parent / f"{segment:016x}.segment"
    whole = path.read_bytes()
    writer.owner.close()
    at = last["stored_bytes"] - 3 * SECTOR  # the last frame of that segment
    assert whole[at : at + 4] == b"FRM1"
    path.write_bytes(whole[: at + SECTOR] + bytes(SECTOR) + whole[at + 2 * SECTOR :])
    with pytest.raises(JournalError) as caught:
        read(journal)
    assert "0000" in caught.value.path

"""The journal role: group commit, order downstream, failure for good, segments that roll, recycle and run out."""

import errno
import os
import random
import resource
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsql_core.codec import message as m
from dsql_core.journal import JournalError, JournalOwner, JournalReader, scan, segment_files
from dsql_core.shared import (
    DURABLE_SEQ_OFFSET,
    STATUS_OFFSET,
    TRIM_SEQ_OFFSET,
    ChannelHandle,
    DoorbellHandle,
    SharedMemory,
    channel_size,
    control_page,
    format_channel,
)

JOURNAL_ID = 5
SEGMENT = 65536


def ring(capacity: int = 1 << 20) -> tuple[ChannelHandle, ChannelHandle]:
    memory = SharedMemory(channel_size(capacity))
    format_channel(memory, 0, capacity)
    return ChannelHandle(memory), ChannelHandle(memory)


class Host:
    """A journal role with its rings, stepped like a loop does it."""

    def __init__(self, directory: Path, segment: int = SEGMENT, **arguments: object) -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.segment = segment
        self.send, source = ring()
        target, self.receive = ring(1 << 22)
        replies, self.replies = ring()
        self.control = control_page()
        tail = scan(str(directory), JOURNAL_ID, segment)
        self.owner = JournalOwner(str(directory), tail, source, target, [replies], control=self.control, **arguments)
        self.ts = tail.last_ts + 1
        self.messages: list[dict] = []

    def record(self, size: int = 50) -> bytes:
        """Sends one record."""
        self.ts += 1
        record = m.encode_record(self.ts, [(m.PUT, 3, b"k%d" % self.ts, random.Random(self.ts).randbytes(size))], reply_to=self.ts)
        self.send.send(record)
        return record

    def step(self) -> None:
        while self.owner.handle.step() or (self.send.backlog and self.moved()):
            pass
        while (got := self.receive.receive()) is not None:
            self.messages.append(m.decode_message(got))

    def moved(self) -> bool:
        """The producer's part of a loop: retries what the ring had no room for."""
        before = self.send.backlog
        self.send.flush()
        return self.send.backlog != before

    def until(self, done) -> None:
        """Steps; sleeps on the role's descriptor in between, as a loop would."""
        self.step()
        while not done():
            if self.owner.handle.event_fd >= 0:
                assert select.select([self.owner.handle.event_fd], [], [], 20)[0], "a finished flush woke nobody"
            self.step()

    def settle(self) -> None:
        """Everything sent so far is durable."""
        self.until(lambda: self.send.used == 0 and not self.send.backlog
                   and self.control.read_u64(DURABLE_SEQ_OFFSET) == self.owner.seq)
        self.step()

    def frames(self) -> list[tuple]:
        return list(JournalReader(str(self.directory), JOURNAL_ID, self.segment))

    def answers(self) -> list[dict]:
        found = []
        while (got := self.replies.receive()) is not None:
            found.append(m.decode_message(got))
        return found


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path / "journal")
    yield host
    host.owner.close()


@pytest.fixture
def file_size_limit() -> Iterator[int]:
    """No file may grow to a segment's size: what a full disk is to the preparation."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield SEGMENT - 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_arrives_during_a_flush_is_one_frame(host: Host) -> None:
    first = host.record()
    host.step()  # its flush is under way or done
    rest = [host.record() for _ in range(20)]
    host.settle()
    stored = [frame[4].replace(b"", b"") for frame in host.frames()]
    expected = [zero_reply_to(first), b"".join(zero_reply_to(record) for record in rest)]
    assert stored == [b"", *expected]
    assert [frame[3] for frame in host.frames()] == [0, 1, 20]


def zero_reply_to(record: bytes) -> bytes:
    return record[:8] + bytes(8) + record[16:]


def test_records_go_down_before_their_durable(host: Host) -> None:
    """G2: records of frame n, Durable(n), records of n + 1; each Durable carries the last timestamp of its frame."""
    for count in (1, 3, 2):
        for _ in range(count):
            host.record()
        host.settle()
    kinds = [message["kind"] for message in host.messages]
    assert kinds == [m.KIND_RECORD, m.KIND_DURABLE, *[m.KIND_RECORD] * 3, m.KIND_DURABLE, *[m.KIND_RECORD] * 2, m.KIND_DURABLE]
    last = 0
    for message in host.messages:
        if message["kind"] == m.KIND_RECORD:
            last = message["commit_ts"]
            assert message["reply_to"] == last
        else:
            assert message["last_ts"] == last
    assert [x["seq"] for x in host.messages if x["kind"] == m.KIND_DURABLE] == [2, 3, 4]


def test_a_refusal_passes_through(host: Host) -> None:
    refusal = bytearray(40)
    refusal[0:8] = (40).to_bytes(4, "little") + m.KIND_REPLY.to_bytes(2, "little") + m.OC000.to_bytes(2, "little")
    host.send.send(bytes(refusal))
    host.step()
    assert [x["status"] for x in host.messages] == [m.OC000]


def test_a_failed_flush_stops_the_writer_for_good(host: Host) -> None:
    host.record()
    host.settle()
    host.owner.inject_failure(errno.EIO)
    lost = host.record()
    host.until(lambda: host.owner.stopped)
    assert [x["kind"] for x in host.messages][-2:] == [m.KIND_RECORD, m.KIND_STOP]
    assert host.control.read_u64(STATUS_OFFSET) == m.READ_ONLY
    host.owner.inject_failure(0)  # the disk is fine again; the writer must not try
    refused = [host.record() for _ in range(3)]
    host.step()
    answers = host.answers()
    assert [x["status"] for x in answers] == [m.READ_ONLY] * 3
    assert [x["reply_to"] for x in answers] == [m.decode_record(r)["reply_to"] for r in refused]
    host.owner.close()
    payload = b"".join(frame[4] for frame in host.frames())
    assert zero_reply_to(lost) not in payload and not any(zero_reply_to(r) in payload for r in refused)


def test_a_restart_takes_over_and_goes_on(tmp_path: Path) -> None:
    written = []
    for generation in range(1, 5):
        host = Host(tmp_path / "journal")
        assert host.owner.generation == generation
        for _ in range(3):
            written.append(zero_reply_to(host.record()))
            host.settle()
        host.owner.close()
    frames = host.frames()
    assert b"".join(frame[4] for frame in frames) == b"".join(written)
    assert [frame[0] for frame in frames] == list(range(1, 17))
    assert [frame[1] for frame in frames] == [g for g in range(1, 5) for _ in range(4)]


def test_floor_of_the_takeover(tmp_path: Path) -> None:
    """A restart after the wall stepped back: nothing at or below the recovered timestamp is ever accepted again."""
    host = Host(tmp_path / "journal", floor=10**18)
    assert host.owner.statistics["last_ts"] == 10**18
    host.owner.close()
    assert scan(str(tmp_path / "journal"), JOURNAL_ID, SEGMENT).last_ts == 10**18


@pytest.mark.parametrize("inline", [False, True, None])
def test_rolls_and_reads_back_over_segments(tmp_path: Path, inline: bool | None) -> None:
    host = Host(tmp_path / "journal", flush_inline=inline)
    written = []
    for size in [30, 5000, 100, 20_000, 1, 900] * 12:
        written.append(zero_reply_to(host.record(size)))
        if size == 900:
            host.settle()
    host.settle()
    host.owner.close()
    assert host.owner.statistics["segments_closed"] == 0  # closed: nothing is kept
    assert len(segment_files(str(host.directory))) > 5
    assert b"".join(frame[4] for frame in host.frames()) == b"".join(written)


def test_compressed_frames(tmp_path: Path) -> None:
    host = Host(tmp_path / "journal", 1 << 20)
    texts = [m.encode_record(host.ts + i, [(m.PUT, 1, b"k", b"the same text again " * 200)]) for i in range(1, 40)]
    for text in texts:
        host.send.send(text)
    host.settle()
    host.owner.close()
    assert b"".join(frame[4] for frame in host.frames()) == b"".join(texts)
    statistics = scan(str(host.directory), JOURNAL_ID, 1 << 20)
    assert statistics.stored_bytes * 10 < statistics.raw_bytes


def test_frame_cap_and_a_large_record(tmp_path: Path) -> None:
    """Frames end at 1 MiB of records; a record above that is a frame of its own."""
    host = Host(tmp_path / "journal", 16 << 20)
    sizes = [400_000] * 5 + [11_000_000] + [10, 10]
    for size in sizes:
        host.record(size)
    host.settle()
    host.owner.close()
    assert [frame[3] for frame in host.frames()][1:] == [2, 2, 1, 1, 2]


def test_a_record_no_segment_holds_is_refused(host: Host) -> None:
    host.record(SEGMENT)
    host.record(10)
    host.settle()
    assert [x["status"] for x in host.answers()] == [m.FULL]
    assert [x["kind"] for x in host.messages] == [m.KIND_RECORD, m.KIND_DURABLE]


def test_trimmed_segments_are_recycled(host: Host) -> None:
    """Below the checkpoint's position segments come back as new ones; the files stay few and the rest reads well."""
    for _ in range(400):
        host.record(1500)
        host.settle()
        host.control.write_u64(TRIM_SEQ_OFFSET, max(0, host.owner.seq - 5))
    statistics = host.owner.statistics
    assert statistics["segments_recycled"] > 5 and statistics["segments_made"] <= 5
    host.owner.close()
    files = segment_files(str(host.directory))
    assert len(files) <= 6
    frames = host.frames()
    assert frames[-1][0] == 401 and frames[0][0] <= 396
    assert all(frame[4] for frame in frames)


def test_no_trim_nothing_recycled(host: Host) -> None:
    for _ in range(150):
        host.record(1500)
        host.settle()
    assert host.owner.statistics["segments_recycled"] == 0
    host.owner.close()
    assert [frame[0] for frame in host.frames()] == list(range(1, 152))


def test_no_space_refuses_before_it_hurts_and_heals(host: Host, file_size_limit: int) -> None:
    """The disk is full when the segment after next is due: commits go on to the end of what is prepared, then 53100."""
    host.until(lambda: len(segment_files(str(host.directory))) == 2)
    host.settle()
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_size_limit, resource.RLIM_INFINITY))
    committed = []
    answers: list[dict] = []
    while not answers:
        committed.append(zero_reply_to(host.record(3000)))
        host.settle()
        answers = host.answers()
    assert answers[0]["status"] == m.FULL and not host.owner.stopped
    assert host.owner.statistics["segment_failure"] == errno.EFBIG
    assert len(committed) > 25  # two segments' worth
    committed.pop()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    healed = False
    while not healed:  # it tries again once a second
        record = zero_reply_to(host.record(3000))
        host.settle()
        healed = not host.answers()
    host.owner.close()
    assert b"".join(frame[4] for frame in host.frames()) == b"".join([*committed, record])


def test_the_doorbell_is_rung_when_the_loop_sleeps(tmp_path: Path) -> None:
    bell = DoorbellHandle()
    host = Host(tmp_path / "journal", doorbell=bell)
    assert host.owner.handle.event_fd == -1
    for _ in range(200):
        host.record()
        host.step()
        bell.arm()
        while host.control.read_u64(DURABLE_SEQ_OFFSET) != host.owner.seq:
            before = host.control.read_u64(DURABLE_SEQ_OFFSET)
            host.step()
            if host.control.read_u64(DURABLE_SEQ_OFFSET) == before:
                assert select.select([bell.fd], [], [], 20)[0], "a finished flush woke nobody"
        bell.disarm()
    host.owner.close()


def test_opening_where_nothing_can_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "journal"
    blocked.mkdir()
    (blocked / f"{1:016x}.segment.new").mkdir()  # the name is taken by something that is no file
    with pytest.raises(JournalError, match="cannot start segment 0000000000000001"):
        Host(blocked)
    assert set(os.listdir(blocked)) == {f"{1:016x}.segment.new", "durable.mark"}


def test_restarts_use_what_was_prepared(tmp_path: Path) -> None:
    """A restart takes the segment its predecessor prepared, so files do not pile up with restarts."""
    for generation in range(1, 6):
        host = Host(tmp_path / "journal")
        host.record()
        host.settle()
        host.until(lambda: len(segment_files(str(host.directory))) == generation + 1)  # noqa: B023
        host.owner.close()
    assert len(host.frames()) == 10


def test_surplus_segments_go_when_the_checkpoint_moves(host: Host) -> None:
    for _ in range(200):
        host.record(1500)
        host.settle()
    before = len(segment_files(str(host.directory)))
    assert before > 6
    host.control.write_u64(TRIM_SEQ_OFFSET, host.owner.seq - 1)
    host.until(lambda: host.owner.statistics["segments_removed"] == before - 5)
    host.until(lambda: len(segment_files(str(host.directory))) == 5)  # being filled, prepared, three to recycle
    host.owner.close()
    assert host.frames()[-1][0] == 201

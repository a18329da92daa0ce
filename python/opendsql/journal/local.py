"""The journal on local segments, behind the four-call seam, and its recovery into storage."""

from __future__ import annotations

import select
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from dsql_core.codec.message import KIND_DURABLE, KIND_REPLY, KIND_STOP, decode_message
from dsql_core.journal import JournalError, JournalOwner, JournalReader, Tail, scan
from dsql_core.shared import TRIM_SEQ_OFFSET, ChannelHandle, SharedMemory, channel_size, control_page, format_channel
from dsql_core.storage import Arena, StorageError
from dsql_core.storage.applier import ApplierOwner
from opendsql.errors import OperatorError
from opendsql.journal.directory import DataDirectory

Frame = tuple[int, int, int, int, bytes | None]  # seq, generation, ts_last, record_count, payload


class Journal(Protocol):
    """What the commit path needs of a journal, wherever its frames live.

    Guarantees are checked above the backend by whoever reads: chain, generation, CRC, contiguous seq, rising timestamps.
    """

    def append(self, generation: int, expect_seq: int, records: list[bytes]) -> int:
        """Writes one frame as seq expect_seq under generation and returns the seq once it is durable.

        Raises:
            OperatorError: another generation leads, expect_seq is not the next seq, or the write failed.
        """

    def read(self, from_seq: int) -> Iterator[Frame]:
        """Frames after from_seq, in order; a damaged journal raises OperatorError."""

    def set_leader(self, generation: int) -> tuple[int, int]:
        """Takes over with a generation above every one before; (last seq, last timestamp) of the journal."""

    def trim(self, below_seq: int) -> None:
        """Frames up to below_seq are no longer needed."""


@dataclass
class Recovery:
    """What a start found and did: the recovery statistics of `opendsql status` and of the log."""

    tail: Tail
    generation: int  # of the journal before this start
    next_seq: int
    last_ts: int
    frames: int = 0  # replayed
    records: int = 0
    bytes: int = 0
    frames_checked: int = 0
    torn: str | None = None  # where an unfinished frame was dropped
    seconds: float = 0.0
    applier: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        text = (f"journal at frame {self.next_seq - 1}, generation {self.generation}; replayed {self.records} commits "
                f"({self.bytes} bytes, {self.frames} frames) in {self.seconds:.3f} s")
        return text + (f"; dropped an unfinished frame at {self.torn}" if self.torn else "")


def reader(directory: DataDirectory, from_seq: int = 0) -> JournalReader:
    """A reader over the journal of a data directory."""
    return JournalReader(str(directory.journal_path), directory.journal_id, directory.segment_size, from_seq)


def recover(arena: Arena, directory: DataDirectory) -> Recovery:
    """Replays the journal behind the arena's newest root, publishes, and tells where the journal ends.

    The arena's writer must be this process. Nothing on disk is changed; the journal is flushed, because what a killed
    process left in the page cache is built upon from here on.

    Raises:
        OperatorError: the journal is damaged, or it does not fit what storage holds.
    """
    start = perf_counter()
    applier = ApplierOwner(arena)
    known_seq, known_ts = applier.journal_seq, applier.last_ts
    try:
        frames = reader(directory, known_seq)
        applied = applier.replay(frames)
        frames.settle()
    except JournalError as error:
        raise OperatorError(str(error)) from None
    except StorageError as error:
        raise OperatorError(f"{directory.path}: recovery: {error}") from None
    except OSError as error:
        raise OperatorError(f"{error.filename or directory.journal_path}: {error.strerror}") from None
    tail = frames.tail
    if tail.seq < known_seq:
        raise OperatorError(
            f"{directory.journal_path}: the journal ends at frame {tail.seq}, storage already holds frame {known_seq}: "
            "acknowledged frames are missing"
        )
    return Recovery(
        tail=tail,
        generation=tail.generation,
        next_seq=tail.seq + 1,
        last_ts=max(tail.last_ts, known_ts),
        frames=applied["frames"],
        records=applied["records"],
        bytes=applied["bytes"],
        frames_checked=tail.frames,
        torn=f"{tail.torn[0]} offset {tail.torn[1]}" if tail.torn else None,
        seconds=perf_counter() - start,
        applier=applied,
    )


def remove_unfinished(directory: DataDirectory) -> None:
    """Removes segments whose making a crash interrupted."""
    for path in Path(directory.journal_path).glob("*.segment.new"):
        path.unlink(missing_ok=True)


class LocalJournal:
    """The seam's four calls on local segments: for tools, tests and a backend's reference; one frame, one flush.

    The commit path does not go through here: its journal role drives the same writer without Python. Opening only reads;
    set_leader takes over, and only then can be appended.
    """

    def __init__(self, directory: DataDirectory) -> None:
        self.directory = directory
        self.control = control_page()
        self.owner: JournalOwner | None = None

    def set_leader(self, generation: int) -> tuple[int, int]:
        """See Journal."""
        self.close()
        try:
            tail = scan(str(self.directory.journal_path), self.directory.journal_id, self.directory.segment_size)
            if generation <= tail.generation:
                raise OperatorError(f"{self.directory.path}: generation {tail.generation} leads, {generation} may not")
            tail.generation = generation - 1
            rings = [SharedMemory(channel_size(1 << 20)) for _ in range(2)]
            for ring in rings:
                format_channel(ring)
            self.input, self.output = ChannelHandle(rings[0]), ChannelHandle(rings[1])
            remove_unfinished(self.directory)
            self.owner = JournalOwner(str(self.directory.journal_path), tail, ChannelHandle(rings[0]), ChannelHandle(rings[1]),
                                      flush_inline=True, control=self.control)
        except JournalError as error:
            raise OperatorError(str(error)) from None
        return self.owner.seq, int(self.owner.statistics["last_ts"])

    def append(self, generation: int, expect_seq: int, records: list[bytes]) -> int:
        """See Journal. Records rise in commit_ts and make one frame, so together they fit FRAME_RAW_MAX or are one."""
        if self.owner is None or generation != self.owner.generation:
            raise OperatorError(f"{self.directory.path}: generation {generation} does not lead")
        if expect_seq != self.owner.seq + 1:
            raise OperatorError(f"{self.directory.path}: the next frame is {self.owner.seq + 1}, not {expect_seq}")
        for record in records:
            self.input.send(record)
        while True:
            moved = self.owner.handle.step() or not self.input.flush()
            while (message := self.output.receive()) is not None:
                found = decode_message(message)
                if found["kind"] == KIND_DURABLE:
                    return int(found["seq"])
                if found["kind"] in (KIND_STOP, KIND_REPLY):
                    raise OperatorError(f"{self.directory.journal_path}: the frame could not be written")
            if not moved:
                select.select([self.owner.handle.event_fd], [], [], 1.0)

    def read(self, from_seq: int) -> Iterator[Frame]:
        """See Journal."""
        try:
            for frame in reader(self.directory, from_seq):
                if frame[0] > from_seq:
                    yield frame
        except JournalError as error:
            raise OperatorError(str(error)) from None

    def trim(self, below_seq: int) -> None:
        """See Journal. Segments wholly below go or are used again, some time."""
        self.control.write_u64(TRIM_SEQ_OFFSET, below_seq)
        if self.owner is not None:
            self.owner.handle.step()

    def close(self) -> None:
        """Gives the writer up."""
        if self.owner is not None:
            self.owner.close()
            self.owner = None

"""The checkpoint file and the loop's one step: a whole checkpoint, paced so that the journal does not feel it.

The file `checkpoint.pages` lies in the data directory. It comes into being, by rename, with a valid meta of the empty
tree, so from then on a file without any valid meta is damage and never a first start.

Invariants
  C1  one checkpointer at a time: the file is locked while a Checkpointer is open.
  C2  a step that fails leaves the previous checkpoint whole; the next step starts over.
  C3  the journal may be cut up to `journal_seq` of a result, and not before step() returned it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from dsql_core.storage import Arena, Checkpoint, StorageError
from opendsql.errors import OperatorError

CHECKPOINT_FILE = "checkpoint.pages"
BYTES_PER_SECOND = 64 << 20
# A pause shorter than this is saved up: sleeping costs more than it would wait.
PAUSE_MIN_S = 0.001


@dataclass(frozen=True, slots=True)
class CheckpointResult:
    """A checkpoint that is on disk."""

    epoch: int
    journal_seq: int
    visible_ts: int
    bytes_written: int
    seconds: float


def open_direct(path: Path, flags: int) -> tuple[int, bool]:
    """Opens past the page cache where the file system allows it; the descriptor and whether it is direct."""
    try:
        return os.open(path, flags | os.O_DIRECT | os.O_CLOEXEC, 0o600), True
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return os.open(path, flags | os.O_CLOEXEC, 0o600), False


def sync_directory(directory: Path) -> None:
    """Makes a rename or a new name in the directory durable."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def create_file(arena: Arena, directory: Path) -> None:
    """The file of a new database: the arena's (empty) root, complete before it has its name."""
    temporary = directory / (CHECKPOINT_FILE + ".new")
    temporary.unlink(missing_ok=True)
    fd, direct = open_direct(temporary, os.O_RDWR | os.O_CREAT)
    try:
        checkpoint = Checkpoint(arena, fd, direct)
        checkpoint.begin()
        while checkpoint.write():
            pass
        checkpoint.finish()
    finally:
        os.close(fd)
    temporary.rename(directory / CHECKPOINT_FILE)
    sync_directory(directory)


class Checkpointer:
    """Writes checkpoints of a running arena; needs it for reading only, so it may live in any process.

    Args:
        arena: attached.
        directory: the data directory, with the file that open_arena() left there.
        bytes_per_second: most the disk is asked for; 0 = as fast as it goes.
        pause: how to wait, given seconds; a server passes one that its stop signal interrupts.
    """

    def __init__(
        self,
        arena: Arena,
        directory: Path,
        bytes_per_second: int = BYTES_PER_SECOND,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self.path = directory / CHECKPOINT_FILE
        self.bytes_per_second = bytes_per_second
        self.pause = pause
        try:
            self.fd, direct = open_direct(self.path, os.O_RDWR)
        except FileNotFoundError:
            raise OperatorError(f"{self.path}: the checkpoint file is missing") from None
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self.fd)
            raise OperatorError(f"{self.path}: another process is writing checkpoints") from None
        self.checkpoint = Checkpoint(arena, self.fd, direct)

    def close(self) -> None:
        """Gives up a checkpoint under way and lets go of the file."""
        if self.fd >= 0:
            self.checkpoint.abandon()
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def step(self) -> CheckpointResult | None:
        """One checkpoint of the newest root; None when the file has it already."""
        started = time.monotonic()
        written = 0
        try:
            if self.checkpoint.begin() is None:
                return None
            while size := self.checkpoint.write():
                written += size
                self.wait_for(started, written)
            meta = self.checkpoint.finish()
        except (OSError, StorageError) as error:
            self.checkpoint.abandon()
            raise OperatorError(f"{self.path}: {error}") from error
        return CheckpointResult(
            epoch=meta["epoch"],
            journal_seq=meta["journal_seq"],
            visible_ts=meta["visible_ts"],
            bytes_written=written,
            seconds=time.monotonic() - started,
        )

    def wait_for(self, started: float, written: int) -> None:
        """Waits until the bytes so far fit the rate."""
        if self.bytes_per_second:
            ahead = written / self.bytes_per_second - (time.monotonic() - started)
            if ahead > PAUSE_MIN_S:
                self.pause(ahead)

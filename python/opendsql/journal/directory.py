"""The data directory: whose it is, which format it has, and that nobody else uses it.

    FORMAT      JSON, written once: format number, database id, journal id, segment size
    lock        held (flock) by whoever has the directory open, and by the children it forks
    journal/    segments (dsql_core.journal)
    anything else belongs to storage (checkpoint) or to the supervisor (sockets, worker list)

A directory that is not ours is refused, never written to: better an error than a database inside someone's home.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from opendsql.errors import OperatorError

FORMAT = 1
FORMAT_NAME = "FORMAT"
SEGMENT_SIZE = 32 << 20
# What may lie in a directory that a first start has not finished making.
UNFINISHED = {"lock", "journal", "FORMAT.new"}


class DataDirectory:
    """An open, locked data directory; made when absent.

    Args:
        path: the directory.
        create: make it when it does not exist or is empty.
        segment_size: of a new journal; an existing one keeps its own.

    Raises:
        OperatorError: in use, of another format, or not a data directory.
    """

    def __init__(self, path: Path | str, *, create: bool = True, segment_size: int = SEGMENT_SIZE) -> None:
        self.path = Path(path)
        self.journal_path = self.path / "journal"
        self.lock_fd = -1
        try:
            self._open(create, segment_size)
        except OSError as error:
            self.close()
            raise OperatorError(f"{error.filename or self.path}: {error.strerror}") from None
        except BaseException:
            self.close()
            raise

    def _open(self, create: bool, segment_size: int) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise OperatorError(f"{self.path}: is not a directory")
        if not self.path.exists():
            if not create:
                raise OperatorError(f"{self.path}: no such directory")
            self.path.mkdir(parents=True, mode=0o700)
        known = (self.path / FORMAT_NAME).exists()
        if not known:
            strangers = set(os.listdir(self.path)) - UNFINISHED
            if strangers:
                raise OperatorError(
                    f"{self.path}: holds other files ({', '.join(sorted(strangers)[:3])}) and no opendsql database; "
                    "choose an empty directory"
                )
            if not create:
                raise OperatorError(f"{self.path}: holds no opendsql database")
        self.lock_fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self.lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OperatorError(f"{self.path}: is in use by another opendsql process") from None
        if not (self.path / FORMAT_NAME).exists():
            self._make(segment_size)
        self._read()

    def _make(self, segment_size: int) -> None:
        self.journal_path.mkdir(exist_ok=True, mode=0o700)
        description = {
            "opendsql": "data directory",
            "format": FORMAT,
            "database_id": uuid.uuid4().hex,
            "journal_id": int.from_bytes(os.urandom(8), "little") >> 1 | 1,
            "segment_size": segment_size,
        }
        temporary = self.path / (FORMAT_NAME + ".new")
        with open(temporary, "w", encoding="ascii") as file:
            json.dump(description, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self.path / FORMAT_NAME)
        for directory in (self.journal_path, self.path, self.path.absolute().parent):
            sync_directory(directory)

    def _read(self) -> None:
        path = self.path / FORMAT_NAME
        try:
            description = json.loads(path.read_text(encoding="ascii"))
            kind, number = description["opendsql"], description["format"]
        except (ValueError, KeyError, TypeError):
            raise OperatorError(f"{path}: is not the format file of an opendsql data directory") from None
        if kind != "data directory" or not isinstance(number, int):
            raise OperatorError(f"{path}: is not the format file of an opendsql data directory")
        if number != FORMAT:
            raise OperatorError(f"{self.path}: has format {number}, this version of opendsql reads and writes format {FORMAT}")
        try:
            self.database_id = str(description["database_id"])
            self.journal_id = int(description["journal_id"])
            self.segment_size = int(description["segment_size"])
        except (KeyError, ValueError, TypeError):
            raise OperatorError(f"{path}: is damaged") from None
        if not self.journal_path.is_dir():
            raise OperatorError(f"{self.journal_path}: is missing")

    def close(self) -> None:
        """Gives the lock up (children that inherited it keep it until they end)."""
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def sync_directory(path: Path) -> None:
    """Makes renames and new names in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""Starting from a data directory: the newest whole checkpoint into a fresh arena.

What comes after the checkpoint is the journal's: replay every frame above `journal_seq`, and let no session take a
snapshot before that is done (until then the visible timestamp is the checkpoint's).

Which meta counts: the valid one with the higher epoch. One damaged meta beside a valid one is what a power cut while
writing it leaves, and is passed over; its checkpoint was never acknowledged. If it was, and rotted later, the journal
no longer reaches back to the older one, and the replay refuses the gap.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsql_core.storage import FORMAT_VERSION, PAGE_BYTES, Arena, StorageError, load, read_metas
from opendsql.errors import OperatorError
from opendsql.storage.checkpoint import CHECKPOINT_FILE, create_file


@dataclass(frozen=True, slots=True)
class OpenedArena:
    """An arena whose creator is its writer, and where the journal goes on."""

    arena: Arena
    journal_seq: int  # last frame that is in; replay starts behind it
    visible_ts: int
    catalog_version: int
    is_new: bool  # there was no checkpoint file: an empty database


def newest_meta(path: Path, fd: int) -> dict[str, Any]:
    """The meta to start from; OperatorError says why when there is none."""
    metas = read_metas(fd)
    for number, meta in enumerate(metas):
        where = f"{path}: meta {number} at offset {number * PAGE_BYTES}"
        if meta["status"] == "other format version":
            raise OperatorError(f"{where}: format version {meta['format']}, this build reads {FORMAT_VERSION}")
        if meta["status"] == "other page size":
            raise OperatorError(f"{where}: pages of {meta['page_size']} bytes, this build has {PAGE_BYTES}")
    valid = [meta for meta in metas if meta["status"] == "valid"]
    if not valid:
        states = ", ".join(f"meta {n} at offset {n * PAGE_BYTES} is {meta['status']}" for n, meta in enumerate(metas))
        raise OperatorError(f"{path}: no usable checkpoint: {states}")
    return max(valid, key=lambda meta: int(meta["epoch"]))


def open_arena(directory: Path, bytes_max: int = 0) -> OpenedArena:
    """Opens the storage of a data directory in a fresh arena; makes an empty one when there is no checkpoint file.

    Args:
        directory: exists.
        bytes_max: see Arena.create.
    """
    path = directory / CHECKPOINT_FILE
    arena = Arena.create(bytes_max)
    try:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            create_file(arena, directory)
            return OpenedArena(arena, 0, 0, 0, True)
        try:
            meta = newest_meta(path, fd)
            load(arena, fd, meta)
        finally:
            os.close(fd)
    except (OSError, StorageError) as error:
        arena.close()
        raise OperatorError(f"{path}: {error}") from error
    except BaseException:
        arena.close()
        raise
    return OpenedArena(arena, meta["journal_seq"], meta["visible_ts"], meta["catalog_version"], False)

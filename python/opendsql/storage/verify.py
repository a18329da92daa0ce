"""Proving a checkpoint file whole, offline: every meta, every page of the newest checkpoint, every key in it.

The pages are read into an arena of their own, as a start would, so what verifies also loads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from dsql_core.storage import Arena, StorageError, load, read_metas
from opendsql.errors import OperatorError
from opendsql.storage.checkpoint import CHECKPOINT_FILE
from opendsql.storage.recovery import newest_meta


@dataclass(slots=True)
class CheckpointReport:
    """What was found; the file is whole when `problems` is empty."""

    path: Path
    metas: list[str] = field(default_factory=list)  # status of each of the two
    epoch: int = 0
    journal_seq: int = 0
    pages: int = 0
    overflow_pages: int = 0
    trees: int = 0
    entries: int = 0
    problems: list[str] = field(default_factory=list)  # each names the file and, where it can, the offset


def verify_checkpoint(directory: Path, bytes_max: int = 0) -> CheckpointReport:
    """Reads and checks the checkpoint of a data directory that is not being served."""
    path = directory / CHECKPOINT_FILE
    report = CheckpointReport(path)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        report.problems.append(f"{path}: {error.strerror}")
        return report
    try:
        report.metas = [meta["status"] for meta in read_metas(fd)]
        meta = newest_meta(path, fd)
        report.epoch = meta["epoch"]
        report.journal_seq = meta["journal_seq"]
        with Arena.create(bytes_max) as arena:
            found = load(arena, fd, meta)
        report.pages = found["pages"]
        report.overflow_pages = found["overflow_pages"]
        report.trees = found["trees"]
        report.entries = found["entries"]
    except OperatorError as error:
        report.problems.append(str(error))
    except (OSError, StorageError) as error:
        report.problems.append(f"{path}: {error}")
    finally:
        os.close(fd)
    return report

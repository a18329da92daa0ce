"""`opendsql verify DIR`: proves a directory that is not being served whole, or names what is not.

    1  the checkpoint file: both metas, every page's checksum, order and reachability, every key
    2  the journal: every frame's checksums, chain, sequence, generation and timestamps, to its tail
    3  checkpoint plus journal, replayed into an arena of its own: every index entry against its table, both ways

Nothing in the directory is changed. The exit status is 0 when all holds, 1 when something does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dsql_core.execute.kernels  # noqa: F401  (registers them)
from dsql_core.codec import RowCodec, key_encode
from dsql_core.execute import EngineHandle, SessionHandle
from opendsql.catalog import backfill, load
from opendsql.catalog.model import Index, Table
from opendsql.errors import OperatorError
from opendsql.journal import DataDirectory, recover
from opendsql.storage import open_arena, verify_checkpoint

ROWS_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class IndexReport:
    """One index against its table."""

    name: str
    rows: int
    entries: int
    wrong: int  # rows whose entry is missing or different


def verify_directory(path: Path) -> int:
    """Checks everything and prints a line per part."""
    if not path.is_dir():
        raise OperatorError(f"{path}: no such directory")
    problems: list[str] = []
    with DataDirectory(path, create=False) as directory:
        checkpoint = verify_checkpoint(directory.path)
        problems += checkpoint.problems
        print(
            f"checkpoint: frame {checkpoint.journal_seq}, {checkpoint.pages} pages, {checkpoint.trees} trees, "
            f"{checkpoint.entries} entries; metas {', '.join(checkpoint.metas)}"
        )
        if not problems:
            try:
                opened = open_arena(directory.path)
                recovery = recover(opened.arena, directory)
            except OperatorError as error:
                problems.append(str(error))
            else:
                torn = f"; torn tail at {recovery.torn} (never acknowledged)" if recovery.torn else ""
                print(
                    f"journal: {recovery.frames_checked} frames checked, {recovery.frames} replayed ({recovery.records} commits, "
                    f"{recovery.bytes} bytes), ends at frame {recovery.tail.seq}{torn}"
                )
                for report in verify_indexes(EngineHandle(opened.arena).session()):
                    if report.wrong or report.rows != report.entries:
                        problems.append(
                            f"index {report.name}: {report.entries} entries for {report.rows} rows, {report.wrong} rows without their entry"
                        )
                    else:
                        print(f"index {report.name}: {report.entries} entries, each as its row says")
    for problem in problems:
        print(f"PROBLEM {problem}")
    print("clean" if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


def verify_indexes(session: SessionHandle) -> Iterator[IndexReport]:
    """Every valid index on plain columns, against its table, at one snapshot."""
    session.begin()
    catalog = load.load(session)
    for relation in catalog.relations.values():
        if not isinstance(relation, Table):
            continue
        for index in relation.indexes:
            if index.valid and index.predicate is None and not any(key.startswith("(") for key in index.keys):
                yield verify_index(session, relation, index)
    session.rollback()


def verify_index(session: SessionHandle, table: Table, index: Index) -> IndexReport:
    """Each row must have exactly its entry; as many entries as rows then means no entry is left over."""
    place = {column.name: column.attnum - 1 for column in table.live_columns}
    types = [column.type_oid for column in table.columns]
    keys = [place[name] for name in index.keys]
    nulls_first = list(index.nulls_first) or [False] * len(keys)
    stored = keys + [place[name] for name in backfill.stored_columns(table, index)]
    base, entry = RowCodec(types), RowCodec([types[c] for c in stored])
    rows = wrong = 0
    lo: bytes | None = None
    while chunk := session.scan(table.oid, lo, None, limit=ROWS_AT_ONCE):
        for row_key, image in chunk:
            values = base.decode(image)
            key = key_encode([(types[c], values[c], first) for c, first in zip(keys, nulls_first, strict=True)]) + row_key
            found = session.get(index.oid, key)
            wrong += found is None or entry.decode(found) != [values[c] for c in stored]
        rows += len(chunk)
        lo = chunk[-1][0] + b"\0"
    entries = 0
    lo = None
    while chunk := session.scan(index.oid, lo, None, limit=ROWS_AT_ONCE):
        entries += len(chunk)
        lo = chunk[-1][0] + b"\0"
    return IndexReport(f"{table.schema}.{index.name}", rows, entries, wrong)

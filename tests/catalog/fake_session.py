"""A session over dictionaries: what catalog code needs of SessionHandle, with transactions, checks and commit conflicts.

One Directory is shared by sessions; a session works on a copy of the trees it pinned and commits by validating its
checks against the directory's table of last commits, as the adjudicator does, and repeating its changes on the newest.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for entry in (str(ROOT), str(ROOT / "python")):
    if entry not in sys.path:
        sys.path.insert(0, entry)

from opendsql.catalog import bootstrap, ddl, load, settings  # noqa: E402
from opendsql.errors import DsqlError  # noqa: E402
from opendsql.query.parse import parse  # noqa: E402


class Directory:
    """Committed trees and the conflict table."""

    def __init__(self) -> None:
        self.trees: dict[int, dict[bytes, bytes]] = {}
        self.last: dict[int, int] = {}
        self.clock = 1
        self.catalog_version = 0
        load.forget()
        session = Session(self)
        bootstrap.bootstrap(session)
        session.commit()

    def session(self) -> Session:
        return Session(self)


class Session:
    """One session."""

    starts = 0

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.settings = settings.SessionSettings()
        self.format: dict = {}
        self.timezone = "UTC"
        self.default_read_only = False
        self.in_transaction = False
        self.read_only = False
        self._clear()

    def _clear(self) -> None:
        self._trees: dict[int, dict[bytes, bytes]] | None = None
        self.checks: list[int] = []
        self.did_ddl = self.did_dml = self._catalog_change = False
        self._changes: list[tuple[int, bytes | None, bytes | None]] = []  # tree, key (None = the tree), value (None = gone)

    def _pinned(self) -> dict[int, dict[bytes, bytes]]:
        if self._trees is None:
            self._trees = {tree: dict(rows) for tree, rows in self.directory.trees.items()}
            self._snapshot = self.directory.clock
            Session.starts += 1
            self._started = Session.starts
            self._version = self.directory.catalog_version
        return self._trees

    @property
    def catalog_version(self) -> int:
        self._pinned()
        return self._version

    @property
    def snapshot_ts(self) -> int:
        self._pinned()
        return self._snapshot

    @property
    def transaction_us(self) -> int:
        self._pinned()
        return self._started

    def scan(self, tree: int, lo: bytes | None = None, hi: bytes | None = None, backward: bool = False, limit: int | None = None) -> list:
        rows = sorted(self._pinned().get(tree, {}).items())
        found = [(k, v) for k, v in rows if (lo is None or k >= lo) and (hi is None or k < hi)]
        return found[:limit] if limit else found

    def get(self, tree: int, key: bytes) -> bytes | None:
        return self._pinned().get(tree, {}).get(key)

    def put(self, tree: int, key: bytes, value: bytes) -> None:
        self._change(self._pinned(), tree, key, value)
        self._changes.append((tree, key, value))

    def delete(self, tree: int, key: bytes) -> None:
        self._change(self._pinned(), tree, key, None)
        self._changes.append((tree, key, None))

    def drop_tree(self, tree: int) -> None:
        self._change(self._pinned(), tree, None, None)
        self._changes.append((tree, None, None))

    @staticmethod
    def _change(trees: dict[int, dict[bytes, bytes]], tree: int, key: bytes | None, value: bytes | None) -> None:
        if key is None:
            trees.pop(tree, None)
        elif value is None:
            trees.get(tree, {}).pop(key, None)
        else:
            trees.setdefault(tree, {})[key] = value

    def add_check(self, check: int) -> None:
        self.checks.append(check)

    def aside(self) -> Session:
        return self.directory.session()

    token = 1

    def use_names(self, names: object) -> None:
        """Sessions over dictionaries keep no cache: nothing is ever outdated."""

    def mark_catalog_change(self) -> None:
        self._catalog_change = True

    def set_format(self, **values: int) -> None:
        self.format = values

    def set_timezone(self, name: str) -> bool:
        self.timezone = name
        return True

    def begin(self) -> None:
        self._pinned()
        self.in_transaction = True

    def commit(self) -> None:
        directory = self.directory
        if self._trees is not None:
            for check in self.checks:
                if check & 1 and directory.last.get(check & ~7, 0) > self._snapshot:
                    self.rollback()
                    code = "OC001" if check & 4 else "OC000"
                    raise DsqlError("40001", code)
            directory.clock += 1
            for check in self.checks:
                if check & 2:
                    directory.last[check & ~7] = directory.clock
            for change in self._changes:
                self._change(directory.trees, *change)
            if self._catalog_change:
                directory.catalog_version = directory.clock
        settings.end_transaction(self, True)
        self.in_transaction = False
        self._clear()

    def rollback(self) -> None:
        settings.end_transaction(self, False)
        self.in_transaction = False
        self._clear()

    def close(self) -> None:
        self.rollback()

    # -- statements --------------------------------------------------------------------------------------------------

    def run(self, sql: str) -> Any:
        """Run one utility statement as the planner thread would; autocommit outside BEGIN."""
        (statement,) = parse(sql)
        handler = ddl.handler_for(statement.kind)
        assert handler is not None, statement.kind
        try:
            result = handler(statement.node, statement.text, self, load.load(self))
        except Exception:
            self.rollback()
            raise
        if not self.in_transaction:
            self.commit()
        return result

    def catalog(self) -> Any:
        """The catalog now."""
        return load.load(self)

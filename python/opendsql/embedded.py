"""The engine inside the calling process: the session object that others embed, and DB-API 2.0 on top of it.

    Database   a data directory opened here: the same roles, rings and storage as a server, stepped by the caller
    Session    execute(sql, params) -> Result; one transaction at a time. The seam for embedding behind other protocols
    Connection, Cursor   PEP 249 over one Session

A Database may have many sessions, all used from one thread at a time. Index builds run inside the statement that asked for
them (there is nobody else to run them); closing writes a checkpoint, so the next opening replays nothing.
"""

from __future__ import annotations

import datetime
import decimal
import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import numpy

import dsql_core.execute.kernels  # noqa: F401  (registers them)
from dsql_core.execute import EngineHandle, SessionHandle
from dsql_core.shared import ChannelHandle, SharedMemory, channel_size, format_channel
from dsql_core.wire.normalise import statements as split_statements
from opendsql.catalog import bootstrap, context, jobs, load
from opendsql.catalog.result import Pending, PyResult
from opendsql.cluster.commits import Committer
from opendsql.cluster.roles import CommitRoles
from opendsql.config import default_arena_bytes
from opendsql.errors import DsqlError
from opendsql.hints import hint_for
from opendsql.journal import DataDirectory
from opendsql.limits import DSQL, Limits
from opendsql.query.planner import Planned, Planner
from opendsql.storage import Checkpointer, open_arena

Params = Sequence[Any] | Mapping[str, Any]
NUMPY_TYPES = {16: "bool", 21: "int16", 23: "int32", 20: "int64", 26: "int64", 700: "float32", 701: "float64"}


class Warning(Exception):  # noqa: A001  (PEP 249 names it so)
    """PEP 249."""


class Error(Exception):
    """PEP 249: base of what a statement raises; carries sqlstate, detail and hint."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.sqlstate: str = getattr(error, "sqlstate", "XX000")
        self.detail: str | None = getattr(error, "detail", None)
        self.hint: str | None = getattr(error, "hint", None) or hint_for(self.sqlstate, str(error))


class InterfaceError(Error):
    """PEP 249."""


class DatabaseError(Error):
    """PEP 249."""


class DataError(DatabaseError):
    """PEP 249: SQLSTATE class 22."""


class OperationalError(DatabaseError):
    """PEP 249: classes 08, 40 (a conflict: run the transaction again), 53, 54, 57."""


class IntegrityError(DatabaseError):
    """PEP 249: class 23."""


class ProgrammingError(DatabaseError):
    """PEP 249: classes 42 and 26."""


class NotSupportedError(DatabaseError):
    """PEP 249: class 0A, DSQL's refusals."""


CLASSES = {
    "22": DataError,
    "08": OperationalError,
    "40": OperationalError,
    "53": OperationalError,
    "54": OperationalError,
    "57": OperationalError,
    "23": IntegrityError,
    "42": ProgrammingError,
    "26": ProgrammingError,
    "0A": NotSupportedError,
}


@dataclass
class Result:
    """What a statement gave: names and type oids of its columns, rows as text (None = NULL), the command tag."""

    tag: str
    columns: list[tuple[str, int]] = field(default_factory=list)
    texts: list[tuple[str | None, ...]] = field(default_factory=list)
    count: int = -1

    def rows(self) -> list[tuple[Any, ...]]:
        """Rows as Python values."""
        readers = [reader(oid) for _, oid in self.columns]
        return [tuple(None if text is None else read(text) for read, text in zip(readers, row, strict=True)) for row in self.texts]

    def numpy(self) -> dict[str, numpy.ndarray]:
        """Columns as arrays by name: numbers and booleans as such when nothing is NULL, everything else as objects."""
        found = {}
        for at, (name, oid) in enumerate(self.columns):
            read = reader(oid)
            values = [None if row[at] is None else read(row[at]) for row in self.texts]
            kind = NUMPY_TYPES.get(oid, "object") if None not in values else "object"
            found[name] = numpy.array(values, dtype=kind)
        return found


def reader(oid: int) -> Any:
    """The function that turns a type's text into a Python value."""
    return READERS.get(oid, str)


def _interval(text: str) -> datetime.timedelta | str:
    match = re.fullmatch(r"(?:(-?\d+) days? ?)?(?:(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?)?", text)
    if not match or not text:
        return text
    days, sign, hours, minutes, seconds, part = match.groups()
    time = datetime.timedelta(
        hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0), microseconds=int((part or "").ljust(6, "0") or 0)
    )
    return datetime.timedelta(days=int(days or 0)) + (-time if sign else time)


def _timestamp(text: str) -> datetime.datetime | str:
    return datetime.datetime.fromisoformat(text) if text[0].isdigit() and not text.endswith("BC") else text


READERS: dict[int, Any] = {
    16: lambda t: t == "t",
    17: lambda t: bytes.fromhex(t[2:]),
    20: int,
    21: int,
    23: int,
    26: int,
    700: float,
    701: float,
    1700: decimal.Decimal,
    1082: lambda t: datetime.date.fromisoformat(t) if t[0].isdigit() else t,
    1083: datetime.time.fromisoformat,
    1114: _timestamp,
    1184: _timestamp,
    1186: _interval,
    2950: uuid.UUID,
    114: json.loads,
    3802: json.loads,
}


def to_text(value: Any) -> str | None:
    """A Python value as the text PostgreSQL reads."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "\\x" + bytes(value).hex()
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    if isinstance(value, datetime.timedelta):
        return f"{value.days} days {value.seconds} seconds {value.microseconds} microseconds"
    return value.isoformat(" ") if isinstance(value, datetime.datetime) else str(value)


class Database:
    """A data directory opened in this process.

    Args:
        path: made when absent.
        arena_bytes: most memory its pages may take; 0 = half of the machine's.
        limits: what transactions, rows and objects may not exceed; DSQL's by default.

    Raises:
        OperatorError: in use by a server or another process, of another format, or damaged.
    """

    def __init__(self, path: Path | str, arena_bytes: int = 0, limits: Limits = DSQL) -> None:
        self.directory = DataDirectory(path)
        try:
            most = min(arena_bytes or default_arena_bytes(), limits.cluster_bytes_max)
            self.arena = open_arena(self.directory.path, most).arena
            request, reply = (SharedMemory(channel_size(1 << 20)) for _ in range(2))
            for memory in (request, reply):
                format_channel(memory)
            self.roles = CommitRoles(self.directory, self.arena, [ChannelHandle(request)], [ChannelHandle(reply)], flush_inline=True)
        except BaseException:
            self.directory.close()
            raise
        commit = Committer(0, ChannelHandle(request), ChannelHandle(reply), pump=self.roles.step)
        self.engine = EngineHandle(self.arena, 0, commit, limits=limits)
        self.job_engine = EngineHandle(self.arena, 0, commit, limits=limits.for_jobs())
        self.planner = Planner(load.load)
        self.plans: dict[tuple[str, int], Planned] = {}
        self.sessions: list[Session] = []
        handle = self.engine.session()
        if bootstrap.bootstrap(handle):
            handle.commit()
        handle.close()

    def session(self) -> Session:
        """A new session."""
        session = Session(self)
        self.sessions.append(session)
        return session

    def work_off_jobs(self) -> None:
        """Runs every unfinished job to its end."""
        while jobs.run_jobs(self.job_engine.session):
            pass

    def close(self) -> None:
        """Rolls open transactions back, writes a checkpoint, gives the directory up."""
        for session in self.sessions:
            session.handle.close()
        self.sessions.clear()
        with Checkpointer(self.arena, self.directory.path, 0) as checkpointer:
            checkpointer.step()
        self.roles.close()
        self.directory.close()


class Session:
    """One conversation with the engine: the embedding seam."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.handle: SessionHandle = database.engine.session()

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Result:
        """Runs the statements of sql ($1, $2 ... are params); the result of the last one.

        Raises:
            DsqlError (or the core's equivalent, same attributes): the statement failed; an open transaction is then failed
            too, as in PostgreSQL.
        """
        result = Result("")
        for part in [sql] if params else self.split(sql):
            result = self.execute_one(part, [to_text(value) for value in params])
        return result

    @staticmethod
    def split(sql: str) -> list[str]:
        """The statements of a text."""
        return [part["text"].decode() for part in split_statements(sql.encode(), False)] or [sql]

    def execute_one(self, sql: str, params: list[str | None]) -> Result:
        """One statement with parameters as text."""
        handle, database = self.handle, self.database
        try:
            with context.use(load.load(handle), handle):
                planned = self.plan(sql)
                if planned.program is not None:
                    columns, rows, count = handle.execute(planned.program, params)
                    names = [(column[0], column[1]) for column in columns]
                    return Result(planned.tag, names, rows, count)
                assert planned.python is not None
                outcome = planned.python(handle, params)
                if isinstance(outcome, Pending):
                    outcome = self.wait(outcome)
        except RecursionError:
            handle.fail()
            raise DsqlError("54001", "stack depth limit exceeded") from None
        except Exception:
            handle.fail()
            raise
        if handle.state == "implicit":
            handle.commit()
            database.work_off_jobs()
        return Result(outcome.tag, list(outcome.columns), list(outcome.rows), len(outcome.rows))

    def wait(self, pending: Pending) -> PyResult:
        """Asks until there is an answer, working off jobs meanwhile."""
        while True:
            self.database.work_off_jobs()
            outcome = pending.poll()
            if outcome is not None:
                return outcome
            time.sleep(pending.interval_ms / 1000)

    def plan(self, sql: str) -> Planned:
        """From the cache or the planner."""
        key = (sql, self.handle.catalog_version)
        planned = None if self.handle.did_ddl else self.database.plans.get(key)
        if planned is None:
            planned = self.database.planner.plan(
                SimpleNamespace(text=sql, normalized=sql, literals=[], param_oids=[], session=self.handle, multi=False)
            )
            if planned.cacheable and planned.program is not None and not self.handle.did_ddl:
                self.database.plans[key] = planned
        return planned

    def begin(self) -> None:
        """BEGIN."""
        self.handle.begin()

    def commit(self) -> None:
        """COMMIT; raises 40001 when another transaction was first."""
        self.handle.commit()
        self.database.work_off_jobs()

    def rollback(self) -> None:
        """ROLLBACK."""
        self.handle.rollback()


HOLDER = re.compile(r"%(?:\((\w+)\)s|(s|%))")


def numbered(sql: str, params: Params | None) -> tuple[str, list[Any]]:
    """A pyformat statement with $n in place of %s and %(name)s, and its values in that order."""
    if params is None:
        return sql, []
    values: list[Any] = []
    names: dict[str, int] = {}

    def replace(match: re.Match[str]) -> str:
        name, other = match.groups()
        if other == "%":
            return "%"
        if name is None:
            assert not isinstance(params, Mapping), "%s needs a sequence"
            values.append(params[len(values)])
            return f"${len(values)}"
        if name not in names:
            assert isinstance(params, Mapping), "%(name)s needs a mapping"
            values.append(params[name])
            names[name] = len(values)
        return f"${names[name]}"

    return HOLDER.sub(replace, sql), values


class Connection:
    """PEP 249 connection. Transactions begin by themselves unless autocommit is set."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.session = database.session()
        self.autocommit = False

    def cursor(self) -> Cursor:
        """A new cursor."""
        return Cursor(self)

    def commit(self) -> None:
        """Ends the transaction; OperationalError with sqlstate 40001 when another one was first."""
        with translated():
            self.session.commit()

    def rollback(self) -> None:
        """Drops the transaction's changes."""
        self.session.rollback()

    def close(self) -> None:
        """Closes the database this connection opened."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.commit()
        else:
            self.rollback()
        self.close()


class translated:  # noqa: N801  (reads as a statement: with translated():)
    """Turns the engine's errors into PEP 249's."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        state = getattr(error, "sqlstate", None)
        if isinstance(error, Exception) and state is not None and not isinstance(error, Error):
            raise CLASSES.get(state[:2], DatabaseError)(error) from error


class Cursor:
    """PEP 249 cursor; a result is fetched whole."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self._rows: list[tuple[Any, ...]] = []
        self._at = 0

    def execute(self, sql: str, params: Params | None = None) -> Self:
        """Runs one statement (several without parameters)."""
        text, values = numbered(sql, params)
        session = self.connection.session
        with translated():
            if (
                not self.connection.autocommit
                and session.handle.state == "idle"
                and not re.match(r"\s*(begin|start|commit|rollback|end)\b", sql, re.I)
            ):
                session.begin()
            result = session.execute(text, values)
        self.description = [(name, oid, None, None, None, None, None) for name, oid in result.columns] or None
        self._rows, self._at = result.rows(), 0
        self.rowcount = len(self._rows) if result.columns else result.count
        return self

    def executemany(self, sql: str, rows: Sequence[Params]) -> None:
        """Runs the statement once per row of parameters."""
        total = 0
        for row in rows:
            self.execute(sql, row)
            total += max(self.rowcount, 0)
        self.rowcount = total

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None."""
        if self._at >= len(self._rows):
            return None
        self._at += 1
        return self._rows[self._at - 1]

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """At most size rows."""
        start, self._at = self._at, min(len(self._rows), self._at + (size or self.arraysize))
        return self._rows[start : self._at]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        start, self._at = self._at, len(self._rows)
        return self._rows[start:]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """PEP 249: nothing to prepare."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """PEP 249: nothing to prepare."""

    def close(self) -> None:
        """Forgets the result."""
        self._rows = []


def connect(path: str, **options: Any) -> Connection:
    """See opendsql.connect."""
    return Connection(Database(path, **options))

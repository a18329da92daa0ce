"""A server for protocol tests: the real loop, executor and storage, with a planner that knows a dozen statements.

The planner reads statements with regular expressions, so a protocol test does not depend on the SQL front half:

    select <int>|$n [, ...]        constants and parameters          select rows <n>    n rows (int4, text) of VALUES
    select text <'..'>             a text                            begin | commit | rollback (and their synonyms)
    put <k> <v>                    a Python statement that writes a key of tree 5000 (makes a commit request)
    wait <n>                       a Pending that is over after n polls
    notice | fail | crash          a notice, a DsqlError, a bug      copy in | copy out <n>
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from opendsql.catalog.result import Notice, Pending, PyResult
from opendsql.errors import DsqlError
from opendsql.gateway import Server, listen
from opendsql.gateway.service import GatewayService
from opendsql.limits import DSQL
from opendsql.query.copy import CopyPlan

from dsql_core.execute import EngineHandle, Program
from dsql_core.storage import Arena

INT4, INT8, TEXT = 23, 20, 25
BASE: dict[str, Any] = {
    "kind": "query", "plan": None, "columns": [], "params": [], "tag": "SELECT", "catalog_version": 0, "writes": False,
    "tables": [], "subplans": [], "ctes": [], "begin_read_only": False, "needs_gil": False, "explain": False,
}  # fmt: skip


WORDS = (
    "begin", "start", "commit", "end", "rollback", "abort", "select", "put", "get", "wait", "deallocate", "notice", "fail",
    "crash", "copy",
)  # fmt: skip


@dataclass
class FakePlanned:
    """What Planned carries."""

    program: Any = None
    python: Any = None
    columns: list[Any] | None = None
    param_oids: list[int] = field(default_factory=list)
    key_by_text: bool = False
    cacheable: bool = True
    copy: Any = None


def compile_ir(**changes: Any) -> Any:
    """A Program of the base IR with changes."""
    ir = {**BASE, **changes}
    ir.setdefault("param_slots", len(ir["params"]))
    return Program.compile(ir)


class FakePlanner:
    """Plans the statements of the module's docstring."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.checked: list[str] = []

    def check(self, text: str) -> None:
        """The grammar of a Query of several: its statements begin with words this planner knows."""
        self.checked.append(text)
        for match in re.finditer(r"(?:'[^']*'|[^';])+", text):
            word = re.match(r"\s*(\w+)", match[0])
            if word and word[1].lower() not in WORDS:
                raise DsqlError("42601", f'syntax error at or near "{word[1]}"', position=match.start() + word.start(1) + 1)

    def plan(self, request: Any) -> FakePlanned:
        """Planned of one statement."""
        text = request.normalized.strip()
        self.asked.append(text)
        version = request.session.catalog_version
        if match := re.fullmatch(r"(begin|start transaction|commit|end|rollback|abort)", text, re.I):
            word = match[1].lower()
            kind = {"begin": "begin", "start transaction": "begin", "commit": "commit", "end": "commit"}.get(word, "rollback")
            tag = {"start transaction": "START TRANSACTION", "end": "COMMIT", "abort": "ROLLBACK"}.get(word, word.upper())
            return FakePlanned(compile_ir(kind=kind, tag=tag))
        if match := re.fullmatch(r"select rows \$(\d+)", text, re.I):
            return self.rows(request, int(match[1]), version)
        if match := re.fullmatch(r"select (.*)", text, re.I | re.S):
            return self.select(match[1], request, version)
        return self.python(text, request)

    def rows(self, request: Any, number: int, version: int) -> FakePlanned:
        """VALUES of n rows; n must be in the text."""
        count = int(request.literals[0][1])
        data = [[("const", INT4, -1, str(i)), ("const", TEXT, -1, f"row {i}")] for i in range(count)]
        plan = {"op": "values", "rows": data, "out": [INT4, TEXT], "id": 0}
        columns = [("n", INT4, -1, 0, 0), ("t", TEXT, -1, 0, 0)]
        return FakePlanned(compile_ir(plan=plan, columns=columns, catalog_version=version), columns=columns, key_by_text=True)

    def select(self, items: str, request: Any, version: int) -> FakePlanned:
        """Parameters only: literals have been lifted."""
        kinds = {"i4": INT4, "i8": INT8, "n": 1700, "s": TEXT}
        first = request.param_max
        numbers = [int(item.strip()[1:]) for item in items.split(",")]
        count = max(first, len(request.param_oids)) + len(request.literals)
        oids = [TEXT] * count
        for i, oid in enumerate(request.param_oids):
            oids[i] = oid or TEXT
        for i, (kind, _) in enumerate(request.literals):
            oids[count - len(request.literals) + i] = kinds[kind]
        exprs = [("param", n - 1, oids[n - 1]) for n in numbers]
        columns = [("?column?", oids[n - 1], -1, 0, 0) for n in numbers]
        plan = {"op": "result", "exprs": exprs, "id": 0}
        program = compile_ir(plan=plan, columns=columns, params=oids, catalog_version=version)
        return FakePlanned(program, columns=columns, param_oids=oids)

    def python(self, text: str, request: Any) -> FakePlanned:
        """Statements that run on the Python thread."""
        word, _, rest = text.partition(" ")
        word = word.lower()
        if word == "syntax":
            raise DsqlError("42601", 'syntax error at or near "syntax"', position=1, hint="Do not.")
        if word == "put":
            key, value = rest.split()

            def put(session: Any, params: list[str | None]) -> PyResult:
                session.put(5000, key.encode(), value.encode(), [int.from_bytes(key.encode()[:7].ljust(7), "little") << 3 | 3])
                return PyResult("PUT")

            return FakePlanned(python=put, cacheable=False)
        if word == "get":

            def get(session: Any, params: list[str | None]) -> PyResult:
                found = session.get(5000, rest.encode())
                return PyResult("SELECT", [("value", TEXT)], [(found.decode() if found is not None else None,)])

            return FakePlanned(python=get, columns=[("value", TEXT, -1, 0, 0)], cacheable=False)
        if word == "wait":
            left = [int(rest)]

            def poll() -> PyResult | None:
                left[0] -= 1
                return PyResult("WAIT") if left[0] <= 0 else None

            return FakePlanned(python=lambda s, p: Pending(poll, 5), cacheable=False)
        if word == "deallocate":
            return FakePlanned(python=lambda s, p: PyResult("DEALLOCATE ALL"), cacheable=False)
        if word == "notice":
            return FakePlanned(python=lambda s, p: PyResult("NOTICE", notices=[Notice("take note", "01000", "WARNING")]))
        if word == "fail":
            return FakePlanned(python=_fail)
        if word == "crash":
            return FakePlanned(python=lambda s, p: 1 // 0)
        if word == "copy":
            return self.copy(rest, request)
        raise DsqlError("42601", f'syntax error at or near "{word}"', position=1)

    def copy(self, rest: str, request: Any) -> FakePlanned:
        """COPY without a table: `copy out n`, `copy out n csv`, `copy in` (rows are thrown away)."""
        words = rest.split()
        version = request.session.catalog_version
        columns = [("n", INT4, -1, 0, 0), ("t", TEXT, -1, 0, 0)]
        style = words[-1] if words[-1] in ("csv", "binary") else "text"
        if words[0] == "out":
            data = [[("const", INT4, -1, str(i)), ("const", TEXT, -1, None if i == 1 else f'a\t"{i}",\\\n')]
                    for i in range(int(words[1]))]
            program = compile_ir(plan={"op": "values", "rows": data, "out": [INT4, TEXT], "id": 0}, columns=columns,
                                 catalog_version=version)
            return FakePlanned(copy=copy_plan("to", program, style), key_by_text=True)
        exprs = [("param", 0, INT4), ("param", 1, TEXT)]
        program = compile_ir(plan={"op": "result", "exprs": exprs, "id": 0}, params=[INT4, TEXT], catalog_version=version,
                             columns=columns)
        return FakePlanned(copy=copy_plan("from", program, style), cacheable=False, key_by_text=True)


def copy_plan(direction: str, program: Any, style: str) -> CopyPlan:
    """A CopyPlan over the columns n and t."""
    plan = CopyPlan(direction, program, [("n", INT4), ("t", TEXT)], format=style)
    if style == "csv":
        plan.delimiter, plan.null = ",", ""
    return plan


def _fail(session: Any, params: list[str | None]) -> PyResult:
    raise DsqlError("22012", "division by zero", detail="Zero.", table="t")


@dataclass
class Running:
    """A started server."""

    server: Server
    service: GatewayService
    planner: FakePlanner
    port: int
    arena: Arena
    commits: list[bytes]

    def connect(self, **parameters: str) -> Client:
        """A greeted connection."""
        client = Client(self.port)
        client.startup(**parameters)
        return client


@contextlib.contextmanager
def serving(*, verdict: Any = None, authenticate: Any = None, **options: Any) -> Iterator[Running]:
    """A server on a fresh arena. verdict(request bytes) -> REPLY_* status; 0 when not given."""
    commits: list[bytes] = []

    def commit(request: bytes) -> int:
        commits.append(request)
        return 0 if verdict is None else verdict(request)

    arena = Arena.create(1 << 26)
    engine = EngineHandle(arena, 0, commit, limits=DSQL)
    listener = listen("127.0.0.1", free_port())
    planner = FakePlanner()
    options.setdefault("message_bytes_max", DSQL.message_bytes_max)
    server = Server(engine, listen_fd=listener.fileno(), **options)
    service = GatewayService(server, engine, planner=planner, parse=planner.check, load_catalog=lambda session: None,
                             authenticate=authenticate)
    loop = server.start()
    thread = service.start()
    try:
        yield Running(server, service, planner, listener.getsockname()[1], arena, commits)
    finally:
        service.stop()
        thread.join(10)
        server.stop()
        loop.join(10)
        assert not loop.is_alive()
        listener.close()
        server.close()
        arena.close()


def free_port() -> int:
    """A loopback port below the kernel's ephemeral range."""
    for port in range(21000 + os.getpid() % 1000, 32768):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


class Client:
    """Raw protocol: what is written is written, what comes back is (kind, body)."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.buffer = b""
        self.key = (0, 0)
        self.parameters: dict[str, str] = {}

    def close(self) -> None:
        """Closes without a word."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Raw bytes."""
        self.socket.sendall(data)

    def startup(self, version: int = 196608, **parameters: str) -> list[tuple[str, bytes]]:
        """Startup, up to the first ReadyForQuery or error."""
        given = {"user": "admin", "database": "postgres", **parameters}
        body = struct.pack("!i", version) + b"".join(f"{k}\0{v}\0".encode() for k, v in given.items()) + b"\0"
        self.send(struct.pack("!i", len(body) + 4) + body)
        found = self.until("ZE")
        for kind, body in found:
            if kind == "K":
                self.key = struct.unpack("!II", body)
            if kind == "S":
                name, value, _ = body.decode().split("\0")
                self.parameters[name] = value
        return found

    def fill(self, size: int) -> None:
        """Reads until size bytes are there; EOFError when the server closed."""
        while len(self.buffer) < size:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise EOFError
            self.buffer += chunk

    def message(self) -> tuple[str, bytes]:
        """The next message."""
        self.fill(5)
        size = int.from_bytes(self.buffer[1:5], "big") + 1
        self.fill(size)
        found = chr(self.buffer[0]), self.buffer[5:size]
        self.buffer = self.buffer[size:]
        return found

    def until(self, kinds: str) -> list[tuple[str, bytes]]:
        """Messages up to and including the first of a kind."""
        found = []
        while True:
            found.append(self.message())
            if found[-1][0] in kinds:
                return found

    def query(self, text: str | bytes) -> list[tuple[str, bytes]]:
        """Simple query, up to ReadyForQuery."""
        self.send(query(text))
        return self.until("Z")

    def closed(self) -> bool:
        """Whether the server has closed (waits for it)."""
        try:
            while True:
                self.message()
        except (EOFError, ConnectionError):
            return True


def packet(kind: str, body: bytes = b"") -> bytes:
    """One frontend message."""
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def query(text: str | bytes) -> bytes:
    """Query."""
    return packet("Q", (text.encode() if isinstance(text, str) else text) + b"\0")


def parse(text: str, name: str = "", oids: tuple[int, ...] = ()) -> bytes:
    """Parse."""
    return packet("P", f"{name}\0{text}\0".encode() + struct.pack("!h", len(oids)) + b"".join(struct.pack("!i", o) for o in oids))


def bind(values: list[bytes | None] | tuple[()] = (), statement: str = "", portal: str = "", formats: tuple[int, ...] = (),
         results: tuple[int, ...] = ()) -> bytes:
    """Bind."""
    body = f"{portal}\0{statement}\0".encode() + struct.pack(f"!h{len(formats)}h", len(formats), *formats)
    body += struct.pack("!h", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return packet("B", body + struct.pack(f"!h{len(results)}h", len(results), *results))


def describe(what: str, name: str = "") -> bytes:
    """Describe S or P."""
    return packet("D", f"{what}{name}\0".encode())


def execute(portal: str = "", limit: int = 0) -> bytes:
    """Execute."""
    return packet("E", portal.encode() + b"\0" + struct.pack("!i", limit))


SYNC = packet("S")


def fields(body: bytes) -> dict[str, str]:
    """Fields of an ErrorResponse or NoticeResponse."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


def row(body: bytes) -> list[bytes | None]:
    """Values of a DataRow."""
    count, at, found = int.from_bytes(body[:2], "big"), 2, []
    for _ in range(count):
        size = int.from_bytes(body[at : at + 4], "big", signed=True)
        at += 4
        found.append(None if size < 0 else body[at : at + size])
        at += max(size, 0)
    return found


def kinds(messages: list[tuple[str, bytes]]) -> str:
    """Their kinds as one word."""
    return "".join(kind for kind, _ in messages)


def error_of(messages: list[tuple[str, bytes]]) -> dict[str, str]:
    """Fields of the first error."""
    return next(fields(body) for kind, body in messages if kind == "E")


def hammer(threads: int, work: Any) -> None:
    """Runs work(i) in threads and re-raises what fails."""
    failures: list[BaseException] = []

    def one(i: int) -> None:
        try:
            work(i)
        except BaseException as error:
            failures.append(error)

    running = [threading.Thread(target=one, args=(i,)) for i in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if failures:
        raise failures[0]

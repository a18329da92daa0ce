"""Probes: what a client says to DSQL and the exact answer, as text files that read as a compatibility table.

    4.3 ALTER TABLE                                              first line: section of DSQL's surface and its name
                                                                 text until the first group: what it is about
    # ADD COLUMN [recorded]                                      a group, and where its answers come from
    > alter table t add column x int default 1                   a statement of session A (one simple Query each)
    ERROR 0A000: ALTER TABLE ADD COLUMN with constraint not supported

A probe is a block between blank lines; each starts on the objects of fixture.sql, in a session of its own.

    > sql          to session A            B> sql      to session B (any capital letter)
    < line         a line of COPY data for the statement before it
    B! k=v k=v     connect as session B with these startup parameters alone (`~` for a space inside a value)
    B@ k=v k=v     connect as session B, and go on in it with B>: what can be said of a connection stands in doors.py
    sleep 0.1      let time pass
    {257: c# int}  in a statement: 257 items `c1 int, c2 int, ...`;  :job  the job id answered last

Answer lines, exact: rows as values joined by ` | ` (NULL, '' when empty, <job> for a job id), the command tag, `closed`,
`ERROR sqlstate: message`, then DETAIL, HINT and CONTEXT where there are any; `NOTICE`, `WARNING` likewise before them.

Sources of a group: `recorded` (somebody sent it to the service and wrote the answer down), `documented`, `postgresql`
(the service runs PostgreSQL 16's code there; nobody recorded this very case), `guess: <key>` of opendsql.guesses.
hints.txt is in the same form, run with opendsql's hints on (source `opendsql`).

A line `opendsql serve ...` before the first group says what else the server is told; pages that say the same share one.

    python tests/compatibility/probes.py [file ...]     writes the present answers into the files; --port for a server that runs
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from doors import Door, login  # noqa: E402
from tests_support import run_server  # noqa: E402

SERVE = "opendsql serve "
FILES = sorted((HERE / "probes").glob("*.txt"))
STEP = re.compile(r"([A-Z]?)([>!@])(?: |$)(.*)")
GROUP = re.compile(r"# (.*?) \[([^\]]*)\]$")
REPEAT = re.compile(r"\{(\d+): ([^}]*)\}")
JOB = re.compile(r"\b[a-z2-7]{26}\b")
ADDING_TAGS = ("CREATE TABLE", "CREATE SCHEMA", "CREATE SEQUENCE", "CREATE DOMAIN", "CREATE ROLE")
FIXTURE_NAMES = ("r", "t", "nokey", "child", "ident", "typed", "notes", "v", "s", "posint", "double", "shop", "item", "ident_id_seq")
FIXTURE_TABLES = ("child", "notes", "t", "nokey", "ident", "typed", "shop.item")  # children first
QUIET_TAGS = ("SELECT", "SHOW", "BEGIN", "START TRANSACTION", "ROLLBACK", "COMMIT", "EXPLAIN", "SET", "RESET", "SET CONSTRAINTS", "")
UNTOUCHED_TAGS = ("SELECT", "SHOW", "EXPLAIN", "")


@dataclass
class Probe:
    """One block: what is said (steps) and, interleaved, what is answered (lines)."""

    file: Path
    section: str
    group: str
    source: str
    lines: list[str]
    serve: str = ""

    @property
    def name(self) -> str:
        """For the test's id: file and first statement."""
        return f"{self.file.stem}: {self.lines[0].partition(' ')[2][:70]}"

    @property
    def steps(self) -> list[str]:
        """What the probe says, without the answers."""
        return [line for line in self.lines if STEP.match(line) or line.startswith(("< ", "sleep "))]


@dataclass
class Page:
    """One file of probes."""

    path: Path
    title: str = ""
    intro: list[str] = field(default_factory=list)
    groups: list[tuple[str, str, list[Probe]]] = field(default_factory=list)

    @property
    def serve(self) -> str:
        """What its server is told beside --no-hints."""
        return next((line.removeprefix(SERVE) for line in self.intro if line.startswith(SERVE)), "")

    @property
    def probes(self) -> list[Probe]:
        """Of every group."""
        return [probe for _, _, probes in self.groups for probe in probes]


def read(path: Path) -> Page:
    """The probes of a file."""
    blocks = path.read_text(encoding="utf-8").strip("\n").split("\n\n")
    page = Page(path, blocks[0].splitlines()[0], blocks[0].splitlines()[1:])
    for block in blocks[1:]:
        lines = [line for line in block.splitlines() if line]
        heading = GROUP.match(lines[0])
        if heading is not None:
            page.groups.append((heading[1], heading[2], []))
            lines = lines[1:]
        elif not page.groups:
            page.intro += lines
            continue
        if lines:
            name, source, probes = page.groups[-1]
            assert STEP.match(lines[0]), f"{path.name}: a probe starts with a statement: {lines[0]!r}"
            probes.append(Probe(path, page.title, name, source, lines, page.serve))
    return page


def write(page: Page, answers: dict[int, list[str]]) -> None:
    """The file with new answers (by id of the probe)."""
    blocks = ["\n".join([page.title, *page.intro])]
    for name, source, probes in page.groups:
        heading = [f"# {name} [{source}]"]
        for probe in probes:
            blocks.append("\n".join(heading + answers.get(id(probe), probe.lines)))
            heading = []
    page.path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


# -- running -----------------------------------------------------------------------------------------------------------


def problem(result: psycopg.pq.abc.PGresult) -> list[str]:
    """An error or notice as lines."""

    def text(part: DiagnosticField) -> str:
        return (result.error_field(part) or b"").decode()

    lines = [f"{text(DiagnosticField.SEVERITY)} {text(DiagnosticField.SQLSTATE)}: {text(DiagnosticField.MESSAGE_PRIMARY)}"]
    parts = (("DETAIL", DiagnosticField.MESSAGE_DETAIL), ("HINT", DiagnosticField.MESSAGE_HINT), ("CONTEXT", DiagnosticField.CONTEXT))
    lines += [f"{word}: {line}" for word, part in parts for line in text(part).splitlines()]
    return [JOB.sub("<job>", line) for line in lines]


class Session:
    """One connection; what it said is answered as lines."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.notices: list[str] = []
        self.tags: list[str] = []
        self.job = ""
        self.connection.pgconn.notice_handler = lambda result: self.notices.extend(problem(result))

    def say(self, sql: str, data: list[str]) -> list[str]:
        """Runs one Query string."""
        pgconn = self.connection.pgconn
        lines: list[str] = []
        pgconn.send_query(sql.encode())
        while (result := pgconn.get_result()) is not None:
            lines += self.notices
            self.notices.clear()
            if result.status == ExecStatus.COPY_IN:
                for line in data:
                    pgconn.put_copy_data(line.encode() + b"\n")
                pgconn.put_copy_end()
                continue
            if result.status == ExecStatus.COPY_OUT:
                while (copied := pgconn.get_copy_data(0))[0] > 0:
                    lines += bytes(copied[1]).decode().splitlines()
                continue
            lines += self._result(result)
        lines += self.notices
        self.notices.clear()
        return lines

    def _result(self, result: psycopg.pq.abc.PGresult) -> list[str]:
        if result.status == ExecStatus.FATAL_ERROR:
            return problem(result) if result.error_field(DiagnosticField.SQLSTATE) else ["closed"]
        tag = (result.command_status or b"").decode()
        self.tags.append(tag)
        lines = []
        for row in range(result.ntuples):
            values = [result.get_value(row, column) for column in range(result.nfields)]
            if result.nfields and result.fname(0) == b"job_id" and values[0] is not None:
                self.job = values[0].decode()
            lines.append(JOB.sub("<job>", " | ".join(shown(value) for value in values)))
        return [*lines, tag] if tag or lines else ["(nothing)"]

    def only(self, words: tuple[str, ...]) -> bool:
        """Whether every tag so far is one of these."""
        return all(tag.rstrip("0123456789 ") in words for tag in self.tags)

    def close(self) -> None:
        """Ends the connection."""
        self.connection.close()


def shown(value: bytes | None) -> str:
    """One value of a row."""
    return "NULL" if value is None else value.decode().replace("\n", "\\n") or "''"


class Runner:
    """Runs probes on one server, each on the fixture.

    What a probe's command tags say it may have changed is made anew before the next one: nothing, the rows of the
    fixture's tables, objects beside the fixture's, or everything.
    """

    def __init__(self, door: Door) -> None:
        self.door = door
        self.dirty = {"all"}
        self.spare: Session | None = None
        self.admin = self._session().connection
        self.fixture = [line for line in (HERE / "fixture.sql").read_text().splitlines() if line and not line.startswith("--")]

    def _session(self) -> Session:
        answer, connection = self.door.open({})
        assert connection is not None, answer
        return Session(connection)

    def run(self, probe: Probe) -> list[str]:
        """The probe's lines with the present answers."""
        self.reset()
        sessions: dict[str, Session] = {}
        if self.spare is not None:
            sessions["A"], self.spare = self.spare, None
        lines: list[str] = []
        steps = probe.steps
        job = ""
        try:
            for place, step in enumerate(steps):
                if step.startswith("< "):
                    continue  # went with its statement
                lines.append(step)
                said = STEP.match(step)
                if said is None:
                    time.sleep(float(step.removeprefix("sleep ")))
                    continue
                letter, mark, text = said.groups()
                letter = letter or "A"
                if mark != ">":
                    pairs = {key: value for key, _, value in (pair.partition("=") for pair in text.split())}
                    if mark == "!":
                        startup = {key: value.replace("~", " ") for key, value in pairs.items()}
                        lines += login(self.door.port, {"user": "admin", "database": "postgres", **startup})
                        continue
                    answer, connection = self.door.open(pairs)
                    lines += answer
                    if connection is not None:
                        sessions[letter] = Session(connection)
                    continue
                if letter not in sessions:
                    sessions[letter] = self._session()
                data = list(itertools.takewhile(lambda later: later.startswith("< "), steps[place + 1 :]))
                lines += data
                copied = [line[2:].replace("\\t", "\t") for line in data]
                lines += sessions[letter].say(expand(text).replace(":job", job), copied)
                job = sessions[letter].job or job
        finally:
            self.dirty = {what for session in sessions.values() for tag in session.tags if (what := changes(tag))}
            if any("nextval" in step or "setval" in step for step in steps):
                self.dirty.add("all")
            self._put_away(sessions)
        return lines

    def _put_away(self, sessions: dict[str, Session]) -> None:
        for letter, session in sessions.items():
            idle = session.connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE
            if letter == "A" and idle and "all" not in self.dirty and session.only(UNTOUCHED_TAGS):
                session.tags.clear()
                self.spare = session
            else:
                session.close()

    def close(self) -> None:
        """Ends its connections."""
        self.admin.close()
        if self.spare is not None:
            self.spare.close()

    def reset(self) -> None:
        """The fixture anew, as far as it may have changed, and no job running: a probe meets only its own changes."""
        if not self.dirty:
            return
        if self.spare is not None:
            self.spare.close()  # it knows the catalog from before: OC001
            self.spare = None
        keep = [] if "all" in self.dirty else FIXTURE_NAMES
        if self.dirty & {"all", "objects"}:
            for sql in [sql for name, sql in patiently(self.admin, LEFT_OVER) if name not in keep]:
                with contextlib.suppress(psycopg.errors.UndefinedTable, psycopg.errors.UndefinedObject):
                    patiently(self.admin, sql)
        for table in FIXTURE_TABLES if "rows" in self.dirty and "all" not in self.dirty else ():
            patiently(self.admin, f"delete from {table}")
        for line in self.fixture:
            if "all" in self.dirty or (line.startswith("insert") and "rows" in self.dirty):
                patiently(self.admin, line)
        while patiently(self.admin, "SELECT 1 FROM sys.jobs WHERE job_type <> 'DROP' AND status IN ('submitted', 'processing')"):
            time.sleep(0.002)
        self.dirty = set()


def changes(tag: str) -> str:
    """What a statement with this command tag may have changed: nothing (''), rows, objects or all."""
    words = tag.rstrip("0123456789 ")
    if len(tag) - len(words) > len(" 0 99"):
        return "all"  # more rows than one DELETE takes away
    if words in QUIET_TAGS:
        return ""
    if words in ("INSERT", "UPDATE", "DELETE", "COPY"):
        return "rows"
    return "objects" if words in ADDING_TAGS else "all"


def patiently(connection: psycopg.Connection, sql: str) -> list[tuple]:
    """Runs a statement as a client of DSQL does: 40001 is tried again."""
    while True:
        try:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []
        except psycopg.errors.SerializationFailure:
            time.sleep(0.002)


def expand(sql: str) -> str:
    """The statement with its {n: text} repeats written out."""
    return REPEAT.sub(lambda found: ", ".join(found[2].replace("#", str(n)) for n in range(1, int(found[1]) + 1)), sql)


# Statements that remove whatever there is, in an order that works.
LEFT_OVER = """
SELECT name, sql FROM (
  SELECT 1 AS step, pg_role_name AS name, format('AWS IAM REVOKE %I FROM %L', pg_role_name, arn) AS sql FROM sys.iam_pg_role_mappings
  UNION ALL SELECT 2, relname, format('DROP %s %I.%I CASCADE', CASE relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' ELSE 'SEQUENCE' END,
           nspname, relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
   WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'sys') AND relkind IN ('r', 'v', 'S')
  UNION ALL SELECT 3, proname, format('DROP FUNCTION %I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
   WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'sys')
  UNION ALL SELECT 4, typname, format('DROP DOMAIN %I.%I', nspname, typname) FROM pg_type y JOIN pg_namespace n ON n.oid = typnamespace
   WHERE typtype = 'd' AND nspname NOT IN ('pg_catalog', 'information_schema', 'sys')
  UNION ALL SELECT 5, nspname, format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace
   WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'sys', 'public')
  UNION ALL SELECT 6, rolname, format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname <> 'admin' AND rolname NOT LIKE 'pg\\_%'
) all_of_it ORDER BY step
"""


def pages(paths: list[Path] | None = None) -> Iterator[Page]:
    """Every file, read."""
    for path in paths or FILES:
        yield read(path)


class Runners:
    """A server for each way pages want one served, and its runner, as long as the directory is needed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.found: dict[str, Runner] = {}
        self.servers = contextlib.ExitStack()

    def of(self, serve: str) -> Runner:
        """Started when it is first wanted."""
        if serve not in self.found:
            directory = self.directory / str(len(self.found))
            directory.mkdir()
            server = self.servers.enter_context(run_server(directory, "--no-hints", *serve.split()))
            self.found[serve] = Runner(Door(server.port, server.data if "--strict" in serve else None))
            self.servers.callback(self.found[serve].close)
        return self.found[serve]


def main() -> None:
    """Records the present answers."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int)
    arguments.add_argument("files", nargs="*", type=Path)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        runners = Runners(Path(directory))
        with runners.servers:
            if options.port is not None:
                runners.found[""] = Runner(Door(options.port))
            for page in pages(options.files):
                runner = runners.of(page.serve)
                write(page, {id(probe): runner.run(probe) for probe in page.probes})


if __name__ == "__main__":
    main()

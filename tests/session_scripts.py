"""Golden scripts of several sessions: expected answers written beside every statement.

    A> sql          runs sql in session A (simple protocol); a session opens at its first statement
    A@reader> sql   the same, logged in as that role

The lines until the next statement are its exact answer: rows as values joined by ` | `, then the command tag, or
`ERROR <sqlstate>: <message>`; several results follow each other. Lines starting with # are comments. A job id is shown
as <job id>; written in a statement it stands for the last one answered.

Nothing in DSQL waits for another transaction, so each statement must answer within STATEMENT_SECONDS.
"""

import difflib
import re
import time
from pathlib import Path

import psycopg
from tests_support import RunningServer

STATEMENT_SECONDS = 5.0
LINE = re.compile(r"([A-Z])(?:@(\w+))?> (.*)")
JOB_ID = re.compile(r"[a-z2-7]{26}")


class Script:
    """One script at work against one server."""

    def __init__(self, server: RunningServer) -> None:
        self.dsn = server.dsn
        self.sessions: dict[str, psycopg.Connection] = {}
        self.job_id = ""

    def session(self, name: str, user: str | None) -> psycopg.Connection:
        """The session of that name."""
        if name not in self.sessions:
            dsn = self.dsn if user is None else self.dsn.replace("user=admin", f"user={user}")
            self.sessions[name] = psycopg.connect(dsn, autocommit=True)
        return self.sessions[name]

    def answer(self, connection: psycopg.Connection, sql: str) -> list[str]:
        """What the server says to one Query."""
        connection.pgconn.send_query(sql.replace("<job id>", self.job_id).encode())
        lines = []
        while (result := connection.pgconn.get_result()) is not None:
            if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
                field = psycopg.pq.DiagnosticField
                state = (result.error_field(field.SQLSTATE) or b"").decode()
                lines.append(f"ERROR {state}: {(result.error_field(field.MESSAGE_PRIMARY) or b'').decode()}")
                continue
            for row in range(result.ntuples):
                values = [result.get_value(row, column) for column in range(result.nfields)]
                lines.append(" | ".join("NULL" if value is None else self.shown(value.decode()) for value in values))
            lines.append((result.command_status or b"").decode())
        return lines

    def shown(self, value: str) -> str:
        """A value as scripts write it."""
        if JOB_ID.fullmatch(value):
            self.job_id = value
            return "<job id>"
        return value

    def run(self, text: str) -> tuple[list[str], list[str]]:
        """(expected, got), line by line."""
        expected, got = [], []
        try:
            for line in text.splitlines():
                if line.startswith("#") or not line.strip():
                    continue
                expected.append(line)
                if (statement := LINE.fullmatch(line)) is not None:
                    name, user, sql = statement.groups()
                    session = self.session(name, user)
                    started = time.monotonic()
                    got += [line, *self.answer(session, sql)]
                    assert time.monotonic() - started < STATEMENT_SECONDS, f"{line}: waited"
        finally:
            for session in self.sessions.values():
                session.close()
        return expected, got


def check_script(path: Path, server: RunningServer) -> None:
    """Runs a script and compares every line."""
    expected, got = Script(server).run(path.read_text())
    assert got == expected, "\n".join(difflib.unified_diff(expected, got, "expected", "got", n=6, lineterm=""))

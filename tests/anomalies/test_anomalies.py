"""The anomaly scripts: one file each, two or three sessions, expected answers written beside every statement.

A line `A> sql` runs sql in session A (simple protocol); the lines until the next statement are the exact answer: rows
as values joined by ` | `, then the command tag, or `ERROR <sqlstate>: <message>`. Lines starting with # are comments.
Every script starts on the table test (id int PRIMARY KEY, value int) holding (1, 10), (2, 20). Nothing in DSQL waits
for another transaction, so each statement must answer within STATEMENT_SECONDS.
"""

import time
from pathlib import Path

import psycopg
import pytest

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))
STATEMENT_SECONDS = 5.0


def answer(connection: psycopg.Connection, sql: str) -> list[str]:
    result = connection.pgconn.exec_(sql.encode())
    if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
        field = psycopg.pq.DiagnosticField
        state = (result.error_field(field.SQLSTATE) or b"").decode()
        return [f"ERROR {state}: {(result.error_field(field.MESSAGE_PRIMARY) or b'').decode()}"]
    lines = []
    for row in range(result.ntuples):
        values = (result.get_value(row, column) for column in range(result.nfields))
        lines.append(" | ".join("NULL" if value is None else value.decode() for value in values))
    return [*lines, (result.command_status or b"").decode()]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script(script: Path, server) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as setup:
        setup.execute("DROP TABLE IF EXISTS test")
        setup.execute("CREATE TABLE test (id int PRIMARY KEY, value int)")
        setup.execute("INSERT INTO test VALUES (1, 10), (2, 20)")
    sessions: dict[str, psycopg.Connection] = {}
    expected, got = [], []
    try:
        for line in script.read_text().splitlines():
            if line.startswith("#") or not line.strip():
                continue
            expected.append(line)
            name, mark, sql = line.partition("> ")
            if mark and len(name) == 1 and name.isupper():
                if name not in sessions:
                    sessions[name] = psycopg.connect(server.dsn, autocommit=True)
                started = time.monotonic()
                got += [line, *answer(sessions[name], sql)]
                assert time.monotonic() - started < STATEMENT_SECONDS, f"{line}: waited"
    finally:
        for session in sessions.values():
            session.close()
    assert got == expected

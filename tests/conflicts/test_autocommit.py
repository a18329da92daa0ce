"""A conflict of a transaction that is one statement, or one Query: refused where it commits.

The loser's snapshot is held open by pg_sleep inside its own statement, while the winner commits (its plan is cached, so it
does not need the Python thread that sleeps).
"""

import time

import psycopg
import pytest

SLEEP = "(SELECT CASE WHEN pg_sleep(0.4) IS NULL THEN 2 ELSE 1 END)"
REFUSED = "40001: change conflicts with another transaction (OC000)"

CASES = {
    "update": f"UPDATE account SET balance = balance + {SLEEP} WHERE id = 1",
    "returning": f"UPDATE account SET balance = balance + {SLEEP} WHERE id = 1 RETURNING balance",
    "delete": f"DELETE FROM account WHERE id = 1 AND {SLEEP} = 1",
    "on_conflict": f"INSERT INTO account VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET balance = {SLEEP}",
    "insert_select": f"INSERT INTO account SELECT 9, {SLEEP}",
    "with": f"WITH w AS (UPDATE account SET balance = {SLEEP} WHERE id = 1 RETURNING id) SELECT id FROM w",
    "several": f"UPDATE account SET balance = 1 WHERE id = 1; SELECT {SLEEP}; SELECT 2",
}


def outcome(connection: psycopg.Connection) -> list[str]:
    """Tags and errors of every result until the connection is ready."""
    field = psycopg.pq.DiagnosticField
    found = []
    while (result := connection.pgconn.get_result()) is not None:
        if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
            state, text = (result.error_field(f) or b"" for f in (field.SQLSTATE, field.MESSAGE_PRIMARY))
            found.append(f"{state.decode()}: {text.decode()}")
        else:
            found.append((result.command_status or b"").decode())
    return found


@pytest.mark.parametrize("case", CASES)
def test_refused_at_the_commit_of_the_statement(case: str, server) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as loser, psycopg.connect(server.dsn, autocommit=True) as winner:
        winner.execute("DROP TABLE IF EXISTS account")
        winner.execute("CREATE TABLE account (id int PRIMARY KEY, balance int)")
        winner.execute("INSERT INTO account VALUES (1, 0), (8, 0)")
        warm, strike = "UPDATE account SET balance = 7 WHERE id = 8", "UPDATE account SET balance = 7 WHERE id = 1"
        if case == "insert_select":
            warm, strike = "INSERT INTO account VALUES (7, 7)", "INSERT INTO account VALUES (9, 7)"
        winner.pgconn.exec_(warm.encode())
        loser.pgconn.send_query(CASES[case].encode())
        time.sleep(0.15)
        started = time.monotonic()
        assert winner.pgconn.exec_(strike.encode()).status == psycopg.pq.ExecStatus.COMMAND_OK
        assert time.monotonic() - started < 0.2
        found = outcome(loser)
        assert found[-1] == REFUSED
        # nothing was answered as done before the commit, except the statements of a Query before its last
        assert found[:-1] == (["UPDATE 1", "SELECT 1"] if case == "several" else [])
        assert loser.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert loser.execute("SELECT balance FROM account WHERE id = 8").fetchone() is not None
        row = loser.execute(f"SELECT balance FROM account WHERE id = {9 if case == 'insert_select' else 1}").fetchone()
        assert row == (7,)

"""The gateway over the whole stack: settings, plans across DDL, conflicts, COPY limits, cancel, counters."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from psycopg import errors
from tests_support import RunningServer


@pytest.fixture
def connection(server: RunningServer):
    """An autocommit connection."""
    with psycopg.connect(server.dsn, autocommit=True) as found:
        yield found


def test_settings_are_reported_and_kept(connection) -> None:
    """ParameterStatus after SET; the value formats."""
    connection.execute("SET TimeZone TO 'Europe/Berlin'")
    assert connection.info.parameter_status("TimeZone") == "Europe/Berlin"
    connection.execute("SET datestyle TO 'German'")
    assert connection.info.parameter_status("DateStyle") == "German, DMY"
    assert connection.execute("SELECT date '2026-11-21'::text").fetchone() == ("21.11.2026",)
    connection.execute("SET application_name TO 'gateway test'")
    assert connection.info.parameter_status("application_name") == "gateway test"
    connection.execute("RESET ALL")
    assert connection.info.parameter_status("TimeZone") == "UTC"


def test_settings_follow_the_transaction(connection) -> None:
    """ROLLBACK takes a SET back, COMMIT keeps it, SET LOCAL ends with the transaction."""
    connection.execute("BEGIN")
    connection.execute("SET TimeZone TO 'Asia/Tokyo'")
    assert connection.info.parameter_status("TimeZone") == "Asia/Tokyo"
    connection.execute("ROLLBACK")
    assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
    assert connection.info.parameter_status("TimeZone") == "UTC"
    connection.execute("BEGIN; SET LOCAL TimeZone TO 'Asia/Tokyo'; COMMIT")
    assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
    connection.execute("BEGIN; SET TimeZone TO 'Asia/Tokyo'; COMMIT")
    assert connection.execute("SHOW timezone").fetchone() == ("Asia/Tokyo",)


def test_settings_do_not_leak_between_sessions(server: RunningServer, connection) -> None:
    """The plan of one search_path is not used under another."""
    connection.execute("CREATE SCHEMA gateway_a")
    connection.execute("CREATE TABLE gateway_a.leak (v text)")
    connection.execute("INSERT INTO gateway_a.leak VALUES ('a')")
    with psycopg.connect(server.dsn, autocommit=True) as other:
        other.execute("SET search_path TO gateway_a")
        assert other.execute("SELECT v FROM leak").fetchone() == ("a",)
        with pytest.raises(errors.UndefinedTable):
            connection.execute("SELECT v FROM leak")
        assert other.execute("SELECT v FROM leak").fetchone() == ("a",)


def test_plans_follow_ddl(server: RunningServer, connection) -> None:
    """A cached plan and a prepared statement see the new column after another session's ALTER, and the one OC001 it costs."""
    connection.execute("CREATE TABLE follow (id int PRIMARY KEY)")
    connection.execute("INSERT INTO follow VALUES (1)")
    for _ in range(3):
        assert connection.execute("SELECT * FROM follow WHERE id = 1").fetchone() == (1,)
        assert connection.execute("SELECT id FROM follow WHERE id = %s", (1,), prepare=True).fetchone() == (1,)
    with psycopg.connect(server.dsn, autocommit=True) as other:
        other.execute("ALTER TABLE follow ADD COLUMN v text")
    with pytest.raises(errors.SerializationFailure, match=r"\(OC001\)"):
        connection.execute("SELECT * FROM follow WHERE id = 1")
    assert connection.execute("SELECT * FROM follow WHERE id = 1").fetchone() == (1, None)
    assert connection.execute("SELECT id FROM follow WHERE id = %s", (1,), prepare=True).fetchone() == (1,)


def test_result_type_of_a_prepared_statement(server: RunningServer, connection) -> None:
    """0A000 when the columns it was described with are gone."""
    connection.execute("CREATE TABLE described (id int PRIMARY KEY)")
    for _ in range(2):
        connection.execute("SELECT * FROM described WHERE id = %s", (1,), prepare=True)
    with psycopg.connect(server.dsn, autocommit=True) as other:
        other.execute("ALTER TABLE described ADD COLUMN v text")
    with pytest.raises(errors.SerializationFailure, match=r"\(OC001\)"):
        connection.execute("SELECT * FROM described WHERE id = %s", (1,), prepare=True)
    with pytest.raises(errors.FeatureNotSupported, match="cached plan must not change result type"):
        connection.execute("SELECT * FROM described WHERE id = %s", (1,), prepare=True)


def test_conflict(server: RunningServer, connection) -> None:
    """The second to commit gets OC000, at COMMIT and in autocommit."""
    connection.execute("CREATE TABLE conflict (id int PRIMARY KEY, v int)")
    connection.execute("INSERT INTO conflict VALUES (1, 0)")
    with psycopg.connect(server.dsn, autocommit=True) as other:
        connection.execute("BEGIN")
        connection.execute("UPDATE conflict SET v = v + 1 WHERE id = 1")
        other.execute("UPDATE conflict SET v = v + 10 WHERE id = 1")
        with pytest.raises(errors.SerializationFailure, match=r"change conflicts with another transaction \(OC000\)"):
            connection.execute("COMMIT")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert connection.execute("SELECT v FROM conflict").fetchone() == (10,)


def test_lifted_literals_keep_their_types(connection) -> None:
    """What a literal is does not depend on having been lifted."""
    assert connection.execute("SELECT 1, 1.50, 3000000000, 'x', '2020-01-01'::date, 1 + 1.5, 7 / 2, -5 % 3").fetchone()[:4] == (
        1, __import__("decimal").Decimal("1.50"), 3000000000, "x",
    )  # fmt: skip
    assert connection.execute("SELECT pg_typeof(1)::text, pg_typeof(1.5)::text, pg_typeof('x')::text").fetchone() == (
        "integer", "numeric", "unknown",
    )  # fmt: skip


def test_error_position(connection) -> None:
    """In the Query as sent, also for the second statement and in front of multi-byte characters."""
    for text, position in (("SELECT nope", "8"), ("SELECT 'ä', nope", "13"), ("SELECT 1; SELECT nope", "18"), ("SELECT 'x'::int", "8")):
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(text)
        assert caught.value.diag.statement_position == position, text


def test_grammar_of_the_whole_query_first(connection) -> None:
    """A syntax error in a later statement: nothing has run, one result, its position in the whole text."""
    connection.execute("CREATE TABLE whole (id int PRIMARY KEY, v text)")
    cases = (
        ("INSERT INTO whole VALUES (1, 'a'); INSRT INTO whole VALUES (2, 'b'); INSERT INTO whole VALUES (3, 'c')", "36", "INSRT"),
        ("INSERT INTO whole VALUES (1, 'ä;'); SELECT FROM WHERE; COMMIT", "49", "WHERE"),
        ("BEGIN; INSERT INTO whole VALUES (1, 'a'); COMMIT; SELECT 1 1", "60", "1"),
        ("CREATE TABLE whole_too (id int); SELECT async; SELECT 1", "41", "async"),
        ("DROP TABLE whole; AWS IAM GRANT x TO; SELECT 1", "37", ";"),
        ("INSERT INTO whole VALUES (1, 'a'); SELECT (1; SELECT 2)", "45", ";"),
    )
    for text, position, word in cases:
        for _ in range(2):
            result = connection.pgconn.exec_(text.encode())
            assert result.status == psycopg.pq.ExecStatus.FATAL_ERROR, text
            with pytest.raises(errors.SyntaxError, match=f'at or near "{word}"') as caught:
                connection.execute(text)
            assert caught.value.diag.statement_position == position, text
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert connection.execute("SELECT count(*) FROM whole").fetchone() == (0,)
    with pytest.raises(errors.UndefinedTable):
        connection.execute("SELECT * FROM whole_too")


def results(cursor) -> list[str]:
    """Command tags of every result of an execute."""
    found = [cursor.statusmessage]
    while cursor.nextset():
        found.append(cursor.statusmessage)
    return found


def test_transaction_in_one_query(connection) -> None:
    """BEGIN; ...; COMMIT as one text, new and from the cache; DSQL's own words; an error when it runs."""
    connection.execute("CREATE TABLE one_query (id int PRIMARY KEY, v text)")
    for number in range(5):
        text = f"BEGIN; INSERT INTO one_query VALUES ({number}, 'x;y'); COMMIT"
        assert results(connection.execute(text)) == ["BEGIN", "INSERT 0 1", "COMMIT"]
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert results(connection.execute("SELECT 1; UPDATE one_query SET v = 'z' WHERE id < 3; SELECT 2")) == ["SELECT 1", "UPDATE 3", "SELECT 1"]
    assert results(connection.execute("CREATE INDEX ASYNC ON one_query (v); SELECT 1"))[-1] == "SELECT 1"
    # what only running shows comes after the results before it, and takes them back
    with pytest.raises(errors.UndefinedTable):
        connection.execute("INSERT INTO one_query VALUES (9, 'q'); SELECT * FROM never_made")
    with pytest.raises(errors.UniqueViolation):
        connection.execute("BEGIN; INSERT INTO one_query VALUES (9, 'q'); INSERT INTO one_query VALUES (1, 'q'); COMMIT")
    connection.execute("ROLLBACK")
    assert connection.execute("SELECT count(*) FROM one_query").fetchone() == (5,)


def test_copy_round_trip(connection) -> None:
    """What goes in comes out, in the three formats."""
    connection.execute("CREATE TABLE copied (id int PRIMARY KEY, v text, n numeric, at timestamptz)")
    rows = [(i, None if i % 7 == 0 else f'text\t"{i}"\n\\,ä', i * 100, None) for i in range(500)]
    with connection.cursor() as cursor:
        with cursor.copy("COPY copied (id, v, n, at) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        assert cursor.rowcount == 500
        for style in ("text", "csv", "csv, HEADER", "binary"):
            with cursor.copy(f"COPY copied TO STDOUT (FORMAT {style})") as copy:
                data = b"".join(bytes(part) for part in copy)
            cursor.execute("DELETE FROM copied")
            with cursor.copy(f"COPY copied FROM STDIN (FORMAT {style})") as copy:
                for at in range(0, len(data), 999):
                    copy.write(data[at : at + 999])
            assert cursor.rowcount == 500, style
            found = cursor.execute("SELECT id, v, n, at FROM copied ORDER BY id").fetchall()
            assert [tuple(row) for row in found] == rows, style
        with cursor.copy("COPY (SELECT id FROM copied WHERE id < 3 ORDER BY id) TO STDOUT") as copy:
            assert [row[0] for row in copy.rows()] == ["0", "1", "2"]


def test_copy_row_limit(connection) -> None:
    """3,000 rows in a transaction, not one more; nothing of a refused COPY stays."""
    connection.execute("CREATE TABLE copy_limit (id int PRIMARY KEY)")
    with connection.cursor() as cursor:
        with cursor.copy("COPY copy_limit FROM STDIN") as copy:
            for i in range(3000):
                copy.write_row((i,))
        with pytest.raises(errors.ProgramLimitExceeded, match="transaction row limit exceeded"):
            with cursor.copy("COPY copy_limit FROM STDIN") as copy:
                for i in range(3000, 6001):
                    copy.write_row((i,))
        assert cursor.execute("SELECT count(*) FROM copy_limit").fetchone() == (3000,)
        with pytest.raises(errors.UniqueViolation):
            with cursor.copy("COPY copy_limit FROM STDIN") as copy:
                copy.write_row((1,))


def test_cancel(server: RunningServer, connection) -> None:
    """A long query ends with 57014 and the session goes on."""
    connection.execute("CREATE TABLE endless (id int PRIMARY KEY)")
    connection.execute("INSERT INTO endless SELECT generate_series(1, 2000)")
    timer = threading.Timer(0.3, connection.cancel)
    timer.start()
    before = time.monotonic()
    with pytest.raises(errors.QueryCanceled, match="canceling statement due to user request"):
        connection.execute("SELECT count(*) FROM endless a, endless b, endless c WHERE a.id + b.id + c.id < 0")
    assert time.monotonic() - before < 10
    assert connection.execute("SELECT 1").fetchone() == (1,)
    timer.join()


def test_a_long_query_does_not_stop_others(server: RunningServer, connection) -> None:
    """Point selects are served while an aggregate runs in the same worker."""
    connection.execute("CREATE TABLE long_query (id int PRIMARY KEY)")
    connection.execute("INSERT INTO long_query SELECT generate_series(1, 2000)")
    done = threading.Event()

    def long() -> None:
        with psycopg.connect(server.dsn, autocommit=True) as other:
            with pytest.raises(errors.QueryCanceled):
                threading.Timer(1.0, other.cancel).start()
                other.execute("SELECT count(*) FROM long_query a, long_query b, long_query c WHERE a.id + b.id + c.id < 0")
        done.set()

    thread = threading.Thread(target=long)
    thread.start()
    served = 0
    while not done.is_set():
        connection.execute("SELECT id FROM long_query WHERE id = 7")
        served += 1
    thread.join()
    assert served > 200


def test_notices(connection) -> None:
    """IF EXISTS and friends arrive as notices."""
    seen: list[str] = []
    connection.add_notice_handler(lambda diagnostic: seen.append(diagnostic.message_primary))
    connection.execute("DROP TABLE IF EXISTS never_made")
    connection.execute("COMMIT")
    assert seen == ['table "never_made" does not exist, skipping', "there is no transaction in progress"]


def test_pipeline(connection) -> None:
    """libpq's pipeline mode."""
    connection.execute("CREATE TABLE piped (id int PRIMARY KEY)")
    with connection.pipeline():
        cursors = [connection.execute("INSERT INTO piped VALUES (%s)", (i,)) for i in range(100)]
        last = connection.execute("SELECT count(*) FROM piped")
    assert [c.rowcount for c in cursors] == [1] * 100
    assert last.fetchone() == (100,)


def test_server_side_limits_of_a_portal(connection) -> None:
    """Rows come in pieces through a stream."""
    connection.execute("CREATE TABLE streamed (id int PRIMARY KEY)")
    connection.execute("INSERT INTO streamed SELECT generate_series(1, 3000)")
    with connection.cursor() as cursor:
        assert sum(1 for _ in cursor.stream("SELECT id FROM streamed")) == 3000


def test_a_role_needs_no_token_here(server: RunningServer) -> None:
    """Without tokens a role that may log in is let in, and its session outlives DDL; a name that is no role is refused."""
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        admin.execute("create role visitor login")
        try:
            with psycopg.connect(server.dsn, user="visitor", autocommit=True) as visitor:
                assert visitor.execute("select current_user").fetchone() == ("visitor",)
                admin.execute("create schema beside")
                admin.execute("drop schema beside")
                assert visitor.execute("select 1").fetchone() == (1,)
        finally:
            admin.execute("drop role visitor")
    with pytest.raises(psycopg.OperationalError, match="unable to accept connection, access denied"):
        psycopg.connect(server.dsn, user="visitor")

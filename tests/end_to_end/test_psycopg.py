"""psycopg 3, unmodified: text and binary, prepared, pipeline mode, COPY, errors."""

import datetime
import decimal
import uuid

import psycopg
import pytest


@pytest.fixture
def connection(server):
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS pg3")
        connection.execute(
            "CREATE TABLE pg3 (id int PRIMARY KEY, b boolean, s smallint, l bigint, r real, d double precision, n numeric(20,4), t text, v varchar(20), c char(5), "
            "y bytea, da date, ti time, ts timestamp, tz timestamptz, iv interval, u uuid, j json, jb jsonb)"
        )
        yield connection


ROW = (
    1, True, -5, 2**60, 1.5, 2.25, decimal.Decimal("1234567.8900"), "täxt", "var", "ab   ", b"\x00\xff", datetime.date(2026, 11, 21), datetime.time(1, 2, 3, 4),
    datetime.datetime(2026, 1, 2, 3, 4, 5, 6), datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), datetime.timedelta(days=3, hours=4), uuid.UUID(int=7),
    {"a": [1, 2]}, {"b": None},
)


@pytest.mark.parametrize("binary", [False, True])
def test_every_type_both_formats(connection, binary) -> None:
    from psycopg.types.json import Json, Jsonb

    values = [*ROW[:-2], Json(ROW[-2]), Jsonb(ROW[-1])]
    holder = "%b" if binary else "%t"
    columns = ", ".join([holder] * len(values))
    with connection.cursor(binary=binary) as cursor:
        cursor.execute(f"INSERT INTO pg3 VALUES ({columns})", values)
        assert cursor.execute("SELECT * FROM pg3").fetchone() == ROW
        assert cursor.execute(f"SELECT id FROM pg3 WHERE id = {holder} AND n = {holder}", (1, ROW[6])).fetchall() == [(1,)]


def test_nulls(connection) -> None:
    connection.execute("INSERT INTO pg3 (id) VALUES (9)")
    assert connection.execute("SELECT * FROM pg3 WHERE id = 9").fetchone() == (9, *([None] * 18))


def test_prepared_statement_survives_schema_change(connection) -> None:
    for _ in range(8):
        connection.execute("SELECT count(*) FROM pg3 WHERE id > %s", (0,), prepare=True)
    connection.execute("ALTER TABLE pg3 ADD COLUMN extra int")
    assert connection.execute("SELECT count(*) FROM pg3 WHERE id > %s", (0,), prepare=True).fetchone() == (0,)


def test_pipeline(connection) -> None:
    with connection.pipeline():
        cursors = [connection.execute("INSERT INTO pg3 (id, t) VALUES (%s, %s) RETURNING id", (i, str(i))) for i in range(50)]
        assert [cursor.fetchone()[0] for cursor in cursors] == list(range(50))
    assert connection.execute("SELECT count(*) FROM pg3").fetchone() == (50,)


def test_pipeline_error_aborts_the_rest_until_sync(connection) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation), connection.pipeline():
        connection.execute("INSERT INTO pg3 (id) VALUES (1)")
        connection.execute("INSERT INTO pg3 (id) VALUES (1)")
        connection.execute("INSERT INTO pg3 (id) VALUES (2)")
    assert connection.execute("SELECT count(*) FROM pg3").fetchone() == (0,)


def test_copy_in_and_out(connection) -> None:
    with connection.cursor() as cursor:
        with cursor.copy("COPY pg3 (id, t) FROM STDIN") as copy:
            for i in range(2000):
                copy.write_row((i, f"row {i}\twith tab"))
        assert cursor.rowcount == 2000
        with cursor.copy("COPY (SELECT id, t FROM pg3 WHERE id < 3 ORDER BY id) TO STDOUT") as copy:
            assert list(copy.rows()) == [(str(i), f"row {i}\twith tab") for i in range(3)]


def test_copy_binary(connection) -> None:
    with connection.cursor() as cursor:
        with cursor.copy("COPY pg3 (id, l, t) FROM STDIN WITH (FORMAT binary)") as copy:
            copy.set_types(["int4", "int8", "text"])
            copy.write_row((1, 2**40, "x"))
            copy.write_row((2, None, None))
        with cursor.copy("COPY (SELECT id, l, t FROM pg3 ORDER BY id) TO STDOUT WITH (FORMAT binary)") as copy:
            copy.set_types(["int4", "int8", "text"])
            assert list(copy.rows()) == [(1, 2**40, "x"), (2, None, None)]


def test_row_limit_of_a_transaction(connection) -> None:
    with connection.cursor() as cursor, pytest.raises(psycopg.errors.ProgramLimitExceeded, match="transaction row limit exceeded"):
        with cursor.copy("COPY pg3 (id) FROM STDIN") as copy:
            for i in range(3001):
                copy.write_row((i,))
    assert connection.execute("SELECT count(*) FROM pg3").fetchone() == (0,)
    connection.execute("INSERT INTO pg3 (id) SELECT g FROM generate_series(1, 3000) AS g")
    with pytest.raises(psycopg.errors.ProgramLimitExceeded):
        connection.execute("INSERT INTO pg3 (id) SELECT g FROM generate_series(4001, 7001) AS g")


def test_server_side_portal(connection) -> None:
    """A portal with a row limit streams (psycopg's stream uses single-row mode; the limit is on the wire level tests)."""
    connection.execute("INSERT INTO pg3 (id) SELECT g FROM generate_series(1, 1000) AS g")
    with connection.cursor() as cursor:
        assert sum(row[0] for row in cursor.stream("SELECT id FROM pg3")) == 500500


def test_error_fields(connection) -> None:
    connection.execute("INSERT INTO pg3 (id) VALUES (1)")
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        connection.execute("INSERT INTO pg3 (id) VALUES (1)")
    diag = caught.value.diag
    assert (diag.sqlstate, diag.message_primary) == ("23505", 'duplicate key value violates unique constraint "pg3_pkey"')
    assert diag.message_detail == "Key (id)=(1) already exists."
    assert (diag.schema_name, diag.table_name, diag.constraint_name) == ("public", "pg3", "pg3_pkey")


def test_cancel(connection, server) -> None:
    import threading

    connection.execute("INSERT INTO pg3 (id) SELECT g FROM generate_series(1, 3000) AS g")
    timer = threading.Timer(0.3, connection.cancel_safe)
    timer.start()
    with pytest.raises(psycopg.errors.QueryCanceled, match="canceling statement due to user request"):
        connection.execute("SELECT count(*) FROM pg3 a, pg3 b, pg3 c WHERE a.id + b.id + c.id = -1")
    timer.join()
    assert connection.execute("SELECT 1").fetchone() == (1,)

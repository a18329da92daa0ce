"""The engine in this process: DB-API 2.0, conflicts between sessions, arrays, restart."""

import datetime
import decimal
import uuid

import opendsql
import pytest
from opendsql.embedded import Database, IntegrityError, NotSupportedError, OperationalError, ProgrammingError


@pytest.fixture
def connection(tmp_path):
    connection = opendsql.connect(str(tmp_path / "data"))
    connection.autocommit = True
    connection.cursor().execute("CREATE TABLE t (id int PRIMARY KEY, v text, n numeric(10,2), at timestamptz, u uuid, d date)")
    yield connection
    connection.close()


def test_values_come_back_as_they_went_in(connection) -> None:
    row = (1, "it's", decimal.Decimal("2.50"), datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), uuid.UUID(int=9), datetime.date(2026, 1, 2))
    cursor = connection.cursor()
    cursor.execute("INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s)", row)
    assert cursor.rowcount == 1
    cursor.execute("SELECT * FROM t WHERE id = %(id)s AND v = %(v)s", {"id": 1, "v": "it's"})
    assert cursor.fetchall() == [row]
    assert [column[0] for column in cursor.description] == ["id", "v", "n", "at", "u", "d"]


def test_errors_are_pep_249s(connection) -> None:
    cursor = connection.cursor()
    cursor.execute("INSERT INTO t (id) VALUES (1)")
    for sql, kind, state in (
        ("INSERT INTO t (id) VALUES (1)", IntegrityError, "23505"),
        ("SELECT nothing FROM t", ProgrammingError, "42703"),
        ("SELEC 1", ProgrammingError, "42601"),
        ("TRUNCATE t", NotSupportedError, "0A000"),
    ):
        with pytest.raises(kind) as caught:
            cursor.execute(sql)
        assert caught.value.sqlstate == state
    cursor.execute("SELECT count(*) FROM t")
    assert cursor.fetchone() == (1,)


def test_conflict_between_two_sessions(connection) -> None:
    connection.cursor().execute("INSERT INTO t (id, v) VALUES (1, 'a')")
    first, second = connection.database.session(), connection.database.session()
    first.begin()
    first.execute("UPDATE t SET v = 'first' WHERE id = 1")
    second.execute("UPDATE t SET v = 'second' WHERE id = 1")
    with pytest.raises(Exception, match=r"OC000") as caught:
        first.commit()
    assert caught.value.sqlstate == "40001"
    assert second.execute("SELECT v FROM t").rows() == [("second",)]


def test_transaction_begins_by_itself(tmp_path) -> None:
    with opendsql.connect(str(tmp_path / "other")) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE u (id int PRIMARY KEY)")
        connection.commit()
        cursor.execute("INSERT INTO u VALUES (1)")
        connection.rollback()
        cursor.execute("SELECT count(*) FROM u")
        assert cursor.fetchone() == (0,)


def test_columns_as_arrays(connection) -> None:
    session = connection.session
    session.execute("INSERT INTO t (id, n) SELECT g, g / 2.0 FROM generate_series(1, 100) AS g")
    found = session.execute("SELECT id, id::float8 AS f, v FROM t ORDER BY id").numpy()
    assert found["id"].sum() == 5050
    assert found["f"].dtype == "float64"
    assert found["v"].tolist() == [None] * 100


def test_index_is_built_and_everything_is_there_after_reopening(tmp_path) -> None:
    path = str(tmp_path / "again")
    with opendsql.connect(path) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE k (id int PRIMARY KEY, v int)")
        cursor.execute("INSERT INTO k SELECT g, g % 7 FROM generate_series(1, 2000) AS g")
        cursor.execute("CREATE INDEX ASYNC k_v ON k (v)")
    database = Database(path)
    session = database.session()
    assert session.execute("SELECT status FROM sys.jobs").rows() == [("completed",)]
    assert session.execute("SELECT count(*) FROM k WHERE v = 3").rows() == [(286,)]
    assert "k_v" in str(session.execute("EXPLAIN SELECT id FROM k WHERE v = 3").texts)
    database.close()


def test_one_process_at_a_time(tmp_path) -> None:
    database = Database(tmp_path / "data")
    with pytest.raises(opendsql.OperatorError, match="in use"):
        Database(tmp_path / "data")
    database.close()


def test_row_limit(connection) -> None:
    with pytest.raises(OperationalError, match="transaction row limit exceeded"):
        connection.cursor().execute("INSERT INTO t (id) SELECT g FROM generate_series(1, 3001) AS g")

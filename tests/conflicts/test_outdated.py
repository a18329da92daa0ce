"""OC001 where scripts do not reach: prepared statements and portals, COPY, EXPLAIN, the embedded engine, many tables."""

from pathlib import Path

import opendsql
import psycopg
import pytest
from opendsql.embedded import Database
from psycopg import errors

OUTDATED = r"schema has been updated by another transaction \(OC001\)"


@pytest.fixture
def sessions(server):
    """(the one with a history, the one that changes things)."""
    with psycopg.connect(server.dsn, autocommit=True) as user, psycopg.connect(server.dsn, autocommit=True) as changer:
        changer.execute("DROP TABLE IF EXISTS thing")
        changer.execute("CREATE TABLE thing (id int PRIMARY KEY, value int)")
        changer.execute("INSERT INTO thing SELECT n, n FROM generate_series(1, 20) n")
        yield user, changer


def change(changer: psycopg.Connection) -> None:
    changer.execute("COMMENT ON TABLE thing IS 'changed'")


def test_prepared_statements(sessions) -> None:
    user, changer = sessions
    read, write = "SELECT value FROM thing WHERE id = %s", "UPDATE thing SET value = value WHERE id = %s"
    for sql in (read, write):
        for _ in range(2):
            user.execute(sql, (1,), prepare=True)
        change(changer)
        with pytest.raises(errors.SerializationFailure, match=OUTDATED):
            user.execute(sql, (1,), prepare=True)
        user.execute(sql, (1,), prepare=True)


def test_a_plan_another_session_made_is_no_way_around(sessions, server) -> None:
    user, changer = sessions
    sql = "SELECT value FROM thing WHERE id = 1"
    user.execute(sql)
    change(changer)
    with psycopg.connect(server.dsn, autocommit=True) as third:
        third.execute(sql)
        third.execute(sql)
    with pytest.raises(errors.SerializationFailure, match=OUTDATED):
        user.execute(sql)
    user.execute(sql)


def test_a_portal_under_way_goes_on(sessions) -> None:
    user, changer = sessions
    with user.transaction(), user.cursor() as cursor:
        rows = cursor.stream("SELECT id FROM thing ORDER BY id")
        assert next(rows) == (1,)
        change(changer)
        assert len(list(rows)) == 19


def test_copy_and_explain(sessions) -> None:
    user, changer = sessions
    user.execute("SELECT count(*) FROM thing")
    change(changer)
    with pytest.raises(errors.SerializationFailure, match=OUTDATED), user.cursor().copy("COPY thing TO STDOUT") as copy:
        list(copy)
    with user.cursor().copy("COPY thing TO STDOUT") as copy:
        assert len(list(copy)) == 20
    change(changer)
    with pytest.raises(errors.SerializationFailure, match=OUTDATED), user.cursor().copy("COPY thing FROM STDIN") as copy:
        copy.write_row((21, 21))
    assert user.execute("SELECT count(*) FROM thing").fetchone() == (20,)
    change(changer)
    with pytest.raises(errors.SerializationFailure, match=OUTDATED):
        user.execute("EXPLAIN SELECT count(*) FROM thing")
    user.execute("EXPLAIN ANALYZE SELECT count(*) FROM thing")


def test_analyze_is_no_change(sessions) -> None:
    user, changer = sessions
    user.execute("SELECT count(*) FROM thing")
    changer.execute("ANALYZE thing")
    user.execute("SELECT count(*) FROM thing")


def test_one_refusal_brings_everything_up_to_date(sessions) -> None:
    user, changer = sessions
    names = [f"many_{n}" for n in range(40)]
    for name in names:
        changer.execute(f"CREATE TABLE IF NOT EXISTS {name} (id int PRIMARY KEY)")
        user.execute(f"SELECT count(*) FROM {name}")
    for name in names[:5]:
        changer.execute(f"ALTER TABLE {name} ADD COLUMN v int")
    for name in names[5:]:
        user.execute(f"SELECT count(*) FROM {name}")
    with pytest.raises(errors.SerializationFailure, match=OUTDATED):
        user.execute("SELECT count(*) FROM many_3")
    for name in names:
        user.execute(f"SELECT v FROM {name}" if name in names[:5] else f"SELECT id FROM {name}")
    for name in names:
        changer.execute(f"DROP TABLE {name}")


def test_foreign_keys_and_functions(sessions) -> None:
    user, changer = sessions
    changer.execute("DROP TABLE IF EXISTS part")
    changer.execute("CREATE TABLE part (id int PRIMARY KEY, thing int REFERENCES thing)")
    user.execute("INSERT INTO part VALUES (1, 1)")
    change(changer)
    with pytest.raises(errors.SerializationFailure, match=OUTDATED):
        user.execute("INSERT INTO part VALUES (2, 1)")
    changer.execute("CREATE OR REPLACE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS 'SELECT a * 2'")
    assert user.execute("SELECT twice(2)").fetchone() == (4,)
    changer.execute("CREATE OR REPLACE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS 'SELECT a * 3'")
    with pytest.raises(errors.SerializationFailure, match=OUTDATED):
        user.execute("SELECT twice(2)")
    assert user.execute("SELECT twice(2)").fetchone() == (6,)
    changer.execute("DROP FUNCTION twice(int)")
    changer.execute("DROP TABLE part")


def test_embedded(tmp_path: Path) -> None:
    database = Database(tmp_path / "data")
    try:
        one, two = database.session(), database.session()
        one.execute("CREATE TABLE t (id int PRIMARY KEY, v int)")
        one.execute("INSERT INTO t VALUES (1, 10)")
        assert two.execute("SELECT v FROM t").rows() == [(10,)]
        one.execute("ALTER TABLE t ADD COLUMN w int")
        one.execute("CREATE INDEX ASYNC t_v ON t (v)")
        assert one.execute("SELECT v FROM t WHERE v = 10").rows() == [(10,)]
        with pytest.raises(Exception, match=OUTDATED):
            two.execute("SELECT v FROM t")
        assert two.execute("SELECT w FROM t").rows() == [(None,)]
        two.begin()
        two.execute("UPDATE t SET v = 11 WHERE id = 1")
        one.execute("DROP TABLE t")
        with pytest.raises(Exception, match=OUTDATED):
            two.execute("SELECT v FROM t")
        two.rollback()
        with pytest.raises(Exception, match='relation "t" does not exist'):
            two.execute("SELECT v FROM t")
        with pytest.raises(Exception, match='relation "t" does not exist'):
            two.execute("ALTER TABLE t ADD COLUMN x int")
        assert two.handle.state == "idle"
    finally:
        database.close()


def test_embedded_alone(tmp_path: Path) -> None:
    with opendsql.connect(str(tmp_path / "data")) as connection:
        cursor = connection.cursor()
        for sql in (
            "CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1)", "CREATE INDEX ASYNC t_v ON t (v)",
            "SELECT * FROM t", "ALTER TABLE t ADD COLUMN w int", "SELECT * FROM t", "DROP TABLE t",
            "CREATE TABLE t (id int PRIMARY KEY)", "SELECT * FROM t",
        ):  # fmt: skip
            cursor.execute(sql)
            connection.commit()
        assert cursor.fetchall() == []

"""nextval from many sessions at once, over the wire and embedded: every value once, and nobody is ever refused for it."""

import threading
from pathlib import Path

import psycopg
from opendsql.embedded import Database

SESSIONS = 6
ROUNDS = 25


def test_takers_at_once(server) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as setup:
        setup.execute("DROP TABLE IF EXISTS numbered")
        setup.execute("CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY, who int)")
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with psycopg.connect(server.dsn, autocommit=True) as session:
                for turn in range(ROUNDS):
                    session.execute("BEGIN")
                    session.execute("INSERT INTO numbered (who) VALUES (%s), (%s)", (number, number))
                    session.execute("ROLLBACK" if turn % 5 == 4 else "COMMIT")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not failures, failures[0]
    with psycopg.connect(server.dsn, autocommit=True) as session:
        rows = session.execute("SELECT count(*), count(DISTINCT id), max(id) FROM numbered").fetchone()
        assert rows[0] == rows[1] == SESSIONS * ROUNDS * 2 * 4 // 5
        assert rows[2] <= SESSIONS * ROUNDS * 2  # what was rolled back is gone, nothing else
        session.execute("DROP TABLE numbered")


def test_embedded(tmp_path: Path) -> None:
    database = Database(tmp_path / "data")
    try:
        one, two = database.session(), database.session()
        one.execute("CREATE SEQUENCE s CACHE 1")
        one.begin()
        two.begin()
        values = [session.execute("SELECT nextval('s')").rows()[0][0] for session in (one, two, one)]
        assert values == [1, 2, 3]
        one.rollback()
        two.commit()
        assert one.execute("SELECT nextval('s'), currval('s')").rows() == [(4, 4)]
    finally:
        database.close()
    database = Database(tmp_path / "data")
    try:
        assert database.session().execute("SELECT nextval('s')").rows() == [(5,)]
    finally:
        database.close()

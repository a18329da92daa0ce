"""A unique index built while others write: its entries are exactly those of the rows, whatever raced with the build."""

import random
import threading
import time

import psycopg
import pytest
from psycopg import errors

ROWS = 4000
SECONDS_MAX = 12.0
WRITERS = 3


def write(dsn: str, number: int, taken: bool, stop: threading.Event, failures: list[BaseException], done: list[int]) -> None:
    chance = random.Random(number)
    fresh = 1_000_000 * number
    try:
        with psycopg.connect(dsn, autocommit=True) as session:
            while not stop.is_set():
                fresh += 1
                row = chance.randrange(1, ROWS + 1)
                sql = chance.choice(
                    (
                        f"UPDATE built SET code = {fresh} WHERE id = {row}",
                        f"DELETE FROM built WHERE id = {row}",
                        f"INSERT INTO built VALUES ({row}, {fresh}) ON CONFLICT (id) DO UPDATE SET code = {fresh}",
                        f"INSERT INTO built VALUES ({fresh}, {row if taken else fresh})",
                    )
                )
                try:
                    session.execute(sql)
                    done.append(fresh)
                except (errors.SerializationFailure, errors.UniqueViolation):
                    pass
    except BaseException as error:
        failures.append(error)


@pytest.mark.parametrize("duplicates", [False, True])
def test_unique_build_beside_writers(duplicates: bool, server) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as session:
        session.execute("DROP TABLE IF EXISTS built")
        session.execute("CREATE TABLE built (id int PRIMARY KEY, code int)")
        for start in range(1, ROWS, 2000):
            session.execute(f"INSERT INTO built SELECT n, n FROM generate_series({start}, {start + 1999}) n")
        if duplicates:
            session.execute("INSERT INTO built VALUES (-1, -7), (-2, -7)")
        stop, failures, done = threading.Event(), [], []
        rest = (duplicates, stop, failures, done)
        threads = [threading.Thread(target=write, args=(server.dsn, n, *rest)) for n in range(1, WRITERS + 1)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.3)
            while True:
                try:
                    job = session.execute("CREATE UNIQUE INDEX ASYNC built_code ON built (code)").fetchone()[0]
                    break
                except errors.SerializationFailure:
                    continue
            deadline = time.monotonic() + SECONDS_MAX
            status = "submitted"
            while status in ("submitted", "processing") and time.monotonic() < deadline:
                time.sleep(0.05)
                status, details = session.execute("SELECT status, details FROM sys.jobs WHERE job_id = %s", (job,)).fetchone()
        finally:
            stop.set()
            for thread in threads:
                thread.join(10)
        assert not failures, failures[0]
        assert len(done) > 20
        counts = session.execute("SELECT count(*), count(DISTINCT code) FROM built").fetchone()
        valid = session.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'built_code'::regclass").fetchone()[0]
        if duplicates:
            assert status == "failed"
            assert details == "found duplicate key(s) while validating index uniqueness" and not valid
        else:
            assert status == "completed" and valid
            assert counts[0] == counts[1]
            by_index = session.execute("SELECT code FROM built WHERE code > -1000000 ORDER BY code").fetchall()
            by_table = session.execute("SELECT code FROM built WHERE id + 0 > -1000000").fetchall()
            assert by_index == sorted(by_table)
        # valid or not, it enforces
        code = session.execute("SELECT code FROM built ORDER BY id DESC LIMIT 1").fetchone()[0]
        with pytest.raises(errors.UniqueViolation, match="built_code"):
            session.execute("INSERT INTO built VALUES (-100, %s)", (code,))
        session.execute("DROP TABLE built")

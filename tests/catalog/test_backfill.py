"""Index builds over the real engine: entries of existing rows, duplicates, writers in between, restart."""

import pytest
from opendsql.catalog import backfill, hooks, jobs, load, store
from opendsql.embedded import Database


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "data", 64 << 20)
    yield opened
    opened.close()


def table(session, name):
    return load.load(session.handle).relations[("public", name)]


def entries(session, index, types):
    return [tuple(store.decode_row(types, image)) for _, image in session.handle.scan(index.oid)]


def no_jobs(database, monkeypatch):
    # Jobs are run by the test, step by step.
    monkeypatch.setattr(database, "work_off_jobs", lambda: None)


def fill(session, rows):
    for start in range(0, len(rows), 1000):
        values = ", ".join(str(row) for row in rows[start : start + 1000])
        session.execute(f"insert into t values {values}")


def test_compiled_and_plain_forms_agree(database, monkeypatch):
    session = database.session()
    session.execute("create table t (a bigint, b text, c bigint, primary key (b, a))")
    fill(session, [(i, f"k{i % 13}", i % 7) for i in range(2500)])
    no_jobs(database, monkeypatch)
    session.execute("create index async i on t (c, b) include (a)")
    index = table(session, "t").indexes[0]
    found = {}
    for form in ("compiled", "plain"):
        handle = database.engine.session()
        after, done = None, 0
        while True:
            if form == "plain":
                after, count = backfill._plain_chunk(handle, table(session, "t"), index, after, 333)
            else:
                after, count = backfill.run_chunk(handle, load.load(handle), table(session, "t"), index, after, 333)
            done += count
            if after is None:
                break
        assert done == 2500
        found[form] = handle.scan(index.oid)
        handle.rollback()
        handle.close()
    assert found["compiled"] == found["plain"] and len(found["plain"]) == 2500


def test_hidden_key_expression_and_predicate(database):
    session = database.session()
    session.execute("create table t (a bigint, b text)")
    fill(session, [(i, f"V{i}") for i in range(1200)])
    session.execute("create index async i on t (lower(b), (a + 1)) where a >= 200")
    index = table(session, "t").indexes[0]
    assert index.valid
    assert entries(session, index, (25, 20)) == sorted((f"v{i}", i + 1) for i in range(200, 1200))


def test_unique_with_duplicates_fails_and_keeps_enforcing(database):
    session = database.session()
    session.execute("create table t (a bigint primary key, b bigint)")
    fill(session, [(i, i % 900) for i in range(1000)])
    ((job_id,),) = session.execute("create unique index async u on t (b)").texts
    job = jobs.read(session.handle, job_id)
    assert (job.status, job.details) == ("failed", jobs.DUPLICATES)
    session.handle.rollback()
    assert not table(session, "t").indexes[0].valid
    session.handle.rollback()


def test_nulls_are_no_duplicates(database):
    session = database.session()
    session.execute("create table t (a bigint primary key, b bigint)")
    session.execute("insert into t values (1, null), (2, null), (3, 5)")
    session.execute("create unique index async u on t (b)")
    assert table(session, "t").indexes[0].valid
    session.execute("create unique index async v on t (b) nulls not distinct")
    assert not table(session, "t").indexes[1].valid


def test_a_change_meanwhile_refuses_the_chunk(database, monkeypatch):
    session = database.session()
    session.execute("create table t (a bigint primary key, b bigint)")
    fill(session, [(i, i) for i in range(50)])
    no_jobs(database, monkeypatch)
    session.execute("create index async i on t (b)")
    worker = database.engine.session()
    (job,) = jobs.read_all(worker)
    jobs._step(worker, job)
    session.execute("update t set b = 1000 where a = 7")
    session.execute("insert into t values (100, 5000)")
    session.execute("delete from t where a = 8")
    with pytest.raises(Exception, match="OC000"):
        worker.commit()
    worker.close()
    while jobs.run_jobs(database.engine.session):
        pass
    index = table(session, "t").indexes[0]
    assert index.valid
    wanted = sorted([(i, i) for i in range(50) if i not in (7, 8)] + [(1000, 7), (5000, 100)])
    assert entries(session, index, (20, 20)) == wanted


def test_build_goes_on_after_a_restart(tmp_path, monkeypatch):
    database = Database(tmp_path / "data", 64 << 20)
    session = database.session()
    session.execute("create table t (a bigint primary key, b bigint)")
    fill(session, [(i, -i) for i in range(1700)])
    no_jobs(database, monkeypatch)
    session.execute("create index async i on t (b)")
    assert jobs.run_jobs(database.engine.session) and jobs.run_jobs(database.engine.session)
    (job,) = jobs.read_all(session.handle)
    assert (job.status, job.rows_done) == ("processing", 1000)
    session.handle.rollback()
    database.close()
    load.forget()
    database = Database(tmp_path / "data", 64 << 20)
    database.work_off_jobs()
    session = database.session()
    index = table(session, "t").indexes[0]
    assert index.valid and entries(session, index, (20, 20)) == sorted((-i, i) for i in range(1700))
    database.close()


def test_hooks_are_installed(database):
    assert hooks.index_descriptor is not None and hooks.check_expression is not None

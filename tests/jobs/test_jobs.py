"""sys.jobs and what its jobs do: columns, statuses, details, purge, waiting, indexes while they are built."""

from __future__ import annotations

import re

import pytest
from opendsql.catalog import jobs
from opendsql.catalog.ddl import calls
from opendsql.guesses import says

UNKNOWN = "a" * 26


@pytest.fixture
def table(client):
    """t with 1,700 rows, b = a % 1000."""
    client.run("create table t (a bigint primary key, b bigint, c text)")
    client.run("insert into t select g, g % 1000, 'c' || g from generate_series(1, 1700) g")
    return client


def plan(client, sql: str) -> str:
    return "\n".join(row[0] for row in client.run(f"explain {sql}").texts)


def test_columns(table) -> None:
    """Names, types and forms of sys.jobs; 26 characters name a job."""
    job_id = table.value("create index async i on t (b)")
    assert re.fullmatch("[a-z2-7]{26}", job_id)
    found = table.run("select * from sys.jobs")
    assert found.columns == [
        ("job_id", 25), ("status", 25), ("details", 25), ("job_type", 25), ("class_id", 26), ("object_id", 26), ("object_name", 25),
        ("start_time", 1184), ("update_time", 1184),
    ]  # fmt: skip
    ((*row, start, update),) = found.texts
    oid = table.value("select 'i'::regclass::oid")
    assert row == [job_id, "submitted", None, "INDEX_BUILD", "1259", oid, "public.i"]
    assert start is not None and update is None
    table.step()
    assert table.job(job_id) == ("processing", None)
    update = table.value("select update_time from sys.jobs")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00", update)
    table.finish()
    assert table.job(job_id) == ("completed", None)
    assert table.value("select indisvalid from pg_index where indexrelid = 'i'::regclass") == "t"


def test_unique_over_duplicates(table) -> None:
    """Ends failed with DSQL's words; the index is invalid and keeps enforcing until it is dropped."""
    job_id = table.value("create unique index async u on t (b)")
    table.finish()
    assert table.job(job_id) == ("failed", "found duplicate key(s) while validating index uniqueness")
    assert table.value("select indisvalid from pg_index where indexrelid = 'u'::regclass") == "f"
    assert table.refused("insert into t values (5000, 7)") == (
        "23505", 'duplicate key value violates unique constraint "u"', "Key (b)=(7) already exists.")  # fmt: skip
    assert table.refused("alter table t add constraint k unique using index u")[:2] == ("55000", 'index "u" is not valid')
    assert "using u" not in plan(table, "select * from t where b = 7")
    table.run("drop index u")
    table.run("insert into t values (5000, 7)")


def test_unique_enforced_while_building(table) -> None:
    table.run("delete from t where a > 999")
    job_id = table.value("create unique index async u on t (b)")
    table.run("insert into t values (2001, 50000)")
    assert table.refused("insert into t values (2002, 50000)")[0] == "23505"
    table.step()
    assert table.job(job_id)[0] == "processing"
    assert table.refused("insert into t values (2002, 7)")[0] == "23505"
    table.finish()
    assert table.job(job_id) == ("completed", None)


def test_maintained_but_unused_while_building(table) -> None:
    table.value("create index async i on t (b)")
    table.step()
    table.run("insert into t values (3000, -1)")
    table.run("update t set b = -2 where a = 1")  # behind the build
    table.run("update t set b = -3 where a = 1699")  # ahead of it
    table.run("delete from t where a in (2, 1698)")
    assert "using i" not in plan(table, "select a from t where b = -2")
    table.finish()
    assert "using i" in plan(table, "select a from t where b = -2")
    for b, a in ((-1, "3000"), (-2, "1"), (-3, "1699")):
        assert table.run(f"select a from t where b = {b}").texts == [(a,)]
    whole = table.run("select b, a from t order by b, a").texts
    indexed = table.run("select b, a from t where b > -100 order by b, a").texts
    assert indexed == whole and len(whole) == 1699


def test_drop_index_cancels(table) -> None:
    job_id = table.value("create index async i on t (b)")
    table.step()
    table.run("drop index i")
    assert table.job(job_id) == ("failed", says("job_cancelled"))
    table.finish()
    assert table.job(job_id) == ("failed", says("job_cancelled"))
    assert table.value("create index async i on t (b)") != job_id
    table.finish()
    assert table.value("select indisvalid from pg_index where indexrelid = 'i'::regclass") == "t"


def test_drop_table_starts_a_job_and_skips_its_builds(table) -> None:
    build = table.value("create index async i on t (b)")
    check = None
    table.run("alter table t add constraint k check (b >= 0) not valid")
    check = table.value("alter table async t validate constraint k")
    table.run("drop table t")
    assert table.types() == ["INDEX_BUILD", "VALIDATE_CONSTRAINT", "DROP"]
    row = table.run("select object_name, status, class_id from sys.jobs where job_type = 'DROP'").texts
    assert row == [(None, "submitted", "1259")]
    table.finish()
    assert table.job(build) == ("completed", "Skipped job for nonexistent table.")
    assert table.job(check) == ("completed", "Skipped job for nonexistent table.")
    assert table.value("select status from sys.jobs where job_type = 'DROP'") == "completed"


def test_validate_constraint(table) -> None:
    table.run("create table p (a bigint primary key)")
    table.run("insert into p select generate_series(0, 998)")
    table.run("alter table t add constraint few check (b < 999) not valid")
    table.run("alter table t add constraint fk foreign key (b) references p (a) not valid")
    first = table.run("alter table async t validate constraint few")
    assert (first.tag, first.columns) == ("ALTER TABLE", [("job_id", 25)])
    second = table.value("alter table async t validate constraint fk")
    table.finish()
    assert table.job(first.texts[0][0]) == ("failed", 'check constraint "few" of relation "t" is violated by some row')
    status, details = table.job(second)
    assert status == "failed" and details == 'insert or update on table "t" violates foreign key constraint "fk"'
    valid = "select conname from pg_constraint where convalidated and contype in ('c', 'f') order by 1"
    assert table.run(valid).texts == []
    table.run("delete from t where b = 999")
    again = [table.value(f"alter table async t validate constraint {name}") for name in ("few", "fk")]
    table.finish()
    assert [table.job(job) for job in again] == [("completed", None)] * 2
    assert table.run(valid).texts == [("few",), ("fk",)]


def test_purge(table) -> None:
    """30 minutes after it finished a job goes, when a new one runs; not before, and not by itself."""
    engines = (table.database.engine, table.database.job_engine)

    def at(minutes: float) -> None:
        for engine in engines:
            engine.clock_offset_us = int(minutes * 60_000_000)

    first = table.value("create index async i0 on t (b)")
    table.finish()
    at(29)
    table.value("create index async i1 on t (b)")
    table.finish()
    assert len(table.types()) == 2
    at(31)
    assert table.job(first)[0] == "completed"
    table.value("create index async i2 on t (b)")
    assert len(table.types()) == 3
    table.finish()
    assert len(table.types()) == 2 and table.run(f"select 1 from sys.jobs where job_id = '{first}'").texts == []


def test_wait_for_job(table, monkeypatch) -> None:
    """Blocks, then says whether it succeeded; a job that is over answers at once."""
    monkeypatch.setattr(table.database, "work_off_jobs", table.step_if_any)
    good, bad = table.value("create index async i on t (b)"), table.value("create unique index async u on t (b)")
    found = table.run(f"call sys.wait_for_job('{good}')")
    assert (found.tag, found.columns, found.texts) == ("CALL", [("succeeded", 16)], [("t",)])
    assert table.run(f"call sys.wait_for_job('{bad}')").texts == [("f",)]
    assert table.run(f"call sys.wait_for_job('{good}')").texts == [("t",)]


def test_wait_blocks_until_it_is_over(table) -> None:
    """The statement is asked again and again, at fresh snapshots, and answers when the job is over."""
    job_id = table.value("create index async i on t (b)")
    waiter = calls.Waiter(table.database.engine.session(), job_id)
    for _ in range(4):
        assert waiter.poll() is None
        table.step()
    assert waiter.poll().rows == [("t",)]


def test_wait_is_bounded_by_the_age_of_its_transaction(table) -> None:
    job_id = table.value("create index async i on t (b)")
    session = table.database.engine.session()
    waiter = calls.Waiter(session, job_id)
    assert waiter.poll() is None
    table.database.engine.clock_offset_us = 301_000_000
    with pytest.raises(Exception, match="transaction age limit of 300s exceeded") as refused:
        waiter.poll()
    assert refused.value.sqlstate == "54000"
    table.database.engine.clock_offset_us = 0
    session.close()


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("call sys.wait_for_job('nonsense')", ("22P02", "Unable to convert text to UUID")),
        ("call sys.wait_for_job('')", ("22P02", "Unable to convert text to UUID")),
        ("call sys.wait_for_job(null)", ("22P02", "Unable to convert text to UUID")),
        (f"call sys.wait_for_job('{UNKNOWN[:25]}1')", ("22P02", "Unable to convert text to UUID")),
        (f"call sys.wait_for_job('{UNKNOWN}')", ("42704", says("unknown_job", id=UNKNOWN))),
        (f"select sys.wait_for_job('{UNKNOWN}')", ("42809", "sys.wait_for_job(unknown) is a procedure")),
        ("call sys.wait_for_job((select 'x'))", ("0A000", "cannot use subquery in CALL argument")),
        ("call sys.wait_for_job()", ("42883", "procedure sys.wait_for_job() does not exist")),
        ("call sys.cancel_job('x')", ("42883", "procedure sys.cancel_job(unknown) does not exist")),
    ],
)
def test_wait_for_nothing(client, sql: str, answer: tuple[str, str]) -> None:
    assert client.refused(sql)[:2] == answer


def test_a_rolled_back_request_leaves_no_job(table) -> None:
    table.session.begin()
    table.value("create index async i on t (b)")
    table.session.rollback()
    assert table.types() == [] and not jobs.run_jobs(table.database.job_engine.session)


def test_sys_jobs_is_read_only(table) -> None:
    for sql in ("insert into sys.jobs (job_id) values ('x')", "delete from sys.jobs", "update sys.jobs set status = 'x'", "drop table sys.jobs"):
        assert table.refused(sql)[0] in ("0A000", "42501"), sql

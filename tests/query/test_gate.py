"""What DSQL refuses outside DDL, with its exact words."""

from types import SimpleNamespace

import pytest
from opendsql.errors import DsqlError
from opendsql.query.planner import Planner
from sample_catalog import CATALOG

REFUSED = {
    "merge into t using u on true when matched then delete": "unsupported statement type: MERGE",
    "truncate t": "unsupported statement: Truncate",
    "lock table t": "unsupported statement: Lock",
    "listen a": "unsupported statement: Listen",
    "notify a": "unsupported statement: Notify",
    "unlisten *": "unsupported statement: Unlisten",
    "do 'begin end'": "unsupported statement: Do",
    "prepare p as select 1": "unsupported statement: Prepare",
    "execute p": "unsupported statement: Execute",
    "deallocate p": "unsupported statement: Deallocate",
    "discard all": "unsupported statement: Discard",
    "declare c cursor for select 1": "unsupported statement: DeclareCursor",
    "fetch 1 from c": "unsupported statement: Fetch",
    "vacuum": "unsupported VACUUM statement",
    "reindex table t": "unsupported statement: Reindex",
    "checkpoint": "unsupported statement: CheckPoint",
    "load 'x'": "unsupported statement: Load",
    "create table x as select 1": "unsupported statement: CreateTableAs",
    "select 1 into x": "unsupported statement: CreateTableAs",
    "savepoint s": "unsupported transaction statement: SAVEPOINT",
    "rollback to savepoint s": "unsupported transaction statement: ROLLBACK TO",
    "release s": "unsupported transaction statement: RELEASE",
    "prepare transaction 'x'": "unsupported transaction statement: PREPARE TRANSACTION",
    "begin isolation level serializable": "Unsupported isolation level: SERIALIZABLE",
    "start transaction isolation level read committed": "Unsupported isolation level: READ COMMITTED",
    "select * from t for share": "locking clauses other than FOR UPDATE/FOR KEY SHARE are not supported",
    "select * from t for no key update": "locking clauses other than FOR UPDATE/FOR KEY SHARE are not supported",
    "select * from t tablesample system (10)": "TABLESAMPLE clause not supported",
    "select pg_advisory_lock(1)": "function pg_advisory_lock not supported",
    "explain analyze truncate t": None,
    "copy t to '/tmp/x'": "COPY with a file not supported",
    "copy t from program 'x'": "COPY with PROGRAM not supported",
}


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner(lambda session: CATALOG, compile_program=lambda ir: None)


def plan(planner: Planner, sql: str):
    return planner.plan(SimpleNamespace(text=sql, normalized=sql, param_oids=[], literals=[], session=None))


@pytest.mark.parametrize("sql", list(REFUSED))
def test_refused(planner: Planner, sql: str) -> None:
    with pytest.raises(DsqlError) as caught:
        plan(planner, sql)
    if REFUSED[sql] is None:
        assert caught.value.sqlstate == "42601"
    else:
        assert (caught.value.sqlstate, caught.value.message) == ("0A000", REFUSED[sql])


@pytest.mark.parametrize(
    ("sql", "kind", "read_only"),
    [
        ("begin", "begin", False),
        ("begin isolation level repeatable read, read only", "begin", True),
        ("start transaction read write", "begin", False),
        ("commit", "commit", False),
        ("end", "commit", False),
        ("rollback", "rollback", False),
        ("abort", "rollback", False),
    ],
)
def test_transaction_control_is_a_program(planner: Planner, sql: str, kind: str, read_only: bool) -> None:
    ir = plan(planner, sql).ir
    assert (ir["kind"], ir["begin_read_only"]) == (kind, read_only)


def test_locking_clauses_that_work(planner: Planner) -> None:
    assert plan(planner, "select * from t where id = 1 for update nowait").ir["plan"]["op"] in ("lock", "project")
    assert plan(planner, "select * from t for key share").ir["writes"] is True

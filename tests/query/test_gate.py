"""What the gate lets through; what it refuses is in tests/compatibility."""

from types import SimpleNamespace

import pytest
from opendsql.query.planner import Planner
from sample_catalog import CATALOG


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner(lambda session: CATALOG, compile_program=lambda ir: None)


def plan(planner: Planner, sql: str):
    return planner.plan(SimpleNamespace(text=sql, normalized=sql, param_oids=[], literals=[], session=None))


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

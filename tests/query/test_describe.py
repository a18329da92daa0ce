"""Several hundred statements described as PostgreSQL describes them: result columns, parameter types, or the exact error.

describe.jsonl was recorded from PostgreSQL 15 over the tables t and u of sample_catalog: psql's \\d queries, SQLAlchemy's
reflection, and statements of every kind. What DSQL answers differently on purpose is in the other tests. A parameter of
a reg* type is described as text: the client sends a name, which the catalog reads at run time.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from opendsql.errors import DsqlError
from opendsql.query.planner import Planner
from sample_catalog import CATALOG

ENTRIES = [json.loads(line) for line in (Path(__file__).parent / "describe.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner(lambda session: CATALOG, compile_program=lambda ir: None)


def describe(planner: Planner, sql: str) -> dict:
    request = SimpleNamespace(text=sql, normalized=sql, param_oids=[], literals=[], session=None)
    try:
        planned = planner.plan(request)
    except DsqlError as error:
        return {"error": [error.sqlstate, error.message, error.hint, error.detail, error.position]}
    columns = [[name, oid, typmod, attnum] for name, oid, typmod, _, attnum in planned.columns]
    return {"columns": columns, "params": list(planned.param_oids)}


@pytest.mark.parametrize("number", range(len(ENTRIES)), ids=lambda n: ENTRIES[n]["sql"][:60].replace("\n", " "))
def test_statement(planner: Planner, number: int) -> None:
    entry = dict(ENTRIES[number])
    sql = entry.pop("sql")
    assert describe(planner, sql) == entry, sql


def test_enough_of_both_kinds() -> None:
    refused = [e for e in ENTRIES if "error" in e]
    assert len(ENTRIES) > 500
    assert len(refused) > 150

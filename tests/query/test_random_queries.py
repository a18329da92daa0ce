"""Random queries give the rows PostgreSQL gives. The seed and the count may be set: RANDOM_SEED=7 RANDOM_COUNT=5000."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import psycopg
import pytest
from in_process import Client
from opendsql.errors import DsqlError
from random_queries import SCHEMA, Queries

from dsql_core.execute import ExecuteError

SEED = int(os.environ.get("RANDOM_SEED", "1"))
COUNT = int(os.environ.get("RANDOM_COUNT", "150"))

_spec = importlib.util.spec_from_file_location("kernel_oracle", Path(__file__).parents[1] / "kernels" / "oracle.py")
assert _spec is not None and _spec.loader is not None
oracle_module = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("kernel_oracle", oracle_module)
_spec.loader.exec_module(oracle_module)


@pytest.fixture(scope="module")
def postgres():
    reason = oracle_module.missing()
    if reason:
        pytest.skip(reason)
    with oracle_module.running() as oracle:
        yield oracle.connection


def from_postgres(connection: psycopg.Connection, sql: str) -> object:
    result = connection.pgconn.exec_(sql.encode())
    if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
        field = psycopg.pq.DiagnosticField.SQLSTATE
        return ("error", (result.error_field(field) or b"").decode())

    def value(row: int, column: int) -> str | None:
        found = result.get_value(row, column)
        return None if found is None else found.decode()

    return [tuple(value(r, c) for c in range(result.nfields)) for r in range(result.ntuples)]


def from_opendsql(client: Client, sql: str) -> object:
    try:
        return client.run(sql)
    except (DsqlError, ExecuteError) as error:
        return ("error", error.sqlstate)


def test_same_rows(postgres: psycopg.Connection) -> None:
    queries = Queries(SEED)
    client = Client()
    postgres.execute("set statement_timeout = 3000")
    for statement in (*SCHEMA, *queries.rows()):
        postgres.execute(statement.replace(" async ", " "))  # type: ignore[arg-type]
        client.run(statement)
    client.run_jobs()
    compared = 0
    for sql, ordered in queries.statements(COUNT):
        expected = from_postgres(postgres, sql)
        if expected in (("error", "57014"), ("error", "0A000")):
            continue  # it took PostgreSQL too long, or is a FULL JOIN it cannot do
        got = from_opendsql(client, sql)
        if not ordered and isinstance(expected, list) and isinstance(got, list):
            expected, got = sorted(expected, key=repr), sorted(got, key=repr)
        assert got == expected, f"seed {SEED}: {sql}"
        compared += 1
    assert compared > COUNT * 0.9

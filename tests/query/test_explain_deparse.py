"""EXPLAIN (VERBOSE) prints expressions as PostgreSQL does: deparse.txt's, each compared with a PostgreSQL beside.

What differs on purpose stands in DIFFERENT with the reason.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_process import Client
from opendsql.errors import DsqlError

FOLDER = Path(__file__).parent
TABLE = """create table e (id int primary key, a int, b int, n bigint, d numeric(12,2), f float8, v text, c varchar(20),
 t boolean, ts timestamp, ts2 timestamp, tz timestamptz, dt date, i interval, j jsonb, u uuid, y bytea, "Mixed" int, "select" int)"""

# expression -> why its text is not PostgreSQL's
DIFFERENT = {
    "v similar to 'a%'": "immutable functions of constants are not evaluated while planning",
    "interval '90 minutes' * 2": "immutable functions of constants are not evaluated while planning",
    "age(ts)": "PostgreSQL's is an SQL function and is inlined",
    "jsonb_build_object('a', a, 'v', v)": "a literal given to \"any\" is text here, stays unknown there",
    """v < 'm' collate "C\"""": "there is one collation: it is not kept",
}


def expressions() -> list[str]:
    lines = (FOLDER / "deparse.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def output_of(rows: list[str]) -> str:
    (line,) = [row for row in rows if row.startswith("  Output: ")]
    return line.removeprefix("  Output: ")


@pytest.fixture(scope="module")
def theirs() -> Iterator[dict[str, str]]:
    spec = importlib.util.spec_from_file_location("kernel_oracle", FOLDER.parent / "kernels" / "oracle.py")
    assert spec is not None and spec.loader is not None
    oracle = importlib.util.module_from_spec(spec)
    sys.modules["kernel_oracle"] = oracle
    spec.loader.exec_module(oracle)
    if oracle.missing():
        pytest.skip(oracle.missing())
    found = {}
    with oracle.running() as running:
        running.connection.execute(TABLE)
        for text in expressions():
            rows = running.connection.execute(f"explain (verbose, costs off) select {text} from e").fetchall()
            found[text] = output_of([row for (row,) in rows])
    yield found


def test_output_is_postgresqls(theirs: dict[str, str]) -> None:
    client = Client()
    client.run(TABLE)
    wrong = []
    for text in expressions():
        try:
            ours = output_of([row or "" for (row,) in client.run(f"explain (verbose, costs off) select {text} from e")])
        except DsqlError as error:
            ours = f"! {error.sqlstate} {error.message}"
        if (ours != theirs[text]) != (text in DIFFERENT):
            wrong.append(f"{text}\n  PostgreSQL {theirs[text]}\n  opendsql   {ours}")
    assert not wrong, f"{len(wrong)} of {len(theirs)}\n" + "\n".join(wrong)

"""Where limits come from: DSQL's values, a TOML file, flags; what is at odds is refused; 0 is no limit."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import opendsql
import pytest
from opendsql.config import ServerConfig
from opendsql.errors import OperatorError
from opendsql.limits import DSQL, Limits, read_limits


def test_defaults_are_dsqls() -> None:
    assert read_limits() == DSQL == Limits() == ServerConfig(Path("d")).limits
    assert (DSQL.transaction_rows_max, DSQL.transaction_bytes_max, DSQL.transaction_age_max_s) == (3000, 10485760, 300)
    assert (DSQL.connections_max, DSQL.connection_rate_per_s, DSQL.connection_burst) == (10000, 100, 1000)


def test_file_then_flags(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text("transaction_rows_max = 50_000\ntables_max = 0  # any number\n")
    found = read_limits(file, ["schemas_max=20", "transaction_rows_max = 60_000"])
    assert (found.transaction_rows_max, found.tables_max, found.schemas_max) == (60_000, 0, 20)
    assert found.with_values({"transaction_rows_max": 3000, "tables_max": 1000, "schemas_max": 10}) == DSQL


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rows_max=1", "there is no limit 'rows_max'"),
        ("transaction_rows_max", "None is not a whole number"),
        ("transaction_rows_max=many", "'many' is not a whole number"),
        ("transaction_rows_max=-1", "-1 is not at least 1, or 0 for no limit"),
        ("message_bytes_max=0", "0 is not between 65,536 and"),
        ("key_bytes_max=1982", "1,982 is not between 64 and 1,981"),
        ("column_bytes_max=3000000", "column_bytes_max (3,000,000) may not be above row_bytes_max (2,097,152)"),
        ("row_bytes_max=20000000", "row_bytes_max (20,000,000) may not be above transaction_bytes_max (10,485,760)"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    with pytest.raises(OperatorError) as refused:
        read_limits(flags=[text])
    assert reason in str(refused.value)


def test_bad_files(tmp_path: Path) -> None:
    for content in ("rows =", "transaction_rows_max = true", 'transaction_rows_max = "5"', "transaction_rows_max = 1.5"):
        (tmp_path / "limits.toml").write_text(content)
        with pytest.raises(OperatorError):
            read_limits(tmp_path / "limits.toml")
    with pytest.raises(OperatorError, match="cannot read limits from"):
        read_limits(tmp_path / "absent.toml")


def test_every_default_is_within_its_range_and_every_off_is_accepted() -> None:
    off = {spec.name: 0 for spec in fields(Limits) if spec.metadata.get("off")}
    assert len(off) > 8
    DSQL.with_values(off)


def test_embedded_limits(tmp_path: Path) -> None:
    connection = opendsql.connect(str(tmp_path / "data"), limits=DSQL.with_values({"transaction_rows_max": 5}))
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("create table t (a bigint primary key)")
    cursor.execute("insert into t select generate_series(1, 5)")
    with pytest.raises(opendsql.embedded.OperationalError, match="transaction row limit exceeded"):
        cursor.execute("insert into t select generate_series(6, 11)")
    connection.close()


def test_no_limit(opened) -> None:
    client = opened(transaction_rows_max=0, schemas_max=0)
    client.run("create table t (a bigint primary key)")
    assert client.run("insert into t select generate_series(1, 20000)").count == 20000
    for number in range(12):
        client.run(f"create schema s{number}")

"""10 MiB a transaction, judged at COMMIT, and the accounting that gives the two figures measured on the service.

The model (opendsql.limits): a row counts the bytes of its values and 140, an index entry four times the bytes of its key
columns and the primary key. For a batch of 500 rows with a bigint key:

    no index                 raw  9.9333 MiB accepted, one byte a row more refused     measured  9.93
    4 on 100-byte text keys  raw  9.1093 MiB accepted, one byte a row more refused     measured  9.11
"""

from __future__ import annotations

import pytest
from limit_support import noise
from opendsql.guesses import GUESSES
from opendsql.limits import DSQL

MIB = 1 << 20
BATCH = 500
KEY, ID = 100, 8
TOO_LARGE = ("54000", "transaction size limit 10mb exceeded", "Current transaction size 11mb > 10mb")


def room(indexes: int) -> int:
    """Most bytes of values a row of the batch may have by the model."""
    entry = DSQL.KEY_COST_FACTOR * (KEY + ID)
    return DSQL.transaction_bytes_max // BATCH - DSQL.ROW_COST_BYTES - indexes * entry


def batch(client, indexes: int, size: int):
    """COMMIT's answer to 500 rows of `size` bytes of values each, and their raw size in MiB."""
    payload = size - ID - indexes * KEY
    keys = ", ".join(f"'{{0:0{KEY - 1}d}}{n}'" for n in range(indexes))
    client.session.begin()
    text = noise(payload)
    for start in range(0, BATCH, 100):
        rows = ", ".join("(" + ", ".join([str(n), *([keys.format(n)] if indexes else []), f"'{text[n:] + text[:n]}'"]) + ")" for n in range(start, start + 100))
        client.run(f"insert into b{indexes} values {rows}")
    return client.commit(), BATCH * size / MIB


def make(client, indexes: int) -> None:
    columns = "".join(f", k{n} text" for n in range(indexes))
    client.run(f"create table b{indexes} (id bigint primary key{columns}, payload text)")
    for n in range(indexes):
        client.run(f"create index async on b{indexes} (k{n})")


@pytest.mark.parametrize(("indexes", "measured"), [(0, 9.93), (4, 9.11)])
def test_published_figures(client, indexes: int, measured: float) -> None:
    assert "9.93" in GUESSES["transaction_bytes"].basis and "9.11" in GUESSES["transaction_bytes"].basis
    make(client, indexes)
    assert batch(client, indexes, room(indexes) + 1)[0] == TOO_LARGE
    assert client.value(f"select count(*) from b{indexes}") == "0"
    answer, raw = batch(client, indexes, room(indexes))
    print(f"{indexes} indexes: {raw:.4f} MiB raw in {BATCH} rows accepted, measured on the service {measured}")
    assert answer is None and round(raw, 2) == measured
    assert client.value(f"select count(*) from b{indexes}") == str(BATCH)


def test_at_the_edge_to_the_byte(opened) -> None:
    """One row: values + 140 bytes against a limit of 64 KiB."""
    client = opened(transaction_bytes_max=65536, row_bytes_max=65536, column_bytes_max=65536)
    client.run("create table t (id bigint primary key, v text)")
    most = 65536 - 140 - 8
    for size, accepted in ((most - 1, True), (most, True), (most + 1, False)):
        client.session.begin()
        client.run("insert into t values ($1, $2)", size, noise(size))
        expected = None if accepted else ("54000", "transaction size limit 0mb exceeded", "Current transaction size 1mb > 0mb")
        assert client.commit() == expected


def test_it_is_commit_that_refuses_also_in_autocommit(client) -> None:
    make(client, 0)
    client.session.begin()
    for n in range(11):
        client.run("insert into b0 values ($1, $2)", n, noise(1_000_000, n))
    assert client.value("select count(*) from b0") == "11"
    assert client.commit() == TOO_LARGE
    sql = "insert into b0 select g, $1 || g from generate_series(1, 11) g"
    assert client.refused(sql, noise(1_000_000)) == TOO_LARGE
    assert client.value("select count(*) from b0") == "0"


def test_what_counts(client) -> None:
    """Deletes and updates count, what was inserted and deleted again does not."""
    make(client, 0)
    for start in (0, 5):
        client.session.begin()
        for n in range(start, start + 5):
            client.run("insert into b0 values ($1, $2)", n, noise(1_000_000, n))
        assert client.commit() is None
    client.session.begin()
    client.run("delete from b0")
    assert client.commit() is None
    client.session.begin()
    for n in range(8):
        client.run("insert into b0 values ($1, $2)", n, noise(1_000_000, n))
    client.run("delete from b0")
    for n in range(8):
        client.run("insert into b0 values ($1, $2)", n, noise(1_000_000, n))
    client.run("update b0 set payload = payload || 'x'")
    assert client.commit() is None

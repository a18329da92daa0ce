"""3,000 rows a transaction: 2,999 and 3,000 pass, the statement that would make 3,001 is refused.

Every change of a row counts, whatever made it; index entries do not.
"""

from __future__ import annotations

import pytest
from limit_support import MANY, ROWS
from opendsql.guesses import choice


@pytest.fixture
def tables(client):
    """t with 4,000 rows (4 transactions), u empty; both with two indexes."""
    for name in ("t", "u"):
        client.run(f"create table {name} (a bigint primary key, b bigint)")
        client.run(f"create index async on {name} (b)")
        client.run(f"create unique index async on {name} (b, a)")
    for first in range(1, 4001, 1000):
        client.run(MANY.format(table="t", first=first, last=first + 999))
    return client


STATEMENTS = {
    "insert": "insert into u select g, g from generate_series(1, {n}) g",
    "update": "update t set b = b + 1 where a <= {n}",
    "update of the key": "update t set a = a + 10000 where a <= {n}",
    "delete": "delete from t where a <= {n}",
    "on conflict do update": "insert into t select g, 0 from generate_series(1, {n}) g on conflict (a) do update set b = excluded.b",
    "insert by with": "with gone as (delete from t where a <= {half} returning a) insert into u select g, g from generate_series(1, {rest}) g",
}


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("count", [2999, 3000, 3001])
def test_one_statement(tables, name: str, count: int) -> None:
    sql = STATEMENTS[name].format(n=count, half=count // 2, rest=count - count // 2)
    if count <= 3000:
        tables.run(sql)
    else:
        before = tables.run("select * from t order by a").texts, tables.run("select * from u").texts
        assert tables.refused(sql) == ROWS
        assert (tables.run("select * from t order by a").texts, tables.run("select * from u").texts) == before


@pytest.mark.parametrize("count", [2999, 3000, 3001])
def test_several_statements(tables, count: int) -> None:
    tables.session.begin()
    tables.run("insert into u select g, g from generate_series(1, 1000) g")
    tables.run("update t set b = -b where a <= 1000")
    tables.run("delete from t where a <= 500")
    last = f"delete from t where a > 1000 and a <= {1000 + count - 2500}"
    if count <= 3000:
        tables.run(last)
        assert tables.commit() is None
        assert tables.value("select count(*) from t") == str(4000 - 500 - (count - 2500))
    else:
        assert tables.refused(last) == ROWS
        assert tables.refused("select 1")[0] == "25P02"
        tables.session.rollback()
        assert tables.value("select count(*) from t") == "4000"


@pytest.mark.parametrize("changes", [2999, 3000, 3001])
def test_one_row_changed_again_and_again(tables, changes: int) -> None:
    assert "each change" in choice("row_counted_per_change")
    tables.session.begin()
    for _ in range(changes - 1):
        tables.run("update t set b = b + 1 where a = 1")
    if changes <= 3000:
        tables.run("update t set b = b + 1 where a = 1")
        assert tables.commit() is None
        assert tables.value("select b from t where a = 1") == str(1 + changes)
    else:
        assert tables.refused("update t set b = b + 1 where a = 1") == ROWS


def test_what_does_not_count(tables) -> None:
    assert choice("locked_rows_uncounted") is True
    tables.session.begin()
    tables.run("insert into t select g, 0 from generate_series(1, 4000) g on conflict do nothing")
    tables.run("select a from t for update")
    tables.run("update t set b = 0 where a < 0")
    tables.run("insert into u select g, g from generate_series(1, 3000) g")
    assert tables.commit() is None


def test_a_new_transaction_counts_from_nothing(tables) -> None:
    for _ in range(3):
        tables.session.begin()
        tables.run("update t set b = b + 1 where a <= 3000")
        assert tables.commit() is None
    tables.session.begin()
    tables.run("update t set b = b + 1 where a <= 3000")
    tables.session.rollback()
    tables.run("update t set b = b + 1 where a <= 3000")


@pytest.mark.parametrize("children", [2998, 2999, 3000])
def test_cascade(client, children: int) -> None:
    """The parent's own row is one."""
    client.run("create table p (a bigint primary key)")
    client.run("create table c (b bigint primary key, a bigint references p on delete cascade)")
    client.run("insert into p values (1)")
    client.run(f"insert into c select g, 1 from generate_series(1, {children}) g")
    if children < 3000:
        client.run("delete from p where a = 1")
        assert client.value("select count(*) from c") == "0"
    else:
        assert client.refused("delete from p where a = 1") == ROWS
        assert client.value("select count(*) from c") == "3000"

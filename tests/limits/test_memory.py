"""128 MiB of memory a query, all its parts together: 54000 at the statement, and the session goes on."""

from __future__ import annotations

import pytest

REFUSED = ("54000", "query requires more than allowed temp space of 131072 KB to execute", None)
ROWS = "generate_series(1, {n}) g"
CHUNK_KIB = 256  # base/memory.pxd: what a pool takes at a time once it is large

TOO_MUCH = {
    "sort": "select g, repeat('x', 100) || g as t from generate_series(1, 2000000) g order by t limit 1 offset 1999999",
    "hash join": "select count(*) from (select g, repeat('x', 100) || g as t from generate_series(1, 1500000) g) a"
    " join (select g, repeat('x', 100) || g as t from generate_series(1, 1500000) g) b using (t)",
    "grouping": "select count(*) from (select repeat('x', 100) || g as t from generate_series(1, 2000000) g group by 1) s",
    "distinct": "select count(*) from (select distinct repeat('x', 100) || g as t from generate_series(1, 2000000) g) s",
    "materialised cte": "with c as materialized (select repeat('x', 100) || g as t from generate_series(1, 2000000) g)"
    " select count(*) from c a, c b where a.t = 'none' and b.t = 'none'",
    "array_agg": "select cardinality(array_agg(repeat('x', 100) || g)) from generate_series(1, 2000000) g",
    "string_agg": "select length(string_agg(repeat('x', 100), '')) from generate_series(1, 3000000) g",
    "window": "select max(n) from (select count(*) over (partition by 1) as n, repeat('x', 100) || g as t"
    " from generate_series(1, 2000000) g) s where t <> ''",
    "union": "select count(*) from (select repeat('x', 100) || g from generate_series(1, 2000000) g"
    " union select repeat('y', 100) || g from generate_series(1, 2000000) g) s",
    "one value": "select length(repeat('x', 200000000))",
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much(client, name: str) -> None:
    assert client.refused(TOO_MUCH[name]) == REFUSED
    assert client.value("select 1") == "1"


def test_the_parts_of_a_query_add_up(opened) -> None:
    """Two CTEs that fit each but not together: at 8 MiB one of about 5 MiB passes, two are refused."""
    client = opened(query_memory_bytes_max=8 << 20)
    one = "{name} as materialized (select repeat('x', 100) || g as t from generate_series(1, 36000) g)"
    read = "(select count(*) from {name}) + (select count(*) from {name} where t = 'x')"
    client.run(f"with {one.format(name='a')} select {read.format(name='a')}")
    both = f"with {one.format(name='a')}, {one.format(name='b')} select {read.format(name='a')} + {read.format(name='b')}"
    assert client.refused(both) == ("54000", "query requires more than allowed temp space of 8192 KB to execute", None)
    client.run(f"with {one.format(name='a')} select {read.format(name='a')}")


@pytest.mark.parametrize("kib", [1024, 4096, 16384])
def test_the_bound_is_where_it_is_said_to_be(opened, kib: int) -> None:
    """How much text a sort takes, of 1,000 bytes a row: two parts hold it, its own tuples and the batch they come from.

    Both count against the one budget, and each may hold a chunk it has not filled when the next is refused. Of the rest the
    batch has half, or its 1,024 rows; nine tenths of a tuple is text. Never is it more than the bound.
    """
    client = opened(query_memory_bytes_max=kib << 10)
    sql = "select max(length(t)) from (select repeat('x', 1000) || g as t, g from generate_series(1, {n}) g order by g desc offset 1) s"
    low, high = 1, kib * 2
    while high - low > 1:
        middle = (low + high) // 2
        try:
            client.run(sql.format(n=middle))
            low = middle
        except Exception as error:
            assert error.sqlstate == "54000"
            high = middle
    room = kib - 2 * CHUNK_KIB
    assert (room - min(room / 2, 1024)) * 0.9 < low * 1000 / 1024 < kib


def test_a_transaction_goes_on_failing_as_any(client) -> None:
    client.session.begin()
    assert client.refused(TOO_MUCH["one value"]) == REFUSED
    assert client.refused("select 1")[0] == "25P02"
    client.session.rollback()


def test_no_limit(opened) -> None:
    client = opened(query_memory_bytes_max=0)
    assert client.value(TOO_MUCH["one value"]) == "200000000"

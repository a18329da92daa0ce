"""1,000 tables, 5,000 views, 5,000 sequences for real: accepted, one more refused, and CREATE TABLE still quick (make soak)."""

from __future__ import annotations

import time

import pytest

pytestmark = pytest.mark.soak

LAST_TABLE_MS_MAX = 100


def test_real_counts(client) -> None:
    slow = []
    for number in range(1000):
        before = time.perf_counter()
        client.run(f"create table t{number} (a bigint primary key, b text, c timestamptz)")
        slow.append((time.perf_counter() - before) * 1000)
    print(f"CREATE TABLE: the first 100 {sum(slow[:100]) / 100:.1f} ms each, the last 100 {sum(slow[-100:]) / 100:.1f} ms each")
    assert sum(slow[-100:]) / 100 < LAST_TABLE_MS_MAX
    assert client.refused("create table one_more (a int)") == ("54000", "creating more than 1000 tables not allowed", None)
    for kind, create in (("views", "create view v{n} as select 1 as a"), ("sequences", "create sequence s{n} cache 1")):
        before = time.perf_counter()
        for number in range(5000):
            client.run(create.format(n=number))
        print(f"5,000 {kind}: {time.perf_counter() - before:.0f} s")
    assert client.refused("create view one_more as select 1 as a")[1] == "creating more than 5000 views not allowed"
    assert client.refused("create sequence one_more cache 1")[1] == "creating more than 5000 sequences is not allowed"
    client.run("drop table t7")
    client.run("create table again (a int)")

"""Execution core: point select, update, insert, scan with filter and aggregate, sort, join. Times without commit.

Run: python -m pytest perf/bench_execute.py --benchmark-disable (smoke) or python perf/bench_execute.py (figures).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.execute.support import BOOL, INT4, INT8, NUMERIC, TEXT, Database, Table, col, const, i4, program  # noqa: E402

ROWS = 1_000_000


def load(database: Database, table: Table, count: int) -> None:
    """Fill a table straight through the arena."""
    from dsql_core.codec.face import RowCodec, key_encode

    rows = RowCodec(table.row)
    database.arena.begin()
    for start in range(0, count, 20000):
        batch = []
        for i in range(start, min(start + 20000, count)):
            batch.append((key_encode([(INT4, str(i), False)]), rows.encode([str(i), str(i % 1000), str(i * 7), "x" * 20])))
        database.arena.put_many(table.oid, batch)
    database.now += 1
    database.arena.publish(database.now, 0, 1)


def report(name: str, ns: float, unit: str = "us") -> None:
    """Print one figure."""
    print(f"{name:44s} {ns / 1000:10.2f} us" if unit == "us" else f"{name:44s} {ns / 1e6:10.2f} ms")


def figures(count: int = ROWS) -> None:
    """Measure and print."""
    database = Database()
    session = database.session()
    t = Table(40000, [("id", INT4), ("n", INT4), ("v", INT8), ("pad", TEXT)])
    start = time.perf_counter()
    load(database, t, count)
    print(f"loaded {count} rows in {time.perf_counter() - start:.1f} s")

    def bench(name, plan, params=(), given=(), rounds=1, unit="us", tag="SELECT", writes=False):
        compiled = program(plan, params=params, tag=tag, writes=writes)
        session.bench(compiled, given, max(1, rounds // 10))
        best = min(session.bench(compiled, given, rounds) / rounds for _ in range(3))
        report(name, best, unit)

    point = {"eq": [("param", 0, INT4)]}
    many = 20000
    bench("select 1", {"op": "result", "exprs": [i4(1)]}, rounds=many)
    select = {"op": "project", "exprs": [col(0)], "input": t.scan([2], point, key_point=True)}
    bench("point select", select, [INT4], ["777"], many)
    add = ("call", "int8pl", INT8, [col(3), ("param", 1, INT8)])
    bench(
        "point update", t.update(t.target(point, key_point=True), [(2, add)]), [INT4, INT8], ["777", "5"], many, tag="UPDATE", writes=True
    )
    row = {"op": "result", "exprs": [("param", 0, INT4), i4(5), const(INT8, 9), const(TEXT, "x" * 20)]}
    bench("insert one row", t.insert(row), [INT4], [str(count + 5)], many, tag="INSERT", writes=True)
    between = {"lo": (("param", 0, INT4), True), "hi": (("param", 1, INT4), True)}
    bench("range of 100 rows", t.scan([0, 2], between), [INT4, INT4], ["5000", "5099"], 5000)
    bench("scan, nothing read", t.scan([]), rounds=3, unit="ms")
    bench("scan, 2 columns", t.scan([1, 2]), rounds=3, unit="ms")
    less = ("call", "int4lt", BOOL, [col(0), i4(500)])
    bench("scan with filter (half)", t.scan([1, 2], filter=less), rounds=3, unit="ms")
    rare = ("call", "int4eq", BOOL, [col(0), i4(500)])
    bench("scan with filter (1/1000)", t.scan([1, 2, 3], filter=rare), rounds=3, unit="ms")
    count_rows = {"fn": "count", "args": [], "type": INT8}
    total = {"fn": "sum_int8", "args": [col(1)], "type": NUMERIC}

    def agg(source, aggs, groups=()):
        return {"op": "aggregate", "input": source, "groups": list(groups), "grouped": bool(groups), "sets": None, "aggs": aggs}

    bench("count(*)", agg(t.scan([]), [count_rows]), rounds=3, unit="ms")
    bench("filter (half) + sum, count", agg(t.scan([1, 2], filter=less), [total, count_rows]), rounds=3, unit="ms")
    bench("group by (1000 groups) sum, count", agg(t.scan([1, 2]), [total, count_rows], [col(0)]), rounds=3, unit="ms")
    by_n = {"op": "sort", "keys": [(col(0), True, False)], "limit": None, "input": t.scan([1, 2])}
    bench("sort by int", by_n, rounds=1, unit="ms")
    bench("top 10", {**by_n, "limit": const(INT8, 10)}, rounds=1, unit="ms")
    small = t.scan([0], {"hi": (i4(1000), False)})
    join = {"op": "hash_join", "kind": "inner", "left": t.scan([1, 2]), "right": small, "lkeys": [col(0)], "rkeys": [col(0)], "cond": None}
    bench("hash join with 1000 rows", join, rounds=1, unit="ms")
    session.close()
    database.arena.close()


def test_smoke() -> None:
    """The figures run on a small table."""
    figures(3000)


if __name__ == "__main__":
    figures(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)

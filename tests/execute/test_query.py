"""Aggregates, sorts, set operations, distinct, recursion, subplans: against Python models, with a budget of nothing too."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from opendsql.limits import DSQL

from tests.execute.support import BOOL, INT4, INT8, TEXT, Table, col, const, i4, i8, program, refused, rows, run, values


def make(seed, count, groups=7):
    rng = random.Random(seed)
    return [
        (rng.choice([None, *range(groups)]), rng.choice([None, *range(50)]), rng.choice("abcd") * rng.randrange(3)) for _ in range(count)
    ]


TYPES = [INT4, INT4, TEXT]


def both(session, plan, **more):
    """Result with and without yielding at every chance; they must agree."""
    compiled = program(plan, **more)
    found = session.execute(compiled)[1]
    stats: dict = {}
    assert session.execute(compiled, budget_ns=1, stats=stats)[1] == found
    return found


def agg(fn, *args, type=INT8, **more):
    return {"fn": fn, "args": list(args), "type": type, **more}


def aggregate(source, aggs, groups=(), **more):
    return {"op": "aggregate", "input": source, "groups": list(groups), "aggs": aggs, "grouped": bool(groups), "sets": None, **more}


@pytest.mark.parametrize("count", [0, 1, 5, 1000, 3000])
def test_group_by(session, count):
    data = make(1, count)
    plan = aggregate(
        values(TYPES, data), [agg("count"), agg("count", col(1)), agg("sum_int4", col(1)), agg("max_int4", col(1), type=INT4)], [col(0)]
    )
    expected = []
    for key in {d[0] for d in data}:
        members = [d for d in data if d[0] == key]
        numbers = [d[1] for d in members if d[1] is not None]
        expected.append((key, len(members), len(numbers), sum(numbers) if numbers else None, max(numbers, default=None)))
    text = [tuple(None if v is None else str(v) for v in row) for row in expected]
    assert sorted(both(session, plan), key=repr) == sorted(text, key=repr)


@pytest.mark.parametrize("count", [0, 1, 3000])
def test_without_group_by(session, count):
    data = make(2, count)
    numbers = [d[1] for d in data if d[1] is not None]
    big = ("call", "int4gt", BOOL, [col(1), i4(25)])
    plan = aggregate(
        values(TYPES, data), [agg("count"), agg("sum_int4", col(1)), agg("count", filter=big), agg("count", col(0), distinct=True)]
    )
    expected = (count, sum(numbers) if numbers else None, sum(1 for n in numbers if n > 25), len({d[0] for d in data if d[0] is not None}))
    assert both(session, plan) == [tuple(None if v is None else str(v) for v in expected)]


def test_grouping_sets(session):
    data = make(3, 500)
    sets = [[0, 1], [0], []]
    plan = aggregate(values(TYPES, data), [agg("count"), agg("grouping", i4(0), i4(1), type=INT4)], [col(0), col(2)], sets=sets)
    expected = Counter()
    for d in data:
        expected[(d[0], d[2], 0)] += 1
        expected[(d[0], None, 1)] += 1
        expected[(None, None, 3)] += 1
    text = [tuple(None if v is None else str(v) for v in (k[0], k[1], n, k[2])) for k, n in expected.items()]
    assert sorted(both(session, plan), key=repr) == sorted(text, key=repr)
    empty = aggregate(values(TYPES, []), [agg("count")], [col(0), col(2)], sets=sets)
    assert both(session, empty) == [(None, None, "0")]


@pytest.mark.parametrize("count", [0, 1, 17, 1000, 5000])
@pytest.mark.parametrize("limit", [None, 0, 1, 10, 4000])
def test_sort_and_top_k(session, count, limit):
    data = make(4, count)
    keys = [(col(0), True, False), (("call", "textlen", INT4, [col(2)]), False, True), (col(1), False, False)]

    def order(row):
        first = (row[0] is None, -(row[0] or 0))
        third = (row[1] is None, row[1] or 0)
        return first, (1, len(row[2])), third

    plan = {"op": "sort", "input": values(TYPES, data), "keys": keys, "limit": None if limit is None else i8(limit)}
    expected = [tuple(None if v is None else str(v) for v in row) for row in sorted(data, key=order)]
    found = both(session, plan)
    wanted = expected if limit is None else expected[:limit]
    assert [(r[0], len(r[2]), r[1]) for r in found] == [(r[0], len(r[2]), r[1]) for r in wanted]
    if limit is None:
        assert Counter(found) == Counter(expected)


@pytest.mark.parametrize("kind", ["union_all", "union", "intersect", "intersect_all", "except", "except_all"])
def test_set_operations(session, kind):
    rng = random.Random(6)
    left = [(rng.choice([None, *range(6)]),) for _ in range(40)]
    right = [(rng.choice([None, *range(3, 9)]),) for _ in range(30)]
    a, b = Counter(left), Counter(right)
    expected = {
        "union_all": a + b, "union": Counter(dict.fromkeys(a | b, 1)), "intersect_all": a & b,
        "intersect": Counter(dict.fromkeys(a & b, 1)), "except_all": a - b, "except": Counter({k: 1 for k in a if k not in b}),
    }[kind]  # fmt: skip
    plan = {"op": "setop", "kind": kind, "inputs": [values([INT4], left), values([INT4], right)]}
    found = Counter((None if r[0] is None else int(r[0]),) for r in both(session, plan))
    assert found == expected


def test_distinct_and_distinct_on(session):
    data = make(7, 2000)
    found = both(session, {"op": "distinct", "input": values(TYPES, data)})
    assert len(found) == len(set(found)) == len(set(data))
    ordered = {"op": "sort", "input": values(TYPES, data), "keys": [(col(0), False, False), (col(1), False, False)], "limit": None}
    found = both(session, {"op": "distinct_on", "input": ordered, "keys": [col(0)]})
    assert len(found) == len({d[0] for d in data})
    for row in found:
        smallest = min((d[1] is None, d[1] or 0) for d in data if str(d[0]) == str(row[0]))
        assert row[1] == (None if smallest[0] else str(smallest[1]))


def test_cte_runs_once(session):
    cte = {"plan": aggregate(values([INT4], [(1,), (2,)]), [agg("sum_int4", col(0))]), "out": [INT8]}
    plan = {"op": "setop", "kind": "union_all", "inputs": [{"op": "cte_scan", "cte": 0}, {"op": "cte_scan", "cte": 0}]}
    stats: dict = {}
    compiled = program(plan, ctes=[cte])
    assert session.execute(compiled, stats=stats)[1] == [("3",), ("3",)]
    assert session.execute(compiled, budget_ns=1)[1] == [("3",), ("3",)]


def recursive(limit, distinct, step=None):
    step = step or ("call", "int4pl", INT4, [col(0), i4(1)])
    return {
        "plan": {"op": "recursive", "cte": 0, "distinct": distinct, "init": values([INT4], [(1,)]),
                 "step": {"op": "project", "exprs": [step],
                          "input": {"op": "filter", "input": {"op": "work_scan", "cte": 0},
                                    "cond": ("call", "int4lt", BOOL, [col(0), i4(limit)])}}},
        "out": [INT4],
    }  # fmt: skip


def test_recursion(session):
    plan = aggregate({"op": "cte_scan", "cte": 0}, [agg("count"), agg("sum_int4", col(0))])
    assert both(session, plan, ctes=[recursive(1000, False)]) == [("1000", "500500")]
    ring = ("call", "int4mod", INT4, [("call", "int4pl", INT4, [col(0), i4(3)]), i4(10)])
    assert both(session, plan, ctes=[recursive(100, True, ring)]) == [("10", "45")]


def test_scalar_subplan(session):
    one = {"plan": aggregate(values([INT4], [(4,), (5,)]), [agg("sum_int4", col(0))]), "params": [], "out": [INT8]}
    plan = {"op": "project", "input": values([INT4], [(1,), (2,)]), "exprs": [col(0), ("scalar", 0, INT8)]}
    assert both(session, plan, subplans=[one]) == [("1", "9"), ("2", "9")]
    two = {"plan": values([INT4], [(4,), (5,)]), "params": [], "out": [INT4]}
    with refused("21000") as failure:
        rows(session, {"op": "result", "exprs": [("scalar", 0, INT4)]}, subplans=[two])
    assert failure.error.message == "more than one row returned by a subquery used as an expression"
    none = {"plan": values([INT4], []), "params": [], "out": [INT4]}
    assert rows(session, {"op": "result", "exprs": [("scalar", 0, INT4), ("exists", 1)]}, subplans=[none, none]) == [(None, "f")]


def test_correlated_subplans(session):
    t = Table(34000, [("id", INT4), ("owner", INT4)])
    run(session, t.insert(t.values([(i, i % 7) for i in range(200)])))
    of_owner = t.scan([0, 1], filter=("call", "int4eq", BOOL, [col(1), ("param", 0, INT4)]))
    counted = {"plan": aggregate(of_owner, [agg("count")]), "params": [(0, col(0))], "out": [INT8]}
    found = {"plan": of_owner, "params": [(1, col(0))], "out": [INT4, INT4]}
    found["plan"] = t.scan([0, 1], filter=("call", "int4eq", BOOL, [col(1), ("param", 1, INT4)]))
    plan = {"op": "project", "input": values([INT4], [(i,) for i in range(9)]), "exprs": [col(0), ("scalar", 0, INT8), ("exists", 1)]}
    expected = [(str(i), str(sum(1 for k in range(200) if k % 7 == i)), "t" if i < 7 else "f") for i in range(9)]
    assert both(session, plan, subplans=[counted, found], param_slots=2) == expected


@pytest.mark.parametrize(
    ("kind", "members", "expected"),
    [
        ("any_sub", [1, 3], ["t", "f", None]), ("any_sub", [1, None], ["t", None, None]), ("any_sub", [], ["f", "f", "f"]),
        ("all_sub", [1, 1], ["t", "f", None]), ("all_sub", [1, None], [None, "f", None]), ("all_sub", [], ["t", "t", "t"]),
    ],
)  # fmt: skip
def test_quantified_subplans(session, kind, members, expected):
    sub = {"plan": values([INT4], [(m,) for m in members]), "params": [], "out": [INT4]}
    plan = {"op": "project", "input": values([INT4], [(1,), (2,), (None,)]), "exprs": [(kind, 0, "int4eq", col(0))]}
    assert [r[0] for r in both(session, plan, subplans=[sub])] == expected
    same = {**sub, "params": [(0, col(0))]}
    assert [r[0] for r in both(session, plan, subplans=[same], param_slots=1)] == expected


def test_guards_keep_errors_away(session):
    divide = ("call", "int4div", INT4, [i4(10), col(0)])
    nonzero = ("call", "int4ne", BOOL, [col(0), i4(0)])
    source = values([INT4], [(0,), (5,), (None,)])
    guarded = ("case", [(nonzero, divide)], i4(-1), INT4)
    assert rows(session, {"op": "project", "input": source, "exprs": [guarded]}) == [("-1",), ("2",), ("-1",)]
    large = ("call", "int4gt", BOOL, [divide, i4(1)])
    assert rows(session, {"op": "filter", "input": source, "cond": ("and", [nonzero, large])}) == [("5",)]
    fallback = ("coalesce", [col(0), ("call", "int4div", INT4, [i4(1), i4(0)])], INT4)
    assert rows(session, {"op": "project", "input": values([INT4], [(3,)]), "exprs": [fallback]}) == [("3",)]
    with refused("22012"):
        rows(session, {"op": "project", "input": source, "exprs": [divide]})


def test_three_valued_logic(session):
    data = [(a, b) for a in (True, False, None) for b in (True, False, None)]
    source = values([BOOL, BOOL], [tuple(None if v is None else "t" if v else "f" for v in row) for row in data])
    exprs = [
        ("and", [col(0), col(1)]),
        ("or", [col(0), col(1)]),
        ("not", col(0)),
        ("istrue", col(0)),
        ("isfalse", col(0)),
        ("isnull", col(1)),
        ("distinct_from", "booleq", col(0), col(1)),
    ]

    def text(value):
        return None if value is None else "t" if value else "f"

    expected = []
    for a, b in data:
        both_ = False if a is False or b is False else None if a is None or b is None else True
        either = True if a or b else None if a is None or b is None else False
        expected.append(tuple(map(text, (both_, either, None if a is None else not a, a is True, a is False, b is None, a is not b))))
    assert rows(session, {"op": "project", "input": source, "exprs": exprs}) == expected


def test_in_any_all_arrays(session):
    source = values([INT4], [(1,), (2,), (None,)])
    exprs = [
        ("in", "int4eq", col(0), [i4(1), i4(9)]), ("in", "int4eq", col(0), [i4(1), const(INT4, None)]),
        ("any", "int4eq", col(0), const(1007, "{2,3}"), INT4), ("all", "int4ne", col(0), const(1007, "{2,NULL}"), INT4),
        ("any", "int4eq", col(0), ("array", INT4, 1007, [col(0), i4(5)]), INT4), ("nullif", "int4eq", col(0), i4(2)),
        ("array", INT4, 1007, [col(0), i4(7)]),
    ]  # fmt: skip
    assert rows(session, {"op": "project", "input": source, "exprs": exprs}) == [
        ("t", "t", "f", None, "t", "1", "{1,7}"),
        ("f", None, "t", "f", "t", None, "{2,7}"),
        (None, None, None, None, None, None, "{NULL,7}"),
    ]


def test_memory_limit(database):
    database.engine.set_limits(DSQL.with_values({"query_memory_bytes_max": 1 << 20}))
    session = database.session()
    big = values([TEXT], [("x" * 5000,)] * 400)
    with refused("54000") as failure:
        rows(session, {"op": "sort", "input": big, "keys": [(col(0), False, False)], "limit": None})
    assert failure.error.message == "query requires more than allowed temp space of 1024 KB to execute"
    session.close()


def test_statistics(session):
    plan = {
        "op": "filter",
        "id": 1,
        "cond": ("call", "int4gt", BOOL, [col(0), i4(2)]),
        "input": {**values([INT4], [(i,) for i in range(5)]), "id": 0},
    }
    stats: dict = {}
    session.execute(program(plan), stats=stats)
    assert [(n["rows"], n["loops"]) for n in stats["nodes"]] == [(5, 1), (2, 1)]
    assert stats["nodes"][1]["ns"] >= stats["nodes"][0]["ns"] > 0


def test_python_function(session):
    from dsql_core.execute import register_pyfunction

    register_pyfunction("test_twice", lambda text: None if text is None else text * 2)
    plan = {"op": "project", "input": values([TEXT], [("ab",), (None,)]), "exprs": [("py", "test_twice", TEXT, [col(0)])]}
    assert rows(session, plan) == [("abab",), (None,)]

    def fails(text):
        error = ValueError("bad")
        error.sqlstate = "22023"
        raise error

    register_pyfunction("test_fails", fails)
    with refused("22023") as failure:
        rows(session, {"op": "project", "input": values([TEXT], [("ab",)]), "exprs": [("py", "test_fails", TEXT, [col(0)])]})
    assert failure.error.message == "ValueError: bad"


def test_limit_offset(session):
    source = values([INT4], [(i,) for i in range(3000)])
    for offset, limit in [(0, 5), (1023, 3), (2998, 10), (5000, 5), (10, None)]:
        plan = {"op": "limit", "input": source, "offset": i8(offset), "limit": None if limit is None else i8(limit)}
        expected = list(range(3000))[offset:][: limit if limit is not None else None]
        assert [int(r[0]) for r in both(session, plan)] == expected
    with refused("2201W"):
        rows(session, {"op": "limit", "input": source, "limit": i8(-1), "offset": None})


def test_modifying_cte_runs_unread(session):
    t = Table(34010, [("id", INT4)])
    plan = values([INT4], [(1,)])
    cte = {"plan": t.insert(t.values([(1,), (2,)]), returning=[col(0)]), "out": [INT4]}
    assert session.execute(program(plan, ctes=[cte], writes=True))[1] == [("1",)]
    assert rows(session, t.scan()) == [("1",), ("2",)]
    cte = {"plan": t.delete(t.target(), returning=[col(0)]), "out": [INT4]}
    seen = aggregate(t.scan(), [agg("count")])
    both_ = {"op": "setop", "kind": "union_all", "inputs": [seen, aggregate({"op": "cte_scan", "cte": 0}, [agg("count")])]}
    assert session.execute(program(both_, ctes=[cte], writes=True))[1] == [("2",), ("2",)], "a statement does not see its own changes"
    assert rows(session, t.scan()) == []


def test_long_in_lists(session):
    source = values([INT4], [(i,) for i in range(30)] + [(None,)])
    members = [i4(m) for m in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31)]
    array = const(1007, "{" + ",".join(m[3] for m in members) + "}")
    plan = {"op": "project", "input": source, "exprs": [
        ("in", "int4eq", col(0), members), ("any", "int4eq", col(0), array, INT4),
        ("in", "int4eq", col(0), [*members, const(INT4, None)]), ("any", "int4eq", col(0), ("array", INT4, 1007, [*members, col(0)]), INT4)]}  # fmt: skip
    primes = {int(m[3]) for m in members}
    expected = [("t" if i in primes else "f", "t" if i in primes else "f", "t" if i in primes else None, "t") for i in range(30)]
    assert rows(session, plan) == [*expected, (None, None, None, None)]
    words = [const(TEXT, f"w{i}") for i in range(0, 40, 3)]
    plan = {"op": "filter", "input": values([TEXT], [(f"w{i}",) for i in range(40)]), "cond": ("in", "texteq", col(0), words)}
    assert rows(session, plan) == [(f"w{i}",) for i in range(0, 40, 3)]


def test_correlated_cte_is_filled_for_every_row(session):
    cte = {
        "plan": {
            "op": "filter",
            "input": values([INT4], [(i,) for i in range(10)]),
            "cond": ("call", "int4lt", BOOL, [col(0), ("param", 0, INT4)]),
        },
        "out": [INT4],
    }
    sub = {"plan": aggregate({"op": "cte_scan", "cte": 0}, [agg("count")]), "params": [(0, col(0))], "out": [INT8]}
    plan = {"op": "project", "input": values([INT4], [(1,), (4,), (9,)]), "exprs": [("scalar", 0, INT8)]}
    assert both(session, plan, subplans=[sub], ctes=[cte], param_slots=1) == [("1",), ("4",), ("9",)]


def test_constants_are_read_with_the_sessions_settings(session):
    from dsql_core.execute import Program

    ir = {
        "kind": "query",
        "plan": {"op": "result", "exprs": [const(1184, "2024-07-01 12:00")]},
        "columns": [("c", 1184, -1, 0, 0)],
        "tag": "SELECT",
    }
    assert session.set_timezone("America/New_York")
    assert session.execute(Program.compile(ir, session))[1] == [("2024-07-01 12:00:00-04",)]
    assert session.execute(Program.compile(ir))[1] == [("2024-07-01 08:00:00-04",)]


def test_a_long_statement_yields_and_others_run_between_its_steps(database):
    session = database.session()
    t = Table(34020, [("id", INT4), ("n", INT4)])
    for start in range(0, 9000, 3000):
        run(session, t.insert(t.values([(i, i % 7) for i in range(start, start + 3000)])))
    plan = aggregate(t.scan([1]), [agg("sum_int4", col(0))], [col(0)])
    stats: dict = {}
    found = session.execute(program(plan), budget_ns=1, stats=stats)[1]
    assert sorted(found) == sorted((str(n), str(n * len([i for i in range(9000) if i % 7 == n]))) for n in range(7))
    assert stats["yields"] >= 8 and stats["steps"] > stats["yields"], "one batch a step"
    session.close()

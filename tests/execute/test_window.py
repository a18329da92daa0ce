"""Window functions and set-returning functions against Python models."""

from __future__ import annotations

import random

import pytest

from tests.execute.support import BOOL, INT4, INT8, NUMERIC, TEXT, col, const, i4, i8, program, refused, rows, values

FLOAT8 = 701
TYPES = [INT4, INT4, INT4]


def data(count, seed=1):
    rng = random.Random(seed)
    return [(rng.randrange(3), rng.choice([None, *range(6)]), i) for i in range(count)]


def window(source, funcs, partition=True, order=True):
    return {"op": "window", "input": source, "partition": [col(0)] if partition else [],
            "order": [(col(1), False, False)] if order else [], "funcs": funcs}  # fmt: skip


def call(fn, *args, type=INT8, aggregate=False, **more):
    return {"fn": fn, "args": list(args), "type": type, "aggregate": aggregate, "filter": None, "mode": "range",
            "start": "unbounded_preceding", "start_offset": None, "end": "current_row", "end_offset": None, "exclude": None, **more}  # fmt: skip


def partitions(source):
    """Sorted rows by partition, with the peers of each row."""
    ordered = sorted(source, key=lambda r: (r[0], r[1] is None, r[1] or 0))
    for key in sorted({r[0] for r in source}):
        yield [r for r in ordered if r[0] == key]


def both(session, plan):
    compiled = program(plan)
    found = session.execute(compiled)[1]
    assert session.execute(compiled, budget_ns=1)[1] == found
    return found


def test_ranking(session):
    source = data(60)
    funcs = [
        call("row_number"),
        call("rank"),
        call("dense_rank"),
        call("percent_rank", type=FLOAT8),
        call("cume_dist", type=FLOAT8),
        call("ntile", i4(4), type=INT4),
    ]
    found = both(session, window(values(TYPES, source), funcs))
    expected = []
    for part in partitions(source):
        n = len(part)
        for i, row in enumerate(part):
            first = next(k for k in range(n) if part[k][1] == row[1])
            last = max(k for k in range(n) if part[k][1] == row[1])
            dense = len({r[1] for r in part[: i + 1]})
            size, larger = divmod(n, 4)
            tile = i // (size + 1) + 1 if i < larger * (size + 1) else larger + (i - larger * (size + 1)) // size + 1
            expected.append((i + 1, first + 1, dense, first / (n - 1), (last + 1) / n, tile))
    flat = [float(v) for r in found for v in r[3:]]
    assert flat == pytest.approx([float(v) for e in expected for v in e])


def test_offsets_and_values(session):
    source = data(50, 2)
    funcs = [call("lag", col(2), type=INT4), call("lead", col(2), i4(2), i4(-1), type=INT4), call("first_value", col(2), type=INT4),
             call("last_value", col(2), type=INT4), call("nth_value", col(2), i4(2), type=INT4)]  # fmt: skip
    found = both(session, window(values(TYPES, source), funcs))
    assert len(found) == 50
    at = 0
    for part in partitions(source):
        ids = [int(r[2]) for r in found[at : at + len(part)]]
        for i in range(len(part)):
            row = found[at + i]
            last = max(k for k in range(len(part)) if part[k][1] == part[i][1])
            expected = (ids[i - 1] if i else None, ids[i + 2] if i + 2 < len(ids) else -1, ids[0], ids[last], ids[1] if last >= 1 else None)
            assert row[3:] == tuple(None if e is None else str(e) for e in expected)
        at += len(part)


FRAMES = [
    {}, {"mode": "rows"}, {"mode": "rows", "start": "preceding", "start_offset": i8(2), "end": "following", "end_offset": i8(1)},
    {"mode": "rows", "start": "current_row", "end": "unbounded_following"}, {"end": "unbounded_following"},
    {"mode": "groups", "start": "preceding", "start_offset": i8(1), "end": "current_row"},
    {"mode": "range", "start": "preceding", "start_offset": i4(2), "end": "following", "end_offset": i4(1)},
    {"mode": "rows", "start": "unbounded_preceding", "end": "unbounded_following", "exclude": "current_row"},
    {"mode": "rows", "start": "unbounded_preceding", "end": "unbounded_following", "exclude": "group"},
    {"mode": "groups", "start": "preceding", "start_offset": i8(1), "end": "following", "end_offset": i8(1), "exclude": "ties"},
]  # fmt: skip


def in_frame(frame, part, i, k):
    """Whether row k is in row i's frame, by the standard's definition."""
    mode, start, end = frame.get("mode", "range"), frame.get("start", "unbounded_preceding"), frame.get("end", "current_row")
    groups = []
    for row in part:
        groups.append(groups[-1] + (row[1] != part[len(groups) - 1][1]) if groups else 0)

    def offset(name):
        return int(frame[name][3])

    def edge(which, bound, name):
        if bound.startswith("unbounded"):
            return True
        if bound == "current_row":
            a, b = (i, k) if mode == "rows" else (groups[i], groups[k])
            return b >= a if which == "start" else b <= a
        n = -offset(name) if bound == "preceding" else offset(name)
        if mode == "range":
            if part[i][1] is None or part[k][1] is None:
                same = part[i][1] is None and part[k][1] is None
                if same:
                    return True
                null_k = part[k][1] is None
                return (null_k if which == "start" else not null_k) if part[i][1] is None or null_k else False
            a, b = part[i][1] + n, part[k][1]
        else:
            a, b = (i + n, k) if mode == "rows" else (groups[i] + n, groups[k])
        return b >= a if which == "start" else b <= a

    if not (edge("start", start, "start_offset") and edge("end", end, "end_offset")):
        return False
    exclude = frame.get("exclude")
    if exclude == "current_row":
        return k != i
    if exclude == "group":
        return groups[k] != groups[i]
    if exclude == "ties":
        return groups[k] != groups[i] or k == i
    return True


@pytest.mark.parametrize("number", range(len(FRAMES)))
def test_aggregates_over_frames(session, number):
    frame = FRAMES[number]
    source = data(45, 3)
    even = ("call", "int4eq", BOOL, [("call", "int4mod", INT4, [col(2), i4(2)]), i4(0)])
    funcs = [
        call("sum_int4", col(2), aggregate=True, **frame),
        call("count", aggregate=True, **{**frame, "filter": even}),
        call("max_int4", col(2), type=INT4, aggregate=True, **frame),
    ]
    found = both(session, window(values(TYPES, source), funcs))
    at = 0
    for part in partitions(source):
        got = [(int(r[0]), None if r[1] is None else int(r[1]), int(r[2])) for r in found[at : at + len(part)]]
        assert sorted(got, key=repr) == sorted(part, key=repr)
        for i in range(len(part)):
            members = [got[k][2] for k in range(len(got)) if in_frame(frame, got, i, k)]
            expected = (sum(members) if members else None, sum(1 for m in members if m % 2 == 0), max(members, default=None))
            assert found[at + i][3:] == tuple(None if e is None else str(e) for e in expected), (frame, i)
        at += len(part)


def test_window_errors(session):
    source = values(TYPES, data(5))
    with refused("22013"):
        rows(session, window(source, [call("count", aggregate=True, mode="rows", start="preceding", start_offset=i8(-1))]))
    with refused("22014") as failure:
        rows(session, window(source, [call("ntile", i4(0), type=INT4)]))
    assert failure.error.message == "argument of ntile must be greater than zero"
    assert rows(session, window(values(TYPES, []), [call("row_number")])) == []


def srf(fn, *args, out, **more):
    return {"op": "srf", "fn": fn, "args": list(args), "out": list(out), "ordinality": False, **more}


@pytest.mark.parametrize(("start", "stop", "step"), [(1, 5, 1), (5, 1, -2), (1, 0, 1), (-3, 3000, 3), (2147483640, 2147483647, 5)])
def test_generate_series(session, start, stop, step):
    expected = [str(v) for v in range(start, stop + (1 if step > 0 else -1), step)]
    assert [r[0] for r in both(session, srf("generate_series", i4(start), i4(stop), i4(step), out=[INT4]))] == expected
    assert [r[0] for r in both(session, srf("generate_series", i8(start), i8(stop), i8(step), out=[INT8]))] == expected
    number = [const(NUMERIC, v) for v in (start, stop, step)]
    assert [r[0] for r in both(session, srf("generate_series", *number, out=[NUMERIC]))] == expected


def test_generate_series_of_other_types(session):
    assert rows(session, srf("generate_series", const(NUMERIC, "1.1"), const(NUMERIC, "2"), const(NUMERIC, "0.4"), out=[NUMERIC])) == [
        ("1.1",),
        ("1.5",),
        ("1.9",),
    ]
    days = srf("generate_series", const(1114, "2024-02-28"), const(1114, "2024-03-01"), const(1186, "1 day"), out=[1114])
    assert [r[0] for r in rows(session, days)] == ["2024-02-28 00:00:00", "2024-02-29 00:00:00", "2024-03-01 00:00:00"]
    with refused("22023") as failure:
        rows(session, srf("generate_series", i4(1), i4(2), i4(0), out=[INT4]))
    assert failure.error.message == "step size cannot equal zero"
    assert rows(session, srf("generate_series", i4(1), const(INT4, None), out=[INT4])) == []
    limited = {"op": "limit", "limit": i8(3), "offset": None, "input": srf("generate_series", i8(1), i8(10**15), out=[INT8])}
    assert rows(session, limited) == [("1",), ("2",), ("3",)]


def test_unnest(session):
    assert rows(session, srf("unnest", const(1007, "{1,NULL,3}"), out=[INT4])) == [("1",), (None,), ("3",)]
    assert rows(session, srf("unnest", const(1009, "{a,b}"), out=[TEXT, INT8], ordinality=True)) == [("a", "1"), ("b", "2")]
    assert rows(session, srf("unnest", const(1007, None), out=[INT4])) == []
    beside = srf("unnest", const(1007, "{1}"), const(1009, "{a,b}"), out=[INT4, TEXT])
    assert rows(session, beside) == [("1", "a"), (None, "b")]


def test_python_srf(session):
    from dsql_core.execute import set_srf_function

    set_srf_function(lambda name, args: [(f"{name}{i}", None) for i in range(int(args[0]))])
    assert rows(session, srf("things", i4(2), out=[TEXT, INT4])) == [("things0", None), ("things1", None)]


def test_lateral_series(session):
    plan = {"op": "apply", "kind": "inner", "left": values([INT4], [(1,), (2,), (3,)]),
            "right": srf("generate_series", i4(1), ("param", 0, INT4), out=[INT4]), "params": [(0, col(0))], "cond": None}  # fmt: skip
    assert rows(session, plan, param_slots=1) == [("1", "1"), ("2", "1"), ("2", "2"), ("3", "1"), ("3", "2"), ("3", "3")]

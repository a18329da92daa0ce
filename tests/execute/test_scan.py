"""Scans: bounds of every shape, both directions, limits, own writes merged in - against a sorted list."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.execute.support import BOOL, INT4, INT8, TEXT, Database, Table, col, const, i4, i8, program, rows, run

T = Table(35000, [("a", INT4), ("b", TEXT), ("v", INT8)], pk=(0, 1))


def insert(session, found):
    run(session, T.insert(T.values(found)))


def texts(found):
    return [tuple(str(v) for v in row) for row in found]


BOUNDS = st.fixed_dictionaries(
    {},
    optional={
        "eq": st.integers(0, 6), "in": st.lists(st.sampled_from([None, *range(7)]), max_size=4),
        "lo": st.tuples(st.integers(-1, 7), st.booleans()), "hi": st.tuples(st.integers(-1, 7), st.booleans()),
        "name_lo": st.tuples(st.sampled_from(["", "a", "b", "bb"]), st.booleans()), "name_hi": st.tuples(st.sampled_from(["a", "b", "c"]), st.booleans()),
    },
)  # fmt: skip


def make_bounds(choice):
    """IR bounds and a predicate saying the same."""
    if "eq" in choice or "in" in choice:
        members = [choice["eq"]] if "eq" in choice else choice["in"]
        bounds = {"eq": [i4(choice["eq"])]} if "eq" in choice else {"in": [const(INT4, m) for m in members]}
        tests = [lambda r: r[0] in [m for m in members if m is not None]]
        for name, compare in (("name_lo", "lo"), ("name_hi", "hi")):
            if name in choice and "eq" in choice:
                text, inclusive = choice[name]
                bounds[compare] = (const(TEXT, text), inclusive)
                tests.append(_side(1, compare, text, inclusive))
        return bounds, lambda r: all(t(r) for t in tests)
    bounds, tests = {}, []
    for side in ("lo", "hi"):
        if side in choice:
            value, inclusive = choice[side]
            bounds[side] = (i4(value), inclusive)
            tests.append(_side(0, side, value, inclusive))
    return bounds, lambda r: all(t(r) for t in tests)


def _side(column, side, value, inclusive):
    if side == "lo":
        return lambda r: r[column] > value or (inclusive and r[column] == value)
    return lambda r: r[column] < value or (inclusive and r[column] == value)


KEYS = st.tuples(st.integers(0, 6), st.sampled_from(["", "a", "ab", "b", "bb"]))


@pytest.fixture(scope="module")
def scanned():
    base = Database()
    yield base
    base.arena.close()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stored=st.dictionaries(KEYS, st.integers(0, 99), max_size=12), puts=st.dictionaries(KEYS, st.integers(100, 199), max_size=6),
    gone=st.sets(KEYS, max_size=5), choice=BOUNDS, backward=st.booleans(), limit=st.none() | st.integers(0, 5),
)  # fmt: skip
def test_own_writes_are_merged_in_order(scanned, stored, puts, gone, choice, backward, limit):
    session = scanned.session()
    try:
        run(session, T.delete(T.target()), tag="DELETE")
        insert(session, [(a, b, v) for (a, b), v in stored.items()])
        session.begin()
        model = {k: v for k, v in stored.items() if k not in gone}
        for a, b in gone:
            run(session, T.delete(T.target({"eq": [i4(a), const(TEXT, b)]}, key_point=True)), tag="DELETE")
        upsert = {"index": 35000, "action": "update", "set": [(2, col(5))], "where": None}
        if puts:
            run(session, T.insert(T.values([(a, b, v) for (a, b), v in puts.items()]), on_conflict=upsert))
        model.update(puts)
        bounds, passes = make_bounds(choice)
        expected = [(a, b, v) for (a, b), v in sorted(model.items()) if passes((a, b))]
        if backward:
            expected.reverse()
        if limit is not None:
            expected = expected[:limit]
        plan = T.scan(bounds=bounds, backward=backward, limit=None if limit is None else i8(limit))
        assert rows(session, plan) == texts(expected)
    finally:
        session.close()


def test_index_scan_excludes_null_from_ranges(session):
    t = Table(35100, [("id", INT4), ("n", INT4)], indexes=[{"oid": 35101, "cols": [1]}])
    run(session, t.insert(t.values([(1, 5), (2, None), (3, 7), (4, None), (5, 1)])))
    assert rows(session, t.index_scan(0, [1])) == [("5",), ("1",), ("3",), ("2",), ("4",)], "NULLs sort last"
    assert rows(session, t.index_scan(0, [1], {"lo": (i4(5), True)})) == [("1",), ("3",)]
    assert rows(session, t.index_scan(0, [1], {"hi": (i4(5), True)})) == [("5",), ("1",)]
    assert rows(session, t.index_scan(0, [1], {"lo": (const(INT4, None), True)})) == []
    assert rows(session, t.index_scan(0, [1], {"eq": [i4(7)]})) == [("3",)]
    by_key = rows(session, t.index_scan(0, [0, -2]))
    assert by_key[0] == ("1", rows(session, t.scan([-1], {"eq": [i4(5)]}))[0][0]), "the suffix of an entry is the row's key"


def test_filter_decodes_late(session):
    t = Table(35200, [("id", INT4), ("n", INT4), ("s", TEXT)])
    run(session, t.insert(t.values([(i, i % 10, f"s{i}") for i in range(2000)])))
    for wanted in (3, 8):
        less = ("call", "int4lt", BOOL, [col(1), i4(wanted)])
        expected = [(str(i), f"s{i}") for i in range(2000) if i % 10 < wanted]
        plan = {"op": "project", "input": t.scan([2, 1, 0], filter=less), "exprs": [col(2), col(0)]}
        assert rows(session, plan) == expected
        assert session.execute(program(plan), budget_ns=1)[1] == expected
        limited = {**plan, "input": {**plan["input"], "limit": i8(150)}}
        assert rows(session, limited) == expected[:150]


def test_large_values(session):
    t = Table(35300, [("id", INT4), ("s", TEXT)])
    big = {i: chr(97 + i) * (i * 3000) for i in range(8)}
    run(session, t.insert(t.values(list(big.items()))))
    assert rows(session, t.scan()) == [(str(i), s) for i, s in big.items()]
    assert rows(session, t.scan(bounds={"eq": [i4(7)]}, key_point=True)) == [("7", big[7])]

"""Joins of every kind against a naive model, with and without yielding at every chance."""

from __future__ import annotations

import random

import pytest

from tests.execute.support import BOOL, INT4, INT8, TEXT, Table, col, i4, rows, run, values

KINDS = ["inner", "left", "right", "full", "semi", "anti"]


def random_rows(seed, count, keys):
    rng = random.Random(seed)
    return [(i, rng.choice([None, *range(keys)]), rng.randrange(10)) for i in range(count)]


def model(kind, left, right, matches):
    """Join by definition: matches(l, r) -> bool."""
    out = []
    used = set()
    for a in left:
        partners = [(j, b) for j, b in enumerate(right) if matches(a, b)]
        used |= {j for j, _ in partners}
        if kind == "semi":
            out += [a] if partners else []
        elif kind == "anti":
            out += [] if partners else [a]
        else:
            out += [a + b for _, b in partners]
            if not partners and kind in ("left", "full"):
                out.append(a + (None,) * 3)
    if kind in ("right", "full"):
        out += [(None,) * 3 + b for j, b in enumerate(right) if j not in used]
    return out


def as_text(found):
    return sorted((tuple(None if v is None else str(v) for v in row) for row in found), key=repr)


def joined(session, plan, budget=0):
    from tests.execute.support import program

    return sorted(session.execute(program(plan), budget_ns=budget)[1], key=repr)


TYPES = [INT4, INT4, INT4]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [(0, 5), (5, 0), (1, 1), (40, 30), (700, 900)])
@pytest.mark.parametrize("condition", [False, True])
def test_hash_and_nested_loop(session, kind, sizes, condition):
    left, right = random_rows(1, sizes[0], 40), random_rows(2, sizes[1], 40)
    extra = ("call", "int4lt", BOOL, [col(2), col(5)]) if condition else None
    same = ("call", "int4eq", BOOL, [col(1), col(4)])
    source = values(TYPES, left), values(TYPES, right)

    def matches(a, b):
        return a[1] is not None and a[1] == b[1] and (not condition or a[2] < b[2])

    expected = as_text(model(kind, left, right, matches))
    hashed = {"op": "hash_join", "kind": kind, "left": source[0], "right": source[1], "lkeys": [col(1)], "rkeys": [col(1)], "cond": extra}
    assert joined(session, hashed) == expected
    assert joined(session, hashed, 1) == expected
    nested = {"op": "nl_join", "kind": kind, "left": source[0], "right": source[1], "cond": ("and", [same, extra]) if condition else same}
    if sizes[0] * sizes[1] < 5000:
        assert joined(session, nested) == expected
        assert joined(session, nested, 1) == expected


@pytest.mark.parametrize("kind", ["inner", "left", "semi", "anti"])
def test_apply(session, kind):
    left, right = random_rows(3, 30, 9), random_rows(4, 50, 9)
    inner = {"op": "filter", "input": values(TYPES, right), "cond": ("call", "int4eq", BOOL, [("param", 0, INT4), col(1)])}
    plan = {"op": "apply", "kind": kind, "left": values(TYPES, left), "right": inner, "params": [(0, col(1))], "cond": None}
    expected = as_text(model(kind, left, right, lambda a, b: a[1] is not None and a[1] == b[1]))
    for budget in (0, 1):
        from tests.execute.support import program

        found = session.execute(program(plan, param_slots=1), budget_ns=budget)[1]
        assert sorted(found, key=repr) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1, 2, None], [], ["1", "2", None]),
        ([1, 2, None], [2], ["1"]),
        ([1, 2, None], [2, None], []),
        ([], [None], []),
    ],
)
def test_null_anti(session, left, right, expected):
    plan = {"op": "hash_join", "kind": "null_anti", "left": values([INT4], [(v,) for v in left]),
            "right": values([INT4], [(v,) for v in right]), "lkeys": [col(0)], "rkeys": [col(0)], "cond": None}  # fmt: skip
    assert [r[0] for r in rows(session, plan)] == expected


@pytest.fixture
def tables(session):
    parent = Table(33000, [("id", INT4), ("v", INT8)])
    child = Table(33001, [("id", INT4), ("parent", INT4), ("w", INT4)], indexes=[{"oid": 33002, "cols": [1], "include": [2]}])
    run(session, parent.insert(parent.values([(i, i * 10) for i in range(0, 100, 2)])))
    rng = random.Random(5)
    children = [(i, rng.choice([None, *range(60)]), rng.randrange(9)) for i in range(300)]
    run(session, child.insert(child.values(children)))
    return parent, child, children


@pytest.mark.parametrize("kind", ["inner", "left", "semi", "anti"])
@pytest.mark.parametrize("own_writes", [False, True])
def test_lookup_by_primary_key(session, tables, kind, own_writes):
    parent, child, children = tables
    ids = set(range(0, 100, 2))
    if own_writes:
        session.begin()
        run(session, parent.delete(parent.target({"eq": [i4(10)]})), tag="DELETE")
        run(session, parent.insert(parent.values([(11, 110)])))
        ids = ids - {10} | {11}
    plan = {"op": "lookup", "input": child.scan(), "kind": kind, "tree": 33000, "table_oid": 33000, "row": parent.row,
            "key": [INT4], "cols": [0, 1], "filter": None, "bounds": {"eq": [col(1)]}, "key_point": True}  # fmt: skip
    expected = []
    for c in children:
        hit = c[1] in ids
        if kind == "semi":
            expected += [c] if hit else []
        elif kind == "anti":
            expected += [] if hit else [c]
        elif hit:
            expected.append(c + (c[1], c[1] * 10))
        elif kind == "left":
            expected.append(c + (None, None))
    text = [tuple(None if v is None else str(v) for v in r) for r in expected]
    assert rows(session, plan) == text, "also in the input's order"


@pytest.mark.parametrize("kind", ["inner", "left", "semi", "anti"])
@pytest.mark.parametrize("budget", [0, 1])
def test_lookup_through_index_with_filter(session, tables, kind, budget):
    from tests.execute.support import program

    parent, child, children = tables
    index = child.ir["indexes"][0]
    plan = {"op": "lookup", "input": parent.scan([0]), "kind": kind, "tree": 33002, "table_oid": 33001, "index_oid": 33002,
            "row": index["store_types"], "key": [INT4], "cols": [2, 1, -2], "bounds": {"eq": [col(0)]},
            "filter": ("call", "int4gt", BOOL, [col(2), i4(4)])}  # fmt: skip
    expected = []
    for p in range(0, 100, 2):
        hits = [c for c in children if c[1] == p and c[2] > 4]
        if kind == "semi":
            expected += [(str(p),)] if hits else []
        elif kind == "anti":
            expected += [] if hits else [(str(p),)]
        else:
            expected += [(str(p), str(c[0]), str(c[2])) for c in hits]
            if not hits and kind == "left":
                expected.append((str(p), None, None))
    found = session.execute(program(plan), budget_ns=budget)[1]
    assert [r[:3] for r in found] == expected


def test_apply_keeps_the_bytes_of_a_batch_that_is_out(session):
    words = values([INT4, TEXT], [(i, f"word number {i:04d}") for i in range(40)])
    inner = {"op": "filter", "input": words, "cond": ("call", "int4lt", BOOL, [col(0), ("param", 0, INT4)])}
    plan = {"op": "apply", "kind": "left", "left": values([INT4], [(i,) for i in range(60)]), "right": inner,
            "params": [(0, col(0))], "cond": None}  # fmt: skip
    largest = {"op": "aggregate", "input": plan, "groups": [col(0)], "grouped": True, "sets": None,
               "aggs": [{"fn": "max_text", "args": [col(2)], "type": TEXT}]}  # fmt: skip
    found = dict(rows(session, largest, param_slots=1))
    assert found == {str(i): f"word number {min(i, 40) - 1:04d}" if i else None for i in range(60)}

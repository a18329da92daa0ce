"""Every aggregate of the registry against PostgreSQL 15: many random groups, with and without the one-group path."""

import importlib.util
import random
import sys
from pathlib import Path

import pytest
from opendsql.registry.aggregates import AGGREGATES
from opendsql.registry.types import TYPES_BY_OID, find_type

from dsql_core.execute.kernels import KernelError, aggregate

_spec = importlib.util.spec_from_file_location("kernel_samples", Path(__file__).with_name("samples.py"))
_samples = importlib.util.module_from_spec(_spec)
sys.modules["kernel_samples"] = _samples
_spec.loader.exec_module(_samples)
SAMPLES, STAND_INS = _samples.SAMPLES, _samples.STAND_INS

GROUPS = 12
NOT_IN_15 = {
    "any_value",
    *(f"{kind}_{name}" for kind in ("json", "jsonb")
      for name in ("agg_strict", "object_agg_strict", "object_agg_unique", "object_agg_unique_strict")),
}  # fmt: skip

# Value sets whose result PostgreSQL computes in another order of additions, or that overflow in both but elsewhere.
TAME = {
    "float4": ["0", "1.5", "-2.5", "1024", "0.125"],
    "float8": ["0", "1.5", "-2.5", "1024", "0.125", "3"],
    "interval": ["1 day", "2 mons", "01:02:03", "-3 days 12:00:00"],
    "numeric": ["0", "1", "-1.5", "2.50", "123456789.123456789", "1e30", "NaN", "0.0001"],
    "float8[]": ["{0,0.25,0.5,1}", "{0.1,NULL}"],
}
FRACTIONS = ["0", "0.25", "0.5", "0.9", "1"]


def type_name(oid: int) -> str:
    name = TYPES_BY_OID[oid].name
    name = name[1:] + "[]" if name.startswith("_") else name
    return STAND_INS.get(name, name)


def literal(text: str | None, name: str) -> str:
    return f"null::{name}" if text is None else "'" + text.replace("'", "''") + f"'::{name}"


def values_of(entry, names: list[str], chance: random.Random) -> list[list[str | None]]:
    count = chance.choice([0, 1, 2, 5, 9])
    columns = []
    for index, name in enumerate(names):
        pool = TAME.get(name, SAMPLES[name])
        if entry.aggkind == "o" and index == 0 and len(names) == 2:
            columns.append([chance.choice(FRACTIONS if name == "float8" else pool)] * count)
        elif entry.name in ("json_object_agg", "jsonb_object_agg") and index == 0:
            columns.append([f"k{n}" for n in range(count)])
        else:
            columns.append([chance.choice(pool) if chance.random() > 0.15 else None for _ in range(count)])
    if entry.name == "array_agg" and names == ["int4[]"]:
        columns = [["{1,2}"] * count]
    return columns


def sql_of(entry, names: list[str], columns: list[list[str | None]]) -> str:
    aliases = [f"c{n}" for n in range(len(names))]
    rows = [
        "(" + ", ".join([str(at), *(literal(column[at], name) for column, name in zip(columns, names, strict=True))]) + ")"
        for at in range(len(columns[0]))
    ]
    nothing = "select 0, " + ", ".join(f"null::{name}" for name in names) + " where false"
    source = f"(values {', '.join(rows)})" if rows else f"({nothing})"
    source += f" v(n, {', '.join(aliases)})"
    if entry.aggkind == "o":
        fraction = literal(columns[0][0], names[0]) if len(names) == 2 and columns[0] else "null::" + names[0]
        call = f"{entry.name}({fraction if len(names) == 2 else ''}) within group (order by {aliases[-1]})"
    else:
        call = f"{entry.name}({', '.join(aliases)} order by n)"
    return f"(select {call} from {source})"


def ours(entry, result: int, names: list[str], columns, *, one: bool) -> object:
    if entry.aggkind == "o":
        # The executor sorts by the last argument first.
        import functools

        from dsql_core.types.face import compare

        oid = find_type(names[-1]).oid
        order = sorted(
            (at for at in range(len(columns[-1])) if columns[-1][at] is not None),
            key=functools.cmp_to_key(lambda a, b: compare(oid, columns[-1][a], columns[-1][b])),
        )
        columns = [[column[at] for at in order] for column in columns]
    arguments = [(find_type(name).oid, column) for name, column in zip(names, columns, strict=True)]
    groups = [0] * len(columns[0])
    try:
        return aggregate(entry.implementation, result, arguments, groups, one=one)[0]
    except KernelError as error:
        return ("error", error.sqlstate, error.message)


ENTRIES = [
    entry for entry in AGGREGATES
    if entry.name not in NOT_IN_15 and entry.arg_types and all(SAMPLES.get(type_name(o)) for o in entry.arg_types)
]  # fmt: skip


def test_entries_are_many():
    assert len(ENTRIES) > 100




@pytest.mark.parametrize("one", [False, True])
def test_same_as_postgresql(postgres, one):
    problems = []
    for entry in ENTRIES:
        names = [type_name(oid) for oid in entry.arg_types]
        result = find_type(type_name(entry.result_type)).oid
        label = f"{entry.name}({', '.join(names)})"
        chance = random.Random(label)
        groups = [values_of(entry, names, chance) for _ in range(GROUPS)]
        expected = postgres.evaluate([sql_of(entry, names, columns) for columns in groups])
        for columns, wanted in zip(groups, expected, strict=True):
            got = ours(entry, result, names, columns, one=one)
            if got != wanted:
                problems.append(f"{label} {columns!r}: ours {got!r}, PostgreSQL {wanted!r}")
    assert not problems, f"{len(problems)} differences\n" + "\n".join(problems[:200])


def test_groups_are_kept_apart():
    groups = [0, 1, 0, 2, 1, 0]
    assert aggregate("sum_int4", 20, [(23, ["1", "2", "3", None, "5", "6"])], groups) == ["10", "7", None]
    assert aggregate("max_text", 25, [(25, ["a", "zz", "b", None, "y", "abc"])], groups) == ["b", "zz", None]
    assert aggregate("count", 20, [(23, ["1", "2", "3", None, "5", "6"])], groups) == ["3", "2", "0"]
    assert aggregate("string_agg", 25, [(25, ["a", "b", "c", "d", "e", "f"]), (25, ["-"])], groups) == ["a-c-f", "b-e", "d"]


def test_sum_of_int4_overflows_only_past_bigint():
    assert aggregate("sum_int8", 1700, [(20, ["9223372036854775807"] * 3)], one=True) == ["27670116110564327421"]

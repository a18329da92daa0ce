"""The registry's Python functions against PostgreSQL 15, by overload, as test_against_postgresql does for kernels.

Functions whose arguments have a language of their own (templates, patterns, paths) get samples in that language.
"""

import functools
import importlib.util
import random
import sys
from pathlib import Path

import pytest
from opendsql.errors import DsqlError
from opendsql.registry.functions import FUNCTIONS
from opendsql.registry.operators import OPERATORS
from opendsql.registry.pyfunctions import lookup
from opendsql.registry.resolve import TYPED
from opendsql.registry.types import TYPES_BY_OID, find_type

from dsql_core.types.face import normalise

_spec = importlib.util.spec_from_file_location("kernel_samples", Path(__file__).with_name("samples.py"))
_samples = importlib.util.module_from_spec(_spec)
sys.modules["kernel_samples"] = _samples
_spec.loader.exec_module(_samples)
SAMPLES, STAND_INS, SPECIAL = _samples.SAMPLES, _samples.STAND_INS, _samples.SPECIAL

TUPLES = 24

SKIPPED = {
    "pg_typeof": "regtype's text is the catalog's",
    "pg_column_size": "storage differs",
    "pg_sleep": "waits", "pg_sleep_for": "waits", "pg_sleep_until": "waits", "timeofday": "is the time",
    "array_shuffle": "random, and not in 15", "array_sample": "random, and not in 15", "pg_input_is_valid": "not in 15",
    "format_type": "user types are the catalog's", "similar_escape": "an intermediate form",
    "similar_to_escape": "an intermediate form",
}  # fmt: skip

# name(arguments) -> what differs.
KNOWN: dict[str, str] = {
    "pg_char_to_encoding(name)": "ABC is an alias of WIN1258 nobody uses",
    "jsonb_delete(jsonb, text[])": "variadic as a function of that name; here it is the operator's",
    "power(numeric, numeric)": "16 chooses another scale for whole exponents than 15",
    "pow(numeric, numeric)": "the same",
    "^(numeric, numeric)": "the same",
    "numeric_power(numeric, numeric)": "the same",
    "system_user()": "15 does not have it",
}


def type_name(oid: int) -> str:
    name = TYPES_BY_OID[oid].name
    name = name[1:] + "[]" if name.startswith("_") else name
    return STAND_INS.get(name, name)


def literal(text: str | None, name: str) -> str:
    if text is None:
        return f"null::{name}"
    return "'" + text.replace("'", "''") + f"'::{name}"


def _spelled_call(name: str, is_operator: bool, marker: str, args: list[str]) -> str:
    if is_operator:
        return f"({args[0]}) {name} ({args[1]})"
    spelled = [*args[:-1], marker + args[-1]] if args else []
    return f'pg_catalog."{name}"({", ".join(spelled)})'


def overloads():
    seen = set()
    for entry in [*FUNCTIONS, *OPERATORS]:
        if entry.kind != "py" or getattr(entry, "hook", False) or entry.implementation in SKIPPED:
            continue
        names = [type_name(oid) for oid in entry.arg_types]
        if not all(SAMPLES.get(name) for name in names):
            continue
        variadic = getattr(entry, "variadic", 0)
        label = f"{entry.name}({', '.join(names)})"
        if label in seen:
            continue
        seen.add(label)
        marker = "variadic " if variadic and variadic != 2276 else ""
        sql = functools.partial(_spelled_call, entry.name, hasattr(entry, "left"), marker)
        yield label, entry.name, entry.implementation, entry.result_type, names, sql


OVERLOADS = list(overloads())


def tuples_of(function: str, names: list[str], seed: str) -> list[tuple[str | None, ...]]:
    chance = random.Random(seed)
    special = SPECIAL.get(function, {})
    if function == "to_char":
        special = {1: _samples.TO_CHAR.get(names[0], _samples.NUMBER_TEMPLATES)}
        if names[0] in ("float4", "float8", "numeric", "int4", "int8"):
            # Infinities come out as rows of # that differ between the number types. Large integers overflow in 15's V.
            special[0] = [t for t in SAMPLES[names[0]] if len(t) < 10 and t not in ("2147483647", "NaN", "Infinity", "-Infinity")] + (["0.1", "12.345", "-0.5"] if names[0][0] in "fn" else [])
    pools = []
    for index, name in enumerate(names):
        pool = special.get(index, SAMPLES[name])
        if name == "int4" and index in special:
            pool = [text for text in pool if text.lstrip("-").isdigit()] or SAMPLES[name]
        pools.append(pool)
    if not names:
        return [()]
    drawn = [tuple(chance.choice(pool) for pool in pools) for _ in range(TUPLES * (4 if function == "to_char" else 2 if special else 1))]
    for index in range(len(names)):
        row = list(drawn[0])
        row[index] = None
        drawn.append(tuple(row))
    return drawn


def ours(implementation: str, result: int, oids: list[int], values: tuple[str | None, ...]) -> object:
    name = f"{implementation}:{','.join(map(str, oids))}" if implementation in TYPED else implementation
    try:
        # Arguments reach a function in their types' output form.
        texts = [None if text is None else normalise(oid, text) for oid, text in zip(oids, values, strict=True)]
        out = lookup(name)(*texts)
        return None if out is None else normalise(result, out)
    except DsqlError as error:
        return ("error", error.sqlstate, error.message)
    except ValueError as error:
        if not hasattr(error, "sqlstate"):
            raise
        return ("error", error.sqlstate, error.message)


def test_overloads_are_many():
    assert len(OVERLOADS) > 80


@pytest.mark.parametrize("part", range(6))
def test_same_as_postgresql(postgres, part):
    problems = []
    for label, function, implementation, result, names, sql in OVERLOADS[part::6]:
        if label in KNOWN:
            continue
        values = tuples_of(function, names, label)
        expected = postgres.evaluate([sql([literal(t, n) for t, n in zip(v, names, strict=True)]) for v in values])
        oids = [find_type(name).oid for name in names]
        result_oid = find_type(type_name(result)).oid
        for arguments, wanted in zip(values, expected, strict=True):
            try:
                got = ours(implementation, result_oid, oids, arguments)
            except Exception as error:  # noqa: BLE001
                got = repr(error)
            if got != wanted:
                problems.append(f"{label} {arguments!r}: ours {got!r}, PostgreSQL {wanted!r}")
    assert not problems, f"{len(problems)} differences\n" + "\n".join(problems[:400])

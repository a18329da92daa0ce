"""Every function, operator and cast of the registry that a kernel computes, against PostgreSQL 15.

For each overload a number of argument tuples is drawn from samples.py (seeded), evaluated by both, and compared to the
letter: text of the value, NULL, or SQLSTATE and message. KNOWN lists what differs on purpose or by version.
"""

import importlib.util
import random
import sys
from pathlib import Path

import pytest
from opendsql.registry.casts import CASTS
from opendsql.registry.functions import FUNCTIONS
from opendsql.registry.operators import OPERATORS
from opendsql.registry.types import TYPES_BY_OID

from dsql_core.execute.kernels import KernelError, call

_spec = importlib.util.spec_from_file_location("kernel_samples", Path(__file__).with_name("samples.py"))
_samples = importlib.util.module_from_spec(_spec)
sys.modules["kernel_samples"] = _samples
_spec.loader.exec_module(_samples)
SAMPLES, STAND_INS, SPECIAL = _samples.SAMPLES, _samples.STAND_INS, _samples.SPECIAL

TUPLES = 16

# Not a function of the arguments, or not in PostgreSQL 15.
SKIPPED = {
    "now", "transaction_timestamp", "statement_timestamp", "clock_timestamp", "random", "random_normal", "setseed",
    "gen_random_uuid", "erf", "erfc", "date_add", "date_subtract", "num_nulls", "num_nonnulls", "float8_timestamptz",
}  # fmt: skip
SKIPPED_KERNELS = {"timestamp_age_today", "timestamptz_age_today", "time_timetz", "timetz_zone"}


def type_name(oid: int) -> str:
    name = TYPES_BY_OID[oid].name
    name = name[1:] + "[]" if name.startswith("_") else name
    return STAND_INS.get(name, name)


def spelled(name: str) -> str:
    return '"char"' if name == "char" else name


def literal(text: str | None, name: str) -> str:
    if text is None:
        return f"null::{spelled(name)}"
    escaped = text.replace("'", "''")
    return f"'{escaped}'::{spelled(name)}"


def tuples_of(names: list[str], seed: str) -> list[tuple[str | None, ...]]:
    chance = random.Random(seed)
    if not names:
        return [()]
    # The function's name is the label up to its arguments; an operator stands between two types.
    function = seed.partition("(")[0] if "(" in seed else seed.split(" ")[-2] if " " in seed else ""
    special = SPECIAL.get(function, {})
    pools = []
    for index, name in enumerate(names):
        pool = special.get(index, SAMPLES[name])
        if name == "int4" and index in special:
            pool = [text for text in pool if text.lstrip("-").isdigit()] or SAMPLES[name]
        pools.append(pool)
    drawn = [tuple(chance.choice(pool) for pool in pools) for _ in range(TUPLES * (3 if special else 1))]
    drawn.append((None, *drawn[0][1:]))
    return drawn


def ours(kernel: str, result: int, oids: list[int], values: tuple[str | None, ...]) -> object:
    try:
        return call(kernel, result, [(oid, [text]) for oid, text in zip(oids, values, strict=True)])[0]
    except KernelError as error:
        return ("error", error.sqlstate, error.message)


def concrete(oid: int) -> int:
    from opendsql.registry.types import find_type

    return find_type(type_name(oid)).oid


def overloads():
    for function in FUNCTIONS:
        if function.kind == "f" and function.name not in SKIPPED and function.implementation not in SKIPPED_KERNELS:
            names = [type_name(oid) for oid in function.arg_types]
            call_name = f'pg_catalog."{function.name}"'
            marker = "variadic " if function.variadic and function.variadic != 2276 else ""
            yield (
                f"{function.name}({', '.join(names)})",
                function.implementation, concrete(function.result_type), names,
                lambda args, n=call_name, m=marker: f"{n}({', '.join([*args[:-1], m + args[-1]] if args else [])})",
            )  # fmt: skip
    for operator in OPERATORS:
        if operator.kind == "f":
            names = [type_name(oid) for oid in operator.arg_types]
            yield (
                f"{' '.join(names[:-1])} {operator.name} {names[-1]}",
                operator.implementation, concrete(operator.result_type), names,
                lambda args, n=operator.name: f"({args[0]}) {n} ({args[1]})" if len(args) == 2 else f"{n} ({args[0]})",
            )  # fmt: skip
    for cast in CASTS:
        is_name = TYPES_BY_OID[cast.target].name.startswith("reg")  # their text needs a catalog
        skipped = is_name or cast.source == cast.target or cast.implementation == "time_timetz"
        if cast.method in ("kernel", "io") and not skipped:
            names = [type_name(cast.source)]
            target = type_name(cast.target)
            yield (
                f"{names[0]}::{target}", cast.implementation, cast.target, names,
                lambda args, t=target: f"({args[0]})::{spelled(t)}",
            )  # fmt: skip


OVERLOADS = [entry for entry in overloads() if all(SAMPLES.get(name) for name in entry[3])]


def test_overloads_are_many():
    assert len(OVERLOADS) > 700


# Differences known and accepted: "name(args)" -> why.
KNOWN: dict[str, str] = {
    "age(timestamp, timestamp)": "of infinity: 15 computes nonsense, here it is an error as in 17",
    "age(timestamptz, timestamptz)": "the same",
    "make_interval(int4, int4, int4, int4, int4, int4, float8)": "15 wraps around, here it is an error as in 17",
    "round(numeric, int4)": "beyond 2,000 decimals the scale is cut",
    "trunc(numeric, int4)": "the same",
    "timezone(text, timestamp)": "'1.5' as a zone: 15 reads a POSIX fraction of its own",
    "timezone(text, timestamptz)": "the same",
}


@pytest.mark.parametrize("part", range(8))
def test_same_as_postgresql(postgres, part):
    problems = []
    for label, kernel, result, names, sql in OVERLOADS[part::8]:
        if label in KNOWN:
            continue
        values = tuples_of(names, label)
        expected = postgres.evaluate([sql([literal(t, n) for t, n in zip(v, names, strict=True)]) for v in values])
        oids = [concrete_name(name) for name in names]
        for arguments, wanted in zip(values, expected, strict=True):
            got = ours(kernel, result, oids, arguments)
            if got != wanted:
                problems.append(f"{label} {arguments!r} [{kernel}]: ours {got!r}, PostgreSQL {wanted!r}")
    assert not problems, f"{len(problems)} differences\n" + "\n".join(problems[:400])


def concrete_name(name: str) -> int:
    from opendsql.registry.types import find_type

    return find_type(name).oid

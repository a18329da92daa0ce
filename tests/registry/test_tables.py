"""The registry's tables: consistent with themselves, with the core's kernels, and with PostgreSQL 15's own catalogs."""

import importlib.util
import sys
from pathlib import Path

import pytest
from opendsql.registry import py_srf, pyfunctions
from opendsql.registry.aggregates import AGGREGATES
from opendsql.registry.casts import CASTS
from opendsql.registry.functions import DECLARED, FUNCTIONS, FUNCTIONS_BY_NAME
from opendsql.registry.operators import OPERATORS, OPERATORS_BY_OID
from opendsql.registry.types import TYPES_BY_NAME, TYPES_BY_OID, format_type

from dsql_core.execute import kernel
from dsql_core.execute import kernels as _registered  # noqa: F401  (importing registers them)

_path = Path(__file__).parent.parent / "kernels" / "oracle.py"
_spec = importlib.util.spec_from_file_location("registry_oracle", _path)
oracle_module = importlib.util.module_from_spec(_spec)
sys.modules["registry_oracle"] = oracle_module
_spec.loader.exec_module(oracle_module)

# Hooks of the catalog whose facts differ: set-returning or immutable in PostgreSQL, one stable row here.
ONE_ROW = {"pg_partition_ancestors", "pg_partition_root"}

# The executor's own set-returning functions.
BUILT_IN_SRF = {"generate_series", "unnest"}


@pytest.fixture(scope="module")
def postgres():
    reason = oracle_module.missing()
    if reason:
        pytest.skip(reason)
    with oracle_module.running() as oracle:
        yield oracle


def rows(postgres, query):
    return postgres.connection.execute(query).fetchall()


# --- themselves and the core -----------------------------------------------------------------------------------------


def test_every_kernel_exists():
    wanted = {entry.implementation for entry in [*FUNCTIONS, *OPERATORS] if entry.kind == "f"}
    wanted |= {cast.implementation for cast in CASTS if cast.method in ("kernel", "io")}
    wanted |= {"apply_typmod", "greatest", "least", "cast_io"}
    assert len(wanted) > 500
    assert sorted(name for name in wanted if not kernel.has_kernel(name)) == []


def test_every_aggregate_exists():
    assert sorted({a.implementation for a in AGGREGATES if not kernel.has_aggregate(a.implementation)}) == []


def test_every_python_function_exists():
    known = pyfunctions.names()
    wanted = {entry.implementation for entry in [*FUNCTIONS, *OPERATORS] if entry.kind == "py" and not getattr(entry, "hook", False)}
    assert len(wanted) > 80
    assert sorted(wanted - known) == []


def test_every_set_returning_function_is_known():
    wanted = {function.implementation for function in FUNCTIONS if function.kind == "srf"}
    assert sorted(wanted - py_srf.names() - BUILT_IN_SRF) == []


def test_oids_are_unique_and_names_too():
    assert len({function.oid for function in DECLARED}) == len(DECLARED)
    assert len({operator.oid for operator in OPERATORS}) == len(OPERATORS)
    signatures = [(f.name, f.arg_types) for f in FUNCTIONS]
    assert len(set(signatures)) == len(signatures)


def test_commutators_and_negators_point_back():
    for operator in OPERATORS:
        if operator.commutator in OPERATORS_BY_OID:
            assert OPERATORS_BY_OID[operator.commutator].commutator == operator.oid, operator
        if operator.negator in OPERATORS_BY_OID:
            assert OPERATORS_BY_OID[operator.negator].negator == operator.oid, operator


def test_array_types_point_to_their_elements():
    for entry in TYPES_BY_OID.values():
        if entry.array_oid:
            assert TYPES_BY_OID[entry.array_oid].elem_oid == entry.oid
        if entry.name.startswith("_"):
            assert TYPES_BY_OID[entry.elem_oid].array_oid == entry.oid


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def test_types_are_postgresqls(postgres):
    theirs = {
        name: (oid, category, preferred, length, array, elem, display)
        for oid, name, category, preferred, length, array, elem, display in rows(
            postgres,
            "select oid::int, typname, typcategory::text, typispreferred, typlen::int, typarray::int, typelem::int,"
            " format_type(oid, null) from pg_type where typnamespace = 11",
        )
    }
    for name, entry in TYPES_BY_NAME.items():
        mine = (entry.oid, entry.category, entry.preferred, entry.length, entry.array_oid, entry.elem_oid, entry.display)
        assert mine == theirs[name]


@pytest.mark.parametrize(
    ("oid", "typmods"),
    [(1700, [-1, 655366, 262148, 589820]), (1043, [-1, 5, 14]), (1042, [-1, 5, 104]), (1114, [-1, 0, 3]), (1184, [6]),
     (1083, [2]), (1266, [0]), (1186, [-1, 327679, 2147418115, 470286337]), (1015, [14]), (25, [-1])],
)  # fmt: skip
def test_format_type_with_modifiers(postgres, oid, typmods):
    for typmod in typmods:
        wanted = postgres.evaluate([f"format_type({oid}, {typmod})"])[0]
        assert format_type(oid, typmod) == wanted


def test_functions_are_postgresqls(postgres):
    theirs = {
        oid: (name, tuple(types), result, volatility, strict, returns_set)
        for oid, name, types, result, volatility, strict, returns_set in rows(
            postgres,
            "select oid::int, proname, array(select unnest(proargtypes)::int), prorettype::int, provolatile::text,"
            " proisstrict, proretset from pg_proc",
        )
    }
    problems = []
    compared = 0
    for function in FUNCTIONS:
        if function.oid not in theirs:
            continue
        compared += 1
        mine = (function.name, function.arg_types, function.result_type)
        if mine != theirs[function.oid][:3]:
            problems.append((function.oid, mine, theirs[function.oid][:3]))
        if function in DECLARED and function.kind not in ("a", "w"):
            facts = (function.volatility, function.strict, function.returns_set)
            if facts != theirs[function.oid][3:] and function.name not in ONE_ROW:
                problems.append((function.name, facts, theirs[function.oid][3:]))
    assert compared > 1000
    assert problems == []


def test_operators_are_postgresqls(postgres):
    theirs = {
        row[0]: tuple(row[1:])
        for row in rows(
            postgres,
            "select oid::int, oprname, oprleft::int, oprright::int, oprresult::int, oprcode::oid::int, oprcom::int,"
            " oprnegate::int, oprcanmerge, oprcanhash from pg_operator",
        )
    }
    for operator in OPERATORS:
        mine = (
            operator.name, operator.left, operator.right, operator.result_type, operator.function_oid,
            operator.commutator, operator.negator, operator.merges, operator.hashes,
        )  # fmt: skip
        assert mine == theirs[operator.oid]


def test_casts_are_postgresqls(postgres):
    theirs = {
        (source, target): (context, function)
        for source, target, context, function in rows(
            postgres, "select castsource::int, casttarget::int, castcontext::text, castfunc::int from pg_cast"
        )
    }
    for cast in CASTS:
        assert (cast.context, cast.function_oid) == theirs[cast.source, cast.target]


def test_names_have_every_overload_of_common_functions(postgres):
    # Overloads over types the registry leaves out (ranges, geometry, bit strings, text search) do not count.
    names = ("length", "substring", "round", "abs", "date_trunc", "to_char", "jsonb_set", "array_length", "concat", "sum", "min")
    known = set(TYPES_BY_OID) - {TYPES_BY_NAME[n].oid for n in ("bit", "varbit", "lseg", "path", "tsvector", "money", "inet",
                                 "tid", "xid8", "pg_lsn", "anyenum")}  # fmt: skip
    for name in names:
        for (types,) in rows(
            postgres,
            f"select array(select unnest(proargtypes)::int) from pg_proc where proname = '{name}' and pronamespace = 11",
        ):
            if set(types) <= known:
                assert tuple(types) in {f.arg_types for f in FUNCTIONS_BY_NAME[name]}, (name, types)

"""Type resolution: a table of cases in PostgreSQL's words, and every operator over every pair of types against it."""

import importlib.util
import sys
from pathlib import Path

import pytest
from opendsql.errors import DsqlError
from opendsql.registry.operators import OPERATORS_BY_NAME
from opendsql.registry.resolve import common_type, find_cast, find_function, find_operator
from opendsql.registry.types import find_type, format_type

_path = Path(__file__).parent.parent / "kernels" / "oracle.py"
_spec = importlib.util.spec_from_file_location("resolve_oracle", _path)
oracle_module = importlib.util.module_from_spec(_spec)
sys.modules["resolve_oracle"] = oracle_module
_spec.loader.exec_module(oracle_module)

UNKNOWN = 705


def oid(name: str | None) -> int:
    return UNKNOWN if name in (None, "unknown") else find_type(name).oid


def oids(text: str) -> list[int]:
    return [oid(name) for name in text.split(", ")] if text else []


def outcome(call) -> str:
    try:
        return call()
    except DsqlError as error:
        return f"{error.sqlstate} {error.message}"


OPERATORS = [
    ("int4 + int4", "int4pl integer, integer -> integer"),
    ("int4 + unknown", "int4pl integer, integer -> integer"),
    ("int2 = int8", "int28eq smallint, bigint -> boolean"),
    ("varchar = unknown", "texteq text, text -> boolean"),
    ("bpchar = varchar", "bpchareq character, character -> boolean"),
    ("int4 * numeric", "numeric_mul numeric, numeric -> numeric"),
    ("float4 * numeric", "float48mul real, double precision -> double precision"),
    ("oid = int4", "oideq oid, oid -> boolean"),
    ("text || int4", "textanycat text, integer -> text"),
    ("unknown || unknown", "textcat text, text -> text"),
    ("int4[] || int8", "array_append:1016,20 bigint[], bigint -> bigint[]"),
    ("date - unknown", "date_mi date, date -> integer"),
    ("timestamp - unknown", "timestamp_mi timestamp without time zone, timestamp without time zone -> interval"),
    ("jsonb -> unknown", "jsonb_object_field jsonb, text -> jsonb"),
    ("int4 + text", "42883 operator does not exist: integer + text"),
    ("unknown + unknown", "42725 operator is not unique: unknown + unknown"),
    ("bool + bool", "42883 operator does not exist: boolean + boolean"),
]


@pytest.mark.parametrize(("expression", "wanted"), OPERATORS)
def test_operators(expression, wanted):
    left, name, right = expression.split(" ")

    def call() -> str:
        match = find_operator(name, oid(left), oid(right))
        types = ", ".join(format_type(o) for o in match.arg_types)
        return f"{match.kernel} {types} -> {format_type(match.result_type)}"

    assert outcome(call) == wanted


def test_operator_hints():
    with pytest.raises(DsqlError) as caught:
        find_operator("+", oid("int4"), oid("text"))
    assert caught.value.hint == "No operator matches the given name and argument types. You might need to add explicit type casts."
    with pytest.raises(DsqlError) as caught:
        find_operator("-", None, oid("text"))
    assert caught.value.message == "operator does not exist: - text"
    assert caught.value.hint == "No operator matches the given name and argument type. You might need to add an explicit type cast."


FUNCTIONS = [
    ("length(unknown)", "f textlen text -> integer"),
    ("abs(unknown)", "f float8abs double precision -> double precision"),
    ("round(int4)", "f dround double precision -> double precision"),
    ("round(numeric, int4)", "f numeric_round numeric, integer -> numeric"),
    ("sum(int4)", "a sum_int4 integer -> bigint"),
    ("max(varchar)", "a max_text text -> text"),
    ("array_agg(int4)", "a array_agg integer -> integer[]"),
    ("date_trunc(unknown, date)", "f timestamptz_trunc text, timestamp with time zone -> timestamp with time zone"),
    ("text(int4)", "cast cast_io integer -> text"),
    ("int8(int4)", "f int48 integer -> bigint"),
    ("jsonb_set(jsonb, unknown, unknown)", "py jsonb_set jsonb, text[], jsonb, boolean -> jsonb"),
    ("lag(int4, int4, unknown)", "w lag integer, integer, integer -> integer"),
    ("generate_series(int4, int8)", "srf generate_series bigint, bigint -> bigint"),
    ("to_jsonb(int4[])", "f to_jsonb integer[] -> jsonb"),
    ("to_char(int4, unknown)", "py to_char:23,25 integer, text -> text"),
    ("f(int4)", "42883 function f(integer) does not exist"),
    ("round(float8, int4)", "42883 function round(double precision, integer) does not exist"),
    ("avg(unknown)", "42725 function avg(unknown) is not unique"),
    ("to_jsonb(unknown)", "42804 could not determine polymorphic type because input has type unknown"),
    ("pg_advisory_lock(int4)", "0A000 function pg_advisory_lock not supported"),
    ("pg_try_advisory_xact_lock(int8)", "0A000 function pg_try_advisory_xact_lock not supported"),
    ("pg_advisory_unlock_all()", "0A000 function pg_advisory_unlock_all not supported"),
]


@pytest.mark.parametrize(("expression", "wanted"), FUNCTIONS)
def test_functions(expression, wanted):
    name, _, rest = expression.partition("(")

    def call() -> str:
        match = find_function(name, oids(rest[:-1]))
        types = ", ".join(format_type(o) for o in match.arg_types)
        return f"{match.kind} {match.kernel} {types} -> {format_type(match.result_type)}"

    assert outcome(call) == wanted


def test_variadic_arguments_become_an_array():
    match = find_function("jsonb_extract_path", oids("jsonb, unknown, text"))
    assert (match.variadic_array, match.variadic_from) == (oid("text[]"), 1)
    match = find_function("jsonb_extract_path", oids("jsonb, text[]"), variadic_call=True)
    assert match.variadic_array == 0
    match = find_function("concat", oids("int4, unknown"))
    assert (match.variadic_array, match.arg_types) == (0, (23, 25))


def test_named_arguments_and_defaults():
    match = find_function("make_interval", [23], arg_names=["days"])
    assert match.order == (None, None, None, 0, None, None, None)
    assert match.defaults == ("0", "0", "0", None, "0", "0", "0.0")
    with pytest.raises(DsqlError) as caught:
        find_function("make_interval", [23], arg_names=["wrong"])
    assert caught.value.message == "function make_interval(wrong => integer) does not exist"


COMMON = [
    ("int4, numeric", "numeric"), ("unknown, unknown", "text"), ("int2, int8, float4", "real"),
    ("varchar, text", "character varying"), ("text, varchar", "text"), ("varchar, unknown", "character varying"), ("date, timestamptz", "timestamp with time zone"),
    ("numeric, float8", "double precision"), ("unknown, int4", "integer"),
    ("text, int4", "42804 CASE types text and integer cannot be matched"),
]  # fmt: skip


@pytest.mark.parametrize(("types", "wanted"), COMMON)
def test_common_types(types, wanted):
    assert outcome(lambda: format_type(common_type(oids(types)))) == wanted


CASTS = [
    ("int4", "int8", "i", "kernel int48"), ("int8", "int4", "i", None), ("int8", "int4", "a", "kernel int84"),
    ("varchar", "text", "i", "binary None"), ("int4", "text", "i", None), ("int4", "text", "a", "io cast_io"),
    ("text", "int4", "a", None), ("text", "int4", "e", "io cast_io"), ("int4", "bool", "e", "kernel int4_bool"),
    ("int4", "bool", "a", None), ("int4[]", "text[]", "a", "io cast_io"), ("int4[]", "int8[]", "i", "py array_cast:1007,1016"),
    ("json", "jsonb", "a", "io cast_io"), ("date", "int4", "e", None), ("unknown", "date", "i", "io cast_io"),
    ("text", "regclass", "i", "py text_regclass"), ("regtype", "text", "a", "py regtype_text"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "target", "context", "wanted"), CASTS)
def test_casts(source, target, context, wanted):
    match = find_cast(oid(source), oid(target), context)
    assert (f"{match.method} {match.kernel}" if match else None) == wanted


# --- PostgreSQL itself -----------------------------------------------------------------------------------------------

TYPES = (
    "int2 int4 int8 float4 float8 numeric text varchar bpchar name bool date time timestamp timestamptz timetz interval"
    " uuid bytea json jsonb oid regclass int4[] text[] int8[] numeric[]"
).split() + [None]

# Unknown beside @> and <@ could also be a range, && and ?| a geometric thing: types the registry leaves out.
OPEN = {"@>", "<@", "&&", "?|", "?-", "?#"}


def spelled(name: str | None) -> str:
    return "'1'" if name is None else f"null::{name}"


def test_every_operator_over_every_pair_of_types():
    reason = oracle_module.missing()
    if reason:
        pytest.skip(reason)
    import psycopg

    problems = []
    compared = 0
    with oracle_module.running() as postgres:
        for name in OPERATORS_BY_NAME:
            for left in TYPES:
                for right in TYPES:
                    if name in OPEN and None in (left, right):
                        continue
                    if name == "@@" and left != "jsonb":
                        continue  # text search, which the registry leaves out
                    wanted = None
                    try:
                        cursor = postgres.connection.execute(
                            f"select {spelled(left)} {name} {spelled(right)} where false", prepare=False
                        )
                        wanted = format_type(cursor.description[0].type_code)
                    except psycopg.Error as error:
                        if error.sqlstate.startswith("22"):
                            continue  # the literal '1' is no value of the type chosen
                        wanted = f"{error.sqlstate} {error.diag.message_primary}"
                    compared += 1
                    mine = outcome(
                        lambda n=name, x=left, y=right: format_type(find_operator(n, oid(x), oid(y)).result_type)
                    )
                    if mine != wanted:
                        problems.append(f"{left} {name} {right}: {mine} / {wanted}")
    assert compared > 25000
    assert problems == []

# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""json and jsonb: containment, arrays as JSON, objects of arrays, casts of scalars.

Reading and building are kernels (json_read, json_build). jsonb results are returned in any spacing: the type's input
puts them in canonical form.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from opendsql.errors import DsqlError
from opendsql.registry import jsontext
from opendsql.registry.jsontext import Number
from opendsql.registry.pgtext import bool_text, invalid, parse_array
from opendsql.registry.pyfunctions import pyfunction
from opendsql.registry.types import TYPES_BY_OID

# --- containment and existence ---------------------------------------------------------------------------------------


def same(left: Any, right: Any) -> bool:
    """Equality of two values of loads; numbers by value."""
    if isinstance(left, Number) and isinstance(right, Number):
        return Decimal(left) == Decimal(right)
    if isinstance(left, Number) or isinstance(right, Number) or type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return bool(left == right)


def contains(outer: Any, inner: Any, top: bool = True) -> bool:
    """jsonb @>: every member of inner is somewhere at the same level of outer."""
    if isinstance(outer, dict) and isinstance(inner, dict):
        return all(key in outer and contains(outer[key], value, False) for key, value in inner.items())
    if isinstance(outer, list) and isinstance(inner, list):
        return all(any(contains(have, want, False) for have in outer) for want in inner)
    if top and isinstance(outer, list) and not isinstance(inner, dict):
        # An array may contain a bare scalar.
        return any(same(have, inner) for have in outer)
    return same(outer, inner)


@pyfunction("jsonb_contains")
def jsonb_contains(outer: str, inner: str) -> str:
    return bool_text(contains(jsontext.loads(outer), jsontext.loads(inner)))


@pyfunction("jsonb_contained")
def jsonb_contained(inner: str, outer: str) -> str:
    return jsonb_contains(outer, inner) or "f"


# --- SQL values as JSON ----------------------------------------------------------------------------------------------

_NUMBERS = frozenset({20, 21, 23, 700, 701, 1700})
_ZONE = re.compile(r"([+-]\d\d)\Z")


def value_text(oid: int, text: str | None) -> str:
    """An SQL value of a type as JSON: numbers and bools bare, json as it is, everything else a string."""
    if text is None:
        return "null"
    if oid == 16:
        return "true" if text == "t" else "false"
    if oid in _NUMBERS:
        return text if text[-1].isdigit() else jsontext.quote(text)
    if oid in (114, 3802):
        return text
    if oid in (1114, 1184):
        text = text.replace(" ", "T", 1) if text[0].isdigit() else text
        return jsontext.quote(_ZONE.sub(r"\1:00", text) if oid == 1184 else text)
    entry = TYPES_BY_OID.get(oid)
    if entry is not None and entry.is_array:
        return _array_text(entry.elem_oid, parse_array(text).items, "")
    return jsontext.quote(text)


def _array_text(oid: int, items: list[Any], break_text: str) -> str:
    inner = (_array_text(oid, i, "") if isinstance(i, list) else value_text(oid, i) for i in items)
    return "[" + ("," + break_text).join(inner) + "]"


@pyfunction(typed=True)
def array_to_json(types: tuple[int, ...], value: str, pretty: str = "f") -> str:
    element = TYPES_BY_OID[types[0]].elem_oid
    return _array_text(element, parse_array(value).items, "\n " if pretty == "t" else "")


@pyfunction("json_object", "jsonb_object")
def object_of_arrays(first: str, second: str | None = None) -> str:
    """From one array of alternating keys and values (or of pairs), or from keys and values."""
    keys = parse_array(first)
    if second is not None:
        values = parse_array(second)
        if keys.dimensions > 1 or keys.dimensions != values.dimensions:
            raise DsqlError("2202E", "wrong number of array subscripts")
        pairs = list(zip(keys.flat(), values.flat(), strict=False))
        if len(keys.flat()) != len(values.flat()):
            raise DsqlError("2202E", "mismatched array dimensions")
    elif keys.dimensions <= 1:
        flat = keys.flat()
        if len(flat) % 2:
            raise DsqlError("2202E", "array must have even number of elements")
        pairs = list(zip(flat[::2], flat[1::2], strict=True))
    elif keys.dimensions == 2:
        if len(keys.items[0]) != 2:
            raise DsqlError("2202E", "array must have two columns")
        pairs = [tuple(item) for item in keys.items]
    else:
        raise DsqlError("2202E", "wrong number of array subscripts")
    if any(key is None for key, _ in pairs):
        raise DsqlError("22004", "null value not allowed for object key")
    written = (f"{jsontext.quote(k)} : {'null' if v is None else jsontext.quote(v)}" for k, v in pairs if k is not None)
    return "{" + ", ".join(written) + "}"


# --- casts of jsonb scalars ------------------------------------------------------------------------------------------


def _scalar(document: str, target: str, wanted: str) -> str:
    kind = jsontext.kind(document)
    if kind != wanted:
        raise invalid(f"cannot cast jsonb {'numeric' if kind == 'number' else kind} to type {target}")
    return document


@pyfunction()
def jsonb_bool(document: str) -> str:
    return bool_text(_scalar(document, "boolean", "boolean") == "true")


@pyfunction()
def jsonb_numeric(document: str) -> str:
    return _scalar(document, "numeric", "number")


@pyfunction()
def jsonb_float8(document: str) -> str:
    return _scalar(document, "double precision", "number")


@pyfunction()
def jsonb_float4(document: str) -> str:
    return _scalar(document, "real", "number")


def _whole(document: str, target: str, bits: int) -> str:
    number = Decimal(_scalar(document, target, "number"))
    rounded = int(number.quantize(Decimal(1), rounding="ROUND_HALF_UP")) if number == number else 0
    if not -(1 << bits - 1) <= rounded < 1 << bits - 1:
        raise DsqlError("22003", f"{target} out of range")
    return str(rounded)


@pyfunction()
def jsonb_int2(document: str) -> str:
    return _whole(document, "smallint", 16)


@pyfunction()
def jsonb_int4(document: str) -> str:
    return _whole(document, "integer", 32)


@pyfunction()
def jsonb_int8(document: str) -> str:
    return _whole(document, "bigint", 64)

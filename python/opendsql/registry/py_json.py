# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""Reading and building json and jsonb: -> ->> #> #>>, lengths and types, containment, to_json, build functions.

jsonb results are returned in any spacing: the type's input puts them in canonical form.
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

_INTEGER = re.compile(r"\s*[+-]?\d+\s*\Z")

# --- looking inside --------------------------------------------------------------------------------------------------


@pyfunction("json_object_field", "jsonb_object_field")
def object_field(document: str, key: str) -> str | None:
    return jsontext.field(document, key)


@pyfunction("json_object_field_text", "jsonb_object_field_text")
def object_field_text(document: str, key: str) -> str | None:
    return jsontext.as_text(jsontext.field(document, key))


@pyfunction("json_array_element")
def array_element(document: str, index: str) -> str | None:
    return jsontext.element(document, int(index))


@pyfunction("json_array_element_text")
def array_element_text(document: str, index: str) -> str | None:
    return jsontext.as_text(jsontext.element(document, int(index)))


@pyfunction()
def jsonb_array_element(document: str, index: str) -> str | None:
    # A jsonb scalar counts as an array of one.
    if jsontext.kind(document) not in ("array", "object"):
        return document if int(index) in (0, -1) else None
    return jsontext.element(document, int(index))


@pyfunction()
def jsonb_array_element_text(document: str, index: str) -> str | None:
    return jsontext.as_text(jsonb_array_element(document, index))


def _walk(document: str | None, steps: list[str | None]) -> str | None:
    for step in steps:
        if document is None or step is None:
            return None
        if jsontext.kind(document) == "array":
            document = jsontext.element(document, int(step)) if _INTEGER.match(step) else None
        else:
            document = jsontext.field(document, step)
    return document


@pyfunction("json_extract_path", "jsonb_extract_path")
def extract_path(document: str, path: str) -> str | None:
    return _walk(document, parse_array(path).flat())


@pyfunction("json_extract_path_text", "jsonb_extract_path_text")
def extract_path_text(document: str, path: str) -> str | None:
    return jsontext.as_text(_walk(document, parse_array(path).flat()))


@pyfunction("json_typeof", "jsonb_typeof")
def typeof(document: str) -> str:
    return jsontext.kind(document)


def _array_length(document: str, jsonb: bool) -> str:
    kind = jsontext.kind(document)
    if kind == "array":
        return str(sum(1 for _ in jsontext.elements(document)))
    if kind == "object":
        raise invalid("cannot get array length of a non-array")
    raise invalid("cannot get array length of a scalar")


@pyfunction()
def json_array_length(document: str) -> str:
    return _array_length(document, False)


@pyfunction()
def jsonb_array_length(document: str) -> str:
    return _array_length(document, True)


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


def _exists(document: Any, key: str | None) -> bool:
    if isinstance(document, dict):
        return key in document
    if isinstance(document, list):
        return any(isinstance(item, str) and not isinstance(item, Number) and item == key for item in document)
    return isinstance(document, str) and not isinstance(document, Number) and document == key


@pyfunction()
def jsonb_exists(document: str, key: str) -> str:
    return bool_text(_exists(jsontext.loads(document), key))


@pyfunction()
def jsonb_exists_any(document: str, keys: str) -> str:
    value = jsontext.loads(document)
    return bool_text(any(_exists(value, key) for key in parse_array(keys).flat() if key is not None))


@pyfunction()
def jsonb_exists_all(document: str, keys: str) -> str:
    value = jsontext.loads(document)
    return bool_text(all(_exists(value, key) for key in parse_array(keys).flat() if key is not None))


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


@pyfunction("to_json", "to_jsonb", typed=True)
def to_json(types: tuple[int, ...], value: str) -> str:
    return value_text(types[0], value)


@pyfunction(typed=True)
def array_to_json(types: tuple[int, ...], value: str, pretty: str = "f") -> str:
    element = TYPES_BY_OID[types[0]].elem_oid
    return _array_text(element, parse_array(value).items, "\n " if pretty == "t" else "")


@pyfunction("json_build_array", "jsonb_build_array", strict=False, typed=True)
def build_array(types: tuple[int, ...], *values: str | None) -> str:
    return "[" + ", ".join(value_text(oid, text) for oid, text in zip(types, values, strict=True)) + "]"


def key_text(oid: int, text: str) -> str:
    """A value as an object's key: always a string."""
    if oid == 16:
        text = "true" if text == "t" else "false"
    entry = TYPES_BY_OID.get(oid)
    if oid in (114, 3802, 2249) or (entry is not None and entry.is_array):
        raise invalid("key value must be scalar, not array, composite, or json")
    if oid in (1114, 1184):
        return value_text(oid, text)
    return jsontext.quote(text)


def _build_object(types: tuple[int, ...], values: tuple[str | None, ...], jsonb: bool) -> str:
    if len(values) % 2:
        raise invalid(
            "argument list must have even number of elements",
            hint=f"The arguments of {'jsonb' if jsonb else 'json'}_build_object() must consist of alternating keys"
            " and values.",
        )
    pairs = []
    for at in range(0, len(values), 2):
        key = values[at]
        if key is None:
            if jsonb:
                raise invalid(f"argument {at + 1}: key must not be null")
            raise invalid(f"argument {at + 1} cannot be null", hint="Object keys should be text.")
        pairs.append(f"{key_text(types[at], key)} : {value_text(types[at + 1], values[at + 1])}")
    return "{" + ", ".join(pairs) + "}"


@pyfunction(strict=False, typed=True)
def json_build_object(types: tuple[int, ...], *values: str | None) -> str:
    return _build_object(types, values, False)


@pyfunction(strict=False, typed=True)
def jsonb_build_object(types: tuple[int, ...], *values: str | None) -> str:
    return _build_object(types, values, True)


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
    written = (f"{jsontext.quote(k)} : {'null' if v is None else jsontext.quote(v)}" for k, v in pairs)
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

# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""Building and searching arrays: append, cat, remove, replace, position, containment, to and from strings."""

from __future__ import annotations

import bisect
import random
from decimal import Decimal
from typing import Any

from opendsql.errors import DsqlError
from opendsql.registry.pgtext import PgArray, bool_text, format_array, parse_array
from opendsql.registry.pyfunctions import pyfunction
from opendsql.registry.types import TYPES_BY_OID

NUMERIC, BPCHAR, FLOAT4, FLOAT8 = 1700, 1042, 700, 701


def _element(types: tuple[int, ...]) -> int:
    # Element type of the first array among the argument types.
    for oid in types:
        entry = TYPES_BY_OID.get(oid)
        if entry is not None and entry.is_array:
            return entry.elem_oid
    return 25


def _key(oid: int, text: str | None) -> Any:
    """What decides equality of elements: texts are canonical but for these types."""
    if text is None:
        return None
    if oid == NUMERIC and text != "NaN":
        return Decimal(text)
    if oid == BPCHAR:
        return text.rstrip(" ")
    return "0" if oid in (FLOAT4, FLOAT8) and text == "-0" else text


def _one_dimension(array: PgArray, message: str) -> None:
    if array.dimensions > 1:
        raise DsqlError("0A000", message)


# --- building --------------------------------------------------------------------------------------------------------


@pyfunction(strict=False, typed=True)
def array_append(types: tuple[int, ...], text: str | None, item: str | None) -> str:
    array = parse_array(text) if text is not None else PgArray([], [])
    if array.dimensions > 1:
        raise DsqlError("22000", "argument must be empty or one-dimensional array")
    return format_array([*array.items, item], array.lower)


@pyfunction(strict=False, typed=True)
def array_prepend(types: tuple[int, ...], item: str | None, text: str | None) -> str:
    array = parse_array(text) if text is not None else PgArray([], [])
    if array.dimensions > 1:
        raise DsqlError("22000", "argument must be empty or one-dimensional array")
    return format_array([item, *array.items], array.lower)


@pyfunction(strict=False, typed=True)
def array_cat(types: tuple[int, ...], left: str | None, right: str | None) -> str | None:
    if left is None or right is None:
        return right if left is None else left
    a, b = parse_array(left), parse_array(right)
    if not a.items:
        return right
    if not b.items:
        return left
    difference = a.dimensions - b.dimensions
    inner_a, inner_b = _inner(a, difference >= 0), _inner(b, difference <= 0)
    if abs(difference) > 1 or inner_a != inner_b:
        raise DsqlError(
            "2202E",
            "cannot concatenate incompatible arrays",
            detail=f"Arrays of {a.dimensions} and {b.dimensions} dimensions are not compatible for concatenation."
            if abs(difference) > 1
            else "Arrays with differing element dimensions are not compatible for concatenation."
            if difference
            else "Arrays with differing dimensions are not compatible for concatenation.",
        )
    if difference == 0:
        return format_array(a.items + b.items, a.lower)
    if difference > 0:
        return format_array([*a.items, b.items], a.lower)
    return format_array([a.items, *b.items], b.lower)


def _inner(array: PgArray, outer: bool) -> list[tuple[int, int]]:
    # Sizes and bounds of the dimensions that must agree: all, or all but the outermost.
    pairs = list(zip(_shape(array.items), array.lower, strict=True))
    return pairs[1:] if outer else pairs


def _shape(items: list[Any]) -> list[int]:
    return [len(items), *(_shape(items[0]) if items and isinstance(items[0], list) else [])]


@pyfunction(strict=False, typed=True)
def array_fill(types: tuple[int, ...], value: str | None, sizes: str | None, bounds: str | None = "") -> str:
    if sizes is None or bounds is None:
        raise DsqlError("22004", "dimension array or low bound array cannot be null")
    lengths = parse_array(sizes)
    lower = parse_array(bounds) if bounds else None
    if lengths.dimensions > 1 or (lower is not None and lower.dimensions > 1):
        raise DsqlError("2202E", "wrong number of array subscripts", detail="Dimension array must be one dimensional.")
    if None in lengths.flat() or (lower is not None and None in lower.flat()):
        raise DsqlError("22004", "dimension values cannot be null")
    counts = [int(size) for size in lengths.flat() if size is not None]
    if lower is not None and len(lower.flat()) != len(counts):
        raise DsqlError(
            "2202E", "wrong number of array subscripts", detail="Low bound array has different size than dimensions array."
        )
    if not counts or 0 in counts:
        return "{}"
    items: Any = value
    for count in reversed(counts):
        if count < 0:
            raise DsqlError("2202E", "array size exceeds the maximum allowed (134217727)")
        items = [items] * count
    return format_array(items, [int(bound) for bound in lower.flat() if bound is not None] if lower else None)


@pyfunction()
def trim_array(text: str, count: str) -> str:
    array = parse_array(text)
    if not 0 <= int(count) <= len(array.items):
        raise DsqlError("2202E", f"number of elements to trim must be between 0 and {len(array.items)}")
    return format_array(array.items[: len(array.items) - int(count)])


@pyfunction()
def array_shuffle(text: str) -> str:
    array = parse_array(text)
    random.shuffle(array.items)
    return format_array(array.items, array.lower)


@pyfunction()
def array_sample(text: str, count: str) -> str:
    items = parse_array(text).items
    if not 0 <= int(count) <= len(items):
        raise DsqlError("22023", f"sample size must be between 0 and {len(items)}")
    return format_array(random.sample(items, int(count)))


@pyfunction()
def array_dims(text: str) -> str | None:
    array = parse_array(text)
    if not array.items:
        return None
    return "".join(
        f"[{low}:{low + size - 1}]" for low, size in zip(array.lower, _shape(array.items), strict=True)
    )


# --- searching -------------------------------------------------------------------------------------------------------


@pyfunction(strict=False, typed=True)
def array_position(types: tuple[int, ...], text: str | None, item: str | None, start: str | None = "") -> str | None:
    if text is None:
        return None
    array = parse_array(text)
    _one_dimension(array, "searching for elements in multidimensional arrays is not supported")
    if start is None:
        raise DsqlError("22004", "initial position must not be null")
    element = _element(types)
    low = array.lower[0] if array.lower else 1
    wanted = _key(element, item)
    for index, have in enumerate(array.items, start=low):
        if (not start or index >= int(start)) and _key(element, have) == wanted:
            return str(index)
    return None


@pyfunction(strict=False, typed=True)
def array_positions(types: tuple[int, ...], text: str | None, item: str | None) -> str | None:
    if text is None:
        return None
    array = parse_array(text)
    _one_dimension(array, "searching for elements in multidimensional arrays is not supported")
    element = _element(types)
    wanted = _key(element, item)
    low = array.lower[0] if array.lower else 1
    return format_array([str(i) for i, have in enumerate(array.items, start=low) if _key(element, have) == wanted])


@pyfunction(strict=False, typed=True)
def array_remove(types: tuple[int, ...], text: str | None, item: str | None) -> str | None:
    if text is None:
        return None
    array = parse_array(text)
    _one_dimension(array, "removing elements from multidimensional arrays is not supported")
    element = _element(types)
    wanted = _key(element, item)
    kept = [have for have in array.items if _key(element, have) != wanted]
    return format_array(kept, array.lower) if kept else "{}"


@pyfunction(strict=False, typed=True)
def array_replace(types: tuple[int, ...], text: str | None, old: str | None, new: str | None) -> str | None:
    if text is None:
        return None
    array = parse_array(text)
    element = _element(types)
    wanted = _key(element, old)

    def replaced(items: list[Any]) -> list[Any]:
        return [
            replaced(item) if isinstance(item, list) else new if _key(element, item) == wanted else item
            for item in items
        ]

    return format_array(replaced(array.items), array.lower)


def _keys(types: tuple[int, ...], text: str) -> list[Any]:
    element = _element(types)
    return [_key(element, item) for item in parse_array(text).flat()]


@pyfunction(typed=True)
def arraycontains(types: tuple[int, ...], outer: str, inner: str) -> str:
    have = set(_keys(types, outer)) - {None}
    return bool_text(all(key in have for key in _keys(types, inner)))


@pyfunction(typed=True)
def arraycontained(types: tuple[int, ...], inner: str, outer: str) -> str:
    have = set(_keys(types, outer)) - {None}
    return bool_text(all(key in have for key in _keys(types, inner)))


@pyfunction(typed=True)
def arrayoverlap(types: tuple[int, ...], left: str, right: str) -> str:
    have = set(_keys(types, left)) - {None}
    return bool_text(any(key in have for key in _keys(types, right)))


# --- strings ---------------------------------------------------------------------------------------------------------


@pyfunction(strict=False)
def array_to_string(text: str | None, separator: str | None, null: str | None = None) -> str | None:
    if text is None or separator is None:
        return None
    items = parse_array(text).flat()
    return separator.join(null if item is None else item for item in items if item is not None or null is not None)  # type: ignore[misc]


def split_string(text: str, separator: str | None, null: str | None) -> list[str | None]:
    """string_to_array: NULL separator splits into characters, an empty one not at all."""
    if text == "":
        return []
    pieces = list(text) if separator is None else [text] if separator == "" else text.split(separator)
    return [None if piece == null else piece for piece in pieces]


@pyfunction(strict=False)
def string_to_array(text: str | None, separator: str | None, null: str | None = None) -> str | None:
    return None if text is None else format_array(split_string(text, separator, null))


@pyfunction(typed=True)
def width_bucket_array(types: tuple[int, ...], operand: str, thresholds: str) -> str:
    """Number of thresholds (ascending) at or below the operand."""
    array = parse_array(thresholds)
    if array.dimensions > 1:
        raise DsqlError("2202E", "thresholds must be one-dimensional array")
    if None in array.items:
        raise DsqlError("22004", "thresholds array must not contain NULLs")
    numeric = _element(types) in (20, 21, 23, 700, 701, 1700)
    read = (lambda t: Decimal(t)) if numeric else (lambda t: t)
    value = read(operand)
    return str(bisect.bisect_right([read(item) for item in array.items], value))


@pyfunction(typed=True)
def array_cast(types: tuple[int, ...], text: str) -> str:
    """An array cast whose elements do not convert through text: numbers between numeric, float and integer arrays."""
    source, target = (TYPES_BY_OID[oid].elem_oid for oid in types)
    array = parse_array(text)

    def each(items: list[Any]) -> list[Any]:
        return [each(i) if isinstance(i, list) else None if i is None else _cast_item(source, target, i) for i in items]

    return format_array(each(array.items), array.lower)


_RANGES = {21: ("smallint", 15), 23: ("integer", 31), 20: ("bigint", 63)}


def _cast_item(source: int, target: int, text: str) -> str:
    if target in _RANGES and source in (20, 21, 23, 700, 701, 1700):
        name, bits = _RANGES[target]
        if not text[-1].isdigit():
            raise DsqlError("22003", f"{name} out of range")
        rounding = "ROUND_HALF_UP" if source == NUMERIC else "ROUND_HALF_EVEN"
        value = int(Decimal(text).quantize(Decimal(1), rounding=rounding))
        if not -(1 << bits) <= value < 1 << bits:
            raise DsqlError("22003", f"{name} out of range")
        return str(value)
    if target == 1082 and source in (1114, 1184):
        return text.split(" ")[0] + (" BC" if text.endswith(" BC") else "")
    if target == 16 and source == 23:
        return bool_text(int(text))
    return text

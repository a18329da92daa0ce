# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""Changing jsonb: || - #-, jsonb_set, jsonb_insert, strip_nulls, pretty; and the rows of the set-returning functions."""

from __future__ import annotations

import json
import re
from typing import Any

from opendsql.errors import DsqlError
from opendsql.registry import jsontext
from opendsql.registry.jsontext import Number
from opendsql.registry.pgtext import format_array, invalid, parse_array
from opendsql.registry.pyfunctions import pyfunction
from opendsql.registry.types import TYPES_BY_OID

Steps = list["str | None"]
_INTEGER = re.compile(r"\s*[+-]?\d+\s*\Z")


@pyfunction()
def jsonb_concat(left: str, right: str) -> str:
    a, b = jsontext.loads(left), jsontext.loads(right)
    if isinstance(a, dict) and isinstance(b, dict):
        return jsontext.dumps({**a, **b})
    return jsontext.dumps((a if isinstance(a, list) else [a]) + (b if isinstance(b, list) else [b]))


def _plain(item: Any) -> str | None:
    return item if isinstance(item, str) and not isinstance(item, Number) else None


def _without(document: str, keys: set[str]) -> str:
    value = jsontext.loads(document)
    if isinstance(value, dict):
        return jsontext.dumps({key: item for key, item in value.items() if key not in keys})
    if isinstance(value, list):
        return jsontext.dumps([item for item in value if _plain(item) not in keys])
    raise invalid("cannot delete from scalar")


@pyfunction()
def jsonb_delete(document: str, key: str) -> str:
    return _without(document, {key})


@pyfunction()
def jsonb_delete_array(document: str, keys: str) -> str:
    return _without(document, {key for key in parse_array(keys).flat() if key is not None})


@pyfunction()
def jsonb_delete_idx(document: str, index: str) -> str:
    value = jsontext.loads(document)
    if isinstance(value, dict):
        raise invalid("cannot delete from object using integer index")
    if not isinstance(value, list):
        raise invalid("cannot delete from scalar")
    at = int(index)
    if -len(value) <= at < len(value):
        del value[at]
    return jsontext.dumps(value)


def _place(step: str, position: int) -> int:
    if not _INTEGER.match(step):
        raise DsqlError("22P02", f'path element at position {position} is not an integer: "{step}"')
    return int(step)


def _steps(path: str) -> Steps:
    steps = parse_array(path)
    if steps.dimensions > 1:
        raise DsqlError("2202E", "wrong number of array subscripts")
    return steps.flat()


def _step(steps: Steps, depth: int) -> str:
    step = steps[depth]
    if step is None:
        raise DsqlError("22004", f"path element at position {depth + 1} is null")
    return step


def _delete_at(value: Any, steps: Steps, depth: int) -> None:
    if not isinstance(value, (dict, list)):
        return
    step = _step(steps, depth)
    if isinstance(value, dict):
        if step not in value:
            return
        if depth == len(steps) - 1:
            del value[step]
        else:
            _delete_at(value[step], steps, depth + 1)
    elif isinstance(value, list):
        at = _place(step, depth + 1)
        if not -len(value) <= at < len(value):
            return
        if depth == len(steps) - 1:
            del value[at]
        else:
            _delete_at(value[at], steps, depth + 1)


@pyfunction()
def jsonb_delete_path(document: str, path: str) -> str:
    value, steps = jsontext.loads(document), _steps(path)
    if not isinstance(value, (dict, list)):
        raise invalid("cannot delete path in scalar")
    if steps and value:
        _delete_at(value, steps, 0)
    return jsontext.dumps(value)


def _set_at(value: Any, steps: Steps, depth: int, new: Any, create: bool) -> None:
    if not isinstance(value, (dict, list)):
        return
    step, last = _step(steps, depth), depth == len(steps) - 1
    if isinstance(value, dict):
        if step in value and not last:
            _set_at(value[step], steps, depth + 1, new, create)
        elif last and (step in value or create):
            value[step] = new
    elif isinstance(value, list):
        at = _place(step, depth + 1)
        inside = -len(value) <= at < len(value)
        if inside and not last:
            _set_at(value[at], steps, depth + 1, new, create)
        elif inside:
            value[at] = new
        elif last and create:
            value.insert(0 if at < 0 else len(value), new)


@pyfunction()
def jsonb_set(document: str, path: str, new: str, create: str = "t") -> str:
    value, steps = jsontext.loads(document), _steps(path)
    if not isinstance(value, (dict, list)):
        raise invalid("cannot set path in scalar")
    if steps and (value or create == "t"):
        _set_at(value, steps, 0, jsontext.loads(new), create == "t")
    return jsontext.dumps(value)


@pyfunction(strict=False)
def jsonb_set_lax(
    document: str | None, path: str | None, new: str | None, create: str | None = "t",
    treatment: str | None = "use_json_null",
) -> str | None:  # fmt: skip
    if document is None or path is None or create is None:
        return None
    if treatment is None:
        raise invalid(
            'null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"'
        )
    if new is not None:
        return jsonb_set(document, path, new, create)
    if treatment == "raise_exception":
        raise DsqlError(
            "22004",
            "JSON value must not be null",
            detail='Exception was raised because null_value_treatment is "raise_exception".',
            hint="To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.",
        )
    if treatment == "use_json_null":
        return jsonb_set(document, path, "null", create)
    if treatment == "delete_key":
        return jsonb_delete_path(document, path)
    if treatment == "return_target":
        return document
    raise invalid('null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"')


def _insert_at(value: Any, steps: Steps, depth: int, new: Any, after: bool) -> None:
    if not isinstance(value, (dict, list)):
        return
    step, last = _step(steps, depth), depth == len(steps) - 1
    if isinstance(value, dict):
        if step in value:
            if last:
                raise invalid(
                    "cannot replace existing key", hint="Try using the function jsonb_set to replace key value."
                )
            _insert_at(value[step], steps, depth + 1, new, after)
        elif last:
            value[step] = new
    elif isinstance(value, list):
        at = _place(step, depth + 1)
        inside = -len(value) <= at < len(value)
        if not last:
            if inside:
                _insert_at(value[at], steps, depth + 1, new, after)
        elif inside:
            at = at + len(value) if at < 0 else at
            value.insert(at + 1 if after else at, new)
        else:
            value.insert(0 if at < 0 else len(value), new)


@pyfunction()
def jsonb_insert(document: str, path: str, new: str, after: str = "f") -> str:
    value, steps = jsontext.loads(document), _steps(path)
    if not isinstance(value, (dict, list)):
        raise invalid("cannot set path in scalar")
    if steps:
        _insert_at(value, steps, 0, jsontext.loads(new), after == "t")
    return jsontext.dumps(value)


def _strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strip(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_strip(item) for item in value]
    return value


def _stripped(document: str) -> str:
    # Member by member, so that repeated keys stay; no blanks at all.
    shape = jsontext.kind(document)
    if shape == "object":
        pairs = ((key, value) for key, value in jsontext.members(document) if value != "null")
        return "{" + ",".join(f"{jsontext.quote(key)}:{_stripped(value)}" for key, value in pairs) + "}"
    if shape == "array":
        return "[" + ",".join(_stripped(value) for value in jsontext.elements(document)) + "]"
    return jsontext.quote(jsontext.loads(document)) if shape == "string" else document.strip(" \t\n\r")


@pyfunction("json_strip_nulls")
def json_strip_nulls(document: str) -> str:
    return _stripped(document)


@pyfunction("jsonb_strip_nulls")
def jsonb_strip_nulls(document: str) -> str:
    return jsontext.dumps(_strip(jsontext.loads(document)))


def _pretty(value: Any, indent: str) -> str:
    inner = indent + "    "
    if isinstance(value, dict):
        if not value:
            return "{\n" + indent + "}"
        lines = (f"{inner}{jsontext.quote(key)}: {_pretty(item, inner)}" for key, item in value.items())
        return "{\n" + ",\n".join(lines) + "\n" + indent + "}"
    if isinstance(value, list):
        if not value:
            return "[\n" + indent + "]"
        return "[\n" + ",\n".join(inner + _pretty(item, inner) for item in value) + "\n" + indent + "]"
    return jsontext.dumps(value)


@pyfunction()
def jsonb_pretty(document: str) -> str:
    return _pretty(jsontext.loads(document), "")


# --- rows of set-returning functions (called by name through rows_of) ------------------------------------------------


def each(document: str, text: bool, function: str) -> list[tuple[str | None, ...]]:
    """json_each and relatives: (key, value) rows."""
    if jsontext.kind(document) != "object":
        shape = "array" if jsontext.kind(document) == "array" else "scalar"
        raise invalid(f"cannot deconstruct {'an array as an object' if shape == 'array' else 'a scalar'}")
    return [(key, jsontext.as_text(value) if text else value) for key, value in jsontext.members(document)]


def array_elements(document: str, text: bool, function: str) -> list[tuple[str | None, ...]]:
    """json_array_elements and relatives: one-column rows."""
    shape = jsontext.kind(document)
    if shape != "array":
        what = "an object" if shape == "object" else "a scalar"
        raise invalid(
            f"cannot extract elements from {what}" if function.startswith("jsonb") else f"cannot call {function} on a "
            + ("non-array" if shape == "object" else "scalar")
        )
    return [(jsontext.as_text(value) if text else value,) for value in jsontext.elements(document)]


def object_keys(document: str, function: str) -> list[tuple[str | None, ...]]:
    """json_object_keys and jsonb_object_keys."""
    shape = jsontext.kind(document)
    if shape != "object":
        raise invalid(f"cannot call {function} on {'an array' if shape == 'array' else 'a scalar'}")
    return [(key,) for key, _ in jsontext.members(document)]


def columns(document: str, what: str, base: str = "{}") -> list[tuple[str | None, ...]]:
    """json[b]_to_record[set] and json[b]_populate_record[set]: rows of named, typed columns.

    what: JSON [function, [[name, type oid], ...]]; base: text[] of the values a missing key leaves. No document is ''.
    """
    function, named = json.loads(what)
    defaults = parse_array(base).items or [None] * len(named)
    if not function.endswith("recordset"):
        if not document:
            return [tuple(defaults)]
        shape = jsontext.kind(document)
        if shape != "object":
            raise DsqlError("22023", f"cannot call populate_composite on {'an array' if shape == 'array' else 'a scalar'}")
        return [_row(document, named, defaults)]
    if not document:
        return []
    shape = jsontext.kind(document)
    if shape != "array":
        raise DsqlError("22023", f"cannot call {function} on {'an object' if shape == 'object' else 'a scalar'}")
    rows = []
    for element in jsontext.elements(document):
        if jsontext.kind(element) != "object":
            raise DsqlError("22023", f"argument of {function} must be an array of objects")
        rows.append(_row(element, named, defaults))
    return rows


def _row(document: str, named: list[tuple[str, int]], defaults: list[Any]) -> tuple[str | None, ...]:
    found = dict(jsontext.members(document))
    return tuple(_column(found[n], oid, n) if n in found else default for (n, oid), default in zip(named, defaults, strict=True))


def _column(value: str, oid: int, name: str) -> str | None:
    """A member as the text its column's type reads."""
    if value == "null":
        return None
    if oid in (114, 3802):
        return value
    if TYPES_BY_OID[oid].is_array:
        if jsontext.kind(value) == "array":
            return format_array(_nested(value, oid, name))
        if jsontext.kind(value) != "string":
            raise DsqlError("22P02", "expected JSON array", hint=f'See the value of key "{name}".')
    return jsontext.as_text(value)


def _nested(value: str, oid: int, name: str) -> list[Any]:
    element = TYPES_BY_OID[oid].elem_oid
    return [
        _nested(item, oid, name) if jsontext.kind(item) == "array" else _column(item, element, name)
        for item in jsontext.elements(value)
    ]

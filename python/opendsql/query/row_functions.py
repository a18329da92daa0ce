"""Python functions the planner itself needs: rows as values, slices of arrays, IS JSON.

    make_row:<oids>(values...)               the text of a record: (1,"a b",)
    row_json:<oids>(names, values...)        the row as a JSON object, compact as row_to_json gives it
    array_get(array, subscripts...)          a[i], a[i][j]
    array_slice(array, lower, upper ...)     a[lower:upper]; a missing bound is NULL
    array_nest(arrays...)                    ARRAY[a, b] of arrays
    is_json(text, kind)                      text IS JSON [OBJECT | ARRAY | SCALAR] [WITH UNIQUE KEYS]
    sql_json_array:<oids>(flags, values...)  JSON_ARRAY; sql_json_object and sql_json_unique beside it

install() registers them with the registry; names carry the values' types after a colon.
"""

from __future__ import annotations

import json

from opendsql.errors import DsqlError
from opendsql.registry import jsontext, pyfunctions
from opendsql.registry.pgtext import format_array, parse_array
from opendsql.registry.py_json import value_text
from opendsql.registry.pyfunctions import register_pyfunction
from opendsql.registry.types import TYPES_BY_OID

_QUOTED = set('(),"\\ \t\n\r\v\f')


def make_row(types: tuple[int, ...], *values: str | None) -> str:
    """The text form of a record."""
    del types
    return "(" + ",".join("" if v is None else _field(v) for v in values) + ")"


def _field(text: str) -> str:
    if text and not any(c in _QUOTED for c in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'


def row_json(types: tuple[int, ...], names: str | None, *values: str | None) -> str:
    """{"name":value,...} without blanks."""
    parts = []
    for name, oid, value in zip(json.loads(names or "[]"), types, values, strict=False):
        parts.append(f"{json.dumps(name, ensure_ascii=False)}:{value_text(oid, value)}")
    return "{" + ",".join(parts) + "}"


def array_slice(array: str | None, *bounds: str | None) -> str | None:
    """A slice of an array, NULL bounds being the array's own."""
    if array is None:
        return None
    return format_array(
        _slice(parse_array(array).items, [(bounds[i], bounds[i + 1]) for i in range(0, len(bounds), 2)])
    )


def _slice(items: list, bounds: list[tuple[str | None, str | None]]) -> list:
    lower = max(int(bounds[0][0]) if bounds[0][0] is not None else 1, 1)
    upper = int(bounds[0][1]) if bounds[0][1] is not None else len(items)
    taken = items[lower - 1 : max(upper, 0)]
    if len(bounds) == 1:
        return taken
    return [_slice(part, bounds[1:]) if isinstance(part, list) else part for part in taken]


def array_get(array: str | None, *subscripts: str | None) -> str | None:
    """a[i] or a[i][j]; NULL outside the array."""
    if array is None or None in subscripts:
        return None
    whole = parse_array(array)
    if len(subscripts) != whole.dimensions:
        return None
    item: object = whole.items
    for place, subscript in enumerate(subscripts):
        index = int(subscript or 0) - whole.lower[place]
        if not isinstance(item, list) or not 0 <= index < len(item):
            return None
        item = item[index]
    return item if isinstance(item, str) else None


def array_nest(*arrays: str | None) -> str:
    """One array of several, a dimension deeper."""
    parts = [[] if a is None else parse_array(a).items for a in arrays]
    if len({len(p) for p in parts}) > 1:
        raise DsqlError("2202E", "multidimensional arrays must have array expressions with matching dimensions")
    return format_array(parts) if any(parts) else "{}"


def is_json(text: str | None, kind: str | None) -> str | None:
    """Whether the text is JSON of that kind; "<kind> unique" also asks that no object repeats a key."""
    if text is None:
        return None
    wanted, _, unique = (kind or "any").partition(" ")
    try:
        value = json.loads(text, object_pairs_hook=_unique_keys if unique else None, parse_constant=_no_constant)
    except ValueError:
        return "f"
    if wanted == "scalar":
        return "f" if isinstance(value, dict | list) else "t"
    types = {"object": dict, "array": list}
    return "t" if wanted == "any" or isinstance(value, types[wanted]) else "f"


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object repeats a key")
    return found


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def array_count_nulls(array: str, nulls: str) -> str:
    """num_nulls or num_nonnulls of VARIADIC array."""
    flat: list[str | None] = []
    _flatten(parse_array(array).items, flat)
    missing = flat.count(None)
    return str(missing if nulls == "t" else len(flat) - missing)


def array_format(template: str | None, array: str | None) -> str | None:
    """format(template, VARIADIC array)."""
    flat: list[str | None] = []
    if array is not None:
        _flatten(parse_array(array).items, flat)
    return pyfunctions.lookup("format")(template, *flat)


def _flatten(items: list, into: list[str | None]) -> None:
    for item in items:
        if isinstance(item, list):
            _flatten(item, into)
        else:
            into.append(item)


def limit_value(value: str, word: str) -> str:
    """The value of LIMIT or OFFSET, which must not be negative."""
    if int(value) < 0:
        raise DsqlError("2201W" if word == "LIMIT" else "2201X", f"{word} must not be negative")
    return value


# --- SQL/JSON constructors: flags, then values of the types the name carries -------------------------------------------


def sql_json_array(types: tuple[int, ...], flags: str | None, *values: str | None) -> str:
    """JSON_ARRAY; flag absent leaves NULL values out."""
    words = (flags or "").split()
    pairs = [(t, v) for t, v in zip(types, values, strict=True) if v is not None or "absent" not in words]
    return "[" + ", ".join(value_text(oid, value) for oid, value in pairs) + "]"


def sql_json_object(types: tuple[int, ...], flags: str | None, *values: str | None) -> str:
    """JSON_OBJECT of keys and values in turn; flags absent, unique, jsonb."""
    words = (flags or "").split()
    parts: list[str] = []
    seen: set[str] = set()
    for at in range(0, len(values), 2):
        key = _json_key(types[at], values[at], at + 1, "jsonb" in words)
        if "unique" in words and key in seen:
            raise _duplicate(key, "jsonb" in words)
        seen.add(key)
        value = values[at + 1]
        if value is not None or "absent" not in words:
            parts.append(f"{jsontext.quote(key)} : {value_text(types[at + 1], value)}")
    return "{" + ", ".join(parts) + "}"


def sql_json_unique(text: str | None, kind: str | None) -> str | None:
    """The object as it is, or 22030 when it repeats a key."""
    if text is not None:
        seen: set[str] = set()
        for key, _ in jsontext.members(text):
            if key in seen:
                raise _duplicate(key, kind == "jsonb")
            seen.add(key)
    return text


def _duplicate(key: str, jsonb: bool) -> DsqlError:
    shown = "" if jsonb else ": " + jsontext.quote(key)
    return DsqlError("22030", "duplicate JSON object key value" + shown)


def _json_key(oid: int, value: str | None, place: int, jsonb: bool) -> str:
    if value is None:
        if jsonb:
            raise DsqlError("22023", f"argument {place}: key must not be null")
        raise DsqlError("22004", "null value not allowed for object key")
    if oid in (114, 3802, 2249) or TYPES_BY_OID[oid].is_array:
        raise DsqlError("22023", "key value must be scalar, not array, composite, or json")
    return {"t": "true", "f": "false"}[value] if oid == 16 else value


def install() -> None:
    """Register the functions."""
    register_pyfunction("make_row", make_row, strict=False, typed=True)
    register_pyfunction("row_json", row_json, strict=False, typed=True)
    register_pyfunction("array_slice", array_slice, strict=False)
    register_pyfunction("array_get", array_get, strict=False)
    register_pyfunction("array_nest", array_nest, strict=False)
    register_pyfunction("is_json", is_json, strict=False)
    register_pyfunction("limit_value", limit_value)
    register_pyfunction("array_count_nulls", array_count_nulls)
    register_pyfunction("array_format", array_format, strict=False)
    register_pyfunction("sql_json_array", sql_json_array, strict=False, typed=True)
    register_pyfunction("sql_json_object", sql_json_object, strict=False, typed=True)
    register_pyfunction("sql_json_unique", sql_json_unique, strict=False)

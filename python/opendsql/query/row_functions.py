"""Python functions the planner itself needs: rows as values, slices of arrays, IS JSON.

    make_row:<oids>(values...)               the text of a record: (1,"a b",)
    row_json:<oids>(names, values...)        the row as a JSON object, compact as row_to_json gives it
    array_get(array, subscripts...)          a[i], a[i][j]
    array_slice(array, lower, upper ...)     a[lower:upper]; a missing bound is NULL
    array_nest(arrays...)                    ARRAY[a, b] of arrays
    is_json(text, kind)                      text IS JSON [OBJECT | ARRAY | SCALAR]

install() registers them with the registry; names carry the values' types after a colon.
"""

from __future__ import annotations

import json

from opendsql.errors import DsqlError
from opendsql.registry import pyfunctions
from opendsql.registry.pgtext import format_array, parse_array
from opendsql.registry.pyfunctions import register_pyfunction

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
        shown = "null" if value is None else pyfunctions.lookup(f"to_json:{oid}")(value)
        parts.append(f"{json.dumps(name, ensure_ascii=False)}:{shown}")
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
    """Whether the text is JSON of that kind."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return "f"
    wanted = {"object": dict, "array": list}.get(kind or "any")
    if kind == "scalar":
        return "f" if isinstance(value, dict | list) else "t"
    return "t" if wanted is None or isinstance(value, wanted) else "f"


def install() -> None:
    """Register the functions."""
    register_pyfunction("make_row", make_row, strict=False, typed=True)
    register_pyfunction("row_json", row_json, strict=False, typed=True)
    register_pyfunction("array_slice", array_slice, strict=False)
    register_pyfunction("array_get", array_get, strict=False)
    register_pyfunction("array_nest", array_nest, strict=False)
    register_pyfunction("is_json", is_json, strict=False)

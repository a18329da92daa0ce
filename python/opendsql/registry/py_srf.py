# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""Rows of the set-returning functions that are Python: rows("json_each", arguments) -> list of tuples of text.

generate_series and unnest are the executor's own.
"""

from __future__ import annotations

from collections.abc import Callable

from opendsql.registry import jsonpath_run, py_json_change, py_regex
from opendsql.registry.pgtext import parse_array
from opendsql.registry.py_array import split_string

Row = tuple["str | None", ...]


def _each(function: str, text: bool) -> Callable[..., list[Row]]:
    return lambda document: py_json_change.each(document, text, function)


def _elements(function: str, text: bool) -> Callable[..., list[Row]]:
    return lambda document: py_json_change.array_elements(document, text, function)


def _keys(function: str) -> Callable[..., list[Row]]:
    return lambda document: py_json_change.object_keys(document, function)


def _subscripts(text: str, dimension: str, backwards: str = "f") -> list[Row]:
    array = parse_array(text)
    number = int(dimension)
    if not 1 <= number <= array.dimensions:
        return []
    level = array.items
    for _ in range(number - 1):
        level = level[0]
    low = array.lower[number - 1]
    numbers = range(low, low + len(level))
    return [(str(n),) for n in (reversed(numbers) if backwards == "t" else numbers)]


_FUNCTIONS: dict[str, Callable[..., list[Row]]] = {
    "regexp_matches": lambda *args: [(row,) for row in py_regex.regexp_matches(*args)],
    "regexp_split_to_table": lambda *args: [
        (piece,) for piece in py_regex.split(args[0], args[1], args[2] if len(args) > 2 else "", "regexp_split_to_table")
    ],
    "generate_subscripts": _subscripts,
    "json_columns": py_json_change.columns,
    "jsonb_path_query": jsonpath_run.rows,
    "jsonb_path_query_tz": jsonpath_run.rows,
    **{name: _each(name, name.endswith("text")) for name in ("json_each", "jsonb_each", "json_each_text", "jsonb_each_text")},
    **{
        name: _elements(name, name.endswith("text"))
        for kind in ("json", "jsonb")
        for name in (f"{kind}_array_elements", f"{kind}_array_elements_text")
    },
    **{name: _keys(name) for name in ("json_object_keys", "jsonb_object_keys")},
}


def names() -> frozenset[str]:
    """The functions rows() knows."""
    return frozenset(_FUNCTIONS) | {"string_to_table"}


def rows(name: str, arguments: list[str | None]) -> list[Row]:
    """All rows of a call; a NULL argument of a strict function gives none."""
    if name == "string_to_table":
        text, separator, *null = arguments
        return [] if text is None else [(piece,) for piece in split_string(text, separator, null[0] if null else None)]
    if None in arguments:
        return []
    return _FUNCTIONS[name](*arguments)

"""Expressions of DDL: checked by the binder where one is installed, by a plain walk otherwise, then made into text.

`stored_expression(change, node, columns, what)` returns the text the catalog keeps. `what` is one of default, check,
index, predicate, generated; each has PostgreSQL's own list of what may not occur.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from opendsql.catalog import datatypes, hooks
from opendsql.catalog.deparse import Deparser
from opendsql.catalog.model import Column
from opendsql.catalog.names import strings
from opendsql.errors import DsqlError, unsupported

_PLACE = {
    "default": "DEFAULT expressions",
    "check": "check constraints",
    "index": "index expressions",
    "predicate": "index predicates",
    "generated": "column generation expressions",
    "statistics": "statistics expressions",
}
_SUBQUERY = {
    "default": "cannot use subquery in DEFAULT expression",
    "check": "cannot use subquery in check constraint",
    "index": "cannot use subquery in index expression",
    "predicate": "cannot use subquery in index predicate",
    "generated": "cannot use subquery in column generation expression",
    "statistics": "cannot use subquery in statistics expression",
}
_NOT_IMMUTABLE = {
    "index": "functions in index expression must be marked IMMUTABLE",
    "predicate": "functions in index predicate must be marked IMMUTABLE",
    "generated": "generation expression is not immutable",
}


def column_types(columns: Sequence[Column]) -> dict[str, tuple[int, int]]:
    """What Deparser needs to know of columns."""
    return {c.name: (c.type_oid, c.typmod) for c in columns if not c.dropped}


def walk(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every (node name, body) in a tree, outside in."""
    if isinstance(node, dict):
        for name, body in node.items():
            if isinstance(body, dict) and name[:1].isupper():
                yield name, body
            yield from walk(body)
    elif isinstance(node, list):
        for item in node:
            yield from walk(item)


def column_references(node: dict[str, Any]) -> list[str]:
    """Names of the columns an expression refers to, first use first, each once."""
    found: dict[str, None] = {}
    for name, body in walk(node):
        if name == "ColumnRef":
            parts = strings(body.get("fields"))
            if parts:
                found[parts[-1]] = None
    return list(found)


def stored_expression(change: Any, node: dict[str, Any], columns: Sequence[Column], what: str, table: str = "") -> str:
    """Check the expression and give its text."""
    check(change, node, columns, what, table)
    return Deparser(column_types(columns)).expression(node)


def check(change: Any, node: dict[str, Any], columns: Sequence[Column], what: str, table: str = "") -> None:
    """Raise what PostgreSQL raises for an expression in this place."""
    known = {c.name for c in columns if not c.dropped}
    for name, body in walk(node):
        if name == "SubLink":
            raise unsupported(_SUBQUERY[what], position=_position(body))
        if name == "ColumnRef":
            parts = strings(body.get("fields"))
            if what == "default":
                raise unsupported("cannot use column reference in DEFAULT expression", position=_position(body))
            if parts and parts[-1] not in known:
                raise DsqlError("42703", f'column "{parts[-1]}" does not exist', position=_position(body))
        elif name == "CollateClause":
            raise unsupported("COLLATE clause not supported")
        elif name == "FuncCall":
            _check_call(body, what)
    if hooks.check_expression is not None:
        found = hooks.check_expression(node, tuple(columns), change.catalog, change.session, what)
        if found is not None and not found.immutable and what in _NOT_IMMUTABLE:
            raise DsqlError("42P17", _NOT_IMMUTABLE[what])
        boolean = what in ("check", "predicate")
        if found is not None and boolean and found.type_oid not in (datatypes.BOOL, datatypes.UNKNOWN):
            place = "CHECK" if what == "check" else "WHERE"
            shown = datatypes.format_type(found.type_oid, None)
            raise DsqlError("42804", f"argument of {place} must be type boolean, not type {shown}")
    elif what in _NOT_IMMUTABLE and any(name == "SQLValueFunction" for name, _ in walk(node)):
        raise DsqlError("42P17", _NOT_IMMUTABLE[what])


def _check_call(body: dict[str, Any], what: str) -> None:
    names = strings(body.get("funcname"))
    functions = _functions_named(names[-1])
    kinds = {function.kind for function in functions}
    if body.get("over") is not None:
        raise DsqlError("42P20", f"window functions are not allowed in {_PLACE[what]}", position=_position(body))
    if kinds and kinds <= {"a"}:
        raise DsqlError("42803", f"aggregate functions are not allowed in {_PLACE[what]}", position=_position(body))
    if kinds and kinds <= {"srf"}:
        raise unsupported(f"set-returning functions are not allowed in {_PLACE[what]}", position=_position(body))
    if what in _NOT_IMMUTABLE and hooks.check_expression is None and functions:
        if all(function.volatility != "i" for function in functions):
            raise DsqlError("42P17", _NOT_IMMUTABLE[what])


_by_name: dict[str, list[Any]] | None = None


def _functions_named(name: str) -> list[Any]:
    global _by_name
    if _by_name is None:
        from opendsql.registry.functions import FUNCTIONS_BY_OID

        table: dict[str, list[Any]] = {}
        for function in FUNCTIONS_BY_OID.values():
            table.setdefault(function.name, []).append(function)
        _by_name = table
    return _by_name.get(name, [])


def _position(body: dict[str, Any]) -> int | None:
    return body["location"] + 1 if body.get("location", -1) > 0 else None

"""What the catalog asks of the query processor (opendsql.catalog.hooks), answered by the binder.

install(planner) fills the hooks; the planner does so when it is made.
"""

from __future__ import annotations

import copy
from typing import Any

from opendsql.catalog import functions, hooks
from opendsql.catalog.hooks import ExpressionType
from opendsql.catalog.model import Function, Index, Table
from opendsql.errors import DsqlError
from opendsql.query import bind_walk, descriptor, row_functions
from opendsql.query.bind_routine import check_body
from opendsql.query.binder import Binder
from opendsql.query.emit import Emitter
from opendsql.query.expr import BOOL, UNKNOWN, Call, Cast, Col, walk
from opendsql.query.params import Params
from opendsql.query.parse import Statement, parse
from opendsql.query.scope import RangeItem, Scope, ScopeColumn

Node = dict[str, Any]


def install(planner: Any) -> None:
    """Fill the catalog's hooks, and make its functions known to the core."""
    functions.install()
    row_functions.install()
    bind_walk.install()
    hooks.check_expression = check_expression
    hooks.describe_query = describe_query
    hooks.expand_query = expand_query
    hooks.index_descriptor = index_descriptor
    hooks.check_function = check_function
    hooks.execute = lambda sql, session, catalog: execute(planner, sql, session)


def _binder(catalog: Any, session: Any, node: Node) -> Binder:
    from opendsql.query.planner import search_path_of

    return Binder(catalog, Statement("SelectStmt", node, ""), Params(), search_path_of(session))


def check_expression(node: Node, columns: Any, catalog: Any, session: Any, what: str) -> ExpressionType:
    """Type of an expression over a table's columns; raises the binder's error. Positions are the statement's own."""
    binder = _binder(catalog, session, {})
    binder.statement = Statement("SelectStmt", {}, _LongText())
    shown = [
        ScopeColumn(c.name, Col(c.type_oid, 1, place, typmod=c.typmod), 0, c.attnum)
        for place, c in enumerate(columns or ())
        if not c.dropped
    ]
    scope = Scope(star=shown, tables=[RangeItem("", shown)], clause=what)
    bound = binder.expr(node, scope)
    immutable = not any(
        isinstance(part, Call | Cast) and part.volatile != "i" and not _text_cast(part) for part in walk(bound)
    )
    if what in ("check", "predicate") and bound.type_oid == UNKNOWN:
        bound = binder.coerce(bound, BOOL) or bound
    return ExpressionType(bound.type_oid, bound.typmod, immutable)


def _text_cast(part: Call | Cast) -> bool:
    """A cast through text of a type whose text form no setting changes is immutable."""
    settings_types = {1082, 1083, 1114, 1184, 1186, 1266, 700, 701, 17}
    return (
        isinstance(part, Cast)
        and part.kernel == "cast_io"
        and part.type_oid not in settings_types
        and part.arg.type_oid not in settings_types
    )


class _LongText(str):
    """A text whose byte locations count as character positions: the tree's own text is not at hand."""

    def isascii(self) -> bool:
        return True


def describe_query(query: Node, catalog: Any, session: Any) -> list[tuple[str, int, int]]:
    """(name, type oid, typmod) of a SELECT's columns."""
    ((kind, node),) = query.items()
    if kind != "SelectStmt":
        raise DsqlError("42601", "a view must be a SELECT")
    binder = _binder(catalog, session, node)
    binder.statement = Statement("SelectStmt", node, _LongText())
    bound = binder.query(node, None)
    return [(c.name, e.type_oid, e.typmod) for c, e in zip(bound.columns, bound.plan.columns(), strict=True)]


def expand_query(query: Node, catalog: Any, session: Any) -> Node:
    """The tree with the stars of its top-level select list replaced by column references."""
    expanded = copy.deepcopy(query)
    node = expanded["SelectStmt"]
    binder = _binder(catalog, session, node)
    _expand(node, binder)
    return expanded


def _expand(node: Node, binder: Binder) -> None:
    for side in ("larg", "rarg"):
        if side in node:
            _expand(node[side], binder)
    targets = node.get("targetList", [])
    if not any("A_Star" in (t["ResTarget"]["val"].get("ColumnRef", {}).get("fields") or [{}])[-1] for t in targets):
        return
    outer = binder.with_clause(node["withClause"], None, node) if "withClause" in node else None
    scope = Scope(parent=outer, level=binder.new_level())
    binder.from_clause(node.get("fromClause", ()), scope)
    result: list[Node] = []
    for target in targets:
        body = target["ResTarget"]["val"].get("ColumnRef")
        if body is None or "A_Star" not in body["fields"][-1]:
            result.append(target)
            continue
        for column in binder.star(body, scope):
            owner = next((t for t in scope.tables if column in t.columns), None)
            fields = [{"String": {"sval": column.name}}]
            if owner is not None and owner.alias:
                fields.insert(0, {"String": {"sval": owner.alias}})
            result.append({"ResTarget": {"val": {"ColumnRef": {"fields": fields, "location": -1}}, "location": -1}})
    node["targetList"] = result


def check_function(function: Function, catalog: Any, session: Any) -> None:
    """Bind a new function's body as a call of it would."""
    check_body(_binder(catalog, session, {}), function)


def index_descriptor(table: Table, index: Index, catalog: Any, session: Any) -> Node:
    """The write descriptor of a table with that one index."""
    from dataclasses import replace

    binder = _binder(catalog, session, {})
    emitter = Emitter(binder, session)
    layout = {(0, i): i for i in range(len(table.columns))}
    alone = replace(table, indexes=(index,), checks=())
    return descriptor.table_descriptor(binder, alone, lambda e: emitter.expr(e, layout))


def execute(planner: Any, sql: str, session: Any) -> list[tuple[str | None, ...]]:
    """Run one internal statement in the session's transaction."""
    from types import SimpleNamespace

    request = SimpleNamespace(text=sql, normalized=sql, literals=[], param_oids=[], session=session)
    planned = planner.plan_statement(parse(sql)[0], request)
    return list(session.execute(planned.program, [])[1])

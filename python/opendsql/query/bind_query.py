"""Queries as wholes: WITH, VALUES, set operations, stored view queries.

A WITH query that is a plain SELECT named once is bound where it is named, as PostgreSQL inlines it; otherwise it is
materialised: a Cte of the statement, read by CteScan. Recursive ones have an init and a step over the working table.

Invariants
  W1  a data-modifying WITH query is always materialised and always run, in the order written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from opendsql.errors import DsqlError, unsupported
from opendsql.query import gate
from opendsql.query.bind_expr import location_of
from opendsql.query.bind_group import Target
from opendsql.query.bind_select import Query
from opendsql.query.expr import TEXT, UNKNOWN, Col, Expr
from opendsql.query.logical import Cte, Project, SetOp, Sort, SortKey, Values, free_columns
from opendsql.query.logical import Node as Plan
from opendsql.query.parse import Statement, parse
from opendsql.query.parts import Part
from opendsql.query.scope import Scope, ScopeColumn
from opendsql.registry.types import format_type

Node = dict[str, Any]
_KINDS = {"SETOP_UNION": "union", "SETOP_INTERSECT": "intersect", "SETOP_EXCEPT": "except"}


@dataclass(slots=True)
class CteEntry:
    """A WITH query as names see it."""

    name: str
    number: int = -1
    names: list[str] = field(default_factory=list)
    types: list[tuple[int, int]] | None = None
    inline: Callable[[], Query] | None = None
    recursing: bool = False
    free: frozenset[tuple[int, int]] = frozenset()
    returns: bool = True  # False: a data-modifying query without RETURNING
    origins: list[tuple[int, int]] = field(default_factory=list)
    sort_by: dict[str, str] = field(default_factory=dict)  # a SEARCH column -> the hidden one that sorts as it should


class QueryBinder(Part):
    """Mixin of Binder."""

    def subquery(self, node: Node, outer: Scope | None) -> Query:
        """A query in parentheses, with its own WITH."""
        ((kind, item),) = node.items()
        if kind != "SelectStmt":
            raise unsupported(f"unsupported subquery: {kind}")
        return self.query(item, outer)

    def query(self, item: Node, outer: Scope | None) -> Query:
        """Any SelectStmt: WITH, then SELECT, VALUES or a set operation."""
        self.enter()
        try:
            if "withClause" in item:
                outer = self.with_clause(item["withClause"], outer, item)
            if item.get("op", "SETOP_NONE") != "SETOP_NONE":
                return self._set_operation(item, outer)
            if "valuesLists" in item:
                return self._values_query(item, outer)
            return self.select(item, outer)
        finally:
            self.depth -= 1

    # -- WITH ----------------------------------------------------------------------------------------------------

    def with_clause(self, clause: Node, outer: Scope | None, user: Node) -> Scope:
        """A scope that knows the WITH queries."""
        scope = Scope(parent=outer)
        recursive = clause.get("recursive", False)
        bodies = [entry["CommonTableExpr"] for entry in clause["ctes"]]
        for place, body in enumerate(bodies):
            if body["ctename"] in scope.order:
                raise DsqlError(
                    "42712",
                    f'WITH query name "{body["ctename"]}" specified more than once',
                    position=self.position(body.get("location", 0)),
                )
            scope.order[body["ctename"]] = place
        mentioned = [_mentions(body) for body in bodies]
        later = _mentions(_without_with(user))  # how often a name stands behind the body at hand
        for names in mentioned:
            later.update(names)
        for number, body in enumerate(bodies):
            scope.place = number
            name, hidden = body["ctename"], {}
            if "search_clause" in body or "cycle_clause" in body:
                body, hidden = self.walked(body, recursive)
            kind = next(iter(body["ctequery"]))
            later.subtract(mentioned[number])
            uses = later[name]
            if recursive and kind == "SelectStmt" and mentioned[number][name]:
                scope.ctes[name] = self._recursive_cte(body, scope)
                scope.ctes[name].sort_by = hidden
            elif (
                kind == "SelectStmt"
                and uses <= 1
                and body.get("ctematerialized") != "CTEMaterializeAlways"
                and not _volatile(body["ctequery"])
            ):
                scope.ctes[name] = self._inline_cte(body, scope)
            elif kind == "SelectStmt" and body.get("ctematerialized") == "CTEMaterializeNever":
                scope.ctes[name] = self._inline_cte(body, scope)
            else:
                scope.ctes[name] = self._materialised_cte(body, kind, scope)
        scope.place = len(bodies)
        return scope

    def _inline_cte(self, body: Node, scope: Scope) -> CteEntry:
        before = Scope(parent=scope.parent, ctes=scope.ctes, order=scope.order, place=scope.place)
        names = [n["String"].get("sval", "") for n in body.get("aliascolnames", ())]
        entry = CteEntry(body["ctename"], names=names)
        where = body.get("location", 0)
        first: list[Query] = [self.subquery(body["ctequery"], before)]  # checked even where nothing uses it
        self.cte_names(first[0].columns, names, entry.name, where)
        entry.inline = lambda: first.pop() if first else self.subquery(body["ctequery"], before)
        return entry

    def cte_names(
        self, columns: list[ScopeColumn], names: list[str], cte: str, location: int = -1
    ) -> list[ScopeColumn]:
        """Columns under a WITH query's column aliases."""
        if len(names) > len(columns):
            raise DsqlError(
                "42P10",
                f'WITH query "{cte}" has {len(columns)} columns available but {len(names)} columns specified',
                position=self.position(location),
            )
        return [replace(c, name=n) for c, n in zip(columns, names, strict=False)] + columns[len(names) :]

    def _materialised_cte(self, body: Node, kind: str, scope: Scope) -> CteEntry:
        if kind == "SelectStmt":
            query = self.subquery(body["ctequery"], scope)
            if free_columns(query.plan):  # depends on a row outside: cannot be computed once
                return self._inline_cte(body, scope)
        else:
            if scope.parent is not None:
                raise DsqlError(
                    "0A000",
                    "WITH clause containing a data-modifying statement must be at the top level",
                    position=self.position(body.get("location", 0)),
                )
            query = self.modify(kind, body["ctequery"][kind], scope)
        names = [n["String"].get("sval", "") for n in body.get("aliascolnames", ())]
        columns = self.cte_names(query.columns, names, body["ctename"], body.get("location", 0))
        types = [(c.type_oid, c.typmod) for c in query.plan.columns()]
        self.ctes.append(Cte(body["ctename"], query.plan, tuple(types)))
        origins = [(c.table_oid, c.attnum) for c in columns]
        entry = CteEntry(body["ctename"], len(self.ctes) - 1, [c.name for c in columns], types, origins=origins)
        entry.returns = kind == "SelectStmt" or "returningList" in body["ctequery"][kind]
        return entry

    def _recursive_cte(self, body: Node, scope: Scope) -> CteEntry:
        name = body["ctename"]
        position = self.position(body.get("location", 0))
        item = body["ctequery"]["SelectStmt"]
        if item.get("op") != "SETOP_UNION":
            raise DsqlError(
                "42P19",
                f'recursive query "{name}" does not have the form non-recursive-term UNION [ALL] recursive-term',
                position=position,
            )
        for word, text in (
            ("sortClause", "ORDER BY"),
            ("limitOffset", "OFFSET"),
            ("limitCount", "LIMIT"),
            ("lockingClause", "FOR UPDATE/SHARE"),
        ):
            if word in item:
                raise DsqlError("0A000", f"{text} in a recursive query is not implemented", position=position)
        inner = self.with_clause(item["withClause"], scope, item) if "withClause" in item else scope
        entry = CteEntry(name, len(self.ctes))
        self.ctes.append(Cte(name, None, ()))
        blind = Scope(parent=inner, ctes={name: CteEntry(name)})
        init = self.query(item["larg"], blind)
        entry.types = [(c.type_oid, c.typmod) for c in init.plan.columns()]
        columns = self.cte_names(
            init.columns, [n["String"].get("sval", "") for n in body.get("aliascolnames", ())], name
        )
        entry.names = [c.name for c in columns]
        entry.origins = [(0, 0)] * len(columns)
        entry.recursing = True
        step = self.query(item["rarg"], Scope(parent=inner, ctes={name: entry}))
        entry.recursing = False
        if len(step.columns) != len(entry.types):
            raise DsqlError("42601", "each UNION query must have the same number of columns", position=position)
        coerced = []
        for place, (column, (oid, typmod)) in enumerate(zip(step.plan.columns(), entry.types, strict=True)):
            found = self.coerce(column, oid)
            if found is None or self.common_type([Col(oid, 0, 0), column], "UNION") != oid:
                other = self.common_type([Col(oid, 0, 0), column], "UNION")
                raise DsqlError(
                    "42804",
                    f'recursive query "{name}" column {place + 1} has type {format_type(oid, typmod)} in non-recursive term '
                    f"but type {format_type(other)} overall",
                    hint="Cast the output of the non-recursive term to the correct type.",
                    position=self.position(_target_location(item["larg"], place)),
                )
            coerced.append(found)
        step_plan = self.projection(step.plan, coerced, entry.names)
        self.ctes[entry.number] = Cte(
            name, None, tuple(entry.types), init.plan, step_plan, distinct=not item.get("all", False)
        )
        entry.free = frozenset(free_columns(init.plan) | free_columns(step_plan))
        return entry

    # -- VALUES --------------------------------------------------------------------------------------------------

    def values_rows(self, item: Node, outer: Scope | None) -> list[list[Expr]]:
        """The rows of a VALUES list, bound but not coerced."""
        scope = Scope(parent=outer, clause="VALUES")
        self.check_lengths(item["valuesLists"])
        return [[self.expr(n, scope) for n in node["List"].get("items", ())] for node in item["valuesLists"]]

    def check_lengths(self, rows: list[Node]) -> None:
        """All VALUES lists must be as long as the first."""
        first = rows[0]["List"].get("items", ())
        for row in rows:
            items = row["List"].get("items", ())
            if len(items) != len(first):
                where = self.position(location_of(items[0])) if items else None
                raise DsqlError("42601", "VALUES lists must all be the same length", position=where)

    def _values_query(self, item: Node, outer: Scope | None) -> Query:
        rows = self.values_rows(item, outer)
        gate.check_query(item)
        columns = [self.to_common([row[i] for row in rows], "VALUES") for i in range(len(rows[0]))]
        typed = tuple(tuple(column[i] for column in columns) for i in range(len(rows)))
        types = []
        for column in columns:
            typmods = {e.typmod for e in column}
            types.append((column[0].type_oid, typmods.pop() if len(typmods) == 1 else -1))
        names = [f"column{i + 1}" for i in range(len(columns))]
        rel = self.new_rel("*VALUES*", tuple(names))
        plan: Plan = self.remember(Values(rel, typed, tuple(types)))
        return self._finish(plan, names, item, outer)

    # -- set operations ------------------------------------------------------------------------------------------

    def _set_operation(self, item: Node, outer: Scope | None) -> Query:
        gate.check_query(item)
        if "lockingClause" in item:
            raise DsqlError("0A000", "FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT")
        plan, names = self._set_tree(item, outer, top=True)
        return self._finish(plan, names, item, outer)

    def _set_tree(self, item: Node, outer: Scope | None, top: bool = False) -> tuple[Plan, list[str]]:
        plain = item.get("op", "SETOP_NONE") == "SETOP_NONE"
        own_clauses = any(k in item for k in ("sortClause", "limitCount", "limitOffset", "withClause", "lockingClause"))
        if plain or (own_clauses and not top):
            query = self.query(item, outer)
            return query.plan, [c.name for c in query.columns]
        self.enter()
        try:
            left, names = self._set_tree(item["larg"], outer)
            right, _ = self._set_tree(item["rarg"], outer)
        finally:
            self.depth -= 1
        word = item["op"].removeprefix("SETOP_")
        one, two = left.columns(), right.columns()
        where = _first_location(item["rarg"])
        if len(one) != len(two):
            raise DsqlError(
                "42601", f"each {word} query must have the same number of columns", position=self.position(where)
            )
        lefts, rights = [], []
        for a, b in zip(one, two, strict=True):
            first, second = self._literal_of(left, a), self._literal_of(right, b)
            place = _target_location(item["rarg"], b.col) if isinstance(right, Project) else -1
            oid = self.common_type([first, second], word, place if place >= 0 else where)
            lefts.append(self._fit(a, first, oid, word))
            rights.append(self._fit(b, second, oid, word))
        left, right = self._refit(left, lefts, names), self._refit(right, rights, names)
        kind = _KINDS[item["op"]] + ("_all" if item.get("all") else "")
        types = tuple(
            (a.type_oid, a.typmod if a.typmod == b.typmod else -1)
            for a, b in zip(left.columns(), right.columns(), strict=True)
        )
        rel = self.new_rel("", tuple(names))
        return self.remember(SetOp(kind, rel, (left, right), types)), names

    def _literal_of(self, plan: Plan, column: Col) -> Expr:
        """The expression behind an output column, where its being an untyped literal matters."""
        if isinstance(plan, Project) and plan.rel == column.rel:
            expr = plan.exprs_[column.col]
            if self.was_unknown(expr):
                return self.as_unknown(expr)
        return column

    def _fit(self, column: Col, seen: Expr, oid: int, word: str) -> Expr:
        found = self.coerce(seen if seen.type_oid == UNKNOWN else column, oid)
        if found is None:
            raise DsqlError(
                "42846", f"{word} could not convert type {format_type(column.type_oid)} to {format_type(oid)}"
            )
        return found

    def _refit(self, plan: Plan, exprs: list[Expr], names: list[str]) -> Plan:
        if tuple(exprs) == plan.columns():
            return plan
        return self.projection(plan, exprs, names)

    def _finish(self, plan: Plan, names: list[str], item: Node, outer: Scope | None) -> Query:
        """ORDER BY, LIMIT of VALUES and set operations: only output columns may be named."""
        scope = Scope(parent=outer, level=self.new_level())
        columns = [ScopeColumn(n, c) for n, c in zip(names, plan.columns(), strict=True)]
        keys: list[SortKey] = []
        if "sortClause" in item:
            targets = [Target(c.name, c.expr) for c in columns]
            exprs: list[Expr] = [c.expr for c in columns]
            is_set = "op" in item and item["op"] != "SETOP_NONE"
            scope.star = [] if is_set else columns
            if is_set:
                for node in item["sortClause"]:
                    self._only_names(node["SortBy"]["node"], names)
            width = len(exprs)
            places = self.sort_clause(item["sortClause"], targets, exprs, scope)
            if len(exprs) > width:
                plan = self.projection(plan, exprs, names)
            out = plan.columns()
            keys = [(out[i], desc, first) for i, desc, first in places]
            plan = Sort(plan, tuple(keys))
        plan = self.limit(plan, item, scope, tuple(keys))
        if len(plan.columns()) > len(names):
            plan = self.projection(plan, list(plan.columns()[: len(names)]), names)
        return Query(plan, self.output_columns(names, plan))

    def _only_names(self, node: Node, names: list[str]) -> None:
        body = node.get("ColumnRef")
        if body is not None and len(body["fields"]) == 1 and "String" in body["fields"][0]:
            name = body["fields"][0]["String"].get("sval", "")
            if name not in names:
                raise DsqlError(
                    "42703", f'column "{name}" does not exist', position=self.position(body.get("location", 0))
                )
            return
        if "A_Const" in node:
            return
        self.refuse_lifted(node)
        raise DsqlError(
            "0A000",
            "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
            detail="Only result column names can be used, not expressions or functions.",
            hint="Add the expression/function to every SELECT, or move the UNION into a FROM clause.",
        )

    # -- stored queries ------------------------------------------------------------------------------------------

    def stored_query(self, text: str) -> Query:
        """The query of a view, bound as if it stood alone."""
        saved, saved_args = self.statement, self.routine_args
        if self.view_depth > 30:
            raise DsqlError("54001", "stack depth limit exceeded")
        self.view_depth += 1
        self.statement, self.routine_args = _only(parse(text)), None
        try:
            return self.query(self.statement.node, None)
        finally:
            self.statement, self.routine_args = saved, saved_args
            self.view_depth -= 1

    def was_unknown(self, expr: Expr) -> bool:
        """Whether settle() made this text out of an untyped literal or parameter."""
        return expr.type_oid == TEXT and id(expr) in self.settled

    def as_unknown(self, expr: Expr) -> Expr:
        """What settle() was given."""
        return self.settled[id(expr)][1]


def _only(statements: list[Statement]) -> Statement:
    if len(statements) != 1 or statements[0].kind != "SelectStmt":
        raise DsqlError("XX000", "stored query is not a SELECT")
    return statements[0]


def _without_with(item: Node) -> Node:
    return {k: v for k, v in item.items() if k != "withClause"}


def _mentions(node: Any) -> Counter[str]:
    """How often each relation name without a schema stands in a tree (shadowing by inner WITHs is not looked at)."""
    found: Counter[str] = Counter()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            target = part.get("RangeVar")
            if isinstance(target, dict) and "schemaname" not in target:
                found[target.get("relname", "")] += 1
            waiting.extend(part.values())
    return found


_VOLATILE_NAMES = {
    "random",
    "nextval",
    "setval",
    "clock_timestamp",
    "gen_random_uuid",
    "pg_sleep",
    "timeofday",
    "set_config",
}


def _volatile(node: Any) -> bool:
    """Whether a query calls something volatile or locks rows, so that inlining could change its meaning."""
    if isinstance(node, dict):
        call = node.get("FuncCall")
        if isinstance(call, dict) and call["funcname"][-1]["String"]["sval"] in _VOLATILE_NAMES:
            return True
        return "lockingClause" in node or any(_volatile(v) for v in node.values())
    return isinstance(node, list) and any(_volatile(v) for v in node)


def _targets(item: Node) -> list[Node]:
    while item.get("op", "SETOP_NONE") != "SETOP_NONE":
        item = item["larg"]
    return [t["ResTarget"]["val"] for t in item.get("targetList", ())]


def _first_location(item: Node) -> int:
    """Where a query's first output expression is written."""
    return _target_location(item, 0)


def _target_location(item: Node, place: int) -> int:
    targets = _targets(item)
    return location_of(targets[place]) if place < len(targets) else -1

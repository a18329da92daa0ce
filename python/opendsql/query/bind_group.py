"""GROUP BY, HAVING and aggregates; window calls; set-returning functions in the select list.

After the select list, HAVING and ORDER BY are bound as expressions over FROM, the calls inside them are moved into plan
nodes one kind after the other: aggregates, then windows, then sets; each time the expressions are rewritten to name the
new node's columns.

Invariants
  G1  above an Aggregate node only its own columns are used; a plain column that is neither grouped nor determined by a
      grouped primary key is 42803.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

from opendsql.errors import DsqlError, unsupported
from opendsql.query.expr import (
    INT4,
    AggCall,
    Case,
    Coalesce,
    Col,
    Const,
    Expr,
    GroupingCall,
    Param,
    SrfCall,
    WindowCall,
    transform,
    walk,
)
from opendsql.query.logical import Agg, Aggregate, Filter, FunctionScan, Join, WindowFunction, WindowNode
from opendsql.query.logical import Node as Plan
from opendsql.query.params import NeedsOriginal
from opendsql.query.parts import Part
from opendsql.query.scope import Scope, ScopeColumn

Node = dict[str, Any]


@dataclass(slots=True)
class QueryLevel:
    """What one SELECT has collected while its expressions were bound."""

    windows: dict[str, Node] = field(default_factory=dict)
    rels: set[int] = field(default_factory=set)  # produced by its FROM
    has_aggregates: bool = False
    has_windows: bool = False
    has_sets: bool = False


@dataclass(slots=True)
class Target:
    """One entry of a select list."""

    name: str
    expr: Expr
    node: Node | None = None
    origin: ScopeColumn | None = None


class GroupBinder(Part):
    """Mixin of Binder."""

    def new_level(self) -> QueryLevel:
        """A collector for one SELECT."""
        return QueryLevel()

    # -- GROUP BY ------------------------------------------------------------------------------------------------

    def group_items(
        self, clause: list[Node], targets: list[Target], scope: Scope, distinct: bool
    ) -> tuple[list[Expr], list[tuple[int, ...]] | None]:
        """The distinct grouping expressions, and the grouping sets as indexes into them (None: just one set)."""
        groups: list[Expr] = []

        def place(node: Node) -> int:
            bound = self._group_expr(node, targets, scope)
            for index, known in enumerate(groups):
                if known == bound:
                    return index
            groups.append(bound)
            return len(groups) - 1

        def alternatives(node: Node) -> list[tuple[int, ...]]:
            body = node.get("GroupingSet")
            if body is None:
                return [self._places(node, place)]
            content = body.get("content", [])
            match body["kind"]:
                case "GROUPING_SET_EMPTY":
                    return [()]
                case "GROUPING_SET_SETS":
                    return [one for part in content for one in alternatives(part)]
            parts = [self._places(part, place) for part in content]
            if body["kind"] == "GROUPING_SET_ROLLUP":
                return [tuple(i for p in parts[:size] for i in p) for size in range(len(parts), -1, -1)]
            found = []
            for mask in range(1 << len(parts)):
                found.append(tuple(i for n, p in enumerate(parts) if not mask >> (len(parts) - 1 - n) & 1 for i in p))
            return found

        plain = not any("GroupingSet" in node for node in clause)
        sets = [
            tuple(dict.fromkeys(i for part in combo for i in part)) for combo in product(*map(alternatives, clause))
        ]
        if plain:
            return groups, None
        if distinct:
            unique: dict[frozenset[int], tuple[int, ...]] = {}
            for one in sets:
                unique.setdefault(frozenset(one), one)
            sets = list(unique.values())
        return groups, sets

    def _places(self, node: Node, place: Any) -> tuple[int, ...]:
        row = node.get("RowExpr")
        if row is not None and row.get("row_format") == "COERCE_IMPLICIT_CAST":
            return tuple(place(n) for n in row.get("args", ()))
        return (place(node),)

    def _group_expr(self, node: Node, targets: list[Target], scope: Scope) -> Expr:
        scope.clause = "GROUP BY"
        body = node.get("ColumnRef")
        if body is not None and len(body["fields"]) == 1 and "String" in body["fields"][0]:
            name = body["fields"][0]["String"].get("sval", "")
            if not any(c.name == name for c in scope.star):
                found = self._by_output_name(name, targets, "GROUP BY", body.get("location", 0))
                if found is not None:
                    return self._grouped_target(targets[found], "GROUP BY", body.get("location", 0))
        constant = node.get("A_Const")
        if constant is not None:
            position = self.position(constant.get("location", 0))
            if "ival" not in constant:
                raise DsqlError("42601", "non-integer constant in GROUP BY", position=position)
            number = constant["ival"].get("ival", 0)
            if not 1 <= number <= len(targets):
                raise DsqlError("42P10", f"GROUP BY position {number} is not in select list", position=position)
            return self._grouped_target(targets[number - 1], "GROUP BY", constant.get("location", 0))
        self.refuse_lifted(node)
        return self.settle(self.expr(node, scope))

    def _grouped_target(self, target: Target, clause: str, location: int) -> Expr:
        for part in walk(target.expr):
            if isinstance(part, AggCall):
                raise DsqlError(
                    "42803", f"aggregate functions are not allowed in {clause}", position=self.position(location)
                )
            if isinstance(part, WindowCall):
                raise DsqlError(
                    "42P20", f"window functions are not allowed in {clause}", position=self.position(location)
                )
        return target.expr

    def _by_output_name(self, name: str, targets: list[Target], clause: str, location: int) -> int | None:
        found = [i for i, t in enumerate(targets) if t.name == name]
        if not found:
            return None
        if any(targets[i].expr != targets[found[0]].expr for i in found):
            raise DsqlError("42702", f'{clause} "{name}" is ambiguous', position=self.position(location))
        return found[0]

    def refuse_lifted(self, node: Node) -> None:
        """A lifted literal where a position number may stand."""
        if "ParamRef" in node and node["ParamRef"].get("number", 0) > self.params.lifted_from:
            raise NeedsOriginal

    # -- aggregation ---------------------------------------------------------------------------------------------

    def aggregate(
        self,
        plan: Plan,
        scope: Scope,
        groups: list[Expr],
        sets: list[tuple[int, ...]] | None,
        exprs: list[Expr],
        having: Expr | None,
        grouped: bool,
    ) -> tuple[Plan, list[Expr]]:
        """The Aggregate node and the expressions over it."""
        every = [*exprs, *([having] if having is not None else [])]
        calls: list[AggCall] = []
        for expr in every:
            for part in walk(expr):
                if isinstance(part, AggCall) and part not in calls:
                    calls.append(part)
        groups = [*groups, *self._determined(groups, sets, every, scope)]
        needs_number = sets is not None and any(isinstance(p, GroupingCall) for e in every for p in walk(e))
        rel = self.new_rel("aggregate")
        aggs = tuple(Agg(c.fn, c.args, c.type_oid, c.name, c.distinct, c.filter, c.order, c.star) for c in calls)
        node = Aggregate(
            plan, rel, tuple(groups), aggs, grouped, tuple(sets) if sets is not None else None, grouping=needs_number
        )
        self.remember(node)
        out = node.columns()
        for group, column in zip(groups, out, strict=False):
            if isinstance(group, Col) and group.id in self.origins:
                self.origins[column.id] = self.origins[group.id]

        def change(part: Expr) -> Expr | None:
            if isinstance(part, AggCall):
                return out[len(groups) + calls.index(part)]
            if isinstance(part, GroupingCall):
                return self._grouping(part, groups, sets, out[-1] if needs_number else None)
            if not isinstance(part, Const | Param) and part in groups:
                return out[groups.index(part)]
            if isinstance(part, Col) and part.rel in scope.level.rels:
                raise self._ungrouped(part, scope)
            return None

        rewritten = [transform(e, change) for e in exprs]
        if having is not None:
            return Filter(node, (transform(having, change),)), rewritten
        return node, rewritten

    def _determined(self, groups: list[Expr], sets: Any, exprs: list[Expr], scope: Scope) -> list[Expr]:
        """Columns that follow from a grouped primary key: grouped too, which changes nothing."""
        if sets is not None:
            return []
        keyed: dict[int, Any] = {}
        for table in scope.tables:
            if table.table is None or table.table.primary_key is None:
                continue
            key = [table.table.column(n) for n in table.table.primary_key.keys]
            if all(
                c is not None and any(g == Col(c.type_oid, table.rel, c.attnum - 1, typmod=c.typmod) for g in groups)
                for c in key
            ):
                keyed[table.rel] = table
        extra: list[Expr] = []
        if not keyed:
            return extra

        def visit(part: Expr) -> Expr | None:
            if isinstance(part, AggCall) or part in groups:
                return part
            if isinstance(part, Col) and part.rel in keyed and part not in extra:
                extra.append(part)
            return None

        for expr in exprs:
            transform(expr, visit)
        return extra

    def _grouping(self, call: GroupingCall, groups: list[Expr], sets: Any, number: Col | None) -> Expr:
        """GROUPING(...): one bit per argument that the row's grouping set leaves out."""
        places = []
        for arg in call.args:
            if arg not in groups:
                raise DsqlError(
                    "42803", "arguments to GROUPING must be grouping expressions of the associated query level"
                )
            places.append(groups.index(arg))
        if sets is None or number is None:
            return Const(INT4, "0")
        values = []
        for one in sets:
            bits = 0
            for place in places:
                bits = bits << 1 | (place not in one)
            values.append(bits)
        whens = tuple(
            (self.comparison("=", number, Const(INT4, str(i)), None), Const(INT4, str(v))) for i, v in enumerate(values)
        )
        return Case(INT4, whens, None)

    def _ungrouped(self, column: Col, scope: Scope) -> DsqlError:
        shown = str(column.col)
        for table in scope.tables:
            for candidate in table.columns:
                if candidate.expr == column:
                    shown = f"{table.alias}.{candidate.name}"
                    break
        return DsqlError(
            "42803", f'column "{shown}" must appear in the GROUP BY clause or be used in an aggregate function',
            position=self.position(self.seen_at.get(column.id)),
        )  # fmt: skip

    # -- windows -------------------------------------------------------------------------------------------------

    def windows(self, plan: Plan, exprs: list[Expr]) -> tuple[Plan, list[Expr]]:
        """WindowNodes for every different window, and the expressions over them."""
        calls: list[WindowCall] = []
        for expr in exprs:
            for part in walk(expr):
                if isinstance(part, WindowCall) and part not in calls:
                    calls.append(part)
        values: dict[WindowCall, Col] = {}
        pending = list(calls)
        while pending:
            first = pending[0]
            same = [c for c in pending if c.partition == first.partition and c.order == first.order]
            rel = self.new_rel("window")
            funcs = tuple(
                WindowFunction(c.fn, c.args, c.type_oid, c.name, c.frame, c.aggregate, c.filter, c.star) for c in same
            )
            plan = self.remember(WindowNode(plan, rel, first.partition, first.order, funcs))
            for index, call in enumerate(same):
                values[call] = Col(call.type_oid, rel, index)
            pending = [c for c in pending if c not in same]
        return plan, [transform(e, lambda p: values.get(p) if isinstance(p, WindowCall) else None) for e in exprs]

    # -- sets in the select list ---------------------------------------------------------------------------------

    def sets(self, plan: Plan, exprs: list[Expr]) -> tuple[Plan, list[Expr]]:
        """Set-returning calls as lateral joins; several run side by side."""
        calls: list[SrfCall] = []
        for expr in exprs:
            for part in walk(expr):
                if isinstance(part, SrfCall) and part not in calls:
                    if any(isinstance(inner, SrfCall) for child in part.children() for inner in walk(child)):
                        raise DsqlError("0A000", "nested set-returning functions are not supported")
                    calls.append(part)
        values: dict[SrfCall, Expr] = {}
        side: Plan | None = None
        number: Expr | None = None
        for call in calls:
            if call.plan is not None:
                if len(calls) > 1:
                    raise unsupported(f"set-returning function {call.name} beside another is only supported in FROM")
                side = call.plan
                values[call] = side.columns()[0]
                continue
            rel = self.new_rel(call.name, (call.name, "ordinality"))
            scan = self.remember(
                FunctionScan(rel, call.fn, call.args, (call.type_oid,), len(calls) > 1, name=call.name)
            )
            values[call] = scan.columns()[0]
            if side is None:
                side, number = scan, scan.columns()[-1]
                continue
            ordinal = scan.columns()[-1]
            assert number is not None
            side = Join("full", side, scan, (self.comparison("=", number, ordinal, None),))
            number = Coalesce(ordinal.type_oid, (number, ordinal))
        assert side is not None
        plan = Join("inner", plan, side, lateral=True)
        return plan, [transform(e, lambda p: values.get(p) if isinstance(p, SrfCall) else None) for e in exprs]

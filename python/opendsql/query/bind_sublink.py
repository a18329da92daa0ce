"""Subqueries as values: scalar, EXISTS, IN / ANY / ALL, ARRAY(...), and row comparisons with a subquery.

A SubLink keeps the bound plan and pairs every column the plan takes from outside with its value there (at first, the
column itself). Unnesting into joins is a rule's work, not the binder's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opendsql.errors import DsqlError, unsupported
from opendsql.query.expr import BOOL, Call, Coalesce, Col, Const, Expr, Not, SubLink
from opendsql.query.logical import Agg, Aggregate, free_columns
from opendsql.query.logical import Node as Plan
from opendsql.query.parts import Part
from opendsql.query.scope import Scope
from opendsql.registry.resolve import find_function
from opendsql.registry.types import TYPES_BY_OID

Node = dict[str, Any]


class SublinkBinder(Part):
    """Mixin of Binder."""

    def _bind_SubLink(self, item: Node, scope: Scope) -> Expr:
        found = self._subquery_value(item, scope)
        return replace(found, shape=repr(without_places(item))) if isinstance(found, SubLink) else found

    def _subquery_value(self, item: Node, scope: Scope) -> Expr:
        kind = item["subLinkType"]
        location = item.get("location", 0)
        self.forbid_subquery(scope, location)
        query = self.subquery(item["subselect"], scope)
        match kind:
            case "EXISTS_SUBLINK":
                return self.sublink("exists", BOOL, query.plan, ())
            case "EXPR_SUBLINK":
                return self._scalar(query, "scalar", location)
            case "ARRAY_SUBLINK":
                return self._array(query, location)
            case "ANY_SUBLINK" | "ALL_SUBLINK":
                name = item["operName"][-1]["String"]["sval"] if "operName" in item else "="
                left = self.row_items_of(item["testexpr"], scope)
                return self.quantified("any" if kind == "ANY_SUBLINK" else "all", name, left, query, location)
        raise unsupported(f"unsupported subquery: {kind}")

    def forbid_subquery(self, scope: Scope, location: int) -> None:
        """Some clauses take no subqueries."""
        word = {"check": "check constraints", "default": "DEFAULT expressions", "index": "index expressions",
                "predicate": "index predicates", "generated": "column generation expressions"}.get(scope.clause)  # fmt: skip
        if word:
            raise DsqlError("0A000", f"cannot use subquery in {word[:-1]}", position=self.position(location))
        if scope.clause == "CALL":
            raise unsupported("cannot use subquery in CALL argument")

    def _scalar(self, query: Any, kind: str, location: int) -> Expr:
        if len(query.columns) != 1:
            raise DsqlError("42601", "subquery must return only one column", position=self.position(location))
        column = query.plan.columns()[0]
        return self.sublink(kind, column.type_oid, query.plan, (column,), typmod=column.typmod)

    def _array(self, query: Any, location: int) -> Expr:
        """ARRAY(query): array_agg over its one column, the empty array where it yields nothing."""
        if len(query.columns) != 1:
            raise DsqlError("42601", "subquery must return only one column", position=self.position(location))
        column = query.plan.columns()[0]
        entry = TYPES_BY_OID[column.type_oid]
        if not entry.is_array and not entry.array_oid:
            raise DsqlError(
                "42704", f"could not find array type for data type {entry.display}", position=self.position(location)
            )
        match = find_function("array_agg", (column.type_oid,))
        call = Agg(match.kernel, (column,), match.result_type, "array_agg")
        node = self.remember(Aggregate(query.plan, self.new_rel("aggregate"), (), (call,), False))
        found = self.sublink("scalar", match.result_type, node, node.columns())
        return Coalesce(match.result_type, (found, Const(match.result_type, "{}")))

    def sublink(self, kind: str, oid: int, plan: Plan, out: tuple[Col, ...], typmod: int = -1, **more: Any) -> SubLink:
        """A SubLink over plan, its outer columns paired with themselves."""
        types = self.column_types
        outer = tuple(
            (column, Col(types[column][0], *column, typmod=types[column][1])) for column in sorted(free_columns(plan))
        )
        return SubLink(oid, kind, plan, out, outer, typmod=typmod, **more)

    def quantified(self, kind: str, name: str, left: tuple[Expr, ...], query: Any, location: int) -> Expr:
        """left op ANY | ALL (query)."""
        name = "<>" if name == "!=" else name
        columns = query.plan.columns()
        if len(columns) != len(left):
            few = "too few" if len(columns) < len(left) else "too many"
            raise DsqlError("42601", f"subquery has {few} columns", position=self.position(location))
        if len(left) > 1 and name not in ("=", "<>"):
            raise unsupported(f"row comparison operator {name} with a subquery is not supported")
        subjects, kernels, wanted = [], [], []
        for item, column in zip(left, columns, strict=True):
            found = self.comparison("=" if len(left) > 1 else name, item, column, location)
            assert isinstance(found, Call)
            subjects.append(found.args[0])
            wanted.append(found.args[1])
            kernels.append(("py:" if found.kind == "py" else "") + found.kernel)
        plan = self.with_exprs(query.plan, wanted)
        more: dict[str, Any] = {"lhs": tuple(subjects), "kernels": tuple(kernels), "op_name": name}
        if len(left) > 1 and name == "<>":
            # (a, b) <> ALL (query) is NOT (a, b) = ANY (query)
            if kind != "all":
                raise unsupported("row comparison operator <> with ANY is not supported")
            return Not(BOOL, self.sublink("any", BOOL, plan, plan.columns(), **{**more, "op_name": "="}))
        return self.sublink(kind, BOOL, plan, plan.columns(), **more)

    def with_exprs(self, plan: Plan, wanted: list[Expr]) -> Plan:
        """plan's output replaced by expressions over it, unless they are its columns already."""
        from opendsql.query.logical import Project

        if tuple(wanted) == plan.columns():
            return plan
        return self.remember(Project(plan, self.new_rel("subquery"), tuple(wanted)))

    def row_sublink(self, name: str, item: Node, scope: Scope, location: int) -> Expr:
        """(a, b) op (SELECT x, y ...): the subquery's one row compared part by part."""
        link = item["rexpr"]["SubLink"]
        if link["subLinkType"] != "EXPR_SUBLINK":
            return self.operator(name, self.expr(item["lexpr"], scope), self.expr(item["rexpr"], scope), location)
        left = self.row_items_of(item["lexpr"], scope)
        query = self.subquery(link["subselect"], scope)
        columns = query.plan.columns()
        if len(columns) != len(left):
            few = "too few" if len(columns) < len(left) else "too many"
            raise DsqlError("42601", f"subquery has {few} columns", position=self.position(location))
        parts = tuple(self.sublink("scalar", c.type_oid, query.plan, (c,), typmod=c.typmod) for c in columns)
        return self.row_comparison(name, left, parts, location)


def without_places(tree: Any) -> Any:
    """A parse tree without the places in the text its nodes come from."""
    if isinstance(tree, dict):
        return {name: without_places(value) for name, value in tree.items() if name != "location"}
    return [without_places(item) for item in tree] if isinstance(tree, list) else tree

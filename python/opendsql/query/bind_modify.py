"""UPDATE and DELETE.

The plan below yields the target's full old row and its raw key (a Scan of the target, joined with FROM / USING). SET
expressions and RETURNING are bound over it; in an UPDATE's RETURNING the target's columns are those of the new row.
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog.model import Column, Table
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says
from opendsql.query.bind_expr import location_of
from opendsql.query.bind_from import FromItem
from opendsql.query.bind_select import Query
from opendsql.query.bind_view import Through
from opendsql.query.expr import Col, Expr, RowExpr, transform
from opendsql.query.logical import Delete, Filter, Join, Update, free_columns, produced
from opendsql.query.logical import Node as Plan
from opendsql.query.parts import Part
from opendsql.query.scope import Scope, ScopeColumn

Node = dict[str, Any]


class ModifyBinder(Part):
    """Mixin of Binder."""

    def update(self, item: Node, outer: Scope | None) -> Query:
        """An UpdateStmt."""
        if "withClause" in item:
            outer = self.with_clause(item["withClause"], outer, item)
        table, through = self.target(item, "UPDATE")
        self.writes = True
        scope = Scope(parent=outer, level=self.new_level())
        target, plan = self._target(item, table, "fromClause", scope, through)
        scope.clause = "UPDATE"
        assign = self.set_list(item["targetList"], table, scope, through)
        plan = self._filtered(plan, item, scope)
        new_rel = self.new_rel(table.name, tuple(c.name for c in table.columns))
        self._remember_row(new_rel, table, through)
        returning, names = None, []
        if "returningList" in item:
            inner = self._returning_scope(scope, target, table, new_rel, through)
            targets = self.target_list(item["returningList"], inner, "RETURNING")
            returning, names = tuple(t.expr for t in targets), [t.name for t in targets]
        out_rel = self.new_rel("", tuple(names))
        rel = target.tables[0].rel
        node = self.remember(Update(plan, rel, new_rel, table, tuple(assign), returning, out_rel))
        return self._modified(node, names, returning)

    def delete(self, item: Node, outer: Scope | None) -> Query:
        """A DeleteStmt."""
        if "withClause" in item:
            outer = self.with_clause(item["withClause"], outer, item)
        table, through = self.target(item, "DELETE")
        self.writes = True
        scope = Scope(parent=outer, level=self.new_level())
        target, plan = self._target(item, table, "usingClause", scope, through)
        plan = self._filtered(plan, item, scope)
        returning, names = None, []
        if "returningList" in item:
            targets = self.target_list(item["returningList"], scope, "RETURNING")
            returning, names = tuple(t.expr for t in targets), [t.name for t in targets]
        out_rel = self.new_rel("", tuple(names))
        node = self.remember(Delete(plan, target.tables[0].rel, table, returning, out_rel))
        return self._modified(node, names, returning)

    def _target(
        self, item: Node, table: Table, other: str, scope: Scope, through: Through | None
    ) -> tuple[FromItem, Plan]:
        """The target's rows, joined with FROM or USING; fills scope."""
        alias = item["relation"].get("alias", {})
        if through is not None:
            view = through.view
            rows: Plan = Filter(through.scan, through.conds) if through.conds else through.scan
            target = self._named(rows, through.columns, alias, view.name, view.schema, through.scan.rel)
        else:
            target = self.table_item(self.scan(table, alias.get("aliasname") or table.name), alias)
        self.written_rels.add(target.tables[0].rel)
        plan: Plan = target.node
        star, tables = list(target.star), list(target.tables)
        for node in item.get(other, ()):
            part = self.from_item(node, scope, FromItem(plan, star, tables))
            self._check_aliases(tables, part.tables)
            lateral = bool(free_columns(part.node) & produced(plan))
            plan = Join("inner", plan, part.node, lateral=lateral)
            star, tables = star + part.star, tables + part.tables
        scope.star, scope.tables = star, tables
        return target, plan

    def _filtered(self, plan: Plan, item: Node, scope: Scope) -> Plan:
        clause = item.get("whereClause")
        if clause is not None and "CurrentOfExpr" in clause:
            raise unsupported(says("current_of"))
        return self.where(plan, clause, scope)

    def _returning_scope(
        self, scope: Scope, target: FromItem, table: Table, new_rel: int, through: Through | None
    ) -> Scope:
        """The scope of RETURNING: the target's names mean the new row."""
        old_rel = target.tables[0].rel

        def fresh(column: ScopeColumn) -> ScopeColumn:
            return ScopeColumn(column.name, transform(column.expr, moved), column.table_oid, column.attnum)

        def moved(expr: Expr) -> Expr | None:
            if isinstance(expr, Col) and expr.rel == old_rel:
                return Col(expr.type_oid, new_rel, expr.col, typmod=expr.typmod)
            return None

        inner = Scope(parent=scope.parent, level=scope.level)
        inner.star = [fresh(c) for c in scope.star]
        for item in scope.tables:
            if item.rel == old_rel:
                self._row_scope(inner, table, item.alias, new_rel, through)
                inner.star = inner.star[: len(scope.star)]
            else:
                inner.tables = [*inner.tables, item]
        return inner

    # -- SET -----------------------------------------------------------------------------------------------------

    def set_list(
        self, nodes: list[Node], table: Table, scope: Scope, through: Through | None = None
    ) -> list[tuple[int, Expr]]:
        """(stored column, value) per assignment."""
        assigned: list[tuple[int, Expr]] = []
        seen: set[int] = set()
        rows: dict[int, list[Any]] = {}
        for node in nodes:
            target = node["ResTarget"]
            column = self.target_column(target, table, through)
            if column.attnum in seen:
                raise DsqlError("42601", f'multiple assignments to same column "{column.name}"')
            seen.add(column.attnum)
            value = target["val"]
            if "MultiAssignRef" in value:
                value = self._multi(value["MultiAssignRef"], scope, rows)
            if isinstance(value, dict) and "SetToDefault" in value:
                if column.generated is None:
                    assigned.append((column.attnum - 1, self.column_default(table, column)))
                continue
            self._check_settable(column)
            if isinstance(value, dict):
                bound, location = self.expr(value, scope), location_of(value)
            else:
                bound, location = value, -1
            assigned.append((column.attnum - 1, self.assign(column, bound, location)))
        return assigned

    def _check_settable(self, column: Column) -> None:
        what = None
        if column.generated is not None:
            what = "is a generated column."
        elif column.identity == "a":
            what = "is an identity column defined as GENERATED ALWAYS."
        if what is not None:
            raise DsqlError(
                "428C9",
                f'column "{column.name}" can only be updated to DEFAULT',
                detail=f'Column "{column.name}" {what}',
            )

    def _multi(self, item: Node, scope: Scope, rows: dict[int, list[Any]]) -> Any:
        """One value of (a, b) = source: a node for a row, an expression for a subquery."""
        source, number, count = item["source"], item["colno"] - 1, item["ncolumns"]
        if "RowExpr" in source:
            args = source["RowExpr"].get("args", [])
            if len(args) != count:
                raise DsqlError(
                    "42601", "number of columns does not match number of values",
                    position=self.position(location_of(source)),
                )  # fmt: skip
            return args[number]
        if "SubLink" in source:
            if number == 0:
                query = self.subquery(source["SubLink"]["subselect"], scope)
                columns = query.plan.columns()
                if len(columns) != count:
                    raise DsqlError(
                        "42601", "number of columns does not match number of values",
                        position=self.position(location_of(source)),
                    )  # fmt: skip
                rows[0] = [self.sublink("scalar", c.type_oid, query.plan, (c,), typmod=c.typmod) for c in columns]
            return rows[0][number]
        bound = self.expr(source, scope)
        if isinstance(bound, RowExpr) and len(bound.items) == count:
            return bound.items[number]
        raise DsqlError(
            "0A000", "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
            position=self.position(location_of(source)),
        )  # fmt: skip

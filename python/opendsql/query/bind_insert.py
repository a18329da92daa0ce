"""INSERT: the source in the table's column order, defaults filled in, ON CONFLICT, RETURNING.

The plan below an Insert yields the full stored row in attnum order: given values assigned to their columns, defaults
for the rest, NULL for generated columns (the writer computes them) and for dropped ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opendsql.catalog import updatable
from opendsql.catalog.ddl.refusals import refusal
from opendsql.catalog.model import Column, Index, Table
from opendsql.errors import DsqlError
from opendsql.query.bind_expr import location_of
from opendsql.query.bind_select import Query
from opendsql.query.bind_view import Through
from opendsql.query.expr import REGCLASS, Col, Const, Expr, conjuncts
from opendsql.query.logical import Insert, OnConflict, Scan, Values
from opendsql.query.logical import Node as Plan
from opendsql.query.parse import parse
from opendsql.query.parts import Part
from opendsql.query.scope import RangeItem, Scope, ScopeColumn
from opendsql.registry.types import format_type

Node = dict[str, Any]


class InsertBinder(Part):
    """Mixin of Binder."""

    def insert(self, item: Node, outer: Scope | None) -> Query:
        """An InsertStmt."""
        if "withClause" in item:
            outer = self.with_clause(item["withClause"], outer, item)
        table, through = self.target(item, "INSERT")
        self.writes = True
        columns, locations = self._insert_columns(item, table, through)
        override = item.get("override", "OVERRIDING_NOT_SET")
        self.view_defaults = through.defaults() if through is not None else {}
        plan = self._source(item, table, columns, locations, override, outer)
        self.view_defaults = {}
        new_rel = self.new_rel(table.name, tuple(c.name for c in table.columns))
        self._remember_row(new_rel, table, through)
        self.given_columns[new_rel] = [c.name for c in columns]
        alias = item["relation"].get("alias", {}).get("aliasname") or item["relation"]["relname"]
        conflict = None
        if "onConflictClause" in item:
            conflict = self._on_conflict(item["onConflictClause"], table, alias, outer, through)
        returning, names = None, []
        if "returningList" in item:
            scope = Scope(parent=outer, level=self.new_level())
            self._row_scope(scope, table, alias, new_rel, through)
            if conflict is not None:
                scope.barred = [("excluded", "")]
            targets = self.target_list(item["returningList"], scope, "RETURNING")
            returning, names = tuple(t.expr for t in targets), [t.name for t in targets]
        out_rel = self.new_rel("", tuple(names))
        node = self.remember(Insert(plan, new_rel, table, conflict, returning, out_rel))
        return self._modified(node, names, returning)

    def _modified(self, node: Plan, names: list[str], returning: tuple[Expr, ...] | None) -> Query:
        for expr, column in zip(returning or (), node.columns(), strict=True):
            if isinstance(expr, Col) and expr.id in self.origins:
                self.origins[column.id] = self.origins[expr.id]
        return Query(node, self.output_columns(names, node))

    def _remember_row(self, rel: int, table: Table, through: Through | None = None) -> None:
        if through is None:
            self.read_tables[rel] = table
        self.written_rels.add(rel)
        for column in table.columns:
            self.column_types[(rel, column.attnum - 1)] = (column.type_oid, column.typmod)
            self.origins[(rel, column.attnum - 1)] = (table.oid, column.attnum)

    def _row_scope(
        self, scope: Scope, table: Table, alias: str, rel: int, through: Through | None = None
    ) -> RangeItem:
        """Let scope see a row of table as rel, under the names of the view it is written through."""
        relation = table if through is None else through.view
        columns = [
            ScopeColumn(c.name, Col(c.type_oid, rel, c.attnum - 1, typmod=c.typmod), table.oid, c.attnum)
            for c in table.columns
            if not c.dropped
        ]
        if through is not None:
            columns = through.row(rel)
        schema = relation.schema if alias == relation.name else None
        found = RangeItem(alias, columns, schema, relation.name, rel, table=table if through is None else None)
        scope.tables = [*scope.tables, found]
        scope.star = [*scope.star, *columns]
        return found

    # -- target columns ------------------------------------------------------------------------------------------

    def _insert_columns(
        self, item: Node, table: Table, through: Through | None
    ) -> tuple[list[Column], list[int]]:
        if "cols" not in item:
            if through is None:
                return list(table.live_columns), []
            return self._view_columns(item, table, through), []
        found: list[Column] = []
        locations: list[int] = []
        for node in item["cols"]:
            target = node["ResTarget"]
            column = self.target_column(target, table, through)
            if column in found:
                raise DsqlError(
                    "42701",
                    f'column "{column.name}" specified more than once',
                    position=self.position(target.get("location", 0)),
                )
            found.append(column)
            locations.append(target.get("location", 0))
        return found, locations

    def _view_columns(self, item: Node, table: Table, through: Through) -> list[Column]:
        """The columns of an INSERT without a list through a view: as many as there are values."""
        source = item.get("selectStmt", {}).get("SelectStmt", {})
        rows = source.get("valuesLists")
        count = len(through.view.columns)
        if rows:
            count = min(count, max(len(r["List"].get("items", ())) for r in rows))
        elif source.get("targetList") and not any("A_Star" in str(t) for t in source["targetList"]):
            count = min(count, len(source["targetList"]))
        return [self.written_column(table, c.name, through, None) for c in through.view.columns[:count]]

    def target_column(self, target: Node, table: Table, through: Through | None = None) -> Column:
        """The column an assignment names."""
        name = target["name"]
        position = self.position(target.get("location", 0))
        column = self.written_column(table, name, through, position)
        if "indirection" in target:
            if "A_Indices" in target["indirection"][0]:
                raise DsqlError(
                    "42804",
                    f"cannot subscript type {format_type(column.type_oid)} because it does not support subscripting",
                    position=position,
                )
            field = target["indirection"][0].get("String", {}).get("sval", "")
            raise DsqlError(
                "42804",
                f'cannot assign to field "{field}" of column "{name}" because its type '
                f"{format_type(column.type_oid)} is not a composite type",
                position=position,
            )
        return column

    # -- the source ----------------------------------------------------------------------------------------------

    def _source(
        self, item: Node, table: Table, columns: list[Column], locations: list[int], override: str, outer: Scope | None
    ) -> Plan:
        source = item.get("selectStmt", {}).get("SelectStmt")
        types = tuple((c.type_oid, -1) for c in table.columns)
        if source is None:
            rel = self.new_rel("*VALUES*")
            return self.remember(Values(rel, (tuple(self.column_default(table, c) for c in table.columns),), types))
        plain_values = "valuesLists" in source and not any(
            k in source for k in ("sortClause", "limitCount", "limitOffset", "withClause")
        )
        if plain_values:
            rows = []
            scope = Scope(parent=outer, clause="VALUES")
            self.check_lengths(source["valuesLists"])
            for node in source["valuesLists"]:
                rows.append(self._values_row(node["List"].get("items", ()), table, columns, locations, override, scope))
            rel = self.new_rel("*VALUES*")
            return self.remember(Values(rel, tuple(rows), types))
        query = self.query(source, outer)
        outs = query.plan.columns()
        nodes = [t["ResTarget"]["val"] for t in source.get("targetList", ())]
        self._check_counts(len(outs), columns, locations, nodes)
        given: dict[int, Expr] = {}
        for place, (column, out) in enumerate(zip(columns, outs, strict=False)):
            seen = self._literal_of(query.plan, out)
            location = location_of(nodes[place]) if place < len(nodes) else -1
            given[column.attnum] = self._assigned(table, column, seen, override, location)
        exprs = [given.get(c.attnum) or self.column_default(table, c) for c in table.columns]
        return self.projection(query.plan, exprs, [c.name for c in table.columns])

    def _check_counts(self, count: int, columns: list[Column], locations: list[int], nodes: list[Node]) -> None:
        if count > len(columns):
            where = location_of(nodes[len(columns)]) if len(columns) < len(nodes) else None
            raise DsqlError("42601", "INSERT has more expressions than target columns", position=self.position(where))
        if locations and count < len(columns):
            raise DsqlError(
                "42601", "INSERT has more target columns than expressions", position=self.position(locations[count])
            )

    def _values_row(
        self, nodes: Any, table: Table, columns: list[Column], locations: list[int], override: str, scope: Scope
    ) -> tuple[Expr, ...]:
        nodes = list(nodes)
        self._check_counts(len(nodes), columns, locations, nodes)
        given: dict[int, Expr] = {}
        for node, column in zip(nodes, columns, strict=False):
            if "SetToDefault" in node:
                continue
            given[column.attnum] = self._assigned(table, column, self.expr(node, scope), override, location_of(node))
        return tuple(given.get(c.attnum) or self.column_default(table, c) for c in table.columns)

    def _assigned(self, table: Table, column: Column, value: Expr, override: str, location: int) -> Expr:
        if column.generated is not None:
            raise DsqlError(
                "428C9",
                f'cannot insert a non-DEFAULT value into column "{column.name}"',
                detail=f'Column "{column.name}" is a generated column.',
            )
        if column.identity and override == "OVERRIDING_USER_VALUE":
            return self.column_default(table, column)
        if column.identity == "a" and override != "OVERRIDING_SYSTEM_VALUE":
            raise DsqlError(
                "428C9",
                f'cannot insert a non-DEFAULT value into column "{column.name}"',
                detail=f'Column "{column.name}" is an identity column defined as GENERATED ALWAYS.',
                hint="Use OVERRIDING SYSTEM VALUE to override.",
            )
        return self.assign(column, value, location)

    def assign(self, column: Column, value: Expr, location: int) -> Expr:
        """value as the column's type by assignment; 42804 otherwise. Type modifiers are the writer's work."""
        found = self.coerce(value, column.type_oid, context="a", location=location)
        if found is None:
            raise DsqlError(
                "42804",
                f'column "{column.name}" is of type {format_type(column.type_oid)} '
                f"but expression is of type {format_type(value.type_oid)}",
                hint="You will need to rewrite or cast the expression.",
                position=self.position(location),
            )
        return found

    def column_default(self, table: Table, column: Column) -> Expr:
        """What a column gets when nothing is given."""
        if column.dropped or column.generated is not None:
            return Const(column.type_oid, None)
        if column.identity and column.sequence_oid is not None:
            arg = Const(REGCLASS, str(column.sequence_oid))
            call = self.call_function(["nextval"], [arg], -1)
            return self.assign(column, replace(call, kernel="identity_nextval"), -1)
        text = self.view_defaults.get(column.attnum, column.default)
        if text is None and column.domain_oid is not None:
            domain = self.catalog.by_oid.get(column.domain_oid)
            text = getattr(domain, "default", None)
        if text is None:
            return Const(column.type_oid, None)
        return self.assign(column, self.stored_expression(text, None, "default"), -1)

    def stored_expression(self, text: str, scope: Scope | None, clause: str) -> Expr:
        """An expression kept as text in the catalog; scope names the row it may use."""
        saved, saved_args = self.statement, self.routine_args
        self.view_depth += 1
        self.statement, self.routine_args = parse(f"SELECT {text}")[0], None
        try:
            target = self.statement.node["targetList"][0]["ResTarget"]["val"]
            inner = scope if scope is not None else Scope()
            inner.clause = clause
            return self.expr(target, inner)
        finally:
            self.statement, self.routine_args = saved, saved_args
            self.view_depth -= 1

    # -- ON CONFLICT ---------------------------------------------------------------------------------------------

    def _on_conflict(
        self, item: Node, table: Table, alias: str, outer: Scope | None, through: Through | None
    ) -> OnConflict:
        update = item["action"] == "ONCONFLICT_UPDATE"
        infer = item.get("infer")
        if infer is None:
            if update:
                raise DsqlError(
                    "42601",
                    "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                    hint="For example, ON CONFLICT (column_name).",
                    position=self.position(item.get("location", 0)),
                )
            return OnConflict("nothing", None)
        index = self._arbiter(infer, table, alias, through)
        if not update:
            return OnConflict("nothing", index)
        existing = self.new_rel(alias, tuple(c.name for c in table.columns))
        excluded = self.new_rel("excluded", tuple(c.name for c in table.columns))
        self._remember_row(existing, table, through)
        self._remember_row(excluded, table, through)
        scope = Scope(parent=outer, level=None, clause="UPDATE")
        self._row_scope(scope, table, alias, existing, through)
        self._row_scope(scope, table, "excluded", excluded, through)
        scope.tables[-1].schema = None
        scope.star = list(scope.star)
        assign = self.set_list(item["targetList"], table, scope, through)
        where = self.condition(item["whereClause"], scope, "WHERE") if "whereClause" in item else None
        return OnConflict("update", index, tuple(assign), where, existing, excluded)

    def _arbiter(self, infer: Node, table: Table, alias: str, through: Through | None) -> Index:
        candidates = [i for i in (table.primary_key, *table.indexes) if i is not None and i.unique]
        name = infer.get("conname")
        if name:
            for index in candidates:
                if index.constraint == name or (index.primary and index.name == name):
                    return index
            raise DsqlError("42704", f'constraint "{name}" for table "{table.name}" does not exist')
        scope = Scope(level=None)
        scan = Scan(0, table, alias)
        own = Scope(level=None)
        self._row_scope(own, table, alias, 0)
        self._row_scope(scope, table, alias, 0, through)
        wanted: set[Any] = set()
        for node in infer.get("indexElems", ()):
            element = node["IndexElem"]
            if "name" in element:
                name = element["name"]
                if through is not None:
                    below = updatable.base_column(self.catalog, through.view, name)
                    name = below.name if below is not None else ""
                column = table.column(name)
                if column is None:
                    raise DsqlError(
                        "42703",
                        f'column "{element["name"]}" does not exist',
                        position=self.position(infer.get("location", 0)),
                    )
                wanted.add(scan.row()[column.attnum - 1])
            else:
                wanted.add(self.expr(element["expr"], scope))
        predicate = None
        if "whereClause" in infer:
            predicate = set(conjuncts(self.condition(infer["whereClause"], scope, "WHERE")))
        for index in candidates:
            if not index.valid:
                continue
            keys = set()
            for key in index.keys:
                keys.add(self._index_key(key, table, scan, own))
            if keys != wanted:
                continue
            if index.predicate is not None:
                have = set(conjuncts(self.stored_expression(index.predicate, own, "predicate")))
                if predicate is None or not have <= predicate:
                    continue
            return index
        raise DsqlError("42P10", "there is no unique or exclusion constraint matching the ON CONFLICT specification")

    def _index_key(self, key: str, table: Table, scan: Scan, scope: Scope) -> Expr:
        column = table.column(key)
        if column is not None:
            return scan.row()[column.attnum - 1]
        return self.stored_expression(key, scope, "index")

    def modify(self, kind: str, item: Node, outer: Scope | None) -> Query:
        """Any data-modifying statement."""
        match kind:
            case "InsertStmt":
                return self.insert(item, outer)
            case "UpdateStmt":
                return self.update(item, outer)
            case "DeleteStmt":
                return self.delete(item, outer)
        raise refusal(kind)

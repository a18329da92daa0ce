"""FROM: tables, views, catalog relations, subqueries, functions, joins, WITH references.

Each item yields a FromItem: its plan node, the columns an unqualified name or * sees, and the relations a qualified
name sees. A subquery or view whose output is nothing but columns is merged into the outer query on the spot: its
names then simply mean the inner columns, and no plan node is left of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from opendsql.catalog import virtual
from opendsql.catalog.model import FIRST_USER_OID, Index, Sequence, Table, View
from opendsql.errors import DsqlError, unsupported
from opendsql.query.bind_view import Through
from opendsql.query.colname import figure
from opendsql.query.expr import BOOL, INT8, OID, REGCLASS, Coalesce, Col, Const, Expr, NullTest, SrfCall, conjuncts
from opendsql.query.logical import (
    CteScan,
    Filter,
    FunctionScan,
    Join,
    OneRow,
    Project,
    Scan,
    VirtualRows,
    free_columns,
    produced,
)
from opendsql.query.logical import Node as Plan
from opendsql.query.parts import Part
from opendsql.query.scope import RangeItem, Scope, ScopeColumn
from opendsql.registry.refused import refused_type

Node = dict[str, Any]
_JOINS = {"JOIN_INNER": "inner", "JOIN_LEFT": "left", "JOIN_RIGHT": "right", "JOIN_FULL": "full"}
SYSTEM_SCHEMAS = ("pg_catalog", "information_schema", "sys")


@dataclass(slots=True)
class FromItem:
    """A FROM item: its plan, what * and unqualified names see, what qualified names see."""

    node: Plan
    star: list[ScopeColumn] = field(default_factory=list)
    tables: list[RangeItem] = field(default_factory=list)


class FromBinder(Part):
    """Mixin of Binder."""

    def from_clause(self, nodes: list[Node], scope: Scope) -> Plan:
        """The join of all FROM items; fills scope with what they name."""
        result: FromItem | None = None
        for node in nodes:
            left = result or FromItem(OneRow())
            item = self.from_item(node, scope, left)
            self._check_aliases(left.tables, item.tables)
            if result is None:
                result = item
            else:
                lateral = bool(free_columns(item.node) & produced(left.node))
                result = FromItem(
                    Join("inner", left.node, item.node, lateral=lateral),
                    left.star + item.star,
                    left.tables + item.tables,
                )
        if result is None:
            return OneRow()
        scope.star, scope.tables = result.star, result.tables
        scope.barred = []
        return result.node

    def _check_aliases(self, left: list[RangeItem], right: list[RangeItem]) -> None:
        seen = {(t.alias, t.schema if t.relation == t.alias else None) for t in left}
        for table in right:
            if (table.alias, table.schema if table.relation == table.alias else None) in seen:
                raise DsqlError("42712", f'table name "{table.alias}" specified more than once')

    def from_item(self, node: Node, scope: Scope, left: FromItem) -> FromItem:
        """One FROM item; left is what stands before it (visible to lateral items)."""
        ((kind, item),) = node.items()
        match kind:
            case "RangeVar":
                return self.range_var(item, scope)
            case "RangeSubselect":
                return self._range_subselect(item, scope, left)
            case "JoinExpr":
                return self._join(item, scope, left)
            case "RangeFunction":
                return self._range_function(item, scope, left)
            case "RangeTableSample":
                raise unsupported("TABLESAMPLE clause not supported")
            case "RangeTableFunc":
                raise refused_type("xml")
        raise unsupported(f"unsupported FROM item: {kind}")

    # -- relations -----------------------------------------------------------------------------------------------

    def find_relation(self, schema: str | None, name: str) -> Any:
        """The Table, View, Sequence, Index or VirtualRelation a name means, or None."""
        if schema in (None, *SYSTEM_SCHEMAS):
            found = virtual.find(schema, name)
            if found is not None:
                return found
        return self.catalog.find(name, schema, self.search_path)

    def relation_oid(self, schema: str | None, name: str) -> int | None:
        """What 'name'::regclass is."""
        found = self.find_relation(schema, name)
        if found is not None:
            self.note_relation(found)
            return found.oid
        schemas = (schema,) if schema else self.search_path
        for entry in self.catalog.by_oid.values():
            if isinstance(entry, Index) and entry.name == name:
                table = self.catalog.by_oid.get(entry.table_oid)
                if table is not None and getattr(table, "schema", None) in schemas:
                    return entry.oid
        return None

    def target(self, item: Node, verb: str) -> tuple[Table, Through | None]:
        """The table INSERT, UPDATE or DELETE changes, and the view it is named through."""
        relation = item["relation"]
        found = self.find_relation(relation.get("schemaname"), relation["relname"])
        if isinstance(found, View):
            through = self.through_view(found, verb, item)
            self.note_relation(through.scan.table)
            return through.scan.table, through
        return self.target_table(relation), None

    def target_table(self, item: Node) -> Table:
        """The table a write names."""
        schema, name = item.get("schemaname"), item["relname"]
        found = self.find_relation(schema, name)
        shown = f"{schema}.{name}" if schema else name
        if found is None:
            raise DsqlError(
                "42P01", f'relation "{shown}" does not exist', position=self.position(item.get("location", 0))
            )
        if isinstance(found, Sequence):
            raise DsqlError("42809", f'cannot change sequence "{name}"')
        if not isinstance(found, Table) or found.oid < FIRST_USER_OID:
            raise DsqlError("42501", f"permission denied for table {name}")
        self.note_relation(found)
        return found

    def range_var(self, item: Node, scope: Scope) -> FromItem:
        """A name in FROM."""
        schema, name = item.get("schemaname"), item["relname"]
        position = self.position(item.get("location", 0))
        alias = item.get("alias", {})
        if schema is None:
            cte = scope.cte(name)
            if cte is not None:
                return self._cte_reference(cte, name, alias, scope, position)
        found = self.find_relation(schema, name)
        shown = f"{schema}.{name}" if schema else name
        if found is None:
            detail = hint = None
            if schema is None and scope.is_future(name):
                detail = (
                    f'There is a WITH item named "{name}", but it cannot be referenced from this part of the query.'
                )
                hint = "Use WITH RECURSIVE, or re-order the WITH items to remove forward references."
            raise DsqlError("42P01", f'relation "{shown}" does not exist', detail=detail, hint=hint, position=position)
        self.note_relation(found)
        if isinstance(found, Table):
            return self._table(found, alias)
        if isinstance(found, View):
            return self._view(found, alias)
        if isinstance(found, Sequence):
            return self._sequence(found, alias)
        if isinstance(found, Index):
            raise DsqlError(
                "42809",
                f'cannot open relation "{name}"',
                detail="This operation is not supported for indexes.",
                position=position,
            )
        rel = self.new_rel(alias.get("aliasname") or found.name, tuple(n for n, _ in found.columns))
        node = self.remember(VirtualRows(rel, found, alias.get("aliasname") or found.name))
        for place, column in enumerate(node.columns()):
            self.origins[column.id] = (found.oid, place + 1)
        columns = [
            ScopeColumn(column[0], col, found.oid, i + 1)
            for i, (column, col) in enumerate(zip(found.columns, node.columns(), strict=True))
        ]
        named = self._named(node, columns, alias, found.name, found.schema, rel)
        # guess: system_column
        named.tables[0].system = (ScopeColumn("tableoid", Const(OID, str(found.oid))),)
        return named

    def scan(self, table: Table, alias: str) -> Scan:
        """A fresh occurrence of a table."""
        rel = self.new_rel(alias, tuple(c.name for c in table.columns))
        node = self.remember(Scan(rel, table, alias))
        for column in table.columns:
            self.origins[(rel, column.attnum - 1)] = (table.oid, column.attnum)
        self.read_tables[rel] = table
        if self.acting is not None:
            self.rights[rel] = self.acting
        return node

    def table_item(self, node: Scan, alias: Node) -> FromItem:
        """The names of a scanned table."""
        table = node.table
        row = node.row()
        columns = [ScopeColumn(c.name, row[c.attnum - 1], table.oid, c.attnum) for c in table.columns if not c.dropped]
        item = self._named(node, columns, alias, table.name, table.schema, node.rel)
        item.tables[0].table = table
        item.tables[0].system = (ScopeColumn("tableoid", Const(OID, str(table.oid))),)
        return item

    def _table(self, table: Table, alias: Node) -> FromItem:
        return self.table_item(self.scan(table, alias.get("aliasname") or table.name), alias)

    def _view(self, view: View, alias: Node) -> FromItem:
        self.read_views.append((view, self.acting))
        query = self.as_owner(view, lambda: self.stored_query(view.query))
        columns = [replace(c, name=v.name) for c, v in zip(query.columns, view.columns, strict=True)]
        node, columns = self.merge_subquery(query.plan, columns)
        return self._named(node, columns, alias, view.name, view.schema, 0)

    def _sequence(self, sequence: Sequence, alias: Node) -> FromItem:
        """SELECT FROM a sequence: last_value, log_cnt, is_called."""
        names = ("last_value", "log_cnt", "is_called")
        last = self.call_function(["pg_sequence_last_value"], [Const(REGCLASS, str(sequence.oid))], -1)
        start = Coalesce(INT8, (last, Const(INT8, str(sequence.start))))
        rel = self.new_rel(alias.get("aliasname") or sequence.name, names)
        exprs = (start, Const(INT8, "0"), NullTest(BOOL, last, False))
        node = self.remember(Project(OneRow(), rel, exprs))
        columns = [ScopeColumn(n, c) for n, c in zip(names, node.columns(), strict=True)]
        return self._named(node, columns, alias, sequence.name, sequence.schema, rel)

    def _named(
        self, node: Plan, columns: list[ScopeColumn], alias: Node, name: str, schema: str | None, rel: int
    ) -> FromItem:
        """Columns renamed by the alias clause, and the relation under its visible name."""
        label = alias.get("aliasname")
        columns = self.rename(columns, alias, label or name)
        item = RangeItem(label or name, columns, None if label else schema, name, rel)
        return FromItem(node, columns, [item])

    def rename(self, columns: list[ScopeColumn], alias: Node, shown: str) -> list[ScopeColumn]:
        """Columns under the names of an alias's column list."""
        names = [n["String"].get("sval", "") for n in alias.get("colnames", ())]
        if len(names) > len(columns):
            raise DsqlError(
                "42P10", f'table "{shown}" has {len(columns)} columns available but {len(names)} columns specified'
            )
        return [replace(c, name=n) for c, n in zip(columns, names, strict=False)] + columns[len(names) :]

    # -- subqueries ----------------------------------------------------------------------------------------------

    def _range_subselect(self, item: Node, scope: Scope, left: FromItem) -> FromItem:
        alias = item.get("alias", {})
        outer = self._lateral_scope(scope, left) if item.get("lateral") else self._sibling_scope(scope, left)
        query = self.subquery(item["subquery"], outer)
        node, columns = self.merge_subquery(query.plan, query.columns)
        return self._named(node, columns, alias, alias.get("aliasname") or "unnamed_subquery", None, 0)

    def _lateral_scope(self, scope: Scope, left: FromItem) -> Scope:
        return Scope(parent=scope.parent, star=left.star, tables=left.tables, ctes=scope.ctes, clause="FROM")

    def _sibling_scope(self, scope: Scope, left: FromItem) -> Scope:
        hint = "To reference that table, you must mark this subquery with LATERAL."
        return Scope(parent=scope.parent, ctes=scope.ctes, clause="FROM", barred=[(t.alias, hint) for t in left.tables])

    def merge_subquery(self, plan: Plan, columns: list[ScopeColumn]) -> tuple[Plan, list[ScopeColumn]]:
        """Strip projections that only rename: their names then mean the columns below."""
        while isinstance(plan, Project) and plan.exprs_ and all(isinstance(e, Col) for e in plan.exprs_):
            inside = {c.id for c in plan.input.columns()}
            if not all(isinstance(e, Col) and e.id in inside for e in plan.exprs_):
                break
            values = {col.id: value for col, value in zip(plan.columns(), plan.exprs_, strict=True)}
            columns = [
                replace(c, expr=values[c.expr.id]) if isinstance(c.expr, Col) and c.expr.id in values else c
                for c in columns
            ]
            plan = plan.input
        return plan, columns

    def _cte_reference(self, cte: Any, name: str, alias: Node, scope: Scope, position: int | None) -> FromItem:
        del scope
        if cte.inline is not None:
            query = cte.inline()
            node, columns = self.merge_subquery(query.plan, query.columns)
            columns = self.cte_names(columns, cte.names, cte.name)
            return self._named(node, columns, alias, name, None, 0)
        if cte.types is None:
            raise DsqlError(
                "42P19",
                f'recursive reference to query "{name}" must not appear within its non-recursive term',
                position=position,
            )
        if not cte.returns:
            raise DsqlError("0A000", f'WITH query "{name}" does not have a RETURNING clause', position=position)
        rel = self.new_rel(alias.get("aliasname") or name, tuple(cte.names))
        node = self.remember(CteScan(rel, cte.number, name, tuple(cte.types), cte.recursing, cte.free))
        columns = []
        for label, column, origin in zip(cte.names, node.columns(), cte.origins, strict=True):
            if origin[0]:
                self.origins[column.id] = origin
            columns.append(ScopeColumn(label, column, *origin))
        if cte.sort_by:
            by_name = {c.name: c.expr for c in columns if isinstance(c.expr, Col)}
            self.sort_keys.update((by_name[shown].id, by_name[key]) for shown, key in cte.sort_by.items())
            columns = [c for c in columns if not any(c.name.startswith(key) for key in cte.sort_by.values())]
        return self._named(node, columns, alias, name, None, rel)

    # -- joins ---------------------------------------------------------------------------------------------------

    def _join(self, item: Node, scope: Scope, left: FromItem) -> FromItem:
        kind = _JOINS[item["jointype"]]
        one = self.from_item(item["larg"], scope, left)
        before = FromItem(one.node, left.star + one.star, left.tables + one.tables)
        two = self.from_item(item["rarg"], scope, before)
        self._check_aliases(one.tables, two.tables)
        lateral = bool(free_columns(two.node) & produced(one.node))
        if lateral and kind in ("right", "full"):
            name = two.tables[0].alias if two.tables else ""
            raise DsqlError(
                "42P10",
                f'invalid reference to FROM-clause entry for table "{one.tables[0].alias if one.tables else name}"',
                detail="The combining JOIN type must be INNER or LEFT for a LATERAL reference.",
            )
        names = None
        if item.get("isNatural"):
            right_names = {c.name for c in two.star}
            names = [c.name for c in one.star if c.name in right_names]
        elif "usingClause" in item:
            names = [n["String"].get("sval", "") for n in item["usingClause"]]
        conds: list[Expr] = []
        star = one.star + two.star
        merged: list[ScopeColumn] = []
        if names is not None:
            merged, star = self._using(names, kind, one, two, conds)
        elif "quals" in item:
            inner = Scope(scope.parent, one.star + two.star, one.tables + two.tables, scope.ctes, level=scope.level)
            inner.barred = [(t.alias, "") for t in left.tables]
            conds.extend(conjuncts(self.condition(item["quals"], inner, "JOIN/ON")))
        node = Join(kind, one.node, two.node, tuple(conds), lateral)
        tables = one.tables + two.tables
        alias = item.get("alias")
        if alias:
            star = self.rename(star, alias, alias["aliasname"])
            tables = [RangeItem(alias["aliasname"], star)]
        elif "join_using_alias" in item:
            tables = [*tables, RangeItem(item["join_using_alias"]["aliasname"], merged)]
        return FromItem(node, star, tables)

    def _using(
        self, names: list[str], kind: str, one: FromItem, two: FromItem, conds: list[Expr]
    ) -> tuple[list[ScopeColumn], list[ScopeColumn]]:
        merged = []
        for name in names:
            left = self._using_column(name, one.star, "left")
            right = self._using_column(name, two.star, "right")
            pair = self.to_common([left.expr, right.expr], "JOIN/USING")
            conds.extend(conjuncts(self.comparison("=", left.expr, right.expr, None)))
            if kind == "full":
                merged.append(ScopeColumn(name, Coalesce(pair[0].type_oid, tuple(pair))))
            else:
                source = right if kind == "right" else left
                merged.append(replace(source, name=name, expr=pair[1] if kind == "right" else pair[0]))
        rest = [c for c in one.star if c.name not in names] + [c for c in two.star if c.name not in names]
        return merged, merged + rest

    def _using_column(self, name: str, columns: list[ScopeColumn], side: str) -> ScopeColumn:
        found = [c for c in columns if c.name == name]
        if not found:
            raise DsqlError("42703", f'column "{name}" specified in USING clause does not exist in {side} table')
        if len(found) > 1:
            raise DsqlError("42702", f'common column name "{name}" appears more than once in {side} table')
        return found[0]

    # -- functions -----------------------------------------------------------------------------------------------

    def _range_function(self, item: Node, scope: Scope, left: FromItem) -> FromItem:
        alias = item.get("alias", {})
        inner = self._lateral_scope(scope, left)
        parts: list[tuple[Plan, list[ScopeColumn], str]] = []
        ordinality = item.get("ordinality", False)
        calls: list[Node] = []
        defined: list[list[Node] | None] = []
        for entry in item["functions"]:
            call, said = entry["List"]["items"][0], entry["List"]["items"][1].get("List")
            defined.append(said["items"] if said else item.get("coldeflist"))
            body = call.get("FuncCall")
            if body and body["funcname"][-1]["String"]["sval"] == "unnest" and len(body.get("args", ())) > 1:
                calls.extend({"FuncCall": {**body, "args": [argument]}} for argument in body["args"])
                defined.extend([defined[-1]] * (len(body["args"]) - 1))
            else:
                calls.append(call)
        if item.get("coldeflist") and (ordinality or len(calls) > 1):
            what = "WITH ORDINALITY" if ordinality else "ROWS FROM() with multiple functions"
            verb = "cannot be used with" if ordinality else "cannot have"
            hint = "Put the column definition list inside ROWS FROM()." if ordinality else None
            raise DsqlError("42601", f"{what} {verb} a column definition list", hint=hint)
        together = len(calls) > 1
        for call, columns_said in zip(calls, defined, strict=True):
            parts.append(self._function_item(call, inner, alias, ordinality or together, columns_said))
        if not together:
            node, columns, name = parts[0]
            if ordinality:
                columns = [*columns[:-1], replace(columns[-1], name="ordinality")]
        else:
            node, columns, name = self._rows_from(parts, ordinality)
        composite = len(columns) > 1
        found = self._named(node, columns, alias, name, None, 0)
        found.tables[0].composite = composite
        return found

    def _function_item(
        self, call: Node, scope: Scope, alias: Node, ordinality: bool, defined: list[Node] | None = None
    ) -> tuple[Plan, list[ScopeColumn], str]:
        """A function's node, columns (the last one its ordinality if asked for) and name."""
        name = figure(call)
        label = alias.get("aliasname") or name
        level, scope.level = scope.level, self.new_level()
        scope.clause = "SELECT"
        try:
            record = self.json_record(call, scope, defined, label)
            if record is None and defined is not None:
                raise self.refuse_definitions(call, scope)
            bound: Any = record or (
                self.settle(self.expr(call, scope)) if "FuncCall" not in call else self._record_function(call, scope)
            )
        finally:
            scope.level, scope.clause = level, "FROM"
        if isinstance(bound, tuple) and len(bound) == 2:
            query, names = bound
            if names == (name,):
                names = (label,)
            plan = query if record else query.plan
            given = [ScopeColumn("", c) for c in plan.columns()] if record else query.columns
            columns = [replace(c, name=n) for c, n in zip(given, names, strict=True)]
            if ordinality:
                plan, number = self.numbered(plan)
                columns.append(ScopeColumn("ordinality", number))
            return plan, columns, label
        if isinstance(bound, tuple):
            fn, args, types, names = bound
            rel = self.new_rel(label, (*names, "ordinality") if ordinality else names)
            node: Plan = self.remember(FunctionScan(rel, fn, args, types, ordinality, name=name))
        elif isinstance(bound, SrfCall):
            names = (label,)
            rel = self.new_rel(label, (label, "ordinality") if ordinality else names)
            node = self.remember(FunctionScan(rel, bound.fn, bound.args, (bound.type_oid,), ordinality, name=name))
        else:
            names = (label,)
            rel = self.new_rel(label, (label, "ordinality"))
            exprs = (bound, Const(INT8, "1")) if ordinality else (bound,)
            node = self.remember(Project(OneRow(), rel, exprs))
        shown = (*names, "ordinality") if ordinality else names
        columns = [ScopeColumn(n, c) for n, c in zip(shown, node.columns(), strict=True)]
        return node, columns, label

    def _record_function(self, call: Node, scope: Scope) -> Any:
        """A function in FROM: (name, args, types, column names) when it returns named columns, else an expression."""
        item = call["FuncCall"]
        names = [n["String"]["sval"] for n in item["funcname"]]
        args = [self.expr(a.get("NamedArgExpr", {}).get("arg", a), scope) for a in item.get("args", ())]
        labels = tuple(a["NamedArgExpr"]["name"] if "NamedArgExpr" in a else None for a in item.get("args", ()))
        match = self._match(
            names, args, item.get("location", 0), labels=labels if any(labels) else (),
            variadic=item.get("func_variadic", False),
        )  # fmt: skip
        if match.kind == "sql":
            return self.routine_in_from(match, args, names[-1])
        if match.kind in ("srf", "py", "f") and match.out_columns:
            types = tuple(oid for _, oid in match.out_columns)
            return match.kernel, tuple(self._arguments(match, args)), types, tuple(n for n, _ in match.out_columns)
        return self.expr(call, scope)

    def _rows_from(
        self, parts: list[tuple[Plan, list[ScopeColumn], str]], ordinality: bool
    ) -> tuple[Plan, list[ScopeColumn], str]:
        """Several functions side by side: full joins on their ordinalities."""
        node, columns, name = parts[0]
        shown = columns[:-1]
        number: Expr = columns[-1].expr
        for other, more, _ in parts[1:]:
            condition = self.comparison("=", number, more[-1].expr, None)
            node = Join("full", node, other, (condition,))
            shown = shown + more[:-1]
            number = Coalesce(INT8, (number, more[-1].expr))
        if ordinality:
            shown = [*shown, ScopeColumn("ordinality", number)]
        return node, shown, name

    def where(self, node: Plan, clause: Node | None, scope: Scope) -> Plan:
        """WHERE."""
        if clause is None:
            return node
        return Filter(node, conjuncts(self.condition(clause, scope, "WHERE")))

    def star(self, item: Node, scope: Scope) -> list[ScopeColumn]:
        """The columns of * or t.*."""
        fields = item["fields"]
        position = self.position(item.get("location", 0))
        if len(fields) == 1:
            if not scope.tables and not scope.star:
                raise DsqlError("42601", "SELECT * with no tables specified is not valid", position=position)
            return scope.star
        names = [f["String"].get("sval", "") for f in fields[:-1]]
        schema = names[-2] if len(names) > 1 else None
        table = scope.table(names[-1], schema, position)
        if table is None:
            raise scope.missing_table(names[-1], schema, position)
        return table.columns

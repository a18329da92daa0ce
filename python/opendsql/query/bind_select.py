"""SELECT: one query level from parse tree to plan.

    FROM -> WHERE -> select list -> GROUP BY / HAVING -> windows -> sets -> projection -> DISTINCT -> ORDER BY
         -> locking -> LIMIT -> final projection (drops columns that only ORDER BY needed)

The projection computes the select list and, behind it, what ORDER BY and DISTINCT ON need besides; so a Sort always
names columns of its input.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from opendsql.errors import DsqlError, unsupported
from opendsql.query import gate
from opendsql.query.bind_expr import location_of
from opendsql.query.bind_group import Target
from opendsql.query.colname import figure
from opendsql.query.expr import INT8, RECORD, TEXT, UNKNOWN, Call, Col, Const, Expr, GroupingCall, RowExpr, walk
from opendsql.query.logical import (
    Aggregate,
    DistinctNode,
    DistinctOn,
    Filter,
    Join,
    Limit,
    LockRows,
    OneRow,
    Project,
    Scan,
    Sort,
    SortKey,
)
from opendsql.query.logical import Node as Plan
from opendsql.query.parts import Part
from opendsql.query.scope import Scope, ScopeColumn
from opendsql.registry.types import TYPES_BY_OID, format_type

Node = dict[str, Any]


@dataclass(slots=True)
class Query:
    """A bound query: columns name the plan's output, one for one."""

    plan: Plan
    columns: list[ScopeColumn]


class SelectBinder(Part):
    """Mixin of Binder."""

    def select(self, item: Node, outer: Scope | None) -> Query:
        """A SelectStmt that is not a set operation or VALUES; WITH is in outer already."""
        gate.check_query(item)
        scope = Scope(parent=outer, level=self.new_level())
        plan = self.from_clause(item.get("fromClause", ()), scope)
        scope.level.rels = {c.expr.rel for c in scope.star if isinstance(c.expr, Col)} | {
            e.rel for t in scope.tables for c in t.columns for e in walk(c.expr) if isinstance(e, Col)
        }
        from_node = plan
        plan = self.where(plan, item.get("whereClause"), scope)
        for window in item.get("windowClause", ()):
            body = window["WindowDef"]
            name = body.get("name")
            if name in scope.level.windows:
                raise DsqlError("42P20", f'window "{name}" is already defined')
            scope.level.windows[name] = {k: v for k, v in body.items() if k != "name"}
        targets = self.target_list(item.get("targetList", ()), scope)
        exprs = [t.expr for t in targets]
        width = len(exprs)
        sort = self.sort_clause(item.get("sortClause", ()), targets, exprs, scope)
        distinct = item.get("distinctClause")
        distinct_on = self._distinct_on(distinct, targets, exprs, scope) if distinct and distinct[0] else None
        if distinct is not None and distinct_on is None and len(exprs) > width:
            where = next(n for n, s in zip(item["sortClause"], sort, strict=True) if s[0] >= width)
            raise DsqlError(
                "42P10",
                "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                position=self.position(location_of(where["SortBy"]["node"])),
            )
        for spec in scope.level.windows.values():
            self.check_window(spec, scope)
        plan, exprs = self._grouping_steps(plan, item, targets, exprs, scope)
        project = self.projection(plan, exprs, [t.name for t in targets])
        out = project.columns()
        plan = project
        if distinct is not None and distinct_on is None:
            plan = DistinctNode(plan)
        keys: tuple[SortKey, ...] = tuple((out[i], desc, first) for i, desc, first in sort)
        if distinct_on is not None:
            where = location_of(distinct[0]) if distinct else -1
            plan, keys = self._apply_distinct_on(plan, keys, [out[i] for i in distinct_on], where)
        elif keys:
            plan = Sort(plan, keys)
        plan = self.locking(plan, item, scope, from_node)
        plan = self.limit(plan, item, scope, keys)
        if item.get("limitOption") == "LIMIT_OPTION_WITH_TIES":
            out = plan.columns()
        if len(out) > width:
            plan = self.projection(plan, list(out[:width]), [t.name for t in targets])
        for target, column in zip(targets, plan.columns(), strict=False):
            if target.origin is not None and target.origin.table_oid:
                self.origins[column.id] = (target.origin.table_oid, target.origin.attnum)
        return Query(plan, self.output_columns([t.name for t in targets], plan))

    def output_columns(self, names: list[str], plan: Plan) -> list[ScopeColumn]:
        """The plan's columns under their output names."""
        found = []
        for name, column in zip(names, plan.columns(), strict=True):
            oid, attnum = self.origins.get(column.id, (0, 0))
            found.append(ScopeColumn(name, column, oid, attnum))
        return found

    def projection(self, plan: Plan, exprs: list[Expr], names: list[str]) -> Project:
        """A Project, its columns' origins remembered."""
        node = self.remember(Project(plan, self.new_rel("", tuple(names)), tuple(exprs)))
        for expr, column in zip(exprs, node.columns(), strict=True):
            if isinstance(expr, Col) and expr.id in self.origins:
                self.origins[column.id] = self.origins[expr.id]
        return node

    def _grouping_steps(
        self, plan: Plan, item: Node, targets: list[Target], exprs: list[Expr], scope: Scope
    ) -> tuple[Plan, list[Expr]]:
        having = None
        if "havingClause" in item:
            having = self.condition(item["havingClause"], scope, "HAVING")
        clause = item.get("groupClause", [])
        if clause or having is not None or scope.level.has_aggregates:
            groups, sets = self.group_items(clause, targets, scope, item.get("groupDistinct", False))
            plan, exprs = self.aggregate(plan, scope, groups, sets, exprs, having, bool(clause))
        elif any(isinstance(part, GroupingCall) for e in exprs for part in walk(e)):
            raise DsqlError("42803", "arguments to GROUPING must be grouping expressions of the associated query level")
        if scope.level.has_windows:
            plan, exprs = self.windows(plan, exprs)
        if scope.level.has_sets:
            plan, exprs = self.sets(plan, exprs)
        return plan, exprs

    # -- select list ---------------------------------------------------------------------------------------------

    def target_list(self, nodes: Any, scope: Scope, clause: str = "SELECT") -> list[Target]:
        """The select (or RETURNING) list, stars expanded."""
        scope.clause = clause
        targets: list[Target] = []
        for node in nodes:
            item = node["ResTarget"]
            value = item["val"]
            body = value.get("ColumnRef")
            if body is not None and "A_Star" in body["fields"][-1]:
                for column in self.star(body, scope):
                    if isinstance(column.expr, Col):
                        self.seen_at.setdefault(column.expr.id, body.get("location", 0))
                    targets.append(Target(column.name, column.expr, origin=column))
                continue
            star = value.get("A_Indirection")
            if star is not None and "A_Star" in star["indirection"][-1]:
                row = self.expr(star["arg"], scope)
                if not isinstance(row, RowExpr):
                    raise unsupported("expansion of a composite value is only supported for whole rows")
                names = row.names or tuple(f"f{i + 1}" for i in range(len(row.items)))
                targets.extend(Target(n, e) for n, e in zip(names, row.items, strict=True))
                continue
            bound = self.settle(self.expr(value, scope))
            targets.append(Target(item.get("name") or figure(value), bound, value))
        return targets

    # -- ORDER BY, DISTINCT --------------------------------------------------------------------------------------

    def sort_clause(
        self, nodes: Any, targets: list[Target], exprs: list[Expr], scope: Scope
    ) -> list[tuple[int, bool, bool]]:
        """(index into exprs, descending, nulls first) per key; appends to exprs what is not there yet."""
        found: list[tuple[int, bool, bool]] = []
        for node in nodes:
            sort = node["SortBy"]
            index = self._place(sort["node"], targets, exprs, scope, "ORDER BY")
            descending = sort["sortby_dir"] == "SORTBY_DESC"
            if sort["sortby_dir"] == "SORTBY_USING":
                name = self.operator_name(sort["useOp"], sort.get("location", -1))
                if name not in ("<", ">"):
                    raise DsqlError("42809", f"operator {name} is not a valid ordering operator")
                descending = name == ">"
            nulls = sort["sortby_nulls"]
            first = descending if nulls == "SORTBY_NULLS_DEFAULT" else nulls == "SORTBY_NULLS_FIRST"
            self.check_sortable(exprs[index], location_of(sort["node"]))
            key = exprs[index]
            if isinstance(key, Col) and key.id in self.sort_keys:
                exprs.append(self.sort_keys[key.id])
                index = len(exprs) - 1
            if all(index != known[0] for known in found):
                found.append((index, descending, first))
        return found

    def check_sortable(self, expr: Expr, location: int) -> None:
        """42883 for types without an order."""
        oid = expr.type_oid
        if oid in (114, 142, 600) or (oid == RECORD and not isinstance(expr, RowExpr)):
            raise DsqlError(
                "42883",
                f"could not identify an ordering operator for type {format_type(oid)}",
                hint="Use an explicit ordering operator or modify the query.",
                position=self.position(location),
            )

    def _place(self, node: Node, targets: list[Target], exprs: list[Expr], scope: Scope, clause: str) -> int:
        """Where in exprs an ORDER BY or DISTINCT ON item is."""
        body = node.get("ColumnRef")
        if body is not None and len(body["fields"]) == 1 and "String" in body["fields"][0]:
            name = body["fields"][0]["String"].get("sval", "")
            found = self._by_output_name(name, targets, clause, body.get("location", 0))
            if found is not None:
                return found
        constant = node.get("A_Const")
        if constant is not None:
            position = self.position(constant.get("location", 0))
            if "ival" not in constant:
                raise DsqlError("42601", f"non-integer constant in {clause}", position=position)
            number = constant["ival"].get("ival", 0)
            if not 1 <= number <= len(targets):
                raise DsqlError("42P10", f"{clause} position {number} is not in select list", position=position)
            return number - 1
        self.refuse_lifted(node)
        scope.clause = "SELECT"
        bound = self.settle(self.expr(node, scope))
        for index, expr in enumerate(exprs):
            if expr == bound:
                return index
        exprs.append(bound)
        return len(exprs) - 1

    def _distinct_on(self, clause: list[Node], targets: list[Target], exprs: list[Expr], scope: Scope) -> list[int]:
        found: list[int] = []
        for node in clause:
            index = self._place(node, targets, exprs, scope, "DISTINCT ON")
            if index not in found:
                found.append(index)
        return found

    def _apply_distinct_on(
        self, plan: Plan, keys: tuple[SortKey, ...], on: list[Col], location: int
    ) -> tuple[Plan, tuple[SortKey, ...]]:
        leading = [k[0] for k in keys[: len(on)]]
        if any(k not in on for k in leading) and set(leading) != set(on):
            raise DsqlError(
                "42P10",
                "SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
                position=self.position(location),
            )
        missing = tuple((c, False, False) for c in on if c not in [k[0] for k in keys])
        keys = (*keys, *missing)
        return DistinctOn(Sort(plan, keys), tuple(on)), keys

    # -- LIMIT ---------------------------------------------------------------------------------------------------

    def limit(self, plan: Plan, item: Node, scope: Scope, keys: tuple[SortKey, ...]) -> Plan:
        """LIMIT and OFFSET, FETCH."""
        if "limitCount" not in item and "limitOffset" not in item:
            return plan
        bounds: list[Expr | None] = []
        for name, word in (("limitCount", "LIMIT"), ("limitOffset", "OFFSET")):
            node = item.get(name)
            if node is None or node.get("A_Const", {}).get("isnull"):
                bounds.append(None)
                continue
            bounds.append(self.limit_expr(node, scope, word))
        if item.get("limitOption") == "LIMIT_OPTION_WITH_TIES":
            return self._with_ties(plan, keys, bounds[0], bounds[1])
        return Limit(plan, *bounds) if any(b is not None for b in bounds) else plan

    def limit_expr(self, node: Node, scope: Scope, word: str) -> Expr:
        """A bigint expression without variables."""
        inner = Scope(parent=scope, clause=word, level=None)
        bound = self.expr(node, inner)
        found = self.coerce(bound, INT8, context="a")
        if found is None or (bound.type_oid != UNKNOWN and TYPES_BY_OID[bound.type_oid].category != "N"):
            raise DsqlError(
                "42804",
                f"argument of {word} must be type bigint, not type {format_type(bound.type_oid)}",
                position=self.position(location_of(node)),
            )
        if any(isinstance(p, Col) and p.rel in (scope.level.rels if scope.level else ()) for p in walk(bound)):
            raise DsqlError(
                "42P10", f"argument of {word} must not contain variables", position=self.position(location_of(node))
            )
        return found

    def _with_ties(self, plan: Plan, keys: tuple[SortKey, ...], limit: Any, offset: Any) -> Plan:
        """FETCH FIRST n ROWS WITH TIES, by rank() over the sort keys."""
        from opendsql.query.logical import WindowFunction, WindowNode

        rel = self.new_rel("window")
        frame = ("range", "unbounded_preceding", None, "current_row", None, None)
        funcs = (
            WindowFunction("rank", (), INT8, "rank", frame, False),
            WindowFunction("row_number", (), INT8, "row_number", frame, False),
        )
        node = self.remember(WindowNode(plan, rel, (), keys, funcs))
        rank, number = Col(INT8, rel, 0), Col(INT8, rel, 1)
        start = _not_negative(offset, "OFFSET") if offset is not None else Const(INT8, "0")
        conds = []
        if limit is not None:
            limit = _not_negative(limit, "LIMIT")
            conds.append(self.comparison("<=", rank, self.operator("+", start, limit, None), None))
        conds.append(self.comparison(">", number, start, None))
        return self.projection(Filter(node, tuple(conds)), list(plan.columns()), [])

    # -- FOR UPDATE ----------------------------------------------------------------------------------------------

    def locking(self, plan: Plan, item: Node, scope: Scope, from_node: Plan) -> Plan:
        """LockRows for every table the locking clauses name."""
        clauses = [
            c["LockingClause"] for c in item.get("lockingClause", ()) if c["LockingClause"]["strength"] != "LCS_NONE"
        ]
        if not clauses:
            return plan
        word = "FOR UPDATE" if clauses[0]["strength"] == "LCS_FORUPDATE" else "FOR KEY SHARE"
        for present, what in (
            (item.get("distinctClause"), "DISTINCT clause"),
            (item.get("groupClause"), "GROUP BY clause"),
            (item.get("havingClause"), "HAVING clause"),
            (scope.level.has_aggregates, "aggregate functions"),
            (scope.level.has_windows, "window functions"),
            (scope.level.has_sets, "set-returning functions in the target list"),
        ):
            if present:
                raise DsqlError("0A000", f"{word} is not allowed with {what}")
        modes: dict[int, tuple[Scan, str]] = {}
        nullable = _nullable_rels(from_node)
        for clause in clauses:
            mode = "update" if clause["strength"] == "LCS_FORUPDATE" else "key_share"
            word = "FOR UPDATE" if mode == "update" else "FOR KEY SHARE"
            scans = _lockable(from_node)
            if clause.get("lockedRels"):
                scans = self._locked_relations(clause["lockedRels"], scope, scans, word)
            for scan in scans:
                if scan.rel in nullable:
                    raise DsqlError("0A000", f"{word} cannot be applied to the nullable side of an outer join")
                known = modes.get(scan.rel)
                modes[scan.rel] = (scan, "update" if known is not None and known[1] == "update" else mode)
        self.locks = self.locks or bool(modes)
        for scan, mode in modes.values():
            plan = LockRows(plan, scan.rel, scan.table, mode)
        return plan

    def _locked_relations(self, nodes: list[Node], scope: Scope, scans: list[Scan], word: str) -> list[Scan]:
        found: list[Scan] = []
        for node in nodes:
            body = node["RangeVar"]
            name = body["relname"]
            item = next((t for t in scope.tables if t.alias == name), None)
            if item is None:
                raise DsqlError(
                    "42P01",
                    f'relation "{name}" in {word} clause not found in FROM clause',
                    position=self.position(body.get("location", 0)),
                )
            rels = {e.rel for c in item.columns for e in walk(c.expr) if isinstance(e, Col)}
            found.extend(s for s in scans if s.rel in rels)
        return found

    def settle_columns(self, plan: Plan, columns: list[ScopeColumn]) -> list[ScopeColumn]:
        """Columns renamed to the plan's own."""
        return [replace(c, expr=p) for c, p in zip(columns, plan.columns(), strict=True)]


def _not_negative(value: Expr, word: str) -> Expr:
    return Call(INT8, "limit_value", (value, Const(TEXT, word)), "limit_value", kind="py")


def _lockable(node: Plan) -> list[Scan]:
    """Scans whose rows reach the top one for one."""
    if isinstance(node, Scan):
        return [node]
    if isinstance(node, Join) and node.kind in ("inner", "left", "right", "full"):
        return _lockable(node.left) + _lockable(node.right)
    if isinstance(node, Filter | Project | Sort | Limit | LockRows):
        return _lockable(node.input)
    return []


def _nullable_rels(node: Plan) -> set[int]:
    found: set[int] = set()
    if isinstance(node, Join):
        if node.kind in ("left", "full"):
            found |= {s.rel for s in _lockable(node.right)}
        if node.kind in ("right", "full"):
            found |= {s.rel for s in _lockable(node.left)}
        found |= _nullable_rels(node.left) | _nullable_rels(node.right)
    elif not isinstance(node, OneRow | Aggregate):
        for part in node.inputs():
            found |= _nullable_rels(part)
    return found

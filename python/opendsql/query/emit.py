"""Logical plan -> IR of dsql_core.execute.

emit(node, want) yields IR whose layout holds at least the wanted columns; nodes ask their inputs only for what they
need, so nothing else is read or carried. A projection that merely renames costs nothing: it becomes another layout.

Invariants
  N1  layout maps every wanted column to its place in the node's output row.
  N2  a projection passes wanted columns of its input through (a row's raw key on its way to a lock).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opendsql.query import descriptor
from opendsql.query.access import selectivity
from opendsql.query.emit_expr import ExprEmitter, Frame, Layout
from opendsql.query.emit_join import JoinEmitter
from opendsql.query.emit_modify import ModifyEmitter
from opendsql.query.emit_scan import Hint, Phys, ScanEmitter, satisfies
from opendsql.query.expr import (
    INT8,
    Call,
    Col,
    ColumnId,
    Const,
    Expr,
    SubLink,
    columns_of,
    columns_of_all,
    conjunction,
)
from opendsql.query.logical import (
    ROW_KEY,
    Aggregate,
    CteScan,
    Delete,
    DistinctNode,
    DistinctOn,
    Filter,
    FunctionScan,
    Insert,
    Join,
    Limit,
    LockRows,
    Node,
    OneRow,
    Project,
    Scan,
    SetOp,
    Sort,
    SortKey,
    Update,
    Values,
    VirtualRows,
    WindowNode,
    free_columns,
)
from opendsql.registry.resolve import find_operator

_NO_HINT = Hint()


class Emitter(ExprEmitter, ScanEmitter, JoinEmitter, ModifyEmitter):
    """One statement's emission: subplans, internal parameters, frames."""

    def __init__(self, binder: Any, session: Any, *, explaining: bool = False) -> None:
        self.binder = binder
        self.session = session
        self.explaining = explaining
        self.param_types: list[int] = list(binder.params.types)
        self.next_slot = len(self.param_types)
        self.frames: list[Frame] = []
        self.subplans: list[dict[str, Any]] = []
        self.ctes: list[dict[str, Any]] = []
        self.needs_gil = False
        self.slot_rel = -1
        self.subplan_of: dict[SubLink, int] = {}  # for EXPLAIN

    def new_slot(self) -> int:
        """A fresh internal parameter."""
        self.next_slot += 1
        return self.next_slot - 1

    def types(self, columns: list[ColumnId]) -> list[int]:
        """Type oids of columns."""
        return [25 if c[1] == ROW_KEY and c not in self.binder.column_types else self.type_of(c) for c in columns]

    def type_of(self, column: ColumnId) -> int:
        """Type oid of a column."""
        return self.binder.column_types[column][0]

    # -- entry points --------------------------------------------------------------------------------------------

    def emit_ctes(self) -> None:
        """The materialised WITH queries; those that use a row outside wait for the scan that stands in its subquery."""
        self.ctes = [{} for _ in self.binder.ctes]
        for number in range(len(self.binder.ctes)):
            if not self._uses_outside(number):
                self.emit_cte(number)

    def _uses_outside(self, number: int) -> bool:
        cte = self.binder.ctes[number]
        return any(plan is not None and free_columns(plan) for plan in (cte.plan, cte.init, cte.step))

    def emit_cte(self, number: int) -> None:
        """The IR of one WITH query, once."""
        if self.ctes[number]:
            return
        cte = self.binder.ctes[number]
        if cte.events is not None:
            out = [oid for oid, _ in cte.types]
            self.ctes[number] = {"plan": None, "events": list(cte.events), "out": out, "name": ""}
            return
        self.ctes[number] = {"plan": None}  # a recursive query scans itself only through its working table
        out = [oid for oid, _ in cte.types]
        if cte.plan is not None:
            plan = self.emit_exactly(cte.plan, [c.id for c in cte.plan.columns()]).ir
        else:
            init = self.emit_exactly(cte.init, [c.id for c in cte.init.columns()]).ir
            step = self.emit_exactly(cte.step, [c.id for c in cte.step.columns()]).ir
            plan = {"op": "recursive", "cte": number, "init": init, "step": step, "distinct": cte.distinct}
        self.ctes[number] = {"plan": plan, "out": out, "name": cte.name}

    def finish_ctes(self) -> None:
        """A WITH query that waited for a scan nobody made is nothing."""
        for number, cte in enumerate(self.ctes):
            if not cte:
                self.ctes[number] = {"plan": {"op": "result", "exprs": [], "est_rows": 1.0}, "out": [], "name": ""}

    def emit_exactly(self, node: Node, want: list[ColumnId]) -> Phys:
        """node with exactly the wanted columns, in order."""
        if isinstance(node, Insert | Update | Delete):
            return self.emit(node, want, _NO_HINT)
        phys = self.emit(node, want, _NO_HINT)
        return self.reshape(phys, want)

    def reshape(self, phys: Phys, want: list[ColumnId]) -> Phys:
        """A projection onto the wanted columns, unless they are all there is."""
        places = [phys.layout[c] for c in want]
        if places == list(range(phys.width)):
            return phys
        exprs = [("col", p) for p in places]
        if phys.ir["op"] in ("scan", "lookup") and not want:
            exprs = []
        ir = {"op": "project", "input": phys.ir, "exprs": exprs, "est_rows": phys.rows, "silent": True}
        layout = {c: i for i, c in enumerate(want)}
        if self.explaining:
            ir["x"] = {"columns": layout}
        return replace(phys, ir=ir, layout=layout, width=len(want))

    def emit(self, node: Node, want: list[ColumnId], hint: Hint) -> Phys:
        """The IR of a node."""
        phys = self._emit(node, want, hint)
        if self.explaining:
            phys.ir.setdefault("x", {}).update(columns=dict(phys.layout), want=list(want))
        return phys

    def _emit(self, node: Node, want: list[ColumnId], hint: Hint) -> Phys:
        match node:
            case Scan():
                return self.emit_scan(node, want, hint)
            case Project():
                return self._project(node, want, hint)
            case Filter():
                return self._filter(node, want, hint)
            case Join():
                return self.emit_join(node, want, hint)
            case Sort():
                return self._sort(node, want, hint)
            case Limit():
                return self._limit(node, want)
            case Aggregate():
                return self._aggregate(node, want)
            case LockRows():
                return self._lock(node, want, hint)
            case DistinctNode() | DistinctOn():
                return self._distinct(node, want, hint)
            case SetOp():
                return self._setop(node)
            case WindowNode():
                return self._window(node, want)
            case Insert():
                return self.emit_insert(node)
            case Update() | Delete():
                return self.emit_update_delete(node)
        return self._leaf(node)

    # -- leaves --------------------------------------------------------------------------------------------------

    def _leaf(self, node: Node) -> Phys:
        columns = [c.id for c in node.columns()]
        layout = {c: i for i, c in enumerate(columns)}
        match node:
            case OneRow():
                return Phys({"op": "result", "exprs": [], "est_rows": 1.0}, {}, 0)
            case Values():
                ir: dict[str, Any] = {
                    "op": "values",
                    "rows": [[self.expr(e, {}) for e in row] for row in node.rows],
                    "out": [oid for oid, _ in node.types],
                    "est_rows": float(len(node.rows)),
                }
                if self.explaining:
                    ir["x"] = {"rel": node.rel}
            case VirtualRows():
                data = node.relation.rows(self.binder.catalog, self.session)
                ir = {
                    "op": "rows", "out": [oid for _, oid in node.relation.columns], "data": data,
                    "est_rows": float(max(len(data), 1)),
                }  # fmt: skip
                if self.explaining:
                    ir["x"] = {"name": node.relation.name, "schema": node.relation.schema, "rel": node.rel}
            case FunctionScan():
                out = [*node.types, *([INT8] if node.ordinality else [])]
                ir = {
                    "op": "srf", "fn": node.fn, "args": [self.expr(a, {}) for a in node.args], "out": out,
                    "ordinality": node.ordinality, "est_rows": 1000.0,
                }  # fmt: skip
                if self.explaining:
                    ir["x"] = {"name": node.name, "rel": node.rel, "node": node}
            case CteScan():
                if not node.work:
                    self.emit_cte(node.cte)
                ir = {"op": "work_scan" if node.work else "cte_scan", "cte": node.cte, "est_rows": 100.0}
                if self.explaining:
                    ir["x"] = {"name": node.name, "rel": node.rel}
            case _:
                raise AssertionError(f"no emission for {type(node).__name__}")
        return Phys(ir, layout, len(columns), rows=ir["est_rows"])

    # -- one input -----------------------------------------------------------------------------------------------

    def _project(self, node: Project, want: list[ColumnId], hint: Hint) -> Phys:
        own = {(node.rel, i): e for i, e in enumerate(node.exprs_)}
        wanted = [c for c in want if c in own]
        passed = [c for c in want if c not in own]
        exprs = [own[c] for c in wanted]
        needed = list(dict.fromkeys([e.id for e in exprs if isinstance(e, Col)]))
        needed += [c for c in sorted(columns_of_all(exprs)) if c not in needed]
        available = {c.id for c in node.input.columns()}
        needed = [c for c in needed if c in available]
        passed = [c for c in passed if c in available or c[1] == ROW_KEY]
        inner_keys = self._translate(hint.keys, own)
        inner_hint = Hint(inner_keys, hint.limit, hint.limit_expr) if inner_keys is not None else _NO_HINT
        phys = self.emit(node.input, [*needed, *(p for p in passed if p not in needed)], inner_hint)
        if all(isinstance(e, Col) and e.id in phys.layout for e in exprs) and wanted:
            layout = {c: phys.layout[own[c].id] for c in wanted}  # type: ignore[attr-defined]
            layout.update({c: phys.layout[c] for c in passed})
            return replace(phys, layout=layout, ordering=self._renamed(phys, own), fixed=self._renamed_fixed(phys, own))
        irs = [self.expr(e, phys.layout) for e in exprs] + [("col", phys.layout[c]) for c in passed]
        layout = {c: i for i, c in enumerate([*wanted, *passed])}
        if phys.ir["op"] == "result" and not phys.ir["exprs"]:
            ir: dict[str, Any] = {**phys.ir, "exprs": irs}
        else:
            ir = {"op": "project", "input": phys.ir, "exprs": irs, "est_rows": phys.rows}
        if self.explaining:
            ir["x"] = {**ir.get("x", {}), "output": exprs, "rel": node.rel}
        return Phys(
            ir, layout, len(irs), phys.rows, self._renamed(phys, own), self._renamed_fixed(phys, own), phys.limited,
            phys.single,
        )  # fmt: skip

    def _translate(self, keys: tuple[SortKey, ...], own: dict[ColumnId, Expr]) -> tuple[SortKey, ...] | None:
        found = []
        for key, descending, first in keys:
            value = own.get(key.id, key) if isinstance(key, Col) else key
            if not isinstance(value, Col):
                return None
            found.append((value, descending, first))
        return tuple(found)

    def _renamed(self, phys: Phys, own: dict[ColumnId, Expr]) -> list[tuple[ColumnId, bool, bool]]:
        names = {e.id: c for c, e in own.items() if isinstance(e, Col)}
        found = []
        for column, descending, first in phys.ordering:
            found.append((names.get(column, column), descending, first))
        return found

    def _renamed_fixed(self, phys: Phys, own: dict[ColumnId, Expr]) -> set[ColumnId]:
        return phys.fixed | {c for c, e in own.items() if isinstance(e, Col) and e.id in phys.fixed}

    def _filter(self, node: Filter, want: list[ColumnId], hint: Hint) -> Phys:
        available = {c.id for c in node.input.columns()}
        needed = [*want, *(c for c in sorted(columns_of_all(node.conds)) if c not in want and c in available)]
        phys = self.emit(node.input, needed, Hint(hint.keys, hint.limit))
        condition = conjunction(node.conds)
        assert condition is not None
        if phys.ir["op"] == "result" and "cond" not in phys.ir and not phys.ir["exprs"]:
            ir = {**phys.ir, "cond": self.expr(condition, phys.layout)}
        else:
            ir = {"op": "filter", "input": phys.ir, "cond": self.expr(condition, phys.layout)}
        rows = max(phys.rows * selectivity(node.conds), 1.0)
        ir["est_rows"] = rows
        if self.explaining:
            ir["x"] = {**ir.get("x", {}), "filter": node.conds}
        return replace(phys, ir=ir, rows=rows, limited=False)

    def _sort(self, node: Sort, want: list[ColumnId], hint: Hint) -> Phys:
        needed = [*want, *(c for c in sorted(columns_of_all(node.exprs())) if c not in want)]
        phys = self.emit(node.input, needed, Hint(node.keys, hint.limit, hint.limit_expr))
        if phys.single or satisfies(phys.ordering, node.keys, phys.fixed) == (True, False):
            return phys
        keys = [(self.expr(e, phys.layout), d, n) for e, d, n in node.keys if columns_of(e)]
        if not keys:
            return phys
        limit = self.expr(hint.limit_expr, {}) if hint.limit_expr is not None else None
        ir = {"op": "sort", "input": phys.ir, "keys": keys, "limit": limit, "est_rows": phys.rows}
        if self.explaining:
            ir["x"] = {"keys": node.keys}
        ordering = [(e.id, d, n) for e, d, n in node.keys if isinstance(e, Col)]
        return replace(phys, ir=ir, ordering=ordering, limited=limit is not None)

    def _limit(self, node: Limit, want: list[ColumnId]) -> Phys:
        total = node.limit
        if total is not None and node.offset is not None:
            match = find_operator("+", INT8, INT8)
            known_limit, known_offset = _whole_number(total), _whole_number(node.offset)
            if known_limit is not None and known_offset is not None:
                total = Const(INT8, str(known_limit + known_offset))
            else:
                total = Call(INT8, match.kernel, (total, node.offset), "+", operator=True)
        number = _whole_number(total)
        rows = float(number) if number is not None else 10.0 if total is not None else None
        phys = self.emit(node.input, want, Hint((), rows, total))
        ir = {
            "op": "limit",
            "input": phys.ir,
            "limit": self.expr(node.limit, {}) if node.limit is not None else None,
            "offset": self.expr(node.offset, {}) if node.offset is not None else None,
        }
        out = min(phys.rows, rows) if rows is not None else phys.rows
        own = _whole_number(node.limit)
        ir["est_rows"] = out if own is None else min(out, float(own))
        return replace(phys, ir=ir, rows=out)

    def _aggregate(self, node: Aggregate, want: list[ColumnId]) -> Phys:
        needed = sorted(columns_of_all(node.exprs()) & {c.id for c in node.input.columns()})
        columns = [c.id for c in node.columns()]
        if node.sets is not None:
            return self._grouping_sets(node, needed)
        phys = self.emit(node.input, needed, _NO_HINT)
        ir = self._aggregate_ir(node, phys, node.groups)
        del want
        rows = max(phys.rows * 0.1, 1.0) if node.grouped else 1.0
        ir["est_rows"] = rows
        return Phys(ir, {c: i for i, c in enumerate(columns)}, len(columns), rows, single=not node.grouped)

    def _aggregate_ir(self, node: Aggregate, phys: Phys, groups: tuple[Expr, ...]) -> dict[str, Any]:
        layout: Layout = phys.layout
        aggs = [
            {
                "fn": a.fn,
                "args": [self.expr(e, layout) for e in a.args],
                "distinct": a.distinct,
                "filter": self.expr(a.filter, layout) if a.filter is not None else None,
                "type": a.type_oid,
                "order": [(self.expr(e, layout), d, n) for e, d, n in a.order],
            }
            for a in node.aggs
        ]
        ir = {
            "op": "aggregate", "input": phys.ir, "groups": [self.expr(g, layout) for g in groups], "aggs": aggs,
            "grouped": node.grouped and bool(groups), "sets": None,
        }  # fmt: skip
        if self.explaining:
            ir["x"] = {"groups": groups, "rel": node.rel}
        return ir

    def _grouping_sets(self, node: Aggregate, needed: list[ColumnId]) -> Phys:
        """One aggregation per grouping set over the same input, side by side."""
        parts = []
        columns = [c.id for c in node.columns()]
        rows = 0.0
        for number, chosen in enumerate(node.sets or ()):
            phys = self.emit(node.input, needed, _NO_HINT)
            groups = tuple(node.groups[i] for i in chosen)
            ir = self._aggregate_ir(node, phys, groups)
            ir["est_rows"] = max(phys.rows * 0.1, 1.0)
            rows += ir["est_rows"]
            exprs: list[Any] = []
            for place, group in enumerate(node.groups):
                null = ("const", group.type_oid, -1, None)
                exprs.append(("col", chosen.index(place)) if place in chosen else null)
            exprs += [("col", len(groups) + i) for i in range(len(node.aggs))]
            if node.grouping:
                exprs.append(("const", 23, -1, str(number)))
            parts.append({"op": "project", "input": ir, "exprs": exprs, "est_rows": ir["est_rows"]})
        result = (
            parts[0] if len(parts) == 1 else {"op": "setop", "kind": "union_all", "inputs": parts, "est_rows": rows}
        )
        return Phys(result, {c: i for i, c in enumerate(columns)}, len(columns), rows)

    def _lock(self, node: LockRows, want: list[ColumnId], hint: Hint) -> Phys:
        key = (node.rel, ROW_KEY)
        needed = [*want, *([key] if key not in want else [])]
        phys = self.emit(node.input, needed, hint)
        ir = {
            "op": "lock",
            "table": self.descriptor(node.table),
            "input": phys.ir,
            "row_key": phys.layout[key],
            "mode": node.mode,
            "est_rows": phys.rows,
        }
        return replace(phys, ir=ir)

    def _distinct(self, node: DistinctNode | DistinctOn, want: list[ColumnId], hint: Hint) -> Phys:
        columns = [c.id for c in node.input.columns()]
        if isinstance(node, DistinctOn):
            needed = [*want, *(c for c in sorted(columns_of_all(node.keys)) if c not in want)]
            phys = self.emit(node.input, needed, Hint(hint.keys))
            keys = [self.expr(k, phys.layout) for k in node.keys]
            ir = {"op": "distinct_on", "input": phys.ir, "keys": keys, "est_rows": phys.rows}
            return replace(phys, ir=ir, limited=False)
        phys = self.emit(node.input, columns, _NO_HINT)
        phys = self.reshape(phys, columns)
        ir = {"op": "distinct", "input": phys.ir, "est_rows": phys.rows}
        return replace(phys, ir=ir, ordering=[], limited=False)

    def _setop(self, node: SetOp) -> Phys:
        inputs = []
        rows = 0.0
        for part in node.parts:
            phys = self.emit_exactly(part, [c.id for c in part.columns()])
            inputs.append(phys.ir)
            rows += phys.rows
        columns = [c.id for c in node.columns()]
        ir = {"op": "setop", "kind": node.kind, "inputs": inputs, "est_rows": rows}
        return Phys(ir, {c: i for i, c in enumerate(columns)}, len(columns), rows)

    def _window(self, node: WindowNode, want: list[ColumnId]) -> Phys:
        own = {(node.rel, i) for i in range(len(node.funcs))}
        needed = [c for c in want if c not in own]
        available = {c.id for c in node.input.columns()}
        needed += [c for c in sorted(columns_of_all(node.exprs())) if c not in needed and c in available]
        phys = self.emit(node.input, needed, _NO_HINT)
        layout = phys.layout
        funcs = []
        for function in node.funcs:
            mode, start, start_offset, end, end_offset, exclude = function.frame
            funcs.append(
                {
                    "fn": function.fn,
                    "args": [self.expr(a, layout) for a in function.args],
                    "type": function.type_oid,
                    "aggregate": function.aggregate,
                    "filter": self.expr(function.filter, layout) if function.filter is not None else None,
                    "mode": mode,
                    "start": start,
                    "start_offset": self.expr(start_offset, layout) if start_offset is not None else None,
                    "end": end,
                    "end_offset": self.expr(end_offset, layout) if end_offset is not None else None,
                    "exclude": exclude,
                }
            )
        ir = {
            "op": "window",
            "input": phys.ir,
            "partition": [self.expr(p, layout) for p in node.partition],
            "order": [(self.expr(e, layout), d, n) for e, d, n in node.order],
            "funcs": funcs,
            "est_rows": phys.rows,
        }
        if self.explaining:
            ir["x"] = {"rel": node.rel}
        full = {**layout, **{(node.rel, i): phys.width + i for i in range(len(funcs))}}
        return Phys(ir, full, phys.width + len(funcs), phys.rows)

    def descriptor(self, table: Any) -> dict[str, Any]:
        """A written table's descriptor; its expressions see the row as rel 0."""
        layout = {(0, i): i for i in range(len(table.columns))}
        return descriptor.table_descriptor(self.binder, table, lambda e: self.expr(e, layout))


def _whole_number(expr: Expr | None) -> int | None:
    """The value of a constant that is a count."""
    if isinstance(expr, Const) and expr.text is not None and expr.text.isdigit():
        return int(expr.text)
    return None

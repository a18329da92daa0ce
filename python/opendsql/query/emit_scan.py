"""Scans into the IR: the cheapest access path, its bounds, filters and columns.

A path over a secondary index that lacks a needed column reads the index for the row's key (-2) and looks the rows up in
the table. `= ANY(array)` on a leading key column becomes a lookup driven by the array's distinct elements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log2
from typing import Any

from opendsql.query import access, descriptor
from opendsql.query.access import Path, TreeShape
from opendsql.query.emit_expr import IR, Layout
from opendsql.query.expr import (
    TRUE,
    ArrayTest,
    Col,
    ColumnId,
    Expr,
    Param,
    columns_of,
    columns_of_all,
    conjunction,
    has_sublink,
    walk,
)
from opendsql.query.logical import ROW_KEY, Scan, SortKey
from opendsql.query.params import NeedsOriginal
from opendsql.query.parts import Part
from opendsql.query.pushdown import is_pushed

_LOOKUP_COST = 4.0


@dataclass(slots=True)
class Hint:
    """What the node above would like: an order, and how many rows it will take at most."""

    keys: tuple[SortKey, ...] = ()
    limit: float | None = None
    limit_expr: Expr | None = None


@dataclass(slots=True)
class Phys:
    """An emitted node: its IR, where its columns are, what order its rows have."""

    ir: dict[str, Any]
    layout: Layout
    width: int
    rows: float = 1.0
    ordering: list[tuple[ColumnId, bool, bool]] = field(default_factory=list)
    fixed: set[ColumnId] = field(default_factory=set)  # columns with one value in all rows
    limited: bool = False  # the row limit of the hint is applied
    single: bool = False  # at most one row


class ScanEmitter(Part):
    """Mixin of Emitter."""

    def emit_scan(self, node: Scan, want: list[ColumnId], hint: Hint) -> Phys:
        """The best way to read a table's rows."""
        needed = set(want) | (columns_of_all(node.conds) & access.scan_columns(node))
        own = access.scan_columns(node)
        path, _ = self.choose_path(node, node.conds, needed, own, hint)
        driven = self._array_driven(node, path, want) if not path.point and not path.eq and path.in_ is None else None
        return driven or self._emit_path(node, path, want, hint)

    # -- choosing ------------------------------------------------------------------------------------------------

    def choose_path(
        self, node: Scan, conds: tuple[Expr, ...], needed: set[ColumnId], own: set[ColumnId], hint: Hint
    ) -> tuple[Path, float]:
        """The cheapest path and its cost."""
        table = node.table
        total = access.table_rows(table)
        best: tuple[Path, float] | None = None
        bounding = tuple(c for c in conds if not has_sublink(c))
        for shape in descriptor.shapes(self.binder, node):
            if shape.predicate and not self._implied(shape, conds):
                continue
            path = access.make_path(shape, bounding, own, total, lambda key: self._not_null(node, key))
            residual = [c for c in conds if c not in path.used]
            path.covering = access.covers(shape, needed)
            if shape.index is not None and not path.bounded and not path.covering and not hint.keys:
                continue
            cost = self._cost(path, residual, hint)
            if best is None or cost < best[1]:
                best = (path, cost)
        assert best is not None
        return best

    def _implied(self, shape: TreeShape, conds: tuple[Expr, ...]) -> bool:
        if all(p in conds for p in shape.predicate):
            return True
        columns = columns_of_all(shape.predicate)
        for cond in conds:
            lifted = any(isinstance(p, Param) and p.lifted for p in walk(cond))
            if lifted and columns_of(cond) & columns:
                raise NeedsOriginal
        return False

    def _not_null(self, node: Scan, key: Expr) -> bool:
        return isinstance(key, Col) and key.rel == node.rel and node.table.columns[key.col].not_null

    def _cost(self, path: Path, residual: list[Expr], hint: Hint) -> float:
        rows = path.rows
        ordered, backward = satisfies(path_ordering(path), hint.keys, path_fixed(path))
        out = max(rows * access.selectivity(tuple(residual)), 1.0)
        path.backward = ordered and backward
        if hint.keys and not ordered:
            sort = out * 0.2 * log2(out + 2)
        else:
            sort = 0.0
            if hint.limit is not None and (ordered or not hint.keys):
                rows = min(rows, max(hint.limit * rows / out, 1.0))
        entry = 0.9 if path.shape.index is not None else 1.0  # index entries are smaller
        return rows * entry + (0.0 if path.covering else rows * _LOOKUP_COST) + sort + (0.0 if path.bounded else 10.0)

    # -- emitting ------------------------------------------------------------------------------------------------

    def _emit_path(self, node: Scan, path: Path, want: list[ColumnId], hint: Hint) -> Phys:
        residual = [c for c in node.conds if c not in path.used]
        ordered, backward = satisfies(path_ordering(path), hint.keys, path_fixed(path))
        path.backward = ordered and backward
        if path.covering:
            phys = self._tree_scan(node, path, residual, want)
            last = phys.ir
        else:
            phys = self._index_and_lookup(node, path, residual, want)
            last = None
        total = path.rows * access.selectivity(tuple(residual))
        phys.rows = 1.0 if path.point else max(total, 1.0)
        phys.single = path.point
        phys.ir["est_rows"] = phys.rows
        phys.ordering = [(c, d != path.backward, n != path.backward) for c, d, n in path_ordering(path)]
        phys.fixed = path_fixed(path)
        if self.explaining:
            phys.ir["x"]["ordered"] = bool(hint.keys) and ordered
        if last is not None and hint.limit_expr is not None and (ordered or not hint.keys) and not path.point:
            last["limit"] = self.expr(hint.limit_expr, {})
        return phys

    def _tree_scan(self, node: Scan, path: Path, residual: list[Expr], want: list[ColumnId]) -> Phys:
        """One scan of one tree that holds every needed column."""
        columns = list(dict.fromkeys(want))
        for column in sorted(columns_of_all(residual) & access.scan_columns(node)):
            if column not in columns:
                columns.append(column)
        layout = {column: place for place, column in enumerate(columns)}
        ir = self.scan_ir(node, path, [self.stored_place(path.shape, c) for c in columns], residual, layout, {})
        return Phys(ir, layout, len(columns))

    def stored_place(self, shape: TreeShape, column: ColumnId) -> int:
        """Where a column is in a tree's stored image; -1 the raw key."""
        if column[1] == ROW_KEY:
            return -1 if shape.index is None else -2
        if shape.index is None:
            return column[1]
        for place, stored in enumerate(shape.stored):
            if isinstance(stored, Col) and stored.id == column:
                return place
        raise AssertionError("column not in tree")

    def scan_ir(
        self, node: Scan, path: Path, cols: list[int], residual: list[Expr], layout: Layout, outer: Layout
    ) -> dict[str, Any]:
        """The scan fields common to scan and lookup; outer is the layout bounds may use (a lookup's input)."""
        shape = path.shape
        pushed, late = self._split_residual(node, residual) if self.explaining else (residual, [])
        condition = conjunction(pushed) if pushed or not late else TRUE
        ir: dict[str, Any] = {
            "op": "scan",
            "tree": shape.tree,
            "row": [e.type_oid for e in shape.stored],
            "key": list(shape.key_types),
            "cols": cols,
            "filter": self.expr(condition, layout) if condition is not None else None,
            "backward": path.backward,
            "limit": None,
            "bounds": self.bounds(path, outer),
            "table_oid": node.table.oid,
            "index_oid": shape.index.oid if shape.index is not None else 0,
            "key_point": path.point,
            "nulls_first": list(shape.nulls_first),
            "est_rows": max(path.rows, 1.0),
        }
        if self.explaining:
            after = conjunction(late)
            ir["late"] = self.expr(after, layout) if after is not None else None
            own = access.scan_columns(node)
            joins = any(c not in own and not self.is_outer(c) for c in columns_of_all(late))
            ir["x"] = {"scan": node, "path": path, "pushed": tuple(pushed), "late": tuple(late), "joins": joins}
        return ir

    def _split_residual(self, node: Scan, residual: list[Expr]) -> tuple[list[Expr], list[Expr]]:
        """(what storage filters by, what is left to the query processor)."""
        own = access.scan_columns(node)
        pushed = [
            c for c in residual if is_pushed(c) and all(p in own or self.is_outer(p) for p in columns_of(c))
        ]
        return pushed, [c for c in residual if c not in pushed]

    def bounds(self, path: Path, outer: Layout) -> dict[str, IR]:
        """The bounds of a path."""
        return {
            "eq": [self.expr(e, outer) for e in path.eq],
            "in": [self.expr(e, outer) for e in path.in_] if path.in_ is not None else None,
            "lo": (self.expr(path.lo[0], outer), path.lo[1]) if path.lo is not None else None,
            "hi": (self.expr(path.hi[0], outer), path.hi[1]) if path.hi is not None else None,
        }

    def _index_and_lookup(self, node: Scan, path: Path, residual: list[Expr], want: list[ColumnId]) -> Phys:
        """A secondary index for the row keys, the table for the rest."""
        own = access.scan_columns(node)
        have = {e.id for e in path.shape.stored if isinstance(e, Col)}
        early = [c for c in residual if not has_sublink(c) and columns_of(c) & own <= have]
        late = [c for c in residual if c not in early]
        columns = sorted(columns_of_all(early) & own)
        layout: Layout = {column: place for place, column in enumerate(columns)}
        cols = [*(self.stored_place(path.shape, c) for c in columns), -2]
        index_ir = self.scan_ir(node, path, cols, early, layout, {})
        return self.lookup_rows(node, index_ir, layout, len(columns), late, want, "inner")

    def lookup_rows(
        self, node: Scan, index_ir: dict[str, Any], layout: Layout, key_place: int, late: list[Expr],
        want: list[ColumnId], kind: str,
    ) -> Phys:  # fmt: skip
        """The table's rows for the raw keys in column key_place of an input."""
        width = len(index_ir["cols"]) if index_ir["op"] == "scan" else key_place + 1
        own = access.scan_columns(node)
        columns = list(dict.fromkeys(c for c in want if c in own))
        for column in sorted(columns_of_all(late) & own):
            if column not in columns:
                columns.append(column)
        full = {c: p for c, p in layout.items() if c not in columns}
        full.update({column: width + place for place, column in enumerate(columns)})
        shape = descriptor.table_shape(node)
        path = Path(shape, point=True, rows=1.0)
        ir = self.scan_ir(node, path, [self.stored_place(shape, c) for c in columns], late, full, {})
        ir.update({"op": "lookup", "input": index_ir, "kind": kind, "row_key": ("col", key_place)})
        return Phys(ir, full, width + len(columns))

    def _array_driven(self, node: Scan, path: Path, want: list[ColumnId]) -> Phys | None:
        """col = ANY(array) on the first key column: look up each distinct element."""
        own = access.scan_columns(node)
        shapes = [
            s
            for s in descriptor.shapes(self.binder, node)
            if s.keys and (not s.predicate or self._implied(s, node.conds))
        ]
        for cond in node.conds:
            if not isinstance(cond, ArrayTest) or cond.quantifier != "any" or cond.name != "=":
                continue
            key = access.strip_binary(cond.arg)
            if columns_of(cond.array) & own or has_sublink(cond.array):
                continue
            same = key.type_oid == cond.elem_oid or {key.type_oid, cond.elem_oid} <= {25, 1043}
            for shape in shapes:
                if shape.keys[0] == key and same:
                    return self._elements_lookup(node, shape, cond, want)
        return None

    def _elements_lookup(self, node: Scan, shape: TreeShape, cond: ArrayTest, want: list[ColumnId]) -> Phys | None:
        rel = self.binder.new_rel("unnest", ("unnest",))
        element = Col(shape.keys[0].type_oid, rel, 0)
        residual = [c for c in node.conds if c is not cond]
        needed = set(want) | (columns_of_all(residual) & access.scan_columns(node))
        if not access.covers(shape, needed):
            return None
        source = {
            "op": "srf",
            "fn": "unnest",
            "args": [self.expr(cond.array, {})],
            "out": [cond.elem_oid],
            "ordinality": False,
        }
        source = {"op": "distinct", "input": source, "est_rows": 10.0}
        path = Path(shape, eq=[element], point=shape.unique and len(shape.keys) == 1, rows=1.0)
        columns = list(dict.fromkeys([*want, *sorted(needed)]))
        layout = {column: place + 1 for place, column in enumerate(columns)}
        cols = [self.stored_place(shape, c) for c in columns]
        ir = self.scan_ir(node, path, cols, residual, layout, {element.id: 0})
        ir.update({"op": "lookup", "input": source, "kind": "inner"})
        if self.explaining:
            ir["x"]["driven"] = cond
        return Phys(ir, layout, 1 + len(columns), rows=10.0)


def path_fixed(path: Path) -> set[ColumnId]:
    """Columns an equality bound gives one value."""
    return {k.id for k in path.shape.keys[: len(path.eq)] if isinstance(k, Col)}


def path_ordering(path: Path) -> list[tuple[ColumnId, bool, bool]]:
    """The order a forward scan of the path yields: (column, descending, nulls first)."""
    found: list[tuple[ColumnId, bool, bool]] = []
    for place, key in enumerate(path.shape.keys):
        if place < len(path.eq):
            continue
        if not isinstance(key, Col):
            break
        found.append((key.id, False, path.shape.nulls_first[place]))
    return found


def satisfies(
    ordering: list[tuple[ColumnId, bool, bool]], keys: tuple[SortKey, ...], fixed: set[ColumnId]
) -> tuple[bool, bool]:
    """(whether rows in this order are sorted by keys, whether they must be read backward for it)."""
    backward: bool | None = None
    place = 0
    for key, descending, nulls_first in keys:
        key = access.strip_binary(key)
        if not isinstance(key, Col):
            return False, False
        if key.id in fixed:
            continue
        if place == len(ordering):
            return False, False
        column, desc, first = ordering[place]
        if column != key.id:
            return False, False
        flipped = desc != descending
        if (first != flipped) != nulls_first or (backward is not None and backward != flipped):
            return False, False
        backward = flipped
        place += 1
    return True, bool(backward)

"""Joins into the IR: lookup join where the inner side has a key on the join columns, hash join where there are
equalities, nested loops otherwise; apply for lateral items.

Order of inner joins is the rule join_order's work; here only the method is chosen, for two given sides.
"""

from __future__ import annotations

from typing import Any

from opendsql.query import access, descriptor
from opendsql.query.access import Path, selectivity
from opendsql.query.emit_expr import Frame
from opendsql.query.emit_scan import Hint, Phys
from opendsql.query.expr import (
    Call,
    Cast,
    Col,
    ColumnId,
    Expr,
    columns_of,
    columns_of_all,
    conjunction,
    has_sublink,
    is_volatile,
)
from opendsql.query.logical import Join, Scan, free_columns, produced
from opendsql.query.parts import Part
from opendsql.registry.resolve import find_cast

_LEFT_ONLY = ("semi", "anti", "null_anti")
_HASH_SAFE_NAMES = ("=",)


class JoinEmitter(Part):
    """Mixin of Emitter."""

    def emit_join(self, node: Join, want: list[ColumnId], hint: Hint) -> Phys:
        """A join by the cheapest method."""
        left_ids, right_ids = produced(node.left), produced(node.right)
        used = columns_of_all(node.conds)
        lateral = set()
        if node.lateral:
            lateral = free_columns(node.right) & left_ids
        left_want = [c for c in want if c in left_ids]
        left_want += [c for c in sorted((used | lateral) & left_ids) if c not in left_want]
        right_want = [c for c in want if c in right_ids]
        right_want += [c for c in sorted(used & right_ids) if c not in right_want]
        keys = hint.keys if all(columns_of(k[0]) <= left_ids for k in hint.keys) else ()
        left = self.emit(node.left, left_want, Hint(keys, hint.limit if keys or not hint.keys else None))
        if node.lateral and lateral:
            return self._apply(node, left, right_want, lateral)
        lookup = self._lookup(node, left, right_want, hint)
        if lookup is not None:
            return lookup
        return self._hash_or_loop(node, left, right_want)

    # -- lateral -------------------------------------------------------------------------------------------------

    def _apply(self, node: Join, left: Phys, right_want: list[ColumnId], lateral: set[ColumnId]) -> Phys:
        frame = Frame({c: Col(self.type_of(c), *c) for c in lateral})
        self.frames.append(frame)
        try:
            right = self.emit(node.right, right_want, Hint())
        finally:
            self.frames.pop()
        layout = self._combined(left, right, node.kind)
        condition = conjunction(node.conds)
        ir: dict[str, Any] = {
            "op": "apply",
            "kind": node.kind,
            "left": left.ir,
            "right": right.ir,
            "params": [(slot, self.expr(frame.outer[c], left.layout)) for c, slot in frame.slots.items()],
            "cond": self.expr(condition, self._both(left, right)) if condition is not None else None,
        }
        if self.explaining:
            ir["x"] = {"pairs": (), "cond": node.conds}
        rows = self._estimate(node, left, right)
        ir["est_rows"] = rows
        return Phys(ir, layout, self._width(left, right, node.kind), rows, left.ordering, left.fixed)

    # -- lookup --------------------------------------------------------------------------------------------------

    def _lookup(self, node: Join, left: Phys, right_want: list[ColumnId], hint: Hint) -> Phys | None:
        """The inner rows by key for each outer row, where that is cheaper than reading the inner side whole."""
        if node.kind not in ("inner", "left", "semi", "anti") or not isinstance(node.right, Scan):
            return None
        scan = node.right
        own = access.scan_columns(scan)
        local = tuple(c for c in (*scan.conds, *node.conds) if not has_sublink(c))
        bounding = tuple(
            c for c in local if all(p in left.layout or p in own or self.is_outer(p) for p in columns_of(c))
        )
        needed = {c for c in (*right_want, *columns_of_all(scan.conds), *columns_of_all(node.conds)) if c in own}
        best: tuple[Path, float] | None = None
        total = access.table_rows(scan.table)
        for shape in descriptor.shapes(self.binder, scan):
            if shape.predicate and not self._implied(shape, scan.conds):
                continue
            path = access.make_path(shape, bounding, own, total, lambda key: self._not_null(scan, key))
            if not any(columns_of(e) for e in (*path.eq, *(path.in_ or ()))):
                continue  # bounds without the outer row: an ordinary scan does better
            path.lo = path.hi = None
            path.used = [c for c in path.used if self._bound_by(c, path)]
            path.bounding = [c for c in path.bounding if c in path.used or isinstance(c, Call) and c.name == "="]
            path.covering = access.covers(shape, needed)
            if not path.covering and node.kind in ("semi", "anti"):
                continue
            cost = left.rows * (2.0 + path.rows * (1.0 if path.covering else 5.0))
            if best is None or cost < best[1]:
                best = (path, cost)
        if best is None:
            return None
        path, cost = best
        scan_cost = self.choose_path(scan, scan.conds, needed, own, Hint())[1]
        cap = hint.limit if hint.limit is not None and not hint.keys else None
        if cap is None and cost > scan_cost + left.rows:
            return None
        return self._lookup_ir(node, scan, path, left, right_want)

    def is_outer(self, column: ColumnId) -> bool:
        """Whether a column comes from an enclosing query."""
        return any(column in frame.outer for frame in self.frames)

    def _bound_by(self, cond: Expr, path: Path) -> bool:
        if path.in_ is not None and cond is path.used[-1] and len(path.used) > 0:
            return True
        return isinstance(cond, Call) and cond.name in ("=", "~~")

    def _lookup_ir(self, node: Join, scan: Scan, path: Path, left: Phys, right_want: list[ColumnId]) -> Phys:
        own = access.scan_columns(scan)
        residual = [c for c in (*scan.conds, *node.conds) if c not in path.used]
        columns = list(right_want)
        columns += [c for c in sorted(columns_of_all(residual) & own) if c not in columns]
        kind = node.kind
        if path.covering:
            layout = {**left.layout, **{c: left.width + i for i, c in enumerate(columns)}}
            cols = [self.stored_place(path.shape, c) for c in columns]
            ir = self.scan_ir(scan, path, cols, residual, layout, left.layout)
            ir.update({"op": "lookup", "input": left.ir, "kind": kind})
            width = left.width + (0 if kind in _LEFT_ONLY else len(columns))
            found = Phys(ir, left.layout if kind in _LEFT_ONLY else layout, width)
        else:
            have = {e.id for e in path.shape.stored if isinstance(e, Col)}
            early: list[Expr] = []
            if kind == "inner":
                early = [
                    c for c in residual if not has_sublink(c) and columns_of(c) & own <= have and columns_of(c) & own
                ]
            late = [c for c in residual if c not in early]
            first = sorted(columns_of_all(early) & own)
            layout = {**left.layout, **{c: left.width + i for i, c in enumerate(first)}}
            cols = [*(self.stored_place(path.shape, c) for c in first), -2]
            index_ir = self.scan_ir(scan, path, cols, early, layout, left.layout)
            index_ir.update({"op": "lookup", "input": left.ir, "kind": kind})
            if kind == "left" and late:
                return self._hash_or_loop(node, left, right_want)
            found = self.lookup_rows(scan, index_ir, layout, left.width + len(first), late, columns, kind)
        found.rows = self._estimate_lookup(node, left, path)
        found.ir["est_rows"] = found.rows
        found.ordering, found.fixed = left.ordering, left.fixed
        found.single = left.single and (path.point or kind in _LEFT_ONLY)
        return found

    def _estimate_lookup(self, node: Join, left: Phys, path: Path) -> float:
        if node.kind in _LEFT_ONLY:
            return max(left.rows * 0.5, 1.0)
        return max(left.rows * path.rows, 1.0)

    # -- hash and loop -------------------------------------------------------------------------------------------

    def _hash_or_loop(self, node: Join, left: Phys, right_want: list[ColumnId]) -> Phys:
        right = self.emit(node.right, right_want, Hint())
        if node.kind == "inner" and right.rows > left.rows:
            left, right = right, left  # the right side is the one kept in memory
        lkeys: list[Expr] = []
        rkeys: list[Expr] = []
        rest: list[Expr] = []
        for cond in node.conds:
            pair = hash_pair(cond, set(left.layout), set(right.layout))
            if pair is None:
                rest.append(cond)
            else:
                lkeys.append(pair[0])
                rkeys.append(pair[1])
        both = self._both(left, right)
        condition = conjunction(rest)
        ir: dict[str, Any] = {"kind": node.kind, "left": left.ir, "right": right.ir}
        if lkeys and not (node.kind == "null_anti" and (rest or len(lkeys) > 1)):
            ir["op"] = "hash_join"
            ir["lkeys"] = [self.expr(k, left.layout) for k in lkeys]
            ir["rkeys"] = [self.expr(k, right.layout) for k in rkeys]
        else:
            ir["op"] = "nl_join"
            rest = list(node.conds)
            condition = conjunction(rest)
            lkeys = rkeys = []
        ir["cond"] = self.expr(condition, both) if condition is not None else None
        if self.explaining:
            ir["x"] = {"pairs": tuple(zip(lkeys, rkeys, strict=True)), "cond": tuple(rest)}
        rows = self._estimate(node, left, right)
        ir["est_rows"] = rows
        width = self._width(left, right, node.kind)
        single = left.single and (right.single or node.kind in _LEFT_ONLY)
        return Phys(ir, self._combined(left, right, node.kind), width, rows, single=single)

    def _combined(self, left: Phys, right: Phys, kind: str) -> dict[ColumnId, int]:
        return dict(left.layout) if kind in _LEFT_ONLY else self._both(left, right)

    def _both(self, left: Phys, right: Phys) -> dict[ColumnId, int]:
        return {**left.layout, **{c: left.width + p for c, p in right.layout.items()}}

    def _width(self, left: Phys, right: Phys, kind: str) -> int:
        return left.width if kind in _LEFT_ONLY else left.width + right.width

    def _estimate(self, node: Join, left: Phys, right: Phys) -> float:
        if node.kind in _LEFT_ONLY:
            return max(left.rows * 0.5, 1.0)
        equal = any(isinstance(c, Call) and c.name == "=" for c in node.conds)
        rows = max(left.rows, right.rows) if equal else left.rows * right.rows * selectivity(node.conds)
        return max(rows, left.rows if node.kind in ("left", "full") else 1.0, 1.0)


def hash_pair(cond: Expr, left: set[ColumnId], right: set[ColumnId]) -> tuple[Expr, Expr] | None:
    """(left key, right key) of an equality between the sides whose two values have one type, so one hash."""
    if not isinstance(cond, Call) or cond.name not in _HASH_SAFE_NAMES or not cond.operator or len(cond.args) != 2:
        return None
    if has_sublink(cond) or is_volatile(cond) or cond.kind == "py":
        return None
    one, two = cond.args
    pair = same_type(one, two)
    if pair is None:
        return None
    one, two = pair
    a, b = columns_of(one), columns_of(two)
    if a and b and a <= left and b <= right:
        return one, two
    if a and b and a <= right and b <= left:
        return two, one
    return None


def same_type(one: Expr, two: Expr) -> tuple[Expr, Expr] | None:
    """Both sides as one type, widening integers; None when the types differ otherwise."""
    if one.type_oid == two.type_oid or {one.type_oid, two.type_oid} <= {25, 1043}:
        return one, two
    sizes = {21: 2, 23: 4, 20: 8}
    if one.type_oid in sizes and two.type_oid in sizes:
        wide = max(one.type_oid, two.type_oid, key=lambda oid: sizes[oid])
        found = []
        for side in (one, two):
            match = find_cast(side.type_oid, wide, "i")
            same = side.type_oid == wide or match is None
            found.append(side if same else Cast(wide, side, (match.kernel if match else "") or ""))
        return found[0], found[1]
    return None

"""INSERT, UPDATE and DELETE into the IR."""

from __future__ import annotations

from typing import Any

from opendsql.query.emit_expr import Layout
from opendsql.query.emit_scan import Hint, Phys
from opendsql.query.expr import ColumnId, columns_of_all
from opendsql.query.logical import ROW_KEY, Delete, Insert, Join, Update, walk_nodes
from opendsql.query.parts import Part


class ModifyEmitter(Part):
    """Mixin of Emitter."""

    def emit_insert(self, node: Insert) -> Phys:
        """An insert over its full rows."""
        phys = self.emit_exactly(node.input, [c.id for c in node.input.columns()])
        count = len(node.table.columns)
        conflict: dict[str, Any] | None = None
        if node.on_conflict is not None:
            given = node.on_conflict
            layout: Layout = {(given.existing_rel, i): i for i in range(count)}
            layout.update({(given.excluded_rel, i): count + i for i in range(count)})
            conflict = {
                "index": given.index.oid if given.index is not None else None,
                "action": given.action,
                "set": [(column, self.expr(e, layout)) for column, e in given.assign],
                "where": self.expr(given.where, layout) if given.where is not None else None,
            }
        returning = None
        if node.returning is not None:
            row = {(node.rel, i): i for i in range(count)}
            returning = [self.expr(e, row) for e in node.returning]
        ir = {
            "op": "insert",
            "table": self.descriptor(node.table),
            "input": phys.ir,
            "on_conflict": conflict,
            "returning": returning,
            "est_rows": phys.rows,
        }
        self._notes(ir, "events", node.table.oid, "insert")
        if conflict is not None and conflict["set"]:
            self._notes(ir, "conflict_events", node.table.oid, "update")
        return self._returned(ir, node, phys.rows)

    def emit_update_delete(self, node: Update | Delete) -> Phys:
        """An update or delete: the input is the old row, its raw key, then whatever else is needed."""
        count = len(node.table.columns)
        old = [(node.old_rel, i) for i in range(count)]
        key = (node.old_rel, ROW_KEY)
        used = columns_of_all((*node.exprs(), *(node.returning or ())))
        available = {c.id for c in node.input.columns()}
        extra = [c for c in sorted(used & available) if c not in old and c != key]
        want: list[ColumnId] = [*old, key, *extra]
        phys = self.reshape(self.emit(node.input, want, Hint()), want)
        joined = any(isinstance(n, Join) for n in walk_nodes(node.input))
        ir: dict[str, Any] = {
            "op": "update" if isinstance(node, Update) else "delete",
            "table": self.descriptor(node.table),
            "input": phys.ir,
            "row_key": phys.layout[key],
            "old": 0,
            "dedupe": joined,
            "returning": None,
            "est_rows": phys.rows,
        }
        self._notes(ir, "events", node.table.oid, ir["op"])
        shifted = {c: count + p for c, p in phys.layout.items()}
        if isinstance(node, Update):
            ir["set"] = [(column, self.expr(e, phys.layout)) for column, e in node.assign]
            shifted.update({(node.new_rel, i): i for i in range(count)})
        if node.returning is not None:
            ir["returning"] = [self.expr(e, shifted) for e in node.returning]
        return self._returned(ir, node, phys.rows)

    def _notes(self, ir: dict[str, Any], field: str, table_oid: int, kind: str) -> None:
        """The CTE that is told of each changed row."""
        events = self.binder.events.get((table_oid, kind))
        if events is not None:
            ir[field] = events.cte

    def _returned(self, ir: dict[str, Any], node: Insert | Update | Delete, rows: float) -> Phys:
        width = len(node.returning or ())
        if self.explaining:
            ir["x"] = {"node": node}
        return Phys(ir, {(node.out_rel, i): i for i in range(width)}, width, rows)

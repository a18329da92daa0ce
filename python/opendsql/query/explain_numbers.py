"""The numbers of a plan: what was expected of each node, and what EXPLAIN ANALYZE counted.

Costs estimate work in PostgreSQL's unit, with the large start-up part of a storage read that DSQL shows (guess:
explain_costs). Rows are estimates of access.py, from statistics when the table has been analysed; widths are
PostgreSQL's guesses by type. Actual rows are averages over the loops, as PostgreSQL prints them.

A storage node has no counters of its own: it is a share of the scan or lookup it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import Any

from opendsql.guesses import choice
from opendsql.query.access import ROWS_DEFAULT, Path, selectivity, table_rows
from opendsql.query.deparse import width_of
from opendsql.query.explain_print import Figure, Prop, Shown

IR = dict[str, Any]

_ROUND_TRIP = choice("explain_costs")  # start-up of one storage read
_POINT = 0.17
_ROW = 0.0126


@dataclass(slots=True)
class Estimate:
    """What the planner expected."""

    start: float
    total: float
    rows: float
    width: int


@dataclass(slots=True)
class Actual:
    """What was counted, all loops together. Times in nanoseconds, None = not measured."""

    rows: int
    loops: int
    first_ns: int | None = None
    ns: int | None = None


class Numbers:
    """Estimates and counters of one program's nodes.

    stats: per node id the counters of dsql_core (NodeStats), None when the statement was not run.
    """

    def __init__(self, binder: Any, options: Any, stats: list[dict[str, int]] | None) -> None:
        self.binder = binder
        self.options = options
        self.stats = stats

    # -- what was counted ----------------------------------------------------------------------------------------

    def counted(self, ir: IR) -> dict[str, int] | None:
        """The counters of a node."""
        if self.stats is None or ir.get("id") is None:
            return None
        return self.stats[ir["id"]]

    def actual(self, ir: IR) -> Actual | None:
        """A node's own rows, loops and time."""
        counted = self.counted(ir)
        if counted is None:
            return None
        return Actual(counted["rows"], counted["loops"], counted["first_ns"], counted["ns"])

    def storage(self, ir: IR) -> tuple[Actual | None, Actual | None]:
        """(rows storage sent, entries its tree gave) of a scan or lookup."""
        counted = self.counted(ir)
        if counted is None:
            return None, None
        loops = counted["batches"] if ir["op"] == "lookup" else counted["loops"]
        # A scan that stops at its limit sends no more than that, unless the query processor still filters.
        sent = counted["rows"] if ir["op"] == "scan" and ir.get("late") is None else counted["passed"]
        return Actual(sent, loops), Actual(counted["entries"], loops)

    def inner(self, ir: IR, filters_inner: bool) -> Actual | None:
        """The inner side of a batched join: one loop per batch of outer rows."""
        counted, outer = self.counted(ir), self.counted(ir["input"])
        if counted is None or outer is None:
            return None
        spent = max(counted["ns"] - outer["ns"], 0)
        rows = counted["passed"] - (counted["removed"] if filters_inner else 0)
        return Actual(rows, counted["batches"], spent, spent)

    # -- printing ------------------------------------------------------------------------------------------------

    def put(self, shown: Shown, estimate: Estimate, actual: Actual | None) -> None:
        """Gives a node its numbers."""
        parts: list[str] = []
        if self.options.costs:
            rows = round(estimate.rows)
            start, total = Figure(f"{estimate.start:.2f}"), Figure(f"{estimate.total:.2f}")
            parts.append(f"(cost={start}..{total} rows={rows} width={estimate.width})")
            shown.numbers += [
                Prop("Startup Cost", start), Prop("Total Cost", total), Prop("Plan Rows", rows),
                Prop("Plan Width", estimate.width),
            ]  # fmt: skip
        if actual is not None:
            parts.append(self._actual(shown, actual))
        shown.figures = " ".join(parts)

    def _actual(self, shown: Shown, actual: Actual) -> str:
        loops = actual.loops
        rows = round(actual.rows / loops) if loops else 0
        timed = self.options.timing and not shown.is_storage
        first = Figure(f"{(actual.first_ns or 0) / 1e6 / max(loops, 1):.3f}")
        last = Figure(f"{(actual.ns or 0) / 1e6 / max(loops, 1):.3f}")
        if timed:
            shown.numbers += [Prop("Actual Startup Time", first), Prop("Actual Total Time", last)]
        shown.numbers += [Prop("Actual Rows", rows), Prop("Actual Loops", loops)]
        if loops == 0:
            return "(never executed)"
        return f"(actual {f'time={first}..{last} ' if timed else ''}rows={rows} loops={loops})"

    # -- what was expected ---------------------------------------------------------------------------------------

    def estimate(self, ir: IR) -> Estimate:
        """The estimate of a node."""
        start, total = self.cost(ir)
        rows = max(ir.get("est_rows", 1.0), 1.0)
        if ir["op"] in ("insert", "update", "delete") and ir.get("returning") is None:
            rows = 0.0
        return Estimate(start, total, rows, self.width(ir))

    def storage_estimates(self, ir: IR) -> tuple[Estimate, Estimate]:
        """Estimates of a scan's or lookup's (storage node, B-tree node)."""
        details = ir["x"]
        start, total = self._read_cost(ir)
        rows = max(details["path"].rows, 1.0)
        kept = max(rows * selectivity(details["pushed"]), 1.0) if details["pushed"] else rows
        row = details["scan"].row()
        width = sum(width_of(ir["row"][c], row[c].typmod if not ir["index_oid"] else -1) for c in ir["cols"] if c >= 0)
        return Estimate(start, total, kept, width), Estimate(start, total, rows, width)

    def inner_estimate(self, ir: IR) -> Estimate:
        """What one batch of a batched join expects of its inner side."""
        storage, _ = self.storage_estimates(ir)
        return storage

    def width(self, ir: IR) -> int:
        """Estimated bytes of a row."""
        details = ir.get("x", {})
        if "node" in details and ir["op"] in ("insert", "update", "delete"):
            return sum(width_of(e.type_oid, e.typmod) for e in details["node"].returning or ())
        if "output" in details and ir["op"] in ("project", "result"):
            return sum(width_of(e.type_oid, e.typmod) for e in details["output"])
        types = self.binder.column_types
        columns = details.get("want") or details.get("columns", ())
        return sum(width_of(*types[c]) for c in columns if c[1] >= 0 and c in types)

    def _read_cost(self, ir: IR) -> tuple[float, float]:
        path: Path = ir["x"]["path"]
        total = table_rows(ir["x"]["scan"].table)
        start = _ROUND_TRIP + (0.125 * total + (0.05 if total >= ROWS_DEFAULT else 0.03))
        if path.point or path.eq or path.in_ is not None or ir["op"] == "lookup":
            start = _ROUND_TRIP + _POINT
        return start, start + max(path.rows, 1.0) * _ROW

    def cost(self, ir: IR) -> tuple[float, float]:
        """(start-up, total) in PostgreSQL's unit."""
        from opendsql.query.planner import child_nodes

        rows = ir.get("est_rows", 1.0)
        below = [self.cost(c) for c in child_nodes(ir)]
        match ir["op"]:
            case "result":
                return 0.0, 0.01
            case "project":
                return below[0]
            case "scan":
                return self._read_cost(ir)
            case "lookup":
                return below[0][0] + _ROUND_TRIP, below[0][1] + _ROUND_TRIP + rows * 0.05
            case "sort":
                total = below[0][1] + rows * 0.01 * log2(rows + 2)
                return total, total + rows * 0.005
            case "hash_join":
                return below[1][1], below[0][1] + below[1][1] + rows * 0.01
            case "aggregate" | "distinct":
                total = below[0][1] + rows * 0.01
                return total, total + 0.01
            case "limit":
                source = max(child_nodes(ir)[0].get("est_rows", 1.0), 1.0)
                return below[0][0], below[0][0] + (below[0][1] - below[0][0]) * min(rows / source, 1.0)
            case "values":
                return 0.0, 0.0125 * len(ir["rows"]) if len(ir["rows"]) > 1 else 0.01
            case "insert" | "update" | "delete":
                return below[0]
        start = below[0][0] if below else 0.0
        return start, sum(t for _, t in below) + rows * 0.01

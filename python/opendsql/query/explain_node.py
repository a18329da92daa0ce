"""The lines of one plan: labels, properties and estimates of every IR node (explain.py has the frame).

Costs are estimates of work in PostgreSQL's unit, with the large start-up part of a storage read that DSQL shows.
"""

from __future__ import annotations

from math import log2
from typing import Any

from opendsql.query.access import ROWS_DEFAULT, table_rows
from opendsql.query.deparse import Deparser, width_of
from opendsql.query.expr import AggCall, Col, Expr, WindowCall, conjunction
from opendsql.query.logical import (
    Aggregate,
    CteScan,
    FunctionScan,
    Node,
    Project,
    Scan,
    VirtualRows,
    WindowNode,
    sublinks_of,
    walk_nodes,
)

IR = dict[str, Any]

_JOIN_WORDS = {
    "inner": "",
    "left": " Left",
    "right": " Right",
    "full": " Full",
    "semi": " Semi",
    "anti": " Anti",
    "null_anti": " Anti",
}
_SETOPS = {
    "union": "Union",
    "intersect": "Intersect",
    "intersect_all": "Intersect All",
    "except": "Except",
    "except_all": "Except All",
}


class Renderer:
    """Prints one program's plan."""

    def __init__(self, ir: IR, binder: Any, options: Any, stats: Any) -> None:
        self.ir = ir
        self.options = options
        self.stats = stats
        self.deparser = Deparser(binder.names, _computed(binder), prefix=_relation_count(binder) > 1)
        self.binder = binder

    def lines(self) -> list[str]:
        """The plan, then its subplans and WITH queries under the root."""
        found = self.node(self.ir["plan"], 0, None)
        for number, cte in enumerate(self.ir["ctes"]):
            found += [f"  CTE {cte.get('name', number)}", *self.node(cte["plan"], 1, None)]
        for number, sub in enumerate(self.ir["subplans"]):
            word = "SubPlan" if sub["params"] else "InitPlan"
            found += [f"  {word} {number + 1}", *self.node(sub["plan"], 1, None)]
        return found

    def tree(self, ir: IR) -> IR:
        """The plan for FORMAT JSON."""
        while ir["op"] == "project":
            ir = ir["input"]
        start, total = self.cost(ir)
        found: IR = {
            "Node Type": self.label(ir), "Startup Cost": round(start, 2), "Total Cost": round(total, 2),
            "Plan Rows": round(ir.get("est_rows", 1.0)), "Plan Width": self.width(ir),
        }  # fmt: skip
        children = [self.tree(c) for c in self._children(ir)]
        return {**found, "Plans": children} if children else found

    # -- one node ------------------------------------------------------------------------------------------------

    def node(self, ir: IR, depth: int, output: list[str] | None, filters: tuple[Expr, ...] = ()) -> list[str]:
        """The lines of a node and everything below it; filters are those of a filter node right above."""
        if ir["op"] == "project":
            return self.node(ir["input"], depth, output or self.output(ir) or None, filters)
        if ir["op"] == "filter" and "x" in ir and ir["input"]["op"] not in ("project", "scan", "lookup", "limit"):
            inner_filters = (*ir["x"]["filter"], *filters)
            return self.node({**ir["input"], "est_rows": ir["est_rows"]}, depth, output, inner_filters)
        if output is None:
            output = self.output(ir)
        inner = " " * (2 + 6 * depth)
        arrow = "" if depth == 0 else " " * (2 + 6 * (depth - 1)) + "->  "
        found = [f"{arrow}{self.label(ir)}{self._numbers(ir, '  ')}"]
        if self.options.verbose and output:
            found.append(f"{inner}Output: {', '.join(output)}")
        if ir["op"] == "lookup":
            return found + self._lookup(ir, depth, inner)
        if ir["op"] == "scan":
            return found + [inner + line for line in self._storage(ir)]
        found += [inner + line for line in self._properties(ir)]
        if filters:
            found.append(f"{inner}Filter: {self.condition(filters)}")
        for child in self._children(ir):
            if ir["op"] == "hash_join" and child is ir["right"]:
                pad = " " * (2 + 6 * depth)
                found.append(f"{pad}->  Hash{self._numbers(child, '  ')}")
                found += self.node(child, depth + 2, None)
            else:
                found += self.node(child, depth + 1, None)
        return found

    def _children(self, ir: IR) -> list[IR]:
        from opendsql.query.planner import child_nodes

        return child_nodes(ir)

    def output(self, ir: IR) -> list[str]:
        """What a node yields, as text."""
        details = ir.get("x", {})
        if "output" in details and ir["op"] in ("project", "result"):
            return [self.text(e) for e in details["output"]]
        columns = details.get("columns")
        if not columns:
            return []
        ordered = sorted(columns.items(), key=lambda item: item[1])
        return [self.text(Col(0, *column)) for column, _ in ordered if column[1] >= 0]

    def text(self, expr: Expr) -> str:
        """An expression as SQL."""
        return self.deparser.text(expr)

    def condition(self, conds: Any) -> str:
        """A list of conditions as one."""
        whole = conjunction(tuple(conds))
        assert whole is not None
        text = self.text(whole)
        return text if text.startswith("(") else f"({text})"

    # -- labels --------------------------------------------------------------------------------------------------

    def label(self, ir: IR) -> str:
        """What a node is called."""
        details = ir.get("x", {})
        match ir["op"]:
            case "scan":
                return self._scan_label(ir)
            case "lookup":
                return self._index_label(ir) if self._own_index(ir) else "Nested Loop (Batched Join)"
            case "hash_join":
                return f"Hash{_JOIN_WORDS[ir['kind']]} Join"
            case "nl_join" | "apply":
                word = _JOIN_WORDS[ir["kind"]]
                return f"Nested Loop{word} Join" if word else "Nested Loop"
            case "aggregate":
                return "HashAggregate" if ir["grouped"] else "Aggregate"
            case "distinct":
                return "HashAggregate"
            case "distinct_on":
                return "Unique"
            case "setop":
                return "Append" if ir["kind"] == "union_all" else f"HashSetOp {_SETOPS[ir['kind']]}"
            case "rows":
                alias = details.get("alias", "")
                name = details.get("name", "")
                return f"Seq Scan on {name}" + (f" {alias}" if alias != name else "")
            case "srf":
                alias = details.get("alias", ir["fn"])
                name = details.get("name", ir["fn"])
                return f"Function Scan on {name}" + (f" {alias}" if alias != name else "")
            case "cte_scan" | "work_scan":
                word = "CTE Scan" if ir["op"] == "cte_scan" else "WorkTable Scan"
                alias, name = details.get("alias", ""), details.get("name", "")
                return f"{word} on {name}" + (f" {alias}" if alias != name else "")
            case "insert" | "update" | "delete":
                return f"{ir['op'].capitalize()} on {self._table_name(ir['table'])}"
            case "values":
                return 'Values Scan on "*VALUES*"' if len(ir["rows"]) > 1 else "Result"
        fixed = {"sort": "Sort", "limit": "Limit", "result": "Result", "filter": "Result", "window": "WindowAgg",
                 "lock": "LockRows", "recursive": "Recursive Union"}  # fmt: skip
        return fixed.get(ir["op"], str(ir["op"]))

    def _table_name(self, table: IR) -> str:
        return f"{table['schema']}.{table['name']}" if self.options.verbose else table["name"]

    def _relation(self, ir: IR) -> str:
        scan = ir["x"]["scan"]
        name = f"{scan.table.schema}.{scan.table.name}" if self.options.verbose else scan.table.name
        return name if scan.alias == scan.table.name else f"{name} {scan.alias}"

    def _tree_name(self, ir: IR) -> str:
        details = ir["x"]
        index, table = details["path"].shape.index, details["scan"].table
        if index is not None:
            return index.name
        return table.primary_key.name if table.primary_key is not None else table.name

    def _scan_label(self, ir: IR) -> str:
        details = ir["x"]
        path, table = details["path"], details["scan"].table
        whole = path.shape.index is None and not path.bounded
        if whole and (table.primary_key is None or ir["filter"] is not None):
            return f"Full Scan (btree-table) on {self._relation(ir)}"
        backward = " Backward" if ir["backward"] else ""
        return f"Index Only Scan{backward} using {self._tree_name(ir)} on {self._relation(ir)}"

    def _own_index(self, ir: IR) -> bool:
        """Whether a lookup only fetches the rows of the index scan right below it."""
        below = ir["input"]
        return ir.get("row_key") is not None and below["op"] == "scan" and below["table_oid"] == ir["table_oid"]

    def _index_label(self, ir: IR) -> str:
        backward = " Backward" if ir["input"]["backward"] else ""
        return f"Index Scan{backward} using {self._tree_name(ir['input'])} on {self._relation(ir)}"

    # -- storage nodes -------------------------------------------------------------------------------------------

    def _storage(self, ir: IR, word: str = "Scan") -> list[str]:
        """Storage Scan and B-Tree Scan (or Lookup) lines, relative to the node's properties."""
        name = self._tree_name(ir)
        found = [f"-> Storage {word} on {name}{self._numbers(ir, ' ', storage=True)}"]
        projections = [self._column_name(ir, c) for c in ir["cols"] if c >= 0]
        if projections:
            found.append("    Projections: " + ", ".join(projections))
        residual = ir["x"]["residual"]
        if residual:
            found.append(f"    Filters: {self.condition(residual)}")
        found.append(f"    -> B-Tree {word} on {name}{self._numbers(ir, ' ', storage=True)}")
        conds = self._index_conditions(ir)
        if conds:
            found.append(f"        Index Cond: {self.condition(conds)}")
        return found

    def _column_name(self, ir: IR, place: int) -> str:
        stored = ir["x"]["path"].shape.stored[place]
        if isinstance(stored, Col):
            return ir["x"]["scan"].table.columns[stored.col].name
        return self.text(stored)

    def _index_conditions(self, ir: IR) -> list[Expr]:
        details = ir["x"]
        path = details["path"]
        found = list(path.used)
        if not found and path.bounded:
            found = [c for c in (*details["scan"].conds,) if c in details["residual"]]
        return found

    def _lookup(self, ir: IR, depth: int, inner: str) -> list[str]:
        if self._own_index(ir):
            below = [inner + line for line in self._storage(ir["input"])]
            return below + [inner + line for line in self._storage(ir, "Lookup")]
        found = [f"{inner}Join Type: {ir.get('kind', 'inner').capitalize()}"] if self.options.verbose else []
        found += self.node(ir["input"], depth + 1, None)
        pad = " " * (2 + 6 * depth)
        if ir.get("row_key") is not None:
            return found + [inner + line for line in self._storage(ir, "Lookup")]
        found.append(f"{pad}->  {self._scan_label(ir)}{self._numbers(ir, '  ')}")
        deeper = " " * (2 + 6 * (depth + 1))
        return found + [deeper + line for line in self._storage(ir)]

    # -- properties ----------------------------------------------------------------------------------------------

    def _properties(self, ir: IR) -> list[str]:
        details = ir.get("x", {})
        found: list[str] = []
        match ir["op"]:
            case "sort" if "keys" in details:
                found.append("Sort Key: " + ", ".join(self._sort_key(*key) for key in details["keys"]))
            case "aggregate" if details.get("groups"):
                found.append("Group Key: " + ", ".join(self.text(g) for g in details["groups"]))
            case "distinct":
                found.append("Group Key: " + ", ".join(self.output(ir["input"])))
            case "hash_join" if "keys" in details:
                found.append(f"Hash Cond: {self.condition(details['keys'])}")
                if details["cond"]:
                    found.append(f"Join Filter: {self.condition(details['cond'])}")
            case "nl_join" if details.get("cond") or details.get("keys"):
                found.append(f"Join Filter: {self.condition([*details['keys'], *details['cond']])}")
        if "filter" in details and ir["op"] in ("filter", "result"):
            word = "One-Time Filter" if ir["op"] == "result" else "Filter"
            found.append(f"{word}: {self.condition(details['filter'])}")
        if ir["op"] == "insert" and ir["on_conflict"] is not None:
            found.append(f"Conflict Resolution: {ir['on_conflict']['action'].upper()}")
        return found

    def _sort_key(self, expr: Expr, descending: bool, nulls_first: bool) -> str:
        text = self.text(expr) + (" DESC" if descending else "")
        if nulls_first != descending:
            text += " NULLS FIRST" if nulls_first else " NULLS LAST"
        return text

    # -- numbers -------------------------------------------------------------------------------------------------

    def _numbers(self, ir: IR, gap: str, *, storage: bool = False) -> str:
        text = ""
        rows = max(round(ir.get("est_rows", 1.0)), 1)
        if ir["op"] in ("insert", "update", "delete") and ir.get("returning") is None:
            rows = 0
        if self.options.costs:
            start, total = self.cost(ir)
            text += f"{gap}(cost={start:.2f}..{total:.2f} rows={rows} width={self.width(ir)})"
        if self.stats is not None and ir.get("id") is not None and ir["id"] < len(self.stats):
            count, loops, nanoseconds = self.stats[ir["id"]]
            average = round(count / loops) if loops else 0
            if loops == 0:
                text += " (never executed)"
            elif storage or not self.options.timing:
                text += f" (actual rows={average} loops={loops})"
            else:
                text += f" (actual time=0.000..{nanoseconds / 1e6 / loops:.3f} rows={average} loops={loops})"
        return text

    def width(self, ir: IR) -> int:
        """Estimated bytes of a row."""
        match ir["op"]:
            case "project" | "result":
                return sum(width_of(_ir_type(e)) for e in ir["exprs"])
            case "scan":
                return sum(width_of(ir["row"][c]) if c >= 0 else 16 for c in ir["cols"])
            case "lookup":
                own = sum(width_of(ir["row"][c]) if c >= 0 else 16 for c in ir["cols"])
                return own + (0 if self._own_index(ir) else self.width(ir["input"]))
            case "values" | "rows" | "srf":
                return sum(width_of(oid) for oid in ir["out"])
            case "aggregate":
                return 8 * len(ir["aggs"]) + sum(width_of(_ir_type(g)) for g in ir["groups"])
            case "insert" | "update" | "delete":
                return sum(width_of(_ir_type(e)) for e in ir.get("returning") or ())
        return sum(self.width(c) for c in self._children(ir)[:2])

    def cost(self, ir: IR) -> tuple[float, float]:
        """(start-up, total) in PostgreSQL's unit."""
        rows = ir.get("est_rows", 1.0)
        below = [self.cost(c) for c in self._children(ir)]
        match ir["op"]:
            case "result":
                return 0.0, 0.01
            case "scan":
                total = table_rows(ir["x"]["scan"].table) if "x" in ir else ROWS_DEFAULT
                start = 100.0 + 0.125 * total + (0.05 if total >= ROWS_DEFAULT else 0.03)
                if ir["key_point"] or ir["bounds"]["eq"]:
                    start = 100.0 + 0.17
                return start, start + max(ir["x"]["path"].rows if "x" in ir else rows, 1.0) * 0.0126
            case "lookup":
                return below[0][0] + 100.0, below[0][1] + 100.0 + rows * 0.05
            case "sort":
                total = below[0][1] + rows * 0.01 * log2(rows + 2)
                return total, total + rows * 0.005
            case "hash_join":
                return below[1][1], below[0][1] + below[1][1] + rows * 0.01
            case "aggregate" | "distinct":
                total = below[0][1] + rows * 0.01
                return total, total + 0.01
            case "limit":
                source = max(self._children(ir)[0].get("est_rows", 1.0), 1.0)
                return below[0][0], below[0][0] + (below[0][1] - below[0][0]) * min(rows / source, 1.0)
            case "values":
                return 0.0, 0.0125 * len(ir["rows"]) if len(ir["rows"]) > 1 else 0.01
        start = below[0][0] if below else 0.0
        return start, sum(t for _, t in below) + rows * 0.01


def _ir_type(expr: Any) -> int:
    """The type of an IR expression, as far as it says so."""
    match expr[0]:
        case "const":
            return expr[1]
        case "param" | "call" | "py" | "scalar":
            return expr[2]
        case "case":
            return expr[3]
        case "coalesce":
            return expr[2]
        case "array":
            return expr[2]
        case "col" | "nullif":
            return 0
    return 16


def _relation_count(binder: Any) -> int:
    """How many relations the statement names, subqueries' included."""
    rels: set[int] = set()
    pending = list(binder.explained)
    while pending:
        for node in walk_nodes(pending.pop()):
            if isinstance(node, Scan | VirtualRows | FunctionScan | CteScan):
                rels.add(node.rel)
            pending.extend(link.plan for link in sublinks_of(node))
    return len(rels)


def _computed(binder: Any) -> dict[tuple[int, int], Expr]:
    """What the columns of computing nodes stand for."""
    values: dict[tuple[int, int], Expr] = {}
    for plan in binder.explained:
        for node in walk_nodes(plan):
            _note(node, values)
    return values


def _note(node: Node, values: dict[tuple[int, int], Expr]) -> None:
    if isinstance(node, Project):
        values.update({(node.rel, i): e for i, e in enumerate(node.exprs_)})
    elif isinstance(node, Aggregate):
        values.update({(node.rel, i): g for i, g in enumerate(node.groups)})
        size = len(node.groups)
        for i, a in enumerate(node.aggs):
            values[(node.rel, size + i)] = AggCall(
                a.type_oid, a.fn, a.args, a.name, a.distinct, a.filter, a.order, a.star
            )
    elif isinstance(node, WindowNode):
        for i, f in enumerate(node.funcs):
            values[(node.rel, i)] = WindowCall(f.type_oid, f.fn, f.args, f.name, (), (), None, star=f.star)

"""A program's IR as the nodes EXPLAIN shows.

One IR node is not one line: a projection belongs to the node below it, so does a filter; a scan is shown with the
Storage Scan and the B-Tree Scan it consists of, a lookup as an Index Scan (of the rows of its own index) or as a Nested
Loop (Batched Join) with its inner scan, a hash join has a Hash node, UNION an Append below its HashAggregate.

    explain_tree.py    which nodes, their labels and properties
    explain_scan.py    scans, lookups and what storage does
    explain_names.py   what relations and columns are called
    explain_numbers.py their numbers

Invariants
  R1  the numbers shown for a node are those of the topmost IR node it stands for.
  R2  InitPlans and WITH queries hang on the root of the plan that uses them, SubPlans on the node that does.
  R3  what foreign keys ask for (Program.afters) is not shown, as PostgreSQL's triggers are not; the DPU estimate counts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from opendsql.catalog.names import quote_ident
from opendsql.query.deparse import Deparser, sort_key
from opendsql.query.explain_names import computed, every_node, relation_count, unique_aliases
from opendsql.query.explain_numbers import Actual, Estimate, Numbers
from opendsql.query.explain_print import Prop, Shown
from opendsql.query.explain_scan import ScanTree, condition, dropped, role
from opendsql.query.expr import BPCHAR, VARCHAR, Col, Const, Expr, SubLink
from opendsql.query.logical import Insert, Update, Values

IR = dict[str, Any]

_JOIN_WORDS = {
    "inner": "Inner", "left": "Left", "right": "Right", "full": "Full", "semi": "Semi", "anti": "Anti", "null_anti": "Anti",
}  # fmt: skip
_SETOPS = {"intersect": "Intersect", "intersect_all": "Intersect All", "except": "Except", "except_all": "Except All"}
_PLAIN = {
    "limit": "Limit", "filter": "Result", "result": "Result", "lock": "LockRows", "recursive": "Recursive Union",
    "window": "WindowAgg", "distinct_on": "Unique", "sort": "Sort",
}  # fmt: skip
_SCANS = ("cte_scan", "work_scan", "srf", "rows", "values")
_SELECTIVE = ("scan", "lookup", "hash_join", "nl_join", "apply")  # what their conditions alone need is not output
_UNMERGED = ("limit", "setop", "recursive", "lock", "distinct_on", "window", "sort", "distinct")  # a filter above stays its own


@dataclass(slots=True)
class Above:
    """The projections and filters that are shown as part of the node below them.

    ir is the topmost of them (or the node itself): its rows are the node's. output is what it yields, filter_ir the
    topmost filter, rels the relations of the projections.
    """

    ir: IR
    output: list[Expr] | None = None
    filters: tuple[Expr, ...] = ()
    filter_ir: IR | None = None
    rels: set[int] = field(default_factory=set)


class Tree(ScanTree):
    """Builds the Shown nodes of one program."""

    def __init__(
        self, ir: IR, binder: Any, options: Any, stats: list[dict[str, int]] | None, given: Sequence[str | None] = ()
    ) -> None:
        self.ir = ir
        self.binder = binder
        self.options = options
        self.numbers = Numbers(binder, options, stats)
        unique_aliases(binder)
        self.many = relation_count(binder.statement.node) > 1
        self.deparser = Deparser(binder.names, computed(binder), self.sublink_text, given)
        self.used: list[int] = []  # subplans met in the expressions printed last
        self.listed = {  # what VALUES lists have in each column
            (node.rel, i): tuple(row[i] for row in node.rows)
            for node in every_node(binder)
            if isinstance(node, Values)
            for i in range(len(node.types))
        }
        self.placed: set[int] = set()  # those whose place is found: an outer value may be named again below
        self.inits: list[int] = []  # of the plan under construction

    def root(self) -> Shown:
        """The whole plan."""
        return self._plan(self.ir["plan"], [n for n, cte in enumerate(self.ir["ctes"]) if cte["name"]])

    def _plan(self, ir: IR, ctes: Iterable[int] = ()) -> Shown:
        """A plan with the WITH queries and InitPlans that hang on its root."""
        outside, self.inits = self.inits, []
        shown = self.node(ir)
        below: list[Shown] = []
        for number in ctes:
            cte = self.ir["ctes"][number]
            below.append(self._under(f"CTE {quote_ident(cte['name'])}", cte["plan"], "InitPlan"))
        for number in sorted(self.inits):
            heading = f"InitPlan {self._plan_number(number)} (returns ${self._init_number(number)})"
            below.append(self._under(heading, self.ir["subplans"][number]["plan"], "InitPlan"))
        shown.children[:0] = below
        self.inits = outside
        return shown

    def _under(self, heading: str, ir: IR, role: str) -> Shown:
        shown = self._plan(ir)
        shown.heading, shown.role = heading, role
        shown.facts.insert(1, Prop("Subplan Name", heading, ""))
        return shown

    # -- one node ------------------------------------------------------------------------------------------------

    def node(self, ir: IR, above: Above | None = None) -> Shown:
        """The node for an IR node and everything below it."""
        above = above or Above(ir)
        if above.output is None:
            above.output = self.outputs(ir)
        if ir["op"] == "project":
            above.rels |= {ir["x"]["rel"]} if "rel" in ir.get("x", {}) else set()
            return self.node(ir["input"], above)
        if ir["op"] == "filter" and base_of(ir)["op"] not in _UNMERGED:
            above.filters = (*ir["x"]["filter"], *above.filters)
            above.filter_ir = above.filter_ir or ir
            return self.node(ir["input"], above)
        if ir["op"] in ("scan", "lookup"):
            return self.scan_node(ir, above)
        shown = Shown(self.label(ir), self.facts(ir))
        self.numbers.put(shown, self.numbers.estimate(above.ir), self.numbers.actual(above.ir))
        printer = self.upper(ir, above.rels)
        shown.props += self.output_prop(printer, above.output)
        shown.props += self._properties(ir, printer)
        shown.props += self._filtered(ir, printer, above)
        subplans = self.take_subplans()
        self._add_children(ir, shown)
        shown.children += subplans
        return shown

    def output_prop(self, printer: Deparser, output: list[Expr] | None) -> list[Prop]:
        """The Output line of VERBOSE; the subplans it uses are met either way."""
        texts = [printer.text(e) for e in output or ()]
        return [Prop("Output", texts)] if self.options.verbose and texts else []

    def take_subplans(self) -> list[Shown]:
        """The SubPlans met since the last call, InitPlans put aside for the root."""
        met = [n for n in dict.fromkeys(self.used) if n not in self.placed]
        self.used = []
        self.placed.update(met)
        found = []
        for number in met:
            if self._is_init(number):
                self.inits.append(number)
                continue
            found.append(self._under(f"SubPlan {self._plan_number(number)}", self.ir["subplans"][number]["plan"], "SubPlan"))
        return found

    def _filtered(self, ir: IR, printer: Deparser, above: Above) -> list[Prop]:
        """The filter above a node, around what a hashed aggregate says of its memory."""
        if ir["op"] in _SCANS and "rel" in ir.get("x", {}):
            printer = self.deparser.at(prefix=self.options.verbose, own=ir["x"]["rel"], here=printer.here)
        asked = self.filter_props(printer, above) if above.filters else []
        hashed = ir["op"] == "distinct" or ir["op"] == "aggregate" and bool(ir["x"]["groups"])
        return [*asked[:1], *(self._hash_memory(ir) if hashed else []), *asked[1:]]

    def filter_props(self, printer: Deparser, above: Above) -> list[Prop]:
        """Filter, and how many rows it dropped."""
        found = [Prop("Filter", condition(printer, above.filters))]
        if above.filter_ir is not None:
            counted, kept = self.numbers.counted(base_of(above.filter_ir)), self.numbers.counted(above.filter_ir)
            if counted is not None and kept is not None:
                found.append(dropped("Rows Removed by Filter", counted["rows"] - kept["rows"], counted["loops"]))
        return found

    def upper(self, ir: IR, rels: set[int] | frozenset[int] = frozenset()) -> Deparser:
        """Prints the expressions of a node above the scans; rels: of projections that are part of it."""
        own = {ir["x"]["rel"]} if ir["op"] in ("aggregate", "window", "values") and "rel" in ir.get("x", {}) else set()
        return self.deparser.at(prefix=self.many, here=frozenset(own | rels))

    def outputs(self, ir: IR) -> list[Expr]:
        """What a node yields."""
        details = ir.get("x", {})
        if ir["op"] in ("insert", "update", "delete"):
            return list(details["node"].returning or ())
        if "output" in details and ir["op"] in ("project", "result"):
            return list(details["output"])
        if ir["op"] == "recursive" or ir["op"] == "setop" and ir["kind"] == "union_all":
            return []
        types = self.binder.column_types
        columns = sorted(details.get("columns", {}), key=details.get("columns", {}).__getitem__)
        if ir["op"] in _SELECTIVE and details.get("want"):
            columns = [c for c in details["want"] if c in columns]
        return [Col(types.get(c, (0, -1))[0], *c) for c in columns if c[1] >= 0]

    # -- labels --------------------------------------------------------------------------------------------------

    def label(self, ir: IR) -> str:
        """What a node is called in the text format."""
        details = ir.get("x", {})
        match ir["op"]:
            case "hash_join":
                return f"Hash {self._join_word(ir)}Join"
            case "nl_join" | "apply":
                word = self._join_word(ir)
                return f"Nested Loop {word}Join" if word else "Nested Loop"
            case "aggregate":
                return "HashAggregate" if details.get("groups") else "Aggregate"
            case "distinct":
                return "HashAggregate"
            case "setop":
                return {"union_all": "Append", "union": "HashAggregate"}.get(ir["kind"]) or f"HashSetOp {_SETOPS[ir['kind']]}"
            case "rows":
                schema = f"{details['schema']}." if self.options.verbose else ""
                return f"Seq Scan on {schema}{details['name']}{self.alias_of(details)}"
            case "srf":
                schema = "pg_catalog." if self.options.verbose else ""
                name = details.get("name", ir["fn"])
                return f"Function Scan on {schema}{name}{self.alias_of(details)}"
            case "cte_scan" | "work_scan":
                word = "CTE Scan" if ir["op"] == "cte_scan" else "WorkTable Scan"
                return f"{word} on {quote_ident(details['name'])}{self.alias_of(details)}"
            case "insert" | "update" | "delete":
                return f"{ir['op'].capitalize()} on {self.target(ir)}"
            case "values" if len(ir["rows"]) > 1:
                alias = self.binder.names.aliases.get(details.get("rel"), "*VALUES*")
                return f"Values Scan on {quote_ident(alias or '*VALUES*')}"
            case "values":
                return "Result"
        return _PLAIN.get(ir["op"], str(ir["op"]))

    def facts(self, ir: IR) -> list[Prop]:
        """What the other formats have in place of the label."""
        details = ir.get("x", {})
        found: list[tuple[str, Any]] = []
        tail: list[tuple[str, Any]] = []
        match ir["op"]:
            case "hash_join":
                found = [("Node Type", "Hash Join")]
                tail = [("Join Type", _JOIN_WORDS[ir["kind"]])]
            case "nl_join" | "apply":
                found = [("Node Type", "Nested Loop")]
                tail = [("Join Type", _JOIN_WORDS[ir["kind"]])]
            case "aggregate" | "distinct":
                hashed = ir["op"] == "distinct" or bool(details.get("groups"))
                found = [("Node Type", "Aggregate"), ("Strategy", "Hashed" if hashed else "Plain"), ("Partial Mode", "Simple")]
            case "setop" if ir["kind"] == "union":
                found = [("Node Type", "Aggregate"), ("Strategy", "Hashed"), ("Partial Mode", "Simple")]
            case "setop" if ir["kind"] != "union_all":
                found = [("Node Type", "SetOp"), ("Strategy", "Hashed")]
                tail = [("Command", _SETOPS[ir["kind"]])]
            case "rows":
                found = [("Node Type", "Seq Scan")]
                tail = [("Relation Name", details["name"]), ("Alias", self.name_of(details["rel"]))]
            case "srf":
                found = [("Node Type", "Function Scan")]
                schema = [("Schema", "pg_catalog")] if self.options.verbose else []
                tail = [("Function Name", details.get("name", ir["fn"])), *schema, ("Alias", self.name_of(details.get("rel")))]
            case "cte_scan" | "work_scan":
                found = [("Node Type", "CTE Scan" if ir["op"] == "cte_scan" else "WorkTable Scan")]
                tail = [("CTE Name", details["name"]), ("Alias", self.name_of(details["rel"]))]
            case "insert" | "update" | "delete":
                found = [("Node Type", "ModifyTable"), ("Operation", ir["op"].capitalize())]
                tail = [("Relation Name", ir["table"]["name"]), ("Alias", self.target_alias(ir))]
                if self.options.verbose:
                    tail.insert(1, ("Schema", ir["table"]["schema"]))
            case "values" if len(ir["rows"]) > 1:
                found = [("Node Type", "Values Scan")]
                tail = [("Alias", self.name_of(details.get("rel")) or "*VALUES*")]
            case _:
                found = [("Node Type", self.label(ir))]
        if ir["op"] == "setop" and ir["kind"] == "union_all":
            tail = [("Subplans Removed", 0)]
        same = [("Parallel Aware", False), ("Async Capable", False)]
        return [Prop(name, value, "") for name, value in (*found, *same, *tail)]

    def _join_word(self, ir: IR) -> str:
        return "" if ir["kind"] == "inner" else _JOIN_WORDS[ir["kind"]] + " "

    def name_of(self, rel: int | None) -> str:
        """A relation's unique alias."""
        return self.binder.names.aliases.get(rel, "") if rel is not None else ""

    def alias_of(self, details: IR) -> str:
        """" alias" behind a relation's name, where they differ."""
        alias = self.name_of(details.get("rel"))
        return f" {quote_ident(alias)}" if alias and alias != details.get("name") else ""

    def target_alias(self, ir: IR) -> str:
        """The alias of a written table."""
        node = ir["x"]["node"]
        return self.name_of(node.rel if isinstance(node, Insert) else node.old_rel) or ir["table"]["name"]

    def target(self, ir: IR) -> str:
        """The written table as the label names it."""
        table, alias = ir["table"], self.target_alias(ir)
        name = quote_ident(table["name"])
        if self.options.verbose:
            name = f"{quote_ident(table['schema'])}.{name}"
        return name if alias == table["name"] else f"{name} {quote_ident(alias)}"

    # -- properties ----------------------------------------------------------------------------------------------

    def _properties(self, ir: IR, printer: Deparser) -> list[Prop]:
        details = ir.get("x", {})
        found: list[Prop] = []
        match ir["op"]:
            case "sort" if "keys" in details:
                found.append(Prop("Sort Key", [sort_key(printer.text(e), d, n) for e, d, n in details["keys"]]))
                found += self._sort_method(ir)
            case "aggregate" if details.get("groups"):
                below = self.deparser.at(prefix=self.many, here=frozenset(self._below_rels(ir)))
                found.append(Prop("Group Key", [below.text(g) for g in details["groups"]]))
            case "distinct":
                below = self.deparser.at(prefix=self.many, here=frozenset(self._below_rels(ir)))
                found.append(Prop("Group Key", [below.text(e) for e in self.outputs(ir["input"])]))
            case "setop" if ir["kind"] == "union":
                below = self.deparser.at(prefix=self.many, here=frozenset(self._below_rels(ir["inputs"][0])))
                found.append(Prop("Group Key", [below.text(e) for e in self.outputs(ir["inputs"][0])]))
            case "srf" if "node" in details and self.options.verbose:
                args = ", ".join(printer.text(a, True) for a in details["node"].args)
                found.append(Prop("Function Call", f"{details['name']}({args})"))
            case "hash_join" | "nl_join" | "apply" if "pairs" in details:
                found += self._join_props(ir, printer)
            case "insert":
                found += self._conflict(ir)
        if "filter" in details and ir["op"] in ("filter", "result"):
            word = "One-Time Filter" if ir["op"] == "result" else "Filter"
            found.append(Prop(word, condition(printer, details["filter"])))
            if ir["op"] == "filter":
                counted, kept = self.numbers.counted(ir["input"]), self.numbers.counted(ir)
                if counted is not None and kept is not None:
                    found.append(dropped("Rows Removed by Filter", counted["rows"] - kept["rows"], counted["loops"]))
        return found

    def _join_props(self, ir: IR, printer: Deparser) -> list[Prop]:
        details = ir["x"]
        found = []
        pairs = [f"({printer.text(a, True)} = {printer.text(b, True)})" for a, b in details["pairs"]]
        if pairs:
            found.append(Prop("Hash Cond", pairs[0] if len(pairs) == 1 else f"({' AND '.join(pairs)})"))
        if details["cond"]:
            found.append(Prop("Join Filter", condition(printer, details["cond"])))
            counted = self.numbers.counted(ir)
            if counted is not None:
                found.append(dropped("Rows Removed by Join Filter", counted["removed"], counted["loops"]))
        return found

    def _below_rels(self, ir: IR) -> set[int]:
        """Relations of the projections right below: their values are the key expressions themselves."""
        found = set()
        below = ir.get("input")
        while below is not None and below["op"] in ("project", "filter", "aggregate", "window"):
            if "rel" in below.get("x", {}):
                found.add(below["x"]["rel"])
            below = below["input"]
        if ir["op"] == "project" and "rel" in ir.get("x", {}):
            found.add(ir["x"]["rel"])
        return found

    def _sort_method(self, ir: IR) -> list[Prop]:
        counted = self.numbers.counted(ir)
        if counted is None or not counted["loops"]:
            return []
        method = "top-N heapsort" if counted["passed"] else "quicksort"
        memory = kilobytes(counted["memory"])
        return [
            Prop("Sort Method", method, f"Sort Method: {method}  Memory: {memory}kB"),
            Prop("Sort Space Used", memory, ""), Prop("Sort Space Type", "Memory", ""),
        ]  # fmt: skip

    def _hash_memory(self, ir: IR) -> list[Prop]:
        counted = self.numbers.counted(ir)
        if counted is None or not counted["loops"] or not counted["memory"]:
            return []
        memory = kilobytes(counted["memory"])
        return [
            Prop("HashAgg Batches", 1, f"Batches: 1  Memory Usage: {memory}kB"), Prop("Peak Memory Usage", memory, ""),
        ]  # fmt: skip

    def _conflict(self, ir: IR) -> list[Prop]:
        conflict, given = ir["on_conflict"], ir["x"]["node"].on_conflict
        if conflict is None:
            return []
        found = [Prop("Conflict Resolution", conflict["action"].upper())]
        arbiter = given.index.name if given.index is not None else ""
        if arbiter:
            found.append(Prop("Conflict Arbiter Indexes", [quote_ident(arbiter)]))
        if given.where is not None:
            printer = self.deparser.at(prefix=True)
            found.append(Prop("Conflict Filter", condition(printer, (given.where,))))
        counted, below = self.numbers.counted(ir), self.numbers.counted(ir["input"])
        if counted is not None and below is not None:
            found += [
                Prop("Tuples Inserted", below["rows"] - counted["removed"]), Prop("Conflicting Tuples", counted["removed"]),
            ]  # fmt: skip
        return found

    # -- children ------------------------------------------------------------------------------------------------

    def _add_children(self, ir: IR, shown: Shown) -> None:
        match ir["op"]:
            case "hash_join":
                shown.children += [role(self.node(ir["left"]), "Outer"), self._hash(ir)]
            case "nl_join" | "apply":
                shown.children += [role(self.node(ir["left"]), "Outer"), role(self.node(ir["right"]), "Inner")]
            case "setop" if ir["kind"] == "union":
                shown.children.append(self._append(ir))
            case "setop":
                shown.children += [role(self.node(child), "Member") for child in _members(ir)]
            case "recursive":
                shown.children += [role(self.node(ir["init"]), "Outer"), role(self.node(ir["step"]), "Inner")]
            case "insert" | "update" | "delete":
                shown.children.append(role(self._source(ir), "Outer"))
            case _:
                if isinstance(ir.get("input"), dict):
                    shown.children.append(role(self.node(ir["input"]), "Outer"))

    def _source(self, ir: IR) -> Shown:
        """What feeds a write: of an UPDATE's input only what SET computes is new, of a DELETE's nothing."""
        node = ir["x"]["node"]
        if isinstance(node, Insert):
            return self.node(ir["input"], Above(ir["input"], self._inserted(ir["input"], node)))
        return self.node(ir["input"], Above(ir["input"], [e for _, e in node.assign] if isinstance(node, Update) else []))

    def _inserted(self, ir: IR, node: Insert) -> list[Expr]:
        """A new row's expressions: constants as what they become in their columns, NULL where no row has a value."""
        output = self.outputs(ir)
        if len(output) != len(node.table.columns):
            return output
        found: list[Expr] = []
        for expr, column in zip(output, node.table.columns, strict=True):
            value = self.deparser.values.get(expr.id, expr) if isinstance(expr, Col) else expr
            if isinstance(expr, Col) and all(_is_null(v) for v in self.listed.get(expr.id, (expr,))):
                value = Const(column.type_oid, None)
            if isinstance(value, Const) and (value.text is None or column.type_oid in (BPCHAR, VARCHAR)):
                value = replace(value, type_oid=column.type_oid, typmod=column.typmod)
            found.append(value)
        return found

    def _hash(self, ir: IR) -> Shown:
        below = ir["right"]
        facts = [Prop("Node Type", "Hash", ""), Prop("Parallel Aware", False, ""), Prop("Async Capable", False, "")]
        shown = Shown("Hash", facts, role="Inner")
        estimate = self.numbers.estimate(below)
        self.numbers.put(shown, Estimate(estimate.total, estimate.total, estimate.rows, estimate.width), self.numbers.actual(below))
        shown.props += self.output_prop(self.upper(below), self.outputs(below))
        self.used = []
        counted = self.numbers.counted(ir)
        if counted is not None and counted["loops"]:
            buckets, memory = max(counted["buckets"], 1), kilobytes(counted["memory"])
            shown.props += [
                Prop("Hash Buckets", buckets, f"Buckets: {buckets}  Batches: 1  Memory Usage: {memory}kB"),
                Prop("Original Hash Buckets", buckets, ""), Prop("Hash Batches", 1, ""), Prop("Original Hash Batches", 1, ""),
                Prop("Peak Memory Usage", memory, ""),
            ]  # fmt: skip
        shown.children.append(role(self.node(below), "Outer"))
        return shown

    def _append(self, ir: IR) -> Shown:
        facts = [Prop("Node Type", "Append", ""), Prop("Parallel Aware", False, ""), Prop("Async Capable", False, "")]
        shown = Shown("Append", facts, role="Outer")
        estimates = [self.numbers.estimate(child) for child in ir["inputs"]]
        actuals = [found for child in ir["inputs"] if (found := self.numbers.actual(child)) is not None]
        start, total = estimates[0].start, sum(e.total for e in estimates)
        whole = None
        if actuals:
            spent = sum(a.ns or 0 for a in actuals)
            whole = Actual(sum(a.rows for a in actuals), actuals[0].loops, actuals[0].first_ns, spent)
        self.numbers.put(shown, Estimate(start, total, sum(e.rows for e in estimates), estimates[0].width), whole)
        shown.children += [role(self.node(child), "Member") for child in _members(ir)]
        return shown

    # -- subqueries ----------------------------------------------------------------------------------------------

    def sublink_text(self, link: SubLink) -> str:
        """How a subquery is named where its value is used."""
        number = self.binder.subplan_of.get(link)
        if number is None:
            return "(SubPlan)"
        self.used.append(number)
        if self._is_init(number):
            return f"${self._init_number(number)}"
        hashed = link.kind in ("any", "all") and not self.ir["subplans"][number]["params"]
        return f"({'hashed ' if hashed else ''}SubPlan {self._plan_number(number)})"

    def _is_init(self, number: int) -> bool:
        """Whether a subquery depends on nothing outside and so runs once."""
        kinds = {n: link.kind for link, n in self.binder.subplan_of.items()}
        return not self.ir["subplans"][number]["params"] and kinds.get(number) in ("scalar", "exists", "array")

    def _plan_number(self, number: int) -> int:
        return len([c for c in self.ir["ctes"] if c["name"]]) + number + 1

    def _init_number(self, number: int) -> int:
        return len([c for c in self.ir["ctes"] if c["name"]]) + sum(1 for n in range(number) if self._is_init(n))


def kilobytes(size: int) -> int:
    """Bytes as whole kilobytes, rounded up."""
    return (size + 1023) // 1024


def _members(ir: IR) -> list[IR]:
    """The inputs of a set operation; UNION ALL within UNION (ALL) is one Append."""
    found: list[IR] = []
    for child in ir["inputs"]:
        nested = ir["kind"] in ("union", "union_all") and child["op"] == "setop" and child["kind"] == "union_all"
        found += _members(child) if nested else [child]
    return found


def _is_null(expr: Expr) -> bool:
    return isinstance(expr, Const) and expr.text is None


def base_of(ir: IR) -> IR:
    """The node a filter (or several, with projections between) asks about."""
    below: IR = ir["input"]
    while below["op"] in ("project", "filter"):
        below = below["input"]
    return below

"""Scans and lookups as EXPLAIN shows them: what the query processor does, then what storage does for it.

    Index Only Scan using t_pkey on t          the query processor: Filter
      -> Storage Scan on t_pkey                storage: Projections, Filters, Rows Filtered
          -> B-Tree Scan on t_pkey             its tree: Index Cond

    Index Only Scan ... Index Cond: (id = ANY ('{1,2}'))   also where a lookup runs over the elements of an array parameter
    Full Scan       the whole table, with no key to speak of or a condition to filter by
    Index Scan      an index for the keys (Storage Scan), the table for the rows (Storage Lookup)
    Nested Loop (Batched Join)   the inner side read by key for a batch of outer rows at a time: one loop per batch

A predicate lands in Index Cond, Filters or Filter (pushdown.py). In a batched join, what is bound by the outer row is
the Recheck Cond, what else compares both sides the Join Filter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from opendsql.catalog.names import quote_ident
from opendsql.guesses import choice
from opendsql.query.deparse import Deparser
from opendsql.query.explain_numbers import Actual
from opendsql.query.explain_print import Prop, Shown
from opendsql.query.expr import BOOL, Call, Col, Expr, conjunction
from opendsql.query.parts import Part

if TYPE_CHECKING:
    from opendsql.query.explain_tree import Above

IR = dict[str, Any]

_KINDS = {"inner": "Inner", "left": "Left", "semi": "Semi", "anti": "Anti"}


def condition(printer: Deparser, conds: Iterable[Expr]) -> str:
    """A list of conditions as one."""
    whole = conjunction(tuple(conds))
    assert whole is not None
    return printer.text(whole)


def dropped(name: str, rows: int, loops: int) -> Prop:
    """Rows a condition dropped, per loop; the text format leaves zero out."""
    each = round(rows / max(loops, 1))
    return Prop(name, each) if each else Prop(name, 0, "")


def role(shown: Shown, name: str) -> Shown:
    """The node with its place under its parent."""
    shown.role = name
    return shown


class ScanTree(Part):
    """The part of Tree that shows scans and lookups."""

    def scan_node(self, ir: IR, above: Above) -> Shown:
        """A scan, an index scan with its lookup, or a batched join."""
        if ir["op"] == "scan" or "driven" in ir["x"]:
            return self._scan(ir, above)
        if own_index(ir):
            return self._index_scan(ir, above)
        return self._batched_join(ir, above)

    # -- the three shapes ----------------------------------------------------------------------------------------

    def _scan(self, ir: IR, above: Above) -> Shown:
        shown = self._labelled(ir, ir)
        self.numbers.put(shown, self.numbers.estimate(above.ir), self.numbers.actual(above.ir))
        self._own_props(shown, ir, [ir], above)
        subplans = self.take_subplans()
        shown.children += [self._storage(ir, "Scan"), *subplans]
        return shown

    def _index_scan(self, ir: IR, above: Above) -> Shown:
        index = ir["input"]
        shown = self._labelled(index, ir)
        self.numbers.put(shown, self.numbers.estimate(above.ir), self.numbers.actual(above.ir))
        self._own_props(shown, ir, [index, ir], above)
        subplans = self.take_subplans()
        shown.children += [self._storage(index, "Scan"), self._storage(ir, "Lookup"), *subplans]
        return shown

    def _batched_join(self, ir: IR, above: Above) -> Shown:
        index = ir["input"] if ir.get("row_key") is not None and joins_index(ir) else ir
        parts = [index] if index is ir else [index, ir]
        outer, kind = index["input"], index["kind"]
        shown = Shown("Nested Loop (Batched Join)", _facts("Nested Loop", [("Join Type", _KINDS[kind])]))
        self.numbers.put(shown, self.numbers.estimate(above.ir), self.numbers.actual(above.ir))
        printer = self.upper(ir)
        shown.props += self.output_prop(printer, above.output)
        if kind != "inner":
            shown.props.append(Prop("Join Type", _KINDS[kind], f"Join Type: {_KINDS[kind]}"))
        scan_printer = self.scan_printer(ir)
        if index_conditions(index):
            shown.props.append(Prop("Recheck Cond", condition(scan_printer, index_conditions(index))))
        late = [c for part in parts for c in late_conditions(part)]
        joining = any(part["x"]["joins"] for part in parts)
        if late and joining:
            shown.props.append(Prop("Join Filter", condition(printer, late)))
            shown.props += self._removed("Rows Removed by Join Filter", parts)
        if above.filters:
            shown.props += self.filter_props(printer, above)
        subplans = self.take_subplans()
        inner = self._inner(ir, index, [] if joining else late)
        shown.children += [role(self.node(outer), "Outer"), role(inner, "Inner"), *subplans]
        return shown

    def _inner(self, ir: IR, index: IR, late: list[Expr]) -> Shown:
        """The inner side of a batched join."""
        shown = self._labelled(index, ir)
        self.numbers.put(shown, self.numbers.inner_estimate(index), self._inner_actual(ir, index, bool(late)))
        stored = ir["x"]["path"].shape.stored
        shown.props += self.output_prop(self.upper(ir), [stored[c] for c in ir["cols"] if c >= 0])
        if choice("explain_index_cond_above") and index_conditions(index):
            shown.props.append(Prop("Index Cond", condition(self.scan_printer(ir), index_conditions(index))))
        if late:
            shown.props.append(Prop("Filter", condition(self.scan_printer(ir), late)))
            shown.props += self._removed("Rows Removed by Filter", [index] if index is ir else [index, ir])
        shown.children.append(self._storage(index, "Scan"))
        if index is not ir:
            shown.children.append(self._storage(ir, "Lookup"))
        return shown

    def _inner_actual(self, ir: IR, index: IR, filters_inner: bool) -> Actual | None:
        found = self.numbers.inner(ir, filters_inner)
        if found is None or index is ir:
            return found
        keys = self.numbers.inner(index, False)
        return Actual(found.rows, keys.loops, keys.ns + found.ns, keys.ns + found.ns)

    # -- labels --------------------------------------------------------------------------------------------------

    def _labelled(self, ir: IR, rows: IR) -> Shown:
        """The node's label; ir is the scan that finds the rows, `rows` the one that yields them."""
        details = ir["x"]
        table, alias = details["scan"].table, self.name_of(details["scan"].rel)
        name = quote_ident(table.name)
        if self.options.verbose:
            name = f"{quote_ident(table.schema)}.{name}"
        if alias != table.name:
            name += f" {quote_ident(alias)}"
        schema = [("Schema", table.schema)] if self.options.verbose else []
        relation = [("Relation Name", table.name), *schema, ("Alias", alias)]
        if is_full(ir):
            return Shown(f"Full Scan (btree-table) on {name}", _facts("Full Scan (btree-table)", relation))
        kind = "Index Only Scan" if rows is ir else "Index Scan"
        backward = " Backward" if ir["backward"] else ""
        direction = [("Scan Direction", "Backward" if backward else "Forward"), ("Index Name", tree_name(ir))]
        title = f"{kind}{backward} using {quote_ident(tree_name(ir))} on {name}"
        return Shown(title, _facts(kind, [*direction, *relation]))

    def scan_printer(self, ir: IR) -> Deparser:
        """Prints a scan's conditions: its own columns bare, all others with their relation."""
        return self.deparser.at(own=ir["x"]["scan"].rel)

    # -- properties ----------------------------------------------------------------------------------------------

    def _own_props(self, shown: Shown, ir: IR, parts: list[IR], above: Above) -> None:
        """Output and what the query processor filters."""
        printer = self.scan_printer(ir).at(own=ir["x"]["scan"].rel, here=frozenset(above.rels))
        shown.props += self.output_prop(self.deparser.at(prefix=self.many, here=frozenset(above.rels)), above.output)
        if choice("explain_index_cond_above") and index_conditions(parts[0]):
            shown.props.append(Prop("Index Cond", condition(printer, index_conditions(parts[0]))))
        late = [c for part in parts for c in late_conditions(part)]
        if late and not above.filters:
            shown.props.append(Prop("Filter", condition(printer, late)))
            shown.props += self._removed("Rows Removed by Filter", parts)
        elif above.filters:
            above.filters = (*late, *above.filters)
            props = self.filter_props(printer, above)
            shown.props += props[:1]
            counted = [p.value for p in (*props[1:], *self._removed("Rows Removed by Filter", parts))]
            if counted:
                shown.props.append(dropped("Rows Removed by Filter", sum(counted), 1))

    def _removed(self, name: str, parts: list[IR]) -> list[Prop]:
        """What the parts' late conditions dropped."""
        counted = [c for part in parts if (c := self.numbers.counted(part)) is not None]
        if not counted:
            return []
        loops = counted[0]["batches"] if parts[0]["op"] == "lookup" and name.endswith("by Filter") else counted[0]["loops"]
        return [dropped(name, sum(c["removed"] for c in counted), loops)]

    # -- storage -------------------------------------------------------------------------------------------------

    def _storage(self, ir: IR, word: str) -> Shown:
        """Storage Scan with its B-Tree Scan, or the same of a Lookup."""
        details, printer = ir["x"], self.scan_printer(ir)
        name = details["scan"].table.name if word == "Lookup" or is_full(ir) else tree_name(ir)
        node, tree = self._storage_node(f"Storage {word}", name), self._storage_node(f"B-Tree {word}", name)
        sent, given = self.numbers.storage(ir)
        for shown, estimate, actual in zip((node, tree), self.numbers.storage_estimates(ir), (sent, given), strict=True):
            self.numbers.put(shown, estimate, actual)
        projections = [self._column_name(ir, c, printer) for c in ir["cols"] if c >= 0]
        if projections:
            node.props.append(Prop("Projections", projections))
        filters = [c for c in details["pushed"] if c not in details["path"].bounding]
        if filters:
            node.props.append(Prop("Filters", condition(printer, filters)))
            counted = self.numbers.counted(ir)
            if counted is not None:
                loops = max(given.loops, 1)
                node.props.append(Prop("Rows Filtered", round((counted["entries"] - counted["passed"]) / loops)))
        conds = index_conditions(ir)
        if conds:
            tree.props.append(Prop("Index Cond", condition(printer, conds)))
        node.children.append(tree)
        return node

    def _storage_node(self, kind: str, name: str) -> Shown:
        facts = [Prop("Node Type", kind, ""), Prop("Relation Name", name, "")]
        return Shown(f"{kind} on {quote_ident(name)}", facts, role="Outer", is_storage=True)

    def _column_name(self, ir: IR, place: int, printer: Deparser) -> str:
        stored = ir["x"]["path"].shape.stored[place]
        if isinstance(stored, Col):
            return quote_ident(ir["x"]["scan"].table.columns[stored.col].name)
        return printer.text(stored)


def is_full(ir: IR) -> bool:
    """Whether a scan reads the whole table for want of a key: it has none, or storage filters every row."""
    path, table = ir["x"]["path"], ir["x"]["scan"].table
    whole = ir["op"] == "scan" and path.shape.index is None and not path.bounded and not ir["x"].get("ordered")
    return whole and (table.primary_key is None or ir["filter"] is not None)


def tree_name(ir: IR) -> str:
    """What the tree a scan reads is called."""
    index, table = ir["x"]["path"].shape.index, ir["x"]["scan"].table
    if index is not None:
        return str(index.name)
    return str(table.primary_key.name if table.primary_key is not None else table.name)


def own_index(ir: IR) -> bool:
    """Whether a lookup only fetches the rows of the index scan right below it."""
    below = ir["input"]
    return ir.get("row_key") is not None and below["op"] == "scan" and below["table_oid"] == ir["table_oid"]


def joins_index(ir: IR) -> bool:
    """Whether a lookup by row key only fetches the rows of the index lookup right below it."""
    below = ir["input"]
    return below["op"] == "lookup" and below["table_oid"] == ir["table_oid"] and bool(below["index_oid"])


def index_conditions(ir: IR) -> list[Expr]:
    """The conditions that bound a scan's tree."""
    path = ir["x"]["path"]
    if "driven" in ir["x"]:
        return [ir["x"]["driven"]]
    found = [c for c in path.bounding if not _is_pattern(c)]
    if len(found) < len(path.bounding):
        key = path.shape.keys[len(path.eq)] if len(path.eq) < len(path.shape.keys) else None
        for bound, op in ((path.lo, ">="), (path.hi, "<")):
            if bound is not None and key is not None:
                found.append(Call(BOOL, "", (key, bound[0]), op, operator=True))
    return list(dict.fromkeys(found))


def late_conditions(ir: IR) -> list[Expr]:
    """What the query processor filters by, but for what the bounds say already."""
    bounding = [c for c in ir["x"]["path"].bounding if not _is_pattern(c)]
    return [c for c in ir["x"]["late"] if c not in bounding]


def _is_pattern(cond: Expr) -> bool:
    """Whether a condition bounds a tree by what it implies: the prefix of a pattern."""
    return isinstance(cond, Call) and cond.name in ("~~", "^@")


def _facts(kind: str, tail: list[tuple[str, str]]) -> list[Prop]:
    found: list[tuple[str, Any]] = [("Node Type", kind), ("Parallel Aware", False), ("Async Capable", False), *tail]
    return [Prop(name, value, "") for name, value in found]

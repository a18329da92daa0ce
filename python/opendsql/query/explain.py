"""EXPLAIN: the plan in DSQL's words.

A scan is shown as DSQL shows it: what it is, then the Storage Scan below it (projections, filters pushed to storage) and
the B-Tree Scan below that (index condition); a secondary index that needs the table adds a Storage Lookup. Everything
else is PostgreSQL's. Storage nodes hang on an arrow with one blank, PostgreSQL's own on one with two.

    Index Only Scan using t_pkey on public.t  (cost=...)
      Output: id, v
      -> Storage Scan on t_pkey (cost=...)
          Projections: id, v
          Filters: (v = 1)
          -> B-Tree Scan on t_pkey (cost=...)
              Index Cond: (id > 5)
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import pgparse

from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError
from opendsql.query import gate
from opendsql.query.deparse import width_of
from opendsql.query.explain_node import Renderer
from opendsql.query.params import Params
from opendsql.query.parse import Statement

_FORMATS = ("text", "json", "xml", "yaml")
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_READ_DPU, _WRITE_DPU = 0.00000183105, 0.00004883
_READ_MINIMUM, _WRITE_MINIMUM = 0.00375, 0.05


@dataclass(slots=True)
class Options:
    """Options of one EXPLAIN."""

    analyze: bool = False
    verbose: bool = False
    costs: bool = True
    timing: bool = True
    summary: bool | None = None
    format: str = "text"


def plan_explain(planner: Any, statement: Statement, request: Any) -> Any:
    """The Planned of an EXPLAIN."""
    from opendsql.query.planner import Planned

    options = read_options(statement)
    ((kind, node),) = statement.node["query"].items()
    inner = Statement(kind, node, statement.text, statement.start, statement.end)
    gate.check_statement(inner)
    if kind not in gate.PLANNED:
        raise gate.unsupported_statement(kind)
    session = getattr(request, "session", None)
    declared = list(getattr(request, "param_oids", None) or ())
    started = time.perf_counter()
    ir, binder = planner.program_ir(inner, session, Params(declared), explaining=True)
    planning = time.perf_counter() - started
    program = planner.compile(ir) if options.analyze else None

    def run(session: Any, params: list[str | None]) -> PyResult:
        stats: dict[str, Any] = {}
        elapsed = 0.0
        if options.analyze:
            begun = time.perf_counter()
            session.execute(program, params, stats=stats)
            elapsed = time.perf_counter() - begun
        lines = explain_lines(ir, binder, options, stats.get("nodes"), planning, elapsed, statement)
        oid = 114 if options.format == "json" else 25
        return PyResult("EXPLAIN", [("QUERY PLAN", oid)], [(line,) for line in lines])

    columns = [("QUERY PLAN", 114 if options.format == "json" else 25, -1, 0, 0)]
    return Planned(
        python=run, columns=columns, param_oids=ir["params"], cacheable=False, tag="EXPLAIN", ir=ir,
        writes=ir["writes"] and options.analyze, tables=tuple(ir["tables"]),
    )  # fmt: skip


def read_options(statement: Statement) -> Options:
    """The options of an EXPLAIN statement."""
    options = Options()
    for item in statement.node.get("options", ()):
        option = item["DefElem"]
        name = option["defname"].lower()
        position = statement.position(option.get("location", 0))
        if name == "format":
            value = option["arg"]["String"]["sval"].lower()
            if value not in _FORMATS:
                raise DsqlError(
                    "22023", f'unrecognized value for EXPLAIN option "format": "{value}"', position=position
                )
            if value in ("xml", "yaml"):
                raise DsqlError("0A000", f"EXPLAIN FORMAT {value.upper()} not supported")
            options.format = value
        elif name in ("analyze", "verbose", "costs", "timing", "summary"):
            setattr(options, name, _boolean(option, name))
        elif name not in ("buffers", "settings", "wal", "generic_plan", "memory", "serialize"):
            raise DsqlError("42601", f'unrecognized EXPLAIN option "{name}"', position=position)
    return options


def _boolean(option: dict[str, Any], name: str) -> bool:
    arg = option.get("arg")
    if arg is None:
        return True
    ((kind, body),) = arg.items()
    if kind == "Integer":
        return bool(body.get("ival", 0))
    if kind == "Boolean":
        return bool(body.get("boolval"))
    text = body.get("sval", "").lower()
    if text in ("true", "on", "1"):
        return True
    if text in ("false", "off", "0"):
        return False
    raise DsqlError("42601", f"{name} requires a Boolean value")


def explain_lines(
    ir: dict[str, Any], binder: Any, options: Options, stats: Any, planning: float, elapsed: float, statement: Statement
) -> list[str]:
    """The rows of the answer."""
    renderer = Renderer(ir, binder, options, stats)
    if options.format == "json":
        return [json.dumps([{"Plan": renderer.tree(ir["plan"])}], indent=2)]
    lines = renderer.lines()
    if options.verbose:
        lines.append(f"Query Identifier: {query_identifier(statement)}")
    if options.summary or (options.summary is None and options.analyze):
        lines.append(f"Planning Time: {planning * 1000:.3f} ms")
    if options.analyze and options.summary is not False:
        lines.append(f"Execution Time: {elapsed * 1000:.3f} ms")
    if options.analyze and options.verbose:
        lines += _dpu(ir, stats or [], planning + elapsed)
    return lines


def query_identifier(statement: Statement) -> str:
    """Thirteen base32 characters that name the statement's shape."""
    try:
        number = int(pgparse.fingerprint(statement.own_text), 16)
    except pgparse.PGQueryError:
        number = 0
    digits = ""
    for _ in range(13):
        digits = _BASE32[number & 31] + digits
        number >>= 5
    return digits


def _dpu(ir: dict[str, Any], stats: Any, seconds: float) -> list[str]:
    """The tail that estimates Distributed Processing Units."""
    from opendsql.query.planner import child_nodes

    read = write = 0.0
    stack = [ir["plan"], *(s["plan"] for s in ir["subplans"]), *(c["plan"] for c in ir["ctes"])]
    while stack:
        node = stack.pop()
        stack.extend(child_nodes(node))
        number = node.get("id")
        rows, loops = (stats[number][0], stats[number][1]) if number is not None and number < len(stats) else (0, 0)
        if node["op"] in ("scan", "lookup"):
            width = sum(width_of(node["row"][c]) if c >= 0 else 16 for c in node["cols"])
            read += max(rows * max(width, 1), 128 * loops)
        elif node["op"] in ("insert", "update", "delete"):
            below = child_nodes(node)[0].get("id")
            count = stats[below][0] if below is not None and below < len(stats) else 0
            width = sum(width_of(oid) for oid in node["table"]["row"])
            write += count * (max(width, 128) + 128 * len(node["table"]["indexes"]))
    compute, reads, writes = seconds, read * _READ_DPU, write * _WRITE_DPU
    total = compute + reads + writes
    return [
        "Statement DPU Estimate:",
        f"  Compute: {compute:.5f} DPU",
        f"  Read: {reads:.5f} DPU{_minimum(reads, _READ_MINIMUM)}",
        f"  Write: {writes:.5f} DPU{_minimum(writes, _WRITE_MINIMUM)}",
        f"  Total: {total:.5f} DPU",
    ]


def _minimum(value: float, minimum: float) -> str:
    return f" (Transaction minimum: {minimum:.5f})" if 0 < value < minimum else ""

"""EXPLAIN: the plan in DSQL's words, its numbers, and under ANALYZE VERBOSE what it would have cost.

    Index Only Scan using t_pkey on public.t  (cost=...) (actual time=... rows=2 loops=1)
      Output: id, v
      -> Storage Scan on t_pkey (cost=...) (actual rows=2 loops=1)
          Projections: id, v
          Filters: (v = 1)
          Rows Filtered: 3
          -> B-Tree Scan on t_pkey (cost=...) (actual rows=5 loops=1)
              Index Cond: (id > 5)
    Query Identifier: qymgw1m77maoe
    Planning Time: 0.107 ms
    Execution Time: 0.093 ms
    Statement DPU Estimate: ...

explain_tree.py and explain_scan.py say which nodes are shown, explain_numbers.py what stands in their parentheses,
explain_print.py writes the formats. EXPLAIN ANALYZE runs the very program it shows, so a write really writes and commits
or not as the statement itself would.

The DPU estimate follows the published formulas: seconds of processing, bytes read (at least 128 a storage read, the
uniqueness checks of writes included), bytes written (at least 128 for each row and index entry), counted by dsql_core.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pgparse

from opendsql import limits
from opendsql.catalog import versions
from opendsql.catalog.ddl.refusals import refusal
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError
from opendsql.guesses import choice
from opendsql.query import gate
from opendsql.query.explain_print import Figure, Prop, Shown, document, text_lines, to_json, to_xml, to_yaml
from opendsql.query.explain_tree import Tree
from opendsql.query.params import Params
from opendsql.query.parse import Statement

_TYPES = {"text": 25, "json": 114, "xml": 142, "yaml": 25}  # of the answer's column
_FORMATS = {name: _TYPES[name] for name in ("text", *choice("explain_formats"))}
_SWITCHES = ("analyze", "verbose", "costs", "timing", "summary", "buffers", "settings", "wal", "generic_plan")
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(slots=True)
class Options:
    """Options of one EXPLAIN."""

    analyze: bool = False
    verbose: bool = False
    costs: bool = True
    timing: bool | None = None
    summary: bool | None = None
    buffers: bool = False
    settings: bool = False
    wal: bool = False
    generic_plan: bool = False
    format: str = "text"


def plan_explain(planner: Any, statement: Statement, request: Any) -> Any:
    """The Planned of an EXPLAIN."""
    from opendsql.query.planner import Planned

    options = read_options(statement)
    ((kind, node),) = statement.node["query"].items()
    inner = Statement(kind, node, statement.text, statement.start, statement.end)
    gate.check_statement(inner)
    if kind not in gate.PLANNED:
        raise refusal(kind)
    session = getattr(request, "session", None)
    declared = list(getattr(request, "param_oids", None) or ())
    started = time.perf_counter()
    ir, binder = planner.program_ir(inner, session, Params(list(declared)), explaining=True)
    planning = time.perf_counter() - started
    program = planner.compile(ir, session) if options.analyze else None

    def run(session: Any, params: list[str | None]) -> PyResult:
        versions.use(session, ir["names"])
        stats: dict[str, Any] = {"timing": options.timing, "discard": True}
        elapsed = 0.0
        if options.analyze:
            begun = time.perf_counter()
            session.execute(program, params, stats=stats)
            elapsed = time.perf_counter() - begun
        shown = Tree(ir, binder, options, stats.get("nodes"), () if options.generic_plan else params).root()
        rows = explain_rows(shown, options, stats.get("nodes"), planning, elapsed, inner)
        return PyResult("EXPLAIN", [("QUERY PLAN", _FORMATS[options.format])], [(row,) for row in rows])

    columns = [("QUERY PLAN", _FORMATS[options.format], -1, 0, 0)]
    return Planned(
        python=run, columns=columns, param_oids=declared if options.generic_plan else ir["params"], cacheable=False,
        tag="EXPLAIN", ir=ir, writes=ir["writes"] and options.analyze, tables=tuple(ir["tables"]),
    )  # fmt: skip


# -- options ------------------------------------------------------------------------------------------------------------


def read_options(statement: Statement) -> Options:
    """The options of an EXPLAIN statement, by PostgreSQL 16's rules."""
    options = Options()
    for item in statement.node.get("options", ()):
        option = item["DefElem"]
        name = option["defname"]
        position = statement.position(option.get("location", 0))
        if name == "format":
            options.format = _format(option, position)
        elif name in _SWITCHES:
            setattr(options, name, _boolean(option, name))
        else:
            raise DsqlError("42601", f'unrecognized EXPLAIN option "{name}"', position=position)
    if options.wal and not options.analyze:
        raise DsqlError("22023", "EXPLAIN option WAL requires ANALYZE")
    if options.timing and not options.analyze:
        raise DsqlError("22023", "EXPLAIN option TIMING requires ANALYZE")
    if options.generic_plan and options.analyze:
        raise DsqlError("22023", "EXPLAIN options ANALYZE and GENERIC_PLAN cannot be used together")
    if options.timing is None:
        options.timing = options.analyze
    if options.summary is None:
        options.summary = options.analyze
    return options


def _format(option: dict[str, Any], position: int | None) -> str:
    if "arg" not in option:
        raise DsqlError("42601", "format requires a parameter")
    ((_, body),) = option["arg"].items()
    value = str(body.get("sval", body.get("ival", body.get("fval", ""))))
    if value not in _FORMATS:
        raise DsqlError("22023", f'unrecognized value for EXPLAIN option "format": "{value}"', position=position)
    return value


def _boolean(option: dict[str, Any], name: str) -> bool:
    if "arg" not in option:
        return True
    ((kind, body),) = option["arg"].items()
    value = str(body.get("ival", 0)) if kind == "Integer" else str(body.get("sval", body.get("boolval", ""))).lower()
    if value in ("1", "true", "on") and (kind == "Integer") == (value == "1"):
        return True
    if value in ("0", "false", "off") and (kind == "Integer") == (value == "0"):
        return False
    raise DsqlError("42601", f"{name} requires a Boolean value")


# -- the answer ---------------------------------------------------------------------------------------------------------


def explain_rows(
    shown: Shown, options: Options, stats: Any, planning: float, elapsed: float, statement: Statement
) -> list[str]:
    """The rows of the answer: the lines of a text, or one document."""
    tail: list[Prop] = []
    if options.verbose:
        tail.append(Prop("Query Identifier", query_identifier(statement)))
    if options.summary:
        spent = Figure(f"{planning * 1000:.3f}")
        tail.append(Prop("Planning Time", spent, f"Planning Time: {spent} ms"))
    if options.analyze:
        tail.append(Prop("Triggers", [], ""))
    if options.analyze and options.summary:
        spent = Figure(f"{elapsed * 1000:.3f}")
        tail.append(Prop("Execution Time", spent, f"Execution Time: {spent} ms"))
    if options.format != "text":
        write = {"json": to_json, "xml": to_xml, "yaml": to_yaml}[options.format]
        return [write(document(shown, tail))]
    lines = text_lines(shown)
    lines += [line for p in tail if (line := f"{p.name}: {p.value}" if p.text is None else p.text)]
    if options.analyze and options.verbose:
        lines += dpu_lines(stats, planning + elapsed)
    return lines


def query_identifier(statement: Statement) -> str:
    """Thirteen base32 characters that name the statement's shape."""
    text = statement.own_text
    try:
        number = int(pgparse.fingerprint(text), 16)
    except pgparse.PGQueryError:
        number = 0
    digits = ""
    for _ in range(13):
        digits = _BASE32[number & 31] + digits
        number >>= 5
    return digits


def dpu_lines(stats: list[dict[str, int]], seconds: float) -> list[str]:
    """The Statement DPU Estimate: Distributed Processing Units by the published factors, without transaction minimums.

    Args:
        stats: counters of every plan node; seconds: spent on planning and execution.
    """
    read = sum(node["read_bytes"] for node in stats) * limits.DPU_PER_BYTE_READ
    write = sum(node["write_bytes"] for node in stats) * limits.DPU_PER_BYTE_WRITTEN
    compute = seconds * limits.DPU_PER_SECOND
    return [
        "Statement DPU Estimate:",
        f"  Compute: {compute:.5f} DPU",
        f"  Read: {read:.5f} DPU{_minimum(read, limits.DPU_READ_MIN)}",
        f"  Write: {write:.5f} DPU{_minimum(write, limits.DPU_WRITE_MIN)}",
        f"  Total: {compute + read + write:.5f} DPU",
    ]


def _minimum(value: float, minimum: float) -> str:
    return f" (Transaction minimum: {minimum:.5f})" if 0 < value < minimum else ""

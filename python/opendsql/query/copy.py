"""COPY: the statement's options checked and its rows given a program.

    COPY t [(cols)] FROM STDIN     an INSERT of one row whose values are parameters, executed per line by the gateway
    COPY t [(cols)] TO STDOUT      SELECT of the columns
    COPY (query) TO STDOUT         the query

Values travel as text (or binary) of the columns' types; the parameter types say which.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from opendsql.catalog.ddl import refusals
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says
from opendsql.query.parse import Statement

Node = dict[str, Any]
_FORMATS = ("text", "csv", "binary")


@dataclass(slots=True)
class CopyPlan:
    """How the gateway runs a COPY."""

    direction: str  # 'from' | 'to'
    program: Any
    columns: list[tuple[str, int]] = field(default_factory=list)  # (name, type oid)
    table: str = ""
    format: str = "text"
    delimiter: str = "\t"
    null: str = "\\N"
    header: bool = False
    header_match: bool = False
    quote: str = '"'
    escape: str = '"'
    default: str | None = None
    force_quote: Any = ()  # column names, or '*'
    force_not_null: Any = ()
    force_null: Any = ()
    encoding: str | None = None
    ir: Any = None


def plan_copy(planner: Any, statement: Statement, request: Any) -> Any:
    """The Planned of a CopyStmt."""
    from opendsql.query.planner import Planned

    node = statement.node
    is_from = bool(node.get("is_from"))
    if node.get("is_program"):
        raise unsupported(says("copy_refusal", what="COPY with PROGRAM"))
    if "filename" in node:
        raise unsupported(says("copy_refusal", what="COPY with a file"))
    plan = CopyPlan("from" if is_from else "to", None)
    _options(plan, node, statement)
    if is_from and "whereClause" in node:
        raise unsupported(says("copy_refusal", what="COPY FROM with WHERE"))
    target = _target(node, is_from, planner, request)
    ir, binder = planner.program_ir(target, getattr(request, "session", None), _params())
    plan.program, plan.ir = planner.compile(ir), ir
    if is_from:
        plan.table = node["relation"]["relname"]
        plan.columns = _insert_columns(node, binder)
    else:
        plan.columns = [(name, oid) for name, oid, *_ in ir["columns"]]
        plan.table = node.get("relation", {}).get("relname", "")
    return Planned(copy=plan, cacheable=False, tag="COPY", writes=is_from, ir=ir, tables=tuple(ir["tables"]))


def _params() -> Any:
    from opendsql.query.params import Params

    return Params()


def _target(node: Node, is_from: bool, planner: Any, request: Any) -> Statement:
    """The SELECT or INSERT that stands behind the COPY."""
    if "query" in node:
        ((kind, query),) = node["query"].items()
        if kind not in ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"):
            raise refusals.refusal(kind)
        return Statement(kind, query, "")
    names = [n["String"].get("sval", "") for n in node.get("attlist", ())]
    relation = node["relation"]
    if not is_from:
        fields = [[{"String": {"sval": n}}] for n in names] or [[{"A_Star": {}}]]
        targets = [{"ResTarget": {"val": {"ColumnRef": {"fields": f, "location": -1}}, "location": -1}} for f in fields]
        query = {"targetList": targets, "fromClause": [{"RangeVar": relation}], "op": "SETOP_NONE"}
        return Statement("SelectStmt", query, "")
    catalog = planner.catalog_provider(getattr(request, "session", None))
    if not names:
        names = [c.name for c in _copy_columns(catalog, relation, request)]
    cols = [{"ResTarget": {"name": n, "location": -1}} for n in names]
    values = [{"ParamRef": {"number": i + 1, "location": -1}} for i in range(len(names))]
    source = {"SelectStmt": {"valuesLists": [{"List": {"items": values}}], "op": "SETOP_NONE"}}
    insert: Node = {"relation": relation, "cols": cols, "selectStmt": source, "override": "OVERRIDING_SYSTEM_VALUE"}
    return Statement("InsertStmt", insert, "")


def _copy_columns(catalog: Any, relation: Node, request: Any) -> list[Any]:
    from opendsql.query.planner import search_path_of

    path = search_path_of(getattr(request, "session", None))
    found = catalog.find(relation["relname"], relation.get("schemaname"), path)
    if found is None:
        schema = relation.get("schemaname")
        shown = f"{schema}.{relation['relname']}" if schema else relation["relname"]
        raise DsqlError("42P01", f'relation "{shown}" does not exist')
    if not hasattr(found, "live_columns"):
        raise DsqlError("42809", f'cannot copy to view "{found.name}"')
    return [c for c in found.live_columns if c.generated is None]


def _insert_columns(node: Node, binder: Any) -> list[tuple[str, int]]:
    table = next(iter(binder.tables.values()))
    names = [n["String"].get("sval", "") for n in node.get("attlist", ())]
    if not names:
        names = [c.name for c in table.live_columns if c.generated is None]
    return [(n, table.column(n).type_oid) for n in names]


def _options(plan: CopyPlan, node: Node, statement: Statement) -> None:
    seen: set[str] = set()
    given: dict[str, Any] = {}
    for item in node.get("options", ()):
        option = item["DefElem"]
        name = option["defname"]
        if name in seen:
            raise DsqlError(
                "42601", "conflicting or redundant options", position=statement.position(option.get("location", 0))
            )
        seen.add(name)
        given[name] = _value(option.get("arg"))
        if name == "freeze" and given[name] not in ("false", "off", "0"):
            raise unsupported(says("copy_refusal", what="COPY FREEZE"))
    plan.format = str(given.pop("format", "text"))
    if plan.format not in _FORMATS:
        raise DsqlError("22023", f'COPY format "{plan.format}" not recognized')
    if plan.format == "csv":
        plan.delimiter, plan.null = ",", ""
    for name, value in given.items():
        match name:
            case "delimiter":
                if len(value) != 1:
                    raise DsqlError("0A000", "COPY delimiter must be a single one-byte character")
                plan.delimiter = value
            case "null":
                plan.null = value
            case "header":
                plan.header_match = value == "match"
                plan.header = value in ("true", "on", "1", "match", None)
            case "quote" | "escape":
                if plan.format != "csv":
                    raise DsqlError("0A000", f"COPY {name} available only in CSV mode")
                if len(value) != 1:
                    raise DsqlError("0A000", f"COPY {name} must be a single one-byte character")
                setattr(plan, name, value)
                if name == "quote" and "escape" not in given:
                    plan.escape = value
            case "force_quote" | "force_not_null" | "force_null":
                setattr(plan, name, value)
            case "encoding" | "default":
                setattr(plan, name, value)
            case "freeze":
                pass
            case _:
                raise DsqlError("42601", f'option "{name}" not recognized')


def _value(arg: Node | None) -> Any:
    if arg is None:
        return None
    ((kind, body),) = arg.items()
    match kind:
        case "String":
            return body.get("sval", "")
        case "Integer":
            return str(body.get("ival", 0))
        case "Boolean":
            return "true" if body.get("boolval") else "false"
        case "A_Star":
            return "*"
        case "List":
            return tuple(i["String"].get("sval", "") for i in body.get("items", ()))
        case "TypeName":
            return body["names"][-1]["String"]["sval"]
    return ""

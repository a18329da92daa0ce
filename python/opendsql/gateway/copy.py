"""COPY statements: parse tree -> a plan the serving loop streams.

COPY t FROM STDIN    a one-row INSERT with a parameter per column; the loop runs it for each row that arrives
COPY t TO STDOUT     SELECT columns FROM t        COPY (query) TO STDOUT    the query itself

So COPY has the checks, limits and errors of INSERT and SELECT. Files and PROGRAM are refused, as is FREEZE.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from opendsql.catalog.names import quote_ident
from opendsql.errors import DsqlError, unsupported

_COPY = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*copy\b", re.I | re.S)
_FORMATS = ("text", "csv", "binary")


@dataclass(slots=True)
class CopyPlan:
    """How rows travel; what they are is the program beside it."""

    direction: str  # in | out
    format: str = "text"
    delimiter: str | None = None
    null: str | None = None
    header: bool | str = False
    quote: str | None = None
    escape: str | None = None
    force_quote: list[str] | str | None = None
    force_null: list[str] | None = None
    force_not_null: list[str] | None = None
    columns: list[str] = field(default_factory=list)


@dataclass(slots=True)
class PlannedCopy:
    """What the server makes a plan of."""

    program: Any
    columns: list[Any]
    param_oids: list[int]
    copy: CopyPlan
    python: Any = None
    key_by_text: bool = True
    cacheable: bool = False


def is_copy(text: str) -> bool:
    """Whether a statement is a COPY."""
    return _COPY.match(text) is not None


def plan(planner: Any, request: Any) -> PlannedCopy:
    """The plan of a COPY statement; raises DsqlError."""
    from opendsql.query import gate
    from opendsql.query.parse import parse

    statement = parse(request.text)[0]
    if statement.kind != "CopyStmt":
        return planner.plan(request)  # COPY something else: the planner knows what to say
    node = statement.node
    if node.get("is_program") or node.get("filename"):
        raise unsupported("COPY to or from a file or program is not supported", hint="Use STDIN or STDOUT.")
    if node.get("whereClause"):
        raise unsupported("COPY FROM WHERE is not supported")
    options = read_options(node.get("options") or ())
    check = getattr(gate, "check_copy", None)
    if check is not None:
        check(statement)
    if node.get("is_from"):
        return _plan_in(planner, request, node, options)
    return _plan_out(planner, request, node, options)


def _relation(node: dict[str, Any]) -> str:
    relation = node["relation"]
    name = quote_ident(relation["relname"])
    return f"{quote_ident(relation['schemaname'])}.{name}" if relation.get("schemaname") else name


def _names(node: dict[str, Any]) -> list[str]:
    return [item["String"]["sval"] for item in node.get("attlist") or ()]


def _plan_text(planner: Any, request: Any, text: str) -> Any:
    asked = SimpleNamespace(
        text=text, normalized=text, literals=[], param_oids=[], session=request.session, multi=False, query_text=text,
    )  # fmt: skip
    return planner.plan(asked)


def _plan_out(planner: Any, request: Any, node: dict[str, Any], options: CopyPlan) -> PlannedCopy:
    options.direction = "out"
    if node.get("query"):
        query = request.text
        start = query.index("(") + 1
        text = query[start : _closing(query, start)]
        if "SelectStmt" not in node["query"] and not node["query"].get(next(iter(node["query"])), {}).get("returningList"):
            raise DsqlError("0A000", "COPY query must have a RETURNING clause")
    else:
        columns = ", ".join(quote_ident(name) for name in _names(node)) or ", ".join(
            quote_ident(column) for column in _stored_columns(planner, request, node)
        )
        text = f"SELECT {columns} FROM {_relation(node)}"
    planned = _plan_text(planner, request, text)
    options.columns = [column[0] for column in planned.columns]
    return PlannedCopy(planned.program, list(planned.columns), [], options)


def _plan_in(planner: Any, request: Any, node: dict[str, Any], options: CopyPlan) -> PlannedCopy:
    options.direction = "in"
    names = _names(node) or _stored_columns(planner, request, node)
    options.columns = names
    columns = ", ".join(quote_ident(name) for name in names)
    values = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    planned = _plan_text(planner, request, f"INSERT INTO {_relation(node)} ({columns}) VALUES ({values})")
    described = [(name, oid, -1, 0, 0) for name, oid in zip(names, planned.param_oids, strict=True)]
    return PlannedCopy(planned.program, described, list(planned.param_oids), options)


def _stored_columns(planner: Any, request: Any, node: dict[str, Any]) -> list[str]:
    """Columns of the table in order, without generated ones."""
    probe = _plan_text(planner, request, f"SELECT * FROM {_relation(node)}")
    names = [column[0] for column in probe.columns]
    catalog = planner.catalog_provider(request.session) if hasattr(planner, "catalog_provider") else None
    by_oid = getattr(catalog, "by_oid", {})
    table = by_oid.get(probe.columns[0][3]) if probe.columns else None
    generated = {c.name for c in getattr(table, "columns", ()) if c.generated}
    return [name for name in names if name not in generated]


def _closing(text: str, at: int) -> int:
    """Offset of the parenthesis that closes the one before `at`, minding quotes and comments."""
    depth = 1
    token = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$\w*\$).*?\1|--[^\n]*|/\*.*?\*/|[()]""", re.S)
    while match := token.search(text, at):
        at = match.end()
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if depth == 0:
                return match.start()
    raise DsqlError("42601", "syntax error at end of input")


# -- options -----------------------------------------------------------------------------------------------------------


def _value(element: dict[str, Any]) -> Any:
    argument = element.get("arg")
    if argument is None:
        return None
    if "String" in argument:
        return argument["String"].get("sval", "")
    if "Integer" in argument:
        return argument["Integer"].get("ival", 0)
    if "Boolean" in argument:
        return argument["Boolean"].get("boolval", False)
    if "List" in argument:
        return [item["String"]["sval"] for item in argument["List"]["items"]]
    if "A_Star" in argument:
        return "*"
    return None


def _boolean(name: str, value: Any) -> bool:
    text = str(value).lower()
    if value is None or text in ("true", "on", "1"):
        return True
    if text in ("false", "off", "0"):
        return False
    raise DsqlError("42601", f"{name} requires a Boolean value")


def read_options(elements: Any) -> CopyPlan:
    """The options of a COPY, checked as PostgreSQL checks them."""
    found = CopyPlan("out")
    seen: set[str] = set()
    for item in elements:
        element = item["DefElem"]
        name = element["defname"]
        value = _value(element)
        if name in seen:
            raise DsqlError("42601", "conflicting or redundant options")
        seen.add(name)
        if name == "format":
            if value not in _FORMATS:
                raise DsqlError("22023", f'COPY format "{value}" not recognized')
            found.format = value
        elif name == "header":
            found.header = "match" if str(value).lower() == "match" else _boolean("header", value)
        elif name == "freeze":
            if _boolean("freeze", value):
                raise unsupported("COPY FREEZE is not supported")
        elif name in ("delimiter", "null", "quote", "escape"):
            setattr(found, name, value)
        elif name in ("force_quote", "force_null", "force_not_null"):
            setattr(found, name, value)
        elif name == "encoding":
            if str(value).lower().replace("-", "") not in ("utf8", "unicode"):
                raise DsqlError("22023", "argument to option \"encoding\" must be a valid encoding name")
        else:
            raise DsqlError("42601", f'option "{name}" not recognized')
    _check(found)
    return found


def _check(options: CopyPlan) -> None:
    for name in ("delimiter", "null") if options.format == "binary" else ():
        if getattr(options, name) is not None:
            raise DsqlError("42601", f"cannot specify {name.upper()} in BINARY mode")
    if options.format == "binary" and options.header:
        raise DsqlError("0A000", "cannot specify HEADER in BINARY mode")
    for name in ("delimiter", "quote", "escape"):
        value = getattr(options, name)
        if value is not None and len(value.encode()) != 1:
            raise DsqlError("0A000", f"COPY {name} must be a single one-byte character")
    if options.format != "csv":
        for name in ("quote", "escape", "force_quote", "force_null", "force_not_null"):
            if getattr(options, name) is not None:
                raise DsqlError("0A000", f"COPY {name.replace('_', ' ')} available only in CSV mode")
    if options.delimiter in ("\n", "\r"):
        raise DsqlError("22023", "COPY delimiter cannot be newline or carriage return")
    if options.format == "csv" and options.quote is not None and options.quote == (options.delimiter or ","):
        raise DsqlError("22023", "COPY delimiter and quote must be different")
    if options.format == "text" and options.delimiter is not None and options.delimiter in "\\.abcdefghijklmnopqrstuvwxyz0123456789":
        raise DsqlError("22023", f'COPY delimiter cannot be "{options.delimiter}"')

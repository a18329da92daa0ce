"""How the registry's tables are read: one line per overload, parsed once at import.

    oid name(arguments) -> result  implementation  flags

  arguments       types by pg_type name (`text`, `int4[]`), each with an optional name before it and default after it
                  (`secs float8 = 0.0`); `variadic text[]`, `variadic any`
  result          a type, `setof type`, `setof record(key text, value json)`
  implementation  a kernel's name; `py:<name>` a function of pyfunctions; `hook:<name>` the same, registered by the
                  catalog; `srf:<name>` a set-returning function; `agg:<name>`, `win:<name>`
  flags           stable | volatile (default immutable), nulls (not strict)

Invariants
  F1  oids are PostgreSQL's where PostgreSQL has the function (unique per table, checked when tables are joined).
  F2  kernels are named after PostgreSQL's internal functions (pg_proc.prosrc) wherever that names them well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from opendsql.registry.types import TYPES_BY_NAME

_LINE = re.compile(
    r"\s*(?P<oid>\d+) (?P<name>\w+)\((?P<arguments>.*?)\) -> (?P<set>setof )?"
    r"(?P<result>[\w\[\]]+)(?:\((?P<columns>[^)]*)\))?\s+(?P<implementation>\S+)(?P<flags>.*)$"
)
KINDS = {"py": "py", "hook": "py", "srf": "srf", "agg": "a", "win": "w"}


@dataclass(frozen=True, slots=True)
class Function:
    """One overload of a function, aggregate or window function."""

    oid: int
    name: str
    arg_types: tuple[int, ...]
    result_type: int
    kind: str  # 'f' kernel, 'py', 'srf', 'a' aggregate, 'w' window
    implementation: str
    volatility: str = "i"
    strict: bool = True
    variadic: int = 0  # pg_proc.provariadic: element type, or 2276 for VARIADIC "any"
    arg_names: tuple[str, ...] = ()
    defaults: tuple[str, ...] = ()  # text of the last arguments' defaults
    returns_set: bool = False
    out_columns: tuple[tuple[str, int], ...] = ()
    hook: bool = False  # implemented by the catalog
    aggkind: str = "n"  # of aggregates: n normal, o ordered set, h hypothetical

    @property
    def volatile(self) -> bool:
        """Whether it must be evaluated for every row."""
        return self.volatility == "v"


def type_oid(name: str) -> int:
    """OID of a type as the tables spell it: pg_type name, `[]` for its array."""
    return TYPES_BY_NAME["_" + name[:-2] if name.endswith("[]") else name].oid


def _argument(text: str) -> tuple[str, int, str | None, int]:
    # (name, type, default, variadic element)
    text, _, default = text.partition(" = ")
    words = text.split()
    if words[0] == "variadic":
        oid = type_oid(words[1])
        return "", oid, None, oid if words[1] == "any" else type_oid(words[1][:-2])
    return (words[0] if len(words) == 2 else ""), type_oid(words[-1]), default or None, 0


def parse_function(line: str) -> Function:
    """The Function a table line declares."""
    match = _LINE.match(line)
    if match is None:
        raise ValueError(f"registry line not understood: {line!r}")
    arguments = [_argument(part) for part in match["arguments"].split(", ")] if match["arguments"] else []
    prefix, _, tail = match["implementation"].partition(":")
    flags = match["flags"].split()
    columns = [part.split(" ") for part in match["columns"].split(", ")] if match["columns"] else []
    names = tuple(argument[0] for argument in arguments)
    return Function(
        oid=int(match["oid"]),
        name=match["name"],
        arg_types=tuple(argument[1] for argument in arguments),
        result_type=type_oid(match["result"]),
        kind=KINDS[prefix] if tail else "f",
        implementation=tail or prefix,
        volatility="v" if "volatile" in flags else "s" if "stable" in flags else "i",
        strict="nulls" not in flags,
        variadic=arguments[-1][3] if arguments else 0,
        arg_names=names if any(names) else (),
        defaults=tuple(argument[2] for argument in arguments if argument[2] is not None),
        returns_set=bool(match["set"]),
        out_columns=tuple((name, type_oid(kind)) for name, kind in columns),
        hook=prefix == "hook",
        aggkind="o" if "ordered" in flags else "h" if "hypothetical" in flags else "n",
    )


def functions(text: str) -> tuple[Function, ...]:
    """Every line of a table; blank lines and # comments are skipped."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return tuple(parse_function(line) for line in lines)

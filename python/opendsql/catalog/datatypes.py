"""Type names of DDL: TypeName nodes -> (type oid, typmod), with DSQL's refusals and limits, and types -> text.

Three kinds of names: types a column may have (STORABLE), PostgreSQL types it may not (0A000 `datatype <t> not
supported`), and names that are neither (a domain of the catalog, or 42704 `type "<t>" does not exist`).

typmods are PostgreSQL's: varchar and bpchar length + 4; numeric (precision << 16 | scale) + 4; time types their
precision; interval (field mask << 16 | precision). Bare numeric is numeric(18,6).
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from opendsql.catalog.context import current
from opendsql.catalog.model import Catalog, Domain
from opendsql.catalog.names import qualified, quote_ident, strings
from opendsql.errors import DsqlError, unsupported
from opendsql.limits import (
    NUMERIC_DEFAULT_PRECISION,
    NUMERIC_DEFAULT_SCALE,
    NUMERIC_PRECISION_MAX,
    NUMERIC_SCALE_MAX,
)
from opendsql.registry.refused import REFUSED_TYPES, refused_type

BOOL, BYTEA, CHAR, NAME, INT8, INT2, INT4, TEXT, OID = 16, 17, 18, 19, 20, 21, 23, 25, 26
JSON, FLOAT4, FLOAT8, UNKNOWN, BPCHAR, VARCHAR = 114, 700, 701, 705, 1042, 1043
DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, TIMETZ = 1082, 1083, 1114, 1184, 1186, 1266
BIT, VARBIT, NUMERIC, UUID, JSONB = 1560, 1562, 1700, 2950, 3802

STORABLE = frozenset(
    (BOOL, BYTEA, INT8, INT2, INT4, TEXT, OID, JSON, FLOAT4, FLOAT8, BPCHAR, VARCHAR)
    + (DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, TIMETZ, NUMERIC, UUID, JSONB, NAME)
)
INDEXABLE = STORABLE - {TIMETZ, INTERVAL, BYTEA, JSON, JSONB, OID, NAME}  # guess: catalog_types
# Bytes a key column of the type counts for when declared; None = by its length.
KEY_BYTES = {BOOL: 1, INT2: 2, INT4: 4, INT8: 8, FLOAT4: 4, FLOAT8: 8, DATE: 4, TIME: 8, TIMESTAMP: 8, TIMESTAMPTZ: 8, UUID: 16, OID: 4}

INTERVAL_FIELDS = {  # mask bits as PostgreSQL numbers them
    1 << 2: "year", 1 << 1: "month", 1 << 3: "day", 1 << 10: "hour", 1 << 11: "minute", 1 << 12: "second",
    1 << 2 | 1 << 1: "year to month", 1 << 3 | 1 << 10: "day to hour", 1 << 3 | 1 << 10 | 1 << 11: "day to minute",
    1 << 3 | 1 << 10 | 1 << 11 | 1 << 12: "day to second", 1 << 10 | 1 << 11: "hour to minute",
    1 << 10 | 1 << 11 | 1 << 12: "hour to second", 1 << 11 | 1 << 12: "minute to second",
}  # fmt: skip


class TypeRow(NamedTuple):
    """One row of pg_type as PostgreSQL has it."""

    oid: int
    name: str
    display: str
    length: int
    by_value: str
    kind: str
    category: str
    preferred: str
    defined: str
    delimiter: str
    relid: str
    subscript: str
    elem_oid: int
    array_oid: int
    rest: tuple[str, ...]  # input output receive send modin modout analyze align storage collation


@cache
def type_rows() -> tuple[TypeRow, ...]:
    """PostgreSQL's own types."""
    text = resources.files("opendsql.catalog.pg_catalog").joinpath("types.txt").read_text()
    rows = []
    for line in text.splitlines():
        if not line.startswith("#"):
            f = line.split("\t")
            flags = f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11]
            rows.append(TypeRow(int(f[0]), f[1], f[2], int(f[3]), *flags, int(f[12]), int(f[13]), tuple(f[14:])))
    return tuple(rows)


@cache
def types_by_oid() -> dict[int, TypeRow]:
    """type oid -> row."""
    return {row.oid: row for row in type_rows()}


@cache
def types_by_name() -> dict[str, TypeRow]:
    """internal type name -> row."""
    return {row.name: row for row in type_rows()}


def resolve_type(node: dict[str, Any], catalog: Catalog | None, search_path: tuple[str, ...] = ("public",)) -> tuple[int, int, int | None]:
    """(base type oid, typmod, domain oid or None) of a TypeName that a column may have; raises DSQL's refusal."""
    names = strings(node.get("names"))
    row = types_by_name().get(names[-1]) if len(names) == 1 or names[-2] == "pg_catalog" else None
    if row is None or (row.kind == "p" and names[-1] not in types_by_name()):
        domain = _find_domain(names, catalog, search_path)
        if domain is not None and not node.get("arrayBounds"):
            return domain.type_oid, domain.typmod, domain.oid
        written = ".".join(quote_ident(n) for n in names[:-1]) + ("." if len(names) > 1 else "") + names[-1]
        raise DsqlError("42704", f'type "{written}" does not exist', position=_position(node))
    if node.get("setof"):
        raise DsqlError("42P16", "column cannot be declared SETOF", position=_position(node))
    if node.get("arrayBounds"):
        raise unsupported(f"datatype {row.display}[] not supported")
    if row.oid not in STORABLE:
        if row.kind == "p":
            raise DsqlError("42P16", f'column has pseudo-type {row.name}')
        raise unsupported(f"datatype {row.display} not supported")
    return row.oid, typmod_of(row.oid, node), None


def parameter_type(node: dict[str, Any], catalog: Catalog, path: tuple[str, ...]) -> int:
    """The type oid of a function's parameter or result; arrays, domains and row types are allowed here."""
    names = strings(node["names"])
    row = types_by_name().get(names[-1])
    if row is not None and (len(names) == 1 or names[-2] == "pg_catalog"):
        if row.oid in REFUSED_TYPES:
            raise refused_type(row.display)
        return row.array_oid if node.get("arrayBounds") else row.oid
    for where in (names[-2],) if len(names) > 1 else path:
        if (where, names[-1]) in catalog.domains:
            return catalog.domains[(where, names[-1])].oid
        relation = catalog.relations.get((where, names[-1]))
        if relation is not None:
            return relation.oid
    raise DsqlError("42704", f'type "{".".join(names)}" does not exist')


def _position(node: dict[str, Any]) -> int | None:
    return node["location"] + 1 if node.get("location", -1) >= 0 and "location" in node else None


def _find_domain(names: list[str], catalog: Catalog | None, search_path: tuple[str, ...]) -> Domain | None:
    if catalog is None:
        return None
    schemas = (names[-2],) if len(names) > 1 else search_path
    for schema in schemas:
        found = catalog.domains.get((schema, names[-1]))
        if found is not None:
            return found
    return None


def _modifiers(node: dict[str, Any]) -> list[int]:
    values = []
    for item in node.get("typmods") or ():
        const = item.get("A_Const", {})
        if "ival" in const:
            values.append(const["ival"].get("ival", 0))
        elif "A_Expr" in item and item["A_Expr"].get("lexpr") is None:  # -n
            values.append(-item["A_Expr"]["rexpr"]["A_Const"]["ival"].get("ival", 0))
        else:
            raise DsqlError("42601", "type modifiers must be simple constants or identifiers", position=_position(node))
    return values


def typmod_of(oid: int, node: dict[str, Any]) -> int:
    """The typmod a TypeName's modifiers make, within DSQL's bounds."""
    mods = _modifiers(node)
    if oid in (VARCHAR, BPCHAR):
        if not mods:
            return -1
        limits = current.limits
        name, most = ("varchar", limits.varchar_length_max) if oid == VARCHAR else ("char", limits.char_length_max)
        if mods[0] < 1:
            raise DsqlError("22023", f"length for type {name} must be at least 1", position=_position(node))
        if mods[0] > most:
            raise DsqlError("54000", f"Datatype limit greater than {most} bytes not supported for {name}")
        return mods[0] + 4
    if oid == NUMERIC:
        precision, scale = (mods + [0])[:2] if mods else (NUMERIC_DEFAULT_PRECISION, NUMERIC_DEFAULT_SCALE)
        if not 1 <= precision <= NUMERIC_PRECISION_MAX:
            text = f"NUMERIC precision {precision} must be between 1 and {NUMERIC_PRECISION_MAX}"
            raise DsqlError("22023", text, position=_position(node))
        if not -NUMERIC_SCALE_MAX <= scale <= NUMERIC_SCALE_MAX:
            raise DsqlError(
                "22023",
                f"NUMERIC scale {scale} must be between -{NUMERIC_SCALE_MAX} and {NUMERIC_SCALE_MAX}",
                position=_position(node),
            )
        return (precision << 16 | scale & 0x7FF) + 4
    if oid in (TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ):
        if not mods:
            return -1
        if mods[0] < 0:
            word = types_by_oid()[oid].display.split(" ")[0].upper()
            raise DsqlError("22023", f"{word}({mods[0]}) precision must not be negative")
        return min(mods[0], 6)
    if oid == INTERVAL:
        if not mods:
            return -1
        precision = min(mods[1], 6) if len(mods) > 1 else 0xFFFF
        return -1 if mods[0] == 0x7FFF and len(mods) == 1 else mods[0] << 16 | precision
    if mods:
        raise DsqlError("42601", f'type modifier is not allowed for type "{types_by_oid()[oid].name}"', position=_position(node))
    return -1


def format_type(oid: int, typmod: int | None, catalog: Catalog | None = None, search_path: tuple[str, ...] = ("public",)) -> str:
    """PostgreSQL's format_type: the SQL name of a type with its modifier; '???' when there is none."""
    if oid == 0:
        return "-"
    row = types_by_oid().get(oid)
    if row is None:
        domain = catalog.by_oid.get(oid) if catalog is not None else None
        if domain is None or not hasattr(domain, "name"):
            return "???"
        schema = getattr(domain, "schema", None)
        return quote_ident(domain.name) if schema in search_path else qualified(schema, domain.name)
    if row.category == "A" and row.elem_oid and row.name.startswith("_"):
        return format_type(row.elem_oid, typmod, catalog, search_path) + "[]"
    if typmod is None:
        return row.display if oid != BPCHAR else "character"
    if oid == BPCHAR:
        return f"character({typmod - 4})" if typmod > 4 else "bpchar"
    if typmod < 0:
        return row.display
    if oid == VARCHAR:
        return f"character varying({typmod - 4})"
    if oid == NUMERIC:
        scale = (typmod - 4) & 0x7FF
        return f"numeric({(typmod - 4) >> 16 & 0xFFFF},{scale - 0x800 if scale >= 0x400 else scale})"
    if oid in (TIME, TIMESTAMP, TIMETZ, TIMESTAMPTZ):
        word, rest = row.display.split(" ", 1)
        return f"{word}({typmod}) {rest}"
    if oid == INTERVAL:
        fields = INTERVAL_FIELDS.get(typmod >> 16 & 0x7FFF, "")
        precision = typmod & 0xFFFF
        return "interval" + (f" {fields}" if fields else "") + (f"({precision})" if precision != 0xFFFF else "")
    return row.display


def key_bytes(oid: int, typmod: int) -> int:
    """Bytes a key column of this type counts for against the declared key size."""
    fixed = KEY_BYTES.get(oid)
    if fixed is not None:
        return fixed
    if oid in (VARCHAR, BPCHAR) and typmod > 4:
        return typmod - 4
    return 0  # text and bare varchar: judged when a value is written

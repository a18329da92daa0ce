"""Column definitions: ColumnDef nodes -> Column, and the constraints written beside them.

`read_column` gives the column and its column constraints still as nodes, each told which column it stands at, so that
they are handled with the table's own constraints in the order PostgreSQL names them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog.ddl import expressions, sequences
from opendsql.catalog.deparse import Deparser
from opendsql.catalog.model import Column
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says

_STORAGE = {"plain": "p", "external": "e", "extended": "x", "main": "m"}


@dataclass(slots=True)
class ColumnSource:
    """A column and what its definition asks for beyond itself."""

    column: Column
    constraints: list[dict[str, Any]] = field(default_factory=list)  # CHECK, UNIQUE, PRIMARY KEY, FOREIGN KEY nodes
    default: dict | None = None
    generated: dict | None = None
    identity: dict | None = None  # the Constraint node


def read_column(change: Any, body: dict[str, Any], attnum: int, table: str) -> ColumnSource:
    """A ColumnDef of CREATE TABLE."""
    name = body["colname"]
    if "typeName" not in body:
        raise DsqlError("42601", "syntax error at end of input")
    type_oid, typmod, domain_oid = dt.resolve_type(serial_checked(body["typeName"]), change.catalog, change.search_path)
    if body.get("collClause"):
        raise unsupported("COLLATE clause not supported")
    if body.get("compression"):
        raise unsupported(says("create_table_clause", clause="COMPRESSION"))
    storage = storage_code(body.get("storage_name"), type_oid)
    source = ColumnSource(Column(name, attnum, type_oid, typmod, storage=storage, domain_oid=domain_oid))
    not_null = nullable = False
    last: dict | None = None
    for item in body.get("constraints") or ():
        constraint = item["Constraint"]
        kind = constraint["contype"]
        if kind == "CONSTR_NOTNULL":
            if nullable:
                raise conflicting(name, table)
            not_null = True
        elif kind == "CONSTR_NULL":
            if not_null:
                raise conflicting(name, table)
            nullable = True
        elif kind == "CONSTR_DEFAULT":
            if source.default is not None:
                raise DsqlError("42601", f'multiple default values specified for column "{name}" of table "{table}"')
            source.default = constraint["raw_expr"]
        elif kind == "CONSTR_GENERATED":
            if source.generated is not None:
                raise DsqlError("42601", f'multiple generation clauses specified for column "{name}" of table "{table}"')
            source.generated = constraint["raw_expr"]
        elif kind == "CONSTR_IDENTITY":
            if source.identity is not None:
                raise DsqlError("42601", f'multiple identity specifications for column "{name}" of table "{table}"')
            check_identity(constraint, type_oid)
            source.identity = constraint
        elif kind.startswith("CONSTR_ATTR_"):
            apply_attribute(last, kind)
        else:
            constraint = dict(constraint, column=name)
            source.constraints.append(constraint)
            last = constraint
    if source.default is not None and source.identity is not None:
        raise DsqlError("42601", f'both default and identity specified for column "{name}" of table "{table}"')
    if source.default is not None and source.generated is not None:
        raise DsqlError("42601", f'both default and generation expression specified for column "{name}" of table "{table}"')
    if source.identity is not None and nullable:
        raise conflicting(name, table)
    source.column = Column(
        name, attnum, type_oid, typmod, not_null=not_null or source.identity is not None, storage=storage, domain_oid=domain_oid
    )
    return source


def conflicting(column: str, table: str) -> DsqlError:
    """NULL and NOT NULL on one column."""
    return DsqlError("42601", f'conflicting NULL/NOT NULL declarations for column "{column}" of table "{table}"')


def serial_checked(type_name: dict[str, Any]) -> dict[str, Any]:
    """serial and its kin are no types here: the written name is echoed."""
    names = [part["String"]["sval"] for part in type_name.get("names") or ()]
    if len(names) == 1 and names[0] in ("serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"):
        raise DsqlError("42704", says("serial_name", name=names[0]), position=type_name.get("location", -2) + 1 or None)
    return type_name


def check_identity(constraint: dict[str, Any], type_oid: int) -> None:
    """DSQL's two conditions of an identity column: the cache first, then the type."""
    sequences.check_cache(constraint.get("options"), "identity column")
    if type_oid != dt.INT8:
        shown = dt.format_type(type_oid, None)
        raise unsupported(f"datatype {shown} not supported, identity column type must be bigint")


def storage_code(word: str | None, type_oid: int) -> str | None:
    """attstorage of a STORAGE clause; None = the type's own."""
    if word is None or word.lower() == "default":
        return None
    code = _STORAGE.get(word.lower())
    if code is None:
        raise DsqlError("22023", f'invalid storage type "{word}"')
    row = dt.types_by_oid()[type_oid]
    if code != "p" and row.length != -1:
        raise unsupported(f"column data type {row.display} can only have storage PLAIN")
    return code


def apply_attribute(constraint: dict[str, Any] | None, kind: str) -> None:
    """DEFERRABLE and the like after a column constraint."""
    word = kind.removeprefix("CONSTR_ATTR_")
    if constraint is None:
        shown = {"DEFERRABLE": "DEFERRABLE", "NOT_DEFERRABLE": "NOT DEFERRABLE"}.get(word, f"INITIALLY {word}")
        raise DsqlError("42601", f"misplaced {shown} clause")
    if constraint["contype"] == "CONSTR_CHECK" and word in ("DEFERRABLE", "DEFERRED"):
        raise unsupported("CHECK constraints cannot be marked DEFERRABLE")
    if word == "DEFERRABLE":
        constraint["deferrable"] = True
    elif word == "DEFERRED":
        constraint["deferrable"] = constraint["initdeferred"] = True


def default_text(change: Any, node: dict[str, Any], column: Column) -> str | None:
    """The stored text of a DEFAULT; None for a NULL constant, which is no default."""
    expressions.check(change, node, (), "default")
    if node.get("A_Const", {}).get("isnull"):
        return None
    return Deparser().coerced(node, column.type_oid, column.typmod)


def generated_text(change: Any, node: dict[str, Any], column: Column, columns: list[Column]) -> str:
    """The stored text of GENERATED ALWAYS AS (...)."""
    for name in expressions.column_references(node):
        other = next((c for c in columns if c.name == name), None)
        if name == column.name or (other is not None and other.generated is not None):
            raise DsqlError(
                "42P17",
                f'cannot use generated column "{name}" in column generation expression',
                detail="A generated column cannot reference another generated column.",
            )
    return expressions.stored_expression(change, node, columns, "generated")

"""Constraints: Constraint nodes -> Index, Check and ForeignKey, with PostgreSQL's default names and DSQL's bounds."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from opendsql.catalog import acl
from opendsql.catalog import datatypes as dt
from opendsql.catalog.context import current
from opendsql.catalog.ddl import expressions
from opendsql.catalog.model import Check, Column, ForeignKey, Index, Table
from opendsql.catalog.names import choose_name, index_columns_part, strings
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says
from opendsql.limits import reached


def check_clauses(constraint: dict[str, Any]) -> None:
    """Refuse what DSQL refuses of a table or column constraint of CREATE TABLE."""
    kind = constraint["contype"]
    if kind == "CONSTR_EXCLUSION":
        raise unsupported(says("exclude_constraint"))
    if kind == "CONSTR_CHECK" and (constraint.get("deferrable") or constraint.get("initdeferred")):
        raise unsupported("CHECK constraints cannot be marked DEFERRABLE")
    if kind in ("CONSTR_UNIQUE", "CONSTR_PRIMARY"):
        if constraint.get("deferrable") or constraint.get("initdeferred"):
            raise unsupported("DEFERRABLE constraint not supported")
        if constraint.get("options"):
            raise unsupported("WITH clause not supported for CREATE TABLE")
        if constraint.get("indexspace"):
            raise unsupported(says("create_table_clause", clause="TABLESPACE"))


def key_columns(names: Sequence[str], columns: Sequence[Column], what: str) -> list[Column]:
    """The named columns; 42703 for one that is not there, 42701 for one that is twice."""
    by_name = {c.name: c for c in columns if not c.dropped}
    found = []
    for name in names:
        column = by_name.get(name)
        if column is None:
            raise DsqlError("42703", f'column "{name}" named in key does not exist')
        if column in found:
            raise DsqlError("42701", f'column "{name}" appears twice in {what} constraint')
        found.append(column)
    return found


def check_key(columns: Sequence[tuple[int, int]]) -> None:
    """Bounds of an index key: (type oid, typmod) of each key column."""
    for oid, _ in columns:
        if oid not in dt.INDEXABLE:
            raise unsupported(f"datatype {dt.format_type(oid, None)} is not supported in a key")
    limits = current.limits
    if len(columns) > limits.key_columns_max:
        raise DsqlError("54011", f"more than {limits.key_columns_max} column keys in an index are not supported")
    if sum(dt.key_bytes(oid, typmod) for oid, typmod in columns) > limits.key_bytes_declared_max:
        raise DsqlError("54000", f"key size greater than {limits.key_bytes_declared_max} bytes not supported")


def check_column_count(count: int, has_primary_key: bool) -> None:
    """At most 256 columns that are not dropped; a primary key holds them all, and its message comes first."""
    most = current.limits.columns_per_table_max
    if count > most:
        raise DsqlError(
            "54011",
            f"cannot use more than {most} columns in an index" if has_primary_key else f"tables can have at most {most - 1} columns",
        )


def check_index_count(count: int) -> None:
    """At most 24 indexes, the primary key's included."""
    most = current.limits.indexes_per_table_max
    if reached(count - 1, most):
        raise DsqlError("54000", f"more than {most} indexes per table are not allowed")


def build_index(constraint: dict[str, Any], oid: int, table_oid: int, table: str, columns: Sequence[Column], taken: set[str]) -> Index:
    """The index of a PRIMARY KEY or UNIQUE constraint."""
    primary = constraint["contype"] == "CONSTR_PRIMARY"
    what = "primary key" if primary else "unique"
    names = [constraint["column"]] if "column" in constraint else strings(constraint.get("keys"))
    keys = key_columns(names, columns, what)
    include = strings(constraint.get("including"))
    key_columns(include, columns, what)
    check_key([(c.type_oid, c.typmod) for c in keys])
    name = constraint.get("conname")
    if name is None:
        part = None if primary else index_columns_part([c.name for c in keys] + include)
        name = choose_name(table, part, "pkey" if primary else "key", taken)
    elif name in taken:
        raise DsqlError("42P07", f'relation "{name}" already exists')
    taken.add(name)
    return Index(
        oid,
        name,
        table_oid,
        tuple(c.name for c in keys),
        tuple(c.type_oid for c in keys),
        nulls_first=tuple(False for _ in keys),
        include=tuple(include),
        unique=True,
        primary=primary,
        nulls_distinct=not constraint.get("nulls_not_distinct", False),
        constraint=name,
    )


def build_check(
    change: Any, constraint: dict[str, Any], oid: int, table: str, columns: Sequence[Column], taken: set[str], validated: bool = True
) -> Check:
    """A CHECK constraint."""
    node = constraint["raw_expr"]
    text = expressions.stored_expression(change, node, columns, "check", table)
    name = constraint.get("conname")
    if name is None:
        column = constraint.get("column")
        if column is None:
            used = expressions.column_references(node)
            column = used[0] if len(used) == 1 else None
        name = choose_name(table, column, "check", taken)
    elif name in taken:
        raise DsqlError("42710", f'constraint "{name}" for relation "{table}" already exists')
    taken.add(name)
    return Check(oid, name, text, validated, no_inherit=bool(constraint.get("is_no_inherit")))


def build_foreign_key(
    change: Any,
    constraint: dict[str, Any],
    oid: int,
    table: str,
    columns: Sequence[Column],
    taken: set[str],
    own: Table | None = None,
    validated: bool = True,
) -> ForeignKey:
    """A FOREIGN KEY constraint; own is the table being created, for a reference to itself."""
    if constraint.get("fk_matchtype") == "p":
        raise unsupported("MATCH PARTIAL not yet implemented")
    names = [constraint["column"]] if "column" in constraint else strings(constraint.get("fk_attrs"))
    by_name = {c.name: c for c in columns if not c.dropped}
    for name in names:
        if name not in by_name:
            raise DsqlError("42703", f'column "{name}" referenced in foreign key constraint does not exist')
    target = constraint["pktable"]
    if own is not None and target["relname"] == own.name and target.get("schemaname", own.schema) == own.schema:
        parent = own
    else:
        parent = change.find(target)
    if not isinstance(parent, Table):
        raise DsqlError("42809", f'referenced relation "{parent.name}" is not a table')
    parent_names = strings(constraint.get("pk_attrs"))
    if not parent_names:
        if parent.primary_key is None:
            raise DsqlError("42704", f'there is no primary key for referenced table "{parent.name}"')
        parent_names = list(parent.primary_key.keys)
    for name in parent_names:
        if parent.column(name) is None:
            raise DsqlError("42703", f'column "{name}" referenced in foreign key constraint does not exist')
    if len(parent_names) != len(names):
        raise DsqlError("42830", "number of referencing and referenced columns for foreign key disagree")
    if own is None or parent.oid != own.oid:
        require_references(change, parent, parent_names)
    unique = [i for i in (parent.primary_key, *parent.indexes) if i is not None and i.unique and i.predicate is None]
    if not any(sorted(i.keys) == sorted(parent_names) and i.valid for i in unique):
        raise DsqlError("42830", f'there is no unique constraint matching given keys for referenced table "{parent.name}"')
    name = constraint.get("conname")
    if name is None:
        name = choose_name(table, index_columns_part(names), "fkey", taken)
    elif name in taken:
        raise DsqlError("42710", f'constraint "{name}" for relation "{table}" already exists')
    for child_name, parent_name in zip(names, parent_names, strict=True):
        parent_column = parent.column(parent_name)
        assert parent_column is not None
        child_type, parent_type = by_name[child_name].type_oid, parent_column.type_oid
        if not comparable(child_type, parent_type):
            raise DsqlError(
                "42804",
                f'foreign key constraint "{name}" cannot be implemented',
                detail=f'Key columns "{child_name}" and "{parent_name}" are of incompatible types: '
                f"{dt.format_type(child_type, None)} and {dt.format_type(parent_type, None)}.",
            )
    taken.add(name)
    if constraint.get("initdeferred") and not constraint.get("deferrable"):
        raise DsqlError("42601", "constraint declared INITIALLY DEFERRED must be DEFERRABLE")
    return ForeignKey(
        oid,
        name,
        tuple(names),
        parent.oid,
        tuple(parent_names),
        match=constraint.get("fk_matchtype", "s"),
        on_delete=constraint.get("fk_del_action", "a"),
        on_update=constraint.get("fk_upd_action", "a"),
        delete_columns=_delete_columns(strings(constraint.get("fk_del_set_cols")), names, by_name),
        deferrable=bool(constraint.get("deferrable")),
        deferred=bool(constraint.get("initdeferred")),
        validated=validated,
    )


def require_references(change: Any, parent: Table, names: Sequence[str]) -> None:
    """42501 unless the user has REFERENCES on the parent, or on each of the columns named."""
    user = change.settings.user
    if acl.holds(change.catalog, user, parent, "x"):
        return
    if names and all(acl.holds_column(change.catalog, user, parent, n, "x") for n in names):
        return
    raise DsqlError("42501", f"permission denied for table {parent.name}")


def _delete_columns(given: Sequence[str], names: Sequence[str], columns: Container[str]) -> tuple[str, ...]:
    """The columns of ON DELETE SET NULL | SET DEFAULT (columns)."""
    for name in given:
        if name not in columns:
            raise DsqlError("42703", f'column "{name}" referenced in foreign key constraint does not exist')
        if name not in names:
            raise DsqlError("42P10", f'column "{name}" referenced in ON DELETE SET action must be part of foreign key')
    return tuple(dict.fromkeys(given))


_FAMILIES = (
    frozenset((dt.INT2, dt.INT4, dt.INT8, dt.NUMERIC, dt.FLOAT4, dt.FLOAT8)),
    frozenset((dt.TEXT, dt.VARCHAR, dt.BPCHAR, dt.NAME)),
    frozenset((dt.DATE, dt.TIMESTAMP, dt.TIMESTAMPTZ)),
)


def comparable(left: int, right: int) -> bool:
    """Whether an equality operator joins the two types in one operator family."""
    return left == right or any(left in family and right in family for family in _FAMILIES)


def constraint_names(table: Table) -> set[str]:
    """Names of every constraint of a table."""
    names = {c.name for c in table.checks} | {f.name for f in table.foreign_keys}
    names.update(i.constraint for i in table.indexes if i.constraint)
    if table.primary_key is not None and table.primary_key.constraint:
        names.add(table.primary_key.constraint)
    return names

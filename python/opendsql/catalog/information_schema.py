"""information_schema: the SQL standard's views of the same objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog import updatable, virtual
from opendsql.catalog.ddl.change import all_indexes
from opendsql.catalog.ddl.dependencies import parse_expression
from opendsql.catalog.ddl.expressions import column_references
from opendsql.catalog.model import Catalog, Column, Sequence, Table, View
from opendsql.catalog.pg_catalog.definitions import view_definition
from opendsql.catalog.settings import settings_of

RowDict = dict[str, Any]
DB = "postgres"
_PRECISION = {dt.INT2: (16, 2, 0), dt.INT4: (32, 2, 0), dt.INT8: (64, 2, 0), dt.FLOAT4: (24, 2, None), dt.FLOAT8: (53, 2, None)}
_RULES = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_PRIVILEGES = {
    "a": "INSERT", "r": "SELECT", "w": "UPDATE", "d": "DELETE", "D": "TRUNCATE", "x": "REFERENCES", "t": "TRIGGER",
    "X": "EXECUTE", "U": "USAGE",
}  # fmt: skip


def yes(value: Any) -> str:
    """YES or NO."""
    return "YES" if value else "NO"


def owner(catalog: Catalog, oid: int) -> str:
    """A role's name."""
    return getattr(catalog.by_oid.get(oid), "name", "admin")


def schemata(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of schemata."""
    for schema in catalog.schemas.values():
        yield {"catalog_name": DB, "schema_name": schema.name, "schema_owner": owner(catalog, schema.owner_oid)}


def tables(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of tables."""
    for relation in catalog.relations.values():
        if isinstance(relation, (Table, View)):
            is_table = isinstance(relation, Table)
            yield {
                "table_catalog": DB, "table_schema": relation.schema, "table_name": relation.name,
                "table_type": "BASE TABLE" if is_table else "VIEW", "is_typed": "NO",
                "is_insertable_into": yes(updatable.events(catalog, relation)),
            }  # fmt: skip
    for computed in virtual.relations().values():
        yield {
            "table_catalog": DB, "table_schema": computed.schema, "table_name": computed.name,
            "table_type": "BASE TABLE" if computed.kind == "r" else "VIEW", "is_insertable_into": "NO", "is_typed": "NO",
        }  # fmt: skip


def type_columns(type_oid: int, typmod: int) -> RowDict:
    """The columns that describe a type."""
    row = dt.types_by_oid().get(type_oid)
    name = row.name if row else "unknown"
    out: RowDict = {"udt_catalog": DB, "udt_schema": "pg_catalog", "udt_name": name}
    out["data_type"] = "ARRAY" if row and row.category == "A" and row.elem_oid else dt.format_type(type_oid, None)
    if type_oid in (dt.VARCHAR, dt.BPCHAR):
        size = typmod - 4 if typmod > 4 else None
        out["character_maximum_length"] = size
        out["character_octet_length"] = size * 4 if size else 1073741824
    elif type_oid == dt.TEXT:
        out["character_octet_length"] = 1073741824
    elif type_oid in _PRECISION:
        out["numeric_precision"], out["numeric_precision_radix"], out["numeric_scale"] = _PRECISION[type_oid]
    elif type_oid == dt.NUMERIC:
        out["numeric_precision_radix"] = 10
        if typmod >= 4:
            scale = (typmod - 4) & 0x7FF
            out["numeric_precision"] = (typmod - 4) >> 16 & 0xFFFF
            out["numeric_scale"] = scale - 0x800 if scale >= 0x400 else scale
    elif type_oid == dt.DATE:
        out["datetime_precision"] = 0
    elif type_oid in (dt.TIME, dt.TIMETZ, dt.TIMESTAMP, dt.TIMESTAMPTZ):
        out["datetime_precision"] = typmod if typmod >= 0 else 6
    elif type_oid == dt.INTERVAL:
        out["datetime_precision"] = 6 if typmod < 0 or typmod & 0xFFFF == 0xFFFF else typmod & 0xFFFF
    return out


def is_writable(catalog: Catalog, relation: Table | View, column: Column) -> bool:
    """Whether UPDATE can set the column, through a view's columns too."""
    if isinstance(relation, Table):
        return True
    return bool(updatable.events(catalog, relation)) and updatable.base_column(catalog, relation, column.name) is not None


def column_row(catalog: Catalog, relation: Table | View, column: Column, position: int) -> RowDict:
    """A row of information_schema.columns."""
    row: RowDict = {
        "table_catalog": DB, "table_schema": relation.schema, "table_name": relation.name, "column_name": column.name,
        "ordinal_position": column.attnum, "column_default": column.default, "is_nullable": yes(not column.not_null),
        "is_self_referencing": "NO", "is_identity": yes(column.identity), "dtd_identifier": position,
        "identity_generation": {"a": "ALWAYS", "d": "BY DEFAULT"}.get(column.identity), "identity_cycle": "NO",
        "is_generated": "ALWAYS" if column.generated is not None else "NEVER",
        "generation_expression": column.generated, "is_updatable": yes(is_writable(catalog, relation, column)),
    }  # fmt: skip
    row |= type_columns(column.type_oid, column.typmod)
    sequence = catalog.by_oid.get(column.sequence_oid) if column.sequence_oid else None
    if isinstance(sequence, Sequence):
        row |= {
            "identity_start": str(sequence.start), "identity_increment": str(sequence.increment),
            "identity_maximum": str(sequence.maximum), "identity_minimum": str(sequence.minimum),
            "identity_cycle": yes(sequence.cycle),
        }  # fmt: skip
    domain = catalog.by_oid.get(column.domain_oid) if column.domain_oid else None
    if domain is not None:
        row |= {"domain_catalog": DB, "domain_schema": domain.schema, "domain_name": domain.name}
    return row


def columns(catalog: Catalog, session: Any) -> Iterator[RowDict | virtual.Row]:
    """Rows of columns."""
    for relation in catalog.relations.values():
        if isinstance(relation, (Table, View)):
            for position, column in enumerate(relation.columns):
                if not column.dropped:
                    yield column_row(catalog, relation, column, position + 1)
    yield from virtual.frozen("columns", system_columns, "information_schema")


def system_columns() -> Iterator[RowDict]:
    """Columns of the computed relations."""
    for relation in virtual.relations().values():
        for number, fact in enumerate(relation.facts):
            yield {
                "table_catalog": DB, "table_schema": relation.schema, "table_name": relation.name,
                "column_name": fact.name, "ordinal_position": number + 1, "is_nullable": yes(not fact.not_null),
                "is_identity": "NO", "is_generated": "NEVER", "is_updatable": "NO", "identity_cycle": "NO",
            } | type_columns(fact.type_oid, -1)  # fmt: skip


def user_tables(catalog: Catalog) -> Iterator[Table]:
    """Tables made by users."""
    for relation in catalog.relations.values():
        if isinstance(relation, Table) and relation.oid >= 1024:
            yield relation


def constraint_names(table: Table) -> Iterator[tuple[str, str, Any]]:
    """(name, kind, object) of every constraint of a table, NOT NULL's included as PostgreSQL shows them here."""
    for index in all_indexes(table):
        if index.constraint is not None:
            yield index.constraint, "PRIMARY KEY" if index.primary else "UNIQUE", index
    for check in table.checks:
        yield check.name, "CHECK", check
    for key in table.foreign_keys:
        yield key.name, "FOREIGN KEY", key
    for column in table.live_columns:
        if column.not_null:
            yield f"2200_{table.oid}_{column.attnum}_not_null", "CHECK", column


def table_constraints(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of table_constraints."""
    for table in user_tables(catalog):
        for name, kind, item in constraint_names(table):
            yield {
                "constraint_catalog": DB, "constraint_schema": table.schema, "constraint_name": name, "table_catalog": DB,
                "table_schema": table.schema, "table_name": table.name, "constraint_type": kind,
                "is_deferrable": yes(getattr(item, "deferrable", False)),
                "initially_deferred": yes(getattr(item, "deferred", False)), "enforced": "YES",
                "nulls_distinct": yes(item.nulls_distinct) if kind == "UNIQUE" else None,
            }  # fmt: skip


def key_column_usage(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of key_column_usage."""
    for table in user_tables(catalog):
        base = {"constraint_catalog": DB, "constraint_schema": table.schema, "table_catalog": DB, "table_schema": table.schema}
        for index in all_indexes(table):
            if index.constraint is not None:
                for position, name in enumerate(index.keys):
                    yield base | {
                        "constraint_name": index.constraint, "table_name": table.name, "column_name": name,
                        "ordinal_position": position + 1,
                    }  # fmt: skip
        for key in table.foreign_keys:
            unique = parent_key(catalog, key)
            for position, (name, parent_name) in enumerate(zip(key.columns, key.parent_columns, strict=True)):
                place = unique.keys.index(parent_name) + 1 if unique is not None and parent_name in unique.keys else None
                yield base | {
                    "constraint_name": key.name, "table_name": table.name, "column_name": name,
                    "ordinal_position": position + 1, "position_in_unique_constraint": place,
                }  # fmt: skip


def parent_key(catalog: Catalog, key: Any) -> Any:
    """The unique index a foreign key refers to."""
    parent = catalog.by_oid.get(key.parent_oid)
    if isinstance(parent, Table):
        for index in all_indexes(parent):
            if index.unique and sorted(index.keys) == sorted(key.parent_columns):
                return index
    return None


def referential_constraints(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of referential_constraints."""
    for table in user_tables(catalog):
        for key in table.foreign_keys:
            parent, unique = catalog.by_oid.get(key.parent_oid), parent_key(catalog, key)
            yield {
                "constraint_catalog": DB, "constraint_schema": table.schema, "constraint_name": key.name,
                "unique_constraint_catalog": DB, "unique_constraint_schema": getattr(parent, "schema", None),
                "unique_constraint_name": getattr(unique, "constraint", None),
                "match_option": {"f": "FULL", "s": "NONE"}.get(key.match, "NONE"), "update_rule": _RULES[key.on_update],
                "delete_rule": _RULES[key.on_delete],
            }  # fmt: skip


def constraint_column_usage(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of constraint_column_usage."""
    def row(table: Table, column: str, schema: str, name: str) -> RowDict:
        return {
            "table_catalog": DB, "table_schema": table.schema, "table_name": table.name, "column_name": column,
            "constraint_catalog": DB, "constraint_schema": schema, "constraint_name": name,
        }  # fmt: skip

    for table in user_tables(catalog):
        for index in all_indexes(table):
            if index.constraint is not None:
                for column in index.keys:
                    yield row(table, column, table.schema, index.constraint)
        for check in table.checks:
            for column in column_references(parse_expression(check.expression)):
                yield row(table, column, table.schema, check.name)
        for key in table.foreign_keys:
            parent = catalog.by_oid.get(key.parent_oid)
            if isinstance(parent, Table):
                for column in key.parent_columns:
                    yield row(parent, column, table.schema, key.name)


def constraint_table_usage(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of constraint_table_usage."""
    seen = set()
    for usage in constraint_column_usage(catalog, session):
        row = {name: value for name, value in usage.items() if name != "column_name"}
        key = tuple(row.values())
        if key not in seen:
            seen.add(key)
            yield row


def check_constraints(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of check_constraints."""
    for table in user_tables(catalog):
        base = {"constraint_catalog": DB, "constraint_schema": table.schema}
        for name, kind, item in constraint_names(table):
            if kind == "CHECK":
                clause = f"{item.name} IS NOT NULL" if isinstance(item, Column) else f"({item.expression})"
                yield base | {"constraint_name": name, "check_clause": clause}


def views(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of views."""
    path = settings_of(session).search_path
    for view in catalog.relations.values():
        if isinstance(view, View):
            yield {
                "table_catalog": DB, "table_schema": view.schema, "table_name": view.name,
                "view_definition": view_definition(catalog, view, path), "check_option": "NONE",
                "is_updatable": yes(updatable.events(catalog, view)),
                "is_insertable_into": yes(updatable.events(catalog, view)), "is_trigger_updatable": "NO", "is_trigger_deletable": "NO",
                "is_trigger_insertable_into": "NO",
            }  # fmt: skip


def sequences(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of sequences."""
    for s in catalog.relations.values():
        if isinstance(s, Sequence) and not s.identity:
            yield {
                "sequence_catalog": DB, "sequence_schema": s.schema, "sequence_name": s.name, "data_type": "bigint",
                "numeric_precision": 64, "numeric_precision_radix": 2, "numeric_scale": 0, "start_value": str(s.start),
                "minimum_value": str(s.minimum), "maximum_value": str(s.maximum), "increment": str(s.increment),
                "cycle_option": yes(s.cycle),
            }  # fmt: skip


def routines(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of routines."""
    for group in catalog.functions.values():
        for f in group:
            yield {
                "specific_catalog": DB, "specific_schema": f.schema, "specific_name": f"{f.name}_{f.oid}",
                "routine_catalog": DB, "routine_schema": f.schema, "routine_name": f.name, "routine_type": "FUNCTION",
                "data_type": dt.format_type(f.result_type, None), "type_udt_catalog": DB, "type_udt_schema": "pg_catalog",
                "routine_body": "SQL", "routine_definition": f.body, "external_language": "SQL", "is_deterministic":
                yes(f.volatile == "i"), "is_null_call": yes(f.strict), "schema_level_routine": "YES",
                "security_type": "DEFINER" if f.security_definer else "INVOKER",
            }  # fmt: skip


def domains(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of domains."""
    for d in catalog.domains.values():
        yield {
            "domain_catalog": DB, "domain_schema": d.schema, "domain_name": d.name, "domain_default": d.default,
            "dtd_identifier": "1",
        } | type_columns(d.type_oid, d.typmod)  # fmt: skip


def table_privileges(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of table_privileges."""
    for relation in catalog.relations.values():
        if not isinstance(relation, (Table, View)) or relation.oid < 1024:
            continue
        name = owner(catalog, relation.owner_oid)
        for entry in relation.acl or (f"{name}=arwdDxt/{name}",):
            grantee, rest = entry.split("=", 1)
            letters, grantor = rest.split("/", 1)
            for place, letter in enumerate(letters):
                if letter != "*":
                    yield {
                        "grantor": grantor, "grantee": grantee or "PUBLIC", "table_catalog": DB,
                        "table_schema": relation.schema, "table_name": relation.name,
                        "privilege_type": _PRIVILEGES[letter],
                        "is_grantable": yes(letters[place + 1 : place + 2] == "*" or grantee == name),
                        "with_hierarchy": yes(letter == "r"),
                    }  # fmt: skip


def enabled_roles(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of enabled_roles."""
    yield {"role_name": settings_of(session).user}


def catalog_name(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of catalog_name."""
    yield {"catalog_name": DB}


BUILDERS = {
    "schemata": schemata, "tables": tables, "columns": columns, "table_constraints": table_constraints,
    "key_column_usage": key_column_usage, "referential_constraints": referential_constraints,
    "constraint_column_usage": constraint_column_usage, "constraint_table_usage": constraint_table_usage,
    "check_constraints": check_constraints, "views": views, "sequences": sequences, "routines": routines,
    "domains": domains, "table_privileges": table_privileges, "role_table_grants": table_privileges,
    "enabled_roles": enabled_roles, "information_schema_catalog_name": catalog_name,
}  # fmt: skip

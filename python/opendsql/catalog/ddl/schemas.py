"""CREATE SCHEMA with nested objects."""

from __future__ import annotations

from typing import Any

from opendsql.catalog.acl import SYSTEM_SCHEMAS
from opendsql.catalog.context import current
from opendsql.catalog.ddl import create_table as tables
from opendsql.catalog.ddl import refusals, views
from opendsql.catalog.ddl.change import Change, role_oid
from opendsql.catalog.model import PUBLIC_OID, Schema
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError
from opendsql.limits import reached


def create_schema(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """CREATE SCHEMA [IF NOT EXISTS] [name] [AUTHORIZATION role] [objects]."""
    from opendsql.catalog.ddl import sequences

    change = Change(session, catalog, "CREATE SCHEMA")
    owner = role_oid(change, stmt["authrole"]) if stmt.get("authrole") else change.user_oid
    name = stmt.get("schemaname")
    if name is None:
        name = stmt["authrole"].get("rolename") or change.settings.user
    if change.settings.user != "admin":
        raise DsqlError("42501", "permission denied for database postgres")
    if name.startswith("pg_"):
        raise DsqlError(
            "42939", f'unacceptable schema name "{name}"', detail='The prefix "pg_" is reserved for system schemas.'
        )
    if name in catalog.schemas:
        if stmt.get("if_not_exists"):
            change.notice(f'schema "{name}" already exists, skipping', "42P06")
            return change.nothing()
        raise DsqlError("42P06", f'schema "{name}" already exists')
    from opendsql.catalog.ddl import grants  # which needs this module's neighbours

    user_made = [s for s in catalog.schemas.values() if s.name not in SYSTEM_SCHEMAS and s.oid != PUBLIC_OID]
    if reached(len(user_made), current.limits.schemas_max):
        raise DsqlError("54000", f"more than {current.limits.schemas_max} schemas not allowed")
    schema = Schema(change.new_oid(), name, owner, acl=grants.initial_acl(change, "", "n", "schema"))
    change.put(schema)
    catalog = change.catalog = with_schema(catalog, schema)
    change.search_path = (name, *change.search_path)
    for node in stmt.get("schemaElts") or ():
        kind, body = next(iter(node.items()))
        if kind == "CreateStmt":
            tables.refuse_clauses(body)
            check_schema(body["relation"], name)
            tables.make_table(change, body, name)
        elif kind == "ViewStmt":
            check_schema(body["view"], name)
            views.make_view(change, body, name)
        elif kind == "CreateSeqStmt":
            check_schema(body["sequence"], name)
            sequences.check_cache(body.get("options"), "CREATE SEQUENCE")
            sequence = sequences.build(change.new_oid(), name, body["sequence"]["relname"], body.get("options"), owner)
            change.put(sequence)
            sequences.write_state(session, sequence.oid, sequence.start, False)
        elif kind == "GrantStmt":
            change.catalog = reloaded(change)
            grants.apply(change, body)
        else:
            raise refusals.refusal(kind)
        change.catalog = reloaded(change)
    return change.done()


def check_schema(relation: dict[str, Any], schema: str) -> None:
    """A nested object may name only the schema being made."""
    if relation.get("schemaname", schema) != schema:
        raise DsqlError(
            "42P15",
            f"CREATE specifies a schema ({relation['schemaname']}) different from the one being created ({schema})",
        )


def with_schema(catalog: Any, schema: Schema) -> Any:
    """The catalog with one more schema (its own dictionary; the shared Catalog stays as it is)."""
    from dataclasses import replace

    return replace(
        catalog, schemas={**catalog.schemas, schema.name: schema}, by_oid={**catalog.by_oid, schema.oid: schema}
    )


def reloaded(change: Change) -> Any:
    """The catalog as this transaction's writes leave it."""
    from opendsql.catalog import load, store

    return load.build(store.read_objects(change.session), change.catalog.version)

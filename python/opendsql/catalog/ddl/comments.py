"""COMMENT ON any kind of object that can have one."""

from __future__ import annotations

from typing import Any

from opendsql.catalog.ddl import refusals
from opendsql.catalog.ddl.change import Change, all_indexes, changed
from opendsql.catalog.ddl.rename import find_function, find_named, with_index
from opendsql.catalog.model import Sequence, Table, View
from opendsql.catalog.names import strings
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported

_KINDS = {"OBJECT_TABLE": (Table, "table"), "OBJECT_VIEW": (View, "view"), "OBJECT_SEQUENCE": (Sequence, "sequence")}


def comment(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """COMMENT ON <object> IS 'text' | NULL."""
    kind = stmt["objtype"]
    action = {
        "OBJECT_COLUMN": on_column, "OBJECT_INDEX": on_index, "OBJECT_SCHEMA": on_schema, "OBJECT_ROLE": on_role,
        "OBJECT_TABCONSTRAINT": on_constraint, "OBJECT_DOMAIN": on_domain, "OBJECT_TYPE": on_domain,
        "OBJECT_FUNCTION": on_function, "OBJECT_ROUTINE": on_function, "OBJECT_DATABASE": on_database,
        "OBJECT_DOMCONSTRAINT": on_domain_constraint,
    }.get(kind)  # fmt: skip
    if kind in _KINDS:
        action = on_relation
    if action is None:
        raise refusals.refusal("CommentStmt")  # guess: comment_object
    change = Change(session, catalog, "COMMENT")
    item = action(change, stmt, stmt.get("comment") or None)
    if item is None:
        return change.nothing()
    change.put(item)
    return change.done()


def relation_at(change: Change, parts: list[str]) -> Any:
    """The relation of a dotted name."""
    return change.find({"relname": parts[-1], **({"schemaname": parts[-2]} if len(parts) > 1 else {})})


def on_relation(change: Change, stmt: dict[str, Any], text: str | None) -> Any:
    """COMMENT ON RELATION."""
    cls, word = _KINDS[stmt["objtype"]]
    parts = strings(stmt["object"]["List"]["items"])
    relation = relation_at(change, parts)
    if not isinstance(relation, cls):
        raise DsqlError("42809", f'"{relation.name}" is not a {word}')
    change.require_owner(relation, word)
    return changed(relation, comment=text)


def on_column(change: Change, stmt: dict[str, Any], text: str | None) -> Any:
    """COMMENT ON COLUMN."""
    parts = strings(stmt["object"]["List"]["items"])
    if len(parts) < 2:
        raise DsqlError("42601", "column name must be qualified")
    relation = relation_at(change, parts[:-1])
    if not isinstance(relation, (Table, View)):
        raise DsqlError("42809", f'cannot set comment on relation "{relation.name}"')
    change.require_owner(relation, "relation")
    if all(c.name != parts[-1] or c.dropped for c in relation.columns):
        raise DsqlError("42703", f'column "{parts[-1]}" of relation "{relation.name}" does not exist')
    comments = {k: v for k, v in relation.column_comments.items() if k != parts[-1]}
    if text is not None:
        comments[parts[-1]] = text
    return changed(relation, column_comments=comments)


def on_index(change: Change, stmt: dict[str, Any], text: str | None) -> Any:
    """COMMENT ON INDEX."""
    parts = strings(stmt["object"]["List"]["items"])
    found = change.find_index(parts[-2] if len(parts) > 1 else None, parts[-1])
    if found is None:
        raise DsqlError("42P01", f'relation "{".".join(parts)}" does not exist')
    change.require_owner(found[0], "index", name=found[1].name)
    return with_index(found[0], found[1], comment=text)


def on_schema(change: Change, stmt: dict[str, Any], text: str | None) -> Any:
    """COMMENT ON SCHEMA."""
    name = stmt["object"]["String"]["sval"]
    schema = change.catalog.schemas.get(name)
    if schema is None:
        raise DsqlError("3F000", f'schema "{name}" does not exist')
    if name in ("public", "pg_catalog", "information_schema", "sys"):
        raise unsupported("feature not supported on system entity")
    change.require_owner(schema, "schema")
    return changed(schema, comment=text)


def on_role(change: Change, stmt: dict[str, Any], text: str | None) -> Any:
    """COMMENT ON ROLE."""
    name = stmt["object"]["String"]["sval"]
    role = change.catalog.roles.get(name)
    if role is None:
        raise DsqlError("42704", f'role "{name}" does not exist')
    if change.settings.user != "admin":
        detail = f'The current user must have the ADMIN option on role "{name}".'
        raise DsqlError("42501", "permission denied", detail=detail)
    return changed(role, comment=text)


def on_constraint(change: Change, stmt: dict[str, Any], text: str | None) -> Any:
    """COMMENT ON CONSTRAINT."""
    parts = strings(stmt["object"]["List"]["items"])
    name = parts[-1]
    table = relation_at(change, parts[:-1])
    if not isinstance(table, Table):
        raise DsqlError("42809", f'"{table.name}" is not a table')
    change.require_owner(table, "relation")
    for index in all_indexes(table):
        if index.constraint == name:
            return with_index(table, index, constraint_comment=text)
    for field in ("checks", "foreign_keys"):
        items = getattr(table, field)
        if any(c.name == name for c in items):
            return changed(table, **{field: tuple(changed(c, comment=text) if c.name == name else c for c in items)})
    raise DsqlError("42704", f'constraint "{name}" for table "{table.name}" does not exist')


def on_domain(change: Change, stmt: dict[str, Any], text: str | None) -> Any:
    """COMMENT ON DOMAIN."""
    names = strings(stmt["object"]["TypeName"]["names"])
    domain = find_named(change, change.catalog.domains, names, "type")
    change.require_owner(domain, "type")
    return changed(domain, comment=text)


def on_domain_constraint(change: Change, stmt: dict[str, Any], text: str | None) -> Any:
    """COMMENT ON DOMAIN CONSTRAINT."""
    items = stmt["object"]["List"]["items"]
    domain = find_named(change, change.catalog.domains, strings(items[0]["TypeName"]["names"]), "type")
    name = strings(items)[-1]
    change.require_owner(domain, "type")
    if all(c.name != name for c in domain.checks):
        raise DsqlError("42704", f'constraint "{name}" for domain {domain.name} does not exist')
    return changed(domain, checks=tuple(changed(c, comment=text) if c.name == name else c for c in domain.checks))


def on_function(change: Change, stmt: dict[str, Any], text: str | None) -> Any:
    """COMMENT ON FUNCTION."""
    function = find_function(change, stmt["object"]["ObjectWithArgs"])
    change.require_owner(function, "function")
    return changed(function, comment=text)


def on_database(change: Change, stmt: dict[str, Any], text: str | None) -> Any:
    """Accepted; the database's own description is not kept."""
    name = stmt["object"]["String"]["sval"]
    if name != "postgres":
        raise DsqlError("3D000", f'database "{name}" does not exist')
    return None

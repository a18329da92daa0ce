"""DROP of everything that can be dropped; other kinds of object are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog import jobs
from opendsql.catalog.acl import SYSTEM_SCHEMAS
from opendsql.catalog.ddl import dependencies, indexes
from opendsql.catalog.ddl.change import Change, relation_word
from opendsql.catalog.model import PUBLIC_OID, Domain, Sequence, Table, View
from opendsql.catalog.names import strings
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported

_RELATIONS: dict[str, tuple[type, str]] = {
    "OBJECT_TABLE": (Table, "table"), "OBJECT_VIEW": (View, "view"), "OBJECT_SEQUENCE": (Sequence, "sequence"),
}  # fmt: skip
_TAGS = {
    "OBJECT_TABLE": "DROP TABLE", "OBJECT_VIEW": "DROP VIEW", "OBJECT_SEQUENCE": "DROP SEQUENCE",
    "OBJECT_INDEX": "DROP INDEX", "OBJECT_SCHEMA": "DROP SCHEMA", "OBJECT_DOMAIN": "DROP DOMAIN",
    "OBJECT_FUNCTION": "DROP FUNCTION", "OBJECT_ROUTINE": "DROP ROUTINE", "OBJECT_STATISTIC_EXT": "DROP STATISTICS",
}  # fmt: skip


def drop(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """DROP <kind> [IF EXISTS] names [CASCADE | RESTRICT]."""
    kind = stmt["removeType"]
    if kind not in _TAGS:
        raise unsupported("unsupported object in DROP statement")  # recorded of types; guess: drop_object
    if stmt.get("concurrent"):
        raise unsupported("DROP INDEX CONCURRENTLY must be first action in transaction")
    cascade = stmt.get("behavior") == "DROP_CASCADE"
    if kind == "OBJECT_DOMAIN" and cascade:
        raise unsupported("DROP DOMAIN with CASCADE unsupported")
    change = Change(session, catalog, _TAGS[kind])
    missing_ok = bool(stmt.get("missing_ok"))
    if kind in _RELATIONS:
        wrote = drop_relations(change, stmt, kind, missing_ok, cascade)
    else:
        action: Callable[[Change, dict, bool, bool], bool] = {
            "OBJECT_INDEX": drop_index,
            "OBJECT_SCHEMA": drop_schema,
            "OBJECT_DOMAIN": drop_domain,
            "OBJECT_FUNCTION": drop_function,
            "OBJECT_ROUTINE": drop_function,
            "OBJECT_STATISTIC_EXT": drop_statistics,
        }[kind]
        wrote = False
        for node in stmt["objects"]:
            wrote |= action(change, node, missing_ok, cascade)
    return change.done() if wrote else change.nothing()


def name_parts(node: dict[str, Any]) -> list[str]:
    """The dotted name of one object of a DROP."""
    if "List" in node:
        return strings(node["List"]["items"])
    if "String" in node:
        return [node["String"]["sval"]]
    if "TypeName" in node:
        return strings(node["TypeName"]["names"])
    return strings(node["ObjectWithArgs"]["objname"])


def drop_relations(change: Change, stmt: dict[str, Any], kind: str, missing_ok: bool, cascade: bool) -> bool:
    """Tables, views, sequences."""
    cls, word = _RELATIONS[kind]
    targets = []
    for node in stmt["objects"]:
        parts = name_parts(node)
        schema, name = (parts[-2] if len(parts) > 1 else None), parts[-1]
        relation = change.catalog.find(name, schema, change.search_path)
        if relation is None:
            if change.find_index(schema, name) is not None:
                raise wrong_kind(name, word, "index")
            shown = f"{schema}.{name}" if schema else name
            if missing_ok:
                if schema is not None and schema not in change.catalog.schemas:
                    change.notice(f'schema "{schema}" does not exist, skipping')
                else:
                    change.notice(f'{word} "{shown if word != "table" else name}" does not exist, skipping')
                continue
            if schema in SYSTEM_SCHEMAS:
                raise unsupported("feature not supported on system entity")
            if schema is not None and schema not in change.catalog.schemas:
                raise DsqlError("3F000", f'schema "{schema}" does not exist')
            code = "42P01"
            raise DsqlError(code, f'{word} "{name if word == "table" else shown}" does not exist')
        if relation.schema in SYSTEM_SCHEMAS:
            raise unsupported("feature not supported on system entity")
        if not isinstance(relation, cls):
            raise wrong_kind(name, word, {Table: "table", View: "view", Sequence: "sequence"}[type(relation)])
        change.require_owner(relation, word, dropping=True)
        if isinstance(relation, Sequence) and relation.identity:
            refuse_identity(change, relation)
        if relation not in targets:
            targets.append(relation)
    if targets:
        dependencies.drop_relations(change, targets, cascade)
        for target in targets:
            if isinstance(target, Table):
                jobs.submit_drop(change.session, target)
    return bool(targets)


def refuse_identity(change: Change, sequence: Sequence) -> None:
    """An identity column's sequence goes only with its column."""
    assert sequence.owned_by is not None
    table = change.catalog.by_oid[sequence.owned_by[0]]
    column = table.columns[sequence.owned_by[1] - 1]
    raise DsqlError(
        "2BP01",
        f"cannot drop sequence {sequence.name} because column {column.name} of table {table.name} requires it",
        hint=f"You can drop column {column.name} of table {table.name} instead.",
    )


def wrong_kind(name: str, wanted: str, found: str) -> DsqlError:
    """42809: the name means another kind of object."""
    article = "an" if found == "index" else "a"
    return DsqlError(
        "42809",
        f'"{name}" is not {"an" if wanted == "index" else "a"} {wanted}',
        hint=f"Use DROP {found.upper()} to remove {article} {found}.",
    )


def drop_index(change: Change, node: dict[str, Any], missing_ok: bool, cascade: bool) -> bool:
    """DROP INDEX: also cancels its build."""
    parts = name_parts(node)
    schema, name = (parts[-2] if len(parts) > 1 else None), parts[-1]
    found = change.find_index(schema, name)
    if found is None:
        relation = change.catalog.find(name, schema, change.search_path)
        if relation is not None:
            raise wrong_kind(name, "index", {Table: "table", View: "view", Sequence: "sequence"}[type(relation)])
        if missing_ok:
            change.notice(f'index "{name}" does not exist, skipping')
            return False
        raise DsqlError("42704", f'index "{name}" does not exist')
    table, index = found
    change.require_owner(table, "index", dropping=True, name=index.name)
    if index.unique and cascade and index.constraint is None:
        dependencies.release_key(change, table, index.keys, index.name, cascade)
    change.stamp_namespace()
    change.put(indexes.drop_index(change, change.catalog.by_oid[table.oid], index, cascade))
    return True


def drop_schema(change: Change, node: dict[str, Any], missing_ok: bool, cascade: bool) -> bool:
    """DROP SCHEMA [CASCADE]."""
    name = name_parts(node)[-1]
    schema = change.catalog.schemas.get(name)
    if schema is None:
        if missing_ok:
            change.notice(f'schema "{name}" does not exist, skipping')
            return False
        raise DsqlError("3F000", f'schema "{name}" does not exist')
    if name in SYSTEM_SCHEMAS or schema.oid == PUBLIC_OID:
        raise unsupported("feature not supported on system entity")
    change.require_owner(schema, "schema")
    inside = [r for r in change.catalog.relations.values() if r.schema == name]
    inside = [r for r in inside if not (isinstance(r, Sequence) and r.owned_by is not None)]
    others: list[Any] = [d for d in change.catalog.domains.values() if d.schema == name]
    others += [f for group in change.catalog.functions.values() for f in group if f.schema == name]
    if (inside or others) and not cascade:
        details = [f"{relation_word(r)} {name}.{r.name} depends on schema {name}" for r in inside]
        details += [f"{'type' if hasattr(o, 'typmod') else 'function'} {name}.{o.name} depends on schema {name}" for o in others]
        raise dependencies.refuse(change, f"schema {name}", details)
    if cascade and inside + others:
        lines = [f"{relation_word(r)} {name}.{r.name}" for r in inside]
        lines += [f"{'type' if hasattr(o, 'typmod') else 'function'} {name}.{o.name}" for o in others]
        dependencies.cascade_notice(change, lines)
    notices = list(change.notices)
    if inside:
        dependencies.drop_relations(change, inside, True)
    change.notices = notices
    for other in others:
        change.remove(other)
    change.remove(schema)
    return True


def domain_users(change: Change, domain: Domain) -> list[str]:
    """DETAIL lines: domains over the domain with what uses those, then columns."""
    found = []
    for other in change.catalog.domains.values():
        if other.parent_oid == domain.oid:
            found.append(f"type {other.name} depends on type {domain.name}")
            found += domain_users(change, other)
    for relation in change.catalog.relations.values():
        if isinstance(relation, Table):
            for column in relation.live_columns:
                if column.domain_oid == domain.oid:
                    found.append(f"column {column.name} of table {relation.name} depends on type {domain.name}")
    return found


def drop_domain(change: Change, node: dict[str, Any], missing_ok: bool, cascade: bool) -> bool:
    """DROP DOMAIN; 2BP01 while a column has it."""
    parts = name_parts(node)
    domain = None
    for where in (parts[-2],) if len(parts) > 1 else change.search_path:
        domain = domain or change.catalog.domains.get((where, parts[-1]))
    if domain is None:
        if len(parts) == 1 and parts[-1] in dt.types_by_name():
            raise DsqlError("42809", f'"{dt.types_by_name()[parts[-1]].display}" is not a domain')
        if missing_ok:
            change.notice(f'type "{parts[-1]}" does not exist, skipping')
            return False
        raise DsqlError("42704", f'type "{".".join(parts)}" does not exist')
    change.require_owner(domain, "type", dropping=True)
    users = domain_users(change, domain)
    if users:
        raise dependencies.refuse(change, f"type {domain.name}", users)
    change.remove(domain)
    return True


def drop_function(change: Change, node: dict[str, Any], missing_ok: bool, cascade: bool) -> bool:
    """DROP FUNCTION f [(types)]."""
    body = node["ObjectWithArgs"]
    parts = strings(body["objname"])
    found: list[Any] = []
    for where in (parts[-2],) if len(parts) > 1 else change.search_path:
        found.extend(change.catalog.functions.get((where, parts[-1]), ()))
    shown = ".".join(parts)
    if not body.get("args_unspecified"):
        wanted = []
        for argument in body.get("objargs") or ():
            row = dt.types_by_name().get(strings(argument["TypeName"]["names"])[-1])
            wanted.append((row.array_oid if argument["TypeName"].get("arrayBounds") else row.oid) if row else 0)
        found = [f for f in found if list(f.arg_types) == wanted]
        shown += "(" + ",".join(dt.format_type(t, None) if t else "?" for t in wanted) + ")"
    elif len(found) > 1:
        raise DsqlError(
            "42725",
            f'function name "{parts[-1]}" is not unique',
            hint="Specify the argument list to select the function unambiguously.",
        )
    if not found:
        named = f'could not find a function named "{parts[-1]}"' if body.get("args_unspecified") else f"function {shown} does not exist"
        if missing_ok:
            change.notice(f"function {shown}{'()' if body.get('args_unspecified') else ''} does not exist, skipping")
            return False
        raise DsqlError("42883", named)
    change.require_owner(found[0], "function", dropping=True)
    dependencies.release_function(change, found[0], cascade)
    change.remove(found[0])
    return True


def drop_statistics(change: Change, node: dict[str, Any], missing_ok: bool, cascade: bool) -> bool:
    """DROP STATISTICS."""
    parts = name_parts(node)
    for where in (parts[-2],) if len(parts) > 1 else change.search_path:
        found = change.catalog.statistics.get((where, parts[-1]))
        if found is not None:
            change.require_owner(found, "statistics object", dropping=True)
            change.remove(found)
            return True
    if missing_ok:
        change.notice(f'statistics object "{parts[-1]}" does not exist, skipping')
        return False
    raise DsqlError("42704", f'statistics object "{".".join(parts)}" does not exist')

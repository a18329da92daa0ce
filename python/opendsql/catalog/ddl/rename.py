"""RENAME, SET SCHEMA and OWNER TO of every kind of object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opendsql.catalog import acl
from opendsql.catalog import datatypes as dt
from opendsql.catalog.acl import SYSTEM_SCHEMAS
from opendsql.catalog.ddl import constraints as rules
from opendsql.catalog.ddl import dependencies, refusals
from opendsql.catalog.ddl.change import SYSTEM_COLUMNS, Change, all_indexes, changed, relation_word
from opendsql.catalog.model import ADMIN_OID, PUBLIC_OID, Domain, Function, Sequence, Statistics, Table, View
from opendsql.catalog.names import strings
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says

_RELATION_KINDS = {"OBJECT_TABLE": "TABLE", "OBJECT_VIEW": "VIEW", "OBJECT_SEQUENCE": "SEQUENCE", "OBJECT_INDEX": "INDEX"}


def rename(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """ALTER ... RENAME."""
    kind = stmt["renameType"]
    if kind in _RELATION_KINDS:
        return rename_relation(stmt, Change(session, catalog, f"ALTER {_RELATION_KINDS[kind]}"))
    if kind == "OBJECT_COLUMN":
        word = _RELATION_KINDS.get(stmt.get("relationType", ""), "TABLE")
        return rename_column(stmt, Change(session, catalog, f"ALTER {word}"))
    if kind == "OBJECT_TABCONSTRAINT":
        return rename_constraint(stmt, Change(session, catalog, "ALTER TABLE"))
    if kind == "OBJECT_SCHEMA":
        return rename_schema(stmt, Change(session, catalog, "ALTER SCHEMA"))
    if kind == "OBJECT_ROLE":
        return rename_role(stmt, Change(session, catalog, "ALTER ROLE"))
    if kind in ("OBJECT_DOMAIN", "OBJECT_DOMCONSTRAINT"):
        return rename_domain(stmt, Change(session, catalog, "ALTER DOMAIN"))
    if kind in ("OBJECT_FUNCTION", "OBJECT_ROUTINE"):
        change = Change(session, catalog, f"ALTER {kind.removeprefix('OBJECT_')}")
        function = find_function(change, stmt["object"]["ObjectWithArgs"])
        change.require_owner(function, "function", name=function.name)
        for other in catalog.functions.get((function.schema, stmt["newname"]), ()):
            if other.arg_types == function.arg_types:
                raise DsqlError(
                    "42723",
                    f"function {stmt['newname']}({', '.join(dt.format_type(t, None) for t in function.arg_types)}) "
                    f'already exists in schema "{function.schema}"',
                )
        change.put(changed(function, name=stmt["newname"]))
        return change.done()
    if kind == "OBJECT_STATISTIC_EXT":
        change = Change(session, catalog, "ALTER STATISTICS")
        found = find_named(change, catalog.statistics, strings(stmt["object"]["List"]["items"]), "statistics object")
        change.require_owner(found, "statistics object")
        if (found.schema, stmt["newname"]) in catalog.statistics:
            raise DsqlError("42710", f'statistics object "{stmt["newname"]}" already exists in schema "{found.schema}"')
        change.put(changed(found, name=stmt["newname"]))
        return change.done()
    raise unsupported("unsupported object in RENAME statement")  # recorded of types; guess: rename_object


def find_named(change: Change, table: Mapping[tuple[str, str], Any], parts: list[str], word: str) -> Any:
    """An object of a (schema, name) dictionary."""
    for where in (parts[-2],) if len(parts) > 1 else change.search_path:
        found = table.get((where, parts[-1]))
        if found is not None:
            return found
    raise DsqlError("42704", f'{word} "{".".join(parts)}" does not exist')


def find_function(change: Change, body: dict[str, Any]) -> Any:
    """The function an ObjectWithArgs names."""
    parts = strings(body["objname"])
    found: list[Any] = []
    for where in (parts[-2],) if len(parts) > 1 else change.search_path:
        found.extend(change.catalog.functions.get((where, parts[-1]), ()))
    if not body.get("args_unspecified"):
        wanted = [dt.parameter_type(a["TypeName"], change.catalog, change.search_path) for a in body.get("objargs") or ()]
        found = [f for f in found if list(f.arg_types) == wanted]
    if not found and body.get("args_unspecified"):
        raise DsqlError("42883", f'could not find a function named "{".".join(parts)}"')
    if not found:
        raise DsqlError("42883", f"function {'.'.join(parts)}({', '.join(dt.format_type(t, None) for t in wanted)}) does not exist")
    if len(found) > 1:
        raise DsqlError("42725", f'function name "{parts[-1]}" is not unique')
    return found[0]


def skipped(change: Change, name: str) -> PyResult:
    """IF EXISTS found nothing."""
    change.notice(f'relation "{name}" does not exist, skipping')
    return change.nothing()


def rename_relation(stmt: dict[str, Any], change: Change) -> PyResult:
    """Tables, views, sequences, indexes."""
    name, new = stmt["relation"]["relname"], stmt["newname"]
    schema = stmt["relation"].get("schemaname")
    found = change.find_index(schema, name)
    if found is not None and change.catalog.find(name, schema, change.search_path) is None:
        if stmt["renameType"] not in ("OBJECT_INDEX", "OBJECT_TABLE"):
            raise DsqlError("42809", f'"{name}" is not a {_RELATION_KINDS[stmt["renameType"]].lower()}')
        return rename_index(change, *found, new)
    relation = change.find(stmt["relation"], bool(stmt.get("missing_ok")))
    if relation is None:
        return skipped(change, name)
    kinds = {"OBJECT_VIEW": View, "OBJECT_SEQUENCE": Sequence}
    wanted = kinds.get(stmt["renameType"])
    if stmt["renameType"] == "OBJECT_INDEX" or (wanted is not None and not isinstance(relation, wanted)):
        word = _RELATION_KINDS[stmt["renameType"]].lower()
        raise DsqlError("42809", f'"{name}" is not {"an" if word == "index" else "a"} {word}')
    change.require_owner(relation, relation_word(relation))
    if new in change.names_in(relation.schema):
        raise DsqlError("42P07", f'relation "{new}" already exists')
    moved(change, relation, (relation.schema, new))
    change.put(changed(relation, name=new))
    return change.done()


def moved(change: Change, relation: Any, new: tuple[str, str]) -> None:
    """Rewrite the views that read a relation about to get a new name, and defaults that use a sequence."""
    old = (relation.schema, relation.name)
    for view in dependencies.dependent_views(change.catalog, relation):
        change.put(dependencies.view_with_renamed_relation(view, old, new))
    if isinstance(relation, Sequence):
        for table, column in dependencies.default_users(change.catalog, relation):
            text = column.default or ""
            for before in (f"'{old[0]}.{old[1]}'", f"'{old[1]}'"):
                text = text.replace(before, f"'{new[0]}.{new[1]}'" if "." in before else f"'{new[1]}'")
            columns = tuple(changed(c, default=text) if c is column else c for c in table.columns)
            change.put(changed(table, columns=columns))


def rename_index(change: Change, table: Table, index: Any, new: str) -> PyResult:
    """An index; its constraint takes the name too."""
    change.require_owner(table, "index", name=index.name)
    if new in change.names_in(table.schema):
        raise DsqlError("42P07", f'relation "{new}" already exists')
    change.stamp_namespace()
    change.put(with_index(table, index, name=new, constraint=new if index.constraint else None))
    return change.done()


def with_index(table: Table, index: Any, **values: Any) -> Table:
    """The table with one of its indexes changed."""
    if index.primary:
        return changed(table, primary_key=changed(index, **values))
    return changed(table, indexes=tuple(changed(i, **values) if i.oid == index.oid else i for i in table.indexes))


def rename_column(stmt: dict[str, Any], change: Change) -> PyResult:
    """A column of a table or view, with every stored text that names it."""
    old, new = stmt["subname"], stmt["newname"]
    relation = change.find(stmt["relation"], bool(stmt.get("missing_ok")))
    if relation is None:
        return skipped(change, stmt["relation"]["relname"])
    if not isinstance(relation, (Table, View)):
        raise DsqlError("42809", f'cannot rename columns of relation "{relation.name}"')
    change.require_owner(relation, relation_word(relation))
    columns = [c for c in relation.columns if not c.dropped]
    if all(c.name != old for c in columns):
        raise DsqlError("42703", f'column "{old}" does not exist')
    if new in SYSTEM_COLUMNS:
        raise DsqlError("42701", f'column name "{new}" conflicts with a system column name')
    if any(c.name == new for c in columns):
        raise DsqlError("42701", f'column "{new}" of relation "{relation.name}" already exists')
    for view in dependencies.dependent_views(change.catalog, relation):
        change.put(dependencies.view_with_renamed_column(view, relation, old, new))
    if isinstance(relation, View):
        change.put(changed(relation, columns=renamed(relation.columns, old, new), query=renamed_output(relation, old, new)))
        return change.done()
    change.put(table_with_renamed_column(relation, old, new))
    for child, key in dependencies.referring_keys(change.catalog, relation):
        if old in key.parent_columns:
            swapped = changed(key, parent_columns=swap(key.parent_columns, old, new))
            change.put(changed(child, foreign_keys=tuple(swapped if f is key else f for f in child.foreign_keys)))
    return change.done()


def renamed(columns: tuple, old: str, new: str) -> tuple:
    """Columns with one renamed."""
    return tuple(changed(c, name=new) if c.name == old and not c.dropped else c for c in columns)


def renamed_output(view: View, old: str, new: str) -> str:
    """The view's query with its output column renamed."""
    from opendsql.catalog.ddl.views import name_targets
    from opendsql.catalog.deparse import Deparser

    tree = dependencies.fresh_query(view.query)
    name_targets(tree["SelectStmt"], [new if c.name == old else c.name for c in view.columns])
    return Deparser().query(tree)


def swap(names: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    """Names with one replaced."""
    return tuple(new if name == old else name for name in names)


def table_with_renamed_column(table: Table, old: str, new: str) -> Table:
    """A table with a column renamed in everything it keeps."""

    def text(expression: str | None) -> str | None:
        return None if expression is None else dependencies.renamed_expression(expression, old, new)

    def keys(names: tuple[str, ...]) -> tuple[str, ...]:
        swapped = swap(names, old, new)
        return tuple(f"({dependencies.renamed_expression(n, old, new)})" if n.startswith("(") else n for n in swapped)

    def index(item: Any) -> Any:
        return changed(item, keys=keys(item.keys), include=swap(item.include, old, new), predicate=text(item.predicate))

    columns = tuple(changed(c, generated=text(c.generated)) for c in table.columns)
    comments = {new if k == old else k: v for k, v in table.column_comments.items()}
    foreign = []
    for key in table.foreign_keys:
        parents = swap(key.parent_columns, old, new) if key.parent_oid == table.oid else key.parent_columns
        foreign.append(changed(key, columns=swap(key.columns, old, new), parent_columns=parents))
    return changed(
        table,
        columns=renamed(columns, old, new),
        primary_key=index(table.primary_key) if table.primary_key is not None else None,
        indexes=tuple(index(i) for i in table.indexes),
        checks=tuple(changed(c, expression=text(c.expression)) for c in table.checks),
        foreign_keys=tuple(foreign),
        column_comments=comments,
    )


def rename_constraint(stmt: dict[str, Any], change: Change) -> PyResult:
    """A constraint; an index behind it takes the name too."""
    old, new = stmt["subname"], stmt["newname"]
    table = change.find_table(stmt["relation"], bool(stmt.get("missing_ok")))
    if table is None:
        return skipped(change, stmt["relation"]["relname"])
    change.require_owner(table, "table")
    names = rules.constraint_names(table)
    if old not in names:
        raise DsqlError("42704", f'constraint "{old}" for table "{table.name}" does not exist')
    if new in names:
        raise DsqlError("42710", f'constraint "{new}" for relation "{table.name}" already exists')
    index = next((i for i in all_indexes(table) if i.constraint == old), None)
    if index is not None:
        if new in change.names_in(table.schema):
            raise DsqlError("42P07", f'relation "{new}" already exists')
        change.stamp_namespace()
        table = with_index(table, index, name=new, constraint=new)
    table = changed(
        table,
        checks=tuple(changed(c, name=new) if c.name == old else c for c in table.checks),
        foreign_keys=tuple(changed(f, name=new) if f.name == old else f for f in table.foreign_keys),
    )
    change.put(table)
    return change.done()


def find_schema(change: Change, name: str) -> Any:
    """A schema a user may change."""
    schema = change.catalog.schemas.get(name)
    if schema is None:
        raise DsqlError("3F000", f'schema "{name}" does not exist')
    if name in SYSTEM_SCHEMAS or schema.oid == PUBLIC_OID:
        raise unsupported("feature not supported on system entity")
    change.require_owner(schema, "schema")
    return schema


def rename_schema(stmt: dict[str, Any], change: Change) -> PyResult:
    """A schema, with every object in it."""
    old, new = stmt["subname"], stmt["newname"]
    schema = find_schema(change, old)
    if new in change.catalog.schemas:
        raise DsqlError("42P06", f'schema "{new}" already exists')
    if new.startswith("pg_"):
        raise DsqlError(
            "42939", f'unacceptable schema name "{new}"', detail='The prefix "pg_" is reserved for system schemas.'
        )
    change.put(changed(schema, name=new))
    catalog = change.catalog
    views: dict[int, View] = {r.oid: r for r in catalog.relations.values() if isinstance(r, View)}
    for relation in [r for r in catalog.relations.values() if r.schema == old]:
        for view in dependencies.dependent_views(catalog, relation):
            current = views[view.oid]
            views[view.oid] = dependencies.view_with_renamed_relation(current, (old, relation.name), (new, relation.name))
    for relation in [r for r in catalog.relations.values() if r.schema == old or r.oid in views]:
        item: Any = views.get(relation.oid, relation)
        if item.schema == old:
            item = changed(item, schema=new)
        if item is not relation:
            change.put(item)
    others = [*catalog.domains.values(), *catalog.statistics.values()]
    others += [f for group in catalog.functions.values() for f in group]
    for item in others:
        if item.schema == old:
            change.put(changed(item, schema=new))
    return change.done()


def rename_role(stmt: dict[str, Any], change: Change) -> PyResult:
    """ALTER ROLE r RENAME TO s."""
    role = change.catalog.roles.get(stmt["subname"])
    if role is None:
        raise DsqlError("42704", f'role "{stmt["subname"]}" does not exist')
    if role.oid == ADMIN_OID:
        raise unsupported("feature not supported on system entity")
    if stmt["newname"] in change.catalog.roles:
        raise DsqlError("42710", f'role "{stmt["newname"]}" already exists')
    if change.settings.user != "admin":
        raise DsqlError("42501", "permission denied to rename role")
    change.put(changed(role, name=stmt["newname"]))
    for item in change.catalog.by_oid.values():  # access lists name roles
        values: dict[str, Any] = {}
        if getattr(item, "acl", ()) and acl.renamed(item.acl, role.name, stmt["newname"]) != item.acl:
            values["acl"] = acl.renamed(item.acl, role.name, stmt["newname"])
        lists = getattr(item, "column_acls", None) or {}
        renamed_lists = {c: acl.renamed(entries, role.name, stmt["newname"]) for c, entries in lists.items()}
        if renamed_lists != lists:
            values["column_acls"] = renamed_lists
        if values:
            change.put(changed(item, **values))
    return change.done()


def owner_word(item: Any) -> str:
    """What `must be owner of` calls an object."""
    return {Domain: "type", Function: "function", Statistics: "statistics object"}.get(type(item)) or relation_word(item)


def rename_domain(stmt: dict[str, Any], change: Change) -> PyResult:
    """A domain or one of its constraints."""
    domain: Domain = find_named(change, change.catalog.domains, strings(stmt["object"]["List"]["items"]), "type")
    change.require_owner(domain, "type")
    if stmt["renameType"] == "OBJECT_DOMAIN":
        if (domain.schema, stmt["newname"]) in change.catalog.domains:
            raise DsqlError("42710", f'type "{stmt["newname"]}" already exists')
        change.put(changed(domain, name=stmt["newname"]))
        return change.done()
    if all(c.name != stmt["subname"] for c in domain.checks):
        raise DsqlError("42704", f'constraint "{stmt["subname"]}" for domain {domain.name} does not exist')
    checks = tuple(changed(c, name=stmt["newname"]) if c.name == stmt["subname"] else c for c in domain.checks)
    change.put(changed(domain, checks=checks))
    return change.done()


def set_schema(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """ALTER ... SET SCHEMA."""
    kind = stmt["objectType"]
    words = {**_RELATION_KINDS, "OBJECT_DOMAIN": "DOMAIN", "OBJECT_FUNCTION": "FUNCTION", "OBJECT_ROUTINE": "ROUTINE"}
    words["OBJECT_STATISTIC_EXT"] = "STATISTICS"
    if kind not in words or kind == "OBJECT_INDEX":
        raise unsupported(says("set_schema_object", kind=kind.removeprefix("OBJECT_").replace("_", " ")))
    change = Change(session, catalog, f"ALTER {words[kind]}")
    new = stmt["newschema"]
    if kind in _RELATION_KINDS:
        item = change.find(stmt["relation"], bool(stmt.get("missing_ok")))
        if item is None:
            return skipped(change, stmt["relation"]["relname"])
        change.require_owner(item, relation_word(item))
    elif kind == "OBJECT_DOMAIN":
        item = find_named(change, catalog.domains, strings(stmt["object"]["List"]["items"]), "type")
    elif kind == "OBJECT_STATISTIC_EXT":
        item = find_named(change, catalog.statistics, strings(stmt["object"]["List"]["items"]), "statistics object")
    else:
        item = find_function(change, stmt["object"]["ObjectWithArgs"])
    if kind not in _RELATION_KINDS:
        change.require_owner(item, owner_word(item))
    target = change.creation_schema(new)
    if target == item.schema:
        return change.nothing()
    if isinstance(item, (Table, View, Sequence)):
        names = {item.name, *(i.name for i in all_indexes(item))} if isinstance(item, Table) else {item.name}
        clash = names & change.names_in(target)
        if clash:
            raise DsqlError("42P07", f'relation "{sorted(clash)[0]}" already exists in schema "{target}"')
        if isinstance(item, Sequence) and item.owned_by is not None:
            raise unsupported("cannot move an owned sequence into another schema")
        moved(change, item, (target, item.name))
        if isinstance(item, Table):
            for other in catalog.relations.values():
                if isinstance(other, Sequence) and other.owned_by and other.owned_by[0] == item.oid:
                    change.put(changed(other, schema=target))
    change.put(changed(item, schema=target))
    return change.done()


def set_owner(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """ALTER ... OWNER TO for schemas, domains, functions, statistics (tables go through ALTER TABLE)."""
    kind = stmt["objectType"]
    words = {"OBJECT_SCHEMA": "SCHEMA", "OBJECT_DOMAIN": "DOMAIN", "OBJECT_FUNCTION": "FUNCTION"}
    words.update({"OBJECT_ROUTINE": "ROUTINE", "OBJECT_STATISTIC_EXT": "STATISTICS"})
    if kind not in words:
        if kind == "OBJECT_TYPE":
            raise refusals.refusal("AlterTypeStmt")
        raise refusals.refusal("AlterOwnerStmt")
    change = Change(session, catalog, f"ALTER {words[kind]}")
    if kind == "OBJECT_SCHEMA":
        item = find_schema(change, stmt["object"]["String"]["sval"])
    elif kind == "OBJECT_DOMAIN":
        item = find_named(change, catalog.domains, strings(stmt["object"]["List"]["items"]), "type")
    elif kind == "OBJECT_STATISTIC_EXT":
        item = find_named(change, catalog.statistics, strings(stmt["object"]["List"]["items"]), "statistics object")
    else:
        item = find_function(change, stmt["object"]["ObjectWithArgs"])
    change.put(change.given_to(item, owner_word(item), stmt["newowner"]))
    return change.done()

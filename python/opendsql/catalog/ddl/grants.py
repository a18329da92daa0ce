"""GRANT and REVOKE on objects, ALTER DEFAULT PRIVILEGES. What access lists are and who may change them: catalog.acl."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from opendsql.catalog import acl, store
from opendsql.catalog.acl import SYSTEM_SCHEMAS
from opendsql.catalog.ddl import refusals
from opendsql.catalog.ddl.change import Change, changed
from opendsql.catalog.ddl.rename import find_function
from opendsql.catalog.model import PUBLIC_OID, Schema, Sequence, Table, View
from opendsql.catalog.names import strings
from opendsql.catalog.result import Notice, PyResult
from opendsql.errors import DsqlError, unsupported


def grant(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """GRANT / REVOKE on objects."""
    change = Change(session, catalog, "GRANT" if stmt.get("is_grant") else "REVOKE")
    apply(change, stmt)
    return change.done()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a GRANT or REVOKE says, whatever the object."""

    grantees: tuple[str, ...]
    is_grant: bool
    option: bool
    cascade: bool
    is_all: bool  # ALL PRIVILEGES


def wish_of(change: Change, stmt: dict[str, Any]) -> Wish:
    """The wish of a GrantStmt; GRANTED BY may only name the user."""
    if "grantor" in stmt:
        grantor = stmt["grantor"].get("RoleSpec", stmt["grantor"])
        if grantee_name(change, grantor) != change.settings.user:
            raise unsupported("grantor must be current user")
    grantees = tuple(grantee_name(change, node["RoleSpec"]) for node in stmt["grantees"])
    return Wish(
        grantees,
        bool(stmt.get("is_grant")),
        bool(stmt.get("grant_option")),
        stmt.get("behavior") == "DROP_CASCADE",
        not stmt.get("privileges"),
    )


def apply(change: Change, stmt: dict[str, Any]) -> None:
    """Change the access list of every object named."""
    wish = wish_of(change, stmt)
    for item, kind in targets(change, stmt):
        refuse_system(item)
        letters, columns = wanted(stmt, kind)
        if letters:
            item = _on_object(change, item, letters, wish)
        for column, column_letters in columns.items():
            if all(c.name != column or c.dropped for c in item.columns):
                raise DsqlError("42703", f'column "{column}" of relation "{item.name}" does not exist')
            item = _on_column(change, item, column, column_letters, wish)
        change.put(item)


def _on_object(change: Change, item: Any, letters: str, wish: Wish) -> Any:
    items = acl.list_of(change.catalog, item)
    items = _changed(change, item, item, items, items, letters, wish)
    item = changed(item, acl=acl.show(items))
    if not wish.is_grant and getattr(item, "column_acls", None):  # what the table loses its columns lose
        for column in item.column_acls:
            item = _on_column(change, item, column, letters, wish, quiet=True)
    return item


def _on_column(change: Change, item: Any, column: str, letters: str, wish: Wish, *, quiet: bool = False) -> Any:
    own = acl.parse(item.column_acls.get(column, ()))
    items = _changed(change, item, item, own, [*acl.list_of(change.catalog, item), *own], letters, wish, quiet=quiet)
    lists = {**item.column_acls, column: acl.show(items)}
    return changed(item, column_acls={name: entries for name, entries in lists.items() if entries})


def _changed(
    change: Change, item: Any, named: Any, items: list[acl.Item], seen: list[acl.Item], letters: str, wish: Wish,
    *, quiet: bool = False,
) -> list[acl.Item]:  # fmt: skip
    """items after the wish, as far as the user may give or take; `seen` is where its grant options stand."""
    owner = acl.role_name(change.catalog, item.owner_oid)
    grantor, allowed = acl.best_grantor(change.catalog, change.settings.user, item, seen, letters)
    if not quiet:
        _tell(change, item, named.name, letters, allowed, wish)
    for name in wish.grantees:
        if wish.is_grant:
            items = acl.give(items, name, grantor, allowed, wish.option, owner)
        else:
            items = acl.take(items, name, grantor, allowed, wish.option, wish.cascade, owner)
    return items


def _tell(change: Change, item: Any, name: str, letters: str, allowed: str, wish: Wish) -> None:
    """Refuse a user who has nothing to give, warn one who has less than asked for."""
    if not allowed and not any(
        acl.holds(change.catalog, change.settings.user, item, c, option=o) for c in acl.ALL[acl.kind_of(item)] for o in (False, True)
    ):
        raise DsqlError("42501", f"permission denied for {acl.word_of(item)} {name}")
    if allowed and (wish.is_all or allowed == letters):
        return
    some = "not all privileges were granted" if wish.is_grant else "not all privileges could be revoked"
    none = "no privileges were granted" if wish.is_grant else "no privileges could be revoked"
    state = "01007" if wish.is_grant else "01006"
    change.notices.append(Notice(f'{some if allowed else none} for "{name}"', state, "WARNING"))


def grantee_name(change: Change, spec: dict[str, Any]) -> str:
    """The name in the list; '' is PUBLIC."""
    if spec["roletype"] == "ROLESPEC_PUBLIC":
        return ""
    name = spec.get("rolename", change.settings.user)
    if name not in change.catalog.roles:
        raise DsqlError("42704", f'role "{name}" does not exist')
    return name


def refuse_system(item: Any) -> None:
    """Nothing of the system's can be granted or revoked."""
    if isinstance(item, Schema) and (item.oid == PUBLIC_OID or item.name in SYSTEM_SCHEMAS):
        raise unsupported("feature not supported on system entity")
    if getattr(item, "schema", "") in SYSTEM_SCHEMAS:
        raise unsupported("feature not supported on system entity")


def wanted(stmt: dict[str, Any], kind: str) -> tuple[str, dict[str, str]]:
    """Letters asked for the object, and for columns."""
    if not stmt.get("privileges"):
        return acl.ALL[kind], {}
    letters = ""
    columns: dict[str, str] = {}
    for node in stmt["privileges"]:
        body = node["AccessPriv"]
        name = body.get("priv_name", "")
        letter = acl.LETTERS.get(name) if name else None
        if name and letter is None:
            raise DsqlError("42601", f'unrecognized privilege type "{name}"')
        if body.get("cols"):
            for column in strings(body["cols"]):
                columns[column] = columns.get(column, "") + (letter or acl.ALL["column"])
            continue
        if letter is None:
            return acl.ALL[kind], columns
        if letter not in acl.ALL[kind] and not (kind == "sequence" and letter in "arwdDxt"):
            shown = "relation" if kind == "table" and letter != "U" else kind
            raise DsqlError("0LP01", f"invalid privilege type {name.upper()} for {shown}")
        letters += letter
    return letters, columns


def targets(change: Change, stmt: dict[str, Any]) -> list[tuple[Any, str]]:
    """(object, kind) of what a GRANT names."""
    kind = stmt["objtype"]
    if kind != "OBJECT_TABLE" and any(node["AccessPriv"].get("cols") for node in stmt.get("privileges", ())):
        raise DsqlError("0LP01", "column privileges are only valid for relations")
    if stmt["targtype"] == "ACL_TARGET_ALL_IN_SCHEMA":
        return all_in_schema(change, stmt, kind)
    if kind in ("OBJECT_TABLE", "OBJECT_SEQUENCE"):
        found = []
        for node in stmt["objects"]:
            relation = change.find(node["RangeVar"])
            if kind == "OBJECT_SEQUENCE" and not isinstance(relation, Sequence):
                raise DsqlError("42809", f'"{relation.name}" is not a sequence')
            found.append((relation, "sequence" if isinstance(relation, Sequence) else "table"))
        return found
    if kind == "OBJECT_SCHEMA":
        found = []
        for name in strings(stmt["objects"]):
            if name not in change.catalog.schemas:
                raise DsqlError("3F000", f'schema "{name}" does not exist')
            found.append((change.catalog.schemas[name], "schema"))
        return found
    if kind in ("OBJECT_FUNCTION", "OBJECT_ROUTINE"):
        return [(find_function(change, node["ObjectWithArgs"]), "function") for node in stmt["objects"]]
    if kind == "OBJECT_DATABASE":
        raise unsupported("feature not supported on system entity")
    raise refusals.refusal("GrantStmt")


def all_in_schema(change: Change, stmt: dict[str, Any], kind: str) -> list[tuple[Any, str]]:
    """GRANT ... ON ALL <kind> IN SCHEMA."""
    found: list[tuple[Any, str]] = []
    for name in strings(stmt["objects"]):
        if name not in change.catalog.schemas:
            raise DsqlError("3F000", f'schema "{name}" does not exist')
        if name in SYSTEM_SCHEMAS:
            raise unsupported("feature not supported on system entity")
        for relation in change.catalog.relations.values():
            if relation.schema == name and kind == "OBJECT_TABLE" and isinstance(relation, (Table, View)):
                found.append((relation, "table"))
            elif relation.schema == name and kind == "OBJECT_SEQUENCE" and isinstance(relation, Sequence):
                found.append((relation, "sequence"))
        if kind in ("OBJECT_FUNCTION", "OBJECT_ROUTINE"):
            for group in change.catalog.functions.values():
                found.extend((f, "function") for f in group if f.schema == name)
    return found


def alter_default_privileges(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """ALTER DEFAULT PRIVILEGES: what objects made later by a role start with, everywhere or in one schema."""
    change = Change(session, catalog, "ALTER DEFAULT PRIVILEGES")
    options = {n["DefElem"]["defname"]: n["DefElem"]["arg"]["List"]["items"] for n in stmt.get("options") or ()}
    action = stmt["action"]["GrantStmt"] if "GrantStmt" in stmt["action"] else stmt["action"]
    if action["objtype"] not in _DEFAULT_KINDS:
        raise refusals.refusal("AlterDefaultPrivilegesStmt")
    code, kind = _DEFAULT_KINDS[action["objtype"]]
    letters, _ = wanted(action, kind)
    wish = wish_of(change, action)
    roles = [grantee_name(change, n["RoleSpec"]) for n in options.get("roles", ())] or [change.settings.user]
    schemas = strings(options.get("schemas")) or [""]
    if kind == "schema" and schemas != [""]:
        raise DsqlError("0LP01", "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS")
    for schema in schemas:
        if schema and schema not in catalog.schemas:
            raise DsqlError("3F000", f'schema "{schema}" does not exist')
    for role in roles:
        if not acl.owns(catalog, change.settings.user, Schema(0, "", catalog.roles[role].oid)):
            raise DsqlError("42501", "permission denied to change default privileges")
        for schema in schemas:
            role_oid = catalog.roles[role].oid
            start = () if schema else acl.default(kind, role)
            items = acl.parse(next((e[3] for e in catalog.default_acls if e[:3] == (role_oid, schema, code)), start))
            for name in wish.grantees:
                if wish.is_grant:
                    items = acl.give(items, name, role, letters, wish.option, role)
                else:
                    items = acl.take(items, name, role, letters, wish.option, wish.cascade, role)
            shown = acl.show(items)
            write_default_acl(change, role_oid, schema, code, shown, bool(set(shown) ^ set(start)))
    return change.done()


_DEFAULT_KINDS = {
    "OBJECT_TABLE": ("r", "table"), "OBJECT_SEQUENCE": ("S", "sequence"), "OBJECT_FUNCTION": ("f", "function"),
    "OBJECT_ROUTINE": ("f", "function"), "OBJECT_SCHEMA": ("n", "schema"),
}  # fmt: skip


def write_default_acl(change: Change, role_oid: int, schema: str, code: str, entries: tuple[str, ...], differs: bool) -> None:
    """One row per (role, schema, kind), while it says something the built-in default does not."""
    for row in store.read_objects(change.session):
        if row[1] == "default_acl":
            entry = json.loads(row[4])
            if (entry["role"], entry["schema"], entry["objtype"]) == (role_oid, schema, code):
                store.delete_object(change.session, row[0])
    if differs:
        text = json.dumps({"role": role_oid, "schema": schema, "objtype": code, "acl": list(entries)})
        store.put_object(change.session, change.new_oid(), "default_acl", schema, "", text)


def initial_acl(change: Change, schema: str, code: str, kind: str) -> tuple[str, ...]:
    """The access list a new object of the user starts with, from default privileges."""
    lists = {e[1]: e[3] for e in change.catalog.default_acls if e[0] == change.user_oid and e[2] == code}
    if "" not in lists and schema not in lists:
        return ()
    owner = change.settings.user
    items = acl.parse(lists.get("", acl.default(kind, owner)))
    for item in acl.parse(lists.get(schema, ())) if schema else ():
        for letter, option in item.held.items():
            items = acl.give(items, item.grantee, item.grantor, letter, option, owner)
    oids = {name: role.oid for name, role in change.catalog.roles.items()}
    shown = acl.show(sorted(items, key=lambda i: (oids.get(i.grantee, 0), oids.get(i.grantor, 0))))
    return () if set(shown) == set(acl.default(kind, owner)) else shown

"""GRANT and REVOKE on objects, ALTER DEFAULT PRIVILEGES. Access lists are kept as PostgreSQL's aclitem texts.

    grantee=privileges/grantor      privileges: letters, each followed by * with grant option; '' grantee = PUBLIC

An empty list means the default: everything to the owner (functions: EXECUTE to PUBLIC).
"""

from __future__ import annotations

import json
from typing import Any

from opendsql.catalog import store
from opendsql.catalog.ddl import refusals
from opendsql.catalog.ddl.change import SYSTEM_SCHEMAS, Change, changed
from opendsql.catalog.ddl.rename import find_function
from opendsql.catalog.model import PUBLIC_OID, Catalog, Function, Schema, Sequence, Table, View
from opendsql.catalog.names import strings
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported

LETTERS = {
    "insert": "a", "select": "r", "update": "w", "delete": "d", "truncate": "D", "references": "x", "trigger": "t",
    "execute": "X", "usage": "U", "create": "C", "temporary": "T", "temp": "T", "connect": "c",
}  # fmt: skip
ALL = {"table": "arwdDxt", "sequence": "rwU", "schema": "UC", "function": "X", "column": "arwx", "domain": "U"}


def privileges_of(acl: tuple[str, ...], grantee: str) -> str:
    """The letters a grantee has in an access list (grant options marked *)."""
    for entry in acl:
        name, rest = entry.split("=", 1)
        if name.strip('"') == grantee:
            return rest.split("/", 1)[0]
    return ""


def default_acl(kind: str, owner: str) -> tuple[str, ...]:
    """What an empty list stands for."""
    entries = (f"{owner}={ALL[kind]}/{owner}",)
    return ("=X/" + owner, *entries) if kind == "function" else entries


def merge(acl: tuple[str, ...], grantee: str, grantor: str, letters: str, grant: bool, option: bool) -> tuple[str, ...]:
    """An access list with privileges given or taken."""
    out, done = [], False
    for entry in acl:
        name, rest = entry.split("=", 1)
        if name != grantee:
            out.append(entry)
            continue
        done = True
        held = split(rest.split("/", 1)[0])
        if grant:
            for letter in letters:
                held[letter] = held.get(letter, False) or option
        else:
            for letter in letters:
                held.pop(letter, None)
        if held:
            out.append(f"{name}={join(held)}/{rest.split('/', 1)[1]}")
    if grant and not done:
        out.append(f"{grantee}={join(dict.fromkeys(letters, option))}/{grantor}")
    return tuple(out)


def split(text: str) -> dict[str, bool]:
    """letter -> grant option."""
    held: dict[str, bool] = {}
    for position, letter in enumerate(text):
        if letter != "*":
            held[letter] = text[position + 1 : position + 2] == "*"
    return held


def join(held: dict[str, bool]) -> str:
    """Letters in PostgreSQL's order."""
    return "".join(letter + ("*" if held[letter] else "") for letter in "arwdDxtXUCTc" if letter in held)


def grant(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """GRANT / REVOKE on objects."""
    change = Change(session, catalog, "GRANT" if stmt.get("is_grant") else "REVOKE")
    apply(change, stmt)
    return change.done()


def apply(change: Change, stmt: dict[str, Any]) -> None:
    """Change the access list of every object named."""
    is_grant = bool(stmt.get("is_grant"))
    option = bool(stmt.get("grant_option"))
    grantees = [grantee_name(change, node["RoleSpec"]) for node in stmt["grantees"]]
    for item, kind in targets(change, stmt):
        refuse_system(item)
        if change.settings.user != "admin":
            change.require_owner(item, "relation" if kind in ("table", "sequence") else kind)
        letters, columns = wanted(stmt, kind)
        owner = role_name(change.catalog, item.owner_oid)
        if letters:
            acl = item.acl or default_acl(kind, owner)
            for name in grantees:
                acl = merge(acl, name, owner, letters, is_grant, option)
            item = changed(item, acl=acl)
        for column, column_letters in columns.items():
            if all(c.name != column or c.dropped for c in item.columns):
                raise DsqlError("42703", f'column "{column}" of relation "{item.name}" does not exist')
            acl = item.column_acls.get(column, ())
            for name in grantees:
                acl = merge(acl, name, owner, column_letters, is_grant, option)
            item = changed(item, column_acls={**item.column_acls, column: acl})
        change.put(item)


def grantee_name(change: Change, spec: dict[str, Any]) -> str:
    """The name in the list; '' is PUBLIC."""
    if spec["roletype"] == "ROLESPEC_PUBLIC":
        return ""
    name = spec.get("rolename", change.settings.user)
    if name not in change.catalog.roles:
        raise DsqlError("42704", f'role "{name}" does not exist')
    return name


def role_name(catalog: Catalog, oid: int) -> str:
    """A role's name by oid."""
    return getattr(catalog.by_oid.get(oid), "name", "admin")


def refuse_system(item: Any) -> None:
    """Nothing of the system's can be granted or revoked."""
    if isinstance(item, Schema) and (item.oid == PUBLIC_OID or item.name in SYSTEM_SCHEMAS):
        raise unsupported("feature not supported on system entity")
    if getattr(item, "schema", "") in SYSTEM_SCHEMAS:
        raise unsupported("feature not supported on system entity")


def wanted(stmt: dict[str, Any], kind: str) -> tuple[str, dict[str, str]]:
    """Letters asked for the object, and for columns."""
    if not stmt.get("privileges"):
        return ALL[kind], {}
    letters = ""
    columns: dict[str, str] = {}
    for node in stmt["privileges"]:
        body = node["AccessPriv"]
        name = body.get("priv_name", "")
        letter = LETTERS.get(name) if name else None
        if name and letter is None:
            raise DsqlError("42601", f'unrecognized privilege type "{name}"')
        if body.get("cols"):
            for column in strings(body["cols"]):
                columns[column] = columns.get(column, "") + (letter or ALL["column"])
            continue
        if letter is None:
            return ALL[kind], columns
        if letter not in ALL[kind] and not (kind == "sequence" and letter in "arwdDxt"):
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
    """ALTER DEFAULT PRIVILEGES: recorded and shown in pg_default_acl; applied to tables made later."""
    change = Change(session, catalog, "ALTER DEFAULT PRIVILEGES")
    options = {n["DefElem"]["defname"]: n["DefElem"]["arg"]["List"]["items"] for n in stmt.get("options") or ()}
    action = stmt["action"]["GrantStmt"] if "GrantStmt" in stmt["action"] else stmt["action"]
    codes = {"OBJECT_TABLE": ("r", "table"), "OBJECT_SEQUENCE": ("S", "sequence"), "OBJECT_FUNCTION": ("f", "function")}
    codes.update({"OBJECT_ROUTINE": ("f", "function"), "OBJECT_SCHEMA": ("n", "schema")})
    if action["objtype"] not in codes:
        raise refusals.refusal("AlterDefaultPrivilegesStmt")
    code, kind = codes[action["objtype"]]
    letters, _ = wanted(action, kind)
    roles = [n["RoleSpec"].get("rolename", change.settings.user) for n in options.get("roles", ())] or [change.settings.user]
    schemas = strings(options.get("schemas")) or [""]
    for schema in schemas:
        if schema and schema not in catalog.schemas:
            raise DsqlError("3F000", f'schema "{schema}" does not exist')
    for role in roles:
        if role not in catalog.roles:
            raise DsqlError("42704", f'role "{role}" does not exist')
        for schema in schemas:
            role_oid = catalog.roles[role].oid
            acl = next((e[3] for e in catalog.default_acls if e[:3] == (role_oid, schema, code)), ())
            for node in action["grantees"]:
                name = grantee_name(change, node["RoleSpec"])
                acl = merge(acl, name, role, letters, bool(action.get("is_grant")), bool(action.get("grant_option")))
            write_default_acl(change, role_oid, schema, code, acl)
    return change.done()


def write_default_acl(change: Change, role_oid: int, schema: str, code: str, acl: tuple[str, ...]) -> None:
    """One row per (role, schema, kind)."""
    for row in store.read_objects(change.session):
        if row[1] == "default_acl":
            entry = json.loads(row[4])
            if (entry["role"], entry["schema"], entry["objtype"]) == (role_oid, schema, code):
                store.delete_object(change.session, row[0])
    if acl:
        text = json.dumps({"role": role_oid, "schema": schema, "objtype": code, "acl": list(acl)})
        store.put_object(change.session, change.new_oid(), "default_acl", schema, "", text)


def initial_acl(change: Change, schema: str, code: str, kind: str) -> tuple[str, ...]:
    """The access list a new object of the user starts with, from default privileges."""
    entries = [e for e in change.catalog.default_acls if e[0] == change.user_oid and e[1] in ("", schema) and e[2] == code]
    if not entries:
        return ()
    acl = default_acl(kind, change.settings.user)
    for entry in entries:
        for item in entry[3]:
            name, rest = item.split("=", 1)
            held = split(rest.split("/", 1)[0])
            for letter, option in held.items():
                acl = merge(acl, name, change.settings.user, letter, True, option)
    return acl


def holds(catalog: Catalog, user: str, item: Table | View | Sequence | Schema | Function, letter: str) -> bool:
    """Whether a user has a privilege on an object: admin, owner, member of the owner, or by the access list."""
    from opendsql.catalog.ddl.change import membership

    role = catalog.roles.get(user)
    if user == "admin" or role is None:
        return user == "admin"
    roles = membership(catalog, role.oid)
    if item.owner_oid in roles:
        return True
    names = {"", *(role_name(catalog, oid) for oid in roles)}
    if isinstance(item, Schema) and (item.oid == PUBLIC_OID or item.name in SYSTEM_SCHEMAS):
        return letter == "U"
    acl = item.acl or (default_acl("function", "admin") if isinstance(item, Function) else ())
    return any(letter in entry.split("=", 1)[1].split("/", 1)[0] for entry in acl if entry.split("=", 1)[0] in names)

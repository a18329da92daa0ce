"""CREATE / ALTER / DROP ROLE and USER, GRANT role TO role, AWS IAM GRANT / REVOKE."""

from __future__ import annotations

import re
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog.acl import is_admin_of, membership, parse
from opendsql.catalog.ddl.change import Change, changed, relation_word
from opendsql.catalog.ddl.sequences import option_number, options_of
from opendsql.catalog.model import ADMIN_OID, Function, Mapping, Role
from opendsql.catalog.result import Notice, PyResult
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import choice, says

# Of an IAM user or role, or an account's root: what tokens are signed by. A session's sts ARN is not one: its role is mapped.
_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(root|(user|role)/[!-~]+)")
_REFUSED = {
    "password": "PASSWORD", "superuser": "SUPERUSER", "createdb": "CREATEDB", "isreplication": "REPLICATION",
    "bypassrls": "BYPASSRLS", "createrole": "CREATEROLE", "validUntil": "VALID UNTIL",
}  # fmt: skip


def truth(option: dict[str, Any]) -> bool:
    """The value of an on/off DefElem."""
    arg = option.get("arg", {})
    if "Boolean" in arg:
        return bool(arg["Boolean"].get("boolval", False))
    return bool(arg.get("Integer", {}).get("ival", 0))


def check_options(options: dict[str, dict[str, Any]], verb: str) -> None:
    """Attributes a DSQL role cannot have; saying NO to them is fine, except for a password."""
    for name, word in _REFUSED.items():
        option = options.get(name)
        if option is not None and (name in ("password", "validUntil") or truth(option)):
            raise unsupported(says("role_attribute", word=word, verb=verb))


def create_role(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """CREATE ROLE / USER."""
    if stmt["stmt_type"] == "ROLESTMT_GROUP":
        raise unsupported(says("create_group"))
    options = options_of(stmt.get("options"))
    check_options(options, "CREATE ROLE")
    change = Change(session, catalog, "CREATE ROLE")
    require_admin(change, "create role", 'Only roles with the CREATEROLE attribute may create roles.')
    name = stmt["role"]
    if name.startswith("pg_"):
        raise DsqlError("42939", f'role name "{name}" is reserved', detail='Role names starting with "pg_" are reserved.')
    if name in catalog.roles:
        raise DsqlError("42710", f'role "{name}" already exists')
    login = stmt["stmt_type"] == "ROLESTMT_USER"
    role = apply_options(Role(change.new_oid(), name, login), options)
    for spec in role_specs(options.get("addroleto")):
        parent = role_named(change, spec)
        _may_give(change, parent, True)
        role = _given(change, role, parent, change.user_oid, {})
    change.put(role)
    for option, given in (("rolemembers", {}), ("adminmembers", {"admin": True})):
        for spec in role_specs(options.get(option)):
            change.put(_given(change, role_named(change, spec), role, change.user_oid, given))
    return change.done()


def require_admin(change: Change, what: str, detail: str) -> None:
    """42501 unless the user is admin: no other role can have CREATEROLE."""
    if change.settings.user != "admin":
        raise DsqlError("42501", f"permission denied to {what}", detail=detail)


def role_specs(option: dict[str, Any] | None) -> list[dict[str, Any]]:
    """RoleSpecs of an option's list."""
    return [node["RoleSpec"] for node in option["arg"]["List"]["items"]] if option else []


def apply_options(role: Role, options: dict[str, dict[str, Any]]) -> Role:
    """A role with attributes set."""
    if "canlogin" in options:
        role = changed(role, login=truth(options["canlogin"]))
    if "inherit" in options:
        role = changed(role, inherit=truth(options["inherit"]))
    if "connectionlimit" in options:
        role = changed(role, connection_limit=option_number(options["connectionlimit"]))
    return role


def role_named(change: Change, spec: dict[str, Any]) -> Role:
    """The role of a RoleSpec."""
    name = spec.get("rolename", change.settings.user)
    role = change.catalog.roles.get(name)
    if role is None:
        raise DsqlError("42704", f'role "{name}" does not exist')
    return role


def alter_role(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """ALTER ROLE attributes."""
    options = options_of(stmt.get("options"))
    check_options(options, "ALTER ROLE")
    change = Change(session, catalog, "ALTER ROLE")
    role = role_named(change, stmt["role"]["RoleSpec"] if "RoleSpec" in stmt["role"] else stmt["role"])
    roles_only = f'Only roles with the CREATEROLE attribute and the ADMIN option on role "{role.name}" may alter this role.'
    require_admin(change, "alter role", roles_only)
    if role.oid == ADMIN_OID:
        raise unsupported("feature not supported on system entity")
    change.put(apply_options(role, options))
    return change.done()


def drop_role(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """DROP ROLE / USER."""
    change = Change(session, catalog, "DROP ROLE")
    require_admin(change, "drop role", "Only roles with the CREATEROLE attribute and the ADMIN option on the target roles may drop roles.")
    wrote = False
    if any("rolename" not in node["RoleSpec"] for node in stmt["roles"]):
        raise DsqlError("22023", "cannot use special role specifier in DROP ROLE")
    for node in stmt["roles"]:
        name = node["RoleSpec"].get("rolename", change.settings.user)
        role = catalog.roles.get(name)
        if role is None:
            if not stmt.get("missing_ok"):
                raise DsqlError("42704", f'role "{name}" does not exist')
            change.notice(f'role "{name}" does not exist, skipping')
            continue
        if role.oid == ADMIN_OID:
            raise unsupported("feature not supported on system entity")
        if name == change.settings.user:
            raise DsqlError("55006", "current user cannot be dropped")
        owned = owned_objects(change, role)
        owned += [says("iam_drop_detail", arn=m.arn) for m in catalog.mappings if m.role_oid == role.oid]
        if owned:
            detail = "\n".join(owned)
            raise DsqlError(
                "2BP01", f'role "{name}" cannot be dropped because some objects depend on it', detail=detail
            )
        change.remove(role)
        for other in catalog.roles.values():
            if role.oid in other.member_of:
                parents = tuple(o for o in other.member_of if o != role.oid)
                change.put(changed(other, member_of=parents, member_options=tuple(o for o in other.member_options if o[0] != role.oid)))
        wrote = True
    return change.done() if wrote else change.nothing()


def owned_objects(change: Change, role: Role) -> list[str]:
    """Detail lines for what still hangs on a role."""
    catalog = change.catalog
    lines = []
    items: list[tuple[str, Any]] = [(relation_word(r), r) for r in catalog.relations.values()]
    items += [("schema", s) for s in catalog.schemas.values()]
    items += [("type", d) for d in catalog.domains.values()]
    items += [("function", f) for group in catalog.functions.values() for f in group]
    items += [("statistics object", s) for s in catalog.statistics.values()]
    for word, item in sorted(items, key=lambda pair: pair[1].oid):
        where = getattr(item, "schema", "")
        shown = item.name if not where or where in change.search_path else f"{where}.{item.name}"
        if isinstance(item, Function):
            shown = f"{shown}({','.join(dt.format_type(t, None) for t in item.arg_types)})"
        lists = [getattr(item, "acl", ()), *getattr(item, "column_acls", {}).values()]
        if item.owner_oid == role.oid:
            lines.append(f"owner of {word} {shown}")
        elif any(role.name in (i.grantee, i.grantor) for entries in lists for i in parse(entries)):
            lines.append(f"privileges for {word} {shown}")
    words = {"r": "relations", "S": "sequences", "f": "functions", "n": "schemas"}
    for owner, schema, code, entries in catalog.default_acls:
        where = f" in schema {schema}" if schema else ""
        if owner == role.oid:
            lines.append(f"owner of default privileges on new {words[code]} belonging to role {role.name}{where}")
        elif any(i.grantee == role.name for i in parse(entries)):
            name = getattr(catalog.by_oid.get(owner), "name", "admin")
            lines.append(f"privileges for default privileges on new {words[code]} belonging to role {name}{where}")
    return lines


def grant_role(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """GRANT role TO role [WITH ADMIN | INHERIT | SET], REVOKE [ADMIN OPTION FOR] role FROM role."""
    is_grant = bool(stmt.get("is_grant"))
    change = Change(session, catalog, "GRANT ROLE" if is_grant else "REVOKE ROLE")
    options = {n["DefElem"]["defname"]: truth(n["DefElem"]) for n in stmt.get("opt") or ()}
    grantor = role_named(change, stmt["grantor"].get("RoleSpec", stmt["grantor"])) if "grantor" in stmt else None
    if grantor is not None and grantor.name != change.settings.user and change.settings.user != "admin":
        raise DsqlError(
            "42501",
            f'permission denied to grant privileges as role "{grantor.name}"',
            detail=f'Only roles with privileges of role "{grantor.name}" may grant privileges as this role.',
        )
    pending: dict[int, Role] = {}
    for node in stmt["granted_roles"]:
        if node["AccessPriv"].get("cols"):
            raise DsqlError("0LP01", "column names cannot be included in GRANT/REVOKE ROLE")
        granted = role_named(change, {"rolename": node["AccessPriv"]["priv_name"]})
        _may_give(change, granted, is_grant)
        giver = grantor.oid if grantor is not None else change.user_oid
        for grantee in stmt["grantee_roles"]:
            member = role_named(change, grantee["RoleSpec"])
            member = pending.get(member.oid, member)
            after = _given(change, member, granted, giver, options) if is_grant else _taken(change, member, granted, options)
            if after is not member:
                pending[member.oid] = after
    for member in pending.values():
        change.put(member)
    return change.done()


def _may_give(change: Change, granted: Role, is_grant: bool) -> None:
    """Whoever changes membership in a role needs its ADMIN OPTION; nobody can be made admin."""
    if granted.oid == ADMIN_OID:
        raise unsupported("feature not supported on system entity")
    if change.settings.user == "admin" or is_admin_of(change.catalog, change.user_oid, granted.oid):
        return
    raise DsqlError(
        "42501",
        f'permission denied to {"grant" if is_grant else "revoke"} role "{granted.name}"',
        detail=f'Only roles with the ADMIN option on role "{granted.name}" may '
        f"{'grant' if is_grant else 'revoke'} this role.",
    )


def _given(change: Change, member: Role, granted: Role, giver: int, options: dict[str, bool]) -> Role:
    """The member with membership given, or its options changed."""
    if member.oid == granted.oid or member.oid in membership(change.catalog, granted.oid):
        raise DsqlError("0LP01", f'role "{granted.name}" is a member of role "{member.name}"')
    known = next((o for o in member.member_options if o[0] == granted.oid), None)
    if granted.oid in member.member_of and not options:
        by = getattr(change.catalog.by_oid.get(known[1] if known else ADMIN_OID), "name", "admin")
        change.notice(f'role "{member.name}" has already been granted membership in role "{granted.name}" by role "{by}"')
        return member
    flags = known[2] if known is not None else ("i" if member.inherit else "") + "s"
    for word, letter in (("admin", "a"), ("inherit", "i"), ("set", "s")):
        if word in options:
            flags = flags.replace(letter, "") + (letter if options[word] else "")
    others = tuple(o for o in member.member_options if o[0] != granted.oid)
    given_by = known[1] if known is not None else giver
    parents = member.member_of if granted.oid in member.member_of else (*member.member_of, granted.oid)
    return changed(member, member_of=parents, member_options=(*others, (granted.oid, given_by, "".join(sorted(flags)))))


def _taken(change: Change, member: Role, granted: Role, options: dict[str, bool]) -> Role:
    """The member without the membership, or without the options REVOKE ... OPTION FOR names."""
    if granted.oid not in member.member_of:
        by = change.settings.user
        note = f'role "{member.name}" has not been granted membership in role "{granted.name}" by role "{by}"'
        change.notices.append(Notice(note, "01000", "WARNING"))
        return member
    others = tuple(o for o in member.member_options if o[0] != granted.oid)
    if not options:
        return changed(member, member_of=tuple(o for o in member.member_of if o != granted.oid), member_options=others)
    known = next((o for o in member.member_options if o[0] == granted.oid), (granted.oid, ADMIN_OID, "is"))
    lost = {letter for word, letter in (("admin", "a"), ("inherit", "i"), ("set", "s")) if word in options}
    return changed(member, member_options=(*others, (granted.oid, known[1], "".join(c for c in known[2] if c not in lost))))


def iam_grant(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """AWS IAM GRANT role TO 'arn'."""
    return _iam(stmt, session, catalog, True)


def iam_revoke(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """AWS IAM REVOKE role FROM 'arn'."""
    return _iam(stmt, session, catalog, False)


def _iam(stmt: dict[str, Any], session: Any, catalog: Any, is_grant: bool) -> PyResult:
    change = Change(session, catalog, "AWS IAM GRANT" if is_grant else "AWS IAM REVOKE")
    name, arn = stmt["role"], stmt["arn"]
    role = catalog.roles.get(name)
    if name.startswith("pg_"):
        raise DsqlError(choice("iam_unsupported_state"), f"Cannot establish trust with role {name}")
    if role is None:
        raise DsqlError(choice("iam_unknown_state"), f"Role {name} does not exist")
    if role.oid == ADMIN_OID:
        raise DsqlError(choice("iam_unsupported_state"), f"Role {name} not supported")
    if change.settings.user != "admin":
        raise DsqlError(choice("iam_permission_state"), f"permission denied to grant IAM trust with role {name}")
    if not _ARN.fullmatch(arn):
        raise DsqlError(choice("iam_argument_state"), "IAM role must look like an IAM ARN")
    existing = [m for m in catalog.mappings if m.arn == arn and m.role_oid == role.oid]
    if not is_grant:
        if not existing:
            raise DsqlError(choice("iam_unknown_state"), f"IAM role {arn} does not exist")
        change.remove(existing[0])
        return change.done()
    if not role.login:
        raise DsqlError(choice("iam_argument_state"), f"role {name} must have the LOGIN attribute")
    if not existing:
        change.put(Mapping(change.new_oid(), arn, role.oid, change.user_oid))
    return change.done()

"""CREATE / ALTER / DROP ROLE and USER, GRANT role TO role, AWS IAM GRANT / REVOKE."""

from __future__ import annotations

import re
from typing import Any

from opendsql.catalog.ddl.change import Change, changed, membership
from opendsql.catalog.ddl.sequences import option_number, options_of
from opendsql.catalog.model import ADMIN_OID, Mapping, Role, Table, View
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
    parents = [role_named(change, spec).oid for spec in role_specs(options.get("addroleto"))]
    change.put(changed(role, member_of=tuple(parents)))
    for spec in [*role_specs(options.get("rolemembers")), *role_specs(options.get("adminmembers"))]:
        member = role_named(change, spec)
        change.put(changed(member, member_of=(*member.member_of, role.oid)))
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
                change.put(changed(other, member_of=tuple(o for o in other.member_of if o != role.oid)))
        wrote = True
    return change.done() if wrote else change.nothing()


def owned_objects(change: Change, role: Role) -> list[str]:
    """Detail lines for what still hangs on a role."""
    lines = []
    for relation in change.catalog.relations.values():
        word = {Table: "table", View: "view"}.get(type(relation), "sequence")
        if relation.owner_oid == role.oid:
            lines.append(f"owner of {word} {relation.name}")
        elif any(entry.split("=", 1)[0] == role.name for entry in relation.acl):
            lines.append(f"privileges for {word} {relation.name}")
    for schema in change.catalog.schemas.values():
        if schema.owner_oid == role.oid:
            lines.append(f"owner of schema {schema.name}")
        elif any(entry.split("=", 1)[0] == role.name for entry in schema.acl):
            lines.append(f"privileges for schema {schema.name}")
    words = {"r": "relations", "S": "sequences", "f": "functions", "n": "schemas"}
    for owner, schema_name, code, acl in change.catalog.default_acls:
        if owner == role.oid or any(entry.split("=", 1)[0] == role.name for entry in acl):
            maker = getattr(change.catalog.by_oid.get(owner), "name", "admin")
            where = f" in schema {schema_name}" if schema_name else ""
            lines.append(f"privileges for default privileges on new {words[code]} belonging to role {maker}{where}")
    return lines


def grant_role(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """GRANT role TO role, REVOKE role FROM role."""
    is_grant = bool(stmt.get("is_grant"))
    change = Change(session, catalog, "GRANT ROLE" if is_grant else "REVOKE ROLE")
    pending: dict[int, Role] = {}
    for node in stmt["granted_roles"]:
        if node["AccessPriv"].get("cols"):
            raise DsqlError("0LP01", "column names cannot be included in GRANT/REVOKE ROLE")
        granted = role_named(change, {"rolename": node["AccessPriv"]["priv_name"]})
        for grantee in stmt["grantee_roles"]:
            member = role_named(change, grantee["RoleSpec"])
            member = pending.get(member.oid, member)
            if is_grant:
                if member.oid == granted.oid or member.oid in membership(catalog, granted.oid):
                    raise DsqlError("0LP01", f'role "{granted.name}" is a member of role "{member.name}"')
                if granted.oid in member.member_of:
                    change.notice(f'role "{member.name}" has already been granted membership in role "{granted.name}" by role "admin"')
                    continue
                member = changed(member, member_of=(*member.member_of, granted.oid))
            elif granted.oid in member.member_of:
                member = changed(member, member_of=tuple(o for o in member.member_of if o != granted.oid))
            else:
                note = f'role "{member.name}" has not been granted membership in role "{granted.name}" by role "admin"'
                change.notices.append(Notice(note, "01000", "WARNING"))
                continue
            pending[member.oid] = member
    for member in pending.values():
        change.put(member)
    return change.done()


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

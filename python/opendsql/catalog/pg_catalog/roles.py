"""Roles, the database, default privileges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opendsql.catalog.model import ADMIN_OID, Catalog, Role
from opendsql.catalog.pg_catalog.classes import schema_oid

RowDict = dict[str, Any]
DATABASE_OID = 5
SYSTEM_ROLE_OID = 10


def pg_authid(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_authid."""
    for role in catalog.roles.values():
        yield {
            "oid": role.oid, "rolname": role.name, "rolinherit": role.inherit, "rolcreaterole": role.oid == ADMIN_OID,
            "rolcanlogin": role.login, "rolconnlimit": role.connection_limit,
        }  # fmt: skip


def pg_roles(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_roles."""
    for row in pg_authid(catalog, session):
        blank = {"rolsuper": False, "rolcreatedb": False, "rolreplication": False, "rolbypassrls": False}
        yield blank | row | {"rolpassword": "********"}


def pg_user(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_user."""
    for role in catalog.roles.values():
        if role.login:
            yield user_row(role) | {"passwd": "********"}


def user_row(role: Role) -> RowDict:
    """pg_user and pg_shadow."""
    return {
        "usename": role.name, "usesysid": role.oid, "usecreatedb": False, "usesuper": False, "userepl": False,
        "usebypassrls": False,
    }  # fmt: skip


def pg_shadow(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_shadow."""
    for role in catalog.roles.values():
        if role.login:
            yield user_row(role)


def pg_group(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_group."""
    for role in catalog.roles.values():
        if not role.login:
            members = [other.oid for other in catalog.roles.values() if role.oid in other.member_of]
            yield {"groname": role.name, "grosysid": role.oid, "grolist": members}


def pg_auth_members(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_auth_members."""
    for role in catalog.roles.values():
        options = {parent: (grantor, flags) for parent, grantor, flags in role.member_options}
        for parent in role.member_of:
            grantor, flags = options.get(parent, (ADMIN_OID, "is" if role.inherit else "s"))
            yield {
                "oid": 0x80000000 | (role.oid << 15 ^ parent) & 0x7FFFFFFF, "roleid": parent, "member": role.oid,
                "grantor": grantor, "admin_option": "a" in flags, "inherit_option": "i" in flags, "set_option": "s" in flags,
            }  # fmt: skip


def pg_database(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_database."""
    yield {
        "oid": DATABASE_OID, "datname": "postgres", "datdba": SYSTEM_ROLE_OID, "encoding": 6, "datlocprovider": "c",
        "datallowconn": True, "datconnlimit": -1, "dattablespace": 1663, "datcollate": "C", "datctype": "C",
    }  # fmt: skip


def pg_default_acl(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_default_acl."""
    for number, (role, schema, objtype, acl) in enumerate(catalog.default_acls):
        yield {
            "oid": 0x80000001 + number, "defaclrole": role, "defaclnamespace": schema_oid(catalog, schema) if schema else 0,
            "defaclobjtype": objtype, "defaclacl": list(acl),
        }  # fmt: skip


BUILDERS = {
    "pg_authid": pg_authid, "pg_roles": pg_roles, "pg_user": pg_user, "pg_shadow": pg_shadow, "pg_group": pg_group,
    "pg_auth_members": pg_auth_members, "pg_database": pg_database, "pg_default_acl": pg_default_acl,
}  # fmt: skip

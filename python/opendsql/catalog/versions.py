"""Versions of catalog names: what a session compares to learn that somebody changed what it uses (OC001).

Tree 1 keeps, for every name ever made, how often it was changed and by which session; a DDL statement writes it beside
the object's row. Which names a statement uses is known when it is planned; the comparison is dsql_core/execute/known.pyx.

    names = versions.used(catalog, relations, user)     goes into the program
    versions.change(session, versions.of(catalog, item))    in DDL
    versions.use(session, names)                        for statements that run no program

A name is a number: 63 bits of a hash of kind, schema and name, the highest bit set to keep clear of the oids that tree 1's
commit checks are made of. Two names that share a number cost a needless OC001, nothing else.

Invariants
  V1  every catalog row's change changes its names in the same transaction, except what statements cannot see
      (row estimates, the oid counter) and what only later objects inherit (default privileges).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from opendsql.catalog import store
from opendsql.catalog.model import (
    FIRST_USER_OID,
    Catalog,
    Domain,
    Function,
    Mapping,
    Role,
    Schema,
    Statistics,
    Table,
)
from opendsql.errors import DsqlError

OUTDATED = "schema has been updated by another transaction (OC001)"
CHANGES = struct.Struct("<QQ")  # changes so far, token of the session that made the last one


@lru_cache(16384)
def name(kind: str, schema: str, of: str) -> int:
    """The number of a name; kinds: relation, function, role, schema, domain."""
    digest = hashlib.blake2b(f"{kind}\0{schema}\0{of}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") | 1 << 63


def of(catalog: Catalog, item: Any) -> list[int]:
    """The names that change with an object."""
    match item:
        case Role():
            return [name("role", "", item.name)]
        case Schema():
            return [name("schema", "", item.name)]
        case Function():
            return [name("function", item.schema, item.name)]
        case Domain():
            return [name("domain", item.schema, item.name)]
        case Mapping():
            role = catalog.by_oid.get(item.role_oid)
            return [name("role", "", role.name)] if isinstance(role, Role) else []
        case Statistics():
            table = catalog.by_oid.get(item.table_oid)
            return [name("relation", table.schema, table.name)] if isinstance(table, Table) else []
    return [name("relation", item.schema, item.name)]


def used(catalog: Catalog, items: Iterable[Any], user: str) -> list[int]:
    """The names a statement depends on: its relations and functions, their schemas and domains, the roles of its user.

    Empty for one that reads nothing but the catalog: it is never refused.
    """
    found: dict[int, None] = {}
    for item in items:
        if item.oid < FIRST_USER_OID:
            continue
        found.update(dict.fromkeys(of(catalog, item)))
        found[name("schema", "", item.schema)] = None
        for column in getattr(item, "columns", ()):
            domain = catalog.by_oid.get(column.domain_oid) if column.domain_oid else None
            if isinstance(domain, Domain):
                found[name("domain", domain.schema, domain.name)] = None
    if found:
        found.update(dict.fromkeys(roles(catalog, user)))
    return list(found)


def roles(catalog: Catalog, user: str) -> list[int]:
    """The names of a user's role and of every role it is a member of."""
    from opendsql.catalog.acl import membership

    role = catalog.roles.get(user)
    if role is None:
        return [name("role", "", user)]
    members = (catalog.by_oid.get(oid) for oid in sorted(membership(catalog, role.oid)))
    return [name("role", "", member.name) for member in members if isinstance(member, Role)]


def use(session: Any, names: Iterable[int]) -> None:
    """The session's statement depends on these names; 40001 OC001 when somebody changed one since it used it."""
    try:
        session.use_names(names)
    except DsqlError:
        raise
    except Exception as error:  # the core's own class, same fields
        if getattr(error, "sqlstate", None) != "40001":
            raise
        raise DsqlError("40001", OUTDATED) from None


def change(session: Any, names: Iterable[int], author: int | None = None) -> None:
    """Count one change of each name in the session's transaction; author None: the session itself, 0: whoever had it."""
    for number in names:
        key = number.to_bytes(8, "big")
        image = session.get(store.VERSION_TREE, key)
        changes, last = CHANGES.unpack(image) if image is not None else (0, 0)
        by = session.token if author is None else author or last
        session.put(store.VERSION_TREE, key, CHANGES.pack(changes + 1, by))

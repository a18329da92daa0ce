"""The first content of an empty directory: the counter row, schema public and role admin.

bootstrap_rows() gives the rows as (tree, key, value), for a first journal frame; bootstrap(session) puts them through a
session, so they are as durable as any transaction. The schemas sys, pg_catalog and information_schema have no rows:
they are part of every Catalog (load.py).
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog import serialise, store
from opendsql.catalog.model import ADMIN_OID, PUBLIC_OID, Role, Schema


def bootstrap_rows() -> list[tuple[int, bytes, bytes]]:
    """(tree, key, row image) of each first row."""
    public = Schema(PUBLIC_OID, "public", comment="standard public schema")
    admin = Role(ADMIN_OID, "admin", login=True)
    rows = [
        (0, "counter", "", "", store.counter_definition()),
        (public.oid, "schema", "", public.name, serialise.dump(public)),
        (admin.oid, "role", "", admin.name, serialise.dump(admin)),
    ]
    return [
        (store.OBJECT_TREE, store.row_key(store.INT8, row[0]), store.encode_row(store.OBJECT_TYPES, list(row)))
        for row in rows
    ]


def is_empty(session: Any) -> bool:
    """Whether the directory has no catalog yet."""
    return session.get(store.OBJECT_TREE, store.row_key(store.INT8, 0)) is None


def bootstrap(session: Any) -> bool:
    """Write the first rows if there are none; True when they were written. The caller commits."""
    if not is_empty(session):
        return False
    for tree, key, value in bootstrap_rows():
        session.put(tree, key, value)
    session.mark_catalog_change()
    return True

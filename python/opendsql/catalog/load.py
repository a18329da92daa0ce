"""Catalog rows -> Catalog, cached by catalog version.

`load(session)` gives the Catalog at the session's snapshot, seeing the transaction's own DDL. One Catalog object is
shared by all sessions of a process at one version; the newest few versions are kept for transactions still open at an
older one.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace
from typing import Any

from opendsql.catalog import serialise, store
from opendsql.catalog.model import (
    ADMIN_OID,
    INFORMATION_SCHEMA_OID,
    PG_CATALOG_OID,
    SYS_OID,
    Catalog,
    Column,
    Index,
    Role,
    Schema,
    Table,
)
from opendsql.catalog.system_functions import system_functions

VERSIONS_KEPT = 8
JOBS_OID = store.JOB_TREE

_cache: OrderedDict[int, Catalog] = OrderedDict()


def load(session: Any) -> Catalog:
    """The Catalog at the session's snapshot (its transaction's own DDL included)."""
    if session.did_ddl:
        return build(store.read_objects(session), session.catalog_version)
    while True:
        version = session.catalog_version
        found = _cache.get(version)
        if found is not None:
            return found
        rows = store.read_objects(session)
        if session.catalog_version == version:  # else another session's DDL came between: a session that is idle holds no snapshot
            break
    found = build(rows, version)
    _cache[version] = found
    while len(_cache) > VERSIONS_KEPT:
        _cache.popitem(last=False)
    return found


def forget() -> None:
    """Drop every cached Catalog (another directory is about to be opened in this process)."""
    _cache.clear()


def build(rows: list[tuple[int, str, str, str, str]], version: int) -> Catalog:
    """A Catalog from rows of tree 2."""
    catalog = Catalog(version, {}, {}, {}, {})
    for schema in _system_schemas():
        catalog.schemas[schema.name] = schema
        catalog.by_oid[schema.oid] = schema
    jobs = jobs_table()
    catalog.relations[("sys", "jobs")] = jobs
    catalog.by_oid[jobs.oid] = jobs
    for function in system_functions():
        catalog.functions[(function.schema, function.name)] = (function,)
        catalog.by_oid[function.oid] = function
    mappings, acls = [], []
    for oid, kind, _schema, _name, definition in rows:
        if kind == "counter":
            continue
        if kind == "default_acl":
            entry = json.loads(definition)
            acls.append((entry["role"], entry["schema"], entry["objtype"], tuple(entry["acl"])))
            continue
        item = serialise.restore(kind, definition)
        catalog.by_oid[oid] = item
        if kind == "mapping":
            mappings.append(item)
        else:
            _enter(catalog, kind, item)
    return replace(catalog, mappings=tuple(mappings), default_acls=tuple(acls))


def _enter(catalog: Catalog, kind: str, item: Any) -> None:
    if kind == "schema":
        catalog.schemas[item.name] = item
    elif kind == "role":
        catalog.roles[item.name] = item
    elif kind == "domain":
        catalog.domains[(item.schema, item.name)] = item
    elif kind == "statistics":
        catalog.statistics[(item.schema, item.name)] = item
    elif kind == "function":
        key = (item.schema, item.name)
        catalog.functions[key] = (*catalog.functions.get(key, ()), item)
    else:
        catalog.relations[(item.schema, item.name)] = item
        if kind == "table":
            for index in item.indexes:
                catalog.by_oid[index.oid] = index
            if item.primary_key is not None:
                catalog.by_oid[item.primary_key.oid] = item.primary_key


def _system_schemas() -> tuple[Schema, ...]:
    return (
        Schema(PG_CATALOG_OID, "pg_catalog", comment="system catalog schema"),
        Schema(INFORMATION_SCHEMA_OID, "information_schema"),
        Schema(SYS_OID, "sys"),
    )


def jobs_table() -> Table:
    """sys.jobs as a table: rows of tree 3, the engine's own columns after the visible ones shown as dropped."""
    columns = [Column(name, number + 1, oid) for number, (name, oid) in enumerate(store.JOB_COLUMNS)]
    for number, (name, oid) in enumerate(store.JOB_HIDDEN, len(columns)):
        columns.append(Column(name, number + 1, oid, dropped=True))
    key = Index(JOBS_OID + 100, "jobs_pkey", JOBS_OID, ("job_id",), (store.TEXT,), unique=True, primary=True)
    return Table(JOBS_OID, "sys", "jobs", tuple(columns), ADMIN_OID, primary_key=key)


def find_role(catalog: Catalog, oid: int) -> Role | None:
    """The role of an oid."""
    found = catalog.by_oid.get(oid)
    return found if isinstance(found, Role) else None

"""The data side of jobs: index entries of existing rows, and constraints checked over them.

run_chunk reads base rows in key order, computes their entries and puts them: in the compiled core for sessions of the
core (dsql_core.execute.backfill), otherwise in the plain Python form below, which handles indexes on plain columns and is
what the tests compare the compiled one with.
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog import hooks, store
from opendsql.catalog.model import Catalog, Check, ForeignKey, Index, Table
from opendsql.catalog.names import qualified, quote_ident
from opendsql.errors import DsqlError

_programs: dict[tuple[int, int], Any] = {}  # (catalog version, index oid) -> program of the build under way


class DuplicateKey(Exception):
    """Two rows have one key in a unique index."""


def stored_columns(table: Table, index: Index) -> list[str]:
    """Columns an index stores beyond its keys: INCLUDE, then primary-key columns not among them (model, M4)."""
    names = list(index.include)
    primary = table.primary_key.keys if table.primary_key is not None else ()
    return names + [name for name in primary if name not in index.keys and name not in names]


def run_chunk(
    session: Any, catalog: Catalog, table: Table, index: Index, after: bytes | None, rows: int
) -> tuple[bytes | None, int]:
    """Entries of up to `rows` base rows after a key. (last key done, rows); last key None = no rows are left."""
    from dsql_core.execute import SessionHandle, backfill_chunk, compile_backfill

    if isinstance(session, SessionHandle) and hooks.index_descriptor is not None:
        key = (catalog.version, index.oid)
        if key not in _programs:
            _programs.clear()
            _programs[key] = compile_backfill(hooks.index_descriptor(table, index, catalog, session))
        last, count, duplicate = backfill_chunk(session, _programs[key], after, rows)
        if duplicate:
            raise DuplicateKey
        return last, count
    if any(key.startswith("(") for key in index.keys) or index.predicate is not None:
        raise DsqlError("0A000", "expression and partial indexes need the compiled backfill")
    return _plain_chunk(session, table, index, after, rows)


def _plain_chunk(session: Any, table: Table, index: Index, after: bytes | None, rows: int) -> tuple[bytes | None, int]:
    from dsql_core.codec import RowCodec, key_encode, key_successor

    place = {column.name: column.attnum - 1 for column in table.columns if not column.dropped}
    types = [column.type_oid for column in table.columns]
    keys = [place[name] for name in index.keys]
    nulls_first = list(index.nulls_first) or [False] * len(keys)
    stored = keys + [place[name] for name in stored_columns(table, index)]
    base, entry = RowCodec(types), RowCodec([types[c] for c in stored])
    lo = None if after is None else after + b"\0"
    chunk = session.scan(table.oid, lo, None, limit=rows)
    for row_key, image in chunk:
        values = base.decode(image)
        prefix = key_encode([(types[c], values[c], first) for c, first in zip(keys, nulls_first, strict=True)])
        key = prefix + row_key
        if index.unique and (not index.nulls_distinct or all(values[c] is not None for c in keys)):
            for other, _ in session.scan(index.oid, prefix, key_successor(prefix), limit=2):
                if other != key:
                    raise DuplicateKey
            session.add_check(store.fingerprint(index.oid, prefix) | store.CHECK_VALIDATE | store.CHECK_STAMP)
        session.put(index.oid, key, entry.encode([values[c] for c in stored]))
        session.add_check(store.fingerprint(table.oid, row_key) | store.CHECK_VALIDATE)
    return (chunk[-1][0] if len(chunk) == rows else None), len(chunk)


def constraint_failure(session: Any, catalog: Catalog, table: Table, constraint: Check | ForeignKey) -> str | None:
    """The details of a failed validation, None when every row satisfies the constraint."""
    if hooks.execute is None:
        raise DsqlError("0A000", "validation needs the query processor")
    if isinstance(constraint, Check):
        sql = f"SELECT 1 FROM {qualified(table.schema, table.name)} WHERE NOT ({constraint.expression}) LIMIT 1"
        if hooks.execute(sql, session, catalog):
            return f'check constraint "{constraint.name}" of relation "{table.name}" is violated by some row'
        return None
    parent = catalog.by_oid[constraint.parent_oid]
    pairs = list(zip(constraint.columns, constraint.parent_columns, strict=True))
    joined = " AND ".join(f"p.{quote_ident(b)} = c.{quote_ident(a)}" for a, b in pairs)
    present = " AND ".join(f"c.{quote_ident(a)} IS NOT NULL" for a in constraint.columns)
    sql = (
        f"SELECT 1 FROM {qualified(table.schema, table.name)} c WHERE {present} AND NOT EXISTS "
        f"(SELECT 1 FROM {qualified(parent.schema, parent.name)} p WHERE {joined}) LIMIT 1"
    )
    if hooks.execute(sql, session, catalog):
        return f'insert or update on table "{table.name}" violates foreign key constraint "{constraint.name}"'
    return None

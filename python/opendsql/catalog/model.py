"""The catalog as the planner sees it: immutable descriptions of schemas, relations and roles at one catalog version.

A Catalog is read from the catalog trees at a snapshot (catalog.load) and never changed; DDL makes new descriptor rows
(catalog.ddl) and the next snapshot yields the next Catalog. Expressions (defaults, checks, index keys, view queries)
are kept as SQL text in PostgreSQL's words with schema-qualified names.

Invariants
  M1  oids are unique over all objects of a database; user objects start at FIRST_USER_OID.
  M2  attnum is the column's place in the row image plus one and is never reused: a dropped column keeps its place.
  M3  a relation's tree id is its oid; trees below FIRST_USER_OID belong to the catalog itself.
  M5  relations in `relations` with an oid below FIRST_USER_OID (sys.jobs) may be read, never written, by a client.
  M4  an index's stored image is key columns, then INCLUDE columns, then primary-key columns not among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FIRST_USER_OID = 26000
ADMIN_OID = 15579
PUBLIC_OID = 2200
PG_CATALOG_OID = 11
SYS_OID = 15580
INFORMATION_SCHEMA_OID = 13000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or view; also of a dropped one, whose place stays."""

    name: str
    attnum: int
    type_oid: int
    typmod: int = -1
    not_null: bool = False
    default: str | None = None  # SQL text
    generated: str | None = None  # SQL text of GENERATED ALWAYS AS (...) STORED
    identity: str = ""  # '' | 'a' | 'd'
    sequence_oid: int | None = None  # of an identity column
    dropped: bool = False
    storage: str | None = None
    domain_oid: int | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """An index; its tree holds entries of the table's rows."""

    oid: int  # also its tree id; a primary key index has the table's tree (tree_oid)
    name: str
    table_oid: int
    keys: tuple[str, ...]  # column names, or expressions with parentheses around them
    key_types: tuple[int, ...]
    nulls_first: tuple[bool, ...] = ()
    include: tuple[str, ...] = ()
    unique: bool = False
    primary: bool = False
    nulls_distinct: bool = True
    predicate: str | None = None
    valid: bool = True
    constraint: str | None = None  # name of the UNIQUE / PRIMARY KEY constraint it serves
    comment: str | None = None
    constraint_comment: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint."""

    oid: int
    name: str
    expression: str
    validated: bool = True
    comment: str | None = None
    no_inherit: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A FOREIGN KEY constraint of the child table."""

    oid: int
    name: str
    columns: tuple[str, ...]
    parent_oid: int
    parent_columns: tuple[str, ...]
    match: str = "s"
    on_delete: str = "a"
    on_update: str = "a"
    delete_columns: tuple[str, ...] = ()  # of ON DELETE SET NULL | SET DEFAULT (columns); empty = all
    deferrable: bool = False
    deferred: bool = False
    validated: bool = True
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with everything that belongs to it."""

    oid: int  # also the tree id of its rows
    schema: str
    name: str
    columns: tuple[Column, ...]  # by attnum, dropped ones included
    owner_oid: int = ADMIN_OID
    primary_key: Index | None = None  # None: hidden 16-byte key
    indexes: tuple[Index, ...] = ()  # secondary, invalid ones included
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    constraint_oids: dict[str, int] = field(default_factory=dict)  # PRIMARY KEY / UNIQUE / NOT NULL by name
    comment: str | None = None
    column_comments: dict[str, str] = field(default_factory=dict)
    acl: tuple[str, ...] = ()
    row_estimate: float = -1.0
    column_acls: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def column(self, name: str) -> Column | None:
        """The live column of that name, or None."""
        for column in self.columns:
            if column.name == name and not column.dropped:
                return column
        return None

    @property
    def live_columns(self) -> tuple[Column, ...]:
        """Columns that were not dropped."""
        return tuple(c for c in self.columns if not c.dropped)


@dataclass(frozen=True, slots=True)
class View:
    """A view."""

    oid: int
    schema: str
    name: str
    query: str  # schema-qualified SELECT
    columns: tuple[Column, ...]
    owner_oid: int = ADMIN_OID
    comment: str | None = None
    acl: tuple[str, ...] = ()
    column_comments: dict[str, str] = field(default_factory=dict)
    column_acls: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence; where it stands is in tree 4."""

    oid: int
    schema: str
    name: str
    start: int = 1
    increment: int = 1
    minimum: int = 1
    maximum: int = 2**63 - 1
    cache: int = 1
    cycle: bool = False
    owned_by: tuple[int, int] | None = None  # table oid, attnum
    owner_oid: int = ADMIN_OID
    comment: str | None = None
    acl: tuple[str, ...] = ()
    identity: bool = False  # made by an identity column: cannot be dropped alone


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema."""

    oid: int
    name: str
    owner_oid: int = ADMIN_OID
    comment: str | None = None
    acl: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A role."""

    oid: int
    name: str
    login: bool = False
    inherit: bool = True
    member_of: tuple[int, ...] = ()
    member_options: tuple[tuple[int, int, str], ...] = ()  # (role, grantor, a admin i inherit s set) of those, where given
    connection_limit: int = -1
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain: a base type with conditions."""

    oid: int
    schema: str
    name: str
    type_oid: int  # base type
    typmod: int = -1
    not_null: bool = False
    default: str | None = None
    checks: tuple[Check, ...] = ()
    owner_oid: int = ADMIN_OID
    comment: str | None = None
    parent_oid: int | None = None  # of a domain over a domain


@dataclass(frozen=True, slots=True)
class Function:
    """An SQL-language function."""

    oid: int
    schema: str
    name: str
    arg_names: tuple[str, ...]
    arg_types: tuple[int, ...]
    arg_modes: tuple[str, ...] = ()  # i o b v t of every argument; empty = all in
    out_types: tuple[int, ...] = ()  # types of every argument when there are modes (pg_proc.proallargtypes)
    arg_defaults: tuple[str, ...] = ()  # of the last ones
    result_type: int = 2278
    returns_set: bool = False
    body: str = ""  # SQL text
    form: str = ""  # how the body was written: '' a string, 'r' RETURN, 'a' BEGIN ATOMIC
    volatile: str = "v"
    strict: bool = False
    security_definer: bool = False
    leakproof: bool = False
    parallel: str = "u"
    cost: float = 100.0
    rows: float = 0.0
    owner_oid: int = ADMIN_OID
    comment: str | None = None
    acl: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapping:
    """AWS IAM GRANT: an ARN that may become a role."""

    oid: int
    arn: str
    role_oid: int
    grantor_oid: int = ADMIN_OID


@dataclass(frozen=True, slots=True)
class Statistics:
    """CREATE STATISTICS: recorded, shown, not used yet."""

    oid: int
    schema: str
    name: str
    table_oid: int
    columns: tuple[str, ...]
    kinds: tuple[str, ...] = ("d", "f", "m")
    target: int = -1
    owner_oid: int = ADMIN_OID
    expressions: tuple[str, ...] = ()  # texts


Relation = Table | View | Sequence


@dataclass(frozen=True)
class Catalog:
    """One database's objects at one catalog version."""

    version: int
    schemas: dict[str, Schema]
    relations: dict[tuple[str, str], Relation]  # (schema, name)
    roles: dict[str, Role]
    by_oid: dict[int, Any]  # every object above and below, indexes too
    domains: dict[tuple[str, str], Domain] = field(default_factory=dict)
    functions: dict[tuple[str, str], tuple[Function, ...]] = field(default_factory=dict)  # overloads
    mappings: tuple[Mapping, ...] = ()
    statistics: dict[tuple[str, str], Statistics] = field(default_factory=dict)
    default_acls: tuple[tuple[int, str, str, tuple[str, ...]], ...] = ()  # (role oid, schema or '', objtype, acl)

    def find(self, name: str, schema: str | None, search_path: tuple[str, ...]) -> Relation | None:
        """Resolve a possibly unqualified relation name; pg_catalog's virtual relations are found elsewhere."""
        if schema is not None:
            return self.relations.get((schema, name))
        for candidate in search_path:
            relation = self.relations.get((candidate, name))
            if relation is not None:
                return relation
        return None

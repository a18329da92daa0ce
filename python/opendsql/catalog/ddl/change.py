"""One DDL statement at work: the rules of DDL in transactions, oids, stamps, and the rows it writes.

    change = Change(session, catalog, "CREATE TABLE")
    oid = change.new_oid()
    change.put(table)            # writes the row, stamps its version
    return change.done()

Invariants
  C1  the rules are checked before the first row is written: one DDL statement per transaction, none beside writes of
      data, none in a read-only transaction.
      ROLLBACK undoes it: catalogs are rows like others (guess: ddl_rollback).
  C2  whoever takes an oid or changes which names exist stamps the namespace; put and remove do that by themselves.
  C3  a new foreign key stamps its parent: who deletes a row there must have been planned with the check of the child.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from opendsql.catalog import acl, serialise, store, versions
from opendsql.catalog.acl import SYSTEM_SCHEMAS
from opendsql.catalog.model import (
    ADMIN_OID,
    FIRST_USER_OID,
    Catalog,
    Domain,
    Index,
    Schema,
    Sequence,
    Table,
    View,
)
from opendsql.catalog.result import Notice, PyResult
from opendsql.catalog.settings import settings_of
from opendsql.errors import DsqlError, unsupported

SYSTEM_COLUMNS = frozenset(("ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"))


class Change:
    """The state of one DDL statement."""

    def __init__(self, session: Any, catalog: Catalog, tag: str) -> None:
        self.session = session
        self.catalog = catalog
        self.tag = tag
        self.notices: list[Notice] = []
        self.settings = settings_of(session)
        self.search_path = self.settings.search_path
        self._namespace_stamped = False
        if getattr(session, "read_only", False):
            raise DsqlError("25006", f"cannot execute {tag} in a read-only transaction")
        if session.did_ddl:
            raise unsupported("multiple ddl statements not supported in a transaction")
        if session.did_dml:  # guess: select_with_ddl
            raise unsupported("ddl and dml are not supported in the same transaction")

    @property
    def user_oid(self) -> int:
        """Owner of what is created."""
        role = self.catalog.roles.get(self.settings.user)
        return role.oid if role is not None else ADMIN_OID

    def new_oid(self, count: int = 1) -> int:
        """The first of count fresh oids."""
        self.stamp_namespace()
        return store.take_oids(self.session, count)

    def stamp_namespace(self) -> None:
        """Names or oids change."""
        if not self._namespace_stamped:
            self._namespace_stamped = True
            store.stamp(self.session, 0)

    def put(self, item: Any) -> None:
        """Write an object's row (new or changed)."""
        kind = serialise.KIND_OF[type(item)]
        before = self.catalog.by_oid.get(item.oid)
        name = getattr(item, "name", "")
        schema = getattr(item, "schema", "")
        if before is None or getattr(before, "name", "") != name or getattr(before, "schema", "") != schema:
            self.stamp_namespace()
        self.change_names(*([] if before is None else [before]), item)
        store.put_object(self.session, item.oid, kind, schema, name, serialise.dump(item))
        store.stamp(self.session, item.oid)
        known = {key.oid for key in getattr(before, "foreign_keys", ())}
        for key in getattr(item, "foreign_keys", ()):
            if key.oid not in known:
                store.stamp(self.session, key.parent_oid)  # C3

    def change_names(self, *items: Any) -> None:
        """The statement uses and changes what these objects are called."""
        names = dict.fromkeys(name for item in items for name in versions.of(self.catalog, item))
        versions.use(self.session, names)
        versions.change(self.session, names)

    def remove(self, item: Any) -> None:
        """Delete an object's row; a table's trees are dropped with it."""
        self.stamp_namespace()
        self.change_names(item)
        store.delete_object(self.session, item.oid)
        store.stamp(self.session, item.oid)
        if isinstance(item, Table):
            for index in item.indexes:
                self.session.drop_tree(index.oid)
            self.session.drop_tree(item.oid)
        elif isinstance(item, Sequence):
            self.session.delete(store.SEQUENCE_TREE, store.row_key(store.INT8, item.oid))

    def notice(self, message: str, sqlstate: str = "00000", **more: Any) -> None:
        """Queue a NOTICE."""
        self.notices.append(Notice(message, sqlstate, **more))

    def done(self, columns: list[tuple[str, int]] | None = None, rows: list[tuple] | None = None) -> PyResult:
        """The statement's result; marks the transaction as one that changes the catalog."""
        self.session.mark_catalog_change()
        self.session.did_ddl = True
        return PyResult(self.tag, columns or [], rows or [], self.notices)

    def nothing(self, columns: list[tuple[str, int]] | None = None, rows: list[tuple] | None = None) -> PyResult:
        """The result of a statement that changed nothing (IF EXISTS and the like); it still was the one DDL."""
        self.session.did_ddl = True
        return PyResult(self.tag, columns or [], rows or [], self.notices)

    # -- names ---------------------------------------------------------------------------------------------------------

    def creation_schema(self, schema: str | None) -> str:
        """The schema a new object goes to."""
        if schema is None:
            for candidate in self.search_path:
                if candidate in self.catalog.schemas and candidate not in SYSTEM_SCHEMAS:
                    self.require_create(candidate)
                    return candidate
            raise DsqlError("3F000", "no schema has been selected to create in")
        if schema not in self.catalog.schemas:
            raise DsqlError("3F000", f'schema "{schema}" does not exist')
        if schema in SYSTEM_SCHEMAS:
            raise unsupported("feature not supported on system entity")
        self.require_create(schema)
        return schema

    def require_create(self, schema: str) -> None:
        """42501 unless the user may create objects in the schema."""
        if not acl.holds(self.catalog, self.settings.user, self.catalog.schemas[schema], "C"):
            raise DsqlError("42501", f"permission denied for schema {schema}")

    def names_in(self, schema: str) -> set[str]:
        """Names of relations and indexes of a schema: one namespace."""
        names = set()
        for (where, name), relation in self.catalog.relations.items():
            if where == schema:
                names.add(name)
                if isinstance(relation, Table):
                    names.update(index.name for index in all_indexes(relation))
        return names

    def find(self, range_var: dict[str, Any], missing_ok: bool = False) -> Any:
        """The relation a RangeVar names; 42P01 when there is none."""
        schema, name = range_var.get("schemaname"), range_var["relname"]
        check_database(range_var.get("catalogname"), schema, name)
        relation = self.catalog.find(name, schema, self.search_path)
        if relation is None:
            if is_system_relation(schema, name):
                raise unsupported("feature not supported on system entity")
            if missing_ok:
                return None
            shown = f"{schema}.{name}" if schema else name
            raise DsqlError("42P01", f'relation "{shown}" does not exist')
        if relation.oid < FIRST_USER_OID:
            raise unsupported("feature not supported on system entity")
        if schema and not acl.holds(self.catalog, self.settings.user, self.catalog.schemas[schema], "U"):
            raise DsqlError("42501", f"permission denied for schema {schema}")
        return relation

    def find_table(self, range_var: dict[str, Any], missing_ok: bool = False) -> Any:
        """The table a RangeVar names; 42809 when it names something else."""
        relation = self.find(range_var, missing_ok)
        if relation is not None and not isinstance(relation, Table):
            raise DsqlError("42809", f'"{relation.name}" is not a table')
        return relation

    def find_index(self, schema: str | None, name: str) -> tuple[Table, Index] | None:
        """A table and its index of that name."""
        for where in (schema,) if schema else self.search_path:
            for (table_schema, _), relation in self.catalog.relations.items():
                if table_schema == where and isinstance(relation, Table):
                    for index in all_indexes(relation):
                        if index.name == name:
                            return relation, index
        return None

    def given_to(self, item: Any, kind: str, spec: dict[str, Any]) -> Any:
        """The object as another role's: ALTER ... OWNER TO."""
        self.require_owner(item, kind, name=item.name if kind == "function" else None)
        oid = role_oid(self, spec)
        old, new = (acl.role_name(self.catalog, o) for o in (item.owner_oid, oid))
        if self.settings.user != "admin" and old != new:
            if oid not in acl.membership(self.catalog, self.user_oid):
                raise DsqlError("42501", f'must be able to SET ROLE "{new}"')
            schema = self.catalog.schemas.get(getattr(item, "schema", ""))
            if schema is not None and not acl.holds(self.catalog, new, schema, "C"):
                raise DsqlError("42501", f"permission denied for schema {schema.name}")
        values: dict[str, Any] = {"owner_oid": oid}
        if hasattr(item, "acl"):
            values["acl"] = acl.new_owner(item.acl, old, new)
        if hasattr(item, "column_acls"):
            values["column_acls"] = {c: acl.new_owner(entries, old, new) for c, entries in item.column_acls.items()}
        return changed(item, **values)

    def require_owner(self, item: Any, kind: str, *, dropping: bool = False, name: str | None = None) -> None:
        """42501 unless the user owns the object (admin owns everything, a member what its role owns)."""
        if acl.owns(self.catalog, self.settings.user, item):
            return
        schema = self.catalog.schemas.get(getattr(item, "schema", "")) if dropping else None
        if schema is not None and acl.owns(self.catalog, self.settings.user, schema):
            return  # a schema's owner may drop what is in it
        shown = item.name if name is None else name
        if name is None and kind in ("type", "function", "statistics object") and item.schema not in self.search_path:
            shown = f"{item.schema}.{item.name}"
        raise DsqlError("42501", f"must be owner of {kind} {shown}")


def role_oid(change: Change, spec: dict[str, Any]) -> int:
    """The oid of a RoleSpec."""
    body = spec.get("RoleSpec", spec)
    if body["roletype"] != "ROLESPEC_CSTRING":
        return change.user_oid
    role = change.catalog.roles.get(body["rolename"])
    if role is None:
        raise DsqlError("42704", f'role "{body["rolename"]}" does not exist')
    return role.oid


def all_indexes(table: Table) -> tuple[Index, ...]:
    """The primary key's index, when there is one, and the secondary ones."""
    return (table.primary_key, *table.indexes) if table.primary_key is not None else table.indexes


def check_database(database: str | None, schema: str | None, name: str) -> None:
    """A three-part name may only name this database."""
    if database and database != "postgres":
        raise unsupported(f'cross-database references are not implemented: "{database}.{schema}.{name}"')


def is_system_relation(schema: str | None, name: str) -> bool:
    """Whether the name is one of the computed relations."""
    from opendsql.catalog import virtual

    return virtual.find(schema, name) is not None


def relation_word(relation: Any) -> str:
    """What PostgreSQL calls the kind of object in messages."""
    return {Table: "table", View: "view", Sequence: "sequence", Index: "index", Schema: "schema", Domain: "type"}.get(
        type(relation), "relation"
    )


def changed(item: Any, **values: Any) -> Any:
    """A copy of a model object with some fields replaced."""
    known = {spec.name for spec in fields(item)}
    assert set(values) <= known, values
    return replace(item, **values)

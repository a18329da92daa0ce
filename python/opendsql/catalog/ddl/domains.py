"""CREATE DOMAIN and the ALTER DOMAIN forms DSQL takes."""

from __future__ import annotations

from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog.ddl import expressions
from opendsql.catalog.ddl.change import Change, changed
from opendsql.catalog.ddl.columns import default_text, serial_checked
from opendsql.catalog.ddl.rename import find_named
from opendsql.catalog.deparse import Deparser
from opendsql.catalog.model import Check, Column, Domain
from opendsql.catalog.names import choose_name, split_name, strings
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says


def create_domain(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """CREATE DOMAIN name AS type [DEFAULT] [NOT NULL] [CHECK (VALUE ...)]."""
    change = Change(session, catalog, "CREATE DOMAIN")
    written, name = split_name(strings(stmt["domainname"]))
    schema = change.creation_schema(written)
    if (schema, name) in catalog.domains or name in dt.types_by_name():
        raise DsqlError("42710", f'type "{name}" already exists')
    if stmt.get("collClause"):
        raise unsupported("COLLATE clause not supported")
    type_oid, typmod, parent = dt.resolve_type(serial_checked(stmt["typeName"]), catalog, change.search_path)
    inherited = catalog.by_oid[parent].default if parent is not None else None
    domain = Domain(0, schema, name, type_oid, typmod, default=inherited, owner_oid=change.user_oid, parent_oid=parent)
    value = Column("value", 1, type_oid, typmod)
    taken: set[str] = set()
    nodes = [node["Constraint"] for node in stmt.get("constraints") or ()]
    if {"CONSTR_NULL", "CONSTR_NOTNULL"} <= {n["contype"] for n in nodes}:
        raise DsqlError("42601", "conflicting NULL/NOT NULL constraints")
    first = change.new_oid(1 + len(nodes))
    for number, constraint in enumerate(nodes):
        kind = constraint["contype"]
        if kind == "CONSTR_DEFAULT":
            domain = changed(domain, default=default_text(change, constraint["raw_expr"], value))
        elif kind == "CONSTR_NOTNULL":
            domain = changed(domain, not_null=True)
        elif kind == "CONSTR_CHECK":
            if constraint.get("is_no_inherit"):
                raise DsqlError("42P17", "check constraints for domains cannot be marked NO INHERIT")
            check = build_check(change, constraint, first + 1 + number, name, value, taken)
            domain = changed(domain, checks=(*domain.checks, check))
        elif kind != "CONSTR_NULL":
            word = {"CONSTR_UNIQUE": "unique", "CONSTR_PRIMARY": "primary key", "CONSTR_FOREIGN": "foreign key"}
            raise DsqlError("42601", f"{word.get(kind, 'such')} constraints not possible for domains")
    change.put(changed(domain, oid=first))
    return change.done()


def build_check(change: Change, constraint: dict[str, Any], oid: int, domain: str, value: Column, taken: set[str]) -> Check:
    """A CHECK over VALUE."""
    node = constraint["raw_expr"]
    expressions.check(change, node, (value,), "check")
    text = DomainDeparser(expressions.column_types((value,))).expression(node)
    name = constraint.get("conname") or choose_name(domain, None, "check", taken)
    if name in taken:
        raise DsqlError("42710", f'constraint "{name}" for domain "{domain}" already exists')
    taken.add(name)
    return Check(oid, name, text)


class DomainDeparser(Deparser):
    """VALUE is written in capitals."""

    def _ColumnRef(self, body: dict[str, Any]) -> str:
        return "VALUE"


def alter_domain(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """ALTER DOMAIN: T default, N drop not null, O set not null, C add, X drop, V validate constraint."""
    action = stmt["subtype"]
    refused = {"O": "SET NOT NULL", "C": "ADD CONSTRAINT", "V": "VALIDATE CONSTRAINT"}
    if action in refused:
        raise unsupported(says("alter_domain", action=refused[action]))
    change = Change(session, catalog, "ALTER DOMAIN")
    domain = find_named(change, catalog.domains, strings(stmt["typeName"]), "type")
    change.require_owner(domain, "type")
    if action == "T":
        value = Column("value", 1, domain.type_oid, domain.typmod)
        domain = changed(domain, default=default_text(change, stmt["def"], value) if "def" in stmt else None)
    elif action == "N":
        domain = changed(domain, not_null=False)
    else:
        if all(c.name != stmt["name"] for c in domain.checks):
            if stmt.get("missing_ok"):
                change.notice(f'constraint "{stmt["name"]}" of domain "{domain.name}" does not exist, skipping')
                return change.nothing()
            raise DsqlError("42704", f'constraint "{stmt["name"]}" of domain "{domain.name}" does not exist')
        domain = changed(domain, checks=tuple(c for c in domain.checks if c.name != stmt["name"]))
    change.put(domain)
    return change.done()

"""Domains: the conditions a value must meet, as expressions that refuse it.

A domain over a domain has its parents' conditions too: NOT NULL first, then the checks from the outermost parent in, those of
one domain by name. Columns are checked by the writer (descriptor.py), casts where they stand.
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog.datatypes import format_type
from opendsql.catalog.model import Check, Domain
from opendsql.query.expr import BOOL, TEXT, TRUE, Call, Case, Const, Expr, Not, NullTest, is_volatile
from opendsql.query.logical import Filter, FunctionScan, OneRow
from opendsql.query.scope import RangeItem, Scope, ScopeColumn
from opendsql.registry.types import TYPES_BY_OID


def lineage(binder: Any, domain: Domain) -> list[Domain]:
    """The domain's parents, outermost first, and itself."""
    found = [domain]
    while found[0].parent_oid is not None:
        found.insert(0, binder.catalog.by_oid[found[0].parent_oid])
    return found


def condition(binder: Any, domain: Domain, value: Expr) -> Expr:
    """True, or the refusal of a value the domain does not take."""
    shown = format_type(domain.oid, None, binder.catalog, binder.search_path)
    whens: list[tuple[Expr, Expr]] = []
    chain = lineage(binder, domain)
    if any(d.not_null for d in chain):
        refused = _refusal("23502", f"domain {shown} does not allow null values", domain, "")
        whens.append((NullTest(BOOL, value, True), refused))
    for owner in chain:
        for check in sorted(owner.checks, key=lambda c: c.name):
            message = f'value for domain {shown} violates check constraint "{check.name}"'
            broken = Not(BOOL, _holds(binder, check, value))
            whens.append((broken, _refusal("23514", message, domain, check.name)))
    return Case(BOOL, tuple(whens), TRUE) if whens else TRUE


def checked(binder: Any, domain: Domain, value: Expr) -> Expr:
    """The value as one of the domain; an array value as an array of such."""
    if TYPES_BY_OID[value.type_oid].is_array and not TYPES_BY_OID[domain.type_oid].is_array:
        return _checked_elements(binder, domain, value)
    if is_volatile(value):  # computed once
        inner = binder.projection(OneRow(), [value], ["value"])
        (column,) = inner.columns()
        outer = binder.projection(inner, [checked(binder, domain, column)], ["value"])
        return binder.sublink("scalar", value.type_oid, outer, outer.columns(), typmod=value.typmod)
    ok = condition(binder, domain, value)
    return value if ok is TRUE else Case(value.type_oid, ((ok, value),), Const(value.type_oid, None))


def _checked_elements(binder: Any, domain: Domain, value: Expr) -> Expr:
    """The array when no element is refused: a subquery looks at them one by one."""
    rel = binder.new_rel("unnest", ("value",))
    scan = binder.remember(FunctionScan(rel, "unnest", (value,), (domain.type_oid,), name="unnest"))
    ok = condition(binder, domain, scan.columns()[0])
    if ok is TRUE:
        return value
    refused = binder.sublink("exists", BOOL, Filter(scan, (Not(BOOL, ok),)), ())
    return Case(value.type_oid, ((refused, Const(value.type_oid, None)),), value)


def _holds(binder: Any, check: Check, value: Expr) -> Expr:
    item = ScopeColumn("value", value)
    scope = Scope(star=[item], tables=[RangeItem("", [item])])
    bound: Expr = binder.coerce(binder.stored_expression(check.expression, scope, "check"), BOOL)
    return bound


def _refusal(sqlstate: str, message: str, domain: Domain, constraint: str) -> Expr:
    words = [Const(TEXT, t) for t in (sqlstate, message)]
    names = [Const(TEXT, domain.schema), Const(TEXT, None), Const(TEXT, constraint or None)]
    return Call(BOOL, "raise_refusal", (*words, Const(TEXT, None), *names), "raise_refusal", volatile="v", strict=False)

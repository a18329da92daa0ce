"""Domains in expressions and rows: their conditions, with PostgreSQL's errors when a value does not keep them.

A condition is an expression that is true or raises: 23502 for NOT NULL, 23514 with the constraint's name for a check (a
check that is NULL holds). A cast to a domain yields its value once all hold; a row's columns are tested when it is written.
"""

from __future__ import annotations

from typing import Any

from opendsql.query.expr import BOOL, TEXT, BoolTest, Call, Case, Const, Expr, NullTest
from opendsql.query.scope import RangeItem, Scope, ScopeColumn

_TRUE = Const(BOOL, "true")


def conditions(binder: Any, domain: Any, value: Expr) -> list[tuple[str, Expr]]:
    """(constraint name, condition) of every rule of a domain over one value."""
    found: list[tuple[str, Expr]] = []
    if domain.not_null:
        message = f"domain {domain.name} does not allow null values"
        found.append(("", _unless(NullTest(BOOL, value, True), "23502", message, domain, "")))
    item = ScopeColumn("value", value)
    for check in domain.checks:
        scope = Scope(star=[item], tables=[RangeItem("", [item])])
        holds = binder.coerce(binder.stored_expression(check.expression, scope, "check"), BOOL)
        message = f'value for domain {domain.name} violates check constraint "{check.name}"'
        found.append((check.name, _unless(BoolTest(BOOL, holds, "false"), "23514", message, domain, check.name)))
    return found


def enforced(binder: Any, domain: Any, value: Expr) -> Expr:
    """The value, after every rule of the domain has held."""
    for _, condition in reversed(conditions(binder, domain, value)):
        value = Case(value.type_oid, ((condition, value),), None)
    return value


def _unless(broken: Expr, sqlstate: str, message: str, domain: Any, constraint: str) -> Expr:
    texts = (Const(TEXT, sqlstate), Const(TEXT, message), Const(TEXT, None), Const(TEXT, domain.schema), Const(TEXT, None))
    refusal = Call(BOOL, "raise_refusal", (*texts, Const(TEXT, constraint or None)), "raise_refusal", volatile="v", strict=False)
    return Case(BOOL, ((broken, refusal),), _TRUE)

"""Catalog functions: those whose answer is in the catalog, the session or the settings.

Arguments and results are texts, None = NULL; which session and catalog they are about is context.current. install()
makes them known to the core under the names the registry gives them (`hook:<name>`).

    definitions  pg_get_*def, pg_get_expr           naming      to_reg*, *_is_visible, pg_get_userbyid, comments
    privileges   has_*_privilege, pg_has_role       session     settings, identity, version, transaction ids
    sequences    nextval, currval, setval           properties  what relations and indexes can do
    reg          text forms of regclass and its kin    sys          sys.* functions
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps

Function = Callable[..., str | None]


@cache
def table() -> dict[str, Function]:
    """Every catalog function by name."""
    from opendsql.catalog.functions import definitions, naming, privileges, properties, reg, sequences, session, sys

    found: dict[str, Function] = {}
    for module in (definitions, naming, privileges, properties, reg, sequences, session, sys):
        found.update(module.FUNCTIONS)
    return found


# Called with NULLs too; every other one is strict.
NULLS = frozenset(("set_config", "format_type", "current_query", "pg_collation_for"))


def strict(function: Function) -> Function:
    """The function, answering NULL to any NULL."""

    @wraps(function)
    def call(*arguments: str | None) -> str | None:
        return None if None in arguments else function(*arguments)

    return call


def install() -> None:
    """Make every catalog function, and every other function in Python, known to the core."""
    from dsql_core.execute import register_pyfunction, set_pyfunction_resolver, set_srf_function
    from opendsql.registry import py_srf, pyfunctions

    set_pyfunction_resolver(pyfunctions.lookup)
    set_srf_function(py_srf.rows)
    for name, function in table().items():
        called = function if name in NULLS else strict(function)
        register_pyfunction(name, called)
        pyfunctions.register_pyfunction(name, called, strict=False)

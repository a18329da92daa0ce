"""Catalog functions: those whose answer is in the catalog, the session or the settings.

Arguments and results are texts, None = NULL; which session and catalog they are about is context.current. install()
makes them known to the core under the names the registry gives them (`hook:<name>`).

    definitions  pg_get_*def, pg_get_expr           naming      to_reg*, *_is_visible, pg_get_userbyid, comments
    privileges   has_*_privilege, pg_has_role       session     settings, identity, version, transaction ids
    sequences    nextval, currval, setval           sizes       sizes and statistics
    sys          sys.* functions
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

Function = Callable[..., str | None]


@cache
def table() -> dict[str, Function]:
    """Every catalog function by name."""
    from opendsql.catalog.functions import definitions, naming, privileges, sequences, session, sizes, sys

    found: dict[str, Function] = {}
    for module in (definitions, naming, privileges, sequences, session, sizes, sys):
        found.update(module.FUNCTIONS)
    return found


def install() -> None:
    """Register every catalog function with the core."""
    from dsql_core.execute import register_pyfunction

    for name, function in table().items():
        register_pyfunction(name, function)

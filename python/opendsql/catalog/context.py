"""Who is asking: the session, catalog and settings behind a catalog function that is being evaluated.

The planner thread enters a context before it plans (so stable functions over constants can be folded) and the serving
loop enters one before it runs a program that calls Python functions. It also carries the limits in force:

    with context.use(catalog, session):
        ...

`current` is thread-local; reading it outside any context gives a context over an empty catalog, so a function never
fails for want of one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opendsql.catalog.model import ADMIN_OID
from opendsql.limits import DSQL, Limits

if TYPE_CHECKING:
    from opendsql.catalog.model import Catalog


class Context(threading.local):
    """Thread-local state; one instance, `current`."""

    catalog: Catalog | None = None
    session: Any = None
    user: str = "admin"
    user_oid: int = ADMIN_OID
    database: str = "postgres"
    search_path: tuple[str, ...] = ("public",)
    limits: Limits = DSQL  # of the session's engine


current = Context()


@contextmanager
def use(catalog: Catalog, session: Any = None) -> Iterator[Context]:
    """Make catalog and session the current ones of this thread for the duration."""
    from opendsql.catalog.settings import settings_of

    saved = (current.catalog, current.session, current.user, current.search_path, current.limits)
    settings = settings_of(session)
    current.catalog = catalog
    current.session = session
    current.user = settings.user
    current.search_path = settings.search_path
    current.limits = getattr(session, "limits", None) or DSQL
    try:
        yield current
    finally:
        current.catalog, current.session, current.user, current.search_path, current.limits = saved

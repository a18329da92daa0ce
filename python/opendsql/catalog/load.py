"""Catalog rows -> Catalog, cached by catalog version.

`load(session)` gives the Catalog at the session's snapshot, seeing the transaction's own DDL. One Catalog object is
shared by all sessions of a process at one version.
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog.model import Catalog


def load(session: Any) -> Catalog:
    """The Catalog at the session's snapshot (its transaction's own DDL included)."""
    raise NotImplementedError

"""An engine in this process with chosen limits, and one session of it that reads answers as a client does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from limit_support import Client  # noqa: E402
from opendsql.catalog import load  # noqa: E402
from opendsql.embedded import Database  # noqa: E402
from opendsql.limits import DSQL  # noqa: E402


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """opened(name=value, ...) -> a Client of a fresh engine with those limits."""
    databases = []

    def make(**limits: Any) -> Client:
        load.forget()
        database = Database(tmp_path / f"data{len(databases)}", 512 << 20, DSQL.with_values(limits))
        databases.append(database)
        return Client(database)

    yield make
    for database in databases:
        database.close()


@pytest.fixture
def client(opened: Callable[..., Client]) -> Client:
    """A client of an engine with DSQL's limits."""
    return opened()

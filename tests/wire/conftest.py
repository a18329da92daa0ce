"""Makes wire_support importable; one server for tests that leave nothing behind."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from wire_support import Client, Running, serving  # noqa: E402


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """A server of this module."""
    with serving() as found:
        yield found


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    """A greeted connection."""
    found = running.connect()
    yield found
    found.close()

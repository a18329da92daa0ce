"""Fixtures of every test: a running server on a fresh directory."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tests_support import RunningServer, run_server  # noqa: E402


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for the whole run; tests make their own tables."""
    with run_server(tmp_path_factory.mktemp("server")) as running:
        yield running

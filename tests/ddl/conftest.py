"""What tests of DDL depth share: a database in the test's own process, and a PostgreSQL to compare with."""

import importlib.util
import sys
from pathlib import Path

import pytest

_TESTS = Path(__file__).resolve().parent.parent


def _load(name: str, path: Path):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def client():
    """A fresh database in this process."""
    return _load("query_in_process", _TESTS / "query" / "in_process.py").Client()


@pytest.fixture(scope="session")
def in_process():
    """The module that makes such databases."""
    return _load("query_in_process", _TESTS / "query" / "in_process.py")


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL 15 connection, skipped with its reason where there is none."""
    oracle = _load("kernel_oracle", _TESTS / "kernels" / "oracle.py")
    reason = oracle.missing()
    if reason:
        pytest.skip(reason)
    with oracle.running() as running:
        yield running.connection

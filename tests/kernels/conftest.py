"""The oracle of this folder's tests: one PostgreSQL per session, skipped with its reason where there is none."""

import importlib.util
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("kernel_oracle", Path(__file__).with_name("oracle.py"))
oracle_module = importlib.util.module_from_spec(_spec)
sys.modules["kernel_oracle"] = oracle_module
_spec.loader.exec_module(oracle_module)


@pytest.fixture(scope="session")
def postgres():
    reason = oracle_module.missing()
    if reason:
        pytest.skip(reason)
    with oracle_module.running() as oracle:
        yield oracle

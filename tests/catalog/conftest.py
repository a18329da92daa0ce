"""Sessions over a fresh directory."""

import importlib.util
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("fake_session", Path(__file__).with_name("fake_session.py"))
fake_session = importlib.util.module_from_spec(_spec)
sys.modules["fake_session"] = fake_session
_spec.loader.exec_module(fake_session)


@pytest.fixture
def directory():
    return fake_session.Directory()


@pytest.fixture
def session(directory):
    return directory.session()

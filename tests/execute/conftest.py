"""Fixtures: a fresh database and a session in it."""

from __future__ import annotations

import pytest

from tests.execute.support import Database


@pytest.fixture
def database():
    """A fresh database."""
    base = Database()
    yield base
    base.arena.close()


@pytest.fixture
def session(database):
    """A session of a fresh database."""
    handle = database.session()
    yield handle
    handle.close()

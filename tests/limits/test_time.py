"""300 s for a transaction and 60 minutes for a connection, with the engine's clock moved by the test.

The age is looked at when a statement starts and at COMMIT (guess: age_checked): a statement that is running goes on.
"""

from __future__ import annotations

import socket
import time

import pytest
from opendsql.guesses import GUESSES

from tests.wire.wire_support import Client as WireClient
from tests.wire.wire_support import serving


def too_old(age: int) -> tuple[str, str, str]:
    return "54000", "transaction age limit of 300s exceeded", f"Current transaction age {age}s exceeds 300s"


@pytest.fixture
def old(client):
    """old(seconds): moves the clock."""
    client.run("create table t (a bigint primary key)")

    def move(seconds: float) -> None:
        client.database.engine.clock_offset_us = int(seconds * 1_000_000)

    yield move
    move(0)


@pytest.mark.parametrize("age", [299, 300, 301, 310])
@pytest.mark.parametrize("how", ["select 1", "select * from t", "insert into t values (1)", "commit"])
def test_age(client, old, age: int, how: str) -> None:
    assert GUESSES["age_checked"].sure == "medium"
    client.session.begin()
    client.run("insert into t values (2)")
    old(age)
    answer = client.commit() if how == "commit" else None
    if how != "commit":
        answer = None if age <= 300 else client.refused(how)
        if age <= 300:
            client.run(how)
    assert answer == (None if age <= 300 else too_old(age))
    if answer is not None and how != "commit":
        assert client.refused("select 1")[0] == "25P02"
    client.session.rollback()
    old(0)
    assert client.value("select count(*) from t") == ("1" if how == "commit" and age <= 300 else "0")


def test_a_running_statement_goes_on(client, old) -> None:
    client.session.begin()
    old(299)
    client.run("select pg_sleep(1.2)")  # over at 300.2 s
    old(310)
    assert client.refused("select pg_sleep(0)")[1] == too_old(311)[1]
    client.session.rollback()


def test_read_only_transactions_too(client, old) -> None:
    client.session.begin()
    client.run("select * from t")
    old(301)
    assert client.commit() == too_old(301)


def test_the_session_survives(client, old) -> None:
    client.session.begin()
    old(400)
    assert client.refused("select 1") == too_old(400)
    client.session.rollback()
    assert client.value("select 1") == "1"


def test_other_ages(opened) -> None:
    client = opened(transaction_age_max_s=5)
    client.session.begin()
    client.database.engine.clock_offset_us = 6_000_000
    assert client.refused("select 1") == ("54000", "transaction age limit of 5s exceeded", "Current transaction age 6s exceeds 5s")
    client.session.rollback()
    client = opened(transaction_age_max_s=0)
    client.session.begin()
    client.database.engine.clock_offset_us = 10**12
    assert client.value("select 1") == "1"
    client.session.rollback()


def gone(client: WireClient, seconds: float = 3.0) -> bool:
    """Whether the server closes within some sweeps, without a word."""
    client.socket.settimeout(seconds)
    try:
        return client.socket.recv(100) == b""
    except TimeoutError:
        return False


def move(server, seconds: float) -> None:
    """Moves the clock lifetimes are measured by, further each time."""
    server.server.advance(seconds)


def test_an_idle_connection_lives_an_hour() -> None:
    with serving(lifetime_s=3600) as server:
        client = server.connect()
        move(server, 3590)
        assert not gone(client, 2.5)
        assert client.query("select 1")
        move(server, 11)
        assert gone(client)
        assert server.connect().query("select 1")


def test_a_transaction_of_the_last_minute_has_its_five() -> None:
    with serving(lifetime_s=3600) as server:
        client = server.connect()
        client.query("begin")
        move(server, 3601)
        assert not gone(client, 2.5)
        move(server, 300)
        assert gone(client)


def test_it_goes_when_its_transaction_is_over() -> None:
    with serving(lifetime_s=3600) as server:
        client = server.connect()
        client.query("begin")
        move(server, 3601)
        time.sleep(1.5)
        client.query("rollback")
        assert gone(client)


def test_without_a_lifetime_it_stays() -> None:
    with serving() as server:
        client = server.connect()
        move(server, 10**6)
        assert not gone(client, 2.5)
        assert isinstance(client.socket, socket.socket)

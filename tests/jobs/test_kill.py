"""A job killed in the middle resumes and completes: SIGKILL to real processes at random moments of a long index build.

Victims: the keeper (which runs jobs), everything at once, the supervisor (whose children die with it). At the end the index
must be what its table says (`opendsql verify`), and a unique build over duplicates must have failed as it does unharmed.

Every statement runs again on 40001, as clients of DSQL must: each step of a job is a change of the catalog, which any
session may meet as OC001.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests_support import free_port

from tests.crash.kill_rounds import Server

ROWS = 90_000
KILLS = 4
RETRIES = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server with t (a, b, c): ROWS rows, b = a but for the last, whose b is 5."""
    found = Server(tmp_path / "data", free_port(26000), "auto")
    found.start()
    found.wait()
    ask(found, "create table t (a bigint primary key, b bigint, c text)")
    for start in range(0, ROWS, 3000):
        value = f"case when g = {ROWS - 1} then 5 else g end"
        ask(found, f"insert into t select g, {value}, 'row ' || g from generate_series({start}, {start + 2999}) g")
    yield found
    found.stop()


def ask(server: Server, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one statement in a session of its own (none when it returns none); 40001 is tried again, RETRIES times at most."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        for _ in range(RETRIES):
            try:
                cursor = connection.execute(sql.encode())
                return cursor.fetchall() if cursor.description else []
            except psycopg.errors.SerializationFailure as error:
                met = error
        raise met


def kill_while_it_runs(server: Server, victim: str, seed: int) -> list[str]:
    """KILLS kills at random moments of unfinished work; the states of the job after each."""
    rng = random.Random(seed)
    seen = []
    for _ in range(KILLS):
        time.sleep(rng.uniform(0.0, 0.12))
        server.kill(victim, rng)
        if victim in ("all", "supervisor"):
            server.start()
        server.wait()
        seen.append(ask(server, "select status from sys.jobs order by start_time desc limit 1")[0][0])
        if seen[-1] in ("completed", "failed"):
            break
    return seen


def verified(server: Server) -> str:
    server.stop()
    found = subprocess.run([sys.executable, "-m", "opendsql", "verify", str(server.data)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    return found.stdout


@pytest.mark.parametrize("victim", ["keeper", "all", "supervisor"])
def test_it_completes(server: Server, victim: str) -> None:
    ((job,),) = ask(server, "create index async i on t (c, b)")
    seen = kill_while_it_runs(server, victim, ROWS)
    assert seen[0] in ("submitted", "processing"), "the first kill came too late to mean anything"
    ask(server, "update t set c = 'changed' where a in (1, 50000)")
    assert ask(server, f"call sys.wait_for_job('{job}')") == [(True,)]
    assert ask(server, "select count(*) from t where c = 'changed'") == [(2,)]
    print(f"{victim}: {seen}")
    assert f"index public.i: {ROWS} entries, each as its row says" in verified(server)


@pytest.mark.parametrize("victim", ["keeper", "all", "supervisor"])
def test_a_unique_build_over_duplicates_fails(server: Server, victim: str) -> None:
    ((job,),) = ask(server, "create unique index async u on t (b)")
    seen = kill_while_it_runs(server, victim, ROWS + 1)
    assert seen[0] in ("submitted", "processing")
    assert ask(server, f"call sys.wait_for_job('{job}')") == [(False,)]
    details = ask(server, f"select status, details from sys.jobs where job_id = '{job}'")
    assert details == [("failed", "found duplicate key(s) while validating index uniqueness")]
    assert ask(server, "select indisvalid from pg_index where indexrelid = 'u'::regclass") == [(False,)]
    with pytest.raises(psycopg.errors.UniqueViolation, match='duplicate key value violates unique constraint "u"'):
        ask(server, "insert into t values (-1, 700, 'x')")
    ask(server, "insert into t values (-1, -1, 'x')")
    ask(server, "drop index u")
    ask(server, "insert into t values (-2, 700, 'x')")
    print(f"{victim}: {seen}")
    verified(server)

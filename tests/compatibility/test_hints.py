"""Hints beside refusals: each is met, and what it advises is done and accepted; off with --no-hints, on in embedded use."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import opendsql
import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from doors import Door
from opendsql import embedded
from opendsql.hints import HINTS, hint_for
from probes import STEP, Probe, Runner, read
from tests_support import RunningServer, run_server

PROBES = read(Path(__file__).parent / "hints.txt").probes
# Shown elsewhere: the age needs 300 s, named statements the extended protocol (test_prepare).
NOT_IN_PROBES = {"transaction age limit *", "unsupported statement: Prepare", "unsupported statement: Execute"}


@pytest.fixture(scope="module")
def hinting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with run_server(tmp_path_factory.mktemp("hints")) as server:
        yield server


@pytest.fixture(scope="module")
def runner(hinting: RunningServer) -> Iterator[Runner]:
    runner = Runner(Door(hinting.port))
    yield runner
    runner.close()


@pytest.mark.parametrize("probe", PROBES, ids=[probe.name for probe in PROBES])
def test_refusal_then_its_advice(probe: Probe, runner: Runner) -> None:
    got = runner.run(probe)
    assert got == probe.lines
    errors = [place for place, line in enumerate(got) if line.startswith("ERROR ")]
    assert len(errors) == 1, "one refusal; the advice is accepted"
    assert any(line.startswith("HINT: ") for line in got[errors[0] : errors[0] + 3])
    assert any(STEP.match(line) for line in got[errors[0] :]), "the advice is followed"


def test_every_hint_is_met() -> None:
    met = set()
    for probe in PROBES:
        error = next(line for line in probe.lines if line.startswith("ERROR "))
        sqlstate, message = error.removeprefix("ERROR ").split(": ", 1)
        met.add(next(h.pattern for h in HINTS if h.sqlstate == sqlstate and fnmatchcase(message, h.pattern)))
    assert {hint.pattern for hint in HINTS} - met == NOT_IN_PROBES


def test_prepare(hinting: RunningServer) -> None:
    with psycopg.connect(hinting.dsn, autocommit=True) as connection:
        for sql in ("prepare p as select 1", "execute p"):
            with pytest.raises(psycopg.errors.FeatureNotSupported) as caught:
                connection.execute(sql)
            assert "driver" in caught.value.diag.message_hint
        assert connection.execute("select %s::int + 1", (1,), prepare=True).fetchone() == (2,)


def test_hints_of_postgresql_stay(hinting: RunningServer) -> None:
    with psycopg.connect(hinting.dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.UndefinedFunction) as caught:
            connection.execute("select nosuch(1)")
        assert caught.value.diag.message_hint.startswith("No function matches")


def test_embedded(tmp_path: Path) -> None:
    with opendsql.connect(tmp_path / "data") as connection:
        with pytest.raises(embedded.Error) as caught:
            connection.cursor().execute("truncate t")
        assert caught.value.hint == hint_for("0A000", "unsupported statement: Truncate")

"""An engine in this process whose jobs the test runs step by step."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "limits"))

from limit_support import Client  # noqa: E402
from opendsql.catalog import jobs, load  # noqa: E402
from opendsql.embedded import Database  # noqa: E402


class Stepped(Client):
    """A client; step() runs one transaction of the oldest unfinished job, finish() all of them."""

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            assert jobs.run_jobs(self.database.job_engine.session)

    def step_if_any(self) -> None:
        jobs.run_jobs(self.database.job_engine.session)

    def finish(self) -> None:
        while jobs.run_jobs(self.database.job_engine.session):
            pass

    def job(self, job_id: str) -> tuple[str | None, ...]:
        """(status, details) of a job."""
        (row,) = self.run(f"select status, details from sys.jobs where job_id = '{job_id}'").texts
        return row

    def types(self) -> list[str | None]:
        """Job types in the order they were asked for."""
        return [row[0] for row in self.run("select job_type from sys.jobs order by start_time").texts]


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stepped]:
    """Jobs run only when the test says so."""
    load.forget()
    database = Database(tmp_path / "data", 256 << 20)
    monkeypatch.setattr(database, "work_off_jobs", lambda: None)
    yield Stepped(database)
    database.close()

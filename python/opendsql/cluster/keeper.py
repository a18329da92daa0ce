"""The keeper: the slow work beside the data path. First catalog of an empty directory, checkpoints, jobs.

It commits like any other client, through a request ring of its own, and reads the arena like any other reader.

A checkpoint is written when the journal has grown by checkpoint_journal_bytes since the last one, or after
checkpoint_seconds when anything was committed at all; then the journal is told up to where it may recycle segments.
"""

from __future__ import annotations

import signal
import sys
import threading
import time

import dsql_core.execute.kernels  # noqa: F401  (registers them)
from dsql_core.execute import EngineHandle, ExecuteError, SessionHandle
from dsql_core.shared import DURABLE_SEQ_OFFSET, REPLAYED_OFFSET, TRIM_SEQ_OFFSET
from dsql_core.storage import Arena
from opendsql.catalog import bootstrap, jobs, load
from opendsql.cluster.commits import Committer
from opendsql.cluster.wiring import Wiring, WorkerSpec
from opendsql.errors import DsqlError, OperatorError
from opendsql.query.planner import Planner
from opendsql.storage import Checkpointer

TICK_SECONDS = 0.02
LOOK_SECONDS = 1.0  # between two looks at the size of the journal


class Keeper:
    """Runs until SIGTERM; a last checkpoint makes the next start short."""

    def __init__(self, wiring: Wiring, spec: WorkerSpec) -> None:
        self.wiring = wiring
        self.config = wiring.config
        self.arena = Arena.attach(*wiring.arena.fds)
        self.stopping = threading.Event()
        commit = Committer(spec.client, wiring.request_producer(spec), wiring.reply_consumer(spec), bell=wiring.bells["keeper"])
        self.engine = EngineHandle(self.arena, spec.client, commit, limits=self.config.limits.for_jobs())
        self.checkpointed_seq = wiring.control.read_u64(TRIM_SEQ_OFFSET)
        self.checkpointed_at = time.monotonic()
        self.looked_at = self.checkpointed_at
        self.journal_bytes = 0
        self.planner = Planner(load.load)  # fills the catalog's hooks: index descriptors, internal statements

    def run(self) -> None:
        """The loop."""
        signal.signal(signal.SIGTERM, lambda *_: self.stopping.set())
        while self.wiring.control.read_u64(REPLAYED_OFFSET) == 0 and not self.stopping.is_set():
            time.sleep(0.001)
        self.first_catalog()
        catalog_version = 0
        with Checkpointer(
            self.arena, self.wiring.directory.path, self.config.checkpoint_bytes_per_second, self.stopping.wait
        ) as checkpointer:
            working = False
            while not self.stopping.wait(0 if working else TICK_SECONDS):
                if working or self.arena.catalog_version != catalog_version:
                    catalog_version = self.arena.catalog_version
                    working = self.work_on_jobs()
                if self.checkpoint_due():
                    self.checkpoint(checkpointer)
            checkpointer.bytes_per_second = 0
            self.checkpoint(checkpointer)

    def first_catalog(self) -> None:
        """Writes the first rows of an empty directory, once."""
        session = self.engine.session()
        try:
            if bootstrap.bootstrap(session):
                session.commit()
            else:
                session.rollback()
        finally:
            session.close()

    def session(self) -> SessionHandle:
        """A session for one job step."""
        return self.engine.session()

    def work_on_jobs(self) -> bool:
        """Steps of unfinished jobs for about a tick; whether there may be more to do."""
        until = time.monotonic() + TICK_SECONDS
        while time.monotonic() < until and not self.stopping.is_set():
            try:
                if not jobs.run_jobs(self.session):
                    return False
            except (DsqlError, ExecuteError) as error:
                print(f"opendsql: job step failed: {error.sqlstate} {error}", file=sys.stderr, flush=True)
                self.stopping.wait(0.2)
        return True

    def checkpoint_due(self) -> bool:
        """Whether enough was written, or enough time went by since something was."""
        durable = self.wiring.control.read_u64(DURABLE_SEQ_OFFSET)
        if durable == self.checkpointed_seq:
            return False
        now = time.monotonic()
        if now - self.checkpointed_at >= self.config.checkpoint_seconds:
            return True
        if now - self.looked_at < LOOK_SECONDS:
            return False
        self.looked_at = now
        return self.journal_grown() >= self.config.checkpoint_journal_bytes

    def journal_grown(self) -> int:
        """Bytes of journal segments on disk: recycled ones keep the size level, new ones raise it."""
        return sum(path.stat().st_size for path in self.wiring.directory.journal_path.iterdir()) - self.journal_bytes

    def checkpoint(self, checkpointer: Checkpointer) -> None:
        """One checkpoint; the journal behind it may go."""
        try:
            result = checkpointer.step()
        except OperatorError as error:
            print(f"opendsql: {error}", file=sys.stderr, flush=True)
            self.checkpointed_at = self.looked_at = time.monotonic()
            return
        if result is not None:
            self.wiring.control.write_u64(TRIM_SEQ_OFFSET, result.journal_seq)
            self.checkpointed_seq = result.journal_seq
        self.checkpointed_at = self.looked_at = time.monotonic()
        self.journal_bytes = sum(path.stat().st_size for path in self.wiring.directory.journal_path.iterdir())

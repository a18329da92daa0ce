"""Asynchronous jobs: rows of sys.jobs, and one step of the loop that works them off.

    submitted -> processing -> completed | failed

A job's row is written in the transaction of the DDL that asks for it, so job and object appear together. run_jobs does
one step: it picks the oldest unfinished job and runs one transaction of it. Every step stamps the job's own row, so two
workers can never run the same step: the later commit gets OC000 and looks again.

Index build (INDEX_BUILD): the index row exists, invalid, from the DDL's commit on; every writer that commits later was
planned with it (the version key saw to that) and maintains it. The job adds entries for rows that were there before:
each chunk reads base rows after the stored progress key at its snapshot, puts their entries, and validates the rows'
fingerprints, so a row changed meanwhile refuses the chunk, which is tried again, smaller. The last transaction makes
the index valid. A duplicate in a unique index fails the job; the index stays invalid and keeps enforcing.

Invariants
  J1  entries of the index at any commit after the last chunk are exactly those of its rows.
  J2  progress is in the job's row and moves with the entries: a restart repeats nothing and skips nothing.
  J3  a finished job is never touched again, only purged.
"""

from __future__ import annotations

import base64
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from opendsql.catalog import backfill, load, serialise, store, versions
from opendsql.catalog.model import Catalog, Index, Table
from opendsql.errors import DsqlError
from opendsql.guesses import choice, says
from opendsql.limits import BACKFILL_ROWS_MAX, BACKFILL_ROWS_MIN, DSQL

log = logging.getLogger(__name__)

RELATION_CLASS = 1259
SUBMITTED, PROCESSING, COMPLETED, FAILED = "submitted", "processing", "completed", "failed"
SKIPPED = "Skipped job for nonexistent table."
DUPLICATES = "found duplicate key(s) while validating index uniqueness"

ATTEMPTS_MAX = 5

_chunk_rows: dict[str, int] = {}  # job id -> rows of its next chunk
_attempts: dict[str, int] = {}  # job id -> failures that were no SQL errors


@dataclass(frozen=True, slots=True)
class Job:
    """One row of sys.jobs."""

    job_id: str
    status: str
    details: str | None
    job_type: str
    class_id: int
    object_id: int
    object_name: str | None
    start_time: str
    update_time: str | None
    table_oid: int
    parameter: str
    progress: str
    rows_done: int
    finished: int  # seconds since the epoch; 0 = not yet

    @property
    def is_finished(self) -> bool:
        """Whether it completed or failed."""
        return self.finished != 0


def new_job_id() -> str:
    """A fresh job id: a UUID as 26 lower-case base32 characters."""
    return base64.b32encode(uuid.uuid4().bytes).decode().rstrip("=").lower()


def job_uuid(text: str) -> uuid.UUID:
    """The UUID of a job id; 22P02 when it is none."""
    try:
        raw = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
        return uuid.UUID(bytes=raw)
    except ValueError:
        raise DsqlError("22P02", "Unable to convert text to UUID") from None


def clock(session: Any) -> float:
    """Seconds since the epoch by the session's engine (tests move its clock)."""
    offset_us: int = getattr(getattr(session, "owner", None), "clock_offset_us", 0)
    return time.time() + offset_us / 1_000_000


def _now(session: Any, whole_seconds: bool = False) -> str:
    moment = datetime.fromtimestamp(clock(session), UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}+00" if whole_seconds else f"{moment:%Y-%m-%d %H:%M:%S.%f}+00"


def _key(job_id: str) -> bytes:
    return store.row_key(store.TEXT, job_id)


def write(session: Any, job: Job) -> None:
    """Put a job's row and make this transaction the only one to change it now."""
    values = [getattr(job, name) for name, _ in store.JOB_COLUMNS + store.JOB_HIDDEN]
    key = _key(job.job_id)
    session.put(store.JOB_TREE, key, store.encode_row(store.JOB_TYPES, values))
    session.add_check(store.fingerprint(store.JOB_TREE, key) | store.CHECK_VALIDATE | store.CHECK_STAMP)


def read_all(session: Any) -> list[Job]:
    """Every job the session sees, oldest first."""
    jobs = [Job(*store.decode_row(store.JOB_TYPES, image)) for _, image in session.scan(store.JOB_TREE)]
    return sorted(jobs, key=lambda job: job.start_time)


def read(session: Any, job_id: str) -> Job | None:
    """One job."""
    image = session.get(store.JOB_TREE, _key(job_id))
    return None if image is None else Job(*store.decode_row(store.JOB_TYPES, image))


def submit(session: Any, job_type: str, object_id: int, table: Table, name: str | None, parameter: str = "") -> str:
    """Write a new job in the session's transaction; its id."""
    job_id = new_job_id()
    now = _now(session)
    job = Job(job_id, SUBMITTED, None, job_type, RELATION_CLASS, object_id, name, now, None, table.oid, parameter, "", 0, 0)
    write(session, job)
    return job_id


def submit_drop(session: Any, table: Table) -> str:
    """The DROP job of a table: its trees go in the same transaction, so there is nothing left for it to do."""
    return submit(session, "DROP", table.oid, table, None)


def cancel(session: Any, index_oid: int) -> None:
    """DROP INDEX: its unfinished build ends."""
    for job in read_all(session):
        if job.job_type == "INDEX_BUILD" and job.object_id == index_oid and not job.is_finished:
            write(session, _finished(session, job, FAILED, says("job_cancelled")))


def _finished(session: Any, job: Job, status: str, details: str | None = None) -> Job:
    now = _now(session, whole_seconds=True)
    return replace(job, status=status, details=details, update_time=now, finished=int(clock(session)))


def _refused(error: Exception) -> bool:
    # Errors of a commit come from the compiled core with its own class; what they share is the SQLSTATE.
    return getattr(error, "sqlstate", "") == "40001"


# -- the loop ----------------------------------------------------------------------------------------------------------


def run_jobs(session_factory: Callable[[], Any]) -> bool:
    """One step of the oldest unfinished job. False when there was nothing to do.

    session_factory gives a session outside any transaction with commit(), rollback() and close(); commit() waits for
    the reply and raises the refusal (40001).
    """
    session = session_factory()
    try:
        open_jobs = [job for job in read_all(session) if not job.is_finished]
        if not open_jobs:
            session.rollback()
            return False
        job = open_jobs[0]
        try:
            _step(session, job)
            session.commit()
        except Exception as error:
            session.rollback()
            _after_error(session, job, error)
        return True
    finally:
        session.close()


def _after_error(session: Any, job: Job, error: Exception) -> None:
    # A conflict: again, with fewer rows. The system is full, shutting down or unwell: the caller hears of it and comes
    # back. Anything else is the job's own fault, unless it is no SQL error at all; that gets a few more tries.
    sqlstate = getattr(error, "sqlstate", "")
    if _refused(error):
        if job.job_type == "INDEX_BUILD":
            rows = _chunk_rows.get(job.job_id, BACKFILL_ROWS_MAX)
            _chunk_rows[job.job_id] = max(BACKFILL_ROWS_MIN, rows // 2)
        return
    if sqlstate[:2] in ("08", "53", "57", "58", "XX"):
        raise error
    _attempts[job.job_id] = _attempts.get(job.job_id, 0) + 1
    if sqlstate or _attempts[job.job_id] >= ATTEMPTS_MAX:
        _attempts.pop(job.job_id)
        _fail(session, job, error)
    else:
        log.exception("job %s (%s) stumbled", job.job_id, job.job_type)


def _fail(session: Any, job: Job, error: Exception) -> None:
    log.warning("job %s (%s) failed: %s", job.job_id, job.job_type, error)
    try:
        current = read(session, job.job_id)
        if current is not None and not current.is_finished:
            write(session, _finished(session, current, FAILED, str(getattr(error, "message", error))))
        session.commit()
    except Exception as again:
        session.rollback()
        if not _refused(again):
            raise


def _step(session: Any, job: Job) -> None:
    catalog = load.load(session)
    if job.status == SUBMITTED:
        _purge(session)
    action = {"INDEX_BUILD": _build_index, "VALIDATE_CONSTRAINT": _validate_constraint, "DROP": _drop}.get(job.job_type)
    if action is None:
        write(session, _finished(session, job, FAILED, f"unknown job type {job.job_type}"))
    else:
        action(session, catalog, job)


def _purge(session: Any) -> None:
    """Forget jobs that finished half an hour ago."""
    limits = getattr(session, "limits", None) or DSQL
    edge = clock(session) - limits.job_keep_s
    for job in read_all(session):
        if job.is_finished and job.finished < edge:
            session.delete(store.JOB_TREE, _key(job.job_id))


def _drop(session: Any, catalog: Catalog, job: Job) -> None:
    write(session, _finished(session, job, COMPLETED))


def find_index(catalog: Catalog, job: Job) -> tuple[Table, Index] | None:
    """The table and index a job is about, if they still exist."""
    table = catalog.by_oid.get(job.table_oid)
    if not isinstance(table, Table):
        return None
    index = next((i for i in table.indexes if i.oid == job.object_id), None)
    return None if index is None else (table, index)


def _build_index(session: Any, catalog: Catalog, job: Job) -> None:
    found = find_index(catalog, job)
    if found is None:
        write(session, _finished(session, job, choice("job_skipped_status"), SKIPPED))
        return
    table, index = found
    store.validate_version(session, table.oid)
    rows = _chunk_rows.get(job.job_id, BACKFILL_ROWS_MAX)
    after = bytes.fromhex(job.progress) if job.progress else None
    try:
        last, count = backfill.run_chunk(session, catalog, table, index, after, rows)
    except backfill.DuplicateKey:
        # Nothing of this chunk may stay: a new transaction says so.
        session.rollback()
        _chunk_rows.pop(job.job_id, None)
        write(session, _finished(session, job, FAILED, DUPLICATES))
        return
    if count:
        _chunk_rows[job.job_id] = min(BACKFILL_ROWS_MAX, rows * 2)
    if last is not None:
        done = replace(job, status=PROCESSING, update_time=_now(session, True), progress=last.hex(), rows_done=job.rows_done + count)
        write(session, done)
        return
    _chunk_rows.pop(job.job_id, None)
    valid = tuple(replace(i, valid=True) if i.oid == index.oid else i for i in table.indexes)
    put_table(session, catalog, replace(table, indexes=valid))
    write(session, replace(_finished(session, job, COMPLETED), rows_done=job.rows_done + count))


def put_table(session: Any, catalog: Catalog, table: Table) -> None:
    """Write a table's row as a job changes it when it ends.

    For OC001 it is the change of whoever changed the table last: as a rule the session that asked for the job, which
    learns of its end without an error.
    """
    author = session.token if choice("oc001_own_job") else 0
    versions.change(session, versions.of(catalog, table), author)
    store.put_object(session, table.oid, "table", table.schema, table.name, serialise.dump(table))
    store.stamp_row(session, table.oid)
    session.mark_catalog_change()


def _validate_constraint(session: Any, catalog: Catalog, job: Job) -> None:
    table = catalog.by_oid.get(job.table_oid)
    name = job.parameter
    if not isinstance(table, Table):
        write(session, _finished(session, job, choice("job_skipped_status"), SKIPPED))
        return
    check = next((c for c in table.checks if c.name == name), None)
    key = next((f for f in table.foreign_keys if f.name == name), None)
    if check is None and key is None:
        write(session, _finished(session, job, FAILED, f'constraint "{name}" of relation "{table.name}" does not exist'))
        return
    constraint = check or key
    assert constraint is not None
    failure = backfill.constraint_failure(session, catalog, table, constraint)
    if failure is not None:
        write(session, _finished(session, job, FAILED, failure))
        return
    put_table(
        session,
        catalog,
        replace(
            table,
            checks=tuple(replace(c, validated=True) if c is check else c for c in table.checks),
            foreign_keys=tuple(replace(f, validated=True) if f is key else f for f in table.foreign_keys),
        ),
    )
    write(session, _finished(session, job, COMPLETED))

"""CALL: only the system's procedures exist, and of them only sys.wait_for_job.

The wait holds nothing: the statement is a Pending that looks at the job's row at a fresh snapshot each time it is
asked: through a session of its own from the caller's engine, or, without an engine, the caller's between transactions.
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog import jobs
from opendsql.catalog.datatypes import format_type
from opendsql.catalog.names import strings
from opendsql.catalog.result import Pending, PyResult
from opendsql.catalog.settings import settings_of
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says

COLUMNS = [("succeeded", 16)]


def call(stmt: dict[str, Any], text: str, session: Any, catalog: Any, params: list[str | None] | None = None) -> PyResult | Pending:
    """CALL procedure(arguments)."""
    body = stmt["funccall"]
    names = strings(body["funcname"])
    arguments = body.get("args") or []
    if any("SubLink" in node for node in arguments):
        raise unsupported("cannot use subquery in CALL argument")
    if names[-2:] != ["sys", "wait_for_job"]:
        refuse_function_call(names, arguments, session, catalog)
        raise unknown(names, arguments)  # sys.cancel_job too (guess: cancel_job)
    if len(arguments) != 1:
        raise unknown(names, arguments)
    job_id = argument(arguments[0], params)
    if job_id is None:
        raise DsqlError("22P02", "Unable to convert text to UUID")
    jobs.job_uuid(job_id)
    return Pending(Waiter(session, job_id).poll, columns=COLUMNS)


def refuse_function_call(names: list[str], arguments: list[dict[str, Any]], session: Any, catalog: Any) -> None:
    """42809 for a CALL that names one of the database's functions."""
    path = settings_of(session).search_path if len(names) == 1 else (names[-2],)
    for schema in path:
        for function in catalog.functions.get((schema, names[-1]), ()):
            if len(function.arg_types) == len(arguments):
                shown = ", ".join(format_type(oid, None) for oid in function.arg_types)
                hint = "To call a function, use SELECT."
                raise DsqlError("42809", f"{'.'.join(names)}({shown}) is not a procedure", hint=hint)


def unknown(names: list[str], arguments: list[dict[str, Any]]) -> DsqlError:
    """42883 for a procedure that is not there."""
    from opendsql.catalog.deparse import Deparser

    kinds = ", ".join(format_type(Deparser().type_of(node) or 705, None) for node in arguments)
    return DsqlError(
        "42883",
        f"procedure {'.'.join(names)}({kinds}) does not exist",
        hint="No procedure matches the given name and argument types. You might need to add explicit type casts.",
    )


def argument(node: dict[str, Any], params: list[str | None] | None) -> str | None:
    """A constant or parameter's text."""
    while "TypeCast" in node:
        node = node["TypeCast"]["arg"]
    if "ParamRef" in node:
        return (params or [None])[node["ParamRef"].get("number", 1) - 1]
    const = node.get("A_Const", {})
    if const.get("isnull"):
        return None
    if "sval" in const:
        return const["sval"].get("sval", "")
    raise DsqlError("42883", "procedure sys.wait_for_job(integer) does not exist")


class Waiter:
    """The wait for one job."""

    def __init__(self, session: Any, job_id: str) -> None:
        self.session = session
        self.job_id = job_id.lower()
        if getattr(session, "state", "") == "idle":
            session.begin(explicit=False)  # the wait is as old as the transaction it is in

    def poll(self) -> PyResult | None:
        """The result once the job is over."""
        job = self._look()
        if job is None:
            raise DsqlError("42704", says("unknown_job", id=self.job_id))
        if job.is_finished:
            return PyResult("CALL", COLUMNS, [("t" if job.status == jobs.COMPLETED else "f",)])
        if hasattr(self.session, "check"):
            self.session.check()
        return None

    def _look(self) -> jobs.Job | None:
        engine = getattr(self.session, "owner", None)
        if engine is None:
            try:
                return jobs.read(self.session, self.job_id)
            finally:
                if not getattr(self.session, "in_transaction", False):
                    self.session.rollback()  # the next look is at a newer snapshot
        session = engine.session()
        try:
            return jobs.read(session, self.job_id)
        finally:
            session.close()

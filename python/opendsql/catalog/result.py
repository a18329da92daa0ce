"""What a statement that runs on the Python thread gives back to the session: rows, a tag, notices, or a promise.

PyResult is complete; Pending is asked again by the gateway (between other work, never blocking the thread) until its
poll() returns a PyResult.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Notice:
    """A NoticeResponse: severity NOTICE, WARNING, INFO or DEBUG."""

    message: str
    sqlstate: str = "00000"
    severity: str = "NOTICE"
    detail: str | None = None
    hint: str | None = None


@dataclass(slots=True)
class PyResult:
    """Outcome of one statement.

    Args:
        tag: command tag as PostgreSQL words it (``CREATE TABLE``).
        columns: (name, type oid) of each result column; empty = the statement returns no rows.
        rows: values in text form, None = NULL.
        notices: sent before the tag.
        reports: ParameterStatus messages to send (name, value).
    """

    tag: str
    columns: list[tuple[str, int]] = field(default_factory=list)
    rows: list[tuple[str | None, ...]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    reports: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Pending:
    """A statement that is not over: poll() gives its PyResult, or None while the caller must ask again.

    poll raises DsqlError when the statement fails. interval_ms is how long to wait between questions; nothing is held
    meanwhile (each poll reads at a fresh snapshot).
    """

    poll: Callable[[], PyResult | None]
    interval_ms: int = 20
    columns: list[tuple[str, int]] = field(default_factory=list)

"""The Python exception of the compiled core: same fields as opendsql.errors.DsqlError, which the core may not import."""

from __future__ import annotations


class ExecuteError(Exception):
    """An SQL error raised by the execute package; `sqlstate`, `message` and the optional fields of ErrorResponse."""

    def __init__(
        self,
        sqlstate: str,
        message: str,
        *,
        detail: str | None = None,
        hint: str | None = None,
        position: int | None = None,
        schema: str | None = None,
        table: str | None = None,
        column: str | None = None,
        constraint: str | None = None,
        context: str | None = None,
    ) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.message = message
        self.detail = detail
        self.hint = hint
        self.position = position
        self.schema = schema
        self.table = table
        self.column = column
        self.constraint = constraint
        self.context = context
        self.severity = "ERROR"

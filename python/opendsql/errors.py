"""Every error opendsql raises, each with its SQLSTATE.

DsqlError is what the SQL side raises and what a client sees as ErrorResponse. Operator-facing failures (data
directories, files) are OperatorError: a sentence that names the file and, where it applies, the offset.
"""


class OpendsqlError(Exception):
    """Base of everything this package raises on purpose."""


class OperatorError(OpendsqlError):
    """A failure an operator must act on; the text names the file and offset where there is one."""


class DsqlError(OpendsqlError):
    """An SQL error as the client sees it.

    Args:
        sqlstate: five characters.
        message: primary text, exactly as DSQL or PostgreSQL words it.
        position: 1-based character position in the statement, or None.
    """

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
        severity: str = "ERROR",
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
        self.severity = severity


def unsupported(message: str, **kwargs: object) -> DsqlError:
    """0A000, the shape of nearly every DSQL refusal."""
    return DsqlError("0A000", message, **kwargs)  # type: ignore[arg-type]

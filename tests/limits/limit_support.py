"""What every limit's test says: this is accepted, that is refused with such a code, message and detail."""

from __future__ import annotations

import random
import string
from typing import Any

from opendsql.embedded import Database, Result

ROWS = ("54000", "transaction row limit exceeded", None)
MANY = "insert into {table} select g, g from generate_series({first}, {last}) g"


class Client:
    """One session."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.session = database.session()

    def run(self, sql: str, *params: Any) -> Result:
        """The answer of the last statement of sql."""
        return self.session.execute(sql, params)

    def value(self, sql: str, *params: Any) -> str | None:
        """The only value of the answer."""
        ((value,),) = self.run(sql, *params).texts
        return value

    def refused(self, sql: str, *params: Any) -> tuple[str, str, str | None]:
        """(sqlstate, message, detail) of the error the statements end with."""
        try:
            self.session.execute(sql, params)
        except Exception as error:
            return answer(error)
        raise AssertionError(f"accepted: {sql[:200]}")

    def commit(self) -> tuple[str, str, str | None] | None:
        """COMMIT: None, or how it was refused."""
        try:
            self.session.commit()
        except Exception as error:
            return answer(error)
        return None


def answer(error: Exception) -> tuple[str, str, str | None]:
    """What a client sees of an error."""
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate is None:
        raise error
    return sqlstate, str(getattr(error, "message", error)), getattr(error, "detail", None) or None


def noise(size: int, seed: int = 1) -> str:
    """Text LZ4 cannot shrink: random letters and digits from a seed."""
    return "".join(random.Random(seed).choices(string.ascii_letters + string.digits + "+/", k=size))

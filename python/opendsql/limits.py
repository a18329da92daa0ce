"""Every bound of the system, with its unit in the name, and how the bounds relate.

The values are Aurora DSQL's as a client meets them (behaviour note 1.6, 3.5, 4.2-4.7); where documentation and the live
service differ the live value stands. Nothing else in the project repeats one of these numbers.

    DSQL                      Limits(): what `opendsql serve` and opendsql.connect() enforce unless told otherwise
    DSQL.with_values(...)     the same with some changed, checked for consistency
    read_limits(file, flags)  from `--limits FILE` (TOML, name = value) and `--limit name=value`

One Limits object goes to everybody who enforces: the compiled core through EngineHandle and Server, catalog and planner
through the context of a request (catalog/context). 0 switches a limit off, where the field says `off`. What follows
the class are bounds of formats and of the engine itself, which nobody can set.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from opendsql.errors import OperatorError

KIB = 1024
MIB = 1024 * KIB
TIB = 1024 * 1024 * MIB
JOB_TRANSACTION_BYTES_MAX = 256 * MIB


def limit(value: int, least: int = 1, most: int = 0, off: bool = False) -> int:
    """A field of Limits: default, smallest and largest value (0 = any), whether 0 switches it off."""
    found: int = field(default=value, metadata={"least": least, "most": most, "off": off})
    return found


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may not exceed. Raises OperatorError for a value out of its range, or values at odds."""

    # -- a transaction
    transaction_rows_max: int = limit(3_000, off=True)  # changes of rows; index entries do not count
    transaction_bytes_max: int = limit(10 * MIB, 64 * KIB, JOB_TRANSACTION_BYTES_MAX)  # accounted size, see ROW_COST_BYTES
    transaction_age_max_s: int = limit(300, off=True)
    query_memory_bytes_max: int = limit(128 * MIB, 1 * MIB, off=True)  # of one execution, all its parts together

    # -- a connection
    connections_max: int = limit(10_000)
    connection_rate_per_s: int = limit(100, off=True)
    connection_burst: int = limit(1_000)
    connection_lifetime_s: int = limit(60 * 60, off=True)
    message_bytes_max: int = limit(10 * MIB, 64 * KIB, 1024 * MIB)

    # -- a row
    column_bytes_max: int = limit(1 * MIB, 64 * KIB)  # of one value as stored
    row_bytes_max: int = limit(2 * MIB, 64 * KIB)  # of all values as stored
    key_bytes_max: int = limit(1_981, 64, 1_981)  # of the key's values and KEY_PART_BYTES between them
    key_bytes_declared_max: int = limit(2_000, 64, 2_000)  # sum of declared sizes, checked by DDL
    char_length_max: int = limit(4_096, most=65_535)
    varchar_length_max: int = limit(65_535, most=10 * MIB)

    # -- objects
    columns_per_table_max: int = limit(256, most=1_600)  # live; the message says 255
    key_columns_max: int = limit(8, most=32)
    indexes_per_table_max: int = limit(24, off=True)  # primary key, unique and building ones included
    statistics_per_table_max: int = limit(5, off=True)
    statistics_target_max: int = limit(100, most=10_000)
    schemas_max: int = limit(10, off=True)  # beyond public and sys
    tables_max: int = limit(1_000, off=True)
    views_max: int = limit(5_000, off=True)
    sequences_max: int = limit(5_000, off=True)
    view_bytes_max: int = limit(512 * KIB, off=True)  # of the definition; live: 131-524 KiB by shape
    cluster_bytes_max: int = limit(10 * TIB, 16 * MIB)  # 53100 beyond it, or earlier when memory or disk are full

    # -- jobs
    job_keep_s: int = limit(30 * 60, least=0)  # finished jobs are purged after that, when a new job runs

    # -- how sizes are counted; nobody sets these
    # Accounted size of a transaction (guess: transaction_bytes): a row counts the bytes of its values and
    # ROW_COST_BYTES, an index entry KEY_COST_FACTOR times the bytes of its key columns and of the primary key. 500 rows
    # with a bigint key then end at 9.93 MiB of raw data without an index, and at 9.11 MiB with four on text keys of 100
    # bytes, as measured on the service (tests/limits/test_bytes.py).
    ROW_COST_BYTES: ClassVar[int] = 140
    KEY_COST_FACTOR: ClassVar[int] = 4
    KEY_PART_BYTES: ClassVar[int] = 7  # each column of a key after the first
    COMPRESSED_FROM_BYTES: ClassVar[int] = 2_000  # a shorter value is stored as it is
    ROW_BYTES_RAW_MAX: ClassVar[int] = 32 * MIB  # before compression

    def __post_init__(self) -> None:
        for spec in fields(self):
            self._check(spec.name, getattr(self, spec.name), spec.metadata)
        self._at_most("column_bytes_max", "row_bytes_max")
        self._at_most("row_bytes_max", "transaction_bytes_max")
        self._at_most("key_bytes_max", "column_bytes_max")

    @staticmethod
    def _check(name: str, value: Any, rule: Mapping[str, Any]) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise OperatorError(f"limit {name}: {value!r} is not a whole number")
        if value == 0 and rule["off"]:
            return
        if value < rule["least"] or 0 < rule["most"] < value:
            upper = f" and {rule['most']:,}" if rule["most"] else ""
            off = ", or 0 for no limit" if rule["off"] else ""
            raise OperatorError(f"limit {name}: {value:,} is not {'between' if upper else 'at least'} {rule['least']:,}{upper}{off}")

    def _at_most(self, small: str, large: str) -> None:
        # An absent limit (0) is larger than any.
        low, high = getattr(self, small), getattr(self, large)
        if high and (not low or low > high):
            raise OperatorError(f"limit {small} ({low:,}) may not be above {large} ({high:,})")

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """A copy with some values changed. Raises OperatorError for a name that is no limit."""
        known = {spec.name for spec in fields(self)}
        for name in values:
            if name not in known:
                raise OperatorError(f"there is no limit {name!r}; the limits are {', '.join(sorted(known))}")
        return replace(self, **values)

    def for_jobs(self) -> Self:
        """What the engine's own work is held to: sizes of keys and values, not of its transactions."""
        free = {"transaction_rows_max": 0, "transaction_age_max_s": 0, "query_memory_bytes_max": 0}
        return self.with_values({**free, "transaction_bytes_max": JOB_TRANSACTION_BYTES_MAX})


DSQL = Limits()


def read_limits(file: Path | None = None, flags: Iterable[str] = ()) -> Limits:
    """DSQL's limits with the values of a TOML file, then those of `name=value` texts. Raises OperatorError."""
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values.update(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise OperatorError(f"cannot read limits from {file}: {error}") from None
    for flag in flags:
        name, equals, text = flag.partition("=")
        try:
            values[name.strip()] = int(text.strip().replace("_", "")) if equals else None
        except ValueError:
            values[name.strip()] = text
    return DSQL.with_values(values)


def reached(count: int, most: int) -> bool:
    """Whether `count` things are all there may be (most = 0: there may be any number)."""
    return 0 < most <= count


# -- formats -----------------------------------------------------------------------------------------------------------
BIND_PARAMETERS_MAX = 65_535  # a 16-bit count on the wire
PASSWORD_BYTES_MAX = 16 * KIB
TOKEN_LIFETIME_S_MAX = 604_800
TOKEN_SKEW_S = 5 * 60  # how far a client's clock may be ahead
NUMERIC_PRECISION_MAX = 1_000  # hence at most NUMERIC_BYTES_MAX stored
NUMERIC_SCALE_MAX = 1_000
NUMERIC_BYTES_MAX = 510
NUMERIC_DEFAULT_PRECISION = 18  # bare numeric is numeric(18,6)
NUMERIC_DEFAULT_SCALE = 6
IDENTIFIER_BYTES_MAX = 63
# Of one statement, its queries' results included: what NOT MATERIALIZED and views multiply has an end (guess: relations_bound).
RELATIONS_MAX = 6_000
COLUMNS_LIFETIME_MAX = 1_600  # of a table, dropped ones included
SEQUENCE_CACHE_MIN = 65_536  # or exactly 1

# -- jobs --------------------------------------------------------------------------------------------------------------
BACKFILL_ROWS_MAX = 500  # base rows per transaction of an index build
BACKFILL_ROWS_MIN = 8  # a chunk that keeps conflicting is halved down to this

# -- the price of a statement, in Distributed Processing Units (note, section 6) ---------------------------------------
DPU_UNIT_BYTES = 128  # a storage read, a written row, a written index entry: each at least that (stats.pxd)
DPU_PER_SECOND = 1.0  # of processing
DPU_PER_BYTE_READ = 0.00000183105
DPU_PER_BYTE_WRITTEN = 0.00004883
DPU_READ_MIN = 0.00375  # of a transaction that reads
DPU_WRITE_MIN = 0.05  # of a transaction that writes

assert DSQL.char_length_max < DSQL.varchar_length_max < DSQL.column_bytes_max
assert BACKFILL_ROWS_MIN < BACKFILL_ROWS_MAX
assert DSQL.columns_per_table_max < COLUMNS_LIFETIME_MAX
assert NUMERIC_DEFAULT_SCALE <= NUMERIC_DEFAULT_PRECISION <= NUMERIC_PRECISION_MAX

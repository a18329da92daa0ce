"""Every bound of the system, with its unit in the name, and how the bounds relate.

The values are Aurora DSQL's as a client meets them (behaviour note 1.6, 3.5, 4.2-4.7); where documentation and the live
service differ the live value stands. Nothing else in the project repeats one of these numbers.
"""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB
TIB = 1024 * 1024 * MIB
CLUSTER_BYTES_MAX = 10 * TIB

# -- a transaction -----------------------------------------------------------------------------------------------------
TRANSACTION_ROWS_MAX = 3_000  # rows written; index entries do not count
TRANSACTION_BYTES_MAX = 10 * MIB  # accounted size, see ROW_OVERHEAD_BYTES
TRANSACTION_AGE_MAX_S = 300
ROW_OVERHEAD_BYTES = 36  # added per row to its key and image; fits the two published data points (guess: row_overhead_bytes)
QUERY_MEMORY_BYTES_MAX = 128 * MIB

# -- a connection ------------------------------------------------------------------------------------------------------
CONNECTIONS_MAX = 10_000
CONNECTION_RATE_PER_S = 100
CONNECTION_BURST = 1_000
CONNECTION_LIFETIME_S = 60 * 60
MESSAGE_BYTES_MAX = 10 * MIB
BIND_PARAMETERS_MAX = 65_535
PASSWORD_BYTES_MAX = 16 * KIB
TOKEN_LIFETIME_S_MAX = 604_800
TOKEN_SKEW_S = 5 * 60  # how far a client's clock may be ahead

# -- a row -------------------------------------------------------------------------------------------------------------
COLUMN_BYTES_MAX = 1 * MIB
ROW_BYTES_MAX = 2 * MIB
KEY_BYTES_MAX = 1_981  # of the key columns' values together
KEY_BYTES_DECLARED_MAX = 2_000  # sum of declared sizes, checked by DDL
KEY_PART_OVERHEAD_BYTES = 7
CHAR_BYTES_MAX = 4_096
VARCHAR_BYTES_MAX = 65_535
NUMERIC_PRECISION_MAX = 1_000
NUMERIC_SCALE_MAX = 1_000
NUMERIC_BYTES_MAX = 510
NUMERIC_DEFAULT_PRECISION = 18  # bare numeric is numeric(18,6)
NUMERIC_DEFAULT_SCALE = 6
IDENTIFIER_BYTES_MAX = 63

# -- objects -----------------------------------------------------------------------------------------------------------
COLUMNS_PER_TABLE_MAX = 256  # live; the message says 255
COLUMNS_LIFETIME_MAX = 1_600  # dropped ones included
KEY_COLUMNS_MAX = 8
INDEXES_PER_TABLE_MAX = 24  # primary key, unique and building ones included
STATISTICS_PER_TABLE_MAX = 5
STATISTICS_TARGET_MAX = 100
SCHEMAS_MAX = 10  # beyond public and sys
TABLES_MAX = 1_000
VIEWS_MAX = 5_000
SEQUENCES_MAX = 5_000
VIEW_BYTES_MAX = 512 * KIB  # of the definition; live: 131-524 KiB by shape
SEQUENCE_CACHE_MIN = 65_536  # or exactly 1

# -- jobs --------------------------------------------------------------------------------------------------------------
JOB_KEEP_S = 30 * 60  # finished jobs are purged after that, when a new job runs
BACKFILL_ROWS_MAX = 500  # base rows per transaction of an index build
BACKFILL_ROWS_MIN = 8  # a chunk that keeps conflicting is halved down to this

# -- the price of a statement, in Distributed Processing Units (note, section 6) ---------------------------------------
DPU_UNIT_BYTES = 128  # a storage read, a written row, a written index entry: each at least that (stats.pxd)
DPU_PER_SECOND = 1.0  # of processing
DPU_PER_BYTE_READ = 0.00000183105
DPU_PER_BYTE_WRITTEN = 0.00004883
DPU_READ_MIN = 0.00375  # of a transaction that reads
DPU_WRITE_MIN = 0.05  # of a transaction that writes

assert COLUMN_BYTES_MAX <= ROW_BYTES_MAX <= TRANSACTION_BYTES_MAX <= MESSAGE_BYTES_MAX
assert KEY_BYTES_MAX < KEY_BYTES_DECLARED_MAX
assert CHAR_BYTES_MAX < VARCHAR_BYTES_MAX < COLUMN_BYTES_MAX
assert BACKFILL_ROWS_MIN < BACKFILL_ROWS_MAX <= TRANSACTION_ROWS_MAX
assert COLUMNS_PER_TABLE_MAX < COLUMNS_LIFETIME_MAX
assert TRANSACTION_AGE_MAX_S < CONNECTION_LIFETIME_S
assert NUMERIC_DEFAULT_SCALE <= NUMERIC_DEFAULT_PRECISION <= NUMERIC_PRECISION_MAX

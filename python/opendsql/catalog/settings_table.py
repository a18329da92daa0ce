"""Every setting SHOW and pg_settings know: name, default, kind, and whether a client may change it.

One line per setting: name | default | kind (bool, int, string, enum, real) | settable | category | description.
Settable are exactly DSQL's; the others are what a PostgreSQL 16 client expects to be able to read.
"""

from __future__ import annotations

from typing import NamedTuple

SERVER_VERSION = "16.15"
SERVER_VERSION_NUM = "160015"


class Setting(NamedTuple):
    """One configuration parameter."""

    name: str
    default: str
    kind: str
    settable: bool
    category: str
    description: str


_TABLE = """
application_name||string|y|Reporting and Logging / What to Log|Sets the application name to be reported in statistics and logs.
client_encoding|UTF8|string|y|Client Connection Defaults / Locale and Formatting|Sets the client's character set encoding.
DateStyle|ISO, MDY|string|y|Client Connection Defaults / Locale and Formatting|Sets the display format for date and time values.
IntervalStyle|postgres|enum|y|Client Connection Defaults / Locale and Formatting|Sets the display format for interval values.
TimeZone|UTC|string|y|Client Connection Defaults / Locale and Formatting|Sets the time zone for displaying and interpreting time stamps.
extra_float_digits|1|int|y|Client Connection Defaults / Locale and Formatting|Sets the number of digits displayed for floating-point values.
search_path|"$user", public|string|y|Client Connection Defaults / Statement Behavior|Sets the schema search order for names that are not schema-qualified.
enable_bitmapscan|on|bool|y|Query Tuning / Planner Method Configuration|Enables the planner's use of bitmap-scan plans.
enable_hashjoin|on|bool|y|Query Tuning / Planner Method Configuration|Enables the planner's use of hash join plans.
enable_indexonlyscan|on|bool|y|Query Tuning / Planner Method Configuration|Enables the planner's use of index-only-scan plans.
enable_indexscan|on|bool|y|Query Tuning / Planner Method Configuration|Enables the planner's use of index-scan plans.
enable_material|on|bool|y|Query Tuning / Planner Method Configuration|Enables the planner's use of materialization.
enable_mergejoin|on|bool|y|Query Tuning / Planner Method Configuration|Enables the planner's use of merge join plans.
enable_nestloop|on|bool|y|Query Tuning / Planner Method Configuration|Enables the planner's use of nested-loop join plans.
enable_seqscan|on|bool|y|Query Tuning / Planner Method Configuration|Enables the planner's use of sequential-scan plans.
dsql.enable_batched_nestloop|on|bool|y|Query Tuning / Planner Method Configuration|Enables batched nested loop joins.
disable_sync_create_index|on|bool|y|Client Connection Defaults / Statement Behavior|Refuses CREATE INDEX without ASYNC.
role|none|string|y|Client Connection Defaults / Statement Behavior|Sets the current role.
session_authorization|admin|string|n|Client Connection Defaults / Statement Behavior|Sets the session user name.
server_version|16.15|string|n|Preset Options|Shows the server version.
server_version_num|160015|int|n|Preset Options|Shows the server version as an integer.
server_encoding|UTF8|string|n|Preset Options|Shows the server (database) character set encoding.
block_size|8192|int|n|Preset Options|Shows the size of a disk block.
integer_datetimes|on|bool|n|Preset Options|Shows whether datetimes are integer based.
max_identifier_length|63|int|n|Preset Options|Shows the maximum identifier length.
max_function_args|100|int|n|Preset Options|Shows the maximum number of function arguments.
max_index_keys|32|int|n|Preset Options|Shows the maximum number of index keys.
segment_size|1GB|int|n|Preset Options|Shows the number of pages per disk file.
wal_block_size|8192|int|n|Preset Options|Shows the block size in the write ahead log.
data_checksums|on|bool|n|Preset Options|Shows whether data checksums are turned on for this cluster.
debug_assertions|off|bool|n|Preset Options|Shows whether the running server has assertion checks enabled.
in_hot_standby|off|bool|n|Preset Options|Shows whether hot standby is currently active.
is_superuser|off|bool|n|Preset Options|Shows whether the current user is a superuser.
transaction_isolation|repeatable read|enum|n|Client Connection Defaults / Statement Behavior|Sets the current transaction's isolation level.
transaction_read_only|off|bool|n|Client Connection Defaults / Statement Behavior|Sets the current transaction's read-only status.
transaction_deferrable|off|bool|n|Client Connection Defaults / Statement Behavior|Whether to defer a read-only serializable transaction.
default_transaction_isolation|repeatable read|enum|n|Client Connection Defaults / Statement Behavior|Sets the transaction isolation level of each new transaction.
default_transaction_read_only|off|bool|n|Client Connection Defaults / Statement Behavior|Sets the default read-only status of new transactions.
default_transaction_deferrable|off|bool|n|Client Connection Defaults / Statement Behavior|Sets the default deferrable status of new transactions.
default_table_access_method|btree_table|string|n|Client Connection Defaults / Statement Behavior|Sets the default table access method for new tables.
default_toast_compression|lz4|enum|n|Client Connection Defaults / Statement Behavior|Sets the default compression method for compressible values.
default_tablespace||string|n|Client Connection Defaults / Statement Behavior|Sets the default tablespace to create tables and indexes in.
standard_conforming_strings|on|bool|n|Version and Platform Compatibility / Previous PostgreSQL Versions|Causes '...' strings to treat backslashes literally.
backslash_quote|safe_encoding|enum|n|Version and Platform Compatibility / Previous PostgreSQL Versions|Sets whether "\\'" is allowed in string literals.
escape_string_warning|on|bool|n|Version and Platform Compatibility / Previous PostgreSQL Versions|Warn about backslash escapes in ordinary string literals.
quote_all_identifiers|off|bool|n|Version and Platform Compatibility / Previous PostgreSQL Versions|When generating SQL fragments, quote all identifiers.
bytea_output|hex|enum|n|Client Connection Defaults / Statement Behavior|Sets the output format for bytea.
xmloption|content|enum|n|Client Connection Defaults / Statement Behavior|Sets whether XML data is content or document.
check_function_bodies|on|bool|n|Client Connection Defaults / Statement Behavior|Check routine bodies during CREATE FUNCTION.
client_min_messages|notice|enum|n|Client Connection Defaults / Statement Behavior|Sets the message levels that are sent to the client.
statement_timeout|0|int|n|Client Connection Defaults / Statement Behavior|Sets the maximum allowed duration of any statement.
lock_timeout|0|int|n|Client Connection Defaults / Statement Behavior|Sets the maximum allowed duration of any wait for a lock.
idle_in_transaction_session_timeout|0|int|n|Client Connection Defaults / Statement Behavior|Sets the maximum allowed idle time between queries, in a transaction.
idle_session_timeout|0|int|n|Client Connection Defaults / Statement Behavior|Sets the maximum allowed idle time between queries, not in a transaction.
row_security|on|bool|n|Client Connection Defaults / Statement Behavior|Enable row security.
lc_messages|C|string|n|Client Connection Defaults / Locale and Formatting|Sets the language in which messages are displayed.
lc_monetary|C|string|n|Client Connection Defaults / Locale and Formatting|Sets the locale for formatting monetary amounts.
lc_numeric|C|string|n|Client Connection Defaults / Locale and Formatting|Sets the locale for formatting numbers.
lc_time|C|string|n|Client Connection Defaults / Locale and Formatting|Sets the locale for formatting date and time values.
default_text_search_config|pg_catalog.simple|string|n|Client Connection Defaults / Locale and Formatting|Sets default text search configuration.
max_connections|10000|int|n|Connections and Authentication / Connection Settings|Sets the maximum number of concurrent connections.
superuser_reserved_connections|0|int|n|Connections and Authentication / Connection Settings|Sets the number of connection slots reserved for superusers.
port|5432|int|n|Connections and Authentication / Connection Settings|Sets the TCP port the server listens on.
ssl|on|bool|n|Connections and Authentication / SSL|Enables SSL connections.
password_encryption|scram-sha-256|enum|n|Connections and Authentication / Authentication|Chooses the algorithm for encrypting passwords.
work_mem|131072kB|int|n|Resource Usage / Memory|Sets the maximum memory to be used for query workspaces.
shared_buffers|128MB|int|n|Resource Usage / Memory|Sets the number of shared memory buffers used by the server.
max_prepared_transactions|0|int|n|Resource Usage / Memory|Sets the maximum number of simultaneously prepared transactions.
autovacuum|off|bool|n|Autovacuum|Starts the autovacuum subprocess.
fsync|on|bool|n|Write-Ahead Log / Settings|Forces synchronization of updates to disk.
synchronous_commit|on|enum|n|Write-Ahead Log / Settings|Sets the current transaction's synchronization level.
full_page_writes|on|bool|n|Write-Ahead Log / Settings|Writes full pages to WAL when first modified after a checkpoint.
wal_level|replica|enum|n|Write-Ahead Log / Settings|Sets the level of information written to the WAL.
hot_standby|on|bool|n|Replication / Standby Servers|Allows connections and queries during recovery.
jit|off|bool|n|Query Tuning / Other Planner Options|Allow JIT compilation.
plan_cache_mode|auto|enum|n|Query Tuning / Other Planner Options|Controls the planner's selection of custom or generic plan.
from_collapse_limit|8|int|n|Query Tuning / Other Planner Options|Sets the FROM-list size beyond which subqueries are not collapsed.
join_collapse_limit|8|int|n|Query Tuning / Other Planner Options|Sets the FROM-list size beyond which JOIN constructs are not flattened.
default_statistics_target|100|int|n|Query Tuning / Other Planner Options|Sets the default statistics target.
log_statement|none|enum|n|Reporting and Logging / What to Log|Sets the type of statements logged.
log_timezone|UTC|string|n|Reporting and Logging / What to Log|Sets the time zone to use in log messages.
track_activities|off|bool|n|Statistics / Cumulative Query and Index Statistics|Collects information about executing commands.
track_counts|off|bool|n|Statistics / Cumulative Query and Index Statistics|Collects statistics on database activity.
"""

SETTINGS: dict[str, Setting] = {}
for _line in _TABLE.strip().splitlines():
    _name, _default, _kind, _settable, _category, _description = _line.split("|", 5)
    SETTINGS[_name.lower()] = Setting(_name, _default, _kind, _settable == "y", _category, _description)

# Sent as ParameterStatus at start and whenever they change.
REPORTED = (
    "application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby",
    "integer_datetimes", "IntervalStyle", "is_superuser", "server_encoding", "server_version", "session_authorization",
    "standard_conforming_strings", "TimeZone",
)  # fmt: skip
# A plan depends on these.
PLAN_SETTINGS = ("search_path", "role", "timezone", "datestyle", "intervalstyle", *(n for n in SETTINGS if "enable_" in n))

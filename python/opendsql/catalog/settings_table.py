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
application_name||string|y|log|Sets the application name to be reported in statistics and logs.
client_encoding|UTF8|string|y|locale|Sets the client's character set encoding.
DateStyle|ISO, MDY|string|y|locale|Sets the display format for date and time values.
IntervalStyle|postgres|enum|y|locale|Sets the display format for interval values.
TimeZone|UTC|string|y|locale|Sets the time zone for displaying and interpreting time stamps.
extra_float_digits|1|int|y|locale|Sets the number of digits displayed for floating-point values.
search_path|"$user", public|string|y|statement|Sets the schema search order for names that are not schema-qualified.
enable_bitmapscan|on|bool|y|planner|Enables the planner's use of bitmap-scan plans.
enable_hashjoin|on|bool|y|planner|Enables the planner's use of hash join plans.
enable_indexonlyscan|on|bool|y|planner|Enables the planner's use of index-only-scan plans.
enable_indexscan|on|bool|y|planner|Enables the planner's use of index-scan plans.
enable_material|on|bool|y|planner|Enables the planner's use of materialization.
enable_mergejoin|on|bool|y|planner|Enables the planner's use of merge join plans.
enable_nestloop|on|bool|y|planner|Enables the planner's use of nested-loop join plans.
enable_seqscan|on|bool|y|planner|Enables the planner's use of sequential-scan plans.
dsql.enable_batched_nestloop|on|bool|y|planner|Enables batched nested loop joins.
disable_sync_create_index|on|bool|y|statement|Refuses CREATE INDEX without ASYNC.
role|none|string|y|statement|Sets the current role.
session_authorization|admin|string|n|statement|Sets the session user name.
server_version|16.15|string|n|preset|Shows the server version.
server_version_num|160015|int|n|preset|Shows the server version as an integer.
server_encoding|UTF8|string|n|preset|Shows the server (database) character set encoding.
block_size|8192|int|n|preset|Shows the size of a disk block.
integer_datetimes|on|bool|n|preset|Shows whether datetimes are integer based.
max_identifier_length|63|int|n|preset|Shows the maximum identifier length.
max_function_args|100|int|n|preset|Shows the maximum number of function arguments.
max_index_keys|32|int|n|preset|Shows the maximum number of index keys.
segment_size|1GB|int|n|preset|Shows the number of pages per disk file.
wal_block_size|8192|int|n|preset|Shows the block size in the write ahead log.
data_checksums|on|bool|n|preset|Shows whether data checksums are turned on for this cluster.
debug_assertions|off|bool|n|preset|Shows whether the running server has assertion checks enabled.
in_hot_standby|off|bool|n|preset|Shows whether hot standby is currently active.
is_superuser|off|bool|n|preset|Shows whether the current user is a superuser.
transaction_isolation|repeatable read|enum|n|statement|Sets the current transaction's isolation level.
transaction_read_only|off|bool|n|statement|Sets the current transaction's read-only status.
transaction_deferrable|off|bool|n|statement|Whether to defer a read-only serializable transaction.
default_transaction_isolation|repeatable read|enum|n|statement|Sets the transaction isolation level of each new transaction.
default_transaction_read_only|off|bool|n|statement|Sets the default read-only status of new transactions.
default_transaction_deferrable|off|bool|n|statement|Sets the default deferrable status of new transactions.
default_table_access_method|btree_table|string|n|statement|Sets the default table access method for new tables.
default_toast_compression|lz4|enum|n|statement|Sets the default compression method for compressible values.
default_tablespace||string|n|statement|Sets the default tablespace to create tables and indexes in.
standard_conforming_strings|on|bool|n|compat|Causes '...' strings to treat backslashes literally.
backslash_quote|safe_encoding|enum|n|compat|Sets whether "\\'" is allowed in string literals.
escape_string_warning|on|bool|n|compat|Warn about backslash escapes in ordinary string literals.
quote_all_identifiers|off|bool|n|compat|When generating SQL fragments, quote all identifiers.
bytea_output|hex|enum|n|statement|Sets the output format for bytea.
xmloption|content|enum|n|statement|Sets whether XML data is content or document.
check_function_bodies|on|bool|n|statement|Check routine bodies during CREATE FUNCTION.
client_min_messages|notice|enum|n|statement|Sets the message levels that are sent to the client.
statement_timeout|0|int|n|statement|Sets the maximum allowed duration of any statement.
lock_timeout|0|int|n|statement|Sets the maximum allowed duration of any wait for a lock.
idle_in_transaction_session_timeout|0|int|n|statement|Sets the maximum allowed idle time between queries, in a transaction.
idle_session_timeout|0|int|n|statement|Sets the maximum allowed idle time between queries, not in a transaction.
row_security|on|bool|n|statement|Enable row security.
lc_messages|C|string|n|locale|Sets the language in which messages are displayed.
lc_monetary|C|string|n|locale|Sets the locale for formatting monetary amounts.
lc_numeric|C|string|n|locale|Sets the locale for formatting numbers.
lc_time|C|string|n|locale|Sets the locale for formatting date and time values.
default_text_search_config|pg_catalog.simple|string|n|locale|Sets default text search configuration.
max_connections|10000|int|n|connection|Sets the maximum number of concurrent connections.
superuser_reserved_connections|0|int|n|connection|Sets the number of connection slots reserved for superusers.
port|5432|int|n|connection|Sets the TCP port the server listens on.
ssl|on|bool|n|ssl|Enables SSL connections.
password_encryption|scram-sha-256|enum|n|authentication|Chooses the algorithm for encrypting passwords.
work_mem|131072kB|int|n|memory|Sets the maximum memory to be used for query workspaces.
shared_buffers|128MB|int|n|memory|Sets the number of shared memory buffers used by the server.
max_prepared_transactions|0|int|n|memory|Sets the maximum number of simultaneously prepared transactions.
autovacuum|off|bool|n|autovacuum|Starts the autovacuum subprocess.
fsync|on|bool|n|wal|Forces synchronization of updates to disk.
synchronous_commit|on|enum|n|wal|Sets the current transaction's synchronization level.
full_page_writes|on|bool|n|wal|Writes full pages to WAL when first modified after a checkpoint.
wal_level|replica|enum|n|wal|Sets the level of information written to the WAL.
hot_standby|on|bool|n|standby|Allows connections and queries during recovery.
plan_cache_mode|auto|enum|n|planner-other|Controls the planner's selection of custom or generic plan.
from_collapse_limit|8|int|n|planner-other|Sets the FROM-list size beyond which subqueries are not collapsed.
join_collapse_limit|8|int|n|planner-other|Sets the FROM-list size beyond which JOIN constructs are not flattened.
default_statistics_target|100|int|n|planner-other|Sets the default statistics target.
log_statement|none|enum|n|log|Sets the type of statements logged.
log_timezone|UTC|string|n|log|Sets the time zone to use in log messages.
track_activities|off|bool|n|statistics|Collects information about executing commands.
track_counts|off|bool|n|statistics|Collects statistics on database activity.
"""

CATEGORIES = {
    "locale": "Client Connection Defaults / Locale and Formatting",
    "statement": "Client Connection Defaults / Statement Behavior",
    "planner": "Query Tuning / Planner Method Configuration",
    "compat": "Version and Platform Compatibility / Previous PostgreSQL Versions",
    "planner-other": "Query Tuning / Other Planner Options",
    "log": "Reporting and Logging / What to Log",
    "preset": "Preset Options",
    "connection": "Connections and Authentication / Connection Settings",
    "ssl": "Connections and Authentication / SSL",
    "authentication": "Connections and Authentication / Authentication",
    "memory": "Resource Usage / Memory",
    "autovacuum": "Autovacuum",
    "wal": "Write-Ahead Log / Settings",
    "standby": "Replication / Standby Servers",
    "statistics": "Statistics / Cumulative Query and Index Statistics",
}

SETTINGS: dict[str, Setting] = {}
for _line in _TABLE.strip().splitlines():
    _name, _default, _kind, _settable, _category, _description = _line.split("|", 5)
    SETTINGS[_name.lower()] = Setting(_name, _default, _kind, _settable == "y", CATEGORIES[_category], _description)

# Sent as ParameterStatus at start and whenever they change.
REPORTED = (
    "application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby",
    "integer_datetimes", "IntervalStyle", "is_superuser", "server_encoding", "server_version", "session_authorization",
    "standard_conforming_strings", "TimeZone",
)  # fmt: skip
# A plan depends on these.
PLAN_SETTINGS = ("search_path", "role", "timezone", "datestyle", "intervalstyle", *(n for n in SETTINGS if "enable_" in n))

"""Every answer nobody has recorded from the service, in one table: what opendsql says, why, and how sure that is.

    says("prepare")                      -> "unsupported statement: Prepare"
    says("copy_file", what="FROM file")  -> the text with its <what> filled in
    choice("row_counted_per_change")     -> True

A correction is one line here. Texts are templates with {fields}; choices are Python values. Code in dsql_core, which
cannot look here, names the key beside the line that acts on it (`guess: <key>`), and a test holds those names together.

    key      the name code uses
    answer   the text or the value
    basis    what it rests on: a pattern of recorded answers, PostgreSQL 16, a reading of the documentation
    sure     "low", "medium" or "high"
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Guess(NamedTuple):
    """One unrecorded answer."""

    answer: Any
    basis: str
    sure: str


GUESSES: dict[str, Guess] = {
    # -- statements refused as a whole ---------------------------------------------------------------------------------
    "statement": Guess("unsupported statement: {node}", "the form of every recorded refusal of a whole statement", "medium"),
    "transaction_statement": Guess(
        "unsupported transaction statement: {kind}",
        "SAVEPOINT and ROLLBACK TO are recorded; RELEASE and two-phase commit are not",
        "medium",
    ),
    "select_into": Guess("as CREATE TABLE AS", "one parse node after analysis in PostgreSQL; CREATE TABLE AS is recorded", "medium"),
    "comment_object": Guess(
        "by the node's name", "kinds outside the documented list of COMMENT ON; domain constraints and types work", "low"
    ),
    "drop_object": Guess("unsupported object in DROP statement", "recorded of types; every kind that cannot be made alike", "medium"),
    "rename_object": Guess("unsupported object in RENAME statement", "recorded of types; every kind that cannot be made alike", "medium"),
    "set_schema_object": Guess("ALTER {kind} SET SCHEMA not supported", "pattern of ALTER TYPE not supported", "low"),
    "schema_element": Guess("as the statement by itself", "CREATE SCHEMA runs its elements as statements of their own", "medium"),
    # -- transactions --------------------------------------------------------------------------------------------------
    "begin_deferrable": Guess(
        "{word} not supported for BEGIN", "pattern of the clause refusals; that it is refused is the linter's", "low"
    ),
    "and_chain": Guess("{verb} AND CHAIN not supported", "outside the accepted grammar; text by pattern", "low"),
    "select_with_ddl": Guess(
        "SELECT, FOR UPDATE and SET may stand beside DDL", "only writes count as DML in the recorded message", "medium"
    ),
    "ddl_rollback": Guess("ROLLBACK undoes DDL", "catalogs are transactional tables", "high"),
    "row_counted_per_change": Guess("each change of a row counts to 3,000", "the stricter reading of the quota", "low"),
    "locking_options": Guess("NOWAIT, SKIP LOCKED and OF have no effect", "nothing ever waits; the grammar accepts them", "low"),
    "analyze_in_transaction": Guess(
        "ANALYZE cannot run inside a transaction block", "refused by test; PostgreSQL's words for such statements", "low"
    ),
    "analyze_forms": Guess("without a table and VERBOSE work", "PostgreSQL 16", "low"),
    # -- settings and connection ---------------------------------------------------------------------------------------
    "reset_refused": Guess("RESET and SET TO DEFAULT of a setting that cannot be set are refused like SET", "one list", "medium"),
    "set_transaction_order": Guess(
        "a wrong level is reported before SET TRANSACTION itself, wherever it stands", "recorded with the level alone", "medium"
    ),
    "set_role": Guess(
        "SET LOCAL ROLE works in a transaction, SET ROLE is refused", "documented / refused in a test of August 2026", "medium"
    ),
    "login": Guess("PostgreSQL's FATAL 3D000 for another database", "PostgreSQL 16", "medium"),
    "replication": Guess("replication connections are not supported", "no replication protocol exists; text by pattern", "low"),
    # -- CREATE TABLE --------------------------------------------------------------------------------------------------
    "create_table_clause": Guess(
        "{clause} clause not supported for CREATE TABLE", "recorded of WITH, PARTITION BY and PARTITION OF", "medium"
    ),
    "create_table_order": Guess("clauses before names, names before types", "the clause refusals need no catalog", "low"),
    "exclude_constraint": Guess("EXCLUDE constraint not supported", "pattern of DEFERRABLE constraint not supported", "medium"),
    "serial_name": Guess('type "{name}" does not exist', "recorded of serial: PostgreSQL's rewriting of the name is absent", "high"),
    "sequence_cache_size": Guess("CACHE {value} is not supported. {rule}", "the rule is recorded, the text for 2 to 65535 is not", "low"),
    "drop_referenced_table": Guess("2BP01 without CASCADE", "PostgreSQL 16", "medium"),
    # -- ALTER ---------------------------------------------------------------------------------------------------------
    "alter_table": Guess("unsupported ALTER TABLE {action} statement", "recorded of seven actions", "medium"),
    "alter_table_order": Guess("an action's kind is refused before the table is looked up", "pattern of the other gates", "low"),
    "alter_table_async": Guess("ALTER TABLE ASYNC supports only VALIDATE CONSTRAINT", "only that use is documented", "low"),
    "named_trigger": Guess(
        "ENABLE / DISABLE TRIGGER of a name, ALWAYS or REPLICA is refused by action", "only ALL and USER are in the grammar", "low"
    ),
    "alter_index": Guess("unsupported ALTER INDEX statement", "pattern of ALTER TABLE", "low"),
    "alter_domain": Guess(
        "unsupported ALTER DOMAIN {action} statement", "pattern of ALTER TABLE; that they are refused is recorded", "low"
    ),
    "alter_type": Guess("ALTER TYPE not supported", "recorded of ADD VALUE", "medium"),
    # -- other DDL -----------------------------------------------------------------------------------------------------
    "create_view_clause": Guess("{clause} not supported for CREATE VIEW", "pattern of CREATE TABLE; outside the accepted grammar", "low"),
    "create_sequence_clause": Guess("{clause} not supported for CREATE SEQUENCE", "pattern of CREATE TABLE", "low"),
    "sequence_type": Guess(
        "datatype {type} not supported, sequence type must be bigint", "the recorded text for identity columns", "medium"
    ),
    "create_function_clause": Guess("{clause} clause not supported for CREATE FUNCTION", "settings cannot be set; text by pattern", "low"),
    "create_index_clause": Guess("{clause} not supported for CREATE INDEX", "recorded of USING, CONCURRENTLY and (once) WHERE", "medium"),
    "sync_index_result": Guess("tag CREATE INDEX and no row", "no job is made", "medium"),
    "index_if_not_exists": Guess("a NOTICE and a row with a job id", "an emulator's notes of the service", "low"),
    "unknown_job": Guess('job "{id}" does not exist', "PostgreSQL's words for what is not there", "low"),
    "cancel_job": Guess("sys.cancel_job does not exist", "found in no source; DROP INDEX cancels", "medium"),
    # -- roles ---------------------------------------------------------------------------------------------------------
    "role_attribute": Guess("{word} not supported for {verb}", "that they are refused is documented; text by pattern", "low"),
    "create_group": Guess("CREATE GROUP not supported", "outside the accepted grammar; text by pattern", "low"),
    # -- queries -------------------------------------------------------------------------------------------------------
    "function": Guess("function {name} not supported", "recorded of the advisory locks; 0A000 is their guessed code", "medium"),
    "type_in_expression": Guess("datatype {type} not supported", "recorded of columns and of geometric values", "medium"),
    "expression": Guess("unsupported expression: {node}", "pattern of unsupported statement", "low"),
    "current_of": Guess("WHERE CURRENT OF is not supported", "there are no cursors; text by pattern", "low"),
    "key_update": Guess("UPDATE of a primary key column works", "a delete and an insert inside", "medium"),
    "table_statement": Guess("TABLE t works", "PostgreSQL's parser makes a SELECT of it", "low"),
    "system_column": Guess("tableoid works; ctid, xmin and the others do not exist (42703)", "there is no heap", "low"),
    "copy_refusal": Guess("{what} not supported", "files and FREEZE are refused by the linter; text by pattern", "low"),
    "case_mapping": Guess("upper and lower change ASCII letters only", "collation C", "medium"),
    "catalog_types": Guess('oid and name may be columns but not keys; "char" may not', "the CDC page lists encodings for them", "low"),
    "other_backends": Guess("pg_cancel_backend is false, activity views are empty", "no source reports a useful result", "low"),
    # -- EXPLAIN -------------------------------------------------------------------------------------------------------
    "explain_index_cond_above": Guess(
        False, "the skeleton of the note prints Index Cond at the B-Tree alone; samples also repeat it at the scan", "low"
    ),
    "explain_unpushed_types": Guess(
        (1700, 114, 3802), "documented sample: numeric comparisons stay with the query processor; json has no order", "medium"
    ),
    "explain_formats": Guess(("json", "xml", "yaml"), "as PostgreSQL prints them; the DPU block is in text only", "low"),
    "explain_costs": Guess(100.0, "start-up of a storage read in every recorded sample; other costs are estimates", "low"),
    # -- why a login is refused: the HINT of 08006 -------------------------------------------------------------------
    "iam_not_a_token": Guess(
        "Request must contain a valid (registered) AWS access key ID or X.509 certificate.", "AWS's answer to an unsigned request", "low"
    ),
    "iam_missing_field": Guess(
        "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters.", "AWS's SigV4 answer", "medium"
    ),
    "iam_bad_field": Guess("The query-string parameter '{name}' is not valid.", "the form of AWS's SigV4 answers", "low"),
    "iam_service": Guess("Credential should be scoped to correct service: '{service}'. ", "AWS's SigV4 answer", "medium"),
    "iam_region": Guess("Credential should be scoped to a valid region, not '{region}'. ", "AWS's SigV4 answer", "medium"),
    "iam_scope_day": Guess(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{day}' != '{want}', from '{date}'.",
        "AWS's SigV4 answer", "medium",
    ),
    "iam_expires_negative": Guess("X-Amz-Expires must be non-negative", "AWS's SigV4 answer", "medium"),
    "iam_expires_range": Guess(
        "X-Amz-Expires must be between 1 and {most} seconds", "limits documented; AWS's SigV4 answer has another wording", "low"
    ),
    "iam_not_current": Guess(
        "Signature not yet current: {date} is still later than {limit} ({now} + {minutes} min.)",
        "the twin of `Signature expired`", "medium",
    ),
    "iam_unknown_key": Guess("The security token included in the request is invalid.", "AWS's answer to an unknown access key", "medium"),
    "iam_key_expired": Guess("The security token included in the request is expired", "AWS's answer to expired temporary keys", "medium"),
    "iam_signature": Guess(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing "
        "method. Consult the service documentation for details.",
        "AWS's SigV4 answer", "medium",
    ),
    "iam_host": Guess(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing "
        "method. Consult the service documentation for details.",
        "the service verifies with its own host name, so another host is another signature", "low",
    ),
    "iam_denied": Guess("with an explicit deny in an identity-based policy", "AWS's access-denied sentence", "medium"),
    "iam_not_allowed": Guess("because no identity-based policy allows the {action} action", "AWS's access-denied sentence", "medium"),
    "iam_revoked": Guess(
        "FATAL 08006", "a session whose mapping was revoked ends at its next transaction as a login would be refused", "low"
    ),
    "iam_no_mapping": Guess(
        'IAM authentication failed for user "{user}"', "a documented message without its situation; also for unknown roles", "low"
    ),
    # -- AWS IAM GRANT / REVOKE: the texts are documented, the SQLSTATEs are not ------------------------------------------
    "iam_unknown_state": Guess("42704", "PostgreSQL's undefined_object; of `Role` and of `IAM role ... does not exist`", "medium"),
    "iam_permission_state": Guess("42501", "PostgreSQL's insufficient_privilege", "medium"),
    "iam_argument_state": Guess("22023", "PostgreSQL's invalid_parameter_value", "low"),
    "iam_unsupported_state": Guess("0A000", "of `Role <r> not supported`, and of `Cannot establish trust` (pg_ roles)", "medium"),
    "iam_drop_detail": Guess("IAM mapping to {arn}", "the form of PostgreSQL's dependency details", "low"),
    # -- conflicts -------------------------------------------------------------------------------------------------------
    "oc001_rule": Guess(
        "used and changed since",
        "a statement gets OC001 when another session changed a name it uses after this session used it last, or after its snapshot",
        "low",
    ),
    "oc001_own_job": Guess(False, "a session alone never meets OC001: the end of a job counts as its asker's own change", "low"),
    "oc001_commit": Guess(True, "COMMIT of a transaction with writes looks once more; of one that only read it does not", "low"),
    "for_update_alone": Guess("OC000", "a FOR UPDATE row changed meanwhile refuses the COMMIT, with no other write, too", "medium"),
    "overlap_first_commit": Guess("first to reach COMMIT", "of two that overlap on several rows one fails; both is timing", "medium"),
    "blind_insert": Guess("40001 in flight, 23505 visible", "one key inserted twice: OC000 at the later COMMIT of two in flight", "medium"),
    "nextval_aside": Guess(True, "PostgreSQL: nextval and setval never conflict and are not rolled back", "high"),
    "oc001_before_error": Guess(True, "an outdated cache is noticed first: OC001 before the error, which comes at the retry", "low"),
    # -- connections (dsql_core.wire.startup) --------------------------------------------------------------------------
    "tls_mandatory": Guess("08006", "SQLSTATE of the recorded text; access denied begins alike and has it", "medium"),
    "sni_missing": Guess("08006", "SQLSTATE of the documented text; likewise", "medium"),
    "sni_other_cluster": Guess(
        "unable to accept connection, access denied", "08006; what every recorded refusal of a connection says, with a HINT", "low"
    ),
    # -- limits --------------------------------------------------------------------------------------------------------
    "transaction_bytes": Guess(
        "row: its values + 140; index entry: 4 x (key + primary key) + INCLUDE columns",
        "fits both published batches of 500 rows (9.93 MiB without an index, 9.11 MiB with four on 100-byte text keys)", "low"
    ),
    "relations_bound": Guess(
        "more than 6,000 relations in one statement: 54001 stack depth limit exceeded",
        "a bound of opendsql's own, so that doubling WITH queries end; the service's is not known", "low"
    ),
    "age_checked": Guess("when a statement starts and at COMMIT", "pg_sleep(310) returned, the next statement failed", "medium"),
    "locked_rows_uncounted": Guess(True, "FOR UPDATE rows are no changes", "low"),
    "datatype_limit_name": Guess("varchar", "text, bytea and jsonb are recorded; varchar is called by its own name", "medium"),
    "row_bytes_raw": Guess("maximum row size exceeded", "a row of over 32 MiB that compresses below 2 MiB is refused as too large", "low"),
    # -- jobs ----------------------------------------------------------------------------------------------------------
    "job_skipped_status": Guess("completed", "the details are recorded, the status beside them is not; nothing went wrong", "low"),
    "job_cancelled": Guess(
        "Job cancelled.", "status failed is documented for cancelled work; the form of `Skipped job for nonexistent table.`", "low"
    ),
}


def says(key: str, **fields: object) -> str:
    """The guessed text of `key`, its {fields} filled in."""
    return str(GUESSES[key].answer).format(**fields)


def choice(key: str) -> Any:
    """The guessed value of `key`."""
    return GUESSES[key].answer

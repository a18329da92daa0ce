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
    # -- statements refused by their parse node ------------------------------------------------------------------------
    "statement": Guess("unsupported statement: {node}", "the form of every recorded refusal of a whole statement", "medium"),
    "transaction_statement": Guess(
        "unsupported transaction statement: {kind}",
        "SAVEPOINT and ROLLBACK TO are recorded; RELEASE and two-phase commit are not",
        "medium",
    ),
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
}


def says(key: str, **fields: object) -> str:
    """The guessed text of `key`, its {fields} filled in."""
    return str(GUESSES[key].answer).format(**fields)


def choice(key: str) -> Any:
    """The guessed value of `key`."""
    return GUESSES[key].answer

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
}


def says(key: str, **fields: object) -> str:
    """The guessed text of `key`, its {fields} filled in."""
    return str(GUESSES[key].answer).format(**fields)


def choice(key: str) -> Any:
    """The guessed value of `key`."""
    return GUESSES[key].answer

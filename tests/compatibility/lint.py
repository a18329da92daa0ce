"""dsql-lint beside the gate: over every probe of one statement, where the two disagree, who is right and why (LINT.md).

    python tests/compatibility/lint.py        writes LINT.md anew (a test checks that it is exactly what is found)

The gate refuses when it answers with the state of a refusal (REFUSALS); the linter refuses when it reports an error. A
disagreement no line of REASONS explains is a failure: of the gate, of the linter, or of this table.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from page import cell  # noqa: E402
from probes import STEP, Probe, expand, pages  # noqa: E402

PAGE = Path(__file__).parent / "LINT.md"
REFUSALS = ("0A000", "42601", "42704", "22023", "54000", "54011")
# Statements whose answer rests on the database, a value or a size: nothing a linter could know.
_STATE = (
    "Cannot establish trust",
    "does not exist", "no primary key", "invalid value", "outside the valid range", "requires a Boolean", "not supported on system entity",
)  # fmt: skip

# (glob of the gate's error, or of the linter's rule after "lint: "; who is right; why). The first that fits explains.
REASONS = (
    ("*setting configuration parameter*", "gate", "recorded: every setting outside the list is refused; the linter knows no settings"),
    ("*unsupported statement: AlterRoleSet*", "gate", "settings of roles are refused (by test); the linter passes RESET ALL"),
    ("*not supported for CREATE ROLE*", "gate", "documented: IAM takes the place of role attributes; the linter passes them"),
    ("*IAM*", "gate", "texts documented; the linter does not look into AWS IAM statements"),
    ("*Role admin not supported*", "gate", "documented; the linter does not look into AWS IAM statements"),
    ("*AND CHAIN*", "open", "outside the grammar derived from a cluster, which is weak evidence; the linter passes it"),
    ("*locking clauses other than*", "gate", "recorded; the linter does not look at locking clauses"),
    ("*function * not supported*", "gate", "recorded of the advisory locks; the linter does not look at functions"),
    ("*transaction row limit*", "gate", "recorded; depends on the data"),
    ("*query requires more than*", "gate", "recorded; depends on the data"),
    ("*unsupported statement type: MERGE*", "gate", "recorded; the linter is too lax"),
    ("*unsupported statement: *", "gate", "the node-name form; the linter has no rule for it here (EXPLAIN, SELECT INTO)"),
    ("*DEFERRABLE*", "gate", "measured; the linter passes DEFERRABLE on unique and primary keys"),
    ("*DEFERRED*", "gate", "measured; the linter passes DEFERRABLE on unique and primary keys"),
    ("*cannot use *", "gate", "PostgreSQL's rule of the expression's place; not the linter's business"),
    ("*syntax error*", "gate", "recorded or PostgreSQL's grammar; the linter parses more than DSQL does"),
    ("*unrecognized *", "gate", "PostgreSQL's list of options"),
    ("*ADD COLUMN with constraint*", "gate", "recorded; the linter knows DEFAULT and NOT NULL only"),
    ("*cannot drop primary key column*", "gate", "recorded; needs the catalog"),
    ("*identity column type must be bigint*", "gate", "recorded; needs the catalog"),
    ("*ALTER TABLE ASYNC*", "open", "only VALIDATE CONSTRAINT is documented after ASYNC; the linter passes any action"),
    ("*DROP CONSTRAINT statement*", "gate", "recorded of primary keys; needs the catalog"),
    ("*unsupported ALTER TABLE *", "open", "outside the grammar derived from a cluster; the linter passes it"),
    ("*for CREATE VIEW*", "open", "outside the grammar derived from a cluster; the linter passes it"),
    ("*for CREATE SEQUENCE*", "open", "the note lists TEMP sequences as refused; the linter passes them"),
    ("*INCREMENT must not be zero*", "gate", "PostgreSQL's rule"),
    ("*DROP DOMAIN with CASCADE*", "gate", "recorded; the linter passes it"),
    ("*CREATE FUNCTION*", "open", "settings cannot be set, so not by a function; the linter does not look at it"),
    ("*datatype *", "gate", "recorded; the linter does not look at this type here"),
    ("*Datatype limit*", "gate", "recorded; the linter knows no limits"),
    ("*unsupported object in *", "gate", "recorded of types; the linter passes other kinds"),
    ("*COPY FREEZE*", "open", "the note takes FREEZE as refused; the linter passes it in this spelling"),
    ("*TABLESAMPLE*", "gate", "recorded; the linter is too lax"),
    ("*opclass*", "gate", "recorded; the linter does not look at operator classes"),
    ("*COLLATE*", "gate", "measured; the linter passes it in an index key"),
    ("*for CREATE INDEX*", "gate", "outside the documented syntax; the linter passes it"),
    ("*indexes per table*", "gate", "recorded; the linter knows no limits"),
    ("*key size greater than*", "gate", "recorded; the linter knows no limits"),
    ("*columns*", "gate", "recorded; the linter knows no limits"),
    ("*NUMERIC *", "gate", "recorded; the linter does not look into casts"),
    ("*length for type*", "gate", "PostgreSQL's rule"),
    ("lint: parse_error*", "gate", "the linter's parser does not know the statement: documented, recorded or PostgreSQL's grammar"),
    ("lint: unsupported_alter_role_property*", "gate", "LOGIN and INHERIT are in the grammar derived from a cluster"),
    ("lint: unsupported_alter_index*", "gate", "ALTER INDEX RENAME works (measured live)"),
    ("lint: unsupported_alter_function_property*", "open", "volatility after the fact: PostgreSQL takes it; no source says DSQL does"),
    ("lint: *", "open", "the linter has a rule; no record of the service for this very case"),
)  # fmt: skip


def corpus() -> list[tuple[str, str]]:
    """(statement, the gate's error or '') of every probe whose first Query is one statement the linter can judge."""
    found: dict[str, str] = {}
    for page in pages():
        if page.title.split()[0] not in ("1.4", "4.8"):
            for probe in page.probes:
                said = STEP.match(probe.lines[0])
                if said is None or said[2] != ">" or ";" in said[3]:
                    continue
                error = first_error(probe)
                if not error or (error.split()[1].rstrip(":") in REFUSALS and not any(word in error for word in _STATE)):
                    found.setdefault(expand(said[3]), error)
    return list(found.items())


def first_error(probe: Probe) -> str:
    """The error line that answers a probe's first statement, or ''."""
    for line in probe.lines[1:]:
        if STEP.match(line):
            return ""
        if line.startswith("ERROR "):
            return line
    return ""


def judged(statements: list[str]) -> list[str]:
    """The linter's first error rule for each statement, or ''."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number:05}.sql" for number in range(len(statements))]
        for path, sql in zip(files, statements, strict=True):
            path.write_text(sql + ";\n", encoding="utf-8")
        linter = Path(sys.executable).parent / "dsql-lint"
        done = subprocess.run([linter, "--format", "json", *files], capture_output=True, text=True, timeout=120)
    verdicts = {Path(found["file"]).name: found["diagnostics"] for found in json.loads(done.stdout)["files"]}
    return [next((entry["rule"] for entry in verdicts[path.name]), "") for path in files]


def explanation(error: str, rule: str) -> tuple[str, str] | None:
    """Who is right, and why; None when no reason fits."""
    shown = error or f"lint: {rule}"
    return next(((who, why) for pattern, who, why in REASONS if fnmatchcase(shown, pattern)), None)


def disagreements() -> tuple[int, list[tuple[str, str, str]]]:
    """Size of the corpus, and (statement, gate's error, linter's rule) where exactly one of them refuses."""
    found = corpus()
    rules = judged([sql for sql, _ in found])
    pairs = zip(found, rules, strict=True)
    return len(found), [(sql, error, rule) for (sql, error), rule in pairs if bool(error) != bool(rule)]


def render() -> str:
    """LINT.md."""
    size, found = disagreements()
    lines = [
        "# dsql-lint and the gate\n",
        f"Made by `tests/compatibility/lint.py` with dsql-lint 0.2.22: of {size} statements of the probes the two agree on "
        f"{size - len(found)}; each of the other {len(found)} is below. *gate*: the answer is recorded, documented or PostgreSQL's; "
        "*open*: nobody recorded the case, the guess table says what opendsql does.\n",
        "| statement | gate | dsql-lint | who is right | why |\n| --- | --- | --- | --- | --- |",
    ]
    for sql, error, rule in found:
        who, why = explanation(error, rule) or ("unexplained", "")
        ours, theirs = cell(error, 120) if error else "accepts", cell(rule) if rule else "accepts"
        lines.append(f"| {cell(sql, 120)} | {ours} | {theirs} | {who} | {why} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")

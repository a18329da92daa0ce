"""Golden scripts: statements with the answer PostgreSQL 15 gave to the same statement (checked when they were recorded).

scripts/<name>.txt, blocks divided by blank lines: a statement (it may span lines) after `> `, then its rows with columns
divided by `|` and NULL as ∅, or `! sqlstate message`. A statement without ORDER BY has its rows sorted. `= text` lines
follow an EXPLAIN. Run with RECORD=1 to write the present answers.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from in_process import Client
from opendsql.errors import DsqlError

from dsql_core.execute import ExecuteError

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))


def blocks(text: str) -> list[tuple[list[str], str, list[str]]]:
    """(comment lines, statement, expected lines) of every block."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        comments = [line for line in lines if line.startswith("#")]
        statement = "\n".join(line[2:] for line in lines if line.startswith("> "))
        expected = [line for line in lines if not line.startswith(("#", "> "))]
        if statement:
            found.append((comments, statement, expected))
    return found


def answer(client: Client, statement: str) -> list[str]:
    try:
        rows = client.run(statement)
    except (DsqlError, ExecuteError) as error:
        return [f"! {error.sqlstate} {error.message}"]
    if " index async " in statement:
        client.run_jobs()
        return []  # the job's id differs from run to run
    lines = ["|".join("∅" if value is None else value.replace("\n", "\\n") for value in row) for row in rows]
    if statement.lower().lstrip().startswith("explain") or "order by" in statement.lower():
        return lines
    return sorted(lines)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_script(path: Path) -> None:
    client = Client()
    written = []
    wrong = []
    for comments, statement, expected in blocks(path.read_text()):
        got = answer(client, statement)
        if got != expected:
            wrong.append(f"{statement}\n  expected {expected}\n  got      {got}")
        written.append("\n".join([*comments, *("> " + line for line in statement.split("\n")), *got]))
    if os.environ.get("RECORD"):
        path.write_text("\n\n".join(written) + "\n")
    assert not wrong, "\n".join(wrong)


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 5

"""dsql-lint agrees with the gate over the probes' statements, but for the disagreements LINT.md lists with their reasons."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from lint import PAGE, corpus, disagreements, explanation, judged, render


def test_the_corpus_is_large_enough_on_the_refused_side() -> None:
    assert sum(bool(error) for _, error in corpus()) >= 300


def test_disagreements_are_exactly_the_listed_ones() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run python tests/compatibility/lint.py"


def test_every_disagreement_has_a_reason() -> None:
    _, found = disagreements()
    assert not [entry for entry in found if explanation(entry[1], entry[2]) is None]


def test_the_linter_can_refuse_and_accept() -> None:
    assert judged(["truncate t", "create table x (id int primary key)"]) == ["truncate", ""]

"""Every probe answers, over a real connection to a real server, exactly as its file says; the page made of them is up to date."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from opendsql.guesses import GUESSES
from page import PAGE, SOURCES, render
from probes import Probe, Runners, pages

PROBES = [probe for page in pages() for probe in page.probes]


@pytest.fixture(scope="module")
def runners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runners]:
    found = Runners(tmp_path_factory.mktemp("compatibility"))
    with found.servers:
        yield found


@pytest.mark.parametrize("probe", PROBES, ids=[probe.name for probe in PROBES])
def test_probe(probe: Probe, runners: Runners) -> None:
    assert runners.of(probe.serve).run(probe) == probe.lines


def test_there_are_enough_and_each_section_has_some() -> None:
    assert len(PROBES) >= 400
    sections = {probe.section.split()[0] for probe in PROBES}
    wanted = "1.2 1.4 1.5 1.6 2.3 2.4 3.1 3.2 3.3 3.4 3.5 4.1 4.2 4.3 4.4 4.5 4.6 4.7"
    assert set(wanted.split()) <= sections


def test_no_internal_error_is_an_expected_answer() -> None:
    assert not [line for probe in PROBES for line in probe.lines if "XX000" in line or "not supported yet" in line]


def test_every_source_is_known() -> None:
    unknown = {probe.source for probe in PROBES if probe.source not in SOURCES}
    keys = {key for source in unknown for key in source.removeprefix("guess: ").split(", ")}
    assert keys <= set(GUESSES), keys - set(GUESSES)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run python tests/compatibility/page.py"


def test_every_guess_is_acted_on_in_the_code_and_every_name_is_one() -> None:
    """says("key"), choice("key") or a comment `guess: key` beside the line; in dsql_core only comments."""
    root = Path(__file__).resolve().parents[2]
    named: set[str] = set()
    spelled: set[str] = set()  # keys chosen by an expression: says("a" if ... else "b")
    for folder, pattern in (("python", "*.py"), ("dsql_core", "*.pyx"), ("dsql_core", "*.pxd"), ("ext", "*.h"), ("ext", "*.c")):
        for path in (root / folder).rglob(pattern):
            if path.name != "guesses.py":
                text = path.read_text(encoding="utf-8")
                named.update(re.findall(r"""\b(?:says|choice)\(\s*"(\w+)\"""", text))
                spelled.update(re.findall(r'"(\w+)"', text))
                named.update(key for keys in re.findall(r"\bguess: (\w+(?:, \w+)*)", text) for key in keys.split(", "))
    assert named - set(GUESSES) == set(), "names of no guess"
    assert set(GUESSES) - named - spelled == set(), "guesses nothing acts on"


def test_every_guess_has_a_basis() -> None:
    assert all(guess.basis and guess.sure in ("low", "medium", "high") for guess in GUESSES.values())

"""COMPATIBILITY.md, made from the probes and the table of guesses.

    python tests/compatibility/page.py        writes the page anew (a test checks that it is up to date)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from opendsql.guesses import GUESSES  # noqa: E402
from probes import SERVE, STEP, Page, Probe, pages  # noqa: E402

PAGE = Path(__file__).parent / "COMPATIBILITY.md"
SOURCES = {
    "recorded": "recorded from the service",
    "documented": "documented by AWS",
    "postgresql": "PostgreSQL 16's answer; the service runs its code here",
}
INTRODUCTION = """# What opendsql answers

Made by `tests/compatibility/page.py` from the probes in `tests/compatibility/probes`; each line below is run against a
server by the test suite ({count} probes). Sections follow what a client of Aurora DSQL meets: connection, roles, transactions,
SQL. A line that begins with ⤷ goes on in the session of the line before it; `B>` is a second session. Every probe starts on
the objects of [fixture.sql](fixture.sql). Hints that opendsql adds to refusals are not shown
(`--no-hints`). Where AWS's linter disagrees: [LINT.md](LINT.md).

Where an answer comes from is said beside each group: *recorded* from the service, *documented* by AWS, PostgreSQL 16's (whose
code the service runs there), or a *guess*; the guesses are listed at the end with their basis.
"""


def anchor(title: str) -> str:
    """GitHub's link to a heading."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")


def cell(text: str, longest: int = 240) -> str:
    """A text as code inside a table cell."""
    text = text if len(text) <= longest else text[:longest] + " ..."
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}".replace("|", "\\|")


def conversation(probe: Probe) -> Iterator[tuple[str, list[str]]]:
    """(what is said, its answer lines) of a probe."""
    said, answer = "", []
    for line in probe.lines:
        step = STEP.match(line)
        if step is None and not line.startswith(("< ", "sleep ")):
            answer.append(line)
            continue
        if line.startswith("< "):
            said += f" ⏎ {line[2:]}"
            continue
        if said:
            yield said, answer
        letter, mark, text = step.groups() if step else ("", ">", f"({line} s)")
        said, answer = (f"{letter}> " if letter else "") + (text if mark == ">" else f"connect {text}".strip()), []
    yield said, answer


def section(page: Page) -> Iterator[str]:
    """One file of probes as Markdown."""
    yield f"\n## {page.title}\n"
    for line in page.intro:
        yield f"\nServer: `{line} --no-hints`" if line.startswith(SERVE) else line
    for name, source, probes in page.groups:
        keys = source.removeprefix("guess: ")
        basis = SOURCES.get(source) or "a guess: " + ", ".join(f"[{key}](#guesses)" for key in keys.split(", "))
        yield f"\n**{name}** ({basis})\n"
        yield "| statement | answer |\n| --- | --- |"
        for probe in probes:
            for place, (said, answer) in enumerate(conversation(probe)):
                yield f"| {'⤷ ' if place else ''}{cell(said)} | {'<br>'.join(cell(line) for line in answer)} |"


def render() -> str:
    """The whole page."""
    found = list(pages())
    lines = [INTRODUCTION.format(count=sum(len(page.probes) for page in found))]
    lines += [f"- [{page.title}](#{anchor(page.title)})" for page in found]
    lines.append("- [Guesses](#guesses)")
    for page in found:
        lines += section(page)
    lines.append("\n## Guesses\n")
    lines.append("What nobody has recorded from the service (`python/opendsql/guesses.py`); a correction is one line there.\n")
    lines += ["| key | answer | basis | sure |", "| --- | --- | --- | --- |"]
    lines += [f"| {key} | {cell(str(guess.answer))} | {guess.basis} | {guess.sure} |" for key, guess in GUESSES.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")

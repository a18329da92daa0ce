"""The shape of the code, held by a test: lengths, chapter headings, names, leftovers."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = sorted(
    path
    for folder in ("dsql_core", "python", "ext", "perf", "tests")
    for pattern in ("*.py", "*.pyx", "*.pxd", "*.pyi", "*.h", "*.c")
    for path in (ROOT / folder).rglob(pattern)
)
PRODUCT = [path for path in SOURCE if path.relative_to(ROOT).parts[0] in ("dsql_core", "python", "ext")]
LINES_MAX = 800
COLUMNS_MAX = 140
# Names that say nothing (style: nouns name modules). Module stems and class names are checked.
BANNED_STEMS = {"manager", "helper", "helpers", "util", "utils", "common", "misc", "data", "info", "handler"}
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
STUB_BODY = re.compile(r"raise NotImplementedError")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_check() -> None:
    assert len(PRODUCT) > 50


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_file(path: Path) -> None:
    text = path.read_text()
    lines = text.splitlines()
    table = path.stem.startswith("functions_")  # the registry's tables: one overload a line, however long its argument list
    assert len(lines) <= LINES_MAX, f"{len(lines)} lines: split it (aim for 150-400)"
    long = [number for number, line in enumerate(lines, 1) if len(line) > COLUMNS_MAX and "http" not in line]
    assert not long or table, f"lines over {COLUMNS_MAX} columns: {long[:5]}"
    assert path.stem.lstrip("_") not in BANNED_STEMS, "name the file after what it is about"
    assert not LEFTOVERS.search(text), "finish it or write down what is missing in the closing note"
    assert not STUB_BODY.search(text), "a stub"


@pytest.mark.parametrize("path", [p for p in PRODUCT if p.suffix in (".py", ".pyx")], ids=name)
def test_module_opens_with_its_chapter(path: Path) -> None:
    text = path.read_text()
    if path.suffix == ".py":
        documentation = ast.get_docstring(ast.parse(text))
    else:
        head = [line for line in text.splitlines() if line.strip() and not line.startswith("# cython:")][0]
        documentation = text.split('"""')[1] if head.startswith('"""') else head if head.startswith("#") else None
    assert documentation and len(documentation.split()) >= 4, "the first lines say what the file is for"


def test_no_file_is_dead() -> None:
    """Every Python module of the product is imported by another file or is an entry point."""
    everything = {path: path.read_text() for path in SOURCE}
    dead = []
    for path in PRODUCT:
        if path.suffix != ".py" or path.stem in ("__init__", "__main__"):
            continue
        word = re.compile(rf"\b{re.escape(path.stem)}\b")
        if not any(word.search(text) for other, text in everything.items() if other != path):
            dead.append(name(path))
    assert not dead


def test_tracked_files_are_source() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert not [file for file in tracked if file.endswith((".so", ".o", ".pyc"))]
    top = {file.split("/")[0] for file in tracked}
    allowed = {"setup.py", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", ".ci", ".gitignore",
               "dsql_core", "ext", "python", "tests", "perf"}
    assert top <= allowed, f"unexpected at the top: {sorted(top - allowed)}"

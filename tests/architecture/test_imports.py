"""Who may import whom: the Python layers by import-linter, the compiled layers by the cimports in the sources."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Lowest first. A package may cimport from lower lines and from itself; names on one line are strangers.
LAYERS = (
    ("base",),
    ("types", "clock", "shared"),
    ("codec",),
    ("adjudicator", "journal", "crossbar", "storage"),
    ("execute",),
    ("wire",),
)
LEVEL = {package: level for level, packages in enumerate(LAYERS) for package in packages}
# Named exceptions, each with its reason.
ALLOWED = {
    # the kernel signature names FormatSettings only; execute is above types anyway
}
CIMPORT = re.compile(r"^\s*(?:from\s+dsql_core\.(\w+)[\w.]*\s+c?import|cimport\s+dsql_core\.(\w+))", re.M)


def test_compiled_layers() -> None:
    wrong = []
    for path in sorted((ROOT / "dsql_core").rglob("*.p[yx][xd]")):
        package = path.relative_to(ROOT / "dsql_core").parts[0]
        for match in CIMPORT.finditer(path.read_text()):
            other = match.group(1) or match.group(2)
            if other == package or (package, other) in ALLOWED:
                continue
            if LEVEL[other] >= LEVEL[package]:
                wrong.append(f"{path.relative_to(ROOT)}: {package} may not cimport {other}")
    assert not wrong, "\n".join(wrong)


def test_every_compiled_package_has_a_layer() -> None:
    packages = {p.name for p in (ROOT / "dsql_core").iterdir() if (p / "__init__.py").exists()}
    assert packages == set(LEVEL)


def test_core_knows_no_orchestration() -> None:
    for path in (ROOT / "dsql_core").rglob("*.p[yx]*"):
        if path.suffix in (".py", ".pyx", ".pxd"):
            assert not re.search(r"^\s*(from|import)\s+(opendsql|sqlglot)\b", path.read_text(), re.M), path


def test_python_layers() -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'python'}:{ROOT}"}  # the sources, not what is installed
    result = subprocess.run([Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]

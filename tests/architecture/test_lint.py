"""Linters and types are tests: one command judges a change."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(tool: str, *arguments: str) -> None:
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}  # cython-lint calls pycodestyle by name
    result = subprocess.run([tools / tool, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, (result.stdout + result.stderr)[-6000:]


def test_ruff() -> None:
    run("ruff", "check", "--no-cache", "python", "tests", "perf", "setup.py", "dsql_core")


def test_cython_lint() -> None:
    files = [str(p) for suffix in ("pyx", "pxd") for p in sorted((ROOT / "dsql_core").rglob(f"*.{suffix}"))]
    run("cython-lint", *files)


def test_mypy() -> None:
    run("mypy", "--no-incremental", "--cache-dir=/dev/null")

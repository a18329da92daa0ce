"""What pip installs: the sdist has every source, the wheel has none, and the wheel serves from outside the tree."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMOKE = """
import opendsql, dsql_core, pathlib, sys
assert pathlib.Path(opendsql.__file__).is_relative_to(sys.argv[1]), opendsql.__file__
assert pathlib.Path(dsql_core.__file__).is_relative_to(sys.argv[1]), dsql_core.__file__
with opendsql.connect("data") as connection:
    cursor = connection.cursor()
    connection.autocommit = True
    cursor.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    cursor.execute("INSERT INTO t VALUES (%s, %s)", (1, "from the wheel"))
    cursor.execute("SELECT v FROM t WHERE id = 1")
    assert cursor.fetchall() == [("from the wheel",)]
print("works")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one that `make test` built, unless a source is newer; else one is built here."""
    sources = [path.stat().st_mtime for folder in ("dsql_core", "ext", "python") for path in (ROOT / folder).rglob("*.[phc]*") if path.suffix != ".pyc"]
    for built in (ROOT / "build" / "wheel").glob("opendsql-*.whl"):
        if built.stat().st_mtime > max(sources):
            return built
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(out), str(ROOT)], check=True, cwd=out)
    (found,) = out.glob("opendsql-*.whl")
    return found


def test_wheel_has_modules_and_no_sources(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    compiled = {name.split(".")[0] for name in names if name.endswith(".so")}
    sources = {str(path.relative_to(ROOT).with_suffix("")) for path in (ROOT / "dsql_core").rglob("*.pyx")}
    assert compiled == sources
    assert not [name for name in names if name.endswith((".pyx", ".pxd", ".c", ".h"))]
    for name in ("opendsql/py.typed", "dsql_core/py.typed", "opendsql/__main__.py"):
        assert name in names


def test_sdist_has_every_source(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)], check=True, capture_output=True)
    (archive,) = tmp_path.glob("opendsql-*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.split("/", 1)[1] for name in tar.getnames() if "/" in name}
    for pattern in ("dsql_core/**/*.pyx", "dsql_core/**/*.pxd", "ext/**/*.h", "ext/**/*.c", "python/opendsql/**/*.py"):
        missing = {str(path.relative_to(ROOT)) for path in ROOT.glob(pattern)} - names
        assert not missing, missing
    assert {"setup.py", "pyproject.toml", "README.md", "LICENSE"} <= names


def test_wheel_works_outside_the_tree(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    result = subprocess.run([sys.executable, "-c", SMOKE, str(target)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert result.stdout == "works\n", result.stderr[-3000:]

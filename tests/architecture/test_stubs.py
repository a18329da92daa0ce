"""Stubs say what the compiled modules have: every name both ways, every method and its parameters."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUBS = sorted((ROOT / "dsql_core").rglob("*.pyi"))


def stub_names(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    found: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
        elif isinstance(node, ast.Assign):
            found.update({target.id: node for target in node.targets if isinstance(target, ast.Name)})
    return found


def parameters(function: object) -> list[str] | None:
    try:
        return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def stub_parameters(node: ast.FunctionDef) -> list[str]:
    arguments = node.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    names += [arguments.vararg.arg] if arguments.vararg else []
    names += [a.arg for a in arguments.kwonlyargs]
    names += [arguments.kwarg.arg] if arguments.kwarg else []
    return [name for name in names if name not in ("self", "cls")]


@pytest.mark.parametrize("path", STUBS, ids=lambda path: str(path.relative_to(ROOT)))
def test_stub(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    names = stub_names(ast.parse(path.read_text()).body)
    # A type alias is the stub's own way of speaking.
    missing = [name for name, node in names.items() if not hasattr(module, name) and not isinstance(node, ast.Assign | ast.AnnAssign)]
    assert not missing, f"in the stub only: {missing}"
    unsaid = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__ and name not in names
    ]
    assert not unsaid, f"in the module only: {unsaid}"
    for name, node in names.items():
        if isinstance(node, ast.FunctionDef):
            assert parameters(getattr(module, name)) in (None, stub_parameters(node)), name
        elif isinstance(node, ast.ClassDef):
            owner = getattr(module, name)
            for member, inner in stub_names(node.body).items():
                if isinstance(inner, ast.AnnAssign) or member == "__buffer__":
                    continue  # set by instances; the buffer protocol has no Python name before 3.12
                assert hasattr(owner, member), f"{name}.{member}"
                if isinstance(inner, ast.FunctionDef) and not member.startswith("__") and inspect.isroutine(getattr(owner, member)):
                    assert parameters(getattr(owner, member)) in (None, stub_parameters(inner)), f"{name}.{member}"


def test_python_classes_have_stubs() -> None:
    """A compiled module whose classes or functions Python code of this project imports has a stub."""
    imported = set()
    for file in (ROOT / "python").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("dsql_core."):
                imported.add(node.module)
    compiled = {".".join(p.relative_to(ROOT).with_suffix("").parts) for p in (ROOT / "dsql_core").rglob("*.pyx")}
    stubs = {".".join(p.relative_to(ROOT).with_suffix("").parts) for p in STUBS}
    assert not (imported & compiled) - stubs

"""The house keeps its shape: who imports whom, what may be used where, how long files are."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
SOURCES = sorted((TOP / "fn").rglob("*.py"))
TESTS = sorted((TOP / "tests").rglob("*.py"))

# A room may import from those before it.
ROOMS = [
    "core", "tree", "ops", "transforms", "control", "xla", "numpy", "random", "debug", "scipy",
    "derivatives", "inspect", "nn", "optim", "data", "train", "explain", "compress", "tune", "deploy", "interop", "testing",
]  # fmt: skip
COMPILER_ROOMS = {"xla", "interop"}
INTERNALS = ("jax.extend", "jax.interpreters", "jaxlib")
# Transforms are fn's own; JAX's are what tests compare with.
TRANSFORMS_OF_JAX = {
    "grad", "value_and_grad", "vmap", "jvp", "vjp", "linearize", "linear_transpose", "make_jaxpr",
    "jacfwd", "jacrev", "hessian", "checkpoint", "remat", "custom_jvp", "custom_vjp", "eval_shape",
}  # fmt: skip
MOST_LINES = 500
LONGER: dict[str, str] = {}
"""Files that may be longer, and why."""
TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "fn", "tests", "notebooks", "examples"}


def _ids(path: Path) -> str:
    return str(path.relative_to(TOP))


def _imports(path: Path) -> Iterator[tuple[ast.stmt, str, str]]:
    """Each import of a file: the statement, the module, and the name taken from it ('' for all)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, node.module or "", alias.name) for alias in node.names)


def _room(path: Path) -> str:
    parts = path.relative_to(TOP / "fn").parts
    return parts[0] if len(parts) > 1 else ""


@pytest.mark.parametrize("path", SOURCES, ids=_ids)
def test_rooms_import_downwards_through_doors(path: Path) -> None:
    room = _room(path)
    if not room:
        return
    for node, module, name in _imports(path):
        where = f"{_ids(path)}:{node.lineno}"
        assert not (isinstance(node, ast.ImportFrom) and node.level), (
            f"{where}: imports are absolute"
        )
        if module == "fn":
            other, inside = name, False
        elif module.startswith("fn."):
            other, inside = module.split(".")[1], module.count(".") > 1
        else:
            continue
        if other == room:
            continue
        assert other in ROOMS, f"{where}: {other!r} is not a room"
        assert ROOMS.index(other) < ROOMS.index(room), f"{where}: {room} may not import {other}"
        assert not inside, f"{where}: import from the door, fn.{other}"


@pytest.mark.parametrize("path", SOURCES, ids=_ids)
def test_only_the_compiler_rooms_know_jax_internals(path: Path) -> None:
    for node, module, name in _imports(path):
        where = f"{_ids(path)}:{node.lineno}: {module}"
        full = f"{module}.{name}"
        assert not full.startswith(("jax._src", "optax")), where
        assert module.split(".")[0] not in ("flax", "haiku", "equinox", "torch"), where
        if _room(path) not in COMPILER_ROOMS:
            assert not full.startswith(INTERNALS), where


@pytest.mark.parametrize("path", SOURCES, ids=_ids)
def test_transforms_are_our_own(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used = node.value.id == "jax" and node.attr in TRANSFORMS_OF_JAX
            assert not used, f"{_ids(path)}:{node.lineno}: jax.{node.attr}"
    for node, module, name in _imports(path):
        assert not (module == "jax" and name in TRANSFORMS_OF_JAX), f"{_ids(path)}:{node.lineno}"


@pytest.mark.parametrize("path", SOURCES, ids=_ids)
def test_doors_compute_nothing_and_files_wear_an_underscore(path: Path) -> None:
    if path.name == "__main__.py":  # what `python -m` runs
        return
    if path.name != "__init__.py":
        assert path.name.startswith("_"), f"{_ids(path)}: only rooms have plain names"
        return
    module = ast.parse(path.read_text())
    assert ast.get_docstring(module), f"{_ids(path)}: a door says what the room knows"
    if path.parent == TOP / "fn":
        return  # the front door connects the two upward hooks
    for node in module.body[1:]:
        assert isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign)), (
            f"{_ids(path)}:{node.lineno}"
        )


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=_ids)
def test_files_are_short(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MOST_LINES or _ids(path) in LONGER, f"{_ids(path)}: {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=_ids)
def test_nothing_is_left_to_do(path: Path) -> None:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for word in ("TODO", "FIXME", "XXX", "raise NotImplementedError"):
            assert word not in line, f"{_ids(path)}:{number}: {line.strip()}"


def test_the_top_level_is_fixed() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    entries = {name.split("/")[0] for name in listed} or {p.name for p in TOP.iterdir()}
    assert {e for e in entries if not e.startswith(".")} <= TOP_LEVEL

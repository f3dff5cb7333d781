"""Every public name says what it is, and shows it in an example that runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import fn
from fn.ops._examples import EXAMPLES
from fn.scipy._modules import NAMES

ROOMS = (
    "fn", "fn.tree", "fn.control", "fn.transforms", "fn.xla", "fn.numpy", "fn.numpy.linalg",
    "fn.numpy.fft", "fn.random", "fn.debug", "fn.scipy.cluster", "fn.scipy.linalg",
    "fn.scipy.optimize", "fn.scipy.signal", "fn.scipy.sparse", "fn.scipy.spatial",
    "fn.scipy.special", "fn.scipy.stats", *[f"{r}.{n}" for r, ns in NAMES.items() for n in ns],
    "fn.derivatives", "fn.inspect", "fn.nn", "fn.optim", "fn.testing", "fn.ops",
)  # fmt: skip

# Doors also pass names to the rooms above them; nobody types those, and an example would show how the
# house is built rather than how it is lived in.
FOR_THE_ROOMS_ABOVE: dict[str, set[str]] = {
    "fn.control": {
        "Custom", "Site", "call", "debug_callback", "failure", "failures", "in_order",
        "inline_calls", "quiet", "shown", "without",
    },
    "fn.transforms": {
        "BatchAxis", "Linearized", "batch_program", "bind_vmap", "check_callable", "expanded",
        "fit_leaves", "gradient_program", "insert_axis", "jvp_program", "linearize_program",
        "normalize_argnums", "program_mentions_axis", "split_aux", "trace_at", "transpose_program",
        "zeros",
    },
    "fn.xla": {
        "Held", "TraceRecord", "emit", "evaluate_eagerly", "fused", "passes_for", "repeated",
        "traces",
    },
    "fn.numpy": {"install_operators"},
    "fn.derivatives": {"laplacian_program"},
}  # fmt: skip

# fn.core is a room for writers of transforms; these are the names they start from.
OF_THE_CORE = (
    "ArrayType", "Equation", "Literal", "Primitive", "Program", "Tracer", "Variable", "bind",
    "check", "evaluate",
)  # fmt: skip


def _is_dtype(value: Any) -> bool:
    """Dtype objects, whose example is the array they make: `fn.numpy.array` shows that."""
    return isinstance(getattr(value, "dtype", None), np.dtype)


def _needs_example(value: Any) -> bool:
    """Not for errors, which are raised and not called, and not for dtypes."""
    error = isinstance(value, type) and issubclass(value, Exception)
    return not error and not _is_dtype(value)


def _public(room: str) -> Iterator[tuple[str, Any]]:
    module = importlib.import_module(room)
    door = hasattr(module, "__path__")  # a door offers what it imports; a file, what it defines
    for name, value in vars(module).items():
        if name.startswith("_") or isinstance(value, ModuleType) or not callable(value):
            continue
        home = getattr(value, "__module__", None) or ""
        if home.split(".")[0] == "fn" and (door or home == module.__name__):
            yield name, value


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_a_docstring_with_an_example(room: str) -> None:
    inner = FOR_THE_ROOMS_ABOVE.get(room, set())
    silent, unshown = [], []
    for name, value in _public(room):
        doc = inspect.getdoc(value) or ""
        if not doc.strip():
            silent.append(name)
        elif ">>>" not in doc and name not in inner and _needs_example(value):
            unshown.append(name)
    assert not silent, f"{room}: no docstring: {silent}"
    assert not unshown, f"{room}: no example: {unshown}"


def test_what_writers_of_transforms_start_from_has_examples() -> None:
    core = importlib.import_module("fn.core")
    assert [n for n in OF_THE_CORE if ">>>" not in (getattr(core, n).__doc__ or "")] == []


@pytest.mark.parametrize("room", sorted(FOR_THE_ROOMS_ABOVE))
def test_the_list_of_inner_names_is_short_and_true(room: str) -> None:
    names = dict(_public(room))
    front = dict(_public("fn"))
    for name in FOR_THE_ROOMS_ABOVE[room]:
        assert name in names, f"{room}.{name} is gone: strike it off the list"
        assert ">>>" not in (names[name].__doc__ or ""), f"{room}.{name} has an example by now"
        assert front.get(name) is not names[name], f"{name} is on the front door: users type it"


def _made_by_tables() -> list[tuple[str, Any]]:
    """Operations whose docstrings are put together, where pytest does not look for examples."""
    made = []
    for name, value in _public("fn.ops"):
        code = inspect.unwrap(value).__code__
        if code.co_name == "op" or inspect.unwrap(value).__name__ in EXAMPLES:
            made.append((name, value))
    return made


def test_examples_of_operations_made_by_tables_run() -> None:
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    made = _made_by_tables()
    ran, report = 0, []
    for name, value in made:
        test = parser.get_doctest(inspect.getdoc(value) or "", {}, f"fn.ops.{name}", None, None)
        assert len(test.examples) >= 2, name
        ran += runner.run(test, out=report.append).attempted
    assert not runner.failures, "".join(report)
    assert ran >= 2 * len(made) > 200


def test_every_row_of_the_table_of_examples_is_used() -> None:
    names = {inspect.unwrap(value).__name__ for _, value in _made_by_tables()}
    assert set(EXAMPLES) - names == set()
    assert fn.ops.sin.__doc__ == EXPECTED


EXPECTED = """Sine.

    >>> import fn
    >>> round(float(fn.ops.sin(0.5)), 4)
    0.4794
    """

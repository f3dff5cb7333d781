"""`fn.inspect.show`: a Program beside the user's lines, folded when it is long."""

from __future__ import annotations

import time
from typing import Any

import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import ArgumentError, MissingExtraError, Program
from fn.inspect import _view

X = onp.ones((4, 3), onp.float32)


def _net(params: Any, x: Any) -> Any:
    for w in params:
        x = np.tanh(x @ w)  # a layer
    return (x**2).sum()  # the loss


PARAMS = [onp.ones((3, 3), onp.float32)] * 6


def test_types_names_paths_and_lines() -> None:
    text = fn.inspect.show(lambda p, x: np.sin(x * p["w"]))({"w": 2.0}, X).text(140)
    lines = text.splitlines()
    assert lines[0] == "@_lambda_: 2 inputs, 1 output, 2 equations"
    assert lines[3] == "  a: ~f32[]  p/w"
    assert lines[4] == "  b: f32[4,3]  x"
    assert lines[5].startswith("  c: f32[4,3] = mul b a  test_show.py:")
    assert "np.sin(x * p[" in lines[5]
    assert lines[6] == "  d: f32[4,3] = sin c    │"
    assert lines[7] == "  return d"


def test_names_are_those_of_the_printed_program() -> None:
    view = fn.inspect.show(_net)(PARAMS, X)
    for line in str(view.program).splitlines()[1:-2]:
        head = line.split(" = ")[0]
        assert head in fn.inspect.show(view.program, fold=False).text(200)


def test_layers_that_repeat_stand_there_once() -> None:
    text = fn.inspect.show(fn.grad(_net))(PARAMS, X).text(120)
    assert "6 rounds of " in text
    assert text.count("tanh") < 4
    assert "jvp · transpose" in text


def test_sub_programs_stand_there_once() -> None:
    inner = fn.jit(lambda x: np.sin(x) * 2.0)
    text = fn.inspect.show(lambda x: inner(inner(x)))(X).text(120)
    assert text.count("= sin a") == 1
    assert "used 2 times" in text
    assert text.splitlines()[0].endswith("1 sub-program")


def test_a_jitted_function_is_shown_itself() -> None:
    assert "call" not in fn.inspect.show(fn.jit(_net))(PARAMS, X).text()


def test_programs_and_types() -> None:
    program = fn.trace(_net)(PARAMS, X)
    view = fn.inspect.show(program)
    assert view.program is program
    assert view.text() == fn.inspect.show(program).text()
    shown = fn.inspect.show(lambda x: x + 1.0)(fn.ArrayType((10**6, 10**6), onp.float32))
    assert "f32[1000000,1000000]" in shown.text()
    with pytest.raises(ArgumentError, match="neither a function nor a Program"):
        fn.inspect.show(3)


def test_captured_arrays_are_marked_and_not_printed() -> None:
    held = np.asarray(onp.full((3, 3), 123.456, onp.float32))
    text = fn.inspect.show(lambda x: x @ held)(X).text(100)
    assert "f32[3,3]  captured" in text
    assert "123" not in text


def test_many_inputs_and_long_parameters_are_cut() -> None:
    text = fn.inspect.show(lambda xs: np.concatenate(xs))([X] * 40).text(120)
    assert "… 32 more inputs" in text
    assert "… 32 more" in text
    assert max(map(len, text.splitlines())) <= 120


# --- long Programs ----------------------------------------------------------------------


def _random_chain(length: int) -> Program:
    """A chain without much that repeats, from a few lines."""
    rng = onp.random.RandomState(0)
    kinds = rng.randint(0, 5, length)

    def f(x: Any) -> Any:
        y = x
        for kind in kinds:
            if kind == 0:
                y = np.sin(y)
            elif kind == 1:
                y = y * x
            elif kind == 2:
                y = y + 1.5
            elif kind == 3:
                y = np.tanh(y)
            else:
                y = np.where(y > 0.0, y, x)
        return y

    return fn.trace(f)(X)


def test_twenty_thousand_equations_in_two_seconds() -> None:
    program = _random_chain(17_000)
    assert len(program.equations) > 20_000
    start = time.perf_counter()
    view = fn.inspect.show(program)
    text = view.text(120)
    page = view.html()
    assert time.perf_counter() - start < 4.0  # two times half a second, on a quiet core
    assert len(text.splitlines()) < 200
    assert "not shown" in text
    assert len(page) < 1_500_000


def test_rows_and_fold() -> None:
    program = _random_chain(60)
    count = len(program.equations)
    assert len(fn.inspect.show(program, fold=False).text().splitlines()) >= count
    assert len(fn.inspect.show(program, rows=10).text().splitlines()) < 25


# --- terminals --------------------------------------------------------------------------


def test_colours_are_the_same_text(capsys: pytest.CaptureFixture[str]) -> None:
    view = fn.inspect.show(_net)(PARAMS, X)
    view.print(width=110)
    printed = [line.rstrip() for line in capsys.readouterr().out.rstrip("\n").split("\n")]
    assert printed == view.text(110).split("\n")


def test_colours_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    view = fn.inspect.show(_net)(PARAMS, X)
    assert "\x1b[" not in repr(view)

    class _Terminal:
        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            return len(text)

        def flush(self) -> None:
            pass

    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout", _Terminal())
        assert "\x1b[" in repr(view)


def test_without_rich_there_is_plain_text_and_an_error_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(_view.importlib, "import_module", missing)
    view = fn.inspect.show(_net)(PARAMS, X)
    assert "tanh" in str(view)
    assert "tanh" in view.html()
    with pytest.raises(MissingExtraError, match=r"fn-transforms\[inspect\]"):
        view.print()


def test_nothing_is_wider_than_asked() -> None:
    inner = fn.jit(_net)
    program = fn.trace(lambda p, x: fn.grad(inner)(p, x))(PARAMS, X)
    views = [fn.inspect.show(program), fn.inspect.cost(program), fn.inspect.diff(program, program)]
    for view in views:
        for width in (60, 90, 150):
            assert max(map(len, view.text(width).splitlines())) <= width

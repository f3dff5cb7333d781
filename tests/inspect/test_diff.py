"""`fn.inspect.diff`: what differs, whatever variables are called."""

from __future__ import annotations

import time
from typing import Any

import numpy as onp
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fn
import fn.numpy as np
from fn.core import ArgumentError, Equation, Literal, Program, Variable
from fn.inspect._align import align

X = onp.ones((2, 3), onp.float32)


def _marks(left: Program, right: Program) -> str:
    return "".join(m.mark for m in align(left, right).matches)


def _renamed(program: Program) -> Program:
    """The same with other variables."""
    twin: dict[Any, Any] = {v: Variable(v.type) for v in program.inputs}
    equations = []
    for e in program.equations:
        outputs = tuple(Variable(v.type) for v in e.outputs)
        inputs = tuple(a if isinstance(a, Literal) else twin[a] for a in e.inputs)
        equations.append(Equation(e.primitive, inputs, outputs, e.params))
        twin.update(zip(e.outputs, outputs, strict=True))
    inputs = tuple(twin[v] for v in program.inputs)
    outputs = tuple(a if isinstance(a, Literal) else twin[a] for a in program.outputs)
    return Program(inputs, tuple(equations), outputs)


def test_names_do_not_matter() -> None:
    program = fn.trace(fn.grad(lambda x: (np.sin(x) * x).sum()))(X)
    other = _renamed(program)
    assert fn.inspect.diff(program, other).same
    assert "the same, up to the names" in fn.inspect.diff(program, other).text()


def test_same_is_equality() -> None:
    f = fn.trace(lambda x: np.sin(x) * 2.0)(X)
    for other in (
        lambda x: np.sin(x) * 3.0,
        lambda x: np.sin(x),
        lambda x: x * 2.0,
        lambda x: np.sin(x) * 2.0,
    ):
        g = fn.trace(other)(X)
        assert fn.inspect.diff(f, g).same == (f == g)


def test_an_equation_put_in_or_left_out() -> None:
    def f(x: Any) -> Any:
        return np.sin(np.exp(x) + 1.0) * x

    def g(x: Any) -> Any:
        return np.sin(np.tanh(np.exp(x)) + 1.0) * x

    p, q = fn.trace(f)(X), fn.trace(g)(X)
    assert _marks(p, q) == "=+~=="
    assert _marks(q, p) == "=-~=="


def test_an_operation_replaced_by_another() -> None:
    p = fn.trace(lambda x: np.sin(x) + 1.0)(X)
    q = fn.trace(lambda x: np.cos(x) + 1.0)(X)
    assert _marks(p, q) == "~="
    view = fn.inspect.diff(p, q)
    assert view.changes == 1
    assert "b: f32[2,3] = sin a     ~ b: f32[2,3] = cos a" in view.text(90)


def test_other_results() -> None:
    p = fn.trace(lambda x: (np.sin(x), np.cos(x)))(X)
    q = fn.trace(lambda x: (np.cos(x), np.sin(x)))(X)
    view = fn.inspect.diff(p, q)
    assert not view.same
    q = Program(p.inputs, p.equations, tuple(reversed(p.outputs)))
    assert fn.inspect.diff(p, q).changes == 1


def test_other_inputs() -> None:
    text = fn.inspect.diff(lambda x: x * 2.0, lambda x, y: x * 2.0)
    with pytest.raises(TypeError):
        text(X)
    p, q = fn.trace(lambda x: x * 2.0)(X), fn.trace(lambda x: x * 2.0)(X[:1])
    shown = fn.inspect.diff(p, q).text(90)
    assert "a: f32[2,3]             ~ a: f32[1,3]" in shown


def test_programs_inside_are_compared_where_they_differ() -> None:
    def build(k: float) -> Program:
        inner, same = fn.jit(lambda x: np.sin(x) * k), fn.jit(np.tanh)
        return fn.trace(lambda x: inner(same(x)))(X)

    view = fn.inspect.diff(build(1.5), build(2.5))
    assert view.changes == 2  # the call, and the product within
    text = view.text(100)
    assert "mul b 1.5" in text
    assert "mul b 2.5" in text
    assert "tanh a" not in text


def test_functions_and_programs_mix() -> None:
    program = fn.trace(lambda x: np.sin(x))(X)
    assert fn.inspect.diff(np.sin, program)(X).same
    assert fn.inspect.diff(program, lambda x: np.sin(x))(X).same
    with pytest.raises(ArgumentError, match="neither a function nor a Program"):
        fn.inspect.diff(program, 3)


def test_long_stretches_alike_are_folded() -> None:
    def f(x: Any, last: Any) -> Any:
        for i in range(50):
            x = np.sin(x) + float(i)
        return last(x)

    text = fn.inspect.diff(lambda x: f(x, np.exp), lambda x: f(x, np.log))(X).text(100)
    assert "⋯ 94 equations alike" in text
    assert len(text.splitlines()) < 20


@given(st.lists(st.integers(0, 5), max_size=25), st.lists(st.integers(0, 5), max_size=25))
def test_alignments_are_in_order_and_whole(a: list[int], b: list[int]) -> None:
    steps = [np.sin, np.cos, lambda y: y * 2.0, lambda y: y + y, np.tanh, lambda y: y.sum() + y]

    def build(kinds: list[int]) -> Program:
        def f(x: Any) -> Any:
            for kind in kinds:
                x = steps[kind](x)
            return x

        return fn.trace(f)(X)

    p, q = build(a), build(b)
    found = align(p, q)
    assert [m.left for m in found.matches if m.left is not None] == list(range(len(p.equations)))
    assert [m.right for m in found.matches if m.right is not None] == list(range(len(q.equations)))
    assert (found.changes == 0) == (p == q)


def test_long_programs_in_bounded_time() -> None:
    rng = onp.random.RandomState(0)

    def build(seed: int, first: float) -> Program:
        kinds = onp.random.RandomState(seed).randint(0, 3, 10_000)

        def f(x: Any) -> Any:
            x = x * first
            for kind in kinds:
                x = np.sin(x) if kind == 0 else np.cos(x) if kind == 1 else x + 1.0
            return x

        return fn.trace(f)(X)

    assert rng is not None
    one, other_start, other = build(1, 2.0), build(1, 3.0), build(2, 2.0)
    start = time.perf_counter()
    assert fn.inspect.diff(one, other_start).changes == 1
    assert not fn.inspect.diff(one, other).same
    assert time.perf_counter() - start < 8.0

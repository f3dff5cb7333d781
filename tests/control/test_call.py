"""`call`: one equation for a whole Program, through every transform."""

import jax
import numpy as np
import pytest

import fn
from fn.control import call
from fn.core import TypeRuleError
from fn.ops import add, gt, mul, reduce_sum, sin
from tests.programs import names, programs

X = np.arange(6, dtype=np.float32).reshape(2, 3)
HELD = jax.numpy.asarray(X) + 1
PROGRAM = fn.trace(lambda x, y: (mul(sin(x), y), add(x, HELD), gt(x, y)))(X, X)


def test_value() -> None:
    a, b, c = call(PROGRAM, X, X)
    np.testing.assert_allclose(a, np.sin(X) * X, rtol=1e-6)
    np.testing.assert_array_equal(b, 2 * X + 1)
    assert not np.any(c)


def test_captured_arrays_become_arguments() -> None:
    program = fn.trace(lambda x: call(PROGRAM, x, x))(X)
    (equation,) = program.equations
    assert len(equation.inputs) == 3
    assert equation.params["program"].captured == ()
    assert program.captured[0] is HELD


def test_arguments_have_to_fit() -> None:
    with pytest.raises(
        TypeRuleError, match="call: the arguments do not fit program '<lambda>'"
    ) as caught:
        call(PROGRAM, X, X[0])
    assert "expected: f32[2,3], f32[2,3], f32[2,3]" in str(caught.value)
    assert "got:      f32[2,3], f32[3], f32[2,3]" in str(caught.value)


def test_derivatives_stay_calls() -> None:
    def loss(x):
        return reduce_sum(call(PROGRAM, x, mul(x, 2.0))[0], axes=(0, 1))

    assert names(fn.trace(loss)(X)) == ["mul", "call", "reduce_sum"]
    assert names(fn.trace(fn.value_and_grad(loss))(X)).count("call") == 2
    np.testing.assert_allclose(
        fn.grad(loss)(X), 2 * np.sin(X) + 2 * X * np.cos(X), rtol=1e-5, atol=1e-6
    )
    assert names(fn.trace(fn.vmap(fn.vmap(lambda x: call(fn.trace(sin)(x), x)[0])))(X)) == ["call"]


def test_unused_results_are_not_computed() -> None:
    text = fn.jit(lambda x: call(PROGRAM, x, x)[1]).lower(X).as_text()
    assert "stablehlo.sine" not in text
    assert "stablehlo.add" in text


def test_unused_tangents_are_not_computed() -> None:
    def f(x, y):
        return call(PROGRAM, x, y)

    program = fn.trace(lambda x, y, t: fn.jvp(f, (x, y), (None, t))[1][0])(X, X, X)
    for p in programs(program):
        assert "cos" not in names(p)


def test_equal_programs_are_emitted_once() -> None:
    def f(x):
        return sin(mul(x, x))

    fn.clear_trace_cache()
    first = fn.trace(f)(X)
    fn.clear_trace_cache()
    second = fn.trace(f)(X)
    assert first is not second
    text = fn.jit(lambda x: call(first, call(second, x)[0])[0]).lower(X).as_text()
    assert text.count("stablehlo.sine") == 1


def test_nothing_batched_and_nothing_moving() -> None:
    assert fn.vmap(lambda x: call(PROGRAM, X, X)[1], axis_size=3, in_axes=None)(X).shape == (
        3,
        2,
        3,
    )
    _, t = fn.jvp(lambda x: call(PROGRAM, X, X)[1], (X,), (X,))
    assert not np.any(t)

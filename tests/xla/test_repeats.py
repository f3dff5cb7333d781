"""Eager transforms compile themselves: from the second identical Program on, one executable."""

import jax
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.xla import _repeats


@pytest.fixture(autouse=True)
def forget():
    _repeats._repeats.clear()
    fn.clear_trace_cache()
    yield
    _repeats._repeats.clear()


@pytest.fixture
def compiles(monkeypatch):
    """Counts the executables made, and where their arguments vary."""
    made = []
    original = _repeats._compile

    def counting(program, varying):
        made.append(varying)
        return original(program, varying)

    monkeypatch.setattr(_repeats, "_compile", counting)
    return made


def chain(x, scale=1.0, length=20):
    for _ in range(length):
        x = np.sin(x) * scale
    return x.sum()


X = onp.linspace(0.1, 1.0, 5, dtype=onp.float32)


def test_the_first_evaluation_is_op_by_op_and_the_second_one_executable(compiles):
    first = fn.grad(chain)(X)
    assert compiles == []
    second = fn.grad(chain)(X)
    assert compiles == [()]
    fn.grad(chain)(X)
    assert compiles == [()]
    # Fusion may contract a multiplication and an addition: one rounding less.
    onp.testing.assert_allclose(first, second, rtol=1e-5)
    onp.testing.assert_allclose(
        second, jax.grad(lambda x: _jax_chain(x))(jax.numpy.asarray(X)), rtol=1e-5
    )


def _jax_chain(x, scale=1.0):
    for _ in range(20):
        x = jax.numpy.sin(x) * scale
    return x.sum()


def test_a_function_made_anew_is_the_same_program(compiles):
    for _ in range(4):
        fn.value_and_grad(lambda x: chain(x) * 2.0)(X)
    assert compiles == [()]


def test_a_changing_number_becomes_an_argument(compiles):
    for step in range(6):
        scale = 1.0 + 0.01 * step
        found = fn.grad(lambda x, s=scale: chain(x, s))(X)
        wanted = jax.grad(lambda x, s=scale: _jax_chain(x, s))(jax.numpy.asarray(X))
        onp.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert len(compiles) == 1 and compiles[0]


def test_a_number_that_starts_to_change_later_costs_one_more_executable(compiles):
    for scale in (1.0, 1.0, 1.0, 1.5, 1.25, 1.75):
        fn.grad(lambda x, s=scale: chain(x, s))(X)
    assert len(compiles) == 2 and compiles[0] == () and compiles[1]


def test_captured_arrays_are_arguments(compiles):
    for step in range(4):
        weights = np.full((5,), float(step), dtype="float32")
        found = fn.grad(lambda x, w=weights: chain(x * 0.0 + 1.0) + (x * w).sum())(X)
        onp.testing.assert_allclose(found, weights)
    assert compiles == [()]


def test_python_control_flow_keeps_working(compiles):
    def f(x):
        return chain(x) if float(x.sum()) > 0 else chain(-2.0 * x)

    for sign in (1, 1, -1, -1, 1, -1):
        found = fn.grad(f)(sign * X)
        wanted = jax.grad(lambda x: _jax_chain(x if sign > 0 else -2.0 * x))(sign * X)
        onp.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert len(compiles) == 2  # one for each way through


@pytest.mark.parametrize(
    "call",
    [
        lambda: fn.vmap(lambda x: chain(x * np.ones(3, "float32")))(X),
        lambda: fn.jvp(chain, (X,), (X,))[1],
        lambda: fn.vjp(chain, X)[1](1.0)[0],
        lambda: fn.linearize(chain, X)[1](X),
        lambda: fn.jacfwd(lambda x: np.sin(np.cos(np.sin(x))) * chain(x))(X),
        lambda: fn.jacrev(lambda x: np.sin(np.cos(np.sin(x))) * chain(x))(X),
    ],
    ids=["vmap", "jvp", "vjp", "linearize", "jacfwd", "jacrev"],
)
def test_every_eager_transform_does_so(compiles, call):
    first = call()
    assert compiles == []
    again = call()
    assert compiles
    onp.testing.assert_allclose(first, again, rtol=1e-4)


def test_other_types_are_other_executables(compiles):
    for _ in range(2):
        fn.grad(chain)(X)
        fn.grad(chain)(X[:3])
    assert compiles == [(), ()]


def test_small_programs_stay_op_by_op_until_it_pays(compiles):
    for _ in range(5):
        fn.grad(np.sin)(1.0)
    assert compiles == []


def test_the_memory_of_programs_is_bounded(monkeypatch):
    monkeypatch.setattr(_repeats, "_KEPT", 3)
    for length in range(6):
        fn.grad(lambda x, n=length: chain(x, 1.0, n + 1))(X)
    assert len(_repeats._repeats) <= 3


def test_evaluate_itself_stays_op_by_op(compiles):
    program = fn.trace(chain)(X)
    for _ in range(4):
        fn.evaluate(program, [X])
    assert compiles == []

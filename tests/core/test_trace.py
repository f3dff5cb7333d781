"""Tracing: what is recorded, what is captured, what leaks, and when a value is known."""

import threading

import jax
import numpy as np
import pytest

import fn
from fn.core import ArgumentError, ConcretizationError, FnError, LeakError, Literal
from fn.ops import add, gt, mul, neg, reduce_sum, reshape, sin
from tests.programs import names

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_only_what_happens_is_recorded() -> None:
    def f(x, flag):
        return sin(x) if flag else mul(x, x)

    assert names(fn.trace(lambda x: f(x, True))(X)) == ["sin"]
    assert names(fn.trace(lambda x: f(x, False))(X)) == ["mul"]


def test_arrays_are_captured_once_and_scalars_written_in() -> None:
    held = jax.numpy.ones((2, 3))
    program = fn.trace(lambda x: add(mul(x, held), mul(held, np.float32(3))))(X)
    assert len(program.captured) == 1
    assert program.captured[0] is held
    assert Literal(np.float32(3)) in program.equations[1].inputs


def test_numpy_arrays_are_kept_as_they_were() -> None:
    held = np.ones((2, 3), np.float32)
    program = fn.trace(lambda x: mul(x, held))(X)
    held[:] = 7
    np.testing.assert_array_equal(fn.evaluate(program, [X])[0], X)


def test_an_inner_trace_captures_what_an_outer_one_made() -> None:
    seen = []

    def outer(x):
        y = sin(x)
        seen.append(fn.trace(lambda z: mul(z, y))(X))
        return y

    fn.trace(outer)(X)
    assert [str(t) for t in seen[0].in_types] == ["f32[2,3]", "f32[2,3]"]
    assert len(seen[0].captured) == 1


def test_constants_computed_while_tracing_are_concrete() -> None:
    program = fn.trace(lambda x: mul(x, float(fn.jvp(sin, (0.0,), (2.0,))[1])))(X)
    assert program.equations[-1].inputs[1].value == 2.0  # type: ignore[union-attr]


@pytest.mark.parametrize("value", ["text", None, [1.0], {"a": 1}, object(), np.array(["a"])])
def test_what_is_no_array(value: object) -> None:
    with pytest.raises(ArgumentError, match=r"mul: argument 1 is not an array") as caught:
        fn.trace(lambda x: mul(x, value))(X)
    assert f"got:      {type(value).__name__}" in str(caught.value)
    with pytest.raises(ArgumentError, match=r"mul: argument 1 is not an array"):
        mul(X, value)


# --- leaks ------------------------------------------------------------------------------


def _leak() -> list:
    leaked: list = []

    def f(x):
        leaked.append(x)
        leaked.append(sin(x))  # the line that made it
        return x

    fn.trace(f)(X)
    return leaked


def _line_of(text: str) -> str:
    with open(__file__) as lines:
        return f"{__file__}:{next(n for n, line in enumerate(lines, 1) if text in line)}"


@pytest.mark.parametrize(
    "use",
    [
        lambda y: mul(y, 2.0),
        lambda y: fn.trace(lambda x: mul(x, y))(X),
        lambda y: fn.trace(lambda x: y)(X),
        lambda y: fn.jit(lambda x: x)(y),
        lambda y: fn.grad(lambda x: reduce_sum(mul(x, y), axes=(0, 1)))(X),
        lambda y: fn.vmap(lambda x: x)(y),
        bool,
        float,
        np.asarray,
    ],
)
def test_a_leaked_tracer_names_the_line_that_made_it(use) -> None:
    argument, made = _leak()
    with pytest.raises(LeakError) as caught:
        use(made)
    assert "a traced array was used after trace(f) had ended" in str(caught.value)
    assert f"got:      f32[2,3], made by sin at {_line_of('# the line that made it')} in f" in str(
        caught.value
    )
    with pytest.raises(LeakError, match="made by an argument of the traced function"):
        use(argument)


def test_an_inner_tracer_does_not_reach_the_outer_trace() -> None:
    def outer(x):
        inner: list = []
        fn.trace(lambda y: inner.append(sin(y)))(x)
        return mul(x, inner[0])

    with pytest.raises(LeakError):
        fn.trace(outer)(X)


def test_types_are_not_values() -> None:
    with pytest.raises(ArgumentError, match="not an array"):
        sin(fn.ArrayType((3,), np.float32))


# --- values -----------------------------------------------------------------------------

_ASKING = [
    (lambda x: 1 if x else 2, "bool(x), as in `if x:`", "fn.numpy.where"),
    (int, "int(x)", "astype(int)"),
    (float, "float(x)", "astype(float)"),
    (complex, "complex(x)", "astype(complex)"),
    (lambda x: [1, 2, 3][x], "using x as an index or a size", "static_argnums"),
    (np.asarray, "numpy.asarray(x)", "fn.numpy function of the same name"),
    (lambda x: x.item(), "x.item()", "fn.numpy"),
    (lambda x: x.tolist(), "x.tolist()", "fn.numpy"),
]


@pytest.mark.parametrize(("ask", "words", "fix"), _ASKING)
def test_asking_for_a_value(ask, words: str, fix: str) -> None:
    def f(a, params):
        return ask(add(params["layer"][1], 1))

    with pytest.raises(ConcretizationError) as caught:
        fn.trace(f)(1.0, {"layer": [2, 3]})
    text = str(caught.value)
    assert text.startswith(
        f"{words} needs the value of an array that trace(f) knows only by its type\n"
    )
    assert "which depends on argument `params/layer/1` (~i32[]) of trace(f)" in text
    assert fix in text.split("fix:")[1]


def test_values_that_depend_on_no_argument_are_known() -> None:
    def f(x):
        scale = add(1.0, 2.0)
        return mul(x, 2.0) if gt(scale, 2.0) else x

    assert names(fn.trace(f)(X))[-1] == "mul"


def test_an_eager_transform_knows_values() -> None:
    def f(x):
        return mul(x, x) if gt(x, 0.0) else neg(x)

    assert float(fn.grad(f)(3.0)) == 6.0
    assert float(fn.grad(f)(-3.0)) == -1.0
    assert float(fn.grad(fn.grad(f))(3.0)) == 2.0


def test_values_are_asked_for_through_nested_traces() -> None:
    def f(x):
        y = mul(x, 3.0)
        return fn.grad(lambda z: mul(z, z) if float(mul(y, z)) > 1.0 else z)(x)

    assert float(fn.grad(f)(2.0)) == 2.0
    with pytest.raises(ConcretizationError, match="of jit"):
        fn.jit(f)(2.0)


# --- context ----------------------------------------------------------------------------


def test_each_thread_traces_for_itself() -> None:
    found = {}

    def f(x):
        def work() -> None:
            found["eager"] = sin(np.float32(0))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return sin(x)

    program = fn.trace(f)(X)
    assert names(program) == ["sin"]
    assert isinstance(found["eager"], jax.Array)


def test_an_error_inside_leaves_no_trace_running() -> None:
    def f(x):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fn.trace(f)(X)
    assert isinstance(sin(X), jax.Array)


def test_a_parameter_that_is_not_hashable() -> None:
    with pytest.raises(FnError, match="reshape: parameter 'shape' is not hashable"):
        fn.trace(lambda x: reshape(x, shape=[6]))(X)
    with pytest.raises(FnError, match="reshape: parameter 'shape' is not hashable"):
        reshape(X, shape=[6])

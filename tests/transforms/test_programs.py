"""`trace` and `eval_type`: looking without running."""

import jax
import numpy as np
import pytest

import fn
from fn.core import ArgumentError, ArrayType, ConcretizationError
from fn.ops import add, mul, reduce_sum, sin

X = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(
    "x", [X, ArrayType((2, 3), np.float32), jax.ShapeDtypeStruct((2, 3), np.float32)]
)
def test_arrays_or_types(x) -> None:
    assert fn.eval_type(lambda x: reduce_sum(x, axes=(0,)))(x) is ArrayType((3,), np.float32)
    assert fn.trace(sin)(x) == fn.trace(sin)(X)


def test_the_result_keeps_its_tree() -> None:
    def f(p, n, flag):
        assert flag == "on"
        return {"sum": add(p["a"], p["b"]), "n": n, "name": flag}, None, [p["a"]]

    types = fn.eval_type(f)({"a": X, "b": 1.0}, n=3, flag="on")
    assert str(types) == "({'n': ~i32[], 'name': 'on', 'sum': f32[2,3]}, None, [f32[2,3]])"


def test_nothing_runs() -> None:
    huge = ArrayType((1_000_000, 1_000_000), np.float32)
    assert fn.eval_type(lambda x: mul(x, x))(huge) is huge


def test_weak_types() -> None:
    assert fn.eval_type(lambda x: mul(x, 2.0))(1.0) is ArrayType((), np.float32, weak=True)
    assert fn.eval_type(lambda x: mul(x, np.float32(2)))(1.0).weak is False


def test_a_program_is_what_transforms_agree_on() -> None:
    program = fn.trace(fn.vmap(fn.grad(lambda x: reduce_sum(sin(x), axes=(0,)))))(X)
    (out,) = fn.evaluate(program, [X])
    np.testing.assert_allclose(out, np.cos(X), rtol=1e-6)


def test_words() -> None:
    with pytest.raises(ConcretizationError, match="trace"):
        fn.trace(lambda x: float(x))(1.0)
    with pytest.raises(
        ArgumentError, match=r"argument `x/a` is neither an array nor hashable"
    ) as caught:
        fn.trace(lambda x: 1.0)({"a": {1, 2}})
    assert "got:      set at `x/a`" in str(caught.value)
    with pytest.raises(ArgumentError, match=r"trace: argument `x` is not an array"):
        fn.trace(lambda x: 1.0)(np.array(["text"]))
    with pytest.raises(ArgumentError, match=r"trace\(.*\): `result/1` is not an array"):
        fn.trace(lambda x: (x, np.array(["text"])))(1.0)

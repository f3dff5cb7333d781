"""`jvp` and `linearize`: trees, options, words, and what each computes."""

import numpy as np
import pytest

import fn
from fn.core import ArgumentError, TreeError, dce
from fn.ops import add, convert, cos, gt, mul, neg, reduce_sum, sin
from tests.programs import names, zeros_computed_with

X = np.arange(1, 7, dtype=np.float32).reshape(2, 3)


def test_jvp_of_trees() -> None:
    def f(p, n):
        return {
            "y": mul(p["w"], p["b"]),
            "n": n,
            "name": "out",
            "count": convert(p["b"], dtype=np.dtype(np.int32)),
        }

    primals = ({"w": X, "b": 2.0}, 3)
    y, t = fn.jvp(f, primals, ({"w": X, "b": 1.0}, None))
    np.testing.assert_allclose(y["y"], 2 * X)
    np.testing.assert_allclose(t["y"], 3 * X)
    assert (y["n"], y["name"], int(y["count"])) == (3, "out", 2)
    assert (t["n"], t["name"], t["count"]) == (None, None, None)
    _, t = fn.jvp(f, primals, ({"w": None, "b": 1.0}, None))
    np.testing.assert_allclose(t["y"], X)
    _, t = fn.jvp(f, primals, ({"w": None, "b": None}, None))
    np.testing.assert_array_equal(t["y"], 0 * X)


def test_jvp_has_aux() -> None:
    y, t, aux = fn.jvp(lambda x: (mul(x, x), {"x": x, "s": "s"}), (3.0,), (1.0,), has_aux=True)
    assert (float(y), float(t), float(aux["x"]), aux["s"]) == (9.0, 6.0, 3.0, "s")
    with pytest.raises(
        ArgumentError, match="jvp: has_aux=True, but the function did not return a pair"
    ):
        fn.jvp(lambda x: x, (3.0,), (1.0,), has_aux=True)


def test_jvp_words() -> None:
    def f(p):
        return p["w"]

    with pytest.raises(ArgumentError, match="jvp: primals is not a tuple or list of arguments"):
        fn.jvp(f, {"w": X}, ({"w": X},))
    with pytest.raises(ArgumentError, match="jvp: tangents is not a tuple or list"):
        fn.jvp(f, ({"w": X},), X)
    with pytest.raises(TreeError, match="the tangents do not have the structure of primals"):
        fn.jvp(f, ({"w": X},), ({"v": X},))
    with pytest.raises(TreeError, match="the tangents do not have the structure of primals"):
        fn.jvp(f, ({"w": X},), ({"w": X}, X))
    with pytest.raises(ArgumentError, match="jvp: wrong tangent for `primals/0/w`") as caught:
        fn.jvp(f, ({"w": X},), ({"w": X[0]},))
    assert "expected: f32[2,3]" in str(caught.value)
    assert "got:      f32[3]" in str(caught.value)
    with pytest.raises(ArgumentError, match="wrong tangent dtype for `primals/0/w`"):
        fn.jvp(f, ({"w": X},), ({"w": X.astype(np.float16)},))


def test_tangents_of_integers_are_ignored() -> None:
    _, t = fn.jvp(lambda x, n: mul(x, 2.0), (1.0, 3), (1.0, 7))
    assert float(t) == 2.0


def test_python_numbers_as_tangents() -> None:
    _, t = fn.jvp(lambda x: mul(x, x), (np.float16(3),), (1,))
    assert (float(t), t.dtype) == (6.0, np.float16)


def test_zeros_stay_symbolic() -> None:
    def f(x, y):
        return add(mul(x, X), mul(y, X)), gt(x, y)

    program = fn.trace(lambda x, y, t: fn.jvp(f, (x, y), (t, None))[1])(X, X, X)
    assert zeros_computed_with(program) == []
    assert names(dce(program)) == ["mul"]


def test_linearize_does_the_work_once() -> None:
    calls = []

    def f(x):
        calls.append(1)
        return sin(mul(x, x))

    y, f_jvp = fn.linearize(f, X)
    np.testing.assert_allclose(y, np.sin(X * X), rtol=1e-5)
    for scale in (1.0, 2.0):
        np.testing.assert_allclose(
            f_jvp((scale * X).astype(np.float32)), scale * 2 * X * X * np.cos(X * X), rtol=1e-4
        )
    assert len(calls) == 1
    program = fn.trace(lambda t: f_jvp(t))(X)
    assert "sin" not in names(program) and "cos" not in names(program)


def test_linearize_of_trees() -> None:
    def f(p, n):
        return {"y": mul(p["w"], p["b"]), "n": n, "name": "out"}, sin(p["b"])

    _, f_jvp, aux = fn.linearize(f, {"w": X, "b": 2.0}, 3, has_aux=True)
    assert float(aux) == pytest.approx(np.sin(2.0))
    t = f_jvp({"w": X, "b": None}, None)
    np.testing.assert_allclose(t["y"], 2 * X)
    assert (t["n"], t["name"]) == (None, None)
    with pytest.raises(
        TreeError, match="linearize: the tangents do not have the structure of primals"
    ):
        f_jvp({"w": X})


def test_linearize_under_other_transforms() -> None:
    def f(x):
        return mul(x, sin(x))

    def derivative(x):
        return fn.linearize(f, x)[1](1.0)

    expected = np.sin(X) + X * np.cos(X)
    flat = X.reshape(-1)
    for got in (
        fn.vmap(derivative)(flat),
        fn.jit(fn.vmap(derivative))(flat),
        fn.vmap(fn.jit(derivative))(flat),
    ):
        np.testing.assert_allclose(got, expected.reshape(-1), rtol=1e-5)
    assert float(fn.grad(derivative)(0.3)) == pytest.approx(
        2 * np.cos(0.3) - 0.3 * np.sin(0.3), rel=1e-5
    )


def test_jvp_of_a_function_of_nothing_that_moves() -> None:
    y, t = fn.jvp(lambda n: n, (3,), (None,))
    assert (y, t) == (3, None)
    y, t = fn.jvp(lambda x: 2.0, (3.0,), (1.0,))
    assert (y, float(t)) == (2.0, 0.0)
    y, t = fn.jvp(lambda: neg(2.0), (), ())
    assert (float(y), float(t)) == (-2.0, 0.0)


def test_nested_jvp_is_not_confused() -> None:
    def f(x):
        return mul(x, fn.jvp(lambda y: mul(x, y), (2.0,), (1.0,))[1])  # x * x

    y, t = fn.jvp(f, (3.0,), (1.0,))
    assert (float(y), float(t)) == (9.0, 6.0)
    y, t = fn.jvp(lambda x: fn.jvp(f, (x,), (1.0,))[1], (3.0,), (1.0,))
    assert (float(y), float(t)) == (6.0, 2.0)
    assert float(fn.jvp(lambda x: cos(x), (0.0,), (1.0,))[1]) == 0.0
    assert float(reduce_sum(fn.jvp(sin, (X,), (X,))[1], axes=(0, 1))) == pytest.approx(
        float(np.sum(X * np.cos(X))), rel=1e-5
    )

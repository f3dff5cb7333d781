"""`jacfwd`, `jacrev`, `hessian`: against JAX, on arrays and on trees."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fn
from fn.core import ArgumentError
from fn.ops import add, convert, mul, reduce_sum, sin
from tests.programs import zeros_computed_with

X = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
W = np.array([0.3, -0.2, 0.5], np.float32)


def _outputs(p, x):
    return {
        "a": sin(mul(p["w"], reduce_sum(x, axes=(0,)))),
        "b": mul(reduce_sum(mul(x, x), axes=(0, 1)), p["s"]),
    }


def _reference(p, x):
    return {"a": jnp.sin(p["w"] * x.sum(0)), "b": (x * x).sum() * p["s"]}


def _compare(got, expected) -> None:
    assert jax.tree.structure(got) == jax.tree.structure(expected)
    for g, e in zip(jax.tree.leaves(got), jax.tree.leaves(expected)):
        assert g.shape == e.shape and g.dtype == e.dtype
        np.testing.assert_allclose(g, e, rtol=1e-4, atol=1e-6)


P = {"w": W, "s": np.float32(2.0)}


@pytest.mark.parametrize("argnums", [0, 1, (0, 1), (1,)])
@pytest.mark.parametrize("name", ["jacfwd", "jacrev"])
def test_trees(name: str, argnums) -> None:
    expected = jax.jit(getattr(jax, name)(_reference, argnums))(P, X)
    for transform in (lambda f: f, fn.jit):
        _compare(transform(getattr(fn, name)(_outputs, argnums))(P, X), expected)


def test_hessian_of_trees() -> None:
    f = lambda p, x: _outputs(p, x)["b"]
    g = lambda p, x: _reference(p, x)["b"]
    _compare(fn.hessian(f)(P, X), jax.hessian(g)(P, X))
    _compare(fn.hessian(f, 1)(P, X), jax.hessian(g, 1)(P, X))
    _compare(fn.hessian(f, (0, 1))(P, X), jax.hessian(g, (0, 1))(P, X))


def test_they_agree_in_every_order() -> None:
    f = lambda x: mul(sin(x), mul(x, x))
    expected = jax.jacfwd(jax.jacrev(lambda x: jnp.sin(x) * x * x))(W)
    for outer in (fn.jacfwd, fn.jacrev):
        for inner in (fn.jacfwd, fn.jacrev):
            _compare(outer(inner(f))(W), expected)


def test_leaves_without_derivative() -> None:
    def f(p):
        return {
            "y": mul(p["x"], 2.0),
            "n": p["n"],
            "name": "out",
            "i": convert(p["x"], dtype=np.dtype(np.int32)),
        }

    for transform in (fn.jacfwd, fn.jacrev):
        result = transform(f)({"x": W, "n": 3, "name": "in"})
        np.testing.assert_array_equal(result["y"]["x"], 2 * np.eye(3))
        assert (result["y"]["n"], result["y"]["name"]) == (None, None)
        assert result["n"] in (None, {"x": None, "n": None, "name": None})
        assert jax.tree.leaves(result["i"]) == []


def test_independent_blocks_are_zero() -> None:
    def f(x, y):
        return {"x": sin(x), "y": y}

    for transform in (fn.jacfwd, fn.jacrev):
        result = transform(f, (0, 1))(W, X)
        assert result["x"][1].shape == (3, 2, 3)
        assert not np.any(result["x"][1])
        np.testing.assert_array_equal(result["y"][1], np.eye(6).reshape(2, 3, 2, 3))


def test_has_aux() -> None:
    for transform in (fn.jacfwd, fn.jacrev):
        result, aux = transform(lambda x: (sin(x), {"x": x, "s": "s"}), has_aux=True)(W)
        np.testing.assert_allclose(result, np.diag(np.cos(W)), rtol=1e-6)
        np.testing.assert_array_equal(aux["x"], W)
        assert aux["s"] == "s"
    hessian, aux = fn.hessian(lambda x: (reduce_sum(mul(x, x), axes=(0,)), "s"), has_aux=True)(W)
    np.testing.assert_array_equal(hessian, 2 * np.eye(3))
    assert aux == "s"


def test_batched() -> None:
    got = fn.vmap(fn.hessian(lambda x: reduce_sum(mul(mul(x, x), x), axes=(0,))))(X)
    np.testing.assert_allclose(got, np.stack([np.diag(6 * row) for row in X]), rtol=1e-6)


def test_complex() -> None:
    z = (W + 1j * W[::-1]).astype(np.complex64)
    expected = jax.jacrev(jnp.sin, holomorphic=True)(z)
    for transform in (fn.jacfwd, fn.jacrev):
        _compare(transform(sin, holomorphic=True)(z), expected)
        with pytest.raises(ArgumentError, match=f"{transform.__name__}: the function is complex"):
            transform(sin)(z)


def test_empty() -> None:
    for transform in (fn.jacfwd, fn.jacrev):
        assert transform(sin)(W[:0]).shape == (0, 0)
        assert transform(lambda x: add(W, 1.0))(W[:0]).shape == (3, 0)


def test_words() -> None:
    for transform in (fn.jacfwd, fn.jacrev):
        with pytest.raises(
            ArgumentError, match=f"{transform.__name__}: nothing to differentiate"
        ) as caught:
            transform(lambda n: 1.0)(3)
        assert "`n` (~i32[])" in str(caught.value)
        with pytest.raises(ArgumentError, match="argnums does not name a positional argument"):
            transform(sin, 1)(W)


def test_the_program_has_no_zeros() -> None:
    for transform in (fn.jacfwd, fn.jacrev, fn.hessian):
        program = fn.trace(transform(lambda x: sin(reduce_sum(mul(x, x), axes=(0,)))))(W)
        assert zeros_computed_with(program) == []

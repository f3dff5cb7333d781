"""Hessian and Gauss-Newton vector products against whole matrices from JAX."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fn
import fn.numpy as fnp

rng = np.random.RandomState(0)
P = {"w": rng.randn(3, 4), "b": rng.randn(3), "n": 2, "name": "layer"}
V = {"w": rng.randn(3, 4), "b": rng.randn(3), "n": None, "name": None}
X, Y = rng.randn(5, 4), rng.randint(0, 3, 5)
FREE = {"w": P["w"], "b": P["b"]}


def model(p: Any, x: Any, np: Any = fnp) -> Any:
    return np.tanh(x @ p["w"].T + p["b"]) * p["n"]


def cross_entropy(logits: Any, np: Any = fnp) -> Any:
    logits = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return -(logits * (Y[:, None] == np.arange(3))).sum()


def loss(p: Any, x: Any) -> Any:
    return cross_entropy(model(p, x))


def plain(v: Any) -> Any:
    return model({"b": v[:3], "w": v[3:].reshape(3, 4), "n": 2}, X, jnp)


def flat(tree: Any, np: Any = np) -> Any:
    return np.concatenate([np.asarray(tree["b"]), np.asarray(tree["w"]).reshape(-1)])


POINT, DIRECTION = flat(FREE), flat(V)


def test_hvp_is_the_hessian_times_the_vector() -> None:
    with jax.enable_x64(True):
        hessian = jax.jit(jax.hessian(lambda v: cross_entropy(plain(v), jnp)))(POINT)
        got = fn.hvp(loss, (P, X), (V, None))  # eagerly: static leaves come back as None
        np.testing.assert_allclose(flat(got), hessian @ DIRECTION, rtol=1e-9)
        assert got["n"] is None and got["name"] is None
        vectors = fn.vmap(lambda s: flat(fn.hvp(loss, (P, X), (scaled(V, s), None)), fnp))
        both = fn.jit(lambda: vectors(np.array([1.0, -2.0])))()
        np.testing.assert_allclose(both[1], -2 * hessian @ DIRECTION, rtol=1e-9)


def scaled(tree: Any, s: Any) -> Any:
    return {k: None if v is None else v * s for k, v in tree.items()}


def test_hvp_by_several_arguments_moves_all_of_them() -> None:
    f = lambda x, y, k: k * fnp.sin(x * y).sum() + (x**3).sum()
    g = lambda x, y: 2.0 * jnp.sin(x * y).sum() + (x**3).sum()
    x, y, u, v = rng.randn(4, 3)
    with jax.enable_x64(True):
        expected = jax.jvp(jax.grad(g, (0, 1)), (x, y), (u, v))[1]
        both = fn.hvp(f, (x, y, 2.0), (u, v, None), argnums=(0, 1))
        assert isinstance(both, tuple)
        for a, b in zip(both, expected):
            np.testing.assert_allclose(a, b, rtol=1e-10)
        np.testing.assert_allclose(fn.hvp(f, [x, y, 2.0], [u, v, None], 1), expected[1], rtol=1e-10)


def test_a_batch_of_data_does_not_move() -> None:
    f = lambda w, batch: ((batch["x"] @ w - batch["y"]) ** 2).sum() * batch["n"]
    batch = {"x": X, "y": X[:, 0], "n": 2}
    w, v = rng.randn(2, 4)
    with jax.enable_x64(True):
        expected = 4 * X.T @ X @ v
        np.testing.assert_allclose(fn.hvp(f, (w, batch), (v, None)), expected, rtol=1e-10)
        linear = lambda w, batch: batch["x"] @ w - batch["y"]
        squares = lambda z: 2 * (z**2).sum()
        got = fn.gnvp(linear, squares, (w, batch), (v, None))
        np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_hvp_with_gradient_and_aux() -> None:
    f = lambda x: ((x**3).sum(), {"seen": x, "label": "here"})
    x, v = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    product, aux = fn.hvp(f, (x,), (v,), has_aux=True)
    assert product.tolist() == [6.0, -12.0] and aux["label"] == "here"
    gradient, product, aux = fn.hvp(f, (x,), (v,), has_aux=True, with_gradient=True)
    assert gradient.tolist() == [3.0, 12.0] and product.tolist() == [6.0, -12.0]
    gradient, product = fn.hvp(lambda x: f(x)[0], (x,), (v,), with_gradient=True)
    assert gradient.tolist() == [3.0, 12.0] and product.tolist() == [6.0, -12.0]


def test_gnvp_is_the_gauss_newton_matrix_times_the_vector() -> None:
    with jax.enable_x64(True):
        jacobian, curvature = jax.jit(
            lambda v: (jax.jacfwd(plain)(v), jax.hessian(lambda z: cross_entropy(z, jnp))(plain(v)))
        )(POINT)
        jacobian, curvature = (np.reshape(m, (15, 15)) for m in (jacobian, curvature))
        matrix = jacobian.T @ curvature @ jacobian
        got = fn.gnvp(model, cross_entropy, (P, X), (V, None))
        np.testing.assert_allclose(flat(got), matrix @ DIRECTION, rtol=1e-9)
        assert got["n"] is None and got["name"] is None
        compiled = fn.jit(lambda v: flat(fn.gnvp(model, cross_entropy, (P, X), (v, None)), fnp))
        np.testing.assert_allclose(compiled(V), matrix @ DIRECTION, rtol=1e-9)
        assert float(DIRECTION @ np.asarray(compiled(V))) >= 0
        # Where the model is linear in its parameters, it is the Hessian.
        linear = lambda w, x: x @ w
        squares = lambda z: ((z - 1.0) ** 2).sum()
        w, u = P["w"].T, V["w"].T
        hessian = fn.hvp(lambda w: squares(linear(w, X)), (w,), (u,))
        np.testing.assert_allclose(fn.gnvp(linear, squares, (w, X), (u, None)), hessian, rtol=1e-9)


def test_gnvp_with_trees_of_outputs_and_several_arguments() -> None:
    def twin(a: Any, b: Any) -> Any:
        return {"z": fnp.sin(a) * b, "count": 3, "name": "twin", "unused": a * 2}

    squares = lambda out: (out["z"] ** 2).sum() * out["count"]
    a, b, u, v = rng.randn(4, 3)
    with jax.enable_x64(True):
        jacobian = np.concatenate([np.diag(np.cos(a) * b), np.diag(np.sin(a))], 1)
        expected = 6 * jacobian.T @ jacobian @ np.concatenate([u, v])
        by_a, by_b = fn.gnvp(twin, squares, (a, b), (u, v), argnums=(0, 1))
        np.testing.assert_allclose(np.concatenate([by_a, by_b]), expected, rtol=1e-10)
        alone = fn.gnvp(twin, squares, (a, b), (u, None), argnums=1)
        half = 6 * jacobian.T @ jacobian @ np.concatenate([u, 0 * v])
        np.testing.assert_allclose(alone, half[3:], rtol=1e-10)


@pytest.mark.parametrize("product", ["hvp", "gnvp"])
def test_misfits_are_named(product: str) -> None:
    square = lambda x: (x**2).sum()
    call = {
        "hvp": lambda p, t, **k: fn.hvp(square, p, t, **k),
        "gnvp": lambda p, t, **k: fn.gnvp(lambda x: x, square, p, t, **k),
    }[product]
    x = np.ones(3)
    for args, words in (
        ((x, (x,)), "primals is not a tuple"),
        (((x,), x), "tangents is not a tuple"),
        (((x,), (x, x)), "do not have the structure"),
        (((x,), (np.ones(2),)), "wrong tangent for `primals/0`"),
    ):
        with pytest.raises(fn.FnError, match=f"{product}: .*{words}|{words}") as caught:
            call(*args)
        assert str(caught.value).startswith(product)
    with pytest.raises(fn.core.ArgumentError, match="argnums does not name"):
        call((x,), (x,), argnums=2)
    with pytest.raises(fn.core.ArgumentError, match="does not return a scalar"):
        fn.hvp(lambda x: x, (x,), (x,))


def test_newton_with_cg_finds_the_minimum() -> None:
    f = lambda x: fnp.log(fnp.exp(x - 1).sum() + fnp.exp(-x).sum()) + 0.1 * (x**2).sum()

    def newton(x: Any, _: Any) -> Any:
        gradient, product = fn.linearize(fn.grad(f), x)
        step, _ = fn.cg(product, -gradient)
        return x + step, fnp.abs(gradient).max()

    x, sizes = fn.jit(lambda x: fn.scan(newton, x, None, 6))(np.array([1.0, -1.0, 0.5], "float32"))
    assert float(sizes[-1]) < 1e-6 < float(sizes[0])

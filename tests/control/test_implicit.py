"""`custom_root` and `custom_linear_solve`: derivatives of the equation, against JAX's."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import ArgumentError, MissingRuleError, TreeError, TypeRuleError

A = onp.array([[3.0, 0.4, -0.2], [0.1, 2.5, 0.3], [-0.5, 0.2, 4.0]], onp.float32)
B = onp.array([1.0, -2.0, 0.5], onp.float32)


def _inverse(a: Any) -> Any:
    """By cofactors; nobody should take its derivative."""

    def cross(x: Any, y: Any) -> Any:
        return np.roll(x, -1) * np.roll(y, -2) - np.roll(x, -2) * np.roll(y, -1)

    columns = np.stack([cross(a[1], a[2]), cross(a[2], a[0]), cross(a[0], a[1])], axis=1)
    return fn.stop_gradient(columns / (a[0] @ columns[:, 0]))


def _ours(a: Any, b: Any) -> Any:
    return fn.custom_linear_solve(
        lambda x: a @ x, b, lambda matvec, b: _inverse(a) @ b, lambda vecmat, b: _inverse(a).T @ b
    )


LAYERS: dict[str, tuple[Any, Any]] = {
    "grad": (
        lambda f: fn.grad(lambda a: (f(a) * B).sum()),
        lambda f: jax.grad(lambda a: (f(a) * B).sum()),
    ),
    "jvp": (
        lambda f: lambda a: fn.jvp(f, (a,), (a * a,))[1],
        lambda f: lambda a: jax.jvp(f, (a,), (a * a,))[1],
    ),
    "vmap": (
        lambda f: lambda a: fn.vmap(lambda s: f(a * s))(B + 3.0).sum(0),
        lambda f: lambda a: jax.vmap(lambda s: f(a * s))(jnp.asarray(B) + 3.0).sum(0),
    ),
    "remat": (fn.checkpoint, jax.checkpoint),
    "jit": (fn.jit, jax.jit),
}


@pytest.mark.parametrize("outer", LAYERS)
@pytest.mark.parametrize("inner", LAYERS)
def test_linear_solve_pairs(inner: str, outer: str) -> None:
    def f(a: Any) -> Any:
        return _ours(a, a[0] * B)

    def g(a: Any) -> Any:
        return jnp.linalg.solve(a, a[0] * B)

    for layer in (inner, outer):
        f, g = LAYERS[layer][0](f), LAYERS[layer][1](g)
    expected = jax.jit(g)(A)
    assert onp.any(expected)
    scale = float(onp.max(onp.abs(expected)))
    onp.testing.assert_allclose(fn.jit(f)(A), expected, rtol=2e-3, atol=1e-3 * scale)


def test_batched_right_hand_sides_and_matrices() -> None:
    many = onp.stack([A, A + 1.0])
    for axes in ((0, None), (None, 0), (0, 0)):
        args = (many if axes[0] == 0 else A, onp.stack([B, 2 * B]) if axes[1] == 0 else B)
        got = fn.jit(fn.vmap(_ours, in_axes=axes))(*args)
        expected = jax.vmap(jnp.linalg.solve, in_axes=axes)(*args)
        onp.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4)


def test_trees_symmetric_and_aux() -> None:
    d = {"a": onp.float32(2.0), "b": B + 4.0}

    def f(d: Any, scale: Any) -> Any:
        def matvec(x: Any) -> Any:
            return {"a": d["a"] * x["a"], "b": d["b"] * x["b"]}

        def solve(matvec: Any, b: Any) -> Any:
            return {"a": b["a"] / d["a"], "b": b["b"] / d["b"]}, {"steps": 3, "b": b["b"].sum()}

        b = {"a": scale, "b": scale * B}
        x, aux = fn.custom_linear_solve(matvec, b, solve, symmetric=True, has_aux=True)
        assert aux["steps"].dtype == onp.int32
        return x["a"] + x["b"].sum() + 0.0 * aux["b"]

    expected = jax.grad(lambda d, s: s / d["a"] + (s * B / d["b"]).sum(), argnums=(0, 1))(d, 3.0)
    got = fn.jit(fn.grad(f, argnums=(0, 1)))(d, 3.0)
    jax.tree.map(lambda x, y: onp.testing.assert_allclose(x, y, rtol=1e-5), got, expected)


def test_linear_solve_errors() -> None:
    def forward_only(b: Any) -> Any:
        return fn.custom_linear_solve(lambda x: 2.0 * x, b, lambda matvec, b: b / 2.0)

    onp.testing.assert_allclose(fn.jvp(forward_only, (B,), (B,))[1], B / 2)
    with pytest.raises(MissingRuleError, match="reverse mode needs transpose_solve"):
        fn.grad(lambda b: forward_only(b).sum())(B)
    with pytest.raises(TreeError, match="matvec returns another structure"):
        fn.custom_linear_solve(lambda x: (x, x), B, lambda matvec, b: b)
    with pytest.raises(TypeRuleError, match="solve returns other types"):
        fn.custom_linear_solve(lambda x: x, B, lambda matvec, b: b.sum())
    with pytest.raises(TreeError, match=r"does not return \(x, aux\)"):
        fn.custom_linear_solve(lambda x: x, B, lambda matvec, b: b, has_aux=True)
    with pytest.raises(ArgumentError, match="`argument/n` cannot be solved for"):
        fn.custom_linear_solve(lambda x: x, {"n": onp.arange(3)}, lambda matvec, b: b)


# --- roots ------------------------------------------------------------------------------


def _newton(f: Any, x: Any) -> Any:
    for _ in range(8):
        y, slope = fn.jvp(f, (x,), (np.ones_like(x),))
        x = x - y / slope
    return fn.stop_gradient(x)


def _cube_root(a: Any) -> Any:
    return fn.custom_root(lambda x: x * x * x - a, 1.5 + 0.0 * a, _newton, lambda g, y: y / g(1.0))


def test_root() -> None:
    assert float(_cube_root(3.0)) == pytest.approx(3 ** (1 / 3), rel=1e-5)
    slope = 3 ** (-2 / 3) / 3
    curve = -2 / 9 * 3 ** (-5 / 3)
    assert float(fn.grad(_cube_root)(3.0)) == pytest.approx(slope, rel=1e-4)
    assert float(fn.jvp(_cube_root, (3.0,), (1.0,))[1]) == pytest.approx(slope, rel=1e-4)
    assert float(fn.linearize(_cube_root, 3.0)[1](1.0)) == pytest.approx(slope, rel=1e-4)
    for second in (
        fn.grad(fn.grad(_cube_root)), fn.hessian(_cube_root), fn.jit(fn.grad(fn.jit(fn.grad(_cube_root)))),
        fn.grad(fn.checkpoint(fn.grad(_cube_root))),
    ):  # fmt: skip
        assert float(second(3.0)) == pytest.approx(curve, rel=1e-3)
    many = onp.array([2.0, 3.0, 5.0], onp.float32)
    expected = many ** (-2 / 3) / 3
    onp.testing.assert_allclose(fn.vmap(fn.grad(_cube_root))(many), expected, rtol=1e-4)
    total = fn.grad(lambda a: fn.vmap(_cube_root)(a).sum())
    onp.testing.assert_allclose(fn.jit(total)(many), expected, rtol=1e-4)


def test_root_of_a_system_with_aux() -> None:
    def solve(f: Any, x: Any) -> Any:
        for _ in range(12):
            x = x - _inverse(fn.jacfwd(f)(x)) @ f(x)
        return x, "static"

    def tangent_solve(g: Any, y: Any) -> Any:
        return _inverse(fn.jacfwd(g)(np.zeros_like(y))) @ y

    def root(theta: Any) -> Any:
        x, said = fn.custom_root(
            lambda x: A @ x + 0.1 * x**3 - theta, B * 0.1, solve, tangent_solve, has_aux=True
        )
        assert said == "static"
        return x

    x = onp.asarray(fn.jit(root)(B))
    onp.testing.assert_allclose(A @ x + 0.1 * x**3, B, atol=1e-5)
    expected = onp.linalg.inv(A + onp.diag(0.3 * x**2))
    onp.testing.assert_allclose(fn.jit(fn.jacrev(root))(B), expected, rtol=1e-3, atol=1e-4)
    onp.testing.assert_allclose(fn.jit(fn.jacfwd(root))(B), expected, rtol=1e-3, atol=1e-4)


def test_the_guess_has_no_derivative() -> None:
    def f(guess: Any) -> Any:
        return fn.custom_root(lambda x: x * x - 4.0, guess, _newton, lambda g, y: y / g(1.0))

    assert float(fn.grad(f)(3.0)) == 0.0


def test_root_errors() -> None:
    with pytest.raises(TreeError, match="f returns another structure"):
        fn.custom_root(lambda x: [x], 1.0, _newton, lambda g, y: y)
    with pytest.raises(TypeRuleError, match="f returns other types"):
        fn.custom_root(lambda x: x * onp.ones(2, "f4"), 1.0, _newton, lambda g, y: y)

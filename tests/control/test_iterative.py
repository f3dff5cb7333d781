"""`cg`, `bicgstab`, `gmres`: solutions and their derivatives against dense solves."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import ArgumentError

RNG = onp.random.RandomState(0)
_Q = RNG.randn(6, 6)
SYMMETRIC = (_Q @ _Q.T / 6 + 2 * onp.eye(6)).astype(onp.float32)
GENERAL = (0.4 * _Q + 3 * onp.eye(6)).astype(onp.float32)
B = RNG.randn(6).astype(onp.float32)
CASES = [(fn.cg, SYMMETRIC), (fn.bicgstab, GENERAL), (fn.gmres, GENERAL)]
NAMES = ["cg", "bicgstab", "gmres"]
cases = pytest.mark.parametrize(("solver", "a"), CASES, ids=NAMES)


@cases
def test_solutions(solver: Any, a: Any) -> None:
    expected = onp.linalg.solve(a, B)
    for given in (a, lambda x: a @ x):
        x, info = solver(given, B)
        assert info is None
        onp.testing.assert_allclose(x, expected, rtol=1e-3, atol=1e-4)
    x, _ = fn.jit(lambda b: solver(a, b, x0=expected, M=onp.linalg.inv(a), tol=1e-4))(B)
    onp.testing.assert_allclose(x, expected, rtol=1e-3, atol=1e-4)
    onp.testing.assert_array_equal(solver(a, onp.zeros(6, "f4"))[0], onp.zeros(6))


@cases
def test_derivatives(solver: Any, a: Any) -> None:
    def loss(a: Any, b: Any) -> Any:
        a = 0.5 * (a + a.T) if solver is fn.cg else a
        return (solver(a, b, tol=1e-6)[0] ** 2).sum()

    def theirs(a: Any, b: Any) -> Any:
        a = 0.5 * (a + a.T) if solver is fn.cg else a
        return (jnp.linalg.solve(a, b) ** 2).sum()

    got = fn.jit(fn.grad(loss, argnums=(0, 1)))(a, B)
    for x, y in zip(got, jax.grad(theirs, argnums=(0, 1))(a, B)):
        onp.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4)
    hessian = fn.jit(fn.hessian(lambda b: loss(a, b)))(B)
    onp.testing.assert_allclose(
        hessian, jax.hessian(lambda b: theirs(a, b))(B), rtol=1e-3, atol=1e-4
    )
    batch = onp.stack([B, 2 * B, -B])
    rows = fn.jit(fn.vmap(fn.grad(loss, argnums=1), in_axes=(None, 0)))(a, batch)
    onp.testing.assert_allclose(
        rows, jax.vmap(jax.grad(theirs, 1), (None, 0))(a, batch), rtol=1e-3, atol=1e-4
    )


@cases
def test_trees(solver: Any, a: Any) -> None:
    def multiply(x: Any) -> Any:
        y = a @ np.concatenate([x["u"].reshape(-1), x["v"]])
        return {"u": y[:4].reshape(2, 2), "v": y[4:]}

    x, _ = solver(multiply, {"u": B[:4].reshape(2, 2), "v": B[4:]})
    flat = onp.concatenate([onp.ravel(x["u"]), x["v"]])
    onp.testing.assert_allclose(flat, onp.linalg.solve(a, B), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("solver", [fn.bicgstab, fn.gmres, fn.cg])
def test_complex(solver: Any) -> None:
    skew = 0.3j * (_Q - _Q.T)
    a = (SYMMETRIC + skew).astype(onp.complex64)  # Hermitian, positive definite
    b = (B + 1j * B[::-1]).astype(onp.complex64)
    x, _ = fn.jit(lambda b: solver(a, b, tol=1e-6))(b)
    onp.testing.assert_allclose(x, onp.linalg.solve(a, b), rtol=2e-3, atol=1e-3)


def test_gmres_restarts_and_small_spaces() -> None:
    x, _ = fn.gmres(GENERAL, B, restart=2, maxiter=50)
    onp.testing.assert_allclose(x, onp.linalg.solve(GENERAL, B), rtol=1e-3, atol=1e-3)
    # One direction is enough, and the next would be rounding alone.
    x, _ = fn.gmres(2.0 * onp.eye(6, dtype="f4"), B)
    onp.testing.assert_allclose(x, B / 2, rtol=1e-5)


def test_few_steps_are_few() -> None:
    near, far = (onp.linalg.norm(SYMMETRIC @ fn.cg(SYMMETRIC, B, maxiter=n)[0] - B) for n in (4, 1))
    assert near < far


@cases
def test_tolerances_and_limits_may_be_traced(solver: Any, a: Any) -> None:
    solve = fn.jit(lambda tol, steps: solver(a, B, tol=tol, atol=0.0 * tol, maxiter=steps)[0])
    onp.testing.assert_allclose(solve(1e-6, 50), onp.linalg.solve(a, B), rtol=1e-3, atol=1e-4)
    onp.testing.assert_array_equal(solve(1e-6, 0), onp.zeros(6))
    onp.testing.assert_array_equal(solve(2.0, 50), onp.zeros(6))


def test_errors() -> None:
    with pytest.raises(ArgumentError, match="cg: A is neither a function nor a square matrix"):
        fn.cg(onp.ones((2, 3), "f4"), B)
    with pytest.raises(ArgumentError, match="gmres: M is neither"):
        fn.gmres(SYMMETRIC, B, M=3.0)
    with pytest.raises(ArgumentError, match="restart is not a positive integer"):
        fn.gmres(SYMMETRIC, B, restart=0)
    with pytest.raises(ArgumentError, match="x0 is not a tree like b"):
        fn.bicgstab(SYMMETRIC, B, x0=[B])

"""Taylor coefficients of single operations against closed forms, and of products against Leibniz."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import comb, factorial, log
from typing import Any

import jax
import numpy as np
import pytest
from numpy.polynomial import Polynomial

import fn
from fn import ops

ORDER = 8
X = np.array([0.3, 0.7, 1.2])


def autonomous(rate: list[float]) -> Callable[[Any, int], Any]:
    """The k-th derivative of the solution of v' = rate(v), by the value of v: exact polynomials in v."""
    slope = Polynomial(rate)

    @cache
    def polynomial(k: int) -> Polynomial:
        return Polynomial([0.0, 1.0]) if k == 0 else polynomial(k - 1).deriv() * slope

    return lambda v, k: polynomial(k)(v)


def falling(power: float, k: int) -> float:
    return float(np.prod([power - j for j in range(k)]))


def of_power(power: float) -> Callable[[Any, int], Any]:
    return lambda x, k: falling(power, k) * x ** (power - k)


_TAN, _TANH, _LOGISTIC = (autonomous(r) for r in ([1, 0, 1], [1, 0, -1], [0, 1, -1]))

# The k-th derivative of each function, for k from 1.
CLOSED: dict[str, tuple[Callable[[Any], Any], Callable[[Any, int], Any]]] = {
    "exp": (ops.exp, lambda x, k: np.exp(x)),
    "exp2": (ops.exp2, lambda x, k: log(2) ** k * 2**x),
    "expm1": (ops.expm1, lambda x, k: np.exp(x)),
    "log": (ops.log, lambda x, k: (-1) ** (k - 1) * factorial(k - 1) / x**k),
    "log1p": (ops.log1p, lambda x, k: (-1) ** (k - 1) * factorial(k - 1) / (1 + x) ** k),
    "sqrt": (ops.sqrt, of_power(0.5)),
    "rsqrt": (ops.rsqrt, of_power(-0.5)),
    "cbrt": (ops.cbrt, of_power(1 / 3)),
    "square": (ops.square, of_power(2)),
    "cube": (lambda x: ops.integer_pow(x, exponent=3), of_power(3)),
    "power 7": (lambda x: ops.integer_pow(x, exponent=7), of_power(7)),
    "power -1": (lambda x: ops.integer_pow(x, exponent=-1), of_power(-1)),
    "power -3": (lambda x: ops.integer_pow(x, exponent=-3), of_power(-3)),
    "power 0": (lambda x: ops.integer_pow(x, exponent=0), lambda x, k: 0 * x),
    "power 2.5": (lambda x: ops.pow(x, 2.5), of_power(2.5)),
    "1 / x": (lambda x: ops.div(1.0, x), of_power(-1)),
    "sin": (ops.sin, lambda x, k: np.sin(x + k * np.pi / 2)),
    "cos": (ops.cos, lambda x, k: np.cos(x + k * np.pi / 2)),
    "sinh": (ops.sinh, lambda x, k: np.cosh(x) if k % 2 else np.sinh(x)),
    "cosh": (ops.cosh, lambda x, k: np.sinh(x) if k % 2 else np.cosh(x)),
    "tan": (ops.tan, lambda x, k: _TAN(np.tan(x), k)),
    "tanh": (ops.tanh, lambda x, k: _TANH(np.tanh(x), k)),
    "logistic": (ops.logistic, lambda x, k: _LOGISTIC(1 / (1 + np.exp(-x)), k)),
    "atanh of tanh": (lambda x: ops.atanh(ops.tanh(x)), lambda x, k: x * 0 + (k == 1)),
    "atan of tan": (lambda x: ops.atan(ops.tan(x)), lambda x, k: x * 0 + (k == 1)),
    "exp of log": (lambda x: ops.exp(ops.log(x)), lambda x, k: x * 0 + (k == 1)),
    "root of square": (lambda x: ops.sqrt(ops.square(x)), lambda x, k: x * 0 + (k == 1)),
    "x / x": (lambda x: ops.div(x, ops.mul(x, 2.0)), lambda x, k: x * 0),
    "sin² + cos²": (
        lambda x: ops.add(ops.square(ops.sin(x)), ops.mul(ops.cos(x), ops.cos(x))),
        lambda x, k: x * 0,
    ),
    # Hermite: the derivatives of exp(-x²).
    "erf": (
        ops.erf,
        lambda x, k: (
            (-1) ** (k - 1) * np.polynomial.hermite.hermval(x, [0] * (k - 1) + [1])
            * np.exp(-(x**2)) * 2 / np.sqrt(np.pi)
        ),
    ),
}  # fmt: skip


@cache
def _jets() -> dict[str, Any]:
    """All of them in one compiled program."""
    line = [np.ones(3), *[None] * (ORDER - 1)]
    with jax.enable_x64(True):
        whole = fn.jit(lambda x: {n: fn.jet(f, (x,), (line,)) for n, (f, _) in CLOSED.items()})
        return jax.tree.map(np.asarray, whole(X))


@pytest.mark.parametrize("name", CLOSED)
def test_derivatives_of_order_eight(name: str) -> None:
    derivative = CLOSED[name][1]
    _, series = _jets()[name]
    assert len(series) == ORDER
    for k, got in enumerate(series, 1):
        expected = derivative(X, k)
        scale = factorial(k) / np.min(X) ** k  # how large what cancels may be
        np.testing.assert_allclose(
            got, expected, rtol=1e-9, atol=1e-13 * scale, err_msg=f"{name}, order {k}"
        )


def test_powers_at_zero_have_no_division_by_zero() -> None:
    line = ([1.0, None, None, None],)
    for f, expected in (
        (lambda x: ops.integer_pow(x, exponent=3), [0, 0, 6, 0]),
        (lambda x: ops.pow(x, 3.0), [0, 0, 6, 0]),
        (lambda x: ops.mul(x, ops.mul(x, x)), [0, 0, 6, 0]),
        (ops.square, [0, 2, 0, 0]),
    ):
        assert [float(d) for d in fn.jet(f, (0.0,), line)[1]] == expected


@pytest.mark.parametrize("shape", ["both", "left scalar", "right scalar"])
def test_products_and_quotients_spread_scalars(shape: str) -> None:
    u = [np.float64(0.7), *np.array([0.3, -0.2, 0.5])]
    w = [X, *np.array([[1.0, 0.5, -0.3], [0.2, 0.1, 0.4], [-0.6, 0.2, 0.9]])]
    first, second = {"both": (w, w[::-1]), "left scalar": (u, w), "right scalar": (w, u)}[shape]
    with jax.enable_x64(True):
        both = fn.jit(
            lambda a, b: (
                fn.jet(ops.mul, (a[0], b[0]), (a[1:], b[1:])),
                fn.jet(ops.div, (a[0], b[0]), (a[1:], b[1:])),
                fn.jet(lambda a: ops.div(ops.mul(a, b[0]), b[0]), (a[0],), (a[1:],)),
            )
        )
        product, quotient, back = jax.tree.map(np.asarray, both(first, second))
    # Leibniz, on derivatives.
    got = [product[0], *product[1]]
    for k in range(4):
        expected = sum(comb(k, j) * first[j] * second[k - j] for j in range(k + 1))
        np.testing.assert_allclose(got[k], expected, rtol=1e-12)
        assert got[k].shape == (3,)
    # A quotient is what its product with the divisor is the dividend of.
    ratio = [quotient[0], *quotient[1]]
    for k in range(4):
        dividend = sum(comb(k, j) * ratio[j] * second[k - j] for j in range(k + 1))
        np.testing.assert_allclose(dividend, first[k] + 0 * X, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(back[1][2], first[3] + 0 * X, rtol=1e-12)


def test_bilinear_operations_follow_leibniz() -> None:
    rng = np.random.RandomState(0)
    a, b = ([rng.randn(*s) for _ in range(4)] for s in ((2, 3), (3, 2)))
    with jax.enable_x64(True):
        _, series = fn.jit(lambda a, b: fn.jet(fn.numpy.dot, (a[0], b[0]), (a[1:], b[1:])))(a, b)
    for k, got in enumerate(series, 1):
        expected = sum(comb(k, j) * a[j] @ b[k - j] for j in range(k + 1))
        np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_half_precision_keeps_its_dtype() -> None:
    x = np.float16(0.5)
    for f in (ops.exp, ops.tan, ops.logistic, ops.erf, lambda x: ops.integer_pow(x, exponent=-2)):
        _, series = fn.jet(f, (x,), ([x, None, x],))
        assert [s.dtype for s in series] == [np.float16] * 3


def test_complex_functions_of_a_real_curve() -> None:
    # d^k/dt^k exp(i w t) = (i w)^k at t = 0.
    w = np.complex64(0.5 + 2.0j)
    _, series = fn.jet(ops.exp, (np.complex64(0),), ([w, None, None, None],))
    for k, got in enumerate(series, 1):
        assert got.dtype == np.complex64
        np.testing.assert_allclose(got, w**k, rtol=1e-5)
    # |x + t d|² is a quadratic; neither abs nor conj is holomorphic.
    z, d = np.complex64(1 + 2j), np.complex64(0.5 - 1j)
    _, series = fn.jet(lambda z: fn.numpy.abs(z) ** 2, (z,), ([d, None, None],))
    np.testing.assert_allclose(
        [float(s) for s in series], [2 * (z * d.conjugate()).real, 2 * abs(d) ** 2, 0.0], atol=1e-5
    )

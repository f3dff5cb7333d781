"""Gamma and beta functions, their logarithms, derivatives and incomplete integrals."""

from __future__ import annotations

import math
from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, is_complex, is_integer, type_of
from fn.scipy._arguments import floats, inexact, whole
from fn.xla import fused


@fused()
def gammaln(x: Any) -> Any:
    """Logarithm of `|gamma(x)|`, elementwise.

    Args:
        x: real array.

    >>> from fn.scipy import special
    >>> round(float(special.gammaln(5.0)), 4)
    3.1781
    """
    (x,) = floats("gammaln", x)
    return ops.lgamma(x)


@fused()
def gammasgn(x: Any) -> Any:
    """Sign of `gamma(x)`; NaN at its poles.

    >>> from fn.scipy import special
    >>> float(special.gammasgn(-0.5))
    -1.0
    """
    (x,) = floats("gammasgn", x)
    return _sign(x)


def _sign(x: Any) -> Any:
    x = ops.stop_gradient(x)
    floor = np.floor(x)
    odd = (x < 0) & (np.remainder(floor, 2) != 0) | ((x == 0) & np.signbit(x))
    pole = (x < 0) & (x == floor) | np.isnan(x)
    return np.where(pole, numpy.nan, np.where(odd, -1.0, 1.0)).astype(x.dtype)


@fused()
def gamma(x: Any) -> Any:
    """The gamma function, elementwise, of real or complex numbers.

    >>> from fn.scipy import special
    >>> round(float(special.gamma(5.0)), 3)
    24.0
    """
    (x,) = inexact("gamma", x)
    if not is_complex(x.dtype):
        return _sign(x) * np.exp(ops.lgamma(x))
    pole = _pole(x)
    return np.where(pole, numpy.nan + numpy.nan * 1j, np.exp(_lanczos(np.where(pole, 1.0, x))))


@fused()
def loggamma(x: Any) -> Any:
    """Logarithm of the gamma function, of real or complex numbers; NaN for negative real ones.

    For complex numbers it is the branch that is analytic but for a cut along the negative real axis.

    >>> from fn.scipy import special
    >>> round(float(special.loggamma(5.0)), 4)
    3.1781
    """
    (x,) = inexact("loggamma", x)
    if not is_complex(x.dtype):
        return np.where(x > 0, ops.lgamma(np.where(x > 0, x, 1.0)), numpy.nan)
    pole = _pole(x)
    z = np.where(pole, 1.0, x)
    # Reflected where it is left of 1/2; there the logarithm of the sine has turned. D. Hare, "Computing
    # the principal branch of log-gamma", 1997.
    left = np.real(z) < 0.5
    right = _lanczos_right(np.where(left, 1.0 - z, z))
    turn = np.copysign(2 * math.pi, np.imag(z)) * np.floor(0.5 * np.real(z) + 0.25)
    sine = np.log(_sin_pi(np.where(left, z, 0.5)))
    mirrored = math.log(math.pi) + 1j * turn - sine - right
    return np.where(pole, numpy.nan + numpy.nan * 1j, np.where(left, mirrored, right))


def _pole(z: Any) -> Any:
    whole = (np.imag(z) == 0) & (np.real(z) == np.floor(np.real(z))) & (np.real(z) <= 0)
    return whole | np.isnan(z)


def _sin_pi(z: Any) -> Any:
    """`sin(pi z)`, with the real part reduced before it is multiplied."""
    turns = np.round(np.real(z) / 2) * 2
    return np.sin(math.pi * (z - turns))


# C. Lanczos, "A precision approximation of the gamma function", 1964, with g = 7.
_LANCZOS = (
    0.99999999999980993227684700473478, 676.520368121885098567009190444019,
    -1259.13921672240287047156078755283, 771.3234287776530788486528258894,
    -176.61502916214059906584551354, 12.507343278686904814458936853,
    -0.13857109526572011689554707, 9.984369578019570859563e-6, 1.50563273514931155834e-7,
)  # fmt: skip


def _lanczos_right(z: Any) -> Any:
    """Logarithm of the gamma function of complex numbers with real part from 1/2 up."""
    z = z - 1.0
    total = _LANCZOS[0] + sum(
        (c / (z + float(k)) for k, c in enumerate(_LANCZOS[1:], 1)), start=np.zeros_like(z)
    )
    t = z + 7.5
    return 0.5 * math.log(2 * math.pi) + (z + 0.5) * np.log(t) - t + np.log(total)


def _lanczos(z: Any) -> Any:
    """A logarithm of the gamma function of complex numbers, on whatever branch."""
    left = np.real(z) < 0.5
    right = _lanczos_right(np.where(left, 1.0 - z, z))
    return np.where(left, np.log(math.pi / _sin_pi(np.where(left, z, 0.5))) - right, right)


@fused("exact")
def factorial(n: Any, exact: bool = False) -> Any:
    """`gamma(n + 1)`, and 0 for negative `n`.

    >>> from fn.scipy import special
    >>> round(float(special.factorial(4)), 3)
    24.0
    """
    if exact:
        raise ArgumentError(
            "factorial: exact=True is not taken", expected="exact=False", got="exact=True",
            fix="use math.factorial for Python integers",
        )  # fmt: skip
    (n,) = floats("factorial", n)
    return np.where(n < 0, 0.0, np.exp(ops.lgamma(np.where(n < 0, 0.0, n) + 1.0)))


@fused("repetition")
def comb(N: Any, k: Any, *, repetition: bool = False) -> Any:
    """In how many ways `k` things are chosen out of `N`; with `repetition`, each any number of times.

    >>> from fn.scipy import special
    >>> round(float(special.comb(5, 2)), 3)
    10.0
    """
    N, k = floats("comb", N, k)
    if repetition:
        return np.where((k == 0) & (N >= 0), 1.0, _choose(N + k - 1.0, k))
    return _choose(N, k)


def _choose(n: Any, k: Any) -> Any:
    valid = (k <= n) & (n >= 0) & (k >= 0)
    n, k = np.where(valid, n, 0.0), np.where(valid, k, 0.0)
    logs = ops.lgamma(n + 1.0) - ops.lgamma(k + 1.0) - ops.lgamma(n + 1.0 - k)
    return np.where(valid, np.exp(logs), 0.0)


@fused()
def poch(z: Any, m: Any) -> Any:
    """Pochhammer's symbol, `gamma(z + m) / gamma(z)`.

    >>> from fn.scipy import special
    >>> round(float(special.poch(2.0, 3.0)), 3)
    24.0
    """
    z, m = floats("poch", z, m)
    # At a pole both are infinite.
    z = np.where((m == 0) & (z <= 0) & (z == np.floor(z)), 1.0, z)
    return _sign(z + m) * _sign(z) * np.exp(ops.lgamma(z + m) - ops.lgamma(z))


@fused()
def betaln(a: Any, b: Any) -> Any:
    """Logarithm of `|beta(a, b)|`, accurate for large arguments.

    >>> from fn.scipy import special
    >>> round(float(special.betaln(2.0, 3.0)), 4)
    -2.4849
    """
    a, b = np.broadcast_arrays(*floats("betaln", a, b))
    return ops.betaln(a, b)


@fused()
def beta(a: Any, b: Any) -> Any:
    """The beta function, `gamma(a) gamma(b) / gamma(a + b)`.

    >>> from fn.scipy import special
    >>> round(float(special.beta(2.0, 3.0)), 4)
    0.0833
    """
    a, b = np.broadcast_arrays(*floats("beta", a, b))
    return _sign(a) * _sign(b) * _sign(a + b) * np.exp(ops.betaln(a, b))


@fused()
def betainc(a: Any, b: Any, x: Any) -> Any:
    """The regularized incomplete beta function. It has derivatives by all three, twice by the shapes.

    Args:
        a, b: shapes, positive.
        x: upper end of the integral, from 0 to 1.

    >>> from fn.scipy import special
    >>> round(float(special.betainc(2.0, 3.0, 0.5)), 4)
    0.6875
    """
    return ops.betainc(*np.broadcast_arrays(*floats("betainc", a, b, x)))


@fused()
def gammainc(a: Any, x: Any) -> Any:
    """The regularized lower incomplete gamma function. It has derivatives by both, twice by the shape.

    Args:
        a: shape, positive.
        x: upper end of the integral.

    >>> from fn.scipy import special
    >>> round(float(special.gammainc(1.0, 2.0)), 4)
    0.8647
    """
    return ops.igamma(*np.broadcast_arrays(*floats("gammainc", a, x)))


@fused()
def gammaincc(a: Any, x: Any) -> Any:
    """`1 - gammainc(a, x)`, accurate for large `x`.

    >>> from fn.scipy import special
    >>> round(float(special.gammaincc(1.0, 2.0)), 4)
    0.1353
    """
    return ops.igammac(*np.broadcast_arrays(*floats("gammaincc", a, x)))


@fused()
def digamma(x: Any) -> Any:
    """Derivative of `gammaln`.

    >>> from fn.scipy import special
    >>> round(float(special.digamma(1.0)), 4)
    -0.5772
    """
    (x,) = floats("digamma", x)
    return ops.digamma(x)


@fused()
def polygamma(n: Any, x: Any) -> Any:
    """The derivative of order `n` of `digamma`.

    Args:
        n: integers, not negative.
        x: real array.

    >>> from fn.scipy import special
    >>> round(float(special.polygamma(1, 1.0)), 4)
    1.6449
    """
    kind = type_of(n)
    if kind is None or not is_integer(kind.dtype):
        raise ArgumentError(
            "polygamma: the order is not an integer", expected="integers", got=str(kind or type(n).__name__)
        )  # fmt: skip
    (x,) = floats("polygamma", x)
    n, x = np.broadcast_arrays(np.astype(np.asarray(n), x.dtype), x)
    return ops.polygamma(n, x)


@fused()
def zeta(x: Any, q: Any = None) -> Any:
    """The Hurwitz zeta function, the sum of `(k + q) ** -x` over k = 0, 1, 2, …, for `x` above 1.

    Args:
        x: exponent.
        q: where the sum starts; None is 1, for the zeta function of Riemann.

    >>> from fn.scipy import special
    >>> round(float(special.zeta(2.0)), 4)
    1.6449
    """
    return ops.zeta(*np.broadcast_arrays(*floats("zeta", x, 1.0 if q is None else q)))


@fused("d")
def multigammaln(a: Any, d: int) -> Any:
    """Logarithm of the gamma function of `d` dimensions.

    Args:
        a: real array, of values above `(d - 1) / 2`.
        d: dimension, known while tracing.

    >>> from fn.scipy import special
    >>> round(float(special.multigammaln(3.0, 2)), 4)
    1.5502
    """
    d = whole("multigammaln", "d", d, 1)
    (a,) = floats("multigammaln", a)
    total = sum((ops.lgamma(a - j / 2) for j in range(1, d)), start=ops.lgamma(a))
    return total + d * (d - 1) / 4 * math.log(math.pi)

"""Exponential, sine and other integrals; hypergeometric functions; Bernoulli numbers."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.core import canonical_dtype, public
from fn.scipy._arguments import floats, whole
from fn.xla import fused


@fused()
def expi(x: Any) -> Any:
    """The exponential integral Ei: the integral of `exp(t) / t` up to `x`.

    >>> from fn.scipy import special
    >>> round(float(special.expi(1.0)), 4)
    1.8951
    """
    (x,) = floats("expi", x)
    return ops.expi(x)


@fused()
def exp1(x: Any) -> Any:
    """The exponential integral E1: the integral of `exp(-t) / t` from `x` on, for positive `x`.

    >>> from fn.scipy import special
    >>> round(float(special.exp1(1.0)), 4)
    0.2194
    """
    (x,) = floats("exp1", x)
    return ops.exp1(x)


@fused()
def expn(n: Any, x: Any) -> Any:
    """The exponential integral of order `n`: the integral of `exp(-x t) / t ** n` from 1 on.

    Args:
        n: integers, not negative; there is no derivative by them.
        x: real array, not negative.

    >>> from fn.scipy import special
    >>> round(float(special.expn(2, 1.0)), 4)
    0.1485
    """
    return ops.expn(*np.broadcast_arrays(*floats("expn", n, x)))


@fused()
def sici(x: Any) -> Any:
    """The sine and the cosine integral.

    >>> from fn.scipy import special
    >>> [round(float(v), 4) for v in special.sici(1.0)]
    [0.9461, 0.3374]
    """
    (x,) = floats("sici", x)
    return ops.sine_integral(x), ops.cosine_integral(x)


@fused()
def spence(x: Any) -> Any:
    """The dilogarithm: the integral of `log(t) / (1 - t)` from 1 to `x`, for `x` from 0 up.

    >>> from fn.scipy import special
    >>> round(float(special.spence(2.0)), 4)
    -0.8225
    """
    (x,) = floats("spence", x)
    return ops.spence(x)


@fused()
def hyp1f1(a: Any, b: Any, x: Any) -> Any:
    """The confluent hypergeometric function. It has derivatives by all three, once by its parameters.

    >>> from fn.scipy import special
    >>> round(float(special.hyp1f1(1.0, 1.0, 1.0)), 4)
    2.7183
    """
    return ops.hyp1f1(*np.broadcast_arrays(*floats("hyp1f1", a, b, x)))


@fused()
def hyp2f1(a: Any, b: Any, c: Any, x: Any) -> Any:
    """The hypergeometric function, for `x` up to 1. It has derivatives by all four, once by its parameters.

    >>> from fn.scipy import special
    >>> round(float(special.hyp2f1(1.0, 1.0, 2.0, 0.5)), 4)
    1.3863
    """
    return ops.hyp2f1(*np.broadcast_arrays(*floats("hyp2f1", a, b, c, x)))


@public
def bernoulli(n: int) -> Any:
    """The Bernoulli numbers from 0 to `n`, as an array of size `n + 1`.

    >>> from fn.scipy import special
    >>> special.bernoulli(4)[2]
    Array(0.16666667, dtype=float32)
    """
    n = whole("bernoulli", "n", n)
    numbers = [Fraction(1)]
    for m in range(1, n + 1):
        if m > 1 and m % 2:
            numbers.append(Fraction(0))
            continue
        below = sum((comb(m + 1, k) * numbers[k] for k in range(m)), start=Fraction(0))
        numbers.append(-below / (m + 1))
    with numpy.errstate(over="ignore"):
        return np.asarray(numpy.array([_float(b) for b in numbers], canonical_dtype(float)))


def _float(x: Fraction) -> float:
    try:
        return float(x)
    except OverflowError:
        return numpy.inf if x > 0 else -numpy.inf

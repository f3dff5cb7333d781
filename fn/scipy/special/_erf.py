"""The error function and its kin, and the normal distribution function."""

from __future__ import annotations

import math
from typing import Any

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, is_complex
from fn.scipy._arguments import floats, inexact
from fn.xla import fused


@fused()
def erf(x: Any) -> Any:
    """The error function, of real numbers.

    >>> from fn.scipy import special
    >>> round(float(special.erf(1.0)), 4)
    0.8427
    """
    (x,) = floats("erf", x)
    return ops.erf(x)


@fused()
def erfc(x: Any) -> Any:
    """`1 - erf(x)`, accurate for large `x`.

    >>> from fn.scipy import special
    >>> round(float(special.erfc(1.0)), 4)
    0.1573
    """
    (x,) = floats("erfc", x)
    return ops.erfc(x)


@fused()
def erfinv(x: Any) -> Any:
    """Inverse of `erf`.

    >>> from fn.scipy import special
    >>> round(float(special.erfinv(0.5)), 4)
    0.4769
    """
    (x,) = floats("erfinv", x)
    return ops.erf_inv(x)


@fused()
def erfcinv(y: Any) -> Any:
    """Inverse of `erfc`, accurate for small `y`.

    >>> from fn.scipy import special
    >>> round(float(special.erfcinv(0.5)), 4)
    0.4769
    """
    (y,) = floats("erfcinv", y)
    return ops.ndtri(y / 2) * -math.sqrt(0.5)


@fused()
def erfcx(x: Any) -> Any:
    """`exp(x ** 2) erfc(x)`, of real or complex numbers.

    >>> from fn.scipy import special
    >>> round(float(special.erfcx(10.0)), 4)
    0.0561
    """
    (x,) = inexact("erfcx", x)
    return ops.wofz(x * 1j) if is_complex(x.dtype) else ops.erfcx(x)


@fused()
def dawsn(x: Any) -> Any:
    """Dawson's integral: `exp(-x ** 2)` times the integral of `exp(t ** 2)` from 0 to `x`.

    >>> from fn.scipy import special
    >>> round(float(special.dawsn(1.0)), 4)
    0.5381
    """
    (x,) = floats("dawsn", x)
    return ops.dawsn(x)


@fused()
def wofz(z: Any) -> Any:
    """The Faddeeva function `exp(-z ** 2) erfc(-i z)`; real numbers become complex.

    >>> from fn.scipy import special
    >>> round(float(special.wofz(1.0).imag), 4)
    0.6072
    """
    (z,) = inexact("wofz", z)
    return ops.wofz(z if is_complex(z.dtype) else z + 0j)


@fused()
def fresnel(x: Any) -> Any:
    """The Fresnel integrals of `sin(pi t ** 2 / 2)` and of `cos(pi t ** 2 / 2)` from 0 to `x`.

    >>> from fn.scipy import special
    >>> [round(float(v), 4) for v in special.fresnel(1.0)]
    [0.4383, 0.7799]
    """
    (x,) = floats("fresnel", x)
    return ops.fresnel_sine(x), ops.fresnel_cosine(x)


@fused()
def ndtr(x: Any) -> Any:
    """The normal distribution function.

    >>> from fn.scipy import special
    >>> round(float(special.ndtr(1.0)), 4)
    0.8413
    """
    (x,) = floats("ndtr", x)
    return 0.5 * ops.erfc(x * -math.sqrt(0.5))


@fused()
def ndtri(p: Any) -> Any:
    """Inverse of `ndtr`: quantiles of the normal distribution.

    >>> from fn.scipy import special
    >>> round(float(special.ndtri(0.975)), 2)
    1.96
    """
    (p,) = floats("ndtri", p)
    return ops.ndtri(p)


@fused("series_order")
def log_ndtr(x: Any, series_order: int = 3) -> Any:
    """Logarithm of `ndtr(x)`, which does not underflow.

    Args:
        x: real array.
        series_order: from 0 to 30. It has no bearing on the result, which is accurate to rounding.

    >>> from fn.scipy import special
    >>> round(float(special.log_ndtr(-30.0)), 2)
    -454.32
    """
    if not isinstance(series_order, int) or not 0 <= series_order <= 30:
        raise ArgumentError(
            "log_ndtr: series_order is out of range", expected="an integer from 0 to 30", got=repr(series_order)
        )  # fmt: skip
    (x,) = floats("log_ndtr", x)
    return ops.log_ndtr(x)


@fused()
def owens_t(h: Any, a: Any) -> Any:
    """Owen's T function: how likely a normal number is above `h` and another between 0 and `a` times it.

    >>> from fn.scipy import special
    >>> round(float(special.owens_t(1.0, 1.0)), 4)
    0.0667
    """
    return ops.owens_t(*np.broadcast_arrays(*floats("owens_t", h, a)))

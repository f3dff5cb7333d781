"""The normal distribution cut off at `a` and `b`, which count in units of `scale` from `loc`."""

from __future__ import annotations

from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.scipy.stats import _norm as norm
from fn.scipy.stats._support import log1mexp
from fn.xla import fused


def _log_mass(a: Any, b: Any) -> Any:
    """Logarithm of the share of the normal distribution between `a` and `b`.

    As the difference of two tails, on the side where they are small; across 0 as what they leave.
    """
    left, right = b <= 0, a > 0
    across = ~(left | right)
    low = np.where(right, -b, np.where(across, -2.0, a))
    high = np.where(right, -a, np.where(across, -1.0, b))
    upper, lower = ops.log_ndtr(high), ops.log_ndtr(low)
    tail = upper + log1mexp(upper - lower)
    rest = norm.cdf(np.where(across, a, -1.0)) + norm.cdf(np.where(across, -b, -1.0))
    return np.where(across, np.log1p(-rest), tail)


def _part(name: str, x: Any, a: Any, b: Any, loc: Any, scale: Any) -> tuple[Any, ...]:
    """How far `x` is in units of the scale; whether that is between the bounds, and these."""
    x, a, b, loc, scale = np.broadcast_arrays(*floats(f"truncnorm.{name}", x, a, b, loc, scale))
    z = (x - loc) / scale
    return z, a, b, scale


@fused()
def logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density; -inf outside of the bounds, NaN unless `a < b`.

    Args:
        x: real array.
        a, b: bounds, in units of `scale` from `loc`.
        loc, scale: mean and standard deviation before the cut.

    >>> from fn.scipy import stats
    >>> round(float(stats.truncnorm.logpdf(0.0, -1.0, 1.0)), 4)
    -0.5372
    """
    z, a, b, scale = _part("logpdf", x, a, b, loc, scale)
    value = norm.logpdf(z) - np.log(scale) - _log_mass(a, b)
    return np.where(a < b, np.where((z < a) | (z > b), -numpy.inf, value), numpy.nan)


@fused()
def pdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.truncnorm.pdf(0.25, -1.0, 1.0)), 3)
    0.566
    """
    return np.exp(logpdf(x, a, b, loc, scale))


def _log_share(z: Any, a: Any, b: Any) -> Any:
    """Logarithm of the share between `a` and `z`."""
    inside = (z > a) & (z < b)
    # The middle of infinite bounds is no number; any place between them will do.
    place = np.clip(np.zeros_like(z), np.maximum(a, -1e30), np.minimum(b, 1e30))
    at = np.where(inside, z, place)
    whole = _log_mass(a, b)
    below, above = _log_mass(a, at) - whole, _log_mass(at, b) - whole
    # Close to all of it, the rest is known to more digits.
    most = below > -0.1
    value = np.where(most, np.log1p(-np.exp(np.where(most, above, -1.0))), below)
    value = np.where(inside, value, np.where(z >= b, 0.0, -numpy.inf))
    return np.where(a < b, value, numpy.nan)


@fused()
def logcdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.truncnorm.logcdf(0.25, -1.0, 1.0)), 3)
    -0.439
    """
    z, a, b, _ = _part("logcdf", x, a, b, loc, scale)
    return _log_share(z, a, b)


@fused()
def cdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.truncnorm.cdf(0.25, -1.0, 1.0)), 3)
    0.645
    """
    return np.exp(logcdf(x, a, b, loc, scale))


@fused()
def logsf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.truncnorm.logsf(0.25, -1.0, 1.0)), 3)
    -1.034
    """
    z, a, b, _ = _part("logsf", x, a, b, loc, scale)
    return _log_share(-z, -b, -a)


@fused()
def sf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.truncnorm.sf(0.25, -1.0, 1.0)), 3)
    0.355
    """
    return np.exp(logsf(x, a, b, loc, scale))

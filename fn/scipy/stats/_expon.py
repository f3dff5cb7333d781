"""The exponential distribution from `loc` up, with mean `loc + scale`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn.scipy._arguments import floats
from fn.scipy.stats._support import log1mexp, quantile, within
from fn.xla import fused


def _part(name: str, x: Any, loc: Any, scale: Any) -> tuple[Any, Any, Any]:
    """Whether `x` is inside, how far in units of the scale (0 outside), and the scale."""
    x, loc, scale = floats(f"expon.{name}", x, loc, scale)
    inside = x >= loc
    return inside, np.where(inside, (x - loc) / scale, 0.0), scale


@fused()
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density; -inf below `loc`.

    Args:
        x: real array.
        loc: the smallest number.
        scale: how far the mean is above it.

    >>> from fn.scipy import stats
    >>> float(stats.expon.logpdf(2.0))
    -2.0
    """
    inside, z, scale = _part("logpdf", x, loc, scale)
    return within(inside, -z - np.log(scale))


@fused()
def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.expon.pdf(0.5)), 3)
    0.607
    """
    return np.exp(logpdf(x, loc, scale))


@fused()
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.expon.cdf(0.5)), 3)
    0.393
    """
    return -np.expm1(-_part("cdf", x, loc, scale)[1])


@fused()
def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.expon.logcdf(0.5)), 3)
    -0.933
    """
    return log1mexp(_part("logcdf", x, loc, scale)[1])


@fused()
def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.expon.sf(0.5)), 3)
    0.607
    """
    return np.exp(-_part("sf", x, loc, scale)[1])


@fused()
def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.expon.logsf(0.5)), 3)
    -0.5
    """
    return -_part("logsf", x, loc, scale)[1]


@fused()
def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Where the share up to it is `q`.

    >>> from fn.scipy import stats
    >>> round(float(stats.expon.ppf(0.25)), 3)
    0.288
    """
    q, loc, scale = floats("expon.ppf", q, loc, scale)
    return quantile(q, loc - scale * np.log1p(-q))

"""The Gumbel distribution of largest numbers: the distribution function is `exp(-exp(-z))`."""

from __future__ import annotations

from typing import Any

import numpy

import fn.numpy as np
from fn.scipy._arguments import floats
from fn.scipy.stats._support import log1mexp
from fn.xla import fused


def _part(name: str, x: Any, loc: Any, scale: Any) -> tuple[Any, Any]:
    """How far `x` is in units of the scale, and the scale, NaN if it is not positive."""
    x, loc, scale = floats(f"gumbel_r.{name}", x, loc, scale)
    scale = np.where(scale > 0, scale, numpy.nan)
    return (x - loc) / scale, scale


@fused()
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density.

    Args:
        x: real array.
        loc: where the density is largest.
        scale: unit of the distance from it, positive.

    >>> from fn.scipy import stats
    >>> float(stats.gumbel_r.logpdf(0.0))
    -1.0
    """
    z, scale = _part("logpdf", x, loc, scale)
    return -z - np.exp(-z) - np.log(scale)


@fused()
def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.gumbel_r.pdf(0.5)), 3)
    0.331
    """
    return np.exp(logpdf(x, loc, scale))


@fused()
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.gumbel_r.cdf(0.5)), 3)
    0.545
    """
    return np.exp(-np.exp(-_part("cdf", x, loc, scale)[0]))


@fused()
def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.gumbel_r.logcdf(0.5)), 3)
    -0.607
    """
    return -np.exp(-_part("logcdf", x, loc, scale)[0])


@fused()
def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.gumbel_r.sf(0.5)), 3)
    0.455
    """
    return -np.expm1(-np.exp(-_part("sf", x, loc, scale)[0]))


@fused()
def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.gumbel_r.logsf(0.5)), 3)
    -0.788
    """
    return log1mexp(np.exp(-_part("logsf", x, loc, scale)[0]))


@fused()
def ppf(p: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Where the share up to it is `p`, which is between 0 and 1.

    >>> from fn.scipy import stats
    >>> round(float(stats.gumbel_r.ppf(0.5)), 3)
    0.367
    """
    p, loc, scale = floats("gumbel_r.ppf", p, loc, scale)
    inside = (p > 0) & (p < 1)
    return np.where(inside, loc - scale * np.log(-np.log(np.where(inside, p, 0.5))), numpy.nan)
